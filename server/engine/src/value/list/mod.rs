//! Lists. A small one is a single packed run in an allocation of its size, a large one a directory
//! of blocks of such runs; where Redis 7.2 would say `listpack` it is small, where `quicklist`
//! large. (Redis goes back to a listpack when one node is left and half full; we go back when the
//! whole list would fit half a listpack, wherever its elements are.)

mod block;
mod edit;
mod large;
mod listpack;
mod walk;

pub use block::End;
pub use edit::{Elements, EncodedElements, ListEdit};
pub use walk::Walk;

use xxhash_rust::xxh3::Xxh3;

use super::packed::{self, Element, Encoded, Packed, Place};
use super::{Collection, Kind, Rules};
use edit::put_element;
use large::Large;
use listpack::{EMPTY_BYTES, Limit, entry_bytes};

/// Bytes of elements in one edit when a whole list is written down.
const EDIT_BYTES: usize = 4096;

/// Blocks that an edit frees of what earlier ones have cut off, if nobody has taken it.
const FREED_PER_EDIT: usize = 64;

/// A list of byte strings.
#[derive(Clone, Debug, Default)]
pub struct List(Form);

const _: () = assert!(size_of::<List>() <= 24);

#[derive(Clone, Debug)]
enum Form {
    Small(Small),
    Large(Box<Large>),
}

impl Default for Form {
    fn default() -> Form {
        Form::Small(Small::default())
    }
}

#[derive(Clone, Debug, Default)]
struct Small {
    packed: Packed,
    /// Bytes of its entries, were it a listpack: a few times 64 KiB at most, by [`Limit`].
    entry_bytes: u32,
    /// Below 64 Ki, by [`Limit`].
    count: u16,
}

impl Small {
    fn push(&mut self, end: End, new: &Encoded<'_>) {
        match end {
            End::Left => self.packed.push_front(new),
            End::Right => self.packed.push_back(new),
        }
        self.count += 1;
        self.entry_bytes += entry_bytes(new.element()) as u32;
    }

    fn place(&self, index: usize) -> Place {
        self.packed.run().place(index, self.count.into())
    }

    /// Takes the elements from `first` up to `end`.
    fn remove(&mut self, first: usize, end: usize) {
        if first == end {
            return;
        }
        let (from, to) = (self.place(first), self.place(end));
        self.entry_bytes -= self.entry_bytes_between(from, end - first);
        self.packed.remove(from, to);
        self.count -= (end - first) as u16;
    }

    fn entry_bytes_between(&self, from: Place, count: usize) -> u32 {
        let mut place = from;
        let mut bytes = 0;
        for _ in 0..count {
            let Some((element, behind)) = self.packed.run().next(place) else { break };
            bytes += entry_bytes(element) as u32;
            place = behind;
        }
        bytes
    }

    fn insert(&mut self, index: usize, new: &Encoded<'_>) {
        let place = self.place(index);
        self.packed.insert(place, new);
        self.count += 1;
        self.entry_bytes += entry_bytes(new.element()) as u32;
    }

    fn set(&mut self, index: usize, new: &Encoded<'_>) {
        let from = self.place(index);
        let Some((old, to)) = self.packed.run().next(from) else { return };
        let old_bytes = entry_bytes(old) as u32;
        self.packed.replace(from, to, new);
        self.entry_bytes = self.entry_bytes - old_bytes + entry_bytes(new.element()) as u32;
    }

    fn remove_equal(&mut self, needle: &Encoded<'_>, end: End, limit: usize) -> usize {
        let run = self.packed.run();
        let keep = match end {
            End::Left => 0,
            End::Right => run.count_equal(needle).saturating_sub(limit),
        };
        let Some((bytes, taken)) = packed::without(run, needle, keep, limit) else { return 0 };
        self.packed = Packed::from_bytes(bytes);
        self.count -= taken as u16;
        self.entry_bytes -= (taken * entry_bytes(needle.element())) as u32;
        taken
    }
}

impl List {
    /// The element at `index`.
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        match &self.0 {
            Form::Large(large) => large.get(index),
            Form::Small(small) if index < small.count.into() => {
                Some(small.packed.run().next(small.place(index))?.0)
            }
            Form::Small(_) => None,
        }
    }

    /// At most `count` elements behind the first `skip`, both as seen from the end `from`.
    pub fn walk(&self, from: End, skip: usize, count: usize) -> Walk<'_> {
        let len = self.len();
        if skip >= len {
            return Walk::nothing();
        }
        let left = count.min(len - skip);
        match &self.0 {
            Form::Small(small) => Walk::in_run(small.packed.run(), len, from, skip, left),
            Form::Large(large) => Walk::in_large(large, from, skip, left),
        }
    }

    /// All elements from left to right.
    pub fn iter(&self) -> Walk<'_> {
        self.walk(End::Left, 0, usize::MAX)
    }

    /// Makes room for elements whose texts have `bytes`: a listpack that might be too large with
    /// them becomes a quicklist before, as in Redis.
    #[inline]
    fn prepare(&mut self, bytes: usize, count: usize, rules: &Rules) {
        let Form::Small(small) = &self.0 else { return };
        let bytes = bytes.saturating_add(EMPTY_BYTES + small.entry_bytes as usize);
        let count = count.saturating_add(small.count.into());
        if !Limit::of(rules.list_max_listpack_size).allows(bytes, count) {
            self.become_large();
        }
    }

    #[cold]
    fn become_large(&mut self) {
        let Form::Small(small) = &self.0 else { return };
        let mut large = Box::<Large>::default();
        for element in small.packed.run().iter() {
            large.push(End::Right, &Encoded::again(element));
        }
        self.0 = Form::Large(large);
    }

    /// A quicklist that has lost elements becomes a listpack when it is small enough.
    #[inline]
    fn settle(&mut self, rules: &Rules) {
        let Form::Large(large) = &self.0 else { return };
        if large.has_debris() {
            return; // it would have to be freed here
        }
        let limit = Limit::of(rules.list_max_listpack_size);
        // Each element costs a listpack at least one byte more than it costs us.
        let bytes = EMPTY_BYTES + large.used() + large.len();
        if limit.takes_back(bytes, large.len()) {
            self.become_small(limit);
        }
    }

    #[cold]
    fn become_small(&mut self, limit: Limit) {
        let entries: usize = self.iter().map(entry_bytes).sum();
        let len = self.len();
        if !limit.takes_back(EMPTY_BYTES + entries, len) {
            return;
        }
        let mut bytes = Vec::new();
        for element in self.iter() {
            packed::push_back(&mut bytes, 0, &Encoded::again(element));
        }
        let packed = Packed::from_bytes(bytes);
        self.0 = Form::Small(Small { packed, entry_bytes: entries as u32, count: len as u16 });
    }

    fn push(&mut self, end: End, elements: Elements<'_>, rules: &Rules) -> bool {
        let (mut bytes, mut count) = (0usize, 0);
        elements.for_each(|element| {
            bytes = bytes.saturating_add(element.len());
            count += 1;
        });
        self.prepare(bytes, count, rules);
        elements.for_each(|element| {
            let new = Encoded::of(element);
            match &mut self.0 {
                Form::Small(small) => small.push(end, &new),
                Form::Large(large) => large.push(end, &new),
            }
        });
        count > 0
    }

    fn pop(&mut self, end: End, count: usize) -> bool {
        let len = self.len();
        let count = count.min(len);
        match &mut self.0 {
            Form::Small(small) => match end {
                End::Left => small.remove(0, count),
                End::Right => small.remove(len - count, len),
            },
            Form::Large(large) => large.pop(end, count),
        }
        count > 0
    }

    fn set(&mut self, index: usize, element: &[u8], rules: &Rules) -> bool {
        if index >= self.len() {
            return false;
        }
        self.prepare(element.len(), 1, rules);
        let new = Encoded::of(element);
        match &mut self.0 {
            Form::Small(small) => small.set(index, &new),
            Form::Large(large) => large.set(index, &new),
        }
        true
    }

    fn insert(&mut self, index: usize, element: &[u8], rules: &Rules) -> bool {
        if index > self.len() {
            return false;
        }
        self.prepare(element.len(), 1, rules);
        let new = Encoded::of(element);
        match &mut self.0 {
            Form::Small(small) => small.insert(index, &new),
            Form::Large(large) => large.insert(index, &new),
        }
        true
    }

    fn remove_equal(&mut self, element: &[u8], end: End, limit: usize) -> bool {
        let needle = Encoded::of(element);
        let taken = match &mut self.0 {
            Form::Small(small) => small.remove_equal(&needle, end, limit),
            Form::Large(large) => large.remove_equal(&needle, end, limit),
        };
        taken > 0
    }
}

/// A number of an edit as a count or an index here: what is too large is as good as the largest.
fn number(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl Collection for List {
    const KIND: Kind = Kind::List;

    type Edit<'e> = ListEdit<'e>;

    #[inline]
    fn len(&self) -> usize {
        match &self.0 {
            Form::Small(small) => small.count.into(),
            Form::Large(large) => large.len(),
        }
    }

    #[inline]
    fn apply(&mut self, edit: ListEdit<'_>, rules: &Rules) -> bool {
        if let Form::Large(large) = &mut self.0
            && large.has_debris()
        {
            large.clear_debris(FREED_PER_EDIT);
        }
        let changed = match edit {
            ListEdit::Push { end, elements } => return self.push(end, elements, rules),
            ListEdit::Insert { index, element } => {
                return self.insert(number(index), element, rules);
            }
            ListEdit::Set { index, element } => self.set(number(index), element, rules),
            ListEdit::Pop { end, count } => self.pop(end, number(count)),
            ListEdit::Keep { index, count } => {
                let (index, count) = (number(index), number(count));
                let behind = self.len().saturating_sub(index).saturating_sub(count);
                let cut_right = self.pop(End::Right, behind);
                self.pop(End::Left, index) || cut_right
            }
            ListEdit::RemoveEqual { element, end, limit } => {
                self.remove_equal(element, end, number(limit))
            }
        };
        if changed {
            self.settle(rules);
        }
        changed
    }

    fn encode_edit(edit: ListEdit<'_>, out: &mut Vec<u8>) {
        edit.encode(out);
    }

    fn decode_edit(bytes: &[u8]) -> Option<ListEdit<'_>> {
        ListEdit::decode(bytes)
    }

    fn for_each_edit(&self, visit: &mut dyn FnMut(ListEdit<'_>)) {
        let mut flush = |bytes: &mut Vec<u8>| {
            if let Some(elements) = EncodedElements::new(bytes).filter(|_| !bytes.is_empty()) {
                visit(ListEdit::Push { end: End::Right, elements: Elements::Encoded(elements) });
            }
            bytes.clear();
        };
        let mut bytes = Vec::new();
        for element in self.iter() {
            put_element(element.text(&mut itoa::Buffer::new()), &mut bytes);
            if bytes.len() >= EDIT_BYTES {
                flush(&mut bytes);
            }
        }
        flush(&mut bytes);
    }

    fn encoding_name(&self) -> &'static str {
        match self.0 {
            Form::Small(_) => "listpack",
            Form::Large(_) => "quicklist",
        }
    }

    #[inline]
    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Small(small) => small.packed.heap_bytes(),
            Form::Large(large) => large.heap_bytes(),
        }
    }

    fn digest(&self) -> u64 {
        let mut hash = Xxh3::new();
        for element in self.iter() {
            let mut digits = itoa::Buffer::new();
            let text = element.text(&mut digits);
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.digest()
    }

    #[inline]
    fn take_debris(&mut self, rules: &Rules) -> Option<List> {
        let Form::Large(large) = &mut self.0 else { return None };
        if !large.has_debris() {
            return None;
        }
        let debris = large.take_debris();
        self.settle(rules);
        Some(List(Form::Large(Box::new(debris))))
    }

    fn dismantle(&mut self, pieces: usize) -> bool {
        if let Form::Large(large) = &mut self.0
            && large.drop_some(pieces)
        {
            return true;
        }
        self.0 = Form::default();
        false
    }

    fn check_invariants(&self, _rules: &Rules) {
        match &self.0 {
            Form::Large(large) => large.check_invariants(),
            Form::Small(small) => {
                let run = small.packed.run();
                assert_eq!(usize::from(small.count), run.count());
                assert_eq!(small.entry_bytes as usize, run.iter().map(entry_bytes).sum::<usize>());
            }
        }
    }
}

#[cfg(test)]
mod tests;
