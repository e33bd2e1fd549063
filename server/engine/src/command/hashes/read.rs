//! Hashes that are only read.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::live;
use crate::base::number::parse_i64;
use crate::base::random::Random;
use crate::command::context::Cx;
use crate::command::cursor::{self, Walk};
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::value::{Entry, Hash, HashView, View};

const BELOW_MINIMUM: CommandError = CommandError::Said(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
/// Redis would write the same fields until its memory is full.
const TOO_MANY_DRAWS: CommandError =
    CommandError::Said("ERR value is out of range, at most 10000000 fields are drawn at once");

/// Draws with repetition in one answer: it is the only answer whose length a client declares.
const DRAWS_MAX: u64 = 10_000_000;

pub(super) fn hget(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    value(live::get(hash, args.get(2), now), reply);
    Ok(())
}

/// A field's value, or null.
pub(super) fn value(entry: Option<Entry<'_>>, reply: &mut Reply<'_>) {
    match entry {
        None => reply.null(),
        Some(entry) => reply.bulk(entry.value),
    }
}

pub(super) fn hmget(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    let fields = args.tail(2);
    reply.array(fields.len());
    fields.iter().for_each(|field| value(live::get(hash, field, now), reply));
    Ok(())
}

pub(super) fn hexists(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    reply.integer(i64::from(live::get(hash, args.get(2), now).is_some()));
    Ok(())
}

pub(super) fn hstrlen(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    let entry = live::get(hash, args.get(2), now);
    reply.integer(entry.map_or(0, |entry| entry.value.len() as i64));
    Ok(())
}

pub(super) fn hlen(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    reply.integer(live::len(hash, now) as i64);
    Ok(())
}

pub(super) fn hkeys(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    reply.array(live::len(hash, now));
    live::iter(hash, now).for_each(|entry| reply.bulk(entry.field));
    Ok(())
}

pub(super) fn hvals(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    reply.array(live::len(hash, now));
    live::iter(hash, now).for_each(|entry| reply.bulk(entry.value));
    Ok(())
}

pub(super) fn hgetall(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    reply.map(live::len(hash, now));
    for entry in live::iter(hash, now) {
        reply.bulk(entry.field);
        reply.bulk(entry.value);
    }
    Ok(())
}

pub(super) fn hscan(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let from = cursor::read(args.get(2))?;
    let now = cx.now_ms().0;
    let Some(hash) = cx.read_collection::<Hash>(args.get(1))? else {
        cursor::answer(0, 0, b"", reply);
        return Ok(());
    };
    let walk = Walk::read(args.tail(3), true)?;
    let (mut found, mut elements) = (Vec::new(), 0);
    let mut out = Reply::new(&mut found, reply.resp3);
    let next = hash.scan(from, walk.count, &mut |entry| {
        if entry.is_due(now) || !walk.admits(entry.field) {
            return;
        }
        out.bulk(entry.field);
        elements += 1;
        if !walk.no_values {
            out.bulk(entry.value);
            elements += 1;
        }
    });
    cursor::answer(next, elements, &found, reply);
    Ok(())
}

pub(super) fn hrandfield(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let mut random = cx.core.random.split();
    let Some(count) = args.try_get(2) else {
        let hash = cx.read_collection::<Hash>(args.get(1))?;
        match hash.and_then(|hash| Draw::of(hash, now).one(&mut random)) {
            None => reply.null(),
            Some(entry) => reply.bulk(entry.field),
        }
        return Ok(());
    };
    let count = parse_i64(count).ok_or(CommandError::NotAnInteger)?;
    if count == i64::MIN {
        return Err(BELOW_MINIMUM);
    }
    let with_values = match args.len() {
        3 => false,
        4 if args.get(3).eq_ignore_ascii_case(b"WITHVALUES") => true,
        _ => return Err(CommandError::Syntax),
    };
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(CommandError::ValueOutOfRange);
    }
    let Some(hash) = cx.read_collection::<Hash>(args.get(1))? else {
        reply.array(0);
        return Ok(());
    };
    let draw = Draw::of(hash, now);
    let drawn = if count >= 0 {
        draw.distinct(usize::try_from(count).unwrap_or(usize::MAX), &mut random)
    } else if count.unsigned_abs() > DRAWS_MAX {
        return Err(TOO_MANY_DRAWS);
    } else {
        draw.repeated(count.unsigned_abs() as usize, &mut random)
    };
    // RESP3 nests the pairs, RESP2 has them in a row.
    let flat = if with_values && !reply.resp3 { 2 } else { 1 };
    reply.array(drawn.len() * flat);
    for entry in drawn {
        if with_values && reply.resp3 {
            reply.array(2);
        }
        reply.bulk(entry.field);
        if with_values {
            reply.bulk(entry.value);
        }
    }
    Ok(())
}

/// Fields to draw from: the hash itself, or the living ones, when some are not.
enum Draw<'h> {
    All(HashView<'h>),
    Living(Vec<Entry<'h>>),
}

impl<'h> Draw<'h> {
    fn of(hash: HashView<'h>, now: i64) -> Draw<'h> {
        if hash.next_deadline().is_none_or(|deadline| deadline >= now) {
            return Draw::All(hash);
        }
        Draw::Living(live::iter(Some(hash), now).collect())
    }

    fn one(&self, random: &mut Random) -> Option<Entry<'h>> {
        match self {
            Draw::All(hash) => hash.random(random),
            Draw::Living(entries) if entries.is_empty() => None,
            Draw::Living(entries) => Some(entries[random.below(entries.len() as u64) as usize]),
        }
    }

    fn distinct(self, count: usize, random: &mut Random) -> Vec<Entry<'h>> {
        match self {
            Draw::All(hash) => hash.sample(count, random),
            Draw::Living(mut entries) => {
                random.shuffle(&mut entries);
                entries.truncate(count);
                entries
            }
        }
    }

    fn repeated(&self, count: usize, random: &mut Random) -> Vec<Entry<'h>> {
        (0..count).filter_map(|_| self.one(random)).collect()
    }
}
