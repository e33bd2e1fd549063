//! Commands whose keys live on several cores, and commands that run on all of them: atomic and
//! isolated, without hash tags.
//!
//! ```text
//! leader                           members (the leader is one of them)
//!   ticket ── Prepare ───────────►  lock, copy what is asked for
//!          ◄── Granted | Refused ─
//!   any refused: Release, come again with the same ticket
//!   split:   ── Run ─────────────►  run own part, let go
//!   pull:    run here on the copies
//!            ── Apply ───────────►  make the changes, let go
//!          ◄── Answer ────────────
//!   combine, reply
//! ```
//! Between the grant of the last member and the first release nobody else sees the keys: that is
//! the instant at which the command happened. A command that must not run beside another of its
//! connection waits until all earlier replies have come, and later ones wait for it.

mod combine;
mod member;

pub use member::Member;

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;
use freehold_protocol::resp::reply::Reply;

use super::connection::Await;
use super::locks::{LockKey, Ticket, Wanted};
use super::parcel::{Answer, Errand, Message, OwnedRequest, Part};
use super::receive::Dispatched;
use super::{Shard, execute};
use crate::command::context::{Cx, KeyHint};
use crate::command::error::CommandError;
use crate::command::gather::Partial;
use crate::command::session::Caller;
use crate::command::session::SessionId;
use crate::command::spec::{Combine, DENYOOM, Run};
use crate::command::table::Command;
use crate::effect::{apply, decode_all};
use crate::mesh::CoreId;

/// A transaction this core leads.
pub struct Transaction {
    ticket: Ticket,
    session: SessionId,
    caller: Caller,
    /// The reply's place.
    sequence: u64,
    request: OwnedRequest,
    kind: Kind,
    members: Vec<Plan>,
    /// Messages still to come in this phase.
    awaiting: usize,
    refused: bool,
    no_room: bool,
    granted: Vec<CoreId>,
    /// Copies of the keys, as effects.
    pulled: Vec<u8>,
    answers: Vec<(CoreId, Answer)>,
    /// The reply of a pulled command, until its changes have been made.
    reply: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Split(Combine),
    Pull,
    Everywhere { exclusive: bool },
}

/// What one member has to do with it.
struct Plan {
    core: CoreId,
    wanted: Wanted,
    pull: Vec<Box<[u8]>>,
    /// Positions in the request of this member's keys, in order.
    positions: Vec<usize>,
}

impl Shard {
    /// Starts a command whose keys live on several cores.
    pub(super) fn begin_keys(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let kind = match command.spec.run {
            Run::Split(_, combine) => Kind::Split(combine),
            _ => Kind::Pull,
        };
        if self.connections[id.0 as usize].waiting() > 0 {
            return Dispatched::NotYet;
        }
        if let Err(error) = self.check_keys(command, args) {
            self.refuse(id, Some(command), framing, &error);
            return Dispatched::Taken;
        }
        let members = self.members_by_key(command, args, kind);
        self.begin(id, command, kind, members, args, framing);
        Dispatched::Taken
    }

    /// Starts a command that runs on every core.
    pub(super) fn begin_everywhere(
        &mut self,
        id: SessionId,
        command: &'static Command,
        exclusive: bool,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        if self.connections[id.0 as usize].waiting() > 0 {
            return Dispatched::NotYet;
        }
        let members = (0..self.core.cores)
            .map(|core| Plan {
                core: CoreId(core),
                wanted: Wanted::Whole,
                pull: Vec::new(),
                positions: Vec::new(),
            })
            .collect();
        self.begin(id, command, Kind::Everywhere { exclusive }, members, args, framing);
        Dispatched::Taken
    }

    /// A key one core would refuse is refused before any core has begun: all or nothing.
    fn check_keys(&self, command: &Command, args: Args<'_>) -> Result<(), CommandError> {
        let limit = self.core.config.max_key_bytes as usize;
        if !command.spec.is(DENYOOM) {
            return Ok(());
        }
        let positions = command.spec.key_positions(args).unwrap_or_default();
        let lengths = positions.iter().map(|&at| args.get(at).len());
        match lengths.max().filter(|&bytes| bytes > limit) {
            Some(bytes) => Err(CommandError::KeyTooLong { bytes, limit }),
            None => Ok(()),
        }
    }

    fn members_by_key(&self, command: &Command, args: Args<'_>, kind: Kind) -> Vec<Plan> {
        let mut members: Vec<Plan> = Vec::new();
        for spec in command.spec.keys {
            let _checked_before = spec.positions(args, |at| {
                let key = self.core.keyspace.key_ref(args.get(at));
                let core = self.owner(key.slot);
                let plan = match members.iter_mut().position(|plan| plan.core == core) {
                    Some(index) => &mut members[index],
                    None => {
                        members.push(Plan {
                            core,
                            wanted: Wanted::Keys(Vec::new()),
                            pull: Vec::new(),
                            positions: Vec::new(),
                        });
                        let last = members.len() - 1;
                        &mut members[last]
                    }
                };
                let lock = LockKey { fingerprint: key.hash, write: spec.is_write() };
                if let Wanted::Keys(keys) = &mut plan.wanted {
                    keys.push(lock);
                }
                plan.positions.push(at);
                if kind == Kind::Pull {
                    plan.pull.push(key.bytes.into());
                }
            });
        }
        members
    }

    fn begin(
        &mut self,
        id: SessionId,
        command: &'static Command,
        kind: Kind,
        members: Vec<Plan>,
        args: Args<'_>,
        framing: Option<Framing>,
    ) {
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        let muted = execute::is_muted(session);
        let caller = session.caller(id);
        let connection = &mut self.connections[id.0 as usize];
        connection.alone = true;
        let sequence = connection.reserve(Await::new(framing, muted));
        let ticket = self.tickets.take().0;
        self.core.stats.transactions += 1;
        let transaction = Transaction {
            ticket,
            session: id,
            caller,
            sequence,
            request: OwnedRequest::new(command, args.iter()),
            kind,
            members,
            awaiting: 0,
            refused: false,
            no_room: false,
            granted: Vec::new(),
            pulled: Vec::new(),
            answers: Vec::new(),
            reply: Vec::new(),
        };
        self.transactions.insert(ticket, transaction);
        if kind == (Kind::Everywhere { exclusive: false }) {
            self.run_members(ticket);
        } else {
            self.prepare(ticket);
        }
    }

    fn prepare(&mut self, ticket: Ticket) {
        let leader = self.core.id;
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        transaction.awaiting = transaction.members.len();
        transaction.refused = false;
        transaction.no_room = false;
        transaction.granted.clear();
        transaction.pulled.clear();
        let adds = match transaction.request.command.spec.is(DENYOOM) {
            true => Some(transaction.request.bytes.len() as u64),
            false => None,
        };
        let errands: Vec<(CoreId, Errand)> = transaction
            .members
            .iter()
            .map(|plan| {
                let (wanted, pull) = (plan.wanted.clone(), plan.pull.clone());
                (plan.core, Errand::Prepare { ticket, leader, wanted, pull, adds })
            })
            .collect();
        for (core, errand) in errands {
            self.send(core, Message::Errand(Box::new(errand)));
        }
    }

    /// Tickets that were refused ask again.
    pub(super) fn retry_transactions(&mut self) {
        for ticket in std::mem::take(&mut self.retries) {
            self.core.stats.transactions_retried += 1;
            self.prepare(ticket);
        }
    }

    /// A member has answered `Prepare`.
    pub(super) fn prepared(&mut self, ticket: Ticket, from: CoreId, outcome: Outcome) {
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        match outcome {
            Outcome::Granted { pulled } => {
                transaction.granted.push(from);
                transaction.pulled.extend_from_slice(&pulled);
            }
            Outcome::Refused => transaction.refused = true,
            Outcome::NoRoom => transaction.no_room = true,
        }
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 {
            return;
        }
        if !transaction.refused && !transaction.no_room {
            match transaction.kind {
                Kind::Pull => self.run_pulled(ticket),
                Kind::Split(_) | Kind::Everywhere { .. } => self.run_members(ticket),
            }
            return;
        }
        let refused = transaction.refused;
        for core in std::mem::take(&mut transaction.granted) {
            self.send(core, Message::Errand(Box::new(Errand::Release { ticket })));
        }
        if refused {
            self.retries.push(ticket);
        } else {
            let mut reply = Vec::new();
            let error = CommandError::OutOfMemory;
            self.core.stats.count_error(error.code());
            Reply::new(&mut reply, false).error(&error.line());
            self.finish(ticket, &reply);
        }
    }

    /// Every member runs its part.
    fn run_members(&mut self, ticket: Ticket) {
        let leader = self.core.id;
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        transaction.awaiting = transaction.members.len();
        let mut caller = transaction.caller;
        let errands: Vec<(CoreId, Errand)> = transaction
            .members
            .iter()
            .map(|plan| {
                let (request, part) = match transaction.kind {
                    Kind::Everywhere { .. } => (transaction.request.clone(), Part::Everywhere),
                    _ => (combine::part_of(&transaction.request, &plan.positions), Part::Keys),
                };
                if plan.core != leader {
                    caller.session = None;
                } else {
                    caller.session = transaction.caller.session;
                }
                (plan.core, Errand::Run { ticket, leader, caller, request, part })
            })
            .collect();
        for (core, errand) in errands {
            self.send(core, Message::Errand(Box::new(errand)));
        }
    }

    /// All keys are still and their copies are here: runs the command on the copies and sends the
    /// changes to the owners.
    fn run_pulled(&mut self, ticket: Ticket) {
        let leader = self.core.id;
        let Some(mut transaction) = self.transactions.remove(&ticket) else { return };
        let changes = self.run_on_copies(&mut transaction);
        let cores = self.core.cores;
        let keyspace = &self.core.keyspace;
        let mut shares: Vec<(CoreId, Vec<u8>)> =
            transaction.members.iter().map(|plan| (plan.core, Vec::new())).collect();
        combine::share_out(&changes, &mut shares, |key| {
            crate::mesh::owner_of(keyspace.key_ref(key).slot, cores)
        });
        transaction.awaiting = shares.len();
        self.transactions.insert(ticket, transaction);
        for (core, effects) in shares {
            let errand = Errand::Apply { ticket, leader, effects };
            self.send(core, Message::Errand(Box::new(errand)));
        }
    }

    fn run_on_copies(&mut self, transaction: &mut Transaction) -> Vec<u8> {
        let core = &mut self.core;
        let mut scratch = core.scratch.take().unwrap_or_else(|| Box::new(core.keyspace.like()));
        let access = core.access;
        let copied = decode_all(&transaction.pulled, |effect| {
            apply(&mut scratch, &effect, access);
        });
        debug_assert!(copied.is_ok(), "another core of this process encoded it");
        std::mem::swap(&mut core.keyspace, &mut scratch);
        core.effects.listen();
        let mark = core.effects.mark();
        let command = transaction.request.command;
        let caller = transaction.caller;
        let args = transaction.request.args();
        let limit = core.memory_limit_bytes.take(); // the members have made room
        let run = execute::Execution { command, caller, hint: KeyHint::default(), timed: false };
        run.execute(core, args, &mut transaction.reply);
        core.memory_limit_bytes = limit;
        let changes = core.effects.split_off(mark);
        core.effects.unlisten();
        std::mem::swap(&mut core.keyspace, &mut scratch);
        for plan in &transaction.members {
            for key in &plan.pull {
                let key = scratch.key_ref(key);
                for db in 0..scratch.databases() {
                    scratch.remove(db as u8, &key);
                }
            }
        }
        core.scratch = Some(scratch);
        changes
    }

    /// A member has done its part.
    pub(super) fn answered(&mut self, ticket: Ticket, from: CoreId, answer: Answer) {
        let Some(transaction) = self.transactions.get_mut(&ticket) else { return };
        transaction.answers.push((from, answer));
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 {
            return;
        }
        let mut answers = std::mem::take(&mut transaction.answers);
        answers.sort_by_key(|(core, _)| core.0);
        let reply = match transaction.kind {
            Kind::Pull => std::mem::take(&mut transaction.reply),
            Kind::Split(how) => {
                let places: Vec<(CoreId, &[usize])> = transaction
                    .members
                    .iter()
                    .map(|plan| (plan.core, &plan.positions[..]))
                    .collect();
                combine::combine(how, transaction.caller.resp3, &places, answers)
            }
            Kind::Everywhere { .. } => self.finish_everywhere(ticket, answers),
        };
        self.finish(ticket, &reply);
    }

    fn finish_everywhere(&mut self, ticket: Ticket, answers: Vec<(CoreId, Answer)>) -> Vec<u8> {
        let mut reply = Vec::new();
        let Some(transaction) = self.transactions.get(&ticket) else { return reply };
        let command = transaction.request.command;
        let caller = transaction.caller;
        let session = caller.session.and_then(|id| self.core.sessions.get(id));
        let gone = session.is_none_or(|session| session.client_id != caller.client_id);
        let Run::Everywhere { finish, .. } = command.spec.run else { return reply };
        if gone {
            return reply;
        }
        let parts: Vec<Partial> = answers
            .into_iter()
            .map(|(_, answer)| match answer {
                Answer::Partial(partial) => partial,
                Answer::Reply(_) | Answer::Applied => Partial::Done,
            })
            .collect();
        let mut cx = Cx::new(&mut self.core, caller, command.spec, KeyHint::default());
        let args = transaction.request.args();
        let done = finish(&mut cx, args, parts, &mut Reply::new(&mut reply, caller.resp3));
        let stats = &mut self.core.stats;
        stats.commands_processed += 1;
        stats.commands[command.index].calls += 1;
        if let Err(error) = done {
            reply.clear();
            Reply::new(&mut reply, caller.resp3).error(&error.line());
            stats.commands[command.index].failed_calls += 1;
            stats.count_error(error.code());
        }
        reply
    }

    /// Delivers the reply and lets the connection go on.
    fn finish(&mut self, ticket: Ticket, reply: &[u8]) {
        let Some(transaction) = self.transactions.remove(&ticket) else { return };
        debug_assert_eq!(transaction.ticket, ticket);
        let id = transaction.session;
        let client_id = transaction.caller.client_id;
        let session = self.core.sessions.get(id);
        if session.is_none_or(|session| session.client_id != client_id) {
            return;
        }
        self.connections[id.0 as usize].alone = false;
        self.fill(id, client_id, transaction.sequence, reply);
        if !self.core.requests.is_empty() {
            self.serve_requests(id);
        }
        if !self.connections[id.0 as usize].input.is_empty() {
            self.leave_for_later(id);
        }
        self.mark_dirty(id);
    }
}

/// A member's word on `Prepare`.
pub enum Outcome {
    Granted {
        pulled: Vec<u8>,
    },
    Refused,
    /// `maxmemory` is reached and nothing can be evicted.
    NoRoom,
}
