//! The tables of all slots of one database: a 16-byte header each. When a table grows or shrinks
//! its words are placed anew in another block of the store.

use super::store::{Block, Store, size_class};
use super::table::{BUCKET_WORDS, Place, Table, place, take, word};
use crate::memory::prefetch_line;

/// Words a bucket has on average before its table grows: 7/8 full.
const FILL_MAX: usize = 7;

/// Words a bucket has on average after its table shrank.
const FILL_SHRUNK: usize = 5;

/// What is known of one slot's table beside its words.
#[derive(Clone, Copy, Default, Debug)]
struct Header {
    block: Block,
    buckets: u32,
    len: u32,
    expires: u32,
}

const _: () = assert!(size_of::<Header>() == 16); // four to a cache line, none across two

/// The tables of all slots.
#[derive(Default, Debug)]
pub(super) struct Tables {
    headers: Vec<Header>,
    store: Store,
}

impl Tables {
    /// Empty tables for so many slots.
    pub fn new(slots: usize) -> Tables {
        Tables { headers: vec![Header::default(); slots], store: Store::new() }
    }

    /// How many slots there are tables for; none before the database is used.
    #[inline]
    pub fn slots(&self) -> usize {
        self.headers.len()
    }

    /// Bytes of headers and pages.
    #[inline]
    pub fn held_bytes(&self) -> usize {
        self.headers.capacity() * size_of::<Header>() + self.store.held_bytes()
    }

    /// The table of a slot; nothing if there is no such slot.
    #[inline]
    pub fn get(&self, slot: usize) -> Option<Table<'_>> {
        let header = self.headers.get(slot)?;
        Some(Table {
            buckets: self.store.buckets(header.block, header.buckets as usize),
            len: header.len as usize,
        })
    }

    /// The table of a slot that is known to be there.
    #[inline]
    pub fn table(&self, slot: usize) -> Table<'_> {
        self.get(slot).expect("an owned slot")
    }

    /// The slots whose tables have buckets, in no order. O(those): for tests, which look at a
    /// handful of keys among thousands of slots.
    pub fn used_slots(&self) -> impl Iterator<Item = usize> {
        self.store.owners().map(|slot| slot as usize)
    }

    /// Keys of a slot, without looking at its buckets.
    #[inline]
    pub fn len(&self, slot: usize) -> usize {
        self.headers[slot].len as usize
    }

    /// Keys of a slot with a due field, without looking at its buckets.
    #[inline]
    pub fn expires(&self, slot: usize) -> usize {
        self.headers[slot].expires as usize
    }

    /// Asks for the header of a slot.
    #[inline]
    pub fn prefetch_header(&self, slot: usize) {
        if let Some(header) = self.headers.get(slot) {
            prefetch_line(header);
        }
    }

    /// Replaces the word at `place` by one of the same hash.
    #[inline]
    pub fn replace(&mut self, slot: usize, place: Place, word: u64) {
        let header = &mut self.headers[slot];
        let buckets = self.store.buckets_mut(header.block, header.buckets as usize);
        let old = std::mem::replace(&mut buckets[place.bucket][place.index], word);
        debug_assert!(old != 0 && word::hash16(old) == word::hash16(word));
        header.expires -= u32::from(word::due(old) != 0);
        header.expires += u32::from(word::due(word) != 0);
    }

    /// Adds a word, after growing if need be.
    #[inline]
    pub fn insert(&mut self, slot: usize, word: u64) {
        debug_assert!(word != 0);
        let Header { buckets, len, .. } = self.headers[slot];
        if len as usize >= buckets as usize * FILL_MAX {
            self.rebuild(slot, size_class(buckets as usize + 1));
        }
        let header = &mut self.headers[slot];
        place(self.store.buckets_mut(header.block, header.buckets as usize), word);
        header.len += 1;
        header.expires += u32::from(word::due(word) != 0);
    }

    /// Takes the word at `place` out, see [`take`]. Shrinking is left to [`Tables::shrink`].
    #[inline]
    pub fn remove(&mut self, slot: usize, place: Place) {
        let header = &mut self.headers[slot];
        let word = take(self.store.buckets_mut(header.block, header.buckets as usize), place);
        header.len -= 1;
        header.expires -= u32::from(word::due(word) != 0);
    }

    /// Makes a table smaller if it is less than a third full.
    #[inline]
    pub fn shrink(&mut self, slot: usize) {
        let Header { buckets, len, .. } = self.headers[slot];
        if len as usize * 3 < buckets as usize * BUCKET_WORDS {
            self.shrink_now(slot);
        }
    }

    #[cold]
    fn shrink_now(&mut self, slot: usize) {
        let Header { buckets, len, .. } = self.headers[slot];
        let smaller = size_class((len as usize).div_ceil(FILL_SHRUNK));
        if smaller < buckets as usize {
            self.rebuild(slot, smaller);
        }
    }

    #[cold]
    fn rebuild(&mut self, slot: usize, buckets: usize) {
        let Header { block: old, buckets: old_buckets, len, .. } = self.headers[slot];
        debug_assert!(len as usize <= buckets * FILL_MAX);
        let new = self.store.alloc(buckets, slot as u32);
        self.store.rehash((old, old_buckets as usize), (new, buckets));
        self.headers[slot].block = new;
        self.headers[slot].buckets = u32::try_from(buckets).expect("fewer than 2^32 buckets");
        if let Some((moved, block)) = self.store.free(old, old_buckets as usize) {
            self.headers[moved as usize].block = block;
        }
    }

    /// Forgets the last slot; its buckets stay until [`Tables::drop_some`].
    pub fn forget_last(&mut self) {
        self.headers.pop();
    }

    /// Drops up to `count` pages of tables that nobody reads any more, and says whether any are
    /// left.
    pub fn drop_some(&mut self, count: usize) -> bool {
        self.headers = Vec::new();
        self.store.drop_some(count)
    }

    /// Asserts that every table is where its header says and no page holds anything else. For
    /// tests.
    pub fn check_invariants(&self) {
        for slot in self.used_slots() {
            let header = &self.headers[slot];
            assert!(header.buckets > 0, "the store holds a table that no slot has");
            assert_eq!(self.store.owner(header.block, header.buckets as usize), slot as u32);
            assert!(header.len as usize <= header.buckets as usize * FILL_MAX);
        }
        self.store.check_invariants();
    }
}

#[cfg(test)]
mod tests;
