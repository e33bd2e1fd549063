//! Ids of stream entries as clients write and read them.

use freehold_protocol::resp::reply::Reply;

use crate::base::number::parse_u64_as_c;
use crate::command::error::CommandError;
use crate::value::stream::{Element, Entry, StreamId};

const INVALID: CommandError =
    CommandError::Said("ERR Invalid stream ID specified as stream command argument");
const INVALID_START: CommandError = CommandError::Said("ERR invalid start ID for the interval");
const INVALID_END: CommandError = CommandError::Said("ERR invalid end ID for the interval");

/// The id XADD is to use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NewId {
    /// `*`
    Auto,
    /// `ms-*`
    AutoSequence(u64),
    Given(StreamId),
}

impl NewId {
    pub(super) fn parse(text: &[u8]) -> Result<NewId, CommandError> {
        match text.strip_suffix(b"-*") {
            Some(ms) => parse_u64_as_c(ms).map(NewId::AutoSequence).ok_or(INVALID),
            None if text == b"*" => Ok(NewId::Auto),
            None => strict(text).map(NewId::Given),
        }
    }
}

/// `ms` or `ms-seq`, a missing sequence being 0.
pub(super) fn strict(text: &[u8]) -> Result<StreamId, CommandError> {
    parse(text, 0).ok_or(INVALID)
}

/// As [`strict`], and `-` and `+` are the ends of all ids.
pub(super) fn loose(text: &[u8]) -> Result<StreamId, CommandError> {
    bound(text, 0)
}

/// The first id of an interval; `(` leaves the id itself out.
pub(super) fn start(text: &[u8]) -> Result<StreamId, CommandError> {
    match text {
        [b'(', id @ ..] if !id.is_empty() => strict(id)?.next().ok_or(INVALID_START),
        _ => bound(text, 0),
    }
}

/// The last id of an interval: a missing sequence is the largest.
pub(super) fn end(text: &[u8]) -> Result<StreamId, CommandError> {
    match text {
        [b'(', id @ ..] if !id.is_empty() => {
            parse(id, u64::MAX).ok_or(INVALID)?.previous().ok_or(INVALID_END)
        }
        _ => bound(text, u64::MAX),
    }
}

fn bound(text: &[u8], missing_seq: u64) -> Result<StreamId, CommandError> {
    match text {
        b"-" => Ok(StreamId::MIN),
        b"+" => Ok(StreamId::MAX),
        _ => parse(text, missing_seq).ok_or(INVALID),
    }
}

fn parse(text: &[u8], missing_seq: u64) -> Option<StreamId> {
    match text.iter().position(|&byte| byte == b'-') {
        None => Some(StreamId::new(parse_u64_as_c(text)?, missing_seq)),
        Some(at) => {
            let (ms, seq) = (parse_u64_as_c(&text[..at])?, parse_u64_as_c(&text[at + 1..])?);
            Some(StreamId::new(ms, seq))
        }
    }
}

/// An id as a bulk string.
pub(super) fn write_id(reply: &mut Reply<'_>, id: StreamId) {
    let mut text = [0; 41];
    let mut digits = itoa::Buffer::new();
    let mut length = 0;
    for (part, separator) in [(id.ms, &b"-"[..]), (id.seq, b"")] {
        for bytes in [digits.format(part).as_bytes(), separator] {
            text[length..length + bytes.len()].copy_from_slice(bytes);
            length += bytes.len();
        }
    }
    reply.bulk(&text[..length]);
}

/// An entry: its id, and its fields and values in one array.
pub(super) fn write_entry(reply: &mut Reply<'_>, entry: &Entry<'_>) {
    reply.array(2);
    write_id(reply, entry.id);
    reply.array(entry.len() * 2);
    for (name, value) in entry.fields() {
        write_element(reply, name);
        write_element(reply, value);
    }
}

fn write_element(reply: &mut Reply<'_>, element: Element<'_>) {
    match element {
        Element::Text(text) => reply.bulk(text),
        Element::Integer(number) => reply.bulk_int(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_redis_reads_them() {
        let id = |ms, seq| Ok(StreamId::new(ms, seq));
        assert_eq!(strict(b"5"), id(5, 0));
        assert_eq!(strict(b"5-7"), id(5, 7));
        assert_eq!(end(b"5"), id(5, u64::MAX));
        assert_eq!(end(b"(5-0"), id(4, u64::MAX));
        assert_eq!(start(b"(5-0"), id(5, 1));
        assert_eq!(start(b"-"), Ok(StreamId::MIN));
        for text in ["", "-", "+", "5-", "-5", "5-7-9", "5-*", "a", "5 ", "18446744073709551616"] {
            assert_eq!(strict(text.as_bytes()), Err(INVALID), "{text}");
        }
        assert_eq!(start(b"("), Err(INVALID));
        assert_eq!(start(b"(-"), Err(INVALID));
        assert_eq!(NewId::parse(b"5-*"), Ok(NewId::AutoSequence(5)));
        assert_eq!(NewId::parse(b"-*"), Err(INVALID));
    }
}
