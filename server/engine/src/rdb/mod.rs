//! RDB files on their way out: an entry's bytes ([`encode_entry`]), a file around them
//! ([`RdbWriter`]), and entries as they cross from the core that has them to the one that writes
//! ([`encode_frame`], [`Frames`]). How a file is read, and its layout, stand in `exchange::rdb`.

mod frame;
mod writer;

pub use frame::{Frame, Frames, encode_frame};
pub use writer::{RdbWriter, Written, header};

use crate::keyspace::{EntryRef, ValueRef};
use crate::value::rdb::{Form, encode_value, footer, put_text};

pub(crate) mod opcode {
    pub const SLOT_INFO: u8 = 244;
    pub const FUNCTION: u8 = 245;
    pub const FUNCTION_EARLY: u8 = 246;
    pub const MODULE_DATA: u8 = 247;
    pub const IDLE: u8 = 248;
    pub const FREQUENCY: u8 = 249;
    pub const AUX: u8 = 250;
    pub const RESIZE: u8 = 251;
    pub const EXPIRY_MS: u8 = 252;
    pub const EXPIRY_SECONDS: u8 = 253;
    pub const SELECT: u8 = 254;
    pub const END: u8 = 255;
    /// The lowest of them, with room for those to come; below are types.
    pub const FIRST: u8 = 240;
}

/// Header, opcode and checksum: bytes of the whole that are no record.
pub(crate) const HEADER_BYTES: usize = 9;

/// Appends type byte and body; tells the version a reader of them must know.
pub(crate) fn encode_entry(entry: &EntryRef<'_>, out: &mut Vec<u8>) -> u16 {
    match entry.value() {
        ValueRef::Collection(value) => encode_value(value, out),
        text => {
            out.push(Form::String as u8);
            put_text(text.text(&mut itoa::Buffer::new()), out);
            footer::VERSION_PLAIN
        }
    }
}
