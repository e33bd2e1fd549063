//! A set: sorted integers, a few members packed in the order they came, or a dictionary, as Redis
//! 7.2 has intset, listpack and hashtable, and with its thresholds. A set that has become a
//! dictionary stays one.

mod ints;
mod member;

use super::Kind;
use super::collection::{Collection, Rules, View};
use super::dict::{Dict, Packed, PackedView};
use super::draw;
use crate::base::number::parse_i64;
use crate::base::random::Random;
use ints::{Ints, IntsView};
pub use member::Member;
use xxhash_rust::xxh3::xxh3_64;

/// Members, each once.
#[derive(Debug)]
pub struct Set(Form);

#[derive(Debug)]
enum Form {
    Ints(Ints),
    Packed(Packed<false>),
    Dict(Box<Dict<false>>),
}

const _: () = assert!(size_of::<Set>() <= 32);

/// A set that is only read.
#[derive(Clone, Copy, Debug)]
pub enum SetView<'a> {
    Ints(IntsView<'a>),
    Packed(PackedView<'a, false>),
    Dict(&'a Dict<false>),
}

/// Forms in an entry.
const INLINE_INTS: u8 = 0;
const INLINE: u8 = 1;

/// One change of a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetEdit<'e> {
    Add(&'e [u8]),
    Remove(&'e [u8]),
}

impl Default for Set {
    fn default() -> Set {
        Set(Form::Ints(Ints::default()))
    }
}

impl<'a> SetView<'a> {
    /// Whether `member` is in it.
    #[inline]
    pub fn contains(self, member: &[u8]) -> bool {
        match self {
            SetView::Ints(ints) => parse_i64(member).is_some_and(|value| ints.contains(value)),
            SetView::Packed(packed) => packed.get(member).is_some(),
            SetView::Dict(dict) => dict.get(member).is_some(),
        }
    }

    /// Whether the member of another set is in it.
    #[inline]
    pub fn contains_member(self, member: Member<'_>) -> bool {
        match (self, member) {
            (SetView::Ints(ints), Member::Int(value)) => ints.contains(value),
            _ => self.contains(member.text(&mut itoa::Buffer::new())),
        }
    }

    /// All members. A small set answers in the order of numbers, or in that of arrival.
    pub fn iter(self) -> impl Iterator<Item = Member<'a>> {
        let (ints, packed, dict) = match self {
            SetView::Ints(ints) => (Some(ints.iter()), None, None),
            SetView::Packed(packed) => (None, Some(packed.iter()), None),
            SetView::Dict(dict) => (None, None, Some(dict.iter())),
        };
        let ints = ints.into_iter().flatten().map(Member::Int);
        let texts = packed.into_iter().flatten().chain(dict.into_iter().flatten());
        ints.chain(texts.map(|entry| Member::Text(entry.field)))
    }

    /// Visits members from `cursor` on, about `count` of them, and returns the cursor to go on
    /// with, 0 at the end: see [`Dict::scan`]. A small set is visited in one go.
    pub fn scan(self, cursor: u64, count: usize, visit: &mut dyn FnMut(Member<'_>)) -> u64 {
        if let SetView::Dict(dict) = self {
            return dict.scan(cursor, count, &mut |entry| visit(Member::Text(entry.field)));
        }
        self.iter().for_each(visit);
        0
    }

    /// A member, each equally likely; `None` when there is none.
    pub fn random(self, random: &mut Random) -> Option<Member<'a>> {
        let mut below = |length: usize| random.below(length as u64) as usize;
        match self {
            SetView::Dict(dict) => dict.random(random).map(|entry| Member::Text(entry.field)),
            _ if self.is_empty() => None,
            SetView::Ints(ints) => Some(Member::Int(ints.get(below(ints.len())))),
            SetView::Packed(packed) => {
                let rank = below(packed.len());
                packed.iter().nth(rank).map(|entry| Member::Text(entry.field))
            }
        }
    }

    /// `count` different members, each choice equally likely, or all when there are no more.
    pub fn sample(self, count: usize, random: &mut Random) -> Vec<Member<'a>> {
        draw::distinct(self.len(), count, random, self.iter(), |random| self.random(random))
    }
}

impl View for SetView<'_> {
    type Of = Set;

    fn len(self) -> usize {
        match self {
            SetView::Ints(ints) => ints.len(),
            SetView::Packed(packed) => packed.len(),
            SetView::Dict(dict) => dict.len(),
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            SetView::Ints(_) => "intset",
            SetView::Packed(_) => "listpack",
            SetView::Dict(_) => "hashtable",
        }
    }

    fn digest(self) -> u64 {
        let mut buffer = itoa::Buffer::new();
        self.iter().fold(0, |sum, member| sum.wrapping_add(xxh3_64(member.text(&mut buffer))))
    }

    fn for_each_edit(self, visit: &mut dyn FnMut(SetEdit<'_>)) {
        let mut buffer = itoa::Buffer::new();
        self.iter().for_each(|member| visit(SetEdit::Add(member.text(&mut buffer))));
    }
}

impl Set {
    /// As [`SetView::contains`].
    #[inline]
    pub fn contains(&self, member: &[u8]) -> bool {
        self.view().contains(member)
    }

    /// As [`SetView::iter`].
    pub fn iter(&self) -> impl Iterator<Item = Member<'_>> {
        self.view().iter()
    }

    fn add(&mut self, member: &[u8], rules: &Rules) -> bool {
        let is_short = member.len() <= rules.set_max_listpack_value_bytes;
        match &mut self.0 {
            Form::Ints(ints) => {
                if let Some(value) = parse_i64(member) {
                    let is_new = ints.insert(value);
                    if ints.len() > rules.set_max_intset_entries {
                        self.grow(rules);
                    }
                    return is_new;
                }
                if is_short && ints.len() < rules.set_max_listpack_entries {
                    self.pack();
                } else {
                    self.grow(rules);
                }
                self.add(member, rules)
            }
            Form::Packed(packed) => {
                let is_full = packed.len() >= rules.set_max_listpack_entries || !is_short;
                if !is_full {
                    return packed.insert(member, b"", false);
                }
                if packed.get(member).is_some() {
                    return false;
                }
                self.grow(rules);
                self.add(member, rules)
            }
            Form::Dict(dict) => dict.insert(member, b"", false),
        }
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.0 {
            Form::Ints(ints) => parse_i64(member).is_some_and(|value| ints.remove(value)),
            Form::Packed(packed) => packed.remove(member),
            Form::Dict(dict) => dict.remove(member),
        }
    }

    /// Integers become text, because a member that is none arrives.
    #[cold]
    fn pack(&mut self) {
        let mut packed = Packed::default();
        let mut buffer = itoa::Buffer::new();
        for member in self.iter() {
            packed.insert(member.text(&mut buffer), b"", false);
        }
        self.0 = Form::Packed(packed);
    }

    #[cold]
    fn grow(&mut self, rules: &Rules) {
        let mut dict = Dict::new(rules.hash_seed);
        let mut buffer = itoa::Buffer::new();
        for member in self.iter() {
            dict.insert(member.text(&mut buffer), b"", false);
        }
        self.0 = Form::Dict(Box::new(dict));
    }
}

impl Collection for Set {
    const KIND: Kind = Kind::Set;
    type Edit<'e> = SetEdit<'e>;
    type View<'a> = SetView<'a>;

    #[inline]
    fn view(&self) -> SetView<'_> {
        match &self.0 {
            Form::Ints(ints) => SetView::Ints(ints.view()),
            Form::Packed(packed) => SetView::Packed(packed.view()),
            Form::Dict(dict) => SetView::Dict(dict),
        }
    }

    fn apply(&mut self, edit: SetEdit<'_>, rules: &Rules) -> bool {
        match edit {
            SetEdit::Add(member) => self.add(member, rules),
            SetEdit::Remove(member) => self.remove(member),
        }
    }

    /// `+` or `-`, then the member.
    fn encode_edit(edit: SetEdit<'_>, out: &mut Vec<u8>) {
        let (verb, member) = match edit {
            SetEdit::Add(member) => (b'+', member),
            SetEdit::Remove(member) => (b'-', member),
        };
        out.push(verb);
        out.extend_from_slice(member);
    }

    fn decode_edit(bytes: &[u8]) -> Option<SetEdit<'_>> {
        let (verb, member) = bytes.split_first()?;
        match verb {
            b'+' => Some(SetEdit::Add(member)),
            b'-' => Some(SetEdit::Remove(member)),
            _ => None,
        }
    }

    fn in_buffer(buffer: Vec<u8>) -> Set {
        Set(Form::Ints(Ints::new(buffer)))
    }

    fn into_inline(self, bytes_max: usize) -> Result<(u8, Vec<u8>), Set> {
        match self.0 {
            Form::Ints(ints) => match ints.into_bytes() {
                bytes if bytes.len() <= bytes_max => Ok((INLINE_INTS, bytes)),
                bytes => Err(Set(Form::Ints(Ints::new(bytes)))),
            },
            Form::Packed(packed) => {
                let inline = packed.into_inline(bytes_max).map(|bytes| (INLINE, bytes));
                inline.map_err(|packed| Set(Form::Packed(packed)))
            }
            Form::Dict(_) => Err(self),
        }
    }

    fn from_inline(form: u8, bytes: Vec<u8>) -> Set {
        Set(match form {
            INLINE_INTS => Form::Ints(Ints::new(bytes)),
            _ => Form::Packed(Packed::from_inline(bytes, false)),
        })
    }

    #[inline]
    fn view_inline(form: u8, bytes: &[u8]) -> SetView<'_> {
        match form {
            INLINE_INTS => SetView::Ints(IntsView::new(bytes)),
            _ => SetView::Packed(PackedView::from_inline(bytes, false)),
        }
    }

    fn fit(&mut self) {
        match &mut self.0 {
            Form::Ints(ints) => ints.fit(),
            Form::Packed(packed) => packed.fit(),
            Form::Dict(_) => {}
        }
    }

    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Ints(ints) => ints.heap_bytes(),
            Form::Packed(packed) => packed.heap_bytes(),
            Form::Dict(dict) => dict.heap_bytes(),
        }
    }

    fn dismantle(&mut self, pieces: usize) -> bool {
        let Form::Dict(dict) = &mut self.0 else {
            *self = Set::default();
            return false;
        };
        let is_left = dict.dismantle(pieces);
        if !is_left {
            *self = Set::default();
        }
        is_left
    }

    fn check_invariants(&self, rules: &Rules) {
        match &self.0 {
            Form::Ints(ints) => {
                ints.check_invariants();
                assert!(ints.len() <= rules.set_max_intset_entries);
            }
            Form::Packed(packed) => {
                packed.check_invariants();
                assert!(packed.len() <= rules.set_max_listpack_entries);
            }
            Form::Dict(dict) => dict.check_invariants(),
        }
    }
}

#[cfg(test)]
mod tests;
