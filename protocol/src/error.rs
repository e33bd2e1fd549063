//! What a peer can do to a byte stream that only an answer and a close can cure.
//!
//! The texts are those of Redis 7.0.15, compared with a real server; clients and test suites
//! match them. No text ever holds CR or LF, so no peer can forge a reply through an error.

use std::fmt;

/// What the peer did to the byte stream. The only cure is to say so and close.
///
/// `Display` gives the text behind `ERR `; [`ProtocolError::write_reply`] the whole RESP line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtocolError {
    /// `*` not followed by a decimal number in range and CRLF.
    InvalidMultibulkLength,
    /// More arguments than a connection may send before AUTH.
    UnauthenticatedMultibulkLength,
    /// A `*` line that does not end.
    TooBigMbulkCount,
    /// `$` not followed by a decimal number in range and CRLF, or an argument not followed by
    /// CRLF, which means that its length was wrong. Redis does not look at those two bytes; we
    /// do, because a desynchronised stream must not be executed as if nothing had happened.
    InvalidBulkLength,
    /// A longer argument than a connection may send before AUTH.
    UnauthenticatedBulkLength,
    /// A `$` line that does not end.
    TooBigBulkCount,
    /// An argument that starts with something else.
    ExpectedDollar { got: u8 },
    /// An inline line that does not end.
    TooBigInlineRequest,
    /// A quote that is not closed, or a closed one with no space behind it.
    UnbalancedQuotes,
    /// A line of an HTTP request. A browser sends what a web page tells it to, also to a server on
    /// its own machine, and the body would be commands.
    HttpRequest,

    /// A binary frame that does not begin with the magic number due here.
    BadMagic { got: u16 },
    /// A binary value above the limit; it cannot be skipped without reading it.
    ValueTooLong { bytes: u32, limit: u32 },
    /// A longer binary value than a connection may send before AUTH.
    UnauthenticatedValueLength,

    /// A reply of no known type.
    UnknownReplyType { got: u8 },
    /// A reply whose length is no number, or above the bounds of [`crate::limits`].
    InvalidReplyLength,
    /// A reply whose integer, double or boolean is none.
    InvalidReplyNumber,
    /// A reply that does not end with CRLF where it must.
    MissingReplyLineEnd,
    /// A reply line that does not end.
    ReplyLineTooLong,
    /// A reply nested deeper than [`crate::limits::REPLY_DEPTH_MAX`].
    ReplyTooDeep,
}

impl ProtocolError {
    /// Appends the RESP error line, `-ERR Protocol error: …`, with the offending byte as it came.
    pub fn write_reply(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"-ERR ");
        match *self {
            ProtocolError::ExpectedDollar { got } => {
                out.extend_from_slice(b"Protocol error: expected '$', got '");
                out.push(printable(got));
                out.push(b'\'');
            }
            other => out.extend_from_slice(other.to_string().as_bytes()),
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Redis replaces line ends in error texts by spaces; so do we.
fn printable(byte: u8) -> u8 {
    if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use ProtocolError as E;
        f.write_str("Protocol error: ")?;
        match *self {
            E::InvalidMultibulkLength => f.write_str("invalid multibulk length"),
            E::UnauthenticatedMultibulkLength => f.write_str("unauthenticated multibulk length"),
            E::TooBigMbulkCount => f.write_str("too big mbulk count string"),
            E::InvalidBulkLength => f.write_str("invalid bulk length"),
            E::UnauthenticatedBulkLength => f.write_str("unauthenticated bulk length"),
            E::TooBigBulkCount => f.write_str("too big bulk count string"),
            E::ExpectedDollar { got } => {
                write!(f, "expected '$', got '{}'", char::from(printable(got)))
            }
            E::TooBigInlineRequest => f.write_str("too big inline request"),
            E::UnbalancedQuotes => f.write_str("unbalanced quotes in request"),
            E::HttpRequest => f.write_str("this is an HTTP request, and nothing of it is executed"),
            E::BadMagic { got } => write!(f, "bad magic 0x{got:04X}"),
            E::ValueTooLong { bytes, limit } => {
                write!(f, "value of {bytes} bytes is above the limit of {limit}")
            }
            E::UnauthenticatedValueLength => f.write_str("unauthenticated value length"),
            E::UnknownReplyType { got } => write!(f, "unknown reply type 0x{got:02X}"),
            E::InvalidReplyLength => f.write_str("invalid length in reply"),
            E::InvalidReplyNumber => f.write_str("invalid number in reply"),
            E::MissingReplyLineEnd => f.write_str("missing line end in reply"),
            E::ReplyLineTooLong => f.write_str("too long line in reply"),
            E::ReplyTooDeep => f.write_str("too deeply nested reply"),
        }
    }
}

impl std::error::Error for ProtocolError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_text_can_hold_a_line_end() {
        for got in 0..=255u8 {
            let error = ProtocolError::ExpectedDollar { got };
            let mut line = Vec::new();
            error.write_reply(&mut line);
            let text = line.strip_suffix(b"\r\n").expect("a line");
            assert_eq!(memchr::memchr2(b'\r', b'\n', text), None, "byte {got}");
            assert!(!error.to_string().contains(['\r', '\n']), "byte {got}");
        }
    }

    #[test]
    fn the_offending_byte_is_answered_as_it_came() {
        let mut line = Vec::new();
        ProtocolError::ExpectedDollar { got: 0xFF }.write_reply(&mut line);
        assert_eq!(line, b"-ERR Protocol error: expected '$', got '\xff'\r\n");
    }
}
