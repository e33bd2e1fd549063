//! Listpacks, which Redis uses since version 7 (and in streams since 5).
//!
//! ```text
//! bytes u32 · elements u16 (65,535: count them) · elements · 255
//! element   encoding · data · bytes of both, seven bits a byte, to be read backwards
//! 0iiiiiii                   integer 0 to 127          11110001   integer of 2 bytes
//! 10llllll                   string of l bytes         11110010   of 3
//! 110iiiii iiiiiiii          integer of 13 bits        11110011   of 4
//! 1110llll llllllll          string of l bytes         11110100   of 8
//! 11110000 4 bytes           string
//! ```
//! Two-byte encodings are big-endian, everything else is little-endian.

use super::packed::Packed;
use super::{Decoded, Input, Malformed, Text};

const HEADER_BYTES: usize = 6;
const END: u8 = 255;
const MANY: u16 = u16::MAX;

pub(super) struct Listpack<'a> {
    rest: Input<'a>,
    count: u16,
    seen: usize,
}

impl<'a> Listpack<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Decoded<Listpack<'a>> {
        let (&end, body) = bytes.split_last().ok_or(Malformed)?;
        let mut rest = Input::new(body, usize::MAX);
        let declared = u32::from_le_bytes(rest.array::<4>()?) as usize;
        let count = u16::from_le_bytes(rest.array::<2>()?);
        if declared != bytes.len() || end != END {
            return Err(Malformed);
        }
        Ok(Listpack { rest, count, seen: 0 })
    }

    fn data(&mut self) -> Decoded<Text<'a>> {
        let rest = &mut self.rest;
        let encoding = rest.byte()?;
        Ok(match encoding {
            0..=0x7f => Text::Integer(i64::from(encoding)),
            0x80..=0xbf => Text::Slice(rest.take(usize::from(encoding & 63))?),
            0xc0..=0xdf => {
                let raw = i16::from_be_bytes([encoding << 3, 0]) | i16::from(rest.byte()?) << 3;
                Text::Integer(i64::from(raw >> 3))
            }
            0xe0..=0xef => {
                let length = usize::from(encoding & 15) << 8 | usize::from(rest.byte()?);
                Text::Slice(rest.take(length)?)
            }
            0xf0 => {
                let length = u32::from_le_bytes(rest.array::<4>()?);
                Text::Slice(rest.take(length as usize)?)
            }
            0xf1 => Text::Integer(i64::from(i16::from_le_bytes(rest.array::<2>()?))),
            0xf2 => {
                let [a, b, c] = rest.array::<3>()?;
                Text::Integer(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8))
            }
            0xf3 => Text::Integer(i64::from(i32::from_le_bytes(rest.array::<4>()?))),
            0xf4 => Text::Integer(i64::from_le_bytes(rest.array::<8>()?)),
            _ => return Err(Malformed),
        })
    }
}

impl<'a> Packed<'a> for Listpack<'a> {
    fn element(&mut self) -> Decoded<Option<Text<'a>>> {
        let before = self.rest;
        if before.finish().is_ok() {
            let counted = self.count == MANY || usize::from(self.count) == self.seen;
            return if counted { Ok(None) } else { Err(Malformed) };
        }
        let text = self.data()?;
        let mut expected = [0; 5];
        let expected = back_length(before.left() - self.rest.left(), &mut expected);
        if self.rest.take(expected.len())? != expected {
            return Err(Malformed);
        }
        self.seen += 1;
        Ok(Some(text))
    }
}

/// An element's length as it stands behind the element. The borders are Redis's, one lower than
/// the bytes would allow.
pub(super) fn back_length(bytes: usize, buffer: &mut [u8; 5]) -> &[u8] {
    let count = match bytes {
        0..=127 => 1,
        128..=16_382 => 2,
        16_383..=2_097_150 => 3,
        2_097_151..=268_435_454 => 4,
        _ => 5,
    };
    let used = &mut buffer[..count];
    for (at, byte) in used.iter_mut().rev().enumerate() {
        *byte = (bytes >> (7 * at)) as u8 | 128;
    }
    used[0] &= 127; // the last to be read
    used
}

/// A listpack that is being written.
pub(super) struct Draft {
    bytes: Vec<u8>,
    count: usize,
}

impl Draft {
    pub(super) fn new() -> Draft {
        Draft { bytes: vec![0; HEADER_BYTES], count: 0 }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn push(&mut self, text: &Text<'_>) {
        match text {
            Text::Integer(integer) => self.push_integer(*integer),
            Text::Slice(text) => self.push_text(text),
            Text::Unpacked(text) => self.push_text(text),
        }
    }

    pub(super) fn push_text(&mut self, text: &[u8]) {
        if text.len() <= 20
            && let Some(integer) = crate::base::number::parse_i64(text)
        {
            return self.push_integer(integer);
        }
        let start = self.bytes.len();
        match text.len() {
            length @ 0..64 => self.bytes.push(0x80 | length as u8),
            length @ 64..4096 => {
                self.bytes.extend_from_slice(&(0xe000 | length as u16).to_be_bytes());
            }
            length => {
                self.bytes.push(0xf0);
                self.bytes.extend_from_slice(&(length as u32).to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(text);
        self.close(start);
    }

    pub(super) fn push_integer(&mut self, integer: i64) {
        let start = self.bytes.len();
        let le = integer.to_le_bytes();
        match integer {
            0..=127 => self.bytes.push(integer as u8),
            -4096..=4095 => {
                let raw = 0xc000 | integer as u16 & 0x1fff;
                self.bytes.extend_from_slice(&raw.to_be_bytes());
            }
            -32_768..=32_767 => self.push_raw(0xf1, &le[..2]),
            -8_388_608..=8_388_607 => self.push_raw(0xf2, &le[..3]),
            -2_147_483_648..=2_147_483_647 => self.push_raw(0xf3, &le[..4]),
            _ => self.push_raw(0xf4, &le),
        }
        self.close(start);
    }

    fn push_raw(&mut self, encoding: u8, data: &[u8]) {
        self.bytes.push(encoding);
        self.bytes.extend_from_slice(data);
    }

    fn close(&mut self, start: usize) {
        let length = self.bytes.len() - start;
        self.bytes.extend_from_slice(back_length(length, &mut [0; 5]));
        self.count += 1;
    }

    /// Adds all elements of another.
    pub(super) fn append(&mut self, other: &Draft) {
        self.bytes.extend_from_slice(&other.bytes[HEADER_BYTES..]);
        self.count += other.count;
    }

    /// The finished listpack.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.bytes.push(END);
        let length = self.bytes.len() as u32;
        let count = u16::try_from(self.count).unwrap_or(MANY);
        self.bytes[..4].copy_from_slice(&length.to_le_bytes());
        self.bytes[4..6].copy_from_slice(&count.to_le_bytes());
        self.bytes
    }
}
