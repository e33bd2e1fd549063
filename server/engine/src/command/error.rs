//! What a caller asked that cannot be done. The connection lives on; the text is Redis 7's, word
//! for word, because clients match on it. A complaint only one family makes is a `Said`.

use std::borrow::Cow;
use std::fmt;

/// Why the log cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// There is no space; there may be again.
    Full,
    /// The disk has failed.
    Broken,
}

/// Why a command was refused. Displays as the whole error line, code word included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommandError {
    WrongType,
    NotAnInteger,
    NotAFloat,
    Syntax,
    NoSuchKey,
    ValueOutOfRange,
    Overflow,
    InvalidCursor,
    DbOutOfRange,
    StringTooLong,
    KeyTooLong {
        bytes: usize,
        limit: usize,
    },
    InvalidExpire {
        command: &'static str,
    },
    UnknownSubcommand {
        container: &'static str,
        given: String,
    },
    Arity {
        command: String,
    },
    OutOfMemory,
    /// What is written now would not be kept.
    NotKept(Trouble),
    /// There is nothing to take: a `Run::Blocking` row's client waits.
    Nothing,
    NoAuth,
    CrossSlot,
    Moved {
        slot: u16,
        endpoint: String,
    },
    /// A complaint of one family, whole line.
    Said(&'static str),
    /// The same with figures or names in it.
    SaidOf(String),
}

impl CommandError {
    /// The first word of the line, by which `errorstat_*` counts.
    pub fn code(&self) -> String {
        let line = self.line();
        line.split(' ').next().unwrap_or("ERR").to_owned()
    }

    /// The whole error line, without the leading `-` and the line end.
    pub fn line(&self) -> Cow<'static, str> {
        use CommandError as E;
        Cow::Borrowed(match self {
            E::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
            E::NotAnInteger => "ERR value is not an integer or out of range",
            E::NotAFloat => "ERR value is not a valid float",
            E::Syntax => "ERR syntax error",
            E::NoSuchKey => "ERR no such key",
            E::ValueOutOfRange => "ERR value is out of range",
            E::Overflow => "ERR increment or decrement would overflow",
            E::InvalidCursor => "ERR invalid cursor",
            E::DbOutOfRange => "ERR DB index is out of range",
            E::StringTooLong => "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
            E::NotKept(Trouble::Full) => {
                "MISCONF Errors writing to the AOF file: No space left on device"
            }
            E::NotKept(Trouble::Broken) => {
                "MISCONF Errors writing to the AOF file: Input/output error"
            }
            E::OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.",
            E::Nothing => "ERR nothing to take",
            E::NoAuth => "NOAUTH Authentication required.",
            E::CrossSlot => "CROSSSLOT Keys in request don't hash to the same slot",
            E::Said(text) => text,
            E::KeyTooLong { bytes, limit } => {
                return format!("ERR key of {bytes} bytes exceeds max-key-bytes {limit}").into();
            }
            E::InvalidExpire { command } => {
                return format!("ERR invalid expire time in '{command}' command").into();
            }
            E::UnknownSubcommand { container, given } => {
                return format!("ERR unknown subcommand '{given}'. Try {container} HELP.").into();
            }
            E::Arity { command } => {
                return format!("ERR wrong number of arguments for '{command}' command").into();
            }
            E::Moved { slot, endpoint } => return format!("MOVED {slot} {endpoint}").into(),
            E::SaidOf(text) => return text.clone().into(),
        })
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())
    }
}
