//! The keys of one core: a hash table per slot and database, entries in the core's slab, long
//! values beside it. Nothing here looks at a clock or decides what a command means: an expired
//! key is found until somebody removes it, the door above does that.
//!
//! A hit costs the table header, one bucket (rarely two) and the entry: three cache lines, no
//! allocation. Writing over a key whose entry keeps its size class happens in place.

mod collections;
mod cut;
mod db;
mod digest;
mod entry;
pub mod eviction;
mod expiry;
mod fields;
mod find;
mod form;
mod invariants;
mod outside;
mod reclaim;
mod sample;
mod scan;
mod store;
mod sweep;
mod table;
mod tables;
mod transfer;
mod write;

#[cfg(test)]
pub use cut::Flaw;
pub use cut::{CHUNK_BYTES, Chunk, CutBudget, CutState, Encode};
pub use entry::{EntryRef, ValueRef};
pub use find::{Hit, PREFETCH_MAX};
pub use form::StringForm;
pub use scan::ScanPosition;
pub use transfer::Taken;

use crate::base::time::UnixMillis;
use crate::memory::{Handle, Slab};
use crate::value::Rules;
use cut::Cut;
use db::Db;
use entry::Header;
use freehold_protocol::slot::Slot;
use outside::Outside;
use reclaim::Doomed;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use table::Place;

/// A key with what is computed from it once per request.
#[derive(Clone, Copy, Debug)]
pub struct KeyRef<'a> {
    pub bytes: &'a [u8],
    pub slot: Slot,
    pub hash: u64,
}

impl KeyRef<'_> {
    /// The part of the hash the table keeps.
    #[inline]
    fn hash16(&self) -> u16 {
        hash16(self.hash)
    }
}

#[inline]
fn hash16(hash: u64) -> u16 {
    (hash >> 48) as u16
}

/// The keyed hash of keys. All cores of a node share the seed, so that a key travels with its
/// hash; a client that does not know it cannot choose keys that collide.
#[derive(Clone, Debug)]
pub struct KeyHasher(ahash::RandomState);

impl KeyHasher {
    /// The hash with this seed.
    pub fn new(seed: [u64; 4]) -> KeyHasher {
        KeyHasher(ahash::RandomState::with_seeds(seed[0], seed[1], seed[2], seed[3]))
    }

    /// Hash of a key's bytes.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    /// Slot and hash of a key.
    #[inline]
    pub fn key_ref<'a>(&self, key: &'a [u8]) -> KeyRef<'a> {
        KeyRef { bytes: key, slot: Slot::of_key(key), hash: self.hash(key) }
    }
}

/// Where a key was found. Valid until the keyspace changes.
#[derive(Clone, Copy)]
struct Found {
    place: Place,
    handle: Handle,
    header: Header,
}

/// The databases of one core, over its contiguous range of slots.
#[derive(Debug)]
pub struct Keyspace {
    slab: Slab,
    outside: Outside,
    dbs: Vec<Db>,
    /// Sum of [`Db::held_bytes`].
    db_bytes: usize,
    slots: Range<u16>,
    hasher: KeyHasher,
    doomed: Doomed,
    /// For edits of strings that live in their entries.
    scratch: Vec<u8>,
    /// The last time seen, for databases that are opened later.
    now: UnixMillis,
    /// The database whose turn it is to be swept first.
    sweep_db: usize,
    rules: Rules,
    cut: Cut,
}

impl Keyspace {
    /// An empty keyspace that owns `slots`. Cores of one node must be given the same seed.
    ///
    /// # Panics
    /// When the range ends beyond the last slot, or there are more than 256 databases.
    pub fn new(slots: Range<u16>, databases: usize, seed: [u64; 4]) -> Keyspace {
        assert!(slots.end <= freehold_protocol::slot::SLOT_COUNT);
        assert!(databases <= 256);
        Keyspace {
            slab: Slab::new(),
            outside: Outside::default(),
            dbs: (0..databases).map(|_| Db::unused()).collect(),
            db_bytes: 0,
            slots,
            hasher: KeyHasher::new(seed),
            doomed: Doomed::default(),
            scratch: Vec::new(),
            now: UnixMillis(0),
            sweep_db: 0,
            rules: Rules { hash_seed: seed[0] ^ seed[3].rotate_left(32), ..Rules::default() },
            cut: Cut::default(),
        }
    }

    /// Slot and hash of a key.
    #[inline]
    pub fn key_ref<'a>(&self, key: &'a [u8]) -> KeyRef<'a> {
        self.hasher.key_ref(key)
    }

    /// The hash of keys, the same on every core of the node.
    pub fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// The slots whose keys are kept here.
    pub fn slots(&self) -> Range<u16> {
        self.slots.clone()
    }

    /// Whether keys of `slot` are kept here.
    #[inline]
    pub fn owns(&self, slot: Slot) -> bool {
        self.slots.contains(&slot.number())
    }

    /// How many databases there are.
    pub fn databases(&self) -> usize {
        self.dbs.len()
    }

    /// The numbers of the databases. All of them: the 256th is 255, and 256 is no byte.
    pub fn numbers(&self) -> impl Iterator<Item = u8> + use<> {
        (0..self.dbs.len()).map(|number| number as u8)
    }

    /// The entry of a key, whether its deadline has passed or not. Three cache lines, no
    /// allocation.
    #[inline]
    pub fn get(&self, db: u8, key: &KeyRef<'_>) -> Option<EntryRef<'_>> {
        let table = self.dbs[usize::from(db)].tables.get(self.local(key.slot))?;
        let probe = |handle| EntryRef::of_key(self.slab.tail(handle), &self.outside, key.bytes);
        table.find(key.hash16(), probe).map(|(_, entry)| entry)
    }

    /// Whether there is such a key, whether its deadline has passed or not.
    #[inline]
    pub fn contains(&self, db: u8, key: &KeyRef<'_>) -> bool {
        self.get(db, key).is_some()
    }

    /// How many keys a database holds here.
    #[inline]
    pub fn len(&self, db: u8) -> usize {
        self.dbs[usize::from(db)].len
    }

    /// Whether no database holds a key here.
    pub fn is_empty(&self) -> bool {
        self.dbs.iter().all(|db| db.len == 0)
    }

    /// How many of a database's keys have a deadline.
    #[inline]
    pub fn expires(&self, db: u8) -> usize {
        self.dbs[usize::from(db)].expires
    }

    /// How many keys of a slot a database holds.
    pub fn len_slot(&self, db: u8, slot: Slot) -> usize {
        let tables = &self.dbs[usize::from(db)].tables;
        tables.get(self.local(slot)).map_or(0, |table| table.len)
    }

    /// Mean milliseconds to live of a database's keys with a deadline; 0 without any. Exact, not
    /// sampled as in Redis.
    pub fn avg_ttl(&self, db: u8, now: UnixMillis) -> i64 {
        self.dbs[usize::from(db)].avg_ttl_ms(now)
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, a: u8, b: u8) {
        if a != b && self.len(a) + self.len(b) > 0 {
            self.give_up_cut();
        }
        self.dbs.swap(usize::from(a), usize::from(b));
    }

    /// Bytes held for keys: pages of the slab, tables, long keys and values, and what waits to be
    /// reclaimed. Kept while it changes: a handful of additions.
    #[inline]
    pub fn accounted_bytes(&self) -> usize {
        self.slab.held_bytes()
            + self.outside.held_bytes()
            + self.db_bytes
            + self.doomed.held_bytes()
    }

    /// Bytes a database takes beside its entries: tables and the index of deadlines.
    pub fn overhead_bytes(&self, db: u8) -> usize {
        self.dbs[usize::from(db)].held_bytes()
    }

    /// Bytes held from the allocator that no entry uses.
    #[inline]
    pub fn free_bytes(&self) -> u64 {
        self.slab.free_bytes()
    }

    /// Bytes one key takes here: its block, its table word, and what it keeps outside.
    pub fn memory_usage(&self, db: u8, key: &KeyRef<'_>) -> Option<usize> {
        let found = self.locate(db, key)?;
        let entry = self.slab.bytes(found.handle);
        let mut bytes = entry.len() + size_of::<u64>();
        if found.header.has(entry::flag::KEY_OUTSIDE) {
            bytes += size_of::<Box<[u8]>>() + key.bytes.len();
        }
        if found.header.has(entry::flag::VALUE_OUTSIDE) {
            let value = self.outside.values.get(found.header.value_index(entry));
            bytes += size_of_val(value) + value.heap_bytes();
        }
        Some(bytes)
    }

    /// Where a slot stands among the owned ones; beyond them all if it is not owned.
    #[inline]
    fn local(&self, slot: Slot) -> usize {
        debug_assert!(self.owns(slot));
        slot.index().wrapping_sub(usize::from(self.slots.start))
    }

    #[inline]
    fn locate(&self, db: u8, key: &KeyRef<'_>) -> Option<Found> {
        let table = self.dbs[usize::from(db)].tables.get(self.local(key.slot))?;
        let (place, (handle, header)) = table.find(key.hash16(), |handle| {
            let entry = EntryRef::of_key(self.slab.tail(handle), &self.outside, key.bytes)?;
            Some((handle, entry.header()))
        })?;
        Some(Found { place, handle, header })
    }

    /// The entry a handle leads to.
    #[inline]
    pub fn entry(&self, handle: Handle) -> EntryRef<'_> {
        EntryRef::new(self.slab.tail(handle), &self.outside)
    }
}

#[cfg(test)]
mod tests;
