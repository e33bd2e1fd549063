//! Things in the order of their ids: the blocks of a stream, the entries a group has pending, the
//! ids a consumer owns. All of them are added at the end and leave near the front, so this is
//! three levels of arrays, filled to the brim by appends, where a B-tree would leave its nodes half
//! empty: ten million pending entries cost hardly more than their own size.
//!
//! ```text
//! shelf -> branches of up to 256 leaves -> leaves of up to 128 items
//! ```
//!
//! Append is O(1), everything else O(log n) and a move within one leaf and one branch. With one
//! array of all leaves, three megabytes at ten million items, an append copied that array when it
//! grew and every leaf that went moved half of it.

use std::collections::VecDeque;

use super::id::StreamId;
use branch::{BRANCH_MAX, Branch, LEAF_MAX, Leaf};

mod branch;

/// What knows its place.
pub(super) trait Shelved {
    /// Never changes while the thing is on the shelf.
    fn id(&self) -> StreamId;
}

impl Shelved for StreamId {
    fn id(&self) -> StreamId {
        *self
    }
}

#[derive(Debug)]
pub(super) struct Shelf<T> {
    branches: VecDeque<Branch<T>>,
    leaves: usize,
    len: usize,
}

/// Where a leaf is.
#[derive(Clone, Copy)]
struct At {
    branch: usize,
    leaf: usize,
}

impl<T> Shelf<T> {
    pub const fn new() -> Shelf<T> {
        Shelf { branches: VecDeque::new(), leaves: 0, len: 0 }
    }
}

impl<T: Shelved> Shelf<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Heap bytes if every leaf and branch is as full as appends leave it.
    pub fn heap_bytes(&self) -> usize {
        self.len * size_of::<T>()
            + self.leaves * size_of::<Leaf<T>>()
            + self.branches.capacity() * size_of::<Branch<T>>()
    }

    /// The leaf that holds `id` if any does; none on an empty shelf.
    fn leaf_of(&self, id: StreamId) -> Option<At> {
        let branch = match self.branches.back()? {
            last if last.from() <= id => self.branches.len() - 1,
            _ => self.branches.partition_point(|branch| branch.from() <= id).saturating_sub(1),
        };
        Some(At { branch, leaf: self.branches[branch].leaf_of(id) })
    }

    fn leaf(&self, at: At) -> &Leaf<T> {
        &self.branches[at.branch].leaves[at.leaf]
    }

    fn leaf_mut(&mut self, at: At) -> &mut Leaf<T> {
        &mut self.branches[at.branch].leaves[at.leaf]
    }

    pub fn get(&self, id: StreamId) -> Option<&T> {
        let leaf = self.leaf(self.leaf_of(id)?);
        leaf.find(id).ok().map(|at| &leaf.items[at])
    }

    pub fn get_mut(&mut self, id: StreamId) -> Option<&mut T> {
        let at = self.leaf_of(id)?;
        let leaf = self.leaf_mut(at);
        leaf.find(id).ok().map(|at| &mut leaf.items[at])
    }

    pub fn first(&self) -> Option<&T> {
        self.branches.front()?.leaves.front()?.items.first()
    }

    pub fn last(&self) -> Option<&T> {
        self.branches.back()?.leaves.back()?.items.last()
    }

    /// The last item at or below `id`.
    pub fn floor(&self, id: StreamId) -> Option<&T> {
        self.back_from(id).next()
    }

    pub fn first_mut(&mut self) -> Option<&mut T> {
        self.branches.front_mut()?.leaves.front_mut()?.items.first_mut()
    }

    /// The last item at or below `id`.
    pub fn floor_mut(&mut self, id: StreamId) -> Option<&mut T> {
        let found = self.floor(id)?.id();
        self.get_mut(found)
    }

    /// Puts an item in its place; the one that had the id before comes back.
    pub fn insert(&mut self, item: T) -> Option<T> {
        let id = item.id();
        let at = match self.last() {
            Some(last) if id <= last.id() => self.leaf_of(id),
            _ => None,
        };
        let Some(at) = at else {
            self.push(item);
            return None;
        };
        let leaf = self.leaf_mut(at);
        match leaf.find(id) {
            Ok(place) => return Some(std::mem::replace(&mut leaf.items[place], item)),
            Err(place) => {
                leaf.from = leaf.from.min(id);
                if leaf.items.len() < LEAF_MAX {
                    leaf.insert(place, item);
                } else {
                    self.insert_splitting(at, place, item);
                }
            }
        }
        self.len += 1;
        None
    }

    /// Inserts into a full leaf.
    fn insert_splitting(&mut self, at: At, place: usize, item: T) {
        let At { branch, leaf } = self.make_room(at);
        let leaves = &mut self.branches[branch].leaves;
        let upper = leaves[leaf].split();
        leaves.insert(leaf + 1, upper);
        self.leaves += 1;
        let (leaf, place) = match place.checked_sub(LEAF_MAX / 2 + 1) {
            Some(above) => (leaf + 1, above + 1),
            None => (leaf, place),
        };
        leaves[leaf].insert(place, item);
    }

    /// Splits the branch at `at` when it is full. Returns where `at` is now.
    fn make_room(&mut self, at: At) -> At {
        if !self.branches[at.branch].is_full() {
            return at;
        }
        let upper = self.branches[at.branch].split();
        self.branches.insert(at.branch + 1, upper);
        match at.leaf.checked_sub(BRANCH_MAX / 2) {
            Some(leaf) => At { branch: at.branch + 1, leaf },
            None => at,
        }
    }

    /// Appends an item whose id is above all others.
    pub fn push(&mut self, item: T) {
        debug_assert!(self.last().is_none_or(|last| last.id() < item.id()));
        match self.branches.back_mut().and_then(|branch| branch.leaves.back_mut()) {
            Some(leaf) if leaf.items.len() < LEAF_MAX => leaf.insert(leaf.items.len(), item),
            // More will follow a full one; most shelves have no second.
            Some(_) => self.push_leaf(Leaf::of(item, LEAF_MAX)),
            None => self.push_leaf(Leaf::of(item, 1)),
        }
        self.len += 1;
    }

    fn push_leaf(&mut self, leaf: Leaf<T>) {
        match self.branches.back_mut() {
            Some(branch) if !branch.is_full() => branch.leaves.push_back(leaf),
            Some(_) => self.branches.push_back(Branch::of(leaf, BRANCH_MAX)),
            None => {
                self.branches.reserve_exact(1);
                self.branches.push_back(Branch::of(leaf, 1));
            }
        }
        self.leaves += 1;
    }

    pub fn remove(&mut self, id: StreamId) -> Option<T> {
        let at = self.leaf_of(id)?;
        let place = self.leaf(at).find(id).ok()?;
        Some(self.remove_at(at, place))
    }

    pub fn pop_last(&mut self) -> Option<T> {
        let branch = self.branches.len().checked_sub(1)?;
        let at = At { branch, leaf: self.branches[branch].leaves.len() - 1 };
        Some(self.remove_at(at, self.leaf(at).items.len() - 1))
    }

    fn remove_at(&mut self, at: At, place: usize) -> T {
        let leaf = self.leaf_mut(at);
        let item = leaf.remove(place);
        let left = leaf.items.len();
        self.len -= 1;
        self.has_shrunk(at, left);
        item
    }

    /// Drops what is not to be kept from the leaf that `id` would be in; returns where the next one
    /// begins, `None` at the end.
    pub fn sift(&mut self, id: StreamId, keep: impl FnMut(&T) -> bool) -> Option<StreamId> {
        let at = self.leaf_of(id)?;
        let behind = self.branches[at.branch].leaves.get(at.leaf + 1).map(|leaf| leaf.from);
        let next = behind.or_else(|| self.branches.get(at.branch + 1).map(Branch::from));
        let leaf = self.leaf_mut(at);
        let before = leaf.items.len();
        leaf.retain(keep);
        let left = leaf.items.len();
        self.len -= before - left;
        self.has_shrunk(at, left);
        next
    }

    /// A leaf has lost items; so many are left.
    fn has_shrunk(&mut self, at: At, left: usize) {
        if left == 0 {
            self.remove_leaf(at);
        } else if left < LEAF_MAX / 4 {
            self.join_next(at, left);
        }
    }

    /// Random removals must not leave thousands of nearly empty leaves behind.
    fn join_next(&mut self, at: At, left: usize) {
        let next = At { leaf: at.leaf + 1, ..at };
        let fits = |next: &Leaf<T>| left + next.items.len() <= LEAF_MAX / 2;
        if self.branches[at.branch].leaves.get(next.leaf).is_some_and(fits)
            && let Some(next) = self.remove_leaf(next)
        {
            self.leaf_mut(at).items.extend(next.items);
        }
    }

    /// Takes a leaf out, and its branch if that was the last one of it; what is left of a branch
    /// joins the next when both have little.
    fn remove_leaf(&mut self, at: At) -> Option<Leaf<T>> {
        let leaf = self.branches[at.branch].remove(at.leaf);
        self.leaves -= usize::from(leaf.is_some());
        let left = self.branches[at.branch].leaves.len();
        let fits = |next: &Branch<T>| left + next.leaves.len() <= BRANCH_MAX / 2;
        if left == 0 {
            self.branches.remove(at.branch);
        } else if self.branches.get(at.branch + 1).is_some_and(fits)
            && let Some(next) = self.branches.remove(at.branch + 1)
        {
            self.branches[at.branch].leaves.extend(next.leaves);
        }
        leaf
    }

    /// Takes whole leaves off the front while `give` agrees to the items of one, and puts them at
    /// the end of `to`, which holds nothing above them. O(leaves).
    pub fn move_front(&mut self, to: &mut Shelf<T>, mut give: impl FnMut(&[T]) -> bool) {
        while let Some(branch) = self.branches.front_mut() {
            while let Some(leaf) = branch.leaves.pop_front_if(|leaf| give(&leaf.items)) {
                self.leaves -= 1;
                self.len -= leaf.items.len();
                to.len += leaf.items.len();
                to.push_leaf(leaf);
            }
            if !branch.leaves.is_empty() {
                return;
            }
            self.branches.pop_front();
        }
    }

    /// All items, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.branches.iter().flat_map(|branch| &branch.leaves).flat_map(|leaf| &leaf.items)
    }

    /// The items at or above `id`, in order.
    pub fn from(&self, id: StreamId) -> impl Iterator<Item = &T> {
        let at = self.leaf_of(id).unwrap_or(At { branch: 0, leaf: 0 });
        let here = self.branches.get(at.branch);
        let skip =
            here.map_or(0, |branch| branch.leaves[at.leaf].find(id).unwrap_or_else(|place| place));
        let here = here.into_iter().flat_map(move |branch| branch.leaves.range(at.leaf..));
        let above = self.branches.iter().skip(at.branch + 1).flat_map(|branch| &branch.leaves);
        here.chain(above).flat_map(|leaf| &leaf.items).skip(skip)
    }

    /// The items at or below `id`, last first.
    pub fn back_from(&self, id: StreamId) -> impl Iterator<Item = &T> {
        let at = self.leaf_of(id).unwrap_or(At { branch: 0, leaf: 0 });
        let here = self.branches.get(at.branch);
        let skip = here.map_or(0, |branch| {
            let leaf = &branch.leaves[at.leaf];
            leaf.items.len() - leaf.find(id).map_or_else(|place| place, |place| place + 1)
        });
        let here = here.into_iter().flat_map(move |branch| branch.leaves.range(..=at.leaf).rev());
        let below = self.branches.range(..at.branch.min(self.branches.len())).rev();
        let below = below.flat_map(|branch| branch.leaves.iter().rev());
        here.chain(below).flat_map(|leaf| leaf.items.iter().rev()).skip(skip)
    }

    /// Frees up to `pieces` items and what they own; how many it did free.
    pub fn dismantle(&mut self, pieces: usize) -> usize {
        let before = self.len;
        while before - self.len < pieces && self.pop_last().is_some() {}
        before - self.len
    }

    /// Frees up to `leaves` whole leaves of items that own nothing; how many it did free.
    pub fn dismantle_leaves(&mut self, leaves: usize) -> usize {
        let before = self.leaves;
        while before - self.leaves < leaves
            && let Some(branch) = self.branches.back_mut()
        {
            if let Some(leaf) = branch.leaves.pop_back() {
                self.leaves -= 1;
                self.len -= leaf.items.len();
            }
            if branch.leaves.is_empty() {
                self.branches.pop_back();
            }
        }
        before - self.leaves
    }

    pub fn check_invariants(&self) {
        let leaves = || self.branches.iter().flat_map(|branch| &branch.leaves);
        let counted: usize = leaves().map(|leaf| leaf.items.len()).sum();
        assert_eq!((leaves().count(), counted), (self.leaves, self.len));
        for branch in &self.branches {
            assert!(!branch.leaves.is_empty() && branch.leaves.len() <= BRANCH_MAX);
        }
        let mut above = None;
        for leaf in leaves() {
            assert!(!leaf.items.is_empty() && leaf.items.len() <= LEAF_MAX);
            assert!(leaf.from <= leaf.items[0].id());
            assert!(above < Some(leaf.from));
            for item in &leaf.items {
                assert!(above < Some(item.id()), "out of order");
                above = Some(item.id());
            }
        }
    }
}

#[cfg(test)]
mod tests;
