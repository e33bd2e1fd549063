//! The blocks of a large sorted set, each under a number that it keeps while elements come and go,
//! and chained in order, so that a walk needs no tree.
//!
//! Blocks live in pages of fixed size: the list of them never grows by copying something large.

use super::packed::{Packed, PackedView};

/// Number of no block: the ends of the chain.
pub const NONE: u32 = u32::MAX;
/// Blocks in a page.
const PAGE_LEAVES: usize = 256;

/// A block and its neighbours.
#[derive(Debug)]
struct Leaf {
    packed: Packed,
    prev: u32,
    next: u32,
}

/// All blocks of a set.
#[derive(Debug)]
pub struct Leaves {
    pages: Vec<Vec<Leaf>>,
    /// A free place, which names the next one as its `next`.
    free: u32,
    first: u32,
    last: u32,
    heap_bytes: usize,
}

impl Leaves {
    /// No blocks.
    pub fn new() -> Leaves {
        Leaves { pages: Vec::new(), free: NONE, first: NONE, last: NONE, heap_bytes: 0 }
    }

    /// Heap bytes, O(1).
    pub fn heap_bytes(&self) -> usize {
        self.heap_bytes + self.pages.capacity() * size_of::<Vec<Leaf>>()
    }

    /// The block's elements.
    pub fn get(&self, leaf: u32) -> PackedView<'_> {
        self.leaf(leaf).packed.view()
    }

    /// The block behind, or [`NONE`].
    pub fn next(&self, leaf: u32) -> u32 {
        self.leaf(leaf).next
    }

    /// The block before, or [`NONE`].
    pub fn prev(&self, leaf: u32) -> u32 {
        self.leaf(leaf).prev
    }

    /// The first block, or [`NONE`].
    pub fn first(&self) -> u32 {
        self.first
    }

    /// The last block, or [`NONE`].
    pub fn last(&self) -> u32 {
        self.last
    }

    /// Changes the elements of a block.
    pub fn edit<T>(&mut self, leaf: u32, change: impl FnOnce(&mut Packed) -> T) -> T {
        let packed = &mut self.leaf_mut(leaf).packed;
        let before = packed.heap_bytes();
        let result = change(packed);
        packed.fit();
        let after = packed.heap_bytes();
        self.heap_bytes += after;
        self.heap_bytes -= before;
        result
    }

    /// Adds a block behind `before`, or as the first one when that is [`NONE`].
    pub fn insert(&mut self, before: u32, packed: Packed) -> u32 {
        self.heap_bytes += packed.heap_bytes();
        let next = if before == NONE { self.first } else { self.leaf(before).next };
        let leaf = self.place(Leaf { packed, prev: before, next });
        self.link(before, leaf);
        self.link(leaf, next);
        leaf
    }

    /// Takes a block out.
    pub fn remove(&mut self, leaf: u32) -> Packed {
        let free = self.free;
        let gone = self.leaf_mut(leaf);
        let (prev, next) = (gone.prev, gone.next);
        let packed = std::mem::take(&mut gone.packed);
        gone.next = free;
        self.free = leaf;
        self.link(prev, next);
        self.heap_bytes -= packed.heap_bytes();
        packed
    }

    /// Takes the blocks between two others out of the chain ([`NONE`] stands for its ends), and
    /// returns the first of them. They keep their numbers, and each still leads to the next.
    pub fn cut_out(&mut self, before: u32, behind: u32) -> Option<u32> {
        let first = if before == NONE { self.first } else { self.next(before) };
        if first == behind {
            return None;
        }
        let last = if behind == NONE { self.last } else { self.prev(behind) };
        self.leaf_mut(last).next = NONE;
        self.link(before, behind);
        Some(first)
    }

    /// Frees a block that has been cut out; the next one of those, or [`NONE`].
    pub fn discard(&mut self, leaf: u32) -> u32 {
        let free = self.free;
        let gone = self.leaf_mut(leaf);
        let packed = std::mem::take(&mut gone.packed);
        let next = std::mem::replace(&mut gone.next, free);
        self.free = leaf;
        self.heap_bytes -= packed.heap_bytes();
        next
    }

    /// Frees up to `pieces` blocks; whether any are left. The chain is of no use afterwards.
    pub fn dismantle(&mut self, pieces: usize) -> bool {
        for _ in 0..pieces {
            let Some(page) = self.pages.last_mut() else { return false };
            if let Some(leaf) = page.pop() {
                self.heap_bytes -= leaf.packed.heap_bytes();
            }
            if page.is_empty() {
                self.heap_bytes -= page.capacity() * size_of::<Leaf>();
                self.pages.pop();
            }
        }
        !self.pages.is_empty()
    }

    fn leaf(&self, leaf: u32) -> &Leaf {
        &self.pages[leaf as usize / PAGE_LEAVES][leaf as usize % PAGE_LEAVES]
    }

    fn leaf_mut(&mut self, leaf: u32) -> &mut Leaf {
        &mut self.pages[leaf as usize / PAGE_LEAVES][leaf as usize % PAGE_LEAVES]
    }

    /// Makes two blocks neighbours; [`NONE`] stands for the end of the chain.
    fn link(&mut self, prev: u32, next: u32) {
        if prev == NONE {
            self.first = next;
        } else {
            self.leaf_mut(prev).next = next;
        }
        if next == NONE {
            self.last = prev;
        } else {
            self.leaf_mut(next).prev = prev;
        }
    }

    fn place(&mut self, leaf: Leaf) -> u32 {
        if self.free != NONE {
            let number = self.free;
            self.free = self.leaf(number).next;
            *self.leaf_mut(number) = leaf;
            return number;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE_LEAVES) {
            self.pages.push(Vec::new());
        }
        let pages = self.pages.len();
        let page = &mut self.pages[pages - 1];
        let before = page.capacity();
        page.push(leaf);
        self.heap_bytes += (page.capacity() - before) * size_of::<Leaf>();
        let number = (pages - 1) * PAGE_LEAVES + page.len() - 1;
        assert!(number < NONE as usize, "four thousand million blocks fit no memory");
        number as u32
    }

    /// Asserts the chain and the accounting; returns the blocks in order.
    pub fn check_invariants(&self) -> Vec<u32> {
        let mut order = Vec::new();
        let (mut leaf, mut prev) = (self.first, NONE);
        while leaf != NONE {
            assert_eq!(self.leaf(leaf).prev, prev);
            order.push(leaf);
            prev = leaf;
            leaf = self.leaf(leaf).next;
        }
        assert_eq!(self.last, prev);
        let all = self.pages.iter().flatten();
        let blocks: usize = all.map(|leaf| leaf.packed.heap_bytes()).sum();
        let pages: usize = self.pages.iter().map(|p| p.capacity() * size_of::<Leaf>()).sum();
        assert_eq!(self.heap_bytes, blocks + pages);
        order
    }
}
