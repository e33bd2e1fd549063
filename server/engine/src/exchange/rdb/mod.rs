//! RDB files.
//!
//! ```text
//! header    "REDIS" or "VALKEY" and digits, nine bytes together: 0001 to 0012, 080
//! record…   opcode or type byte, then
//!   244 slot info   three numbers          250 aux        string · string
//!   245 functions   string                 251 resize     keys · keys with a deadline
//!   247 module data module id · …          252 deadline   i64, milliseconds, of the next key
//!   248 idle        number                 253 deadline   i32, seconds
//!   249 frequency   byte                   254 database   number
//!   else a key      key string · value in the form of the type byte (see `value::rdb`)
//! 255       the end, then the checksum of all before it (u64, little-endian; 0: none), from
//!           version 5 on
//! ```

mod measure;
mod payload;
mod reader;
mod writer;

pub use payload::{open_payload, seal_entry};
pub use reader::{Notes, RdbReader, Record};
pub use writer::{RdbWriter, Written, header};

mod opcode {
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
const HEADER_BYTES: usize = 9;

/// From this version on there is a checksum.
const SUMMED_FROM: u16 = 5;

#[cfg(test)]
mod tests;
