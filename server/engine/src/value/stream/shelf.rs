//! Things in the order of their ids: the blocks of a stream, the entries a group has pending, the
//! ids a consumer owns. All of them are added at the end and leave near the front, so this is
//! two levels of arrays, filled to the brim by appends, where a B-tree would leave its nodes half
//! empty: ten million pending entries cost hardly more than their own size.
//!
//! Append is O(1), everything else O(log n) and a move within one leaf of at most [`LEAF_MAX`].

use std::collections::VecDeque;

use super::id::StreamId;

/// Items of a leaf: at 40 bytes each, five KiB to move in the worst insertion.
const LEAF_MAX: usize = 128;

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
    leaves: VecDeque<Leaf<T>>,
    len: usize,
}

/// Never empty between two calls.
#[derive(Debug)]
struct Leaf<T> {
    /// At most the first item's id, and above every id of the leaf before.
    from: StreamId,
    items: Vec<T>,
}

impl<T> Shelf<T> {
    pub const fn new() -> Shelf<T> {
        Shelf { leaves: VecDeque::new(), len: 0 }
    }
}

impl<T: Shelved> Leaf<T> {
    /// The position of `id`, or the one it would have.
    fn find(&self, id: StreamId) -> Result<usize, usize> {
        self.items.binary_search_by_key(&id, Shelved::id)
    }

    /// Grows by a quarter, so that a short list wastes little and a long one copies little.
    fn insert(&mut self, at: usize, item: T) {
        if self.items.len() == self.items.capacity() {
            let more = (self.items.len() / 4 + 2).min(LEAF_MAX - self.items.len());
            self.items.reserve_exact(more);
        }
        self.items.insert(at, item);
    }

    fn remove(&mut self, at: usize) -> T {
        let item = self.items.remove(at);
        if self.items.len() < self.items.capacity() / 4 {
            self.items.shrink_to(self.items.len() * 2);
        }
        item
    }
}

impl<T: Shelved> Shelf<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Heap bytes if every leaf is as full as appends leave it.
    pub fn heap_bytes(&self) -> usize {
        self.len * size_of::<T>() + self.leaves.capacity() * size_of::<Leaf<T>>()
    }

    /// The leaf that holds `id` if any does; 0 when there is none.
    fn leaf_of(&self, id: StreamId) -> usize {
        match self.leaves.back() {
            Some(leaf) if leaf.from <= id => self.leaves.len() - 1,
            _ => self.leaves.partition_point(|leaf| leaf.from <= id).saturating_sub(1),
        }
    }

    pub fn get(&self, id: StreamId) -> Option<&T> {
        let leaf = self.leaves.get(self.leaf_of(id))?;
        leaf.find(id).ok().map(|at| &leaf.items[at])
    }

    pub fn get_mut(&mut self, id: StreamId) -> Option<&mut T> {
        let at = self.leaf_of(id);
        let leaf = self.leaves.get_mut(at)?;
        leaf.find(id).ok().map(|at| &mut leaf.items[at])
    }

    pub fn first(&self) -> Option<&T> {
        self.leaves.front()?.items.first()
    }

    pub fn last(&self) -> Option<&T> {
        self.leaves.back()?.items.last()
    }

    /// The last item at or below `id`.
    pub fn floor(&self, id: StreamId) -> Option<&T> {
        self.back_from(id).next()
    }

    pub fn first_mut(&mut self) -> Option<&mut T> {
        self.leaves.front_mut()?.items.first_mut()
    }

    /// The last item at or below `id`.
    pub fn floor_mut(&mut self, id: StreamId) -> Option<&mut T> {
        let found = self.floor(id)?.id();
        self.get_mut(found)
    }

    /// Puts an item in its place; the one that had the id before comes back.
    pub fn insert(&mut self, item: T) -> Option<T> {
        let id = item.id();
        if self.last().is_none_or(|last| last.id() < id) {
            self.push(item);
            return None;
        }
        let at = self.leaf_of(id);
        let leaf = &mut self.leaves[at];
        match leaf.find(id) {
            Ok(place) => return Some(std::mem::replace(&mut leaf.items[place], item)),
            Err(place) if leaf.items.len() < LEAF_MAX => {
                leaf.from = leaf.from.min(id);
                leaf.insert(place, item);
            }
            Err(place) => {
                let upper = leaf.items.split_off(LEAF_MAX / 2);
                let upper = Leaf { from: upper[0].id(), items: upper };
                leaf.items.shrink_to_fit();
                leaf.from = leaf.from.min(id);
                self.leaves.insert(at + 1, upper);
                let (at, place) = match place.checked_sub(LEAF_MAX / 2 + 1) {
                    Some(above) => (at + 1, above + 1),
                    None => (at, place),
                };
                self.leaves[at].insert(place, item);
            }
        }
        self.len += 1;
        None
    }

    /// Appends an item whose id is above all others.
    pub fn push(&mut self, item: T) {
        debug_assert!(self.last().is_none_or(|last| last.id() < item.id()));
        match self.leaves.back_mut() {
            Some(leaf) if leaf.items.len() < LEAF_MAX => leaf.insert(leaf.items.len(), item),
            _ => {
                let from = item.id();
                let items = if self.leaves.is_empty() {
                    vec![item]
                } else {
                    let mut items = Vec::with_capacity(LEAF_MAX); // more will follow
                    items.push(item);
                    items
                };
                self.leaves.push_back(Leaf { from, items });
            }
        }
        self.len += 1;
    }

    pub fn remove(&mut self, id: StreamId) -> Option<T> {
        let at = self.leaf_of(id);
        let leaf = self.leaves.get_mut(at)?;
        let place = leaf.find(id).ok()?;
        Some(self.remove_at(at, place))
    }

    pub fn pop_last(&mut self) -> Option<T> {
        let at = self.leaves.len().checked_sub(1)?;
        Some(self.remove_at(at, self.leaves[at].items.len() - 1))
    }

    fn remove_at(&mut self, at: usize, place: usize) -> T {
        let leaf = &mut self.leaves[at];
        let item = leaf.remove(place);
        let left = leaf.items.len();
        self.len -= 1;
        if left == 0 {
            self.leaves.remove(at);
        } else if left < LEAF_MAX / 4 {
            self.join_next(at, left);
        }
        item
    }

    /// Random removals must not leave thousands of nearly empty leaves behind.
    fn join_next(&mut self, at: usize, left: usize) {
        let fits = |next: &Leaf<T>| left + next.items.len() <= LEAF_MAX / 2;
        if self.leaves.get(at + 1).is_some_and(fits)
            && let Some(next) = self.leaves.remove(at + 1)
        {
            self.leaves[at].items.extend(next.items);
        }
    }

    /// Takes whole leaves off the front while `give` agrees to the items of one, and puts them at
    /// the end of `to`, which holds nothing above them. O(leaves).
    pub fn move_front(&mut self, to: &mut Shelf<T>, mut give: impl FnMut(&[T]) -> bool) {
        while let Some(leaf) = self.leaves.pop_front_if(|leaf| give(&leaf.items)) {
            self.len -= leaf.items.len();
            to.len += leaf.items.len();
            to.leaves.push_back(leaf);
        }
    }

    /// All items, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.leaves.iter().flat_map(|leaf| &leaf.items)
    }

    /// The items at or above `id`, in order.
    pub fn from(&self, id: StreamId) -> impl Iterator<Item = &T> {
        let at = self.leaf_of(id);
        let skip =
            self.leaves.get(at).map_or(0, |leaf| leaf.find(id).unwrap_or_else(|place| place));
        self.leaves.range(at.min(self.leaves.len())..).flat_map(|leaf| &leaf.items).skip(skip)
    }

    /// The items at or below `id`, last first.
    pub fn back_from(&self, id: StreamId) -> impl Iterator<Item = &T> {
        let at = self.leaf_of(id);
        let skip = self.leaves.get(at).map_or(0, |leaf| {
            leaf.items.len() - leaf.find(id).map_or_else(|place| place, |place| place + 1)
        });
        let end = (at + 1).min(self.leaves.len());
        self.leaves.range(..end).rev().flat_map(|leaf| leaf.items.iter().rev()).skip(skip)
    }

    /// Frees up to `pieces` items and what they own; how many it did free.
    pub fn dismantle(&mut self, pieces: usize) -> usize {
        let before = self.len;
        while before - self.len < pieces && self.pop_last().is_some() {}
        if self.is_empty() {
            self.leaves = VecDeque::new();
        }
        before - self.len
    }

    /// Frees up to `leaves` whole leaves of items that own nothing; how many it did free.
    pub fn dismantle_leaves(&mut self, leaves: usize) -> usize {
        let count = leaves.min(self.leaves.len());
        for leaf in self.leaves.drain(self.leaves.len() - count..) {
            self.len -= leaf.items.len();
        }
        if self.is_empty() {
            self.leaves = VecDeque::new();
        }
        count
    }

    pub fn check_invariants(&self) {
        let counted: usize = self.leaves.iter().map(|leaf| leaf.items.len()).sum();
        assert_eq!(counted, self.len);
        let mut above = None;
        for leaf in &self.leaves {
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
mod tests {
    use std::collections::BTreeSet;

    use super::{LEAF_MAX, Shelf};
    use crate::base::random::Random;
    use crate::value::stream::StreamId;

    #[test]
    fn a_shelf_holds_what_a_tree_would() {
        for seed in 0..20 {
            let mut random = Random::new(seed);
            let mut shelf = Shelf::new();
            let mut model = BTreeSet::new();
            let span = 1 + random.below(2_000);
            for step in 0..6_000 {
                let id = StreamId::new(random.below(span), random.below(2));
                let grow = if step / 1_500 % 2 == 0 { 6 } else { 2 };
                match random.below(10) {
                    roll if roll < grow => {
                        let new = model.insert(id);
                        assert_eq!(shelf.insert(id).is_none(), new, "seed {seed}");
                    }
                    9 => {
                        let first = shelf.first().copied();
                        let gone = first.and_then(|first| shelf.remove(first));
                        assert_eq!(gone, model.pop_first(), "seed {seed}");
                    }
                    8 if step % 3 == 0 => assert_eq!(shelf.pop_last(), model.pop_last()),
                    _ => assert_eq!(shelf.remove(id).is_some(), model.remove(&id), "seed {seed}"),
                }
                assert_eq!(shelf.get(id).copied(), model.get(&id).copied());
                assert_eq!(shelf.floor(id), model.range(..=id).next_back());
                assert_eq!(shelf.from(id).next(), model.range(id..).next());
                if step % 500 == 0 {
                    shelf.check_invariants();
                    assert!(shelf.iter().eq(&model), "seed {seed}");
                    assert!(shelf.from(id).eq(model.range(id..)), "seed {seed}");
                    assert!(shelf.back_from(id).eq(model.range(..=id).rev()), "seed {seed}");
                }
            }
        }
    }

    #[test]
    fn appends_leave_full_leaves() {
        let mut shelf = Shelf::new();
        let count = 10 * LEAF_MAX as u64;
        (0..count).for_each(|ms| shelf.push(StreamId::new(ms, 0)));
        assert_eq!(shelf.leaves.len(), 10);
        (0..count - 1).for_each(|ms| assert!(shelf.remove(StreamId::new(ms, 0)).is_some()));
        shelf.check_invariants();
        assert_eq!(shelf.leaves.len(), 1);
    }
}
