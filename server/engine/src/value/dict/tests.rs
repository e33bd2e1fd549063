//! The dictionary against a map, and its promises about walks, chance, memory and deadlines.

use super::*;
use std::collections::{BTreeMap, BTreeSet};

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn text(random: &mut Random, kinds: u64) -> Vec<u8> {
    let number = random.below(kinds);
    match number % 16 {
        0 => vec![b'L'; 240 + (number / 16 % 40) as usize], // around the longest inside
        1 => format!("{number}-").repeat(1 + number as usize % 200).into_bytes(),
        2 if number == 2 => Vec::new(),
        _ => format!("field:{number}").into_bytes(),
    }
}

fn change(random: &mut Random, dict: &mut Dict<true>, model: &mut Model, kinds: u64, grow: bool) {
    let field = text(random, kinds);
    match random.below(10) {
        0 => {
            let deadline = Some(random.below(1000) as i64).filter(|at| at % 3 > 0);
            let changed = dict.set_deadline(&field, deadline);
            let held = model.get_mut(&field);
            assert_eq!(changed, held.as_ref().is_some_and(|held| held.1 != deadline));
            held.into_iter().for_each(|held| held.1 = deadline);
        }
        1..3 => assert_eq!(dict.remove(&field), model.remove(&field).is_some()),
        _ if !grow => {
            let victim = model.keys().nth(random.below(model.len().max(1) as u64) as usize);
            let victim = victim.cloned().unwrap_or_default();
            assert_eq!(dict.remove(&victim), model.remove(&victim).is_some());
        }
        _ => {
            let (value, keep) = (text(random, 1000), random.below(2) == 0);
            let is_new = dict.insert(&field, &value, keep);
            let was = model.get(&field).and_then(|held| held.1).filter(|_| keep);
            assert_eq!(is_new, model.insert(field, (value, was)).is_none());
        }
    }
}

fn assert_same(dict: &Dict<true>, model: &Model) {
    dict.check_invariants();
    assert_eq!(dict.len(), model.len());
    let due = model.values().filter_map(|held| held.1).min();
    assert_eq!(dict.next_deadline(), due);
    let held: Model = dict
        .iter()
        .map(|entry| (entry.field.to_vec(), (entry.value.to_vec(), entry.deadline)))
        .collect();
    assert_eq!(&held, model);
    for (field, (value, deadline)) in model {
        let entry = dict.get(field).expect("the model has it");
        assert_eq!((entry.value, entry.deadline), (&value[..], *deadline));
    }
}

#[test]
fn a_dictionary_does_what_a_map_does_while_it_grows_and_shrinks() {
    for seed in 0..6 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let (mut dict, mut model) = (Dict::new(seed), Model::new());
        let kinds = [30, 400, 6000][seed as usize % 3];
        for phase in 0..8 {
            for _ in 0..kinds * 2 {
                change(&mut random, &mut dict, &mut model, kinds, phase % 3 < 2);
            }
            assert_same(&dict, &model);
        }
        for field in model.keys().cloned().collect::<Vec<_>>() {
            assert!(dict.remove(&field));
            model.remove(&field);
        }
        assert_same(&dict, &model);
        assert_eq!(dict.pages, 1, "an empty dictionary keeps one page");
    }
}

fn filled(elements: u64) -> Dict<false> {
    let mut dict = Dict::new(7);
    for number in 0..elements {
        dict.insert(format!("member:{number}").as_bytes(), b"", false);
    }
    dict
}

#[test]
fn a_walk_returns_what_stays_however_the_dictionary_grows_and_shrinks_meanwhile() {
    for seed in 0..20 {
        println!("seed {seed}");
        let mut random = Random::new(seed);
        let mut dict = filled(3000);
        let stays: BTreeSet<Vec<u8>> =
            (0..3000).step_by(10).map(|number| format!("member:{number}").into_bytes()).collect();
        let (mut cursor, mut seen, mut added) = (0, BTreeSet::new(), 3000);
        loop {
            cursor = dict.scan(cursor, 10, &mut |entry| {
                seen.insert(entry.field.to_vec());
            });
            if cursor == 0 {
                break;
            }
            let grows = random.below(2) == 0;
            for _ in 0..random.below(400) {
                if grows {
                    dict.insert(format!("member:{added}").as_bytes(), b"", false);
                    added += 1;
                } else {
                    let goes = format!("member:{}", random.below(added)).into_bytes();
                    if !stays.contains(&goes) {
                        dict.remove(&goes);
                    }
                }
            }
        }
        dict.check_invariants();
        assert!(stays.is_subset(&seen), "missing {:?}", stays.difference(&seen).next());
    }
}

#[test]
fn a_walk_of_a_dictionary_at_rest_returns_each_element_once_in_steps_of_about_count() {
    let dict = filled(5000);
    let (mut cursor, mut seen, mut steps) = (0, Vec::new(), 0);
    loop {
        let before = seen.len();
        cursor = dict.scan(cursor, 10, &mut |entry| seen.push(entry.field.to_vec()));
        assert!(seen.len() - before < 40);
        steps += 1;
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 5000);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), 5000);
    assert!(steps > 200);
}

#[test]
fn any_number_is_a_cursor() {
    let dict = filled(100);
    for cursor in [1, u64::MAX, u64::MAX >> 16, 1 << 48, 12345678901234567890] {
        dict.scan(cursor, usize::MAX, &mut |_| ());
    }
}

#[test]
fn every_element_is_drawn_equally_often() {
    let dict = filled(1000);
    let mut random = Random::new(5);
    let mut drawn = BTreeMap::new();
    for _ in 0..200_000 {
        let entry = dict.random(&mut random).expect("it is not empty");
        *drawn.entry(entry.field.to_vec()).or_insert(0u32) += 1;
    }
    assert_eq!(drawn.len(), 1000);
    // 200 each on average, standard deviation 14.
    let squares: f64 = drawn.values().map(|&count| (f64::from(count) - 200.0).powi(2)).sum();
    assert!((850.0..1150.0).contains(&(squares / 200.0)), "chi squared {}", squares / 200.0);
    assert!(Dict::<false>::new(0).random(&mut random).is_none());
}

#[test]
fn an_element_costs_at_most_six_bytes_beyond_its_bytes_and_lengths() {
    let mut dict = Dict::<true>::new(1);
    for number in 0..200_000u32 {
        dict.insert(format!("{number:010}").as_bytes(), b"0123456789", false);
        if number >= 5_000 && number % 1000 == 0 {
            let beyond = dict.heap_bytes() as f64 / f64::from(number + 1) - 22.0;
            assert!(beyond <= 6.0, "{beyond} at {number}");
        }
    }
}

#[test]
fn what_is_due_is_found_and_the_earliest_deadline_known() {
    let mut dict = Dict::<true>::new(3);
    for number in 0..20_000i64 {
        let field = number.to_string().into_bytes();
        dict.insert(&field, b"v", false);
        if number % 2 == 0 {
            dict.set_deadline(&field, Some(number));
        }
    }
    let mut due = Vec::new();
    dict.for_each_due(100, usize::MAX, &mut |entry| due.push(entry.field.to_vec()));
    assert_eq!(due.len(), 50, "a field lives through the millisecond of its deadline");
    let mut some = 0;
    dict.for_each_due(100, 7, &mut |_| some += 1);
    assert_eq!(some, 7);
    for field in &due {
        dict.remove(field);
    }
    assert_eq!(dict.next_deadline(), Some(100));
    dict.set_deadline(b"100", None);
    dict.insert(b"102", b"w", false);
    dict.insert(b"104", b"w", true);
    assert_eq!(dict.next_deadline(), Some(104), "a new value clears the deadline unless kept");
    dict.check_invariants();
}

#[test]
fn a_dictionary_nobody_refers_to_is_freed_in_slices() {
    let mut dict = filled(50_000);
    let (mut calls, pages) = (1, dict.pages);
    while dict.dismantle(10) {
        calls += 1;
    }
    assert!(calls >= pages / 11 && calls <= pages / 10 + 2, "{calls} calls for {pages} pages");
}

#[test]
fn long_texts_survive_every_relayout() {
    let mut dict = Dict::<true>::new(9);
    let long = |number: u32| format!("{number}:").repeat(100);
    for number in 0..3000 {
        dict.insert(long(number).as_bytes(), long(number + 1).as_bytes(), false);
    }
    dict.check_invariants();
    for number in 0..3000 {
        let entry = dict.get(long(number).as_bytes()).expect("it was put in");
        assert_eq!(entry.value, long(number + 1).as_bytes());
        if number % 10 > 0 {
            assert!(dict.remove(long(number).as_bytes()));
        }
    }
    dict.check_invariants();
    assert_eq!(dict.len(), 300);
}
