use super::*;
use crate::base::random::Random;
use crate::keyspace::table::{Bucket, home};
use crate::memory::Handle;
use std::collections::{BTreeMap, BTreeSet};

/// Asserts what must hold of a table between calls.
fn check(tables: &Tables, slot: usize) {
    let table = tables.table(slot);
    let full = |bucket: &Bucket| bucket[BUCKET_WORDS - 1] != 0;
    let count = table.buckets.len();
    let (mut len, mut expires) = (0, 0);
    for (at, bucket) in table.buckets.iter().enumerate() {
        let taken = bucket.iter().take_while(|word| **word != 0).count();
        assert!(bucket[taken..].iter().all(|word| *word == 0), "a bucket fills from the front");
        for &word in &bucket[..taken] {
            let mut passed = home(count, word::hash16(word));
            while passed != at {
                assert!(full(&table.buckets[passed]), "a displaced word passed a gap");
                passed = (passed + 1) % count;
            }
            len += 1;
            expires += usize::from(word::due(word) != 0);
        }
    }
    assert_eq!((len, expires), (table.len, tables.expires(slot)));
    assert!(table.len <= count * FILL_MAX);
}

fn number(handle: Handle) -> u64 {
    handle.bits()
}

fn lookup(table: Table<'_>, hash16: u16, id: u64) -> Option<Place> {
    table.find(hash16, |handle| (number(handle) == id).then_some(())).map(|(place, ())| place)
}

fn word_of(hash16: u16, id: u64) -> u64 {
    word::new(hash16, (id % 3) as u16, Handle::from_bits(id))
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
        let mut table = Tables::new(1);
        let mut model: BTreeMap<u64, u16> = BTreeMap::new();
        let (mut next, waves) = (1u64, if cfg!(miri) { 2 } else { 6 });
        for wave in 0..waves {
            let grow = if wave % 2 == 0 { 8 } else { 2 };
            let steps = if style == 0 { 2_000 } else { 250 };
            for _ in 0..steps {
                if random.below(10) < grow || model.is_empty() {
                    let hash16 = hashes(style, &mut random);
                    table.insert(0, word_of(hash16, next));
                    model.insert(next, hash16);
                    next += 1;
                } else {
                    let pick = random.below(model.len() as u64) as usize;
                    let (&id, &hash16) = model.iter().nth(pick).expect("picked below the length");
                    model.remove(&id);
                    let place = lookup(table.table(0), hash16, id).expect("the model has it");
                    table.remove(0, place);
                    if random.below(2) == 0 {
                        table.shrink(0);
                    }
                    assert_eq!(lookup(table.table(0), hash16, id), None, "seed {seed}");
                }
                check(&table, 0);
            }
            for (&id, &hash16) in &model {
                let place = lookup(table.table(0), hash16, id).expect("the model has it");
                assert_eq!(table.table(0).word(place), word_of(hash16, id), "seed {seed}");
            }
            assert_eq!(table.table(0).len, model.len());
        }
    }
}

#[test]
fn a_table_is_never_under_a_third_full_after_shrinking_and_holds_nothing_when_empty() {
    let mut table = Tables::new(1);
    let mut random = Random::new(5);
    let words: Vec<u64> = (1..5_000).map(|id| word_of(random.next_u64() as u16, id)).collect();
    words.iter().for_each(|word| table.insert(0, *word));
    for word in words {
        let (hash16, id) = (word::hash16(word), number(word::handle(word)));
        table.remove(0, lookup(table.table(0), hash16, id).expect("inserted above"));
        table.shrink(0);
        assert!(
            table.table(0).buckets.len() <= 1
                || table.table(0).len * 3 >= table.table(0).buckets.len() * 8
        );
    }
    assert_eq!(table.store.page_bytes, 0);
}

#[test]
fn a_forward_walk_that_removes_at_its_place_meets_every_word() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut table = Tables::new(1);
        (1..400u64).for_each(|id| table.insert(0, word_of(hashes(seed % 4, &mut random), id)));
        let mut met = BTreeSet::new();
        for bucket in 0..table.table(0).buckets.len() {
            let mut index = 0;
            while index < BUCKET_WORDS {
                let place = Place { bucket, index };
                let word = table.table(0).word(place);
                if word == 0 {
                    break;
                }
                met.insert(number(word::handle(word)));
                if random.below(2) == 0 {
                    table.remove(0, place);
                } else {
                    index += 1;
                }
            }
        }
        check(&table, 0);
        assert_eq!(met.len(), 399, "seed {seed}");
    }
}

#[test]
fn a_walk_by_hash_meets_what_stays_while_the_table_grows_and_shrinks() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let style = seed % 4;
        let mut table = Tables::new(1);
        let staying: Vec<u64> =
            (1..300).map(|id| word_of(hashes(style, &mut random), id)).collect();
        staying.iter().for_each(|word| table.insert(0, *word));
        let mut passing: Vec<u64> = vec![];
        let mut met = BTreeSet::new();
        let (mut next_id, mut hash16, mut steps) = (1_000, 0, 0);
        while let Some(next) = table.table(0).visit_group(hash16, |word| {
            met.insert(number(word::handle(word)));
        }) {
            assert!(next > u32::from(hash16), "the walk moves on");
            for _ in 0..random.below(200) {
                let grow = (steps / 10) % 2 == 0;
                if grow {
                    let word = word_of(hashes(style, &mut random), next_id);
                    table.insert(0, word);
                    passing.push(word);
                    next_id += 1;
                } else if let Some(word) = passing.pop() {
                    let id = number(word::handle(word));
                    table.remove(
                        0,
                        lookup(table.table(0), word::hash16(word), id).expect("still there"),
                    );
                    table.shrink(0);
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
    let mut table = Tables::new(1);
    let count = if cfg!(miri) { 300 } else { 30_000u64 };
    for id in 1..=count {
        table.insert(0, word_of((id % 100) as u16 * 655, id));
    }
    check(&table, 0);
    for id in (1..=count).step_by(97) {
        assert!(lookup(table.table(0), (id % 100) as u16 * 655, id).is_some());
    }
    let mut met = 0;
    let mut hash16 = 0;
    while let Some(next) = table.table(0).visit_group(hash16, |_| met += 1) {
        let Ok(next) = u16::try_from(next) else { break };
        hash16 = next;
    }
    assert_eq!(met, count);
}

#[test]
fn tables_of_many_slots_stay_dense_while_they_grow_and_shrink() {
    for seed in 0..4 {
        let mut random = Random::new(seed);
        let slots = 60;
        let mut tables = Tables::new(slots);
        let mut model: Vec<BTreeMap<u64, u16>> = vec![BTreeMap::new(); slots];
        let mut next = 1;
        for step in 0..if cfg!(miri) { 500 } else { 60_000 } {
            // Waves, and slots of very different sizes: 60 to 10,000 words, two with pages alone.
            let slot = (random.below(60) * random.below(60) / 60) as usize;
            let slot = if random.below(3) == 0 { slot % 2 } else { slot };
            if random.below(10) < if (step / 15_000) % 2 == 0 { 8 } else { 2 } {
                let hash16 = random.next_u64() as u16;
                tables.insert(slot, word_of(hash16, next));
                model[slot].insert(next, hash16);
                next += 1;
            } else if let Some((id, hash16)) = model[slot].pop_first() {
                let place = lookup(tables.table(slot), hash16, id).expect("the model has it");
                tables.remove(slot, place);
                tables.shrink(slot);
            }
            if step % 1_000 == 0 {
                tables.check_invariants();
            }
        }
        tables.check_invariants();
        for (slot, model) in model.iter().enumerate() {
            let table = tables.table(slot);
            check(&tables, slot);
            assert_eq!(table.len, model.len());
            for (&id, &hash16) in model {
                assert!(lookup(table, hash16, id).is_some(), "seed {seed}, slot {slot}");
            }
        }
        let words: usize = model.iter().map(BTreeMap::len).sum();
        // Never under a third full, plus a page begun for each of the sizes in use.
        let bound = words * 3 * 8 + 40 * 64 * 1024;
        assert!(tables.store.page_bytes <= bound, "{} > {bound}", tables.store.page_bytes);
    }
}
