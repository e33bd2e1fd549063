//! Zipmaps, in which Redis 2.4 kept small hashes.
//!
//! ```text
//! pairs u8 (254 and above: count them) · pairs · 255
//! pair    length · field · length · unused u8 · value · that many unused bytes
//! length  u8 below 254, or 254 and u32 little-endian
//! ```

use super::packed::Packed;
use super::{Decoded, Input, Malformed, Text};

const END: u8 = 255;

pub(super) struct Zipmap<'a> {
    rest: Input<'a>,
    count: u8,
    seen: usize,
}

impl<'a> Zipmap<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Decoded<Zipmap<'a>> {
        let (&end, body) = bytes.split_last().ok_or(Malformed)?;
        let mut rest = Input::new(body, usize::MAX);
        let count = rest.byte()?;
        if end == END { Ok(Zipmap { rest, count, seen: 0 }) } else { Err(Malformed) }
    }

    fn length(&mut self) -> Decoded<usize> {
        match self.rest.byte()? {
            END => Err(Malformed),
            254 => Ok(u32::from_le_bytes(self.rest.array::<4>()?) as usize),
            length => Ok(usize::from(length)),
        }
    }
}

/// Fields and values in turn.
impl<'a> Packed<'a> for Zipmap<'a> {
    fn element(&mut self) -> Decoded<Option<Text<'a>>> {
        let is_field = self.seen.is_multiple_of(2);
        if is_field && self.rest.finish().is_ok() {
            let counted = self.count >= 254 || usize::from(self.count) == self.seen / 2;
            return if counted { Ok(None) } else { Err(Malformed) };
        }
        let length = self.length()?;
        let unused = if is_field { 0 } else { self.rest.byte()? };
        let text = self.rest.take(length)?;
        self.rest.take(usize::from(unused))?;
        self.seen += 1;
        Ok(Some(Text::Slice(text)))
    }
}
