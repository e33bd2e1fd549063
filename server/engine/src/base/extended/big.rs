//! Unsigned integers of any length, only as much of them as reading and printing a `long double`
//! takes. Lengths are bounded by the callers: at most about 400 words.

/// Little-endian words without a leading zero word; zero has no words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Big {
    words: Vec<u64>,
}

/// 5^27, the largest power of five in a word.
const FIVE_27: u64 = 7_450_580_596_923_828_125;
/// 10^19, the largest power of ten in a word.
const TEN_19: u64 = 10_000_000_000_000_000_000;

impl From<u64> for Big {
    fn from(value: u64) -> Big {
        Big { words: if value == 0 { Vec::new() } else { vec![value] } }
    }
}

impl Big {
    /// Reads ASCII digits.
    pub(super) fn from_decimal(digits: &[u8]) -> Big {
        let mut big = Big::from(0);
        for chunk in digits.chunks(19) {
            let (value, scale) = chunk.iter().fold((0u64, 1u64), |(value, scale), digit| {
                (value * 10 + u64::from(digit - b'0'), scale.wrapping_mul(10))
            });
            big.multiply_add(scale, value);
        }
        big
    }

    pub(super) fn power_of_five(exponent: u32) -> Big {
        let mut big = Big::from(1);
        for _ in 0..exponent / 27 {
            big.multiply_add(FIVE_27, 0);
        }
        big.multiply_add(5u64.pow(exponent % 27), 0);
        big
    }

    pub(super) fn product(&self, other: &Big) -> Big {
        let mut words = vec![0u64; self.words.len() + other.words.len()];
        for (start, &a) in self.words.iter().enumerate() {
            let mut carry = 0u64;
            for (place, &b) in words[start..].iter_mut().zip(&other.words) {
                let sum = u128::from(a) * u128::from(b) + u128::from(*place) + u128::from(carry);
                (*place, carry) = (sum as u64, (sum >> 64) as u64);
            }
            words[start + other.words.len()] = carry;
        }
        Big::trimmed(words)
    }

    pub(super) fn shifted_left(self, bits: u32) -> Big {
        let (whole, part) = ((bits / 64) as usize, bits % 64);
        let mut words = vec![0u64; whole];
        let mut carry = 0u64;
        for word in self.words {
            words.push(word << part | carry);
            carry = if part == 0 { 0 } else { word >> (64 - part) };
        }
        words.push(carry);
        Big::trimmed(words)
    }

    /// The top 128 bits (all of them if there are fewer), the power of two they are to be scaled
    /// by, and whether anything was cut off.
    pub(super) fn leading_bits(&self) -> (u128, i64, bool) {
        let length = self.bit_length();
        let cut = length.saturating_sub(128);
        let (whole, part) = ((cut / 64) as usize, cut % 64);
        let word = |index: usize| u128::from(self.words.get(whole + index).copied().unwrap_or(0));
        let low = word(0) | word(1) << 64;
        let mantissa = if part == 0 { low } else { low >> part | word(2) << (128 - part) };
        let sticky = self.words[..whole].iter().any(|&word| word != 0)
            || word(0) & ((1u128 << part) - 1) != 0;
        (mantissa, i64::from(cut), sticky)
    }

    /// Divides by `divisor` until 66 or 67 bits of the quotient are known: those bits, the power
    /// of two they are to be scaled by, and whether a remainder is left. Neither side is zero.
    pub(super) fn quotient_bits(self, divisor: Big) -> (u128, i64, bool) {
        const STEPS: u32 = 67;
        // Same length first, so that the quotient's first or second bit is set.
        let (length, wanted) = (self.bit_length(), divisor.bit_length());
        let mut rest = self.shifted_left(wanted.saturating_sub(length));
        let divisor = divisor.shifted_left(length.saturating_sub(wanted));
        let mut quotient = 0u128;
        for step in 0..STEPS {
            if step > 0 {
                rest = rest.shifted_left(1);
            }
            quotient <<= 1;
            if rest.is_at_least(&divisor) {
                rest.subtract(&divisor);
                quotient |= 1;
            }
        }
        let scale = i64::from(length) - i64::from(wanted) - i64::from(STEPS - 1);
        (quotient, scale, !rest.words.is_empty())
    }

    /// Appends the decimal digits; zero is `0`.
    pub(super) fn write_decimal(mut self, out: &mut Vec<u8>) {
        let mut groups = Vec::new();
        while !self.words.is_empty() {
            let mut rest = 0u64;
            for word in self.words.iter_mut().rev() {
                let value = u128::from(rest) << 64 | u128::from(*word);
                *word = (value / u128::from(TEN_19)) as u64;
                rest = (value % u128::from(TEN_19)) as u64;
            }
            self.trim();
            groups.push(rest);
        }
        let mut text = itoa::Buffer::new();
        out.extend_from_slice(text.format(groups.pop().unwrap_or(0)).as_bytes());
        for group in groups.into_iter().rev() {
            let digits = text.format(group).as_bytes();
            out.resize(out.len() + 19 - digits.len(), b'0');
            out.extend_from_slice(digits);
        }
    }

    fn multiply_add(&mut self, factor: u64, addend: u64) {
        let mut carry = addend;
        for word in &mut self.words {
            let sum = u128::from(*word) * u128::from(factor) + u128::from(carry);
            (*word, carry) = (sum as u64, (sum >> 64) as u64);
        }
        if carry != 0 {
            self.words.push(carry);
        }
    }

    fn bit_length(&self) -> u32 {
        let top = self.words.last().map_or(64, |word| word.leading_zeros());
        self.words.len() as u32 * 64 - top.min(self.words.len() as u32 * 64)
    }

    fn is_at_least(&self, other: &Big) -> bool {
        let lengths = self.words.len().cmp(&other.words.len());
        lengths.then_with(|| self.words.iter().rev().cmp(other.words.iter().rev())).is_ge()
    }

    /// `self` is at least `other`.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = false;
        for (index, word) in self.words.iter_mut().enumerate() {
            let taken = other.words.get(index).copied().unwrap_or(0);
            let (once, first) = word.overflowing_sub(taken);
            let (twice, second) = once.overflowing_sub(u64::from(borrow));
            (*word, borrow) = (twice, first || second);
        }
        debug_assert!(!borrow);
        self.trim();
    }

    fn trimmed(words: Vec<u64>) -> Big {
        let mut big = Big { words };
        big.trim();
        big
    }

    fn trim(&mut self) {
        while self.words.last() == Some(&0) {
            self.words.pop();
        }
    }
}
