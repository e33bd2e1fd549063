//! Reading a run, from either end and from any place reached that way.

use super::element::{Element, Encoded, payload_bytes_ahead, payload_bytes_behind};

/// A place between two elements, or before the first, or behind the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Where the separator stands.
    pub(super) at: usize,
    /// Tag of the element to the left of it; 0 when there is none.
    pub(super) left: u8,
}

impl Place {
    /// Before the first element.
    pub const FRONT: Place = Place { at: 0, left: 0 };
}

/// A view of packed elements.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run<'a>(&'a [u8]);

impl<'a> Run<'a> {
    /// `bytes` were written by this room.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Run<'a> {
        Run(bytes)
    }

    /// Behind the last element.
    #[inline]
    pub fn back(self) -> Place {
        match self.0.last() {
            Some(&left) => Place { at: self.0.len() - 1, left },
            None => Place::FRONT,
        }
    }

    /// Tag and payload of the element to the right of `place`, and the place behind it.
    #[inline]
    pub(super) fn ahead(self, place: Place) -> Option<(u8, &'a [u8], Place)> {
        let (&separator, rest) = self.0.get(place.at..)?.split_first()?;
        if rest.is_empty() {
            return None;
        }
        let tag = separator ^ place.left;
        let length = payload_bytes_ahead(tag, rest);
        Some((tag, &rest[..length], Place { at: place.at + 1 + length, left: tag }))
    }

    /// Tag and payload of the element to the left of `place`, and the place before it.
    #[inline]
    pub(super) fn behind(self, place: Place) -> Option<(u8, &'a [u8], Place)> {
        if place.at == 0 {
            return None;
        }
        let tag = place.left;
        let rest = &self.0[..place.at];
        let start = place.at - payload_bytes_behind(tag, rest);
        let at = start - 1;
        Some((tag, &rest[start..], Place { at, left: self.0[at] ^ tag }))
    }

    /// The element to the right of `place`, and the place behind it. O(1).
    #[inline]
    pub fn next(self, place: Place) -> Option<(Element<'a>, Place)> {
        let (tag, payload, place) = self.ahead(place)?;
        Some((Element::read(tag, payload), place))
    }

    /// The element to the left of `place`, and the place before it. O(1).
    #[inline]
    pub fn prev(self, place: Place) -> Option<(Element<'a>, Place)> {
        let (tag, payload, place) = self.behind(place)?;
        Some((Element::read(tag, payload), place))
    }

    /// The place with `index` elements before it, in a run of `count`; the back when there are
    /// fewer. Walks from the nearer end.
    pub fn place(self, index: usize, count: usize) -> Place {
        debug_assert!(index <= count);
        let mut place;
        if index <= count / 2 {
            place = Place::FRONT;
            for _ in 0..index {
                let Some((_, _, behind)) = self.ahead(place) else { break };
                place = behind;
            }
        } else {
            place = self.back();
            for _ in index..count {
                let Some((_, _, before)) = self.behind(place) else { break };
                place = before;
            }
        }
        place
    }

    /// The elements from the front on.
    pub fn iter(self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let mut place = Place::FRONT;
        std::iter::from_fn(move || {
            let (element, behind) = self.next(place)?;
            place = behind;
            Some(element)
        })
    }

    /// The first place from `from` on whose next element equals `needle`, and how many elements
    /// were passed on the way. O(n).
    pub fn find(self, needle: &Encoded<'_>, from: Place) -> Option<(usize, Place)> {
        let mut place = from;
        let mut passed = 0;
        while let Some((tag, payload, behind)) = self.ahead(place) {
            if needle.is(tag, payload) {
                return Some((passed, place));
            }
            passed += 1;
            place = behind;
        }
        None
    }

    /// As [`Run::find`], from `from` toward the front; the place is behind the found element.
    pub fn find_back(self, needle: &Encoded<'_>, from: Place) -> Option<(usize, Place)> {
        let mut place = from;
        let mut passed = 0;
        while let Some((tag, payload, before)) = self.behind(place) {
            if needle.is(tag, payload) {
                return Some((passed, place));
            }
            passed += 1;
            place = before;
        }
        None
    }

    /// How many elements equal `needle`. O(n).
    pub fn count_equal(self, needle: &Encoded<'_>) -> usize {
        let mut place = Place::FRONT;
        let mut equal = 0;
        while let Some((tag, payload, behind)) = self.ahead(place) {
            equal += usize::from(needle.is(tag, payload));
            place = behind;
        }
        equal
    }

    /// How many elements there are. O(n).
    pub fn count(self) -> usize {
        self.iter().count()
    }

    /// Bytes of the whole run.
    #[inline]
    pub fn bytes(self) -> usize {
        self.0.len()
    }

    /// Tag of the element to the right of `place`; 0 at the back.
    #[inline]
    pub(super) fn right(self, place: Place) -> u8 {
        self.0.get(place.at).map_or(0, |separator| separator ^ place.left)
    }

    #[inline]
    pub(super) fn as_bytes(self) -> &'a [u8] {
        self.0
    }
}
