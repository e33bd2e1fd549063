//! Walking the keys of one core in a way that survives growth: slot by slot, and within a slot by
//! the top 16 bits of the hash, which order the table at every size. A key that is there
//! throughout is visited at least once, and twice only if its table was rebuilt meanwhile.

use super::table::word;
use super::{EntryRef, Keyspace};
use freehold_protocol::slot::Slot;

/// Slots without keys that one step passes before it comes back empty-handed: about 10 us.
const EMPTY_SLOTS_MAX: usize = 1024;

/// Where a walk stands: all keys of lower slots, and of this slot with a lower hash, have been
/// visited. Two 16-bit numbers, to be put into a cursor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ScanPosition {
    pub slot: u16,
    pub hash16: u16,
}

impl ScanPosition {
    /// Before the first key of `slot`.
    pub const fn at_slot(slot: u16) -> ScanPosition {
        ScanPosition { slot, hash16: 0 }
    }
}

impl Keyspace {
    /// Visits the next keys (those that share a home bucket, usually one to eight) and says where
    /// to go on; `None` when the last owned slot is done. May visit nothing: every call passes a
    /// bounded number of empty slots.
    pub fn scan(
        &self,
        db: u8,
        from: ScanPosition,
        mut visit: impl FnMut(EntryRef<'_>),
    ) -> Option<ScanPosition> {
        let tables = &self.dbs[usize::from(db)].tables;
        if tables.slots() == 0 {
            return None;
        }
        let first = self.slots.start;
        let from = from.max(ScanPosition::at_slot(first));
        let mut hash16 = from.hash16;
        let start = usize::from(from.slot - first);
        let end = tables.slots().min(start + EMPTY_SLOTS_MAX);
        for slot in start..end {
            let number = first + slot as u16;
            let behind = tables
                .table(slot)
                .visit_group(hash16, |word| visit(self.entry(word::handle(word))));
            match behind {
                Some(next) if next <= u32::from(u16::MAX) => {
                    return Some(ScanPosition { slot: number, hash16: next as u16 });
                }
                Some(_) => return self.slot_or_end(slot + 1),
                None => hash16 = 0,
            }
        }
        self.slot_or_end(end.max(start))
    }

    /// Visits up to `count` keys of one slot.
    pub fn keys_in_slot(
        &self,
        db: u8,
        slot: Slot,
        count: usize,
        mut visit: impl FnMut(EntryRef<'_>),
    ) {
        if let Some(table) = self.dbs[usize::from(db)].tables.get(self.local(slot)) {
            table.words().take(count).for_each(|word| visit(self.entry(word::handle(word))));
        }
    }

    /// Visits every key of a database. For answers that need them all (KEYS, DEBUG DIGEST). Groups
    /// of slots without keys are passed by.
    pub fn for_each(&self, db: u8, mut visit: impl FnMut(EntryRef<'_>)) {
        let db = &self.dbs[usize::from(db)];
        for slot in db.slots_around_keys() {
            let words = db.tables.table(slot).words();
            words.for_each(|word| visit(self.entry(word::handle(word))));
        }
    }

    fn slot_or_end(&self, local: usize) -> Option<ScanPosition> {
        (local < self.slots.len()).then(|| ScanPosition::at_slot(self.slots.start + local as u16))
    }
}
