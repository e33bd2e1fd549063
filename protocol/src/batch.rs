//! The requests of one read, parsed ahead of their execution, from whichever protocol.
//!
//! A worker keeps one batch and reuses it, so that parsing allocates nothing in the steady state.
//! Arguments normally lie in the connection's buffer. Where the wire form differs from the
//! argument (quotes in an inline line, every binary frame) the bytes lie in `owned`, and the batch
//! remembers which of the two a request means.

use crate::args::{Args, Span};
use crate::binary::request::Framing;
use crate::error::ProtocolError;
use crate::limits::{BATCH_OWNED_CROWDED, BATCH_SPANS_CROWDED, KEEP_OWNED_MAX, KEEP_SPANS_MAX};

/// Why a parser stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// The rest of the buffer, if any, is not a whole request.
    NeedMore,
    /// There may be more whole requests, but the batch has its share. Call again.
    BatchFull,
    /// The stream is broken behind the requests in the batch: execute those, answer, close.
    Error(ProtocolError),
}

/// Whole requests, in the order of the wire.
#[derive(Default, Debug)]
pub struct Batch {
    pub(crate) spans: Vec<Span>,
    pub(crate) owned: Vec<u8>,
    requests: Vec<Request>,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    /// The request's spans end here and begin where those of its predecessor end.
    spans_end: u32,
    origin: Origin,
}

/// Where the arguments lie, and how the answer is framed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Origin {
    Buffer,
    Owned,
    Binary(Framing),
}

impl Batch {
    pub fn new() -> Batch {
        Batch::default()
    }

    /// Forgets all requests and keeps a moderate amount of memory for the next ones.
    #[inline]
    pub fn clear(&mut self) {
        self.spans.clear();
        self.owned.clear();
        self.requests.clear();
        if self.spans.capacity() > KEEP_SPANS_MAX || self.owned.capacity() > KEEP_OWNED_MAX {
            self.shrink();
        }
    }

    #[cold]
    fn shrink(&mut self) {
        self.spans.shrink_to(KEEP_SPANS_MAX);
        self.owned.shrink_to(KEEP_OWNED_MAX);
    }

    /// How many requests there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// The arguments of request `index`; `buffer` is the one the parser was given. Empty only
    /// when [`Batch::framing`] carries a refusal.
    ///
    /// # Panics
    /// When there are not that many requests.
    #[inline]
    pub fn args<'a>(&'a self, index: usize, buffer: &'a [u8]) -> Args<'a> {
        let request = self.requests[index];
        let start = if index == 0 { 0 } else { self.requests[index - 1].spans_end };
        let spans = &self.spans[start as usize..request.spans_end as usize];
        match request.origin {
            Origin::Buffer => Args::new(buffer, spans),
            Origin::Owned | Origin::Binary(_) => Args::new(&self.owned, spans),
        }
    }

    /// How request `index` was framed when it came as a binary frame; nothing for RESP.
    #[inline]
    pub fn framing(&self, index: usize) -> Option<Framing> {
        match self.requests[index].origin {
            Origin::Binary(framing) => Some(framing),
            Origin::Buffer | Origin::Owned => None,
        }
    }

    /// The spans pushed since the last request become one.
    #[inline]
    pub(crate) fn seal(&mut self, origin: Origin) {
        debug_assert!(self.spans.len() <= u32::MAX as usize);
        self.requests.push(Request { spans_end: self.spans.len() as u32, origin });
    }

    /// One more request would make the batch's memory more than a constant.
    #[inline]
    pub(crate) fn is_crowded(&self) -> bool {
        self.spans.len() >= BATCH_SPANS_CROWDED || self.owned.len() >= BATCH_OWNED_CROWDED
    }
}
