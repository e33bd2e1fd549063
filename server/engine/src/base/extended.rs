//! The x87 `long double` in software: INCRBYFLOAT and HINCRBYFLOAT of Redis compute in it, and
//! their replies show its 64-bit significand (`0.1 + 0.2` is `0.3`, not `0.30000000000000004`).
//!
//! Only what those two commands need: read a decimal or hexadecimal literal as `strtold` does,
//! add, and print as `ld2string(LD_STR_HUMAN)` does, `%.17Lf` without trailing zeros. All three
//! round correctly, half to even, so the bytes equal those of Redis on x86-64 whatever the CPU
//! is. Work is bounded by [`TEXT_MAX`]; the usual number costs one or two words of big integer.

use super::literal::{Binary, Decimal, Format, Literal, Rounded};
use super::number::write_i64;
use big::Big;

mod big;

/// Longest text that is read, as in Redis (`MAX_LONG_DOUBLE_CHARS`, which counts the NUL).
pub const TEXT_MAX: usize = 5 * 1024 - 1;

const FORMAT: Format = Format { significand_bits: 64, exponent_min: -16445, exponent_max: 16320 };

/// `±significand × 2^exponent`. Finite or infinite; NaN cannot be built. The sign of zero is not
/// kept: nothing that is printed shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extended {
    negative: bool,
    /// Top bit set, unless the value is zero or below the normal range.
    significand: u64,
    /// [`INFINITE`], or within the format's bounds.
    exponent: i32,
}

/// The exponent that marks an infinity.
const INFINITE: i32 = i32::MAX;

impl Extended {
    /// Zero, the value of a key that does not exist.
    pub const ZERO: Extended = Extended { negative: false, significand: 0, exponent: 0 };

    /// Reads a literal as `string2ld` does. `None` for anything else: spaces, NaN, an overflow,
    /// a nonzero number too small to be told from zero, more than [`TEXT_MAX`] bytes.
    pub fn parse(text: &[u8]) -> Option<Extended> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let binary = match Literal::parse(text)? {
            Literal::Infinite { negative } => {
                return Some(Extended { negative, significand: 0, exponent: INFINITE });
            }
            Literal::Hexadecimal(binary) => binary,
            Literal::Decimal(decimal) => match decimal_to_binary(decimal)? {
                Some(binary) => binary,
                None => return Some(Extended::ZERO),
            },
        };
        match binary.round(FORMAT) {
            Rounded::Zero if binary.mantissa == 0 => Some(Extended::ZERO),
            Rounded::Zero | Rounded::Overflow => None,
            Rounded::Finite { significand, exponent } => {
                Some(Extended { negative: binary.negative, significand, exponent: exponent as i32 })
            }
        }
    }

    /// The exact value of an integer.
    pub fn from_i64(value: i64) -> Extended {
        let mantissa = u128::from(value.unsigned_abs());
        Extended::rounded(Binary { negative: value < 0, mantissa, exponent: 0, sticky: false })
    }

    /// Whether the value is an infinity, which [`parse`](Extended::parse) accepts and every sum
    /// refuses.
    pub fn is_infinite(self) -> bool {
        self.exponent == INFINITE
    }

    /// The sum, or `None` where Redis answers "increment would produce NaN or Infinity".
    pub fn checked_add(self, other: Extended) -> Option<Extended> {
        if self.is_infinite() || other.is_infinite() {
            return None;
        }
        let sum = Extended::rounded(add_exactly(self, other));
        (!sum.is_infinite()).then_some(sum)
    }

    /// Appends the value with at most 17 digits behind the point and no trailing zeros.
    pub fn write(self, out: &mut Vec<u8>) {
        if self.is_infinite() {
            out.extend_from_slice(if self.negative { b"-inf" } else { b"inf" });
            return;
        }
        if self.exponent >= 0 {
            if self.negative && self.significand != 0 {
                out.push(b'-');
            }
            Big::from(self.significand).shifted_left(self.exponent as u32).write_decimal(out);
            return;
        }
        let scaled = self.in_units_of_the_last_printed_digit();
        if self.negative && scaled != 0 {
            out.push(b'-');
        }
        write_scaled(scaled, out);
    }

    /// The magnitude times 10^17, rounded half to even; for values with a negative exponent.
    fn in_units_of_the_last_printed_digit(self) -> u128 {
        let product = u128::from(self.significand) * u128::from(UNITS); // at most 121 bits
        let shift = self.exponent.unsigned_abs();
        if shift >= 122 {
            return 0; // below half of a unit
        }
        let (kept, rest) = (product >> shift, product & ((1 << shift) - 1));
        let half = 1u128 << (shift - 1);
        kept + u128::from(rest > half || (rest == half && kept & 1 == 1))
    }

    fn rounded(binary: Binary) -> Extended {
        let negative = binary.negative;
        match binary.round(FORMAT) {
            Rounded::Zero => Extended::ZERO,
            Rounded::Overflow => Extended { negative, significand: 0, exponent: INFINITE },
            Rounded::Finite { significand, exponent } => {
                Extended { negative, significand, exponent: exponent as i32 }
            }
        }
    }
}

/// 10^17: the printed form has 17 digits behind the point.
const UNITS: u64 = 100_000_000_000_000_000;

/// Writes `scaled × 10^-17` without trailing zeros.
fn write_scaled(scaled: u128, out: &mut Vec<u8>) {
    let units = u128::from(UNITS);
    // A negative exponent leaves less than 2^64 in front of the point; `i64` holds 2^63 of them,
    // and a significand with at least one bit behind the point is below that.
    let (whole, mut fraction) = ((scaled / units) as i64, (scaled % units) as u64);
    write_i64(whole, out);
    if fraction == 0 {
        return;
    }
    let mut digits = 17;
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        digits -= 1;
    }
    out.push(b'.');
    let start = out.len();
    out.resize(start + digits, b'0');
    for place in out[start..].iter_mut().rev() {
        *place = b'0' + (fraction % 10) as u8;
        fraction /= 10;
    }
}

/// The sum before rounding: exact, or with the lost bits in `sticky`.
fn add_exactly(a: Extended, b: Extended) -> Binary {
    // Zero has no exponent of its own to align with.
    let (large, small) = match (a.significand, b.significand) {
        (0, _) => (b, a),
        (_, 0) => (a, b),
        _ if (a.exponent, a.significand) >= (b.exponent, b.significand) => (a, b),
        _ => (b, a),
    };
    let top = u128::from(large.significand) << 63; // one bit of room for the carry
    let exponent = i64::from(large.exponent) - 63;
    let distance = (large.exponent - small.exponent).unsigned_abs();
    let aligned = u128::from(small.significand) << 63;
    let (low, sticky) = if small.significand == 0 {
        (0, false)
    } else if distance < 127 {
        let low = aligned >> distance;
        (low, low << distance != aligned)
    } else {
        (0, true)
    };
    let mantissa = if large.negative == small.negative {
        top + low
    } else {
        top - low - u128::from(sticky) // the rest is `1 - lost bits`, still sticky
    };
    Binary { negative: large.negative, mantissa, exponent, sticky }
}

/// Turns decimal digits into at least 66 significant bits and a sticky flag. The outer `None` is
/// a number no format can hold; the inner one is zero.
fn decimal_to_binary(decimal: Decimal<'_>) -> Option<Option<Binary>> {
    let mut digits: Vec<u8> = decimal.whole.iter().chain(decimal.fraction).copied().collect();
    let mut exponent = decimal.exponent - decimal.fraction.len() as i64;
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent += 1;
    }
    let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[leading..];
    if digits.is_empty() {
        return Some(None);
    }
    // The value lies in 10^(magnitude-1) .. 10^magnitude. The largest finite value is 1.2e4932,
    // half of the smallest one 1.8e-4951.
    let magnitude = exponent + digits.len() as i64;
    if !(-4950..=4933).contains(&magnitude) {
        return None;
    }
    let significant = Big::from_decimal(digits);
    let power = Big::power_of_five(exponent.unsigned_abs() as u32);
    let (mantissa, shift, sticky) = if exponent >= 0 {
        significant.product(&power).leading_bits()
    } else {
        significant.quotient_bits(power)
    };
    let exponent = exponent + shift; // ten is five times two
    Some(Some(Binary { negative: decimal.negative, mantissa, exponent, sticky }))
}

#[cfg(test)]
mod tests;
