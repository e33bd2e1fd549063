//! Lists against a deque of texts: every edit, in every form, read in every way.

use std::collections::VecDeque;

use super::*;
use crate::base::random::Random;

type Model = VecDeque<Vec<u8>>;

fn text(element: Element<'_>) -> Vec<u8> {
    element.text(&mut itoa::Buffer::new()).to_vec()
}

fn rules(list_max_listpack_size: i64) -> Rules {
    Rules { list_max_listpack_size, ..Rules::default() }
}

fn list_of(texts: &[&[u8]]) -> List {
    let mut list = List::default();
    push(&mut list, End::Right, texts);
    list
}

fn push(list: &mut List, end: End, texts: &[&[u8]]) {
    list.apply(ListEdit::Push { end, elements: Elements::Many(texts) }, &Rules::default());
}

fn pop(list: &mut List, end: End, count: u64) -> bool {
    list.apply(ListEdit::Pop { end, count }, &Rules::default())
}

/// A few texts often, so that LREM and LPOS find some; lengths up to beyond a block.
fn some_text(random: &mut Random, long: bool) -> Vec<u8> {
    match random.below(12) {
        0..=3 => vec![b'a' + random.below(3) as u8; random.below(3) as usize],
        4..=6 => random.below(300).to_string().into_bytes(),
        7 => (random.next_u64() as i64).to_string().into_bytes(),
        8 | 9 => vec![b'm'; random.below(150) as usize],
        10 if long => vec![b'l'; random.below(3000) as usize],
        11 if long && random.below(8) == 0 => vec![b'h'; random.below(20_000) as usize],
        _ => b"job".to_vec(),
    }
}

fn some_end(random: &mut Random) -> End {
    if random.below(2) == 0 { End::Left } else { End::Right }
}

fn change_model(model: &mut Model, edit: ListEdit<'_>) {
    match edit {
        ListEdit::Push { end, elements } => elements.for_each(|element| match end {
            End::Left => model.push_front(element.to_vec()),
            End::Right => model.push_back(element.to_vec()),
        }),
        ListEdit::Pop { end, count } => (0..count).for_each(|_| {
            if end == End::Left {
                model.pop_front()
            } else {
                model.pop_back()
            };
        }),
        ListEdit::Set { index, element } => {
            if let Some(old) = model.get_mut(index as usize) {
                *old = element.to_vec();
            }
        }
        ListEdit::Insert { index, element } => {
            if index as usize <= model.len() {
                model.insert(index as usize, element.to_vec());
            }
        }
        ListEdit::Keep { index, count } => {
            *model = model.iter().skip(index as usize).take(count as usize).cloned().collect();
        }
        ListEdit::RemoveEqual { element, end, limit } => {
            let equal = model.iter().filter(|old| *old == element).count();
            let keep = match end {
                End::Left => 0,
                End::Right => equal.saturating_sub(limit as usize),
            };
            let mut seen = 0;
            model.retain(|old| {
                seen += usize::from(old == element);
                old != element || seen <= keep || seen - keep > limit as usize
            });
        }
    }
}

fn with_random_edit(
    random: &mut Random,
    len: usize,
    long: bool,
    visit: &mut dyn FnMut(ListEdit<'_>),
) {
    let element = &some_text(random, long)[..];
    let index = random.below(len as u64 + 2);
    let end = some_end(random);
    visit(match random.below(20) {
        0..=5 => ListEdit::Push { end, elements: Elements::One(element) },
        6 | 7 => {
            let texts: Vec<Vec<u8>> =
                (0..random.below(100)).map(|_| some_text(random, long)).collect();
            let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            return visit(ListEdit::Push { end, elements: Elements::Many(&texts) });
        }
        8..=10 => ListEdit::Pop { end, count: 1 },
        11 => ListEdit::Pop { end, count: random.below(150) },
        12 | 13 => ListEdit::Set { index, element },
        14..=16 => ListEdit::Insert { index, element },
        17 if random.below(4) == 0 => {
            ListEdit::Keep { index: index / 4, count: random.below(len as u64 + 1) }
        }
        17 | 18 => ListEdit::RemoveEqual { element, end, limit: random.below(4) },
        _ if random.below(8) == 0 => ListEdit::RemoveEqual { element, end, limit: u64::MAX },
        _ => ListEdit::Push { end, elements: Elements::One(element) },
    });
}

fn check_reads(list: &List, model: &Model, random: &mut Random, seed: u64) {
    assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()), "seed {seed}");
    let index = random.below(model.len() as u64 + 1) as usize;
    assert_eq!(list.get(index).map(text).as_ref(), model.get(index), "seed {seed}");
    let count = random.below(200) as usize;
    let right: Vec<Vec<u8>> = list.walk(End::Left, index, count).map(text).collect();
    assert!(right.iter().eq(model.iter().skip(index).take(count)), "seed {seed}");
    let left: Vec<Vec<u8>> = list.walk(End::Right, index, count).map(text).collect();
    assert!(left.iter().eq(model.iter().rev().skip(index).take(count)), "seed {seed}");

    let wanted = some_text(random, false);
    let needle = Encoded::of(&wanted);
    let most = random.below(model.len() as u64 + 2) as usize;
    for from in [End::Left, End::Right] {
        let mut walk = list.walk(from, 0, most);
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(passed) = walk.find_equal(&needle) {
            at += passed;
            found.push(at);
            at += 1;
        }
        let mut seen: Vec<&Vec<u8>> = model.iter().collect();
        if from == End::Right {
            seen.reverse();
        }
        let expected: Vec<usize> =
            (0..seen.len().min(most)).filter(|&index| *seen[index] == wanted).collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}

fn run_against_model(seed: u64, rules: &Rules, long: bool, rounds: usize) {
    let mut random = Random::new(seed);
    let (mut list, mut replayed, mut model) = (List::default(), List::default(), Model::new());
    for round in 0..rounds {
        with_random_edit(&mut random, model.len(), long, &mut |edit| {
            let before = list.digest();
            let changed = list.apply(edit, rules);
            if !changed {
                assert_eq!(list.digest(), before, "seed {seed}");
            }
            let mut bytes = Vec::new();
            List::encode_edit(edit, &mut bytes);
            let decoded = List::decode_edit(&bytes).expect("an encoded edit decodes");
            assert_eq!(replayed.apply(decoded, rules), changed, "seed {seed}");
            change_model(&mut model, edit);
        });
        check_reads(&list, &model, &mut random, seed);
        if round % 16 == 0 {
            list.check_invariants(rules);
            assert!(list.iter().map(text).eq(model.iter().cloned()), "seed {seed}");
            assert_eq!(list.digest(), replayed.digest(), "seed {seed}");
        }
    }
    list.check_invariants(rules);
    assert!(list.iter().map(text).eq(model.iter().cloned()), "seed {seed}");
}

#[test]
fn a_small_list_is_what_its_edits_say() {
    for seed in 0..25 {
        run_against_model(seed, &rules(-5), false, 300);
    }
}

#[test]
fn a_list_changing_forms_is_what_its_edits_say() {
    for seed in 100..125 {
        run_against_model(seed, &rules(64), true, 300);
        run_against_model(seed, &rules(-2), true, 300);
    }
}

#[test]
fn a_large_list_is_what_its_edits_say() {
    for seed in 200..215 {
        run_against_model(seed, &rules(1), seed % 2 == 0, 1500);
    }
}

#[test]
fn a_list_rebuilt_from_its_edits_has_its_digest() {
    let mut random = Random::new(5);
    for count in [0, 1, 100, 5000] {
        let texts: Vec<Vec<u8>> = (0..count).map(|_| some_text(&mut random, true)).collect();
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let list = list_of(&texts);
        let mut copy = List::default();
        list.for_each_edit(&mut |edit| {
            assert!(copy.apply(edit, &Rules::default()));
        });
        assert_eq!((copy.len(), copy.digest()), (count, list.digest()));
    }
}

#[test]
fn bytes_that_are_no_edit_do_not_decode() {
    let mut bytes = Vec::new();
    let elements = Elements::Many(&[b"abc", b""]);
    List::encode_edit(ListEdit::Push { end: End::Left, elements }, &mut bytes);
    assert!(List::decode_edit(&bytes).is_some());
    assert_eq!(List::decode_edit(&bytes[..bytes.len() - 1]), None);
    for wrong in [&b""[..], b"\x0a", b"\x02\xff\xff\xff\xffx", b"\x04\x01", b"\x09\x02"] {
        assert_eq!(List::decode_edit(wrong), None, "{wrong:?}");
    }
    let mut random = Random::new(9);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..random.below(24)).map(|_| random.next_u64() as u8 & 15).collect();
        let Some(edit) = List::decode_edit(&bytes) else { continue };
        let mut list = list_of(&[b"a", b"b", b"c"]);
        list.apply(edit, &Rules::default());
        list.check_invariants(&Rules::default());
    }
}

#[test]
fn a_list_is_a_listpack_up_to_eight_kib_and_again_below_half_of_it() {
    // 8,192 bytes hold the listpack's own seven and 125 entries of 63 + 2 bytes.
    let element = [b'x'; 63];
    let mut list = List::default();
    for _ in 0..125 {
        push(&mut list, End::Right, &[&element]);
    }
    assert_eq!(list.encoding_name(), "listpack");
    push(&mut list, End::Right, &[&element]);
    assert_eq!(list.encoding_name(), "quicklist");
    pop(&mut list, End::Left, 63); // 63 are left: 4,102 bytes
    assert_eq!((list.len(), list.encoding_name()), (63, "quicklist"));
    pop(&mut list, End::Left, 1);
    assert_eq!((list.len(), list.encoding_name()), (62, "listpack"));
    list.check_invariants(&Rules::default());
}

#[test]
fn a_limit_in_entries_counts_entries() {
    let rules = rules(3);
    let mut list = List::default();
    let one = |end| ListEdit::Push { end, elements: Elements::One(b"x") };
    for _ in 0..3 {
        list.apply(one(End::Left), &rules);
    }
    assert_eq!(list.encoding_name(), "listpack");
    list.apply(one(End::Left), &rules);
    assert_eq!(list.encoding_name(), "quicklist");
    list.apply(ListEdit::Pop { end: End::Right, count: 2 }, &rules);
    assert_eq!(list.encoding_name(), "quicklist");
    list.apply(ListEdit::Pop { end: End::Right, count: 1 }, &rules);
    assert_eq!(list.encoding_name(), "listpack");
}

#[test]
fn any_number_of_empty_elements_may_come_at_once() {
    for end in [End::Left, End::Right] {
        let mut list = List::default();
        push(&mut list, end, &vec![&b""[..]; 200_000]);
        assert_eq!((list.len(), list.encoding_name()), (200_000, "quicklist"));
        list.check_invariants(&Rules::default());
    }
}

#[test]
fn a_queue_that_stays_short_holds_what_its_elements_need() {
    for (left, right) in [(End::Left, End::Right), (End::Right, End::Left)] {
        let mut list = List::default();
        push(&mut list, left, &vec![&[b'q'; 100][..]; 500]);
        let element = [b'j'; 100];
        for _ in 0..20_000 {
            push(&mut list, left, &[&element]);
            pop(&mut list, right, 1);
        }
        list.check_invariants(&Rules::default());
        assert_eq!(list.len(), 500);
        assert!(list.heap_bytes() < 500 * 101 + 3 * 4096, "{}", list.heap_bytes());
    }
}

#[test]
fn a_dismantled_list_goes_in_slices() {
    let mut list = List::default();
    let texts = vec![&[b'x'; 1000][..]; 4000];
    push(&mut list, End::Right, &texts);
    let mut slices = 1;
    while list.dismantle(100) {
        slices += 1;
    }
    assert_eq!((slices, list.len(), list.heap_bytes()), (10, 0, 0)); // four to a block
}

fn list_of_blocks(count: usize) -> List {
    let mut list = List::default();
    push(&mut list, End::Right, &vec![&[b'x'; 4000][..]; count]); // a block each
    list
}

#[test]
fn what_a_trim_has_cut_off_is_handed_over_or_freed_with_later_edits() {
    let rules = Rules::default();
    for end in [End::Left, End::Right] {
        let (mut handed, mut kept) = (list_of_blocks(2000), list_of_blocks(2000));
        let whole = kept.heap_bytes();
        for list in [&mut handed, &mut kept] {
            assert!(pop(list, end, 1999));
            assert_eq!((list.len(), list.encoding_name()), (1, "quicklist"));
            list.check_invariants(&rules);
        }

        let mut debris = handed.take_debris(&rules).expect("there is much to free");
        assert!(handed.take_debris(&rules).is_none());
        assert_eq!((handed.len(), handed.encoding_name()), (1, "listpack"));
        assert!(handed.heap_bytes() < 5000);
        assert!(debris.heap_bytes() > whole / 2);
        debris.check_invariants(&rules);
        assert!(debris.dismantle(100));
        while debris.dismantle(100) {}

        let mut edits = 0;
        while kept.encoding_name() == "quicklist" {
            kept.apply(ListEdit::Set { index: 0, element: b"y" }, &rules);
            kept.check_invariants(&rules);
            edits += 1;
        }
        assert!((20..32).contains(&edits), "{edits} edits of 64 blocks");
        assert_eq!((kept.len(), kept.get(0).map(text)), (1, Some(b"y".to_vec())));
        assert!(kept.heap_bytes() < 100);
    }
}

#[test]
fn a_list_keeps_its_order_when_chunks_fill_and_empty_in_the_middle() {
    let rules = Rules::default();
    let mut random = Random::new(77);
    let (mut list, mut model) = (list_of_blocks(600), Model::from(vec![vec![b'x'; 4000]; 600]));
    for number in 0..1500 {
        let index = random.below(model.len() as u64);
        let element = &vec![number as u8; 2000 + random.below(3000) as usize][..];
        let edit = match random.below(3) {
            0 => ListEdit::Set { index, element },
            _ => ListEdit::Insert { index, element },
        };
        list.apply(edit, &rules);
        change_model(&mut model, edit);
    }
    list.check_invariants(&rules);
    for number in 0..200u8 {
        let end = some_end(&mut random);
        for length in 2000..2040 {
            let element = &vec![number; length][..];
            let edit = ListEdit::RemoveEqual { element, end, limit: 1 };
            list.apply(edit, &rules);
            change_model(&mut model, edit);
        }
    }
    let element = &[b'x'; 4000][..];
    let edit = ListEdit::RemoveEqual { element, end: End::Right, limit: 500 };
    list.apply(edit, &rules);
    change_model(&mut model, edit);
    list.check_invariants(&rules);
    check_reads(&list, &model, &mut random, 77);
    assert!(list.iter().map(text).eq(model.iter().cloned()));
}
