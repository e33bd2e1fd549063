//! A hash: a few fields packed in the order they came, or a dictionary, as Redis 7.2 has listpack
//! and hashtable, and with its thresholds. A hash that has become a dictionary stays one.
//!
//! A field may have a deadline, in Unix milliseconds. It costs nine bytes in that field and
//! nothing elsewhere. The hash knows the earliest deadline and finds what is due, but it removes
//! nothing by itself and hides nothing: it knows no clock.

mod edit;

use super::Kind;
use super::collection::{Collection, Rules, View};
pub use super::dict::Entry;
use super::dict::{Dict, Packed, PackedView};
use super::draw;
use crate::base::random::Random;
pub use edit::HashEdit;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Values by field.
#[derive(Debug)]
pub struct Hash(Form);

#[derive(Debug)]
enum Form {
    Packed(Packed<true>),
    Dict(Box<Dict<true>>),
}

const _: () = assert!(size_of::<Hash>() <= 32);

/// A hash that is only read.
#[derive(Clone, Copy, Debug)]
pub enum HashView<'a> {
    Packed(PackedView<'a, true>),
    Dict(&'a Dict<true>),
}

/// Forms in an entry: packed, and packed with deadlines, now or once.
const INLINE: u8 = 0;
const INLINE_TIMED: u8 = 1;

impl Default for Hash {
    fn default() -> Hash {
        Hash(Form::Packed(Packed::default()))
    }
}

impl<'a> HashView<'a> {
    /// The field with its value and its deadline, which may have passed.
    #[inline]
    pub fn get(self, field: &[u8]) -> Option<Entry<'a>> {
        match self {
            HashView::Packed(packed) => packed.get(field),
            HashView::Dict(dict) => dict.get(field),
        }
    }

    /// All fields. A small hash answers in the order of their arrival.
    pub fn iter(self) -> impl Iterator<Item = Entry<'a>> {
        let (packed, dict) = match self {
            HashView::Packed(packed) => (Some(packed.iter()), None),
            HashView::Dict(dict) => (None, Some(dict.iter())),
        };
        packed.into_iter().flatten().chain(dict.into_iter().flatten())
    }

    /// Visits fields from `cursor` on, about `count` of them, and returns the cursor to go on
    /// with, 0 at the end: see [`Dict::scan`]. A small hash is visited in one go.
    pub fn scan(self, cursor: u64, count: usize, visit: &mut dyn FnMut(Entry<'_>)) -> u64 {
        if let HashView::Dict(dict) = self {
            return dict.scan(cursor, count, visit);
        }
        self.iter().for_each(visit);
        0
    }

    /// A field, each equally likely; `None` when there is none.
    pub fn random(self, random: &mut Random) -> Option<Entry<'a>> {
        match self {
            HashView::Dict(dict) => dict.random(random),
            HashView::Packed(_) if self.is_empty() => None,
            HashView::Packed(packed) => {
                packed.iter().nth(random.below(packed.len() as u64) as usize)
            }
        }
    }

    /// `count` different fields, each choice equally likely, or all when there are no more.
    pub fn sample(self, count: usize, random: &mut Random) -> Vec<Entry<'a>> {
        draw::distinct(self.len(), count, random, self.iter(), |random| self.random(random))
    }

    /// Visits up to `max` of the fields whose deadline lies before `now`. They are still there:
    /// whoever asks removes them with [`HashEdit::Remove`].
    pub fn for_each_due(self, now: i64, max: usize, visit: &mut dyn FnMut(Entry<'_>)) {
        match self {
            HashView::Dict(dict) => dict.for_each_due(now, max, visit),
            HashView::Packed(packed) => {
                packed.iter().filter(|entry| entry.is_due(now)).take(max).for_each(visit);
            }
        }
    }

    /// How many fields have a deadline before `now`. O(1) when there is none.
    pub fn due_len(self, now: i64) -> usize {
        let mut count = 0;
        if self.next_deadline().is_some_and(|deadline| deadline < now) {
            self.for_each_due(now, usize::MAX, &mut |_| count += 1);
        }
        count
    }
}

impl View for HashView<'_> {
    type Of = Hash;

    fn len(self) -> usize {
        match self {
            HashView::Packed(packed) => packed.len(),
            HashView::Dict(dict) => dict.len(),
        }
    }

    /// The earliest deadline of any field. O(1), or a look at the few fields of a small hash.
    fn next_deadline(self) -> Option<i64> {
        match self {
            HashView::Packed(packed) if packed.is_timed() => {
                packed.iter().filter_map(|entry| entry.deadline).min()
            }
            HashView::Packed(_) => None,
            HashView::Dict(dict) => dict.next_deadline(),
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            HashView::Packed(packed) if packed.is_timed() => "listpackex",
            HashView::Packed(_) => "listpack",
            HashView::Dict(_) => "hashtable",
        }
    }

    fn digest(self) -> u64 {
        self.iter().fold(0, |sum, entry| {
            let field = xxh3_64_with_seed(entry.field, entry.deadline.map_or(0, |at| at as u64));
            let timed = field.rotate_left(u32::from(entry.deadline.is_some()));
            sum.wrapping_add(xxh3_64_with_seed(entry.value, timed))
        })
    }

    fn for_each_edit(self, visit: &mut dyn FnMut(HashEdit<'_>)) {
        for Entry { field, value, deadline } in self.iter() {
            visit(HashEdit::Set { field, value, keep_deadline: false });
            if deadline.is_some() {
                visit(HashEdit::Deadline(field, deadline));
            }
        }
    }
}

impl Hash {
    /// As [`HashView::get`].
    #[inline]
    pub fn get(&self, field: &[u8]) -> Option<Entry<'_>> {
        self.view().get(field)
    }

    fn set(&mut self, field: &[u8], value: &[u8], keep_deadline: bool, rules: &Rules) -> bool {
        let longest = field.len().max(value.len());
        if longest > rules.hash_max_listpack_value_bytes {
            self.grow(rules);
        }
        match &mut self.0 {
            Form::Dict(dict) => dict.insert(field, value, keep_deadline),
            Form::Packed(packed) => {
                let is_new = packed.insert(field, value, keep_deadline);
                if packed.len() > rules.hash_max_listpack_entries {
                    self.grow(rules);
                }
                is_new
            }
        }
    }

    /// Becomes a dictionary, unless it is one.
    fn grow(&mut self, rules: &Rules) {
        let Form::Packed(packed) = &self.0 else { return };
        let mut dict = Dict::new(rules.hash_seed);
        for entry in packed.iter() {
            dict.insert(entry.field, entry.value, false);
            if entry.deadline.is_some() {
                dict.set_deadline(entry.field, entry.deadline);
            }
        }
        self.0 = Form::Dict(Box::new(dict));
    }
}

impl Collection for Hash {
    const KIND: Kind = Kind::Hash;
    type Edit<'e> = HashEdit<'e>;
    type View<'a> = HashView<'a>;

    #[inline]
    fn view(&self) -> HashView<'_> {
        match &self.0 {
            Form::Packed(packed) => HashView::Packed(packed.view()),
            Form::Dict(dict) => HashView::Dict(dict),
        }
    }

    /// Setting a field always is a change, also to the value it has: so it is in Redis, for
    /// WATCH and for events.
    fn apply(&mut self, edit: HashEdit<'_>, rules: &Rules) -> bool {
        match edit {
            HashEdit::Set { field, value, keep_deadline } => {
                self.set(field, value, keep_deadline, rules);
                true
            }
            HashEdit::Remove(field) => match &mut self.0 {
                Form::Packed(packed) => packed.remove(field),
                Form::Dict(dict) => dict.remove(field),
            },
            HashEdit::Deadline(field, deadline) => match &mut self.0 {
                Form::Packed(packed) => packed.set_deadline(field, deadline),
                Form::Dict(dict) => dict.set_deadline(field, deadline),
            },
        }
    }

    fn encode_edit(edit: HashEdit<'_>, out: &mut Vec<u8>) {
        edit.encode(out);
    }

    fn decode_edit(bytes: &[u8]) -> Option<HashEdit<'_>> {
        HashEdit::decode(bytes)
    }

    fn in_buffer(buffer: Vec<u8>) -> Hash {
        Hash(Form::Packed(Packed::in_buffer(buffer)))
    }

    fn into_inline(self, bytes_max: usize) -> Result<(u8, Vec<u8>), Hash> {
        let Form::Packed(packed) = self.0 else { return Err(self) };
        let form = if packed.view().is_timed() { INLINE_TIMED } else { INLINE };
        let inline = packed.into_inline(bytes_max).map(|bytes| (form, bytes));
        inline.map_err(|packed| Hash(Form::Packed(packed)))
    }

    fn from_inline(form: u8, bytes: Vec<u8>) -> Hash {
        Hash(Form::Packed(Packed::from_inline(bytes, form == INLINE_TIMED)))
    }

    #[inline]
    fn view_inline(form: u8, bytes: &[u8]) -> HashView<'_> {
        HashView::Packed(PackedView::from_inline(bytes, form == INLINE_TIMED))
    }

    fn fit(&mut self) {
        if let Form::Packed(packed) = &mut self.0 {
            packed.fit();
        }
    }

    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Packed(packed) => packed.heap_bytes(),
            Form::Dict(dict) => dict.heap_bytes(),
        }
    }

    fn dismantle(&mut self, pieces: usize) -> bool {
        let is_left = match &mut self.0 {
            Form::Packed(_) => false,
            Form::Dict(dict) => dict.dismantle(pieces),
        };
        if !is_left {
            *self = Hash::default();
        }
        is_left
    }

    fn check_invariants(&self, rules: &Rules) {
        match &self.0 {
            Form::Dict(dict) => dict.check_invariants(),
            Form::Packed(packed) => {
                packed.check_invariants();
                assert!(packed.len() <= rules.hash_max_listpack_entries);
            }
        }
    }
}

#[cfg(test)]
mod tests;
