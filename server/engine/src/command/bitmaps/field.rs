//! BITFIELD: integers of 1 to 64 bits anywhere in a string. All operations are read before the
//! first one runs; each touches a window of nine bytes at most, so neither its cost nor its effect
//! depends on how long the string is.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::bit::{BAD_OFFSET, check_offset, is_raw};
use super::bits::{FIELD_SPAN_MAX, get_field, set_field};
use crate::base::number::{parse_i64, parse_i64_within};
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;

const BAD_TYPE: CommandError = CommandError::Said(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but \
     i64 is.",
);
const BAD_OVERFLOW: CommandError = CommandError::Said("ERR Invalid OVERFLOW type specified");
const READS_ONLY: CommandError =
    CommandError::Said("ERR BITFIELD_RO only supports the GET subcommand");

/// What becomes of a number that does not fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Overflow {
    Wrap,
    Saturate,
    /// Nothing is written and the answer is nil.
    Fail,
}

#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64),
    Increment(i64),
}

/// An integer's place and shape.
#[derive(Clone, Copy)]
struct Field {
    signed: bool,
    bits: u32,
    /// In bits.
    offset: u64,
}

#[derive(Clone, Copy)]
struct Step {
    field: Field,
    action: Action,
    overflow: Overflow,
}

impl Field {
    fn read(cx: &Cx<'_>, shape: &[u8], offset: &[u8]) -> Result<Field, CommandError> {
        let (signed, bits) = match shape.split_first() {
            Some((b'i', bits)) => (true, parse_i64_within(bits, 1, 64)),
            Some((b'u', bits)) => (false, parse_i64_within(bits, 1, 63)),
            _ => return Err(BAD_TYPE),
        };
        let bits = bits.ok_or(BAD_TYPE)?;
        let (text, unit) = match offset.split_first() {
            Some((b'#', index)) => (index, bits),
            _ => (offset, 1),
        };
        let offset = parse_i64(text).and_then(|at| at.checked_mul(unit)).ok_or(BAD_OFFSET)?;
        Ok(Field { signed, bits: bits as u32, offset: check_offset(cx, offset)? })
    }

    fn first_byte(&self) -> usize {
        (self.offset / 8) as usize
    }

    /// One past the last byte it touches.
    fn end_byte(&self) -> usize {
        (self.offset + u64::from(self.bits)).div_ceil(8) as usize
    }

    /// The number its bits stand for.
    fn value_of(&self, bits: u64) -> i128 {
        if !self.signed {
            return i128::from(bits);
        }
        let unused = 64 - self.bits;
        i128::from((bits << unused) as i64 >> unused)
    }

    fn bounds(&self) -> (i128, i128) {
        match self.signed {
            true => (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1),
            false => (0, (1 << self.bits) - 1),
        }
    }

    /// The number that is stored for `value`; `None` when nothing is.
    fn fit(&self, value: i128, overflow: Overflow) -> Option<i128> {
        let (min, max) = self.bounds();
        match overflow {
            _ if (min..=max).contains(&value) => Some(value),
            Overflow::Wrap => Some(self.value_of((value & ((1 << self.bits) - 1)) as u64)),
            Overflow::Saturate => Some(value.clamp(min, max)),
            Overflow::Fail => None,
        }
    }
}

pub(super) fn bitfield(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let steps = parse(cx, args.tail(2))?;
    let key = args.get(1);
    let writes = steps.iter().filter(|step| !matches!(step.action, Action::Get));
    let Some(bytes) = writes.map(|step| step.field.end_byte()).max() else {
        return answer_reads(cx, key, &steps, reply);
    };
    let string = cx.string_to_change(key)?.unwrap_or_default();
    let (length, last) = (string.len(), string.get(bytes - 1).copied());
    cx.check_sizes(key, bytes)?;
    if length < bytes || !is_raw(cx, key) {
        // It grows even if every step fails, as in Redis.
        cx.splice(key, bytes - 1, &[last.unwrap_or(0)]);
    }
    reply.array(steps.len());
    let mut changed = length < bytes;
    for step in &steps {
        changed |= run(cx, key, step, reply)?;
    }
    if changed {
        cx.notify(NotifyClasses::STRING, "setbit", key);
    }
    Ok(())
}

pub(super) fn bitfield_ro(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let steps = parse(cx, args.tail(2))?;
    if steps.iter().any(|step| !matches!(step.action, Action::Get)) {
        return Err(READS_ONLY);
    }
    answer_reads(cx, args.get(1), &steps, reply)
}

fn answer_reads(cx: &mut Cx<'_>, key: &[u8], steps: &[Step], reply: &mut Reply<'_>) -> Done {
    let string = cx.read_string(key)?.unwrap_or_default();
    reply.array(steps.len());
    for Step { field, .. } in steps {
        reply.integer(field.value_of(read(string, field).1) as i64);
    }
    Ok(())
}

fn parse(cx: &Cx<'_>, words: Args<'_>) -> Result<Vec<Step>, CommandError> {
    let mut steps = Vec::new();
    let mut overflow = Overflow::Wrap;
    let mut at = 0;
    while at < words.len() {
        let word = words.get(at).to_ascii_uppercase();
        let operands = match word.as_slice() {
            b"GET" => 2,
            b"SET" | b"INCRBY" => 3,
            b"OVERFLOW" => 1,
            _ => return Err(CommandError::Syntax),
        };
        if words.len() - at <= operands {
            return Err(CommandError::Syntax);
        }
        if word == b"OVERFLOW" {
            overflow = parse_overflow(words.get(at + 1))?;
        } else {
            let field = Field::read(cx, words.get(at + 1), words.get(at + 2))?;
            let number = || parse_i64(words.get(at + 3)).ok_or(CommandError::NotAnInteger);
            let action = match word.as_slice() {
                b"GET" => Action::Get,
                b"SET" => Action::Set(number()?),
                _ => Action::Increment(number()?),
            };
            steps.push(Step { field, action, overflow });
        }
        at += 1 + operands;
    }
    Ok(steps)
}

fn parse_overflow(word: &[u8]) -> Result<Overflow, CommandError> {
    match word.to_ascii_uppercase().as_slice() {
        b"WRAP" => Ok(Overflow::Wrap),
        b"SAT" => Ok(Overflow::Saturate),
        b"FAIL" => Ok(Overflow::Fail),
        _ => Err(BAD_OVERFLOW),
    }
}

/// The bytes around a field, zeros behind the end of the string, and the field's bits.
fn read(string: &[u8], field: &Field) -> ([u8; FIELD_SPAN_MAX], u64) {
    let mut window = [0; FIELD_SPAN_MAX];
    let there = string.get(field.first_byte()..).unwrap_or_default();
    window.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
    let bits = get_field(&window, field.offset % 8, field.bits);
    (window, bits)
}

/// Runs one step on a string that reaches as far as the step writes; whether it changed a bit.
fn run(
    cx: &mut Cx<'_>,
    key: &[u8],
    step: &Step,
    reply: &mut Reply<'_>,
) -> Result<bool, CommandError> {
    let field = &step.field;
    let string = cx.string_to_change(key)?.unwrap_or_default();
    let (mut window, bits) = read(string, field);
    let old = field.value_of(bits);
    let wanted = match step.action {
        Action::Get => {
            reply.integer(old as i64);
            return Ok(false);
        }
        // An unsigned field takes a negative number as what its 64 bits mean without a sign.
        Action::Set(value) if field.signed => i128::from(value),
        Action::Set(value) => i128::from(value as u64),
        Action::Increment(by) => old + i128::from(by),
    };
    let Some(new) = field.fit(wanted, step.overflow) else {
        reply.null();
        return Ok(false);
    };
    if new != old {
        set_field(&mut window, field.offset % 8, field.bits, new as u64);
        let span = field.end_byte() - field.first_byte();
        cx.splice(key, field.first_byte(), &window[..span]);
    }
    reply.integer(if matches!(step.action, Action::Set(_)) { old } else { new } as i64);
    Ok(new != old)
}
