//! What must hold of a keyspace between calls, asserted by tests after random operations.

use super::Keyspace;
use super::cut::CutState;
use super::db::Db;
use super::entry::{Header, flag};
use super::expiry::decode;
use super::table::word;
use crate::base::time::UnixMillis;
use crate::value::{Kind, Value};

impl Keyspace {
    /// Asserts counts, indexes and accounts against what is there. O(keys), for tests.
    pub fn check_invariants(&self) {
        self.slab.check_invariants();
        self.doomed.check_invariants();
        assert_eq!(self.db_bytes, self.dbs.iter().map(Db::held_bytes).sum::<usize>());
        let (mut block_bytes, mut outside_bytes) = (0, 0);
        for db in &self.dbs {
            self.check_counts(db);
            for slot in db.tables.used_slots() {
                for word in db.tables.table(slot).words() {
                    block_bytes += self.slab.block_bytes(word::handle(word)) as u64;
                    outside_bytes += self.outside_bytes(word);
                    self.check_due(db, slot, word);
                    self.check_side(word);
                }
            }
        }
        if !self.has_doomed() {
            assert_eq!(self.slab.used_bytes(), block_bytes, "no block is lost");
            assert_eq!(self.outside.heap_bytes, outside_bytes, "nothing outside is lost");
        }
    }

    /// Asserts what every collection promises of itself. O(elements), for tests.
    pub fn check_values(&self) {
        for db in 0..self.dbs.len() as u8 {
            self.for_each(db, |entry| {
                let part = entry.part();
                if part.kind == Kind::String {
                    return;
                }
                let inside;
                let value = if part.outside {
                    self.outside.values.get(entry.header().value_index(entry.raw()))
                } else {
                    inside = Value::from_inline(part.kind, part.encoding, part.field.to_vec());
                    &inside
                };
                value.check_invariants(&self.rules);
                assert!(!value.is_spent(), "an empty collection is no key");
            });
        }
    }

    fn check_counts(&self, db: &Db) {
        let (len, expires) = db.tables.used_slots().fold((0, 0), |(len, expires), slot| {
            (len + db.tables.len(slot), expires + db.tables.expires(slot))
        });
        let groups = db.groups.iter().fold((0, 0), |(len, expires), group| {
            (len + group.len as usize, expires + group.expires as usize)
        });
        assert_eq!((db.len, db.expires), (len, expires));
        assert_eq!(groups, (len, expires));
        db.tables.check_invariants();
        let deadlines: Vec<UnixMillis> = db
            .tables
            .used_slots()
            .flat_map(|slot| db.tables.table(slot).words())
            .filter_map(|word| self.entry(word::handle(word)).expiry())
            .collect();
        assert_eq!(deadlines.len(), expires);
        let sum: i128 = deadlines.iter().map(|deadline| i128::from(deadline.0)).sum();
        let mean = if expires == 0 { 0 } else { sum / expires as i128 };
        assert_eq!(i128::from(db.avg_ttl_ms(UnixMillis(0))), mean.max(0));
    }

    fn outside_bytes(&self, word: u64) -> usize {
        let entry = self.slab.tail(word::handle(word));
        let header = Header::read(entry);
        let key = match header.has(flag::KEY_OUTSIDE) {
            true => self.outside.keys.get(header.key_index(entry)).len(),
            false => 0,
        };
        let value = match header.has(flag::VALUE_OUTSIDE) {
            true => self.outside.values.get(header.value_index(entry)).heap_bytes(),
            false => 0,
        };
        key + value
    }

    fn check_side(&self, word: u64) {
        let header = Header::read(self.slab.tail(word::handle(word)));
        let complete = self.cut_state() == CutState::Complete;
        assert!(!complete || header.is_on(self.cut.side()), "no entry is left behind a cut");
    }

    fn check_due(&self, db: &Db, slot: usize, word: u64) {
        let due = word::due(word);
        let Some(deadline) = self.entry(word::handle(word)).expiry() else {
            assert_eq!(due, 0);
            return;
        };
        assert_ne!(due, 0);
        let base = db.expiry.base_of(slot);
        let tick = decode(base, due);
        assert!(tick <= super::expiry::due_tick(deadline).max(base + 1), "never late");
        assert!(db.expiry.reads_by(slot, tick), "the slot is read in time");
        let soonest = db.expiry.soonest().expect("something is due");
        assert!(soonest.0 <= tick as i64 * super::expiry::TICK_MS, "the sweep begins in time");
    }
}
