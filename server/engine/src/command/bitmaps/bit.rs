//! One bit: SETBIT and GETBIT, and how an offset in bits is read.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;

pub(super) const BAD_OFFSET: CommandError =
    CommandError::Said("ERR bit offset is not an integer or out of range");
/// A reader may ask as far as Redis's longest string reaches: beyond ours all bits are 0.
const READABLE_BYTES: u64 = 512 * 1024 * 1024;
const BAD_BIT: CommandError = CommandError::Said("ERR bit is not an integer or out of range");

/// Reads an offset in bits that lies within the longest string there may be.
///
/// # Errors
/// [`BAD_OFFSET`].
pub(super) fn parse_offset(cx: &Cx<'_>, text: &[u8]) -> Result<u64, CommandError> {
    let offset = parse_i64(text).ok_or(BAD_OFFSET)?;
    check_offset(cx, offset)
}

/// # Errors
/// [`BAD_OFFSET`] when no string reaches as far as bit `offset`.
pub(super) fn check_offset(cx: &Cx<'_>, offset: i64) -> Result<u64, CommandError> {
    offset_below(offset, cx.core.config.value_hard_bytes)
}

fn offset_below(offset: i64, bytes: u64) -> Result<u64, CommandError> {
    u64::try_from(offset).ok().filter(|offset| offset / 8 < bytes).ok_or(BAD_OFFSET)
}

/// Whether writing what is there already would leave no trace at all: Redis turns every string
/// `raw` that it is asked to change bits of.
pub(super) fn is_raw(cx: &mut Cx<'_>, key: &[u8]) -> bool {
    cx.peek(key).is_some_and(|entry| entry.encoding_name() == "raw")
}

pub(super) fn setbit(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    let offset = parse_offset(cx, args.get(2))?;
    let on = match parse_i64(args.get(3)) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(BAD_BIT),
    };
    let (at, mask) = ((offset / 8) as usize, 0x80_u8 >> (offset % 8));
    let byte = cx.string_to_change(key)?.and_then(|string| string.get(at).copied());
    cx.check_sizes(key, at + 1)?;
    let old = byte.unwrap_or(0);
    let new = if on { old | mask } else { old & !mask };
    if byte != Some(new) || !is_raw(cx, key) {
        cx.splice(key, at, &[new]);
    }
    if byte != Some(new) {
        cx.notify(NotifyClasses::STRING, "setbit", key);
    }
    reply.integer(i64::from(old & mask != 0));
    Ok(())
}

pub(super) fn getbit(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let offset = parse_i64(args.get(2)).ok_or(BAD_OFFSET)?;
    let offset = offset_below(offset, READABLE_BYTES)?;
    let string = cx.read_string(args.get(1))?.unwrap_or_default();
    let byte = string.get((offset / 8) as usize).copied().unwrap_or(0);
    reply.integer(i64::from(byte >> (7 - offset % 8) & 1));
    Ok(())
}
