//! From one list to another, or round in one: LMOVE, LMOVEM, RPOPLPUSH and their waiting forms.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::ends::{pop_event, push_event};
use super::words::{HowMany, end};
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::list::{Elements, End};
use crate::value::{Collection, List, ListEdit};

/// A move as one of these commands asks for it.
struct Move<'a> {
    source: &'a [u8],
    target: &'a [u8],
    from: End,
    to: End,
    how_many: HowMany,
}

impl<'a> Move<'a> {
    /// Ends in arguments 3 and 4, one element.
    fn read(args: Args<'a>) -> Result<Move<'a>, CommandError> {
        let (from, to) = (end(args.get(3))?, end(args.get(4))?);
        Ok(Move { from, to, ..Move::right_to_left(args) })
    }

    fn right_to_left(args: Args<'a>) -> Move<'a> {
        Move {
            source: args.get(1),
            target: args.get(2),
            from: End::Right,
            to: End::Left,
            how_many: HowMany::ONE,
        }
    }

    /// Makes the move. Returns the elements from left to right as they lie in the target now, or
    /// `None` when there were none or not enough; then nothing has changed.
    fn run(&self, cx: &mut Cx<'_>) -> Result<Option<Vec<Vec<u8>>>, CommandError> {
        let Some(list) = cx.edit::<List>(self.source)? else { return Ok(None) };
        let HowMany { count, exactly, bulk } = self.how_many;
        if exactly && (list.len() as u64) < count {
            return Ok(None);
        }
        let count = count.min(list.len() as u64);
        let mut digits = itoa::Buffer::new();
        let taken = list.walk(self.from, 0, count as usize);
        let mut moved: Vec<Vec<u8>> =
            taken.map(|element| element.text(&mut digits).to_vec()).collect();
        drop(list);
        let reversed = if bulk { self.from == End::Right } else { self.to == End::Left };
        if reversed {
            moved.reverse();
        }
        if self.source == self.target && self.from == self.to {
            self.rewrite(cx, &moved)?;
        } else {
            self.put_and_take(cx, &moved, count)?;
        }
        Ok(Some(moved))
    }

    /// The elements are put in before they are taken out: so a refusal changes nothing, and no
    /// list is empty in between, which would cost it its deadline.
    fn put_and_take(&self, cx: &mut Cx<'_>, moved: &[Vec<u8>], count: u64) -> Done {
        let mut target = cx.edit_or_new::<List>(self.target)?;
        let mut texts: Vec<&[u8]> = moved.iter().map(Vec::as_slice).collect();
        if self.to == End::Left {
            texts.reverse();
        }
        let elements = match texts[..] {
            [element] => Elements::One(element),
            _ => Elements::Many(&texts),
        };
        target.edit(ListEdit::Push { end: self.to, elements });
        target.notify(NotifyClasses::LIST, push_event(self.to));
        drop(target);
        if let Some(mut source) = cx.edit::<List>(self.source)? {
            source.edit(ListEdit::Pop { end: self.from, count });
            source.notify(NotifyClasses::LIST, pop_event(self.from));
        }
        Ok(())
    }

    /// Out and in again at the same end of the same list: the elements stand where others stood.
    fn rewrite(&self, cx: &mut Cx<'_>, moved: &[Vec<u8>]) -> Done {
        let Some(mut list) = cx.edit::<List>(self.source)? else { return Ok(()) };
        let first = if self.from == End::Left { 0 } else { list.len() - moved.len() };
        for (index, element) in moved.iter().enumerate() {
            list.edit(ListEdit::Set { index: (first + index) as u64, element });
        }
        list.notify(NotifyClasses::LIST, push_event(self.to));
        list.notify(NotifyClasses::LIST, pop_event(self.from));
        Ok(())
    }

    /// As [`Move::run`] for one element, answering it.
    fn answer_one(&self, cx: &mut Cx<'_>, reply: &mut Reply<'_>) -> Done {
        let moved = self.run(cx)?;
        let element = moved.as_ref().and_then(|moved| moved.first());
        reply.bulk(element.ok_or(CommandError::Nothing)?);
        Ok(())
    }

    fn answer_all(&self, cx: &mut Cx<'_>, reply: &mut Reply<'_>) -> Done {
        let moved = self.run(cx)?.ok_or(CommandError::Nothing)?;
        reply.array(moved.len());
        moved.iter().for_each(|element| reply.bulk(element));
        Ok(())
    }
}

fn null_for_nothing(done: Done, reply: &mut Reply<'_>) -> Done {
    if done == Err(CommandError::Nothing) {
        reply.null();
        return Ok(());
    }
    done
}

pub(super) fn lmove(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    null_for_nothing(blmove(cx, args, reply), reply)
}

pub(super) fn blmove(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    Move::read(args)?.answer_one(cx, reply)
}

pub(super) fn rpoplpush(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    null_for_nothing(brpoplpush(cx, args, reply), reply)
}

pub(super) fn brpoplpush(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    Move::right_to_left(args).answer_one(cx, reply)
}

/// Without EXACTLY, too few elements are no failure: none at all are an empty array.
pub(super) fn lmovem(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let how_many = HowMany::read(args.tail(5))?;
    let done = Move { how_many, ..Move::read(args)? }.answer_all(cx, reply);
    if done != Err(CommandError::Nothing) {
        return done;
    }
    if how_many.exactly {
        reply.null_array()
    } else {
        reply.array(0)
    }
    Ok(())
}

pub(super) fn blmovem(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let how_many = HowMany::read(args.tail(6))?;
    Move { how_many, ..Move::read(args)? }.answer_all(cx, reply)
}
