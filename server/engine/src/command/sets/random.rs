//! Members drawn at random, each equally likely: SRANDMEMBER looks, SPOP takes.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Collection, Set, SetEdit};

use super::members::all;

const NOT_POSITIVE: CommandError =
    CommandError::Said("ERR value is out of range, must be positive");
const BELOW_MINIMUM: CommandError = CommandError::Said(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
/// Redis would write the same member until its memory is full.
const TOO_MANY_DRAWS: CommandError =
    CommandError::Said("ERR value is out of range, at most 10000000 members are drawn at once");

/// Draws with repetition in one answer: it is the only answer whose length a client declares.
const DRAWS_MAX: u64 = 10_000_000;

pub(super) fn spop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    match args.len() {
        2 => pop_one(cx, args.get(1), reply),
        3 => pop_many(cx, args.get(1), args.get(2), reply),
        _ => Err(CommandError::Syntax),
    }
}

fn pop_one(cx: &mut Cx<'_>, key: &[u8], reply: &mut Reply<'_>) -> Done {
    let Some(mut editor) = cx.edit::<Set>(key)? else {
        reply.null();
        return Ok(());
    };
    let mut buffer = itoa::Buffer::new();
    let (set, random) = editor.with_random();
    let Some(member) = set.random(random) else {
        reply.null();
        return Ok(());
    };
    let member = member.text(&mut buffer).to_vec();
    editor.edit(SetEdit::Remove(&member));
    editor.notify(NotifyClasses::SET, "spop");
    reply.bulk(&member);
    Ok(())
}

fn pop_many(cx: &mut Cx<'_>, key: &[u8], count: &[u8], reply: &mut Reply<'_>) -> Done {
    let count = parse_i64(count).ok_or(NOT_POSITIVE)?;
    let count = usize::try_from(count).map_err(|_| NOT_POSITIVE)?;
    let Some(mut editor) = cx.edit::<Set>(key)? else {
        reply.set(0);
        return Ok(());
    };
    if count == 0 {
        reply.set(0);
        return Ok(());
    }
    if count >= editor.len() {
        all(editor.view(), reply);
        editor.notify(NotifyClasses::SET, "spop");
        drop(editor);
        // One effect for the key instead of one for each member.
        cx.delete(key);
        cx.notify(NotifyClasses::GENERIC, "del", key);
        return Ok(());
    }
    let mut buffer = itoa::Buffer::new();
    let (set, random) = editor.with_random();
    let drawn: Vec<Vec<u8>> =
        set.sample(count, random).iter().map(|member| member.text(&mut buffer).to_vec()).collect();
    reply.set(drawn.len());
    for member in &drawn {
        editor.edit(SetEdit::Remove(member));
        reply.bulk(member);
    }
    editor.notify(NotifyClasses::SET, "spop");
    Ok(())
}

pub(super) fn srandmember(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let count = match args.len() {
        2 => None,
        3 => Some(parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?),
        _ => return Err(CommandError::Syntax),
    };
    if count == Some(i64::MIN) {
        return Err(BELOW_MINIMUM);
    }
    let mut random = cx.core.random.split();
    let set = cx.read_collection::<Set>(args.get(1))?;
    let mut buffer = itoa::Buffer::new();
    match (set, count) {
        (None, None) => reply.null(),
        (None, Some(_)) | (_, Some(0)) => reply.array(0),
        (Some(set), None) => match set.random(&mut random) {
            None => reply.null(),
            Some(member) => reply.bulk(member.text(&mut buffer)),
        },
        (Some(set), Some(count)) if count > 0 => {
            let drawn = set.sample(usize::try_from(count).unwrap_or(usize::MAX), &mut random);
            reply.array(drawn.len());
            drawn.iter().for_each(|member| reply.bulk(member.text(&mut buffer)));
        }
        (Some(set), Some(count)) => {
            let draws = count.unsigned_abs();
            if draws > DRAWS_MAX {
                return Err(TOO_MANY_DRAWS);
            }
            reply.array(draws as usize);
            for member in (0..draws).filter_map(|_| set.random(&mut random)) {
                reply.bulk(member.text(&mut buffer));
            }
        }
    }
    Ok(())
}
