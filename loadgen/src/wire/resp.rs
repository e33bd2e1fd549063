//! RESP answers, told apart at the price of their first bytes.
//!
//! Requests are templates (`workload::command`). Answers go through the protocol crate's `skip`;
//! the two that make up a cache's traffic, a status and a bulk string, are recognised here first:
//! they need neither the nesting bookkeeping nor a second look at the length.

use freehold_protocol::resp::value::{Kind as Reply, skip};

use super::{Answer, Complaint, Garbled, Outcome, complaint_of};

/// The answer at the front of `buffer`; `many` counts the elements of an array.
#[inline]
pub fn scan(buffer: &[u8], many: bool) -> Result<Option<Answer>, Garbled> {
    if let Some(bytes) = short_bulk(buffer) {
        return Ok(Some(Answer { outcome: Outcome::Hit, bytes }));
    }
    let Some((reply, bytes)) = skip(buffer).map_err(|error| Garbled(error.to_string()))? else {
        return Ok(None);
    };
    let outcome = match reply {
        Reply::Ok => Outcome::Done,
        Reply::Nil => Outcome::Miss,
        Reply::Error => Outcome::Refused,
        Reply::Other if many => counted(&buffer[..bytes]),
        Reply::Other if buffer[0] == b'$' => Outcome::Hit,
        Reply::Other => Outcome::Done,
    };
    Ok(Some(Answer { outcome, bytes }))
}

/// Bytes of a whole bulk string of up to four digits of length; `None` means: look closer.
#[inline]
fn short_bulk(buffer: &[u8]) -> Option<usize> {
    let (&b'$', rest) = buffer.split_first()? else { return None };
    let mut length = 0usize;
    for (at, &byte) in rest.iter().take(5).enumerate() {
        if byte == b'\r' {
            let end = at + 3 + length + 2;
            return (at > 0 && buffer.get(end - 2..end) == Some(b"\r\n")).then_some(end);
        }
        if !byte.is_ascii_digit() {
            return None;
        }
        length = length * 10 + usize::from(byte - b'0');
    }
    None
}

/// How many elements of a whole array are there and how many are null.
fn counted(answer: &[u8]) -> Outcome {
    let (mut hits, mut misses) = (0, 0);
    let mut at = header_bytes(answer);
    while let Ok(Some((reply, bytes))) = skip(&answer[at..]) {
        match reply {
            Reply::Nil => misses += 1,
            _ => hits += 1,
        }
        at += bytes;
    }
    Outcome::Counted { hits, misses }
}

/// The payload of a whole bulk string.
pub fn body(answer: &[u8]) -> &[u8] {
    answer.get(header_bytes(answer)..answer.len().saturating_sub(2)).unwrap_or_default()
}

fn header_bytes(answer: &[u8]) -> usize {
    memchr::memchr(b'\n', answer).map_or(answer.len(), |end| end + 1)
}

pub fn complaint(answer: &[u8]) -> Complaint {
    match answer.first() {
        Some(b'!') => complaint_of(body(answer)),
        _ => complaint_of(answer.get(1..).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(text: &str) -> Option<Outcome> {
        scan(text.as_bytes(), true).expect("an answer").map(|answer| {
            assert_eq!(answer.bytes, text.len());
            answer.outcome
        })
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(outcome("+OK\r\n"), Some(Outcome::Done));
        assert_eq!(outcome(":1\r\n"), Some(Outcome::Counted { hits: 0, misses: 0 }));
        assert_eq!(outcome("$3\r\nabc\r\n"), Some(Outcome::Hit));
        assert_eq!(outcome("$0\r\n\r\n"), Some(Outcome::Hit));
        assert_eq!(outcome("$-1\r\n"), Some(Outcome::Miss));
        assert_eq!(outcome("_\r\n"), Some(Outcome::Miss));
        assert_eq!(outcome("-ERR no\r\n"), Some(Outcome::Refused));
        assert_eq!(
            outcome("*3\r\n$1\r\na\r\n$-1\r\n_\r\n"),
            Some(Outcome::Counted { hits: 1, misses: 2 })
        );
    }

    #[test]
    fn an_answer_cut_anywhere_is_waited_for() {
        for text in ["$12\r\nhello world!\r\n", "$-1\r\n", "*2\r\n$1\r\na\r\n$-1\r\n"] {
            for end in 0..text.len() {
                assert_eq!(outcome(&text[..end]), None, "{text:?} cut at {end}");
            }
        }
    }

    #[test]
    fn bodies_and_complaints_are_found() {
        assert_eq!(body(b"$5\r\nhello\r\n"), b"hello");
        assert_eq!(complaint(b"-MOVED 1 a:1\r\n").kind, "MOVED");
        assert_eq!(complaint(b"!9\r\nOOM a b c\r\n").text, "OOM a b c");
        assert!(scan(b"?what\r\n", false).is_err());
    }
}
