//! Commands that wait: BLPOP and its kin.
//!
//! ```text
//! home (the client's core)             owner of the keys
//!   keys of one core:  ── Attempt ──►  run; nothing there: keep the waiter
//!   keys of several:   ── Register ─►  keep the waiter, everywhere; home holds the claim,
//!       runs the command as a transaction; nothing there: put the claim back
//!                      ── Poke ─────►  look again: a push may have been passed over meanwhile
//!                                      … a push: the oldest waiter whose claim is won is served
//!          ◄── Served | Again ───────  (Again: it needs keys of other cores, run it there)
//!   answered, timed out, gone:
//!                      ── Forget ───►
//! ```
//! A waiter's ticket is drawn when it comes and is its place in every queue. The push and the
//! serving of the oldest waiter are one step of the owning core: nobody comes between them.

mod claim;
mod home;
mod owner;
mod waiters;

use std::collections::BTreeSet;

use freehold_protocol::resp::reply::Reply;

use super::locks::Ticket;
use crate::base::collections::FingerprintMap;
use crate::command::request::OwnedRequest;
use crate::command::session::SessionId;
use crate::command::spec::Run;
use crate::mesh::CoreId;
pub use waiters::{Waiter, Waiters};

/// A step in the life of a blocked command.
pub enum Wait {
    /// Home to owner: run it, or keep it.
    Attempt(Waiter),
    /// Home to each owner: keep it.
    Register(Waiter),
    /// Home to owner: the claim is free again; look. The request as it is to run from now on.
    Poke { ticket: Ticket, request: Option<OwnedRequest> },
    /// Home to owner: it waits no more.
    Forget { ticket: Ticket },
    /// Owner to home: here is its answer.
    Served { ticket: Ticket, reply: Vec<u8> },
    /// Owner to home: one of its keys has got something, and it has the claim.
    Again { ticket: Ticket },
}

/// A client of this core that waits.
struct Blocked {
    session: SessionId,
    /// The reply's place.
    sequence: u64,
    waiter: Waiter,
    /// Where it is known.
    cores: Vec<CoreId>,
    deadline_mono_us: Option<u64>,
}

/// The clients of this core that wait.
#[derive(Default)]
pub struct BlockedClients {
    by_ticket: FingerprintMap<Blocked>,
    deadlines: BTreeSet<(u64, Ticket)>,
}

impl BlockedClients {
    /// When the first of them has waited long enough.
    pub fn next_deadline_us(&self) -> Option<u64> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    fn insert(&mut self, blocked: Blocked) {
        let ticket = blocked.waiter.ticket;
        self.deadlines.extend(blocked.deadline_mono_us.map(|deadline| (deadline, ticket)));
        self.by_ticket.insert(ticket, blocked);
    }

    fn remove(&mut self, ticket: Ticket) -> Option<Blocked> {
        let blocked = self.by_ticket.remove(&ticket)?;
        if let Some(deadline) = blocked.deadline_mono_us {
            self.deadlines.remove(&(deadline, ticket));
        }
        Some(blocked)
    }

    fn of_session(&self, id: SessionId) -> Option<Ticket> {
        let mine = |blocked: &&Blocked| blocked.session == id;
        self.by_ticket.values().find(mine).map(|blocked| blocked.waiter.ticket)
    }
}

/// The answer of a command whose time is over.
fn nothing(waiter: &Waiter) -> Vec<u8> {
    let mut out = Vec::new();
    if let Run::Blocking(blocking) = waiter.request.command.spec.run {
        (blocking.nothing)(&mut Reply::new(&mut out, waiter.caller.resp3));
    }
    out
}

/// Whether a waiter waits for the keys of this spec: not for those it only puts something into.
fn is_waited_for(flags: &[&str]) -> bool {
    !flags.contains(&"insert")
}
