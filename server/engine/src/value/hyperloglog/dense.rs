//! Dense registers: six bits each, the first in the low bits of byte 0, so four registers share
//! three bytes.

/// # Panics
/// When `registers` is not that of a dense sketch; see [`super::Sketch::of`].
pub(super) fn get(registers: &[u8], index: usize) -> u8 {
    let (at, shift) = place(index);
    // The last register ends at the end of the string and needs no second byte.
    let high = registers.get(at + 1).copied().unwrap_or(0);
    (u16::from_le_bytes([registers[at], high]) >> shift) as u8 & 63
}

/// # Panics
/// As [`get`].
pub(super) fn set(registers: &mut [u8], index: usize, run: u8) {
    let at = (index * 6 / 8).min(registers.len() - 2);
    let mut pair = [registers[at], registers[at + 1]];
    set_in_pair(&mut pair, index * 6 - at * 8, run);
    registers[at..at + 2].copy_from_slice(&pair);
}

/// Writes a register that starts at bit `shift` of two neighbouring bytes.
pub(super) fn set_in_pair(pair: &mut [u8; 2], shift: usize, run: u8) {
    let word = u16::from_le_bytes(*pair) & !(63 << shift) | u16::from(run & 63) << shift;
    *pair = word.to_le_bytes();
}

fn place(index: usize) -> (usize, usize) {
    (index * 6 / 8, index * 6 % 8)
}

/// All registers in order, four from every three bytes.
pub(super) fn values(registers: &[u8]) -> impl Iterator<Item = u8> + '_ {
    registers.as_chunks::<3>().0.iter().flat_map(|&[a, b, c]| {
        let word = u32::from_le_bytes([a, b, c, 0]);
        [word, word >> 6, word >> 12, word >> 18].map(|run| run as u8 & 63)
    })
}
