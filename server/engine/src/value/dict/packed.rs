//! The small form: elements one after another, in the order they came, in one exact allocation.
//! A lookup reads them all, which for the few tens of a small collection costs less than hashing.

use super::element::{Element, Elements, Entry, Rest, Text, resize, restamp};

/// A few elements. `PAIRS`: with values, as a hash has them.
#[derive(Debug, Default)]
pub struct Packed<const PAIRS: bool> {
    bytes: Box<[u8]>,
    count: u32,
    /// Whether any field ever had a deadline.
    timed: bool,
}

impl<const PAIRS: bool> Packed<PAIRS> {
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether a field has, or once had, a deadline.
    pub fn is_timed(&self) -> bool {
        self.timed
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub fn iter(&self) -> Elements<'_, PAIRS> {
        Elements::new(&self.bytes, 0, None)
    }

    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Entry<'_>> {
        self.iter().get(field)
    }

    /// Adds the field at the end, or replaces its value in the place it has; whether it is new.
    pub fn insert(&mut self, field: &[u8], value: &[u8], keep_deadline: bool) -> bool {
        let value = PAIRS.then_some(Text::Here(value));
        let found = self.iter().locate(field);
        self.rewrite(|bytes| match &found {
            Some(found) => {
                let rest = Rest { deadline: found.deadline.filter(|_| keep_deadline), value };
                let room = resize(bytes, found.rest.clone(), rest.encoded_bytes());
                rest.write(room);
            }
            None => {
                let end = bytes.len();
                let rest = Rest { deadline: None, value };
                let element = Element { field: Text::Here(field), rest };
                element.write(resize(bytes, end..end, element.encoded_bytes()));
            }
        });
        self.count += u32::from(found.is_none());
        found.is_none()
    }

    pub fn remove(&mut self, field: &[u8]) -> bool {
        let Some(found) = self.iter().locate(field) else { return false };
        self.rewrite(|bytes| {
            resize(bytes, found.range, 0);
        });
        self.count -= 1;
        true
    }

    /// Gives a field its deadline or takes it; whether that was a change.
    pub fn set_deadline(&mut self, field: &[u8], deadline: Option<i64>) -> bool {
        let Some(found) = self.iter().locate(field) else { return false };
        if found.deadline == deadline {
            return false;
        }
        self.rewrite(|bytes| restamp(bytes, &found, deadline));
        self.timed |= deadline.is_some();
        true
    }

    fn rewrite(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = std::mem::take(&mut self.bytes).into_vec();
        change(&mut bytes);
        self.bytes = bytes.into_boxed_slice();
    }

    pub fn check_invariants(&self) {
        assert_eq!(self.iter().count(), self.len());
        assert!(self.timed || self.iter().all(|entry| entry.deadline.is_none()));
    }
}
