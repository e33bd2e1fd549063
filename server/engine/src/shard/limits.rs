//! Every bound of the request path, and what happens there.

/// Requests parsed, looked up and prefetched together: enough to hide the memory's latency, few
/// enough that what was prefetched is still in the cache when its turn comes (design §3 measured
/// 16).
pub const BATCH_MAX: usize = 16;

/// Requests taken from one connection in one turn; the rest waits for the next turn, so that one
/// deep pipeline cannot starve its neighbours.
pub const REQUESTS_PER_TURN_MAX: usize = 512;

/// Connections whose left-over input is taken up in one turn.
pub const BACKLOG_PER_TURN_MAX: usize = 64;

/// Replies not yet sent at which a connection's requests are left unread until some have gone: a
/// slow reader is slowed down long before it meets its hard limit.
pub const PENDING_REPLY_BYTES_MAX: usize = 1024 * 1024;

/// Replies a connection may have outstanding on other cores before it stops reading.
pub const WAITING_REPLIES_MAX: usize = 512;

/// Bytes of replies that may be under way from other cores to one connection, as far as the
/// length of its latest replies foretells. What could not be foretold is bounded by the same
/// figure where the replies are made (see `flood`), for each core they come from.
pub const FORWARDED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// A forwarded reply up to this length is nothing unexpected: all that may be under way to one
/// connection keep to [`FORWARDED_BYTES_MAX`] together.
pub const LONG_REPLY_BYTES: usize = FORWARDED_BYTES_MAX / WAITING_REPLIES_MAX;

/// Messages for other cores that may wait for a full ring before connections stop reading.
pub const OUTBOX_MAX: usize = 64;

/// Replies to a connection that has not authenticated, CVE-2025-21605: beyond it, it is closed.
pub const UNAUTHENTICATED_OUTPUT_BYTES_MAX: usize = 1024;

/// A connection that has not authenticated may hold this much unparsed input.
pub const UNAUTHENTICATED_INPUT_BYTES_MAX: usize = 1024 * 1024;

/// What a stalled connection may have in its input before the server stops reading from it.
pub const STALLED_INPUT_BYTES_MAX: usize = 16 * 1024;

/// An input buffer that has been emptied is kept for the next incomplete request up to this size.
pub const KEEP_INPUT_BYTES: usize = 4 * 1024;

/// Commands between MULTI and EXEC; the next one is refused, and EXEC with it.
pub const QUEUED_REQUESTS_MAX: usize = 1024 * 1024;

/// Bytes of their arguments, likewise: Redis closes a connection whose queue and input pass its
/// query buffer limit, which is as large by default.
pub const QUEUED_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// Before AUTH a connection must authenticate within this time.
pub const HANDSHAKE_DEADLINE_US: u64 = 10_000_000;

/// A request that has begun must be whole within this time of its last byte.
pub const PARTIAL_DEADLINE_US: u64 = 30_000_000;

/// Spare parcels a core keeps.
pub const SPARE_PARCELS_MAX: usize = 64;

/// Keys evicted for one command before it is let through or refused: a bounded slice, the rest is
/// the next command's and upkeep's.
pub const EVICTIONS_PER_COMMAND_MAX: usize = 256;

/// Where a core has nothing left to evict and others have, the node may be beyond `maxmemory` by
/// this part of it, or by [`EVICTED_ELSEWHERE_BYTES`] if that is more, until they have evicted;
/// beyond it writes to that core are refused. Less than the 2 % that `maxmemory` is kept within.
pub const EVICTED_ELSEWHERE_PART: i64 = 64;

/// The least of it.
pub const EVICTED_ELSEWHERE_BYTES: i64 = 256 * 1024;

/// Messages under way to one other core, in bytes, at which those who publish wait: half a turn's
/// work for the receiver, and with sixteen cores a quarter of a GiB at the very worst. One message
/// may be longer, and a whole turn's events come on top.
pub const PUBLICATIONS_IN_FLIGHT_BYTES: usize = 1024 * 1024;

/// Messages to one core sent ahead of the turn's end.
pub const BATCH_PUBLICATIONS_MAX: usize = 512;

/// Emptied lists of messages a core keeps.
pub const SPARE_BATCHES_MAX: usize = 16;

/// Connections of the local machine that may come in beyond `maxclients`, so that an operator can.
pub const RESERVED_CONNECTIONS: u64 = 16;
