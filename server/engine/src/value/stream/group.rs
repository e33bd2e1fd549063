//! A consumer group: how far it has read, what it has handed out and not seen acknowledged, and to
//! whom. Every pending id is kept twice, in the group with its owner and in the consumer alone, so
//! that both XACK and a consumer's history are O(log n).
//!
//! A consumer that goes with much pending leaves it in the group's list as strays: entries whose
//! owner's place is empty, which nobody is told of and upkeep takes out ([`Group::tidy`]). While
//! there are any, the list is read consumer by consumer, so that a million strays in a row are
//! never walked over.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::id::StreamId;
use super::shelf::{Shelf, Shelved};

/// Pending entries that are taken out with their consumer, about 0.2 us each. Few in tests, so that
/// random edits leave strays.
const REMOVED_AT_ONCE: usize = if cfg!(test) { 2 } else { 1024 };

/// An entry that was delivered and not yet acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    pub id: StreamId,
    /// Unix milliseconds of the last delivery.
    pub delivered_at: i64,
    pub deliveries: u64,
    /// Its place among the group's consumers, which is empty when the entry is a stray.
    owner: u32,
}

impl Shelved for Pending {
    fn id(&self) -> StreamId {
        self.id
    }
}

#[derive(Debug)]
pub struct Consumer {
    name: Box<[u8]>,
    seen_at: i64,
    active_at: Option<i64>,
    pending: Shelf<StreamId>,
}

impl Consumer {
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Unix milliseconds of its last attempt to get entries.
    pub fn seen_at(&self) -> i64 {
        self.seen_at
    }

    /// Unix milliseconds of the last time it got some.
    pub fn active_at(&self) -> Option<i64> {
        self.active_at
    }

    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// Ids it owns at or above `from`, in order.
    pub fn pending_from(&self, from: StreamId) -> impl Iterator<Item = StreamId> {
        self.pending.from(from).copied()
    }
}

#[derive(Debug)]
pub struct Group {
    name: Box<[u8]>,
    pub(super) last: StreamId,
    pub(super) read: Option<u64>,
    /// With the strays.
    pending: Shelf<Pending>,
    strays: usize,
    /// Where to look for more of them.
    tidied_to: StreamId,
    /// Places stay; `by_name` says in which order the names stand.
    consumers: Vec<Option<Box<Consumer>>>,
    /// Places nobody has.
    free: Vec<u32>,
    /// Places of consumers who are gone and have left strays.
    left: Vec<u32>,
    by_name: Vec<u32>,
    names_bytes: usize,
}

impl Group {
    pub(super) fn new(name: &[u8], last: StreamId, read: Option<u64>) -> Group {
        Group {
            name: name.into(),
            last,
            read,
            pending: Shelf::new(),
            strays: 0,
            tidied_to: StreamId::MIN,
            consumers: Vec::new(),
            free: Vec::new(),
            left: Vec::new(),
            by_name: Vec::new(),
            names_bytes: 0,
        }
    }

    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// The id up to which entries have been delivered.
    pub fn last_id(&self) -> StreamId {
        self.last
    }

    /// How many entries the group has read in the stream's life; `None` when nobody knows.
    pub fn entries_read(&self) -> Option<u64> {
        self.read
    }

    pub fn pending_len(&self) -> usize {
        self.pending.len() - self.strays
    }

    pub fn pending(&self, id: StreamId) -> Option<&Pending> {
        self.pending.get(id).filter(|pending| self.has_owner(pending))
    }

    /// Pending entries at or above `from`, in order. With strays O(consumers) to begin with.
    pub fn pending_from(&self, from: StreamId) -> impl Iterator<Item = &Pending> {
        let strayed = self.strays > 0;
        let all = (!strayed).then(|| self.pending.from(from));
        let owned = strayed.then(|| self.owned_from(from));
        all.into_iter().flatten().chain(owned.into_iter().flatten())
    }

    /// As [`Group::pending_from`], put together from what each consumer has.
    fn owned_from(&self, from: StreamId) -> impl Iterator<Item = &Pending> {
        let next = |place: u32, from| {
            let id = self.at(place).pending_from(from).next()?;
            Some(Reverse((id, place)))
        };
        let mut heads: BinaryHeap<Reverse<(StreamId, u32)>> =
            self.by_name.iter().filter_map(|&place| next(place, from)).collect();
        std::iter::from_fn(move || {
            let Reverse((id, place)) = heads.pop()?;
            heads.extend(id.next().and_then(|from| next(place, from)));
            self.pending.get(id)
        })
    }

    /// With strays O(consumers).
    pub fn last_pending(&self) -> Option<&Pending> {
        if self.strays == 0 {
            return self.pending.last();
        }
        let last = self.consumers().filter_map(|consumer| consumer.pending.last()).max()?;
        self.pending.get(*last)
    }

    fn has_owner(&self, pending: &Pending) -> bool {
        self.consumers[pending.owner as usize].is_some()
    }

    /// Whose the entry is.
    pub fn owner(&self, pending: &Pending) -> &Consumer {
        self.at(pending.owner)
    }

    /// In the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.by_name.iter().map(|&place| self.at(place))
    }

    pub fn consumer(&self, name: &[u8]) -> Option<&Consumer> {
        self.place_of(name).map(|place| self.at(place))
    }

    fn at(&self, place: u32) -> &Consumer {
        self.consumers[place as usize].as_ref().expect("a place in use holds a consumer")
    }

    fn at_mut(&mut self, place: u32) -> &mut Consumer {
        self.consumers[place as usize].as_mut().expect("a place in use holds a consumer")
    }

    fn find(&self, name: &[u8]) -> Result<usize, usize> {
        self.by_name.binary_search_by(|&place| self.at(place).name().cmp(name))
    }

    pub(super) fn place_of(&self, name: &[u8]) -> Option<u32> {
        self.find(name).ok().map(|rank| self.by_name[rank])
    }

    pub(super) fn create_consumer(&mut self, name: &[u8], at: i64) -> bool {
        let Err(rank) = self.find(name) else { return false };
        let consumer =
            Consumer { name: name.into(), seen_at: at, active_at: None, pending: Shelf::new() };
        let place = self.free.pop().unwrap_or_else(|| {
            self.consumers.push(None);
            (self.consumers.len() - 1) as u32
        });
        self.consumers[place as usize] = Some(Box::new(consumer));
        self.by_name.insert(rank, place);
        self.names_bytes += name.len();
        true
    }

    /// Removes a consumer; what it has pending is nobody's any more. Of much only the count is
    /// taken now: its own list goes to `debris`, and so does the group's when nothing else is left
    /// in it; the rest is [`Group::tidy`]'s. O(consumers).
    pub(super) fn delete_consumer(&mut self, name: &[u8], debris: &mut Option<Group>) -> bool {
        let Ok(rank) = self.find(name) else { return false };
        let place = self.by_name.remove(rank);
        let Some(consumer) = self.consumers[place as usize].take() else { return false };
        self.names_bytes -= name.len();
        if consumer.pending_len() <= REMOVED_AT_ONCE {
            self.free.push(place);
            for &id in consumer.pending.iter() {
                self.pending.remove(id);
            }
            return true;
        }
        self.strays += consumer.pending_len();
        self.left.push(place);
        let mut gone = Group::new(b"", StreamId::MIN, None);
        gone.consumers.push(Some(consumer));
        if self.pending_len() == 0 {
            std::mem::swap(&mut gone.pending, &mut self.pending);
            self.strays_gone(self.strays);
        }
        *debris = Some(gone);
        true
    }

    /// Whether there are strays.
    pub(super) fn is_untidy(&self) -> bool {
        self.strays > 0
    }

    /// Looks for strays in up to `leaves` leaves of the list and takes them out; how many it has
    /// looked through. Nobody can tell that it was called.
    pub(super) fn tidy(&mut self, leaves: usize) -> usize {
        let mut looked = 0;
        while looked < leaves && self.strays > 0 {
            let (consumers, before) = (&self.consumers, self.pending.len());
            let owned = |pending: &Pending| consumers[pending.owner as usize].is_some();
            let next = self.pending.sift(self.tidied_to, owned);
            self.tidied_to = next.unwrap_or(StreamId::MIN);
            self.strays_gone(before - self.pending.len());
            looked += 1;
        }
        looked
    }

    /// So many strays are out of the list. With the last of them their places are free.
    fn strays_gone(&mut self, count: usize) {
        self.strays -= count;
        if self.strays == 0 {
            self.free.append(&mut self.left);
            self.tidied_to = StreamId::MIN;
        }
    }

    pub(super) fn see(&mut self, name: &[u8], at: i64, active: bool) -> bool {
        let Some(place) = self.place_of(name) else { return false };
        let consumer = self.at_mut(place);
        let before = (consumer.seen_at, consumer.active_at);
        consumer.seen_at = at;
        if active {
            consumer.active_at = Some(at);
        }
        before != (consumer.seen_at, consumer.active_at)
    }

    /// Makes `id` pending with the consumer at `place`, whoever had it before.
    pub(super) fn assign(&mut self, place: u32, id: StreamId, at: i64, deliveries: u64) -> bool {
        let new = Pending { id, delivered_at: at, deliveries, owner: place };
        match self.pending.insert(new) {
            Some(old) if old == new => return false,
            Some(old) if old.owner == place => return true,
            Some(old) => drop(self.disown(old)),
            None => {}
        }
        self.at_mut(place).pending.insert(id);
        true
    }

    pub(super) fn acknowledge(&mut self, id: StreamId) -> bool {
        self.pending.remove(id).is_some_and(|pending| self.disown(pending))
    }

    /// What is out of the group's list leaves its owner's too; whether it had one.
    fn disown(&mut self, pending: Pending) -> bool {
        match &mut self.consumers[pending.owner as usize] {
            Some(owner) => owner.pending.remove(pending.id).is_some(),
            None => {
                self.strays_gone(1);
                false
            }
        }
    }

    /// Heap bytes. O(1): a consumer's ids are the group's. Those of strays count until they go.
    pub(super) fn heap_bytes(&self) -> usize {
        let consumer_bytes = size_of::<Consumer>() + size_of::<u64>() + size_of::<u32>();
        self.name.len()
            + self.names_bytes
            + self.by_name.len() * consumer_bytes
            + self.pending.heap_bytes()
            + self.pending.len() * size_of::<StreamId>()
    }

    /// Frees up to `pieces` allocations; how many it did free. Done when none.
    pub(super) fn dismantle(&mut self, pieces: usize) -> usize {
        let mut freed = self.pending.dismantle_leaves(pieces);
        while freed < pieces && !self.consumers.is_empty() {
            let last = self.consumers.last_mut().and_then(Option::as_deref_mut);
            freed += match last.map_or(0, |last| last.pending.dismantle_leaves(pieces - freed)) {
                0 => {
                    self.consumers.pop();
                    1
                }
                leaves => leaves,
            };
        }
        freed
    }

    pub(super) fn check_invariants(&self) {
        self.pending.check_invariants();
        assert!(self.consumers().map(Consumer::name).is_sorted());
        assert_eq!(self.by_name.len(), self.consumers.iter().flatten().count());
        let owned: usize = self.consumers().map(Consumer::pending_len).sum();
        assert_eq!(owned, self.pending_len());
        let strays = || self.pending.iter().filter(|pending| !self.has_owner(pending));
        assert_eq!(strays().count(), self.strays);
        assert!(strays().all(|pending| self.left.contains(&pending.owner)));
        assert!(self.left.is_empty() || self.strays > 0);
        let places = self.by_name.len() + self.free.len() + self.left.len();
        assert_eq!(places, self.consumers.len());
        for consumer in self.consumers() {
            consumer.pending.check_invariants();
            for id in consumer.pending.iter() {
                let pending = self.pending(*id).expect("a consumer's id is the group's");
                assert_eq!(self.owner(pending).name(), consumer.name());
            }
        }
        let names: usize = self.consumers().map(|consumer| consumer.name.len()).sum();
        assert_eq!(names, self.names_bytes);
    }
}
