//! Finding a key first and deciding afterwards: the door looks at the deadline before it lets
//! anybody see the entry.

use super::entry::{EntryRef, Header, flag};
use super::table::{BUCKET_WORDS, Bucket, prefetch_entries};
use super::{KeyRef, Keyspace, hash16};
use crate::memory::Handle;
use freehold_protocol::slot::Slot;

/// Keys that [`Keyspace::prefetch`] asks for in one call; those beyond are left alone.
pub const PREFETCH_MAX: usize = 16;

/// A key that was found, with what its entry's header said then. Good until the keyspace changes.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    pub handle: Handle,
    header: Header,
}

impl Hit {
    /// Whether its entry has a deadline, which may have passed.
    #[inline]
    pub fn has_deadline(&self) -> bool {
        self.header.has(flag::DEADLINE)
    }

    /// The access clock of its entry.
    #[inline]
    pub fn access(&self) -> u32 {
        self.header.access()
    }
}

impl Keyspace {
    /// Where the entry of a key lies, whether its deadline has passed or not. The handle is good
    /// until the keyspace changes.
    #[inline]
    pub fn find(&self, db: u8, key: &KeyRef<'_>) -> Option<Handle> {
        self.locate(db, key).map(|found| found.handle)
    }

    /// As [`Keyspace::find`], with what the entry says of itself.
    #[inline]
    pub fn hit(&self, db: u8, key: &KeyRef<'_>) -> Option<Hit> {
        let found = self.locate(db, key)?;
        Some(Hit { handle: found.handle, header: found.header })
    }

    /// The entry of a key that was just found, its access clock moved to `access`.
    #[inline]
    pub fn visit(&mut self, hit: Hit, access: u32) -> EntryRef<'_> {
        let bytes = self.slab.tail_mut(hit.handle);
        debug_assert!(hit.header == Header::read(bytes), "nothing has changed since it was found");
        let header = hit.header.with_access(access);
        if header != hit.header {
            header.write(bytes);
        }
        EntryRef::with_header(header, bytes, &self.outside)
    }

    /// Asks for all that looking up these keys will read, stage by stage: every table's header,
    /// then every bucket through the headers that have arrived, then the entries through the
    /// buckets.
    #[inline]
    pub fn prefetch(&self, db: u8, keys: impl Iterator<Item = (Slot, u64)> + Clone) {
        const NO_WORDS: &Bucket = &[0; BUCKET_WORDS];
        let tables = &self.dbs[usize::from(db)].tables;
        keys.clone().for_each(|(slot, _)| tables.prefetch_header(self.local(slot)));
        let mut homes = [NO_WORDS; PREFETCH_MAX];
        for (home, (slot, hash)) in homes.iter_mut().zip(keys.clone()) {
            let table = tables.get(self.local(slot));
            *home = table.and_then(|table| table.prefetch_home(hash16(hash))).unwrap_or(NO_WORDS);
        }
        for (home, (_, hash)) in homes.into_iter().zip(keys) {
            prefetch_entries(home, hash16(hash), |handle| self.slab.prefetch(handle));
        }
    }

    /// An empty keyspace over all slots that places keys as this one does.
    pub fn like(&self) -> Keyspace {
        Keyspace {
            hasher: self.hasher.clone(),
            rules: self.rules.clone(),
            ..Keyspace::new(0..freehold_protocol::slot::SLOT_COUNT, self.databases(), [0; 4])
        }
    }

    /// Whether any key here has a deadline, or a field of one.
    pub fn has_deadlines(&self) -> bool {
        self.dbs.iter().any(|db| db.expires > 0 || !db.fields.is_empty())
    }

    /// Whether some hash has fields with deadlines, or had them: a deadline that was far off when
    /// it was taken away is remembered until then.
    pub fn has_field_deadlines(&self) -> bool {
        self.dbs.iter().any(|db| !db.fields.is_empty())
    }
}
