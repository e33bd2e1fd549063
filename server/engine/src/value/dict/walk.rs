//! Walks over a dictionary: all of it, from a cursor, an element by its rank, what is due.

use super::{Dict, Entry};
use crate::base::random::Random;

/// Cursors are the upper bits of a hash, so that they stay small numbers.
const CURSOR_SHIFT: u32 = 16;

impl<const PAIRS: bool> Dict<PAIRS> {
    /// All elements, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.chunks.iter().flat_map(|chunk| &chunk.pages).flat_map(|page| page.iter())
    }

    /// Visits at least `count` elements from `cursor` on, unless there are fewer, and returns the
    /// cursor to go on with: 0 at the end, as at the beginning. An element that is there from
    /// the first call to the last is visited at least once, however much the dictionary grows or
    /// shrinks in between, for the walk follows the order of hashes, which never changes. Any
    /// number is a cursor.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(Entry<'_>)) -> u64 {
        let mut position = cursor << CURSOR_SHIFT;
        let mut visited = 0;
        while visited < count {
            let (address, tail) = self.locate(position);
            let page = self.page(address);
            for entry in page.bucket_of(tail) {
                visit(entry);
                visited += 1;
            }
            let bits = self.depth(address) + page.bucket_bits();
            match next_range(position, bits) {
                Some(next) => position = next,
                None => return 0,
            }
        }
        position >> CURSOR_SHIFT
    }

    /// An element, each equally likely; `None` when there is none.
    pub fn random(&self, random: &mut Random) -> Option<Entry<'_>> {
        if self.count == 0 {
            return None;
        }
        self.ranked(random.below(self.count as u64) as usize)
    }

    /// The element before which `rank` others lie. O(chunks + pages of a chunk).
    fn ranked(&self, mut rank: usize) -> Option<Entry<'_>> {
        for chunk in &self.chunks {
            if rank >= chunk.count {
                rank -= chunk.count;
                continue;
            }
            for page in &chunk.pages {
                if rank < page.len() {
                    return page.iter().nth(rank);
                }
                rank -= page.len();
            }
        }
        None
    }

    /// Visits up to `max` of the elements whose deadline lies before `now`.
    pub fn for_each_due(&self, now: i64, max: usize, visit: &mut dyn FnMut(Entry<'_>)) {
        let chunks = self.chunks.iter().filter(|chunk| chunk.due < now);
        let pages = chunks.flat_map(|chunk| &chunk.pages).filter(|page| page.due() < now);
        let entries = pages.flat_map(|page| page.iter());
        entries.filter(|entry| entry.is_due(now)).take(max).for_each(visit);
    }
}

/// Where the range of hashes ends that share the first `bits` bits with `position`; `None` when
/// that is the end of all.
fn next_range(position: u64, bits: u32) -> Option<u64> {
    let shift = u64::BITS - bits;
    if bits == 0 {
        return None;
    }
    (position >> shift)
        .checked_add(1)
        .filter(|&next| next >> (bits - 1) < 2)
        .map(|next| next << shift)
}
