//! Why a file is not taken, and where in it the reason stands.

use std::fmt;

/// Bytes of a key that a complaint shows.
const KEY_SHOWN_BYTES: usize = 64;

/// A complaint about a file. Its text is a sentence without the file's name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// Where the faulty thing begins.
    pub offset: u64,
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The bytes cannot be had.
    Source(String),
    /// The bytes end in the middle of something.
    Ended,
    NotRdb,
    Version(String),
    Checksum {
        written: u64,
        computed: u64,
    },
    /// Bytes behind the end of an RDB file.
    Trailing,
    /// A length or a string that is none.
    Length,
    StringTooLong {
        bytes: u64,
        limit: u64,
    },
    KeyTooLong {
        bytes: u64,
        limit: u64,
    },
    /// A record of a kind nobody has told us about.
    Opcode(u8),
    /// Functions as release candidates of Redis 7.0 wrote them.
    FunctionsEarly,
    /// What a module keeps beside its keys.
    ModuleData {
        module: String,
    },
    /// A key with a module's value.
    Module {
        key: Vec<u8>,
        number: u8,
        module: String,
    },
    /// A key of a type this server does not have.
    Type {
        key: Vec<u8>,
        number: u8,
    },
    /// A key whose value breaks the rules of its type.
    Value {
        key: Vec<u8>,
        number: u8,
    },
    /// An answer to DUMP whose checksum is wrong.
    Payload {
        key: Vec<u8>,
    },
    Database {
        number: u64,
        databases: u64,
    },
    /// Not the words of a command where one was due.
    Command {
        expected: char,
    },
    /// A command that could not be repeated, and what was answered.
    Refused {
        command: String,
        answer: String,
    },
    /// A line of a manifest.
    Manifest {
        line: usize,
        reason: &'static str,
    },
}

impl Fault {
    /// The complaint with its place.
    pub fn at(self, offset: u64) -> ReadError {
        ReadError { offset, fault: self }
    }
}

/// A key as far as it fits a sentence.
fn shown(key: &[u8]) -> String {
    let cut = key.len().min(KEY_SHOWN_BYTES);
    let more = if cut < key.len() { "…" } else { "" };
    format!("\"{}{more}\"", key[..cut].escape_ascii())
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Source(reason) => write!(out, "cannot be read: {reason}"),
            Fault::Ended => write!(out, "the file ends in the middle of a record"),
            Fault::NotRdb => write!(out, "this is no RDB file: it does not begin as one"),
            Fault::Version(version) => write!(
                out,
                "RDB version {version} is not known here (up to 12 of Redis and 80 of Valkey are); \
                 export the keys with `freehold export` from the running server instead"
            ),
            Fault::Checksum { written, computed } => write!(
                out,
                "the checksum is wrong ({written:016x} is written, {computed:016x} is right): the \
                 file is damaged"
            ),
            Fault::Trailing => write!(out, "there are bytes behind the end: the file is damaged"),
            Fault::Length => write!(out, "a length or a string is none: the file is damaged"),
            Fault::StringTooLong { bytes, limit } => write!(
                out,
                "a string of {bytes} bytes is longer than value-hard-bytes ({limit}): raise it"
            ),
            Fault::KeyTooLong { bytes, limit } => {
                write!(out, "a key of {bytes} bytes is longer than max-key-bytes ({limit})")
            }
            Fault::Opcode(number) => write!(out, "record {number} is of a kind not known here"),
            Fault::FunctionsEarly => {
                write!(out, "there are functions as Redis 7.0 wrote them before its release")
            }
            Fault::ModuleData { module } => {
                write!(out, "there is data of the module {module:?}; this server has no modules")
            }
            Fault::Module { key, number, module } => write!(
                out,
                "key {} has a value of the module {module:?} (type {number}); this server has no \
                 modules: delete such keys before the dump is made",
                shown(key)
            ),
            Fault::Type { key, number } => {
                write!(out, "key {} is of type {number}, which is not known here", shown(key))
            }
            Fault::Value { key, number } => write!(
                out,
                "the value of key {} (type {number}) is no value of its type: the file is damaged",
                shown(key)
            ),
            Fault::Payload { key } => {
                write!(
                    out,
                    "what DUMP answers for key {} is no value: its checksum is wrong",
                    shown(key)
                )
            }
            Fault::Database { number, databases } => write!(
                out,
                "there are keys in database {number}, and this server has {databases}: start with \
                 --databases {}",
                number.saturating_add(1)
            ),
            Fault::Command { expected } => {
                write!(out, "{expected:?} is due here and is not there: the file is damaged")
            }
            Fault::Refused { command, answer } => {
                write!(out, "the command {command} cannot be repeated here: {answer}")
            }
            Fault::Manifest { line, reason } => write!(out, "line {line}: {reason}"),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            Fault::Manifest { .. } => write!(out, "{}", self.fault),
            _ => write!(out, "at byte {}: {}", self.offset, self.fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_shows_where_and_a_key_as_far_as_it_fits() {
        let fault = Fault::Type { key: [b"\x00k", [b'x'; 200].as_slice()].concat(), number: 99 };
        let said = fault.at(1234).to_string();
        assert!(said.starts_with("at byte 1234: key \"\\x00kxxx"), "{said}");
        assert!(said.ends_with("x…\" is of type 99, which is not known here"), "{said}");
    }
}
