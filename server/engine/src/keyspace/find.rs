//! Finding a key first and deciding afterwards: the door looks at the deadline before it lets
//! anybody see the entry.

use super::entry::Header;
use super::{KeyRef, Keyspace};
use crate::memory::Handle;
use freehold_protocol::slot::Slot;

impl Keyspace {
    /// Where the entry of a key lies, whether its deadline has passed or not. The handle is good
    /// until the keyspace changes.
    #[inline]
    pub fn find(&self, db: u8, key: &KeyRef<'_>) -> Option<Handle> {
        self.locate(db, key).map(|found| found.handle)
    }

    /// Moves the access clock of an entry that has just been found.
    #[inline]
    pub fn set_access_at(&mut self, handle: Handle, access: u32) {
        let entry = self.slab.bytes_mut(handle);
        let header = Header::read(entry);
        if header.access() != access {
            header.with_access(access).write(entry);
        }
    }

    /// All three prefetch stages for the keys of a batch, stage by stage.
    pub fn prefetch(&self, db: u8, keys: impl Iterator<Item = (Slot, u64)> + Clone) {
        keys.clone().for_each(|(slot, _)| self.prefetch_table(db, slot));
        keys.clone().for_each(|(slot, hash)| self.prefetch_bucket(db, slot, hash));
        keys.for_each(|(slot, hash)| self.prefetch_entries(db, slot, hash));
    }

    /// An empty keyspace over all slots that places keys as this one does.
    pub fn like(&self) -> Keyspace {
        Keyspace {
            hasher: self.hasher.clone(),
            ..Keyspace::new(0..freehold_protocol::slot::SLOT_COUNT, self.databases(), [0; 4])
        }
    }

    /// Whether any key here has a deadline.
    pub fn has_deadlines(&self) -> bool {
        self.dbs.iter().any(|db| db.expires > 0)
    }
}
