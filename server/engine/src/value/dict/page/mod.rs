//! A page of the large form: some hundred elements in one allocation, sorted into buckets of a
//! few by the bits of their hash that follow those which chose the page.
//!
//! ```text
//! page = end:u16 of each bucket (2^bucket_bits of them) · elements, bucket after bucket
//! ```
//!
//! A lookup goes to the bucket's range and compares the few elements there: two cache lines. A
//! change moves the rest of the page, a kilobyte or two, and in return
//! there is no hole, no tombstone and nothing to compact, and an element costs half a byte beyond
//! its bytes and lengths. Buckets lie in the order of hashes, so a page splits without hashing.

mod layout;

use super::element::{
    Element, Elements, Outside, Rest, SHORT_MAX, STAMP_BYTES, Text, resize, restamp,
};
use std::ops::Range;

/// Elements in a bucket, on average, before there are twice as many buckets.
const BUCKET_ELEMENTS_MAX: usize = 6;

/// A page above this many bytes keeps even short texts outside, so that its offsets never
/// overflow. The dictionary splits pages at a few kilobytes, so only chance brings it here.
const CROWDED_BYTES: usize = 32 << 10;
const CROWDED_SHORT_MAX: usize = 16;

/// Why a page cannot overflow: its hash is keyed, so no client chooses what lands in it.
const OVERFLOW: &str = "a page of the keyed hash stays below 64 KiB";

/// No field of a page has a deadline.
pub const NEVER: i64 = i64::MAX;

#[derive(Debug)]
pub struct Page<const PAIRS: bool> {
    bytes: Vec<u8>,
    outside: Option<Box<Outside>>,
    /// The earliest deadline, [`NEVER`] without one.
    due: i64,
    count: u16,
    bucket_bits: u8,
}

impl<const PAIRS: bool> Default for Page<PAIRS> {
    fn default() -> Self {
        let bytes = 2u16.to_le_bytes().to_vec(); // one bucket, empty
        Page { bytes, outside: None, due: NEVER, count: 0, bucket_bits: 0 }
    }
}

impl<const PAIRS: bool> Page<PAIRS> {
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    pub fn due(&self) -> i64 {
        self.due
    }

    /// How many bits after those of the page choose the bucket.
    pub fn bucket_bits(&self) -> u32 {
        u32::from(self.bucket_bits)
    }

    /// Bytes in use, which decide when the dictionary splits and merges.
    pub fn used_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.outside.as_ref().map_or(0, |outside| outside.heap_bytes())
    }

    /// Allocations behind the page.
    pub fn pieces(&self) -> usize {
        1 + self.outside.as_ref().map_or(0, |outside| outside.len())
    }

    pub fn iter(&self) -> Elements<'_, PAIRS> {
        Elements::new(&self.bytes, self.header_bytes(), self.outside.as_deref())
    }

    /// The elements of the bucket a hash belongs to. `tail`: the hash without the bits that chose
    /// the page, shifted to the top.
    #[inline(always)]
    pub fn bucket_of(&self, tail: u64) -> Elements<'_, PAIRS> {
        let range = self.range(self.bucket(tail));
        Elements::new(&self.bytes[..range.end], range.start, self.outside.as_deref())
    }

    /// Adds the field or replaces its value; whether it is new.
    pub fn insert(&mut self, tail: u64, field: &[u8], value: &[u8], keep_deadline: bool) -> bool {
        let bucket = self.bucket(tail);
        let Some(found) = self.bucket_of(tail).locate(field) else {
            let end = self.range(bucket).end;
            let rest = Rest { deadline: None, value: PAIRS.then(|| self.place(value)) };
            let element = Element { field: self.place(field), rest };
            element.write(self.resize(bucket, end..end, element.encoded_bytes()));
            self.count = self.count.checked_add(1).expect(OVERFLOW);
            return true;
        };
        if PAIRS {
            self.forget(found.value_outside);
            let deadline = found.deadline.filter(|_| keep_deadline);
            let rest = Rest { deadline, value: Some(self.place(value)) };
            rest.write(self.resize(bucket, found.rest, rest.encoded_bytes()));
            self.note_deadline(found.deadline, deadline);
        }
        false
    }

    pub fn remove(&mut self, tail: u64, field: &[u8]) -> bool {
        let Some(found) = self.bucket_of(tail).locate(field) else { return false };
        self.forget(found.field_outside);
        self.forget(found.value_outside);
        self.resize(self.bucket(tail), found.range, 0);
        self.count -= 1;
        self.note_deadline(found.deadline, None);
        true
    }

    /// Gives a field its deadline or takes it; whether that was a change.
    pub fn set_deadline(&mut self, tail: u64, field: &[u8], deadline: Option<i64>) -> bool {
        let Some(found) = self.bucket_of(tail).locate(field) else { return false };
        if found.deadline == deadline {
            return false;
        }
        let (bucket, before) = (self.bucket(tail), self.bytes.len());
        self.reserve(STAMP_BYTES);
        restamp(&mut self.bytes, &found, deadline);
        self.move_ends(bucket, before);
        self.note_deadline(found.deadline, deadline);
        true
    }

    /// Whether its buckets have become long.
    #[inline]
    pub fn is_dense(&self) -> bool {
        self.len() > BUCKET_ELEMENTS_MAX << self.bucket_bits
    }

    #[inline(always)]
    fn bucket(&self, tail: u64) -> usize {
        // In two steps: with no bits at all the shift would be by 64.
        (tail >> 1 >> (63 - u32::from(self.bucket_bits))) as usize
    }

    fn header_bytes(&self) -> usize {
        2 << self.bucket_bits
    }

    /// Where a bucket ends.
    #[inline(always)]
    fn end(&self, bucket: usize) -> usize {
        usize::from(u16::from_le_bytes([self.bytes[2 * bucket], self.bytes[2 * bucket + 1]]))
    }

    #[inline(always)]
    fn range(&self, bucket: usize) -> Range<usize> {
        let start = if bucket == 0 { self.header_bytes() } else { self.end(bucket - 1) };
        start..self.end(bucket)
    }

    /// The text as it will lie here: what is too long goes outside.
    fn place<'t>(&mut self, text: &'t [u8]) -> Text<'t> {
        let crowded = self.bytes.len() > CROWDED_BYTES;
        if text.len() <= if crowded { CROWDED_SHORT_MAX } else { SHORT_MAX } {
            return Text::Here(text);
        }
        Text::Outside(self.outside.get_or_insert_default().insert(text.into()))
    }

    fn forget(&mut self, index: Option<u32>) {
        let (Some(index), Some(outside)) = (index, &mut self.outside) else { return };
        outside.remove(index);
        if outside.len() == 0 {
            self.outside = None;
        }
    }

    /// Makes a range of a bucket into `length` bytes, for the caller to fill.
    fn resize(&mut self, bucket: usize, range: Range<usize>, length: usize) -> &mut [u8] {
        let (at, before) = (range.start, self.bytes.len());
        self.reserve(length.saturating_sub(range.len()));
        resize(&mut self.bytes, range, length);
        self.move_ends(bucket, before);
        if self.bytes.len() * 2 < self.bytes.capacity() {
            self.bytes.shrink_to(block_bytes(self.bytes.len()));
        }
        &mut self.bytes[at..at + length]
    }

    /// Room for `more` bytes, and as many as the allocator would give anyway.
    #[inline]
    fn reserve(&mut self, more: usize) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            self.bytes.reserve_exact(block_bytes(needed) - self.bytes.len());
        }
    }

    /// The ends of `bucket` and all after it follow the change of the page's length.
    #[inline]
    fn move_ends(&mut self, bucket: usize, before: usize) {
        assert!(self.bytes.len() <= usize::from(u16::MAX), "{OVERFLOW}");
        let delta = (self.bytes.len() as u16).wrapping_sub(before as u16);
        let header_bytes = self.header_bytes();
        for end in self.bytes[2 * bucket..header_bytes].chunks_exact_mut(2) {
            let moved = u16::from_le_bytes([end[0], end[1]]).wrapping_add(delta);
            end.copy_from_slice(&moved.to_le_bytes());
        }
    }

    /// Keeps the earliest deadline right after one has changed.
    fn note_deadline(&mut self, was: Option<i64>, is: Option<i64>) {
        if was == Some(self.due) && is != was {
            self.due = self.earliest();
        }
        self.due = self.due.min(is.unwrap_or(NEVER));
    }

    fn earliest(&self) -> i64 {
        self.iter().filter_map(|entry| entry.deadline).min().unwrap_or(NEVER)
    }

    /// Asserts that every element lies where its hash says.
    pub fn check_invariants(&self, tail_of: impl Fn(&[u8]) -> u64) {
        assert_eq!(self.iter().count(), self.len());
        assert_eq!(self.earliest(), self.due);
        assert_eq!(self.end((1 << self.bucket_bits) - 1), self.bytes.len());
        assert!(self.len() <= BUCKET_ELEMENTS_MAX << self.bucket_bits);
        for entry in self.iter() {
            assert!(self.bucket_of(tail_of(entry.field)).locate(entry.field).is_some());
        }
        let mut elements = self.iter();
        let mut outside = 0;
        while let Some((element, _)) = elements.next_element() {
            outside += usize::from(element.field.outside().is_some());
            outside += usize::from(element.rest.value.and_then(Text::outside).is_some());
        }
        assert_eq!(outside + 1, self.pieces());
    }
}

/// The size class that holds so many bytes: the allocator has four to a doubling.
fn block_bytes(bytes: usize) -> usize {
    bytes.next_multiple_of((bytes.next_power_of_two() / 8).max(16))
}
