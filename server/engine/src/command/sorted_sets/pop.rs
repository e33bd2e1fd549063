//! Taking the lowest or the highest elements: ZPOPMIN, ZPOPMAX, ZMPOP and those that wait,
//! BZPOPMIN, BZPOPMAX, BZMPOP.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::command::wait;
use crate::config::NotifyClasses;
use crate::value::{Collection, SortedSet, SortedSetEdit};

const NOT_POSITIVE: CommandError =
    CommandError::Said("ERR value is out of range, must be positive");
const NO_KEYS: CommandError = CommandError::Said("ERR numkeys should be greater than 0");
const NO_COUNT: CommandError = CommandError::Said("ERR count should be greater than 0");

/// Which end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Lowest,
    Highest,
}

/// How the answer is laid out.
#[derive(Clone, Copy)]
enum Layout {
    /// Members and scores in turn.
    Flat,
    /// Pairs of them.
    Nested,
    /// The key, then one member and its score.
    KeyFlat,
    /// The key and an array of pairs.
    KeyNested,
}

pub(super) fn zpopmin(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    pop_counted(cx, args, End::Lowest, reply)
}

pub(super) fn zpopmax(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    pop_counted(cx, args, End::Highest, reply)
}

fn pop_counted(cx: &mut Cx<'_>, args: Args<'_>, end: End, reply: &mut Reply<'_>) -> Done {
    if args.len() > 3 {
        return Err(CommandError::Syntax);
    }
    let count = match args.try_get(2) {
        None => 1,
        Some(text) => {
            // Out of the range of integers is, to Redis, also just not positive.
            parse_i64(text).and_then(|n| usize::try_from(n).ok()).ok_or(NOT_POSITIVE)?
        }
    };
    let layout = if args.len() > 2 && reply.resp3 { Layout::Nested } else { Layout::Flat };
    if !pop(cx, args.get(1), end, count, layout, reply)? {
        reply.array(0);
    }
    Ok(())
}

/// Takes up to `count` elements and answers them; whether there was a set with any. Nothing is
/// answered otherwise.
fn pop(
    cx: &mut Cx<'_>,
    key: &[u8],
    end: End,
    count: usize,
    layout: Layout,
    reply: &mut Reply<'_>,
) -> Result<bool, CommandError> {
    let Some(mut set) = cx.edit::<SortedSet>(key)? else { return Ok(false) };
    let count = count.min(set.len());
    match layout {
        Layout::Flat => reply.array(2 * count),
        Layout::Nested => reply.array(count),
        Layout::KeyFlat => {
            reply.array(2 * count + 1);
            reply.bulk(key);
        }
        Layout::KeyNested => {
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
        }
    }
    let (walk, first, event) = match end {
        End::Lowest => (set.view().walk(0, count), 0, "zpopmin"),
        End::Highest => (set.view().walk_back(set.len() - 1, count), set.len() - count, "zpopmax"),
    };
    for (member, score) in walk {
        if matches!(layout, Layout::Nested | Layout::KeyNested) {
            reply.array(2);
        }
        reply.bulk(member);
        reply.double(score);
    }
    if set.edit(SortedSetEdit::RemoveRange { first: first as u64, count: count as u64 }) {
        set.notify(NotifyClasses::SORTED_SET, event);
    }
    Ok(true)
}

/// Pops from the first of the keys that has a set; whether there was one.
fn pop_first<'a>(
    cx: &mut Cx<'_>,
    keys: impl Iterator<Item = &'a [u8]>,
    end: End,
    count: usize,
    layout: Layout,
    reply: &mut Reply<'_>,
) -> Result<bool, CommandError> {
    for key in keys {
        if cx.is_here(key) && pop(cx, key, end, count, layout, reply)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `numkeys key [key …] MIN|MAX [COUNT count]`
struct Many<'a> {
    keys: Args<'a>,
    count_of_keys: usize,
    end: End,
    count: usize,
}

impl<'a> Many<'a> {
    fn read(args: Args<'a>) -> Result<Many<'a>, CommandError> {
        let positive =
            |text: &[u8]| parse_i64(text).and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0);
        let count_of_keys = positive(args.get(0)).ok_or(NO_KEYS)?;
        let end_at = count_of_keys.saturating_add(1);
        let end = match args.try_get(end_at) {
            Some(word) if word.eq_ignore_ascii_case(b"MIN") => End::Lowest,
            Some(word) if word.eq_ignore_ascii_case(b"MAX") => End::Highest,
            _ => return Err(CommandError::Syntax),
        };
        let mut count = None;
        let mut words = args.tail(end_at + 1).iter();
        while let Some(word) = words.next() {
            if count.is_some() || !word.eq_ignore_ascii_case(b"COUNT") {
                return Err(CommandError::Syntax);
            }
            let text = words.next().ok_or(CommandError::Syntax)?;
            count = Some(positive(text).ok_or(NO_COUNT)?);
        }
        Ok(Many { keys: args.tail(1), count_of_keys, end, count: count.unwrap_or(1) })
    }

    fn pop(&self, cx: &mut Cx<'_>, reply: &mut Reply<'_>) -> Result<bool, CommandError> {
        let keys = self.keys.iter().take(self.count_of_keys);
        pop_first(cx, keys, self.end, self.count, Layout::KeyNested, reply)
    }
}

pub(super) fn zmpop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let many = Many::read(args.tail(1))?;
    if !many.pop(cx, reply)? {
        reply.null_array();
    }
    Ok(())
}

pub(super) fn bzmpop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let many = Many::read(args.tail(2))?;
    if many.pop(cx, reply)? { Ok(()) } else { Err(CommandError::Nothing) }
}

pub(super) fn bzmpop_timeout(args: Args<'_>) -> Result<Option<u64>, CommandError> {
    Many::read(args.tail(2))?; // its complaints come first
    wait::seconds(args.get(1)).map(Some)
}

pub(super) fn bzpopmin(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    pop_waiting(cx, args, End::Lowest, reply)
}

pub(super) fn bzpopmax(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    pop_waiting(cx, args, End::Highest, reply)
}

fn pop_waiting(cx: &mut Cx<'_>, args: Args<'_>, end: End, reply: &mut Reply<'_>) -> Done {
    let keys = args.iter().take(args.len() - 1).skip(1);
    let some = pop_first(cx, keys, end, 1, Layout::KeyFlat, reply)?;
    if some { Ok(()) } else { Err(CommandError::Nothing) }
}

pub(super) fn bzpop_timeout(args: Args<'_>) -> Result<Option<u64>, CommandError> {
    wait::seconds(args.get(args.len() - 1)).map(Some)
}

pub(super) fn nothing(reply: &mut Reply<'_>) {
    reply.null_array();
}
