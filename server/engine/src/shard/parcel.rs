//! What crosses from core to core. Commands travel in parcels: all commands of one turn that
//! belong to one other core share one, arguments copied once into one buffer; the owner writes the
//! answers into the same parcel and sends it back, and the core that allocated it uses it again.
//! Transactions and commands that run everywhere travel as errands.

use freehold_protocol::args::{Args, Span};
use freehold_protocol::slot::Slot;

use super::locks::{Ticket, Wanted};
use crate::command::gather::Partial;
use crate::command::session::Caller;
use crate::command::session::SessionId;
use crate::command::table::Command;
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

/// A request that outlives the buffer it came in.
#[derive(Clone)]
pub struct OwnedRequest {
    pub command: &'static Command,
    pub bytes: Vec<u8>,
    pub spans: Vec<Span>,
}

impl OwnedRequest {
    pub fn new<'a>(
        command: &'static Command,
        args: impl Iterator<Item = &'a [u8]>,
    ) -> OwnedRequest {
        let mut request = OwnedRequest { command, bytes: Vec::new(), spans: Vec::new() };
        for arg in args {
            let start = request.bytes.len() as u32;
            request.spans.push(Span { start, len: arg.len() as u32 });
            request.bytes.extend_from_slice(arg);
        }
        request
    }

    pub fn args(&self) -> Args<'_> {
        Args::new(&self.bytes, &self.spans)
    }
}

/// A step of a transaction, between the core that leads it and those that take part.
pub enum Errand {
    /// Leader to member: keep these keys still; copy `pull` of them to me.
    /// `adds`: the command may add that many bytes, so there must be room.
    Prepare {
        ticket: Ticket,
        leader: CoreId,
        wanted: Wanted,
        pull: Vec<Box<[u8]>>,
        adds: Option<u64>,
    },
    /// Member to leader: they are yours; here are the copies, as effects.
    Granted { ticket: Ticket, from: CoreId, pulled: Vec<u8> },
    /// Member to leader: a higher ticket is in the way.
    Refused { ticket: Ticket, from: CoreId },
    /// Member to leader: `maxmemory` is reached here and nothing can go.
    NoRoom { ticket: Ticket, from: CoreId },
    /// Leader to member: run this part, then let go.
    Run { ticket: Ticket, leader: CoreId, caller: Caller, request: OwnedRequest, part: Part },
    /// Leader to member: make these changes, then let go.
    Apply { ticket: Ticket, leader: CoreId, effects: Vec<u8> },
    /// Member to leader: done.
    Answer { ticket: Ticket, from: CoreId, answer: Answer },
    /// Leader to member: let go; I will come again.
    Release { ticket: Ticket },
}

/// How a member runs its part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The row's handler, on this core's keys.
    Keys,
    /// The row's `collect`.
    Everywhere,
}

/// A member's contribution.
pub enum Answer {
    /// RESP bytes of a part.
    Reply(Vec<u8>),
    Partial(Partial),
    Applied,
}

/// Everything that crosses the mesh. If a ring is full a message waits in the sender's outbox and
/// the sender's connections stop reading; none is ever dropped.
pub enum Message {
    Commands(Box<Parcel>),
    Answers(Box<Parcel>),
    Errand(Box<Errand>),
}
