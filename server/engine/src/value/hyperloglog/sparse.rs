//! Sparse registers: runs of equal values, in order, all 16,384 of them.
//!
//! ```text
//! 00nnnnnn            n + 1 registers of zero (1 to 64)
//! 01nnnnnn nnnnnnnn   n + 1 registers of zero (1 to 16,384)
//! 1vvvvvnn            n + 1 registers (1 to 4) of v + 1 (1 to 32)
//! ```
//! Raising a register splits its run and then joins equal neighbours near it, exactly as Redis
//! does: the bytes, and so DUMP and GET, are the same after the same commands.

use super::{Corrupted, HEADER_BYTES, Mark, REGISTERS, make_stale};

const ZEROS_MAX: usize = 64;
const VALUE_MAX: u8 = 32;
const VALUE_RUN_MAX: usize = 4;
/// How many runs after a change are looked at for equal neighbours.
const JOIN_RUNS: usize = 5;

/// Some neighbouring registers of one value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    pub value: u8,
    pub length: usize,
    /// Whether it takes two bytes.
    pub long: bool,
}

impl Run {
    fn bytes(self) -> usize {
        if self.long { 2 } else { 1 }
    }

    fn read(bytes: &[u8]) -> Result<Run, Corrupted> {
        let &first = bytes.first().ok_or(Corrupted)?;
        Ok(match first >> 6 {
            0 => Run { value: 0, length: usize::from(first) + 1, long: false },
            1 => {
                let &second = bytes.get(1).ok_or(Corrupted)?;
                let length = usize::from(first & 63) << 8 | usize::from(second);
                Run { value: 0, length: length + 1, long: true }
            }
            _ => {
                let value = (first >> 2 & 31) + 1;
                Run { value, length: usize::from(first & 3) + 1, long: false }
            }
        })
    }
}

fn value_run(value: u8, length: usize) -> u8 {
    debug_assert!((1..=VALUE_MAX).contains(&value) && (1..=VALUE_RUN_MAX).contains(&length));
    0x80 | (value - 1) << 2 | (length as u8 - 1)
}

/// Appends `length` (1 to 16,384) registers of zero.
pub(super) fn push_zeros(length: usize, out: &mut Vec<u8>) {
    let n = length - 1;
    if length > ZEROS_MAX {
        out.push(0x40 | (n >> 8) as u8);
    }
    out.push(n as u8);
}

/// The runs in order; ends behind the first that does not decode.
pub(super) fn runs(registers: &[u8]) -> impl Iterator<Item = Result<Run, Corrupted>> + '_ {
    let mut rest = registers;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let run = Run::read(rest);
        rest = run.map_or(&[][..], |run| &rest[run.bytes()..]);
        Some(run)
    })
}

/// Calls `visit` with every run and the index of its first register.
///
/// # Errors
/// [`Corrupted`] when the runs do not cover exactly all registers; `visit` never sees one that
/// reaches beyond.
pub(super) fn checked(
    registers: &[u8],
    mut visit: impl FnMut(usize, Run),
) -> Result<(), Corrupted> {
    let mut first = 0;
    for run in runs(registers) {
        let run = run?;
        if first + run.length > REGISTERS {
            return Err(Corrupted);
        }
        visit(first, run);
        first += run.length;
    }
    if first == REGISTERS { Ok(()) } else { Err(Corrupted) }
}

/// The value of one register.
///
/// # Errors
/// [`Corrupted`] when the runs end before it.
pub(super) fn value_at(registers: &[u8], index: usize) -> Result<u8, Corrupted> {
    let mut end = 0;
    for run in runs(registers) {
        let run = run?;
        end += run.length;
        if index < end {
            return Ok(run.value);
        }
    }
    Err(Corrupted)
}

/// Where the search for the next register may begin, when it lies behind the last one.
#[derive(Clone, Copy, Default, Debug)]
pub struct Cursor {
    /// Two runs before the one that was changed: joining may reach back by one.
    offset: usize,
    first: usize,
}

/// What came of raising a register.
pub(super) enum Raised {
    /// Whether it held less.
    Done(bool),
    /// Nothing was done: the sketch must become dense first.
    TooLarge,
}

/// A run and where it stands.
struct Found {
    run: Run,
    /// In the string.
    at: usize,
    /// Index of its first register.
    first: usize,
    /// Where the run before it stands, itself if there is none.
    before: usize,
}

fn find(bytes: &[u8], index: usize, cursor: &mut Cursor) -> Result<Found, Corrupted> {
    let mut at = HEADER_BYTES + cursor.offset;
    let mut first = cursor.first;
    let mut before = (at, first);
    loop {
        let run = Run::read(&bytes[at..])?;
        if index < first + run.length {
            return Ok(Found { run, at, first, before: before.0 });
        }
        *cursor = Cursor { offset: before.0 - HEADER_BYTES, first: before.1 };
        before = (at, first);
        at += run.bytes();
        first += run.length;
    }
}

/// Raises a register of a sparse sketch to `mark.run` and marks the cached count as stale.
///
/// # Errors
/// [`Corrupted`] when the runs end before the register; nothing has changed then.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    mark: Mark,
    bytes_max: usize,
    cursor: &mut Cursor,
) -> Result<Raised, Corrupted> {
    if mark.run > VALUE_MAX {
        return Ok(Raised::TooLarge);
    }
    let found = find(bytes, mark.index, cursor)?;
    let Found { run, at, .. } = found;
    if run.value >= mark.run {
        return Ok(Raised::Done(false));
    }
    if run.length == 1 && !run.long {
        bytes[at] = value_run(mark.run, 1);
    } else {
        let split = split(&found, mark);
        let grown = split.len().saturating_sub(run.bytes());
        if grown > 0 && bytes.len() + grown > bytes_max {
            return Ok(Raised::TooLarge);
        }
        bytes.splice(at..at + run.bytes(), split);
    }
    join_equal_runs(bytes, found.before);
    make_stale(bytes);
    Ok(Raised::Done(true))
}

/// The runs that take a run's place when one of its registers changes.
fn split(found: &Found, mark: Mark) -> Vec<u8> {
    let Found { run, first, .. } = *found;
    let mut bytes = Vec::with_capacity(5);
    let fill = |length: usize, bytes: &mut Vec<u8>| match (length, run.value) {
        (0, _) => {}
        (_, 0) => push_zeros(length, bytes),
        (_, value) => bytes.push(value_run(value, length)),
    };
    fill(mark.index - first, &mut bytes);
    bytes.push(value_run(mark.run, 1));
    fill(first + run.length - 1 - mark.index, &mut bytes);
    bytes
}

/// Joins neighbouring runs of one value among the first few from `at`.
fn join_equal_runs(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_RUNS {
        let Ok(run) = bytes.get(at..).map_or(Err(Corrupted), Run::read) else { return };
        let next = bytes.get(at + 1).filter(|&&byte| byte >= 0x80);
        if run.value > 0
            && let Some(&next) = next
        {
            let length = run.length + usize::from(next & 3) + 1;
            if next >> 2 == bytes[at] >> 2 && length <= VALUE_RUN_MAX {
                bytes[at] = value_run(run.value, length);
                bytes.remove(at + 1);
                continue;
            }
        }
        at += run.bytes();
    }
}
