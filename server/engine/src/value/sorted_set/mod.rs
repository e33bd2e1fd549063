//! A sorted set: members in the order of their scores, and among equal scores of their bytes.
//!
//! Small, it is packed in one buffer (`listpack` to OBJECT ENCODING); beyond the thresholds it is
//! a [`large::Large`], blocks of the same packed form under a counted tree (`skiplist`). Ranges are
//! named by ranks everywhere: an [`Edge`] between two elements has a rank, found in O(log n), and
//! two ranks make a range of any kind.

mod edge;
mod edit;
mod entry;
mod index;
mod large;
mod leaves;
mod lex;
mod node;
mod packed;
#[cfg(test)]
mod tests;
mod walk;

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::collection::View;
use super::{Collection, Kind, Rules};
use crate::base::random::Random;
pub use edge::Edge;
pub use edit::SortedSetEdit;
use large::Large;
pub use lex::NameBound;
use packed::{Packed, PackedView, Place};
pub use walk::Walk;

/// Bytes of the packed form at most, whatever the thresholds say: offsets have 32 bits.
const PACKED_BYTES_MAX: usize = 1 << 30;

/// A sorted set. Scores are never NaN, and there is one zero.
#[derive(Debug, Default)]
pub struct SortedSet(Form);

#[derive(Debug)]
enum Form {
    Small(Packed),
    Large(Box<Large>),
}

const _: () = assert!(size_of::<SortedSet>() <= 32);

/// A sorted set that is only read.
#[derive(Clone, Copy, Debug)]
pub enum SortedSetView<'a> {
    Small(PackedView<'a>),
    Large(&'a Large),
}

/// The only form in an entry.
const INLINE: u8 = 0;

impl Default for Form {
    fn default() -> Form {
        Form::Small(Packed::default())
    }
}

impl<'a> SortedSetView<'a> {
    /// The score of `member`. O(1) when large.
    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            SortedSetView::Small(packed) => packed.find(member).map(|(_, entry)| entry.score),
            SortedSetView::Large(large) => large.score(member),
        }
    }

    /// How many elements come before `member`, and its score. O(log n).
    pub fn rank(self, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            SortedSetView::Small(packed) => {
                packed.find(member).map(|(place, entry)| (place.index, entry.score))
            }
            SortedSetView::Large(large) => {
                let score = large.score(member)?;
                Some((large.rank(Edge::Before(score, member)), score))
            }
        }
    }

    /// How many elements lie before `edge`. O(log n).
    pub fn rank_of(self, edge: Edge<'_>) -> usize {
        match (self, edge) {
            (_, Edge::Start) => 0,
            (_, Edge::End) => self.len(),
            (SortedSetView::Small(packed), edge) => packed.seek(edge).index,
            (SortedSetView::Large(large), edge) => large.rank(edge),
        }
    }

    /// The ranks between two edges; empty when they are the wrong way round. O(log n).
    pub fn ranks(self, from: Edge<'_>, to: Edge<'_>) -> Range<usize> {
        let first = self.rank_of(from);
        first..self.rank_of(to).max(first)
    }

    /// The ranks of the names between two bounds. When not all scores are equal Redis promises
    /// nothing: what a walk finds then depends on where it begins. O(log n) when large.
    pub fn ranks_by_name(
        self,
        from: NameBound<'_>,
        to: NameBound<'_>,
        backward: bool,
    ) -> Range<usize> {
        match self {
            SortedSetView::Small(packed) => lex::range_in(packed, from, to, backward),
            SortedSetView::Large(_) => match self.get(0) {
                Some((_, score)) => self.ranks(from.edge_from(score), to.edge_to(score)),
                None => 0..0,
            },
        }
    }

    /// The element of this rank. O(log n).
    pub fn get(self, rank: usize) -> Option<(&'a [u8], f64)> {
        self.walk(rank, 1).next()
    }

    /// Up to `count` elements from rank `first` upwards. O(log n), then O(1) each.
    pub fn walk(self, first: usize, count: usize) -> Walk<'a> {
        self.walk_from(first, false, count)
    }

    /// Up to `count` elements from rank `last` downwards. O(log n), then O(1) each.
    pub fn walk_back(self, last: usize, count: usize) -> Walk<'a> {
        self.walk_from(last, true, count)
    }

    fn walk_from(self, rank: usize, backward: bool, count: usize) -> Walk<'a> {
        let count = if rank < self.len() { count } else { 0 };
        match self {
            SortedSetView::Small(packed) => Walk::small(packed, rank, backward, count),
            SortedSetView::Large(large) => {
                let at = (count > 0).then(|| large.select(rank));
                Walk::large(large.leaves(), at, backward, count)
            }
        }
    }

    /// All elements in order.
    pub fn iter(self) -> Walk<'a> {
        self.walk(0, self.len())
    }

    /// Any element, each equally likely. O(log n).
    pub fn random(self, random: &mut Random) -> Option<(&'a [u8], f64)> {
        if self.is_empty() {
            return None;
        }
        self.get(random.below(self.len() as u64) as usize)
    }

    /// Part of a walk over everything that survives changes between the parts: calls `visit` with
    /// at least `count` elements if there are as many, in no order, and returns the cursor to go on
    /// with; 0 begins and ends. A small set is visited whole. What is there throughout is visited.
    pub fn scan(self, cursor: u64, count: usize, mut visit: impl FnMut(&'a [u8], f64)) -> u64 {
        let large = match self {
            SortedSetView::Small(packed) => {
                packed.entries().for_each(|entry| visit(entry.member, entry.score));
                return 0;
            }
            SortedSetView::Large(large) => large,
        };
        let (mut cursor, mut visited) = (cursor as u32, 0);
        loop {
            cursor = large.scan(cursor, |entry| {
                visited += 1;
                visit(entry.member, entry.score);
            });
            if cursor == 0 || visited >= count {
                return u64::from(cursor);
            }
        }
    }
}

impl View for SortedSetView<'_> {
    type Of = SortedSet;

    fn len(self) -> usize {
        match self {
            SortedSetView::Small(packed) => packed.len(),
            SortedSetView::Large(large) => large.len(),
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            SortedSetView::Small(_) => "listpack",
            SortedSetView::Large(_) => "skiplist",
        }
    }

    fn digest(self) -> u64 {
        let elements = self.iter();
        elements.fold(0, |sum: u64, (member, score)| {
            sum.wrapping_add(xxh3_64_with_seed(member, score.to_bits()))
        })
    }

    fn for_each_edit(self, visit: &mut dyn FnMut(SortedSetEdit<'_>)) {
        for (member, score) in self.iter() {
            visit(SortedSetEdit::Set { member, score });
        }
    }
}

impl SortedSet {
    /// As [`SortedSetView::score`].
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.view().score(member)
    }

    /// As [`SortedSetView::iter`].
    pub fn iter(&self) -> Walk<'_> {
        self.view().iter()
    }

    fn set(&mut self, member: &[u8], score: f64, rules: &Rules) -> bool {
        let packed = match &mut self.0 {
            Form::Small(packed) => packed,
            Form::Large(large) => return large.set(score, member),
        };
        if let Some((place, entry)) = packed.view().find(member) {
            if entry.score == score {
                return false;
            }
            let end = Place { index: place.index + 1, offset: entry.end };
            packed.remove(place, end);
        } else if packed.len() >= rules.zset_max_listpack_entries
            || member.len() > rules.zset_max_listpack_value_bytes
            || packed.view().bytes().len() + member.len() > PACKED_BYTES_MAX
        {
            let mut large = Box::new(Large::new(rules.hash_seed));
            for entry in packed.view().entries() {
                large.set(entry.score, entry.member);
            }
            large.set(score, member);
            self.0 = Form::Large(large);
            return true;
        }
        packed.insert(packed.view().seek(Edge::Before(score, member)), score, member);
        true
    }

    fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.0 {
            Form::Small(packed) => {
                let Some((place, entry)) = packed.view().find(member) else { return false };
                let end = Place { index: place.index + 1, offset: entry.end };
                packed.remove(place, end);
                true
            }
            Form::Large(large) => large.remove(member),
        }
    }

    fn remove_range(&mut self, first: u64, count: u64) -> bool {
        let len = self.len() as u64;
        let first = first.min(len);
        let count = count.min(len - first);
        if count == 0 {
            return false;
        }
        let (first, count) = (first as usize, count as usize);
        match &mut self.0 {
            Form::Small(packed) => {
                let (from, to) = (packed.view().nth(first), packed.view().nth(first + count));
                packed.remove(from, to);
            }
            Form::Large(large) => large.remove_ranks(first, count),
        }
        true
    }
}

impl Collection for SortedSet {
    const KIND: Kind = Kind::SortedSet;

    type Edit<'e> = SortedSetEdit<'e>;

    type View<'a> = SortedSetView<'a>;

    #[inline]
    fn view(&self) -> SortedSetView<'_> {
        match &self.0 {
            Form::Small(packed) => SortedSetView::Small(packed.view()),
            Form::Large(large) => SortedSetView::Large(large),
        }
    }

    fn apply(&mut self, edit: SortedSetEdit<'_>, rules: &Rules) -> bool {
        match edit {
            SortedSetEdit::Set { member, score } => {
                self.set(member, entry::canonical(score), rules)
            }
            SortedSetEdit::Remove { member } => self.remove(member),
            SortedSetEdit::RemoveRange { first, count } => self.remove_range(first, count),
        }
    }

    fn encode_edit(edit: SortedSetEdit<'_>, out: &mut Vec<u8>) {
        edit.encode(out);
    }

    fn decode_edit(bytes: &[u8]) -> Option<SortedSetEdit<'_>> {
        SortedSetEdit::decode(bytes)
    }

    fn in_buffer(buffer: Vec<u8>) -> SortedSet {
        SortedSet(Form::Small(Packed::in_buffer(buffer)))
    }

    fn into_inline(self, bytes_max: usize) -> Result<(u8, Vec<u8>), SortedSet> {
        let Form::Small(packed) = self.0 else { return Err(self) };
        let inline = packed.into_inline(bytes_max).map(|bytes| (INLINE, bytes));
        inline.map_err(|packed| SortedSet(Form::Small(packed)))
    }

    fn from_inline(form: u8, bytes: Vec<u8>) -> SortedSet {
        debug_assert_eq!(form, INLINE);
        SortedSet(Form::Small(Packed::from_inline(bytes)))
    }

    #[inline]
    fn view_inline(form: u8, bytes: &[u8]) -> SortedSetView<'_> {
        debug_assert_eq!(form, INLINE);
        SortedSetView::Small(PackedView::from_inline(bytes))
    }

    fn fit(&mut self) {
        if let Form::Small(packed) = &mut self.0 {
            packed.fit();
        }
    }

    fn heap_bytes(&self) -> usize {
        match &self.0 {
            Form::Small(packed) => packed.heap_bytes(),
            Form::Large(large) => large.heap_bytes(),
        }
    }

    fn is_untidy(&self) -> bool {
        matches!(&self.0, Form::Large(large) if large.is_untidy())
    }

    fn tidy(&mut self, pieces: usize) {
        if let Form::Large(large) = &mut self.0 {
            large.tidy(pieces);
        }
    }

    fn dismantle(&mut self, pieces: usize) -> bool {
        if let Form::Large(large) = &mut self.0
            && large.dismantle(pieces)
        {
            return true;
        }
        *self = SortedSet::default();
        false
    }

    fn check_invariants(&self, _: &Rules) {
        match &self.0 {
            Form::Small(packed) => packed.view().check_invariants(),
            Form::Large(large) => large.check_invariants(),
        }
    }
}
