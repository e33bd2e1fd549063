//! How much a peer may ask of the parsers before it is told no. Every bound of the crate is here.
//!
//! None of these numbers is ever allocated ahead: a declared length only says how many bytes must
//! arrive. The bounds exist so that a request which may never end is refused early.

/// Bytes of one argument, and arguments of one request, that a connection may send. The session
/// owns one and swaps it when the client has authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arguments of one request, its name included.
    pub args_max: u32,
    /// Bytes of one argument; of one value in the binary protocol.
    pub bulk_bytes_max: u32,
    /// Bytes of an inline line, and of a line that announces a length.
    pub inline_bytes_max: u32,
    /// Only decides which error names a length above its limit.
    pub authenticated: bool,
}

impl Limits {
    /// Before AUTH, as in Redis since CVE-2021-32675.
    pub const UNAUTHENTICATED: Limits = Limits {
        args_max: 10,
        bulk_bytes_max: 16384,
        inline_bytes_max: INLINE_BYTES_MAX,
        authenticated: false,
    };

    /// Mi args and 100 MiB values; Redis allows 2^31 args and 512 MiB.
    pub const DEFAULT: Limits = Limits {
        args_max: 1024 * 1024,
        bulk_bytes_max: 100 * 1024 * 1024,
        inline_bytes_max: INLINE_BYTES_MAX,
        authenticated: true,
    };
}

/// `PROTO_INLINE_MAX_SIZE` of Redis.
const INLINE_BYTES_MAX: u32 = 64 * 1024;

/// A batch that holds this many spans takes no further request: a few megabytes of tiny
/// arguments must not turn into as many megabytes of spans at once.
pub(crate) const BATCH_SPANS_CROWDED: usize = 16 * 1024;

/// A batch that copied this many bytes (quoted inline lines, binary frames) takes no further
/// request. One request may well exceed it alone.
pub(crate) const BATCH_OWNED_CROWDED: usize = 64 * 1024;

/// What an emptied batch or an idle connection may keep allocated, in elements. Above it, memory
/// goes back: one huge request must not be paid for until the connection closes.
pub(crate) const KEEP_SPANS_MAX: usize = 2 * BATCH_SPANS_CROWDED;
pub(crate) const KEEP_OWNED_MAX: usize = 256 * 1024;
pub(crate) const KEEP_RESUME_SPANS_MAX: usize = 16;

/// How deep replies may nest for [`crate::resp::value::decode`]. COMMAND DOCS, the deepest reply
/// of the command surface, needs about ten.
pub const REPLY_DEPTH_MAX: usize = 32;

/// Longest status, error or number line of a reply.
pub const REPLY_LINE_BYTES_MAX: usize = 1024 * 1024;

/// Longest string a reply may announce: Redis's default `proto-max-bulk-len`.
pub const REPLY_BULK_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Most elements a reply may announce for one array, map, set or push.
pub const REPLY_ELEMENTS_MAX: u64 = u32::MAX as u64;
