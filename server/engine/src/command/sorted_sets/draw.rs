//! Elements in no order: ZRANDMEMBER and ZSCAN.

use std::collections::BTreeSet;

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::range::write_elements;
use crate::base::number::{parse_i64, write_f64};
use crate::base::random::Random;
use crate::command::context::Cx;
use crate::command::cursor;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::value::{SortedSet, View};

const COUNT_RANGE: CommandError = CommandError::Said(
    "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
);
/// Redis would write the same member until its memory is full.
const TOO_MANY_DRAWS: CommandError =
    CommandError::Said("ERR value is out of range, at most 10000000 members are drawn at once");

/// Draws with repetition in one answer: it is the only answer whose length a client declares.
const DRAWS_MAX: u64 = 10_000_000;

pub(super) fn zrandmember(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let mut random = cx.core.random.split();
    let Some(text) = args.try_get(2) else {
        let set = cx.read_collection::<SortedSet>(args.get(1))?;
        match set.and_then(|set| set.random(&mut random)) {
            Some((member, _)) => reply.bulk(member),
            None => reply.null(),
        }
        return Ok(());
    };
    let count = parse_i64(text).ok_or(CommandError::NotAnInteger)?;
    if count == i64::MIN {
        return Err(COUNT_RANGE);
    }
    let with_scores = match args.try_get(3) {
        None => false,
        Some(word) if args.len() == 4 && word.eq_ignore_ascii_case(b"WITHSCORES") => true,
        Some(_) => return Err(CommandError::Syntax),
    };
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(CommandError::ValueOutOfRange);
    }
    let Some(set) = cx.read_collection::<SortedSet>(args.get(1))? else {
        reply.array(0);
        return Ok(());
    };
    if count < 0 {
        if count.unsigned_abs() > DRAWS_MAX {
            return Err(TOO_MANY_DRAWS);
        }
        let count = count.unsigned_abs() as usize;
        let drawn = (0..count).filter_map(|_| set.random(&mut random));
        write_elements(drawn, count, with_scores, reply);
        return Ok(());
    }
    let count = (count as usize).min(set.len());
    if count == set.len() {
        // From the highest, as Redis reads a set out.
        write_elements(set.walk_back(count.saturating_sub(1), count), count, with_scores, reply);
    } else {
        let ranks = distinct(count, set.len(), &mut random);
        let drawn = ranks.into_iter().filter_map(|rank| set.get(rank));
        write_elements(drawn, count, with_scores, reply);
    }
    Ok(())
}

/// `count` different numbers below `len`, every choice equally likely, in random order.
fn distinct(count: usize, len: usize, random: &mut Random) -> Vec<usize> {
    // Floyd's method: as many draws as numbers, whatever their share of the whole.
    let mut chosen = BTreeSet::new();
    for last in len - count..len {
        let drawn = random.below(last as u64 + 1) as usize;
        if !chosen.insert(drawn) {
            chosen.insert(last);
        }
    }
    let mut ranks: Vec<usize> = chosen.into_iter().collect();
    random.shuffle(&mut ranks);
    ranks
}

pub(super) fn zscan(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let from = cursor::read(args.get(2))?;
    let Some(set) = cx.read_collection::<SortedSet>(args.get(1))? else {
        cursor::answer(0, 0, &[], reply);
        return Ok(());
    };
    let walk = cursor::Walk::read(args.tail(3), false)?;
    let (mut found, mut elements, mut digits) = (Vec::new(), 0, Vec::new());
    let mut out = Reply::new(&mut found, reply.resp3);
    let next = set.scan(from, walk.count, |member, score| {
        if walk.admits(member) {
            elements += 2;
            out.bulk(member);
            digits.clear();
            write_f64(score, &mut digits);
            out.bulk(&digits); // a string in RESP3 as well
        }
    });
    cursor::answer(next, elements, &found, reply);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_is_drawn_equally_often_and_none_twice() {
        let seed = 4;
        let mut random = Random::new(seed);
        let mut drawn = [0; 10];
        for _ in 0..10_000 {
            let ranks = distinct(3, 10, &mut random);
            assert_eq!(ranks.iter().collect::<BTreeSet<_>>().len(), 3, "seed {seed}");
            ranks.into_iter().for_each(|rank| drawn[rank] += 1);
        }
        assert!(drawn.iter().all(|count| (2_800..3_200).contains(count)), "{drawn:?}");
    }
}
