//! Lengths and strings on their way out; see `input` for the layout.

use crate::base::number::parse_i64;

/// Appends a length, or any other number that is written as one.
pub fn put_length(length: u64, out: &mut Vec<u8>) {
    if length < 1 << 6 {
        out.push(length as u8);
    } else if length < 1 << 14 {
        out.extend_from_slice(&(0x4000 | length as u16).to_be_bytes());
    } else if let Ok(length) = u32::try_from(length) {
        out.push(0x80);
        out.extend_from_slice(&length.to_be_bytes());
    } else {
        out.push(0x81);
        out.extend_from_slice(&length.to_be_bytes());
    }
}

/// The longest text an integer of four bytes has.
const INTEGER_TEXT_MAX: usize = 11;

/// Appends a string; a small integer in canonical form takes two to five bytes.
pub fn put_text(text: &[u8], out: &mut Vec<u8>) {
    let integer = if text.len() <= INTEGER_TEXT_MAX { parse_i64(text) } else { None };
    match integer.and_then(|integer| i32::try_from(integer).ok()) {
        Some(integer) => put_integer(integer, out),
        None => put_bytes(text, out),
    }
}

fn put_integer(integer: i32, out: &mut Vec<u8>) {
    if let Ok(small) = i8::try_from(integer) {
        out.push(0xc0);
        out.extend_from_slice(&small.to_le_bytes());
    } else if let Ok(small) = i16::try_from(integer) {
        out.push(0xc1);
        out.extend_from_slice(&small.to_le_bytes());
    } else {
        out.push(0xc2);
        out.extend_from_slice(&integer.to_le_bytes());
    }
}

/// Appends a string as it is.
pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    put_length(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}
