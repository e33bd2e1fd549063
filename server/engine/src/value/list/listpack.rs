//! When a list is a listpack and when a quicklist, as OBJECT ENCODING tells it. Redis 7.2 decides
//! by the bytes its own listpack would take, so these are counted here though none is written.

use crate::value::packed::Element;

/// Bytes of a listpack without entries.
pub const EMPTY_BYTES: usize = 7;

/// A listpack limited by entries may have this many bytes all the same (`SIZE_SAFETY_LIMIT`).
const SAFETY_BYTES: usize = 8192;

/// Bytes an element takes in a listpack: encoding, data, and its own length again behind them.
pub fn entry_bytes(element: Element<'_>) -> usize {
    let bytes = match element {
        Element::Integer(value) => match value {
            0..=127 => 1,
            -4096..=4095 => 2,
            _ if i16::try_from(value).is_ok() => 3,
            -0x80_0000..=0x7F_FFFF => 4,
            _ if i32::try_from(value).is_ok() => 5,
            _ => 9,
        },
        Element::Bytes(text) => match text.len() {
            length @ 0..=63 => 1 + length,
            length @ 64..=4095 => 2 + length,
            length => 5 + length,
        },
    };
    bytes
        + match bytes {
            0..=127 => 1,
            128..16_383 => 2,
            16_383..2_097_151 => 3,
            2_097_151..268_435_455 => 4,
            _ => 5,
        }
}

/// What `list-max-listpack-size` allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limit {
    Entries(usize),
    Bytes(usize),
}

impl Limit {
    /// Entries if positive, otherwise -1 … -5 for 4 … 64 KiB; 0 is one entry and what is below -5
    /// is -5, as in Redis.
    pub fn of(list_max_listpack_size: i64) -> Limit {
        match usize::try_from(list_max_listpack_size) {
            Ok(entries) => Limit::Entries(entries.max(1)),
            Err(_) => Limit::Bytes(4096 << (-list_max_listpack_size.max(-5) - 1)),
        }
    }

    /// Whether a listpack may get so large. A limit in bytes is one of entries as well: where many
    /// elements come at once, Redis counts their texts only, and a hundred thousand empty ones
    /// would be a listpack.
    #[inline]
    pub fn allows(self, bytes: usize, entries: usize) -> bool {
        match self {
            Limit::Bytes(most) => bytes <= most && entries < most,
            Limit::Entries(most) => bytes <= SAFETY_BYTES && entries <= most,
        }
    }

    /// Whether a quicklist that has shrunk to this becomes a listpack again: at half of what would
    /// have made it one, so that a list at the limit does not change its form with every command.
    pub fn takes_back(self, bytes: usize, entries: usize) -> bool {
        match self {
            Limit::Bytes(most) => bytes <= most / 2,
            Limit::Entries(most) => bytes <= SAFETY_BYTES && entries <= most / 2,
        }
    }
}
