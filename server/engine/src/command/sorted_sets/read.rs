//! Questions about members and counts: ZSCORE, ZRANK, ZCARD, ZCOUNT and their kin.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::bounds::{Bounds, By};
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::value::{SortedSet, View};

pub(super) fn zcard(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let set = cx.read_collection::<SortedSet>(args.get(1))?;
    reply.integer(set.map_or(0, View::len) as i64);
    Ok(())
}

pub(super) fn zscore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let set = cx.read_collection::<SortedSet>(args.get(1))?;
    write_score(set.and_then(|set| set.score(args.get(2))), reply);
    Ok(())
}

pub(super) fn zmscore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let set = cx.read_collection::<SortedSet>(args.get(1))?;
    reply.array(args.len() - 2);
    for member in args.tail(2).iter() {
        write_score(set.and_then(|set| set.score(member)), reply);
    }
    Ok(())
}

fn write_score(score: Option<f64>, reply: &mut Reply<'_>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

pub(super) fn zrank(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    rank(cx, args, false, reply)
}

pub(super) fn zrevrank(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    rank(cx, args, true, reply)
}

fn rank(cx: &mut Cx<'_>, args: Args<'_>, backward: bool, reply: &mut Reply<'_>) -> Done {
    if args.len() > 4 {
        let command = cx.spec.name.to_ascii_lowercase();
        return Err(CommandError::Arity { command });
    }
    let with_score = match args.try_get(3) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"WITHSCORE") => true,
        Some(_) => return Err(CommandError::Syntax),
    };
    let set = cx.read_collection::<SortedSet>(args.get(1))?;
    let found = set.and_then(|set| {
        let (rank, score) = set.rank(args.get(2))?;
        Some((if backward { set.len() - 1 - rank } else { rank } as i64, score))
    });
    match found {
        Some((rank, score)) if with_score => {
            reply.array(2);
            reply.integer(rank);
            reply.double(score);
        }
        Some((rank, _)) => reply.integer(rank),
        None if with_score => reply.null_array(),
        None => reply.null(),
    }
    Ok(())
}

pub(super) fn zcount(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count(cx, args, By::Score, reply)
}

pub(super) fn zlexcount(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count(cx, args, By::Name, reply)
}

fn count(cx: &mut Cx<'_>, args: Args<'_>, by: By, reply: &mut Reply<'_>) -> Done {
    let bounds = Bounds::read(by, args.get(2), args.get(3))?;
    let set = cx.read_collection::<SortedSet>(args.get(1))?;
    reply.integer(set.map_or(0, |set| bounds.ranks(set, false).len()) as i64);
    Ok(())
}
