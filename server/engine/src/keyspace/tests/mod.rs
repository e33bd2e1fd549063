//! The keyspace against a map, under time moved by hand.

mod collections;
mod content;
mod cut;
mod expiry;
mod memory;
mod model;
mod verbs;
mod walks;

use super::*;

/// Keys of these tests live in a keyspace over all slots, with a fixed seed.
fn keyspace() -> Keyspace {
    Keyspace::new(0..16384, 4, [1, 2, 3, 4])
}

/// A key reference with a chosen slot and hash: how collisions are made.
fn forged(bytes: &[u8], slot: u16, hash16: u16) -> KeyRef<'_> {
    let slot = Slot::new(slot).expect("a slot");
    KeyRef { bytes, slot, hash: u64::from(hash16) << 48 }
}

/// The string at a key.
fn string(keyspace: &Keyspace, db: u8, key: &KeyRef<'_>) -> Option<Vec<u8>> {
    let entry = keyspace.get(db, key)?;
    Some(entry.value().text(&mut itoa::Buffer::new()).to_vec())
}

fn set(keyspace: &mut Keyspace, key: &[u8], value: &[u8], expiry: Option<i64>) {
    let key = keyspace.key_ref(key);
    keyspace.set_string(0, &key, value, expiry.map(UnixMillis), 0);
}
