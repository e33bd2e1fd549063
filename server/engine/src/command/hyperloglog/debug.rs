//! PFDEBUG, which shows what a sketch is made of, and PFSELFTEST.

use std::fmt::Write;

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::sketch;
use crate::command::context::{Cx, Expiry};
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::value::hyperloglog::{Cursor, Mark, REGISTERS, Sketch, Union, empty, raise};

const NO_KEY: CommandError = CommandError::Said("ERR The specified key does not exist");
const NOT_SPARSE: CommandError = CommandError::Said("ERR HLL encoding is not sparse");

pub(super) fn pfdebug(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (word, key) = (args.get(1), args.get(2));
    let found = sketch(cx.string_to_change(key)?.ok_or(NO_KEY)?)?;
    match word.to_ascii_lowercase().as_slice() {
        b"encoding" => reply.simple(if found.is_dense() { "dense" } else { "sparse" }),
        b"decode" => reply.text(&decode(found)?),
        b"todense" => {
            let was_sparse = make_dense(cx, key)?;
            reply.integer(i64::from(was_sparse));
        }
        b"getreg" => {
            make_dense(cx, key)?;
            let found = sketch(cx.string_to_change(key)?.unwrap_or_default())?;
            reply.array(REGISTERS);
            for index in 0..REGISTERS {
                reply.integer(i64::from(found.register(index)?));
            }
        }
        _ => {
            let word = String::from_utf8_lossy(word);
            return Err(CommandError::SaidOf(format!("ERR Unknown PFDEBUG subcommand '{word}'")));
        }
    }
    Ok(())
}

/// Whether it was sparse before.
fn make_dense(cx: &mut Cx<'_>, key: &[u8]) -> Result<bool, CommandError> {
    let found = sketch(cx.string_to_change(key)?.unwrap_or_default())?;
    if found.is_dense() {
        return Ok(false);
    }
    let dense = found.to_dense()?;
    cx.set_raw(key, &dense, Expiry::Keep);
    Ok(true)
}

fn decode(found: Sketch<'_>) -> Result<String, CommandError> {
    if found.is_dense() {
        return Err(NOT_SPARSE);
    }
    let mut text = String::new();
    for run in found.runs() {
        let run = run?;
        let (value, length) = (run.value, run.length);
        let written = match (value, run.long) {
            (0, true) => write!(text, "Z:{length} "),
            (0, false) => write!(text, "z:{length} "),
            _ => write!(text, "v:{value},{length} "),
        };
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    text.truncate(text.trim_end().len());
    Ok(text)
}

/// Elements PFSELFTEST adds: a few milliseconds' worth. Redis adds ten million and is away for
/// seconds.
const SELF_TEST_ELEMENTS: u64 = 100_000;

/// Random elements in a sketch that turns from sparse to dense, and in plain registers: both must
/// agree, and the estimate must be near the truth.
pub(super) fn pfselftest(cx: &mut Cx<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let sparse_bytes_max = cx.core.config.hll_sparse_max_bytes as usize;
    let seed = cx.core.random.next_u64();
    let mut bytes = empty();
    let mut checkpoint = 1;
    for number in 1..=SELF_TEST_ELEMENTS {
        let mark = Mark::of(&(number ^ seed).to_le_bytes());
        raise(&mut bytes, mark, sparse_bytes_max, &mut Cursor::default())?;
        if number != checkpoint {
            continue;
        }
        let mut union = Union::default();
        union.add(sketch(&bytes)?)?;
        let count = sketch(&bytes)?.count()?;
        if union.count() != count {
            return Err(CommandError::Said("ERR TESTFAILED dense/sparse disagree"));
        }
        let error = count.abs_diff(number);
        let error_max = (1.04 / (REGISTERS as f64).sqrt() * 6.0 * number as f64).ceil();
        if error as f64 > error_max {
            let text = format!("ERR TESTFAILED Too big error. card:{number} abserr:{error}");
            return Err(CommandError::SaidOf(text));
        }
        checkpoint *= 10;
    }
    reply.ok();
    Ok(())
}
