//! One verb at a time.

use super::*;

fn encoding(keyspace: &Keyspace, key: &[u8]) -> &'static str {
    keyspace.get(0, &keyspace.key_ref(key)).expect("the key is there").encoding_name()
}

#[test]
fn a_database_costs_nothing_before_its_first_key() {
    let keyspace = Keyspace::new(0..16384, 16, [0; 4]);
    assert!(keyspace.accounted_bytes() < 4096, "{}", keyspace.accounted_bytes());
}

#[test]
fn an_entry_of_16_and_8_bytes_takes_32_and_40_with_a_deadline() {
    let mut keyspace = keyspace();
    let key = b"key:000000000016";
    for (value, expiry, bytes) in
        [(8, None, 32), (8, Some(9), 40), (64, None, 88), (64, Some(9), 96), (1000, None, 1024)]
    {
        set(&mut keyspace, key, &vec![b'x'; value], expiry);
        assert_eq!(keyspace.slab.used_bytes(), bytes);
        let usage = keyspace.memory_usage(0, &keyspace.key_ref(key));
        assert_eq!(usage, Some(bytes as usize + 8));
    }
}

#[test]
fn encodings_are_those_of_redis_7_2() {
    let mut keyspace = keyspace();
    for (value, name) in [
        (&b"1"[..], "int"),
        (b"-12345678", "int"),
        (b"9223372036854775807", "int"),
        (b"9223372036854775808", "embstr"),
        (b"007", "embstr"),
        (b"", "embstr"),
        (&[b'x'; 44], "embstr"),
        (&[b'x'; 45], "raw"),
        (&[b'x'; 5000], "raw"),
    ] {
        set(&mut keyspace, b"k", value, None);
        assert_eq!(encoding(&keyspace, b"k"), name, "{}", value.escape_ascii());
        let key = keyspace.key_ref(b"k");
        assert_eq!(string(&keyspace, 0, &key).as_deref(), Some(value));
    }
    let key = keyspace.key_ref(b"k");
    keyspace.set_string_raw(0, &key, b"12", None, 0);
    assert_eq!(encoding(&keyspace, b"k"), "raw");
    keyspace.set_string_text(0, &key, b"12", None, 0);
    assert_eq!(encoding(&keyspace, b"k"), "embstr");
    keyspace.splice(0, &key, 2, b"3", 0);
    assert_eq!(encoding(&keyspace, b"k"), "raw");
    assert_eq!(keyspace.get(0, &key).expect("there").integer(), Some(123));
}

#[test]
fn integers_read_back_whatever_their_length() {
    let mut keyspace = keyspace();
    let key = keyspace.key_ref(b"n");
    for number in [0, 7, -1, 99_999_999, -9_999_999, 100_000_000, i64::MIN, i64::MAX] {
        keyspace.set_integer(0, &key, number, None, 0);
        let entry = keyspace.get(0, &key).expect("there");
        assert_eq!((entry.integer(), entry.encoding_name()), (Some(number), "int"));
        assert_eq!(string(&keyspace, 0, &key), Some(number.to_string().into_bytes()));
    }
    assert_eq!(keyspace.slab.used_bytes(), 24);
}

#[test]
fn a_value_of_the_same_class_is_written_in_place() {
    let mut keyspace = keyspace();
    set(&mut keyspace, b"k", b"aaaaaaaa", None);
    let handle = keyspace.find(0, &keyspace.key_ref(b"k"));
    set(&mut keyspace, b"k", b"bbbbbbbbb", None);
    assert_eq!(keyspace.find(0, &keyspace.key_ref(b"k")), handle);
    set(&mut keyspace, b"k", b"cccccccccccccccc", None);
    assert_ne!(keyspace.find(0, &keyspace.key_ref(b"k")), handle);
    // A deadline in, eight bytes of value out: the class is the same, the key moves within.
    set(&mut keyspace, b"k", b"dddddddd", Some(77));
    let entry = keyspace.get(0, &keyspace.key_ref(b"k")).expect("there");
    assert_eq!((entry.key(), entry.expiry()), (&b"k"[..], Some(UnixMillis(77))));
    keyspace.check_invariants();
}

#[test]
fn keys_of_any_length_are_kept() {
    let mut keyspace = keyspace();
    let keys: Vec<Vec<u8>> =
        [0, 1, 255, 256, 257, 5000, 65_535, 100_000].map(|len| vec![b'k'; len]).to_vec();
    for key in &keys {
        set(&mut keyspace, key, &key[..key.len().min(700)], None);
        set(&mut keyspace, key, b"short", Some(5));
    }
    keyspace.check_invariants();
    for key in &keys {
        let entry = keyspace.get(0, &keyspace.key_ref(key)).expect("there");
        assert_eq!((entry.key(), entry.expiry()), (&key[..], Some(UnixMillis(5))));
    }
    for key in &keys {
        assert!(keyspace.remove(0, &keyspace.key_ref(key)));
    }
    assert_eq!((keyspace.outside.heap_bytes, keyspace.slab.used_bytes()), (0, 0));
}

#[test]
fn keys_with_the_same_hash_are_told_apart() {
    let mut keyspace = keyspace();
    let names: Vec<String> = (0..500).map(|n| format!("key:{n:03}")).collect();
    for name in &names {
        let key = forged(name.as_bytes(), 9, 0xfffe);
        keyspace.set_string(0, &key, name.as_bytes(), None, 0);
    }
    keyspace.check_invariants();
    for name in &names {
        let key = forged(name.as_bytes(), 9, 0xfffe);
        assert_eq!(string(&keyspace, 0, &key).as_deref(), Some(name.as_bytes()));
        assert!(keyspace.remove(0, &key));
        assert!(!keyspace.contains(0, &key));
    }
    assert_eq!(keyspace.len_slot(0, Slot::new(9).expect("a slot")), 0);
}

#[test]
fn a_long_string_grows_where_it_is() {
    let mut keyspace = keyspace();
    let key = keyspace.key_ref(b"log");
    let mut expected = vec![];
    for round in 0..200u8 {
        keyspace.splice(0, &key, expected.len(), &[round; 37], 0);
        expected.extend_from_slice(&[round; 37]);
    }
    assert_eq!(string(&keyspace, 0, &key), Some(expected));
    assert_eq!(keyspace.outside.values.len(), 1);
    keyspace.splice(0, &key, 10_000, b"end", 0);
    let long = string(&keyspace, 0, &key).expect("there");
    assert_eq!(
        (long.len(), &long[7_400..7_402], &long[10_000..]),
        (10_003, &[0, 0][..], &b"end"[..])
    );
    keyspace.check_invariants();
}

#[test]
fn a_long_value_set_again_reuses_its_buffer_unless_that_wastes() {
    let mut keyspace = keyspace();
    set(&mut keyspace, b"k", &[1; 5000], None);
    set(&mut keyspace, b"k", &[2; 4000], None);
    assert_eq!(keyspace.outside.heap_bytes, 5000);
    set(&mut keyspace, b"k", &[3; 1500], Some(4));
    assert_eq!(keyspace.outside.heap_bytes, 1500);
    set(&mut keyspace, b"k", b"short", None);
    assert_eq!((keyspace.outside.heap_bytes, keyspace.outside.values.len()), (0, 0));
    keyspace.check_invariants();
}

#[test]
fn what_is_taken_can_be_put_under_any_other_key() {
    let mut keyspace = keyspace();
    let long_key = vec![b'l'; 250];
    for value in [&b"12345678901"[..], b"text", &[7; 990], &[8; 9000]] {
        set(&mut keyspace, b"from", value, Some(88));
        let from = keyspace.key_ref(b"from");
        let taken = keyspace.take(0, &from).expect("there");
        assert!(!keyspace.contains(0, &from));
        let to = keyspace.key_ref(&long_key);
        keyspace.put(3, &to, taken);
        let entry = keyspace.get(3, &to).expect("moved");
        assert_eq!(entry.expiry(), Some(UnixMillis(88)));
        assert_eq!(string(&keyspace, 3, &to).as_deref(), Some(value));
        keyspace.check_invariants();
    }
}

#[test]
fn the_access_clock_is_kept_beside_everything_else() {
    let mut keyspace = keyspace();
    let key = keyspace.key_ref(b"k");
    keyspace.set_string(0, &key, b"v", Some(UnixMillis(6)), 0xab_cdef);
    let hit = keyspace.hit(0, &key).expect("there");
    assert_eq!((hit.access(), hit.has_deadline()), (0xab_cdef, true));
    assert_eq!(keyspace.visit(hit, 0x12_3456).access(), 0x12_3456);
    assert!(keyspace.set_expiry(0, &key, None));
    let entry = keyspace.get(0, &key).expect("there");
    assert_eq!((entry.access(), entry.expiry()), (0x12_3456, None));
}

#[test]
fn databases_swap_with_all_they_hold() {
    let mut keyspace = keyspace();
    set(&mut keyspace, b"a", b"1", Some(500));
    keyspace.swap(0, 2);
    assert_eq!((keyspace.len(0), keyspace.len(2), keyspace.expires(2)), (0, 1, 1));
    let mut gone = vec![];
    while keyspace.expire_slice(UnixMillis(600), 10, |db, key| gone.push((db, key.to_vec()))) {}
    assert_eq!(gone, [(2, b"a".to_vec())]);
}

#[test]
fn a_flush_is_seen_at_once_and_reclaimed_in_slices() {
    let mut keyspace = keyspace();
    let empty = keyspace.accounted_bytes();
    for n in 0..20_000u32 {
        set(&mut keyspace, format!("key:{n}").as_bytes(), &[0; 40], None);
    }
    let stays = keyspace.key_ref(b"stays");
    keyspace.set_string(1, &stays, b"here", None, 0);
    let full = keyspace.accounted_bytes();

    keyspace.flush(0);

    assert_eq!((keyspace.len(0), keyspace.len(1)), (0, 1));
    assert!(keyspace.accounted_bytes() > full - 1_000_000, "memory is not lied away");
    set(&mut keyspace, b"key:7", b"new", None);
    let mut slices = 0;
    while keyspace.reclaim_slice(500) {
        slices += 1;
    }
    assert!(slices > 20, "in {slices} slices");
    keyspace.check_invariants();
    assert_eq!(string(&keyspace, 1, &stays).as_deref(), Some(&b"here"[..]));
    assert_eq!(string(&keyspace, 0, &keyspace.key_ref(b"key:7")).as_deref(), Some(&b"new"[..]));
    keyspace.flush_all();
    while keyspace.reclaim_slice(500) {}
    assert!(keyspace.accounted_bytes() <= empty + 8192, "{}", keyspace.accounted_bytes());
}

#[test]
fn when_everything_goes_pages_go_unread() {
    let mut keyspace = keyspace();
    for n in 0..20_000u32 {
        set(&mut keyspace, format!("key:{n}").as_bytes(), &[0; 2000], Some(9));
    }
    keyspace.flush_all();
    assert!(keyspace.is_empty());
    assert_eq!(keyspace.slab.used_bytes(), 0, "the slab itself was put aside");
    set(&mut keyspace, b"k", &[1; 3000], None);
    while keyspace.reclaim_slice(100) {
        assert_eq!(keyspace.len(0), 1);
    }
    keyspace.check_invariants();
    assert_eq!(keyspace.outside.heap_bytes, 3000);
}
