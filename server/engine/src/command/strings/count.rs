//! Strings as numbers: INCR and its kin on 64-bit integers, INCRBYFLOAT on the 80-bit floats of
//! the machines Redis runs on. The deadline of a key survives all of them.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::base::extended::Extended;
use crate::base::number::parse_i64;
use crate::command::context::{Cx, Expiry};
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::Kind;

const DECREMENT_OVERFLOW: CommandError = CommandError::Said("ERR decrement would overflow");
const NAN_OR_INFINITY: CommandError =
    CommandError::Said("ERR increment would produce NaN or Infinity");

pub(super) fn incr(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    add(cx, args.get(1), 1, reply)
}

pub(super) fn decr(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    add(cx, args.get(1), -1, reply)
}

pub(super) fn incrby(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let amount = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    add(cx, args.get(1), amount, reply)
}

pub(super) fn decrby(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let amount = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    add(cx, args.get(1), amount.checked_neg().ok_or(DECREMENT_OVERFLOW)?, reply)
}

fn add(cx: &mut Cx<'_>, key: &[u8], amount: i64, reply: &mut Reply<'_>) -> Done {
    cx.check_sizes(key, 0)?;
    let (old, expiry) = match cx.peek(key) {
        None => (0, None),
        Some(entry) if entry.kind() != Kind::String => return Err(CommandError::WrongType),
        Some(entry) => (entry.integer().ok_or(CommandError::NotAnInteger)?, entry.expiry()),
    };
    let new = old.checked_add(amount).ok_or(CommandError::Overflow)?;
    let mut digits = itoa::Buffer::new();
    // The deadline is at hand, so `Keep` need not look it up again.
    let expiry = expiry.map_or(Expiry::Never, Expiry::At);
    cx.set(key, digits.format(new).as_bytes(), expiry);
    cx.notify(NotifyClasses::STRING, "incrby", key);
    reply.integer(new);
    Ok(())
}

pub(super) fn incrbyfloat(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    cx.check_sizes(key, 0)?;
    let old = match cx.string_to_change(key)? {
        None => Extended::ZERO,
        Some(value) => Extended::parse(value).ok_or(CommandError::NotAFloat)?,
    };
    let amount = Extended::parse(args.get(2)).ok_or(CommandError::NotAFloat)?;
    let sum = old.checked_add(amount).ok_or(NAN_OR_INFINITY)?;
    let mut text = Vec::with_capacity(32);
    sum.write(&mut text);
    cx.set_text(key, &text, Expiry::Keep);
    cx.notify(NotifyClasses::STRING, "incrbyfloat", key);
    reply.bulk(&text);
    Ok(())
}
