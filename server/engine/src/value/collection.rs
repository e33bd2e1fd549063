//! What every collection type promises, so that keyspace, effects and snapshots treat them alike.
//!
//! A collection changes only through [`Collection::apply`]. The edit that went in is what the log
//! and the replicas get, and applying it again to the same collection gives the same content: this
//! is how a handler cannot forget an effect. It is read through its [`View`], which does not need
//! the collection itself: a small one is nothing but bytes in the entry of its key.

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

/// A collection that is only read, wherever its bytes lie: in a [`Collection`], or in the entry of
/// its key, see [`Collection::into_inline`].
pub trait View: Copy {
    /// What it is a view of.
    type Of: Collection;

    /// Elements, members, fields or stream entries.
    fn len(self) -> usize;

    /// Whether there are none; of a stream it does not mean that the key is to go.
    fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The earliest moment, in Unix milliseconds, after which a part of it is to go; `None` for
    /// what has no deadlines inside. Cheap: it is asked for around every change.
    fn next_deadline(self) -> Option<i64> {
        None
    }

    /// What OBJECT ENCODING answers, as Redis 7.2.
    fn encoding_name(self) -> &'static str;

    /// A hash of the content: equal for equal content, whatever layout and history.
    fn digest(self) -> u64;

    /// Calls `visit` with edits that make an empty collection equal to this one: how a whole value
    /// is copied, sent to another core or written down. O(n).
    fn for_each_edit(self, visit: &mut dyn FnMut(<Self::Of as Collection>::Edit<'_>));
}

/// A list, set, sorted set, hash or stream.
pub trait Collection: Default + 'static {
    /// The type TYPE answers.
    const KIND: Kind;

    /// One change. Borrowed: an edit copies nothing before it is applied.
    type Edit<'e>: Copy;

    /// How it is read.
    type View<'a>: View<Of = Self>;

    fn view(&self) -> Self::View<'_>;

    /// As [`View::len`].
    #[inline]
    fn len(&self) -> usize {
        self.view().len()
    }

    /// Whether the key is to go. (A stream stays; it answers false.)
    #[inline]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Makes the change; whether there was one. An edit that changes nothing leaves no trace.
    fn apply(&mut self, edit: Self::Edit<'_>, rules: &Rules) -> bool;

    /// Appends the edit's encoding, which [`Collection::decode_edit`] reads.
    fn encode_edit(edit: Self::Edit<'_>, out: &mut Vec<u8>);

    /// `None` when the bytes are not exactly one edit. Never panics.
    fn decode_edit(bytes: &[u8]) -> Option<Self::Edit<'_>>;

    /// As [`View::for_each_edit`].
    fn for_each_edit(&self, visit: &mut dyn FnMut(Self::Edit<'_>)) {
        self.view().for_each_edit(visit);
    }

    /// As [`View::next_deadline`].
    #[inline]
    fn next_deadline(&self) -> Option<i64> {
        self.view().next_deadline()
    }

    /// As [`View::encoding_name`].
    fn encoding_name(&self) -> &'static str {
        self.view().encoding_name()
    }

    /// As [`View::digest`].
    fn digest(&self) -> u64 {
        self.view().digest()
    }

    /// An empty one that grows in `buffer`, which has no content, if it packs at all.
    fn in_buffer(buffer: Vec<u8>) -> Self {
        drop(buffer);
        Self::default()
    }

    /// The bytes that are the whole collection, with the number of their form (0 to 15), if it is
    /// packed and they are at most `bytes_max`: what the entry of its key keeps instead of it.
    ///
    /// # Errors
    /// The collection, unchanged, if it is large.
    fn into_inline(self, bytes_max: usize) -> Result<(u8, Vec<u8>), Self> {
        let _room_enough = bytes_max;
        Err(self)
    }

    /// The collection that [`Collection::into_inline`] made these bytes of.
    fn from_inline(form: u8, bytes: Vec<u8>) -> Self;

    /// As [`Collection::from_inline`], read where the bytes lie.
    fn view_inline(form: u8, bytes: &[u8]) -> Self::View<'_>;

    /// Gives back room that a buffer of [`Collection::in_buffer`] has too much: it stays as it is.
    fn fit(&mut self) {}

    /// Heap bytes behind the collection. O(1).
    fn heap_bytes(&self) -> usize;

    /// What the last edits have cut off and not freed, because it is too much for one call: whoever
    /// keeps the collection frees it in slices.
    fn take_debris(&mut self, rules: &Rules) -> Option<Self> {
        let _frees_at_once = rules;
        None
    }

    /// Whether an edit has left work that nobody can see but in memory, because it is too much for
    /// one call: whoever keeps the collection has it done in slices. O(1).
    #[inline]
    fn is_untidy(&self) -> bool {
        false
    }

    /// Does some of that work: about what freeing `pieces` allocations takes.
    fn tidy(&mut self, pieces: usize) {
        let _always_tidy = pieces;
    }

    /// Frees up to about `pieces` allocations of a collection nobody refers to any more, and says
    /// whether any are left: how ten million members go without a stall. O(`pieces`).
    fn dismantle(&mut self, pieces: usize) -> bool;

    /// Asserts what must hold between any two calls. O(n); for tests and DEBUG.
    fn check_invariants(&self, rules: &Rules);
}

/// Shrinks a packed buffer that has much more room than bytes.
pub(super) fn fit_buffer(bytes: &mut Vec<u8>) {
    if bytes.capacity() - bytes.len() > bytes.len() / 16 {
        bytes.shrink_to_fit();
    }
}

/// Puts `count` behind the packed bytes of a collection, for its entry.
///
/// # Errors
/// The bytes as they were, if they do not fit in `bytes_max`, or the count in a byte.
pub(super) fn seal_inline(
    mut bytes: Vec<u8>,
    count: usize,
    bytes_max: usize,
) -> Result<Vec<u8>, Vec<u8>> {
    match u8::try_from(count) {
        Ok(count) if bytes.len() < bytes_max => {
            bytes.push(count);
            Ok(bytes)
        }
        _ => Err(bytes),
    }
}
