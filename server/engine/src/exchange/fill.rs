//! Putting what was read where it belongs: before a shard serves anybody, keys go straight into
//! its keyspace.

use crate::base::time::UnixMillis;
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
