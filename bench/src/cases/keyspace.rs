//! Lookups and changes in a keyspace too large for any cache. Keys are drawn at random afresh for
//! every run and laid out in the order of use: the misses measured are the keyspace's own.

use std::cell::{OnceCell, RefCell};
use std::hint::black_box;
use std::rc::Rc;

use freehold_engine::base::random::Random;
use freehold_engine::keyspace::{KeyRef, Keyspace};
use freehold_protocol::SLOT_COUNT;

use super::{BATCH, Case, OPERATIONS, Work};
use crate::keys::{self, Key};

pub const HASH_SEED: [u64; 4] = [1, 2, 3, 4];
const VALUE: [u8; 64] = [b'v'; 64];

/// An empty keyspace that owns every slot, with one database.
pub fn empty() -> Keyspace {
    Keyspace::new(0..SLOT_COUNT, 1, HASH_SEED)
}

/// One keyspace for all cases, filled when the first of them needs it.
#[derive(Clone)]
pub struct Filled {
    keys: u64,
    keyspace: Rc<OnceCell<RefCell<Keyspace>>>,
}

impl Filled {
    pub fn later(keys: u64) -> Filled {
        Filled { keys, keyspace: Rc::new(OnceCell::new()) }
    }

    fn keyspace(&self) -> &RefCell<Keyspace> {
        self.keyspace.get_or_init(|| {
            let mut keyspace = empty();
            for index in 0..self.keys {
                let key = keys::key(index);
                let key = keyspace.key_ref(&key);
                keyspace.set_string(0, &key, &VALUE, None, 0);
            }
            RefCell::new(keyspace)
        })
    }
}

/// A case over the filled keyspace and freshly drawn keys.
struct OverKeys<F> {
    filled: Filled,
    random: Random,
    /// Keys are drawn from `first..first + range`.
    first: u64,
    drawn: Vec<Key>,
    each: F,
}

impl<F: FnMut(&mut Keyspace, &[Key])> Work for OverKeys<F> {
    fn prepare(&mut self) {
        self.filled.keyspace();
        let range = self.filled.keys;
        self.drawn = keys::drawn(&mut self.random, self.first, range, OPERATIONS as usize);
    }

    fn run(&mut self) {
        (self.each)(&mut self.filled.keyspace().borrow_mut(), &self.drawn);
    }
}

fn over_keys(
    name: &'static str,
    filled: &Filled,
    first: u64,
    each: impl FnMut(&mut Keyspace, &[Key]) + 'static,
) -> Case {
    let (filled, random) = (filled.clone(), Random::new(5));
    Case::new(name, OverKeys { filled, random, first, drawn: Vec::new(), each })
}

pub fn slot_and_hash(name: &'static str, filled: &Filled) -> Case {
    over_keys(name, filled, 0, |keyspace, drawn| {
        for key in drawn {
            black_box(keyspace.key_ref(black_box(key)));
        }
    })
}

pub fn lookup_hit(name: &'static str, filled: &Filled) -> Case {
    over_keys(name, filled, 0, |keyspace, drawn| {
        for key in drawn {
            let entry = keyspace.get(0, &keyspace.key_ref(key)).expect("the key was stored");
            black_box(entry.value());
        }
    })
}

/// As a shard does it for a pipeline: every key's table, then every bucket, then every entry is
/// asked for before the first lookup.
fn prefetch<'a>(keyspace: &Keyspace, batch: &'a [Key]) -> [KeyRef<'a>; BATCH] {
    let known = std::array::from_fn(|at| keyspace.key_ref(&batch[at]));
    keyspace.prefetch(0, known.iter().map(|key| (key.slot, key.hash)));
    known
}

pub fn lookup_hit_prefetched(name: &'static str, filled: &Filled) -> Case {
    over_keys(name, filled, 0, |keyspace, drawn| {
        for batch in drawn.chunks_exact(BATCH) {
            for key in &prefetch(keyspace, batch) {
                black_box(keyspace.get(0, key).expect("the key was stored").value());
            }
        }
    })
}

pub fn overwrite_prefetched(name: &'static str, filled: &Filled) -> Case {
    over_keys(name, filled, 0, |keyspace, drawn| {
        for batch in drawn.chunks_exact(BATCH) {
            for key in &prefetch(keyspace, batch) {
                keyspace.set_string(0, key, black_box(&VALUE), None, 1);
            }
        }
    })
}

pub fn lookup_miss(name: &'static str, filled: &Filled) -> Case {
    over_keys(name, filled, filled.keys, |keyspace, drawn| {
        for key in drawn {
            assert!(keyspace.get(0, &keyspace.key_ref(key)).is_none());
        }
    })
}

pub fn overwrite(name: &'static str, filled: &Filled) -> Case {
    over_keys(name, filled, 0, |keyspace, drawn| {
        for key in drawn {
            let key = keyspace.key_ref(key);
            keyspace.set_string(0, &key, black_box(&VALUE), None, 1);
        }
    })
}

/// New keys beside the million; `prepare` of the next run takes them out again.
struct Insert {
    filled: Filled,
    fresh: Vec<Key>,
}

impl Work for Insert {
    fn prepare(&mut self) {
        let mut keyspace = self.filled.keyspace().borrow_mut();
        for key in &self.fresh {
            let key = keyspace.key_ref(key);
            keyspace.remove(0, &key);
        }
    }

    fn run(&mut self) {
        let mut keyspace = self.filled.keyspace().borrow_mut();
        for key in &self.fresh {
            let key = keyspace.key_ref(key);
            keyspace.set_string(0, &key, black_box(&VALUE), None, 1);
        }
    }
}

fn fresh(filled: &Filled) -> Vec<Key> {
    (0..OPERATIONS).map(|index| keys::key(2 * filled.keys + index)).collect()
}

pub fn insert(name: &'static str, filled: &Filled) -> Case {
    Case::new(name, Insert { filled: filled.clone(), fresh: fresh(filled) })
}

/// The reverse of [`Insert`].
struct Remove(Insert);

impl Work for Remove {
    fn prepare(&mut self) {
        self.0.run();
    }

    fn run(&mut self) {
        self.0.prepare();
    }
}

pub fn remove(name: &'static str, filled: &Filled) -> Case {
    let insert = Insert { filled: filled.clone(), fresh: fresh(filled) };
    Case::new(name, Remove(insert))
}
