//! A cut hands out what was there at that moment, each key once, whatever happens while it is
//! being taken. Many keys share a slot, so that its table grows and shrinks under the walk.
//! `FREEHOLD_CUTS` says how many schedules are tried, `FREEHOLD_SEED` which one is the first.

use super::*;
use crate::base::random::Random;
use crate::effect::{apply, decode_all, encode_entry};
use crate::value::{Collection, Kind, List, ListEdit, Set, SetEdit, Stored};

const SCHEDULES: u64 = 10_000;
const DATABASES: usize = 2;

fn number_from(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

/// What a cut has handed out, beside what there was.
struct Copy {
    digest: u128,
    keys: usize,
    taken: usize,
    copy: Keyspace,
}

impl Copy {
    fn begin(keyspace: &mut Keyspace) -> Copy {
        keyspace.begin_cut(encode_entry);
        let keys = (0..DATABASES as u8).map(|db| keyspace.len(db)).sum();
        let copy = Keyspace::new(keyspace.slots(), DATABASES, [5; 4]);
        Copy { digest: keyspace.digest(), keys, taken: 0, copy }
    }

    /// One slice; true while there is more.
    fn slice(&mut self, keyspace: &mut Keyspace, visits: usize) -> bool {
        let mut walked = Chunk::default();
        let mut budget = CutBudget { visits, bytes: 2000 };
        let more = keyspace.cut_slice(&mut budget, &mut walked);
        self.take(&walked);
        while let Some(saved) = keyspace.take_saved(true) {
            self.take(&saved);
        }
        assert_eq!(keyspace.saved_bytes(), 0);
        more
    }

    fn take(&mut self, chunk: &Chunk) {
        self.taken += chunk.keys as usize;
        let slots = chunk.first_slot..=chunk.last_slot;
        let visit = |effect: crate::effect::Effect<'_>| {
            let key = effect.key().expect("only keys are handed out");
            assert!(slots.contains(&Slot::of_key(key).number()));
            assert!(apply(&mut self.copy, &effect, 0));
        };
        decode_all(&chunk.bytes, visit).expect("our own bytes");
    }

    fn agrees(&self) -> bool {
        self.taken == self.keys && self.copy.digest() == self.digest
    }
}

/// Half of the keys share a slot, and a few are too long for their entries.
fn name(random: &mut Random) -> Vec<u8> {
    match random.below(20) {
        0 => [b'l'; 300].to_vec(),
        1..8 => format!("key:{}", random.below(60)).into_bytes(),
        _ => format!("{{tag}}{}", random.below(400)).into_bytes(),
    }
}

fn text(random: &mut Random) -> Vec<u8> {
    match random.below(6) {
        0 => random.below(100_000).to_string().into_bytes(),
        1 => vec![b'L'; 900 + random.below(400) as usize],
        _ => vec![b's'; random.below(60) as usize],
    }
}

fn deadline(random: &mut Random, now: i64) -> Option<UnixMillis> {
    (random.below(3) == 0).then(|| UnixMillis(now + random.below(20_000) as i64))
}

/// One random change.
fn change(random: &mut Random, keyspace: &mut Keyspace, now: &mut i64) {
    let db = (random.below(8) == 0) as u8;
    let name_bytes = name(random);
    let key = keyspace.key_ref(&name_bytes);
    let text = text(random);
    match random.below(24) {
        0..7 => keyspace.set_string(db, &key, &text, deadline(random, *now), 1),
        7 => keyspace.set_integer(db, &key, random.below(1 << 40) as i64, None, 1),
        8 => keyspace.splice(db, &key, random.below(30) as usize, &text, 2),
        9 => {
            keyspace.edit_bytes(db, &key, 3, |bytes| bytes.push(b'x'));
        }
        10 | 11 => {
            keyspace.set_expiry(db, &key, deadline(random, *now));
        }
        12..16 => {
            keyspace.remove(db, &key);
        }
        16 => {
            let to = name(random);
            if let Some(taken) = keyspace.take(db, &key) {
                keyspace.put(1 - db, &keyspace.key_ref(&to), taken);
            }
        }
        17..20 => edit_list(keyspace, db, &key, &text),
        20 => {
            let mut encoded = Vec::new();
            Set::encode_edit(SetEdit::Add(&text), &mut encoded);
            keyspace.edit_encoded(db, &key, Kind::Set, &encoded, 4);
        }
        21 => {
            let mut set = Set::default();
            set.apply(SetEdit::Add(&text), keyspace.rules());
            keyspace.set_collection(db, &key, set.into_value(), deadline(random, *now), 5);
        }
        22 => remove_some(random, keyspace, db),
        _ => {
            *now += random.below(4000) as i64;
            keyspace.expire_slice(UnixMillis(*now), 1 + random.below(20) as usize, |_, _| {});
        }
    }
}

fn edit_list(keyspace: &mut Keyspace, db: u8, key: &KeyRef<'_>, text: &[u8]) {
    match keyspace.find(db, key) {
        Some(handle) if keyspace.entry(handle).kind() == Kind::List => {
            let mut list: List = keyspace.lend(db, handle).expect("a list");
            list.apply(ListEdit::Insert { index: 0, element: text }, keyspace.rules());
            keyspace.give_back(db, key, handle, list, true);
        }
        _ => {
            let mut list: List = keyspace.blank();
            list.apply(ListEdit::Insert { index: 0, element: text }, keyspace.rules());
            keyspace.set_collection(db, key, list.into_value(), None, 6);
        }
    }
}

/// So many at once that tables become smaller.
fn remove_some(random: &mut Random, keyspace: &mut Keyspace, db: u8) {
    let from = random.below(400);
    for n in from..from + 20 + random.below(200) {
        let name = format!("{{tag}}{n}");
        let key = keyspace.key_ref(name.as_bytes());
        keyspace.remove(db, &key);
    }
}

/// Two cuts in a row, with changes between any two slices; whether both handed out what there was.
fn schedule(seed: u64, flaw: Option<Flaw>) -> bool {
    let mut random = Random::new(seed);
    let mut keyspace = Keyspace::new(0..16384, DATABASES, [seed, 2, 3, 4]);
    let mut now = 1_000_000;
    for _ in 0..random.below(600) {
        change(&mut random, &mut keyspace, &mut now);
    }
    if let Some(flaw) = flaw {
        keyspace.set_cut_flaw(flaw);
    }
    for _ in 0..2 {
        let mut copy = Copy::begin(&mut keyspace);
        let visits = 600 + random.below(200) as usize; // most of it are tables without keys
        while copy.slice(&mut keyspace, 1 + random.below(visits as u64) as usize) {
            for _ in 0..random.below(12) {
                change(&mut random, &mut keyspace, &mut now);
            }
        }
        if !copy.agrees() {
            return false;
        }
        keyspace.check_invariants();
        for _ in 0..random.below(20) {
            change(&mut random, &mut keyspace, &mut now);
        }
    }
    true
}

#[test]
fn any_schedule_of_changes_leaves_the_cut_what_it_was() {
    let first = number_from("FREEHOLD_SEED", 0);
    for seed in first..first + number_from("FREEHOLD_CUTS", SCHEDULES) {
        assert!(schedule(seed, None), "FREEHOLD_SEED={seed}");
    }
}

/// Whichever change forgets to save, and if the walk trusts its place: some schedule tells.
#[test]
fn every_way_to_lose_a_key_from_the_cut_is_noticed() {
    for flaw in Flaw::ALL {
        let noticed = (0..500).find(|&seed| !schedule(seed, Some(flaw)));
        let seed = noticed.unwrap_or_else(|| panic!("nobody notices {flaw:?}"));
        println!("{flaw:?} is noticed by seed {seed}");
    }
}

#[test]
fn a_flush_or_a_swap_gives_the_cut_up_and_the_next_one_is_whole() {
    type Deed = fn(&mut Keyspace);
    let deeds: [Deed; 3] = [|k| k.flush(0), Keyspace::flush_all, |k| k.swap(0, 1)];
    for deed in deeds {
        let mut keyspace = keyspace();
        for n in 0..500u16 {
            let bytes = n.to_be_bytes();
            let key = keyspace.key_ref(&bytes);
            keyspace.set_string((n % 2) as u8, &key, b"v", None, 0);
        }
        keyspace.begin_cut(encode_entry);
        let mut walked = Chunk::default();
        let mut budget = CutBudget { visits: 800, bytes: usize::MAX };
        assert!(keyspace.cut_slice(&mut budget, &mut walked));
        assert!(walked.keys > 0);
        deed(&mut keyspace);
        assert_eq!(keyspace.cut_state(), CutState::GivenUp);
        set(&mut keyspace, b"new", b"v", None);
        assert!(keyspace.take_saved(true).is_none());
        let mut nothing = Chunk::default();
        let mut all = CutBudget { visits: usize::MAX, bytes: usize::MAX };
        assert!(!keyspace.cut_slice(&mut all, &mut nothing));
        assert_eq!(nothing.keys, 0, "what was given up is not handed out");
        keyspace.check_invariants();

        keyspace.begin_cut(encode_entry);
        let mut again = Chunk::default();
        assert!(!keyspace.cut_slice(&mut all, &mut again));
        assert_eq!(again.keys as usize, keyspace.len(0) + keyspace.len(1));
    }
}

#[test]
fn emptying_an_empty_database_leaves_the_cut_alone() {
    let mut keyspace = keyspace();
    set(&mut keyspace, b"k", b"v", None);
    keyspace.begin_cut(encode_entry);
    keyspace.flush(1);
    keyspace.swap(1, 2);
    keyspace.swap(0, 0);
    assert_eq!(keyspace.cut_state(), CutState::Saving);
}

#[test]
fn what_a_change_saves_takes_memory_until_it_is_taken() {
    let mut keyspace = keyspace();
    for n in 0..1000u16 {
        set(&mut keyspace, &n.to_be_bytes(), &[b'v'; 200], None);
    }
    keyspace.begin_cut(encode_entry);
    for n in 0..1000u16 {
        set(&mut keyspace, &n.to_be_bytes(), b"short", None);
        set(&mut keyspace, &n.to_be_bytes(), b"again", None);
    }
    let saved = keyspace.saved_bytes();
    assert!((200_000..230_000).contains(&saved), "{saved}");
    let (mut chunks, mut keys) = (0, 0);
    while let Some(chunk) = keyspace.take_saved(true) {
        chunks += 1;
        keys += chunk.keys;
        assert!(chunk.bytes.len() < CHUNK_BYTES + 300);
    }
    assert_eq!((chunks, keys, keyspace.saved_bytes()), (4, 1000, 0));
}
