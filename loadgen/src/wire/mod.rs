//! How requests are spoken and answers understood: RESP, the binary frame, memcache text.
//!
//! A [`Dialect`] is chosen once per phase; encoding and scanning then match on it per request,
//! which costs a predicted branch. Scanning tells only what the reports need; the bytes of a value
//! are looked at when answers are verified.

pub mod binary;
pub mod memcache;
pub mod resp;

use std::sync::Arc;

use crate::workload::command::{Filler, TtlRange};
use crate::workload::{Keys, Kind, Operation, Template, Values};

/// What one answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Accepted, or a value of a command that cannot miss.
    Done,
    Hit,
    Miss,
    /// An array answer: how many elements were there and how many were not.
    Counted {
        hits: u32,
        misses: u32,
    },
    /// An error.
    Refused,
}

/// The answer at the front of a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    pub outcome: Outcome,
    /// What it takes of the buffer.
    pub bytes: usize,
}

/// The bytes cannot be an answer; the connection is of no use any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Garbled(pub String);

/// Which protocol is spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wire {
    Resp2,
    Resp3,
    Binary,
    Memcache,
}

impl Wire {
    pub fn name(self) -> &'static str {
        match self {
            Wire::Resp2 => "resp2",
            Wire::Resp3 => "resp3",
            Wire::Binary => "binary",
            Wire::Memcache => "memcache",
        }
    }
}

/// An error answer: its kind for counting, its text to show once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    pub kind: String,
    pub text: String,
}

/// The language of one phase.
pub struct Dialect {
    pub wire: Wire,
    pub keys: Arc<Keys>,
    pub values: Arc<Values>,
    pub ttl: Option<TtlRange>,
    /// What a [`Kind::Read`] and a [`Kind::Other`] ask; RESP only.
    pub read: Template,
    /// What a [`Kind::Write`] asks; RESP only.
    pub write: Template,
}

impl Dialect {
    /// Appends the request of `operation`.
    #[inline]
    pub fn encode(&self, operation: &Operation, out: &mut Vec<u8>) {
        let filler = Filler { keys: &self.keys, values: &self.values, ttl: self.ttl };
        match self.wire {
            Wire::Resp2 | Wire::Resp3 => {
                let write = operation.kind == Kind::Write;
                let template = if write { &self.write } else { &self.read };
                template.encode(operation, &filler, out);
            }
            Wire::Binary => binary::encode(operation, &filler, out),
            Wire::Memcache => memcache::encode(operation, &filler, out),
        }
    }

    /// The answer at the front of `buffer`, or nothing while it is not whole.
    ///
    /// # Errors
    /// When the bytes cannot become an answer.
    #[inline]
    pub fn scan(&self, kind: Kind, buffer: &[u8]) -> Result<Option<Answer>, Garbled> {
        match self.wire {
            Wire::Resp2 | Wire::Resp3 => resp::scan(buffer, kind == Kind::Read && self.read.many),
            Wire::Binary => binary::scan(buffer),
            Wire::Memcache => memcache::scan(buffer),
        }
    }

    /// The value in a whole answer that was a [`Outcome::Hit`].
    pub fn body<'a>(&self, answer: &'a [u8]) -> &'a [u8] {
        match self.wire {
            Wire::Resp2 | Wire::Resp3 => resp::body(answer),
            Wire::Binary => binary::body(answer),
            Wire::Memcache => memcache::body(answer),
        }
    }

    /// What an answer that was [`Outcome::Refused`] complains of.
    pub fn complaint(&self, answer: &[u8]) -> Complaint {
        match self.wire {
            Wire::Resp2 | Wire::Resp3 => resp::complaint(answer),
            Wire::Binary => binary::complaint(answer),
            Wire::Memcache => memcache::complaint(answer),
        }
    }
}

/// The first word of an error text, which is how errors are told apart; the text without its end.
fn complaint_of(line: &[u8]) -> Complaint {
    let text = String::from_utf8_lossy(line).trim_end().to_owned();
    let kind = text.split([' ', ':']).next().unwrap_or_default();
    Complaint { kind: if kind.is_empty() { "error".into() } else { kind.into() }, text }
}
