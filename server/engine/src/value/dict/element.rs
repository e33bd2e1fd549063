//! One element as bytes: a field, and in a hash its value and perhaps its deadline.
//!
//! ```text
//! element = text                            in a set
//!         | text [254 deadline:i64] text    in a hash: only a field with a deadline pays for it
//! text    = length:u8 (0..=252) bytes
//!         | 253 length:u32 bytes            longer, in a packed form
//!         | 255 index:u32                   longer, in a page: the bytes lie outside of it
//! ```
//!
//! Numbers are little-endian. The packed forms and the pages of the large form share all of it.

use crate::memory::arena::Arena;
use std::ops::Range;

/// The longest text with a length of one byte, and the longest a page keeps inside.
pub const SHORT_MAX: usize = 252;
const LONG: u8 = 253;
const STAMP: u8 = 254;
const OUTSIDE: u8 = 255;
/// What a deadline costs.
pub const STAMP_BYTES: usize = 1 + 8;

/// A field, its value (empty in a set) and the moment it expires, in Unix milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry<'a> {
    pub field: &'a [u8],
    pub value: &'a [u8],
    pub deadline: Option<i64>,
}

impl Entry<'_> {
    /// Whether its deadline has passed. It still lives through that millisecond, as keys do.
    #[inline]
    pub fn is_due(&self, now: i64) -> bool {
        self.deadline.is_some_and(|deadline| deadline < now)
    }
}

/// Texts too long for a page, and their bytes.
#[derive(Debug, Default)]
pub struct Outside {
    texts: Arena<Box<[u8]>>,
    text_bytes: usize,
}

impl Outside {
    pub fn insert(&mut self, text: Box<[u8]>) -> u32 {
        self.text_bytes += text.len();
        self.texts.insert(text)
    }

    pub fn remove(&mut self, index: u32) -> Box<[u8]> {
        let text = self.texts.remove(index);
        self.text_bytes -= text.len();
        text
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    pub fn heap_bytes(&self) -> usize {
        size_of::<Outside>() + self.texts.array_bytes() + self.text_bytes
    }
}

/// Where the bytes of a text are.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    Here(&'a [u8]),
    Outside(u32),
}

impl<'a> Text<'a> {
    /// The text that starts at `at`, and where it ends.
    #[inline(always)]
    fn read(bytes: &'a [u8], at: usize) -> (Text<'a>, usize) {
        let length = bytes[at];
        if usize::from(length) <= SHORT_MAX {
            let end = at + 1 + usize::from(length);
            return (Text::Here(&bytes[at + 1..end]), end);
        }
        Text::read_long(bytes, at)
    }

    #[cold]
    fn read_long(bytes: &'a [u8], at: usize) -> (Text<'a>, usize) {
        debug_assert!(bytes[at] == LONG || bytes[at] == OUTSIDE);
        let number = u32::from_le_bytes(array(bytes, at + 1));
        if bytes[at] == OUTSIDE {
            return (Text::Outside(number), at + 5);
        }
        let end = at + 5 + number as usize;
        (Text::Here(&bytes[at + 5..end]), end)
    }

    /// The bytes, wherever they are.
    #[inline(always)]
    fn resolve(self, outside: Option<&'a Outside>) -> &'a [u8] {
        match (self, outside) {
            (Text::Here(bytes), _) => bytes,
            (Text::Outside(index), Some(outside)) => outside.texts.get(index),
            (Text::Outside(_), None) => unreachable!("a text lies outside of a packed form"),
        }
    }

    /// Its index, when it lies outside.
    #[inline]
    pub fn outside(self) -> Option<u32> {
        match self {
            Text::Here(_) => None,
            Text::Outside(index) => Some(index),
        }
    }

    /// Bytes [`Text::write`] takes.
    #[inline]
    pub fn encoded_bytes(self) -> usize {
        match self {
            Text::Here(bytes) if bytes.len() <= SHORT_MAX => 1 + bytes.len(),
            Text::Here(bytes) => 5 + bytes.len(),
            Text::Outside(_) => 5,
        }
    }

    /// Writes to the front of `room`; what is left of it.
    #[inline]
    fn write(self, room: &mut [u8]) -> &mut [u8] {
        let (head, number) = match self {
            Text::Here(bytes) if bytes.len() <= SHORT_MAX => {
                let (here, rest) = room.split_at_mut(1 + bytes.len());
                here[0] = bytes.len() as u8;
                here[1..].copy_from_slice(bytes);
                return rest;
            }
            Text::Here(bytes) => (LONG, bytes.len() as u32),
            Text::Outside(index) => (OUTSIDE, index),
        };
        room[0] = head;
        room[1..5].copy_from_slice(&number.to_le_bytes());
        let rest = &mut room[5..];
        let Text::Here(bytes) = self else { return rest };
        let (here, rest) = rest.split_at_mut(bytes.len());
        here.copy_from_slice(bytes);
        rest
    }
}

/// An element as it lies in its buffer.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    pub field: Text<'a>,
    pub rest: Rest<'a>,
}

/// What follows the field.
#[derive(Clone, Copy, Debug)]
pub struct Rest<'a> {
    pub deadline: Option<i64>,
    /// `None` in a set.
    pub value: Option<Text<'a>>,
}

impl<'a> Element<'a> {
    /// The element that starts at `at`, and where it ends.
    #[inline(always)]
    pub fn read<const PAIRS: bool>(bytes: &'a [u8], at: usize) -> (Element<'a>, usize) {
        let (field, at) = Text::read(bytes, at);
        if !PAIRS {
            return (Element { field, rest: Rest { deadline: None, value: None } }, at);
        }
        let (deadline, at) = read_stamp(bytes, at);
        let (value, end) = Text::read(bytes, at);
        (Element { field, rest: Rest { deadline, value: Some(value) } }, end)
    }

    /// Bytes [`Element::write`] takes.
    #[inline]
    pub fn encoded_bytes(&self) -> usize {
        self.field.encoded_bytes() + self.rest.encoded_bytes()
    }

    /// Fills `room`, which has exactly the length it needs.
    #[inline]
    pub fn write(&self, room: &mut [u8]) {
        debug_assert_eq!(room.len(), self.encoded_bytes());
        self.rest.write(self.field.write(room));
    }

    /// What it means.
    #[inline(always)]
    pub fn resolve(&self, outside: Option<&'a Outside>) -> Entry<'a> {
        Entry {
            field: self.field.resolve(outside),
            value: self.rest.value.map_or(b"", |value| value.resolve(outside)),
            deadline: self.rest.deadline,
        }
    }
}

impl Rest<'_> {
    /// Bytes [`Rest::write`] takes.
    #[inline]
    pub fn encoded_bytes(&self) -> usize {
        let stamp = if self.deadline.is_some() { STAMP_BYTES } else { 0 };
        stamp + self.value.map_or(0, Text::encoded_bytes)
    }

    /// Fills `room`, which has exactly the length it needs.
    #[inline]
    pub fn write(&self, mut room: &mut [u8]) {
        if let Some(deadline) = self.deadline {
            room[0] = STAMP;
            room[1..STAMP_BYTES].copy_from_slice(&deadline.to_le_bytes());
            room = &mut room[STAMP_BYTES..];
        }
        if let Some(value) = self.value {
            value.write(room);
        }
    }
}

/// Where an element was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// All of it.
    pub range: Range<usize>,
    /// What follows the field.
    pub rest: Range<usize>,
    pub deadline: Option<i64>,
    /// The indices of its texts that lie outside.
    pub field_outside: Option<u32>,
    pub value_outside: Option<u32>,
}

#[inline(always)]
fn read_stamp(bytes: &[u8], at: usize) -> (Option<i64>, usize) {
    if bytes[at] != STAMP {
        return (None, at);
    }
    (Some(i64::from_le_bytes(array(bytes, at + 1))), at + STAMP_BYTES)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[at + index])
}

/// The elements from `at` to the end of `bytes`, each with the offset it starts at.
#[derive(Clone, Debug)]
pub struct Elements<'a, const PAIRS: bool> {
    bytes: &'a [u8],
    at: usize,
    outside: Option<&'a Outside>,
}

impl<'a, const PAIRS: bool> Elements<'a, PAIRS> {
    #[inline]
    pub fn new(bytes: &'a [u8], at: usize, outside: Option<&'a Outside>) -> Self {
        Elements { bytes, at, outside }
    }

    /// The next element as it lies, with its range.
    #[inline(always)]
    pub fn next_element(&mut self) -> Option<(Element<'a>, Range<usize>)> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let (element, end) = Element::read::<PAIRS>(self.bytes, self.at);
        let range = self.at..end;
        self.at = end;
        Some((element, range))
    }

    /// The element of `field`.
    #[inline(always)]
    pub fn find(&mut self, field: &[u8]) -> Option<(Element<'a>, Range<usize>)> {
        let outside = self.outside;
        loop {
            let (element, range) = self.next_element()?;
            if element.field.resolve(outside) == field {
                return Some((element, range));
            }
        }
    }

    /// What the element of `field` means.
    #[inline(always)]
    pub fn get(mut self, field: &[u8]) -> Option<Entry<'a>> {
        self.find(field).map(|(element, _)| element.resolve(self.outside))
    }

    /// Where the element of `field` is.
    #[inline(always)]
    pub fn locate(mut self, field: &[u8]) -> Option<Found> {
        self.find(field).map(|(element, range)| Found {
            rest: range.start + element.field.encoded_bytes()..range.end,
            range,
            deadline: element.rest.deadline,
            field_outside: element.field.outside(),
            value_outside: element.rest.value.and_then(Text::outside),
        })
    }
}

impl<'a, const PAIRS: bool> Iterator for Elements<'a, PAIRS> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let outside = self.outside;
        self.next_element().map(|(element, _)| element.resolve(outside))
    }
}

/// Gives a field its deadline or takes it, in place.
pub fn restamp(bytes: &mut Vec<u8>, found: &Found, new: Option<i64>) {
    let at = found.rest.start;
    let old_bytes = if found.deadline.is_some() { STAMP_BYTES } else { 0 };
    let rest = Rest { deadline: new, value: None };
    rest.write(resize(bytes, at..at + old_bytes, rest.encoded_bytes()));
}

/// Makes `range` into `length` bytes, for the caller to fill, and moves what follows. Allocates
/// no byte more than it needs.
pub fn resize(bytes: &mut Vec<u8>, range: Range<usize>, length: usize) -> &mut [u8] {
    let (at, old) = (range.start, range.len());
    if length > old {
        bytes.reserve_exact(length - old);
        let end = bytes.len();
        bytes.resize(end + (length - old), 0);
        bytes.copy_within(range.end..end, at + length);
    } else if length < old {
        bytes.copy_within(range.end.., at + length);
        bytes.truncate(bytes.len() - (old - length));
    }
    &mut bytes[at..at + length]
}
