//! A run against a vector of texts, changed at random places, read from both ends.

use super::*;
use crate::base::random::Random;

/// Texts of every class: empty, short, around each length of the layout, integers around every
/// class, and what only looks like an integer.
fn some_text(random: &mut Random) -> Vec<u8> {
    let lengths = [0, 1, 5, 20, 63, 64, 127, 128, 129, 255, 256, 300, 65_535, 65_536];
    let edges = [0, 118, 119, 127, 128, 32_767, 32_768, 8_388_607, 8_388_608, i64::MAX >> 16];
    match random.below(8) {
        0 => b"007".to_vec(),
        1 => b"-0".to_vec(),
        2 => i64::MIN.to_string().into_bytes(),
        3 => (random.next_u64() as i64 >> random.below(64)).to_string().into_bytes(),
        4 => {
            let edge = edges[random.below(10) as usize] + random.below(3) as i64 - 1;
            (if random.below(2) == 0 { edge } else { -edge }).to_string().into_bytes()
        }
        5 => vec![random.next_u64() as u8; lengths[random.below(lengths.len() as u64) as usize]],
        _ => vec![b'a' + random.below(3) as u8; random.below(4) as usize],
    }
}

fn texts(elements: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    elements.collect()
}

fn text(element: Element<'_>) -> Vec<u8> {
    element.text(&mut itoa::Buffer::new()).to_vec()
}

fn check(bytes: &[u8], model: &[Vec<u8>], seed: u64) {
    let run = Run::new(bytes);
    assert_eq!(texts(run.iter().map(text)), model, "seed {seed}");
    let mut place = run.back();
    let mut back = Vec::new();
    while let Some((element, before)) = run.prev(place) {
        back.insert(0, text(element));
        place = before;
    }
    assert_eq!((place, &back[..]), (Place::FRONT, model), "seed {seed}");
    assert_eq!(run.count(), model.len());
    assert_eq!(bytes.is_empty(), model.is_empty(), "an empty run holds nothing");
}

#[test]
fn a_run_holds_what_was_put_where_it_was_put() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let (mut bytes, mut model) = (Vec::new(), Vec::<Vec<u8>>::new());
        for _ in 0..200 {
            let new = some_text(&mut random);
            let encoded = Encoded::of(&new);
            assert_eq!(text(encoded.element()), new);
            let count = model.len();
            let index = random.below(count as u64 + 1) as usize;
            let end = index + random.below((count - index) as u64 + 1) as usize;
            let run = Run::new(&bytes);
            let (from, to) = (run.place(index, count), run.place(end, count));
            let front = Place::FRONT;
            match random.below(7) {
                0 | 1 => {
                    push_back(&mut bytes, 0, &encoded);
                    model.push(new);
                }
                2 => {
                    splice(&mut bytes, 0, front, front, Some(&encoded));
                    model.insert(0, new);
                }
                3 | 4 => {
                    splice(&mut bytes, 0, from, from, Some(&encoded));
                    model.insert(index, new);
                }
                5 => {
                    splice(&mut bytes, 0, from, to, Some(&encoded));
                    model.splice(index..end, [new]);
                }
                _ => {
                    splice(&mut bytes, 0, from, to, None);
                    model.drain(index..end);
                }
            }
            check(&bytes, &model, seed);
        }
    }
}

#[test]
fn an_element_is_found_from_both_sides_whatever_its_class() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let model: Vec<Vec<u8>> = (0..30).map(|_| some_text(&mut random)).collect();
        let mut bytes = Vec::new();
        model.iter().for_each(|new| push_back(&mut bytes, 0, &Encoded::of(new)));
        let run = Run::new(&bytes);
        for wanted in model.iter().chain([&some_text(&mut random)]) {
            let needle = Encoded::of(wanted);
            let first = run.find(&needle, Place::FRONT);
            assert_eq!(first.map(|found| found.0), model.iter().position(|m| m == wanted));
            let last = run.find_back(&needle, run.back());
            assert_eq!(last.map(|found| found.0), model.iter().rev().position(|m| m == wanted));
            if let Some((_, place)) = first {
                let (element, _) = run.next(place).expect("the place is before the element");
                assert_eq!(text(element), *wanted, "seed {seed}");
            }
            if let Some((_, place)) = last {
                let (element, _) = run.prev(place).expect("the place is behind the element");
                assert_eq!(text(element), *wanted, "seed {seed}");
            }
        }
    }
}

#[test]
fn an_element_costs_its_text_and_one_byte_and_integers_less() {
    let bytes = |text: &[u8]| Encoded::of(text).bytes();
    assert_eq!((bytes(b""), bytes(b"abc"), bytes(&[b'x'; 127])), (1, 4, 128));
    assert_eq!((bytes(&[b'x'; 128]), bytes(&[b'x'; 256])), (131, 261));
    assert_eq!((bytes(b"118"), bytes(b"-1"), bytes(b"119")), (1, 2, 2));
    assert_eq!((bytes(b"1000"), bytes(b"100000"), bytes(b"100000000")), (3, 4, 5));
    assert_eq!((bytes(b"1700000000000"), bytes(b"9223372036854775807")), (7, 9));
}
