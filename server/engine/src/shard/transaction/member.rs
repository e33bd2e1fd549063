//! What a core does for a transaction that another core (or itself) leads.

use crate::command::context::KeyHint;
use crate::command::spec::Run;
use crate::effect::{Effect, Part, decode_all};
use crate::mesh::CoreId;
use crate::shard::locks::{Prepared, Ticket, leader_of};
use crate::shard::parcel::{Answer, Denial, Done, Errand, Job, Lent, Message, Prepare, Step};
use crate::shard::{Shard, execute};

impl Step {
    /// Nothing to do but, perhaps, to let go.
    pub fn is_empty(&self) -> bool {
        self.returned.is_empty()
            && self.effects.is_empty()
            && self.jobs.is_empty()
            && self.pull.is_empty()
            && self.part.is_none()
    }
}

impl Shard {
    /// One message of a transaction, of a watch, or about memory.
    pub(in crate::shard) fn run_errand(&mut self, errand: Errand) {
        match errand {
            Errand::Prepare(ticket, prepare) => self.prepare_here(ticket, prepare),
            Errand::Granted(from, ticket, pulled) => self.granted(ticket, from, pulled),
            Errand::Denied(ticket, denial) => self.denied(ticket, denial),
            Errand::Yield(member, ticket) => self.yield_to_lower(ticket, member),
            Errand::Step(ticket, step) => {
                let release = step.release;
                self.do_step(ticket, step);
                if release {
                    self.release(ticket);
                }
            }
            Errand::Done(from, ticket, done) => self.done(ticket, from, done),
            Errand::Release(ticket, returned) => {
                self.take_back(returned, &[]);
                self.release(ticket);
            }
            Errand::Watch { from, client_id, db, keys } => {
                let stamp = self.watch_here(db, &keys);
                self.tell(from, Errand::Watching { from: self.core.id, client_id, stamp });
            }
            Errand::Watching { from, client_id, stamp } => self.watching(from, client_id, stamp),
            Errand::Unwatch(watched) => self.unwatch_here(&watched),
            Errand::MakeRoom => {} // upkeep ends every turn
        }
    }

    pub(in crate::shard) fn tell(&mut self, core: CoreId, errand: Errand) {
        self.send(core, Message::Errand(Box::new(errand)));
    }

    fn prepare_here(&mut self, ticket: Ticket, mut prepare: Prepare) {
        if let Some(adds) = prepare.adds
            && self.core.memory_limit_bytes.is_some()
            && !self.core.make_room(adds)
        {
            return self.tell(leader_of(ticket), Errand::Denied(ticket, Denial::NoRoom));
        }
        if prepare.step.is_some() && self.locks.is_empty() {
            self.grant(ticket, prepare); // done before anybody could meet its locks
            return;
        }
        match self.locks.prepare(ticket, std::mem::take(&mut prepare.wanted)) {
            Prepared::Granted => {
                if !self.grant(ticket, prepare) {
                    self.release(ticket);
                }
            }
            Prepared::Waits(higher) => {
                self.prepared.insert(ticket, prepare);
                for ticket in higher {
                    self.tell(leader_of(ticket), Errand::Yield(self.core.id, ticket));
                }
            }
        }
    }

    /// The keys are still. Whether the ticket goes on holding them.
    fn grant(&mut self, ticket: Ticket, prepare: Prepare) -> bool {
        if prepare.watched.iter().any(|watched| self.has_changed(watched)) {
            self.tell(leader_of(ticket), Errand::Denied(ticket, Denial::Changed));
            return false;
        }
        if let Some(step) = prepare.step {
            self.do_step(ticket, step);
            return false;
        }
        let pulled = self.lend_keys(&prepare.pull);
        self.tell(leader_of(ticket), Errand::Granted(self.core.id, ticket, pulled));
        true
    }

    fn do_step(&mut self, ticket: Ticket, step: Step) {
        let (last, part) = (step.last, step.part.clone());
        self.core.effects.begin_step();
        let done = self.run_step(step);
        self.keep_step(ticket, last, part.as_ref());
        self.tell(leader_of(ticket), Errand::Done(self.core.id, ticket, done));
    }

    /// What a transaction changes on a core goes to the log as one record, with its last step.
    fn keep_step(&mut self, ticket: Ticket, last: bool, part: Option<&Part>) {
        let effects = self.core.effects.end_step();
        if !last {
            if !effects.is_empty() {
                self.step_effects.entry(ticket).or_default().extend_from_slice(&effects);
            }
            return;
        }
        match self.step_effects.remove(&ticket) {
            None => self.core.effects.add_part(part, &effects),
            Some(before) => self.core.effects.add_part(part, &[before, effects].concat()),
        }
    }

    /// Everything a transaction changes on a core, it changes here.
    fn run_step(&mut self, step: Step) -> Done {
        self.take_back(step.returned, &step.effects);
        // Room was made when the keys were locked; a part must not fail alone now.
        let limit = self.core.memory_limit_bytes.take();
        let trouble = self.core.trouble.take();
        let answers = step.jobs.iter().map(|job| (job.task, self.run_job(job))).collect();
        self.core.memory_limit_bytes = limit;
        self.core.trouble = trouble;
        Done { answers, pulled: self.lend_keys(&step.pull) }
    }

    fn run_job(&mut self, job: &Job) -> Answer {
        let (command, args) = (job.request.command, job.request.args());
        let mut caller = job.caller;
        if let Some(id) = caller.session {
            let session = self.core.sessions.get(id);
            match session.filter(|session| session.client_id == caller.client_id) {
                Some(session) => {
                    caller = crate::command::session::Caller { db: caller.db, ..session.caller(id) }
                }
                None => caller.session = None,
            }
        }
        let hint = KeyHint::default();
        let timed = self.sample();
        let run = execute::Execution { command, caller, hint, timed };
        let answer = if job.contributes {
            Answer::Partial(run.contribute(&mut self.core, args))
        } else {
            let mut reply = Vec::new();
            let at_session = matches!(command.spec.run, Run::Here(_));
            if caller.session.is_some() || !at_session {
                run.execute(&mut self.core, args, &mut reply);
                if job.further {
                    self.core.stats.commands_processed -= 1;
                    self.core.stats.commands[command.index].calls -= 1;
                }
            }
            Answer::Reply(reply)
        };
        if caller.session.is_none() && !self.core.requests.is_empty() {
            self.serve_requests_of_others();
        }
        answer
    }

    /// Keys in every database, since COPY … DB crosses them. Short values are copied, all others
    /// move: the lock keeps everybody else away until they are back.
    fn lend_keys(&mut self, keys: &[Box<[u8]>]) -> Vec<Lent> {
        let mut lent = Vec::new();
        for key in keys {
            let key_ref = self.core.keyspace.key_ref(key);
            for db in self.core.keyspace.numbers() {
                let entry = self.core.keyspace.get(db, &key_ref);
                match entry.map(|entry| entry.is_expired(self.core.now.unix_ms)) {
                    Some(true) => self.core.expire(db, &key_ref),
                    Some(false) => {
                        let taken = self.core.keyspace.lend_entry(db, &key_ref);
                        lent.push(Lent { db, key: key.clone(), taken, kept: true });
                    }
                    None => {}
                }
            }
        }
        lent
    }

    /// Keys come back from the leader, and with them what has become of them.
    fn take_back(&mut self, returned: Vec<Lent>, effects: &[u8]) {
        let core = &mut self.core;
        let mut gone: Vec<(u8, Box<[u8]>)> = Vec::new();
        for Lent { db, key, taken, kept } in returned {
            let key_ref = core.keyspace.key_ref(&key);
            let lost = kept && !core.keyspace.contains(db, &key_ref);
            match taken {
                Some(taken) => {
                    core.keyspace.put(db, &key_ref, taken);
                    // Expired or evicted meanwhile, and said to be: the effects alone would not
                    // bring it back.
                    gone.extend(lost.then_some((db, key)));
                }
                None => {
                    core.keyspace.remove(db, &key_ref);
                }
            }
        }
        let decoded = decode_all(effects, |effect| match effect {
            Effect::Put { db, key, edits: [], .. } => core.note_whole(db, key),
            effect => core.effects.push(effect),
        });
        debug_assert!(decoded.is_ok(), "another core of this process encoded it");
        gone.iter().for_each(|(db, key)| core.note_whole(*db, key));
    }

    /// Lets go of a ticket's keys. Single commands that met them come first, for they hold nothing;
    /// then tickets, and those who are done at once let the next ones go on.
    fn release(&mut self, ticket: Ticket) {
        let mut free = vec![ticket];
        while !free.is_empty() {
            free.drain(..).for_each(|ticket| self.locks.release(ticket));
            if !self.parked.is_empty() {
                self.retry_parked();
            }
            if !self.held_attempts.is_empty() {
                self.retry_attempts();
            }
            for granted in self.locks.grant_next() {
                if let Some(prepare) = self.prepared.remove(&granted)
                    && !self.grant(granted, prepare)
                {
                    free.push(granted);
                }
            }
        }
    }
}
