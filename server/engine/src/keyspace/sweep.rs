//! Removing keys whose deadline has passed, in bounded steps: which slot and which word is due
//! is known to `expiry`; here the words are read, the owners told and the entries removed.

use super::Keyspace;
use super::cut::Change;
use super::db::Db;
use super::expiry::{NEVER, Sweep, decode};
use super::table::{BUCKET_WORDS, Bucket, Place, word};
use crate::base::time::UnixMillis;

/// Slots passed without a look cost about 1 ns each; so many count as one visit.
const SLOTS_A_VISIT: usize = 64;

/// Buckets read for due fields that count as one visit.
const BUCKETS_A_VISIT: usize = 8;

impl Keyspace {
    /// Removes keys whose deadline has passed, telling database and key of each before it goes,
    /// until none is left or the budget is used up; `true` when there is more to do at once. A
    /// visit is one removal or the reading of a few cache lines, roughly 0.2 us. No more keys are
    /// removed than the budget says (unless the clock has just jumped by more than half a
    /// minute), but a slot once begun is read to its end.
    pub fn expire_slice(
        &mut self,
        now: UnixMillis,
        budget_visits: usize,
        mut tell: impl FnMut(u8, &[u8]),
    ) -> bool {
        self.now = now;
        let mut budget = budget_visits;
        for _ in 0..self.dbs.len() {
            let db = self.sweep_db;
            if self.dbs[db].tables.slots() > 0 && self.sweep_db(db, now, &mut budget, &mut tell) {
                return true;
            }
            self.sweep_db = (db + 1) % self.dbs.len();
        }
        false
    }

    /// When the next sweep may find something, for a core that wants to sleep. It may be in the
    /// past, and there may be nothing after all. `None`: no key has a deadline.
    pub fn next_expiry(&self) -> Option<UnixMillis> {
        self.dbs.iter().filter(|db| db.expires > 0).filter_map(|db| db.expiry.soonest()).min()
    }

    fn sweep_db(
        &mut self,
        db: usize,
        now: UnixMillis,
        budget: &mut usize,
        tell: &mut impl FnMut(u8, &[u8]),
    ) -> bool {
        if !self.dbs[db].expiry.begin(now) {
            return false;
        }
        loop {
            if *budget == 0 {
                return true;
            }
            let (slot, passed) = self.dbs[db].expiry.next_slot();
            *budget = budget.saturating_sub(passed / SLOTS_A_VISIT);
            let Some(slot) = slot else { return false };
            let read = self.dbs[db].tables.table(slot).buckets.len() / BUCKETS_A_VISIT;
            match self.dbs[db].expiry.sweep() {
                Sweep::Back => self.renew_slot(db, slot),
                _ if !self.sweep_slot(db, slot, now, budget, tell) => return true,
                _ => {}
            }
            // Charged afterwards: a slot too large for any budget must still make progress.
            *budget = budget.saturating_sub(read);
            let change = self.dbs[db].shrink(slot);
            self.db_bytes = self.db_bytes.wrapping_add_signed(change);
        }
    }

    /// Reads all words of the slot once; `false` when the budget ended before that.
    fn sweep_slot(
        &mut self,
        db: usize,
        slot: usize,
        now: UnixMillis,
        budget: &mut usize,
        tell: &mut impl FnMut(u8, &[u8]),
    ) -> bool {
        let expiry = &self.dbs[db].expiry;
        let (base, target, first) = (expiry.base(), expiry.target(), expiry.bucket());
        let may_stop = expiry.sweep() == Sweep::Forward;
        let buckets = self.dbs[db].tables.table(slot).buckets.len();
        let mut soonest = NEVER;
        for step in 0..buckets {
            let bucket = (first + step) % buckets;
            let table = self.dbs[db].tables.table(slot);
            if let Some(tick) = soonest_unless_due(&table.buckets[bucket], base, target) {
                soonest = soonest.min(tick);
                continue;
            }
            let mut index = 0;
            while index < BUCKET_WORDS {
                let place = Place { bucket, index };
                let found = self.dbs[db].tables.table(slot).word(place);
                if found == 0 {
                    break;
                }
                index += 1;
                let due = word::due(found);
                if due == 0 {
                    continue;
                }
                let tick = decode(base, due);
                if tick > target {
                    soonest = soonest.min(tick);
                    continue;
                }
                let entry = self.entry(word::handle(found));
                match entry.expiry() {
                    Some(deadline) if now <= deadline => {
                        soonest = soonest.min(self.dbs[db].renew(slot, place, deadline));
                    }
                    _ if *budget == 0 && may_stop => {
                        self.dbs[db].expiry.slot_left(bucket);
                        return false;
                    }
                    _ => {
                        *budget = budget.saturating_sub(1);
                        self.expire(db, slot, place, tell);
                        index -= 1; // another word may have moved here
                    }
                }
            }
        }
        self.dbs[db].expiry.slot_done(soonest);
        true
    }

    fn expire(&mut self, db: usize, slot: usize, place: Place, tell: &mut impl FnMut(u8, &[u8])) {
        let handle = word::handle(self.dbs[db].tables.table(slot).word(place));
        tell(db as u8, self.entry(handle).key());
        let header = self.entry(handle).header();
        self.keep(db as u8, handle, header, Change::Expire);
        let deadline = self.release(handle);
        self.dbs[db].remove(slot, place, deadline);
    }

    /// The clock was set back: writes every due field of the slot anew. Those that were past when
    /// they were written tell nothing, their entries are asked.
    fn renew_slot(&mut self, db: usize, slot: usize) {
        let base = self.dbs[db].expiry.base();
        let mut soonest = NEVER;
        for bucket in 0..self.dbs[db].tables.table(slot).buckets.len() {
            for index in 0..BUCKET_WORDS {
                let place = Place { bucket, index };
                let found = self.dbs[db].tables.table(slot).word(place);
                if word::due(found) == 0 {
                    continue;
                }
                let tick = decode(base, word::due(found));
                let deadline = match tick == base + 1 {
                    true => self.entry(word::handle(found)).expiry(),
                    false => None,
                };
                let renewed = match deadline {
                    Some(deadline) => self.dbs[db].renew(slot, place, deadline),
                    None => self.dbs[db].renew_tick(slot, place, tick),
                };
                soonest = soonest.min(renewed);
            }
        }
        self.dbs[db].expiry.slot_done(soonest);
    }
}

/// The earliest tick of a bucket's words, or nothing when one of them is due by `target`: most
/// buckets of a slot that is due are passed by this.
#[inline]
fn soonest_unless_due(bucket: &Bucket, base: u64, target: u64) -> Option<u64> {
    let mut soonest = NEVER;
    for &found in bucket {
        let due = word::due(found);
        if due != 0 {
            soonest = soonest.min(decode(base, due));
        }
    }
    (soonest > target).then_some(soonest)
}

impl Db {
    /// Writes a due field anew from the deadline; answers with its tick.
    fn renew(&mut self, slot: usize, place: Place, deadline: UnixMillis) -> u64 {
        let (due, tick) = self.expiry.renew(deadline);
        self.write_due(slot, place, due);
        tick
    }

    /// As [`Db::renew`], from the tick it stood for.
    fn renew_tick(&mut self, slot: usize, place: Place, tick: u64) -> u64 {
        let (due, tick) = self.expiry.renew_tick(tick);
        self.write_due(slot, place, due);
        tick
    }

    fn write_due(&mut self, slot: usize, place: Place, due: u16) {
        let old = self.tables.table(slot).word(place);
        self.tables.replace(slot, place, word::with_due(old, due));
    }
}
