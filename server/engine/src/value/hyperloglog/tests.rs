use super::*;
use crate::base::random::Random;

/// Registers without any representation.
struct Model {
    registers: Vec<u8>,
}

impl Model {
    fn new() -> Model {
        Model { registers: vec![0; REGISTERS] }
    }

    fn raise(&mut self, mark: Mark) -> bool {
        let register = &mut self.registers[mark.index];
        let raised = *register < mark.run;
        *register = (*register).max(mark.run);
        raised
    }
}

fn registers_of(bytes: &[u8]) -> Vec<u8> {
    let dense = Sketch::of(bytes).expect("a sketch").to_dense().expect("a sound one");
    dense::values(&dense[HEADER_BYTES..]).collect()
}

fn random_mark(random: &mut Random) -> Mark {
    // Few registers and low values, so that equal neighbours are common.
    let index = random.below(300) as usize + REGISTERS * random.below(2) as usize / 2;
    let run = 1 + if random.below(50) == 0 { random.below(51) } else { random.below(4) };
    Mark { index, run: run as u8 }
}

#[test]
fn both_representations_hold_what_plain_registers_hold() {
    for seed in 0..30 {
        let mut random = Random::new(seed);
        let (mut bytes, mut model) = (empty(), Model::new());
        for step in 0..1500 {
            let mark = random_mark(&mut random);
            let expected = model.raise(mark);
            let raised = raise(&mut bytes, mark, 400, &mut Cursor::default());
            assert_eq!(raised, Ok(expected), "seed {seed}, step {step}");
            let held = Sketch::of(&bytes).expect("a sketch").register(mark.index);
            assert_eq!(held, Ok(model.registers[mark.index]), "seed {seed}, step {step}");
        }
        assert_eq!(registers_of(&bytes), model.registers, "seed {seed}");
        assert!(Sketch::of(&bytes).expect("a sketch").is_dense());
    }
}

#[test]
fn a_cursor_changes_no_byte() {
    for seed in 0..60 {
        let mut random = Random::new(seed);
        let mut base = empty();
        for _ in 0..random.below(200) {
            let mark = random_mark(&mut random);
            raise(&mut base, mark, 12_000, &mut Cursor::default()).expect("sound");
        }
        let mut marks: Vec<Mark> = (0..300).map(|_| random_mark(&mut random)).collect();
        marks.sort_by_key(|mark| mark.index);
        let (mut plain, mut quick, mut cursor) = (base.clone(), base, Cursor::default());
        for mark in marks {
            raise(&mut plain, mark, 12_000, &mut Cursor::default()).expect("sound");
            raise(&mut quick, mark, 12_000, &mut cursor).expect("sound");
            assert_eq!(plain, quick, "seed {seed}, {mark:?}");
        }
    }
}

#[test]
fn estimates_are_within_a_few_standard_errors() {
    let (mut bytes, mut cursor) = (empty(), Cursor::default());
    let mut checkpoint = 1;
    for number in 1..=200_000_u64 {
        let mark = Mark::of(&number.to_le_bytes());
        raise(&mut bytes, mark, 3000, &mut cursor).expect("sound");
        cursor = Cursor::default();
        if number == checkpoint {
            let count = Sketch::of(&bytes).expect("a sketch").count().expect("sound");
            let error = count.abs_diff(number) as f64 / number as f64;
            assert!(error <= 6.0 * 1.04 / 128.0, "{number} counted as {count}");
            let mut union = Union::default();
            union.add(Sketch::of(&bytes).expect("a sketch")).expect("sound");
            assert_eq!(union.count(), count);
            checkpoint *= 10;
        }
    }
}

#[test]
fn a_dense_change_is_the_bytes_a_raise_writes() {
    let mut random = Random::new(5);
    let mut bytes = Sketch::of(&empty()).expect("a sketch").to_dense().expect("sound");
    for _ in 0..4000 {
        let index = [random.below(REGISTERS as u64) as usize, REGISTERS - 1]
            [usize::from(random.below(20) == 0)];
        let mark = Mark { index, run: 1 + random.below(51) as u8 };
        let change = Sketch::of(&bytes).expect("a sketch").dense_change(mark);
        let mut expected = bytes.clone();
        raise(&mut expected, mark, 3000, &mut Cursor::default()).expect("sound");
        if let Some((at, pair)) = change {
            bytes[at..at + 2].copy_from_slice(&pair);
        }
        assert_eq!(bytes, expected);
    }
}

#[test]
fn damaged_bytes_are_refused_and_never_panic() {
    for seed in 0..3000 {
        let mut random = Random::new(seed);
        let mut bytes = empty();
        for _ in 0..random.below(40) {
            let mark = random_mark(&mut random);
            raise(&mut bytes, mark, 3000, &mut Cursor::default()).expect("sound");
        }
        for _ in 0..1 + random.below(3) {
            let at = HEADER_BYTES + random.below((bytes.len() - HEADER_BYTES) as u64) as usize;
            match random.below(3) {
                0 => bytes[at] = random.next_u64() as u8,
                1 => bytes.truncate(at + 1),
                _ => bytes.push(random.next_u64() as u8),
            }
        }
        let Some(sketch) = Sketch::of(&bytes) else { continue };
        let counted = sketch.count();
        assert_eq!(sketch.to_dense().is_ok(), counted.is_ok(), "seed {seed}");
        assert_eq!(Union::default().add(sketch).is_ok(), counted.is_ok(), "seed {seed}");
        for _ in 0..20 {
            let mut copy = bytes.clone();
            let mark = random_mark(&mut random);
            let _either_way = raise(&mut copy, mark, 60, &mut Cursor::default());
        }
    }
}

#[test]
fn only_a_whole_header_makes_a_sketch() {
    assert!(Sketch::of(&empty()).is_some());
    for cut in 0..HEADER_BYTES {
        assert!(Sketch::of(&empty()[..cut]).is_none(), "{cut} bytes");
    }
    let mut unknown = empty();
    unknown[ENCODING_AT] = 2;
    assert!(Sketch::of(&unknown).is_none());
    unknown[ENCODING_AT] = 0;
    assert!(Sketch::of(&unknown).is_none(), "dense, but not of that length");
}
