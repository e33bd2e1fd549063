//! The ordered list of refusals before a command runs, and the way it takes afterwards.

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;

use super::batch::{Plan, PlannedKey};
use super::receive::Dispatched;
use super::{Shard, execute};
use crate::command::cluster;
use crate::command::context::KeyHint;
use crate::command::error::CommandError;
use crate::command::session::{PortKind, ReplyMode, SessionId};
use crate::command::spec::{MAY_REPLICATE, NO_AUTH, Run, WRITE};
use crate::command::table::Command;
use crate::mesh::CoreId;

/// CLIENT PAUSE, as far as this core knows.
#[derive(Default)]
pub struct Pause {
    pub until_mono_us: u64,
    pub writes_only: bool,
    /// Connections may be waiting for its end.
    pub armed: bool,
}

impl Pause {
    fn holds(&self, command: &Command, now_us: u64) -> bool {
        let exempt = command.parent.is_some_and(|parent| parent.name == "CLIENT");
        now_us < self.until_mono_us
            && !exempt
            && (!self.writes_only || command.spec.is(WRITE | MAY_REPLICATE))
    }
}

/// Where the keys of a request live.
enum Place {
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
        if self.pause.until_mono_us > 0 && self.pause.holds(command, self.core.now.mono_us) {
            return Dispatched::NotYet;
        }
        let Some(session) = self.core.sessions.get_mut(id) else { return Dispatched::Taken };
        session.note_commands(command, 1);
        match (command.spec.run, plan.key) {
            (Run::Owner(_) | Run::Split(..), Some(key)) => {
                self.single_key(id, command, key, args, framing)
            }
            (Run::Owner(_) | Run::Split(..), None) => self.several_keys(id, command, args, framing),
            (Run::Cursor(_), _) => self.cursor(id, command, args, framing),
            (Run::Everywhere { exclusive, .. }, _) => {
                self.everywhere(id, command, exclusive, args, framing)
            }
            (Run::Here(_) | Run::Container, _) => {
                self.run_local(id, command, None, args, framing);
                Dispatched::Taken
            }
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
        let authenticated = self.core.sessions.get(id).is_some_and(|s| s.authenticated);
        if !authenticated && !command.spec.is(NO_AUTH) {
            return Err(CommandError::NoAuth);
        }
        Ok(command)
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

    /// Which cores own the keys, and the first key.
    fn place(
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
        let cursor = match args.get(1) {
            b"" => Some(0), // what strtoul makes of it
            text => crate::base::number::parse_u64(text),
        };
        let slot = cursor
            .and_then(|cursor| u16::try_from(cursor >> 16).ok())
            .and_then(freehold_protocol::slot::Slot::new);
        match slot {
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
            return self.begin_everywhere(id, command, exclusive, args, framing);
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
        let muted = execute::is_muted(session);
        let caller = session.caller(id);
        let hint = match key {
            Some(key) => KeyHint::new(&key.key_ref(args.get(key.at))),
            None => KeyHint::default(),
        };
        let timed = self.sample();
        let run = execute::Execution { command, caller, hint, timed };
        let core = &mut self.core;
        let connection = &mut self.connections[id.0 as usize];
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
            connection.write(|out| run.execute(core, args, out));
        }
        if !self.core.requests.is_empty() {
            self.serve_requests(id);
        }
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
