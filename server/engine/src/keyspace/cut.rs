//! A point in time, kept while it is written down: every entry that was there at the cut is handed
//! out exactly once as it was then, by a walk in slices or, if somebody changes it first, by the
//! change. Nothing is copied but what changes before the walk has come to it.
//!
//! One bit of an entry's header says on which side of the cut it stands. Entries are written on the
//! side the keyspace is on; between two cuts all of them are. A cut takes the keyspace to the other
//! side: what is left behind is not yet saved. Whoever saves an entry takes it across. So a new
//! key is never saved, none is saved twice, and while no cut runs all this costs is a comparison
//! of one bit of a header that has been read anyway.
//!
//! Correctness never depends on where the walk stands, and the walk stands between two hashes of a
//! slot, not at a place of its table: words move when others are removed and when the table is
//! rebuilt, their order by hash does not change.
//!
//! An entry is saved whole: a collection of ten million holds up whoever changes it first, or the
//! slice that comes to it, for as long as encoding it takes.
//!
//! FLUSHDB, FLUSHALL and SWAPDB of databases that are not empty give the cut up: there is nothing
//! left to hand out, or its database has another number. Redis, too, ends its child then.

use super::entry::{EntryRef, Header, Side};
use super::table::word;
use super::{Keyspace, Slot};
use crate::memory::Handle;
use std::collections::VecDeque;

/// Appends an entry's encoding. It belongs to a floor above; the keyspace only keeps the bytes.
pub type Encode = fn(db: u8, entry: &EntryRef<'_>, out: &mut Vec<u8>);

/// Saved entries are handed out in pieces of about so many bytes.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Tables without keys that cost the walk as much as one entry: a nanosecond or two each.
const TABLES_A_VISIT: usize = 32;

/// Encoded entries of some slots.
#[derive(Default, Debug)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// Entries in it.
    pub keys: u32,
    /// The lowest and the highest slot; meaningless without entries.
    pub first_slot: u16,
    pub last_slot: u16,
}

impl Chunk {
    /// Whether it is time to hand it on.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= CHUNK_BYTES
    }

    fn add(&mut self, encode: Encode, db: u8, slot: u16, entry: &EntryRef<'_>) {
        encode(db, entry, &mut self.bytes);
        self.first_slot = if self.keys == 0 { slot } else { self.first_slot.min(slot) };
        self.last_slot = if self.keys == 0 { slot } else { self.last_slot.max(slot) };
        self.keys += 1;
    }
}

/// How far one slice of the walk may go.
#[derive(Clone, Copy, Debug)]
pub struct CutBudget {
    /// Entries looked at: 20 to 100 ns each where they are not in the cache.
    pub visits: usize,
    /// The chunk is filled up to here; the last few entries may go beyond.
    pub bytes: usize,
}

/// What has become of a cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CutState {
    /// Every entry has been handed out, or there was no cut.
    Complete,
    /// Entries are left to be handed out.
    Saving,
    /// It was given up, and entries are left to be taken across without being handed out.
    GivenUp,
}

/// What is about to happen to an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    /// Written over.
    Write,
    /// A collection or a string is changed where it is.
    Edit,
    Deadline,
    /// Its value goes to another key or core.
    Move,
    Remove,
    Expire,
}

/// The next table to be looked at, and the hash from which on.
#[derive(Clone, Copy, Default, Debug)]
struct Place {
    slot: usize,
    db: usize,
    hash16: u16,
}

/// The last cut and what is left to do for it.
#[derive(Default, Debug)]
pub(super) struct Cut {
    side: Side,
    phase: Phase,
    at: Place,
    /// Entries that changed before the walk came to them.
    saved: VecDeque<Chunk>,
    open: Chunk,
    saved_bytes: usize,
    #[cfg(test)]
    flaw: Option<Flaw>,
    /// Of the table the walk stands in.
    #[cfg(test)]
    buckets: usize,
}

#[derive(Clone, Copy, Default, Debug)]
enum Phase {
    #[default]
    Complete,
    Saving(Encode),
    GivenUp,
}

/// Bugs to try the tests on.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flaw {
    /// The walk notes a place in the table, which is another one after a rebuild.
    SkipsMoved,
    /// A change forgets to save what was there.
    Forgets(u8),
}

#[cfg(test)]
impl Flaw {
    /// As many flaws as there are kinds of changes, and that of the walk.
    pub const ALL: [Flaw; 7] = [
        Flaw::SkipsMoved,
        Flaw::Forgets(Change::Write as u8),
        Flaw::Forgets(Change::Edit as u8),
        Flaw::Forgets(Change::Deadline as u8),
        Flaw::Forgets(Change::Move as u8),
        Flaw::Forgets(Change::Remove as u8),
        Flaw::Forgets(Change::Expire as u8),
    ];
}

impl Cut {
    /// Where entries are written.
    #[inline]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Puts the entry aside as it is.
    fn save(&mut self, encode: Encode, db: u8, entry: &EntryRef<'_>) {
        let before = self.open.bytes.len();
        self.open.add(encode, db, Slot::of_key(entry.key()).number(), entry);
        self.saved_bytes += self.open.bytes.len() - before;
        if self.open.is_full() {
            self.saved.push_back(std::mem::take(&mut self.open));
        }
    }
}

impl Keyspace {
    /// Cuts here and now: every entry there is will be handed out as `encode` encodes it at this
    /// moment, by [`Keyspace::cut_slice`] and [`Keyspace::take_saved`]. O(1).
    ///
    /// No key may be lent to another core, nor be in the hands of a handler: a value that is away
    /// cannot be saved. (A cut across cores has to stand between transactions anyway.)
    ///
    /// # Panics
    /// When the last cut is not [`CutState::Complete`].
    pub fn begin_cut(&mut self, encode: Encode) {
        assert_eq!(self.cut_state(), CutState::Complete, "one cut after the other");
        assert_eq!(self.cut.saved_bytes, 0, "the last cut was taken whole");
        self.cut.side = self.cut.side.other();
        self.cut.phase = Phase::Saving(encode);
        self.cut.at = Place::default();
    }

    /// How the last cut stands.
    pub fn cut_state(&self) -> CutState {
        match self.cut.phase {
            Phase::Complete => CutState::Complete,
            Phase::Saving(_) => CutState::Saving,
            Phase::GivenUp => CutState::GivenUp,
        }
    }

    /// Nothing more is handed out. [`Keyspace::cut_slice`] goes on until the cut is complete.
    pub fn give_up_cut(&mut self) {
        self.cut.saved.clear();
        self.cut.open = Chunk::default();
        self.cut.saved_bytes = 0;
        if self.cut_state() != CutState::Complete {
            self.cut.phase = Phase::GivenUp;
            self.cut.at = Place::default();
        }
    }

    /// Entries that changed before the walk came to them: a full chunk, or with `all` whatever
    /// there is. They take memory until somebody takes them.
    pub fn take_saved(&mut self, all: bool) -> Option<Chunk> {
        let chunk = match self.cut.saved.pop_front() {
            None if all && self.cut.open.keys > 0 => std::mem::take(&mut self.cut.open),
            chunk => chunk?,
        };
        self.cut.saved_bytes -= chunk.bytes.len();
        Some(chunk)
    }

    /// Bytes [`Keyspace::take_saved`] would give.
    pub fn saved_bytes(&self) -> usize {
        self.cut.saved_bytes
    }

    /// Goes on with the walk until `into` is as full as the budget says or the visits are used up;
    /// true while there is more to walk. The visits left stand in the budget.
    pub fn cut_slice(&mut self, budget: &mut CutBudget, into: &mut Chunk) -> bool {
        if self.cut_state() == CutState::Complete {
            return false;
        }
        #[cfg(test)]
        self.misplace();
        let mut tables = 0;
        while self.cut.at.slot < self.slots.len() {
            while self.cut.at.db < self.dbs.len() {
                if budget.visits == 0 || into.bytes.len() >= budget.bytes {
                    return true;
                }
                if !self.cut_group(budget, into) {
                    let Place { slot, db, .. } = self.cut.at;
                    self.cut.at = Place { slot, db: db + 1, hash16: 0 };
                    tables += 1;
                    let costs = usize::from(tables % TABLES_A_VISIT == 0);
                    budget.visits = budget.visits.saturating_sub(costs);
                }
            }
            self.cut.at = Place { slot: self.cut.at.slot + 1, ..Place::default() };
        }
        self.cut.phase = Phase::Complete;
        false
    }

    /// Takes across what is left behind of the next few keys of the table; false at its end.
    fn cut_group(&mut self, budget: &mut CutBudget, into: &mut Chunk) -> bool {
        let Keyspace { dbs, slab, outside, cut, slots, .. } = self;
        let Place { slot, db, hash16 } = cut.at;
        let Some(table) = dbs[db].tables.get(slot).filter(|table| table.len > 0) else {
            return false;
        };
        #[cfg(test)]
        {
            cut.buckets = table.buckets.len();
        }
        table.visit_group(hash16, |word| slab.prefetch(word::handle(word)));
        let behind = table.visit_group(hash16, |word| {
            let handle = word::handle(word);
            budget.visits = budget.visits.saturating_sub(1);
            let bytes = slab.tail(handle);
            let header = Header::read(bytes);
            if header.is_on(cut.side) {
                return;
            }
            if let Phase::Saving(encode) = cut.phase {
                let entry = EntryRef::with_header(header, bytes, outside);
                into.add(encode, db as u8, slots.start + slot as u16, &entry);
            }
            header.with_side(cut.side).write(slab.bytes_mut(handle));
        });
        match behind.map(u16::try_from) {
            Some(Ok(next)) => {
                cut.at.hash16 = next;
                true
            }
            _ => false,
        }
    }

    /// An entry of database `db`, whose header was this, is about to change: it is saved first if
    /// it was there at the cut and has not been yet.
    #[inline]
    pub(super) fn keep(&mut self, db: u8, handle: Handle, header: Header, change: Change) {
        if !header.is_on(self.cut.side) {
            self.keep_now(db, handle, change);
        }
    }

    #[cold]
    #[inline(never)]
    #[cfg_attr(not(test), expect(unused_variables, reason = "tests forget kinds of changes"))]
    fn keep_now(&mut self, db: u8, handle: Handle, change: Change) {
        #[cfg(test)]
        if self.cut.flaw == Some(Flaw::Forgets(change as u8)) {
            return;
        }
        let Keyspace { slab, outside, cut, .. } = self;
        let bytes = slab.tail(handle);
        let header = Header::read(bytes);
        if header.is_on(cut.side) {
            return; // one change goes through several verbs, the first has saved it
        }
        if let Phase::Saving(encode) = cut.phase {
            cut.save(encode, db, &EntryRef::with_header(header, bytes, outside));
        }
        header.with_side(cut.side).write(slab.bytes_mut(handle));
    }
}

#[cfg(test)]
impl Keyspace {
    /// From now on the cut works as badly as this.
    pub fn set_cut_flaw(&mut self, flaw: Flaw) {
        self.cut.flaw = Some(flaw);
    }

    /// Goes on at the bucket where the walk stood, though the table may have others now.
    fn misplace(&mut self) {
        let Place { slot, db, hash16 } = self.cut.at;
        let Some(table) = self.dbs.get(db).and_then(|db| db.tables.get(slot)) else { return };
        if self.cut.flaw == Some(Flaw::SkipsMoved) && hash16 > 0 && !table.buckets.is_empty() {
            let bucket = super::table::home(self.cut.buckets, hash16);
            let hash = (bucket << 16).div_ceil(table.buckets.len());
            self.cut.at.hash16 = u16::try_from(hash).unwrap_or(u16::MAX);
        }
    }
}
