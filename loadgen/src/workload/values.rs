//! Values that can be checked: size and every byte follow from the key and a version.
//!
//! A value opens with eight characters that carry its version and a tag of (key, version); the
//! rest is text from a fixed pool at an offset that also follows from both. So a reader who knows
//! the key can tell from a value alone which version it is, and that no byte is foreign.

use super::random::{Dice, mix, scale, unit};

/// Bytes that carry version and tag.
pub const HEADER_BYTES: usize = 8;
/// Versions count modulo this: 24 bits, four characters.
pub const VERSION_MODULUS: u32 = 1 << 24;

const POOL_BYTES: usize = 64 * 1024;
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// How many bytes a value has.
#[derive(Clone, PartialEq, Debug)]
pub enum Sizes {
    Fixed(usize),
    /// Both ends included.
    Uniform(usize, usize),
    /// `median * e^(sigma * normal)`, cut at `max`: the long tail of cached objects.
    LogNormal {
        median: f64,
        sigma: f64,
        max: usize,
    },
    /// Sizes with cumulative shares of 2^64.
    Weighted(Vec<(usize, u64)>),
}

impl Sizes {
    /// Sizes drawn with the given weights.
    pub fn weighted(list: &[(usize, f64)]) -> Sizes {
        let total: f64 = list.iter().map(|(_, weight)| weight).sum();
        let mut sum = 0.0;
        let mut steps: Vec<(usize, u64)> = Vec::with_capacity(list.len());
        for &(bytes, weight) in list {
            sum += weight;
            steps.push((bytes, (sum / total * u64::MAX as f64) as u64));
        }
        if let Some(last) = steps.last_mut() {
            last.1 = u64::MAX;
        }
        Sizes::Weighted(steps)
    }

    /// The size that belongs to 64 random bits.
    #[inline]
    fn of(&self, bits: u64) -> usize {
        match self {
            Sizes::Fixed(bytes) => *bytes,
            Sizes::Uniform(low, high) => low + scale(bits, (high - low) as u64 + 1) as usize,
            Sizes::LogNormal { median, sigma, max } => {
                let radius = (-2.0 * (1.0 - unit(bits)).ln()).sqrt();
                let normal = radius * (std::f64::consts::TAU * unit(mix(bits ^ 1))).cos();
                ((median * (sigma * normal).exp()) as usize).clamp(1, *max)
            }
            Sizes::Weighted(steps) => {
                let at = steps.partition_point(|&(_, upto)| upto < bits);
                steps[at.min(steps.len() - 1)].0
            }
        }
    }

    pub fn smallest(&self) -> usize {
        match self {
            Sizes::Fixed(bytes) | Sizes::Uniform(bytes, _) => *bytes,
            Sizes::LogNormal { .. } => 1,
            Sizes::Weighted(steps) => steps.iter().map(|step| step.0).min().unwrap_or(0),
        }
    }

    pub fn largest(&self) -> usize {
        match self {
            Sizes::Fixed(bytes) | Sizes::Uniform(_, bytes) => *bytes,
            Sizes::LogNormal { max, .. } => *max,
            Sizes::Weighted(steps) => steps.iter().map(|step| step.0).max().unwrap_or(0),
        }
    }
}

/// Writes and recognises values.
#[derive(Clone, Debug)]
pub struct Values {
    sizes: Sizes,
    pool: Vec<u8>,
}

impl Values {
    pub fn new(sizes: Sizes) -> Values {
        // One pool for all runs, so that one run can check what another wrote.
        let mut dice = Dice::new(0xF4EE_401D);
        let pool = (0..POOL_BYTES).map(|_| ALPHABET[dice.below(64) as usize]).collect();
        Values { sizes, pool }
    }

    pub fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    /// Bytes of the value of `key` at `version`.
    #[inline]
    pub fn bytes_of(&self, key: u64, version: u32) -> usize {
        self.sizes.of(identity(key, version))
    }

    /// Appends the value of `key` at `version`; `bytes` is what [`Values::bytes_of`] says.
    #[inline]
    pub fn write(&self, key: u64, version: u32, bytes: usize, out: &mut Vec<u8>) {
        let identity = identity(key, version);
        let header = header(identity, version);
        let shown = bytes.min(HEADER_BYTES);
        out.extend_from_slice(&header[..shown]);
        let mut at = pool_offset(identity);
        let mut left = bytes - shown;
        while left > 0 {
            let take = left.min(POOL_BYTES - at);
            out.extend_from_slice(&self.pool[at..at + take]);
            left -= take;
            at = 0;
        }
    }

    /// The version `body` claims to be, when each of its bytes is what that version of `key` says.
    pub fn version_of(&self, key: u64, body: &[u8]) -> Option<u32> {
        let version = body
            .get(..HEADER_BYTES)?
            .iter()
            .take(4)
            .try_fold(0u32, |sum, &byte| Some(sum << 6 | digit(byte)?))?;
        let identity = identity(key, version);
        let (shown, mut rest) = body.split_at(HEADER_BYTES);
        if shown != header(identity, version) {
            return None;
        }
        let mut at = pool_offset(identity);
        while !rest.is_empty() {
            let (part, more) = rest.split_at(rest.len().min(POOL_BYTES - at));
            if part != &self.pool[at..at + part.len()] {
                return None;
            }
            (rest, at) = (more, 0);
        }
        Some(version)
    }
}

#[inline]
fn identity(key: u64, version: u32) -> u64 {
    mix(mix(key ^ 0x5EED_0F4E_E401_D000) ^ u64::from(version % VERSION_MODULUS))
}

fn pool_offset(identity: u64) -> usize {
    (identity >> 40) as usize % (POOL_BYTES / 2)
}

/// Version in four characters, tag in four.
fn header(identity: u64, version: u32) -> [u8; HEADER_BYTES] {
    let bits = u64::from(version % VERSION_MODULUS) << 24 | identity & 0xFF_FFFF;
    std::array::from_fn(|at| ALPHABET[(bits >> (42 - 6 * at)) as usize & 63])
}

fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'A'..=b'Z' => Some(u32::from(byte - b'A')),
        b'a'..=b'z' => Some(u32::from(byte - b'a') + 26),
        b'0'..=b'9' => Some(u32::from(byte - b'0') + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(values: &Values, key: u64, version: u32) -> Vec<u8> {
        let mut out = Vec::new();
        values.write(key, version, values.bytes_of(key, version), &mut out);
        out
    }

    #[test]
    fn a_value_tells_its_version_to_whoever_knows_its_key() {
        for sizes in [Sizes::Fixed(8), Sizes::Fixed(64), Sizes::Fixed(200_000)] {
            let values = Values::new(sizes);
            for version in [0, 1, 77, VERSION_MODULUS - 1] {
                let body = value(&values, 12, version);
                assert_eq!(values.version_of(12, &body), Some(version));
                assert_eq!(values.version_of(13, &body), None);
            }
        }
    }

    #[test]
    fn one_changed_byte_is_noticed_wherever_it_is() {
        let values = Values::new(Sizes::Fixed(100));
        for at in 0..100 {
            let mut body = value(&values, 5, 9);
            body[at] ^= 1;
            assert_eq!(values.version_of(5, &body), None, "byte {at}");
        }
    }

    #[test]
    fn sizes_follow_their_distribution() {
        let values = Values::new(Sizes::Uniform(10, 20));
        let sizes: Vec<usize> = (0..5000).map(|key| values.bytes_of(key, 1)).collect();
        assert_eq!((sizes.iter().min(), sizes.iter().max()), (Some(&10), Some(&20)));

        let values = Values::new(Sizes::weighted(&[(8, 3.0), (1000, 1.0)]));
        let small = (0..10_000).filter(|&key| values.bytes_of(key, 1) == 8).count();
        assert!((7_300..7_700).contains(&small), "{small}");

        let log = Sizes::LogNormal { median: 100.0, sigma: 1.0, max: 10_000 };
        let values = Values::new(log);
        let below = (0..10_000).filter(|&key| values.bytes_of(key, 1) < 100).count();
        assert!((4_700..5_300).contains(&below), "the median halves the values: {below}");
    }
}
