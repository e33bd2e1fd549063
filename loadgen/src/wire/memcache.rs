//! Memcache text, get and set only: enough to put memcached beside us in a comparison.
//!
//! `get <key>` answers `VALUE <key> <flags> <bytes>`, the data and `END`, or `END` alone;
//! `set <key> 0 <seconds> <bytes>` answers `STORED`. TTLs are whole seconds there, rounded up.

use super::{Answer, Complaint, Garbled, Outcome, complaint_of};
use crate::workload::command::Filler;
use crate::workload::{Kind, Operation};

/// A line longer than this is not memcached's.
const LINE_BYTES_MAX: usize = 2048;

pub fn encode(operation: &Operation, filler: &Filler<'_>, out: &mut Vec<u8>) {
    if operation.kind != Kind::Write {
        out.extend_from_slice(b"get ");
        filler.keys.write(operation.key, out);
        out.extend_from_slice(b"\r\n");
        return;
    }
    let mut number = itoa::Buffer::new();
    out.extend_from_slice(b"set ");
    filler.keys.write(operation.key, out);
    out.extend_from_slice(b" 0 ");
    let seconds = filler.ttl.map_or(0, |ttl| ttl.of(operation).div_ceil(1000));
    out.extend_from_slice(number.format(seconds).as_bytes());
    out.push(b' ');
    let bytes = filler.values.bytes_of(operation.key, operation.salt);
    out.extend_from_slice(number.format(bytes).as_bytes());
    out.extend_from_slice(b"\r\n");
    filler.values.write(operation.key, operation.salt, bytes, out);
    out.extend_from_slice(b"\r\n");
}

pub fn scan(buffer: &[u8]) -> Result<Option<Answer>, Garbled> {
    let Some(line_end) = memchr::memchr(b'\n', buffer) else {
        return match buffer.len() {
            0..LINE_BYTES_MAX => Ok(None),
            _ => Err(Garbled("a line without an end; is this a memcache port?".into())),
        };
    };
    let line = buffer[..line_end].trim_ascii_end();
    let bytes = line_end + 1;
    let outcome = match line.split(|&byte| byte == b' ').next().unwrap_or_default() {
        b"STORED" => Outcome::Done,
        b"END" => Outcome::Miss,
        b"VALUE" => return value(buffer, line, bytes),
        b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR" | b"NOT_STORED" => Outcome::Refused,
        _ => return Err(Garbled(format!("answer \"{}\"", String::from_utf8_lossy(line)))),
    };
    Ok(Some(Answer { outcome, bytes }))
}

/// `VALUE <key> <flags> <bytes>`, the data, CRLF, `END` CRLF.
fn value(buffer: &[u8], line: &[u8], header: usize) -> Result<Option<Answer>, Garbled> {
    let length: usize = line
        .split(|&byte| byte == b' ')
        .nth(3)
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok())
        .filter(|&length| length <= 1 << 30)
        .ok_or_else(|| Garbled("a VALUE line without a length".into()))?;
    let end = header + length;
    match buffer.get(end..end + b"\r\nEND\r\n".len()) {
        Some(b"\r\nEND\r\n") => Ok(Some(Answer { outcome: Outcome::Hit, bytes: end + 7 })),
        Some(_) => Err(Garbled("a value does not end where it said".into())),
        None => Ok(None),
    }
}

/// The data of a whole `VALUE` answer.
pub fn body(answer: &[u8]) -> &[u8] {
    let start = memchr::memchr(b'\n', answer).map_or(answer.len(), |end| end + 1);
    answer.get(start..answer.len().saturating_sub(7)).unwrap_or_default()
}

pub fn complaint(answer: &[u8]) -> Complaint {
    complaint_of(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart_and_cut_ones_waited_for() {
        let hit = b"VALUE key:1 0 5\r\nhello\r\nEND\r\n";
        let answer = scan(hit).expect("valid").expect("whole");
        assert_eq!(answer, Answer { outcome: Outcome::Hit, bytes: hit.len() });
        assert_eq!(body(hit), b"hello");
        for end in 0..hit.len() {
            assert_eq!(scan(&hit[..end]), Ok(None), "cut at {end}");
        }
        for (text, outcome) in [
            ("STORED\r\n", Outcome::Done),
            ("END\r\n", Outcome::Miss),
            ("SERVER_ERROR out of memory\r\n", Outcome::Refused),
        ] {
            assert_eq!(scan(text.as_bytes()).unwrap().unwrap().outcome, outcome);
        }
        assert!(scan(b"+OK\r\n").is_err());
    }
}
