//! Entries by their ids: XLEN, XRANGE, XREVRANGE, XDEL, XSETID.

use freehold_protocol::args::Args;
use freehold_protocol::resp::reply::Reply;

use super::ids::{end, start, strict, write_entry};
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::Collection;
use crate::value::stream::{Stream, StreamEdit, StreamId};

const ADDED_NEGATIVE: CommandError = CommandError::Said("ERR entries_added must be positive");
const BELOW_MAX_DELETED: CommandError = CommandError::Said(
    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
);
const BELOW_TOP: CommandError =
    CommandError::Said("ERR The ID specified in XSETID is smaller than the target stream top item");
const BELOW_LENGTH: CommandError = CommandError::Said(
    "ERR The entries_added specified in XSETID is smaller than the target stream length",
);

pub(super) fn xlen(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let length = cx.read_collection::<Stream>(args.get(1))?.map_or(0, Stream::len);
    reply.integer(length as i64);
    Ok(())
}

pub(super) fn xrange(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (from, to) = (start(args.get(2))?, end(args.get(3))?);
    let count = read_count(args)?;
    let Some(stream) = cx.read_collection::<Stream>(args.get(1))? else {
        reply.array(0);
        return Ok(());
    };
    let Some(count) = count else {
        reply.null_array();
        return Ok(());
    };
    // Twice through the ids is cheaper than a list of the entries.
    reply.array(stream.range(from, to).take(count).count());
    stream.range(from, to).take(count).for_each(|entry| write_entry(reply, &entry));
    Ok(())
}

pub(super) fn xrevrange(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (from, to) = (start(args.get(3))?, end(args.get(2))?);
    let count = read_count(args)?;
    let Some(stream) = cx.read_collection::<Stream>(args.get(1))? else {
        reply.array(0);
        return Ok(());
    };
    let Some(count) = count else {
        reply.null_array();
        return Ok(());
    };
    reply.array(stream.range_back(to, from).take(count).count());
    stream.range_back(to, from).take(count).for_each(|entry| write_entry(reply, &entry));
    Ok(())
}

/// COUNT of a range; `None` when it asks for nothing.
fn read_count(args: Args<'_>) -> Result<Option<usize>, CommandError> {
    let mut count = Some(usize::MAX);
    let mut at = 4;
    while let Some(word) = args.try_get(at) {
        let Some(value) = args.try_get(at + 1).filter(|_| word.eq_ignore_ascii_case(b"COUNT"))
        else {
            return Err(CommandError::Syntax);
        };
        let given = parse_i64(value).ok_or(CommandError::NotAnInteger)?;
        count = usize::try_from(given).ok().filter(|&count| count > 0);
        at += 2;
    }
    Ok(count)
}

pub(super) fn xdel(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let Some(mut stream) = cx.edit::<Stream>(args.get(1))? else {
        reply.integer(0);
        return Ok(());
    };
    // All of them are read before the first is deleted.
    let ids = args.iter().skip(2).map(strict).collect::<Result<Vec<StreamId>, CommandError>>()?;
    let mut gone = 0;
    for id in ids {
        gone += i64::from(stream.edit(StreamEdit::Delete { id }));
    }
    if gone > 0 {
        stream.notify(NotifyClasses::STREAM, "xdel");
    }
    reply.integer(gone);
    Ok(())
}

pub(super) fn xsetid(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let last = strict(args.get(2))?;
    let (mut added, mut max_deleted) = (None, StreamId::MIN);
    let mut at = 3;
    while let Some(word) = args.try_get(at) {
        let Some(value) = args.try_get(at + 1) else { return Err(CommandError::Syntax) };
        if word.eq_ignore_ascii_case(b"ENTRIESADDED") {
            let given = parse_i64(value).ok_or(CommandError::NotAnInteger)?;
            added = Some(u64::try_from(given).map_err(|_| ADDED_NEGATIVE)?);
        } else if word.eq_ignore_ascii_case(b"MAXDELETEDID") {
            max_deleted = strict(value)?;
            if last < max_deleted {
                return Err(BELOW_MAX_DELETED);
            }
        } else {
            return Err(CommandError::Syntax);
        }
        at += 2;
    }
    let Some(mut stream) = cx.edit::<Stream>(args.get(1))? else {
        return Err(CommandError::NoSuchKey);
    };
    if stream.last().is_some_and(|top| last < top.id) {
        return Err(BELOW_TOP);
    }
    if added.is_some_and(|added| (added as usize) < stream.len()) {
        return Err(BELOW_LENGTH);
    }
    let added = added.unwrap_or_else(|| stream.entries_added());
    if max_deleted == StreamId::MIN {
        max_deleted = stream.max_deleted_id();
    }
    stream.edit(StreamEdit::Set { last, added, max_deleted });
    stream.notify(NotifyClasses::STREAM, "xsetid");
    reply.ok();
    Ok(())
}
