//! SCAN. Its cursor says where to go on: a slot, and a place in that slot's table that survives
//! the table's growth. The router sends a cursor to the core that owns its slot; a core that is
//! done hands over to the first slot of the next one.

use freehold_protocol::{SLOT_COUNT, args::Args, resp::reply::Reply};

use super::context::Cx;
use super::error::CommandError;
use super::session::PortKind;
use super::spec::{Arity, Done, KEYSPACE, READONLY, Run, Spec};
use crate::base::glob::{self, Case};
use crate::base::number::{parse_i64, parse_u64};
use crate::keyspace::{EntryRef, ScanPosition};

pub const TABLE: &[Spec] = &[Spec {
    name: "SCAN",
    arity: Arity::AtLeast(2),
    flags: READONLY,
    acl: KEYSPACE,
    run: Run::Cursor(scan),
    tips: &["nondeterministic_output", "request_policy:special"],
    since: "2.8.0",
    summary: "Incrementally iterate the keys space",
    complexity: "O(1) for every call. O(N) for a complete iteration, including enough command \
            calls for the cursor to return back to 0. N is the number of elements inside the \
            collection.",
    examples: &[
        ("SCAN 0", "*2\r\n$*"),
        ("SET a 1\nSCAN 0 COUNT 20000 MATCH b*", "*2\r\n$*"),
        ("SET a 1\nSCAN 0 COUNT 10 MATCH * TYPE list", "*2\r\n*"),
        ("MSET a 1 b 2\nSCAN 0 TYPE string", "*2\r\n*"),
        ("SCAN abc", "-ERR invalid cursor\r\n"),
        ("SCAN 0 COUNT 0", "-ERR syntax error\r\n"),
        ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range\r\n"),
        ("SCAN 0 MATCH", "-ERR syntax error\r\n"),
        ("SCAN 0 FOO bar", "-ERR syntax error\r\n"),
        ("SCAN", "-ERR wrong number of arguments for 'scan' command\r\n"),
    ],
    ..Spec::ROW
}];

/// Keys visited when COUNT does not say, as in Redis.
const COUNT_DEFAULT: u64 = 10;
/// Steps through the table for each key asked for: as in Redis, a sparse table must not hold up
/// everybody else.
const STEPS_PER_KEY: u64 = 10;

struct Options<'a> {
    count: u64,
    pattern: Option<&'a [u8]>,
    /// A type name; one that no key has is no error.
    kind: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn read(words: Args<'a>) -> Result<Options<'a>, CommandError> {
        let mut options = Options { count: COUNT_DEFAULT, pattern: None, kind: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or(CommandError::Syntax)?;
            if word.eq_ignore_ascii_case(b"COUNT") {
                let count = parse_i64(value).ok_or(CommandError::NotAnInteger)?;
                let count = u64::try_from(count).ok().filter(|&count| count > 0);
                options.count = count.ok_or(CommandError::Syntax)?;
            } else if word.eq_ignore_ascii_case(b"MATCH") {
                options.pattern = (!glob::matches_all(value)).then_some(value);
            } else if word.eq_ignore_ascii_case(b"TYPE") {
                options.kind = Some(value);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(options)
    }

    fn admit(&self, entry: &EntryRef<'_>) -> bool {
        let of_kind = |kind: &[u8]| kind.eq_ignore_ascii_case(entry.kind().name().as_bytes());
        let like = |pattern: &[u8]| glob::matches(pattern, entry.key(), Case::Sensitive);
        self.kind.is_none_or(of_kind) && self.pattern.is_none_or(like)
    }
}

fn scan(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let from = position(args.get(1))?;
    let options = Options::read(args.tail(2))?;
    let now = cx.now_ms();
    let keyspace = &cx.core.keyspace;
    let (mut keys, mut found, mut visited) = (Vec::new(), 0, 0);
    let mut keys_reply = Reply::new(&mut keys, reply.resp3);
    let mut next = from;
    let mut steps = options.count.saturating_mul(STEPS_PER_KEY);
    while let Some(at) = next
        && visited < options.count
        && steps > 0
    {
        steps -= 1;
        next = keyspace.scan(cx.caller.db, at, |entry| {
            visited += 1;
            if !entry.is_expired(now) && options.admit(&entry) {
                found += 1;
                keys_reply.bulk(entry.key());
            }
        });
    }
    reply.array(2);
    reply.bulk_int(next.map_or_else(|| behind(cx, from), cursor));
    reply.array(found);
    reply.out.extend_from_slice(&keys);
    Ok(())
}

/// Where a cursor points; nowhere when no slot has that number.
fn position(text: &[u8]) -> Result<Option<ScanPosition>, CommandError> {
    let cursor = match text {
        b"" => 0, // what strtoul makes of it
        _ => parse_u64(text).ok_or(CommandError::InvalidCursor)?,
    };
    let slot = u16::try_from(cursor >> 16).ok().filter(|&slot| slot < SLOT_COUNT);
    Ok(slot.map(|slot| ScanPosition { slot, hash16: cursor as u16 }))
}

fn cursor(at: ScanPosition) -> i64 {
    i64::from(at.slot) << 16 | i64::from(at.hash16)
}

/// The cursor behind this core's last key: the next core's first slot, or 0 at the end of all
/// slots, of this core's slots on its own port, and of a cursor that led nowhere.
fn behind(cx: &Cx<'_>, from: Option<ScanPosition>) -> i64 {
    let end = cx.core.keyspace.slots().end;
    if from.is_none() || end == SLOT_COUNT || cx.caller.port == PortKind::Core {
        return 0;
    }
    cursor(ScanPosition::at_slot(end))
}

#[cfg(test)]
mod tests;
