//! An effect is what happened, not what was asked: the final value, the absolute deadline, the key
//! that expired. Replaying a core's effects on an empty keyspace gives the same digest, and the
//! same bytes will go to log, backlog and migration. Every change of a keyspace made by a command
//! is pushed here by the context that makes it, so no handler can forget one.

mod apply;
mod codec;

pub use apply::apply;
pub use codec::{DecodeError, decode_all};

use crate::base::time::UnixMillis;
pub use crate::keyspace::StringForm;

/// Why a key went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gone {
    Deleted,
    Expired,
    Evicted,
}

/// One change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect<'a> {
    /// The key now holds this string.
    Set {
        db: u8,
        key: &'a [u8],
        value: &'a [u8],
        form: StringForm,
        expiry: Option<UnixMillis>,
    },
    /// `bytes` were written at `offset` of a string, zeros filling any gap.
    Splice {
        db: u8,
        key: &'a [u8],
        offset: u32,
        bytes: &'a [u8],
    },
    /// The deadline is now this; `None`: it lives for ever.
    Expire {
        db: u8,
        key: &'a [u8],
        at: Option<UnixMillis>,
    },
    Delete {
        db: u8,
        key: &'a [u8],
        gone: Gone,
    },
    /// All keys this core holds of one database, or of all of them, went.
    Flush {
        db: Option<u8>,
    },
    /// Two databases changed places.
    SwapDb {
        a: u8,
        b: u8,
    },
}

impl<'a> Effect<'a> {
    /// The key it is about; none for whole databases.
    pub fn key(&self) -> Option<&'a [u8]> {
        match *self {
            Effect::Set { key, .. }
            | Effect::Splice { key, .. }
            | Effect::Expire { key, .. }
            | Effect::Delete { key, .. } => Some(key),
            Effect::Flush { .. } | Effect::SwapDb { .. } => None,
        }
    }
}

/// Effects of one core since somebody last took them.
#[derive(Default)]
pub struct Effects {
    bytes: Vec<u8>,
    changes: u64,
    listeners: u32,
}

impl Effects {
    /// Notes a change. With nobody listening only the count is kept: a SET must not copy its value
    /// for a log that is off.
    #[inline]
    pub fn push(&mut self, effect: Effect<'_>) {
        self.changes += 1;
        if self.listeners > 0 {
            codec::encode(&effect, &mut self.bytes);
        }
    }

    /// From now on effects are kept until taken. Calls nest.
    pub fn listen(&mut self) {
        self.listeners += 1;
    }

    /// Ends one [`Effects::listen`].
    pub fn unlisten(&mut self) {
        debug_assert!(self.listeners > 0);
        self.listeners -= 1;
    }

    /// All changes ever noted.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The encoded effects since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Where the next effect will stand: for taking only the effects of one command.
    pub fn mark(&self) -> usize {
        self.bytes.len()
    }

    /// The encoded effects behind `mark`; they leave the buffer.
    pub fn split_off(&mut self, mark: usize) -> Vec<u8> {
        self.bytes.split_off(mark)
    }
}
