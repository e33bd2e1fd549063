//! ZUNION, ZINTER, ZDIFF, their STORE forms and ZINTERCARD: any number of sorted sets, and of plain
//! sets, whose members have the score 1.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::range::write_elements;
use crate::base::number::{parse_f64, parse_i64};
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::keyspace::{EntryRef, KeyRef};
use crate::value::{
    Collection, Rules, Set, SetView, SortedSet, SortedSetEdit, SortedSetView, View,
};

const BAD_WEIGHT: CommandError = CommandError::Said("ERR weight value is not a float");
const NEGATIVE_LIMIT: CommandError = CommandError::Said("ERR LIMIT can't be negative");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What becomes of the result.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Answer,
    Store,
    Cardinality,
}

/// How the scores of one member become one.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
    /// The weights of the sets that have the member: how many they are.
    Count,
}

impl Aggregate {
    fn combine(self, old: f64, new: f64) -> f64 {
        match self {
            Aggregate::Sum | Aggregate::Count => {
                let sum = old + new;
                // Opposite infinities cancel out.
                if sum.is_nan() { 0.0 } else { sum }
            }
            Aggregate::Min => {
                if new < old {
                    new
                } else {
                    old
                }
            }
            Aggregate::Max => {
                if new > old {
                    new
                } else {
                    old
                }
            }
        }
    }

    /// What a score counts for.
    fn weigh(self, score: f64, weight: f64) -> f64 {
        if self == Aggregate::Count { weight } else { score * weight }
    }
}

/// An operand.
#[derive(Clone, Copy)]
enum Input<'a> {
    Missing,
    Sorted(SortedSetView<'a>),
    Plain(SetView<'a>),
}

impl<'a> Input<'a> {
    /// # Errors
    /// `WrongType` for anything that is no set.
    fn of(entry: Option<EntryRef<'a>>) -> Result<Input<'a>, CommandError> {
        let Some(entry) = entry else { return Ok(Input::Missing) };
        let sorted = entry.collection::<SortedSet>().map(Input::Sorted);
        let plain = || entry.collection::<Set>().map(Input::Plain);
        sorted.or_else(plain).ok_or(CommandError::WrongType)
    }

    fn len(self) -> usize {
        match self {
            Input::Missing => 0,
            Input::Sorted(set) => set.len(),
            Input::Plain(set) => set.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Input::Missing => None,
            Input::Sorted(set) => set.score(member),
            Input::Plain(set) => set.contains(member).then_some(1.0),
        }
    }

    /// Calls `visit` with each element until it says no.
    fn try_each(self, mut visit: impl FnMut(&[u8], f64) -> bool) {
        match self {
            Input::Missing => {}
            Input::Sorted(set) => {
                let _ = set.iter().all(|(member, score)| visit(member, score));
            }
            Input::Plain(set) => {
                let mut digits = itoa::Buffer::new();
                let _ = set.iter().all(|member| visit(member.text(&mut digits), 1.0));
            }
        }
    }
}

/// The options behind the keys.
struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    /// 0 is none.
    limit: usize,
}

impl Options {
    fn read(
        words: Args<'_>,
        keys: usize,
        operation: Operation,
        outcome: Outcome,
    ) -> Result<Options, CommandError> {
        let mut options = Options {
            weights: vec![1.0; keys],
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        let cardinality = outcome == Outcome::Cardinality;
        let weighs = operation != Operation::Difference && !cardinality;
        let mut at = 0;
        while let Some(word) = words.try_get(at) {
            let left = words.len() - at - 1;
            match word.to_ascii_lowercase().as_slice() {
                b"weights" if weighs && left >= keys => {
                    for (weight, text) in options.weights.iter_mut().zip(words.tail(at + 1).iter())
                    {
                        *weight = parse_f64(text).ok_or(BAD_WEIGHT)?;
                    }
                    at += keys;
                }
                b"aggregate" if weighs && left >= 1 => {
                    options.aggregate = aggregate(words.get(at + 1))?;
                    at += 1;
                }
                b"withscores" if outcome == Outcome::Answer => options.with_scores = true,
                b"limit" if cardinality && left >= 1 => {
                    let limit = parse_i64(words.get(at + 1)).ok_or(NEGATIVE_LIMIT)?;
                    options.limit = usize::try_from(limit).map_err(|_| NEGATIVE_LIMIT)?;
                    at += 1;
                }
                _ => return Err(CommandError::Syntax),
            }
            at += 1;
        }
        Ok(options)
    }
}

fn aggregate(word: &[u8]) -> Result<Aggregate, CommandError> {
    match word.to_ascii_lowercase().as_slice() {
        b"sum" => Ok(Aggregate::Sum),
        b"min" => Ok(Aggregate::Min),
        b"max" => Ok(Aggregate::Max),
        b"count" => Ok(Aggregate::Count),
        _ => Err(CommandError::Syntax),
    }
}

/// Weighted operands, the smallest first where their order does not matter.
type Operands<'a> = Vec<(Input<'a>, f64)>;

fn union(operands: &Operands<'_>, aggregate: Aggregate, rules: &Rules) -> SortedSet {
    let mut result = SortedSet::default();
    for &(input, weight) in operands {
        input.try_each(|member, score| {
            let score = or_zero(aggregate.weigh(score, weight));
            let score = result.score(member).map_or(score, |old| aggregate.combine(old, score));
            result.apply(SortedSetEdit::Set { member, score }, rules);
            true
        });
    }
    result
}

/// Calls `visit` with each common element until it says no.
fn intersect(
    operands: &Operands<'_>,
    aggregate: Aggregate,
    mut visit: impl FnMut(&[u8], f64) -> bool,
) {
    let Some((&(first, weight), others)) = operands.split_first() else { return };
    first.try_each(|member, score| {
        let start = or_zero(aggregate.weigh(score, weight));
        let common = others.iter().try_fold(start, |sum, &(other, weight)| {
            let score = other.score(member)?;
            Some(aggregate.combine(sum, aggregate.weigh(score, weight)))
        });
        common.is_none_or(|score| visit(member, score))
    });
}

fn difference(operands: &Operands<'_>, rules: &Rules) -> SortedSet {
    let mut result = SortedSet::default();
    let Some((&(first, _), others)) = operands.split_first() else { return result };
    first.try_each(|member, score| {
        if others.iter().all(|(other, _)| other.score(member).is_none()) {
            result.apply(SortedSetEdit::Set { member, score }, rules);
        }
        true
    });
    result
}

/// Infinity times zero counts as zero.
fn or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// Runs the command whose number of keys is argument `at`; a store's key is argument 1.
fn run(
    cx: &mut Cx<'_>,
    args: Args<'_>,
    at: usize,
    operation: Operation,
    outcome: Outcome,
    reply: &mut Reply<'_>,
) -> Done {
    let keys = parse_i64(args.get(at)).ok_or(CommandError::NotAnInteger)?;
    if keys < 1 {
        let name = cx.spec.name.to_ascii_lowercase();
        let line = format!("ERR at least 1 input key is needed for '{name}' command");
        return Err(CommandError::SaidOf(line));
    }
    let keys = usize::try_from(keys).ok().filter(|&keys| keys < args.len() - at);
    let keys = keys.ok_or(CommandError::Syntax)?;
    for key in args.tail(at + 1).iter().take(keys) {
        Input::of(cx.read(key))?;
    }
    let options = Options::read(args.tail(at + 1 + keys), keys, operation, outcome)?;
    let rules = cx.core.keyspace.rules().clone();
    let names: Vec<KeyRef<'_>> =
        args.tail(at + 1).iter().take(keys).map(|key| cx.key(key)).collect();
    let (db, keyspace) = (cx.caller.db, &cx.core.keyspace);
    let inputs: Result<Vec<Input<'_>>, CommandError> =
        names.iter().map(|key| Input::of(keyspace.get(db, key))).collect();
    let mut operands: Operands<'_> = inputs?.into_iter().zip(options.weights).collect();
    if operation != Operation::Difference {
        operands.sort_by_key(|(input, _)| input.len());
    }
    if outcome == Outcome::Cardinality {
        let mut count = 0;
        intersect(&operands, Aggregate::Sum, |_, _| {
            count += 1;
            count != options.limit
        });
        reply.integer(count as i64);
        return Ok(());
    }
    let (result, event) = match operation {
        Operation::Union => (union(&operands, options.aggregate, &rules), "zunionstore"),
        Operation::Difference => (difference(&operands, &rules), "zdiffstore"),
        Operation::Intersection => {
            let mut result = SortedSet::default();
            intersect(&operands, options.aggregate, |member, score| {
                result.apply(SortedSetEdit::Set { member, score }, &rules);
                true
            });
            (result, "zinterstore")
        }
    };
    if outcome == Outcome::Store {
        let stored = cx.store(args.get(1), result, NotifyClasses::SORTED_SET, event)?;
        reply.integer(stored as i64);
    } else {
        write_elements(result.iter(), result.len(), options.with_scores, reply);
    }
    Ok(())
}

pub(super) fn zunion(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, 1, Operation::Union, Outcome::Answer, reply)
}

pub(super) fn zunionstore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, 2, Operation::Union, Outcome::Store, reply)
}

pub(super) fn zinter(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, 1, Operation::Intersection, Outcome::Answer, reply)
}

pub(super) fn zinterstore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, 2, Operation::Intersection, Outcome::Store, reply)
}

pub(super) fn zintercard(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, 1, Operation::Intersection, Outcome::Cardinality, reply)
}

pub(super) fn zdiff(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, 1, Operation::Difference, Outcome::Answer, reply)
}

pub(super) fn zdiffstore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    run(cx, args, 2, Operation::Difference, Outcome::Store, reply)
}
