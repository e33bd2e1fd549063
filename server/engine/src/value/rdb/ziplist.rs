//! Ziplists, which Redis used up to version 6.
//!
//! ```text
//! bytes u32 · offset of the last entry u32 · entries u16 (65,535: count them) · entries · 255
//! entry   bytes of the entry before it: u8, or 254 and u32 · encoding · data
//! 00llllll                string of l bytes           11111110   integer of 1 byte
//! 01llllll llllllll       … big-endian                11000000   of 2, 11010000 of 4,
//! 10······ 4 bytes        … big-endian                11100000   of 8, 11110000 of 3
//!                                                     1111iiii   i - 1, for i from 1 to 13
//! ```
//! Integers are little-endian.

use super::packed::Packed;
use super::{Decoded, Input, Malformed, Text};

const HEADER_BYTES: usize = 10;
const END: u8 = 255;
const MANY: u16 = u16::MAX;

pub(super) struct Ziplist<'a> {
    rest: Input<'a>,
    /// Of the next entry.
    offset: usize,
    /// Of the entry before it; none for the first.
    before: Option<usize>,
    last_offset: usize,
    count: u16,
    seen: usize,
}

impl<'a> Ziplist<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Decoded<Ziplist<'a>> {
        let (&end, body) = bytes.split_last().ok_or(Malformed)?;
        let mut rest = Input::new(body, usize::MAX);
        let declared = u32::from_le_bytes(rest.array::<4>()?) as usize;
        let last_offset = u32::from_le_bytes(rest.array::<4>()?) as usize;
        let count = u16::from_le_bytes(rest.array::<2>()?);
        if declared != bytes.len() || end != END {
            return Err(Malformed);
        }
        Ok(Ziplist { rest, offset: HEADER_BYTES, before: None, last_offset, count, seen: 0 })
    }

    fn end(&self) -> Decoded<Option<Text<'a>>> {
        let counted = self.count == MANY || usize::from(self.count) == self.seen;
        let last = self.before.map_or(HEADER_BYTES, |bytes| self.offset - bytes);
        if counted && last == self.last_offset { Ok(None) } else { Err(Malformed) }
    }

    fn data(&mut self) -> Decoded<Text<'a>> {
        let rest = &mut self.rest;
        let encoding = rest.byte()?;
        Ok(match (encoding >> 6, encoding) {
            (0, _) => Text::Slice(rest.take(usize::from(encoding))?),
            (1, _) => {
                let length = usize::from(encoding & 63) << 8 | usize::from(rest.byte()?);
                Text::Slice(rest.take(length)?)
            }
            (2, _) => {
                let length = u32::from_be_bytes(rest.array::<4>()?);
                Text::Slice(rest.take(length as usize)?)
            }
            (_, 0xc0) => Text::Integer(i64::from(i16::from_le_bytes(rest.array::<2>()?))),
            (_, 0xd0) => Text::Integer(i64::from(i32::from_le_bytes(rest.array::<4>()?))),
            (_, 0xe0) => Text::Integer(i64::from_le_bytes(rest.array::<8>()?)),
            (_, 0xf0) => {
                let [a, b, c] = rest.array::<3>()?;
                Text::Integer(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8))
            }
            (_, 0xfe) => Text::Integer(i64::from(rest.byte()? as i8)),
            (_, 0xf1..=0xfd) => Text::Integer(i64::from(encoding & 15) - 1),
            _ => return Err(Malformed),
        })
    }
}

impl<'a> Packed<'a> for Ziplist<'a> {
    fn element(&mut self) -> Decoded<Option<Text<'a>>> {
        let whole = self.rest;
        if whole.finish().is_ok() {
            return self.end();
        }
        let before = match self.rest.byte()? {
            END => return Err(Malformed),
            254 => u32::from_le_bytes(self.rest.array::<4>()?) as usize,
            bytes => usize::from(bytes),
        };
        if before != self.before.unwrap_or(0) {
            return Err(Malformed);
        }
        let text = self.data()?;
        let bytes = whole.left() - self.rest.left();
        self.before = Some(bytes);
        self.offset += bytes;
        self.seen += 1;
        Ok(Some(text))
    }
}
