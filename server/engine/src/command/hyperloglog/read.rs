//! PFCOUNT. The count of one sketch is noted in it, as in Redis: the command is a reader that may
//! write eight bytes.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::sketch;
use crate::command::context::Cx;
use crate::command::spec::Done;
use crate::value::hyperloglog::{Union, count_field};

pub(super) fn pfcount(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let keys = args.tail(1);
    if keys.len() == 1 {
        return count_one(cx, keys.get(0), reply);
    }
    let mut union = Union::default();
    for key in keys.iter() {
        if let Some(string) = cx.read_string(key)? {
            union.add(sketch(string)?)?;
        }
    }
    reply.integer(union.count() as i64);
    Ok(())
}

fn count_one(cx: &mut Cx<'_>, key: &[u8], reply: &mut Reply<'_>) -> Done {
    let Some(string) = cx.read_string(key)? else {
        reply.integer(0);
        return Ok(());
    };
    let found = sketch(string)?;
    if let Some(count) = found.cached_count() {
        reply.integer(count as i64);
        return Ok(());
    }
    let count = found.count()?;
    let (at, field) = count_field(count);
    cx.splice(key, at, &field);
    reply.integer(count as i64);
    Ok(())
}
