//! ZRANGE and its older forms, which are ZRANGE with some options fixed; ZRANGESTORE.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::bounds::{Bounds, By};
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Collection, SortedSet, SortedSetEdit, SortedSetView, Walk};

const LIMIT_BY_RANK: CommandError = CommandError::Said(
    "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
);
const SCORES_BY_NAME: CommandError =
    CommandError::Said("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

/// What a command leaves to its options.
#[derive(Clone, Copy)]
struct Form {
    /// Fixed by the command's name, or `None` for BYSCORE and BYLEX to say.
    by: Option<By>,
    /// Likewise, REV.
    backward: Option<bool>,
    stores: bool,
}

impl Form {
    const fn fixed(by: By, backward: bool) -> Form {
        Form { by: Some(by), backward: Some(backward), stores: false }
    }
}

/// A request read to its end.
struct Query<'a> {
    bounds: Bounds<'a>,
    backward: bool,
    /// Elements left out, then elements taken; negative takes all, or leaves out all.
    limit: (i64, i64),
    with_scores: bool,
}

impl<'a> Query<'a> {
    /// Reads key, two ends and options.
    fn read(form: Form, args: Args<'a>) -> Result<Query<'a>, CommandError> {
        let Form { mut by, mut backward, stores } = form;
        let (mut limit, mut with_scores) = ((0, -1), false);
        let mut at = 3;
        while let Some(word) = args.try_get(at) {
            let left = args.len() - at - 1;
            match word.to_ascii_lowercase().as_slice() {
                b"withscores" if !stores => with_scores = true,
                b"limit" if left >= 2 => {
                    let number = |text| parse_i64(text).ok_or(CommandError::NotAnInteger);
                    limit = (number(args.get(at + 1))?, number(args.get(at + 2))?);
                    at += 2;
                }
                b"rev" if backward.is_none() => backward = Some(true),
                b"bylex" if by.is_none() => by = Some(By::Name),
                b"byscore" if by.is_none() => by = Some(By::Score),
                _ => return Err(CommandError::Syntax),
            }
            at += 1;
        }
        let (by, backward) = (by.unwrap_or(By::Rank), backward.unwrap_or(false));
        if limit.1 != -1 && by == By::Rank {
            return Err(LIMIT_BY_RANK);
        }
        if with_scores && by == By::Name {
            return Err(SCORES_BY_NAME);
        }
        let (first, second) = (args.get(1), args.get(2));
        // Backward, scores and names are given from the highest to the lowest.
        let swapped = backward && by != By::Rank;
        let (from, to) = if swapped { (second, first) } else { (first, second) };
        let bounds = Bounds::read(by, from, to)?;
        Ok(Query { bounds, backward, limit, with_scores })
    }

    /// The elements, and how many there are.
    fn select<'s>(&self, set: SortedSetView<'s>) -> (Walk<'s>, usize) {
        let range = self.bounds.ranks(set, self.backward);
        let skipped = usize::try_from(self.limit.0).map_or(range.len(), |n| n.min(range.len()));
        let left = range.len() - skipped;
        let count = usize::try_from(self.limit.1).map_or(left, |count| count.min(left));
        let walk = match (count, self.backward) {
            (0, _) => set.walk(0, 0),
            (_, true) => set.walk_back(range.end - 1 - skipped, count),
            (_, false) => set.walk(range.start + skipped, count),
        };
        (walk, count)
    }
}

/// Writes `count` elements, with scores in the dialect's form: pairs in RESP3, flat in RESP2.
pub(super) fn write_elements<'s>(
    elements: impl Iterator<Item = (&'s [u8], f64)>,
    count: usize,
    with_scores: bool,
    reply: &mut Reply<'_>,
) {
    reply.array(if with_scores && !reply.resp3 { 2 * count } else { count });
    for (member, score) in elements {
        if with_scores && reply.resp3 {
            reply.array(2);
        }
        reply.bulk(member);
        if with_scores {
            reply.double(score);
        }
    }
}

fn answer(form: Form, cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let query = Query::read(form, args.tail(1))?;
    match cx.read_collection::<SortedSet>(args.get(1))? {
        None => reply.array(0),
        Some(set) => {
            let (elements, count) = query.select(set);
            write_elements(elements, count, query.with_scores, reply);
        }
    }
    Ok(())
}

pub(super) fn zrange(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(Form { by: None, backward: None, stores: false }, cx, args, reply)
}

pub(super) fn zrevrange(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(Form::fixed(By::Rank, true), cx, args, reply)
}

pub(super) fn zrangebyscore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(Form::fixed(By::Score, false), cx, args, reply)
}

pub(super) fn zrevrangebyscore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(Form::fixed(By::Score, true), cx, args, reply)
}

pub(super) fn zrangebylex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(Form::fixed(By::Name, false), cx, args, reply)
}

pub(super) fn zrevrangebylex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(Form::fixed(By::Name, true), cx, args, reply)
}

pub(super) fn zrangestore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let form = Form { by: None, backward: None, stores: true };
    let query = Query::read(form, args.tail(2))?;
    let rules = cx.core.keyspace.rules().clone();
    let mut result = SortedSet::default();
    if let Some(set) = cx.read_collection::<SortedSet>(args.get(2))? {
        for (member, score) in query.select(set).0 {
            result.apply(SortedSetEdit::Set { member, score }, &rules);
        }
    }
    let stored = cx.store(args.get(1), result, NotifyClasses::SORTED_SET, "zrangestore")?;
    reply.integer(stored as i64);
    Ok(())
}
