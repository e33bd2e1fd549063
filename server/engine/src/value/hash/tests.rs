//! Hashes against a std map in every form, thresholds, deadlines and edits.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn content(hash: &Hash) -> Model {
    hash.view()
        .iter()
        .map(|entry| (entry.field.to_vec(), (entry.value.to_vec(), entry.deadline)))
        .collect()
}

fn set<'e>(field: &'e [u8], value: &'e [u8]) -> HashEdit<'e> {
    HashEdit::Set { field, value, keep_deadline: false }
}

fn change(random: &mut Random, hash: &mut Hash, model: &mut Model, rules: &Rules) {
    let field = format!("field:{}", random.below(40)).into_bytes();
    match random.below(8) {
        0..2 => {
            let changed = hash.apply(HashEdit::Remove(&field), rules);
            assert_eq!(changed, model.remove(&field).is_some());
        }
        2 => {
            let deadline = Some(random.below(100) as i64 - 50).filter(|at| at % 4 != 0);
            let changed = hash.apply(HashEdit::Deadline(&field, deadline), rules);
            let held = model.get_mut(&field);
            assert_eq!(changed, held.as_ref().is_some_and(|held| held.1 != deadline));
            held.into_iter().for_each(|held| held.1 = deadline);
        }
        _ => {
            let value = vec![b'v'; random.below(12) as usize];
            let keep_deadline = random.below(2) == 0;
            let edit = HashEdit::Set { field: &field, value: &value, keep_deadline };
            assert!(hash.apply(edit, rules));
            let deadline = model.get(&field).and_then(|held| held.1).filter(|_| keep_deadline);
            model.insert(field, (value, deadline));
        }
    }
}

#[test]
fn a_hash_does_what_a_map_does_in_every_form() {
    let mut forms = BTreeSet::new();
    for seed in 0..200 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let entries = [4, 512, 30][seed as usize % 3];
        let rules = Rules { hash_max_listpack_entries: entries, ..Rules::default() };
        let (mut hash, mut model) = (Hash::default(), Model::new());
        for _ in 0..150 {
            change(&mut random, &mut hash, &mut model, &rules);
            assert_eq!(hash.next_deadline(), model.values().filter_map(|held| held.1).min());
            let due = model.values().filter(|held| held.1.is_some_and(|at| at < 7)).count();
            assert_eq!(hash.view().due_len(7), due);
            forms.insert(hash.encoding_name());
        }
        hash.check_invariants(&rules);
        assert_eq!(content(&hash), model);
        for (field, (value, deadline)) in &model {
            let entry = hash.get(field).expect("the model has it");
            assert_eq!((entry.value, entry.deadline), (&value[..], *deadline));
        }
        let mut copy = Hash::default();
        hash.for_each_edit(&mut |edit| {
            let mut bytes = Vec::new();
            Hash::encode_edit(edit, &mut bytes);
            copy.apply(Hash::decode_edit(&bytes).expect("our own bytes"), &Rules::default());
        });
        assert_eq!(content(&copy), model);
        assert_eq!(copy.digest(), hash.digest(), "the digest knows no form and no order");
    }
    assert_eq!(forms, BTreeSet::from(["hashtable", "listpack", "listpackex"]));
}

#[test]
fn the_forms_change_at_the_thresholds_of_redis() {
    let rules = Rules { hash_max_listpack_entries: 3, ..Rules::default() };
    let mut hash = Hash::default();
    for field in [b"a", b"b", b"c"] {
        hash.apply(set(field, &[b'v'; 64]), &rules);
    }
    assert_eq!(hash.encoding_name(), "listpack");
    hash.apply(HashEdit::Deadline(b"b", Some(9)), &rules);
    assert_eq!(hash.encoding_name(), "listpackex");
    hash.apply(set(b"d", b""), &rules);
    assert_eq!(hash.encoding_name(), "hashtable");
    assert_eq!(hash.get(b"b").and_then(|entry| entry.deadline), Some(9));

    for (field, value) in [(&[b'f'; 65][..], &b"v"[..]), (b"f", &[b'v'; 65])] {
        let mut hash = Hash::default();
        hash.apply(set(field, value), &rules);
        assert_eq!(hash.encoding_name(), "hashtable");
    }
}

#[test]
fn a_small_hash_keeps_its_order_and_is_one_exact_allocation() {
    let rules = Rules::default();
    let mut hash = Hash::default();
    for (field, value) in [("one", "1"), ("two", "2"), ("three", "3"), ("two", "second")] {
        hash.apply(set(field.as_bytes(), value.as_bytes()), &rules);
    }
    let fields: Vec<_> = hash.view().iter().map(|entry| entry.field).collect();
    assert_eq!(fields, [&b"one"[..], b"two", b"three"]);
    assert_eq!(hash.heap_bytes(), (1 + 3 + 1 + 1) + (1 + 3 + 1 + 6) + (1 + 5 + 1 + 1));
}

#[test]
fn two_hashes_that_differ_only_in_a_deadline_have_different_digests() {
    let rules = Rules::default();
    let mut digests = BTreeSet::new();
    for deadline in [None, Some(0), Some(1), Some(-1)] {
        let mut hash = Hash::default();
        hash.apply(set(b"f", b"v"), &rules);
        hash.apply(HashEdit::Deadline(b"f", deadline), &rules);
        digests.insert(hash.digest());
    }
    assert_eq!(digests.len(), 4);
}

#[test]
fn bytes_that_are_no_edit_are_refused() {
    for bytes in [&b""[..], b"?", b"s", b"s\x02\0\0\0x", b"k\xff\xff\xff\xff", b"d1234567"] {
        assert_eq!(Hash::decode_edit(bytes), None, "{bytes:?}");
    }
    assert_eq!(Hash::decode_edit(b"p"), Some(HashEdit::Deadline(b"", None)));
}
