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

pub use payload::{open_payload, seal_entry};
pub use reader::{Notes, RdbReader, Record};

use crate::rdb::{HEADER_BYTES, opcode};
pub use crate::rdb::{RdbWriter, Written, header};

/// From this version on there is a checksum.
const SUMMED_FROM: u16 = 5;

#[cfg(test)]
mod tests;
