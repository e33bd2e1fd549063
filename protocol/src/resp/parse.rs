//! Requests out of a byte stream, in one pass.
//!
//! A request is an array of bulk strings, `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`, or an inline line
//! (see `inline`). The parser looks at every header byte once and at no payload byte at
//! all. A request that arrives in pieces is continued from where the last piece ended, by means
//! of a [`Resume`] that the connection keeps, so a peer who sends byte by byte costs no more
//! parsing than one who sends everything at once.
//!
//! Limits and error texts are those of Redis 7.0.15, with two exceptions. Line ends must be CRLF
//! (Redis skips two bytes, whatever they are), and NUL is a byte like any other (Redis waits for
//! ever behind one, because it searches C strings).

pub use crate::batch::{Batch, Stop};

use super::inline;
use super::number::strict_i64;
use crate::args::Span;
use crate::batch::Origin;
use crate::error::ProtocolError;
use crate::limits::{KEEP_RESUME_SPANS_MAX, Limits};

/// What is known of a connection's incomplete request. Offsets count from the first unconsumed
/// byte, which is where the request begins.
#[derive(Default, Debug)]
pub struct Resume {
    /// Arguments that have arrived whole.
    spans: Vec<Span>,
    /// Arguments that have not; 0 means that the request's first line is not whole.
    args_left: u32,
    /// Where the next argument's `$` is due.
    position: u32,
    /// Bytes from `position` on that hold no line end.
    scanned: u32,
}

const _: () = assert!(size_of::<Resume>() <= 48, "every connection has one");

/// Offsets are 32 bits wide, so no more than this is looked at in one call.
const BUFFER_BYTES_MAX: usize = u32::MAX as usize;

/// Why a request is not whole.
pub(super) enum Halt {
    /// Its next line or argument is not there yet; `scanned` bytes of it hold no line end.
    More {
        scanned: usize,
    },
    Broken(ProtocolError),
}

/// Parses whole requests from the front of `buffer`, at most `max` of them, and appends them to
/// `batch`. Returns the bytes those requests took, and why it stopped.
///
/// `*0`, `*-1` and empty lines are consumed and yield nothing. Before AUTH, pass a `max` of 1:
/// limits apply to all requests of a call, and the first one may be the AUTH that lifts them.
///
/// After [`Stop::NeedMore`] the next call must present the unconsumed bytes again, with more
/// behind them, and the same `resume`. After [`Stop::Error`] there is no next call.
///
/// Budget: no allocation in the steady state, three compares and a store per header byte.
pub fn parse(
    resume: &mut Resume,
    buffer: &[u8],
    limits: &Limits,
    max: usize,
    batch: &mut Batch,
) -> (usize, Stop) {
    let buffer = &buffer[..buffer.len().min(BUFFER_BYTES_MAX)];
    let before = batch.len();
    let mut consumed = 0;
    while consumed < buffer.len() {
        let taken = batch.len() - before;
        if taken == max || (taken > 0 && batch.is_crowded()) {
            return (consumed, Stop::BatchFull);
        }
        let step = if resume.args_left > 0 {
            finish_multibulk(resume, buffer, limits, batch)
        } else if buffer[consumed] == b'*' {
            multibulk(resume, buffer, consumed, limits, batch)
        } else {
            inline_line(resume, buffer, consumed, limits, batch)
        };
        match step {
            Ok(end) => consumed = end,
            Err(stop) => return (consumed, stop),
        }
    }
    (consumed, Stop::NeedMore)
}

/// The second argument of the first request in `buffer`, when both stand there in their usual
/// form: most requests' key. A guess for prefetching, which promises nothing.
#[inline]
pub fn peek_key(buffer: &[u8]) -> Option<&[u8]> {
    let (count, line) = short_length(buffer, b'*')?;
    let (name, name_line) = short_length(buffer.get(line..)?, b'$')?;
    let rest = buffer.get(line + name_line + name as usize + 2..)?;
    let (len, key_line) = short_length(rest, b'$')?;
    if count < 2 { None } else { rest.get(key_line..)?.get(..len as usize) }
}

/// A request that starts in this buffer. Returns where it ends.
#[inline]
fn multibulk(
    resume: &mut Resume,
    buffer: &[u8],
    start: usize,
    limits: &Limits,
    batch: &mut Batch,
) -> Result<usize, Stop> {
    let (count, first) = match short_length(&buffer[start..], b'*') {
        Some((count, bytes)) if count <= limits.args_max => (count, start + bytes),
        _ => match count_line(buffer, start, resume.scanned as usize, limits) {
            Ok(found) => found,
            Err(halt) => return Err(resume.suspend(halt, 0, 0)),
        },
    };
    resume.scanned = 0;
    if count == 0 {
        return Ok(first);
    }
    let sealed = batch.spans.len();
    let mut cursor = Cursor { at: first, left: count };
    match take_bulks(buffer, &mut cursor, 0, limits, &mut batch.spans) {
        Ok(()) => {
            batch.seal(Origin::Buffer);
            Ok(cursor.at)
        }
        Err(halt) => {
            resume
                .spans
                .extend(batch.spans[sealed..].iter().map(|span| span.shifted_down(start as u32)));
            batch.spans.truncate(sealed);
            Err(resume.suspend(halt, cursor.left, cursor.at - start))
        }
    }
}

/// A request that started in an earlier piece, so its first byte is `buffer[0]`.
#[cold]
fn finish_multibulk(
    resume: &mut Resume,
    buffer: &[u8],
    limits: &Limits,
    batch: &mut Batch,
) -> Result<usize, Stop> {
    let mut cursor = Cursor { at: resume.position as usize, left: resume.args_left };
    let scanned = resume.scanned as usize;
    match take_bulks(buffer, &mut cursor, scanned, limits, &mut resume.spans) {
        Ok(()) => {
            batch.spans.extend_from_slice(&resume.spans);
            batch.seal(Origin::Buffer);
            resume.reset();
            Ok(cursor.at)
        }
        Err(halt) => Err(resume.suspend(halt, cursor.left, cursor.at)),
    }
}

fn inline_line(
    resume: &mut Resume,
    buffer: &[u8],
    start: usize,
    limits: &Limits,
    batch: &mut Batch,
) -> Result<usize, Stop> {
    match inline::take_line(&buffer[start..], start, resume.scanned as usize, limits, batch) {
        Ok(bytes) => {
            resume.scanned = 0;
            Ok(start + bytes)
        }
        Err(halt) => Err(resume.suspend(halt, 0, 0)),
    }
}

impl Resume {
    #[cold]
    fn suspend(&mut self, halt: Halt, args_left: u32, position: usize) -> Stop {
        match halt {
            Halt::More { scanned } => {
                self.args_left = args_left;
                self.position = position as u32;
                self.scanned = scanned as u32;
                Stop::NeedMore
            }
            Halt::Broken(error) => {
                self.reset();
                Stop::Error(error)
            }
        }
    }

    fn reset(&mut self) {
        self.spans.clear();
        self.spans.shrink_to(KEEP_RESUME_SPANS_MAX);
        self.args_left = 0;
        self.position = 0;
        self.scanned = 0;
    }
}

struct Cursor {
    /// Where the next argument's `$` is due.
    at: usize,
    /// Arguments still to come.
    left: u32,
}

/// Takes arguments until none is left. On a halt, `cursor` stands at the argument that is not
/// whole; `scanned` says how much of its first line an earlier call has searched.
#[inline]
fn take_bulks(
    buffer: &[u8],
    cursor: &mut Cursor,
    mut scanned: usize,
    limits: &Limits,
    spans: &mut Vec<Span>,
) -> Result<(), Halt> {
    while cursor.left > 0 {
        let line = buffer.get(cursor.at..).unwrap_or(&[]);
        let (len, header) = match short_length(line, b'$') {
            Some((len, bytes)) if len <= limits.bulk_bytes_max => (len, bytes),
            _ => bulk_line(line, scanned, limits)?,
        };
        scanned = 0;
        let start = cursor.at + header;
        let end = start + len as usize;
        match buffer.get(end..end + 2) {
            Some(b"\r\n") => {}
            Some(_) => return Err(Halt::Broken(ProtocolError::InvalidBulkLength)),
            None => return Err(Halt::More { scanned: 0 }),
        }
        spans.push(Span { start: start as u32, len });
        cursor.at = end + 2;
        cursor.left -= 1;
    }
    Ok(())
}

/// The usual length line: the marker, one to three digits, CRLF. Returns the number and the
/// bytes of the line; everything else is left to the slow functions below.
#[inline]
fn short_length(line: &[u8], marker: u8) -> Option<(u32, usize)> {
    #[inline]
    fn digit(byte: u8) -> u32 {
        u32::from(byte - b'0')
    }
    match *line {
        [first, a @ b'0'..=b'9', b'\r', b'\n', ..] if first == marker => Some((digit(a), 4)),
        [first, a @ b'1'..=b'9', b @ b'0'..=b'9', b'\r', b'\n', ..] if first == marker => {
            Some((digit(a) * 10 + digit(b), 5))
        }
        [first, a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b'\r', b'\n', ..]
            if first == marker =>
        {
            Some((digit(a) * 100 + digit(b) * 10 + digit(c), 6))
        }
        _ => None,
    }
}

/// `*<count>\r\n` at `start`, in all its forms. Returns the count, 0 for "ignore this", and
/// where the first argument is due.
#[inline(never)]
fn count_line(
    buffer: &[u8],
    start: usize,
    scanned: usize,
    limits: &Limits,
) -> Result<(u32, usize), Halt> {
    let line = &buffer[start..];
    let end = line_end(line, scanned, limits, ProtocolError::TooBigMbulkCount)?;
    let count = match strict_i64(&line[1..end]) {
        Some(count) if line[end + 1] == b'\n' => count.max(0) as u64,
        _ => return Err(Halt::Broken(ProtocolError::InvalidMultibulkLength)),
    };
    if count <= u64::from(limits.args_max) {
        Ok((count as u32, start + end + 2))
    } else if limits.authenticated || count > u64::from(Limits::DEFAULT.args_max) {
        Err(Halt::Broken(ProtocolError::InvalidMultibulkLength))
    } else {
        Err(Halt::Broken(ProtocolError::UnauthenticatedMultibulkLength))
    }
}

/// `$<length>\r\n` at the front of `line`, in all its forms. Returns the length and the bytes of
/// the line itself.
#[inline(never)]
fn bulk_line(line: &[u8], scanned: usize, limits: &Limits) -> Result<(u32, usize), Halt> {
    let end = line_end(line, scanned, limits, ProtocolError::TooBigBulkCount)?;
    if line[0] != b'$' {
        return Err(Halt::Broken(ProtocolError::ExpectedDollar { got: line[0] }));
    }
    let len = match strict_i64(&line[1..end]) {
        Some(len @ 0..) if line[end + 1] == b'\n' => len as u64,
        _ => return Err(Halt::Broken(ProtocolError::InvalidBulkLength)),
    };
    if len <= u64::from(limits.bulk_bytes_max) {
        Ok((len as u32, end + 2))
    } else if limits.authenticated || len > u64::from(Limits::DEFAULT.bulk_bytes_max) {
        Err(Halt::Broken(ProtocolError::InvalidBulkLength))
    } else {
        Err(Halt::Broken(ProtocolError::UnauthenticatedBulkLength))
    }
}

/// Where the line's CR stands, with at least one byte behind it.
fn line_end(
    line: &[u8],
    scanned: usize,
    limits: &Limits,
    endless: ProtocolError,
) -> Result<usize, Halt> {
    // A window that depends on the limit alone: how the bytes were cut must not change the error.
    let window = line.len().min(limits.inline_bytes_max as usize + 1);
    let scanned = scanned.min(window);
    match memchr::memchr(b'\r', &line[scanned..window]) {
        Some(offset) if scanned + offset + 1 < line.len() => Ok(scanned + offset),
        Some(offset) => Err(Halt::More { scanned: scanned + offset }),
        None if line.len() > limits.inline_bytes_max as usize => Err(Halt::Broken(endless)),
        None => Err(Halt::More { scanned: window }),
    }
}

#[cfg(test)]
mod tests;
