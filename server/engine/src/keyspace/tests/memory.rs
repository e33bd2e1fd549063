//! Bytes per key: the budget of design.md (24, with a deadline 32) with room to spare.

use super::*;

const KEYS: usize = if cfg!(miri) { 1_000 } else { 1_000_000 };

fn filled(expiry: bool) -> Keyspace {
    let mut keyspace = Keyspace::new(0..16384, 16, [1, 2, 3, 4]);
    for n in 0..KEYS {
        let key = format!("key:{n:012}");
        set(&mut keyspace, key.as_bytes(), b"8 bytes!", expiry.then_some(1 << 40));
    }
    keyspace
}

fn overhead(keyspace: &Keyspace) -> f64 {
    keyspace.accounted_bytes() as f64 / KEYS as f64 - 24.0
}

#[test]
#[cfg_attr(miri, ignore = "a million keys")]
fn a_million_small_keys_cost_at_most_22_bytes_each_beyond_key_and_value() {
    let mut keyspace = filled(false);
    assert!(overhead(&keyspace) <= 22.0, "{} bytes", overhead(&keyspace));
    for n in 0..KEYS {
        let name = format!("key:{n:012}");
        assert!(keyspace.remove(0, &keyspace.key_ref(name.as_bytes())));
    }
    let left = keyspace.accounted_bytes();
    assert!(left < 2 << 20, "{left} bytes stay when every key is gone");
    keyspace.check_invariants();
}

#[test]
#[cfg_attr(miri, ignore = "a million keys")]
fn with_deadlines_they_cost_at_most_30() {
    let keyspace = filled(true);
    assert!(overhead(&keyspace) <= 30.0, "{} bytes", overhead(&keyspace));
}
