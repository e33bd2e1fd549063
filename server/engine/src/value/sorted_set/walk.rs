//! Elements one after the other, in either direction: along one block, then on to its neighbour.

use super::leaves::{Leaves, NONE};
use super::packed::{Entries, PackedView, Place};

/// Some elements of a sorted set in order, each as (member, score).
#[derive(Debug)]
pub struct Walk<'a> {
    /// What is left of the block, walking forward.
    entries: Entries<'a>,
    /// Where the elements of the block begin that are left, walking backward.
    offsets: Vec<u32>,
    backward: bool,
    /// The blocks of a large set, and the neighbour to go on with.
    leaves: Option<&'a Leaves>,
    next: u32,
    /// Elements still to come.
    left: usize,
}

impl<'a> Walk<'a> {
    /// Along one block from `first` on.
    pub fn small(packed: PackedView<'a>, first: usize, backward: bool, count: usize) -> Walk<'a> {
        let place = packed.nth(first.min(packed.len()));
        Walk::start(packed, place, backward, count)
    }

    /// From a place in one of the blocks on; from no place there are no elements.
    pub fn large(
        leaves: &'a Leaves,
        at: Option<(u32, Place)>,
        backward: bool,
        count: usize,
    ) -> Walk<'a> {
        let Some((leaf, place)) = at else { return Walk::nothing() };
        let next = if backward { leaves.prev(leaf) } else { leaves.next(leaf) };
        let walk = Walk::start(leaves.get(leaf), place, backward, count);
        Walk { leaves: Some(leaves), next, ..walk }
    }

    /// No elements.
    fn nothing() -> Walk<'a> {
        let entries = Entries::default();
        Walk { entries, offsets: Vec::new(), backward: false, leaves: None, next: NONE, left: 0 }
    }

    fn start(packed: PackedView<'a>, place: Place, backward: bool, count: usize) -> Walk<'a> {
        let mut offsets = Vec::new();
        if backward && count > 0 {
            packed.offsets(&mut offsets);
            offsets.truncate(place.index + 1);
        }
        let entries = packed.entries_from(place.offset);
        Walk { entries, offsets, backward, leaves: None, next: NONE, left: count }
    }

    /// Goes to the neighbour; whether there is one.
    fn turn(&mut self) -> bool {
        let Some(leaves) = self.leaves.filter(|_| self.next != NONE) else { return false };
        let leaf = self.next;
        self.entries = leaves.get(leaf).entries();
        if self.backward {
            leaves.get(leaf).offsets(&mut self.offsets);
            self.next = leaves.prev(leaf);
        } else {
            self.next = leaves.next(leaf);
        }
        true
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (&'a [u8], f64);

    fn next(&mut self) -> Option<(&'a [u8], f64)> {
        self.left = self.left.checked_sub(1)?;
        loop {
            let entry = if self.backward {
                self.offsets.pop().map(|offset| self.entries.read_at(offset as usize))
            } else {
                self.entries.next()
            };
            if let Some(entry) = entry {
                return Some((entry.member, entry.score));
            }
            if !self.turn() {
                return None;
            }
        }
    }
}
