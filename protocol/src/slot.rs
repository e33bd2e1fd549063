//! Hash slots: the unit of ownership, ordering, logging, replication and migration.
//!
//! A slot is CRC16/XMODEM of the key modulo 16384, or of the key's *hash tag*: the bytes between
//! the first `{` and the first `}` behind it, when there are any. Clients compute the same
//! number, so nothing here may ever change.

use crc::{CRC_16_XMODEM, Crc, Table};

/// How many slots there are. A power of two, so the modulo is a mask.
pub const SLOT_COUNT: u16 = 16384;

const _: () = assert!(SLOT_COUNT.is_power_of_two());

/// Sixteen bytes a step: most keys are one step and a short tail.
static CRC: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_XMODEM);

/// A hash slot, always below [`SLOT_COUNT`]. Build one with [`Slot::of_key`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(u16);

impl Slot {
    /// The first slot.
    pub const ZERO: Slot = Slot(0);

    /// The slot `key` belongs to, which is that of its hash tag when it has one.
    #[inline]
    pub fn of_key(key: &[u8]) -> Slot {
        Slot(CRC.checksum(hash_tag(key)) & (SLOT_COUNT - 1))
    }

    /// The slot with this number, or nothing when there is no such slot.
    pub const fn new(number: u16) -> Option<Slot> {
        if number < SLOT_COUNT { Some(Slot(number)) } else { None }
    }

    /// For indexing what is kept once per slot.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// For the wire: 0 to 16383.
    #[inline]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// The part of `key` that decides its slot: what stands between the first `{` and the first `}`
/// behind it, or the whole key when there is no such pair or nothing in between.
#[inline]
pub fn hash_tag(key: &[u8]) -> &[u8] {
    if let Some(first) = key.first_chunk::<8>()
        && let Some(last) = key.last_chunk::<8>()
        && key.len() <= 16
    {
        // The usual key is two loads instead of a call.
        let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
        if !may_open_tag(first) && !may_open_tag(last) {
            return key;
        }
    }
    match memchr::memchr(b'{', key) {
        None => key,
        Some(open) => tag_behind(key, open),
    }
}

/// Whether one of eight bytes may be `{`: true whenever one is.
#[inline]
fn may_open_tag(bytes: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let zero_where_open = bytes ^ (b'{' as u64 * ONES);
    zero_where_open.wrapping_sub(ONES) & !zero_where_open & (ONES << 7) != 0
}

fn tag_behind(key: &[u8], open: usize) -> &[u8] {
    let rest = &key[open + 1..];
    match memchr::memchr(b'}', rest) {
        None | Some(0) => key,
        Some(close) => &rest[..close],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One bit at a time, straight from the definition of CRC16/XMODEM.
    fn crc16_slowly(bytes: &[u8]) -> u16 {
        let mut crc = 0u16;
        for &byte in bytes {
            crc ^= u16::from(byte) << 8;
            for _ in 0..8 {
                crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            }
        }
        crc
    }

    #[test]
    fn the_published_check_value_holds() {
        assert_eq!(CRC.checksum(b"123456789"), 0x31C3);
    }

    #[test]
    fn slots_of_well_known_keys_are_those_of_redis() {
        for (key, slot) in
            [("foo", 12182), ("bar", 5061), ("hello", 866), ("123456789", 12739), ("", 0)]
        {
            assert_eq!(Slot::of_key(key.as_bytes()).number(), slot, "{key}");
        }
    }

    #[test]
    fn keys_of_every_length_agree_with_the_definition() {
        let bytes: Vec<u8> = (0..200u32).map(|i| (i * 37 % 256) as u8).collect();
        for length in 0..bytes.len() {
            let key = &bytes[..length];
            let expected = crc16_slowly(hash_tag(key)) % SLOT_COUNT;
            assert_eq!(Slot::of_key(key).number(), expected, "length {length}");
        }
    }

    #[test]
    fn only_a_closed_and_filled_tag_counts() {
        for (key, tag) in [
            ("{user1000}.following", "user1000"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("foo{bar", "foo{bar"),
            ("foo}bar{", "foo}bar{"),
            ("}{a}", "a"),
            ("{}", "{}"),
            ("{123}678", "123"),
            ("0123456{89}b", "89"),
            ("0123456789ab{d}", "d"),
            ("0123456789abcdef{d}", "d"),
            ("|||||||{a}zzzz~~", "a"),
        ] {
            assert_eq!(hash_tag(key.as_bytes()), tag.as_bytes(), "{key}");
        }
    }

    #[test]
    fn a_slot_outside_the_range_cannot_be_made() {
        assert_eq!(Slot::new(16383).map(Slot::index), Some(16383));
        assert_eq!(Slot::new(16384), None);
    }
}
