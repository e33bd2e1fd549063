//! When to look at the hashes whose fields have deadlines. The hash knows its earliest one; here
//! is, for each such hash, a moment to look at it, in order, and nothing about the fields.
//!
//! A moment stands in the index until it comes, even if the deadline has gone or moved meanwhile:
//! looking in vain is harmless, and whoever looks notes the next moment. Moments are coarse while
//! they are far off, so that a hash whose deadlines move at every request is noted a few times
//! and not once a request. The earliest deadline is met within 32 ms; about 32 bytes a moment.

use std::collections::BTreeSet;

use super::{KeyRef, Keyspace};
use crate::base::time::UnixMillis;
use crate::memory::Handle;
use crate::value::{Hash, View};

/// Moments are multiples of this, and of more when they are far off.
const GRAIN_MS: i64 = 32;

/// A moment lies at most this part of the time that is left before its deadline.
const EARLY_PART: i64 = 8;

/// The moments at which hashes of one database are to be looked at.
#[derive(Default, Debug)]
pub(super) struct FieldIndex(BTreeSet<Visit>);

/// Ordered by the moment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Visit {
    at_ms: i64,
    hash: u64,
    slot: u16,
}

impl FieldIndex {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take_due(&mut self, now: i64) -> Option<Visit> {
        self.0.first().filter(|visit| visit.at_ms < now)?;
        self.0.pop_first()
    }
}

/// When to look for a field with this deadline: shortly after it when it is near, otherwise
/// somewhat before it.
fn moment(now: i64, deadline: i64) -> i64 {
    let early = deadline.saturating_sub(now) / EARLY_PART;
    if early < GRAIN_MS {
        return (deadline | (GRAIN_MS - 1)).max(0);
    }
    let grain = 1 << early.ilog2();
    deadline & -grain
}

impl Keyspace {
    /// Notes that the earliest deadline inside a key's value was one and is another now.
    #[inline]
    pub fn watch_fields(&mut self, db: u8, key: &KeyRef<'_>, was: Option<i64>, is: Option<i64>) {
        if let Some(deadline) = is
            && was.is_none_or(|was| deadline < was)
        {
            let visit = Visit {
                at_ms: moment(self.now.0, deadline),
                hash: key.hash,
                slot: key.slot.number(),
            };
            self.dbs[usize::from(db)].fields.0.insert(visit);
        }
    }

    /// A hash with a field whose deadline lies before `now`: its database and key. It is not noted
    /// any more; whoever has dealt with it calls [`Keyspace::watch_fields`]. Looks at no more than
    /// `visits` hashes and counts them down.
    pub fn take_due_fields(
        &mut self,
        now: UnixMillis,
        visits: &mut usize,
    ) -> Option<(u8, Vec<u8>)> {
        self.now = now;
        for db in 0..self.dbs.len() {
            while *visits > 0
                && let Some(visit) = self.dbs[db].fields.take_due(now.0)
            {
                *visits -= 1;
                let Some(handle) = self.find_hashed(db, visit) else { continue };
                let entry = self.entry(handle);
                let deadline = entry.collection::<Hash>().and_then(View::next_deadline);
                let key = entry.key().to_vec();
                match deadline {
                    None => {}
                    Some(deadline) if deadline < now.0 => return Some((db as u8, key)),
                    Some(_) => {
                        let key = self.key_ref(&key);
                        self.watch_fields(db as u8, &key, None, deadline);
                    }
                }
            }
        }
        None
    }

    /// The entry of a hash, by the hash of its key alone.
    fn find_hashed(&self, db: usize, visit: Visit) -> Option<Handle> {
        let slot = usize::from(visit.slot).checked_sub(usize::from(self.slots.start))?;
        let table = self.dbs[db].tables.get(slot)?;
        let (_, handle) = table.find((visit.hash >> 48) as u16, |handle| {
            let key = self.entry(handle).key();
            (self.hasher.hash(key) == visit.hash).then_some(handle)
        })?;
        Some(handle)
    }
}

#[cfg(test)]
mod tests {
    use super::moment;
    use crate::base::random::Random;

    #[test]
    fn a_moment_is_never_late_by_more_than_a_grain_and_comes_closer_each_time() {
        let mut random = Random::new(1);
        for _ in 0..10_000 {
            let mut now = random.below(1 << 45) as i64;
            let bits = random.below(42);
            let deadline = now + random.below(1 << bits) as i64;
            let mut visits = 0;
            while now <= deadline {
                let at = moment(now, deadline);
                assert!(at >= now && at < deadline + 32, "{now} {deadline} {at}");
                now = at + 1;
                visits += 1;
            }
            assert!(visits < 20, "{visits}");
        }
    }
}
