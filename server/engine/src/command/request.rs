//! Requests that outlive the buffer they came in: one on its way to another core, or the queue that
//! MULTI opens and EXEC empties.

use freehold_protocol::args::{Args, Span};

use super::spec::Flags;
use super::table::Command;

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

/// What a connection has asked for since MULTI.
#[derive(Default)]
pub struct Queue {
    pub requests: Vec<OwnedRequest>,
    /// How many were queued; they themselves may be gone, because they are of no use any more or
    /// because EXEC runs them.
    pub count: usize,
    /// Bytes of their arguments.
    pub bytes: usize,
    /// The flags of all of them.
    pub flags: Flags,
    /// One was refused, so EXEC will refuse all.
    pub spoiled: bool,
}

impl Queue {
    pub fn push(&mut self, command: &'static Command, args: Args<'_>) {
        self.flags |= command.spec.flags;
        self.count += 1;
        let request = OwnedRequest::new(command, args.iter());
        self.bytes += request.bytes.len();
        self.requests.push(request);
    }

    /// A request was refused: what was queued will never run, so its memory is given back.
    pub fn spoil(&mut self) {
        self.spoiled = true;
        self.requests = Vec::new();
    }
}
