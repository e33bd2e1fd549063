//! The small form: elements one after another, in the order they came, in one buffer, or without
//! any in the entry of the collection's key.
//! A lookup reads them all, which for the few tens of a small collection costs less than hashing.

use super::element::{Element, Elements, Entry, Rest, Text, resize, restamp};
use crate::value::collection::{fit_buffer, seal_inline};

/// A few elements. `PAIRS`: with values, as a hash has them.
#[derive(Debug, Default)]
pub struct Packed<const PAIRS: bool> {
    bytes: Vec<u8>,
    count: u32,
    /// Whether any field ever had a deadline.
    timed: bool,
}

/// The same, read where the bytes lie.
#[derive(Clone, Copy, Debug)]
pub struct PackedView<'a, const PAIRS: bool> {
    bytes: &'a [u8],
    count: u32,
    timed: bool,
}

impl<'a, const PAIRS: bool> PackedView<'a, PAIRS> {
    /// What [`Packed::into_inline`] made.
    #[inline]
    pub fn from_inline(bytes: &'a [u8], timed: bool) -> PackedView<'a, PAIRS> {
        let (&count, bytes) = bytes.split_last().expect("the count stands behind the elements");
        PackedView { bytes, count: u32::from(count), timed }
    }

    pub fn len(self) -> usize {
        self.count as usize
    }

    /// Whether a field has, or once had, a deadline.
    pub fn is_timed(self) -> bool {
        self.timed
    }

    pub fn iter(self) -> Elements<'a, PAIRS> {
        Elements::new(self.bytes, 0, None)
    }

    #[inline]
    pub fn get(self, field: &[u8]) -> Option<Entry<'a>> {
        self.iter().get(field)
    }
}

impl<const PAIRS: bool> Packed<PAIRS> {
    /// Without elements, growing in `bytes`, which is empty.
    pub fn in_buffer(bytes: Vec<u8>) -> Packed<PAIRS> {
        debug_assert!(bytes.is_empty());
        Packed { bytes, count: 0, timed: false }
    }

    #[inline]
    pub fn view(&self) -> PackedView<'_, PAIRS> {
        PackedView { bytes: &self.bytes, count: self.count, timed: self.timed }
    }

    /// See [`crate::value::Collection::into_inline`].
    pub fn into_inline(self, bytes_max: usize) -> Result<Vec<u8>, Packed<PAIRS>> {
        let Packed { bytes, count, timed } = self;
        let sealed = seal_inline(bytes, count as usize, bytes_max);
        sealed.map_err(|bytes| Packed { bytes, count, timed })
    }

    /// What [`Packed::into_inline`] made.
    pub fn from_inline(mut bytes: Vec<u8>, timed: bool) -> Packed<PAIRS> {
        let count = bytes.pop().expect("the count stands behind the elements");
        Packed { bytes, count: u32::from(count), timed }
    }

    pub fn fit(&mut self) {
        fit_buffer(&mut self.bytes);
    }

    pub fn len(&self) -> usize {
        self.count as usize
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    pub fn iter(&self) -> Elements<'_, PAIRS> {
        self.view().iter()
    }

    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Entry<'_>> {
        self.view().get(field)
    }

    /// Adds the field at the end, or replaces its value in the place it has; whether it is new.
    pub fn insert(&mut self, field: &[u8], value: &[u8], keep_deadline: bool) -> bool {
        let value = PAIRS.then_some(Text::Here(value));
        let found = self.iter().locate(field);
        let bytes = &mut self.bytes;
        match &found {
            Some(found) => {
                let rest = Rest { deadline: found.deadline.filter(|_| keep_deadline), value };
                rest.write(resize(bytes, found.rest.clone(), rest.encoded_bytes()));
            }
            None => {
                let end = bytes.len();
                let rest = Rest { deadline: None, value };
                let element = Element { field: Text::Here(field), rest };
                element.write(resize(bytes, end..end, element.encoded_bytes()));
            }
        }
        self.count += u32::from(found.is_none());
        found.is_none()
    }

    pub fn remove(&mut self, field: &[u8]) -> bool {
        let Some(found) = self.iter().locate(field) else { return false };
        resize(&mut self.bytes, found.range, 0);
        self.count -= 1;
        true
    }

    /// Gives a field its deadline or takes it; whether that was a change.
    pub fn set_deadline(&mut self, field: &[u8], deadline: Option<i64>) -> bool {
        let Some(found) = self.iter().locate(field) else { return false };
        if found.deadline == deadline {
            return false;
        }
        restamp(&mut self.bytes, &found, deadline);
        self.timed |= deadline.is_some();
        true
    }

    pub fn check_invariants(&self) {
        assert_eq!(self.iter().count(), self.len());
        assert!(self.timed || self.iter().all(|entry| entry.deadline.is_none()));
    }
}
