//! PFADD and PFMERGE. Only the bytes that differ are written, so an element added to a dense
//! sketch of 12 KiB costs an effect of a few bytes.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::sketch;
use crate::command::context::{Cx, Expiry};
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::hyperloglog::{
    Cursor, Mark, STALE_AT, Sketch, Union, empty, make_stale, raise, stale_byte,
};

pub(super) fn pfadd(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, elements) = (args.get(1), args.tail(2));
    let sparse_bytes_max = cx.core.config.hll_sparse_max_bytes as usize;
    let changed = match cx.string_to_change(key)? {
        None => {
            cx.check_sizes(key, 0)?;
            let mut bytes = empty();
            add_all(&mut bytes, elements, sparse_bytes_max)?;
            make_stale(&mut bytes); // also with no element at all, as in Redis
            cx.set_raw(key, &bytes, Expiry::Never);
            true
        }
        Some(string) if sketch(string)?.is_dense() => add_in_place(cx, key, elements)?,
        Some(string) => {
            let old = Sketch::of(string).ok_or(CommandError::WrongType)?;
            if adds_nothing(old, elements)? {
                false
            } else {
                let mut bytes = string.to_vec();
                add_all(&mut bytes, elements, sparse_bytes_max)?;
                make_stale(&mut bytes);
                put_back(cx, key, &bytes)?;
                true
            }
        }
    };
    if changed {
        cx.notify(NotifyClasses::STRING, "pfadd", key);
    }
    reply.integer(i64::from(changed));
    Ok(())
}

fn adds_nothing(old: Sketch<'_>, elements: Args<'_>) -> Result<bool, CommandError> {
    for element in elements.iter() {
        let mark = Mark::of(element);
        if old.register(mark.index)? < mark.run {
            return Ok(false);
        }
    }
    Ok(true)
}

fn add_all(
    bytes: &mut Vec<u8>,
    elements: Args<'_>,
    sparse_bytes_max: usize,
) -> Result<(), CommandError> {
    for element in elements.iter() {
        raise(bytes, Mark::of(element), sparse_bytes_max, &mut Cursor::default())?;
    }
    Ok(())
}

/// Writes two bytes for each element a dense sketch has not seen.
fn add_in_place(cx: &mut Cx<'_>, key: &[u8], elements: Args<'_>) -> Result<bool, CommandError> {
    let mut changed = false;
    for element in elements.iter() {
        let old = sketch(cx.string_to_change(key)?.unwrap_or_default())?;
        let Some((at, pair)) = old.dense_change(Mark::of(element)) else { continue };
        let stale = stale_byte(old);
        let was_fresh = old.cached_count().is_some();
        cx.splice(key, at, &pair);
        if was_fresh {
            cx.splice(key, STALE_AT, &[stale]);
        }
        changed = true;
    }
    Ok(changed)
}

/// Makes the string at `key`, which is there, read `new`.
fn put_back(cx: &mut Cx<'_>, key: &[u8], new: &[u8]) -> Result<(), CommandError> {
    let old = cx.string_to_change(key)?.unwrap_or_default();
    if new.len() < old.len() {
        cx.set_raw(key, new, Expiry::Keep); // runs were joined: a splice cannot shorten
        return Ok(());
    }
    let body = STALE_AT + 1;
    let differs = |(a, b): (&u8, &u8)| a != b;
    let stale = old[STALE_AT] != new[STALE_AT];
    let start = old[body..].iter().zip(&new[body..]).position(differs);
    let start = start.map_or(old.len(), |at| body + at);
    let tail = old.iter().rev().zip(new.iter().rev()).position(differs);
    let end = if new.len() > old.len() { new.len() } else { new.len() - tail.unwrap_or(new.len()) };
    let encoding_changed = old[..STALE_AT] != new[..STALE_AT];
    if encoding_changed {
        cx.set_raw(key, new, Expiry::Keep); // sparse has become dense
        return Ok(());
    }
    if stale {
        cx.splice(key, STALE_AT, &new[STALE_AT..body]);
    }
    if start < end {
        cx.splice(key, start, &new[start..end]);
    }
    Ok(())
}

pub(super) fn pfmerge(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let target = args.get(1);
    let mut union = Union::default();
    let mut any_dense = false;
    for key in args.tail(1).iter() {
        if let Some(string) = cx.read_string(key)? {
            let source = sketch(string)?;
            any_dense |= source.is_dense();
            union.add(source)?;
        }
    }
    let sparse_bytes_max = cx.core.config.hll_sparse_max_bytes as usize;
    let old = cx.string_to_change(target)?.map(<[u8]>::to_vec);
    let is_new = old.is_none();
    let mut bytes = old.unwrap_or_else(empty);
    if any_dense {
        bytes = sketch(&bytes)?.to_dense()?;
    }
    let mut cursor = Cursor::default();
    for mark in union.marks() {
        raise(&mut bytes, mark, sparse_bytes_max, &mut cursor)?;
    }
    make_stale(&mut bytes);
    if is_new {
        cx.check_sizes(target, bytes.len())?;
        cx.set_raw(target, &bytes, Expiry::Never);
    } else {
        put_back(cx, target, &bytes)?;
    }
    cx.notify(NotifyClasses::STRING, "pfadd", target);
    reply.ok();
    Ok(())
}
