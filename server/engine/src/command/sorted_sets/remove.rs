//! ZREM and ZREMRANGEBY*.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::bounds::{Bounds, By};
use crate::command::context::Cx;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Collection, SortedSet, SortedSetEdit};

pub(super) fn zrem(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let mut removed = 0;
    if let Some(mut set) = cx.edit::<SortedSet>(args.get(1))? {
        for member in args.tail(2).iter() {
            removed += i64::from(set.edit(SortedSetEdit::Remove { member }));
        }
        if removed > 0 {
            set.notify(NotifyClasses::SORTED_SET, "zrem");
        }
    }
    reply.integer(removed);
    Ok(())
}

pub(super) fn zremrangebyrank(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    remove_range(cx, args, By::Rank, "zremrangebyrank", reply)
}

pub(super) fn zremrangebyscore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    remove_range(cx, args, By::Score, "zremrangebyscore", reply)
}

pub(super) fn zremrangebylex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    remove_range(cx, args, By::Name, "zremrangebylex", reply)
}

fn remove_range(
    cx: &mut Cx<'_>,
    args: Args<'_>,
    by: By,
    event: &'static str,
    reply: &mut Reply<'_>,
) -> Done {
    let bounds = Bounds::read(by, args.get(2), args.get(3))?;
    let mut removed = 0;
    if let Some(mut set) = cx.edit::<SortedSet>(args.get(1))? {
        let ranks = bounds.ranks(set.view(), false);
        removed = ranks.len() as u64;
        let range = SortedSetEdit::RemoveRange { first: ranks.start as u64, count: removed };
        if set.edit(range) {
            set.notify(NotifyClasses::SORTED_SET, event);
        }
    }
    reply.integer(removed as i64);
    Ok(())
}
