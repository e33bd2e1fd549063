//! Commands that put strings at several keys: all of them or none.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::options::{Condition, Options, Reader};
use super::write::put;
use crate::base::number::parse_i64_within;
use crate::command::context::{Cx, Expiry};
use crate::command::error::CommandError;
use crate::command::spec::Done;

const BAD_KEY_COUNT: CommandError = CommandError::Said("ERR invalid numkeys value");
const BAD_PAIR_COUNT: CommandError = CommandError::Said("ERR wrong number of key-value pairs");

/// Keys and values, alternating; an even number of arguments.
struct Pairs<'a> {
    pairs: Args<'a>,
    /// What stands behind them.
    rest: Args<'a>,
}

impl<'a> Pairs<'a> {
    /// All arguments behind the name.
    fn of_all(args: Args<'a>, command: &str) -> Result<Pairs<'a>, CommandError> {
        if args.len().is_multiple_of(2) {
            return Err(CommandError::Arity { command: command.to_owned() });
        }
        Ok(Pairs { pairs: args.tail(1), rest: args.tail(args.len()) })
    }

    /// As many as argument 1 says, from argument 2 on.
    fn counted(args: Args<'a>) -> Result<Pairs<'a>, CommandError> {
        let count = parse_i64_within(args.get(1), 1, i64::from(i32::MAX));
        let count = count.ok_or(BAD_KEY_COUNT)? as usize;
        if count > (args.len() - 2) / 2 {
            return Err(BAD_PAIR_COUNT);
        }
        let rest = args.tail(2 + 2 * count);
        let spans = &args.spans()[2..args.len() - rest.len()];
        Ok(Pairs { pairs: Args::new(args.buffer(), spans), rest })
    }

    fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let pairs = self.pairs;
        (0..pairs.len()).step_by(2).map(move |at| (pairs.get(at), pairs.get(at + 1)))
    }

    fn check_sizes(&self, cx: &Cx<'_>) -> Result<(), CommandError> {
        self.iter().try_for_each(|(key, value)| cx.check_sizes(key, value.len()))
    }

    fn set(&self, cx: &mut Cx<'_>, expiry: Expiry) {
        let pairs = self.pairs;
        cx.each_key(pairs, 2, |cx, at, key| put(cx, key, pairs.get(at + 1), expiry));
    }
}

/// Several owners each run their own pairs, under locks.
pub(super) fn mset(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let pairs = Pairs::of_all(args, "mset")?;
    pairs.check_sizes(cx)?;
    pairs.set(cx, Expiry::Never);
    reply.ok();
    Ok(())
}

pub(super) fn msetnx(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let pairs = Pairs::of_all(args, "msetnx")?;
    pairs.check_sizes(cx)?;
    let free = pairs.iter().all(|(key, _)| cx.peek(key).is_none());
    if free {
        pairs.set(cx, Expiry::Never);
    }
    reply.integer(i64::from(free));
    Ok(())
}

pub(super) fn msetex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let pairs = Pairs::counted(args)?;
    let options = Options::read(pairs.rest, Reader::MsetEx)?;
    let expiry = options.lifetime.resolve(cx.now_ms(), "msetex")?;
    pairs.check_sizes(cx)?;
    let met = match options.condition {
        Condition::Missing => pairs.iter().all(|(key, _)| cx.peek(key).is_none()),
        Condition::Present => pairs.iter().all(|(key, _)| cx.peek(key).is_some()),
        Condition::None | Condition::Compares(_) => true,
    };
    if met {
        pairs.set(cx, expiry);
    }
    reply.integer(i64::from(met));
    Ok(())
}
