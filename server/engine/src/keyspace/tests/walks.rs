//! SCAN's walk, RANDOMKEY and sampling.

use super::*;
use crate::base::random::Random;
use std::collections::{BTreeMap, BTreeSet};

/// Scans from the start; `between` may change the keyspace after every step.
fn scan_all(keyspace: &mut Keyspace, mut between: impl FnMut(&mut Keyspace)) -> Vec<Vec<u8>> {
    let mut met = vec![];
    let mut position = Some(ScanPosition::at_slot(0));
    while let Some(from) = position {
        position = keyspace.scan(0, from, |entry| met.push(entry.key().to_vec()));
        assert!(position.is_none_or(|next| next > from), "the walk moves on");
        between(keyspace);
    }
    met
}

#[test]
fn a_scan_of_a_resting_keyspace_meets_every_key_once() {
    let mut keyspace = keyspace();
    let names: BTreeSet<Vec<u8>> = (0..20_000).map(|n| format!("key:{n}").into_bytes()).collect();
    names.iter().for_each(|name| set(&mut keyspace, name, b"v", None));
    let met = scan_all(&mut keyspace, |_| {});
    assert_eq!(met.len(), names.len());
    assert_eq!(met.into_iter().collect::<BTreeSet<_>>(), names);
    assert_eq!(keyspace.scan(1, ScanPosition::at_slot(0), |_| {}), None);
}

#[test]
fn a_scan_meets_what_stays_while_tables_grow_and_shrink() {
    for seed in 0..5 {
        let mut random = Random::new(seed);
        let mut keyspace = keyspace();
        // Few slots, so that their tables change size under the walk.
        let names: Vec<Vec<u8>> =
            (0..2_000).map(|n| format!("{{{}}}stays:{n}", n % 7).into_bytes()).collect();
        names.iter().for_each(|name| set(&mut keyspace, name, b"v", None));
        let mut passing: Vec<Vec<u8>> = vec![];
        let mut n = 0;
        let met: BTreeSet<Vec<u8>> = scan_all(&mut keyspace, |keyspace| {
            for _ in 0..random.below(60) {
                n += 1;
                if (n / 3_000) % 2 == 0 {
                    let name = format!("{{{}}}passes:{n}", n % 7).into_bytes();
                    set(keyspace, &name, b"v", None);
                    passing.push(name);
                } else if let Some(name) = passing.pop() {
                    keyspace.remove(0, &keyspace.key_ref(&name));
                }
            }
        })
        .into_iter()
        .collect();
        assert!(names.iter().all(|name| met.contains(name)), "seed {seed}");
        keyspace.check_invariants();
    }
}

#[test]
fn a_step_through_empty_slots_is_bounded() {
    let mut keyspace = keyspace();
    set(&mut keyspace, b"k", b"v", None);
    let mut steps = 0;
    assert_eq!(scan_all(&mut keyspace, |_| steps += 1), [b"k"]);
    assert!((16..=18).contains(&steps), "{steps} steps");
}

#[test]
fn a_core_scans_only_its_own_slots() {
    let mut keyspace = Keyspace::new(8192..16384, 1, [0; 4]);
    let names: Vec<String> = (0..500).map(|n| format!("key:{n}")).collect();
    let own = |name: &&String| Slot::of_key(name.as_bytes()).number() >= 8192;
    for name in names.iter().filter(own) {
        set(&mut keyspace, name.as_bytes(), b"v", None);
    }
    assert_eq!(scan_all(&mut keyspace, |_| {}).len(), names.iter().filter(own).count());
    let last = ScanPosition { slot: 16383, hash16: 65535 };
    assert_eq!(keyspace.scan(0, last, |_| {}), None);
}

#[test]
fn the_keys_of_a_slot_can_be_listed_and_counted() {
    let mut keyspace = keyspace();
    for n in 0..30 {
        set(&mut keyspace, format!("{{a}}{n}").as_bytes(), b"v", None);
        set(&mut keyspace, format!("{{b}}{n}").as_bytes(), b"v", None);
    }
    let slot = Slot::of_key(b"a");
    assert_eq!(keyspace.len_slot(0, slot), 30);
    let mut met = vec![];
    keyspace.keys_in_slot(0, slot, 10, |entry| met.push(entry.key().to_vec()));
    assert_eq!(met.len(), 10);
    assert!(met.iter().all(|key| key.starts_with(b"{a}")));
}

#[test]
fn every_key_is_as_likely_to_be_drawn_however_slots_are_filled() {
    let mut keyspace = keyspace();
    for n in 0..190 {
        set(&mut keyspace, format!("{{crowded}}{n}").as_bytes(), b"v", None);
    }
    for n in 0..10 {
        set(&mut keyspace, format!("alone:{n}").as_bytes(), b"v", None);
    }
    let mut random = Random::new(1);
    let mut drawn: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    for _ in 0..40_000 {
        let entry = keyspace.random_key(0, &mut random, |_| true).expect("there are keys");
        *drawn.entry(entry.key().to_vec()).or_default() += 1;
    }
    assert_eq!(drawn.len(), 200);
    assert!(drawn.values().all(|count| (120..290).contains(count)), "{drawn:?}");
    assert!(keyspace.random_key(0, &mut random, |_| false).is_none());
    assert!(keyspace.random_key(1, &mut random, |_| true).is_none());
}

#[test]
fn a_sample_of_volatile_keys_holds_only_those() {
    let mut keyspace = keyspace();
    for n in 0..5_000 {
        let expiry = (n % 500 == 0).then_some(n);
        set(&mut keyspace, format!("key:{n}").as_bytes(), b"v", expiry);
    }
    let mut random = Random::new(2);
    let mut met = BTreeSet::new();
    for _ in 0..500 {
        let mut count = 0;
        keyspace.sample(0, &mut random, true, 5, |entry| {
            assert!(entry.expiry().is_some());
            met.insert(entry.key().to_vec());
            count += 1;
        });
        assert_eq!(count, 5);
    }
    assert_eq!(met.len(), 10);
    keyspace.sample(1, &mut random, true, 5, |_| unreachable!("the database is empty"));
}
