//! Sorted sets: a plain listing with scores as text or as eight bytes, a ziplist or a listpack.

use super::listpack::Listpack;
use super::output::{put_length, put_text};
use super::packed::Packed;
use super::ziplist::Ziplist;
use super::{Decoded, Form, Input, Malformed};

/// Calls `insert` with each member and its score, never NaN; it answers whether the member is new.
/// There is at least one.
///
/// # Errors
/// [`Malformed`], also when a member is not new.
pub fn decode_sorted_set(
    form: Form,
    input: &mut Input<'_>,
    insert: &mut dyn FnMut(&[u8], f64) -> bool,
) -> Decoded<()> {
    let mut inserted = false;
    let mut insert = |member: &[u8], score: f64| {
        inserted = true;
        if insert(member, score) { Ok(()) } else { Err(Malformed) }
    };
    match form {
        Form::SortedSet | Form::SortedSetText => {
            let mut digits = itoa::Buffer::new();
            for _ in 0..input.length()? {
                let member = input.text()?;
                let score =
                    if form == Form::SortedSet { input.score()? } else { input.text_score()? };
                insert(member.bytes(&mut digits), score)?;
            }
        }
        Form::SortedSetZiplist => scored(&mut Ziplist::new(&input.blob()?)?, insert)?,
        Form::SortedSetListpack => scored(&mut Listpack::new(&input.blob()?)?, insert)?,
        _ => return Err(Malformed),
    }
    if inserted { Ok(()) } else { Err(Malformed) }
}

fn scored<'a>(
    packed: &mut impl Packed<'a>,
    mut insert: impl FnMut(&[u8], f64) -> Decoded<()>,
) -> Decoded<()> {
    let mut digits = itoa::Buffer::new();
    while let Some(member) = packed.element()? {
        let score = packed.expected()?.score()?;
        insert(member.bytes(&mut digits), score)?;
    }
    Ok(())
}

/// Appends a sorted set of `count` members in [`Form::SortedSet`]; returns where members and
/// scores go, one by one.
pub fn encode_sorted_set(count: usize, out: &mut Vec<u8>) -> impl FnMut(&[u8], f64) + '_ {
    put_length(count as u64, out);
    |member, score| {
        put_text(member, out);
        out.extend_from_slice(&score.to_le_bytes());
    }
}
