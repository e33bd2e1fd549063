//! A digest of what the keyspace means: equal for equal content, whatever the order of writes,
//! the encodings, the sizes of tables or the number of cores. The digests of all cores add up to
//! that of the node.

use super::{EntryRef, Keyspace, ValueRef};
use freehold_protocol::slot::Slot;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

impl EntryRef<'_> {
    /// Digest of one key in database `db`: key, type, value and deadline.
    pub fn digest(&self, db: u8) -> u128 {
        let mut buffer = itoa::Buffer::new();
        let value_hash = match self.value() {
            ValueRef::Collection(value) => value.digest(),
            string => xxh3_64(string.text(&mut buffer)),
        };
        let mut bytes = vec![db];
        bytes.extend_from_slice(self.kind().name().as_bytes());
        match self.expiry() {
            None => bytes.push(0),
            Some(deadline) => {
                bytes.push(1);
                bytes.extend_from_slice(&deadline.0.to_le_bytes());
            }
        }
        bytes.extend_from_slice(self.key());
        xxh3_128_with_seed(&bytes, value_hash)
    }
}

impl Keyspace {
    /// Digest of all databases: the sum of its keys' digests, so 0 when empty.
    pub fn digest(&self) -> u128 {
        (0..self.dbs.len()).map(|db| self.digest_db(db as u8)).fold(0, u128::wrapping_add)
    }

    /// Digest of one database.
    pub fn digest_db(&self, db: u8) -> u128 {
        let mut sum = 0u128;
        self.for_each(db, |entry| sum = sum.wrapping_add(entry.digest(db)));
        sum
    }

    /// Digest of one slot in all databases.
    pub fn digest_slot(&self, slot: Slot) -> u128 {
        let mut sum = 0u128;
        for db in 0..self.dbs.len() as u8 {
            self.keys_in_slot(db, slot, usize::MAX, |entry| {
                sum = sum.wrapping_add(entry.digest(db));
            });
        }
        sum
    }
}
