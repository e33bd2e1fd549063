//! A consumer group: how far it has read, what it has handed out and not seen acknowledged, and to
//! whom. Every pending id is kept twice, in the group with its owner and in the consumer alone, so
//! that both XACK and a consumer's history are O(log n).

use super::FREED_AT_ONCE;
use super::id::StreamId;
use super::shelf::{Shelf, Shelved};

/// An entry that was delivered and not yet acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending {
    pub id: StreamId,
    /// Unix milliseconds of the last delivery.
    pub delivered_at: i64,
    pub deliveries: u64,
    /// Its place among the group's consumers.
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
    pending: Shelf<Pending>,
    /// Places stay; `by_name` says in which order the names stand.
    consumers: Vec<Option<Box<Consumer>>>,
    /// Places nobody has.
    free: Vec<u32>,
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
            consumers: Vec::new(),
            free: Vec::new(),
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
        self.pending.len()
    }

    pub fn pending(&self, id: StreamId) -> Option<&Pending> {
        self.pending.get(id)
    }

    /// Pending entries at or above `from`, in order.
    pub fn pending_from(&self, from: StreamId) -> impl Iterator<Item = &Pending> {
        self.pending.from(from)
    }

    pub fn last_pending(&self) -> Option<&Pending> {
        self.pending.last()
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

    /// Removes a consumer; what it has pending is nobody's any more. One that has most of what the
    /// group has, and much, takes the group's array along into `debris`, and what others have is
    /// put down anew: the only consumer of a group goes at once, whatever it has pending.
    pub(super) fn delete_consumer(&mut self, name: &[u8], debris: &mut Option<Group>) -> bool {
        let Ok(rank) = self.find(name) else { return false };
        let place = self.by_name.remove(rank);
        let Some(consumer) = self.consumers[place as usize].take() else { return false };
        self.free.push(place);
        self.names_bytes -= name.len();
        let gone = consumer.pending_len();
        if gone > FREED_AT_ONCE && gone > self.pending.len() / 2 {
            *debris = Some(self.keep_others(consumer));
            return true;
        }
        for &id in consumer.pending.iter() {
            self.pending.remove(id);
        }
        true
    }

    /// Puts down anew what is left without `gone`, and returns what there was, to be freed. O(what
    /// is left).
    fn keep_others(&mut self, gone: Box<Consumer>) -> Group {
        let mut all = Group::new(b"", StreamId::MIN, None);
        std::mem::swap(&mut all.pending, &mut self.pending);
        let ids = self.consumers.iter().flatten().flat_map(|consumer| consumer.pending.iter());
        let mut others: Vec<Pending> = ids.filter_map(|&id| all.pending.get(id)).copied().collect();
        others.sort_unstable_by_key(|pending| pending.id);
        others.into_iter().for_each(|pending| self.pending.push(pending));
        all.consumers.push(Some(gone));
        all
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
            Some(old) => drop(self.at_mut(old.owner).pending.remove(id)),
            None => {}
        }
        self.at_mut(place).pending.insert(id);
        true
    }

    pub(super) fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(id) else { return false };
        self.at_mut(pending.owner).pending.remove(id);
        true
    }

    /// Heap bytes. O(1): a consumer's ids are the group's.
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
        assert_eq!(owned, self.pending.len());
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
