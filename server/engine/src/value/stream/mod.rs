//! Streams: an append-only log of entries with ids that grow, and the groups that read it.
//!
//! Entries stand packed in blocks, each with its ids and field names shared (`block`), blocks in
//! the order of their ids (`log`, `shelf`). A group keeps what it delivered and nobody
//! acknowledged (`group`). A [`StreamEdit`] is final: what trimming meant, which id `*` was and
//! what a counter came to is settled before it is applied.

mod block;
mod counters;
mod edit;
mod element;
mod fields;
mod group;
mod id;
mod log;
mod rebuild;
mod shelf;

use super::{Collection, Kind, Rules, View};
pub use block::Entry;
pub use edit::StreamEdit;
pub use element::Element;
pub use fields::Fields;
pub use group::{Consumer, Group, Pending};
pub use id::StreamId;
use log::Log;
pub use log::Trim;

/// Nothing until the first edit: a default stream costs no allocation, and one is made each time a
/// handler borrows the stream of a key.
#[derive(Debug, Default)]
pub struct Stream(Option<Box<Body>>);

#[derive(Debug)]
struct Body {
    log: Log,
    /// In the order of their names.
    groups: Vec<Group>,
    /// Heap bytes of the groups.
    groups_bytes: usize,
    /// Groups with pending entries that are nobody's.
    untidy_groups: usize,
    /// Blocks and groups that have been cut off.
    debris: Option<Box<Body>>,
}

/// Pending entries of a group that is freed at once.
const FREED_AT_ONCE: usize = 4096;

static EMPTY: Body = Body::new();

impl Stream {
    fn body(&self) -> &Body {
        self.0.as_deref().unwrap_or(&EMPTY)
    }

    /// The highest id ever added, or what XSETID put in its place.
    pub fn last_id(&self) -> StreamId {
        self.body().log.last
    }

    /// The highest id ever deleted; `0-0` when none was.
    pub fn max_deleted_id(&self) -> StreamId {
        self.body().log.max_deleted
    }

    pub fn entries_added(&self) -> u64 {
        self.body().log.added
    }

    pub fn first(&self) -> Option<Entry<'_>> {
        self.body().log.first()
    }

    /// Reads through the last block.
    pub fn last(&self) -> Option<Entry<'_>> {
        self.body().log.last_entry()
    }

    /// O(log n), and a read through one block.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.body().log.get(id)
    }

    /// Entries from `from` up to and with `to`, in order.
    pub fn range(&self, from: StreamId, to: StreamId) -> impl Iterator<Item = Entry<'_>> {
        self.body().log.range(from, to)
    }

    /// Entries from `from` down to and with `to`.
    pub fn range_back(&self, from: StreamId, to: StreamId) -> impl Iterator<Item = Entry<'_>> {
        self.body().log.range_back(from, to)
    }

    /// How many entries `trim` removes: for [`StreamEdit::Trim`], which wants what is left. With
    /// `whole_blocks` only blocks that go as a whole count, and no more entries than its number
    /// where it is not 0. O(blocks that go).
    pub fn trim_count(&self, trim: Trim, whole_blocks: Option<u64>) -> usize {
        self.body().log.trim_count(trim, whole_blocks)
    }

    pub fn blocks(&self) -> usize {
        self.body().log.blocks()
    }

    /// In the order of their names.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &Group> {
        self.body().groups.iter()
    }

    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.body().find_group(name).ok().map(|rank| &self.body().groups[rank])
    }

    /// Entries `group` has yet to read; `None` when deletions have made that unknowable.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        self.body().log.lag(group)
    }

    /// A group's count of entries read once `id` is delivered to it, `read` before.
    pub fn count_read(&self, read: Option<u64>, id: StreamId) -> Option<u64> {
        self.body().log.count_read(read, id)
    }

    /// Entries ever added up to and with `id`, where that is certain.
    pub fn distance_to(&self, id: StreamId) -> Option<u64> {
        self.body().log.distance_to(id)
    }
}

impl Body {
    const fn new() -> Body {
        Body {
            log: Log::new(),
            groups: Vec::new(),
            groups_bytes: 0,
            untidy_groups: 0,
            debris: None,
        }
    }

    fn boxed() -> Box<Body> {
        Box::new(Body::new())
    }

    fn find_group(&self, name: &[u8]) -> Result<usize, usize> {
        self.groups.binary_search_by(|group| group.name().cmp(name))
    }

    fn create_group(&mut self, name: &[u8], last: StreamId, read: Option<u64>) -> bool {
        let Err(rank) = self.find_group(name) else { return false };
        let group = Group::new(name, last, read);
        self.groups_bytes += group.heap_bytes();
        self.groups.insert(rank, group);
        true
    }

    fn destroy_group(&mut self, name: &[u8]) -> bool {
        let Ok(rank) = self.find_group(name) else { return false };
        let group = self.groups.remove(rank);
        self.groups_bytes -= group.heap_bytes();
        self.untidy_groups -= usize::from(group.is_untidy());
        if group.pending_len() > FREED_AT_ONCE {
            self.free_later(group);
        }
        true
    }

    fn delete_consumer(&mut self, group: &[u8], consumer: &[u8]) -> bool {
        let mut debris = None;
        let was_there =
            self.with_group(group, |group, _| group.delete_consumer(consumer, &mut debris));
        if let Some(debris) = debris {
            self.free_later(debris);
        }
        was_there
    }

    fn free_later(&mut self, group: Group) {
        let debris = self.debris.get_or_insert_with(Body::boxed);
        debris.groups_bytes += group.heap_bytes();
        debris.groups.push(group);
    }

    /// Changes a group and keeps count of its memory.
    fn with_group(&mut self, name: &[u8], change: impl FnOnce(&mut Group, &Log) -> bool) -> bool {
        let Ok(rank) = self.find_group(name) else { return false };
        self.change_group(rank, change)
    }

    fn change_group<R>(&mut self, rank: usize, change: impl FnOnce(&mut Group, &Log) -> R) -> R {
        let group = &mut self.groups[rank];
        let (bytes, untidy) = (group.heap_bytes(), group.is_untidy());
        let result = change(group, &self.log);
        self.groups_bytes = self.groups_bytes - bytes + group.heap_bytes();
        self.untidy_groups -= usize::from(untidy);
        self.untidy_groups += usize::from(group.is_untidy());
        result
    }

    fn tidy(&mut self, pieces: usize) {
        let mut left = pieces;
        while left > 0
            && self.untidy_groups > 0
            && let Some(rank) = self.groups.iter().position(Group::is_untidy)
        {
            left -= self.change_group(rank, |group, _| group.tidy(left));
        }
    }

    fn apply_to_group(&mut self, edit: StreamEdit<'_>) -> bool {
        use StreamEdit as E;
        match edit {
            E::CreateGroup { group, last, read } => self.create_group(group, last, read),
            E::DestroyGroup { group } => self.destroy_group(group),
            E::SetGroup { group, last, read } => self.with_group(group, |group, _| {
                let before = (group.last, group.read);
                (group.last, group.read) = (last, read);
                before != (last, read)
            }),
            E::CreateConsumer { group, consumer, at } => {
                self.with_group(group, |group, _| group.create_consumer(consumer, at))
            }
            E::DeleteConsumer { group, consumer } => self.delete_consumer(group, consumer),
            E::See { group, consumer, at, active } => {
                self.with_group(group, |group, _| group.see(consumer, at, active))
            }
            E::Deliver { group, consumer, to, at, read } => {
                self.with_group(group, |group, log| deliver(group, log, consumer, to, at, read))
            }
            E::Assign { group, consumer, id, at, deliveries } => {
                self.with_group(group, |group, _| {
                    let place = group.place_of(consumer);
                    place.is_some_and(|place| group.assign(place, id, at, deliveries))
                })
            }
            E::Acknowledge { group, id } => {
                self.with_group(group, |group, _| group.acknowledge(id))
            }
            E::Add { .. } | E::Delete { .. } | E::Trim { .. } | E::Set { .. } => false,
        }
    }
}

fn deliver(
    group: &mut Group,
    log: &Log,
    consumer: &[u8],
    to: StreamId,
    at: i64,
    read: Option<u64>,
) -> bool {
    let Some(place) = group.place_of(consumer) else { return false };
    let Some(from) = group.last.next().filter(|from| *from <= to) else { return false };
    for entry in log.range(from, to) {
        group.assign(place, entry.id, at, 1);
    }
    group.see(consumer, at, true);
    (group.last, group.read) = (to, read);
    true
}

impl View for &Stream {
    type Of = Stream;

    fn len(self) -> usize {
        self.body().log.length
    }

    fn encoding_name(self) -> &'static str {
        "stream"
    }

    fn digest(self) -> u64 {
        self.hash_edits()
    }

    fn for_each_edit(self, visit: &mut dyn FnMut(StreamEdit<'_>)) {
        self.visit_edits(visit);
    }
}

impl Collection for Stream {
    const KIND: Kind = Kind::Stream;

    type Edit<'e> = StreamEdit<'e>;

    type View<'a> = &'a Stream;

    #[inline]
    fn view(&self) -> &Stream {
        self
    }

    /// Never: a stream stays when its last entry goes.
    fn is_empty(&self) -> bool {
        false
    }

    fn apply(&mut self, edit: StreamEdit<'_>, rules: &Rules) -> bool {
        let body = self.0.get_or_insert_with(Body::boxed);
        let log = &mut body.log;
        match edit {
            StreamEdit::Add { id, fields } => log.append(id, fields, rules),
            StreamEdit::Delete { id } => log.remove(id),
            StreamEdit::Trim { keep } => {
                let Body { log, debris, .. } = &mut **body;
                let keep = usize::try_from(keep).unwrap_or(usize::MAX);
                log.truncate_front(keep, || &mut debris.get_or_insert_with(Body::boxed).log)
            }
            StreamEdit::Set { last, added, max_deleted } => {
                let top = log.last_entry().map_or(StreamId::MIN, |entry| entry.id);
                let before = (log.last, log.added, log.max_deleted);
                (log.last, log.added, log.max_deleted) =
                    (last.max(top), added.max(log.length as u64), max_deleted);
                before != (log.last, log.added, log.max_deleted)
            }
            edit => body.apply_to_group(edit),
        }
    }

    fn encode_edit(edit: StreamEdit<'_>, out: &mut Vec<u8>) {
        edit.encode(out);
    }

    fn decode_edit(bytes: &[u8]) -> Option<StreamEdit<'_>> {
        StreamEdit::decode(bytes)
    }

    fn from_inline(_: u8, _: Vec<u8>) -> Stream {
        unreachable!("a stream is never packed into an entry")
    }

    fn view_inline(_: u8, _: &[u8]) -> &Stream {
        unreachable!("a stream is never packed into an entry")
    }

    fn heap_bytes(&self) -> usize {
        let Some(body) = &self.0 else { return 0 };
        let groups = body.groups.capacity() * size_of::<Group>() + body.groups_bytes;
        size_of::<Body>() + body.log.heap_bytes() + groups
    }

    fn take_debris(&mut self, _: &Rules) -> Option<Stream> {
        let debris = self.0.as_mut()?.debris.take()?;
        Some(Stream(Some(debris)))
    }

    fn is_untidy(&self) -> bool {
        self.body().untidy_groups > 0
    }

    fn tidy(&mut self, pieces: usize) {
        if let Some(body) = &mut self.0 {
            body.tidy(pieces);
        }
    }

    fn dismantle(&mut self, pieces: usize) -> bool {
        let Some(body) = &mut self.0 else { return false };
        let mut freed = body.log.dismantle(pieces);
        while freed < pieces {
            let Some(group) = body.groups.last_mut() else {
                self.0 = None;
                return false;
            };
            freed += match group.dismantle(pieces - freed) {
                0 => {
                    body.groups.pop();
                    1
                }
                pieces => pieces,
            };
        }
        true
    }

    fn check_invariants(&self, _: &Rules) {
        self.body().log.check_invariants();
        assert!(self.groups().map(Group::name).is_sorted());
        self.groups().for_each(Group::check_invariants);
        let bytes: usize = self.groups().map(Group::heap_bytes).sum();
        assert_eq!(bytes, self.body().groups_bytes);
        let untidy = self.groups().filter(|group| group.is_untidy()).count();
        assert_eq!(untidy, self.body().untidy_groups);
    }
}

#[cfg(test)]
mod tests;
