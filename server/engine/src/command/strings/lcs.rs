//! LCS: the longest common subsequence of two strings, with the table of dynamic programming.
//! The table is what makes it dangerous: one cell for each pair of positions. As in Redis a table
//! above the limit for one string is refused, which bounds the time as well.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;

const NOT_STRINGS: CommandError =
    CommandError::Said("ERR The specified keys must contain string values");
const LEN_AND_IDX: CommandError =
    CommandError::Said("ERR If you want both the length and indexes, please just use IDX.");
const TABLE_TOO_LARGE: CommandError = CommandError::Said(
    "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
);
const TABLE_REFUSED: CommandError =
    CommandError::Said("ERR Insufficient memory, failed allocating transient memory for LCS");

#[derive(Clone, Copy, Default)]
struct Options {
    length: bool,
    positions: bool,
    /// Only runs at least this long are listed.
    run_bytes_min: i64,
    with_run_length: bool,
}

impl Options {
    fn read(words: Args<'_>) -> Result<Options, CommandError> {
        let mut options = Options::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word.eq_ignore_ascii_case(b"IDX") {
                options.positions = true;
            } else if word.eq_ignore_ascii_case(b"LEN") {
                options.length = true;
            } else if word.eq_ignore_ascii_case(b"WITHMATCHLEN") {
                options.with_run_length = true;
            } else if word.eq_ignore_ascii_case(b"MINMATCHLEN") {
                let least = words.next().ok_or(CommandError::Syntax)?;
                let least = parse_i64(least).ok_or(CommandError::NotAnInteger)?;
                options.run_bytes_min = least.max(0);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        if options.positions && options.length { Err(LEN_AND_IDX) } else { Ok(options) }
    }
}

pub(super) fn lcs(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let a_bytes = length_of(cx, args.get(1))?;
    let b_bytes = length_of(cx, args.get(2))?;
    let options = Options::read(args.tail(3))?;
    // Before anything is copied: the keys may be as large as keys can be.
    check_table(a_bytes, b_bytes, cx.core.config.value_hard_bytes)?;
    let (a, b) = (copy_of(cx, args.get(1))?, copy_of(cx, args.get(2))?);
    let table = Table::build(&a, &b)?;
    let common = table.at(a.len(), b.len());
    if options.length {
        reply.integer(i64::from(common));
        return Ok(());
    }
    let (text, runs) = table.trace(&a, &b);
    if options.positions {
        answer_runs(&runs, common, &options, reply);
    } else {
        reply.bulk(&text);
    }
    Ok(())
}

fn length_of(cx: &mut Cx<'_>, key: &[u8]) -> Result<usize, CommandError> {
    let value = cx.read_string(key).map_err(|_| NOT_STRINGS)?;
    Ok(value.map_or(0, <[u8]>::len))
}

fn copy_of(cx: &mut Cx<'_>, key: &[u8]) -> Result<Vec<u8>, CommandError> {
    let value = cx.string_to_change(key).map_err(|_| NOT_STRINGS)?;
    Ok(value.unwrap_or_default().to_vec())
}

fn check_table(a_bytes: usize, b_bytes: usize, limit: u64) -> Result<(), CommandError> {
    let places = |bytes: usize| (bytes as u64).saturating_add(1);
    let cells = places(a_bytes).saturating_mul(places(b_bytes));
    let bytes = cells.saturating_mul(size_of::<u32>() as u64);
    if bytes > limit { Err(TABLE_TOO_LARGE) } else { Ok(()) }
}

/// A stretch that both strings share, positions inclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Common {
    a_start: usize,
    b_start: usize,
    bytes: usize,
}

/// Cell (i, j): the length of the longest common subsequence of the first i bytes of one string
/// and the first j of the other.
struct Table {
    cells: Vec<u32>,
    columns: usize,
}

impl Table {
    fn build(a: &[u8], b: &[u8]) -> Result<Table, CommandError> {
        let columns = b.len() + 1;
        let count = (a.len() + 1) * columns;
        let mut cells = Vec::new();
        cells.try_reserve_exact(count).map_err(|_| TABLE_REFUSED)?;
        cells.resize(count, 0u32);
        for (i, &byte) in a.iter().enumerate() {
            let (above, row) = cells[i * columns..][..2 * columns].split_at_mut(columns);
            for (j, &other) in b.iter().enumerate() {
                row[j + 1] = if byte == other { above[j] + 1 } else { above[j + 1].max(row[j]) };
            }
        }
        Ok(Table { cells, columns })
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.cells[i * self.columns + j]
    }

    /// Walks back from the end: the subsequence itself, and its unbroken runs, last one first.
    /// Where both ways are as good, `b` is shortened, as in Redis, so that the answers agree.
    fn trace(&self, a: &[u8], b: &[u8]) -> (Vec<u8>, Vec<Common>) {
        let (mut i, mut j) = (a.len(), b.len());
        let mut text = Vec::with_capacity(self.at(i, j) as usize);
        let mut runs: Vec<Common> = Vec::new();
        let mut in_run = false;
        while i > 0 && j > 0 {
            if a[i - 1] != b[j - 1] {
                in_run = false;
                if self.at(i - 1, j) > self.at(i, j - 1) {
                    i -= 1
                } else {
                    j -= 1
                }
                continue;
            }
            (i, j) = (i - 1, j - 1);
            text.push(a[i]);
            match runs.last_mut() {
                Some(run) if in_run => {
                    *run = Common { a_start: i, b_start: j, bytes: run.bytes + 1 };
                }
                _ => runs.push(Common { a_start: i, b_start: j, bytes: 1 }),
            }
            in_run = true;
        }
        text.reverse();
        (text, runs)
    }
}

fn answer_runs(runs: &[Common], common: u32, options: &Options, reply: &mut Reply<'_>) {
    let long_enough = |run: &&Common| run.bytes as i64 >= options.run_bytes_min;
    reply.map(2);
    reply.text("matches");
    reply.array(runs.iter().filter(long_enough).count());
    for run in runs.iter().filter(long_enough) {
        reply.array(2 + usize::from(options.with_run_length));
        for start in [run.a_start, run.b_start] {
            reply.array(2);
            reply.integer(start as i64);
            reply.integer((start + run.bytes - 1) as i64);
        }
        if options.with_run_length {
            reply.integer(run.bytes as i64);
        }
    }
    reply.text("len");
    reply.integer(i64::from(common));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_beyond_the_limit_of_one_string_is_refused_before_it_is_built() {
        assert_eq!(check_table(0, 0, 4), Ok(()));
        assert_eq!(check_table(4_999, 4_999, 100_000_000), Ok(()));
        assert_eq!(check_table(5_000, 4_999, 100_000_000), Err(TABLE_TOO_LARGE));
        let limit = u64::MAX - 1;
        assert_eq!(check_table(usize::MAX, usize::MAX, limit), Err(TABLE_TOO_LARGE));
    }

    #[test]
    fn runs_are_listed_from_the_end_and_never_joined_over_a_gap() {
        let (a, b) = (b"ohmytext", b"mynewtext");
        let (text, runs) = Table::build(a, b).expect("a small table").trace(a, b);
        assert_eq!(text, b"mytext");
        let expected = [
            Common { a_start: 4, b_start: 5, bytes: 4 },
            Common { a_start: 2, b_start: 0, bytes: 2 },
        ];
        assert_eq!(runs, expected);
    }
}
