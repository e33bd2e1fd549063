use super::*;
use crate::base::random::Random;

fn view(value: &Value) -> ValueView<'_> {
    value.view().expect("a collection")
}

fn read_back(value: &Value) -> (Value, u16) {
    let mut body = Vec::new();
    let version = encode_value(view(value), &mut body);
    let mut input = Input::new(&body, 1 << 20);
    let form = Form::of(input.byte().expect("a type byte")).expect("a form");
    assert_eq!(form.kind(), value.kind());
    let back = decode_value(form, &mut input, &Rules::default()).expect("sound");
    assert_eq!(input.finish(), Ok(()));
    (back, version)
}

fn text(random: &mut Random) -> Vec<u8> {
    match random.below(4) {
        0 => (random.below(300) as i64 - 150).to_string().into_bytes(),
        1 => (random.next_u64() as i64).to_string().into_bytes(),
        2 => vec![b'x'; random.below(100) as usize],
        _ => random.next_u64().to_le_bytes()[..random.below(9) as usize].to_vec(),
    }
}

/// A value of each type, small or beyond the small forms.
fn some_value(kind: Kind, random: &mut Random) -> Value {
    let range = [5, 1000][random.below(2) as usize];
    let count = 1 + random.below(range);
    let rules = Rules::default();
    let (mut list, mut set, mut sorted) = (List::default(), Set::default(), SortedSet::default());
    let (mut hash, mut stream) = (Hash::default(), Stream::default());
    for number in 0..count {
        let (element, value) = (text(random), text(random));
        match kind {
            Kind::List => {
                let elements = Elements::One(&element);
                list.apply(ListEdit::Push { end: End::Right, elements }, &rules);
            }
            Kind::Set => {
                set.apply(SetEdit::Add(&element), &rules);
            }
            Kind::SortedSet => {
                let score = random.below(100) as f64 / 8.0;
                sorted.apply(SortedSetEdit::Set { member: &element, score }, &rules);
            }
            Kind::Hash => {
                let (field, value) = (&element[..], &value[..]);
                hash.apply(HashEdit::Set { field, value, keep_deadline: false }, &rules);
                if random.below(8) == 0 {
                    let at = 1_800_000_000_000 + random.below(1000) as i64;
                    hash.apply(HashEdit::Deadline(field, Some(at)), &rules);
                }
            }
            Kind::Stream | Kind::String => {
                let mut framed = Vec::new();
                for part in [&b"name"[..], &element, b"other", &value] {
                    framed.extend_from_slice(&(part.len() as u32).to_le_bytes());
                    framed.extend_from_slice(part);
                }
                let fields = Fields::decode(&framed).expect("pairs");
                let id = StreamId::new(number / 3 + 1, number);
                stream.apply(StreamEdit::Add { id, fields }, &rules);
                if random.below(5) == 0 {
                    stream.apply(StreamEdit::Delete { id }, &rules);
                }
            }
        }
    }
    match kind {
        Kind::List => list.into_value(),
        Kind::Set => set.into_value(),
        Kind::SortedSet => sorted.into_value(),
        Kind::Hash => hash.into_value(),
        Kind::Stream | Kind::String => {
            add_groups(&mut stream, random);
            stream.into_value()
        }
    }
}

fn add_groups(stream: &mut Stream, random: &mut Random) {
    let rules = Rules::default();
    for group in [&b"g"[..], b"h"] {
        let last = StreamId::new(random.below(400), random.below(3));
        let read = [None, Some(random.below(1000))][random.below(2) as usize];
        stream.apply(StreamEdit::CreateGroup { group, last, read }, &rules);
        for consumer in [&b"alice"[..], b"bob"] {
            let at = 1_700_000_000_000;
            stream.apply(StreamEdit::CreateConsumer { group, consumer, at }, &rules);
            // The form of Redis 7.0 does not tell attempts from successes.
            stream.apply(StreamEdit::See { group, consumer, at, active: true }, &rules);
        }
        for number in 0..random.below(40) {
            let consumer = if random.below(2) == 0 { &b"alice"[..] } else { b"bob" };
            let (id, at) = (StreamId::new(number, 0), 1_700_000_000_000 + number as i64);
            let deliveries = 1 + random.below(9);
            stream.apply(StreamEdit::Assign { group, consumer, id, at, deliveries }, &rules);
        }
    }
}

#[test]
fn every_collection_reads_back_equal_to_what_was_written() {
    let kinds = [Kind::List, Kind::Set, Kind::SortedSet, Kind::Hash, Kind::Stream];
    for seed in 0..40 {
        for kind in kinds {
            let value = some_value(kind, &mut Random::new(seed));
            let (back, version) = read_back(&value);
            assert_eq!(view(&back).digest(), view(&value).digest(), "seed {seed}, {kind:?}");
            let newer = matches!(&value, Value::Hash(hash) if hash.next_deadline().is_some());
            assert_eq!(version, if newer { 12 } else { 10 }, "seed {seed}, {kind:?}");
        }
    }
}

#[test]
fn what_damaged_bytes_read_as_is_a_sound_value_or_nothing() {
    let kinds = [Kind::List, Kind::Set, Kind::SortedSet, Kind::Hash, Kind::Stream];
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let value = some_value(kinds[random.below(5) as usize], &mut random);
        let mut body = Vec::new();
        encode_value(view(&value), &mut body);
        body.truncate(4000);
        for _ in 0..50 {
            let mut changed = body.clone();
            for _ in 0..1 + random.below(3) {
                let at = 1 + random.below(changed.len() as u64 - 1) as usize;
                changed[at] = random.next_u64() as u8;
            }
            let mut input = Input::new(&changed, 1 << 20);
            let form = input.byte().ok().and_then(Form::of).expect("the type byte is as it was");
            let Ok(read) = decode_value(form, &mut input, &Rules::default()) else { continue };
            let copy = view(&read).duplicate(&Rules::default());
            assert_eq!(view(&copy).digest(), view(&read).digest(), "seed {seed}");
            check(&read);
        }
    }
}

fn check(value: &Value) {
    let rules = Rules::default();
    match value {
        Value::Bytes(_) => {}
        Value::List(list) => list.check_invariants(&rules),
        Value::Set(set) => set.check_invariants(&rules),
        Value::SortedSet(sorted) => sorted.check_invariants(&rules),
        Value::Hash(hash) => hash.check_invariants(&rules),
        Value::Stream(stream) => stream.check_invariants(&rules),
    }
}
