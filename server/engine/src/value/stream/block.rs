//! A packed run of entries. The field names of the entry that opened the block are written once;
//! an entry with the same names in the same order stores only its values.
//!
//! ```text
//! block   fields in front: count (varint) · names · then entries
//! entry   bytes that follow (varint) · head u8 · time behind the block's (0 to 8 bytes)
//!         · sequence (0 to 8 bytes) · [count (varint) · names and values] or values
//! head    bit 7: own names · bits 4-6: width of the time · bits 0-2: width of the sequence
//! ```
//! The sequence counts from the block's where the time is the block's. A removed entry leaves no
//! bytes behind, but still counts as one the block has taken: blocks end where Redis's would.

use super::element::{Element, listpack_integer_bytes};
use super::fields::Fields;
use super::id::StreamId;
use super::shelf::Shelved;
use crate::value::Rules;

/// Blocks end here whatever the options say: finding an entry reads through its block.
const BLOCK_BYTES_MAX: usize = 64 * 1024;
/// What a listpack has around its elements: header and end mark; of a master entry's elements,
/// the counts of live and deleted entries and the zero that ends it.
const LISTPACK_FRAME_BYTES: usize = 7 + 3 * 2;

const OWN_NAMES: u8 = 0x80;
/// Widths in bytes the three bits of a head can name.
const WIDTHS: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 8];

#[derive(Debug)]
pub(super) struct Block {
    /// The id the block opened with; the entry itself may be gone.
    first: StreamId,
    bytes: Vec<u8>,
    /// Where the entries begin in `bytes`.
    entries_at: u32,
    live: u32,
    /// Entries removed from inside.
    removed: u32,
    /// What all entries ever taken would fill in Redis.
    listpack_bytes: u32,
}

impl Shelved for Block {
    fn id(&self) -> StreamId {
        self.first
    }
}

/// One entry, still packed.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub id: StreamId,
    /// Names from the head of the block; none when the entry has its own.
    names: Option<&'a [u8]>,
    count: usize,
    body: &'a [u8],
}

impl<'a> Entry<'a> {
    /// How many pairs.
    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Names and values, as they were added.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = (Element<'a>, Element<'a>)> + use<'a> {
        let (mut names, mut body) = (self.names, self.body);
        (0..self.count).map(move |_| {
            let name = match &mut names {
                Some(names) => Element::take(names),
                None => Element::take(&mut body),
            };
            (name, Element::take(&mut body))
        })
    }
}

/// What an entry will take, here and in Redis.
struct Plan {
    own_names: bool,
    pairs: usize,
    /// Of the elements.
    bytes: usize,
    listpack_bytes: usize,
}

impl Block {
    /// A block whose first entry this is.
    pub fn open(id: StreamId, fields: Fields<'_>) -> Block {
        let names = || fields.iter().step_by(2).map(Element::of);
        let pairs = fields.count() / 2;
        let names_bytes = varint_bytes(pairs) + names().map(|n| n.encoded_bytes()).sum::<usize>();
        let listpack_names: usize = names().map(|name| name.listpack_bytes()).sum();
        let listpack_bytes =
            LISTPACK_FRAME_BYTES + listpack_integer_bytes(pairs as i64) + listpack_names;
        let values = || fields.iter().skip(1).step_by(2).map(Element::of);
        let plan = Plan {
            own_names: false,
            pairs,
            bytes: values().map(|value| value.encoded_bytes()).sum(),
            listpack_bytes: values().map(|value| value.listpack_bytes()).sum(),
        };
        let body = 1 + plan.bytes;
        let mut bytes = Vec::with_capacity(names_bytes + varint_bytes(body) + body);
        put_varint(pairs, &mut bytes);
        names().for_each(|name| name.encode(&mut bytes));
        let mut block = Block {
            first: id,
            entries_at: bytes.len() as u32,
            bytes,
            live: 0,
            removed: 0,
            listpack_bytes: u32::try_from(listpack_bytes).unwrap_or(u32::MAX),
        };
        block.write(id, fields, &plan);
        block
    }

    /// Appends an entry, unless the block is full. The id is above all in the block.
    pub fn append(&mut self, id: StreamId, fields: Fields<'_>, rules: &Rules) -> bool {
        debug_assert!(id > self.first);
        let bytes_max = match rules.stream_node_max_bytes {
            0 => BLOCK_BYTES_MAX,
            bytes => bytes.min(BLOCK_BYTES_MAX),
        };
        let given: usize = fields.iter().map(<[u8]>::len).sum();
        if self.listpack_bytes as usize + given >= bytes_max {
            return false;
        }
        let entries_max = rules.stream_node_max_entries;
        if entries_max != 0 && self.live as usize + self.removed as usize >= entries_max {
            return false;
        }
        let plan = self.plan(fields);
        self.write(id, fields, &plan);
        true
    }

    fn plan(&self, fields: Fields<'_>) -> Plan {
        let own_names = !self.has_names_of(fields);
        let pairs = fields.count() / 2;
        let mut plan = Plan { own_names, pairs, bytes: 0, listpack_bytes: 0 };
        if own_names {
            plan.bytes = varint_bytes(pairs);
            plan.listpack_bytes = listpack_integer_bytes(pairs as i64);
        }
        let skip = usize::from(!own_names);
        for element in fields.iter().skip(skip).step_by(1 + skip).map(Element::of) {
            plan.bytes += element.encoded_bytes();
            plan.listpack_bytes += element.listpack_bytes();
        }
        plan
    }

    fn has_names_of(&self, fields: Fields<'_>) -> bool {
        let mut names = &self.bytes[..self.entries_at as usize];
        take_varint(&mut names) * 2 == fields.count()
            && fields.iter().step_by(2).all(|name| match Element::take(&mut names) {
                Element::Text(text) => text == name,
                integer => integer == Element::of(name),
            })
    }

    fn write(&mut self, id: StreamId, fields: Fields<'_>, plan: &Plan) {
        let ms = id.ms - self.first.ms;
        let seq = if ms == 0 { id.seq - self.first.seq } else { id.seq };
        let (ms_width, seq_width) = (width_of(ms), width_of(seq));
        let body = 1 + WIDTHS[ms_width] + WIDTHS[seq_width] + plan.bytes;
        self.reserve(varint_bytes(body) + body);
        let out = &mut self.bytes;
        put_varint(body, out);
        let start = out.len();
        let own = if plan.own_names { OWN_NAMES } else { 0 };
        out.push(own | (ms_width as u8) << 4 | seq_width as u8);
        out.extend_from_slice(&ms.to_le_bytes()[..WIDTHS[ms_width]]);
        out.extend_from_slice(&seq.to_le_bytes()[..WIDTHS[seq_width]]);
        if plan.own_names {
            put_varint(plan.pairs, out);
            fields.iter().for_each(|element| Element::of(element).encode(out));
        } else {
            let values = fields.iter().skip(1).step_by(2);
            values.for_each(|value| Element::of(value).encode(out));
        }
        debug_assert_eq!(out.len() - start, body);
        self.live += 1;
        let seq_distance = id.seq.wrapping_sub(self.first.seq) as i64;
        let elements = if plan.own_names { 2 * plan.pairs + 1 } else { plan.pairs };
        let around = 2 // flags
            + listpack_integer_bytes(ms as i64)
            + listpack_integer_bytes(seq_distance)
            + listpack_integer_bytes(elements as i64 + 3);
        let listpack_bytes = self.listpack_bytes as usize + around + plan.listpack_bytes;
        self.listpack_bytes = u32::try_from(listpack_bytes).unwrap_or(u32::MAX);
    }

    /// Grows by a quarter: a short stream wastes little, a long one copies little.
    fn reserve(&mut self, more: usize) {
        if self.bytes.capacity() - self.bytes.len() < more {
            self.bytes.reserve_exact(more.max(self.bytes.len() / 4));
        }
    }

    /// No more entries will come.
    pub fn seal(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Entries in it.
    pub fn live(&self) -> usize {
        self.live as usize
    }

    pub fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.id >= id).filter(|entry| entry.id == id)
    }

    pub fn last(&self) -> Option<Entry<'_>> {
        self.entries().last()
    }

    pub fn remove(&mut self, id: StreamId) -> bool {
        let mut entries = self.entries();
        loop {
            let start = entries.at;
            match entries.next() {
                Some(entry) if entry.id < id => {}
                Some(entry) if entry.id == id => {
                    let end = entries.at;
                    self.cut(start, end, 1);
                    return true;
                }
                _ => return false,
            }
        }
    }

    /// Removes the first `count` entries; fewer than there are.
    pub fn remove_first(&mut self, count: usize) {
        debug_assert!(count < self.live());
        let mut entries = self.entries();
        entries.by_ref().take(count).for_each(drop);
        let end = entries.at;
        self.cut(self.entries_at as usize, end, count);
    }

    fn cut(&mut self, start: usize, end: usize, count: usize) {
        self.bytes.drain(start..end);
        self.live -= count as u32;
        self.removed = self.removed.saturating_add(count as u32);
        if self.bytes.len() < self.bytes.capacity() / 2 {
            self.bytes.shrink_to_fit();
        }
    }

    /// The entries in order.
    pub fn entries(&self) -> Entries<'_> {
        let mut names = &self.bytes[..self.entries_at as usize];
        let names_count = take_varint(&mut names);
        Entries { block: self, names, names_count, at: self.entries_at as usize }
    }

    pub fn check_invariants(&self) {
        let entries: Vec<Entry<'_>> = self.entries().collect();
        assert_eq!(entries.len(), self.live());
        assert!(!entries.is_empty(), "an empty block goes");
        assert!(entries[0].id >= self.first);
        assert!(entries.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert!(entries.iter().all(|entry| entry.fields().count() == entry.len()));
    }
}

/// Reads through a block.
#[derive(Clone, Debug)]
pub(super) struct Entries<'a> {
    block: &'a Block,
    names: &'a [u8],
    names_count: usize,
    at: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        let mut rest = &self.block.bytes[self.at..];
        if rest.is_empty() {
            return None;
        }
        let length = take_varint(&mut rest);
        let mut body = &rest[..length];
        self.at = self.block.bytes.len() - rest.len() + length;
        let head = body[0];
        body = &body[1..];
        let ms = take_number(&mut body, WIDTHS[usize::from(head >> 4 & 7)]);
        let seq = take_number(&mut body, WIDTHS[usize::from(head & 7)]);
        let first = self.block.first;
        let id = match ms {
            0 => StreamId::new(first.ms, first.seq + seq),
            ms => StreamId::new(first.ms + ms, seq),
        };
        Some(if head & OWN_NAMES == 0 {
            Entry { id, names: Some(self.names), count: self.names_count, body }
        } else {
            let count = take_varint(&mut body);
            Entry { id, names: None, count, body }
        })
    }
}

/// The place in [`WIDTHS`] of the narrowest that holds `number`.
fn width_of(number: u64) -> usize {
    let bytes = (64 - number.leading_zeros() as usize).div_ceil(8);
    bytes.min(7)
}

fn take_number(bytes: &mut &[u8], width: usize) -> u64 {
    let (number, rest) = bytes.split_at(width);
    *bytes = rest;
    number.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn varint_bytes(value: usize) -> usize {
    (usize::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

fn put_varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
fn take_varint(bytes: &mut &[u8]) -> usize {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[0];
        *bytes = &bytes[1..];
        value |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return value;
        }
        shift += 7;
    }
}
