//! Changing a list anywhere: LSET, LINSERT, LREM, LTRIM.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::words::is;
use super::{index_of, range_of};
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::list::End;
use crate::value::packed::Encoded;
use crate::value::{Collection, List, ListEdit};

const INDEX: CommandError = CommandError::Said("ERR index out of range");

pub(super) fn lset(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, element) = (args.get(1), args.get(3));
    cx.check_sizes(key, element.len())?;
    let mut list = cx.edit::<List>(key)?.ok_or(CommandError::NoSuchKey)?;
    let index = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    let index = index_of(index, list.len()).ok_or(INDEX)? as u64;
    list.edit(ListEdit::Set { index, element });
    list.notify(NotifyClasses::LIST, "lset");
    reply.ok();
    Ok(())
}

pub(super) fn linsert(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, pivot, element) = (args.get(1), args.get(3), args.get(4));
    cx.check_sizes(key, element.len())?;
    let after = is(args.get(2), "AFTER");
    if !after && !is(args.get(2), "BEFORE") {
        return Err(CommandError::Syntax);
    }
    let Some(mut list) = cx.edit::<List>(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let Some(index) = list.iter().find_equal(&Encoded::of(pivot)) else {
        reply.integer(-1);
        return Ok(());
    };
    let index = index as u64 + u64::from(after);
    list.edit(ListEdit::Insert { index, element });
    list.notify(NotifyClasses::LIST, "linsert");
    reply.integer(list.len() as i64);
    Ok(())
}

pub(super) fn lrem(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let count = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    let Some(mut list) = cx.edit::<List>(args.get(1))? else {
        reply.integer(0);
        return Ok(());
    };
    let end = if count < 0 { End::Right } else { End::Left };
    let limit = if count == 0 { u64::MAX } else { count.unsigned_abs() };
    let before = list.len();
    if list.edit(ListEdit::RemoveEqual { element: args.get(3), end, limit }) {
        list.notify(NotifyClasses::LIST, "lrem");
    }
    reply.integer((before - list.len()) as i64);
    Ok(())
}

/// Tells of itself even when it had nothing to do, as in Redis.
pub(super) fn ltrim(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let start = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    let stop = parse_i64(args.get(3)).ok_or(CommandError::NotAnInteger)?;
    if let Some(mut list) = cx.edit::<List>(args.get(1))? {
        let (index, count) = range_of(start, stop, list.len());
        list.edit(ListEdit::Keep { index: index as u64, count: count as u64 });
        list.notify(NotifyClasses::LIST, "ltrim");
    }
    reply.ok();
    Ok(())
}
