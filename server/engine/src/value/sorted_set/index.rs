//! Which block of a large sorted set holds a member: a table of (hash, block) that knows neither
//! members nor scores, eight bytes an element.
//!
//! Linear hashing (Litwin, 1980): one segment is split or merged at a time, so no insert pays for a
//! rehash, and there is no directory. Segment `a` holds the hashes whose low bits are `a`. A
//! segment
//! is an unsorted array that is read through; segments live in pages of fixed size, so the growth
//! of
//! the list of segments copies nothing that is large either. Hashes repeat: a hit is a candidate.

/// Elements per segment on average, before one is split. Half of it merges two.
const LOAD_MAX: usize = 28;
/// Segments in a page, a power of two: 12 KiB, what a page that grows copies at most.
const PAGE_SEGMENTS: usize = 512;

/// Hash in the high half, number of the block in the low half.
type Cell = u64;
type Segment = Vec<Cell>;

/// The table.
#[derive(Debug)]
pub struct Index {
    pages: Vec<Vec<Segment>>,
    segments: usize,
    len: usize,
    heap_bytes: usize,
}

fn cell(hash: u32, block: u32) -> Cell {
    u64::from(hash) << 32 | u64::from(block)
}

fn hash_of(cell: Cell) -> u32 {
    (cell >> 32) as u32
}

fn block_of(cell: Cell) -> u32 {
    cell as u32
}

impl Index {
    /// An empty table.
    pub fn new() -> Index {
        let mut index = Index { pages: Vec::new(), segments: 0, len: 0, heap_bytes: 0 };
        index.push_segment(Segment::new());
        index
    }

    /// Heap bytes, O(1).
    pub fn heap_bytes(&self) -> usize {
        self.heap_bytes + self.pages.capacity() * size_of::<Vec<Segment>>()
    }

    /// Members.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The blocks that may hold a member of this hash.
    pub fn candidates(&self, hash: u32) -> impl Iterator<Item = u32> {
        let segment = self.segment(self.address(hash));
        segment.iter().filter(move |&&cell| hash_of(cell) == hash).map(|&cell| block_of(cell))
    }

    /// A member of this hash is in `block` now.
    pub fn insert(&mut self, hash: u32, block: u32) {
        self.push(self.address(hash), cell(hash, block));
        self.len += 1;
        if self.len > self.segments * LOAD_MAX {
            self.split();
        }
    }

    /// A member of this hash is not in `block` any more.
    pub fn remove(&mut self, hash: u32, block: u32) {
        let address = self.address(hash);
        let segment = self.segment(address);
        let found = segment.iter().position(|&other| other == cell(hash, block));
        debug_assert!(found.is_some(), "the index names every member");
        let Some(at) = found else { return };
        self.resize(address, |segment| {
            segment.swap_remove(at);
            if segment.len() * 2 < segment.capacity() {
                segment.shrink_to(segment.len() + 4);
            }
        });
        self.len -= 1;
        if self.segments > 1 && self.len < self.segments * (LOAD_MAX / 2) {
            self.merge();
        }
    }

    /// A member of this hash went from one block to another.
    pub fn relocate(&mut self, hash: u32, from: u32, to: u32) {
        let address = self.address(hash);
        let page = &mut self.pages[address / PAGE_SEGMENTS];
        let segment = &mut page[address % PAGE_SEGMENTS];
        let found = segment.iter_mut().find(|other| **other == cell(hash, from));
        debug_assert!(found.is_some(), "the index names every member");
        if let Some(found) = found {
            *found = cell(hash, to);
        }
    }

    /// One step of a walk over all (hash, block): calls `visit` with those of one segment and
    /// returns where to go on, 0 when done. Positions are hashes with their bits reversed, in whose
    /// order a segment is an interval and a split halves it, so that what is there all the time is
    /// visited whatever is split or merged between two steps.
    pub fn scan(&self, cursor: u32, mut visit: impl FnMut(u32, u32)) -> u32 {
        let address = self.address(cursor.reverse_bits());
        for &cell in self.segment(address) {
            if hash_of(cell).reverse_bits() >= cursor {
                visit(hash_of(cell), block_of(cell));
            }
        }
        let bits = self.bits_of(address);
        let interval = 1u64 << (32 - bits);
        let begin = u64::from((address as u32).reverse_bits());
        u32::try_from(begin + interval).unwrap_or(0)
    }

    /// Frees up to `pieces` segments from the end; whether any are left.
    pub fn dismantle(&mut self, pieces: usize) -> bool {
        for _ in 0..pieces {
            if self.segments == 0 {
                break;
            }
            let segment = self.pop_segment();
            self.len -= segment.len();
        }
        self.segments > 0
    }

    /// The segment of a hash: its low bits, one fewer when that segment is not split off yet.
    fn address(&self, hash: u32) -> usize {
        let mask = self.segments.next_power_of_two() - 1;
        let wide = hash as usize & mask;
        if wide < self.segments { wide } else { wide & (mask >> 1) }
    }

    /// How many low bits the hashes of a segment share.
    fn bits_of(&self, address: usize) -> u32 {
        let full = self.segments.next_power_of_two();
        let half = full / 2;
        // Both halves of a pair that is split share one bit more than a segment still whole.
        let is_split = full == 1 || (address | half) < self.segments;
        full.trailing_zeros() - u32::from(!is_split)
    }

    fn segment(&self, address: usize) -> &Segment {
        &self.pages[address / PAGE_SEGMENTS][address % PAGE_SEGMENTS]
    }

    /// Changes a segment and accounts for what it holds then.
    fn resize<T>(&mut self, address: usize, change: impl FnOnce(&mut Segment) -> T) -> T {
        let segment = &mut self.pages[address / PAGE_SEGMENTS][address % PAGE_SEGMENTS];
        let before = segment.capacity();
        let result = change(segment);
        let after = segment.capacity();
        self.heap_bytes += after * size_of::<Cell>();
        self.heap_bytes -= before * size_of::<Cell>();
        result
    }

    fn push(&mut self, address: usize, cell: Cell) {
        self.resize(address, |segment| {
            if segment.len() == segment.capacity() {
                segment.reserve_exact(4);
            }
            segment.push(cell);
        });
    }

    /// Moves from the oldest whole segment what belongs to a new last one.
    fn split(&mut self) {
        let bit = self.segments.next_power_of_two();
        let bit = if bit == self.segments { bit } else { bit / 2 };
        let buddy = self.segments - bit;
        let stays = |cell: &Cell| hash_of(*cell) as usize & bit == 0;
        let moved = self.resize(buddy, |segment| {
            let mut moved = Segment::with_capacity(segment.iter().filter(|c| !stays(c)).count());
            moved.extend(segment.iter().filter(|c| !stays(c)));
            segment.retain(stays);
            segment.shrink_to_fit();
            moved
        });
        self.push_segment(moved);
    }

    /// Gives what the last segment holds back to the one it was split from.
    fn merge(&mut self) {
        let moved = self.pop_segment();
        let bit = self.segments.next_power_of_two();
        let bit = if bit == self.segments { bit } else { bit / 2 };
        self.resize(self.segments - bit, |segment| {
            segment.reserve_exact(moved.len());
            segment.extend_from_slice(&moved);
        });
    }

    fn push_segment(&mut self, segment: Segment) {
        if self.segments.is_multiple_of(PAGE_SEGMENTS) {
            self.pages.push(Vec::new());
        }
        let Some(page) = self.pages.last_mut() else { return };
        let before = page.capacity();
        self.heap_bytes += segment.capacity() * size_of::<Cell>();
        page.push(segment);
        self.heap_bytes += (page.capacity() - before) * size_of::<Segment>();
        self.segments += 1;
    }

    fn pop_segment(&mut self) -> Segment {
        let Some(page) = self.pages.last_mut() else { return Segment::new() };
        let segment = page.pop().unwrap_or_default();
        self.heap_bytes -= segment.capacity() * size_of::<Cell>();
        if page.is_empty() {
            self.heap_bytes -= page.capacity() * size_of::<Segment>();
            self.pages.pop();
        }
        self.segments -= 1;
        segment
    }

    /// Asserts the accounting and that every hash lies where it is looked for.
    pub fn check_invariants(&self) {
        let (mut len, mut heap_bytes) = (0, 0);
        for address in 0..self.segments {
            let segment = self.segment(address);
            assert!(segment.iter().all(|&cell| self.address(hash_of(cell)) == address));
            len += segment.len();
            heap_bytes += segment.capacity() * size_of::<Cell>();
        }
        heap_bytes += self.pages.iter().map(|p| p.capacity() * size_of::<Segment>()).sum::<usize>();
        assert_eq!((len, heap_bytes), (self.len, self.heap_bytes));
        assert!(self.segments == 1 || self.len <= self.segments * LOAD_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;
    use std::collections::BTreeMap;

    #[test]
    fn what_was_put_in_is_found_and_what_was_taken_out_is_not() {
        let seed = 1;
        let mut random = Random::new(seed);
        let (mut index, mut model) = (Index::new(), BTreeMap::new());
        for step in 0..60_000u32 {
            let grows = (step / 15_000) % 2 == 0;
            if grows || model.len() < 10 {
                let hash = random.next_u64() as u32 & 0xffff_00ff;
                model.insert((hash, step), ());
                index.insert(hash, step);
            } else {
                let at = random.below(model.len() as u64) as usize;
                let Some((&(hash, block), ())) = model.iter().nth(at.min(40)) else { continue };
                if random.below(3) == 0 {
                    index.relocate(hash, block, step | 1 << 30);
                    model.insert((hash, step | 1 << 30), ());
                } else {
                    index.remove(hash, block);
                }
                model.remove(&(hash, block));
            }
            if step % 1000 == 0 {
                index.check_invariants();
                for &(hash, block) in model.keys().take(50) {
                    assert!(index.candidates(hash).any(|found| found == block), "seed {seed}");
                }
            }
        }
        let stored: usize = index.pages.iter().flatten().map(Vec::len).sum();
        assert_eq!(stored, model.len());
    }

    #[test]
    fn a_walk_sees_what_is_there_all_the_time_while_segments_split_and_merge() {
        for seed in 0..20 {
            let mut random = Random::new(seed);
            let mut index = Index::new();
            let kept: Vec<u32> = (0..500).map(|_| random.next_u64() as u32).collect();
            kept.iter().for_each(|&hash| index.insert(hash, 1));
            let mut passing: Vec<u32> = Vec::new();
            let mut seen: Vec<u32> = Vec::new();
            let mut cursor = 0;
            loop {
                cursor = index.scan(cursor, |hash, block| {
                    if block == 1 {
                        seen.push(hash);
                    }
                });
                if cursor == 0 {
                    break;
                }
                for _ in 0..random.below(300) {
                    if random.below(2) == 0 || passing.is_empty() {
                        let hash = random.next_u64() as u32;
                        passing.push(hash);
                        index.insert(hash, 2);
                    } else {
                        let at = random.below(passing.len() as u64) as usize;
                        index.remove(passing.swap_remove(at), 2);
                    }
                }
            }
            seen.sort_unstable();
            let mut expected = kept.clone();
            expected.sort_unstable();
            assert_eq!(seen, expected, "seed {seed}: each exactly once");
        }
    }
}
