//! The bytes of a value, read from the front: lengths, strings and numbers.
//!
//! ```text
//! 00llllll                      length 0 to 63
//! 01llllll llllllll             length to 16,383, big-endian
//! 10000000 4 bytes              length, big-endian
//! 10000001 8 bytes              length, big-endian
//! 110000ee                      no length but a string: e = 0, 1, 2: an integer of 1, 2 or 4
//!                               bytes, little-endian; 3: packed by LZF, two lengths in front
//! ```

use std::borrow::Cow;

use super::{Decoded, Malformed, lzf};
use crate::base::number::parse_f64;

const LZF: u8 = 0xc3;

/// A string of a value, as it was found.
#[derive(Clone, PartialEq, Debug)]
pub enum Text<'a> {
    Slice(&'a [u8]),
    Integer(i64),
    Unpacked(Vec<u8>),
}

impl Text<'_> {
    /// The string's bytes; `digits` is where an integer is printed.
    pub fn bytes<'s>(&'s self, digits: &'s mut itoa::Buffer) -> &'s [u8] {
        match self {
            Text::Slice(bytes) => bytes,
            Text::Integer(number) => digits.format(*number).as_bytes(),
            Text::Unpacked(bytes) => bytes,
        }
    }

    /// The number it stands for, not NaN.
    pub(super) fn score(&self) -> Decoded<f64> {
        match self {
            Text::Integer(number) => Ok(*number as f64),
            text => parse_f64(text.bytes(&mut itoa::Buffer::new())).ok_or(Malformed),
        }
    }

    pub(super) fn integer(&self) -> Decoded<i64> {
        match self {
            Text::Integer(number) => Ok(*number),
            _ => Err(Malformed),
        }
    }
}

/// What is left to be read.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    rest: &'a [u8],
    string_bytes_max: usize,
}

impl<'a> Input<'a> {
    /// Reads from `bytes`; a string that unpacks to more than `string_bytes_max` is refused.
    pub fn new(bytes: &'a [u8], string_bytes_max: usize) -> Input<'a> {
        Input { rest: bytes, string_bytes_max }
    }

    /// # Errors
    /// When anything is left.
    pub fn finish(self) -> Decoded<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    /// Bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    pub fn take(&mut self, count: usize) -> Decoded<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = tail;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(Malformed)?;
        self.rest = tail;
        Ok(*head)
    }

    pub fn byte(&mut self) -> Decoded<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Milliseconds since 1970, or any other eight bytes.
    pub(super) fn millis(&mut self) -> Decoded<i64> {
        self.array::<8>().map(i64::from_le_bytes)
    }

    /// A length, or any other number that is written as one.
    pub fn length(&mut self) -> Decoded<u64> {
        let first = self.byte()?;
        self.length_behind(first)
    }

    fn length_behind(&mut self, first: u8) -> Decoded<u64> {
        match (first >> 6, first) {
            (0, _) => Ok(u64::from(first)),
            (1, _) => Ok(u64::from(first & 63) << 8 | u64::from(self.byte()?)),
            (_, 0x80) => Ok(u64::from(u32::from_be_bytes(self.array::<4>()?))),
            (_, 0x81) => Ok(u64::from_be_bytes(self.array::<8>()?)),
            _ => Err(Malformed),
        }
    }

    fn size(&mut self) -> Decoded<usize> {
        usize::try_from(self.length()?).map_err(|_| Malformed)
    }

    /// A string in any encoding.
    pub fn text(&mut self) -> Decoded<Text<'a>> {
        let first = self.byte()?;
        Ok(match first {
            0xc0 => Text::Integer(i64::from(self.byte()? as i8)),
            0xc1 => Text::Integer(i64::from(i16::from_le_bytes(self.array::<2>()?))),
            0xc2 => Text::Integer(i64::from(i32::from_le_bytes(self.array::<4>()?))),
            LZF => {
                let (packed_bytes, bytes) = (self.size()?, self.size()?);
                if bytes > self.string_bytes_max {
                    return Err(Malformed);
                }
                Text::Unpacked(lzf::unpack(self.take(packed_bytes)?, bytes)?)
            }
            _ => {
                let bytes = usize::try_from(self.length_behind(first)?).map_err(|_| Malformed)?;
                if bytes > self.string_bytes_max {
                    return Err(Malformed);
                }
                Text::Slice(self.take(bytes)?)
            }
        })
    }

    /// A string that holds a packed collection: never an integer.
    pub(super) fn blob(&mut self) -> Decoded<Cow<'a, [u8]>> {
        match self.text()? {
            Text::Slice(bytes) => Ok(Cow::Borrowed(bytes)),
            Text::Unpacked(bytes) => Ok(Cow::Owned(bytes)),
            Text::Integer(_) => Err(Malformed),
        }
    }

    /// A score as text, with a length byte of its own: the oldest form of sorted sets.
    pub(super) fn text_score(&mut self) -> Decoded<f64> {
        match self.byte()? {
            255 => Ok(f64::NEG_INFINITY),
            254 => Ok(f64::INFINITY),
            253 => Err(Malformed), // NaN
            bytes => parse_f64(self.take(usize::from(bytes))?).ok_or(Malformed),
        }
    }

    /// A score as eight bytes; not NaN.
    pub(super) fn score(&mut self) -> Decoded<f64> {
        let score = f64::from_le_bytes(self.array::<8>()?);
        if score.is_nan() { Err(Malformed) } else { Ok(score) }
    }
}
