use super::*;
use crate::base::random::Random;
use std::collections::BTreeMap;

/// Asserts what must hold between calls.
pub(crate) fn check(table: &SlotTable) {
    let full = |bucket: &Bucket| bucket[BUCKET_WORDS - 1] != 0;
    let mut len = 0;
    let mut expires = 0;
    for (at, bucket) in table.buckets().iter().enumerate() {
        let taken = bucket.iter().take_while(|word| **word != 0).count();
        assert!(bucket[taken..].iter().all(|word| *word == 0), "a bucket fills from the front");
        for &word in &bucket[..taken] {
            let mut passed = table.home(word::hash16(word));
            while passed != at {
                assert!(full(&table.buckets()[passed]), "a displaced word passed a gap");
                passed = table.behind(passed);
            }
            len += 1;
            expires += usize::from(word::due(word) != 0);
        }
    }
    assert_eq!((len, expires), (table.len(), table.expires()));
    assert!(table.len() <= table.buckets().len() * FILL_MAX);
}

fn number(handle: Handle) -> u64 {
    handle.bits()
}

fn lookup(table: &SlotTable, hash16: u16, id: u64) -> Option<Place> {
    table.find(hash16, |handle| (number(handle) == id).then_some(())).map(|(place, ())| place)
}

fn word_of(hash16: u16, id: u64) -> u64 {
    word::new(hash16, (id % 3) as u16, Handle::from_bits(id))
}

#[test]
fn a_word_keeps_its_three_parts_apart() {
    let handle = Handle::from_bits((1 << 36) - 1);
    let word = word::new(0xabcd, 0, handle);
    assert_eq!((word::hash16(word), word::due(word), word::handle(word)), (0xabcd, 0, handle));
    let due = word::with_due(word, 0xfff);
    assert_eq!((word::hash16(due), word::due(due), word::handle(due)), (0xabcd, 0xfff, handle));
    assert_eq!(word::with_due(due, 0), word);
}

#[test]
fn sizes_follow_the_classes_of_the_allocator() {
    let mut sizes = vec![];
    let mut buckets = 0;
    while buckets < 64 {
        buckets = size_class(buckets + 1);
        sizes.push(buckets);
    }
    assert_eq!(sizes, [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64]);
}

#[test]
fn the_order_of_homes_is_that_of_hashes_at_every_size() {
    let mut table = SlotTable::default();
    for id in 1..2_000u64 {
        table.insert(word_of((id * 31) as u16, id));
        let homes: Vec<usize> = (0..=255u16).map(|high| table.home(high << 8 | 0x80)).collect();
        assert!(homes.is_sorted());
        assert!(homes.iter().all(|home| *home < table.buckets().len()));
    }
}

/// How hashes fall: spread out, all alike, or crowded around both ends so that chains wrap.
fn hashes(style: u64, random: &mut Random) -> u16 {
    match style {
        0 => random.next_u64() as u16,
        1 => 7,
        2 => 0xfff0 | random.below(16) as u16,
        _ => [0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff][random.below(6) as usize],
    }
}

#[test]
fn the_table_agrees_with_a_map_while_it_grows_and_shrinks() {
    for seed in 0..12 {
        let style = seed % 4;
        let mut random = Random::new(seed);
        let mut table = SlotTable::default();
        let mut model: BTreeMap<u64, u16> = BTreeMap::new();
        let (mut next, waves) = (1u64, if cfg!(miri) { 2 } else { 6 });
        for wave in 0..waves {
            let grow = if wave % 2 == 0 { 8 } else { 2 };
            let steps = if style == 0 { 2_000 } else { 250 };
            for _ in 0..steps {
                if random.below(10) < grow || model.is_empty() {
                    let hash16 = hashes(style, &mut random);
                    table.insert(word_of(hash16, next));
                    model.insert(next, hash16);
                    next += 1;
                } else {
                    let pick = random.below(model.len() as u64) as usize;
                    let (&id, &hash16) = model.iter().nth(pick).expect("picked below the length");
                    model.remove(&id);
                    let place = lookup(&table, hash16, id).expect("the model has it");
                    table.remove(place);
                    if random.below(2) == 0 {
                        table.shrink();
                    }
                    assert_eq!(lookup(&table, hash16, id), None, "seed {seed}");
                }
                check(&table);
            }
            for (&id, &hash16) in &model {
                let place = lookup(&table, hash16, id).expect("the model has it");
                assert_eq!(table.word(place), word_of(hash16, id), "seed {seed}");
            }
            assert_eq!(table.len(), model.len());
        }
    }
}

#[test]
fn a_table_is_never_under_a_third_full_after_shrinking_and_holds_nothing_when_empty() {
    let mut table = SlotTable::default();
    let mut random = Random::new(5);
    let words: Vec<u64> = (1..5_000).map(|id| word_of(random.next_u64() as u16, id)).collect();
    words.iter().for_each(|word| table.insert(*word));
    for word in words {
        let (hash16, id) = (word::hash16(word), number(word::handle(word)));
        table.remove(lookup(&table, hash16, id).expect("inserted above"));
        table.shrink();
        assert!(table.buckets().len() <= 1 || table.len() * 3 >= table.buckets().len() * 8);
    }
    assert_eq!(table.array_bytes(), 0);
}

#[test]
fn a_forward_walk_that_removes_at_its_place_meets_every_word() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut table = SlotTable::default();
        (1..400u64).for_each(|id| table.insert(word_of(hashes(seed % 4, &mut random), id)));
        let mut met = std::collections::BTreeSet::new();
        for bucket in 0..table.buckets().len() {
            let mut index = 0;
            while index < BUCKET_WORDS {
                let place = Place { bucket, index };
                let word = table.word(place);
                if word == 0 {
                    break;
                }
                met.insert(number(word::handle(word)));
                if random.below(2) == 0 {
                    table.remove(place);
                } else {
                    index += 1;
                }
            }
        }
        check(&table);
        assert_eq!(met.len(), 399, "seed {seed}");
    }
}

#[test]
fn a_walk_by_hash_meets_what_stays_while_the_table_grows_and_shrinks() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let style = seed % 4;
        let mut table = SlotTable::default();
        let staying: Vec<u64> =
            (1..300).map(|id| word_of(hashes(style, &mut random), id)).collect();
        staying.iter().for_each(|word| table.insert(*word));
        let mut passing: Vec<u64> = vec![];
        let mut met = std::collections::BTreeSet::new();
        let (mut next_id, mut hash16, mut steps) = (1_000, 0, 0);
        while let Some(next) = table.visit_group(hash16, |word| {
            met.insert(number(word::handle(word)));
        }) {
            assert!(next > u32::from(hash16), "the walk moves on");
            for _ in 0..random.below(200) {
                let grow = (steps / 10) % 2 == 0;
                if grow {
                    let word = word_of(hashes(style, &mut random), next_id);
                    table.insert(word);
                    passing.push(word);
                    next_id += 1;
                } else if let Some(word) = passing.pop() {
                    let id = number(word::handle(word));
                    table.remove(lookup(&table, word::hash16(word), id).expect("still there"));
                    table.shrink();
                }
            }
            steps += 1;
            let Ok(next) = u16::try_from(next) else { break };
            hash16 = next;
        }
        for word in &staying {
            assert!(met.contains(&number(word::handle(*word))), "seed {seed}");
        }
    }
}

#[test]
fn chains_longer_than_any_hash_can_tell_apart_still_work() {
    // One slot, 30,000 keys under 100 hashes: chains of forty buckets and more.
    let mut table = SlotTable::default();
    let count = if cfg!(miri) { 300 } else { 30_000u64 };
    for id in 1..=count {
        table.insert(word_of((id % 100) as u16 * 655, id));
    }
    check(&table);
    for id in (1..=count).step_by(97) {
        assert!(lookup(&table, (id % 100) as u16 * 655, id).is_some());
    }
    let mut met = 0;
    let mut hash16 = 0;
    while let Some(next) = table.visit_group(hash16, |_| met += 1) {
        let Ok(next) = u16::try_from(next) else { break };
        hash16 = next;
    }
    assert_eq!(met, count);
}
