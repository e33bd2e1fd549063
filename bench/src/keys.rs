//! The keys and values of the benchmarks: 16-byte keys as `redis-benchmark -r` makes them, values
//! that are no integers.

use freehold_engine::base::random::Random;

pub const KEY_BYTES: usize = 16;
pub type Key = [u8; KEY_BYTES];

/// `key:` and twelve digits.
pub fn key(index: u64) -> Key {
    let mut key = *b"key:000000000000";
    let mut rest = index;
    for digit in key[4..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

/// The number a key was made of.
pub fn index(key: &[u8]) -> u64 {
    key[4..].iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

/// `count` keys drawn evenly from `first..first + range`, laid out in the order of use, so that
/// reading the key costs no cache miss of its own.
pub fn drawn(random: &mut Random, first: u64, range: u64, count: usize) -> Vec<Key> {
    (0..count).map(|_| key(first + random.below(range))).collect()
}
