//! A block of a large list: a run with room to grow at either end, so that neither LPUSH nor LPOP
//! moves what it does not touch.

use crate::value::packed::{self, Encoded, Run};

/// A block takes no further element when its run would grow beyond this. Four KiB because that is
/// an allocation class without waste, and moving half of it takes 50 ns.
pub const BLOCK_BYTES: usize = 4096;

/// Nor when it holds this many: finding a place inside takes at most half as many steps.
pub const BLOCK_COUNT: usize = 1024;

/// The first allocation of a block that is made to grow; doubled until [`BLOCK_BYTES`].
const FIRST_BYTES: usize = 256;

/// An end of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Left,
    Right,
}

/// What a block adds to the sums its list keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Size {
    pub count: usize,
    /// Bytes of the run.
    pub used: usize,
    /// Bytes of the allocation.
    pub held: usize,
}

#[derive(Clone, Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    start: u32,
    count: u32,
}

impl Block {
    /// A block holding what a small list held.
    pub fn new(bytes: Vec<u8>, count: usize) -> Block {
        Block { bytes, start: 0, count: count as u32 }
    }

    #[inline]
    pub fn run(&self) -> Run<'_> {
        Run::new(&self.bytes[self.start()..])
    }

    #[inline]
    pub fn count(&self) -> usize {
        self.count as usize
    }

    #[inline]
    pub fn used(&self) -> usize {
        self.bytes.len() - self.start()
    }

    #[inline]
    pub fn size(&self) -> Size {
        Size { count: self.count(), used: self.used(), held: self.bytes.capacity() }
    }

    #[inline]
    fn start(&self) -> usize {
        self.start as usize
    }

    /// Whether the block may take one more element, anywhere in it.
    #[inline]
    pub fn fits(&self, new: &Encoded<'_>) -> bool {
        self.count() < BLOCK_COUNT && self.used() + new.bytes() <= BLOCK_BYTES || self.count == 0
    }

    /// Whether the block could take in all elements of another, as far as their number goes.
    pub fn fits_count(&self, other: &Block) -> bool {
        self.count() + other.count() <= BLOCK_COUNT
    }

    /// Whether the block may take one more element at an end without moving its run each time:
    /// there is room at that end, or so much elsewhere that moving pays.
    #[inline]
    pub fn fits_at(&self, end: End, new: &Encoded<'_>) -> bool {
        if !self.fits(new) {
            return false;
        }
        let room = match end {
            End::Left => self.start(),
            End::Right => BLOCK_BYTES.saturating_sub(self.bytes.len()),
        };
        let held = self.bytes.capacity();
        room >= new.bytes() || held < BLOCK_BYTES || held - self.used() >= BLOCK_BYTES / 4
    }

    /// Adds an element at an end. O(1), amortised over the times the run is moved.
    #[inline]
    pub fn push(&mut self, end: End, new: &Encoded<'_>) {
        if self.count == 0 {
            self.begin(end, new);
        } else if end == End::Right {
            if self.bytes.capacity() - self.bytes.len() < new.bytes() {
                self.make_room(end, new.bytes());
            }
            packed::push_back(&mut self.bytes, self.start as usize, new);
        } else {
            if self.start() < new.bytes() {
                self.make_room(end, new.bytes());
            }
            self.start = packed::push_front(&mut self.bytes, self.start as usize, new) as u32;
        }
        self.count += 1;
    }

    /// The first element, with all room at the end where more are to come.
    fn begin(&mut self, end: End, new: &Encoded<'_>) {
        let used = new.bytes() + 1;
        let capacity = FIRST_BYTES.max(used);
        let start = if end == End::Left { capacity - used } else { 0 };
        self.bytes = Vec::with_capacity(capacity);
        self.bytes.resize(start, 0);
        self.start = start as u32;
        packed::push_back(&mut self.bytes, start, new);
    }

    /// Moves the run to an allocation twice as large, or into the middle of one of the same size,
    /// with most of the room at `end`: the other end keeps what it had, up to a quarter.
    #[cold]
    fn make_room(&mut self, end: End, wanted: usize) {
        let used = self.used();
        let held = self.bytes.capacity();
        let least = used + wanted;
        let capacity = (2 * held).max(FIRST_BYTES).min(BLOCK_BYTES.max(held)).max(least);
        let spare = capacity - least;
        let start = match end {
            End::Right => self.start().min(spare / 4),
            End::Left => wanted + spare - (held - self.bytes.len()).min(spare / 4),
        };
        self.relocate(capacity, start);
    }

    fn relocate(&mut self, capacity: usize, start: usize) {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.resize(start, 0);
        bytes.extend_from_slice(&self.bytes[self.start()..]);
        self.bytes = bytes;
        self.start = start as u32;
    }

    /// Gives back room that will not be used: the block is no longer at an end of its list, or has
    /// lost elements.
    pub fn trim(&mut self) {
        let used = self.used();
        if self.bytes.capacity() - used > used / 16 + 16 {
            self.relocate(used, 0);
        }
    }

    /// Takes the element at an end of a block that has one. O(1).
    #[inline]
    pub fn pop(&mut self, end: End) {
        debug_assert!(self.count > 0);
        match end {
            End::Left => {
                self.start = packed::pop_front(&mut self.bytes, self.start as usize) as u32;
            }
            End::Right => packed::pop_back(&mut self.bytes, self.start as usize),
        }
        self.count -= 1;
        if self.count == 0 {
            *self = Block::default();
        }
    }

    /// Puts an element where `index` are before it. The caller has asked [`Block::fits`].
    pub fn insert(&mut self, index: usize, new: &Encoded<'_>) {
        if index == 0 || index == self.count() {
            let end = if index == 0 { End::Left } else { End::Right };
            return self.push(end, new);
        }
        let place = self.run().place(index, self.count());
        packed::splice(&mut self.bytes, self.start as usize, place, place, Some(new));
        self.count += 1;
    }

    /// Replaces the element at `index`.
    pub fn set(&mut self, index: usize, new: &Encoded<'_>) {
        let from = self.run().place(index, self.count());
        if let Some((_, to)) = self.run().next(from) {
            packed::splice(&mut self.bytes, self.start as usize, from, to, Some(new));
        }
    }

    /// Takes `count` elements at an end, fewer than there are.
    pub fn cut(&mut self, end: End, count: usize) {
        let run = self.run();
        let bytes = match end {
            End::Left => packed::part_behind(run, run.place(count, self.count())),
            End::Right => packed::part_before(run, run.place(self.count() - count, self.count())),
        };
        *self = Block::new(bytes, self.count() - count);
    }

    /// Leaves the first `index` elements here and returns a block of the others. Both have some.
    pub fn split_off(&mut self, index: usize) -> Block {
        let run = self.run();
        let place = run.place(index, self.count());
        let behind = Block::new(packed::part_behind(run, place), self.count() - index);
        *self = Block::new(packed::part_before(run, place), index);
        behind
    }

    /// Takes in the elements of the block behind this one. Neither is empty.
    pub fn join(&mut self, behind: &Block) {
        self.bytes.reserve_exact(behind.used());
        packed::join(&mut self.bytes, behind.run());
        self.count += behind.count;
    }

    /// Takes at most `limit` elements equal to `needle`, the ones nearest to `end`; how many.
    pub fn remove_equal(&mut self, needle: &Encoded<'_>, end: End, limit: usize) -> usize {
        let run = self.run();
        let keep = match end {
            End::Left => 0,
            End::Right => run.count_equal(needle).saturating_sub(limit),
        };
        let Some((bytes, taken)) = packed::without(run, needle, keep, limit) else { return 0 };
        *self = Block::new(bytes, self.count() - taken);
        self.trim();
        taken
    }
}
