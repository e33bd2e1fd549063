//! One set: members put in, taken out, asked for, listed.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::command::context::Cx;
use crate::command::cursor::{self, Walk};
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Kind, Set, SetEdit, SetView, View};

pub(super) fn sadd(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let mut set = cx.edit_or_new::<Set>(args.get(1))?;
    let mut added = 0;
    for member in args.tail(2).iter() {
        added += i64::from(set.edit(SetEdit::Add(member)));
    }
    if added > 0 {
        set.notify(NotifyClasses::SET, "sadd");
    }
    reply.integer(added);
    Ok(())
}

pub(super) fn srem(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let mut removed = 0;
    if let Some(mut set) = cx.edit::<Set>(args.get(1))? {
        for member in args.tail(2).iter() {
            removed += i64::from(set.edit(SetEdit::Remove(member)));
        }
        if removed > 0 {
            set.notify(NotifyClasses::SET, "srem");
        }
    }
    reply.integer(removed);
    Ok(())
}

pub(super) fn sismember(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let set = cx.read_collection::<Set>(args.get(1))?;
    reply.integer(i64::from(set.is_some_and(|set| set.contains(args.get(2)))));
    Ok(())
}

pub(super) fn smismember(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let set = cx.read_collection::<Set>(args.get(1))?;
    let members = args.tail(2);
    reply.array(members.len());
    for member in members.iter() {
        reply.integer(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}

pub(super) fn scard(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let set = cx.read_collection::<Set>(args.get(1))?;
    reply.integer(set.map_or(0, |set| set.len() as i64));
    Ok(())
}

pub(super) fn smembers(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    match cx.read_collection::<Set>(args.get(1))? {
        None => reply.set(0),
        Some(set) => all(set, reply),
    }
    Ok(())
}

/// All members as one answer.
pub(super) fn all(set: SetView<'_>, reply: &mut Reply<'_>) {
    let mut buffer = itoa::Buffer::new();
    reply.set(set.len());
    set.iter().for_each(|member| reply.bulk(member.text(&mut buffer)));
}

pub(super) fn smove(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (from, to, member) = (args.get(1), args.get(2), args.get(3));
    cx.check_sizes(to, 0)?;
    let Some(source) = cx.peek(from) else {
        reply.integer(0);
        return Ok(());
    };
    let is_set = source.kind() == Kind::Set;
    if !is_set || cx.peek(to).is_some_and(|entry| entry.kind() != Kind::Set) {
        return Err(CommandError::WrongType);
    }
    if from == to {
        let set = cx.read_collection::<Set>(from)?;
        reply.integer(i64::from(set.is_some_and(|set| set.contains(member))));
        return Ok(());
    }
    let Some(mut source) = cx.edit::<Set>(from)? else {
        return Err(CommandError::WrongType); // it was there a moment ago
    };
    if !source.edit(SetEdit::Remove(member)) {
        drop(source);
        reply.integer(0);
        return Ok(());
    }
    source.notify(NotifyClasses::SET, "srem");
    drop(source);
    let mut target = cx.edit_or_new::<Set>(to)?;
    if target.edit(SetEdit::Add(member)) {
        target.notify(NotifyClasses::SET, "sadd");
    }
    reply.integer(1);
    Ok(())
}

pub(super) fn sscan(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let from = cursor::read(args.get(2))?;
    let Some(set) = cx.read_collection::<Set>(args.get(1))? else {
        cursor::answer(0, 0, b"", reply);
        return Ok(());
    };
    let walk = Walk::read(args.tail(3), false)?;
    let (mut found, mut elements) = (Vec::new(), 0);
    let mut out = Reply::new(&mut found, reply.resp3);
    let mut buffer = itoa::Buffer::new();
    let next = set.scan(from, walk.count, &mut |member| {
        let member = member.text(&mut buffer);
        if walk.admits(member) {
            out.bulk(member);
            elements += 1;
        }
    });
    cursor::answer(next, elements, &found, reply);
    Ok(())
}
