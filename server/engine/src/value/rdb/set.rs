//! Sets: a plain listing, integers in order, or a listpack.

use super::listpack::Listpack;
use super::output::{put_length, put_text};
use super::packed::Packed;
use super::{Decoded, Form, Input, Malformed, intset};

/// Calls `insert` with each member; it answers whether the member is new. There is at least one.
///
/// # Errors
/// [`Malformed`], also when a member is not new.
pub fn decode_set(
    form: Form,
    input: &mut Input<'_>,
    insert: &mut dyn FnMut(&[u8]) -> bool,
) -> Decoded<()> {
    let mut inserted = false;
    let mut insert = |member: &[u8]| {
        inserted = true;
        if insert(member) { Ok(()) } else { Err(Malformed) }
    };
    match form {
        Form::Set => {
            let mut digits = itoa::Buffer::new();
            for _ in 0..input.length()? {
                insert(input.text()?.bytes(&mut digits))?;
            }
        }
        Form::SetIntset => {
            let mut digits = itoa::Buffer::new();
            intset::each(&input.blob()?, |member| insert(digits.format(member).as_bytes()))?;
        }
        Form::SetListpack => Listpack::new(&input.blob()?)?.each(insert)?,
        _ => return Err(Malformed),
    }
    if inserted { Ok(()) } else { Err(Malformed) }
}

/// Appends a set of `count` members in [`Form::Set`]; returns where members go, one by one.
pub fn encode_set(count: usize, out: &mut Vec<u8>) -> impl FnMut(&[u8]) + '_ {
    put_length(count as u64, out);
    |member| put_text(member, out)
}
