//! Sets of integers: `width u32 (2, 4, 8) · count u32 · integers`, little-endian, ascending.

use super::{Decoded, Input, Malformed};

/// Calls `visit` with each integer.
pub(super) fn each(bytes: &[u8], mut visit: impl FnMut(i64) -> Decoded<()>) -> Decoded<()> {
    let mut rest = Input::new(bytes, usize::MAX);
    let width = u32::from_le_bytes(rest.array::<4>()?);
    let count = u32::from_le_bytes(rest.array::<4>()?);
    let mut before = None;
    for _ in 0..count {
        let integer = match width {
            2 => i64::from(i16::from_le_bytes(rest.array::<2>()?)),
            4 => i64::from(i32::from_le_bytes(rest.array::<4>()?)),
            8 => i64::from_le_bytes(rest.array::<8>()?),
            _ => return Err(Malformed),
        };
        if before.is_some_and(|before| before >= integer) {
            return Err(Malformed);
        }
        before = Some(integer);
        visit(integer)?;
    }
    rest.finish()
}
