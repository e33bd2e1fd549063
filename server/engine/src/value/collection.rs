//! What every collection type promises, so that keyspace, effects and snapshots treat them alike.
//!
//! A collection changes only through [`Collection::apply`]. The edit that went in is what the log
//! and the replicas get, and applying it again to the same collection gives the same content: this
//! is how a handler cannot forget an effect.

use super::Kind;

/// When a collection leaves its packed form (the `*-max-listpack-*` options), and the seed of its
/// hashes. Content never depends on them, only layout and OBJECT ENCODING do.
#[derive(Clone, Debug)]
pub struct Rules {
    /// `list-max-listpack-size`: entries if positive, otherwise -1 … -5 for 4 … 64 KiB.
    pub list_max_listpack_size: i64,
    pub hash_max_listpack_entries: usize,
    pub hash_max_listpack_value_bytes: usize,
    pub set_max_intset_entries: usize,
    pub set_max_listpack_entries: usize,
    pub set_max_listpack_value_bytes: usize,
    pub zset_max_listpack_entries: usize,
    pub zset_max_listpack_value_bytes: usize,
    pub stream_node_max_bytes: usize,
    pub stream_node_max_entries: usize,
    /// Keys the hashes of large collections, so that no client can choose members that collide.
    pub hash_seed: u64,
}

impl Default for Rules {
    /// Redis 7.2's thresholds.
    fn default() -> Rules {
        Rules {
            list_max_listpack_size: -2,
            hash_max_listpack_entries: 512,
            hash_max_listpack_value_bytes: 64,
            set_max_intset_entries: 512,
            set_max_listpack_entries: 128,
            set_max_listpack_value_bytes: 64,
            zset_max_listpack_entries: 128,
            zset_max_listpack_value_bytes: 64,
            stream_node_max_bytes: 4096,
            stream_node_max_entries: 100,
            hash_seed: 0,
        }
    }
}

/// A list, set, sorted set, hash or stream.
pub trait Collection: Default + 'static {
    /// The type TYPE answers.
    const KIND: Kind;

    /// One change. Borrowed: an edit copies nothing before it is applied.
    type Edit<'e>: Copy;

    /// Elements, members, fields or stream entries.
    fn len(&self) -> usize;

    /// Whether the key is to go. (A stream stays; it answers false.)
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes the change; whether there was one. An edit that changes nothing leaves no trace.
    fn apply(&mut self, edit: Self::Edit<'_>, rules: &Rules) -> bool;

    /// Appends the edit's encoding, which [`Collection::decode_edit`] reads.
    fn encode_edit(edit: Self::Edit<'_>, out: &mut Vec<u8>);

    /// `None` when the bytes are not exactly one edit. Never panics.
    fn decode_edit(bytes: &[u8]) -> Option<Self::Edit<'_>>;

    /// Calls `visit` with edits that make an empty collection equal to this one: how a whole value
    /// is copied, sent to another core or written down. O(n).
    fn for_each_edit(&self, visit: &mut dyn FnMut(Self::Edit<'_>));

    /// The earliest moment, in Unix milliseconds, after which a part of it is to go; `None` for
    /// what has no deadlines inside. Cheap: it is asked for around every change.
    fn next_deadline(&self) -> Option<i64> {
        None
    }

    /// What OBJECT ENCODING answers, as Redis 7.2.
    fn encoding_name(&self) -> &'static str;

    /// Heap bytes behind the collection. O(1).
    fn heap_bytes(&self) -> usize;

    /// A hash of the content: equal for equal content, whatever layout and history.
    fn digest(&self) -> u64;

    /// What the last edits have cut off and not freed, because it is too much for one call: whoever
    /// keeps the collection frees it in slices.
    fn take_debris(&mut self, rules: &Rules) -> Option<Self> {
        let _frees_at_once = rules;
        None
    }

    /// Frees up to about `pieces` allocations of a collection nobody refers to any more, and says
    /// whether any are left: how ten million members go without a stall. O(`pieces`).
    fn dismantle(&mut self, pieces: usize) -> bool;

    /// Asserts what must hold between any two calls. O(n); for tests and DEBUG.
    fn check_invariants(&self, rules: &Rules);
}
