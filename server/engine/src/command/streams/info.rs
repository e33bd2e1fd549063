//! XINFO: a stream, its groups and their consumers from the inside.

use freehold_protocol::args::Args;
use freehold_protocol::resp::reply::Reply;

use super::groups::{bad_subcommand, no_group};
use super::ids::{write_entry, write_id};
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::value::Collection;
use crate::value::stream::{Consumer, Group, Stream, StreamId};

/// Entries and pending entries that FULL lists without a COUNT.
const FULL_COUNT: usize = 10;

/// FULL's count of what to list of each; `None` without FULL.
fn read_full(args: Args<'_>) -> Result<Option<usize>, CommandError> {
    let bad = || bad_subcommand(args.get(1), "XINFO");
    let Some(word) = args.try_get(3) else { return Ok(None) };
    if !matches!(args.len(), 4 | 6) || !word.eq_ignore_ascii_case(b"FULL") {
        return Err(bad());
    }
    let Some(word) = args.try_get(4) else { return Ok(Some(FULL_COUNT)) };
    if !word.eq_ignore_ascii_case(b"COUNT") {
        return Err(bad());
    }
    let count = parse_i64(args.get(5)).ok_or(CommandError::NotAnInteger)?;
    Ok(Some(match usize::try_from(count) {
        Ok(0) => usize::MAX,
        Ok(count) => count,
        Err(_) => FULL_COUNT,
    }))
}

pub(super) fn stream(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let stream = cx.read_collection::<Stream>(args.get(2))?.ok_or(CommandError::NoSuchKey)?;
    let full = read_full(args)?;
    reply.map(if full.is_some() { 9 } else { 10 });
    number(reply, "length", stream.len() as i64);
    number(reply, "radix-tree-keys", stream.blocks() as i64);
    // There is no radix tree; one whose keys share nothing would have a node more than keys.
    number(reply, "radix-tree-nodes", stream.blocks() as i64 + 1);
    id(reply, "last-generated-id", stream.last_id());
    id(reply, "max-deleted-entry-id", stream.max_deleted_id());
    number(reply, "entries-added", stream.entries_added() as i64);
    let first = stream.first();
    id(reply, "recorded-first-entry-id", first.map_or(StreamId::MIN, |entry| entry.id));
    if let Some(count) = full {
        write_full(stream, count, reply);
        return Ok(());
    }
    number(reply, "groups", stream.groups().len() as i64);
    for (name, entry) in [("first-entry", first), ("last-entry", stream.last())] {
        reply.text(name);
        match entry {
            Some(entry) => write_entry(reply, &entry),
            None => reply.null(),
        }
    }
    Ok(())
}

fn write_full(stream: &Stream, count: usize, reply: &mut Reply<'_>) {
    let entries = || stream.range(StreamId::MIN, StreamId::MAX).take(count);
    reply.text("entries");
    reply.array(entries().count());
    entries().for_each(|entry| write_entry(reply, &entry));
    reply.text("groups");
    reply.array(stream.groups().len());
    for group in stream.groups() {
        reply.map(7);
        text(reply, "name", group.name());
        write_progress(stream, group, reply);
        number(reply, "pel-count", group.pending_len() as i64);
        reply.text("pending");
        reply.array(group.pending_len().min(count));
        for pending in group.pending_from(StreamId::MIN).take(count) {
            reply.array(4);
            write_id(reply, pending.id);
            reply.bulk(group.owner(pending).name());
            reply.integer(pending.delivered_at);
            reply.integer(pending.deliveries as i64);
        }
        reply.text("consumers");
        reply.array(group.consumers().len());
        group.consumers().for_each(|consumer| write_consumer(group, consumer, count, reply));
    }
}

fn write_consumer(group: &Group, consumer: &Consumer, count: usize, reply: &mut Reply<'_>) {
    reply.map(5);
    text(reply, "name", consumer.name());
    number(reply, "seen-time", consumer.seen_at());
    number(reply, "active-time", consumer.active_at().unwrap_or(-1));
    number(reply, "pel-count", consumer.pending_len() as i64);
    reply.text("pending");
    reply.array(consumer.pending_len().min(count));
    let pending = consumer.pending_from(StreamId::MIN).filter_map(|id| group.pending(id));
    for pending in pending.take(count) {
        reply.array(3);
        write_id(reply, pending.id);
        reply.integer(pending.delivered_at);
        reply.integer(pending.deliveries as i64);
    }
}

/// How far a group has come.
fn write_progress(stream: &Stream, group: &Group, reply: &mut Reply<'_>) {
    id(reply, "last-delivered-id", group.last_id());
    let read = group.entries_read().map(|read| read as i64);
    for (name, value) in [("entries-read", read), ("lag", stream.lag(group))] {
        reply.text(name);
        match value {
            Some(value) => reply.integer(value),
            None => reply.null(),
        }
    }
}

pub(super) fn groups(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let stream = cx.read_collection::<Stream>(args.get(2))?.ok_or(CommandError::NoSuchKey)?;
    reply.array(stream.groups().len());
    for group in stream.groups() {
        reply.map(6);
        text(reply, "name", group.name());
        number(reply, "consumers", group.consumers().len() as i64);
        number(reply, "pending", group.pending_len() as i64);
        write_progress(stream, group, reply);
    }
    Ok(())
}

pub(super) fn consumers(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, group) = (args.get(2), args.get(3));
    let now_ms = cx.now_ms().0;
    let stream = cx.read_collection::<Stream>(key)?.ok_or(CommandError::NoSuchKey)?;
    let group = stream.group(group).ok_or_else(|| no_group(key, group))?;
    reply.array(group.consumers().len());
    for consumer in group.consumers() {
        reply.map(4);
        text(reply, "name", consumer.name());
        number(reply, "pending", consumer.pending_len() as i64);
        number(reply, "idle", (now_ms - consumer.seen_at()).max(0));
        let inactive = consumer.active_at().map(|at| (now_ms - at).max(0));
        number(reply, "inactive", inactive.unwrap_or(-1));
    }
    Ok(())
}

pub(super) fn help(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    crate::command::help::write(cx, reply);
    Ok(())
}

fn number(reply: &mut Reply<'_>, name: &str, value: i64) {
    reply.text(name);
    reply.integer(value);
}

fn text(reply: &mut Reply<'_>, name: &str, value: &[u8]) {
    reply.text(name);
    reply.bulk(value);
}

fn id(reply: &mut Reply<'_>, name: &str, value: StreamId) {
    reply.text(name);
    write_id(reply, value);
}
