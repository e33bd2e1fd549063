//! ZADD and ZINCRBY. All scores are read before anything changes.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::base::number::parse_f64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Collection, SortedSet, SortedSetEdit};

const XX_AND_NX: CommandError =
    CommandError::Said("ERR XX and NX options at the same time are not compatible");
const GT_LT_NX: CommandError =
    CommandError::Said("ERR GT, LT, and/or NX options at the same time are not compatible");
const ONE_PAIR: CommandError =
    CommandError::Said("ERR INCR option supports a single increment-element pair");
const NOT_A_SCORE: CommandError = CommandError::Said("ERR resulting score is not a number (NaN)");

/// The words before the first score.
#[derive(Clone, Copy, Default)]
struct Options {
    only_new: bool,
    only_present: bool,
    only_greater: bool,
    only_less: bool,
    count_changed: bool,
    increment: bool,
}

impl Options {
    /// Reads the words from argument 2 on; also where the pairs begin.
    fn read(args: Args<'_>) -> (Options, usize) {
        let mut options = Options::default();
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            let option = match word.to_ascii_lowercase().as_slice() {
                b"nx" => &mut options.only_new,
                b"xx" => &mut options.only_present,
                b"gt" => &mut options.only_greater,
                b"lt" => &mut options.only_less,
                b"ch" => &mut options.count_changed,
                b"incr" => &mut options.increment,
                _ => break,
            };
            *option = true;
            at += 1;
        }
        (options, at)
    }

    fn check(&self, pairs: usize) -> Result<(), CommandError> {
        if self.only_new && self.only_present {
            return Err(XX_AND_NX);
        }
        if (self.only_new && (self.only_greater || self.only_less))
            || (self.only_greater && self.only_less)
        {
            return Err(GT_LT_NX);
        }
        if self.increment && pairs > 1 { Err(ONE_PAIR) } else { Ok(()) }
    }

    fn is_plain(&self) -> bool {
        !(self.only_new
            || self.only_present
            || self.only_greater
            || self.only_less
            || self.increment)
    }

    /// The score a member gets that has `old` now; `None` when it is left alone.
    fn resolve(&self, old: Option<f64>, given: f64) -> Result<Option<f64>, CommandError> {
        let Some(old) = old else { return Ok((!self.only_present).then_some(given)) };
        if self.only_new {
            return Ok(None);
        }
        let score = if self.increment { old + given } else { given };
        if score.is_nan() {
            return Err(NOT_A_SCORE);
        }
        let refused = (self.only_less && score >= old) || (self.only_greater && score <= old);
        Ok((!refused).then_some(score))
    }
}

pub(super) fn zadd(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (options, at) = Options::read(args);
    add(cx, args, at, options, reply)
}

pub(super) fn zincrby(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    // Redis looks for options here as well; with three arguments behind the key none has room.
    let (options, at) = Options::read(args);
    add(cx, args, at, Options { increment: true, ..options }, reply)
}

fn add(
    cx: &mut Cx<'_>,
    args: Args<'_>,
    at: usize,
    options: Options,
    reply: &mut Reply<'_>,
) -> Done {
    let pairs = args.tail(at);
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    options.check(pairs.len() / 2)?;
    let scores: Option<Vec<f64>> = pairs.iter().step_by(2).map(parse_f64).collect();
    let scores = scores.ok_or(CommandError::NotAFloat)?;
    let members = pairs.iter().skip(1).step_by(2);

    let mut set = cx.edit_or_new::<SortedSet>(args.get(1))?;
    let (before, mut changed, mut reached) = (set.len(), 0, None);
    for (member, given) in members.zip(scores) {
        let score = if options.is_plain() {
            Some(given)
        } else {
            options.resolve(set.score(member), given)?
        };
        if let Some(score) = score {
            changed += usize::from(set.edit(SortedSetEdit::Set { member, score }));
            reached = Some(score);
        }
    }
    let added = set.len() - before;
    if changed > 0 {
        let event = if options.increment { "zincr" } else { "zadd" };
        set.notify(NotifyClasses::SORTED_SET, event);
    }
    if options.increment {
        match reached {
            Some(score) => reply.double(score),
            None => reply.null(),
        }
    } else {
        reply.integer(if options.count_changed { changed } else { added } as i64);
    }
    Ok(())
}
