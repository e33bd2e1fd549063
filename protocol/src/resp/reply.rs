//! The writer every handler answers through, straight into a connection's output buffer.
//!
//! A handler says what it means (a map, a set, a double) and the dialect of the connection
//! decides the bytes: RESP2 has no maps, sets, doubles, booleans or verbatim strings and gets
//! the older forms that Redis sends. Line ends in statuses and errors become spaces, so nothing
//! a client sends can split a reply.

use super::number::{DOUBLE_BYTES_MAX, write_double};

/// Appends replies to `out` in RESP3, or in RESP2 when `resp3` is false.
///
/// Aggregates are announced first: after `array(2)` exactly two replies must follow.
#[derive(Debug)]
pub struct Reply<'a> {
    pub out: &'a mut Vec<u8>,
    pub resp3: bool,
}

/// Marker, up to 20 digits and a sign, CRLF.
const HEADER_BYTES_MAX: usize = 24;

impl<'a> Reply<'a> {
    #[inline]
    pub fn new(out: &'a mut Vec<u8>, resp3: bool) -> Reply<'a> {
        Reply { out, resp3 }
    }

    #[inline]
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A status; line ends in it become spaces.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error with its code, `ERR no such key`; line ends around it go, those in it become
    /// spaces, as in Redis.
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// As [`Reply::error`], for texts that quote a client's bytes, which may not be UTF-8.
    pub fn error_bytes(&mut self, text: &[u8]) {
        let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let start = text.iter().position(|byte| !ends(byte)).unwrap_or(text.len());
        let end = text.iter().rposition(|byte| !ends(byte)).map_or(start, |last| last + 1);
        self.line(b'-', &text[start..end]);
    }

    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(bytes.len() + HEADER_BYTES_MAX + 2);
        self.header(b'$', bytes.len() as i64);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(b"\r\n");
    }

    #[inline]
    pub fn text(&mut self, text: &str) {
        self.bulk(text.as_bytes());
    }

    /// An integer as a string, as GET answers a counter.
    #[inline]
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// The missing string: `$-1` in RESP2.
    #[inline]
    pub fn null(&mut self) {
        self.out.extend_from_slice(if self.resp3 { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// The missing array, as of an EXEC that WATCH aborted: `*-1` in RESP2.
    #[inline]
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(if self.resp3 { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// `count` replies follow.
    #[inline]
    pub fn array(&mut self, count: usize) {
        self.header(b'*', count as i64);
    }

    /// `pairs` keys and values follow, alternating; in RESP2 an array of both.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        if self.resp3 {
            self.header(b'%', pairs as i64);
        } else {
            self.header(b'*', 2 * pairs as i64);
        }
    }

    /// `count` distinct replies follow; in RESP2 an array.
    #[inline]
    pub fn set(&mut self, count: usize) {
        self.header(if self.resp3 { b'~' } else { b'*' }, count as i64);
    }

    /// A message nobody asked for, of `count` parts; in RESP2 an array.
    #[inline]
    pub fn push(&mut self, count: usize) {
        self.header(if self.resp3 { b'>' } else { b'*' }, count as i64);
    }

    /// A double in shortest form; in RESP2 a string.
    pub fn double(&mut self, value: f64) {
        self.out.reserve(DOUBLE_BYTES_MAX + HEADER_BYTES_MAX);
        if self.resp3 {
            self.out.push(b',');
            write_double(value, self.out);
        } else {
            // The length stands before digits that are not known yet: write both, then swap.
            let start = self.out.len();
            write_double(value, self.out);
            let digits = self.out.len() - start;
            self.header(b'$', digits as i64);
            self.out[start..].rotate_left(digits);
        }
        self.out.extend_from_slice(b"\r\n");
    }

    /// In RESP2 the integer 1 or 0.
    #[inline]
    pub fn boolean(&mut self, value: bool) {
        let bytes: &[u8] = match (self.resp3, value) {
            (true, true) => b"#t\r\n",
            (true, false) => b"#f\r\n",
            (false, true) => b":1\r\n",
            (false, false) => b":0\r\n",
        };
        self.out.extend_from_slice(bytes);
    }

    /// Text meant for people, with its format, `txt` or `mkd`; in RESP2 a string.
    pub fn verbatim(&mut self, format: &str, bytes: &[u8]) {
        debug_assert!(format.len() == 3);
        if self.resp3 {
            self.out.reserve(bytes.len() + HEADER_BYTES_MAX + 6);
            self.header(b'=', bytes.len() as i64 + 4);
            self.out.extend_from_slice(format.as_bytes());
            self.out.push(b':');
            self.out.extend_from_slice(bytes);
            self.out.extend_from_slice(b"\r\n");
        } else {
            self.bulk(bytes);
        }
    }

    #[inline]
    fn header(&mut self, marker: u8, number: i64) {
        // Nearly all have one to three digits: a constant store instead of a formatter.
        let digit = |power: i64| b'0' + (number / power % 10) as u8;
        match number {
            0..=9 => {
                return self.out.extend_from_slice(&[marker, digit(1), b'\r', b'\n']);
            }
            10..=99 => {
                return self.out.extend_from_slice(&[marker, digit(10), digit(1), b'\r', b'\n']);
            }
            100..=999 => {
                let digits = [digit(100), digit(10), digit(1)];
                self.out.extend_from_slice(&[marker, digits[0], digits[1], digits[2]]);
                return self.out.extend_from_slice(b"\r\n");
            }
            _ => {}
        }
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number).as_bytes();
        self.out.reserve(HEADER_BYTES_MAX);
        self.out.push(marker);
        self.out.extend_from_slice(digits);
        self.out.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, marker: u8, text: &[u8]) {
        self.out.reserve(text.len() + 3);
        self.out.push(marker);
        match memchr::memchr2(b'\r', b'\n', text) {
            None => self.out.extend_from_slice(text),
            Some(_) => self.out.extend(text.iter().map(|&byte| match byte {
                b'\r' | b'\n' => b' ',
                other => other,
            })),
        }
        self.out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same reply in both dialects.
    fn both(write: impl Fn(&mut Reply<'_>)) -> (String, String) {
        let [resp2, resp3] = [false, true].map(|resp3| {
            let mut out = Vec::new();
            write(&mut Reply::new(&mut out, resp3));
            String::from_utf8(out).expect("text")
        });
        (resp2, resp3)
    }

    fn same(write: impl Fn(&mut Reply<'_>), expected: &str) {
        assert_eq!(both(write), (expected.to_string(), expected.to_string()));
    }

    fn differ(write: impl Fn(&mut Reply<'_>), resp2: &str, resp3: &str) {
        assert_eq!(both(write), (resp2.to_string(), resp3.to_string()));
    }

    #[test]
    fn what_both_dialects_know_is_written_the_same() {
        same(|r| r.ok(), "+OK\r\n");
        same(|r| r.simple("PONG"), "+PONG\r\n");
        same(|r| r.integer(i64::MIN), ":-9223372036854775808\r\n");
        same(|r| r.integer(-1), ":-1\r\n");
        same(|r| r.bulk(b""), "$0\r\n\r\n");
        same(|r| r.bulk(&[b'x'; 10]), "$10\r\nxxxxxxxxxx\r\n");
        same(|r| r.bulk_int(-12), "$3\r\n-12\r\n");
        same(|r| r.array(0), "*0\r\n");
        same(|r| r.array(1234), "*1234\r\n");
    }

    #[test]
    fn what_resp2_does_not_know_takes_its_older_form() {
        differ(|r| r.null(), "$-1\r\n", "_\r\n");
        differ(|r| r.null_array(), "*-1\r\n", "_\r\n");
        differ(|r| r.map(7), "*14\r\n", "%7\r\n");
        differ(|r| r.set(3), "*3\r\n", "~3\r\n");
        differ(|r| r.push(3), "*3\r\n", ">3\r\n");
        differ(|r| r.boolean(true), ":1\r\n", "#t\r\n");
        differ(|r| r.boolean(false), ":0\r\n", "#f\r\n");
        differ(|r| r.double(0.1), "$3\r\n0.1\r\n", ",0.1\r\n");
        differ(
            |r| r.double(-1.2345678901234568e-300),
            "$24\r\n-1.2345678901234568e-300\r\n",
            ",-1.2345678901234568e-300\r\n",
        );
        differ(|r| r.verbatim("txt", b"hi"), "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n");
    }

    #[test]
    fn a_line_end_in_an_error_becomes_a_space() {
        same(|r| r.error("ERR no\r\nsuch +thing"), "-ERR no  such +thing\r\n");
        same(|r| r.simple("a\nb"), "+a b\r\n");
    }
}
