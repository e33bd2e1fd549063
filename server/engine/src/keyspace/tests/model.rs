//! Random operations against a map, with collisions, long keys and values, and a clock that
//! jumps. After any of them the keyspace says what the map says.

use super::*;
use crate::base::random::Random;
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, Debug)]
struct Held {
    value: Vec<u8>,
    deadline: Option<i64>,
}

type Model = BTreeMap<(u8, Vec<u8>), Held>;

/// The names of one test: few, so that operations meet; some long, some in one slot.
fn name(random: &mut Random) -> Vec<u8> {
    let n = random.below(300);
    match n % 5 {
        0 => format!("{{tag}}{n}").into_bytes(),
        1 => format!("long:{n}:").repeat(40).into_bytes(),
        _ => format!("key:{n}").into_bytes(),
    }
}

fn value(random: &mut Random) -> Vec<u8> {
    let n = random.next_u64() as i64;
    match random.below(8) {
        0 => n.to_string().into_bytes(),
        1 => (n % 100_000).to_string().into_bytes(),
        2 => vec![b'L'; 900 + random.below(400) as usize],
        3 => vec![b'H'; random.below(20_000) as usize],
        _ => vec![b's'; random.below(120) as usize],
    }
}

fn deadline(random: &mut Random, now: i64) -> Option<i64> {
    match random.below(6) {
        0 => Some(now + random.below(50) as i64),
        1 => Some(now + random.below(60_000) as i64),
        2 => Some(now + random.below(20_000_000) as i64),
        3 => Some(now - random.below(100_000) as i64),
        _ => None,
    }
}

/// One random change, in both.
fn change(random: &mut Random, keyspace: &mut Keyspace, model: &mut Model, now: i64) {
    let db = random.below(3) as u8;
    let bytes = name(random);
    let key = keyspace.key_ref(&bytes);
    let at = (db, bytes.clone());
    match random.below(12) {
        0..5 => {
            let held = Held { value: value(random), deadline: deadline(random, now) };
            let expiry = held.deadline.map(UnixMillis);
            match random.below(3) {
                0 => keyspace.set_string_raw(db, &key, &held.value, expiry, 1),
                1 => keyspace.set_string_text(db, &key, &held.value, expiry, 1),
                _ => keyspace.set_string(db, &key, &held.value, expiry, 1),
            }
            model.insert(at, held);
        }
        5 => {
            let (offset, bytes) = (random.below(1500) as usize, value(random));
            keyspace.splice(db, &key, offset, &bytes, 2);
            let held = model.entry(at).or_insert(Held { value: vec![], deadline: None });
            let end = offset + bytes.len();
            if held.value.len() < end {
                held.value.resize(end, 0);
            }
            held.value[offset..end].copy_from_slice(&bytes);
        }
        6 => {
            let new = deadline(random, now);
            let known = keyspace.set_expiry(db, &key, new.map(UnixMillis));
            assert_eq!(known, model.contains_key(&at));
            model.entry(at).and_modify(|held| held.deadline = new);
        }
        7..10 => assert_eq!(keyspace.remove(db, &key), model.remove(&at).is_some()),
        _ => {
            let (to_db, to) = (random.below(3) as u8, name(random));
            let taken = keyspace.take(db, &key);
            assert_eq!(taken.is_some(), model.contains_key(&at));
            if let (Some(taken), Some(held)) = (taken, model.remove(&at)) {
                keyspace.put(to_db, &keyspace.key_ref(&to), taken);
                model.insert((to_db, to), held);
            }
        }
    }
}

fn agree(keyspace: &Keyspace, model: &Model) {
    for db in 0..4 {
        let held = model.range((db, vec![])..(db + 1, vec![]));
        assert_eq!(keyspace.len(db), held.clone().count());
        assert_eq!(keyspace.expires(db), held.filter(|(_, held)| held.deadline.is_some()).count());
    }
    for ((db, name), held) in model {
        let key = keyspace.key_ref(name);
        let entry = keyspace.get(*db, &key).expect("the map has it");
        assert_eq!(entry.key(), name);
        assert_eq!(entry.expiry().map(|deadline| deadline.0), held.deadline);
        assert_eq!(string(keyspace, *db, &key).as_ref(), Some(&held.value));
    }
    keyspace.check_invariants();
}

/// The same content, written in another order into another number of slots' tables.
fn rebuilt(model: &Model) -> Keyspace {
    let mut other = Keyspace::new(0..16384, 4, [9, 9, 9, 9]);
    for ((db, name), held) in model.iter().rev() {
        let key = other.key_ref(name);
        other.set_string(*db, &key, &held.value, held.deadline.map(UnixMillis), 0);
    }
    other
}

/// Sweeps to the end and takes what went from the map; nothing may go early.
fn sweep(random: &mut Random, keyspace: &mut Keyspace, model: &mut Model, now: i64, meddle: bool) {
    loop {
        let budget = 1 + random.below(40) as usize;
        let mut gone = vec![];
        let more = keyspace.expire_slice(UnixMillis(now), budget, |db, key| {
            gone.push((db, key.to_vec()));
        });
        for at in gone {
            let held = model.remove(&at).expect("the map had it");
            assert!(held.deadline.expect("it had a deadline") < now, "not before its time");
        }
        if !more {
            return;
        }
        if meddle && random.below(2) == 0 {
            change(random, keyspace, model, now);
        }
    }
}

fn run(seed: u64, jumps: bool) {
    let mut random = Random::new(seed);
    let (mut keyspace, mut model) = (keyspace(), Model::new());
    let mut now = 1_700_000_000_000;
    for round in 0..if cfg!(miri) { 2 } else { 60 } {
        for _ in 0..if cfg!(miri) { 40 } else { 200 } {
            change(&mut random, &mut keyspace, &mut model, now);
        }
        match random.below(20) {
            0 => {
                keyspace.flush(1);
                model.retain(|(db, _), _| *db != 1);
            }
            1 => {
                keyspace.flush_all();
                model.clear();
            }
            2 => {
                keyspace.swap(0, 2);
                model = std::mem::take(&mut model)
                    .into_iter()
                    .map(|((db, key), held)| (([2, 1, 0, 3][usize::from(db)], key), held))
                    .collect();
            }
            _ => {}
        }
        keyspace.reclaim_slice(random.below(300) as usize);
        now += random.below(3_000) as i64;
        if jumps && random.below(4) == 0 {
            // NTP at boot, a resumed machine, somebody's mistake.
            let far = [90_000, 10_000_000, 400_000_000_000][random.below(3) as usize];
            now += if random.below(2) == 0 { far } else { -far };
        }
        sweep(&mut random, &mut keyspace, &mut model, now, true);
        // What was set behind the sweep with a deadline already past goes with the next tick.
        now += 32;
        sweep(&mut random, &mut keyspace, &mut model, now, false);
        for (at, held) in &model {
            let late = now - held.deadline.unwrap_or(now);
            assert!(late <= 32, "{late} ms late: {at:?}, seed {seed}");
        }
        if round % 4 == 0 {
            agree(&keyspace, &model);
            assert_eq!(keyspace.digest(), rebuilt(&model).digest(), "seed {seed}");
        }
    }
    while keyspace.reclaim_slice(1000) {}
    agree(&keyspace, &model);
}

#[test]
fn random_operations_leave_what_they_leave_in_a_map() {
    (0..if cfg!(miri) { 1 } else { 8 }).for_each(|seed| run(seed, false));
}

#[test]
fn a_clock_that_jumps_makes_no_key_go_early_or_stay() {
    (100..if cfg!(miri) { 101 } else { 108 }).for_each(|seed| run(seed, true));
}
