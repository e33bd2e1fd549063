//! Collections in their entries and outside of them, under short and long keys, with and without
//! deadlines: whatever is done to them, they hold what a copy holds that no keyspace keeps.

use super::*;
use crate::base::random::Random;
use crate::keyspace::collections::SPARE_BYTES_MAX;
use crate::value::list::{Elements, End};
use crate::value::{
    Collection, Hash, HashEdit, List, ListEdit, Set, SetEdit, SortedSet, SortedSetEdit, Stored,
    View,
};
use std::collections::BTreeMap;

/// Texts so few that they meet and so many that half of them just fit an entry; once in a while a
/// long one, which is too long for what is packed.
fn text(random: &mut Random) -> Vec<u8> {
    let length = if random.below(150) == 0 { 200 } else { 60 };
    format!("{:0length$}x", random.below(24)).into_bytes()
}

fn hash_edit(random: &mut Random, text: &[u8], apply: &mut dyn FnMut(HashEdit<'_>)) {
    apply(match random.below(6) {
        0..2 => HashEdit::Remove(text),
        2 => HashEdit::Deadline(text, Some(random.below(1000) as i64)),
        _ => HashEdit::Set { field: text, value: b"v", keep_deadline: true },
    });
}

fn set_edit(random: &mut Random, text: &[u8], apply: &mut dyn FnMut(SetEdit<'_>)) {
    let number = (random.next_u64() as i64 >> random.below(60)).to_string().into_bytes();
    apply(match random.below(8) {
        0..3 => SetEdit::Remove(text),
        3..5 => SetEdit::Add(&number),
        _ => SetEdit::Add(text),
    });
}

fn sorted_set_edit(random: &mut Random, text: &[u8], apply: &mut dyn FnMut(SortedSetEdit<'_>)) {
    apply(match random.below(3) {
        0 => SortedSetEdit::Remove { member: text },
        _ => SortedSetEdit::Set { member: text, score: random.below(1000) as f64 / 4.0 },
    });
}

fn list_edit(random: &mut Random, text: &[u8], apply: &mut dyn FnMut(ListEdit<'_>)) {
    let end = [End::Left, End::Right][random.below(2) as usize];
    apply(match random.below(5) {
        0..2 => ListEdit::Pop { end, count: 1 },
        2 => ListEdit::Insert { index: random.below(5), element: text },
        _ => ListEdit::Push { end, elements: Elements::One(text) },
    });
}

type Draw<C> = fn(&mut Random, &[u8], &mut dyn FnMut(<C as Collection>::Edit<'_>));

/// A short key, a long one, and one that is outside itself.
fn names() -> [Vec<u8>; 3] {
    [1, 200, 300].map(|length| vec![b'k'; length])
}

/// One edit of a key through each of the two ways there are, or one of what happens to keys.
fn change<C: Stored>(random: &mut Random, keyspace: &mut Keyspace, model: &mut C, draw: Draw<C>) {
    let names = names();
    let from = names.iter().find(|name| keyspace.contains(0, &keyspace.key_ref(name)));
    let name = from.unwrap_or(&names[random.below(3) as usize]).clone();
    let (text, rules) = (text(random), keyspace.rules().clone());
    match random.below(12) {
        0 => {
            let key = keyspace.key_ref(&name);
            let expiry = Some(UnixMillis(1 << 40)).filter(|_| random.below(2) == 0);
            keyspace.set_expiry(0, &key, expiry);
        }
        1 => {
            let (from, to) = (keyspace.key_ref(&name), names[random.below(3) as usize].clone());
            if let Some(taken) = keyspace.take(0, &from) {
                let to = keyspace.key_ref(&to);
                keyspace.put(0, &to, taken);
            }
        }
        2..7 => draw(random, &text, &mut |edit| {
            let key = keyspace.key_ref(&name);
            let mut encoded = Vec::new();
            C::encode_edit(edit, &mut encoded);
            assert!(keyspace.edit_encoded(0, &key, C::KIND, &encoded, 7));
            model.apply(edit, &rules);
        }),
        _ => draw(random, &text, &mut |edit| {
            let key = keyspace.key_ref(&name);
            model.apply(edit, &rules);
            let Some(handle) = keyspace.find(0, &key) else {
                let mut blank: C = keyspace.blank();
                blank.apply(edit, &rules);
                match blank.is_empty() {
                    true => keyspace.give_up(blank),
                    false => keyspace.set_collection(0, &key, blank.into_value(), None, 7),
                }
                return;
            };
            let mut lent: C = keyspace.lend(0, handle).expect("of its type");
            let changed = lent.apply(edit, &rules);
            let spent = lent.is_empty();
            keyspace.give_back(0, &key, handle, lent, changed);
            if spent {
                keyspace.remove(0, &key);
            }
        }),
    }
}

/// Where the collection of the only key was seen.
#[derive(Default, Debug)]
struct Seen {
    inside: usize,
    outside: usize,
    encodings: BTreeMap<&'static str, usize>,
}

fn compare<C: Stored>(keyspace: &Keyspace, model: &mut C, seen: &mut Seen, seed: u64) {
    let found = names().iter().find_map(|name| keyspace.get(0, &keyspace.key_ref(name)));
    let Some(entry) = found else {
        assert!(model.is_empty(), "seed {seed}: the key is gone");
        *model = C::default(); // what comes next begins as a new key does
        assert_eq!(keyspace.outside.heap_bytes, 0, "seed {seed}");
        return;
    };
    assert_eq!(keyspace.len(0), 1, "seed {seed}");
    let view = entry.collection::<C>().expect("of its type");
    assert_eq!((view.len(), view.digest()), (model.len(), model.digest()), "seed {seed}");
    assert_eq!(view.next_deadline(), model.next_deadline(), "seed {seed}");
    assert_eq!(entry.encoding_name(), model.encoding_name(), "seed {seed}");
    *seen.encodings.entry(entry.encoding_name()).or_default() += 1;
    match entry.part().outside {
        true => seen.outside += 1,
        false => seen.inside += 1,
    }
}

fn run<C: Stored>(draw: Draw<C>) -> Seen {
    let mut seen = Seen::default();
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let (mut keyspace, mut model) = (keyspace(), C::default());
        for step in 0..200 {
            change(&mut random, &mut keyspace, &mut model, draw);
            compare(&keyspace, &mut model, &mut seen, seed);
            if step % 20 == 0 {
                keyspace.check_invariants();
            }
        }
        model.check_invariants(keyspace.rules());
    }
    assert!(seen.inside > 500 && seen.outside > 500, "{seen:?}");
    seen
}

#[test]
#[cfg_attr(miri, ignore = "thousands of edits")]
fn hashes_are_the_same_in_their_entries_and_outside() {
    assert_eq!(run::<Hash>(hash_edit).encodings.len(), 3);
}

#[test]
#[cfg_attr(miri, ignore = "thousands of edits")]
fn sets_are_the_same_in_their_entries_and_outside() {
    assert_eq!(run::<Set>(set_edit).encodings.len(), 3);
}

#[test]
#[cfg_attr(miri, ignore = "thousands of edits")]
fn sorted_sets_are_the_same_in_their_entries_and_outside() {
    assert_eq!(run::<SortedSet>(sorted_set_edit).encodings.len(), 2);
}

#[test]
#[cfg_attr(miri, ignore = "thousands of edits")]
fn lists_are_the_same_in_their_entries_and_outside() {
    run::<List>(list_edit);
}

/// Whoever moves a hash moves bytes; the moment to look at its fields must not stay behind.
#[test]
fn a_hash_that_moves_is_still_watched_for_its_deadlines() {
    let mut keyspace = keyspace();
    let rules = keyspace.rules().clone();
    let (from, to) = (keyspace.key_ref(b"from"), keyspace.key_ref(b"to"));
    let mut hash = Hash::default();
    hash.apply(HashEdit::Set { field: b"f", value: b"v", keep_deadline: false }, &rules);
    hash.apply(HashEdit::Deadline(b"f", Some(500)), &rules);
    keyspace.set_collection(0, &from, hash.into_value(), None, 0);
    let taken = keyspace.take(0, &from).expect("it is there");
    keyspace.put(1, &to, taken);

    let due = keyspace.take_due_fields(UnixMillis(2_000), &mut 10);
    assert_eq!(due, Some((1, b"to".to_vec())));
}

#[test]
fn a_small_collection_takes_a_block_and_nothing_else() {
    let mut keyspace = keyspace();
    let rules = keyspace.rules().clone();
    let key = keyspace.key_ref(b"key:000000000000");
    let mut hash = Hash::default();
    for field in 0..10 {
        let text = format!("element:{field}x");
        let (field, value) = (text.as_bytes(), text.as_bytes());
        hash.apply(HashEdit::Set { field, value, keep_deadline: false }, &rules);
    }
    keyspace.set_collection(0, &key, hash.into_value(), None, 0);
    // Header, key, ten fields and values behind a length each, the count.
    let block = (8 + 16 + 10 * 22 + 1usize).next_multiple_of(8);
    assert_eq!(keyspace.memory_usage(0, &key), Some(block + 8));
    assert_eq!((keyspace.outside.heap_bytes, keyspace.outside.values.len()), (0, 0));
}

#[test]
fn a_queue_that_goes_up_and_down_by_an_element_keeps_its_block() {
    let mut keyspace = keyspace();
    let rules = keyspace.rules().clone();
    let key = keyspace.key_ref(b"queue");
    let mut list = List::default();
    let push = ListEdit::Push { end: End::Left, elements: Elements::One(b"element:0001") };
    let pop = ListEdit::Pop { end: End::Right, count: 1 };
    (0..10).for_each(|_| assert!(list.apply(push, &rules)));
    keyspace.set_collection(0, &key, list.into_value(), None, 0);
    let block = keyspace.find(0, &key).expect("it is there");

    for edit in [pop, push, pop, pop, push, push] {
        let mut lent: List = keyspace.lend(0, block).expect("a list");
        assert!(lent.apply(edit, &rules));
        keyspace.give_back(0, &key, block, lent, true);
        assert_eq!(keyspace.find(0, &key), Some(block));
    }

    for _ in 0..8 {
        let handle = keyspace.find(0, &key).expect("it is there");
        let mut lent: List = keyspace.lend(0, handle).expect("a list");
        lent.apply(pop, &rules);
        keyspace.give_back(0, &key, handle, lent, true);
    }
    let of_two = (8 + 5 + 1 + 2 * 13 + 3usize).next_multiple_of(8);
    let most = of_two + SPARE_BYTES_MAX + 8;
    assert!(keyspace.memory_usage(0, &key) <= Some(most), "eight elements less give bytes back");
    keyspace.check_invariants();
}
