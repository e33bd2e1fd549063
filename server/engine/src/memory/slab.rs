//! Blocks of 8 to 1,024 bytes in steps of 8, for the entries of one core. A general allocator's
//! classes are 25 % apart and would waste on small entries what the whole budget allows.
//!
//! A page of 32 KiB holds blocks of one class; free blocks are chained through their own first
//! two bytes, so a block costs nothing beyond itself. An empty page may serve any class next; a
//! few are kept, the rest go back to the allocator. Memory is named by a 36-bit [`Handle`], which
//! leaves the table room for hash and deadline in the same word.

use super::records::Records;

/// Bytes of a page.
pub const PAGE_BYTES: usize = 32 * 1024;

/// The largest block.
pub const BLOCK_BYTES_MAX: usize = 1024;

/// Blocks are whole multiples of this.
pub const GRANULE_BYTES: usize = 8;

const PAGE_GRANULES: usize = PAGE_BYTES / GRANULE_BYTES;
const CLASS_MAX: usize = BLOCK_BYTES_MAX / GRANULE_BYTES;
const GRANULE_BITS: u32 = PAGE_GRANULES.trailing_zeros();

/// Ends a chain of free blocks: no granule has this number.
const NO_GRANULE: u16 = u16::MAX;

/// Ends a list of pages: page 0 is never used, so that no handle is 0.
const NO_PAGE: u32 = 0;

/// Empty pages kept for the next class that needs one: enough to absorb a class that breathes
/// around a page boundary, 256 KiB in all.
const SPARE_PAGES_MAX: usize = 8;

const _: () = {
    assert!(PAGE_GRANULES.is_power_of_two());
    assert!(PAGE_GRANULES < NO_GRANULE as usize);
    assert!(CLASS_MAX <= u8::MAX as usize);
    assert!(size_of::<PageState>() <= 16);
};

/// Names a block: page number and offset in it. Never 0, always below 2^36.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle(u64);

impl Handle {
    /// How many bits a handle takes.
    pub const BITS: u32 = 36;

    /// The handle that [`Handle::bits`] came from.
    #[inline]
    pub const fn from_bits(bits: u64) -> Handle {
        debug_assert!(bits != 0 && bits >> Handle::BITS == 0);
        Handle(bits)
    }

    /// For keeping it in a word with something else.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0
    }

    #[inline]
    const fn page(self) -> usize {
        (self.0 >> GRANULE_BITS) as usize
    }

    #[inline]
    const fn granule(self) -> usize {
        self.0 as usize & (PAGE_GRANULES - 1)
    }
}

type Page = Box<[u8; PAGE_BYTES]>;

/// What is known of a page beside its bytes and its class.
#[derive(Clone, Copy, Debug)]
struct PageState {
    /// Head of the chain of freed blocks.
    free: u16,
    /// First granule that was never handed out: a new page is not touched before it is needed.
    fresh: u16,
    live: u16,
    previous: u32,
    next: u32,
}

impl Default for PageState {
    fn default() -> PageState {
        PageState::EMPTY
    }
}

impl PageState {
    const EMPTY: PageState =
        PageState { free: NO_GRANULE, fresh: 0, live: 0, previous: NO_PAGE, next: NO_PAGE };

    #[inline]
    fn is_full(&self, class: usize) -> bool {
        self.free == NO_GRANULE && usize::from(self.fresh) + class > PAGE_GRANULES
    }
}

/// The blocks of one core.
#[derive(Debug)]
pub struct Slab {
    /// `None` where a page was given back, and at 0.
    pages: Records<Option<Page>>,
    states: Records<PageState>,
    /// Granules a block of the page has. Apart from the states: at one byte a page it stays in
    /// the first-level cache, and prefetching needs it.
    classes: Records<u8>,
    /// First page with room, by class.
    partial: [u32; CLASS_MAX + 1],
    vacant: Vec<u32>,
    spare: Vec<Page>,
    pages_live: usize,
    granules_live: u64,
}

impl Default for Slab {
    fn default() -> Slab {
        Slab::new()
    }
}

impl Slab {
    /// An empty slab, which holds no page yet.
    pub fn new() -> Slab {
        Slab {
            pages: Records::new(),
            states: Records::new(),
            classes: Records::new(),
            partial: [NO_PAGE; CLASS_MAX + 1],
            vacant: Vec::new(),
            spare: Vec::new(),
            pages_live: 0,
            granules_live: 0,
        }
    }

    /// What a block for `bytes` really takes.
    #[inline]
    pub const fn class_bytes(bytes: usize) -> usize {
        bytes.next_multiple_of(GRANULE_BYTES)
    }

    /// A block of at least `bytes`, with whatever it held before.
    ///
    /// # Panics
    /// When `bytes` is 0 or more than [`BLOCK_BYTES_MAX`], or 512 GiB are in use.
    #[inline]
    pub fn alloc(&mut self, bytes: usize) -> Handle {
        assert!(bytes > 0);
        assert!(bytes <= BLOCK_BYTES_MAX);
        let class = bytes.div_ceil(GRANULE_BYTES);
        let mut page = self.partial[class];
        if page == NO_PAGE {
            page = self.open_page(class);
        }
        let state = &mut self.states[page as usize];
        let granule = if state.free == NO_GRANULE {
            let granule = state.fresh;
            state.fresh += class as u16;
            granule
        } else {
            let granule = state.free;
            let memory = self.pages[page as usize].as_deref().expect("a listed page is held");
            let link = usize::from(granule) * GRANULE_BYTES;
            state.free = u16::from_le_bytes([memory[link], memory[link + 1]]);
            granule
        };
        state.live += 1;
        self.granules_live += class as u64;
        if state.is_full(class) {
            self.unlist(page, class);
        }
        Handle((u64::from(page) << GRANULE_BITS) | u64::from(granule))
    }

    /// Takes a block back. The handle must not be used again.
    #[inline]
    pub fn free(&mut self, handle: Handle) {
        let page = handle.page();
        let class = usize::from(self.classes[page]);
        debug_assert!(class > 0 && handle.granule().is_multiple_of(class));
        let memory = self.pages[page].as_deref_mut().expect("a handle names a held page");
        let state = &mut self.states[page];
        debug_assert!(state.live > 0);
        let was_full = state.is_full(class);
        let link = handle.granule() * GRANULE_BYTES;
        memory[link..link + 2].copy_from_slice(&state.free.to_le_bytes());
        state.free = handle.granule() as u16;
        state.live -= 1;
        self.granules_live -= class as u64;
        if state.live == 0 {
            self.close_page(page as u32, class, was_full);
        } else if was_full {
            self.list(page as u32, class);
        }
    }

    /// The whole block.
    #[inline]
    pub fn bytes(&self, handle: Handle) -> &[u8] {
        &self.tail(handle)[..self.block_bytes(handle)]
    }

    /// The whole block, to be written.
    #[inline]
    pub fn bytes_mut(&mut self, handle: Handle) -> &mut [u8] {
        let bytes = self.block_bytes(handle);
        let memory = self.pages[handle.page()].as_deref_mut().expect("a handle names a held page");
        &mut memory[handle.granule() * GRANULE_BYTES..][..bytes]
    }

    /// From the start of the block to the end of its page: for readers who know from the content
    /// how far it goes, and would look up the class for nothing.
    #[inline]
    pub fn tail(&self, handle: Handle) -> &[u8] {
        let memory = self.pages[handle.page()].as_deref().expect("a handle names a held page");
        &memory[handle.granule() * GRANULE_BYTES..]
    }

    /// As [`Slab::tail`], to be written; not beyond the block.
    #[inline]
    pub fn tail_mut(&mut self, handle: Handle) -> &mut [u8] {
        let memory = self.pages[handle.page()].as_deref_mut().expect("a handle names a held page");
        &mut memory[handle.granule() * GRANULE_BYTES..]
    }

    /// Bytes of the block.
    #[inline]
    pub fn block_bytes(&self, handle: Handle) -> usize {
        usize::from(self.classes[handle.page()]) * GRANULE_BYTES
    }

    /// Asks the processor for the block's first cache lines, two at most: header, key and a
    /// short value, the rest is fetched by its stride.
    #[inline]
    pub fn prefetch(&self, handle: Handle) {
        let block = self.bytes(handle);
        prefetch_line(&block[0]);
        prefetch_line(&block[(block.len() - 1).min(64)]);
    }

    /// Pages held, spare ones included.
    pub fn pages(&self) -> usize {
        self.pages_live + self.spare.len()
    }

    /// Bytes held from the allocator: all pages and the arrays that describe them.
    #[inline]
    pub fn held_bytes(&self) -> usize {
        self.pages() * PAGE_BYTES + self.pages.bytes() + self.states.bytes() + self.classes.bytes()
    }

    /// Bytes in pages that no block uses: they serve the next entries of their size class.
    #[inline]
    pub fn free_bytes(&self) -> u64 {
        (self.pages() * PAGE_BYTES) as u64 - self.used_bytes()
    }

    /// Bytes of the blocks in use.
    #[inline]
    pub fn used_bytes(&self) -> u64 {
        self.granules_live * GRANULE_BYTES as u64
    }

    /// Gives up to `count` pages back to the allocator with everything in them, and says whether
    /// any are left: how a slab that nobody refers to any more is emptied in slices.
    pub fn drop_some(&mut self, count: usize) -> bool {
        self.partial = [NO_PAGE; CLASS_MAX + 1];
        for _ in 0..count {
            if self.spare.pop().is_some() {
                continue;
            }
            match self.pages.pop() {
                Some(page) => self.pages_live -= usize::from(page.is_some()),
                None => break,
            }
        }
        if self.pages() == 0 {
            *self = Slab::new();
        }
        self.pages() > 0
    }

    /// Asserts everything that must hold between calls. O(pages and free blocks), for tests.
    pub fn check_invariants(&self) {
        let mut live_granules = 0;
        let mut with_room = 0;
        for (page, memory) in self.pages.iter().enumerate() {
            let Some(memory) = memory else {
                assert_eq!(self.classes[page], 0);
                continue;
            };
            let state = &self.states[page];
            let class = usize::from(self.classes[page]);
            let mut freed = vec![false; PAGE_GRANULES];
            let mut free = state.free;
            while free != NO_GRANULE {
                assert!(free < state.fresh, "a freed block was handed out before");
                assert!(usize::from(free).is_multiple_of(class));
                assert!(!std::mem::replace(&mut freed[usize::from(free)], true), "freed twice");
                let link = usize::from(free) * GRANULE_BYTES;
                free = u16::from_le_bytes([memory[link], memory[link + 1]]);
            }
            let freed = freed.into_iter().filter(|freed| *freed).count();
            assert!(usize::from(state.fresh) <= PAGE_GRANULES);
            assert_eq!(usize::from(state.fresh), (freed + usize::from(state.live)) * class);
            assert!(state.live > 0, "an empty page is given back");
            live_granules += u64::from(state.live) * class as u64;
            with_room += usize::from(!state.is_full(class));
        }
        assert_eq!(live_granules, self.granules_live);
        assert_eq!(self.pages.iter().filter(|page| page.is_some()).count(), self.pages_live);
        for (class, &first) in self.partial.iter().enumerate() {
            let (mut previous, mut page) = (NO_PAGE, first);
            while page != NO_PAGE {
                let state = &self.states[page as usize];
                assert_eq!(usize::from(self.classes[page as usize]), class);
                assert!(!state.is_full(class));
                assert_eq!(state.previous, previous);
                with_room -= 1;
                (previous, page) = (page, state.next);
            }
        }
        assert_eq!(with_room, 0, "every page with room is listed once");
    }

    #[cold]
    fn open_page(&mut self, class: usize) -> u32 {
        let memory = self.spare.pop().unwrap_or_else(zeroed_page);
        let page = match self.vacant.pop() {
            Some(page) => page,
            None => self.new_page_number(),
        };
        self.pages[page as usize] = Some(memory);
        self.states[page as usize] = PageState::EMPTY;
        self.classes[page as usize] = class as u8;
        self.pages_live += 1;
        self.list(page, class);
        page
    }

    fn new_page_number(&mut self) -> u32 {
        if self.pages.len() == 0 {
            self.push_records(); // page 0, which no handle names
        }
        let page = self.pages.len();
        assert!(page < 1 << (Handle::BITS - GRANULE_BITS), "a slab holds at most 512 GiB");
        self.push_records();
        page as u32
    }

    fn push_records(&mut self) {
        self.pages.push(None);
        self.states.push(PageState::EMPTY);
        self.classes.push(0);
    }

    #[cold]
    fn close_page(&mut self, page: u32, class: usize, was_full: bool) {
        if !was_full {
            self.unlist(page, class);
        }
        let memory = self.pages[page as usize].take().expect("a page is closed once");
        if self.spare.len() < SPARE_PAGES_MAX {
            self.spare.push(memory);
        }
        self.classes[page as usize] = 0;
        self.vacant.push(page);
        self.pages_live -= 1;
    }

    /// Puts a page with room at the front of its class.
    fn list(&mut self, page: u32, class: usize) {
        let next = std::mem::replace(&mut self.partial[class], page);
        self.states[page as usize].previous = NO_PAGE;
        self.states[page as usize].next = next;
        if next != NO_PAGE {
            self.states[next as usize].previous = page;
        }
    }

    fn unlist(&mut self, page: u32, class: usize) {
        let PageState { previous, next, .. } = self.states[page as usize];
        if previous == NO_PAGE {
            debug_assert!(self.partial[class] == page);
            self.partial[class] = next;
        } else {
            self.states[previous as usize].next = next;
        }
        if next != NO_PAGE {
            self.states[next as usize].previous = previous;
        }
    }
}

fn zeroed_page() -> Page {
    // Zeroed by the allocator, which knows when fresh memory is zero already.
    vec![0u8; PAGE_BYTES].into_boxed_slice().try_into().expect("the length is PAGE_BYTES")
}

/// Asks the processor to bring the cache line of `target` near. Only a hint: nothing is read.
#[inline]
pub fn prefetch_line<T>(target: &T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch never faults and changes nothing a program can see, whatever the
        // address; SSE, which it belongs to, is part of every x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(target).cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = target;
}

#[cfg(test)]
mod tests;
