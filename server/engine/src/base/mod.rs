//! The ground floor: values every other room needs and that need nobody.
//!
//! Time and chance come in from outside as plain values, so a shard that is given the same
//! inputs always makes the same decisions. Numbers are read and written the way Redis 7.0.15
//! reads and writes them, because clients compare the bytes.

pub mod collections;
pub mod extended;
pub mod glob;
mod literal;
pub mod number;
pub mod random;
pub mod time;
