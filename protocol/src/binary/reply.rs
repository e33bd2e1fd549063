//! Answers to frames: the RESP reply of a command becomes a response frame.
//!
//! The opcode decides what the reply means: an integer is a counter for `increment` and a yes or
//! no for `delete`. Errors are classified by their first words into a [`Status`], and their text
//! is the value, so that a client learns as much as over RESP.

use super::header::{HEADER_BYTES, Header, Opcode, RESPONSE_MAGIC, Status, flags};
use super::request::{Framing, Refusal};
use super::version_of;
use crate::error::ProtocolError;
use crate::resp::value::{Item, item};

/// In a multi-get response, the length of a value that is not there.
pub const MISSING: u32 = u32::MAX;

/// Appends the response to a request that was executed; `resp` is its whole reply, in RESP3 or
/// RESP2. With the quiet flag, success appends nothing.
pub fn write(framing: Framing, resp: &[u8], out: &mut Vec<u8>) {
    let Ok(Some((item, bytes))) = item(resp) else {
        debug_assert!(false, "a handler wrote no whole reply");
        return frame(framing.opcode, Status::Other, b"ERR no reply", out);
    };
    let opcode = Opcode::from_byte(framing.opcode);
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let status = match (opcode, item) {
        (Some(Opcode::Command), item) => {
            out.extend_from_slice(resp);
            if let Item::Error(text) = item { status_of(text) } else { Status::Ok }
        }
        (_, Item::Error(text)) => {
            out.extend_from_slice(text);
            status_of(text)
        }
        (Some(Opcode::MultiGet), Item::Aggregate { count, .. }) => {
            values(framing, count, &resp[bytes..], out)
        }
        (Some(opcode), Item::Integer(value)) => integer(framing, opcode, value, out),
        (Some(opcode), Item::Null) => missing(opcode),
        (_, Item::Bulk(value)) => {
            if framing.has(flags::VERSION) {
                out.extend_from_slice(&version_of(value).to_be_bytes());
            }
            out.extend_from_slice(value);
            Status::Ok
        }
        (_, Item::Simple(text)) => {
            // OK says nothing that the status does not; PONG and QUEUED do.
            out.extend_from_slice(if text == b"OK" { b"" } else { text });
            Status::Ok
        }
        _ => {
            out.extend_from_slice(b"ERR this reply has no binary form; use the command opcode");
            Status::Other
        }
    };
    if status == Status::Ok && framing.has(flags::QUIET) {
        out.truncate(start);
    } else {
        finish(framing.opcode, status, start, out);
    }
}

/// Appends the response to a request whose framing carries a refusal.
pub fn refuse(framing: Framing, out: &mut Vec<u8>) {
    let Some(refusal) = framing.refusal else {
        debug_assert!(false, "only refused requests are refused");
        return frame(framing.opcode, Status::Other, b"ERR no reply", out);
    };
    let status = match refusal {
        Refusal::LevelUnavailable => Status::Other,
        Refusal::TooManyArguments => Status::TooLarge,
        _ => Status::BadRequest,
    };
    frame(framing.opcode, status, refusal.text().as_bytes(), out);
}

/// Appends the last words to a connection whose frames cannot be followed any more; it must be
/// closed behind them. The opcode is 0, since none is known to be right.
pub fn protocol_error(error: &ProtocolError, out: &mut Vec<u8>) {
    let status = match error {
        ProtocolError::ValueTooLong { .. } => Status::TooLarge,
        ProtocolError::UnauthenticatedValueLength => Status::AuthRequired,
        _ => Status::BadRequest,
    };
    frame(0, status, format!("ERR {error}").as_bytes(), out);
}

fn frame(opcode: u8, status: Status, value: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    out.extend_from_slice(value);
    finish(opcode, status, start, out);
}

/// Fills in the header at `start`, now that the length of what follows is known.
fn finish(opcode: u8, status: Status, start: usize, out: &mut Vec<u8>) {
    let value_bytes = out.len() - start - HEADER_BYTES;
    let Ok(value_bytes) = u32::try_from(value_bytes) else {
        out.truncate(start);
        return frame(opcode, Status::TooLarge, b"ERR the reply is longer than 4 GiB", out);
    };
    let header = Header { opcode, key_bytes: 0, value_bytes, flags: status as u8 };
    out[start..start + HEADER_BYTES].copy_from_slice(&header.encode(RESPONSE_MAGIC));
}

fn integer(framing: Framing, opcode: Opcode, value: i64, out: &mut Vec<u8>) -> Status {
    match (opcode, value) {
        (Opcode::Delete, 0) if framing.has(flags::EXTRAS) => Status::ConditionFailed,
        (Opcode::Delete | Opcode::Touch | Opcode::Expire, 0) => Status::NotFound,
        (Opcode::Delete | Opcode::Touch | Opcode::Expire, _) => Status::Ok,
        (Opcode::Ttl, -2) => Status::NotFound,
        _ => {
            out.extend_from_slice(&value.to_be_bytes());
            Status::Ok
        }
    }
}

/// What a null means: nothing to read, or a condition of SET that did not hold.
fn missing(opcode: Opcode) -> Status {
    match opcode {
        Opcode::Set | Opcode::Add | Opcode::CompareAndSwap => Status::ConditionFailed,
        _ => Status::NotFound,
    }
}

/// The values of a multi-get, each behind its length, and its version when asked for.
fn values(framing: Framing, count: u64, mut resp: &[u8], out: &mut Vec<u8>) -> Status {
    for _ in 0..count {
        match item(resp) {
            Ok(Some((Item::Bulk(value), bytes))) => {
                out.extend_from_slice(&(value.len() as u32).to_be_bytes());
                if framing.has(flags::VERSION) {
                    out.extend_from_slice(&version_of(value).to_be_bytes());
                }
                out.extend_from_slice(value);
                resp = &resp[bytes..];
            }
            Ok(Some((_, bytes))) => {
                out.extend_from_slice(&MISSING.to_be_bytes());
                resp = &resp[bytes..];
            }
            _ => {
                debug_assert!(false, "a handler wrote fewer values than it announced");
                out.extend_from_slice(&MISSING.to_be_bytes());
            }
        }
    }
    Status::Ok
}

/// First words of an error, longest first where one begins another, and their status.
const STATUS_BY_WORDS: &[(&str, Status)] = &[
    ("WRONGTYPE ", Status::WrongType),
    ("NOAUTH ", Status::AuthRequired),
    ("WRONGPASS ", Status::AuthRequired),
    ("NOPERM ", Status::AuthRequired),
    ("OOM ", Status::OutOfMemory),
    ("MOVED ", Status::Moved),
    ("ASK ", Status::Moved),
    ("READONLY ", Status::ReadOnly),
    ("ERR string exceeds maximum allowed size", Status::TooLarge),
    ("ERR syntax error", Status::BadRequest),
    ("ERR wrong number of arguments", Status::BadRequest),
    ("ERR unknown command", Status::BadRequest),
    ("ERR unknown subcommand", Status::BadRequest),
    ("ERR invalid expire time", Status::BadRequest),
    ("ERR Protocol error", Status::BadRequest),
];

fn status_of(error: &[u8]) -> Status {
    STATUS_BY_WORDS
        .iter()
        .find(|(words, _)| error.starts_with(words.as_bytes()))
        .map_or(Status::Other, |&(_, status)| status)
}

#[cfg(test)]
mod tests;
