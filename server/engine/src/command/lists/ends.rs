//! Putting elements in at an end and taking them out there: LPUSH, LPOP and their kin, LMPOP.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::put;
use super::words::MPop;
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::list::{Elements, End};
use crate::value::{Collection, List, ListEdit};

const NOT_POSITIVE: CommandError =
    CommandError::Said("ERR value is out of range, must be positive");

pub(super) fn lpush(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    push(cx, args, reply, End::Left, true)
}

pub(super) fn rpush(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    push(cx, args, reply, End::Right, true)
}

pub(super) fn lpushx(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    push(cx, args, reply, End::Left, false)
}

pub(super) fn rpushx(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    push(cx, args, reply, End::Right, false)
}

/// `makes_key`: a missing key gets a list; otherwise it is left missing.
#[inline]
fn push(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>, end: End, makes_key: bool) -> Done {
    let (key, elements) = (args.get(1), args.tail(2));
    cx.check_sizes(key, elements.iter().map(<[u8]>::len).max().unwrap_or(0))?;
    let mut list = cx.edit_or_new::<List>(key)?;
    if !makes_key && !list.existed() {
        reply.integer(0);
        return Ok(());
    }
    if elements.len() == 1 {
        list.edit(ListEdit::Push { end, elements: Elements::One(elements.get(0)) });
    } else {
        let texts: Vec<&[u8]> = elements.iter().collect();
        list.edit(ListEdit::Push { end, elements: Elements::Many(&texts) });
    }
    list.notify(NotifyClasses::LIST, push_event(end));
    reply.integer(list.len() as i64);
    Ok(())
}

/// The keyspace event of elements put in at an end.
pub(super) fn push_event(end: End) -> &'static str {
    if end == End::Left { "lpush" } else { "rpush" }
}

/// The keyspace event of elements taken out at an end.
pub(super) fn pop_event(end: End) -> &'static str {
    if end == End::Left { "lpop" } else { "rpop" }
}

pub(super) fn lpop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    pop(cx, args, reply, End::Left)
}

pub(super) fn rpop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    pop(cx, args, reply, End::Right)
}

#[inline]
fn pop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>, end: End) -> Done {
    if args.len() > 3 {
        let command = cx.spec.name.to_ascii_lowercase();
        return Err(CommandError::Arity { command });
    }
    let count = match args.try_get(2) {
        None => None,
        Some(text) => {
            let count = parse_i64(text).and_then(|count| u64::try_from(count).ok());
            Some(count.ok_or(NOT_POSITIVE)?)
        }
    };
    match (take(cx, args.get(1), end, count, None, reply)?, count) {
        (true, _) => {}
        (false, None) => reply.null(),
        (false, Some(_)) => reply.null_array(),
    }
    Ok(())
}

/// Takes elements out of the list at `key` and answers them: one as itself, or an array of at most
/// `count`. With `name`, that is the second part of a pair whose first is the name. Whether there
/// was such a list.
#[inline]
pub(super) fn take(
    cx: &mut Cx<'_>,
    key: &[u8],
    end: End,
    count: Option<u64>,
    name: Option<&[u8]>,
    reply: &mut Reply<'_>,
) -> Result<bool, CommandError> {
    let Some(mut list) = cx.edit::<List>(key)? else { return Ok(false) };
    if let Some(name) = name {
        reply.array(2);
        reply.bulk(name);
    }
    let taken = count.unwrap_or(1).min(list.len() as u64);
    if count.is_some() {
        reply.array(taken as usize);
    }
    list.walk(end, 0, taken as usize).for_each(|element| put(reply, element));
    if taken > 0 {
        list.edit(ListEdit::Pop { end, count: taken });
        list.notify(NotifyClasses::LIST, pop_event(end));
    }
    Ok(true)
}

pub(super) fn lmpop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let request = MPop::read(args.tail(1))?;
    match mpop(cx, &request, reply) {
        Err(CommandError::Nothing) => {
            reply.null_array();
            Ok(())
        }
        done => done,
    }
}

/// Takes from the first of the keys that has a list.
///
/// # Errors
/// `Nothing` when none has; `WrongType` when another type comes before it.
pub(super) fn mpop(cx: &mut Cx<'_>, request: &MPop<'_>, reply: &mut Reply<'_>) -> Done {
    for key in request.keys.iter() {
        if cx.is_here(key) && take(cx, key, request.end, Some(request.count), Some(key), reply)? {
            return Ok(());
        }
    }
    Err(CommandError::Nothing)
}

pub(super) fn blpop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    pop_first(cx, args, reply, End::Left)
}

pub(super) fn brpop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    pop_first(cx, args, reply, End::Right)
}

fn pop_first(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>, end: End) -> Done {
    let keys = args.len() - 1;
    for key in args.iter().take(keys).skip(1) {
        if cx.is_here(key) && take(cx, key, end, None, Some(key), reply)? {
            return Ok(());
        }
    }
    Err(CommandError::Nothing)
}

pub(super) fn blmpop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    mpop(cx, &MPop::read(args.tail(2))?, reply)
}
