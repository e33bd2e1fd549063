//! Commands that put a string at one key, or write into the one that is there.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::options::{Condition, Options, Reader, Unit};
use super::read::answer_key;
use crate::base::number::parse_i64;
use crate::command::context::{Cx, Expiry};
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;

const BAD_OFFSET: CommandError = CommandError::Said("ERR offset is out of range");

/// Puts a string at a key and tells the events.
#[inline]
pub(super) fn put(cx: &mut Cx<'_>, key: &[u8], value: &[u8], expiry: Expiry) {
    cx.set(key, value, expiry);
    cx.notify(NotifyClasses::STRING, "set", key);
    if let Expiry::At(_) = expiry {
        cx.notify(NotifyClasses::GENERIC, "expire", key);
    }
}

/// Budget of the plain form: one look-up that inserts or overwrites, no allocation.
pub(super) fn set(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, value) = (args.get(1), args.get(2));
    cx.check_sizes(key, value.len())?;
    if args.len() == 3 {
        put(cx, key, value, Expiry::Never);
        reply.ok();
        return Ok(());
    }
    set_with_options(cx, args, reply)
}

fn set_with_options(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, value) = (args.get(1), args.get(2));
    let options = Options::read(args.tail(3), Reader::Set)?;
    let expiry = options.lifetime.resolve(cx.now_ms(), "set")?;
    if options.get {
        answer_key(cx, key, reply)?; // also when nothing is set after all
    }
    let met = is_met(cx, key, options.condition)?;
    if met {
        put(cx, key, value, expiry);
    }
    match (options.get, met) {
        (true, _) => {}
        (false, true) => reply.ok(),
        (false, false) => reply.null(),
    }
    Ok(())
}

/// # Errors
/// `WrongType` when a condition on the value meets another type.
fn is_met(cx: &mut Cx<'_>, key: &[u8], condition: Condition<'_>) -> Result<bool, CommandError> {
    Ok(match condition {
        Condition::None => true,
        Condition::Missing => cx.peek(key).is_none(),
        Condition::Present => cx.peek(key).is_some(),
        Condition::Compares(comparison) => match cx.string_to_change(key)? {
            Some(value) => comparison.holds_for(value),
            None => comparison.holds_for_nothing(),
        },
    })
}

pub(super) fn setnx(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, value) = (args.get(1), args.get(2));
    cx.check_sizes(key, value.len())?;
    let missing = cx.peek(key).is_none();
    if missing {
        put(cx, key, value, Expiry::Never);
    }
    reply.integer(i64::from(missing));
    Ok(())
}

pub(super) fn setex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    set_until(cx, args, reply, Unit::Seconds, "setex")
}

pub(super) fn psetex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    set_until(cx, args, reply, Unit::Milliseconds, "psetex")
}

fn set_until(
    cx: &mut Cx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    unit: Unit,
    command: &'static str,
) -> Done {
    let (key, value) = (args.get(1), args.get(3));
    cx.check_sizes(key, value.len())?;
    let at = unit.deadline(args.get(2), cx.now_ms(), command)?;
    put(cx, key, value, Expiry::At(at));
    reply.ok();
    Ok(())
}

pub(super) fn getset(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, value) = (args.get(1), args.get(2));
    cx.check_sizes(key, value.len())?;
    answer_key(cx, key, reply)?;
    put(cx, key, value, Expiry::Never);
    Ok(())
}

pub(super) fn append(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, tail) = (args.get(1), args.get(2));
    let old = cx.string_to_change(key)?.map(<[u8]>::len);
    cx.check_sizes(key, old.unwrap_or(0) + tail.len())?;
    let bytes = match old {
        Some(old) => cx.splice(key, old, tail),
        None => {
            cx.set(key, tail, Expiry::Never); // a new key may be an integer; an old one turns raw
            tail.len()
        }
    };
    cx.notify(NotifyClasses::STRING, "append", key);
    reply.integer(bytes as i64);
    Ok(())
}

pub(super) fn setrange(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, bytes) = (args.get(1), args.get(3));
    let offset = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    let offset = usize::try_from(offset).map_err(|_| BAD_OFFSET)?;
    let old = cx.string_to_change(key)?.map_or(0, <[u8]>::len);
    if bytes.is_empty() {
        reply.integer(old as i64);
        return Ok(());
    }
    cx.check_sizes(key, offset.saturating_add(bytes.len()))?;
    reply.integer(cx.splice(key, offset, bytes) as i64);
    cx.notify(NotifyClasses::STRING, "setrange", key);
    Ok(())
}
