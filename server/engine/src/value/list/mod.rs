//! Lists. A small one is a single packed run (in the entry of its key, or beside it in an
//! allocation), a large one a directory
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

use super::collection::{View, fit_buffer, seal_inline};
use super::packed::{self, Element, Encoded, Place, Run};
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

const _: () = assert!(size_of::<List>() <= 32);

/// A list that is only read.
#[derive(Clone, Copy, Debug)]
pub enum ListView<'a> {
    Small { run: Run<'a>, count: usize },
    Large(&'a Large),
}

/// The only form in an entry: the run, the bytes of a listpack (`u16`), the count (`u8`).
const INLINE: u8 = 0;

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
    /// A run.
    bytes: Vec<u8>,
    /// Bytes of its entries, were it a listpack: a few times 64 KiB at most, by [`Limit`].
    entry_bytes: u32,
    /// Below 64 Ki, by [`Limit`].
    count: u16,
}

impl Small {
    #[inline]
    fn run(&self) -> Run<'_> {
        Run::new(&self.bytes)
    }

    fn push(&mut self, end: End, new: &Encoded<'_>) {
        match end {
            End::Left => packed::splice(&mut self.bytes, 0, Place::FRONT, Place::FRONT, Some(new)),
            End::Right => {
                self.bytes.reserve_exact(new.bytes() + usize::from(self.bytes.is_empty()));
                packed::push_back(&mut self.bytes, 0, new);
            }
        }
        self.count += 1;
        self.entry_bytes += entry_bytes(new.element()) as u32;
    }

    /// See [`Collection::into_inline`].
    fn into_inline(self, bytes_max: usize) -> Result<Vec<u8>, Small> {
        let Small { mut bytes, entry_bytes, count } = self;
        let length = bytes.len();
        bytes.extend_from_slice(&(entry_bytes as u16).to_le_bytes());
        let sealed = match u16::try_from(entry_bytes) {
            Ok(_) => seal_inline(bytes, usize::from(count), bytes_max),
            Err(_) => Err(bytes),
        };
        sealed.map_err(|mut bytes| {
            bytes.truncate(length);
            Small { bytes, entry_bytes, count }
        })
    }

    /// What [`Small::into_inline`] made.
    fn from_inline(mut bytes: Vec<u8>) -> Small {
        let (run, entry_bytes, count) = open_inline(&bytes);
        bytes.truncate(run.bytes());
        Small { bytes, entry_bytes: u32::from(entry_bytes), count: u16::from(count) }
    }

    fn place(&self, index: usize) -> Place {
        self.run().place(index, self.count.into())
    }

    /// Takes the elements from `first` up to `end`.
    fn remove(&mut self, first: usize, end: usize) {
        if first == end {
            return;
        }
        let (from, to) = (self.place(first), self.place(end));
        self.entry_bytes -= self.entry_bytes_between(from, end - first);
        packed::splice(&mut self.bytes, 0, from, to, None);
        self.count -= (end - first) as u16;
    }

    fn entry_bytes_between(&self, from: Place, count: usize) -> u32 {
        let mut place = from;
        let mut bytes = 0;
        for _ in 0..count {
            let Some((element, behind)) = self.run().next(place) else { break };
            bytes += entry_bytes(element) as u32;
            place = behind;
        }
        bytes
    }

    fn insert(&mut self, index: usize, new: &Encoded<'_>) {
        let place = self.place(index);
        packed::splice(&mut self.bytes, 0, place, place, Some(new));
        self.count += 1;
        self.entry_bytes += entry_bytes(new.element()) as u32;
    }

    fn set(&mut self, index: usize, new: &Encoded<'_>) {
        let from = self.place(index);
        let Some((old, to)) = self.run().next(from) else { return };
        let old_bytes = entry_bytes(old) as u32;
        packed::splice(&mut self.bytes, 0, from, to, Some(new));
        self.entry_bytes = self.entry_bytes - old_bytes + entry_bytes(new.element()) as u32;
    }

    fn remove_equal(&mut self, needle: &Encoded<'_>, end: End, limit: usize) -> usize {
        let run = self.run();
        let keep = match end {
            End::Left => 0,
            End::Right => run.count_equal(needle).saturating_sub(limit),
        };
        let Some((bytes, taken)) = packed::without(run, needle, keep, limit) else { return 0 };
        self.bytes = bytes;
        self.count -= taken as u16;
        self.entry_bytes -= (taken * entry_bytes(needle.element())) as u32;
        taken
    }
}

/// The parts of what [`Small::into_inline`] made.
#[inline]
fn open_inline(bytes: &[u8]) -> (Run<'_>, u16, u8) {
    let (run, [low, high, count]) = bytes.split_last_chunk().expect("a run ends in three bytes");
    (Run::new(run), u16::from_le_bytes([*low, *high]), *count)
}

impl<'a> ListView<'a> {
    /// The element at `index`.
    pub fn get(self, index: usize) -> Option<Element<'a>> {
        match self {
            ListView::Large(large) => large.get(index),
            ListView::Small { run, count } if index < count => {
                Some(run.next(run.place(index, count))?.0)
            }
            ListView::Small { .. } => None,
        }
    }

    /// At most `count` elements behind the first `skip`, both as seen from the end `from`.
    pub fn walk(self, from: End, skip: usize, count: usize) -> Walk<'a> {
        let len = self.len();
        if skip >= len {
            return Walk::nothing();
        }
        let left = count.min(len - skip);
        match self {
            ListView::Small { run, .. } => Walk::in_run(run, len, from, skip, left),
            ListView::Large(large) => Walk::in_large(large, from, skip, left),
        }
    }

    /// All elements from left to right.
    pub fn iter(self) -> Walk<'a> {
        self.walk(End::Left, 0, usize::MAX)
    }
}

impl View for ListView<'_> {
    type Of = List;

    #[inline]
    fn len(self) -> usize {
        match self {
            ListView::Small { count, .. } => count,
            ListView::Large(large) => large.len(),
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            ListView::Small { .. } => "listpack",
            ListView::Large(_) => "quicklist",
        }
    }

    fn digest(self) -> u64 {
        let mut hash = Xxh3::new();
        for element in self.iter() {
            let mut digits = itoa::Buffer::new();
            let text = element.text(&mut digits);
            hash.update(&(text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.digest()
    }

    fn for_each_edit(self, visit: &mut dyn FnMut(ListEdit<'_>)) {
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
}

impl List {
    /// As [`ListView::get`].
    pub fn get(&self, index: usize) -> Option<Element<'_>> {
        self.view().get(index)
    }

    /// As [`ListView::walk`].
    pub fn walk(&self, from: End, skip: usize, count: usize) -> Walk<'_> {
        self.view().walk(from, skip, count)
    }

    /// As [`ListView::iter`].
    pub fn iter(&self) -> Walk<'_> {
        self.view().iter()
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
        for element in small.run().iter() {
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
        self.0 = Form::Small(Small { bytes, entry_bytes: entries as u32, count: len as u16 });
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

    type View<'a> = ListView<'a>;

    #[inline]
    fn view(&self) -> ListView<'_> {
        match &self.0 {
            Form::Small(small) => ListView::Small { run: small.run(), count: small.count.into() },
            Form::Large(large) => ListView::Large(large),
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

    fn in_buffer(buffer: Vec<u8>) -> List {
        List(Form::Small(Small { bytes: buffer, entry_bytes: 0, count: 0 }))
    }

    fn into_inline(self, bytes_max: usize) -> Result<(u8, Vec<u8>), List> {
        let Form::Small(small) = self.0 else { return Err(self) };
        let inline = small.into_inline(bytes_max).map(|bytes| (INLINE, bytes));
        inline.map_err(|small| List(Form::Small(small)))
    }

    fn from_inline(form: u8, bytes: Vec<u8>) -> List {
        debug_assert_eq!(form, INLINE);
        List(Form::Small(Small::from_inline(bytes)))
    }

    #[inline]
    fn view_inline(form: u8, bytes: &[u8]) -> ListView<'_> {
        debug_assert_eq!(form, INLINE);
        let (run, _, count) = open_inline(bytes);
        ListView::Small { run, count: count.into() }
    }

    fn fit(&mut self) {
        if let Form::Small(small) = &mut self.0 {
            fit_buffer(&mut small.bytes);
        }
    }

    #[inline]
    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Small(small) => small.bytes.capacity(),
            Form::Large(large) => large.heap_bytes(),
        }
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
                let run = small.run();
                assert_eq!(usize::from(small.count), run.count());
                assert_eq!(small.entry_bytes as usize, run.iter().map(entry_bytes).sum::<usize>());
            }
        }
    }
}

#[cfg(test)]
mod tests;
