//! Choosing keys at random: every key of the core is equally likely to be the first one chosen,
//! however unevenly slots are filled. Groups of slots are counted, so the choice walks at most
//! 128 groups and 128 slots.

use super::db::{Counts, Db, GROUP_SLOTS};
use super::table::{BUCKET_WORDS, Place, Table, word};
use super::{EntryRef, Keyspace};
use crate::base::random::Random;

/// Draws after which RANDOMKEY gives up on a key that pleases its caller.
const DRAWS_MAX: usize = 100;

/// Slots a sample may be collected from: enough unless slots hold less than a key on average.
const SLOTS_MAX: usize = 8;

impl Keyspace {
    /// A key that `accept` likes, every one equally likely; `None` when the database is empty or
    /// a hundred draws did not please.
    pub fn random_key(
        &self,
        db: u8,
        random: &mut Random,
        mut accept: impl FnMut(&EntryRef<'_>) -> bool,
    ) -> Option<EntryRef<'_>> {
        let db = &self.dbs[usize::from(db)];
        for _ in 0..DRAWS_MAX {
            let (slot, _) = db.choose_slot(random, false)?;
            let table = db.tables.table(slot);
            let entry = self.entry(word::handle(table.word(table.random_place(random, false))));
            if accept(&entry) {
                return Some(entry);
            }
        }
        None
    }

    /// Visits about `count` keys for the eviction pool: neighbours in one table, which the hash
    /// has made strangers, or in several when the table holds fewer. `volatile_only` looks only
    /// at keys with a deadline.
    pub fn sample(
        &self,
        db: u8,
        random: &mut Random,
        volatile_only: bool,
        count: usize,
        mut visit: impl FnMut(EntryRef<'_>),
    ) {
        let db = &self.dbs[usize::from(db)];
        let mut left = count;
        for _ in 0..SLOTS_MAX {
            if left == 0 {
                return;
            }
            let Some((slot, held)) = db.choose_slot(random, volatile_only) else { return };
            let table = db.tables.table(slot);
            let start = table.random_place(random, volatile_only);
            let take = left.min(held);
            table.neighbours(start, volatile_only).take(take).for_each(|word| {
                visit(self.entry(word::handle(word)));
            });
            left -= take;
        }
    }
}

impl Db {
    /// A slot, as likely as it holds keys of the wanted kind, and how many it holds.
    fn choose_slot(&self, random: &mut Random, volatile_only: bool) -> Option<(usize, usize)> {
        let total = if volatile_only { self.expires } else { self.len };
        if total == 0 {
            return None;
        }
        let held = |slot| match volatile_only {
            true => self.tables.expires(slot),
            false => self.tables.len(slot),
        };
        let mut rank = random.below(total as u64) as usize;
        let counted = |counts: &Counts| match volatile_only {
            true => counts.expires as usize,
            false => counts.len as usize,
        };
        let group = self.groups.iter().position(|group| skip(&mut rank, counted(group)))?;
        let first = group * GROUP_SLOTS;
        let slot =
            first + (first..self.tables.slots()).position(|slot| skip(&mut rank, held(slot)))?;
        Some((slot, held(slot)))
    }
}

/// Whether the rank lies within the next `count`; takes them off if not.
fn skip(rank: &mut usize, count: usize) -> bool {
    if *rank < count {
        return true;
    }
    *rank -= count;
    false
}

impl<'a> Table<'a> {
    /// A word of the wanted kind, every one equally likely; there must be one. Draws until it
    /// hits, which a table at least a third full makes short; where words with a deadline are
    /// rare, the next one behind a draw is taken.
    fn random_place(self, random: &mut Random, volatile_only: bool) -> Place {
        let words = (self.buckets.len() * BUCKET_WORDS) as u64;
        let wanted = |word: u64| word != 0 && !(volatile_only && word::due(word) == 0);
        let mut at = 0;
        for _ in 0..2 * BUCKET_WORDS {
            at = random.below(words) as usize;
            let place = Place { bucket: at / BUCKET_WORDS, index: at % BUCKET_WORDS };
            if wanted(self.word(place)) {
                return place;
            }
        }
        let mut places = (at..words as usize)
            .chain(0..at)
            .map(|at| Place { bucket: at / BUCKET_WORDS, index: at % BUCKET_WORDS });
        places.find(|place| wanted(self.word(*place))).expect("a slot is chosen for what it holds")
    }

    /// Words of the wanted kind from `start` on, cyclically, each once.
    fn neighbours(self, start: Place, volatile_only: bool) -> impl Iterator<Item = u64> {
        let words = self.buckets.len() * BUCKET_WORDS;
        let start = start.bucket * BUCKET_WORDS + start.index;
        let all = self.buckets.as_flattened();
        (0..words)
            .map(move |step| all[(start + step) % words])
            .filter(move |word| *word != 0 && !(volatile_only && word::due(*word) == 0))
    }
}
