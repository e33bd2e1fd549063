//! The side of the keys: waiters are kept, and served when something comes.

use std::rc::Rc;

use freehold_protocol::slot::Slot;

use super::{Wait, Waiter, is_waited_for, nothing};
use crate::command::context::KeyHint;
use crate::command::request::OwnedRequest;
use crate::command::spec::Spec;
use crate::effect::Ready;
use crate::shard::locks::{LockKey, Ticket};
use crate::shard::parcel::Message;
use crate::shard::{Shard, execute};
use crate::value::Kind;

impl Shard {
    pub(in crate::shard) fn take_wait(&mut self, wait: Wait) {
        match wait {
            Wait::Attempt(waiter) => self.attempt(waiter),
            Wait::Register(waiter) => self.keep(waiter),
            Wait::Poke { ticket, request } => self.look_again(ticket, request),
            Wait::Forget { ticket } => {
                self.waiters.remove(ticket);
                self.note_waiters();
            }
            Wait::Served { ticket, reply } => self.answer_blocked(ticket, &reply),
            Wait::Again { ticket } => self.run_again(ticket),
        }
    }

    /// A command whose keys are all here. While a transaction holds one of them it comes again
    /// when that has let go.
    fn attempt(&mut self, mut waiter: Waiter) {
        let command = waiter.request.command;
        if !self.locks.is_empty() && self.is_locked(command, waiter.request.args()) {
            self.held_attempts.push_back(waiter);
            return;
        }
        if !waiter.claim.take() {
            return; // its time is over already
        }
        match self.try_to_serve(&waiter) {
            Ok(reply) => self.send_answer(&waiter, reply),
            Err(request) => {
                if !waiter.claim.put_back() {
                    let reply = nothing(&waiter);
                    return self.send_answer(&waiter, reply);
                }
                waiter.request = request.unwrap_or(waiter.request);
                self.keep(waiter);
            }
        }
    }

    /// Attempts that a transaction was in the way of.
    pub(in crate::shard) fn retry_attempts(&mut self) {
        for _ in 0..self.held_attempts.len() {
            let Some(waiter) = self.held_attempts.pop_front() else { return };
            self.attempt(waiter);
        }
    }

    fn keep(&mut self, waiter: Waiter) {
        let mut keys = Vec::new();
        self.for_each_waited_key(&waiter.request, |key| {
            let key = (waiter.caller.db, Box::from(key));
            if self.core.keyspace.owns(Slot::of_key(&key.1)) && !keys.contains(&key) {
                keys.push(key);
            }
        });
        self.waiters.insert(waiter, keys);
        self.note_waiters();
    }

    fn note_waiters(&mut self) {
        self.core.waited_keys = self.waiters.keys() as u64;
        self.core.effects.expect_readers(!self.waiters.is_empty());
    }

    /// Runs a waiter's command on this core's keys. `Err`: there was nothing to take; the request
    /// as it is to run from now on, if that has changed.
    fn try_to_serve(&mut self, waiter: &Waiter) -> Result<Vec<u8>, Option<OwnedRequest>> {
        let command = waiter.request.command;
        let timed = self.sample();
        let run =
            execute::Execution { command, caller: waiter.caller, hint: KeyHint::default(), timed };
        let mut reply = Vec::new();
        match run.attempt(&mut self.core, waiter.request.args(), &mut reply) {
            execute::Attempt::Answered => Ok(reply),
            execute::Attempt::Nothing(request) => Err(request),
        }
    }

    fn send_answer(&mut self, waiter: &Waiter, reply: Vec<u8>) {
        let wait = Wait::Served { ticket: waiter.ticket, reply };
        self.send(waiter.home, Message::Wait(Box::new(wait)));
    }

    /// Whether the waiter's command can run on this core alone: what it puts something into is
    /// here. Keys it waits for on other cores are passed over.
    fn can_serve_here(&self, waiter: &Waiter) -> bool {
        let args = waiter.request.args();
        let mut here = true;
        for spec in waiter.request.command.spec.keys.iter().filter(|s| !is_waited_for(s.flags)) {
            let _checked_before = spec.positions(args, |at| {
                here &= self.core.keyspace.owns(Slot::of_key(args.get(at)));
            });
        }
        here
    }

    fn look_again(&mut self, ticket: Ticket, request: Option<OwnedRequest>) {
        if let Some(request) = request
            && let Some((waiter, keys)) = self.waiters.remove(ticket)
        {
            self.waiters.insert(Waiter { request, ..(*waiter).clone() }, keys);
        }
        // What was there when the claim was taken has been found too little: to look at it again
        // would only send the claim round.
        if self.waiters.get(ticket).is_some_and(|waiter| waiter.passed_over.take()) {
            let keys = self.waiters.keys_of(ticket).iter().cloned();
            let looks = keys.map(|key| Ready { key, only: Some(ticket) });
            self.core.effects.ready.extend(looks);
        }
        self.serve_ready();
    }

    /// Serves those who wait for keys that have got something; a branch when none has.
    #[inline]
    pub(in crate::shard) fn serve_ready(&mut self) {
        if self.core.effects.has_ready() {
            self.serve_waiters();
        }
    }

    /// The longest waiting first. A key a transaction holds has its turn when that lets go.
    fn serve_waiters(&mut self) {
        let mut held = Vec::new();
        loop {
            if std::mem::take(&mut self.core.effects.all_ready) {
                let keys = self.waiters.all_keys().into_iter();
                self.core.effects.ready = keys.map(|key| Ready { key, only: None }).collect();
            }
            let ready = std::mem::take(&mut self.core.effects.ready);
            if ready.is_empty() {
                break;
            }
            for look in ready {
                let fingerprint = self.core.keyspace.key_ref(&look.key.1).hash;
                if !self.waiters.wants(&look.key) {
                    continue;
                }
                let locked = self.locks.blocks(LockKey { fingerprint, write: true });
                if locked || !self.serve_key(&look) {
                    held.push(look);
                }
            }
        }
        self.core.effects.ready = held;
    }

    /// False when a waiter's command names another key that a transaction holds: those behind it
    /// must not overtake it.
    fn serve_key(&mut self, Ready { key, only }: &Ready) -> bool {
        let mut after = None;
        while let Some(waiter) = self.waiters.next(key, after) {
            after = Some(waiter.ticket);
            if only.is_some_and(|only| only != waiter.ticket) {
                continue;
            }
            let entry = self.core.keyspace.get(key.0, &self.core.keyspace.key_ref(&key.1));
            if is_news(waiter.request.command.spec, entry.map(|entry| entry.kind())) {
                if !self.locks.is_empty()
                    && self.is_locked(waiter.request.command, waiter.request.args())
                {
                    return false;
                }
                self.serve(&waiter);
            }
        }
        true
    }

    fn serve(&mut self, waiter: &Rc<Waiter>) {
        let claimed = waiter.claim.take();
        waiter.passed_over.set(!claimed);
        if !claimed {
            return;
        }
        if !self.can_serve_here(waiter) {
            let wait = Wait::Again { ticket: waiter.ticket };
            return self.send(waiter.home, Message::Wait(Box::new(wait)));
        }
        let reply = match self.try_to_serve(waiter) {
            Ok(reply) => reply,
            Err(_) if waiter.claim.put_back() => return,
            Err(_) => nothing(waiter),
        };
        self.waiters.remove(waiter.ticket);
        self.note_waiters();
        self.send_answer(waiter, reply);
    }
}

/// Whether a key that now holds such a value, or has gone, is of any interest to a command that
/// waits for it: of its own type, or when a group to be read from has gone with its stream.
fn is_news(spec: &Spec, kind: Option<Kind>) -> bool {
    match kind {
        Some(Kind::List) => spec.group == "list",
        Some(Kind::SortedSet) => spec.group == "sorted-set",
        Some(Kind::Stream) => spec.group == "stream",
        _ => spec.name == "XREADGROUP",
    }
}
