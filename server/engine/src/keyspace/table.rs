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
//! only: about 2 ns a word, so 20 us for a slot of 10,000 keys.
//!
//! Beyond 16 K buckets (100,000 keys that share one hash tag) 16 bits no longer tell the keys of
//! a bucket apart: everything stays correct, but a lookup looks at several entries.

use crate::memory::{Handle, prefetch_line};

/// Words of a bucket.
pub(super) const BUCKET_WORDS: usize = 8;

/// Most words a bucket has on average before the table grows: 7/8 full.
const FILL_MAX: usize = 7;

/// Words a bucket has on average after the table shrank.
const FILL_SHRUNK: usize = 5;

pub(super) type Bucket = [u64; BUCKET_WORDS];

const _: () = {
    assert!(size_of::<Bucket>() == 64);
    assert!(size_of::<SlotTable>() == 32); // two to a cache line, none across two
};

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

/// One slot's keys.
#[derive(Default, Debug)]
#[repr(align(32))]
pub(super) struct SlotTable {
    buckets: Box<[Bucket]>,
    len: u32,
    expires: u32,
}

impl SlotTable {
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Words with a due field.
    #[inline]
    pub fn expires(&self) -> usize {
        self.expires as usize
    }

    #[inline]
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// Heap bytes of the buckets.
    #[inline]
    pub fn array_bytes(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    /// The bucket a hash belongs to. The table must not be empty of buckets.
    #[inline]
    pub fn home(&self, hash16: u16) -> usize {
        (usize::from(hash16) * self.buckets.len()) >> 16
    }

    /// The first word with this hash whose handle `probe` accepts.
    #[inline]
    pub fn find<T>(
        &self,
        hash16: u16,
        mut probe: impl FnMut(Handle) -> Option<T>,
    ) -> Option<(Place, T)> {
        let mut at = self.home(hash16);
        // Ends because at most 7/8 of the words are taken; `get` also answers for no buckets.
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
            if bucket[BUCKET_WORDS - 1] == 0 {
                return None;
            }
            at = self.behind(at);
        }
        None
    }

    /// The word at `place`.
    #[inline]
    pub fn word(&self, place: Place) -> u64 {
        self.buckets[place.bucket][place.index]
    }

    /// Replaces the word at `place` by one of the same hash.
    #[inline]
    pub fn replace(&mut self, place: Place, word: u64) {
        let old = std::mem::replace(&mut self.buckets[place.bucket][place.index], word);
        debug_assert!(old != 0 && word::hash16(old) == word::hash16(word));
        self.expires -= u32::from(word::due(old) != 0);
        self.expires += u32::from(word::due(word) != 0);
    }

    /// Adds a word, after growing if need be.
    #[inline]
    pub fn insert(&mut self, word: u64) {
        debug_assert!(word != 0);
        if self.len() >= self.buckets.len() * FILL_MAX {
            self.rebuild(size_class(self.buckets.len() + 1));
        }
        self.place(word);
        self.len += 1;
        self.expires += u32::from(word::due(word) != 0);
    }

    /// Takes the word at `place` out. Words may move into it from behind, never the other way:
    /// who walks forward looks at `place` again and misses none. Shrinking is left to
    /// [`SlotTable::shrink`].
    pub fn remove(&mut self, place: Place) {
        let was_full = self.buckets[place.bucket][BUCKET_WORDS - 1] != 0;
        let word = take_word(&mut self.buckets[place.bucket], place.index);
        self.len -= 1;
        self.expires -= u32::from(word::due(word) != 0);
        if was_full {
            self.pull_back(place.bucket);
        }
    }

    /// Makes the table smaller if it is less than a third full.
    #[inline]
    pub fn shrink(&mut self) {
        if self.len() * 3 < self.buckets.len() * BUCKET_WORDS {
            self.shrink_now();
        }
    }

    #[cold]
    fn shrink_now(&mut self) {
        let buckets = size_class(self.len().div_ceil(FILL_SHRUNK));
        if buckets < self.buckets.len() {
            self.rebuild(buckets);
        }
    }

    /// All words, bucket by bucket.
    pub fn words(&self) -> impl Iterator<Item = u64> {
        self.buckets.iter().flatten().copied().filter(|word| *word != 0)
    }

    /// Visits the words whose home is the next bucket at or behind that of `hash16` that is home
    /// to any, and answers with the first hash behind theirs; nothing when no word was left.
    pub fn visit_group(&self, hash16: u16, mut visit: impl FnMut(u64)) -> Option<u32> {
        let buckets = self.buckets.len();
        let mut home = self.home(hash16);
        while home < buckets {
            let mut at = home;
            let mut met = false;
            loop {
                let bucket = &self.buckets[at];
                for &word in bucket.iter().take_while(|word| **word != 0) {
                    if self.home(word::hash16(word)) == home {
                        visit(word);
                        met = true;
                    }
                }
                if bucket[BUCKET_WORDS - 1] == 0 {
                    break;
                }
                at = self.behind(at);
            }
            if met {
                return Some(((home + 1) << 16).div_ceil(buckets) as u32);
            }
            home += 1;
        }
        None
    }

    /// Asks for the home bucket of `hash16`.
    #[inline]
    pub fn prefetch_bucket(&self, hash16: u16) {
        if let Some(bucket) = self.buckets.get(self.home(hash16)) {
            prefetch_line(&bucket[0]);
        }
    }

    /// Calls `prefetch` for every word in the home bucket that has the hash.
    #[inline]
    pub fn prefetch_entries(&self, hash16: u16, mut prefetch: impl FnMut(Handle)) {
        let Some(bucket) = self.buckets.get(self.home(hash16)) else { return };
        let mut candidates = matching(bucket, hash16);
        while candidates != 0 {
            let word = bucket[first(candidates)];
            if word != 0 {
                prefetch(word::handle(word));
            }
            candidates &= candidates - 1;
        }
    }

    #[inline]
    fn behind(&self, bucket: usize) -> usize {
        if bucket + 1 == self.buckets.len() { 0 } else { bucket + 1 }
    }

    /// Buckets from `from` on to `to`, cyclically.
    #[inline]
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.buckets.len() - from }
    }

    /// Puts a word into the first bucket with room from its home on.
    #[inline]
    fn place(&mut self, word: u64) {
        let mut at = self.home(word::hash16(word));
        while self.buckets[at][BUCKET_WORDS - 1] != 0 {
            at = self.behind(at);
        }
        let bucket = &mut self.buckets[at];
        bucket[taken(bucket)] = word;
    }

    /// The bucket `hole` was full and lost a word. Finds the next word behind it that would have
    /// stood in it had there been room, moves it back, and goes on with the hole it leaves.
    fn pull_back(&mut self, mut hole: usize) {
        let mut at = self.behind(hole);
        while at != hole {
            let was_full = self.buckets[at][BUCKET_WORDS - 1] != 0;
            let back = self.distance(hole, at);
            let displaced = self.buckets[at].iter().position(|&word| {
                word != 0 && self.distance(self.home(word::hash16(word)), at) >= back
            });
            if let Some(index) = displaced {
                let word = take_word(&mut self.buckets[at], index);
                debug_assert!(self.buckets[hole][BUCKET_WORDS - 1] == 0);
                self.buckets[hole][BUCKET_WORDS - 1] = word;
                hole = at;
            }
            if !was_full {
                return;
            }
            at = self.behind(at);
        }
    }

    #[cold]
    fn rebuild(&mut self, buckets: usize) {
        debug_assert!(self.len() <= buckets * FILL_MAX);
        let bigger = vec![[0; BUCKET_WORDS]; buckets].into_boxed_slice();
        let old = std::mem::replace(&mut self.buckets, bigger);
        for &word in old.iter().flatten().filter(|word| **word != 0) {
            self.place(word);
        }
    }
}

/// Table sizes: four steps to each doubling, so that a table is never far from full, at the
/// sizes mimalloc's classes have. The smallest of them that has `buckets`.
const fn size_class(buckets: usize) -> usize {
    if buckets <= 8 {
        return buckets;
    }
    buckets.next_multiple_of(1 << (buckets.ilog2() - 2))
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
