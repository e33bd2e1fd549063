//! Items addressed by a 32-bit index: what an entry points to when it cannot hold it itself.
//! A freed index is used again before the arena grows.

/// Items of one kind, each under a small number that stays valid until it is removed.
#[derive(Debug)]
pub struct Arena<T> {
    cells: Vec<Option<T>>,
    vacant: Vec<u32>,
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena { cells: Vec::new(), vacant: Vec::new() }
    }
}

impl<T> Arena<T> {
    /// Keeps `item` and says where.
    ///
    /// # Panics
    /// When 2^32 items are held.
    pub fn insert(&mut self, item: T) -> u32 {
        if let Some(index) = self.vacant.pop() {
            debug_assert!(self.cells[index as usize].is_none());
            self.cells[index as usize] = Some(item);
            return index;
        }
        let index = u32::try_from(self.cells.len()).expect("an arena holds at most 2^32 items");
        self.cells.push(Some(item));
        index
    }

    /// Gives the item back and frees its index.
    ///
    /// # Panics
    /// When nothing is there: an entry pointed to an item that is gone.
    pub fn remove(&mut self, index: u32) -> T {
        let item = self.cells[index as usize].take().expect("an index names a live item");
        self.vacant.push(index);
        item
    }

    /// The item at `index`.
    ///
    /// # Panics
    /// When nothing is there.
    #[inline]
    pub fn get(&self, index: u32) -> &T {
        self.cells[index as usize].as_ref().expect("an index names a live item")
    }

    /// The item at `index`, to be changed.
    ///
    /// # Panics
    /// When nothing is there.
    #[inline]
    pub fn get_mut(&mut self, index: u32) -> &mut T {
        self.cells[index as usize].as_mut().expect("an index names a live item")
    }

    /// How many items are held.
    pub fn len(&self) -> usize {
        self.cells.len() - self.vacant.len()
    }

    /// Whether no item is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the arena's own arrays; what the items own elsewhere is not in it.
    #[inline]
    pub fn array_bytes(&self) -> usize {
        self.cells.capacity() * size_of::<Option<T>>() + self.vacant.capacity() * size_of::<u32>()
    }

    /// Drops up to `count` cells from the end, and says whether any are left: how an arena that
    /// nobody refers to any more is emptied in slices.
    pub fn drop_some(&mut self, count: usize) -> bool {
        self.vacant = Vec::new();
        let keep = self.cells.len().saturating_sub(count);
        self.cells.truncate(keep);
        if keep == 0 {
            self.cells = Vec::new();
        }
        keep > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_index_is_used_before_the_arena_grows() {
        let mut arena = Arena::default();
        let (a, b) = (arena.insert("a"), arena.insert("b"));
        assert_eq!(arena.remove(a), "a");
        assert_eq!(arena.insert("c"), a);
        assert_eq!((*arena.get(a), *arena.get(b), arena.len()), ("c", "b", 2));
    }

    #[test]
    #[should_panic(expected = "live item")]
    fn a_stale_index_is_caught() {
        let mut arena = Arena::default();
        let index = arena.insert(1);
        arena.remove(index);
        arena.get(index);
    }

    #[test]
    fn an_arena_nobody_refers_to_is_emptied_in_slices() {
        let mut arena = Arena::default();
        (0..10).for_each(|item| {
            arena.insert(item);
        });
        assert!(arena.drop_some(4));
        assert!(arena.drop_some(4));
        assert!(!arena.drop_some(4));
        assert!(arena.is_empty());
        assert_eq!(arena.array_bytes(), 0);
    }
}
