//! Inline requests: one line of words, for people with telnet and for `PING\r\n` probes.
//!
//! The rules are those of `sdssplitargs`: words are separated by white space, `"…"` understands
//! escapes, `'…'` only `\'`, and a closing quote ends its word. Words without quotes stay where
//! they are; a line with quotes is rewritten into the batch's own bytes.

use super::parse::Halt;
use crate::args::Span;
use crate::batch::{Batch, Origin};
use crate::error::ProtocolError;
use crate::limits::Limits;

/// Takes one line from the front of `rest`, which begins at `offset` in the caller's buffer, and
/// of which `scanned` bytes are known to hold no LF. Returns the bytes of the line with its end.
pub(super) fn take_line(
    rest: &[u8],
    offset: usize,
    scanned: usize,
    limits: &Limits,
    batch: &mut Batch,
) -> Result<usize, Halt> {
    // As with length lines: the window depends on the limit alone, not on how bytes arrived.
    let window = rest.len().min(limits.inline_bytes_max as usize + 1);
    let scanned = scanned.min(window);
    let end = match memchr::memchr(b'\n', &rest[scanned..window]) {
        Some(found) => scanned + found,
        None if rest.len() > limits.inline_bytes_max as usize => {
            return Err(Halt::Broken(ProtocolError::TooBigInlineRequest));
        }
        None => return Err(Halt::More { scanned: window }),
    };
    let line = rest[..end].strip_suffix(b"\r").unwrap_or(&rest[..end]);
    if is_http(line) {
        return Err(Halt::Broken(ProtocolError::HttpRequest));
    }
    if memchr::memchr2(b'"', b'\'', line).is_some() {
        take_quoted(line, batch).map_err(Halt::Broken)?;
    } else {
        take_plain(line, offset, batch);
    }
    Ok(end + 1)
}

/// Whether a line begins as `POST /` or as the header every HTTP request has, as Redis tells them.
fn is_http(line: &[u8]) -> bool {
    let mut words = line.split(|&byte| is_space(byte)).filter(|word| !word.is_empty());
    let first = words.next().unwrap_or_default();
    first.eq_ignore_ascii_case(b"post") || first.eq_ignore_ascii_case(b"host:")
}

fn take_plain(line: &[u8], offset: usize, batch: &mut Batch) {
    let sealed = batch.spans.len();
    let mut at = 0;
    loop {
        at += line[at..].iter().take_while(|&&byte| is_space(byte)).count();
        let len = line[at..].iter().take_while(|&&byte| !ends_word(byte)).count();
        if len == 0 {
            break;
        }
        batch.spans.push(Span { start: (offset + at) as u32, len: len as u32 });
        at += len;
    }
    if batch.spans.len() > sealed {
        batch.seal(Origin::Buffer);
    }
}

#[cold]
fn take_quoted(line: &[u8], batch: &mut Batch) -> Result<(), ProtocolError> {
    let sealed = (batch.spans.len(), batch.owned.len());
    match split_quoted(line, batch) {
        Ok(()) => {
            batch.seal(Origin::Owned);
            Ok(())
        }
        Err(error) => {
            batch.spans.truncate(sealed.0);
            batch.owned.truncate(sealed.1);
            Err(error)
        }
    }
}

/// Every word of a line, unescaped, into the batch's own bytes.
fn split_quoted(line: &[u8], batch: &mut Batch) -> Result<(), ProtocolError> {
    let mut at = 0;
    loop {
        at += line[at..].iter().take_while(|&&byte| is_space(byte)).count();
        if at == line.len() {
            return Ok(());
        }
        let start = batch.owned.len();
        at += take_word(&line[at..], &mut batch.owned)?;
        let len = batch.owned.len() - start;
        batch.spans.push(Span { start: start as u32, len: len as u32 });
    }
}

/// One word, which may hold a quoted part. Returns the bytes it took.
fn take_word(text: &[u8], out: &mut Vec<u8>) -> Result<usize, ProtocolError> {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' | b'\'' => return Ok(at + take_quotes(&text[at..], out)?),
            _ if ends_word(byte) => break,
            _ => out.push(byte),
        }
        at += 1;
    }
    Ok(at)
}

/// From an opening quote to its partner, behind which the word must end.
fn take_quotes(text: &[u8], out: &mut Vec<u8>) -> Result<usize, ProtocolError> {
    let quote = text[0];
    let mut at = 1;
    loop {
        match (quote, &text[at..]) {
            (_, []) => return Err(ProtocolError::UnbalancedQuotes),
            (_, [byte, rest @ ..]) if *byte == quote => {
                return match rest.first() {
                    Some(&next) if !is_space(next) => Err(ProtocolError::UnbalancedQuotes),
                    _ => Ok(at + 1),
                };
            }
            (b'"', [b'\\', b'x', high, low, ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(hex(*high) << 4 | hex(*low));
                at += 4;
            }
            (b'"', [b'\\', escaped, ..]) => {
                out.push(unescape(*escaped));
                at += 2;
            }
            (b'\'', [b'\\', b'\'', ..]) => {
                out.push(b'\'');
                at += 2;
            }
            (_, [byte, ..]) => {
                out.push(*byte);
                at += 1;
            }
        }
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// C's `isspace`, which separates words.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0B | 0x0C | b'\r')
}

/// What ends a word: fewer bytes than separate two. `a\x0Bb` is one word in Redis.
fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
