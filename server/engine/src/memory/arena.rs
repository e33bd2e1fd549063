//! Items addressed by a 32-bit index: what an entry points to when it cannot hold it itself.
//! A freed index is used again before the arena grows.

/// Cells of a chunk. The arena grows a chunk at a time, so no insert copies what is there.
const CHUNK_CELLS: usize = 1024;

/// Items of one kind, each under a small number that stays valid until it is removed.
#[derive(Debug)]
pub struct Arena<T> {
    /// All but the last are full.
    chunks: Vec<Vec<Option<T>>>,
    vacant: Vec<u32>,
}

impl<T> Default for Arena<T> {
    fn default() -> Arena<T> {
        Arena { chunks: Vec::new(), vacant: Vec::new() }
    }
}

impl<T> Arena<T> {
    /// Keeps `item` and says where.
    ///
    /// # Panics
    /// When 2^32 items are held.
    pub fn insert(&mut self, item: T) -> u32 {
        if let Some(index) = self.vacant.pop() {
            let cell = self.cell_mut(index);
            debug_assert!(cell.is_none());
            *cell = Some(item);
            return index;
        }
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK_CELLS) {
            // The first grows as it fills: an idle database takes no 32 KiB.
            let cells = if self.chunks.is_empty() { 0 } else { CHUNK_CELLS };
            self.chunks.push(Vec::with_capacity(cells));
        }
        let index = u32::try_from(self.cells()).expect("an arena holds at most 2^32 items");
        let last = self.chunks.last_mut().expect("one has just been made sure of");
        last.push(Some(item));
        index
    }

    /// Gives the item back and frees its index.
    ///
    /// # Panics
    /// When nothing is there: an entry pointed to an item that is gone.
    pub fn remove(&mut self, index: u32) -> T {
        let item = self.cell_mut(index).take().expect("an index names a live item");
        self.vacant.push(index);
        item
    }

    /// The item at `index`.
    ///
    /// # Panics
    /// When nothing is there.
    #[inline]
    pub fn get(&self, index: u32) -> &T {
        let cell = &self.chunks[index as usize / CHUNK_CELLS][index as usize % CHUNK_CELLS];
        cell.as_ref().expect("an index names a live item")
    }

    /// The item at `index`, to be changed.
    ///
    /// # Panics
    /// When nothing is there.
    #[inline]
    pub fn get_mut(&mut self, index: u32) -> &mut T {
        self.cell_mut(index).as_mut().expect("an index names a live item")
    }

    /// Whether an item is there.
    pub fn contains(&self, index: u32) -> bool {
        let chunk = self.chunks.get(index as usize / CHUNK_CELLS);
        chunk.and_then(|chunk| chunk.get(index as usize % CHUNK_CELLS)).is_some_and(Option::is_some)
    }

    #[inline]
    fn cell_mut(&mut self, index: u32) -> &mut Option<T> {
        &mut self.chunks[index as usize / CHUNK_CELLS][index as usize % CHUNK_CELLS]
    }

    fn cells(&self) -> usize {
        let last = self.chunks.last().map_or(0, Vec::len);
        self.chunks.len().saturating_sub(1) * CHUNK_CELLS + last
    }

    /// How many items are held.
    pub fn len(&self) -> usize {
        self.cells() - self.vacant.len()
    }

    /// Whether no item is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the arena's own arrays; what the items own elsewhere is not in it.
    #[inline]
    pub fn array_bytes(&self) -> usize {
        let last = self.chunks.last().map_or(0, Vec::capacity);
        let cells = self.chunks.len().saturating_sub(1) * CHUNK_CELLS + last;
        cells * size_of::<Option<T>>()
            + self.chunks.capacity() * size_of::<Vec<Option<T>>>()
            + self.vacant.capacity() * size_of::<u32>()
    }

    /// Drops up to `count` cells from the end, and says whether any are left: how an arena that
    /// nobody refers to any more is emptied in slices. `busy` may free a part of an item first;
    /// while it says that there is more, the item stays.
    pub fn drop_some(&mut self, count: usize, mut busy: impl FnMut(&mut T) -> bool) -> bool {
        self.vacant = Vec::new();
        for _ in 0..count {
            let Some(chunk) = self.chunks.last_mut() else { break };
            if chunk.last_mut().and_then(Option::as_mut).is_some_and(&mut busy) {
                return true;
            }
            chunk.pop();
            if chunk.is_empty() {
                self.chunks.pop();
            }
        }
        if self.chunks.is_empty() {
            self.chunks = Vec::new();
        }
        !self.chunks.is_empty()
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
        assert!(!arena.contains(a) && arena.contains(b) && !arena.contains(b + 1));
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
        assert!(arena.drop_some(4, |_| false));
        assert!(arena.drop_some(4, |_| false));
        assert!(!arena.drop_some(4, |_| false));
        assert!(arena.is_empty());
        assert_eq!(arena.array_bytes(), 0);
    }

    #[test]
    fn an_item_that_takes_several_slices_stays_until_the_last() {
        let mut arena = Arena::default();
        (1..4).for_each(|slices| {
            arena.insert(slices);
        });
        let busy = |slices: &mut i32| {
            *slices -= 1;
            *slices > 0
        };
        let mut rounds = 1;
        while arena.drop_some(1, busy) {
            rounds += 1;
        }
        assert_eq!(rounds, 1 + 2 + 3);
    }

    #[test]
    fn indexes_stay_good_over_many_chunks() {
        let mut arena = Arena::default();
        let count = 3 * CHUNK_CELLS + 5;
        let indexes: Vec<u32> = (0..count).map(|item| arena.insert(item)).collect();
        assert!(indexes.iter().enumerate().all(|(item, index)| *arena.get(*index) == item));
        assert_eq!(arena.len(), count);
        assert_eq!(arena.remove(indexes[2000]), 2000);
        assert_eq!(arena.insert(7), indexes[2000]);
        assert_eq!(*arena.get(indexes[2000]), 7);
    }
}
