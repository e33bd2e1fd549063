//! What crosses from core to core. Commands travel in parcels: all commands of one turn that
//! belong to one other core share one, arguments copied once into one buffer; the owner writes the
//! answers into the same parcel and sends it back, and the core that allocated it uses it again.
//! Transactions and commands that run everywhere travel as errands.

use freehold_protocol::args::{Args, Span};
use freehold_protocol::slot::Slot;

use super::blocking::Wait;
use super::dump::Dump;
use super::locks::{Ticket, Wanted};
use super::pubsub::Mail;
use crate::command::gather::Partial;
use crate::command::request::OwnedRequest;
use crate::command::session::{Caller, SessionId};
use crate::command::table::Command;
use crate::effect::{Part, Watched};
use crate::keyspace::Taken;
use crate::mesh::CoreId;

/// Commands in one parcel before it is sent ahead of the turn's end.
pub const PARCEL_ITEMS_MAX: usize = 512;
/// Argument bytes in one parcel before it is sent.
pub const PARCEL_BYTES_MAX: usize = 256 * 1024;
/// A recycled parcel keeps buffers up to this size.
pub const PARCEL_KEEP_BYTES: usize = 1024 * 1024;

/// A command on its way to the owner of its key.
#[derive(Clone, Copy)]
pub struct Item {
    pub session: SessionId,
    pub sequence: u64,
    pub caller: Caller,
    pub command: &'static Command,
    /// Ends in the parcel's `spans` and `replies`; the starts are the ends of the item before.
    pub spans_end: u32,
    pub slot: Slot,
    pub hash: u64,
    /// Which argument that is the hash of; 0 when the slot comes from a cursor.
    pub key_at: u32,
    pub reply: Span,
    /// How long a reply the connection's core expects.
    pub reply_bytes_expected: u32,
    /// Left unrun by the owner: the connection's replies have become unexpectedly long. It is to
    /// come again when there is room for them.
    pub postponed: bool,
    /// A transaction holds its key; it runs later.
    pub parked: bool,
}

/// Commands of one core for one other core, and their answers.
#[derive(Default)]
pub struct Parcel {
    pub bytes: Vec<u8>,
    pub spans: Vec<Span>,
    pub items: Vec<Item>,
    pub replies: Vec<u8>,
    /// Items not answered yet because a transaction holds their key.
    pub parked: usize,
}

impl Parcel {
    /// Copies a request into the parcel.
    pub fn push(&mut self, mut item: Item, args: Args<'_>) {
        for arg in args.iter() {
            let span = Span { start: self.bytes.len() as u32, len: arg.len() as u32 };
            self.bytes.extend_from_slice(arg);
            self.spans.push(span);
        }
        item.spans_end = self.spans.len() as u32;
        self.items.push(item);
    }

    pub fn args(&self, index: usize) -> Args<'_> {
        let start = match index {
            0 => 0,
            _ => self.items[index - 1].spans_end as usize,
        };
        Args::new(&self.bytes, &self.spans[start..self.items[index].spans_end as usize])
    }

    pub fn is_full(&self) -> bool {
        self.items.len() >= PARCEL_ITEMS_MAX || self.bytes.len() >= PARCEL_BYTES_MAX
    }

    /// Empties it for its next journey; buffers that grew out of proportion are given back.
    pub fn clear(&mut self) {
        self.spans.clear();
        self.items.clear();
        for buffer in [&mut self.bytes, &mut self.replies] {
            buffer.clear();
            if buffer.capacity() > PARCEL_KEEP_BYTES {
                *buffer = Vec::new();
            }
        }
        self.parked = 0;
    }
}

/// A message of a transaction between the core that leads it and those that take part, or about
/// watched keys. A core named is the sender; a ticket knows its leader.
pub enum Errand {
    /// Leader to member: keep these keys still.
    Prepare(Ticket, Prepare),
    /// Member to leader: they are yours; here are those to be lent.
    Granted(CoreId, Ticket, Vec<Lent>),
    /// Member to leader: never.
    Denied(Ticket, Denial),
    /// Member to leader: a lower ticket needs keys of yours; while you wait for others, let go.
    Yield(CoreId, Ticket),
    /// Leader to member: do this.
    Step(Ticket, Step),
    /// Member to leader: it is done.
    Done(CoreId, Ticket, Done),
    /// Leader to member: let go; what was lent comes back as it was.
    Release(Ticket, Vec<Lent>),
    /// To the owner of these keys: the client watches them.
    Watch { from: CoreId, client_id: u64, db: u8, keys: Vec<Box<[u8]>> },
    /// Back: it does, from this moment on.
    Watching { from: CoreId, client_id: u64, stamp: u64 },
    /// To the owner: somebody watches these no more.
    Unwatch(Vec<Watched>),
    /// To a core with keys that may go: the sender has none left and is over its share. The turn
    /// this makes it take is all there is to do.
    MakeRoom,
}

/// What a member is asked to lock, and to find out first.
#[derive(Default)]
pub struct Prepare {
    pub wanted: Wanted,
    /// Keys to lend to the leader.
    pub pull: Vec<Box<[u8]>>,
    /// The transaction is off when one of these has changed.
    pub watched: Vec<Watched>,
    /// It may add that many bytes, so there must be room.
    pub adds: Option<u64>,
    /// With one member there is nothing to agree on: it does everything at once.
    pub step: Option<Step>,
}

/// Why a member does not grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Denial {
    /// `maxmemory` is reached here and nothing can go.
    NoRoom,
    /// A watched key has changed.
    Changed,
}

/// A key that is lent to the leader, or comes back.
#[derive(Debug)]
pub struct Lent {
    pub db: u8,
    pub key: Box<[u8]>,
    /// None when it comes back from where it has been removed.
    pub taken: Option<Taken>,
    /// Whether the owner has it, empty-handed.
    pub kept: bool,
}

/// What a member does between two agreements, in this order.
#[derive(Default)]
pub struct Step {
    /// Keys that come back from a command that ran at the leader.
    pub returned: Vec<Lent>,
    /// What that command has changed.
    pub effects: Vec<u8>,
    pub jobs: Vec<Job>,
    /// Keys to lend to the leader afterwards.
    pub pull: Vec<Box<[u8]>>,
    /// It is the last step: what the transaction has changed goes to the log.
    pub last: bool,
    /// Other cores change something too: this says how the log is to name them.
    pub part: Option<Part>,
    /// Let go of everything afterwards.
    pub release: bool,
}

/// One command, or one core's part of it.
#[derive(Clone)]
pub struct Job {
    /// Which of the transaction's tasks it belongs to.
    pub task: usize,
    pub request: OwnedRequest,
    pub caller: Caller,
    /// The row's `collect` instead of its handler.
    pub contributes: bool,
    /// A part that is not the first of its command, which counts for all.
    pub further: bool,
}

/// What came of a step.
#[derive(Default)]
pub struct Done {
    pub answers: Vec<(usize, Answer)>,
    pub pulled: Vec<Lent>,
}

/// A member's contribution to a task.
pub enum Answer {
    /// RESP bytes.
    Reply(Vec<u8>),
    Partial(Partial),
}

/// Everything that crosses the mesh. If a ring is full a message waits in the sender's outbox and
/// the sender's connections stop reading; none is ever dropped.
pub enum Message {
    Commands(Box<Parcel>),
    Answers(Box<Parcel>),
    Errand(Box<Errand>),
    Wait(Box<Wait>),
    /// Subscriptions and messages.
    Mail(Box<Mail>),
    /// A copy of the data for a client.
    Dump(Box<Dump>),
}
