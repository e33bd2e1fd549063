//! One field name or value inside a block. What looks like an integer is kept as one.
//!
//! ```text
//! 0 ..= 3F  text of that many bytes, which follow      C0 ..= C7  integer in 1 ..= 8 bytes
//! 40 ..= BF the integers 0 ..= 127                     C8 CA CB   text, length in 1, 2, 4 bytes
//! ```
//! Beside it stands the size the same element has in a Redis listpack: where a block ends decides
//! what `XTRIM ~` removes, so blocks are filled by Redis's count of bytes and not by ours.

use crate::base::number::parse_i64;

const SMALL_INTEGER: u8 = 0x40;
const INTEGER: u8 = 0xC0;
const TEXT_8: u8 = 0xC8;
const TEXT_16: u8 = 0xCA;
const TEXT_32: u8 = 0xCB;

/// A field name or a value of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Element<'a> {
    Text(&'a [u8]),
    Integer(i64),
}

impl<'a> Element<'a> {
    /// How `bytes` are kept.
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Element<'a> {
        parse_i64(bytes).map_or(Element::Text(bytes), Element::Integer)
    }

    /// The bytes as they were given, printed into `digits` where they are an integer.
    #[inline]
    pub fn text<'t>(&self, digits: &'t mut itoa::Buffer) -> &'t [u8]
    where
        'a: 't,
    {
        match *self {
            Element::Text(text) => text,
            Element::Integer(number) => digits.format(number).as_bytes(),
        }
    }

    /// Bytes of the encoding.
    #[inline]
    pub(super) fn encoded_bytes(&self) -> usize {
        match self {
            Element::Integer(0..=127) => 1,
            Element::Integer(number) => 1 + integer_bytes(*number),
            Element::Text(text) => match text.len() {
                length @ 0..0x40 => 1 + length,
                length @ 0x40..=0xFF => 2 + length,
                length @ 0x100..=0xFFFF => 3 + length,
                length => 5 + length,
            },
        }
    }

    /// Bytes of the same element in a Redis listpack.
    #[inline]
    pub(super) fn listpack_bytes(&self) -> usize {
        match self {
            Element::Integer(number) => listpack_integer_bytes(*number),
            Element::Text(text) => {
                let body = match text.len() {
                    length @ 0..64 => 1 + length,
                    length @ 64..4096 => 2 + length,
                    length => 5 + length,
                };
                body + match body {
                    0..=127 => 1,
                    128..16_383 => 2,
                    16_383..2_097_151 => 3,
                    2_097_151..268_435_455 => 4,
                    _ => 5,
                }
            }
        }
    }

    #[inline]
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        match *self {
            Element::Integer(number @ 0..=127) => out.push(SMALL_INTEGER + number as u8),
            Element::Integer(number) => {
                let bytes = integer_bytes(number);
                out.push(INTEGER + bytes as u8 - 1);
                out.extend_from_slice(&number.to_le_bytes()[..bytes]);
            }
            Element::Text(text) => {
                let length = text.len();
                match length {
                    0..0x40 => out.push(length as u8),
                    0x40..=0xFF => out.extend_from_slice(&[TEXT_8, length as u8]),
                    0x100..=0xFFFF => {
                        out.push(TEXT_16);
                        out.extend_from_slice(&(length as u16).to_le_bytes());
                    }
                    _ => {
                        out.push(TEXT_32);
                        out.extend_from_slice(&(length as u32).to_le_bytes());
                    }
                }
                out.extend_from_slice(text);
            }
        }
    }

    /// Takes one element off the front of what [`Element::encode`] wrote.
    #[inline]
    pub(super) fn take(bytes: &mut &'a [u8]) -> Element<'a> {
        let (head, rest) = (bytes[0], &bytes[1..]);
        let (length, rest) = match head {
            head @ 0..SMALL_INTEGER => (usize::from(head), rest),
            head @ SMALL_INTEGER..INTEGER => {
                *bytes = rest;
                return Element::Integer(i64::from(head - SMALL_INTEGER));
            }
            head @ INTEGER..TEXT_8 => {
                let (number, rest) = rest.split_at(usize::from(head - INTEGER) + 1);
                *bytes = rest;
                return Element::Integer(read_integer(number));
            }
            head => {
                let (length, rest) = rest.split_at(1 << (head - TEXT_8).saturating_sub(1));
                (read_length(length), rest)
            }
        };
        let (text, rest) = rest.split_at(length);
        *bytes = rest;
        Element::Text(text)
    }
}

/// Bytes a two's complement number needs.
fn integer_bytes(number: i64) -> usize {
    let magnitude = if number < 0 { !number } else { number };
    (64 - magnitude.leading_zeros() as usize) / 8 + 1
}

fn read_integer(bytes: &[u8]) -> i64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let spare = 64 - 8 * bytes.len();
    i64::from_le_bytes(wide) << spare >> spare
}

fn read_length(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte))
}

/// Bytes of an integer in a Redis listpack.
#[inline]
pub(super) fn listpack_integer_bytes(number: i64) -> usize {
    match number {
        0..=127 => 2,
        -4096..=4095 => 3,
        -0x8000..=0x7FFF => 4,
        -0x80_0000..=0x7F_FFFF => 5,
        -0x8000_0000..=0x7FFF_FFFF => 6,
        _ => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn every_element_comes_back_as_it_was_given() {
        let mut cases: Vec<Vec<u8>> = ["", "a", "-0", "007", "+1", "1 "].map(Vec::from).to_vec();
        cases.extend([0, 1, 63, 64, 65, 255, 256, 4095, 65_535, 65_536].map(|n| vec![b'x'; n]));
        for shift in 0..64 {
            for number in [1i64 << shift, (-1i64) << shift, (1i64 << shift).wrapping_sub(1)] {
                cases.push(number.to_string().into_bytes());
                cases.push((!number).to_string().into_bytes());
            }
        }
        let mut bytes = Vec::new();
        for case in &cases {
            let (element, before) = (Element::of(case), bytes.len());
            element.encode(&mut bytes);
            assert_eq!(bytes.len() - before, element.encoded_bytes(), "{case:?}");
        }
        let mut rest = &bytes[..];
        for case in &cases {
            assert_eq!(Element::take(&mut rest).text(&mut itoa::Buffer::new()), case);
        }
        assert!(rest.is_empty());
    }
}
