//! Hashes: a plain listing, a zipmap, a ziplist or a listpack; two forms whose fields have
//! deadlines, which Redis 7.4 added, and one of Valkey 9.

use super::listpack::Listpack;
use super::output::{put_length, put_text};
use super::packed::Packed;
use super::ziplist::Ziplist;
use super::zipmap::Zipmap;
use super::{Decoded, Form, Input, Malformed};

/// The latest deadline a field can have: 48 bits of milliseconds.
const DEADLINE_MAX: u64 = 0xffff_ffff_ffff;

/// Where fields go: field, value, deadline in milliseconds since 1970. Whether the field is new.
type Insert<'i> = &'i mut dyn FnMut(&[u8], &[u8], Option<i64>) -> bool;

/// Calls `insert` with each field; there is at least one.
///
/// # Errors
/// [`Malformed`], also when a field is not new.
pub fn decode_hash(form: Form, input: &mut Input<'_>, insert: Insert<'_>) -> Decoded<()> {
    let mut inserted = false;
    let mut insert = |field: &[u8], value: &[u8], deadline: Option<i64>| {
        inserted = true;
        if insert(field, value, deadline) { Ok(()) } else { Err(Malformed) }
    };
    match form {
        Form::Hash | Form::HashDeadlines | Form::HashDeadlinesEarly => {
            let base = if form == Form::HashDeadlines { input.millis()? } else { 1 };
            let base = u64::try_from(base).map_err(|_| Malformed)?;
            let [mut field_digits, mut value_digits] = [itoa::Buffer::new(); 2];
            for _ in 0..input.length()? {
                let deadline = if form == Form::Hash { None } else { deadline(input, base)? };
                let (field, value) = (input.text()?, input.text()?);
                insert(field.bytes(&mut field_digits), value.bytes(&mut value_digits), deadline)?;
            }
        }
        Form::HashDeadlinesValkey => {
            let [mut field_digits, mut value_digits] = [itoa::Buffer::new(); 2];
            for _ in 0..input.length()? {
                let (field, value) = (input.text()?, input.text()?);
                let deadline = match input.millis()? {
                    -1 => None,
                    at if (0..=DEADLINE_MAX as i64).contains(&at) => Some(at),
                    _ => return Err(Malformed),
                };
                insert(field.bytes(&mut field_digits), value.bytes(&mut value_digits), deadline)?;
            }
        }
        Form::HashZipmap => pairs(&mut Zipmap::new(&input.blob()?)?, false, insert)?,
        Form::HashZiplist => pairs(&mut Ziplist::new(&input.blob()?)?, false, insert)?,
        Form::HashListpack => pairs(&mut Listpack::new(&input.blob()?)?, false, insert)?,
        Form::HashListpackDeadlines | Form::HashListpackDeadlinesEarly => {
            if form == Form::HashListpackDeadlines {
                input.millis()?; // the earliest of them, which is found again below
            }
            pairs(&mut Listpack::new(&input.blob()?)?, true, insert)?;
        }
        _ => return Err(Malformed),
    }
    if inserted { Ok(()) } else { Err(Malformed) }
}

/// A deadline as a distance from `base`, plus one; 0 is none.
fn deadline(input: &mut Input<'_>, base: u64) -> Decoded<Option<i64>> {
    match input.length()? {
        0 => Ok(None),
        distance => {
            let at = (distance - 1).checked_add(base).filter(|&at| at <= DEADLINE_MAX);
            at.map(|at| Some(at as i64)).ok_or(Malformed)
        }
    }
}

fn pairs<'a>(
    packed: &mut impl Packed<'a>,
    with_deadlines: bool,
    mut insert: impl FnMut(&[u8], &[u8], Option<i64>) -> Decoded<()>,
) -> Decoded<()> {
    let [mut field_digits, mut value_digits] = [itoa::Buffer::new(); 2];
    while let Some(field) = packed.element()? {
        let value = packed.expected()?;
        let at = if with_deadlines { packed.expected()?.integer()? } else { 0 };
        if !(0..=DEADLINE_MAX as i64).contains(&at) {
            return Err(Malformed);
        }
        let deadline = (at > 0).then_some(at);
        insert(field.bytes(&mut field_digits), value.bytes(&mut value_digits), deadline)?;
    }
    Ok(())
}

/// Appends a hash of `count` fields; returns where fields, values and deadlines go, one by one.
/// With `earliest`, the earliest of all deadlines, the form is [`Form::HashDeadlines`], otherwise
/// [`Form::Hash`], which keeps none.
pub fn encode_hash(
    count: usize,
    earliest: Option<i64>,
    out: &mut Vec<u8>,
) -> impl FnMut(&[u8], &[u8], Option<i64>) + '_ {
    if let Some(earliest) = earliest {
        out.extend_from_slice(&earliest.to_le_bytes());
    }
    put_length(count as u64, out);
    move |field, value, deadline| {
        if let Some(earliest) = earliest {
            let distance = deadline.map_or(0, |at| at.saturating_sub(earliest) as u64 + 1);
            put_length(distance, out);
        }
        put_text(field, out);
        put_text(value, out);
    }
}
