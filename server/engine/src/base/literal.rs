//! What C's `strtod` and `strtold` accept as a number, minus what Redis refuses (spaces in
//! front, NaN), and correct rounding of the result to a binary format.
//!
//! Two readers share it: [`number`](super::number) for doubles (scores) and
//! [`extended`](super::extended) for the 80-bit sums of INCRBYFLOAT. The decimal form is split
//! into its parts here; the hexadecimal form (`0x1.8p3`, which Redis accepts because `strtod`
//! does) is already binary and only needs rounding.

/// A number as written, with its sign and meaning but not yet rounded to any format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Literal<'a> {
    Infinite { negative: bool },
    Decimal(Decimal<'a>),
    Hexadecimal(Binary),
}

/// `±whole.fraction × 10^exponent`; the digits are ASCII and at least one is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decimal<'a> {
    pub negative: bool,
    pub whole: &'a [u8],
    pub fraction: &'a [u8],
    pub exponent: i64,
}

/// `±mantissa × 2^exponent`, plus something smaller than the last bit when `sticky` is set.
/// With `sticky` the mantissa carries at least two bits more than any format keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Binary {
    pub negative: bool,
    pub mantissa: u128,
    pub exponent: i64,
    pub sticky: bool,
}

/// A binary floating-point format whose finite values are `significand × 2^exponent`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    pub significand_bits: i64,
    pub exponent_min: i64,
    pub exponent_max: i64,
}

/// A value that has been rounded to a [`Format`], half to even.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Rounded {
    /// Exactly zero, or too small for the format: the caller knows which.
    Zero,
    /// The top bit of the significand is set unless the exponent is the format's smallest.
    Finite {
        significand: u64,
        exponent: i64,
    },
    Overflow,
}

/// Exponents beyond this are as good as infinite for every format; clamping keeps sums of
/// exponents and digit counts far from the ends of an `i64`.
const EXPONENT_CLAMP: i64 = 1 << 40;

impl<'a> Literal<'a> {
    /// Reads the whole of `text`, or nothing.
    pub(super) fn parse(text: &'a [u8]) -> Option<Literal<'a>> {
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
            return Some(Literal::Infinite { negative });
        }
        if let [b'0', b'x' | b'X', digits @ ..] = rest {
            return hexadecimal(negative, digits).map(Literal::Hexadecimal);
        }
        decimal(negative, rest).map(Literal::Decimal)
    }
}

fn decimal(negative: bool, text: &[u8]) -> Option<Decimal<'_>> {
    let (whole, rest) = split_digits(text, u8::is_ascii_digit);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => split_digits(rest, u8::is_ascii_digit),
        rest => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [b'e' | b'E', rest @ ..] => exponent(rest)?,
        _ => return None,
    };
    Some(Decimal { negative, whole, fraction, exponent })
}

fn hexadecimal(negative: bool, text: &[u8]) -> Option<Binary> {
    let (whole, rest) = split_digits(text, u8::is_ascii_hexdigit);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => split_digits(rest, u8::is_ascii_hexdigit),
        rest => (&[][..], rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut exponent = match rest {
        [] => 0,
        [b'p' | b'P', rest @ ..] => exponent(rest)?,
        _ => return None,
    };
    exponent -= 4 * fraction.len() as i64;
    let (mut mantissa, mut sticky) = (0u128, false);
    for &byte in whole.iter().chain(fraction) {
        let digit = char::from(byte).to_digit(16)?;
        if mantissa >> 124 == 0 {
            mantissa = mantissa << 4 | u128::from(digit);
        } else {
            sticky |= digit != 0;
            exponent += 4;
        }
    }
    Some(Binary { negative, mantissa, exponent, sticky })
}

/// Splits `text` behind its leading digits.
fn split_digits(text: &[u8], is_digit: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !is_digit(byte)).unwrap_or(text.len()))
}

/// Reads a signed decimal exponent, clamped; at least one digit is required.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = (value * 10 + i64::from(byte - b'0')).min(EXPONENT_CLAMP);
    }
    Some(if negative { -value } else { value })
}

impl Binary {
    /// Rounds to the nearest value of `format`, ties to the even significand.
    pub(super) fn round(self, format: Format) -> Rounded {
        if self.mantissa == 0 {
            return Rounded::Zero;
        }
        let length = 128 - i64::from(self.mantissa.leading_zeros());
        let excess = (length - format.significand_bits).max(format.exponent_min - self.exponent);
        debug_assert!(!self.sticky || excess > 1, "too few bits to round from");
        if excess > length {
            return Rounded::Zero; // less than half of the smallest value
        }
        let (significand, exponent) = if excess <= 0 {
            // Exact. Shift up as far as the format lets us, so that the form is unique.
            let up = (-excess).min(63);
            ((self.mantissa as u64) << up, self.exponent - up)
        } else {
            round_half_even(self, excess as u32, format.significand_bits)
        };
        if significand == 0 {
            Rounded::Zero
        } else if exponent > format.exponent_max {
            Rounded::Overflow
        } else {
            Rounded::Finite { significand, exponent }
        }
    }
}

/// Drops the low `excess` bits (1..=128) of the mantissa.
fn round_half_even(value: Binary, excess: u32, significand_bits: i64) -> (u64, i64) {
    let kept = value.mantissa.checked_shr(excess).unwrap_or(0);
    let half = 1u128 << (excess - 1);
    let rest = value.mantissa & (half | (half - 1));
    let up = rest > half || (rest == half && (value.sticky || kept & 1 == 1));
    let rounded = kept + u128::from(up);
    let exponent = value.exponent + i64::from(excess);
    if rounded >> significand_bits == 0 {
        (rounded as u64, exponent)
    } else {
        ((rounded >> 1) as u64, exponent + 1)
    }
}
