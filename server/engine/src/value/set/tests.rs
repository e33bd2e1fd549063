//! Sets against a std set in every form, and the thresholds between the forms.

use super::*;
use std::collections::BTreeSet;

fn small_rules() -> Rules {
    Rules {
        set_max_intset_entries: 20,
        set_max_listpack_entries: 12,
        set_max_listpack_value_bytes: 10,
        ..Rules::default()
    }
}

fn members(set: &Set) -> BTreeSet<Vec<u8>> {
    let mut buffer = itoa::Buffer::new();
    set.iter().map(|member| member.text(&mut buffer).to_vec()).collect()
}

fn set_of(members: &[&str], rules: &Rules) -> Set {
    let mut set = Set::default();
    for member in members {
        set.apply(SetEdit::Add(member.as_bytes()), rules);
    }
    set
}

fn integer(random: &mut Random) -> Vec<u8> {
    let number = random.next_u64() as i64;
    let shift = [63, 60, 50, 40, 33, 31, 16, 0][random.below(8) as usize];
    [(number >> shift) % 50, number >> shift][random.below(2) as usize].to_string().into_bytes()
}

fn member(random: &mut Random, integers_only: bool) -> Vec<u8> {
    match random.below(4) {
        0 if !integers_only => format!("m{}", random.below(60)).into_bytes(),
        1 if !integers_only => vec![b'x'; random.below(14) as usize],
        2 if !integers_only => format!("0{}", random.below(30)).into_bytes(), // no integer
        _ => integer(random),
    }
}

#[test]
fn a_set_does_what_a_set_does_in_every_form() {
    let mut forms = BTreeSet::new();
    for seed in 0..200 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let rules = if seed % 2 == 0 { small_rules() } else { Rules::default() };
        let (mut set, mut model) = (Set::default(), BTreeSet::new());
        for _ in 0..200 {
            let member = member(&mut random, seed % 3 == 0);
            if random.below(3) > 0 {
                let changed = set.apply(SetEdit::Add(&member), &rules);
                assert_eq!(changed, model.insert(member));
            } else {
                let changed = set.apply(SetEdit::Remove(&member), &rules);
                assert_eq!(changed, model.remove(&member));
            }
            forms.insert(set.encoding_name());
        }
        set.check_invariants(&rules);
        assert_eq!(members(&set), model);
        assert_eq!(set.len(), model.len());
        assert!(model.iter().all(|member| set.contains(member)));
        assert!(set.iter().all(|member| set.view().contains_member(member)));
        let mut copy = Set::default();
        set.for_each_edit(&mut |edit| {
            let mut bytes = Vec::new();
            Set::encode_edit(edit, &mut bytes);
            copy.apply(Set::decode_edit(&bytes).expect("our own bytes"), &Rules::default());
        });
        assert_eq!((copy.digest(), copy.len()), (set.digest(), set.len()));
    }
    assert_eq!(forms, BTreeSet::from(["hashtable", "intset", "listpack"]));
}

#[test]
fn the_forms_change_at_the_thresholds_of_redis() {
    let rules = small_rules();
    let mut set = Set::default();
    for number in 0..20 {
        set.apply(SetEdit::Add(number.to_string().as_bytes()), &rules);
    }
    assert_eq!(set.encoding_name(), "intset");
    set.apply(SetEdit::Add(b"20"), &rules);
    assert_eq!(set.encoding_name(), "hashtable");

    let mut set = set_of(&["1", "2", "a"], &rules);
    assert_eq!(set.encoding_name(), "listpack");
    for number in 3..12 {
        set.apply(SetEdit::Add(number.to_string().as_bytes()), &rules);
    }
    assert_eq!((set.len(), set.encoding_name()), (12, "listpack"));
    assert!(!set.apply(SetEdit::Add(b"11"), &rules));
    assert_eq!(set.encoding_name(), "listpack", "what is there already converts nothing");
    set.apply(SetEdit::Add(b"12"), &rules);
    assert_eq!((set.len(), set.encoding_name()), (13, "hashtable"));

    let mut set = set_of(&["a"], &rules);
    set.apply(SetEdit::Add(b"longer than ten"), &rules);
    assert_eq!(set.encoding_name(), "hashtable");
    let mut set = set_of(&["1"], &rules);
    set.apply(SetEdit::Add(b"longer than ten"), &rules);
    assert_eq!((set.len(), set.encoding_name()), (2, "hashtable"));
}

#[test]
fn integers_take_the_width_the_widest_asks_for() {
    let rules = Rules::default();
    let mut set = set_of(&["1", "-32768"], &rules);
    assert_eq!(set.heap_bytes(), 1 + 2 * 2);
    set.apply(SetEdit::Add(b"32768"), &rules);
    assert_eq!(set.heap_bytes(), 1 + 3 * 4);
    set.apply(SetEdit::Add(b"-9223372036854775808"), &rules);
    assert_eq!(set.heap_bytes(), 1 + 4 * 8);
    let text: Vec<_> = set.iter().collect();
    assert_eq!(text, [i64::MIN, -32768, 1, 32768].map(Member::Int));
}

#[test]
fn a_small_set_is_one_exact_allocation() {
    let set = set_of(&["alpha", "beta", "gamma"], &Rules::default());
    assert_eq!(set.heap_bytes(), 6 + 5 + 6);
}

#[test]
fn long_members_in_a_packed_set_are_found_again() {
    let rules = Rules { set_max_listpack_value_bytes: 1000, ..Rules::default() };
    let (long, longer) = ("x".repeat(253), "x".repeat(900));
    let mut set = set_of(&[&long, &longer, "short"], &rules);
    assert_eq!(set.encoding_name(), "listpack");
    assert!(set.contains(long.as_bytes()) && set.contains(longer.as_bytes()));
    assert!(set.apply(SetEdit::Remove(long.as_bytes()), &rules));
    assert!(set.contains(b"short") && !set.contains(long.as_bytes()));
}

#[test]
fn every_member_of_a_small_set_is_drawn() {
    let mut random = Random::new(2);
    for names in [["1", "2", "3"], ["a", "b", "c"]] {
        let set = set_of(&names, &Rules::default());
        let drawn: BTreeSet<_> = (0..200)
            .filter_map(|_| set.view().random(&mut random))
            .map(|member| member.text(&mut itoa::Buffer::new()).to_vec())
            .collect();
        assert_eq!(drawn, members(&set));
    }
    assert!(Set::default().view().random(&mut random).is_none());
}

#[test]
fn bytes_that_are_no_edit_are_refused() {
    assert_eq!(Set::decode_edit(b""), None);
    assert_eq!(Set::decode_edit(b"?x"), None);
    assert_eq!(Set::decode_edit(b"+"), Some(SetEdit::Add(b"")));
}
