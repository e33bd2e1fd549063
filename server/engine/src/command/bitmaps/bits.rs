//! Arithmetic on the bits of a byte string. Bit 0 is the highest bit of byte 0, so a field at a
//! byte border reads as a big-endian number. Eight bytes are looked at a time: BITCOUNT and BITPOS
//! walk whole strings.

use std::ops::Range;

/// Bytes a field of 64 bits can touch when it does not start at a byte border.
pub(super) const FIELD_SPAN_MAX: usize = 9;

/// Number of set bits.
pub(super) fn count_ones(bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let ones = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones()));
    ones.sum::<u64>() + tail.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// Number of set bits among the bits `range`, which lies within `bytes`.
pub(super) fn count_ones_within(bytes: &[u8], range: Range<u64>) -> u64 {
    if range.is_empty() {
        return 0;
    }
    let (first, last) = ((range.start / 8) as usize, ((range.end - 1) / 8) as usize);
    let before = bytes[first] & !(0xff_u8 >> (range.start % 8));
    let after = bytes[last] & (0x7f_u8 >> ((range.end - 1) % 8));
    count_ones(&bytes[first..=last]) - u64::from(before.count_ones() + after.count_ones())
}

/// The first bit among the bits `range` that is `wanted`. `range` lies within `bytes`.
pub(super) fn find_within(bytes: &[u8], range: Range<u64>, wanted: bool) -> Option<u64> {
    if range.is_empty() {
        return None;
    }
    let flip = if wanted { 0 } else { 0xff };
    let first = (range.start / 8) as usize;
    let end = range.end.div_ceil(8) as usize;
    let head = (bytes[first] ^ flip) & (0xff_u8 >> (range.start % 8));
    let at = if head != 0 {
        first as u64 * 8 + u64::from(head.leading_zeros())
    } else {
        let rest = &bytes[first + 1..end];
        (first as u64 + 1) * 8 + find(rest, flip)?
    };
    (at < range.end).then_some(at)
}

/// The first set bit of `bytes` with every byte xored with `flip`, 0 or 0xff.
fn find(bytes: &[u8], flip: u8) -> Option<u64> {
    let (words, tail) = bytes.as_chunks::<8>();
    let dull = u64::from_ne_bytes([flip; 8]);
    let skipped = words.iter().take_while(|word| u64::from_ne_bytes(**word) == dull).count();
    let rest = words[skipped..].first().map_or(tail, |word| &word[..]);
    let at = rest.iter().position(|&byte| byte != flip)?;
    let byte = rest[at] ^ flip;
    Some((skipped * 8 + at) as u64 * 8 + u64::from(byte.leading_zeros()))
}

/// Where a field lies: its first bit within a window of at most [`FIELD_SPAN_MAX`] bytes.
fn shift_of(offset: u64, bits: u32) -> u32 {
    debug_assert!((1..=64).contains(&bits) && offset < 8);
    FIELD_SPAN_MAX as u32 * 8 - offset as u32 - bits
}

fn low_ones(bits: u32) -> u128 {
    (1_u128 << bits) - 1
}

fn window_word(window: &[u8; FIELD_SPAN_MAX]) -> u128 {
    window.iter().fold(0, |word, &byte| word << 8 | u128::from(byte))
}

/// The `bits` (1 to 64) bits from bit `offset` (below 8) of the window.
pub(super) fn get_field(window: &[u8; FIELD_SPAN_MAX], offset: u64, bits: u32) -> u64 {
    (window_word(window) >> shift_of(offset, bits) & low_ones(bits)) as u64
}

/// Writes the low `bits` bits of `value` where [`get_field`] reads them.
pub(super) fn set_field(window: &mut [u8; FIELD_SPAN_MAX], offset: u64, bits: u32, value: u64) {
    let shift = shift_of(offset, bits);
    let mask = low_ones(bits) << shift;
    let word = window_word(window) & !mask | u128::from(value) << shift & mask;
    for (at, byte) in window.iter_mut().rev().enumerate() {
        *byte = (word >> (8 * at)) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Random;

    fn bit(bytes: &[u8], at: u64) -> bool {
        bytes[(at / 8) as usize] >> (7 - at % 8) & 1 == 1
    }

    /// Bytes in which long runs of equal bits are common.
    fn some_bytes(random: &mut Random) -> Vec<u8> {
        let length = 1 + random.below(40) as usize;
        let dull = if random.below(2) == 0 { 0 } else { 0xff };
        (0..length)
            .map(|_| if random.below(12) == 0 { random.next_u64() as u8 } else { dull })
            .collect()
    }

    #[test]
    fn counting_and_finding_agree_with_looking_at_every_bit() {
        for seed in 0..4000 {
            let mut random = Random::new(seed);
            let bytes = some_bytes(&mut random);
            let total = bytes.len() as u64 * 8;
            let start = random.below(total);
            let end = start + random.below(total - start + 1);
            let ones = (start..end).filter(|&at| bit(&bytes, at)).count() as u64;
            assert_eq!(count_ones_within(&bytes, start..end), ones, "seed {seed}");
            for wanted in [false, true] {
                let expected = (start..end).find(|&at| bit(&bytes, at) == wanted);
                let found = find_within(&bytes, start..end, wanted);
                assert_eq!(found, expected, "seed {seed}, {start}..{end}, {wanted}");
            }
        }
    }

    #[test]
    fn a_field_reads_back_and_its_neighbours_stay() {
        for seed in 0..4000 {
            let mut random = Random::new(seed);
            let mut window: [u8; FIELD_SPAN_MAX] = std::array::from_fn(|_| random.next_u64() as u8);
            let before = window;
            let (offset, bits) = (random.below(8), 1 + random.below(64) as u32);
            let value = random.next_u64();
            set_field(&mut window, offset, bits, value);
            let kept = (u128::from(value) & low_ones(bits)) as u64;
            assert_eq!(get_field(&window, offset, bits), kept, "seed {seed}");
            let field = offset..offset + u64::from(bits);
            for at in (0..72).filter(|at| !field.contains(at)) {
                assert_eq!(bit(&window, at), bit(&before, at), "seed {seed}, bit {at}");
            }
        }
    }
}
