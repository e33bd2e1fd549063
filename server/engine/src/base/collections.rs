//! Maps of the standard library with hashers of our own: for keys that are already well-mixed
//! numbers (hashes, tickets) and need not be hashed well, and for names that clients choose.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hasher};
use std::sync::Arc;

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

/// Hashes what clients choose: SipHash that has read a secret first, so that nobody can choose
/// names that fall into one place.
#[derive(Clone, Copy)]
pub struct SecretHasher(pub u64);

impl BuildHasher for SecretHasher {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}

/// Keyed by names that clients choose and several cores share.
pub type NameMap<V> = HashMap<Arc<[u8]>, V, SecretHasher>;
