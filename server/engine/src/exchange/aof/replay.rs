//! Running what append-only files say, on a shard that holds everything, and handing the keys out
//! afterwards: commands with several keys may concern several owners, and one shard cannot be of
//! two minds.
//!
//! Time stands still at the beginning while commands run: deadlines in the files are absolute, and
//! a key that was changed after it was given a deadline was alive then, whatever the clock says
//! now. A log may end before it tells of a key's death, so nothing may die by itself in between;
//! keys past their deadline are dropped when they are handed out. Only commands that compare a
//! time they carry with the present (XCLAIM) or note the present (XGROUP) are told it, or the last
//! moment of their key's life.

use std::io::Read;
use std::sync::Arc;

use freehold_protocol::resp::value::{Value, decode};
use freehold_protocol::{Args, Span};

use super::super::{Fault, Filled, Limits, ReadError, Window, put};
use super::{CommandReader, Said};
use crate::base::time::{Now, UnixMillis};
use crate::command::session::{Accepted, PortKind, SessionId};
use crate::exchange::rdb::{Notes, RdbReader};
use crate::keyspace::{EntryRef, Taken};
use crate::mesh::{CoreId, owner_of};
use crate::shard::{Blueprint, Shard};

/// Before every deadline.
const LONG_AGO: UnixMillis = UnixMillis(1);

/// Turns within which the shard answers what it is told; every command here is answered in one.
const TURNS_MAX: usize = 64;

/// A key on its way to its owner.
pub struct Handed {
    pub db: u8,
    pub key: Box<[u8]>,
    taken: Taken,
}

impl Handed {
    /// Gives it to the core that owns it.
    pub fn put(mut self, shard: &mut Shard) {
        self.taken.access = shard.core.access;
        let key = shard.core.keyspace.key_ref(&self.key);
        shard.core.keyspace.put(self.db, &key, self.taken);
    }
}

/// What was cut off the end of the last file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Torn {
    /// Where the first incomplete command or transaction begins.
    pub offset: u64,
}

/// A command of a transaction whose EXEC has not come yet.
struct Queued {
    bytes: Vec<u8>,
    spans: Vec<Span>,
}

/// Append-only files being repeated.
pub struct Replay {
    shard: Shard,
    session: SessionId,
    now: Now,
    limits: Limits,
    /// Between MULTI and EXEC: where it began, and its commands.
    queue: Option<(u64, Vec<Queued>)>,
    commands: u64,
    keys: u64,
    functions: u64,
}

impl Replay {
    /// An empty one. The blueprint is that of the only core of a node.
    ///
    /// # Errors
    /// When the shard takes no connection.
    pub fn new(mut blueprint: Blueprint, limits: Limits) -> Result<Replay, String> {
        let mut config = (*blueprint.config).clone();
        config.databases = config.databases_in_use();
        config.cluster_enabled = false;
        config.requirepass = String::new();
        config.maxmemory_bytes = 0;
        config.notify = Default::default();
        blueprint.config = Arc::new(config);
        let now = blueprint.now;
        blueprint.now = Now { unix_ms: LONG_AGO, ..now };
        let mut shard = Shard::new(blueprint);
        let accepted = Accepted {
            peer: "append-only file:0".to_owned(),
            local: String::new(),
            port: PortKind::Unix,
            loopback: true,
            descriptor: -1,
        };
        let refused = |line: &[u8]| String::from_utf8_lossy(line).trim().to_owned();
        let session = shard.connect(accepted).map_err(refused)?;
        let (queue, commands, keys, functions) = (None, 0, 0, 0);
        Ok(Replay { shard, session, now, limits, queue, commands, keys, functions })
    }

    /// Commands repeated and keys read so far.
    pub fn done(&self) -> u64 {
        self.commands + self.keys
    }

    /// Libraries of functions that were passed over.
    pub fn functions(&self) -> u64 {
        self.functions
    }

    /// Repeats a file: an RDB file, commands, or the one before the other. `progress` hears where
    /// the reader stands. What the file's end has torn is told and left out if it `is_last`.
    ///
    /// # Errors
    /// What is wrong with the file, or the first command that is refused here.
    pub fn file(
        &mut self,
        source: impl Read,
        is_last: bool,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Option<Torn>, ReadError> {
        let mut window = Window::new(source);
        let head = window.look(6)?;
        if head.starts_with(b"REDIS") || head == b"VALKEY" {
            window = self.keys(window, &mut progress)?;
        }
        let mut reader = CommandReader::over(window, self.limits.string_bytes_max);
        self.call(b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")?;
        loop {
            let start = reader.offset();
            let said = match reader.read() {
                Ok(None) => break,
                Ok(Some(said)) => said,
                Err(error) if error.fault == Fault::Ended && is_last => {
                    return Ok(Some(self.torn(start)));
                }
                Err(error) => return Err(error),
            };
            if let Said::Command(args) = said {
                self.command(args, start)?;
                self.commands += 1;
                if self.commands.is_multiple_of(256) {
                    progress(reader.offset(), self.done());
                }
            }
        }
        let end = reader.offset();
        progress(end, self.done());
        match &self.queue {
            None => Ok(None),
            Some(_) if is_last => Ok(Some(self.torn(end))),
            Some((began, _)) => Err(Fault::Ended.at(*began)),
        }
    }

    /// What is to be cut off from `at` on: with the transaction it belongs to.
    fn torn(&mut self, at: u64) -> Torn {
        Torn { offset: self.queue.take().map_or(at, |(began, _)| began) }
    }

    fn keys<R: Read>(
        &mut self,
        window: Window<R>,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<Window<R>, ReadError> {
        let mut reader = RdbReader::over(window, self.limits, true)?;
        reader.goes_on();
        while let Some(record) = reader.next(|_, _| true)? {
            let content = record.content(self.shard.core.keyspace.rules())?;
            put(&mut self.shard, record.db as u8, record.key, content, record.expiry);
            self.keys += 1;
            if self.keys.is_multiple_of(256) {
                progress(reader.offset(), self.commands + self.keys);
            }
        }
        let &Notes { functions, .. } = reader.notes();
        self.functions += functions;
        Ok(reader.into_window())
    }

    fn command(&mut self, args: Args<'_>, offset: u64) -> Result<(), ReadError> {
        let is = |name: &[u8]| args.name().eq_ignore_ascii_case(name);
        if is(b"MULTI") {
            self.queue = Some((offset, Vec::new()));
        } else if is(b"EXEC") {
            let (_, commands) = self.queue.take().unwrap_or_default();
            for command in commands {
                self.run(Args::new(&command.bytes, &command.spans), offset)?;
            }
        } else if is(b"FUNCTION") {
            self.functions += 1;
        } else if let Some((_, commands)) = &mut self.queue {
            let (bytes, spans) = (args.buffer().to_vec(), args.spans().to_vec());
            commands.push(Queued { bytes, spans });
        } else {
            self.run(args, offset)?;
        }
        Ok(())
    }

    fn run(&mut self, args: Args<'_>, offset: u64) -> Result<(), ReadError> {
        self.set_time(args);
        self.call(args.buffer()).map_err(|error| error.fault.at(offset))
    }

    /// The moment at which this command is to run.
    fn set_time(&mut self, args: Args<'_>) {
        let name = args.name().to_ascii_uppercase();
        let key = match name.as_slice() {
            b"XCLAIM" | b"XAUTOCLAIM" => args.try_get(1),
            b"XGROUP" => args.try_get(2),
            _ => None,
        };
        let Some(key) = key else { return self.turn(LONG_AGO) };
        let db = self.shard.core.sessions.get(self.session).map_or(0, |session| session.db);
        let keyspace = &self.shard.core.keyspace;
        let entry = keyspace.get(db, &keyspace.key_ref(key));
        let now = self.now.unix_ms;
        let last = entry.and_then(|entry| entry.expiry()).map_or(now, |at| at.plus_ms(-1));
        self.turn(now.min(last));
    }

    fn turn(&mut self, unix_ms: UnixMillis) {
        if self.shard.core.now.unix_ms != unix_ms {
            self.shard.begin_turn(Now { unix_ms, ..self.now });
        }
    }

    /// Runs one command; its answer must be no error.
    fn call(&mut self, command: &[u8]) -> Result<(), ReadError> {
        self.shard.receive(self.session, command);
        let mut turns = 0;
        while self.shard.output(self.session).is_empty() && turns < TURNS_MAX {
            turns += 1;
            self.shard.upkeep();
            let messages: Vec<_> = self.shard.outbox().drain(..).collect();
            messages.into_iter().for_each(|(_, message)| self.shard.deliver(CoreId(0), message));
        }
        let answer = std::mem::take(self.shard.output(self.session));
        self.shard.take_dirty(&mut Vec::new());
        self.shard.take_actions();
        if !answer.is_empty() && answer[0] != b'-' {
            return Ok(());
        }
        let answer = match decode(&answer) {
            Ok(Some((Value::Error(text), _))) => String::from_utf8_lossy(&text).into_owned(),
            _ => "it is not answered".to_owned(),
        };
        let words = command.split(|&byte| byte == b'\n').skip(2).step_by(2).take(2);
        let words: Vec<String> =
            words.map(|word| word.trim_ascii_end().escape_ascii().to_string()).collect();
        Err(Fault::Refused { command: words.join(" "), answer }.at(0))
    }

    /// Visits every key that is not past its deadline at `now`, database by database; tells how
    /// many are.
    ///
    /// # Errors
    /// The visitor's first: nothing is visited after it.
    pub fn for_each<E>(
        &self,
        now: UnixMillis,
        mut visit: impl FnMut(u8, &EntryRef<'_>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let keyspace = &self.shard.core.keyspace;
        let (mut expired, mut outcome) = (0, Ok(()));
        for db in keyspace.numbers() {
            keyspace.for_each(db, |entry| {
                if entry.expiry().is_some_and(|at| at <= now) {
                    expired += 1;
                } else if outcome.is_ok() {
                    outcome = visit(db, &entry);
                }
            });
        }
        outcome.map(|()| expired)
    }

    /// All keys, to each of `cores` its own; what is past its deadline at `now` is counted and
    /// dropped.
    pub fn hand_out(mut self, cores: u16, now: UnixMillis) -> (Vec<Vec<Handed>>, Filled) {
        let mut parts: Vec<Vec<Handed>> = (0..cores).map(|_| Vec::new()).collect();
        let mut filled = Filled::default();
        let keyspace = &mut self.shard.core.keyspace;
        for db in keyspace.numbers() {
            let mut keys: Vec<Box<[u8]>> = Vec::with_capacity(keyspace.len(db));
            keyspace.for_each(db, |entry| keys.push(entry.key().into()));
            for key in keys {
                let reference = keyspace.key_ref(&key);
                let owner = owner_of(reference.slot, cores);
                let Some(taken) = keyspace.take(db, &reference) else { continue };
                if taken.expiry.is_some_and(|at| at <= now) {
                    filled.expired += 1;
                    continue;
                }
                filled.count(db);
                parts[owner.index()].push(Handed { db, key, taken });
            }
        }
        (parts, filled)
    }
}
