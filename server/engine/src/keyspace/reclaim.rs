//! Forgetting whole databases at once and freeing them in slices. FLUSHDB puts the tables aside;
//! when nothing else is left, the slab and the long values go with them, and pages are freed
//! without looking at a single entry. What edits have left undone in living values is done here
//! too.

use super::Keyspace;
use super::db::Db;
use super::outside::Outside;
use super::table::word;
use super::tables::Tables;
use crate::memory::Slab;
use crate::value::Value;

/// Pages, or values outside, that go in one step; a step costs about what freeing a few entries
/// does.
const DROPPED_A_STEP: usize = 4;

/// Pieces of a living value that are tidied in one step: each reads some hundred elements.
const TIDIED_A_STEP: usize = 2;

/// What has been flushed and still takes memory.
#[derive(Default, Debug)]
pub(super) struct Doomed {
    /// Tables whose entries lie among living ones.
    tables: Vec<Tables>,
    /// Tables whose entries are gone, or lie in a doomed slab.
    husks: Vec<Tables>,
    slabs: Vec<Slab>,
    outsides: Vec<Outside>,
    /// Large collections whose keys are gone.
    values: Vec<Value>,
    /// Heap bytes behind them. Kept while they come and go: under `maxmemory` every write asks, and
    /// when 20,000 had been unlinked each SET looked at all of them, three times.
    value_bytes: usize,
}

impl Doomed {
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
            && self.husks.is_empty()
            && self.slabs.is_empty()
            && self.outsides.is_empty()
            && self.values.is_empty()
    }

    /// A value that is to be freed in slices.
    pub fn push_value(&mut self, value: Value) {
        self.value_bytes += value.heap_bytes();
        self.values.push(value);
    }

    fn pop_value(&mut self) -> Option<Value> {
        let value = self.values.pop()?;
        self.value_bytes -= value.heap_bytes();
        Some(value)
    }

    /// Asserts the account. O(values), for tests.
    pub fn check_invariants(&self) {
        assert_eq!(self.value_bytes, self.values.iter().map(Value::heap_bytes).sum::<usize>());
    }

    #[inline]
    pub fn held_bytes(&self) -> usize {
        let slabs = self.slabs.iter().map(Slab::held_bytes).sum::<usize>();
        let outsides = self.outsides.iter().map(Outside::held_bytes).sum::<usize>();
        let tables = self.tables.iter().chain(&self.husks).map(Tables::held_bytes).sum::<usize>();
        tables + slabs + outsides + self.value_bytes
    }
}

impl Keyspace {
    /// Forgets every key of a database. O(1): memory follows in [`Keyspace::reclaim_slice`].
    pub fn flush(&mut self, db: u8) {
        let flushed = std::mem::replace(&mut self.dbs[usize::from(db)], Db::unused());
        if flushed.tables.slots() == 0 {
            return;
        }
        if flushed.len > 0 {
            self.give_up_cut();
        }
        self.db_bytes -= flushed.held_bytes();
        self.doomed.tables.push(flushed.tables);
        if self.is_empty() {
            self.doom_memory();
        }
    }

    /// Forgets every key of every database.
    pub fn flush_all(&mut self) {
        (0..self.dbs.len()).for_each(|db| self.flush(db as u8));
    }

    /// Whether flushed memory waits to be reclaimed.
    pub fn has_doomed(&self) -> bool {
        !self.doomed.is_empty()
    }

    /// Frees flushed memory, and what edits have left behind, about `budget` entries' worth
    /// (0.1 us each); `true` when more is left.
    pub fn reclaim_slice(&mut self, budget: usize) -> bool {
        let mut budget = budget as isize;
        while budget > 0 && self.has_leavings() {
            budget -= self.reclaim_step() as isize;
        }
        self.has_leavings()
    }

    /// Whether [`Keyspace::reclaim_slice`] has something to do.
    pub fn has_leavings(&self) -> bool {
        !self.doomed.is_empty() || self.outside.is_untidy()
    }

    /// No living key is left: all of the slab and the values go with what is doomed already.
    fn doom_memory(&mut self) {
        self.doomed.husks.append(&mut self.doomed.tables);
        self.doomed.slabs.push(std::mem::take(&mut self.slab));
        self.doomed.outsides.push(std::mem::take(&mut self.outside));
    }

    /// Tidies a value, or frees one table or a few pages or values; answers with what that cost.
    fn reclaim_step(&mut self) -> usize {
        if self.outside.is_untidy() {
            self.outside.tidy_some(TIDIED_A_STEP);
            return 4 * TIDIED_A_STEP;
        }
        if let Some(mut value) = self.doomed.pop_value() {
            if value.dismantle(DROPPED_A_STEP) {
                self.doomed.push_value(value);
            }
            return 2 * DROPPED_A_STEP;
        }
        if let Some(tables) = self.doomed.tables.pop() {
            return self.reclaim_slot(tables);
        }
        if let Some(tables) = self.doomed.husks.last_mut() {
            if !tables.drop_some(DROPPED_A_STEP) {
                self.doomed.husks.pop();
            }
            return 2 * DROPPED_A_STEP;
        }
        if let Some(slab) = self.doomed.slabs.last_mut() {
            if !slab.drop_some(DROPPED_A_STEP) {
                self.doomed.slabs.pop();
            }
        } else if let Some(outside) = self.doomed.outsides.last_mut()
            && !outside.drop_some(DROPPED_A_STEP)
        {
            self.doomed.outsides.pop();
        }
        2 * DROPPED_A_STEP
    }

    /// Frees the entries of the last slot; answers with what that cost.
    fn reclaim_slot(&mut self, mut tables: Tables) -> usize {
        let Some(last) = tables.slots().checked_sub(1) else {
            self.doomed.husks.push(tables);
            return 1;
        };
        let table = tables.table(last);
        table.words().for_each(|word| {
            self.release(word::handle(word));
        });
        let cost = 1 + table.len;
        tables.forget_last();
        self.doomed.tables.push(tables);
        cost
    }
}
