//! An array that grows a chunk at a time, so that growing never copies what is there. A `Vec` of a
//! record for each page doubled within one insert, and those were the longest inserts there were:
//! 139 us while growing to 20 M keys.

use std::ops::{Index, IndexMut};

/// Records of a chunk.
const CHUNK: usize = 1024;

/// Records by number, from 0.
#[derive(Debug)]
pub(super) struct Records<T> {
    /// All but the last are full; what lies beyond `len` is a default.
    chunks: Vec<Box<[T; CHUNK]>>,
    len: usize,
}

impl<T: Default> Records<T> {
    pub fn new() -> Records<T> {
        Records { chunks: Vec::new(), len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn push(&mut self, record: T) {
        if self.len == self.chunks.len() * CHUNK {
            let chunk: Box<[T]> = (0..CHUNK).map(|_| T::default()).collect();
            self.chunks.push(chunk.try_into().ok().expect("the length is CHUNK"));
        }
        self.len += 1;
        let last = self.len - 1;
        self[last] = record;
    }

    pub fn pop(&mut self) -> Option<T> {
        let last = self.len.checked_sub(1)?;
        let record = std::mem::take(&mut self[last]);
        self.len = last;
        self.chunks.truncate(last.div_ceil(CHUNK));
        Some(record)
    }

    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).take(self.len)
    }

    /// Bytes of the array itself.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.chunks.len() * size_of::<[T; CHUNK]>()
            + self.chunks.capacity() * size_of::<Box<[T; CHUNK]>>()
    }
}

impl<T> Index<usize> for Records<T> {
    type Output = T;

    #[inline]
    fn index(&self, index: usize) -> &T {
        debug_assert!(index < self.len);
        &self.chunks[index / CHUNK][index % CHUNK]
    }
}

impl<T> IndexMut<usize> for Records<T> {
    #[inline]
    fn index_mut(&mut self, index: usize) -> &mut T {
        debug_assert!(index < self.len);
        &mut self.chunks[index / CHUNK][index % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::{CHUNK, Records};

    #[test]
    fn records_stay_where_they_are_while_the_array_grows_and_shrinks() {
        let mut records = Records::new();
        records.push(7usize);
        let first = std::ptr::from_ref(&records[0]);
        (1..3 * CHUNK).for_each(|record| records.push(record));

        assert_eq!(std::ptr::from_ref(&records[0]), first, "nothing was copied");
        assert!((1..3 * CHUNK).all(|index| records[index] == index));
        assert_eq!(records.iter().count(), 3 * CHUNK);

        assert_eq!(records.pop(), Some(3 * CHUNK - 1));
        while records.len() > 1 {
            records.pop();
        }
        assert_eq!((records.pop(), records.pop()), (Some(7), None));
        assert_eq!(records.chunks.len(), 0);
    }

    #[test]
    fn growing_allocates_one_chunk_at_most() {
        let mut records = Records::new();
        for record in 0..20 * CHUNK {
            let before = records.bytes();
            records.push(record);
            let list = size_of::<usize>() * records.chunks.capacity();
            assert!(records.bytes() - before <= size_of::<[usize; CHUNK]>() + list);
        }
    }
}
