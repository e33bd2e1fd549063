//! Effects as bytes, little-endian: `length u32` of what follows it, `kind u8`, `db u8`, then per
//! kind
//!
//! ```text
//! 1 set     flags u8 (1 raw, 4 text, 2 expiry) · [expiry i64] · key length u16 · key
//!           · value to the end
//! 2 splice  offset u32 · key length u16 · key · bytes to the end
//! 3 expire  flags u8 (2 expiry) · [expiry i64] · key to the end
//! 4 delete  gone u8 · key to the end
//! 5 flush   all u8
//! 6 swap    other db u8
//! 7 edit    type u8 · key length u16 · key · edit to the end
//! 8 put     flags u8 (2 expiry) · [expiry i64] · type u8 · key length u16 · key
//!           · edits, each `length u32` and its bytes, to the end
//! ```
//! Between cores of one process they travel as they are; for the log `record` frames them with
//! checksum, slot and sequence. Decoding checks every length.

use super::{Effect, Gone, StringForm};
use crate::base::time::UnixMillis;
use crate::keyspace::{EntryRef, ValueRef};
use crate::value::Kind;

const RAW: u8 = 1;
const EXPIRY: u8 = 2;
const TEXT: u8 = 4;

/// A [`Effect::Put`] of [`encode_entry`] goes on in other records when it is longer.
const PUT_BYTES: usize = 1024 * 1024;

/// The bytes are not a sequence of effects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DecodeError {
    pub offset: usize,
}

/// Appends `effect` to `out`.
pub fn encode(effect: &Effect<'_>, out: &mut Vec<u8>) {
    let start = begin(out);
    match *effect {
        Effect::Set { db, key, value, form, expiry } => {
            let flags = match form {
                StringForm::Natural => 0,
                StringForm::Text => TEXT,
                StringForm::Raw => RAW,
            };
            out.extend_from_slice(&[1, db]);
            put_expiry(flags, expiry, out);
            put_key(key, out);
            out.extend_from_slice(value);
        }
        Effect::Splice { db, key, offset, bytes } => {
            out.extend_from_slice(&[2, db]);
            out.extend_from_slice(&offset.to_le_bytes());
            put_key(key, out);
            out.extend_from_slice(bytes);
        }
        Effect::Expire { db, key, at } => {
            out.extend_from_slice(&[3, db]);
            put_expiry(0, at, out);
            out.extend_from_slice(key);
        }
        Effect::Delete { db, key, gone } => {
            out.extend_from_slice(&[4, db, gone as u8]);
            out.extend_from_slice(key);
        }
        Effect::Flush { db } => {
            out.extend_from_slice(&[5, db.unwrap_or(0), u8::from(db.is_none())]);
        }
        Effect::SwapDb { a, b } => out.extend_from_slice(&[6, a, b]),
        Effect::Edit { db, key, kind, edit } => {
            out.extend_from_slice(&[7, db, kind as u8]);
            put_key(key, out);
            out.extend_from_slice(edit);
        }
        Effect::Put { db, key, kind, edits, expiry } => {
            put_head(db, key, kind, expiry, out);
            out.extend_from_slice(edits);
        }
    }
    end(start, out);
}

/// Leaves room for the length of a record; answers with where that is.
fn begin(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; 4]);
    out.len() - 4
}

fn end(start: usize, out: &mut [u8]) {
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
}

/// A [`Effect::Put`] up to its edits.
fn put_head(db: u8, key: &[u8], kind: Kind, expiry: Option<UnixMillis>, out: &mut Vec<u8>) {
    out.extend_from_slice(&[8, db]);
    put_expiry(0, expiry, out);
    out.push(kind as u8);
    put_key(key, out);
}

/// Appends the effects that make a key hold what `entry` holds: one, or for a collection that takes
/// more than [`PUT_BYTES`] a [`Effect::Put`] with its beginning and a [`Effect::Edit`] for each of
/// its other edits, so that no record grows without bound.
pub fn encode_entry(db: u8, entry: &EntryRef<'_>, out: &mut Vec<u8>) {
    let (key, expiry) = (entry.key(), entry.expiry());
    let ValueRef::Collection(view) = entry.value() else {
        let mut digits = itoa::Buffer::new();
        let (value, form) = (entry.value().text(&mut digits), entry.form());
        return encode(&Effect::Set { db, key, value, form, expiry }, out);
    };
    let kind = view.kind();
    let start = begin(out);
    put_head(db, key, kind, expiry, out);
    let mut ended = false;
    view.for_each_encoded(|edit| {
        if !ended && out.len() - start > PUT_BYTES {
            end(start, out);
            ended = true;
        }
        match ended {
            false => put_edit(edit, out),
            true => encode(&Effect::Edit { db, key, kind, edit }, out),
        }
    });
    if !ended {
        end(start, out);
    }
}

/// Appends one edit of a [`Effect::Put`].
pub fn put_edit(edit: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(edit.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(edit);
}

/// The edits of a [`Effect::Put`]; `None` ends a sequence that is cut short.
pub fn edits(mut rest: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let edit = rest.split_first_chunk::<4>().and_then(|(length, after)| {
            after.split_at_checked(u32::from_le_bytes(*length) as usize)
        });
        rest = edit.map_or(&[], |(_, after)| after);
        Some(edit.map(|(edit, _)| edit))
    })
}

fn put_expiry(flags: u8, expiry: Option<UnixMillis>, out: &mut Vec<u8>) {
    out.push(flags | if expiry.is_some() { EXPIRY } else { 0 });
    if let Some(at) = expiry {
        out.extend_from_slice(&at.0.to_le_bytes());
    }
}

fn put_key(key: &[u8], out: &mut Vec<u8>) {
    debug_assert!(key.len() <= usize::from(u16::MAX), "max-key-bytes is at most 65,535");
    out.extend_from_slice(&(key.len() as u16).to_le_bytes());
    out.extend_from_slice(key);
}

/// Calls `visit` with each effect in order.
///
/// # Errors
/// At the first record that does not decode; what came before it has been visited.
pub fn decode_all<'a>(
    bytes: &'a [u8],
    mut visit: impl FnMut(Effect<'a>),
) -> Result<(), DecodeError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let error = DecodeError { offset: bytes.len() - rest.len() };
        let (length, after) = rest.split_first_chunk::<4>().ok_or(error)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (record, after) = after.split_at_checked(length).ok_or(error)?;
        visit(decode(record).ok_or(error)?);
        rest = after;
    }
    Ok(())
}

pub(super) fn decode(record: &[u8]) -> Option<Effect<'_>> {
    let (&[kind, db], mut rest) = record.split_first_chunk::<2>()?;
    Some(match kind {
        1 => {
            let flags = take::<1>(&mut rest)?[0];
            let expiry = take_expiry(flags, &mut rest)?;
            let key = take_key(&mut rest)?;
            let form = match flags & (RAW | TEXT) {
                0 => StringForm::Natural,
                TEXT => StringForm::Text,
                RAW => StringForm::Raw,
                _ => return None,
            };
            Effect::Set { db, key, value: rest, form, expiry }
        }
        2 => {
            let offset = u32::from_le_bytes(take::<4>(&mut rest)?);
            let key = take_key(&mut rest)?;
            Effect::Splice { db, key, offset, bytes: rest }
        }
        3 => {
            let flags = take::<1>(&mut rest)?[0];
            let at = take_expiry(flags, &mut rest)?;
            Effect::Expire { db, key: rest, at }
        }
        4 => {
            let gone = match take::<1>(&mut rest)?[0] {
                0 => Gone::Deleted,
                1 => Gone::Expired,
                2 => Gone::Evicted,
                _ => return None,
            };
            Effect::Delete { db, key: rest, gone }
        }
        5 => Effect::Flush { db: (take::<1>(&mut rest)?[0] == 0).then_some(db) },
        6 => Effect::SwapDb { a: db, b: take::<1>(&mut rest)?[0] },
        7 => {
            let kind = Kind::numbered(take::<1>(&mut rest)?[0])?;
            let key = take_key(&mut rest)?;
            Effect::Edit { db, key, kind, edit: rest }
        }
        8 => {
            let flags = take::<1>(&mut rest)?[0];
            let expiry = take_expiry(flags, &mut rest)?;
            let kind = Kind::numbered(take::<1>(&mut rest)?[0])?;
            let key = take_key(&mut rest)?;
            if !edits(rest).all(|edit| edit.is_some()) {
                return None;
            }
            Effect::Put { db, key, kind, edits: rest, expiry }
        }
        _ => return None,
    })
}

/// Takes the first `N` bytes off.
pub fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

fn take_expiry(flags: u8, rest: &mut &[u8]) -> Option<Option<UnixMillis>> {
    if flags & EXPIRY == 0 {
        return Some(None);
    }
    Some(Some(UnixMillis(i64::from_le_bytes(take::<8>(rest)?))))
}

fn take_key<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::from(u16::from_le_bytes(take::<2>(rest)?));
    let (key, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_of_each() -> Vec<Effect<'static>> {
        let expiry = Some(UnixMillis(-7));
        vec![
            Effect::Set { db: 3, key: b"k", value: b"", form: StringForm::Raw, expiry },
            Effect::Set { db: 0, key: b"", value: b"value", form: StringForm::Text, expiry: None },
            Effect::Splice { db: 1, key: b"k", offset: 9, bytes: b"xyz" },
            Effect::Expire { db: 15, key: b"k", at: expiry },
            Effect::Expire { db: 15, key: b"k", at: None },
            Effect::Delete { db: 2, key: b"kk", gone: Gone::Evicted },
            Effect::Flush { db: None },
            Effect::Flush { db: Some(4) },
            Effect::SwapDb { a: 1, b: 2 },
            Effect::Edit { db: 1, key: b"k", kind: Kind::Hash, edit: b"any" },
            Effect::Put { db: 1, key: b"k", kind: Kind::Stream, edits: &[1, 0, 0, 0, 7], expiry },
        ]
    }

    #[test]
    fn every_effect_comes_back_as_it_went() {
        let mut bytes = Vec::new();
        some_of_each().iter().for_each(|effect| encode(effect, &mut bytes));
        let mut back = Vec::new();
        decode_all(&bytes, |effect| back.push(effect)).expect("what was encoded decodes");
        assert_eq!(back, some_of_each());
    }

    #[test]
    fn a_cut_record_is_an_error_and_not_a_shorter_effect() {
        let mut bytes = Vec::new();
        encode(&some_of_each()[0], &mut bytes);
        for cut in 1..bytes.len() {
            assert!(decode_all(&bytes[..cut], |_| {}).is_err(), "cut at {cut}");
        }
    }
}
