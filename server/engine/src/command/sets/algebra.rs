//! Several sets made one: intersections, unions, differences, and what of them is stored or only
//! counted. A missing key is an empty set.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Collection, Member, Rules, Set, SetEdit, SetView, View};

use super::members::all;

const NO_KEYS: CommandError = CommandError::Said("ERR numkeys should be greater than 0");
const TOO_MANY_KEYS: CommandError =
    CommandError::Said("ERR Number of keys can't be greater than number of args");
const NEGATIVE_LIMIT: CommandError = CommandError::Said("ERR LIMIT can't be negative");

/// What is made of the sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Intersection,
    Union,
    Difference,
}

pub(super) fn sinter(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(cx, Operation::Intersection, args.tail(1), reply)
}

pub(super) fn sunion(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(cx, Operation::Union, args.tail(1), reply)
}

pub(super) fn sdiff(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer(cx, Operation::Difference, args.tail(1), reply)
}

pub(super) fn sinterstore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    store(cx, Operation::Intersection, args, "sinterstore", reply)
}

pub(super) fn sunionstore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    store(cx, Operation::Union, args, "sunionstore", reply)
}

pub(super) fn sdiffstore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    store(cx, Operation::Difference, args, "sdiffstore", reply)
}

pub(super) fn sintercard(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count(cx, Operation::Intersection, args, reply)
}

pub(super) fn sunioncard(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count(cx, Operation::Union, args, reply)
}

pub(super) fn sdiffcard(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count(cx, Operation::Difference, args, reply)
}

fn answer(cx: &mut Cx<'_>, operation: Operation, keys: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (sets, rules) = sets(cx, keys, keys.len())?;
    if operation == Operation::Union {
        all(union(&sets, rules).view(), reply);
        return Ok(());
    }
    // How many members there are is known when the last one has been written.
    let (mut found, mut members) = (Vec::new(), 0);
    let mut out = Reply::new(&mut found, reply.resp3);
    let mut buffer = itoa::Buffer::new();
    each(operation, &sets, |member| {
        out.bulk(member.text(&mut buffer));
        members += 1;
        true
    });
    reply.set(members);
    reply.out.extend_from_slice(&found);
    Ok(())
}

fn store(
    cx: &mut Cx<'_>,
    operation: Operation,
    args: Args<'_>,
    event: &'static str,
    reply: &mut Reply<'_>,
) -> Done {
    let target = args.get(1);
    cx.check_sizes(target, 0)?;
    let (sets, rules) = sets(cx, args.tail(2), args.len())?;
    let mut result = Set::default();
    if operation == Operation::Union {
        result = union(&sets, rules);
    } else {
        let mut buffer = itoa::Buffer::new();
        each(operation, &sets, |member| {
            result.apply(SetEdit::Add(member.text(&mut buffer)), rules);
            true
        });
    }
    let members = result.len();
    let existed = cx.peek(target).is_some();
    if cx.set_collection(target, result) {
        cx.notify(NotifyClasses::SET, event, target);
    } else if existed {
        cx.notify(NotifyClasses::GENERIC, "del", target);
    }
    reply.integer(members as i64);
    Ok(())
}

fn count(cx: &mut Cx<'_>, operation: Operation, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let keys = parse_i64(args.get(1)).ok_or(NO_KEYS)?;
    let keys = usize::try_from(keys).ok().filter(|&keys| keys > 0).ok_or(NO_KEYS)?;
    if keys > args.len() - 2 {
        return Err(TOO_MANY_KEYS);
    }
    let mut limit = u64::MAX;
    let mut words = args.tail(2 + keys).iter();
    while let Some(word) = words.next() {
        let value = words.next().filter(|_| word.eq_ignore_ascii_case(b"LIMIT"));
        let value = value.ok_or(CommandError::Syntax)?;
        // As in Redis, what is no number is called negative, too.
        let value = parse_i64(value).and_then(|value| u64::try_from(value).ok());
        limit = value.ok_or(NEGATIVE_LIMIT)?;
        if limit == 0 {
            limit = u64::MAX;
        }
    }
    let (sets, rules) = sets(cx, args.tail(2), keys)?;
    let mut members = 0;
    if operation == Operation::Union {
        members = limit.min(union(&sets, rules).len() as u64);
    } else {
        each(operation, &sets, |_| {
            members += 1;
            members < limit
        });
    }
    reply.integer(members as i64);
    Ok(())
}

/// The sets of the first `count` keys, `None` for a missing one, and what a new one follows.
///
/// # Errors
/// `WrongType` when any of the keys holds something else.
fn sets<'c>(
    cx: &'c mut Cx<'_>,
    keys: Args<'_>,
    count: usize,
) -> Result<(Vec<Option<SetView<'c>>>, &'c Rules), CommandError> {
    for key in keys.iter().take(count) {
        cx.read_collection::<Set>(key)?;
    }
    let keyspace = &cx.core.keyspace;
    let set = |key| keyspace.get(cx.caller.db, &keyspace.key_ref(key))?.collection::<Set>();
    Ok((keys.iter().take(count).map(set).collect(), keyspace.rules()))
}

fn union(sets: &[Option<SetView<'_>>], rules: &Rules) -> Set {
    let mut union = Set::default();
    let mut buffer = itoa::Buffer::new();
    for member in sets.iter().flatten().flat_map(|set| set.iter()) {
        union.apply(SetEdit::Add(member.text(&mut buffer)), rules);
    }
    union
}

/// Visits the members of an intersection or a difference until `visit` returns false.
fn each<'s>(
    operation: Operation,
    sets: &[Option<SetView<'s>>],
    mut visit: impl FnMut(Member<'s>) -> bool,
) {
    let mut others: Vec<SetView<'s>> = sets.iter().copied().flatten().collect();
    let first = match operation {
        // The smallest set has the fewest members to look for in the others.
        Operation::Intersection => {
            if others.len() < sets.len() || others.is_empty() {
                return;
            }
            others.sort_by_key(|set| set.len());
            others.remove(0)
        }
        // The largest set is the most likely to have the member.
        Operation::Union | Operation::Difference => {
            let [Some(first), rest @ ..] = sets else { return };
            others = rest.iter().copied().flatten().collect();
            others.sort_by_key(|set| std::cmp::Reverse(set.len()));
            *first
        }
    };
    let wanted = operation == Operation::Intersection;
    for member in first.iter() {
        let admitted = match wanted {
            true => others.iter().all(|set| set.contains_member(member)),
            false => !others.iter().any(|set| set.contains_member(member)),
        };
        if admitted && !visit(member) {
            return;
        }
    }
}
