//! Numbers as RESP writes them: strict decimal integers in, shortest doubles out.

use std::fmt::Write;

/// A 64-bit integer under the rules of Redis's `string2ll`: an optional `-`, then digits without
/// a leading zero. No `+`, no spaces, no `-0`, no empty text, nothing out of range.
pub fn strict_i64(text: &[u8]) -> Option<i64> {
    if text == b"0" {
        return Some(0);
    }
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !matches!(digits.first(), Some(b'1'..=b'9')) || digits.len() > 19 {
        return None;
    }
    let mut value = 0u64; // 19 digits fit
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// Room for the longest double: sign, 17 digits, point, exponent, or 7 zeros behind a point.
pub const DOUBLE_BYTES_MAX: usize = 32;

/// Appends `value` as Redis 7.2 and later print doubles in replies: `3`, `0.1`, `1e+300`,
/// `1e-7`, `inf`, `-inf`, `nan`, `-0`. The digits are the fewest that read back as the same
/// number; whole numbers below 2^62 have no exponent.
///
/// Redis up to 7.0 printed 17 digits whether needed or not (0.1 as `0.10000000000000001`).
pub fn write_double(value: f64, out: &mut Vec<u8>) {
    // Half of i64::MAX, the bound of Redis's double2ll; both casts are exact or saturate above it.
    const WHOLE_MAX: f64 = (i64::MAX / 2) as f64;
    if value.is_nan() {
        return out.extend_from_slice(b"nan");
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"inf" } else { b"-inf" });
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let value = value.abs();
    if value <= WHOLE_MAX && value.trunc() == value {
        return out.extend_from_slice(itoa::Buffer::new().format(value as i64).as_bytes());
    }
    let mut digits = Digits::of(value);
    digits.write(out);
}

/// A positive finite double as `0.d1d2d3… × 10^point`, with the fewest digits.
struct Digits {
    bytes: [u8; DOUBLE_BYTES_MAX],
    count: usize,
    /// Decimal exponent of the first digit.
    exponent: i32,
}

impl Digits {
    fn of(value: f64) -> Digits {
        let mut text = Text { bytes: [0; DOUBLE_BYTES_MAX], len: 0 };
        // `{:e}` prints the shortest digits that round-trip: "1.25e-7". It cannot fail: the text
        // has at most 17 digits, a point, `e`, a sign and three more digits.
        let written = write!(text, "{value:e}");
        debug_assert!(written.is_ok());
        let mut digits = Digits { bytes: [0; DOUBLE_BYTES_MAX], count: 0, exponent: 0 };
        let mut negative = false;
        let mut in_exponent = false;
        for &byte in &text.bytes[..text.len] {
            match byte {
                b'e' => in_exponent = true,
                b'-' => negative = true,
                b'0'..=b'9' if in_exponent => {
                    digits.exponent = digits.exponent * 10 + i32::from(byte - b'0');
                }
                b'0'..=b'9' => {
                    digits.bytes[digits.count] = byte;
                    digits.count += 1;
                }
                _ => {}
            }
        }
        if negative {
            digits.exponent = -digits.exponent;
        }
        digits
    }

    /// The three shapes of Redis's `fpconv_dtoa`, with its thresholds.
    fn write(&mut self, out: &mut Vec<u8>) {
        let digits = &self.bytes[..self.count];
        let count = self.count as i32;
        let scale = self.exponent - count + 1; // the value is the digits, as an integer, × 10^scale
        if scale >= 0 && self.exponent < count + 7 {
            out.extend_from_slice(digits);
            out.resize(out.len() + scale as usize, b'0');
        } else if scale < 0 && (scale > -7 || self.exponent.abs() < 4) {
            let whole = count + scale; // digits before the point
            if whole <= 0 {
                out.extend_from_slice(b"0.");
                out.resize(out.len() + whole.unsigned_abs() as usize, b'0');
                out.extend_from_slice(digits);
            } else {
                let (before, after) = digits.split_at(whole as usize);
                out.extend_from_slice(before);
                out.push(b'.');
                out.extend_from_slice(after);
            }
        } else {
            self.write_scientific(out);
        }
    }

    fn write_scientific(&self, out: &mut Vec<u8>) {
        let (first, rest) = self.bytes[..self.count].split_at(1);
        out.extend_from_slice(first);
        if !rest.is_empty() {
            out.push(b'.');
            out.extend_from_slice(rest);
        }
        out.push(b'e');
        out.push(if self.exponent < 0 { b'-' } else { b'+' });
        out.extend_from_slice(itoa::Buffer::new().format(self.exponent.unsigned_abs()).as_bytes());
    }
}

/// A formatter's target on the stack.
struct Text {
    bytes: [u8; DOUBLE_BYTES_MAX],
    len: usize,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn printed(value: f64) -> String {
        let mut out = Vec::new();
        write_double(value, &mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn doubles_print_as_redis_7_4_prints_them() {
        for (value, text) in [
            (3.0, "3"),
            (0.0, "0"),
            (-0.0, "-0"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (1e300, "1e+300"),
            (-1e300, "-1e+300"),
            (1e18, "1000000000000000000"),
            (1e19, "1e+19"),
            (12345678901234567890.0, "12345678901234567000"),
            (0.000001, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (0.00012345, "1.2345e-4"),
            (0.0012345, "0.0012345"),
            (1.2345e-10, "1.2345e-10"),
            (123456.789, "123456.789"),
            (0.30000000000000004, "0.30000000000000004"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
        ] {
            assert_eq!(printed(value), text);
        }
    }

    #[test]
    fn integers_are_taken_as_strictly_as_redis_takes_them() {
        for (text, value) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("9999999999999999999", None),
            ("10000000000000000000", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("+1", None),
            ("01", None),
            (" 1", None),
            ("1 ", None),
            ("1a", None),
            ("--1", None),
        ] {
            assert_eq!(strict_i64(text.as_bytes()), value, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_double_reads_back_as_itself(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let text = printed(value);
            prop_assert!(text.len() <= DOUBLE_BYTES_MAX);
            let read: f64 = text.parse().expect("a double");
            prop_assert!(read.to_bits() == value.to_bits() || value.is_nan());
        }

        #[test]
        fn every_integer_reads_back_as_itself(value in any::<i64>()) {
            prop_assert_eq!(strict_i64(value.to_string().as_bytes()), Some(value));
        }
    }
}
