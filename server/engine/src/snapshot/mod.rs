//! What one core held at a cut, as a file: written in slices while commands go on, read at a start
//! by any number of cores. `FORMAT.md` draws the bytes.
//!
//! Whoever coordinates a snapshot makes a [`Writer`] on every core at one moment between
//! transactions, calls [`Writer::slice`] in each core's upkeep and [`Writer::completed`] for every
//! completion of [`crate::disk::Owner::Snapshot`], and commits a manifest when every core's
//! [`Writer::outcome`] is `Done`. After `Abandoned` (a flush came between) it begins anew.

mod block;
mod commit;
mod load;
mod manifest;
mod to_rdb;
mod writer;

pub use block::{Fault, Header};
pub use commit::Commit;
pub use load::{LoadError, Summary, load, summary};
pub use manifest::{MANIFEST_BYTES_MAX, Manifest};
pub use to_rdb::{Unwritten, write_snapshot};
pub use writer::{Outcome, Writer};

#[cfg(test)]
pub(crate) mod tests;
