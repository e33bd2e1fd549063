//! One element as a run holds it: a tag byte that stands between elements, and a payload.
//!
//! ```text
//! tag 0 ..= 127     text of that many bytes
//!     128 ..= 246   the integer tag - 128, no payload
//!     247 ..= 252   an integer of 1, 2, 3, 4, 6 or 8 bytes, little-endian, in two's complement
//!     253 ..= 255   text between two lengths of 1, 2 or 8 bytes (one at either end, so that it can
//!                   be entered from both)
//! ```
//! Text that is a canonical integer is held as one, in the shortest class that takes it. So one
//! text has one encoding, and elements are equal exactly when tag and payload are.

use crate::base::number::parse_i64;

const TEXT_MAX: u8 = 127;
const TINY_MIN: u8 = 128;
const TINY_MAX: u8 = 246;
const INTEGER_MAX: u8 = 252;

/// Bytes of an integer's payload, or of a long text's lengths, by `tag - TINY_MAX - 1`.
const WIDTHS: [usize; 9] = [1, 2, 3, 4, 6, 8, 1, 2, 8];

#[inline]
const fn width(tag: u8) -> usize {
    WIDTHS[(tag - TINY_MAX - 1) as usize]
}

/// What a reader gets: bytes, or a number that printed in decimal is the element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Element<'a> {
    Bytes(&'a [u8]),
    Integer(i64),
}

impl<'a> Element<'a> {
    /// The element as text; an integer is printed into `digits`.
    #[inline]
    pub fn text<'t>(self, digits: &'t mut itoa::Buffer) -> &'t [u8]
    where
        'a: 't,
    {
        match self {
            Element::Bytes(bytes) => bytes,
            Element::Integer(value) => digits.format(value).as_bytes(),
        }
    }

    /// The element with this tag and payload.
    #[inline]
    pub(super) fn read(tag: u8, payload: &'a [u8]) -> Element<'a> {
        match tag {
            0..=TEXT_MAX => Element::Bytes(payload),
            TINY_MIN..=TINY_MAX => Element::Integer(i64::from(tag - TINY_MIN)),
            _ if tag <= INTEGER_MAX => {
                let mut wide = [0; 8];
                wide[8 - payload.len()..].copy_from_slice(payload);
                // The sign bit is at the top now: shifting back down repeats it.
                Element::Integer(i64::from_le_bytes(wide) >> (64 - 8 * payload.len()))
            }
            _ => Element::Bytes(&payload[width(tag)..payload.len() - width(tag)]),
        }
    }
}

/// Payload bytes of an element with this tag whose payload is a prefix of `rest`.
#[inline]
pub(super) fn payload_bytes_ahead(tag: u8, rest: &[u8]) -> usize {
    if tag <= TEXT_MAX { usize::from(tag) } else { other_payload(tag, rest, false) }
}

/// Payload bytes of an element with this tag whose payload is a suffix of `rest`.
#[inline]
pub(super) fn payload_bytes_behind(tag: u8, rest: &[u8]) -> usize {
    if tag <= TEXT_MAX { usize::from(tag) } else { other_payload(tag, rest, true) }
}

#[inline]
fn other_payload(tag: u8, rest: &[u8], behind: bool) -> usize {
    if tag <= TINY_MAX {
        return 0;
    }
    let width = width(tag);
    if tag <= INTEGER_MAX {
        return width;
    }
    let length = if behind { &rest[rest.len() - width..] } else { &rest[..width] };
    let mut wide = [0; 8];
    wide[..width].copy_from_slice(length);
    u64::from_le_bytes(wide) as usize + 2 * width
}

/// An element about to be written, or looked for.
#[derive(Clone, Copy, Debug)]
pub struct Encoded<'e> {
    tag: u8,
    /// The integer, or the length of a long text: its first `width` bytes are written.
    number: [u8; 8],
    text: &'e [u8],
}

impl<'e> Encoded<'e> {
    /// How this text is held.
    #[inline]
    pub fn of(text: &'e [u8]) -> Encoded<'e> {
        match parse_i64(text) {
            Some(value) => Encoded::of_integer(value),
            None => Encoded::of_bytes(text),
        }
    }

    /// How an element read from a run is held.
    pub fn again(element: Element<'e>) -> Encoded<'e> {
        match element {
            Element::Bytes(bytes) => Encoded::of_bytes(bytes),
            Element::Integer(value) => Encoded::of_integer(value),
        }
    }

    fn of_integer(value: i64) -> Encoded<'e> {
        let fits = |bits: u32| value >> (bits - 1) == value >> 63;
        let tag = match value {
            0..=118 => TINY_MIN + value as u8,
            _ if fits(8) => 247,
            _ if fits(16) => 248,
            _ if fits(24) => 249,
            _ if fits(32) => 250,
            _ if fits(48) => 251,
            _ => 252,
        };
        Encoded { tag, number: value.to_le_bytes(), text: &[] }
    }

    fn of_bytes(text: &'e [u8]) -> Encoded<'e> {
        let tag = match text.len() {
            length @ 0..=127 => length as u8,
            128..=0xff => 253,
            0x100..=0xffff => 254,
            _ => 255,
        };
        Encoded { tag, number: (text.len() as u64).to_le_bytes(), text }
    }

    /// The element again.
    pub fn element(&self) -> Element<'e> {
        if self.tag <= TEXT_MAX || self.tag > INTEGER_MAX {
            return Element::Bytes(self.text);
        }
        Element::Integer(i64::from_le_bytes(self.number))
    }

    #[inline]
    pub(super) fn tag(&self) -> u8 {
        self.tag
    }

    /// Bytes between the separators.
    #[inline]
    pub(super) fn payload_bytes(&self) -> usize {
        match self.tag {
            0..=TINY_MAX => self.text.len(),
            tag if tag <= INTEGER_MAX => width(tag),
            tag => self.text.len() + 2 * width(tag),
        }
    }

    /// Bytes a run grows by when it takes the element in; one more for its first.
    #[inline]
    pub fn bytes(&self) -> usize {
        1 + self.payload_bytes()
    }

    /// Fills `payload`, which is as long as [`Encoded::payload_bytes`] says.
    #[inline]
    pub(super) fn write(&self, payload: &mut [u8]) {
        debug_assert_eq!(payload.len(), self.payload_bytes());
        if self.tag <= TINY_MAX {
            return payload.copy_from_slice(self.text);
        }
        let width = width(self.tag);
        let number = &self.number[..width];
        payload[..width].copy_from_slice(number);
        if self.tag > INTEGER_MAX {
            let end = payload.len() - width;
            payload[width..end].copy_from_slice(self.text);
            payload[end..].copy_from_slice(number);
        }
    }

    /// Whether the element with this tag and payload is the same one.
    #[inline]
    pub(super) fn is(&self, tag: u8, payload: &[u8]) -> bool {
        tag == self.tag && self.has_payload(payload)
    }

    fn has_payload(&self, payload: &[u8]) -> bool {
        match self.tag {
            0..=TINY_MAX => payload == self.text,
            tag if tag <= INTEGER_MAX => payload == &self.number[..width(tag)],
            tag => &payload[width(tag)..payload.len() - width(tag)] == self.text,
        }
    }
}
