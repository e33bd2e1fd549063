//! The leader's steps: what each member is to do next, what came of it, and the one reply.

use freehold_protocol::resp::reply::Reply;

use super::plan::{Place, Positions, Task};
use super::{Outcome, Phase, Transaction, combine};
use crate::command::context::{Cx, KeyHint};
use crate::command::gather::Partial;
use crate::command::request::OwnedRequest;
use crate::command::session::Caller;
use crate::command::spec::Run;
use crate::mesh::CoreId;
use crate::shard::Shard;
use crate::shard::locks::Ticket;
use crate::shard::parcel::{Answer, Done, Errand, Job, Step};

/// The keys of a request that `core` owns, each once: a key that is lent twice would come back as
/// what stood in for it (`SINTERSTORE a a b`).
pub fn keys_of(request: &OwnedRequest, positions: &Positions, core: CoreId) -> Vec<Box<[u8]>> {
    let own = positions.iter().filter(|(owner, _)| *owner == core);
    let mut keys: Vec<Box<[u8]>> =
        own.flat_map(|(_, at)| at).map(|&at| request.args().get(at).into()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The steps of one phase, by member.
struct Steps {
    steps: Vec<(CoreId, Step)>,
    home: CoreId,
    caller: Caller,
}

impl Steps {
    fn of(&mut self, core: CoreId) -> &mut Step {
        let at = self.steps.iter().position(|(member, _)| *member == core);
        debug_assert!(at.is_some(), "the plan has a share for every core that has a task");
        &mut self.steps[at.unwrap_or(0)].1
    }

    fn add(&mut self, core: CoreId, task: usize, db: u8, request: OwnedRequest) -> &mut Job {
        let mut caller = Caller { db, ..self.caller };
        if core != self.home {
            caller.session = None;
        }
        let jobs = &mut self.of(core).jobs;
        let at = jobs.len();
        jobs.push(Job { task, request, caller, contributes: false, further: false });
        &mut jobs[at]
    }

    /// Takes up a task; false when its keys have to be copied before anything else can happen.
    fn take_up(&mut self, index: usize, task: &Task, outcome: &mut Outcome) -> bool {
        let (db, request) = (task.db, &task.request);
        match &task.place {
            Place::Home => {
                self.add(self.home, index, db, request.clone());
            }
            Place::One(core) => {
                self.add(*core, index, db, request.clone());
            }
            Place::Split(positions) => {
                for (nth, (core, at)) in positions.iter().enumerate() {
                    let part = combine::part_of(request, at);
                    self.add(*core, index, db, part).further = nth > 0;
                }
            }
            Place::Everywhere => {
                for at in 0..self.steps.len() {
                    self.add(self.steps[at].0, index, db, request.clone()).contributes = true;
                }
            }
            Place::Pull(positions) => {
                for (core, _) in positions {
                    self.of(*core).pull = keys_of(request, positions, *core);
                }
                for (core, keys) in task.beyond.iter().flatten() {
                    self.of(*core).pull.extend(keys.iter().cloned());
                }
                return false;
            }
            Place::Refused(error) => {
                let mut text = Vec::new();
                Reply::new(&mut text, self.caller.resp3).error(&error.line());
                *outcome = Outcome::Reply(text);
            }
        }
        true
    }
}

impl Shard {
    /// All members keep still, or have done their step: on to the next one, or to the end.
    pub(super) fn advance(&mut self, ticket: Ticket) {
        let Some(mut transaction) = self.transactions.remove(&ticket) else { return };
        if transaction.phase == Phase::Ending {
            if transaction.part.as_ref().is_some_and(|part| part.locked) {
                for share in &transaction.shares {
                    self.tell(share.core, Errand::Release(ticket, Vec::new()));
                }
            }
            return self.reply(ticket, transaction);
        }
        if let Some(task) = transaction.pulling.take() {
            self.run_pulled(&mut transaction, task);
        }
        let steps = self.next_steps(&mut transaction);
        let last = transaction.next == transaction.tasks.len() && transaction.pulling.is_none();
        transaction.phase = if last { Phase::Ending } else { Phase::Running };
        if last {
            // Not before: policy and log may have changed since the transaction began.
            transaction.part = self.part_of(ticket, &transaction);
        }
        let part = transaction.part.as_ref().filter(|_| last);
        transaction.awaiting = match part {
            Some(_) => steps.len(),
            None => steps.iter().filter(|(_, step)| !step.is_empty()).count(),
        };
        for (core, mut step) in steps {
            step.last = last;
            step.part = part.cloned();
            step.release = last && part.is_none_or(|part| !part.locked);
            let errand = match step.is_empty() {
                false => Errand::Step(ticket, step),
                true if last => Errand::Release(ticket, Vec::new()),
                true => continue,
            };
            self.tell(core, errand);
        }
        if transaction.awaiting == 0 {
            return self.reply(ticket, transaction);
        }
        self.transactions.insert(ticket, transaction);
    }

    /// As many tasks as can be done in one hop. A command that ends the step: one that needs
    /// keys lent, and HELLO, because the replies behind it are in its dialect.
    pub(super) fn next_steps(&self, transaction: &mut Transaction) -> Vec<(CoreId, Step)> {
        let session = self.core.sessions.get(transaction.session);
        if let Some(session) = session.filter(|s| s.client_id == transaction.caller.client_id) {
            transaction.caller = session.caller(transaction.session);
        }
        let mut steps = Steps {
            steps: transaction.shares.iter().map(|s| (s.core, Step::default())).collect(),
            home: self.core.id,
            caller: transaction.caller,
        };
        for (core, changes) in std::mem::take(&mut transaction.changes) {
            let step = steps.of(core);
            (step.returned, step.effects) = (changes.returned, changes.effects);
        }
        let alone = transaction.shares.len() == 1;
        for index in transaction.next..transaction.tasks.len() {
            transaction.next = index + 1;
            let task = &transaction.tasks[index];
            if !steps.take_up(index, task, &mut transaction.outcomes[index]) {
                transaction.pulling = Some(index);
                break;
            }
            if task.request.command.spec.name == "HELLO" && !alone {
                break;
            }
        }
        steps.steps
    }

    /// A member has done its step.
    pub(super) fn done(&mut self, ticket: Ticket, from: CoreId, done: Done) {
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        transaction.pulled.extend(done.pulled.into_iter().map(|lent| (from, lent)));
        for (task, answer) in done.answers {
            let outcome = &mut transaction.outcomes[task];
            match (&transaction.tasks[task].place, answer, &mut *outcome) {
                (Place::Home | Place::One(_), Answer::Reply(text), _) => {
                    *outcome = Outcome::Reply(text);
                }
                (_, answer, Outcome::Parts(parts)) => parts.push((from, answer)),
                (_, answer, _) => *outcome = Outcome::Parts(vec![(from, answer)]),
            }
        }
        self.answered(ticket);
    }

    /// The one reply of all tasks.
    fn reply(&mut self, ticket: Ticket, mut transaction: Transaction) {
        let resp3 = transaction.caller.resp3;
        let mut out = Vec::new();
        if transaction.exec {
            Reply::new(&mut out, resp3).array(transaction.tasks.len());
        }
        let outcomes = std::mem::take(&mut transaction.outcomes);
        for (task, outcome) in transaction.tasks.iter().zip(outcomes) {
            match (outcome, &task.place, task.request.command.spec.run) {
                (Outcome::Reply(text), ..) => out.extend_from_slice(&text),
                (Outcome::Parts(parts), Place::Split(positions), Run::Split(_, how)) => {
                    out.extend_from_slice(&combine::combine(how, resp3, positions, parts));
                }
                (Outcome::Parts(parts), ..) => {
                    let caller = Caller { db: task.db, ..transaction.caller };
                    self.gather(caller, &task.request, parts, &mut out);
                }
                // The client has gone, and with it what the command was about.
                (Outcome::Nothing, ..) => Reply::new(&mut out, resp3).null(),
            }
        }
        self.transactions.insert(ticket, transaction);
        self.finish(ticket, &out);
    }

    /// Makes the reply of a command that ran everywhere.
    fn gather(
        &mut self,
        caller: Caller,
        request: &OwnedRequest,
        mut parts: Vec<(CoreId, Answer)>,
        out: &mut Vec<u8>,
    ) {
        let session = caller.session.and_then(|id| self.core.sessions.get(id));
        let gone = session.is_none_or(|session| session.client_id != caller.client_id);
        let Run::Everywhere { finish, .. } = request.command.spec.run else { return };
        if gone {
            return;
        }
        parts.sort_by_key(|(core, _)| core.0);
        let parts: Vec<Partial> = parts
            .into_iter()
            .map(|(_, answer)| match answer {
                Answer::Partial(partial) => partial,
                Answer::Reply(_) => Partial::Done,
            })
            .collect();
        let mark = out.len();
        let spec = request.command.spec;
        let mut cx = Cx::new(&mut self.core, caller, spec, KeyHint::default());
        let mut reply = Reply::new(out, caller.resp3);
        let done = finish(&mut cx, request.args(), parts, &mut reply);
        let stats = &mut self.core.stats;
        stats.commands_processed += 1;
        stats.commands[request.command.index].calls += 1;
        if let Err(error) = done {
            out.truncate(mark);
            Reply::new(out, caller.resp3).error(&error.line());
            stats.commands[request.command.index].failed_calls += 1;
            stats.count_error(error.code());
        }
    }
}
