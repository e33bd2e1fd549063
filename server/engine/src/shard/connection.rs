//! The byte side of a connection: what of a request has arrived, which replies wait for an earlier
//! one, what is ready to be sent. Replies keep request order whichever core answers.
//!
//! ```text
//! out    [ready to send ...]
//! queue  [Waiting 7][Ready 8: side 0..12][Ready 9: side 12..17][Waiting 10]
//! side   [bytes of 8][bytes of 9]
//! ```
//! With an empty queue (all commands answered on this core) a handler writes straight into `out`.

use std::collections::VecDeque;
use std::ops::Range;

use super::limits::{FORWARDED_BYTES_MAX, PENDING_REPLY_BYTES_MAX, WAITING_REPLIES_MAX};
use freehold_protocol::binary::Framing;
use freehold_protocol::binary::reply as binary_reply;
use freehold_protocol::resp::parse::Resume;

/// One reply in the order of requests.
enum Segment {
    Ready(Range<usize>),
    Waiting(Await),
}

/// What becomes of a reply that is still to come.
#[derive(Clone, Copy)]
pub enum Await {
    Resp,
    Binary(Framing),
    /// The client has asked for no reply.
    Nothing,
}

impl Await {
    pub fn new(framing: Option<Framing>, muted: bool) -> Await {
        match framing {
            _ if muted => Await::Nothing,
            Some(framing) => Await::Binary(framing),
            None => Await::Resp,
        }
    }
}

/// What of a connection is bytes.
pub struct Connection {
    /// Replies ready to be sent, in order.
    pub out: Vec<u8>,
    /// Input that has not been executed: an incomplete request, or what waits while stalled.
    pub input: Vec<u8>,
    pub resume: Resume,
    queue: VecDeque<Segment>,
    /// Sequence number of the front of `queue`, from 1.
    front: u64,
    /// Bytes of replies that are ready behind one that waits.
    side: Vec<u8>,
    /// How long `side` becomes before what was sent is cut off.
    compact_at: usize,
    /// Replies in `queue` that wait.
    waiting: usize,
    /// Those of them whose requests came back unrun and are to be sent again.
    pub postponed: usize,
    /// A command that must run alone is under way: no further request is taken.
    pub alone: bool,
    /// Requests stand unparsed in `input`, to be taken up in a later turn.
    pub backlog: bool,
    /// In the shard's backlog queue.
    pub queued: bool,
    /// Bytes of output the server has under way.
    pub in_flight: usize,
    /// How long forwarded replies have been lately; before there were any, long. Many long ones
    /// are not asked for at once.
    reply_bytes_expected: usize,
    /// In the shard's list of connections the server must look at.
    pub dirty: bool,
    /// The last place of `queue`, by number, with a reply that stood ready when the log was in
    /// trouble, to what was done before; 0 when it has left.
    doubtful: u64,
    /// It waits until less is under way between cores (see `pubsub`).
    pub awaits_room: bool,
    /// The last place of `queue`, by number, that a push must not overtake: an earlier push, or
    /// the confirmation of the subscription it belongs to.
    pushes_behind: u64,
    /// When the oldest byte of an incomplete request came, for the partial-frame deadline.
    pub partial_since_us: Option<u64>,
    /// When the output passed its soft limit, or a normal client beyond it last took something.
    pub soft_limit_since_us: Option<u64>,
}

impl Default for Connection {
    fn default() -> Connection {
        Connection {
            out: Vec::new(),
            input: Vec::new(),
            resume: Resume::default(),
            queue: VecDeque::new(),
            front: 1,
            side: Vec::new(),
            compact_at: SIDE_COMPACT_BYTES,
            waiting: 0,
            postponed: 0,
            alone: false,
            backlog: false,
            queued: false,
            in_flight: 0,
            reply_bytes_expected: FIRST_REPLY_BYTES,
            dirty: false,
            doubtful: 0,
            awaits_room: false,
            pushes_behind: 0,
            partial_since_us: None,
            soft_limit_since_us: None,
        }
    }
}

/// What the length of a connection's first forwarded replies is taken to be.
const FIRST_REPLY_BYTES: usize = 1024 * 1024;

impl Connection {
    /// Makes the place free for the next connection. A place in the shard's queues outlives its
    /// connection, so what says that it is queued stays true.
    pub fn empty(&mut self) {
        let (queued, dirty) = (self.queued, self.dirty);
        *self = Connection { queued, dirty, ..Connection::default() };
    }

    /// Replies still to come from elsewhere.
    pub fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether the next reply may go straight into `out`, and nothing is under way that the next
    /// request would have to wait for.
    pub fn is_plain(&self) -> bool {
        self.queue.is_empty() && !self.alone
    }

    /// Whether one more request may be sent to another core. Its reply comes whether the client
    /// reads or not, so the longer replies have been, the fewer may be under way.
    pub fn may_forward(&self) -> bool {
        self.postponed == 0 && self.has_room_for_reply()
    }

    /// Whether one of the requests that came back unrun may be sent again.
    pub fn may_send_postponed(&self) -> bool {
        self.postponed > 0
            && self.output_bytes() < PENDING_REPLY_BYTES_MAX
            && self.has_room_for_reply()
    }

    fn has_room_for_reply(&self) -> bool {
        let under_way = self.waiting - self.postponed;
        if under_way == 0 {
            return true; // without the division
        }
        let share = FORWARDED_BYTES_MAX / self.reply_bytes_expected.max(1);
        under_way < share.clamp(1, WAITING_REPLIES_MAX)
    }

    /// How long the next forwarded reply is expected to be.
    pub fn reply_bytes_expected(&self) -> u32 {
        u32::try_from(self.reply_bytes_expected).unwrap_or(u32::MAX)
    }

    /// Bytes held for this connection beside its incomplete request.
    pub fn output_bytes(&self) -> usize {
        self.out.len() + self.side.len() + self.in_flight
    }

    /// Keeps a place for a reply that comes later; the number names it in [`Connection::fill`].
    pub fn reserve(&mut self, reply: Await) -> u64 {
        self.queue.push_back(Segment::Waiting(reply));
        self.waiting += 1;
        self.front + self.queue.len() as u64 - 1
    }

    /// Calls `write` with the buffer the next reply belongs into.
    #[inline]
    pub fn write<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        if self.queue.is_empty() {
            return write(&mut self.out);
        }
        let start = self.side.len();
        let result = write(&mut self.side);
        self.queue.push_back(Segment::Ready(start..self.side.len()));
        result
    }

    /// Writes a message that answers no request. RESP3 lets it come between any two replies, so
    /// it does not wait for a reply that may be long in coming (a blocked pop); in RESP2 it looks
    /// like a reply and keeps its place among them. Messages never overtake each other.
    pub fn push(&mut self, resp3: bool, write: impl FnOnce(&mut Vec<u8>)) {
        if self.queue.is_empty() || resp3 && self.pushes_behind < self.front {
            return write(&mut self.out);
        }
        self.write(write);
        self.pushes_behind = self.front + self.queue.len() as u64 - 1;
    }

    /// Pushes from now on come after reply number `sequence`.
    pub fn hold_pushes_behind(&mut self, sequence: u64) {
        self.pushes_behind = sequence;
    }

    /// The reply number `sequence` has come: RESP bytes, framed here when a binary client asked.
    /// A number that is not awaited (its connection is gone and another sits in its place) is
    /// ignored; the caller checks the client id first.
    pub fn fill(&mut self, sequence: u64, reply: &[u8]) {
        let Some(index) = sequence.checked_sub(self.front) else { return };
        let index = index as usize;
        let Some(Segment::Waiting(framing)) = self.queue.get(index) else { return };
        let framing = *framing;
        self.waiting -= 1;
        self.reply_bytes_expected = reply.len().max(self.reply_bytes_expected / 8 * 7);
        if index == 0 {
            put(framing, reply, &mut self.out);
            self.queue.pop_front();
            self.front += 1;
            self.advance();
        } else {
            let start = self.side.len();
            put(framing, reply, &mut self.side);
            self.queue[index] = Segment::Ready(start..self.side.len());
        }
    }

    /// The log is in trouble: what stands ready tells of before.
    pub fn doubt(&mut self) {
        let ready = |segment: &Segment| matches!(segment, Segment::Ready(_));
        if let Some(last) = self.queue.iter().rposition(ready) {
            self.doubtful = self.front + last as u64;
        }
    }

    /// Whether `out`, which is taken now, may hold what stood ready then.
    pub fn take_doubt(&mut self) -> bool {
        let doubtful = self.doubtful > 0;
        if self.front > self.doubtful {
            self.doubtful = 0;
        }
        doubtful
    }

    /// Moves what is ready at the front of the queue into `out`.
    fn advance(&mut self) {
        while let Some(Segment::Ready(range)) = self.queue.front() {
            self.out.extend_from_slice(&self.side[range.clone()]);
            self.queue.pop_front();
            self.front += 1;
        }
        if self.queue.is_empty() {
            self.side.clear();
            self.compact_at = SIDE_COMPACT_BYTES;
        } else if self.side.len() >= self.compact_at {
            self.compact();
        }
    }

    /// Cuts off what lies in `side` before every reply that is ready. Replies lie there in the
    /// order in which they came, which need not be that of the queue.
    #[cold]
    fn compact(&mut self) {
        let starts = self.queue.iter().filter_map(|segment| match segment {
            Segment::Ready(range) => Some(range.start),
            Segment::Waiting(_) => None,
        });
        let used = starts.min().unwrap_or(self.side.len());
        self.side.drain(..used);
        for segment in &mut self.queue {
            if let Segment::Ready(range) = segment {
                *range = range.start - used..range.end - used;
            }
        }
        // Looked at again when as much has been added: a look costs the length of the queue.
        self.compact_at = self.side.len() + SIDE_COMPACT_BYTES;
    }
}

/// Sent bytes at the front of `side` are cut off from here on: a pipeline that never runs dry must
/// not keep every reply it ever had.
const SIDE_COMPACT_BYTES: usize = 32 * 1024;

fn put(awaited: Await, reply: &[u8], out: &mut Vec<u8>) {
    match awaited {
        Await::Binary(framing) => binary_reply::write(framing, reply, out),
        Await::Resp => out.extend_from_slice(reply),
        Await::Nothing => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_leave_in_request_order_whatever_order_they_come_in() {
        let mut connection = Connection::default();
        connection.write(|out| out.extend_from_slice(b"a"));
        let b = connection.reserve(Await::Resp);
        connection.write(|out| out.extend_from_slice(b"c"));
        let d = connection.reserve(Await::Resp);
        connection.write(|out| out.extend_from_slice(b"e"));

        connection.fill(d, b"d");
        assert_eq!(connection.out, b"a");
        connection.fill(b, b"b");

        assert_eq!(connection.out, b"abcde");
        assert_eq!(connection.waiting(), 0);
        connection.write(|out| out.extend_from_slice(b"f"));
        assert_eq!(connection.out, b"abcdef");
    }

    /// Four cores and two million random commands met it: what was sent was taken to end where the
    /// first ready reply of the queue began, but a reply that came early lies behind later ones.
    /// The bytes of those were cut off with what was sent.
    #[test]
    fn replies_that_came_out_of_order_survive_cutting_off_what_was_sent() {
        let long = vec![b'x'; SIDE_COMPACT_BYTES];
        let mut connection = Connection::default();
        let first = connection.reserve(Await::Resp);
        connection.write(|out| out.extend_from_slice(&long));
        let second = connection.reserve(Await::Resp);
        let third = connection.reserve(Await::Resp);
        let fourth = connection.reserve(Await::Resp);
        connection.fill(fourth, b"4");
        connection.fill(third, &long);
        connection.fill(first, b"1");
        connection.fill(second, b"2");

        let expected = [b"1", &long[..], b"2", &long[..], b"4"].concat();
        assert_eq!(connection.out, expected);
    }

    #[test]
    fn sent_replies_are_cut_off_while_one_still_waits() {
        let mut connection = Connection::default();
        let mut waiting = connection.reserve(Await::Resp);
        for _ in 0..100 {
            connection.write(|out| out.resize(out.len() + SIDE_COMPACT_BYTES / 4, b'x'));
            let next = connection.reserve(Await::Resp);
            connection.fill(waiting, b"y");
            waiting = next;
            assert!(connection.side.len() <= 2 * SIDE_COMPACT_BYTES);
        }
        assert_eq!(connection.out.len(), 100 * (SIDE_COMPACT_BYTES / 4 + 1));
    }

    #[test]
    fn a_reply_nobody_awaits_changes_nothing() {
        let mut connection = Connection::default();
        let first = connection.reserve(Await::Resp);
        connection.fill(first, b"1");
        connection.fill(first, b"again");
        connection.fill(first + 5, b"never");
        assert_eq!(connection.out, b"1");
    }
}
