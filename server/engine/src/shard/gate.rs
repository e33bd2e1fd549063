//! The ordered list of refusals before a command runs, and the way it takes afterwards.

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;
use freehold_protocol::slot::Slot;

use super::batch::{Plan, PlannedKey};
use super::receive::Dispatched;
use super::transaction::runs_inside_multi;
use super::{Shard, execute};
use crate::command::cluster;
use crate::command::configuration;
use crate::command::context::KeyHint;
use crate::command::error::CommandError;
use crate::command::pubsub;
use crate::command::replication;
use crate::command::session::{PortKind, ReplyMode, Session, SessionId};
use crate::command::spec::{
    ADMIN, Blocking, Control, Flags, LOADING, MAY_REPLICATE, NO_AUTH, Run, WRITE,
};
use crate::command::table::Command;
use crate::mesh::CoreId;

/// A snapshot is cut between transactions, so not inside one.
const NOT_IN_MULTI: CommandError =
    CommandError::Said("ERR Command not allowed inside a transaction");

/// Whether it switches the log on or off.
fn switches_log(command: &Command, args: Args<'_>) -> bool {
    configuration::switched_log(command, args).is_some()
}

/// Said to everything that needs the keys before all cores have theirs.
const STILL_LOADING: CommandError =
    CommandError::Said("LOADING Redis is loading the dataset in memory");

/// CLIENT PAUSE, as far as this core knows.
#[derive(Default)]
pub struct Pause {
    pub until_mono_us: u64,
    pub writes_only: bool,
    /// Connections may be waiting for its end.
    pub armed: bool,
    /// The node is about to save and end: no write is begun.
    pub ending: bool,
}

impl Pause {
    /// Whether some command may have to wait.
    pub fn is_on(&self) -> bool {
        self.until_mono_us > 0 || self.ending
    }

    /// The node stays: what has waited for its end goes on.
    pub fn release_writes(&mut self) {
        self.ending = false;
        self.armed = true;
    }

    /// `queued`: the flags of what EXEC would run.
    fn holds(&self, command: &Command, queued: Flags, now_us: u64) -> bool {
        let exempt = command.parent.is_some_and(|parent| parent.name == "CLIENT");
        let exec = matches!(command.spec.run, Run::Transaction(Control::Execute));
        let flags = command.spec.flags | if exec { queued } else { 0 };
        let writes = flags & (WRITE | MAY_REPLICATE) != 0;
        let paused = now_us < self.until_mono_us && (!self.writes_only || writes);
        !exempt && (paused || self.ending && writes)
    }
}

/// Whether a command begins a snapshot, or a copy of the data.
fn cuts(command: &Command) -> bool {
    command.spec.is(ADMIN) && matches!(command.spec.run, Run::Everywhere { exclusive: true, .. })
}

/// Takes a request that no handler runs.
type Begin = fn(&mut Shard, SessionId, &'static Command, Args<'_>, Option<Framing>) -> Dispatched;

/// What begins a request that is the node's concern, once what was sent before it is answered.
fn concern_of_node(command: &Command, args: Args<'_>) -> Option<Begin> {
    if replication::copies(command) {
        Some(Shard::begin_dump)
    } else if cuts(command) {
        Some(Shard::begin_snapshot)
    } else if switches_log(command, args) {
        Some(Shard::switch_log)
    } else {
        (command.spec.name == "SHUTDOWN").then_some(Shard::shut_down as Begin)
    }
}

/// Where the keys of a request live.
pub(super) enum Place {
    /// No key, or none that can be made out: the handler will say.
    Nowhere,
    One(CoreId),
    Several,
}

impl Shard {
    /// Runs a request, sends it on its way, or refuses it.
    pub(super) fn dispatch(
        &mut self,
        id: SessionId,
        plan: &Plan,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let command = match self.admit(id, plan.command, args) {
            Ok(command) => command,
            Err(error) => {
                self.refuse(id, plan.command, framing, &error);
                return Dispatched::Taken;
            }
        };
        if self.pubsub.is_full() && self.waits_for_room(id, command) {
            return Dispatched::NotYet;
        }
        let Some(session) = self.core.sessions.get_mut(id) else { return Dispatched::Taken };
        if self.pause.is_on() {
            let queued = session.queue.as_ref().map_or(0, |queue| queue.flags);
            if self.pause.holds(command, queued, self.core.now.mono_us) {
                return Dispatched::NotYet;
            }
        }
        if session.queue.is_some() && (cuts(command) || switches_log(command, args)) {
            self.refuse(id, Some(command), framing, &NOT_IN_MULTI);
            return Dispatched::Taken;
        }
        session.note_commands(command, 1);
        if session.queue.is_some() && !runs_inside_multi(command) {
            self.enqueue(id, command, args, framing);
            return Dispatched::Taken;
        }
        let dispatched = self.take(id, command, plan.key, args, framing);
        if dispatched == Dispatched::NotYet
            && let Some(session) = self.core.sessions.get_mut(id)
        {
            session.commands -= 1; // it is counted when it is presented again
        }
        dispatched
    }

    /// Runs a request that nothing refuses where its keys are, or finds that it must wait.
    fn take(
        &mut self,
        id: SessionId,
        command: &'static Command,
        key: Option<PlannedKey>,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        match (command.spec.run, key) {
            (Run::Owner(_) | Run::Split(..), Some(key)) => {
                self.single_key(id, command, key, args, framing)
            }
            (Run::Owner(_) | Run::Split(..), None) => self.several_keys(id, command, args, framing),
            (Run::Blocking(blocking), key) => {
                self.may_block(id, command, blocking, key, args, framing)
            }
            (Run::Cursor(_), _) => self.cursor(id, command, args, framing),
            (Run::Everywhere { exclusive, .. }, _) => match concern_of_node(command, args) {
                Some(_) if self.awaits_replies(id) => Dispatched::NotYet,
                Some(begin) => begin(self, id, command, args, framing),
                None => self.everywhere(id, command, exclusive, args, framing),
            },
            (Run::Here(_), _) if !command.spec.keys.is_empty() => {
                self.shard_channels(id, command, args, framing);
                Dispatched::Taken
            }
            (Run::Here(_) | Run::Container, _) => {
                self.run_local(id, command, None, args, framing);
                Dispatched::Taken
            }
            (Run::Transaction(control), _) => self.control(id, control, command, args, framing),
        }
    }

    /// Redis's order: unknown command, arity, authentication.
    fn admit(
        &self,
        id: SessionId,
        command: Option<&'static Command>,
        args: Args<'_>,
    ) -> Result<&'static Command, CommandError> {
        let mut command = command.ok_or_else(|| unknown_command(args))?;
        if !command.subcommands.is_empty() && args.len() > 1 {
            command = self.table.find_sub(command, args.get(1)).ok_or_else(|| {
                let given = String::from_utf8_lossy(truncated(args.get(1))).into_owned();
                CommandError::UnknownSubcommand { container: command.spec.name, given }
            })?;
        }
        if !command.spec.arity.admits(args.len()) || command.is_container() {
            return Err(CommandError::Arity { command: command.full_name.to_string() });
        }
        let session = self.core.sessions.get(id);
        if !session.is_some_and(|s| s.authenticated) && !command.spec.is(NO_AUTH) {
            return Err(CommandError::NoAuth);
        }
        if let Some(trouble) = self.core.trouble {
            let exec = matches!(command.spec.run, Run::Transaction(Control::Execute));
            let queued = session.and_then(|s| s.queue.as_ref()).map_or(0, |queue| queue.flags);
            if command.spec.is(WRITE) || exec && queued & WRITE != 0 {
                return Err(CommandError::NotKept(trouble));
            }
        }
        if session.is_some_and(Session::only_listens) {
            pubsub::check_while_listening(command)?;
        }
        if self.core.is_loading && !command.spec.is(LOADING) {
            return Err(STILL_LOADING);
        }
        Ok(command)
    }

    /// A command that may wait: unless it asks not to, it does where its keys are.
    fn may_block(
        &mut self,
        id: SessionId,
        command: &'static Command,
        blocking: Blocking,
        key: Option<PlannedKey>,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let timeout_ms = match (blocking.timeout)(args) {
            Ok(Some(timeout_ms)) => timeout_ms,
            Ok(None) => {
                return match key {
                    Some(key) => self.single_key(id, command, key, args, framing),
                    None => self.several_keys(id, command, args, framing),
                };
            }
            Err(error) => {
                self.refuse(id, Some(command), framing, &error);
                return Dispatched::Taken;
            }
        };
        let owner = match self.place(id, command, args) {
            Ok((Place::One(owner), _)) => Some(owner),
            Ok((Place::Several, _)) => None,
            Ok((Place::Nowhere, _)) => {
                self.run_local(id, command, None, args, framing);
                return Dispatched::Taken;
            }
            Err(error) => {
                self.refuse(id, Some(command), framing, &error);
                return Dispatched::Taken;
            }
        };
        self.begin_blocking(id, command, args, timeout_ms, owner, framing)
    }

    /// The usual case: one key at a known place.
    fn single_key(
        &mut self,
        id: SessionId,
        command: &'static Command,
        key: PlannedKey,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let owner = self.owner(key.slot);
        if owner != self.core.id {
            if self.port(id) == PortKind::Core {
                let moved = self.moved(id, key.slot.number());
                self.refuse(id, Some(command), framing, &moved);
            } else {
                self.forward(id, owner, command, key, args, framing);
            }
        } else if self.locks.is_empty() || !self.is_locked(command, args) {
            self.run_local(id, command, Some(key), args, framing);
        } else {
            self.forward(id, owner, command, key, args, framing);
        }
        Dispatched::Taken
    }

    fn several_keys(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let (place, first) = match self.place(id, command, args) {
            Ok(found) => found,
            Err(error) => {
                self.refuse(id, Some(command), framing, &error);
                return Dispatched::Taken;
            }
        };
        if self.core.cores > 1
            && self.port(id) != PortKind::Core
            && command.spec.reaches.is_some_and(|reaches| reaches(args))
        {
            return self.begin_keys(id, command, args, framing);
        }
        match (place, first) {
            (Place::One(owner), Some(key)) if owner != self.core.id => {
                self.forward(id, owner, command, key, args, framing);
            }
            (Place::One(owner), Some(key)) => {
                if self.locks.is_empty() || !self.is_locked(command, args) {
                    self.run_local(id, command, Some(key), args, framing);
                } else {
                    self.forward(id, owner, command, key, args, framing);
                }
            }
            (Place::Several, _) => return self.begin_keys(id, command, args, framing),
            _ => self.run_local(id, command, None, args, framing),
        }
        Dispatched::Taken
    }

    /// Shard channels have slots and no owner: any core serves them, but a core port sends away
    /// what is another core's, as a node of a cluster does.
    fn shard_channels(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) {
        match self.place(id, command, args) {
            Ok(_) => self.run_local(id, command, None, args, framing),
            Err(error) => self.refuse(id, Some(command), framing, &error),
        }
    }

    /// Which cores own the keys, and the first key.
    pub(super) fn place(
        &self,
        id: SessionId,
        command: &Command,
        args: Args<'_>,
    ) -> Result<(Place, Option<PlannedKey>), CommandError> {
        let port = self.port(id);
        let Ok(positions) = command.spec.key_positions(args) else {
            return Ok((Place::Nowhere, None));
        };
        let mut place = Place::Nowhere;
        let mut first: Option<PlannedKey> = None;
        for at in positions {
            let key = self.core.keyspace.key_ref(args.get(at));
            let owner = self.owner(key.slot);
            place = match place {
                Place::Nowhere => Place::One(owner),
                Place::One(other) if other == owner => place,
                _ => Place::Several,
            };
            let first = first.get_or_insert(PlannedKey { at, slot: key.slot, hash: key.hash });
            if port == PortKind::Core && first.slot != key.slot {
                return Err(CommandError::CrossSlot);
            }
        }
        match (port, first) {
            (PortKind::Core, Some(key)) if self.owner(key.slot) != self.core.id => {
                Err(self.moved(id, key.slot.number()))
            }
            _ => Ok((place, first)),
        }
    }

    fn cursor(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        match cursor_slot(args) {
            Some(slot) if self.port(id) != PortKind::Core => {
                let owner = self.owner(slot);
                if owner == self.core.id {
                    self.run_local(id, command, None, args, framing);
                } else {
                    let key = PlannedKey { at: 0, slot, hash: 0 };
                    self.forward(id, owner, command, key, args, framing);
                }
            }
            _ => self.run_local(id, command, None, args, framing),
        }
        Dispatched::Taken
    }

    fn everywhere(
        &mut self,
        id: SessionId,
        command: &'static Command,
        exclusive: bool,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let alone = self.core.cores == 1 || self.port(id) == PortKind::Core;
        if !alone {
            return self.begin_keys(id, command, args, framing);
        }
        if exclusive && !self.locks.is_empty() {
            return Dispatched::NotYet;
        }
        self.run_local(id, command, None, args, framing);
        Dispatched::Taken
    }

    /// Runs a command on this core and writes its reply in its place.
    pub(super) fn run_local(
        &mut self,
        id: SessionId,
        command: &'static Command,
        key: Option<PlannedKey>,
        args: Args<'_>,
        framing: Option<Framing>,
    ) {
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        let was_off = session.reply == ReplyMode::Off;
        let muted = execute::is_muted(session) && !pubsub::confirms(command);
        let caller = session.caller(id);
        let hint = match key {
            Some(key) => KeyHint::new(&key.key_ref(args.get(key.at))),
            None => KeyHint::default(),
        };
        let timed = self.sample();
        let run = execute::Execution { command, caller, hint, timed };
        let core = &mut self.core;
        let connection = &mut self.connections[id.0 as usize];
        let mut held = None;
        if let Some(framing) = framing {
            let text = &mut self.framing_buffer;
            text.clear();
            run.execute(core, args, text);
            if !muted && !text.is_empty() {
                connection.write(|out| {
                    freehold_protocol::binary::reply::write(framing, text, out);
                });
            }
        } else if muted {
            let text = &mut self.framing_buffer;
            text.clear();
            run.execute(core, args, text);
            let session = core.sessions.get(id);
            if was_off && session.is_some_and(|session| session.reply == ReplyMode::On) {
                // CLIENT REPLY ON is the first to be answered again.
                connection.write(|out| out.extend_from_slice(text));
            }
        } else {
            held = connection.write(|out| {
                let mark = out.len();
                run.execute(core, args, out);
                core.channels.reply_waits.then(|| out.split_off(mark))
            });
        }
        if self.core.channels.has_news() || self.core.effects.has_events() {
            self.serve_pubsub(id, held);
        }
        if !self.core.requests.is_empty() {
            self.serve_requests(id);
        }
        self.serve_ready();
    }

    /// Whether this call is one of those that are timed.
    pub(super) fn sample(&mut self) -> bool {
        if self.sample_countdown == 0 {
            self.sample_countdown = crate::command::stats::SAMPLE_EVERY - 1;
            return true;
        }
        self.sample_countdown -= 1;
        false
    }

    pub(super) fn port(&self, id: SessionId) -> PortKind {
        self.core.sessions.get(id).map_or(PortKind::Plain, |session| session.port)
    }

    fn moved(&self, id: SessionId, slot: u16) -> CommandError {
        let owner = slot_owner(slot, self.core.cores);
        let node = &self.core.node;
        let local = self.core.sessions.get(id).map_or("", |session| &session.local);
        let host = cluster::announced_host(&self.core.config, local);
        let port = node.core_ports.get(usize::from(owner.0)).copied().unwrap_or(node.port);
        CommandError::Moved { slot, endpoint: format!("{host}:{port}") }
    }
}

/// The slot that the cursor in argument 1 names.
pub(super) fn cursor_slot(args: Args<'_>) -> Option<Slot> {
    let cursor = match args.get(1) {
        b"" => 0, // what strtoul makes of it
        text => crate::base::number::parse_u64(text)?,
    };
    u16::try_from(cursor >> 16).ok().and_then(Slot::new)
}

fn slot_owner(slot: u16, cores: u16) -> CoreId {
    freehold_protocol::slot::Slot::new(slot)
        .map_or(CoreId(0), |slot| crate::mesh::owner_of(slot, cores))
}

/// Redis prints at most this much of what it did not understand.
const QUOTED_BYTES_MAX: usize = 128;

fn truncated(text: &[u8]) -> &[u8] {
    &text[..text.len().min(QUOTED_BYTES_MAX)]
}

#[cold]
fn unknown_command(args: Args<'_>) -> CommandError {
    let mut beginning = String::new();
    for arg in args.iter().skip(1) {
        if beginning.len() >= QUOTED_BYTES_MAX {
            break;
        }
        let room = QUOTED_BYTES_MAX - beginning.len();
        let shown = String::from_utf8_lossy(&arg[..arg.len().min(room)]);
        beginning.push_str(&format!("'{shown}' "));
    }
    let name = String::from_utf8_lossy(truncated(args.name())).into_owned();
    CommandError::SaidOf(format!(
        "ERR unknown command '{name}', with args beginning with: {beginning}"
    ))
}
