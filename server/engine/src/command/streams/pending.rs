//! What was delivered and not acknowledged: XPENDING, XCLAIM, XAUTOCLAIM.

use freehold_protocol::args::Args;
use freehold_protocol::resp::reply::Reply;

use super::groups::ensure_consumer;
use super::ids::{end, start, strict, write_entry, write_id};
use crate::base::number::{parse_i64, parse_i64_within};
use crate::command::context::Cx;
use crate::command::editor::Editor;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::value::stream::{Group, Pending, Stream, StreamEdit, StreamId};

const BAD_COUNT: CommandError = CommandError::Said("ERR COUNT must be > 0");
/// Pending entries XAUTOCLAIM looks at for each one it may claim.
const ATTEMPTS: usize = 10;

fn no_such(key: &[u8], group: &[u8]) -> CommandError {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    CommandError::SaidOf(format!("NOGROUP No such key '{key}' or consumer group '{group}'"))
}

fn invalid(what: &str, command: &str) -> CommandError {
    CommandError::SaidOf(format!("ERR Invalid {what} argument for {command}"))
}

/// Which pending entries XPENDING is asked for.
struct Interval<'a> {
    idle_ms: i64,
    from: StreamId,
    to: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Interval<'a> {
    /// `[IDLE ms] start end count [consumer]` from argument 3 on.
    fn read(args: Args<'a>) -> Result<Interval<'a>, CommandError> {
        let mut at = 3;
        let mut idle_ms = 0;
        if args.get(3).eq_ignore_ascii_case(b"IDLE") {
            idle_ms = parse_i64(args.get(4)).ok_or(CommandError::NotAnInteger)?;
            if args.len() < 8 {
                return Err(CommandError::Syntax);
            }
            at = 5;
        }
        let count = parse_i64(args.get(at + 2)).ok_or(CommandError::NotAnInteger)?;
        Ok(Interval {
            idle_ms,
            count: usize::try_from(count).unwrap_or(0),
            from: start(args.get(at))?,
            to: end(args.get(at + 1))?,
            consumer: args.try_get(at + 3),
        })
    }
}

pub(super) fn xpending(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, group) = (args.get(1), args.get(2));
    let interval = match args.len() {
        3 => None,
        6..=9 => Some(Interval::read(args)?),
        _ => return Err(CommandError::Syntax),
    };
    let now_ms = cx.now_ms().0;
    let stream = cx.read_collection::<Stream>(key)?;
    let group = stream.and_then(|stream| stream.group(group)).ok_or_else(|| no_such(key, group))?;
    match interval {
        None => summarize(group, reply),
        Some(interval) => list(group, &interval, now_ms, reply),
    }
    Ok(())
}

fn summarize(group: &Group, reply: &mut Reply<'_>) {
    reply.array(4);
    reply.integer(group.pending_len() as i64);
    let first = group.pending_from(StreamId::MIN).next();
    let (Some(first), Some(last)) = (first, group.last_pending()) else {
        reply.null();
        reply.null();
        return reply.null_array();
    };
    write_id(reply, first.id);
    write_id(reply, last.id);
    let owners = || group.consumers().filter(|consumer| consumer.pending_len() > 0);
    reply.array(owners().count());
    for consumer in owners() {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_int(consumer.pending_len() as i64);
    }
}

fn list(group: &Group, interval: &Interval<'_>, now_ms: i64, reply: &mut Reply<'_>) {
    let consumer = interval.consumer.map(|name| group.consumer(name));
    let found: Vec<&Pending> = match consumer {
        Some(None) => Vec::new(),
        Some(Some(consumer)) => {
            let ids = consumer.pending_from(interval.from);
            select(ids.filter_map(|id| group.pending(id)), interval, now_ms)
        }
        None => select(group.pending_from(interval.from), interval, now_ms),
    };
    reply.array(found.len());
    for pending in found {
        reply.array(4);
        write_id(reply, pending.id);
        reply.bulk(group.owner(pending).name());
        reply.integer((now_ms - pending.delivered_at).max(0));
        reply.integer(pending.deliveries as i64);
    }
}

fn select<'g>(
    pending: impl Iterator<Item = &'g Pending>,
    interval: &Interval<'_>,
    now_ms: i64,
) -> Vec<&'g Pending> {
    let long_idle = |pending: &&Pending| {
        interval.idle_ms == 0 || now_ms - pending.delivered_at >= interval.idle_ms
    };
    pending
        .take_while(|pending| pending.id <= interval.to)
        .filter(long_idle)
        .take(interval.count)
        .collect()
}

/// The options behind XCLAIM's ids.
struct ClaimOptions {
    delivered_at: i64,
    deliveries: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl ClaimOptions {
    fn read(args: Args<'_>, now_ms: i64) -> Result<ClaimOptions, CommandError> {
        let mut options = ClaimOptions {
            delivered_at: now_ms,
            deliveries: None,
            force: false,
            just_id: false,
            last_id: StreamId::MIN,
        };
        let mut at = 0;
        while let Some(word) = args.try_get(at) {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let value = args.try_get(at + 1);
            let number = |what| {
                let bad = || invalid(what, "XCLAIM");
                value.and_then(parse_i64).ok_or_else(bad)
            };
            at += match value {
                _ if is("FORCE") => {
                    options.force = true;
                    1
                }
                _ if is("JUSTID") => {
                    options.just_id = true;
                    1
                }
                Some(_) if is("IDLE") => {
                    options.delivered_at = now_ms.saturating_sub(number("IDLE option")?);
                    2
                }
                Some(_) if is("TIME") => {
                    options.delivered_at = number("TIME option")?;
                    2
                }
                Some(_) if is("RETRYCOUNT") => {
                    options.deliveries = u64::try_from(number("RETRYCOUNT option")?).ok();
                    2
                }
                Some(id) if is("LASTID") => {
                    options.last_id = strict(id)?;
                    2
                }
                _ => {
                    let word = String::from_utf8_lossy(word);
                    let text = format!("ERR Unrecognized XCLAIM option '{word}'");
                    return Err(CommandError::SaidOf(text));
                }
            };
        }
        // A client may have reckoned with a clock ahead of ours.
        if !(0..=now_ms).contains(&options.delivered_at) {
            options.delivered_at = now_ms;
        }
        Ok(options)
    }
}

pub(super) fn xclaim(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, group, consumer) = (args.get(1), args.get(2), args.get(3));
    let stream = cx.edit::<Stream>(key)?.filter(|stream| stream.group(group).is_some());
    let mut stream = stream.ok_or_else(|| no_such(key, group))?;
    let idle_ms = parse_i64(args.get(4)).ok_or_else(|| invalid("min-idle-time", "XCLAIM"))?;
    let given = args.tail(5);
    let ids: Vec<StreamId> = given.iter().map_while(|text| strict(text).ok()).collect();
    let now_ms = stream.now_ms().0;
    let options = ClaimOptions::read(given.tail(ids.len()), now_ms)?;
    if let Some(state) = stream.group(group)
        && options.last_id > state.last_id()
    {
        let read = state.entries_read();
        stream.edit(StreamEdit::SetGroup { group, last: options.last_id, read });
    }
    let mut claimed = Vec::new();
    for id in ids {
        if stream.get(id).is_none() {
            stream.edit(StreamEdit::Acknowledge { group, id });
            continue;
        }
        let old = stream.group(group).and_then(|group| group.pending(id)).copied();
        let idle_enough = |old: &Pending| idle_ms <= 0 || now_ms - old.delivered_at >= idle_ms;
        let before = match old {
            Some(old) if idle_enough(&old) => old.deliveries,
            None if options.force => 1,
            _ => continue,
        };
        let deliveries = match options.deliveries {
            Some(deliveries) => deliveries,
            None => before.saturating_add(u64::from(!options.just_id)),
        };
        ensure_consumer(&mut stream, group, consumer);
        let at = options.delivered_at;
        stream.edit(StreamEdit::Assign { group, consumer, id, at, deliveries });
        claimed.push(id);
    }
    if !claimed.is_empty() {
        stream.edit(StreamEdit::See { group, consumer, at: now_ms, active: true });
    }
    write_claimed(&stream, &claimed, options.just_id, reply);
    Ok(())
}

fn write_claimed(
    stream: &Editor<'_, Stream>,
    claimed: &[StreamId],
    just_id: bool,
    reply: &mut Reply<'_>,
) {
    reply.array(claimed.len());
    for &id in claimed {
        match stream.get(id).filter(|_| !just_id) {
            Some(entry) => write_entry(reply, &entry),
            None => write_id(reply, id),
        }
    }
}

/// What XAUTOCLAIM is asked for.
struct Sweep {
    idle_ms: i64,
    from: StreamId,
    count: usize,
    just_id: bool,
}

impl Sweep {
    fn read(args: Args<'_>) -> Result<Sweep, CommandError> {
        let idle_ms =
            parse_i64(args.get(4)).ok_or_else(|| invalid("min-idle-time", "XAUTOCLAIM"))?;
        let mut sweep = Sweep { idle_ms, from: start(args.get(5))?, count: 100, just_id: false };
        let mut at = 6;
        while let Some(word) = args.try_get(at) {
            let count = args.try_get(at + 1).filter(|_| word.eq_ignore_ascii_case(b"COUNT"));
            if let Some(count) = count {
                let count = parse_i64_within(count, 1, i64::MAX / 16).ok_or(BAD_COUNT)?;
                sweep.count = count as usize;
                at += 2;
            } else if word.eq_ignore_ascii_case(b"JUSTID") {
                sweep.just_id = true;
                at += 1;
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(sweep)
    }

    /// Looks through the pending entries; changes nothing yet.
    fn look(&self, stream: &Stream, group: &Group, now_ms: i64) -> Swept {
        let mut swept = Swept { claimed: Vec::new(), deleted: Vec::new(), cursor: StreamId::MIN };
        let attempts = self.count.saturating_mul(ATTEMPTS);
        for (attempt, pending) in group.pending_from(self.from).enumerate() {
            let full = swept.claimed.len() + swept.deleted.len() == self.count;
            if full || attempt == attempts {
                swept.cursor = pending.id;
                break;
            }
            if stream.get(pending.id).is_none() {
                swept.deleted.push(pending.id);
            } else if self.idle_ms <= 0 || now_ms - pending.delivered_at >= self.idle_ms {
                swept.claimed.push(*pending);
            }
        }
        swept
    }
}

struct Swept {
    claimed: Vec<Pending>,
    /// Pending, but not in the stream any more.
    deleted: Vec<StreamId>,
    /// Where the next sweep begins; `0-0` at the end.
    cursor: StreamId,
}

pub(super) fn xautoclaim(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, group, consumer) = (args.get(1), args.get(2), args.get(3));
    let sweep = Sweep::read(args)?;
    let stream = cx.edit::<Stream>(key)?;
    let mut stream = stream.ok_or_else(|| no_such(key, group))?;
    let at = stream.now_ms().0;
    let state = stream.group(group).ok_or_else(|| no_such(key, group))?;
    let swept = sweep.look(&stream, state, at);
    for &id in &swept.deleted {
        stream.edit(StreamEdit::Acknowledge { group, id });
    }
    if !swept.claimed.is_empty() {
        ensure_consumer(&mut stream, group, consumer);
    }
    for pending in &swept.claimed {
        let deliveries = pending.deliveries.saturating_add(u64::from(!sweep.just_id));
        let id = pending.id;
        stream.edit(StreamEdit::Assign { group, consumer, id, at, deliveries });
    }
    if !swept.claimed.is_empty() {
        stream.edit(StreamEdit::See { group, consumer, at, active: true });
    }
    reply.array(3);
    write_id(reply, swept.cursor);
    let claimed: Vec<StreamId> = swept.claimed.iter().map(|pending| pending.id).collect();
    write_claimed(&stream, &claimed, sweep.just_id, reply);
    reply.array(swept.deleted.len());
    swept.deleted.iter().for_each(|&id| write_id(reply, id));
    Ok(())
}
