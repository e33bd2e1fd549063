//! One member and its score as bytes.
//!
//! ```text
//! header   form of the score (3 bits) · length of the member, or 31 (5 bits)
//! [length] LEB128 of the length minus 31, when the header says 31
//! score    0 to 8 bytes, little-endian, as its form says
//! member
//! ```
//! Scores are mostly small whole numbers, times or geohashes, so each is written in the fewest
//! bytes
//! that give the same double back: a member of 16 bytes with a score below 32,768 takes 19.

/// A member's length that does not fit the header's five bits.
const LONG: usize = 31;
/// Bytes of a score in each form: nothing for zero, five widths of integer, `f32`, `f64`.
const SCORE_BYTES: [usize; 8] = [0, 1, 2, 4, 6, 7, 4, 8];
const SINGLE: u8 = 6;
const DOUBLE: u8 = 7;

/// A member with its score, where it lies in a block.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Entry<'a> {
    pub member: &'a [u8],
    pub score: f64,
    /// Where the next entry begins.
    pub end: usize,
}

/// The score with the one zero there is: an order that knows two would depend on history.
pub fn canonical(score: f64) -> f64 {
    debug_assert!(!score.is_nan(), "a command refuses NaN before it reaches the set");
    score + 0.0
}

/// The narrowest form that keeps `score` exactly.
fn form_of(score: f64) -> u8 {
    let whole = score as i64; // saturates, and then does not compare equal
    if whole as f64 == score && whole != i64::MAX {
        let bits = 65 - if whole < 0 { whole.leading_ones() } else { whole.leading_zeros() };
        match bits {
            0..=8 if whole == 0 => return 0,
            0..=8 => return 1,
            9..=16 => return 2,
            17..=32 => return 3,
            33..=48 => return 4,
            49..=56 => return 5,
            _ => {}
        }
    }
    if f64::from(score as f32) == score { SINGLE } else { DOUBLE }
}

/// Bytes [`write`] appends.
pub fn encoded_bytes(score: f64, member: &[u8]) -> usize {
    let length = match member.len().checked_sub(LONG) {
        None => 0,
        Some(rest) => (usize::BITS - (rest | 1).leading_zeros()).div_ceil(7) as usize,
    };
    1 + length + SCORE_BYTES[usize::from(form_of(score))] + member.len()
}

/// Appends the entry.
pub fn write(score: f64, member: &[u8], out: &mut Vec<u8>) {
    let form = form_of(score);
    out.push(form << 5 | member.len().min(LONG) as u8);
    if let Some(mut rest) = member.len().checked_sub(LONG) {
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
    match form {
        SINGLE => out.extend_from_slice(&(score as f32).to_le_bytes()),
        DOUBLE => out.extend_from_slice(&score.to_le_bytes()),
        _ => {
            let bytes = (score as i64).to_le_bytes();
            out.extend_from_slice(&bytes[..SCORE_BYTES[usize::from(form)]]);
        }
    }
    out.extend_from_slice(member);
}

/// The entry that begins at `at`.
#[inline]
pub fn read(bytes: &[u8], at: usize) -> Entry<'_> {
    let header = bytes[at];
    let mut length = usize::from(header) & LONG;
    let mut at = at + 1;
    if length == LONG {
        (length, at) = long_length(bytes, at);
    }
    let form = header >> 5;
    let from = at + SCORE_BYTES[usize::from(form)];
    let end = from + length;
    Entry { member: &bytes[from..end], score: read_score(form, &bytes[at..from]), end }
}

#[cold]
fn long_length(bytes: &[u8], mut at: usize) -> (usize, usize) {
    let (mut rest, mut shift) = (0, 0);
    loop {
        let byte = usize::from(bytes[at]);
        at += 1;
        rest |= (byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            return (LONG + rest, at);
        }
    }
}

#[inline]
fn read_score(form: u8, bytes: &[u8]) -> f64 {
    match (form, bytes) {
        (1, &[a]) => f64::from(a as i8),
        (2, &[a, b]) => f64::from(i16::from_le_bytes([a, b])),
        (3, &[a, b, c, d]) => f64::from(i32::from_le_bytes([a, b, c, d])),
        // Shifted up and down again: the sign of the top byte fills what was not written.
        (4, &[a, b, c, d, e, f]) => (i64::from_le_bytes([0, 0, a, b, c, d, e, f]) >> 16) as f64,
        (5, &[a, b, c, d, e, f, g]) => (i64::from_le_bytes([0, a, b, c, d, e, f, g]) >> 8) as f64,
        (SINGLE, &[a, b, c, d]) => f64::from(f32::from_le_bytes([a, b, c, d])),
        (DOUBLE, &[a, b, c, d, e, f, g, h]) => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(score: f64, member: &[u8]) -> usize {
        let mut bytes = vec![0xAA; 3];
        write(score, member, &mut bytes);
        let entry = read(&bytes, 3);
        assert_eq!((entry.score.to_bits(), entry.member), (score.to_bits(), member));
        assert_eq!((entry.end, entry.end - 3), (bytes.len(), encoded_bytes(score, member)));
        entry.end - 3 - member.len()
    }

    #[test]
    fn whole_scores_take_the_bytes_they_need() {
        let edges: [(f64, usize); 14] = [
            (0.0, 1),
            (1.0, 2),
            (-128.0, 2),
            (127.0, 2),
            (128.0, 3),
            (-32768.0, 3),
            (32768.0, 5),
            (-2147483648.0, 5),
            (2147483648.0, 7),
            (1.7e12, 7),
            (2f64.powi(47), 8),
            (3471579339700058.0, 8),
            (2f64.powi(53), 8),
            (2f64.powi(55) + 8.0, 9),
        ];
        for (score, overhead) in edges {
            assert_eq!(round_trip(score, b"member"), overhead, "{score}");
        }
    }

    #[test]
    fn singles_and_infinities_take_four_bytes() {
        for score in
            [0.5, -2.25, f64::INFINITY, f64::NEG_INFINITY, 2f64.powi(100), -(2f64.powi(63))]
        {
            assert_eq!(round_trip(score, b"member"), 5, "{score}");
        }
        assert_eq!(round_trip(0.1, b"member"), 9);
        assert_eq!(round_trip(f64::MAX, b"member"), 9);
        assert_eq!(round_trip(f64::MIN_POSITIVE / 4.0, b""), 9);
    }

    #[test]
    fn members_of_any_length_come_back() {
        for length in [0, 1, 30, 31, 32, 158, 159, 160, 16_414, 16_415, 100_000] {
            round_trip(7.0, &vec![b'm'; length]);
        }
    }

    #[test]
    fn the_negative_zero_is_the_zero() {
        assert_eq!(canonical(-0.0).to_bits(), 0.0f64.to_bits());
    }

    proptest! {
        #[test]
        fn every_double_comes_back(bits in any::<u64>(), member in ".{0,40}") {
            let score = f64::from_bits(bits);
            prop_assume!(!score.is_nan());
            round_trip(canonical(score), member.as_bytes());
        }
    }
}
