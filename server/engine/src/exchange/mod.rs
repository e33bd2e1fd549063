//! Exchange with Redis and Valkey by files: RDB files are read ([`rdb::RdbReader`]) and written
//! ([`rdb::RdbWriter`]), and the directories of append-only files are read ([`aof`]). Bytes come
//! and go through `std::io` traits that the caller hands in; nothing here opens a file.
//!
//! What is read comes from anybody: no declared length is believed, memory follows the bytes that
//! have come, every value goes through its validating decoder, and a complaint says at which byte
//! of which key the reader stood.

pub mod aof;
mod error;
mod fill;
pub mod rdb;
mod window;

pub use error::{Fault, ReadError};
pub use fill::{Fill, Filled, put};
pub use window::Window;

/// How much a file may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The longest key: what the log and the wire can carry.
    pub key_bytes_max: usize,
    /// The longest string, element or field.
    pub string_bytes_max: usize,
    /// How many databases there are to put keys in.
    pub databases: u64,
}
