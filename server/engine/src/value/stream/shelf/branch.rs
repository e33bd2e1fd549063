//! The two lower levels of a shelf: leaves of items, and branches of leaves. Neither is ever longer
//! than its bound, so what a change moves does not depend on how much lies on the shelf.

use std::collections::VecDeque;

use super::Shelved;
use crate::value::stream::id::StreamId;

/// Items of a leaf: at 40 bytes each, five KiB to move in the worst insertion.
pub const LEAF_MAX: usize = 128;

/// Leaves of a branch: ten KiB to move in the worst insertion. Ten million items are 306 branches.
pub const BRANCH_MAX: usize = 256;

/// Never empty between two calls.
#[derive(Debug)]
pub struct Leaf<T> {
    /// At most the first item's id, and above every id of the leaf before.
    pub from: StreamId,
    pub items: Vec<T>,
}

impl<T: Shelved> Leaf<T> {
    /// A leaf of one item.
    pub fn of(item: T, capacity: usize) -> Leaf<T> {
        let from = item.id();
        let mut items = Vec::with_capacity(capacity);
        items.push(item);
        Leaf { from, items }
    }

    /// The position of `id`, or the one it would have.
    pub fn find(&self, id: StreamId) -> Result<usize, usize> {
        self.items.binary_search_by_key(&id, Shelved::id)
    }

    /// Grows by a quarter, so that a short list wastes little and a long one copies little.
    pub fn insert(&mut self, at: usize, item: T) {
        if self.items.len() == self.items.capacity() {
            let more = (self.items.len() / 4 + 2).min(LEAF_MAX - self.items.len());
            self.items.reserve_exact(more);
        }
        self.items.insert(at, item);
    }

    pub fn remove(&mut self, at: usize) -> T {
        let item = self.items.remove(at);
        self.fit();
        item
    }

    /// Drops the items that are not to be kept.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.items.retain(keep);
        self.fit();
    }

    fn fit(&mut self) {
        if self.items.len() < self.items.capacity() / 4 {
            self.items.shrink_to(self.items.len() * 2);
        }
    }

    /// The upper half of a full leaf.
    pub fn split(&mut self) -> Leaf<T> {
        let items = self.items.split_off(LEAF_MAX / 2);
        self.items.shrink_to_fit();
        Leaf { from: items[0].id(), items }
    }
}

/// Never empty between two calls.
#[derive(Debug)]
pub struct Branch<T> {
    pub leaves: VecDeque<Leaf<T>>,
}

impl<T: Shelved> Branch<T> {
    /// A branch of one leaf.
    pub fn of(leaf: Leaf<T>, capacity: usize) -> Branch<T> {
        let mut leaves = VecDeque::with_capacity(capacity);
        leaves.push_back(leaf);
        Branch { leaves }
    }

    /// As [`Leaf::from`].
    pub fn from(&self) -> StreamId {
        self.leaves[0].from
    }

    /// The leaf that holds `id` if any does.
    pub fn leaf_of(&self, id: StreamId) -> usize {
        self.leaves.partition_point(|leaf| leaf.from <= id).saturating_sub(1)
    }

    pub fn is_full(&self) -> bool {
        self.leaves.len() == BRANCH_MAX
    }

    /// The upper half of a full branch.
    pub fn split(&mut self) -> Branch<T> {
        Branch { leaves: self.leaves.split_off(BRANCH_MAX / 2) }
    }

    /// Takes a leaf out.
    pub fn remove(&mut self, at: usize) -> Option<Leaf<T>> {
        let leaf = self.leaves.remove(at);
        if self.leaves.len() < self.leaves.capacity() / 4 {
            self.leaves.shrink_to(self.leaves.len() * 2);
        }
        leaf
    }
}
