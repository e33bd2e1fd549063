//! Sorted sets against a map and a sorted set of pairs of the standard library: random edits, after
//! which every way of reading must agree, in both layouts and across the conversion.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A score that orders as sorted sets do (there is no NaN and one zero).
#[derive(Clone, Copy, PartialEq, Debug)]
struct Score(f64);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Score) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Score) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[derive(Default)]
struct Model {
    scores: BTreeMap<Vec<u8>, f64>,
    order: BTreeSet<(Score, Vec<u8>)>,
}

impl Model {
    fn set(&mut self, member: &[u8], score: f64) -> bool {
        let score = score + 0.0;
        if let Some(old) = self.scores.insert(member.to_vec(), score) {
            if old == score {
                return false;
            }
            self.order.remove(&(Score(old), member.to_vec()));
        }
        self.order.insert((Score(score), member.to_vec()));
        true
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        let Some(score) = self.scores.remove(member) else { return false };
        self.order.remove(&(Score(score), member.to_vec()))
    }

    fn remove_range(&mut self, first: usize, count: usize) -> bool {
        let gone: Vec<_> = self.order.iter().skip(first).take(count).cloned().collect();
        for (score, member) in &gone {
            self.scores.remove(member);
            self.order.remove(&(*score, member.clone()));
        }
        !gone.is_empty()
    }

    fn elements(&self) -> Vec<(&[u8], f64)> {
        self.order.iter().map(|(score, member)| (member.as_slice(), score.0)).collect()
    }
}

/// How scores and members are drawn.
#[derive(Clone, Copy, Debug)]
struct Shape {
    members: u64,
    scores: u64,
    longest: u64,
    entries_max: usize,
}

const SHAPES: [Shape; 6] = [
    Shape { members: 60, scores: 10, longest: 20, entries_max: 128 },
    Shape { members: 60, scores: 1, longest: 4, entries_max: 16 },
    Shape { members: 4_000, scores: 1 << 40, longest: 24, entries_max: 128 },
    Shape { members: 4_000, scores: 1, longest: 10, entries_max: 0 },
    Shape { members: 4_000, scores: 30, longest: 3, entries_max: 8 },
    Shape { members: 1_000, scores: 1_000_000, longest: 700, entries_max: 0 },
];

fn rules(shape: Shape) -> Rules {
    Rules { zset_max_listpack_entries: shape.entries_max, hash_seed: 9, ..Rules::default() }
}

fn score(random: &mut Random, shape: Shape) -> f64 {
    match random.below(40) {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        2 => -0.0,
        3..6 => random.f64() - 0.5,
        _ => random.below(shape.scores) as f64 - (shape.scores / 2) as f64,
    }
}

fn member(random: &mut Random, shape: Shape) -> Vec<u8> {
    let number = random.below(shape.members);
    let mut name = format!("{:x}", number * 0x9E37_79B1 % shape.members).into_bytes();
    name.resize(name.len().max((number % shape.longest) as usize), b'.');
    name
}

fn step(random: &mut Random, shape: Shape, set: &mut SortedSet, model: &mut Model, grows: bool) {
    let rules = rules(shape);
    let name = member(random, shape);
    let removes = random.below(10) < if grows { 2 } else { 7 };
    let len = model.scores.len() as u64;
    if random.below(200) == 0 {
        let first = random.below(len + 2);
        let count = match random.below(8) {
            0 => len / 2, // cut off, where that is more than a block holds
            _ => random.below(if grows { 9 } else { 200 }),
        };
        let changed = set.apply(SortedSetEdit::RemoveRange { first, count }, &rules);
        assert_eq!(changed, model.remove_range(first as usize, count as usize));
    } else if removes {
        let changed = set.apply(SortedSetEdit::Remove { member: &name }, &rules);
        assert_eq!(changed, model.remove(&name));
    } else {
        let mut score = score(random, shape);
        if random.below(3) == 0
            && let Some(old) = model.scores.get(&name)
        {
            score = old + 1.0; // a counter: a short way in the order
        }
        let changed = set.apply(SortedSetEdit::Set { member: &name, score }, &rules);
        assert_eq!(changed, model.set(&name, score), "{name:?} {score}");
    }
    assert_eq!(set.len(), model.scores.len());
}

fn compare(random: &mut Random, shape: Shape, set: &SortedSet, model: &Model) {
    set.check_invariants(&rules(shape));
    let all = model.elements();
    assert_eq!(set.iter().collect::<Vec<_>>(), all);
    let mut reversed = all.clone();
    reversed.reverse();
    let back: Vec<_> = set.view().walk_back(set.len().saturating_sub(1), usize::MAX).collect();
    assert_eq!(back, reversed);
    for _ in 0..20 {
        let name = member(random, shape);
        let expected = model.scores.get(&name).copied();
        assert_eq!(set.score(&name), expected);
        let rank = expected
            .map(|score| (model.order.range(..(Score(score), name.clone())).count(), score));
        assert_eq!(set.view().rank(&name), rank);
        let (from, to) = (score(random, shape) + 0.0, score(random, shape) + 0.0);
        let count = |test: &dyn Fn(f64) -> bool| all.iter().filter(|(_, s)| test(*s)).count();
        assert_eq!(set.view().rank_of(Edge::BeforeScore(from)), count(&|s| s < from));
        assert_eq!(set.view().rank_of(Edge::AfterScore(from)), count(&|s| s <= from));
        let between = count(&|s| s >= from && s < to);
        assert_eq!(set.view().ranks(Edge::BeforeScore(from), Edge::BeforeScore(to)).len(), between);
        let before = all.iter().filter(|&&(m, s)| s < from || s == from && m < &name[..]).count();
        assert_eq!(set.view().rank_of(Edge::Before(from, &name)), before);
        let rank = random.below(all.len() as u64 + 2) as usize;
        assert_eq!(set.view().get(rank), all.get(rank).copied());
        let count = random.below(100) as usize;
        let expected: Vec<_> = all.iter().copied().skip(rank).take(count).collect();
        assert_eq!(set.view().walk(rank, count).collect::<Vec<_>>(), expected);
        let skipped = all.len().saturating_sub(rank + 1);
        let expected: Vec<_> = if rank < all.len() {
            reversed.iter().copied().skip(skipped).take(count).collect()
        } else {
            Vec::new()
        };
        assert_eq!(set.view().walk_back(rank, count).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn a_sorted_set_behaves_as_the_model_in_every_layout() {
    for (at, shape) in SHAPES.into_iter().enumerate() {
        let seed = 100 + at as u64;
        let mut random = Random::new(seed);
        let (mut set, mut model) = (SortedSet::default(), Model::default());
        let steps = if shape.members < 100 { 6_000 } else { 24_000 };
        for number in 0..steps {
            let grows = (number / (steps / 6)) % 2 == 0;
            step(&mut random, shape, &mut set, &mut model, grows);
            if random.below(3) == 0 {
                set.tidy(1);
            }
            if number % (steps / 40) == 0 {
                compare(&mut random, shape, &set, &model);
            }
        }
        compare(&mut random, shape, &set, &model);
        while !model.scores.is_empty() {
            let name = model.scores.keys().next().cloned().unwrap_or_default();
            assert!(model.remove(&name));
            assert!(set.apply(SortedSetEdit::Remove { member: &name }, &rules(shape)), "{seed}");
        }
        set.check_invariants(&rules(shape));
        assert!(set.is_empty());
    }
}

fn of_numbers(count: u64, rules: &Rules) -> SortedSet {
    let mut set = SortedSet::default();
    for number in 0..count {
        let member = format!("member:{:09}", number * 7_919 % count);
        let score = (number * 104_729 % 1_000_003) as f64;
        set.apply(SortedSetEdit::Set { member: member.as_bytes(), score }, rules);
    }
    set
}

#[test]
fn a_hundred_thousand_elements_keep_the_tree_in_order_while_they_come_and_go() {
    let rules = Rules::default();
    let mut set = of_numbers(100_000, &rules);
    set.check_invariants(&rules);
    let mut random = Random::new(5);
    let mut left = set.len();
    while left > 0 {
        let first = random.below(left as u64);
        let count = random.below(5_000);
        set.apply(SortedSetEdit::RemoveRange { first, count }, &rules);
        left -= (left - first as usize).min(count as usize);
        assert_eq!(set.len(), left);
        set.check_invariants(&rules);
    }
    assert!(of_numbers(1, &rules).heap_bytes() < 40);
}

/// ZREMRANGEBYRANK took every member of its range out of the index by itself: 207 ms for a million.
/// Now it looks into two blocks, and upkeep does the rest a few members at a time.
#[test]
fn a_long_range_goes_at_once_and_is_taken_apart_later() {
    let rules = Rules::default();
    let kept = |range: std::ops::Range<usize>| {
        let all = of_numbers(50_000, &rules);
        let gone = range.clone();
        let kept = all.iter().enumerate().filter(|(rank, _)| !gone.contains(rank));
        kept.map(|(_, (member, score))| (member.to_vec(), score)).collect::<Vec<_>>()
    };
    for range in [0..50_000, 0..49_990, 10..50_000, 1..49_999, 20_000..30_000, 100..165] {
        let mut set = of_numbers(50_000, &rules);
        let full = set.heap_bytes();
        let gone: Vec<Vec<u8>> = set.view().walk(range.start, range.len()).map(own).collect();
        let (first, count) = (range.start as u64, range.len() as u64);
        assert!(set.apply(SortedSetEdit::RemoveRange { first, count }, &rules));
        let kept = kept(range.clone());
        let as_promised = |set: &SortedSet| {
            set.check_invariants(&rules);
            let found = set.iter().map(|(member, score)| (member.to_vec(), score));
            assert!(found.eq(kept.iter().cloned()), "{range:?}");
            assert!(gone.iter().step_by(997).all(|member| set.score(member).is_none()));
        };
        as_promised(&set);
        // Who is gone can come back, and be found where it is now.
        let (member, score) = (&gone[gone.len() / 2], -7.0);
        assert!(set.apply(SortedSetEdit::Set { member, score }, &rules));
        assert_eq!(set.view().rank(member), Some((0, score)));
        assert!(set.apply(SortedSetEdit::Remove { member }, &rules));
        let mut slices = 0;
        while set.is_untidy() {
            set.tidy(16);
            slices += 1;
            if slices % 100 == 1 {
                as_promised(&set);
            }
        }
        as_promised(&set);
        assert!(slices + 2 > range.len() / 64, "{range:?}: {slices} slices of 64 members at most");
        let left = full * (kept.len() + 5_000) / 50_000 + 60_000;
        assert!(set.heap_bytes() < left, "{range:?}: {} of {full} bytes", set.heap_bytes());
    }
}

fn own((member, _): (&[u8], f64)) -> Vec<u8> {
    member.to_vec()
}

/// Upkeep alone took strays out, 1,024 a turn: a set that was filled and trimmed faster than that,
/// or by a log that is repeated, kept every member it had ever had, and its index with them.
#[test]
fn a_set_that_is_filled_and_trimmed_without_a_break_holds_no_more_strays_than_elements() {
    let rules = Rules::default();
    let mut set = of_numbers(5_000, &rules);
    let full = set.heap_bytes();
    for round in 0..20 {
        set.apply(SortedSetEdit::RemoveRange { first: 10, count: 4_990 }, &rules);
        for number in 10..5_000 {
            let (member, score) = (format!("member:{round}:{number:05}"), f64::from(number));
            set.apply(SortedSetEdit::Set { member: member.as_bytes(), score }, &rules);
        }
        assert_eq!(set.len(), 5_000);
        assert!(set.heap_bytes() < 2 * full, "round {round}: {} of {full}", set.heap_bytes());
    }
    set.check_invariants(&rules);
}

#[test]
fn strays_go_with_the_set() {
    let rules = Rules::default();
    let mut set = of_numbers(20_000, &rules);
    set.apply(SortedSetEdit::RemoveRange { first: 5, count: 19_000 }, &rules);
    let mut visited = 0;
    assert_eq!(set.view().scan(0, usize::MAX, |_, _| visited += 1), 0);
    assert_eq!(visited, 1_000, "a scan does not show strays");
    while set.dismantle(100) {}
    assert_eq!((set.len(), set.heap_bytes(), set.is_untidy()), (0, 0, false));
}

#[test]
fn appending_in_order_and_in_reverse_order_is_as_good_as_any_other() {
    let rules = Rules::default();
    for direction in [1.0, -1.0] {
        let mut set = SortedSet::default();
        for number in 0..20_000u32 {
            let member = number.to_be_bytes();
            let score = f64::from(number) * direction;
            assert!(set.apply(SortedSetEdit::Set { member: &member, score }, &rules));
        }
        set.check_invariants(&rules);
        for number in 0..20_000u32 {
            assert!(set.apply(SortedSetEdit::Remove { member: &number.to_be_bytes() }, &rules));
        }
        set.check_invariants(&rules);
    }
}

#[test]
fn the_thresholds_decide_the_layout() {
    let rules = Rules {
        zset_max_listpack_entries: 3,
        zset_max_listpack_value_bytes: 5,
        ..Rules::default()
    };
    let mut set = SortedSet::default();
    let put = |set: &mut SortedSet, member: &[u8]| {
        set.apply(SortedSetEdit::Set { member, score: 1.0 }, &rules);
        set.encoding_name()
    };
    assert_eq!(put(&mut set, b"a"), "listpack");
    assert_eq!(put(&mut set, b"b"), "listpack");
    assert_eq!(put(&mut set, b"bbbbb"), "listpack");
    assert_eq!(put(&mut set, b"b"), "listpack");
    assert_eq!(put(&mut set, b"c"), "skiplist");
    assert_eq!(put(&mut SortedSet::default(), b"longer"), "skiplist");
    set.apply(SortedSetEdit::RemoveRange { first: 0, count: 3 }, &rules);
    assert_eq!((set.encoding_name(), set.len()), ("skiplist", 1), "there is no way back");
}

#[test]
fn replaying_the_edits_of_a_set_gives_its_content() {
    for count in [0, 5, 100, 3_000] {
        let rules = Rules::default();
        let set = of_numbers(count, &rules);
        let mut copy = SortedSet::default();
        let mut bytes = Vec::new();
        set.for_each_edit(&mut |edit| {
            bytes.clear();
            SortedSet::encode_edit(edit, &mut bytes);
            let edit = SortedSet::decode_edit(&bytes).expect("an edit");
            assert!(copy.apply(edit, &Rules { zset_max_listpack_entries: 10, ..rules.clone() }));
        });
        assert_eq!(copy.digest(), set.digest());
        assert!(copy.iter().eq(set.iter()));
    }
}

#[test]
fn equal_content_has_one_digest_whatever_its_history() {
    let rules = Rules::default();
    let (one, mut two) = (of_numbers(200, &rules), of_numbers(200, &rules));
    two.apply(SortedSetEdit::Set { member: b"x", score: 0.0 }, &rules);
    assert_ne!(one.digest(), two.digest());
    two.apply(SortedSetEdit::Set { member: b"x", score: -0.0 }, &rules);
    two.apply(SortedSetEdit::Remove { member: b"x" }, &rules);
    assert_eq!(one.digest(), two.digest());
}

#[test]
fn an_edit_survives_its_bytes_and_nothing_else_is_an_edit() {
    let edits = [
        SortedSetEdit::Set { member: b"m", score: -1.5 },
        SortedSetEdit::Set { member: b"", score: f64::INFINITY },
        SortedSetEdit::Remove { member: b"m" },
        SortedSetEdit::Remove { member: b"" },
        SortedSetEdit::RemoveRange { first: 3, count: u64::MAX },
    ];
    for edit in edits {
        let mut bytes = Vec::new();
        SortedSet::encode_edit(edit, &mut bytes);
        assert_eq!(SortedSet::decode_edit(&bytes), Some(edit));
    }
    let nan = [&[1][..], &f64::NAN.to_le_bytes(), b"m"].concat();
    for bytes in [&b""[..], &[0], &[4], &[1, 0, 0], &[3; 16], &[3; 18], &nan] {
        assert_eq!(SortedSet::decode_edit(bytes), None, "{bytes:?}");
    }
}

#[test]
fn a_range_beyond_the_end_removes_what_there_is() {
    for count in [10, 1_000] {
        let rules = Rules::default();
        let mut set = of_numbers(count, &rules);
        let mut apply = |first, count| {
            set.apply(SortedSetEdit::RemoveRange { first, count }, &rules);
            set.len()
        };
        assert_eq!(apply(u64::MAX, u64::MAX), count as usize);
        assert_eq!(apply(4, u64::MAX), 4);
        assert_eq!(apply(0, 0), 4);
        assert_eq!(apply(0, 5), 0);
    }
}

#[test]
fn a_scan_sees_every_element_that_stays_while_others_come_go_and_move() {
    let rules = Rules::default();
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let mut set = of_numbers(2_000, &rules);
        let kept: BTreeSet<Vec<u8>> = set.iter().map(|(member, _)| member.to_vec()).collect();
        let mut seen = BTreeSet::new();
        let mut cursor = 0;
        loop {
            let mut visited = 0;
            cursor = set.view().scan(cursor, 10, |member, _| {
                visited += 1;
                seen.insert(member.to_vec());
            });
            assert!(visited < 200, "a step is bounded: {visited}");
            if cursor == 0 {
                break;
            }
            for _ in 0..30 {
                let extra = random.below(3_000).to_be_bytes();
                let score = random.f64();
                match random.below(3) {
                    0 => set.apply(SortedSetEdit::Remove { member: &extra }, &rules),
                    1 => set.apply(SortedSetEdit::Set { member: &extra, score }, &rules),
                    _ => {
                        let at = random.below(kept.len() as u64) as usize;
                        let moved = kept.iter().nth(at).expect("one of them");
                        set.apply(SortedSetEdit::Set { member: moved, score }, &rules)
                    }
                };
            }
        }
        assert!(kept.is_subset(&seen), "seed {seed}");
    }
}

#[test]
fn a_scan_of_a_small_set_is_one_step() {
    let set = of_numbers(100, &Rules::default());
    let mut seen = Vec::new();
    assert_eq!(set.view().scan(0, 1, |member, score| seen.push((member, score))), 0);
    assert!(seen.into_iter().eq(set.iter()));
}

#[test]
fn any_cursor_is_taken() {
    let set = of_numbers(1_000, &Rules::default());
    for cursor in [1, 77, 1 << 31, u64::from(u32::MAX), 1 << 40, u64::MAX] {
        assert!(set.view().scan(cursor, 10, |_, _| {}) <= u64::from(u32::MAX));
    }
}

#[test]
fn every_element_is_drawn() {
    for count in [1, 20, 300] {
        let set = of_numbers(count, &Rules::default());
        let mut random = Random::new(3);
        let drawn: BTreeSet<_> = (0..count * 20)
            .filter_map(|_| set.view().random(&mut random))
            .map(|(m, _)| m)
            .collect();
        assert_eq!(drawn.len(), count as usize);
    }
    assert_eq!(SortedSet::default().view().random(&mut Random::new(1)), None);
}

#[test]
fn names_have_ranges_in_both_layouts() {
    use NameBound::{Excluded, Highest, Included, Lowest};
    for entries_max in [128, 0] {
        let rules = Rules { zset_max_listpack_entries: entries_max, ..Rules::default() };
        let mut set = SortedSet::default();
        assert_eq!(set.view().ranks_by_name(Lowest, Highest, false), 0..0);
        for member in [b"b", b"d", b"f"] {
            set.apply(SortedSetEdit::Set { member, score: 2.0 }, &rules);
        }
        let cases = [
            (Lowest, Highest, 0..3),
            (Included(&b"b"[..]), Excluded(&b"f"[..]), 0..2),
            (Excluded(b"b"), Included(b"f"), 1..3),
            (Excluded(b"d"), Included(b"d"), 2..2),
            (Included(b"c"), Included(b"cc"), 1..1),
            (Included(b"z"), Highest, 3..3),
            (Lowest, Excluded(b"b"), 0..0),
            (Highest, Lowest, 3..3),
        ];
        for (from, to, expected) in cases {
            for backward in [false, true] {
                let found = set.view().ranks_by_name(from, to, backward);
                assert_eq!(found.len(), expected.len(), "{from:?} {to:?} {entries_max}");
                assert!(found == expected || found.is_empty());
            }
        }
    }
}

#[test]
fn taking_a_set_apart_ends_and_never_takes_long() {
    let mut set = of_numbers(50_000, &Rules::default());
    let mut calls = 0;
    while set.dismantle(100) {
        calls += 1;
    }
    assert!((30..200).contains(&calls), "{calls}");
    assert_eq!((set.len(), set.heap_bytes()), (0, 0));
    assert!(!of_numbers(3, &Rules::default()).dismantle(1));
}

#[test]
fn an_element_of_sixteen_bytes_takes_less_than_forty() {
    let rules = Rules::default();
    let mut set = SortedSet::default();
    let mut random = Random::new(8);
    for number in 0..50_000 {
        let member = format!("{number:016}");
        let score = random.below(1 << 31) as f64;
        set.apply(SortedSetEdit::Set { member: member.as_bytes(), score }, &rules);
    }
    let each = set.heap_bytes() / set.len();
    assert!(each < 40, "{each}");
}
