//! Bytes per key: the budget of design.md (24, with a deadline 32) with room to spare. And how
//! memory goes: in slices.

use super::*;
use crate::value::{Collection, Set, SetEdit, Stored};

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

/// Slices that free a set of 100,000 members once its key is gone.
fn slices_after(forget: impl FnOnce(&mut Keyspace)) -> usize {
    let mut keyspace = keyspace();
    let mut members = Set::default();
    for n in 0..100_000 {
        members.apply(SetEdit::Add(format!("member:{n:012}").as_bytes()), keyspace.rules());
    }
    let key = keyspace.key_ref(b"big");
    keyspace.set_collection(0, &key, members.into_value(), None, 0);
    forget(&mut keyspace);
    let mut slices = 1;
    while keyspace.reclaim_slice(64) {
        slices += 1;
    }
    assert!(keyspace.is_empty());
    slices
}

/// FLUSHALL freed eight times as much a slice as UNLINK: half a millisecond of it.
#[test]
#[cfg_attr(miri, ignore = "a hundred thousand members")]
fn a_flushed_collection_is_freed_in_slices_about_as_short_as_those_of_an_unlinked_one() {
    let unlinked = slices_after(|keyspace| {
        assert!(keyspace.remove(0, &keyspace.key_ref(b"big")));
    });
    let flushed = slices_after(Keyspace::flush_all);
    assert!(unlinked > 20, "{unlinked}");
    assert!(flushed * 3 > unlinked, "{flushed} slices, and {unlinked} when unlinked");
}
