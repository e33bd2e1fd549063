//! What commands know of a connection: who it is, what it has negotiated, what it asked for.
//! The byte side of a connection (input, output, replies that wait) is `shard::connection`.

use super::channels::{Listening, Topic};
use super::error::CommandError;
use super::request::Queue;
use super::spec::Spec;
use super::table::Command;
use crate::base::time::Now;
use crate::config::OutputClass;
use crate::effect::Watched;

/// Index of a session in its core's table. Reused after a disconnect; what outlives a turn carries
/// the client id beside it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct SessionId(pub u32);

/// Which door a connection came through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PortKind {
    /// Answers for every key of the host.
    Plain,
    /// Answers for its core's slots, redirects for others.
    Core,
    /// A Unix socket: as plain, and local by nature.
    Unix,
}

/// A connection that has just been accepted, as the server describes it.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// `ip:port` of the other end, or the socket's path with `:0`.
    pub peer: String,
    pub local: String,
    pub port: PortKind,
    /// The source is this machine.
    pub loopback: bool,
    /// The descriptor's number, for CLIENT LIST.
    pub descriptor: i32,
}

/// CLIENT REPLY.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyMode {
    On,
    Off,
    /// The next command's answer is dropped.
    SkipNext,
}

/// How a connection is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    No,
    /// When everything written so far is sent.
    AfterReplies,
    /// At once.
    Now,
}

/// What REPLCONF has said of a connection, and what has come of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Replica {
    /// It knows a copy whose end is marked.
    pub eof: bool,
    /// It wants a copy and nothing after it.
    pub rdb_only: bool,
    /// It wants none of the keys.
    pub no_keys: bool,
    /// It gets a copy, or has got one.
    pub copies: bool,
}

/// One connection, as commands see it.
pub struct Session {
    /// CLIENT ID: unique in the node, never reused, grows with time on one core.
    pub client_id: u64,
    pub peer: Box<str>,
    pub local: Box<str>,
    pub descriptor: i32,
    pub port: PortKind,
    /// The other end is on this host.
    pub local_peer: bool,
    pub db: u8,
    pub resp3: bool,
    pub binary: bool,
    pub authenticated: bool,
    pub reply: ReplyMode,
    pub no_evict: bool,
    pub no_touch: bool,
    /// Its last command waits for something to come.
    pub blocked: bool,
    pub closing: Closing,
    /// What it listens to; none when that is nothing.
    pub listening: Option<Box<Listening>>,
    pub name: Box<[u8]>,
    pub library_name: Box<[u8]>,
    pub library_version: Box<[u8]>,
    pub connected_mono_us: u64,
    pub active_mono_us: u64,
    pub last_command: Option<&'static Spec>,
    pub last_container: Option<&'static Spec>,
    pub commands: u64,
    /// Between MULTI and the end of EXEC.
    pub queue: Option<Box<Queue>>,
    pub watched: Vec<Watched>,
    pub replica: Replica,
    /// Bytes of an incomplete request, and of replies not yet taken: kept by the byte side.
    pub input_bytes: usize,
    pub output_bytes: usize,
    pub input_bytes_total: u64,
    pub output_bytes_total: u64,
}

impl Session {
    /// Who asks, for a command of this session.
    pub fn caller(&self, id: SessionId) -> Caller {
        Caller {
            client_id: self.client_id,
            session: Some(id),
            db: self.db,
            resp3: self.resp3 || self.binary,
            no_touch: self.no_touch,
            port: self.port,
            local: self.local_peer,
        }
    }

    /// How many names of a kind it listens to.
    pub fn subscriptions(&self, topic: Topic) -> usize {
        self.listening.as_ref().map_or(0, |listening| listening.count(topic))
    }

    /// The number a confirmation carries: channels and patterns are counted together, shard
    /// channels alone.
    pub fn subscriptions_beside(&self, topic: Topic) -> usize {
        match topic {
            Topic::Shard => self.subscriptions(Topic::Shard),
            _ => self.subscriptions(Topic::Channel) + self.subscriptions(Topic::Pattern),
        }
    }

    /// A client of RESP2 that listens cannot tell a message from a reply, so it may do little.
    #[inline]
    pub fn only_listens(&self) -> bool {
        self.listening.is_some() && !self.resp3
    }

    /// Which of the output limits holds for it.
    pub fn output_class(&self) -> OutputClass {
        match self.listening {
            Some(_) => OutputClass::PubSub,
            None => OutputClass::Normal,
        }
    }

    /// So many more commands, of which this is the last, are about to run or have.
    pub fn note_commands(&mut self, last: &Command, count: u64) {
        self.commands += count;
        self.last_command = Some(last.spec);
        self.last_container = last.parent;
    }

    pub fn new(client_id: u64, accepted: Accepted, authenticated: bool, now: Now) -> Session {
        Session {
            client_id,
            peer: accepted.peer.into(),
            local: accepted.local.into(),
            descriptor: accepted.descriptor,
            port: accepted.port,
            local_peer: accepted.loopback || accepted.port == PortKind::Unix,
            db: 0,
            resp3: false,
            binary: false,
            authenticated,
            reply: ReplyMode::On,
            no_evict: false,
            no_touch: false,
            blocked: false,
            closing: Closing::No,
            listening: None,
            name: Box::default(),
            library_name: Box::default(),
            library_version: Box::default(),
            connected_mono_us: now.mono_us,
            active_mono_us: now.mono_us,
            last_command: None,
            last_container: None,
            commands: 0,
            queue: None,
            watched: Vec::new(),
            replica: Replica::default(),
            input_bytes: 0,
            output_bytes: 0,
            input_bytes_total: 0,
            output_bytes_total: 0,
        }
    }
}

/// Who asks, in what dialect: all a handler may know of the connection, since it may run on
/// another core than the connection's.
#[derive(Clone, Copy)]
pub struct Caller {
    pub client_id: u64,
    /// Set only where the connection lives.
    pub session: Option<SessionId>,
    pub db: u8,
    pub resp3: bool,
    pub no_touch: bool,
    pub port: PortKind,
    /// The client is on this host.
    pub local: bool,
}

/// The sessions of one core.
#[derive(Default)]
pub struct Sessions {
    cells: Vec<Option<Box<Session>>>,
    free: Vec<u32>,
    count: usize,
}

impl Sessions {
    pub fn insert(&mut self, session: Session) -> SessionId {
        self.count += 1;
        let cell = Some(Box::new(session));
        match self.free.pop() {
            Some(index) => {
                self.cells[index as usize] = cell;
                SessionId(index)
            }
            None => {
                self.cells.push(cell);
                SessionId(u32::try_from(self.cells.len() - 1).unwrap_or(u32::MAX))
            }
        }
    }

    pub fn remove(&mut self, id: SessionId) -> Option<Box<Session>> {
        let gone = self.cells.get_mut(id.0 as usize)?.take()?;
        self.count -= 1;
        self.free.push(id.0);
        Some(gone)
    }

    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.cells.get(id.0 as usize)?.as_deref()
    }

    pub fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.cells.get_mut(id.0 as usize)?.as_deref_mut()
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.cells
            .iter()
            .enumerate()
            .filter_map(|(index, cell)| Some((SessionId(index as u32), cell.as_deref()?)))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (SessionId, &mut Session)> {
        self.cells
            .iter_mut()
            .enumerate()
            .filter_map(|(index, cell)| Some((SessionId(index as u32), cell.as_deref_mut()?)))
    }
}

/// Refuses client names Redis refuses: anything that is not a printable character, or is a space.
///
/// # Errors
/// Redis's sentence.
pub fn check_name(name: &[u8]) -> Result<(), CommandError> {
    if name.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        return Ok(());
    }
    Err(CommandError::Said(
        "ERR Client names cannot contain spaces, newlines or special characters.",
    ))
}
