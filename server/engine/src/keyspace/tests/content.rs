//! The digest: equal for equal content, different for anything else.

use super::*;

fn digest_of(writes: &[(u8, &str, &str, Option<i64>)]) -> u128 {
    let mut keyspace = keyspace();
    for (db, key, value, expiry) in writes {
        let key = keyspace.key_ref(key.as_bytes());
        keyspace.set_string(*db, &key, value.as_bytes(), expiry.map(UnixMillis), 0);
    }
    keyspace.digest()
}

#[test]
fn the_digest_of_nothing_is_zero_and_order_does_not_matter() {
    assert_eq!(digest_of(&[]), 0);
    let (a, b) = ((0, "a", "1", None), (1, "b", "2", Some(5)));
    assert_eq!(digest_of(&[a, b]), digest_of(&[b, a]));
}

#[test]
fn the_digest_tells_database_key_value_and_deadline() {
    let all = [
        digest_of(&[(0, "a", "1", None)]),
        digest_of(&[(1, "a", "1", None)]),
        digest_of(&[(0, "b", "1", None)]),
        digest_of(&[(0, "a", "2", None)]),
        digest_of(&[(0, "a", "1", Some(0))]),
        digest_of(&[(0, "a", "1", Some(1))]),
        digest_of(&[(0, "a1", "", None)]),
        digest_of(&[(0, "a", "1", None), (0, "b", "1", None)]),
    ];
    let distinct: std::collections::BTreeSet<u128> = all.into_iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn the_digest_does_not_see_how_a_string_is_kept() {
    let number = digest_of(&[(0, "n", "12345678901234", None)]);
    let mut keyspace = keyspace();
    let key = keyspace.key_ref(b"n");
    keyspace.set_string_raw(0, &key, b"12345678901234", None, 77);
    assert_eq!(keyspace.digest(), number);
    keyspace.edit_bytes(0, &key, 0, |bytes| bytes.resize(9_000, 0));
    keyspace.edit_bytes(0, &key, 0, |bytes| bytes.truncate(14));
    assert_eq!(keyspace.digest(), number);
}

#[test]
fn the_digests_of_slots_and_databases_add_up() {
    let mut keyspace = keyspace();
    for n in 0..200 {
        let name = format!("key:{n}");
        let key = keyspace.key_ref(name.as_bytes());
        keyspace.set_string(n % 4, &key, b"v", None, 0);
    }
    let slots = (0..16384).filter_map(Slot::new).map(|slot| keyspace.digest_slot(slot));
    assert_eq!(slots.fold(0, u128::wrapping_add), keyspace.digest());
    let dbs = (0..4).map(|db| keyspace.digest_db(db));
    assert_eq!(dbs.fold(0, u128::wrapping_add), keyspace.digest());
}
