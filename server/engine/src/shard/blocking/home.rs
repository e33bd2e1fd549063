//! The side of the client: it begins to wait, is answered, runs out of time, or goes.

use std::cell::Cell;
use std::sync::Arc;

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;
use freehold_protocol::slot::Slot;

use super::claim::Claim;
use super::{Blocked, Wait, Waiter, is_waited_for, nothing};
use crate::command::request::OwnedRequest;
use crate::command::session::SessionId;
use crate::command::table::Command;
use crate::mesh::CoreId;
use crate::shard::connection::Await;
use crate::shard::locks::Ticket;
use crate::shard::parcel::Message;
use crate::shard::receive::Dispatched;
use crate::shard::{Shard, execute};

impl Shard {
    /// Runs a command that may wait. Its keys are known to live where this connection may reach
    /// them; `owner` is the one core that has them all, if there is one.
    pub(in crate::shard) fn begin_blocking(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        timeout_ms: u64,
        owner: Option<CoreId>,
        framing: Option<Framing>,
    ) -> Dispatched {
        if self.awaits_replies(id) {
            return Dispatched::NotYet;
        }
        let Some(session) = self.core.sessions.get_mut(id) else { return Dispatched::Taken };
        let muted = execute::is_muted(session);
        session.blocked = true;
        let mut caller = session.caller(id);
        caller.session = None;
        let connection = &mut self.connections[id.0 as usize];
        connection.alone = true;
        let sequence = connection.reserve(Await::new(framing, muted));
        let request = OwnedRequest::new(command, args.iter());
        let cores = match owner {
            Some(owner) => vec![owner],
            None => self.cores_waited_on(&request),
        };
        let ticket = self.tickets.take().0;
        let home = self.core.id;
        let claim = Arc::new(Claim::default());
        let passed_over = Cell::new(false);
        let waiter = Waiter { ticket, home, caller, request, claim, passed_over };
        let timeout_us = timeout_ms.saturating_mul(1000);
        let deadline_mono_us =
            (timeout_us > 0).then(|| self.core.now.mono_us.saturating_add(timeout_us));
        for &core in &cores {
            let waiter = waiter.clone();
            let wait = if owner.is_some() { Wait::Attempt(waiter) } else { Wait::Register(waiter) };
            self.send(core, Message::Wait(Box::new(wait)));
        }
        let blocked = Blocked { session: id, sequence, waiter, cores, deadline_mono_us };
        self.blocked.insert(blocked);
        if owner.is_none() {
            self.attempt_everywhere(ticket);
        }
        Dispatched::Taken
    }

    /// The cores of the keys a request waits for, each once.
    fn cores_waited_on(&self, request: &OwnedRequest) -> Vec<CoreId> {
        let mut cores = Vec::new();
        self.for_each_waited_key(request, |key| {
            let core = self.owner(Slot::of_key(key));
            if !cores.contains(&core) {
                cores.push(core);
            }
        });
        cores
    }

    pub(super) fn for_each_waited_key(&self, request: &OwnedRequest, mut visit: impl FnMut(&[u8])) {
        let args = request.args();
        for spec in request.command.spec.keys.iter().filter(|spec| is_waited_for(spec.flags)) {
            let _checked_before = spec.positions(args, |at| visit(args.get(at)));
        }
    }

    /// Runs the command of a waiter over the keys of all its cores, if it can have the claim.
    fn attempt_everywhere(&mut self, ticket: Ticket) {
        let Some(blocked) = self.blocked.by_ticket.get(&ticket) else { return };
        if blocked.waiter.claim.take() {
            self.run_again(ticket);
        }
    }

    /// The transaction a waiter's command ran in has ended. Without an answer it waits on, with
    /// the request as it is to run from now on.
    pub(in crate::shard) fn attempted(
        &mut self,
        ticket: Ticket,
        answer: Option<Vec<u8>>,
        request: Option<OwnedRequest>,
    ) {
        if let Some(reply) = answer {
            return self.answer_blocked(ticket, &reply);
        }
        let Some(blocked) = self.blocked.by_ticket.get_mut(&ticket) else { return };
        if let Some(request) = &request {
            blocked.waiter.request = request.clone();
        }
        if !blocked.waiter.claim.put_back() {
            let reply = nothing(&blocked.waiter);
            return self.answer_blocked(ticket, &reply);
        }
        for core in blocked.cores.clone() {
            let wait = Wait::Poke { ticket, request: request.clone() };
            self.send(core, Message::Wait(Box::new(wait)));
        }
    }

    /// The client gets its answer and goes on.
    pub(super) fn answer_blocked(&mut self, ticket: Ticket, reply: &[u8]) {
        let Some(blocked) = self.forget_blocked(ticket) else { return };
        let id = blocked.session;
        if let Some(session) = self.core.sessions.get_mut(id) {
            session.blocked = false;
        }
        self.go_on(id, blocked.waiter.caller.client_id, blocked.sequence, reply);
    }

    fn forget_blocked(&mut self, ticket: Ticket) -> Option<Blocked> {
        let blocked = self.blocked.remove(ticket)?;
        for &core in &blocked.cores {
            self.send(core, Message::Wait(Box::new(Wait::Forget { ticket })));
        }
        Some(blocked)
    }

    /// Ends the wait of a client unless it is being served: then it gets that answer.
    fn end_blocked(&mut self, ticket: Ticket, reply: Option<&[u8]>) {
        let Some(blocked) = self.blocked.by_ticket.get(&ticket) else { return };
        if blocked.waiter.claim.end() {
            let reply = reply.map_or_else(|| nothing(&blocked.waiter), <[u8]>::to_vec);
            self.answer_blocked(ticket, &reply);
        } else if let Some(deadline) = blocked.deadline_mono_us {
            self.blocked.deadlines.remove(&(deadline, ticket));
        }
    }

    /// Clients whose time is over.
    pub(in crate::shard) fn end_late_waits(&mut self) {
        let now_us = self.core.now.mono_us;
        while let Some(&(_, ticket)) =
            self.blocked.deadlines.first().filter(|&&(deadline, _)| deadline <= now_us)
        {
            self.end_blocked(ticket, None);
        }
    }

    /// CLIENT UNBLOCK.
    pub(in crate::shard) fn unblock(&mut self, id: SessionId, with_error: bool) {
        let error = b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n";
        if let Some(ticket) = self.blocked.of_session(id) {
            self.end_blocked(ticket, with_error.then_some(error));
        }
    }

    /// The connection is gone. What is on its way to it is lost with it, as what Redis has
    /// written to a dead socket.
    pub(in crate::shard) fn abandon_wait(&mut self, id: SessionId) {
        if let Some(ticket) = self.blocked.of_session(id)
            && let Some(blocked) = self.forget_blocked(ticket)
        {
            blocked.waiter.claim.end();
        }
    }

    /// A waiter's command needs the keys of several cores: home runs it.
    pub(super) fn run_again(&mut self, ticket: Ticket) {
        if let Some(Blocked { session, waiter, .. }) = self.blocked.by_ticket.get(&ticket) {
            let (caller, request) = (waiter.caller, waiter.request.clone());
            self.begin_attempt(*session, ticket, caller, request);
        }
    }
}
