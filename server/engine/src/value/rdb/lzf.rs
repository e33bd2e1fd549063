//! LZF, by which Redis packs strings of more than 20 bytes.
//!
//! ```text
//! 000lllll                   l + 1 bytes follow as they are
//! lllooooo [llllllll] oooooooo   l + 2 bytes (l below 7, or 7 and one more byte to add) from
//!                            o + 1 bytes before
//! ```

use super::{Decoded, Malformed};

/// What one byte of input can stand for at most: a copy of 264 bytes takes three.
const GROWTH_MAX: usize = 88;

/// Unpacks to exactly `bytes` bytes.
///
/// # Errors
/// When the input is cut short, refers to what is not there, or unpacks to another length. No
/// more is allocated than the input can account for.
pub(super) fn unpack(packed: &[u8], bytes: usize) -> Decoded<Vec<u8>> {
    if bytes > packed.len().saturating_mul(GROWTH_MAX) {
        return Err(Malformed);
    }
    let mut out = Vec::with_capacity(bytes);
    let mut rest = packed;
    while let Some((&control, tail)) = rest.split_first() {
        rest = tail;
        if control < 32 {
            let (literal, tail) =
                rest.split_at_checked(usize::from(control) + 1).ok_or(Malformed)?;
            out.extend_from_slice(literal);
            rest = tail;
        } else {
            copy(control, &mut rest, &mut out)?;
        }
        if out.len() > bytes {
            return Err(Malformed);
        }
    }
    if out.len() == bytes { Ok(out) } else { Err(Malformed) }
}

fn copy(control: u8, rest: &mut &[u8], out: &mut Vec<u8>) -> Decoded<()> {
    let mut byte = || {
        let (&byte, tail) = rest.split_first().ok_or(Malformed)?;
        *rest = tail;
        Ok(usize::from(byte))
    };
    let mut length = usize::from(control >> 5) + 2;
    if length == 9 {
        length += byte()?;
    }
    let distance = (usize::from(control & 31) << 8 | byte()?) + 1;
    let from = out.len().checked_sub(distance).ok_or(Malformed)?;
    if distance >= length {
        out.extend_from_within(from..from + length);
    } else {
        (0..length).for_each(|at| out.push(out[from + at])); // repeats what it writes
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_may_overlap_what_they_write() {
        // One literal `a`, then a copy of 9 + 2 from 1 before.
        assert_eq!(unpack(&[0, b'a', 0xe0, 2, 0], 12), Ok(b"a".repeat(12)));
        assert_eq!(unpack(&[2, b'a', b'b', b'c', 0x20, 2], 6), Ok(b"abcabc".to_vec()));
    }

    #[test]
    fn nothing_is_read_from_before_the_beginning() {
        assert_eq!(unpack(&[0, b'a', 0x20, 1], 4), Err(Malformed));
        assert_eq!(unpack(&[0x20, 0], 3), Err(Malformed));
    }

    #[test]
    fn the_declared_length_must_be_what_comes_out_and_allocates_nothing_by_itself() {
        assert_eq!(unpack(&[0, b'a'], 2), Err(Malformed));
        assert_eq!(unpack(&[1, b'a', b'b'], 1), Err(Malformed));
        assert_eq!(unpack(&[0, b'a'], usize::MAX), Err(Malformed));
        assert_eq!(unpack(&[3, b'a'], 4), Err(Malformed), "cut short");
    }
}
