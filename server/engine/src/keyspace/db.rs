//! One database of one core: a table per owned slot, and the counts that make DBSIZE, INFO and
//! fair sampling cheap. A database that was never written costs nothing: its tables come with
//! its first key.

use super::expiry::ExpiryIndex;
use super::fields::FieldIndex;
use super::table::{Place, word};
use super::tables::Tables;
use crate::base::time::UnixMillis;

/// Slots that are counted together: choosing a random key walks the groups, then the slots of
/// one, so both are kept short.
pub(super) const GROUP_SLOTS: usize = 128;

/// What a group of slots holds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    pub len: u32,
    pub expires: u32,
}

/// One database.
#[derive(Debug)]
pub(super) struct Db {
    /// Without slots until the first key comes.
    pub tables: Tables,
    pub groups: Vec<Counts>,
    pub expiry: ExpiryIndex,
    /// When to look at hashes whose fields have deadlines.
    pub fields: FieldIndex,
    pub len: usize,
    pub expires: usize,
    /// Sum of all deadlines, for the average INFO prints.
    deadline_sum: i128,
}

impl Db {
    /// A database without tables.
    pub fn unused() -> Db {
        Db {
            tables: Tables::default(),
            groups: Vec::new(),
            expiry: ExpiryIndex::new(0, UnixMillis(0)),
            fields: FieldIndex::default(),
            len: 0,
            expires: 0,
            deadline_sum: 0,
        }
    }

    /// Gives the database its tables.
    #[cold]
    pub fn open(&mut self, slots: usize, now: UnixMillis) {
        debug_assert!(self.tables.slots() == 0);
        self.tables = Tables::new(slots);
        self.groups = vec![Counts::default(); slots.div_ceil(GROUP_SLOTS)];
        self.expiry = ExpiryIndex::new(slots, now);
    }

    /// Heap bytes of everything but the entries.
    #[inline]
    pub fn held_bytes(&self) -> usize {
        self.tables.held_bytes()
            + self.groups.capacity() * size_of::<Counts>()
            + self.expiry.array_bytes()
    }

    /// The slots of groups that hold keys: all that is there, and few slots beside it.
    pub fn slots_around_keys(&self) -> impl Iterator<Item = usize> {
        let slots = self.tables.slots();
        let groups = self.groups.iter().enumerate().filter(|(_, counts)| counts.len > 0);
        groups.flat_map(move |(group, _)| {
            let first = group * GROUP_SLOTS;
            first..slots.min(first + GROUP_SLOTS)
        })
    }

    /// Counts a key in whose word is about to be inserted; answers with its due field.
    #[inline]
    pub fn admit(&mut self, slot: usize, deadline: Option<UnixMillis>) -> u16 {
        self.len += 1;
        self.groups[slot / GROUP_SLOTS].len += 1;
        deadline.map_or(0, |deadline| self.admit_deadline(slot, deadline))
    }

    /// Inserts the word of an admitted key; answers with the bytes the tables grew by.
    #[inline]
    pub fn insert(&mut self, slot: usize, word: u64) -> isize {
        let before = self.tables.held_bytes();
        self.tables.insert(slot, word);
        self.tables.held_bytes() as isize - before as isize
    }

    /// Counts a key out and takes its word away; the table keeps its size until
    /// [`Db::shrink`].
    #[inline]
    pub fn remove(&mut self, slot: usize, place: Place, deadline: Option<UnixMillis>) {
        self.len -= 1;
        self.groups[slot / GROUP_SLOTS].len -= 1;
        if let Some(deadline) = deadline {
            self.dismiss_deadline(slot, deadline);
        }
        self.tables.remove(slot, place);
    }

    /// Makes the slot's table smaller if it has become sparse; answers as [`Db::insert`].
    #[inline]
    pub fn shrink(&mut self, slot: usize) -> isize {
        let before = self.tables.held_bytes();
        self.tables.shrink(slot);
        self.tables.held_bytes() as isize - before as isize
    }

    /// The due field that goes with a changed deadline, counted and indexed.
    #[inline]
    pub fn change_deadline(
        &mut self,
        slot: usize,
        word: u64,
        old: Option<UnixMillis>,
        new: Option<UnixMillis>,
    ) -> u16 {
        if old == new {
            return word::due(word);
        }
        if let Some(old) = old {
            self.dismiss_deadline(slot, old);
        }
        new.map_or(0, |new| self.admit_deadline(slot, new))
    }

    /// Mean milliseconds to live of the keys with a deadline, 0 without any.
    pub fn avg_ttl_ms(&self, now: UnixMillis) -> i64 {
        if self.expires == 0 {
            return 0;
        }
        let mean = self.deadline_sum / self.expires as i128 - i128::from(now.0);
        mean.clamp(0, i128::from(i64::MAX)) as i64
    }

    fn admit_deadline(&mut self, slot: usize, deadline: UnixMillis) -> u16 {
        self.expires += 1;
        self.groups[slot / GROUP_SLOTS].expires += 1;
        self.deadline_sum += i128::from(deadline.0);
        self.expiry.admit(slot, deadline)
    }

    fn dismiss_deadline(&mut self, slot: usize, deadline: UnixMillis) {
        self.expires -= 1;
        self.groups[slot / GROUP_SLOTS].expires -= 1;
        self.deadline_sum -= i128::from(deadline.0);
    }
}
