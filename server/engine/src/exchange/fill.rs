//! Putting what was read where it belongs: before a shard serves anybody, keys go straight into
//! its keyspace.

use std::ops::Range;

use freehold_protocol::slot::Slot;

use crate::base::time::UnixMillis;
use crate::keyspace::{KeyRef, PREFETCH_MAX};
use crate::shard::Shard;
use crate::value::rdb::Content;

/// How many keys have come, by database, and how many were not worth keeping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Keys of each database.
    pub keys: Vec<u64>,
    /// Keys whose deadline had passed.
    pub expired: u64,
}

impl Filled {
    /// One more key of a database.
    pub fn count(&mut self, db: u8) {
        let place = usize::from(db);
        if self.keys.len() <= place {
            self.keys.resize(place + 1, 0);
        }
        self.keys[place] += 1;
    }

    pub fn total(&self) -> u64 {
        self.keys.iter().sum()
    }

    /// What two readers have found together.
    pub fn add(&mut self, other: &Filled) {
        if self.keys.len() < other.keys.len() {
            self.keys.resize(other.keys.len(), 0);
        }
        self.keys.iter_mut().zip(&other.keys).for_each(|(mine, theirs)| *mine += theirs);
        self.expired += other.expired;
    }
}

/// The key now holds this in a shard that nobody is served by yet: no effect is noted, no deadline
/// looked at.
pub fn put(
    shard: &mut Shard,
    db: u8,
    key: &[u8],
    content: Content<'_>,
    expiry: Option<UnixMillis>,
) {
    let access = shard.core.access;
    let keyspace = &mut shard.core.keyspace;
    let key = keyspace.key_ref(key);
    match content {
        Content::Text(text) => {
            let mut digits = itoa::Buffer::new();
            keyspace.set_string(db, &key, text.bytes(&mut digits), expiry, access);
        }
        Content::Collection(value) => keyspace.set_collection(db, &key, value, expiry, access),
    }
}

/// Short strings wait for each other so that their places in the tables are fetched together: in a
/// table of millions the way to a place costs more than the rest of the work for a key.
const WAITING_BYTES_MAX: usize = 1024;

/// A short string that waits, its key and text in [`Fill::bytes`].
struct Waiting {
    key: Range<usize>,
    text: Range<usize>,
    slot: Slot,
    hash: u64,
    expiry: Option<UnixMillis>,
}

/// Keys on their way into a shard, in their order; [`Fill::finish`] puts the last.
#[derive(Default)]
pub struct Fill {
    db: u8,
    bytes: Vec<u8>,
    waiting: Vec<Waiting>,
}

impl Fill {
    /// As [`put`], perhaps a few keys later.
    pub fn put(
        &mut self,
        shard: &mut Shard,
        db: u8,
        key: &[u8],
        content: Content<'_>,
        expiry: Option<UnixMillis>,
    ) {
        if self.db != db || self.waiting.len() == PREFETCH_MAX {
            self.finish(shard);
            self.db = db;
        }
        let mut digits = itoa::Buffer::new();
        match &content {
            Content::Text(text) if text.bytes(&mut digits).len() <= WAITING_BYTES_MAX => {
                let KeyRef { slot, hash, .. } = shard.core.keyspace.key_ref(key);
                let (key, text) = (self.keep(key), self.keep(text.bytes(&mut digits)));
                self.waiting.push(Waiting { key, text, slot, hash, expiry });
            }
            _ => {
                self.finish(shard);
                put(shard, db, key, content, expiry);
            }
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Puts what waits.
    pub fn finish(&mut self, shard: &mut Shard) {
        let access = shard.core.access;
        let keyspace = &mut shard.core.keyspace;
        keyspace.prefetch(self.db, self.waiting.iter().map(|key| (key.slot, key.hash)));
        for Waiting { key, text, slot, hash, expiry } in self.waiting.drain(..) {
            let key = KeyRef { bytes: &self.bytes[key], slot, hash };
            keyspace.set_string(self.db, &key, &self.bytes[text], expiry, access);
        }
        self.bytes.clear();
    }
}
