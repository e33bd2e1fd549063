//! The words of list commands: ends, what LMPOP takes, how many LMOVEM moves, timeouts.

use freehold_protocol::args::Args;

use crate::base::number::parse_i64;
use crate::command::error::CommandError;
use crate::command::wait;
use crate::value::list::End;

const NUMKEYS: CommandError = CommandError::Said("ERR numkeys should be greater than 0");
const COUNT: CommandError = CommandError::Said("ERR count should be greater than 0");

pub(super) fn is(text: &[u8], word: &str) -> bool {
    text.eq_ignore_ascii_case(word.as_bytes())
}

/// LEFT or RIGHT.
pub(super) fn end(text: &[u8]) -> Result<End, CommandError> {
    if is(text, "LEFT") {
        Ok(End::Left)
    } else if is(text, "RIGHT") {
        Ok(End::Right)
    } else {
        Err(CommandError::Syntax)
    }
}

fn count(text: &[u8]) -> Result<u64, CommandError> {
    parse_i64(text).and_then(|count| u64::try_from(count).ok()).filter(|&n| n > 0).ok_or(COUNT)
}

/// `numkeys key [key …] LEFT|RIGHT [COUNT count]`.
pub(super) struct MPop<'a> {
    pub keys: Args<'a>,
    pub end: End,
    pub count: u64,
}

impl<'a> MPop<'a> {
    pub(super) fn read(words: Args<'a>) -> Result<MPop<'a>, CommandError> {
        let keys = parse_i64(words.get(0)).filter(|&keys| keys > 0).ok_or(NUMKEYS)?;
        let keys = usize::try_from(keys).map_err(|_| CommandError::Syntax)?;
        let end_at = keys.saturating_add(1);
        let end = end(words.try_get(end_at).ok_or(CommandError::Syntax)?)?;
        let count = match words.tail(end_at + 1) {
            rest if rest.is_empty() => 1,
            rest if rest.len() >= 2 && is(rest.get(0), "COUNT") => {
                let count = count(rest.get(1))?; // Redis reads it before it counts the words
                if rest.len() > 2 {
                    return Err(CommandError::Syntax);
                }
                count
            }
            _ => return Err(CommandError::Syntax),
        };
        let keys = Args::new(words.buffer(), &words.spans()[1..end_at]);
        Ok(MPop { keys, end, count })
    }
}

/// How LMOVEM and BLMOVEM move: `[COUNT n|EXACTLY n OBO|BULK]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct HowMany {
    pub count: u64,
    /// Nothing moves unless there are so many.
    pub exactly: bool,
    /// The elements keep their order; otherwise they go one by one.
    pub bulk: bool,
}

impl HowMany {
    pub(super) const ONE: HowMany = HowMany { count: 1, exactly: false, bulk: false };

    pub(super) fn read(words: Args<'_>) -> Result<HowMany, CommandError> {
        if words.is_empty() {
            return Ok(HowMany::ONE);
        }
        if words.len() != 3 {
            return Err(CommandError::Syntax);
        }
        let exactly = is(words.get(0), "EXACTLY");
        let bulk = is(words.get(2), "BULK");
        if !(exactly || is(words.get(0), "COUNT")) || !(bulk || is(words.get(2), "OBO")) {
            return Err(CommandError::Syntax);
        }
        Ok(HowMany { count: count(words.get(1))?, exactly, bulk })
    }
}

/// The timeout of BLPOP and BRPOP: the last argument.
pub(super) fn last_timeout(args: Args<'_>) -> Result<Option<u64>, CommandError> {
    wait::seconds(args.get(args.len() - 1)).map(Some)
}

/// BRPOPLPUSH's.
pub(super) fn third_timeout(args: Args<'_>) -> Result<Option<u64>, CommandError> {
    wait::seconds(args.get(3)).map(Some)
}

/// BLMOVE's and BLMOVEM's; like Redis they complain about their other words first.
pub(super) fn blmove_timeout(args: Args<'_>) -> Result<Option<u64>, CommandError> {
    end(args.get(3))?;
    end(args.get(4))?;
    HowMany::read(args.tail(6))?;
    wait::seconds(args.get(5)).map(Some)
}

/// BLMPOP's, after its other words as well.
pub(super) fn blmpop_timeout(args: Args<'_>) -> Result<Option<u64>, CommandError> {
    MPop::read(args.tail(2))?;
    wait::seconds(args.get(1)).map(Some)
}
