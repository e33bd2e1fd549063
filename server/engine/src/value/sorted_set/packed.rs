//! Elements in order in one buffer: the whole of a small sorted set, and a block of a large one.
//! Everything is a walk from the front; a block is short enough for that to cost about as much as
//! one cache miss.

use super::edge::Edge;
use super::entry::{self, Entry};
use crate::value::collection::{fit_buffer, seal_inline};

/// Entries (see [`entry`]) in the order (score, member).
#[derive(Default, Debug)]
pub struct Packed {
    bytes: Vec<u8>,
    count: u32,
}

/// The same, read where the bytes lie.
#[derive(Clone, Copy, Debug)]
pub struct PackedView<'a> {
    bytes: &'a [u8],
    count: u32,
}

/// Where in a [`Packed`]: so many entries, and so many bytes, from the front.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Place {
    pub index: usize,
    pub offset: usize,
}

impl<'a> PackedView<'a> {
    /// What [`Packed::into_inline`] made.
    #[inline]
    pub fn from_inline(bytes: &'a [u8]) -> PackedView<'a> {
        let (&count, bytes) = bytes.split_last().expect("the count stands behind the entries");
        PackedView { bytes, count: u32::from(count) }
    }

    /// Entries.
    pub fn len(self) -> usize {
        self.count as usize
    }

    /// Bytes of all entries, which is what is allocated.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The entries from `offset` on.
    pub fn entries_from(self, offset: usize) -> Entries<'a> {
        Entries { bytes: self.bytes, offset }
    }

    /// All entries.
    pub fn entries(self) -> Entries<'a> {
        self.entries_from(0)
    }

    /// The entry at `place`, which is not the end.
    pub fn at(self, place: Place) -> Entry<'a> {
        entry::read(self.bytes, place.offset)
    }

    /// Where `member` is, with its entry.
    pub fn find(self, member: &[u8]) -> Option<(Place, Entry<'a>)> {
        let mut place = Place::default();
        while place.offset < self.bytes.len() {
            let entry = entry::read(self.bytes, place.offset);
            if entry.member == member {
                return Some((place, entry));
            }
            place = Place { index: place.index + 1, offset: entry.end };
        }
        None
    }

    /// The place of `edge`: how many entries lie before it.
    pub fn seek(self, edge: Edge<'_>) -> Place {
        let mut place = Place::default();
        while place.offset < self.bytes.len() {
            let entry = entry::read(self.bytes, place.offset);
            if !edge.is_behind(entry.score, entry.member) {
                break;
            }
            place = Place { index: place.index + 1, offset: entry.end };
        }
        place
    }

    /// The place of entry `index`, at most [`Packed::len`].
    pub fn nth(self, index: usize) -> Place {
        debug_assert!(index <= self.len());
        let mut offset = 0;
        for _ in 0..index {
            offset = entry::read(self.bytes, offset).end;
        }
        Place { index, offset }
    }

    /// The entry boundary nearest the middle that leaves something on both sides; there must be
    /// two entries.
    pub fn middle(self) -> Place {
        debug_assert!(self.count >= 2);
        let mut place = self.nth(1);
        while place.index + 1 < self.len() && place.offset < self.bytes.len() / 2 {
            place = Place { index: place.index + 1, offset: self.at(place).end };
        }
        place
    }

    /// The last entry; there must be one.
    pub fn last(self) -> Entry<'a> {
        self.at(self.nth(self.len() - 1))
    }

    /// Appends where each entry begins.
    pub fn offsets(self, out: &mut Vec<u32>) {
        let mut entries = self.entries();
        loop {
            let offset = entries.offset;
            if entries.next().is_none() {
                return;
            }
            out.push(offset as u32);
        }
    }

    /// Asserts order and count.
    pub fn check_invariants(self) {
        let mut last: Option<Entry<'_>> = None;
        let mut count = 0;
        for entry in self.entries() {
            assert!(!entry.score.is_nan());
            if let Some(last) = last {
                assert!(Edge::Before(entry.score, entry.member).is_behind(last.score, last.member));
            }
            last = Some(entry);
            count += 1;
        }
        assert_eq!(count, self.count);
    }
}

impl Packed {
    /// Without entries, growing in `bytes`, which is empty.
    pub fn in_buffer(bytes: Vec<u8>) -> Packed {
        debug_assert!(bytes.is_empty());
        Packed { bytes, count: 0 }
    }

    #[inline]
    pub fn view(&self) -> PackedView<'_> {
        PackedView { bytes: &self.bytes, count: self.count }
    }

    /// See [`crate::value::Collection::into_inline`].
    pub fn into_inline(self, bytes_max: usize) -> Result<Vec<u8>, Packed> {
        let Packed { bytes, count } = self;
        let sealed = seal_inline(bytes, count as usize, bytes_max);
        sealed.map_err(|bytes| Packed { bytes, count })
    }

    /// What [`Packed::into_inline`] made.
    pub fn from_inline(mut bytes: Vec<u8>) -> Packed {
        let count = bytes.pop().expect("the count stands behind the entries");
        Packed { bytes, count: u32::from(count) }
    }

    /// Gives back room for entries that will not come.
    pub fn fit(&mut self) {
        fit_buffer(&mut self.bytes);
    }

    /// Bytes of the allocation.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Entries.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Puts an entry at `place`, which is the place of its edge.
    pub fn insert(&mut self, place: Place, score: f64, member: &[u8]) {
        let added = entry::encoded_bytes(score, member);
        let bytes = &mut self.bytes;
        bytes.reserve_exact(added);
        let behind = bytes.len() - place.offset;
        entry::write(score, member, bytes);
        if behind > 0 {
            bytes[place.offset..].rotate_right(added);
        }
        self.count += 1;
    }

    /// Takes out the entries from `from` up to `to`.
    pub fn remove(&mut self, from: Place, to: Place) {
        self.bytes.drain(from.offset..to.offset);
        self.count -= (to.index - from.index) as u32;
    }

    /// Keeps what lies before `place` and returns the rest.
    pub fn split_off(&mut self, place: Place) -> Packed {
        let count = self.count - place.index as u32;
        let rest = Packed { bytes: self.bytes[place.offset..].into(), count };
        self.bytes.truncate(place.offset);
        self.count = place.index as u32;
        rest
    }

    /// Appends entries that lie behind all of these.
    pub fn append(&mut self, rest: &Packed) {
        self.bytes.reserve_exact(rest.bytes.len());
        self.bytes.extend_from_slice(&rest.bytes);
        self.count += rest.count;
    }
}

/// The entries of a block from front to back.
#[derive(Clone, Default, Debug)]
pub struct Entries<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Entries<'a> {
    /// The entry at `offset` of the same block.
    pub fn read_at(&self, offset: usize) -> Entry<'a> {
        entry::read(self.bytes, offset)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        if self.offset == self.bytes.len() {
            return None;
        }
        let entry = entry::read(self.bytes, self.offset);
        self.offset = entry.end;
        Some(entry)
    }
}
