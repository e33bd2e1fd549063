//! Where the buckets of all tables of a database lie: in pages, tables of one size side by side.
//!
//! A table that grows leaves a hole between others of its old size. Left to a general allocator
//! such holes cost 2 to 4 bytes a key (resident at 4 M to 6 M keys, huge pages off). Here the
//! last table of that size moves into the hole, a copy of a few KiB once per growth, so every
//! size is a dense stack and what is accounted is what is resident.

use super::table::{BUCKET_WORDS, Bucket, place};

/// Buckets of a page at most, unless a single table has more: 64 KiB.
const PAGE_BUCKETS: usize = 1024;

/// One page in so many may be spare. Without any, pages went back to mimalloc as fast as others
/// were asked of it, and half of what it held for them was holes (measured at 5 M keys).
const SPARE_PART: usize = 8;

const FIRST_BITS: u32 = PAGE_BUCKETS.trailing_zeros();

/// Where a table's buckets are: page number and first bucket in it. 0: there are none.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Block(u32);

impl Block {
    fn new(page: usize, first: usize) -> Block {
        assert!(page < 1 << (u32::BITS - FIRST_BITS), "4 M pages hold the tables of 20 G keys");
        debug_assert!(first < PAGE_BUCKETS);
        Block((page << FIRST_BITS | first) as u32)
    }

    #[inline]
    fn page(self) -> usize {
        (self.0 >> FIRST_BITS) as usize
    }

    #[inline]
    fn first(self) -> usize {
        self.0 as usize % PAGE_BUCKETS
    }
}

/// Table sizes: four steps to each doubling, so that a table is never far from full. The
/// smallest of them that has `buckets`.
pub(super) const fn size_class(buckets: usize) -> usize {
    if buckets <= 8 {
        return buckets;
    }
    buckets.next_multiple_of(1 << (buckets.ilog2() - 2))
}

/// The rank of a size among the sizes.
const fn class_index(buckets: usize) -> usize {
    if buckets < 4 {
        return buckets - 1;
    }
    let doublings = buckets.ilog2() as usize - 2;
    4 * doublings + (buckets >> doublings) - 1
}

/// Tables of a size in a page.
const fn tables_a_page(buckets: usize) -> usize {
    match PAGE_BUCKETS / buckets {
        0 => 1,
        fitting @ 1..8 => 1 << fitting.ilog2(), // a remainder would waste too much
        fitting => fitting,
    }
}

/// Buckets of a page of tables of a size. Small ones share one size of page, so that a page given
/// up by one size serves the next: the allocator keeps no holes.
const fn page_buckets(buckets: usize) -> usize {
    if buckets * 8 <= PAGE_BUCKETS { PAGE_BUCKETS } else { buckets * tables_a_page(buckets) }
}

/// The buckets of all tables.
#[derive(Default, Debug)]
pub(super) struct Store {
    /// Empty at 0, for tables without buckets, and where a page was given back.
    pages: Vec<Box<[Bucket]>>,
    /// For each page which one of its class it is.
    ranks: Vec<u32>,
    vacant: Vec<u32>,
    classes: Vec<Class>,
    /// Pages of [`PAGE_BUCKETS`] given up by one size and not yet needed by another.
    spare: Vec<Box<[Bucket]>>,
    /// Bytes of all pages, spare ones included.
    pub page_bytes: usize,
}

/// Tables of one size.
#[derive(Default, Debug)]
struct Class {
    pages: Vec<u32>,
    /// The slot of each table, in the order in which they lie.
    owners: Vec<u32>,
}

impl Store {
    pub fn new() -> Store {
        Store { pages: vec![Box::default()], ranks: vec![0], ..Store::default() }
    }

    #[inline]
    pub fn held_bytes(&self) -> usize {
        self.page_bytes + self.pages.capacity() * size_of::<Box<[Bucket]>>()
    }

    #[inline]
    pub fn buckets(&self, block: Block, buckets: usize) -> &[Bucket] {
        &self.pages[block.page()][block.first()..][..buckets]
    }

    #[inline]
    pub fn buckets_mut(&mut self, block: Block, buckets: usize) -> &mut [Bucket] {
        &mut self.pages[block.page()][block.first()..][..buckets]
    }

    /// Empty buckets for a slot.
    pub fn alloc(&mut self, buckets: usize, owner: u32) -> Block {
        if buckets == 0 {
            return Block::default();
        }
        let index = class_index(buckets);
        if index >= self.classes.len() {
            self.classes.resize_with(index + 1, Class::default);
        }
        let a_page = tables_a_page(buckets);
        let rank = self.classes[index].owners.len();
        if rank == self.classes[index].pages.len() * a_page {
            self.open_page(index, page_buckets(buckets));
        }
        let class = &mut self.classes[index];
        class.owners.push(owner);
        let block = Block::new(class.pages[rank / a_page] as usize, rank % a_page * buckets);
        self.buckets_mut(block, buckets).fill([0; BUCKET_WORDS]);
        block
    }

    /// Takes a table's buckets back. The last table of that size may have moved there: its slot
    /// and its new place.
    pub fn free(&mut self, block: Block, buckets: usize) -> Option<(u32, Block)> {
        if buckets == 0 {
            return None;
        }
        let a_page = tables_a_page(buckets);
        let page_rank = self.ranks[block.page()] as usize;
        let class = &mut self.classes[class_index(buckets)];
        let rank = page_rank * a_page + block.first() / buckets;
        class.owners.swap_remove(rank);
        if a_page == 1 {
            // Pages change ranks instead of contents.
            class.pages.swap_remove(page_rank);
            if let Some(page) = class.pages.get(page_rank) {
                self.ranks[*page as usize] = page_rank as u32;
            }
            self.close_page(block.page());
            return None;
        }
        let last = class.owners.len();
        let last_page = class.pages[last / a_page] as usize;
        let last_block = Block::new(last_page, last % a_page * buckets);
        let moved = class.owners.get(rank).map(|owner| (*owner, block));
        if last.is_multiple_of(a_page) {
            class.pages.pop();
        }
        if moved.is_some() {
            self.copy(last_block, block, buckets);
        }
        if last.is_multiple_of(a_page) {
            self.close_page(last_page);
        }
        moved
    }

    /// Puts the words of one table into another, which is empty and of another size.
    pub fn rehash(&mut self, from: (Block, usize), to: (Block, usize)) {
        let mut page = std::mem::take(&mut self.pages[to.0.page()]);
        let target = &mut page[to.0.first()..][..to.1];
        for &word in self.buckets(from.0, from.1).iter().flatten().filter(|word| **word != 0) {
            place(target, word);
        }
        self.pages[to.0.page()] = page;
    }

    fn copy(&mut self, from: Block, to: Block, buckets: usize) {
        if from.page() == to.page() {
            let source = from.first()..from.first() + buckets;
            self.pages[to.page()].copy_within(source, to.first());
            return;
        }
        let page = std::mem::take(&mut self.pages[from.page()]);
        let source = &page[from.first()..][..buckets];
        self.buckets_mut(to, buckets).copy_from_slice(source);
        self.pages[from.page()] = page;
    }

    fn open_page(&mut self, class: usize, buckets: usize) {
        let page = self.vacant.pop().unwrap_or_else(|| {
            self.pages.push(Box::default());
            self.ranks.push(0);
            self.pages.len() as u32 - 1
        });
        self.pages[page as usize] = match self.spare.pop() {
            Some(spare) if buckets == PAGE_BUCKETS => spare,
            other => {
                self.spare.extend(other);
                self.page_bytes += buckets * size_of::<Bucket>();
                vec![[0; BUCKET_WORDS]; buckets].into_boxed_slice()
            }
        };
        self.ranks[page as usize] = self.classes[class].pages.len() as u32;
        self.classes[class].pages.push(page);
    }

    fn close_page(&mut self, page: usize) {
        let buckets = std::mem::take(&mut self.pages[page]);
        self.vacant.push(page as u32);
        if buckets.len() == PAGE_BUCKETS && self.spare.len() < self.pages.len() / SPARE_PART {
            self.spare.push(buckets);
        } else {
            self.page_bytes -= size_of_val(&*buckets);
        }
    }

    pub fn drop_some(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let page = self.pages.pop().or_else(|| self.spare.pop()).unwrap_or_default();
            self.page_bytes -= size_of_val(&*page);
        }
        !self.pages.is_empty() || !self.spare.is_empty()
    }

    /// The slot whose table lies there.
    pub fn owner(&self, block: Block, buckets: usize) -> u32 {
        let rank = self.ranks[block.page()] as usize * tables_a_page(buckets);
        self.classes[class_index(buckets)].owners[rank + block.first() / buckets]
    }

    /// The slots of all tables that have buckets.
    pub fn owners(&self) -> impl Iterator<Item = u32> {
        self.classes.iter().flat_map(|class| class.owners.iter().copied())
    }

    /// Asserts that tables lie densely and every page is accounted for. For tests.
    pub fn check_invariants(&self) {
        let needed = |class: &Class| {
            let page = class.pages.first().map_or(0, |page| self.pages[*page as usize].len());
            class.owners.len() <= class.pages.len() * page.max(1)
        };
        assert!(self.classes.iter().all(needed));
        let pages = self.pages.iter().chain(&self.spare);
        let bytes = pages.map(|page| size_of_val(&**page)).sum::<usize>();
        assert_eq!(self.page_bytes, bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_four_to_a_doubling_and_ranked_in_order() {
        let sizes: Vec<usize> = std::iter::successors(Some(1), |size| Some(size_class(size + 1)))
            .take_while(|size| *size <= 64)
            .collect();
        assert_eq!(sizes, [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64]);
        let ranks: Vec<usize> = sizes.iter().map(|size| class_index(*size)).collect();
        assert_eq!(ranks, (0..sizes.len()).collect::<Vec<_>>());
    }

    #[test]
    fn pages_waste_little_and_small_tables_share_one_size_of_page() {
        assert_eq!(
            [1, 3, 48, 128, 160, 1024, 5120].map(tables_a_page),
            [1024, 341, 21, 8, 4, 1, 1]
        );
        for size in (1..3_000).map(size_class) {
            let (page, used) = (page_buckets(size), tables_a_page(size) * size);
            assert!(used <= page && page - used <= page / 9, "{size}: {used} of {page}");
            assert!(size > 128 || page == PAGE_BUCKETS);
        }
    }

    #[test]
    fn the_last_table_of_a_size_fills_the_hole_of_another() {
        let mut store = Store::new();
        let blocks: Vec<Block> = (0..50).map(|owner| store.alloc(48, owner)).collect();
        store.buckets_mut(blocks[49], 48)[7] = [9; BUCKET_WORDS];
        assert_eq!(store.free(blocks[3], 48), Some((49, blocks[3])));
        assert_eq!(store.buckets(blocks[3], 48)[7], [9; BUCKET_WORDS]);
        assert_eq!(store.free(blocks[48], 48), None, "it was the last itself");
        store.check_invariants();
        assert_eq!(store.owners().count(), 48);
    }
}
