//! What a core does for a transaction that another core (or itself) leads.

use super::Outcome;
use crate::command::context::KeyHint;
use crate::command::gather::Partial;
use crate::command::session::Caller;
use crate::effect::{Effect, apply, decode_all};
use crate::mesh::CoreId;
use crate::shard::locks::{Prepared, Ticket, Wanted};
use crate::shard::parcel::{Answer, Errand, Message, OwnedRequest, Part};
use crate::shard::{Shard, execute};

/// A ticket that waits here: whom to tell, and what to copy once it is granted.
pub struct Member {
    leader: CoreId,
    pull: Vec<Box<[u8]>>,
}

impl Shard {
    /// One step of a transaction.
    pub(in crate::shard) fn run_errand(&mut self, errand: Errand) {
        match errand {
            Errand::Prepare { ticket, leader, wanted, pull, adds } => {
                self.prepare_here(ticket, Member { leader, pull }, wanted, adds);
            }
            Errand::Granted { ticket, from, pulled } => {
                self.prepared(ticket, from, Outcome::Granted { pulled });
            }
            Errand::Refused { ticket, from } => self.prepared(ticket, from, Outcome::Refused),
            Errand::NoRoom { ticket, from } => self.prepared(ticket, from, Outcome::NoRoom),
            Errand::Run { ticket, leader, caller, request, part } => {
                let answer = self.run_part(caller, &request, part);
                self.reply_to(leader, ticket, answer);
                self.release(ticket);
            }
            Errand::Apply { ticket, leader, effects } => {
                self.apply_here(&effects);
                self.reply_to(leader, ticket, Answer::Applied);
                self.release(ticket);
            }
            Errand::Answer { ticket, from, answer } => self.answered(ticket, from, answer),
            Errand::Release { ticket } => self.release(ticket),
        }
    }

    fn reply_to(&mut self, leader: CoreId, ticket: Ticket, answer: Answer) {
        let from = self.core.id;
        self.send(leader, Message::Errand(Box::new(Errand::Answer { ticket, from, answer })));
    }

    fn prepare_here(&mut self, ticket: Ticket, member: Member, wanted: Wanted, adds: Option<u64>) {
        let from = self.core.id;
        if let Some(adds) = adds
            && self.core.memory_limit_bytes.is_some()
            && !self.core.make_room(adds)
        {
            let errand = Errand::NoRoom { ticket, from };
            self.send(member.leader, Message::Errand(Box::new(errand)));
            return;
        }
        match self.locks.prepare(ticket, wanted) {
            Prepared::Granted => self.grant(ticket, member),
            Prepared::Waits => {
                self.prepared.insert(ticket, member);
            }
            Prepared::Refused => {
                let errand = Errand::Refused { ticket, from };
                self.send(member.leader, Message::Errand(Box::new(errand)));
            }
        }
    }

    fn grant(&mut self, ticket: Ticket, member: Member) {
        let from = self.core.id;
        let pulled = self.copy_keys(&member.pull);
        let errand = Errand::Granted { ticket, from, pulled };
        self.send(member.leader, Message::Errand(Box::new(errand)));
    }

    /// Copies of keys in every database, since COPY … DB crosses them, as effects.
    fn copy_keys(&mut self, keys: &[Box<[u8]>]) -> Vec<u8> {
        let mut copies = crate::effect::Effects::default();
        copies.listen();
        let now = self.core.now.unix_ms;
        for key in keys {
            let key_ref = self.core.keyspace.key_ref(key);
            for db in 0..self.core.keyspace.databases() as u8 {
                let Some(handle) = self.core.keyspace.find(db, &key_ref) else { continue };
                let entry = self.core.keyspace.entry(handle);
                let expiry = entry.expiry();
                if expiry.is_some_and(|at| at < now) {
                    self.core.expire(db, &key_ref);
                    continue;
                }
                let mut digits = itoa::Buffer::new();
                let value = entry.value().text(&mut digits);
                let form = entry.form();
                copies.push(Effect::Set { db, key, value, form, expiry });
            }
        }
        copies.take()
    }

    fn run_part(&mut self, caller: Caller, request: &OwnedRequest, part: Part) -> Answer {
        let hint = KeyHint::default();
        let timed = self.sample();
        let run = execute::Execution { command: request.command, caller, hint, timed };
        match part {
            Part::Keys => {
                let mut reply = Vec::new();
                // Room was made when the keys were locked; a part must not fail alone now.
                let limit = self.core.memory_limit_bytes.take();
                run.execute(&mut self.core, request.args(), &mut reply);
                self.core.memory_limit_bytes = limit;
                Answer::Reply(reply)
            }
            Part::Everywhere => {
                let partial: Partial = run.contribute(&mut self.core, request.args());
                if caller.session.is_none() && !self.core.requests.is_empty() {
                    self.serve_requests_of_others();
                }
                Answer::Partial(partial)
            }
        }
    }

    fn apply_here(&mut self, effects: &[u8]) {
        let core = &mut self.core;
        let applied = decode_all(effects, |effect| {
            apply(&mut core.keyspace, &effect, core.access);
            core.effects.push(effect);
        });
        debug_assert!(applied.is_ok(), "another core of this process encoded it");
    }

    /// Lets go of a ticket's keys; whoever waited for them goes on.
    fn release(&mut self, ticket: Ticket) {
        for granted in self.locks.release(ticket) {
            if let Some(member) = self.prepared.remove(&granted) {
                self.grant(granted, member);
            }
        }
        if !self.parked.is_empty() {
            self.retry_parked();
        }
    }
}
