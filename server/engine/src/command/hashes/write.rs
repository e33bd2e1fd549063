//! Fields set, counted up and removed.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::live;
use crate::base::extended::Extended;
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::editor::Editor;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Collection, Hash, HashEdit};

const HASH_NOT_INTEGER: CommandError = CommandError::Said("ERR hash value is not an integer");
const HASH_NOT_FLOAT: CommandError = CommandError::Said("ERR hash value is not a float");
const NAN_OR_INFINITY: CommandError =
    CommandError::Said("ERR increment would produce NaN or Infinity");
const INCREMENT_NAN: CommandError = CommandError::Said("ERR value is NaN or Infinity");

pub(super) fn hset(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let added = set_pairs(cx, args, "hset")?;
    reply.integer(added);
    Ok(())
}

pub(super) fn hmset(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    set_pairs(cx, args, "hmset")?;
    reply.ok();
    Ok(())
}

/// Sets all pairs from argument 2 on; how many fields are new.
fn set_pairs(cx: &mut Cx<'_>, args: Args<'_>, command: &str) -> Result<i64, CommandError> {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::Arity { command: command.to_owned() });
    }
    let mut hash = cx.edit_or_new::<Hash>(args.get(1))?;
    let mut added = 0;
    for at in (2..args.len()).step_by(2) {
        added += i64::from(set(&mut hash, args.get(at), args.get(at + 1), false));
    }
    hash.notify(NotifyClasses::HASH, "hset");
    Ok(added)
}

/// Sets a field; whether there was none alive.
pub(super) fn set(
    hash: &mut Editor<'_, Hash>,
    field: &[u8],
    value: &[u8],
    keep_deadline: bool,
) -> bool {
    live::settle(hash, field);
    let before = hash.len();
    hash.edit(HashEdit::Set { field, value, keep_deadline });
    hash.len() > before
}

pub(super) fn hsetnx(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (field, value) = (args.get(2), args.get(3));
    let mut hash = cx.edit_or_new::<Hash>(args.get(1))?;
    live::settle(&mut hash, field);
    let is_new = hash.get(field).is_none();
    if is_new {
        hash.edit(HashEdit::Set { field, value, keep_deadline: false });
        hash.notify(NotifyClasses::HASH, "hset");
    }
    reply.integer(i64::from(is_new));
    Ok(())
}

pub(super) fn hdel(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let mut removed = 0;
    if let Some(mut hash) = cx.edit::<Hash>(args.get(1))? {
        for field in args.tail(2).iter() {
            live::settle(&mut hash, field);
            removed += i64::from(hash.edit(HashEdit::Remove(field)));
        }
        if removed > 0 {
            hash.notify(NotifyClasses::HASH, "hdel");
        }
    }
    reply.integer(removed);
    Ok(())
}

pub(super) fn hincrby(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let amount = parse_i64(args.get(3)).ok_or(CommandError::NotAnInteger)?;
    let field = args.get(2);
    let mut hash = cx.edit_or_new::<Hash>(args.get(1))?;
    live::settle(&mut hash, field);
    let old = match hash.get(field) {
        None => 0,
        Some(entry) => parse_i64(entry.value).ok_or(HASH_NOT_INTEGER)?,
    };
    let new = old.checked_add(amount).ok_or(CommandError::Overflow)?;
    let mut digits = itoa::Buffer::new();
    let value = digits.format(new).as_bytes();
    hash.edit(HashEdit::Set { field, value, keep_deadline: true });
    hash.notify(NotifyClasses::HASH, "hincrby");
    reply.integer(new);
    Ok(())
}

pub(super) fn hincrbyfloat(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let amount = Extended::parse(args.get(3)).ok_or(CommandError::NotAFloat)?;
    if amount.is_infinite() {
        return Err(INCREMENT_NAN);
    }
    let field = args.get(2);
    let mut hash = cx.edit_or_new::<Hash>(args.get(1))?;
    live::settle(&mut hash, field);
    let old = match hash.get(field) {
        None => Extended::ZERO,
        Some(entry) => Extended::parse(entry.value).ok_or(HASH_NOT_FLOAT)?,
    };
    let sum = old.checked_add(amount).ok_or(NAN_OR_INFINITY)?;
    let mut value = Vec::with_capacity(32);
    sum.write(&mut value);
    hash.edit(HashEdit::Set { field, value: &value, keep_deadline: true });
    hash.notify(NotifyClasses::HASH, "hincrbyfloat");
    reply.bulk(&value);
    Ok(())
}
