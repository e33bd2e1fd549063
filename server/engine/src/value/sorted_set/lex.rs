//! Ranges by name. They mean something only when all scores are equal; Redis answers them for any
//! set, in a small one by comparing names along the way, and so do we.

use std::ops::Range;

use super::edge::Edge;
use super::packed::PackedView;

/// One end of a range by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameBound<'a> {
    /// `-`
    Lowest,
    /// `[name`
    Included(&'a [u8]),
    /// `(name`
    Excluded(&'a [u8]),
    /// `+`
    Highest,
}

impl<'a> NameBound<'a> {
    /// Whether `member` is not below this lower end.
    pub fn admits_from(self, member: &[u8]) -> bool {
        match self {
            NameBound::Lowest => true,
            NameBound::Included(name) => member >= name,
            NameBound::Excluded(name) => member > name,
            NameBound::Highest => false,
        }
    }

    /// Whether `member` is not above this upper end.
    pub fn admits_to(self, member: &[u8]) -> bool {
        match self {
            NameBound::Lowest => false,
            NameBound::Included(name) => member <= name,
            NameBound::Excluded(name) => member < name,
            NameBound::Highest => true,
        }
    }

    /// The edge of a lower end among elements of one score.
    pub fn edge_from(self, score: f64) -> Edge<'a> {
        match self {
            NameBound::Lowest => Edge::Start,
            NameBound::Included(name) => Edge::Before(score, name),
            NameBound::Excluded(name) => Edge::After(score, name),
            NameBound::Highest => Edge::End,
        }
    }

    /// The edge of an upper end among elements of one score.
    pub fn edge_to(self, score: f64) -> Edge<'a> {
        match self {
            NameBound::Lowest => Edge::Start,
            NameBound::Included(name) => Edge::After(score, name),
            NameBound::Excluded(name) => Edge::Before(score, name),
            NameBound::Highest => Edge::End,
        }
    }
}

/// The ranks in a block, as a walk from the front finds them, or from the back.
pub fn range_in(
    packed: PackedView<'_>,
    from: NameBound<'_>,
    to: NameBound<'_>,
    backward: bool,
) -> Range<usize> {
    let members: Vec<&[u8]> = packed.entries().map(|entry| entry.member).collect();
    let (Some(first), Some(last)) = (members.first(), members.last()) else { return 0..0 };
    if !from.admits_from(last) || !to.admits_to(first) {
        return 0..0;
    }
    if backward {
        let Some(last) = members.iter().rposition(|member| to.admits_to(member)) else {
            return 0..0;
        };
        let found = members[..=last].iter().rev().take_while(|member| from.admits_from(member));
        return last + 1 - found.count()..last + 1;
    }
    let Some(first) = members.iter().position(|member| from.admits_from(member)) else {
        return 0..0;
    };
    let found = members[first..].iter().take_while(|member| to.admits_to(member));
    first..first + found.count()
}
