//! The entries of a stream: sealed blocks in the order of their ids, and the open one at the end
//! that takes what is added. A short stream is its open block and nothing else.

use super::block::{Block, Entry};
use super::fields::Fields;
use super::id::StreamId;
use super::shelf::{Shelf, Shelved};
use crate::value::Rules;

/// Entries that one call frees; of more it cuts off what it can.
const FREED_AT_ONCE: usize = 4096;

#[derive(Debug)]
pub(super) struct Log {
    sealed: Shelf<Block>,
    /// None only when there are no entries at all.
    open: Option<Block>,
    /// Heap bytes of the blocks in `sealed`.
    sealed_bytes: usize,
    pub length: usize,
    /// The highest id ever added, or what was set in its place.
    pub last: StreamId,
    /// The highest id removed from inside the stream (trimming does not count).
    pub max_deleted: StreamId,
    /// Entries ever added.
    pub added: u64,
}

/// What to remove from the front.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trim {
    /// Until so many entries are left.
    MaxLen(u64),
    /// Entries below this id.
    MinId(StreamId),
}

impl Log {
    pub const fn new() -> Log {
        Log {
            sealed: Shelf::new(),
            open: None,
            sealed_bytes: 0,
            length: 0,
            last: StreamId::MIN,
            max_deleted: StreamId::MIN,
            added: 0,
        }
    }

    pub fn append(&mut self, id: StreamId, fields: Fields<'_>, rules: &Rules) -> bool {
        if id <= self.last {
            return false;
        }
        let fits = self.open.as_mut().is_some_and(|block| block.append(id, fields, rules));
        if !fits && let Some(mut full) = self.open.replace(Block::open(id, fields)) {
            full.seal();
            self.sealed_bytes += full.heap_bytes();
            self.sealed.push(full);
        }
        self.length += 1;
        self.last = id;
        self.added = self.added.saturating_add(1);
        true
    }

    pub fn remove(&mut self, id: StreamId) -> bool {
        let in_open = self.open.as_ref().is_some_and(|block| block.id() <= id);
        let block = if in_open { self.open.as_mut() } else { self.sealed.floor_mut(id) };
        let Some(block) = block else { return false };
        let before = block.heap_bytes();
        if !block.remove(id) {
            return false;
        }
        let (first, after, live) = (block.id(), block.heap_bytes(), block.live());
        if !in_open {
            self.sealed_bytes = self.sealed_bytes - before + after;
        }
        if live == 0 {
            self.drop_block(first);
        }
        self.length -= 1;
        self.max_deleted = self.max_deleted.max(id);
        true
    }

    /// Removes the block that opened with `first`. What is added next goes to the end of the last
    /// block there is, as in Redis.
    fn drop_block(&mut self, first: StreamId) {
        if let Some(block) = self.sealed.remove(first) {
            self.sealed_bytes -= block.heap_bytes();
        } else {
            self.open = self.sealed.pop_last();
            self.sealed_bytes -= self.open.as_ref().map_or(0, Block::heap_bytes);
        }
    }

    /// Removes from the front until `keep` entries are left. What goes in bulk goes to `debris`,
    /// to be freed in slices.
    pub fn truncate_front<'d>(
        &mut self,
        keep: usize,
        debris: impl FnOnce() -> &'d mut Log,
    ) -> bool {
        let changed = self.length > keep;
        if self.length.saturating_sub(keep) > FREED_AT_ONCE {
            self.move_front(keep, debris());
        }
        while self.length > keep {
            let count = self.length - keep;
            let from_sealed = !self.sealed.is_empty();
            let block = if from_sealed { self.sealed.first_mut() } else { self.open.as_mut() };
            let Some(block) = block else { unreachable!("{} entries in no block", self.length) };
            if block.live() <= count {
                self.length -= block.live();
                let first = block.id();
                self.drop_block(first);
                continue;
            }
            let before = block.heap_bytes();
            block.remove_first(count);
            let after = block.heap_bytes();
            if from_sealed {
                self.sealed_bytes = self.sealed_bytes - before + after;
            }
            self.length = keep;
        }
        changed
    }

    fn move_front(&mut self, keep: usize, debris: &mut Log) {
        let Log { sealed, sealed_bytes, length, .. } = self;
        sealed.move_front(&mut debris.sealed, |blocks| {
            let live: usize = blocks.iter().map(Block::live).sum();
            let goes = *length - live >= keep;
            if goes {
                let bytes: usize = blocks.iter().map(Block::heap_bytes).sum();
                *length -= live;
                *sealed_bytes -= bytes;
                debris.sealed_bytes += bytes;
            }
            goes
        });
    }

    /// How many entries `trim` removes. With `whole_blocks` only blocks that go as a whole, and
    /// only while they hold no more entries than that number in all, where it is not 0: what `~`
    /// and LIMIT ask for. A deleted entry at the end of a block does not hold the block back, as it
    /// does in Redis. O(blocks that go).
    pub fn trim_count(&self, trim: Trim, whole_blocks: Option<u64>) -> usize {
        if let (Trim::MaxLen(keep), None) = (trim, whole_blocks) {
            return self.length.saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
        }
        let mut gone = 0;
        for block in self.sealed.iter().chain(&self.open) {
            let live = block.live();
            let beyond = |limit: u64| limit != 0 && (gone + live) as u64 > limit;
            if whole_blocks.is_some_and(beyond) {
                break;
            }
            let part = match trim {
                Trim::MaxLen(keep) => {
                    let excess = ((self.length - gone) as u64).saturating_sub(keep);
                    live.min(usize::try_from(excess).unwrap_or(usize::MAX))
                }
                Trim::MinId(id) if block.id() >= id => 0,
                Trim::MinId(id) => block.entries().take_while(|entry| entry.id < id).count(),
            };
            if part == live {
                gone += live;
                continue;
            }
            if whole_blocks.is_none() {
                gone += part;
            }
            break;
        }
        gone
    }

    pub fn first(&self) -> Option<Entry<'_>> {
        self.sealed.first().or(self.open.as_ref())?.entries().next()
    }

    pub fn last_entry(&self) -> Option<Entry<'_>> {
        self.open.as_ref()?.last()
    }

    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        match &self.open {
            Some(open) if open.id() <= id => open.get(id),
            _ => self.sealed.floor(id)?.get(id),
        }
    }

    pub fn blocks(&self) -> usize {
        self.sealed.len() + usize::from(self.open.is_some())
    }

    /// Entries from `from` up to and with `to`, in order.
    pub fn range(&self, from: StreamId, to: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let all_in_open = self.open.as_ref().is_some_and(|open| open.id() <= from);
        let start = if all_in_open {
            StreamId::MAX // no block opens there while another one is open
        } else {
            self.sealed.floor(from).map_or(from, Shelved::id)
        };
        let blocks = self.sealed.from(start).chain(&self.open);
        let entries = blocks.flat_map(Block::entries);
        entries.skip_while(move |entry| entry.id < from).take_while(move |entry| entry.id <= to)
    }

    /// Entries from `from` down to and with `to`. Blocks are read forwards: each is laid out once.
    pub fn range_back(&self, from: StreamId, to: StreamId) -> impl Iterator<Item = Entry<'_>> {
        let open = self.open.iter().filter(move |open| open.id() <= from);
        let blocks = open.chain(self.sealed.back_from(from));
        let entries =
            blocks.flat_map(|block| block.entries().collect::<Vec<Entry<'_>>>().into_iter().rev());
        entries.skip_while(move |entry| entry.id > from).take_while(move |entry| entry.id >= to)
    }

    pub fn heap_bytes(&self) -> usize {
        let open = self.open.as_ref().map_or(0, Block::heap_bytes);
        self.sealed.heap_bytes() + self.sealed_bytes + open
    }

    /// Frees up to `pieces` blocks; how many it did free.
    pub fn dismantle(&mut self, pieces: usize) -> usize {
        let open = usize::from(self.open.take().is_some());
        open + self.sealed.dismantle(pieces)
    }

    pub fn check_invariants(&self) {
        self.sealed.check_invariants();
        assert!(self.open.is_some() || self.length == 0 && self.sealed.is_empty());
        let blocks = || self.sealed.iter().chain(&self.open);
        blocks().for_each(Block::check_invariants);
        let live: usize = blocks().map(Block::live).sum();
        assert_eq!(live, self.length);
        let sealed: usize = self.sealed.iter().map(Block::heap_bytes).sum();
        assert_eq!(sealed, self.sealed_bytes);
        let ids: Vec<StreamId> = blocks().flat_map(Block::entries).map(|entry| entry.id).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(ids.last().is_none_or(|&id| id <= self.last));
        assert!(self.added >= self.length as u64);
    }
}
