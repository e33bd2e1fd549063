//! Commands that answer what a list holds.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::words::is;
use super::{index_of, put, range_of};
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::value::list::End;
use crate::value::packed::Encoded;
use crate::value::{List, ListView, View};

const RANK_ZERO: CommandError = CommandError::Said(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
     negative to start from the end of the list",
);
const RANK_LOWEST: CommandError = CommandError::Said(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
const COUNT_NEGATIVE: CommandError = CommandError::Said("ERR COUNT can't be negative");
const MAXLEN_NEGATIVE: CommandError = CommandError::Said("ERR MAXLEN can't be negative");

pub(super) fn llen(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let length = cx.read_collection::<List>(args.get(1))?.map_or(0, View::len);
    reply.integer(length as i64);
    Ok(())
}

/// The index of a missing key is not looked at, as in Redis.
pub(super) fn lindex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let Some(list) = cx.read_collection::<List>(args.get(1))? else {
        reply.null();
        return Ok(());
    };
    let index = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    match index_of(index, list.len()).and_then(|index| list.get(index)) {
        Some(element) => put(reply, element),
        None => reply.null(),
    }
    Ok(())
}

pub(super) fn lrange(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let start = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    let stop = parse_i64(args.get(3)).ok_or(CommandError::NotAnInteger)?;
    let Some(list) = cx.read_collection::<List>(args.get(1))? else {
        reply.array(0);
        return Ok(());
    };
    let (index, count) = range_of(start, stop, list.len());
    reply.array(count);
    for element in list.walk(End::Left, index, count) {
        put(reply, element);
    }
    Ok(())
}

pub(super) fn lpos(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let search = Search::read(args.tail(3))?;
    let list = cx.read_collection::<List>(args.get(1))?;
    let found = list.map_or(Vec::new(), |list| search.find(list, args.get(2)));
    if search.count.is_none() {
        match found.first() {
            Some(&index) => reply.integer(index as i64),
            None => reply.null(),
        }
        return Ok(());
    }
    reply.array(found.len());
    found.iter().for_each(|&index| reply.integer(index as i64));
    Ok(())
}

/// What LPOS looks for besides the element.
struct Search {
    from: End,
    /// The first match to be answered, counted from 1.
    rank: u64,
    /// How many matches are answered; none: one, and not in an array.
    count: Option<u64>,
    /// How many elements are looked at.
    most: usize,
}

impl Search {
    fn read(words: Args<'_>) -> Result<Search, CommandError> {
        let mut search = Search { from: End::Left, rank: 1, count: None, most: usize::MAX };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or(CommandError::Syntax)?;
            let natural = || parse_i64(value).and_then(|value| u64::try_from(value).ok());
            // Zero means without limit.
            let limit = |value: u64| if value == 0 { u64::MAX } else { value };
            if is(word, "RANK") {
                let rank = parse_i64(value).ok_or(CommandError::NotAnInteger)?;
                match rank {
                    0 => return Err(RANK_ZERO),
                    i64::MIN => return Err(RANK_LOWEST),
                    _ => {}
                }
                search.from = if rank < 0 { End::Right } else { End::Left };
                search.rank = rank.unsigned_abs();
            } else if is(word, "COUNT") {
                search.count = Some(limit(natural().ok_or(COUNT_NEGATIVE)?));
            } else if is(word, "MAXLEN") {
                let most = limit(natural().ok_or(MAXLEN_NEGATIVE)?);
                search.most = usize::try_from(most).unwrap_or(usize::MAX);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(search)
    }

    /// Indices from the left of the matches, in the order they are met.
    fn find(&self, list: ListView<'_>, text: &[u8]) -> Vec<usize> {
        let needle = Encoded::of(text);
        let mut walk = list.walk(self.from, 0, self.most);
        let mut found = Vec::new();
        let (mut at, mut matches) = (0, 0);
        while (found.len() as u64) < self.count.unwrap_or(1) {
            let Some(passed) = walk.find_equal(&needle) else { break };
            at += passed;
            matches += 1;
            if matches >= self.rank {
                found.push(if self.from == End::Left { at } else { list.len() - 1 - at });
            }
            at += 1;
        }
        found
    }
}
