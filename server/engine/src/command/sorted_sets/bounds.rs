//! The ends of ranges as requests spell them, by rank, score or name, and the ranks they mean.

use std::ops::Range;

use crate::base::number::{parse_f64, parse_i64};
use crate::command::error::CommandError;
use crate::value::{Edge, NameBound, SortedSetView, View};

pub(super) const NOT_SCORES: CommandError = CommandError::Said("ERR min or max is not a float");
pub(super) const NOT_NAMES: CommandError =
    CommandError::Said("ERR min or max not valid string range item");

/// What a range goes by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    Rank,
    Score,
    Name,
}

/// A range of a sorted set as requested.
#[derive(Clone, Copy, Debug)]
pub(super) enum Bounds<'a> {
    /// First and last; negative ones count from the end.
    Ranks(i64, i64),
    Scores(Edge<'a>, Edge<'a>),
    Names(NameBound<'a>, NameBound<'a>),
}

impl<'a> Bounds<'a> {
    /// Reads the lower and the upper end.
    pub fn read(by: By, from: &'a [u8], to: &'a [u8]) -> Result<Bounds<'a>, CommandError> {
        match by {
            By::Rank => {
                let rank = |text| parse_i64(text).ok_or(CommandError::NotAnInteger);
                Ok(Bounds::Ranks(rank(from)?, rank(to)?))
            }
            By::Score => {
                let (from, to) = (score(from), score(to));
                let ((from, from_out), (to, to_out)) = from.zip(to).ok_or(NOT_SCORES)?;
                let from = if from_out { Edge::AfterScore(from) } else { Edge::BeforeScore(from) };
                let to = if to_out { Edge::BeforeScore(to) } else { Edge::AfterScore(to) };
                Ok(Bounds::Scores(from, to))
            }
            By::Name => {
                let bounds = name(from).zip(name(to)).ok_or(NOT_NAMES)?;
                Ok(Bounds::Names(bounds.0, bounds.1))
            }
        }
    }

    /// The ranks inside, counted from the lowest score also for a walk that goes `backward`,
    /// whose requested ranks count from the highest.
    pub fn ranks(&self, set: SortedSetView<'_>, backward: bool) -> Range<usize> {
        match *self {
            Bounds::Ranks(first, last) => {
                let range = resolve(first, last, set.len());
                if backward { set.len() - range.end..set.len() - range.start } else { range }
            }
            Bounds::Scores(from, to) => set.ranks(from, to),
            Bounds::Names(from, to) => set.ranks_by_name(from, to, backward),
        }
    }
}

/// The ranks from `first` to `last`, negative ones counted from the end.
fn resolve(first: i64, last: i64, len: usize) -> Range<usize> {
    let len = len as i64;
    let from_end = |rank: i64| if rank < 0 { rank.saturating_add(len) } else { rank };
    let first = from_end(first).max(0);
    let last = from_end(last).min(len - 1);
    if first > last { 0..0 } else { first as usize..last as usize + 1 }
}

/// `(` in front leaves the score itself out.
fn score(text: &[u8]) -> Option<(f64, bool)> {
    match text.strip_prefix(b"(") {
        Some(rest) => Some((number(rest)?, true)),
        None => Some((number(text)?, false)),
    }
}

/// As `strtod` takes it: leading spaces, nothing at all (zero), and numbers too large, which are
/// infinite, pass; NaN does not.
fn number(text: &[u8]) -> Option<f64> {
    if text.is_empty() {
        return Some(0.0);
    }
    let text = text.trim_ascii_start();
    let in_range = || parse_f64(text);
    let beyond = || {
        let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+")).unwrap_or(text);
        let is_decimal = matches!(digits.first(), Some(b'0'..=b'9' | b'.'));
        std::str::from_utf8(text).ok().filter(|_| is_decimal)?.parse().ok()
    };
    in_range().or_else(beyond)
}

fn name(text: &[u8]) -> Option<NameBound<'_>> {
    match text {
        b"-" => Some(NameBound::Lowest),
        b"+" => Some(NameBound::Highest),
        [b'[', name @ ..] => Some(NameBound::Included(name)),
        [b'(', name @ ..] => Some(NameBound::Excluded(name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_from_both_ends_and_never_leave_the_set() {
        assert_eq!(resolve(0, -1, 5), 0..5);
        assert_eq!(resolve(-2, -1, 5), 3..5);
        assert_eq!(resolve(-100, 2, 5), 0..3);
        assert_eq!(resolve(3, 100, 5), 3..5);
        assert_eq!(resolve(4, 3, 5), 0..0);
        assert_eq!(resolve(5, 9, 5), 0..0);
        assert_eq!(resolve(i64::MIN, i64::MAX, 5), 0..5);
        assert_eq!(resolve(i64::MIN, i64::MIN, 0), 0..0);
    }

    #[test]
    fn a_score_is_what_strtod_takes() {
        assert_eq!(score(b"(1.5"), Some((1.5, true)));
        assert_eq!(score(b"-inf"), Some((f64::NEG_INFINITY, false)));
        assert_eq!(score(b""), Some((0.0, false)));
        assert_eq!(score(b" 7"), Some((7.0, false)));
        assert_eq!(score(b"1e400"), Some((f64::INFINITY, false)));
        assert_eq!(score(b"1e-400"), Some((0.0, false)));
        for bad in [&b"x"[..], b"((1", b"nan", b"1 ", b"[1", b" "] {
            assert_eq!(score(bad), None, "{bad:?}");
        }
    }
}
