//! The deterministic engine of Freehold. It makes no system call, reads no clock, rolls no dice
//! it was not handed, and never waits: the server performs, the engine decides.
//!
//! Floors, imports point down only: base, memory, mesh, disk, config -> value -> keyspace ->
//! effect, rdb -> command -> shard -> log, snapshot, exchange -> store, check.

pub mod base;
pub mod check;
pub mod command;
pub mod config;
pub mod disk;
pub mod effect;
pub mod exchange;
pub mod keyspace;
pub mod log;
pub mod memory;
pub mod mesh;
pub mod rdb;
pub mod shard;
pub mod snapshot;
pub mod store;
pub mod value;
