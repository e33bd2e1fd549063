//! BITCOUNT and BITPOS: what a range of a string holds. A range is given in bytes or in bits,
//! inclusive at both ends, negative positions counting from the end of the string.

use std::ops::Range;

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::bits;
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;

const BAD_WANTED: CommandError = CommandError::Said("ERR The bit argument must be 1 or 0.");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte,
    Bit,
}

impl Unit {
    fn parse(word: &[u8]) -> Result<Unit, CommandError> {
        if word.eq_ignore_ascii_case(b"BYTE") {
            Ok(Unit::Byte)
        } else if word.eq_ignore_ascii_case(b"BIT") {
            Ok(Unit::Bit)
        } else {
            Err(CommandError::Syntax)
        }
    }

    /// The bits from `start` to `end` of a string of so many bytes.
    fn bits(self, start: i64, end: i64, bytes: usize) -> Range<u64> {
        let factor = if self == Unit::Byte { 8 } else { 1 };
        let total = bytes as i64 * 8 / factor;
        let place = |at: i64| if at < 0 { (total + at).max(0) } else { at };
        let (start, end) = (place(start), place(end).min(total - 1));
        if start > end {
            return 0..0;
        }
        (start * factor) as u64..((end + 1) * factor) as u64
    }
}

fn integer(text: &[u8]) -> Result<i64, CommandError> {
    parse_i64(text).ok_or(CommandError::NotAnInteger)
}

/// A missing key answers before its range is looked at, as in Redis 7.
pub(super) fn bitcount(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let Some(string) = cx.read_string(args.get(1))? else {
        reply.integer(0);
        return Ok(());
    };
    let range = match args.len() {
        2 => 0..string.len() as u64 * 8,
        4 | 5 => {
            let (start, end) = (integer(args.get(2))?, integer(args.get(3))?);
            if start < 0 && end < 0 && start > end {
                0..0 // whatever the unit, and be it no unit at all: Redis has not looked yet
            } else {
                let unit = args.try_get(4).map_or(Ok(Unit::Byte), Unit::parse)?;
                unit.bits(start, end, string.len())
            }
        }
        _ => return Err(CommandError::Syntax),
    };
    reply.integer(bits::count_ones_within(string, range) as i64);
    Ok(())
}

/// A string is followed by zeros without end unless the caller named an end; so is a missing key.
pub(super) fn bitpos(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let wanted = match integer(args.get(2))? {
        0 => false,
        1 => true,
        _ => return Err(BAD_WANTED),
    };
    let Some(string) = cx.read_string(args.get(1))? else {
        reply.integer(if wanted { -1 } else { 0 });
        return Ok(());
    };
    if args.len() > 6 {
        return Err(CommandError::Syntax);
    }
    let start = args.try_get(3).map_or(Ok(0), integer)?;
    let unit = args.try_get(5).map_or(Ok(Unit::Byte), Unit::parse)?;
    let end = args.try_get(4).map_or(Ok(-1), integer)?;
    let range = unit.bits(start, end, string.len());
    let found = match bits::find_within(string, range.clone(), wanted) {
        Some(at) => at as i64,
        None if !wanted && args.len() < 5 && !range.is_empty() => range.end as i64,
        None => -1,
    };
    reply.integer(found);
    Ok(())
}
