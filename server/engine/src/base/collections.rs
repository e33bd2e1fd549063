//! A map whose keys are already well-mixed numbers (hashes, tickets), so it need not hash them
//! well.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// One multiplication spreads a ticket's low bits; a fingerprint needs no more either.
#[derive(Default, Clone, Copy)]
pub struct MixHasher(u64);

impl Hasher for MixHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// Keyed by a fingerprint or a ticket: numbers no client chooses.
pub type FingerprintMap<V> = HashMap<u64, V, BuildHasherDefault<MixHasher>>;
