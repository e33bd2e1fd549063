//! The large form of sets and hashes: a hash table that grows a page at a time.
//!
//! Linear hashing: a dictionary of N pages, 2^L <= N < 2^(L+1), has split the first N - 2^L of
//! them; page and bucket follow from the top bits of the keyed hash. Beyond a mean of
//! [`PAGE_BYTES`] a page the next one in turn is split, below half of that the last one is merged
//! back: no growth and no shrinking ever costs more than one page, and a walk in the order of
//! hashes meets each element that stays, whatever splits and merges happen meanwhile.
//!
//! ```text
//! dictionary -> chunks of 128 pages -> page (one allocation) -> bucket -> element
//! ```
//!
//! Nothing is allocated for an element, unless a text of it is long. Deadlines lie with their
//! fields; pages, chunks and the whole know the earliest of theirs, which is index enough.

mod element;
mod packed;
mod page;
mod walk;

pub use element::Entry;
pub use packed::{Packed, PackedView};

use crate::base::random::Random;
use ahash::RandomState;
use page::{NEVER, Page};
use std::hash::{BuildHasher, Hasher};

/// Mean bytes of a page. Smaller ones cost memory (48 bytes each), larger ones the time to move
/// what lies behind a change, and memory as well: pages grow together from one of the allocator's
/// classes to the next, and the fewer elements they have the less they do so in step, leaving
/// holes behind. Resident bytes of an element of 10+64 and of 10 bytes, a million each: 4,096
/// bytes 113 and 22, 2,048 106 and 20, 1,024 97 and 19, 768 94 and 18, 512 94 and 19.
const PAGE_BYTES: usize = 1024;

/// Pages of a chunk: how far a rank is counted page by page.
const CHUNK_PAGES: usize = 128;

#[derive(Debug)]
struct Chunk<const PAIRS: bool> {
    pages: Vec<Page<PAIRS>>,
    count: usize,
    due: i64,
}

/// Elements by field. `PAIRS`: with values, as a hash has them.
#[derive(Debug)]
pub struct Dict<const PAIRS: bool> {
    chunks: Vec<Chunk<PAIRS>>,
    pages: usize,
    count: usize,
    used_bytes: usize,
    page_heap_bytes: usize,
    /// The earliest deadline of all, [`NEVER`] without one.
    due: i64,
    hasher: RandomState,
}

/// What a page contributes to its chunk and to the whole.
#[derive(Clone, Copy)]
struct Share {
    count: usize,
    used_bytes: usize,
    heap_bytes: usize,
    due: i64,
}

impl Share {
    fn of<const PAIRS: bool>(page: &Page<PAIRS>) -> Share {
        Share {
            count: page.len(),
            used_bytes: page.used_bytes(),
            heap_bytes: page.heap_bytes(),
            due: page.due(),
        }
    }
}

impl<const PAIRS: bool> Dict<PAIRS> {
    /// An empty dictionary whose hashes are keyed with `seed`.
    pub fn new(seed: u64) -> Dict<PAIRS> {
        let mut keys = Random::new(seed);
        let [a, b, c, d] = std::array::from_fn(|_| keys.next_u64());
        let mut dict = Dict {
            chunks: Vec::new(),
            pages: 0,
            count: 0,
            used_bytes: 0,
            page_heap_bytes: 0,
            due: NEVER,
            hasher: RandomState::with_seeds(a, b, c, d),
        };
        dict.push_page(Page::default());
        dict
    }

    pub fn len(&self) -> usize {
        self.count
    }

    /// Heap bytes, the dictionary's own included.
    pub fn heap_bytes(&self) -> usize {
        let last = self.chunks.last().map_or(0, |chunk| chunk.pages.capacity());
        let frames = self.chunks.len().saturating_sub(1) * CHUNK_PAGES + last;
        size_of::<Dict<PAIRS>>()
            + self.chunks.capacity() * size_of::<Chunk<PAIRS>>()
            + frames * size_of::<Page<PAIRS>>()
            + self.page_heap_bytes
    }

    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Entry<'_>> {
        let hash = self.hash(field);
        let (address, tail) = self.locate(hash);
        self.page(address).bucket_of(tail).get(field)
    }

    /// Adds the field or replaces its value; whether it is new.
    pub fn insert(&mut self, field: &[u8], value: &[u8], keep_deadline: bool) -> bool {
        let (address, tail) = self.locate(self.hash(field));
        let is_new = self.change(address, |page| page.insert(tail, field, value, keep_deadline));
        if self.page(address).is_dense() {
            self.refine(address);
        }
        if self.used_bytes > self.pages * PAGE_BYTES {
            self.split_next();
        }
        is_new
    }

    pub fn remove(&mut self, field: &[u8]) -> bool {
        let (address, tail) = self.locate(self.hash(field));
        let was_there = self.change(address, |page| page.remove(tail, field));
        if self.pages > 1 && self.used_bytes < self.pages * PAGE_BYTES / 2 {
            self.merge_last();
        }
        was_there
    }

    /// Gives a field its deadline or takes it; whether that was a change.
    pub fn set_deadline(&mut self, field: &[u8], deadline: Option<i64>) -> bool {
        let (address, tail) = self.locate(self.hash(field));
        self.change(address, |page| page.set_deadline(tail, field, deadline))
    }

    /// The earliest deadline.
    pub fn next_deadline(&self) -> Option<i64> {
        Some(self.due).filter(|&due| due != NEVER)
    }

    /// Frees up to about `pieces` allocations; whether any are left. Nothing else may be called
    /// afterwards.
    pub fn dismantle(&mut self, pieces: usize) -> bool {
        let mut freed = 0;
        while freed < pieces {
            let Some(chunk) = self.chunks.last_mut() else { return false };
            match chunk.pages.pop() {
                Some(page) => {
                    self.page_heap_bytes -= page.heap_bytes();
                    freed += page.pieces();
                }
                None => {
                    self.chunks.pop();
                }
            }
        }
        !self.chunks.is_empty()
    }

    #[inline]
    fn hash(&self, field: &[u8]) -> u64 {
        hash(&self.hasher, field)
    }

    /// The page of a hash, and the hash without the bits that chose it, shifted to the top.
    #[inline]
    fn locate(&self, hash: u64) -> (usize, u64) {
        let split_bits = self.pages.ilog2();
        let wide = hash.reverse_bits() as usize & ((2 << split_bits) - 1);
        let narrow = wide & ((1 << split_bits) - 1);
        let address = if wide < self.pages { wide } else { narrow };
        (address, hash << self.depth(address))
    }

    /// How many bits of the hash lead to this page.
    #[inline]
    fn depth(&self, address: usize) -> u32 {
        let split_bits = self.pages.ilog2();
        let low = address & ((1 << split_bits) - 1);
        split_bits + u32::from(low < self.pages - (1 << split_bits))
    }

    #[inline]
    fn page(&self, address: usize) -> &Page<PAIRS> {
        &self.chunks[address / CHUNK_PAGES].pages[address % CHUNK_PAGES]
    }

    /// Changes a page, and what chunk and dictionary know of it.
    #[inline]
    fn change<R>(&mut self, address: usize, change: impl FnOnce(&mut Page<PAIRS>) -> R) -> R {
        let chunk = &mut self.chunks[address / CHUNK_PAGES];
        let page = &mut chunk.pages[address % CHUNK_PAGES];
        let before = Share::of(page);
        let result = change(page);
        let after = Share::of(page);
        self.account(address / CHUNK_PAGES, before, after);
        result
    }

    #[inline]
    fn account(&mut self, chunk_index: usize, before: Share, after: Share) {
        let chunk = &mut self.chunks[chunk_index];
        chunk.count = chunk.count + after.count - before.count;
        self.count = self.count + after.count - before.count;
        self.used_bytes = self.used_bytes + after.used_bytes - before.used_bytes;
        self.page_heap_bytes = self.page_heap_bytes + after.heap_bytes - before.heap_bytes;
        if before.due != after.due {
            self.note_due(chunk_index, before.due, after.due);
        }
    }

    /// Keeps the earliest deadlines right after that of a page has changed.
    #[cold]
    fn note_due(&mut self, chunk_index: usize, was: i64, is: i64) {
        let chunk = &mut self.chunks[chunk_index];
        let chunk_was = chunk.due;
        if was == chunk.due {
            chunk.due = chunk.pages.iter().map(Page::due).min().unwrap_or(NEVER);
        }
        chunk.due = chunk.due.min(is);
        let chunk_is = chunk.due;
        if chunk_was == self.due {
            self.due = self.chunks.iter().map(|chunk| chunk.due).min().unwrap_or(NEVER);
        }
        self.due = self.due.min(chunk_is);
    }

    #[cold]
    fn refine(&mut self, address: usize) {
        let (hasher, depth) = (self.hasher.clone(), self.depth(address));
        self.change(address, |page| {
            while page.is_dense() {
                page.refine(|field| hash(&hasher, field) << depth);
            }
        });
    }

    /// Splits the page whose turn it is.
    #[cold]
    fn split_next(&mut self) {
        let address = self.pages - (1 << self.pages.ilog2());
        let (hasher, depth) = (self.hasher.clone(), self.depth(address));
        let sibling =
            self.change(address, |page| page.split(|field| hash(&hasher, field) << depth));
        let sibling_address = self.pages;
        self.push_page(sibling);
        self.refine(address);
        self.refine(sibling_address);
    }

    /// Merges the last page with the one it was split from.
    #[cold]
    fn merge_last(&mut self) {
        let sibling = self.pop_page();
        let address = self.pages - (1 << self.pages.ilog2());
        self.change(address, |page| page.merge(sibling));
        self.refine(address);
    }

    fn push_page(&mut self, page: Page<PAIRS>) {
        if self.pages.is_multiple_of(CHUNK_PAGES) {
            // Most dictionaries have one chunk, and at first one page.
            self.chunks.reserve_exact(usize::from(self.chunks.is_empty()));
            let pages = Vec::with_capacity(usize::from(self.chunks.is_empty()));
            self.chunks.push(Chunk { pages, count: 0, due: NEVER });
        }
        let chunk_index = self.chunks.len() - 1;
        let nothing = Share { count: 0, used_bytes: 0, heap_bytes: 0, due: NEVER };
        let share = Share::of(&page);
        self.chunks[chunk_index].pages.push(page);
        self.pages += 1;
        self.account(chunk_index, nothing, share);
    }

    /// Takes the last of several pages out.
    fn pop_page(&mut self) -> Page<PAIRS> {
        let chunk_index = self.chunks.len() - 1;
        let page = self.chunks[chunk_index].pages.pop().unwrap_or_default();
        self.pages -= 1;
        let nothing = Share { count: 0, used_bytes: 0, heap_bytes: 0, due: NEVER };
        self.account(chunk_index, Share::of(&page), nothing);
        if self.chunks[chunk_index].pages.is_empty() {
            self.chunks.pop();
        }
        page
    }

    /// Asserts what must hold between any two calls. O(n).
    pub fn check_invariants(&self) {
        let mut sum = Share { count: 0, used_bytes: 0, heap_bytes: 0, due: NEVER };
        for (index, chunk) in self.chunks.iter().enumerate() {
            assert_eq!(chunk.count, chunk.pages.iter().map(Page::len).sum::<usize>());
            assert_eq!(chunk.due, chunk.pages.iter().map(Page::due).min().unwrap_or(NEVER));
            for (page_index, page) in chunk.pages.iter().enumerate() {
                let share = Share::of(page);
                sum.count += share.count;
                sum.used_bytes += share.used_bytes;
                sum.heap_bytes += share.heap_bytes;
                sum.due = sum.due.min(share.due);
                let address = index * CHUNK_PAGES + page_index;
                page.check_invariants(|field| {
                    let (home, tail) = self.locate(self.hash(field));
                    assert_eq!(home, address, "an element lies in another page than it should");
                    tail
                });
            }
        }
        assert_eq!((sum.count, sum.due), (self.count, self.due));
        assert_eq!((sum.used_bytes, sum.heap_bytes), (self.used_bytes, self.page_heap_bytes));
        assert_eq!(self.chunks.iter().map(|chunk| chunk.pages.len()).sum::<usize>(), self.pages);
    }
}

/// The keyed hash of a field: a client that does not know the key cannot choose fields that fill
/// one page.
#[inline]
fn hash(hasher: &RandomState, field: &[u8]) -> u64 {
    let mut hasher = hasher.build_hasher();
    hasher.write(field);
    hasher.finish()
}

#[cfg(test)]
mod tests;
