//! The append-only files of Redis and Valkey: since Redis 7 a directory with a manifest
//! ([`manifest`]) that names a base and increments; before, one file. A file holds commands as
//! clients send them ([`CommandReader`]), the base or the front of the one file may be an RDB file.
//! [`Replay`] runs all of it through a shard of its own and hands the keys out to their owners.

mod commands;
pub mod manifest;
mod replay;

pub use commands::{CommandReader, Said};
pub use replay::{Handed, Replay, Torn};

#[cfg(test)]
mod tests;
