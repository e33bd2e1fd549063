//! Numbers as text, byte for byte as Redis reads and writes them.
//!
//! Integers are strict (`string2ll`): what parses is exactly what printing would give back, so a
//! string that parses can be stored as an integer without losing how it was written. Doubles
//! follow `strtod` (scores accept `inf`, `1e3` and `0x1p3`) and print in the shortest form that
//! reads back as the same number, laid out as Redis 7.2 and later do.

use super::literal::{Format, Literal, Rounded};

/// Strict integers in, shortest doubles out: the wire and the stored bytes follow one rule.
pub use freehold_protocol::resp::number::{
    DOUBLE_BYTES_MAX as F64_TEXT_MAX, strict_i64 as parse_i64, write_double as write_f64,
};

const DOUBLE: Format = Format { significand_bits: 53, exponent_min: -1074, exponent_max: 971 };

/// Reads a part of a stream id as `string2ull` does: what [`parse_i64`] takes, unless negative, and
/// beyond that what `strtoull` takes, which skips spaces in front and wraps what a minus makes
/// negative.
pub fn parse_u64_as_c(text: &[u8]) -> Option<u64> {
    if parse_i64(text).is_some_and(|value| value < 0) {
        return None;
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let spaces = text.iter().take_while(|byte| is_space(byte)).count();
    match &text[spaces..] {
        [b'-', digits @ ..] => parse_u64(digits).map(u64::wrapping_neg),
        [b'+', digits @ ..] | digits => parse_u64(digits),
    }
}

/// Reads an unsigned integer: any run of digits that fits, leading zeros included.
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Reads an integer strictly and accepts it only inside `min..=max`.
pub fn parse_i64_within(text: &[u8], min: i64, max: i64) -> Option<i64> {
    parse_i64(text).filter(|value| (min..=max).contains(value))
}

/// Reads a double as `getDoubleFromObject` does: what `strtod` takes, hexadecimal and infinities
/// included, but no NaN, no spaces, nothing that overflows to infinity or underflows to zero.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    if let Some(integer) = parse_i64(text) {
        return Some(integer as f64); // the usual score, and rounded the same way
    }
    match Literal::parse(text)? {
        Literal::Infinite { negative: false } => Some(f64::INFINITY),
        Literal::Infinite { negative: true } => Some(f64::NEG_INFINITY),
        Literal::Decimal(decimal) => {
            // The literal is known to be well formed, in a syntax the standard library shares.
            let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            let is_zero = decimal.whole.iter().chain(decimal.fraction).all(|&byte| byte == b'0');
            (value.is_finite() && (value != 0.0 || is_zero)).then_some(value)
        }
        Literal::Hexadecimal(binary) => {
            let magnitude = match binary.round(DOUBLE) {
                Rounded::Zero if binary.mantissa == 0 => 0.0,
                Rounded::Zero | Rounded::Overflow => return None,
                Rounded::Finite { significand, exponent } => compose_f64(significand, exponent),
            };
            Some(if binary.negative { -magnitude } else { magnitude })
        }
    }
}

/// The double `significand × 2^exponent`, whose parts have been rounded to [`DOUBLE`] already.
fn compose_f64(significand: u64, exponent: i64) -> f64 {
    let hidden_bit = 1u64 << 52;
    let biased = if significand < hidden_bit { 0 } else { (exponent + 1075) as u64 };
    f64::from_bits(biased << 52 | significand & (hidden_bit - 1))
}

/// Appends an integer in decimal.
#[inline]
pub fn write_i64(value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Reads an amount of memory as `memtoull` does: digits and an optional unit in any case, where
/// `k m g` are powers of 1000 and `kb mb gb` powers of 1024. `b`, no unit, and even no digits
/// (zero) are accepted as in Redis; an amount above `u64::MAX` is not, where Redis would wrap.
pub fn parse_memory(text: &[u8]) -> Option<u64> {
    let unit_at = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit_at);
    let factor: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let amount = if digits.is_empty() { 0 } else { parse_u64(digits)? };
    amount.checked_mul(factor)
}

/// An amount of memory for people, as INFO prints it: `512B`, `1.00K`, `3.50G`.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut scaled = bytes as f64 / 1024.0;
    let mut power = 1;
    while power < UNITS.len() && bytes >> (10 * (power + 1)) > 0 {
        scaled = bytes as f64 / (1u64 << (10 * (power + 1))) as f64;
        power += 1;
    }
    // Redis gives up on units above a pebibyte times 1024 and prints plain bytes.
    if bytes >> 60 > 0 { format!("{bytes}B") } else { format!("{scaled:.2}{}", UNITS[power - 1]) }
}

#[cfg(test)]
mod tests;
