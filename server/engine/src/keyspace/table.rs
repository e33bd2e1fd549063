//! The hash table of one slot in one database: buckets of eight words, one cache line each.
//!
//! ```text
//! word: hash16 (63..48) | due (47..36) | handle (35..0)      0 = empty
//! ```
//!
//! A word's home is `hash16 * buckets >> 16`, which keeps the order of hashes at every size: SCAN
//! walks by hash and survives growth. A word whose home is full stands in the next bucket with
//! room, cyclically; every bucket from its home up to it is full. Words fill a bucket from the
//! front, so the last word tells whether it is full. Removal pulls displaced words back (their
//! home is in the word, no entry is touched), so there are no tombstones. Growth moves words
//! only: a few ns a word, so about 20 us for a slot of 6,000 keys, which is what 100 M keys in one
//! node come to. Where the buckets lie is up to `tables`.
//!
//! Beyond 16 K buckets (100,000 keys that share one hash tag) 16 bits no longer tell the keys of
//! a bucket apart: everything stays correct, but a lookup looks at several entries.

use crate::memory::{Handle, prefetch_line};

/// Words of a bucket.
pub(super) const BUCKET_WORDS: usize = 8;

pub(super) type Bucket = [u64; BUCKET_WORDS];

const _: () = assert!(size_of::<Bucket>() == 64);

/// Taking words apart.
pub(super) mod word {
    use crate::memory::Handle;

    pub const DUE_BITS: u32 = 12;
    const DUE_MASK: u64 = (1 << DUE_BITS) - 1;
    const HANDLE_MASK: u64 = (1 << Handle::BITS) - 1;

    #[inline]
    pub const fn new(hash16: u16, due: u16, handle: Handle) -> u64 {
        (hash16 as u64) << 48 | (due as u64) << Handle::BITS | handle.bits()
    }

    #[inline]
    pub const fn hash16(word: u64) -> u16 {
        (word >> 48) as u16
    }

    #[inline]
    pub const fn due(word: u64) -> u16 {
        (word >> Handle::BITS & DUE_MASK) as u16
    }

    #[inline]
    pub const fn handle(word: u64) -> Handle {
        Handle::from_bits(word & HANDLE_MASK)
    }

    #[inline]
    pub const fn with_due(word: u64, due: u16) -> u64 {
        word & !(DUE_MASK << Handle::BITS) | (due as u64) << Handle::BITS
    }
}

/// Where a word stands. Valid until the table changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub bucket: usize,
    pub index: usize,
}

/// One slot's keys, to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    pub buckets: &'a [Bucket],
    /// Words in it.
    pub len: usize,
}

impl<'a> Table<'a> {
    /// The first word with this hash whose handle `probe` accepts.
    #[inline]
    pub fn find<T>(
        self,
        hash16: u16,
        mut probe: impl FnMut(Handle) -> Option<T>,
    ) -> Option<(Place, T)> {
        let mut at = home(self.buckets.len(), hash16);
        // Ends because some word is always empty; `get` also answers for no buckets.
        while let Some(bucket) = self.buckets.get(at) {
            let mut candidates = matching(bucket, hash16);
            while candidates != 0 {
                let index = first(candidates);
                let word = bucket[index];
                if word != 0
                    && let Some(found) = probe(word::handle(word))
                {
                    return Some((Place { bucket: at, index }, found));
                }
                candidates &= candidates - 1;
            }
            if !is_full(bucket) {
                return None;
            }
            at = behind(self.buckets.len(), at);
        }
        None
    }

    /// The word at `place`.
    #[inline]
    pub fn word(self, place: Place) -> u64 {
        self.buckets[place.bucket][place.index]
    }

    /// All words, bucket by bucket.
    pub fn words(self) -> impl Iterator<Item = u64> {
        self.buckets.iter().flatten().copied().filter(|word| *word != 0)
    }

    /// Visits the words whose home is the next bucket at or behind that of `hash16` that is home
    /// to any, and answers with the first hash behind theirs; nothing when no word was left.
    pub fn visit_group(self, hash16: u16, mut visit: impl FnMut(u64)) -> Option<u32> {
        let buckets = self.buckets.len();
        for group in home(buckets, hash16)..buckets {
            let mut at = group;
            let mut met = false;
            loop {
                let bucket = &self.buckets[at];
                for &word in bucket.iter().take_while(|word| **word != 0) {
                    if home(buckets, word::hash16(word)) == group {
                        visit(word);
                        met = true;
                    }
                }
                if !is_full(bucket) {
                    break;
                }
                at = behind(buckets, at);
            }
            if met {
                return Some(((group + 1) << 16).div_ceil(buckets) as u32);
            }
        }
        None
    }

    /// Asks for the home bucket of a hash.
    #[inline]
    pub fn prefetch_home(self, hash16: u16) -> Option<&'a Bucket> {
        let bucket = self.buckets.get(home(self.buckets.len(), hash16))?;
        prefetch_line(&bucket[0]);
        Some(bucket)
    }
}

/// Calls `prefetch` for every word in a home bucket that has the hash.
#[inline]
pub(super) fn prefetch_entries(home: &Bucket, hash16: u16, mut prefetch: impl FnMut(Handle)) {
    let mut candidates = matching(home, hash16);
    while candidates != 0 {
        let word = home[first(candidates)];
        if word != 0 {
            prefetch(word::handle(word));
        }
        candidates &= candidates - 1;
    }
}

/// The bucket a hash belongs to, among so many.
#[inline]
pub(super) fn home(buckets: usize, hash16: u16) -> usize {
    (usize::from(hash16) * buckets) >> 16
}

/// Puts a word into the first bucket with room from its home on. There must be room.
#[inline]
pub(super) fn place(buckets: &mut [Bucket], word: u64) {
    let count = buckets.len();
    let mut at = home(count, word::hash16(word));
    while is_full(&buckets[at]) {
        at = behind(count, at);
    }
    let bucket = &mut buckets[at];
    bucket[taken(bucket)] = word;
}

/// Takes the word at `place` out. Words may move into it from behind, never the other way: who
/// walks forward looks at `place` again and misses none.
#[inline]
pub(super) fn take(buckets: &mut [Bucket], place: Place) -> u64 {
    let was_full = is_full(&buckets[place.bucket]);
    let word = take_word(&mut buckets[place.bucket], place.index);
    if was_full {
        pull_back(buckets, place.bucket);
    }
    word
}

/// The bucket `hole` was full and lost a word. Finds the next word behind it that would have
/// stood in it had there been room, moves it back, and goes on with the hole it leaves.
fn pull_back(buckets: &mut [Bucket], mut hole: usize) {
    let count = buckets.len();
    let distance = |from: usize, to: usize| if to >= from { to - from } else { to + count - from };
    let mut at = behind(count, hole);
    while at != hole {
        let was_full = is_full(&buckets[at]);
        let back = distance(hole, at);
        let displaced = buckets[at]
            .iter()
            .position(|&word| word != 0 && distance(home(count, word::hash16(word)), at) >= back);
        if let Some(index) = displaced {
            let word = take_word(&mut buckets[at], index);
            debug_assert!(!is_full(&buckets[hole]));
            buckets[hole][BUCKET_WORDS - 1] = word;
            hole = at;
        }
        if !was_full {
            return;
        }
        at = behind(count, at);
    }
}

#[inline]
fn behind(buckets: usize, bucket: usize) -> usize {
    if bucket + 1 == buckets { 0 } else { bucket + 1 }
}

/// Whether no word is empty: they fill from the front.
#[inline]
fn is_full(bucket: &Bucket) -> bool {
    bucket[BUCKET_WORDS - 1] != 0
}

/// How many words of the bucket are taken.
#[inline]
fn taken(bucket: &Bucket) -> usize {
    bucket.iter().map(|word| usize::from(*word != 0)).sum()
}

/// Takes a word out of a bucket; its last word fills the gap.
#[inline]
fn take_word(bucket: &mut Bucket, index: usize) -> u64 {
    let last = taken(bucket) - 1;
    let word = bucket[index];
    bucket[index] = bucket[last];
    bucket[last] = 0;
    word
}

/// Bit `i` for each word `i` with this hash; an empty word counts as hash 0. No branches: two or
/// three instructions a word.
#[inline]
fn matching(bucket: &Bucket, hash16: u16) -> u32 {
    let mut matches = 0;
    for (index, word) in bucket.iter().enumerate() {
        matches |= u32::from(word::hash16(*word) == hash16) << index;
    }
    matches
}

/// The word that the lowest bit of a [`matching`] mask stands for.
#[inline]
fn first(matches: u32) -> usize {
    matches.trailing_zeros() as usize % BUCKET_WORDS
}

#[cfg(test)]
mod tests;
