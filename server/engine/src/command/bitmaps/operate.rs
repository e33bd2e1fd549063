//! BITOP. Sources are folded into one buffer, one after the other: shorter ones count as followed
//! by zeros up to the longest, whose length the result has.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::command::context::{Cx, Expiry};
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    And,
    Or,
    Xor,
    Not,
    /// In the first source and in no other.
    Diff,
    /// In some other source and not in the first.
    Diff1,
    /// In the first source and in some other.
    AndOr,
    /// In exactly one source.
    One,
}

const NAMES: &[(&str, Operation)] = &[
    ("AND", Operation::And),
    ("OR", Operation::Or),
    ("XOR", Operation::Xor),
    ("NOT", Operation::Not),
    ("DIFF", Operation::Diff),
    ("DIFF1", Operation::Diff1),
    ("ANDOR", Operation::AndOr),
    ("ONE", Operation::One),
];

impl Operation {
    fn parse(word: &[u8], sources: usize) -> Result<Operation, CommandError> {
        let named = |(name, _): &&(&str, Operation)| name.as_bytes().eq_ignore_ascii_case(word);
        let &(name, operation) = NAMES.iter().find(named).ok_or(CommandError::Syntax)?;
        match operation {
            Operation::Not if sources != 1 => {
                Err(CommandError::Said("ERR BITOP NOT must be called with a single source key."))
            }
            Operation::Diff | Operation::Diff1 | Operation::AndOr if sources < 2 => {
                let text = "must be called with at least two source keys.";
                Err(CommandError::SaidOf(format!("ERR BITOP {name} {text}")))
            }
            _ => Ok(operation),
        }
    }
}

/// What is known after some of the sources.
#[derive(Default)]
struct Fold {
    result: Vec<u8>,
    /// Bits met more than once; kept for ONE only.
    repeated: Vec<u8>,
}

impl Fold {
    fn grow(&mut self, bytes: usize) {
        if self.result.len() < bytes {
            self.result.resize(bytes, 0);
        }
    }

    /// Combines each byte of the result with the source's, or with zero behind its end.
    fn combine(&mut self, source: &[u8], combine: impl Fn(u8, u8) -> u8) {
        self.grow(source.len());
        let (head, tail) = self.result.split_at_mut(source.len());
        head.iter_mut().zip(source).for_each(|(ours, theirs)| *ours = combine(*ours, *theirs));
        tail.iter_mut().for_each(|ours| *ours = combine(*ours, 0));
    }

    /// As [`Fold::combine`] where a zero changes nothing.
    fn merge(&mut self, source: &[u8], combine: impl Fn(u8, u8) -> u8) {
        self.grow(source.len());
        let pairs = self.result.iter_mut().zip(source);
        pairs.for_each(|(ours, theirs)| *ours = combine(*ours, *theirs));
    }

    fn note_repeated(&mut self, source: &[u8]) {
        self.grow(source.len());
        self.repeated.resize(self.result.len(), 0);
        let seen = self.result.iter().zip(source);
        self.repeated
            .iter_mut()
            .zip(seen)
            .for_each(|(both, (ours, theirs))| *both |= ours & theirs);
    }

    fn take(&mut self, operation: Operation, source: &[u8], is_first: bool) {
        match operation {
            Operation::Or => self.merge(source, |a, b| a | b),
            Operation::Xor => self.merge(source, |a, b| a ^ b),
            Operation::Not => self.merge(source, |_, b| !b),
            Operation::And if is_first => self.merge(source, |_, b| b),
            Operation::And => self.combine(source, |a, b| a & b),
            Operation::One => {
                self.note_repeated(source);
                self.merge(source, |a, b| a ^ b);
            }
            // The first source comes last, when the union of the others is known.
            Operation::Diff if is_first => self.combine(source, |others, x| x & !others),
            Operation::Diff1 if is_first => self.combine(source, |others, x| others & !x),
            Operation::AndOr if is_first => self.combine(source, |others, x| x & others),
            Operation::Diff | Operation::Diff1 | Operation::AndOr => {
                self.merge(source, |a, b| a | b);
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.result.iter_mut().zip(&self.repeated).for_each(|(ours, both)| *ours &= !both);
        self.result
    }
}

pub(super) fn bitop(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (target, sources) = (args.get(2), args.tail(3));
    let operation = Operation::parse(args.get(1), sources.len())?;
    let first_last = matches!(operation, Operation::Diff | Operation::Diff1 | Operation::AndOr);
    let mut fold = Fold::default();
    for turn in 0..sources.len() {
        let at = if first_last { (turn + 1) % sources.len() } else { turn };
        let source = cx.read_string(sources.get(at))?.unwrap_or_default();
        fold.take(operation, source, at == 0);
    }
    let result = fold.finish();
    cx.check_sizes(target, result.len())?;
    if !result.is_empty() {
        cx.set_raw(target, &result, Expiry::Never);
        cx.notify(NotifyClasses::STRING, "set", target);
    } else if cx.delete(target) {
        cx.notify(NotifyClasses::GENERIC, "del", target);
    }
    reply.integer(result.len() as i64);
    Ok(())
}
