//! Commands whose keys live on several cores, commands that run on all of them, and what MULTI has
//! queued: atomic and isolated, without hash tags.
//!
//! ```text
//! leader                           members (the leader may be one of them)
//!   ticket ── Prepare ───────────►  lock, look at watched keys, lend what is asked for
//!          ◄── Granted | Denied ──  (no room, a watched key changed: Release, say so)
//!          ◄── Yield ─────────────  a lower ticket waits here: Release, Prepare once more
//!          ── Step ──────────────►  take back, run own commands, lend; last: let go
//!          ◄── Done ──────────────
//!   run here what needs keys of several cores at once; next step, or combine, reply
//! ```
//! A step is one parallel hop and takes up as many commands as it can: between owners the keys are
//! disjoint and locked, so their order cannot be seen. Only a command that must see keys of several
//! cores at once (RENAME) ends a step: it runs on lent keys at the leader, and they go back with
//! the next one. Between the grant of the last member and the first release nobody else sees the
//! keys: that is the instant at which everything happened. With one member there is nothing to
//! agree on, and the only step travels with the Prepare.

mod combine;
mod copies;
mod member;
mod plan;
mod queue;
mod step;
mod watch;

pub use queue::runs_inside_multi;
pub use watch::Registration;

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;
use freehold_protocol::resp::reply::Reply;

use super::connection::Await;
use super::locks::{Ticket, ticket};
use super::parcel::{Answer, Denial, Errand, Lent, Prepare, Step};
use super::receive::Dispatched;
use super::{Shard, execute};
use crate::command::configuration;
use crate::command::error::CommandError;
use crate::command::pubsub;
use crate::command::request::OwnedRequest;
use crate::command::session::{Caller, PortKind, SessionId};
use crate::command::spec::{Run, WRITE};
use crate::command::table::Command;
use crate::config::Appendfsync;
use crate::effect::{Part, Watched};
use crate::mesh::CoreId;
use plan::{Place, Plan, Share, Task};

/// A transaction this core leads.
pub struct Transaction {
    session: SessionId,
    /// Who asks, as of the last step.
    caller: Caller,
    /// The reply's place.
    sequence: u64,
    /// EXEC: the replies become one array.
    exec: bool,
    /// The client that waits for what this command may take.
    waiter: Option<Ticket>,
    /// It found nothing, and is to wait with this request if not with its own.
    found_nothing: Option<Option<Vec<Box<[u8]>>>>,
    tasks: Vec<Task>,
    shares: Vec<Share>,
    watched: Vec<Watched>,
    /// The first task that no step has taken up.
    next: usize,
    /// The task that runs here when its keys have been lent.
    pulling: Option<usize>,
    /// What members have lent for it.
    pulled: Vec<(CoreId, Lent)>,
    /// What such a task has changed, for the next step.
    changes: Vec<(CoreId, Changes)>,
    /// Messages still to come in this phase.
    awaiting: usize,
    phase: Phase,
    /// How the log names it, when several cores change something.
    part: Option<Part>,
    granted: Vec<CoreId>,
    denial: Option<Denial>,
    outcomes: Vec<Outcome>,
}

/// The session of a transaction that no client has sent.
const NOBODY: SessionId = SessionId(u32::MAX);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Members have been asked to lock.
    Preparing,
    /// All have: nothing can stop it any more.
    Running,
    /// The last step is under way: members let go of their keys by themselves.
    Ending,
}

/// What goes back to an owner.
#[derive(Default)]
struct Changes {
    returned: Vec<Lent>,
    effects: Vec<u8>,
}

/// What is known of a task's reply.
#[derive(Default)]
enum Outcome {
    #[default]
    Nothing,
    Reply(Vec<u8>),
    Parts(Vec<(CoreId, Answer)>),
}

impl Transaction {
    /// Its command, when it is but one.
    pub(in crate::shard) fn only_command(&self) -> Option<&'static Command> {
        self.only_request().map(|request| request.command)
    }

    /// What was asked for, when it is but one command.
    pub(in crate::shard) fn only_request(&self) -> Option<&OwnedRequest> {
        match &self.tasks[..] {
            [task] if !self.exec => Some(&task.request),
            _ => None,
        }
    }

    fn new(caller: Caller, session: SessionId, plan: Plan) -> Transaction {
        Transaction {
            session,
            caller,
            sequence: 0,
            exec: false,
            waiter: None,
            found_nothing: None,
            outcomes: plan.tasks.iter().map(|_| Outcome::Nothing).collect(),
            tasks: plan.tasks,
            shares: plan.shares,
            watched: Vec::new(),
            next: 0,
            pulling: None,
            pulled: Vec::new(),
            changes: Vec::new(),
            awaiting: 0,
            phase: Phase::Preparing,
            part: None,
            granted: Vec::new(),
            denial: None,
        }
    }

    /// What a member is asked. The keys for a first command that needs them lent come with the
    /// grant.
    fn prepare_of(&self, share: &Share) -> Prepare {
        let pull = match (self.tasks.first(), self.pulling) {
            (Some(Task { request, place: Place::Pull(positions), .. }), Some(0)) => {
                step::keys_of(request, positions, share.core)
            }
            _ => Vec::new(),
        };
        Prepare {
            wanted: share.wanted.clone(),
            pull,
            watched: share.watched.clone(),
            adds: share.adds,
            step: None,
        }
    }

    /// What `core` has lent, as it was.
    fn lent_by(&mut self, core: CoreId) -> Vec<Lent> {
        let lent = self.pulled.extract_if(.., |(owner, _)| *owner == core);
        lent.map(|(_, lent)| lent).collect()
    }
}

impl Shard {
    /// Starts a command whose keys live on several cores, or that runs on all of them.
    pub(super) fn begin_keys(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        if self.awaits_replies(id) {
            return Dispatched::NotYet;
        }
        let Some(session) = self.core.sessions.get(id) else { return Dispatched::Taken };
        let requests = vec![OwnedRequest::new(command, args.iter())];
        match self.plan_transaction(session.port, session.db, requests, &[]) {
            Ok(plan) => self.begin(id, plan, Vec::new(), false, framing),
            Err(error) => self.refuse(id, Some(command), framing, &error),
        }
        Dispatched::Taken
    }

    /// Starts a transaction: its connection does nothing else until it has ended.
    fn begin(
        &mut self,
        id: SessionId,
        plan: Plan,
        watched: Vec<Watched>,
        exec: bool,
        framing: Option<Framing>,
    ) {
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        let muted = execute::is_muted(session);
        let caller = session.caller(id);
        let connection = &mut self.connections[id.0 as usize];
        connection.alone = true;
        let sequence = connection.reserve(Await::new(framing, muted));
        if plan.tasks.iter().any(|task| pubsub::confirms(task.request.command)) {
            connection.hold_pushes_behind(sequence);
        }
        let transaction = Transaction { watched, exec, ..Transaction::new(caller, id, plan) };
        self.start(Transaction { sequence, ..transaction });
    }

    /// Runs the command of a client that waits, over keys of several cores. Its answer, or that
    /// there is none, goes to [`Shard::attempted`].
    pub(in crate::shard) fn begin_attempt(
        &mut self,
        id: SessionId,
        waiter: Ticket,
        caller: Caller,
        request: OwnedRequest,
    ) {
        match self.plan_transaction(caller.port, caller.db, vec![request], &[]) {
            Ok(plan) => {
                let transaction = Transaction::new(caller, id, plan);
                self.start(Transaction { waiter: Some(waiter), ..transaction });
            }
            Err(error) => {
                let mut reply = Vec::new();
                Reply::new(&mut reply, caller.resp3).error(&error.line());
                self.attempted(waiter, Some(reply), None);
            }
        }
    }

    /// Starts a transaction nobody has sent.
    pub(in crate::shard) fn begin_own(&mut self, request: OwnedRequest) {
        let caller = Caller {
            client_id: 0,
            session: None,
            db: 0,
            resp3: false,
            no_touch: true,
            port: PortKind::Plain,
            local: true,
        };
        if let Ok(plan) = self.plan_transaction(PortKind::Plain, 0, vec![request], &[]) {
            self.start(Transaction::new(caller, NOBODY, plan));
        }
    }

    /// Starts a transaction that its connection waits for, whatever port it came through.
    pub(in crate::shard) fn begin_of_node(
        &mut self,
        id: SessionId,
        request: OwnedRequest,
        framing: Option<Framing>,
    ) {
        let Some(session) = self.core.sessions.get(id) else { return };
        if let Ok(plan) = self.plan_transaction(PortKind::Plain, session.db, vec![request], &[]) {
            self.begin(id, plan, Vec::new(), false, framing);
        }
    }

    fn start(&mut self, transaction: Transaction) {
        let ticket = ticket(self.tickets.take().0, self.core.id);
        if transaction.shares.len() > 1 {
            self.core.stats.transactions += 1;
        }
        let unlocked = matches!(
            &transaction.tasks[..],
            [Task { request, .. }]
                if matches!(request.command.spec.run, Run::Everywhere { exclusive: false, .. })
                    && configuration::switched_log(request.command, request.args()).is_none()
        );
        let exec = transaction.exec;
        self.transactions.insert(ticket, transaction);
        if unlocked && !exec {
            self.advance(ticket);
        } else {
            self.prepare(ticket);
        }
    }

    /// What members are to write into their logs; nothing when only one may change something.
    /// Under `always` the keys stay locked until all parts are durable: nobody then sees, or
    /// builds on, what a crash could still undo.
    ///
    /// Its own log does not tell this core whether those of the members are on, for it need not be
    /// one; that a log is wanted it knows before any of them can begin.
    fn part_of(&self, ticket: Ticket, transaction: &Transaction) -> Option<Part> {
        let writes = transaction.tasks.iter().any(|task| task.request.command.spec.is(WRITE));
        if !writes
            || !self.core.config.persistence.appendonly && !self.core.effects.has_log()
            || transaction.shares.len() < 2
        {
            return None;
        }
        let members = transaction.shares.iter().map(|share| share.core.0).collect();
        Some(Part { ticket, members, locked: self.locks_parts() })
    }

    /// Whether keys stay locked until all parts are durable.
    fn locks_parts(&self) -> bool {
        self.core.config.persistence.appendfsync == Appendfsync::Always
    }

    /// Asks every member for its locks.
    fn prepare(&mut self, ticket: Ticket) {
        let Some(mut transaction) = self.transactions.remove(&ticket) else { return };
        if matches!(transaction.tasks.first(), Some(Task { place: Place::Pull(_), .. })) {
            (transaction.pulling, transaction.next) = (Some(0), 1);
        }
        transaction.awaiting = transaction.shares.len();
        let mut step = None;
        if let [_] = transaction.shares[..] {
            let mut steps = self.next_steps(&mut transaction);
            transaction.phase = Phase::Ending;
            step = steps.pop().map(|(_, step)| Step { last: true, release: true, ..step });
        }
        for share in &transaction.shares {
            let prepare = Prepare { step: step.take(), ..transaction.prepare_of(share) };
            self.tell(share.core, Errand::Prepare(ticket, prepare));
        }
        self.transactions.insert(ticket, transaction);
    }

    /// A lower ticket waits for keys that `member` keeps still for this one. While this one waits
    /// elsewhere it lets go there, or the two could wait for each other, and queues again; with all
    /// its keys it is running, and will be done before it could be asked twice.
    fn yield_to_lower(&mut self, ticket: Ticket, member: CoreId) {
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        let granted = transaction.granted.iter().position(|core| *core == member);
        let Some(at) = granted.filter(|_| transaction.phase == Phase::Preparing) else { return };
        let Some(share) = transaction.shares.iter().find(|share| share.core == member) else {
            return;
        };
        let prepare = transaction.prepare_of(share);
        transaction.granted.swap_remove(at);
        transaction.awaiting += 1;
        let lent = transaction.lent_by(member);
        self.core.stats.transactions_retried += 1;
        self.tell(member, Errand::Release(ticket, lent));
        self.tell(member, Errand::Prepare(ticket, prepare));
    }

    /// A member keeps its keys still; `pulled` are those asked for.
    fn granted(&mut self, ticket: Ticket, from: CoreId, pulled: Vec<Lent>) {
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        if transaction.denial.is_some() {
            self.tell(from, Errand::Release(ticket, pulled));
        } else {
            transaction.granted.push(from);
            transaction.pulled.extend(pulled.into_iter().map(|lent| (from, lent)));
        }
        self.answered(ticket);
    }

    /// A member never will: there is no room, or a key has changed. The others let go.
    fn denied(&mut self, ticket: Ticket, denial: Denial) {
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        transaction.denial.get_or_insert(denial);
        let granted: Vec<(CoreId, Vec<Lent>)> = std::mem::take(&mut transaction.granted)
            .into_iter()
            .map(|core| (core, transaction.lent_by(core)))
            .collect();
        for (core, lent) in granted {
            self.tell(core, Errand::Release(ticket, lent));
        }
        self.answered(ticket);
    }

    /// One member fewer to wait for; when none is left, the next phase begins.
    fn answered(&mut self, ticket: Ticket) {
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 {
            return;
        }
        let Some(denial) = transaction.denial else { return self.advance(ticket) };
        let mut text = Vec::new();
        let mut reply = Reply::new(&mut text, transaction.caller.resp3);
        let error = match (denial, transaction.exec) {
            (Denial::Changed, _) => None,
            (Denial::NoRoom, true) => Some(queue::aborted(&CommandError::OutOfMemory)),
            (Denial::NoRoom, false) => Some(CommandError::OutOfMemory),
        };
        match error {
            None => reply.null_array(),
            Some(error) => {
                reply.error(&error.line());
                self.core.stats.count_error(error.code());
            }
        }
        self.finish(ticket, &text);
    }

    /// Delivers the reply and lets the connection go on.
    fn finish(&mut self, ticket: Ticket, reply: &[u8]) {
        let Some(transaction) = self.transactions.remove(&ticket) else { return };
        let waits_for_save = self.waits_for_save(&transaction);
        let ending = self.asks_to_end(&transaction);
        let dumps = self.begins_dump(&transaction);
        self.forget(transaction.watched);
        if let Some(waiter) = transaction.waiter {
            let command = transaction.tasks[0].request.command;
            return match transaction.found_nothing {
                None => self.attempted(waiter, Some(reply.to_vec()), None),
                Some(request) => {
                    let request = request
                        .map(|args| OwnedRequest::new(command, args.iter().map(|arg| &**arg)));
                    self.attempted(waiter, None, request);
                }
            };
        }
        let (id, client_id) = (transaction.session, transaction.caller.client_id);
        if transaction.exec
            && let Some(session) = self.core.sessions.get_mut(id)
            && session.client_id == client_id
        {
            session.queue = None;
        }
        if let Some(ending) = ending {
            return self.go_on_to_end(ending, (id, client_id, transaction.sequence));
        }
        if let Some(command) = dumps {
            return self.stream_dump(command, (id, client_id), transaction.sequence);
        }
        if waits_for_save {
            return self.go_on_when_saved(id, client_id, transaction.sequence);
        }
        if transaction.tasks.iter().any(|task| pubsub::confirms(task.request.command)) {
            return self.go_on_when_heard(id, client_id, transaction.sequence, reply);
        }
        self.go_on(id, client_id, transaction.sequence, reply);
    }

    /// A command that ran alone has its answer: its connection goes on.
    pub(in crate::shard) fn go_on(
        &mut self,
        id: SessionId,
        client_id: u64,
        sequence: u64,
        reply: &[u8],
    ) {
        let session = self.core.sessions.get(id);
        if session.is_none_or(|session| session.client_id != client_id) {
            return;
        }
        self.connections[id.0 as usize].alone = false;
        self.fill(id, client_id, sequence, reply);
        if !self.core.requests.is_empty() {
            self.serve_requests(id);
        }
        if !self.connections[id.0 as usize].input.is_empty() {
            self.leave_for_later(id);
        }
        self.mark_dirty(id);
    }
}
