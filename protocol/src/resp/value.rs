//! Replies as a client sees them: for the load generator, for tests, for talking to peers.
//!
//! [`skip`] walks over one reply without building anything, however deep it nests; [`decode`]
//! builds it, and only when all of it is there, so an announced length never allocates. Both
//! insist on CRLF and bound nesting and lengths by [`crate::limits`].

use super::number::strict_i64;
use crate::error::ProtocolError;
use crate::limits::{
    REPLY_BULK_BYTES_MAX, REPLY_DEPTH_MAX, REPLY_ELEMENTS_MAX, REPLY_LINE_BYTES_MAX,
};

/// One reply, of either dialect. Attributes are read and dropped.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    Simple(Vec<u8>),
    /// `-…` or `!…`, code included.
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    /// `$-1`, `*-1` or `_`.
    Null,
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Set(Vec<Value>),
    Push(Vec<Value>),
    Double(f64),
    Boolean(bool),
    Verbatim {
        format: [u8; 3],
        text: Vec<u8>,
    },
    /// Digits as they came, with their sign.
    BigNumber(Vec<u8>),
}

/// What [`skip`] tells about a reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A status such as `+OK`.
    Ok,
    /// Any of the three nulls.
    Nil,
    Error,
    /// Everything else: a value.
    Other,
}

/// Decodes the reply at the front of `buffer`; returns it and the bytes it took, or nothing when
/// it is not whole yet.
///
/// # Errors
/// When the bytes cannot become a reply, whatever follows.
pub fn decode(buffer: &[u8]) -> Result<Option<(Value, usize)>, ProtocolError> {
    // Walking first costs little, and tells that all announced elements are really there.
    let Some((_, bytes)) = skip(buffer)? else { return Ok(None) };
    let mut builder = Builder { buffer: &buffer[..bytes], at: 0 };
    let value = builder.value()?;
    Ok(Some((value, bytes)))
}

/// Walks over the reply at the front of `buffer`; returns its kind and the bytes it takes, or
/// nothing when it is not whole yet. Attributes before a reply belong to it.
///
/// # Errors
/// As [`decode`]; of numbers only lengths are looked at, of doubles and booleans the text too.
#[inline]
pub fn skip(buffer: &[u8]) -> Result<Option<(Kind, usize)>, ProtocolError> {
    if buffer.starts_with(b"+OK\r\n") {
        return Ok(Some((Kind::Ok, 5)));
    }
    skip_any(buffer)
}

fn skip_any(buffer: &[u8]) -> Result<Option<(Kind, usize)>, ProtocolError> {
    let mut at = 0;
    let mut kind = None;
    // Replies still due on each level above the current one.
    let mut due = [0u64; REPLY_DEPTH_MAX];
    let mut depth = 0;
    let mut left = 1u64;
    loop {
        let Some((item, bytes)) = item(&buffer[at..])? else { return Ok(None) };
        at += bytes;
        let below = match item {
            Item::Aggregate { marker: b'|', count } => {
                left += 1; // an attribute is not the reply it stands before
                2 * count
            }
            Item::Aggregate { marker: b'%', count } => 2 * count,
            Item::Aggregate { count, .. } => count,
            _ => 0,
        };
        if depth == 0 && kind.is_none() && !matches!(item, Item::Aggregate { marker: b'|', .. }) {
            kind = Some(item.kind());
        }
        left -= 1;
        if below > 0 {
            *due.get_mut(depth).ok_or(ProtocolError::ReplyTooDeep)? = left;
            depth += 1;
            left = below;
        }
        while left == 0 {
            if depth == 0 {
                return Ok(kind.map(|kind| (kind, at)));
            }
            depth -= 1;
            left = due[depth];
        }
    }
}

/// Appends a request as clients send it: an array of bulk strings.
pub fn encode_request(args: &[&[u8]], out: &mut Vec<u8>) {
    let payload: usize = args.iter().map(|arg| arg.len() + 16).sum();
    out.reserve(payload + 16);
    let mut reply = super::Reply::new(out, false);
    reply.array(args.len());
    for arg in args {
        reply.bulk(arg);
    }
}

/// One reply without what is nested in it.
pub(crate) enum Item<'a> {
    Simple(&'a [u8]),
    Error(&'a [u8]),
    Integer(i64),
    Bulk(&'a [u8]),
    Null,
    Double(f64),
    Boolean(bool),
    Verbatim([u8; 3], &'a [u8]),
    BigNumber(&'a [u8]),
    /// `count` replies follow, or pairs for `%` and `|`.
    Aggregate {
        marker: u8,
        count: u64,
    },
}

impl Item<'_> {
    fn kind(&self) -> Kind {
        match self {
            Item::Simple(_) => Kind::Ok,
            Item::Null => Kind::Nil,
            Item::Error(_) => Kind::Error,
            _ => Kind::Other,
        }
    }
}

/// The item at the front of `buffer` and the bytes of its line, and of its payload if it has one.
pub(crate) fn item(buffer: &[u8]) -> Result<Option<(Item<'_>, usize)>, ProtocolError> {
    let Some(&marker) = buffer.first() else { return Ok(None) };
    if !b"+-:$*_,#(!=%~>|".contains(&marker) {
        return Err(ProtocolError::UnknownReplyType { got: marker });
    }
    let Some((line, bytes)) = line(buffer)? else { return Ok(None) };
    let item = match marker {
        b'+' => Item::Simple(line),
        b'-' => Item::Error(line),
        b':' => Item::Integer(strict_i64(line).ok_or(ProtocolError::InvalidReplyNumber)?),
        b'(' => Item::BigNumber(big_number(line)?),
        b',' => Item::Double(double(line)?),
        b'#' => Item::Boolean(boolean(line)?),
        b'_' if line.is_empty() => Item::Null,
        b'_' => return Err(ProtocolError::InvalidReplyLength),
        b'$' | b'*' if line == b"-1" => Item::Null,
        b'$' | b'!' | b'=' => return payload(marker, line, buffer, bytes),
        _ => Item::Aggregate { marker, count: length(line, REPLY_ELEMENTS_MAX)? },
    };
    Ok(Some((item, bytes)))
}

/// The text of the line behind its marker, and the bytes it takes with marker and CRLF.
fn line(buffer: &[u8]) -> Result<Option<(&[u8], usize)>, ProtocolError> {
    let window = &buffer[..buffer.len().min(REPLY_LINE_BYTES_MAX)];
    match memchr::memchr(b'\r', window) {
        Some(end) => match buffer.get(end + 1) {
            Some(b'\n') => Ok(Some((&buffer[1..end], end + 2))),
            Some(_) => Err(ProtocolError::MissingReplyLineEnd),
            None => Ok(None),
        },
        None if buffer.len() >= REPLY_LINE_BYTES_MAX => Err(ProtocolError::ReplyLineTooLong),
        None => Ok(None),
    }
}

/// A string, long error or verbatim string, whose bytes follow the line.
fn payload<'a>(
    marker: u8,
    line: &[u8],
    buffer: &'a [u8],
    header: usize,
) -> Result<Option<(Item<'a>, usize)>, ProtocolError> {
    let end = header + length(line, REPLY_BULK_BYTES_MAX)? as usize;
    let Some(tail) = buffer.get(end..end + 2) else { return Ok(None) };
    if tail != b"\r\n" {
        return Err(ProtocolError::MissingReplyLineEnd);
    }
    let bytes = &buffer[header..end];
    let item = match (marker, bytes) {
        (b'!', error) => Item::Error(error),
        (b'=', [a, b, c, b':', text @ ..]) => Item::Verbatim([*a, *b, *c], text),
        (b'=', _) => return Err(ProtocolError::InvalidReplyLength),
        (_, bulk) => Item::Bulk(bulk),
    };
    Ok(Some((item, end + 2)))
}

fn length(line: &[u8], max: u64) -> Result<u64, ProtocolError> {
    strict_i64(line)
        .and_then(|length| u64::try_from(length).ok())
        .filter(|&length| length <= max)
        .ok_or(ProtocolError::InvalidReplyLength)
}

fn double(line: &[u8]) -> Result<f64, ProtocolError> {
    let text = std::str::from_utf8(line).map_err(|_| ProtocolError::InvalidReplyNumber)?;
    text.parse().map_err(|_| ProtocolError::InvalidReplyNumber)
}

fn boolean(line: &[u8]) -> Result<bool, ProtocolError> {
    match line {
        b"t" => Ok(true),
        b"f" => Ok(false),
        _ => Err(ProtocolError::InvalidReplyNumber),
    }
}

fn big_number(line: &[u8]) -> Result<&[u8], ProtocolError> {
    let digits = line.strip_prefix(b"-").or(line.strip_prefix(b"+")).unwrap_or(line);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ProtocolError::InvalidReplyNumber);
    }
    Ok(line)
}

/// Builds a value that [`skip`] has walked over: everything is there and not too deep, so the
/// counts can be trusted and the recursion ends.
struct Builder<'a> {
    buffer: &'a [u8],
    at: usize,
}

impl Builder<'_> {
    fn value(&mut self) -> Result<Value, ProtocolError> {
        loop {
            let (item, bytes) =
                item(&self.buffer[self.at..])?.ok_or(ProtocolError::MissingReplyLineEnd)?;
            self.at += bytes;
            return Ok(match item {
                Item::Simple(text) => Value::Simple(text.to_vec()),
                Item::Error(text) => Value::Error(text.to_vec()),
                Item::Integer(value) => Value::Integer(value),
                Item::Bulk(bytes) => Value::Bulk(bytes.to_vec()),
                Item::Null => Value::Null,
                Item::Double(value) => Value::Double(value),
                Item::Boolean(value) => Value::Boolean(value),
                Item::Verbatim(format, text) => Value::Verbatim { format, text: text.to_vec() },
                Item::BigNumber(digits) => Value::BigNumber(digits.to_vec()),
                Item::Aggregate { marker: b'|', count } => {
                    self.pairs(count)?;
                    continue;
                }
                Item::Aggregate { marker: b'%', count } => Value::Map(self.pairs(count)?),
                Item::Aggregate { marker: b'~', count } => Value::Set(self.values(count)?),
                Item::Aggregate { marker: b'>', count } => Value::Push(self.values(count)?),
                Item::Aggregate { count, .. } => Value::Array(self.values(count)?),
            });
        }
    }

    fn values(&mut self, count: u64) -> Result<Vec<Value>, ProtocolError> {
        let mut values = Vec::with_capacity(count as usize);
        for _ in 0..count {
            values.push(self.value()?);
        }
        Ok(values)
    }

    fn pairs(&mut self, count: u64) -> Result<Vec<(Value, Value)>, ProtocolError> {
        let mut pairs = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let key = self.value()?;
            pairs.push((key, self.value()?));
        }
        Ok(pairs)
    }
}

#[cfg(test)]
mod tests;
