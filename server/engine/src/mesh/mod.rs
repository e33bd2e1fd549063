//! What crosses from core to core, and nothing else does: bounded rings with one writer and one
//! reader ([`spsc`]), woven into a fabric that joins every core with every other one
//! ([`fabric`]), the few figures a core publishes for the rest and the counter that orders
//! transactions ([`board`]), how snapshots and the loading at a start stand,
//! and which core owns which slot.
//!
//! Whoever sleeps is rung up, and only then; the protocol that loses no call stands in
//! [`Port::prepare_sleep`] and is checked over all interleavings by loom.

pub mod board;
pub mod fabric;
mod loading;
mod log_sizes;
mod owner;
mod snapshots;
pub mod spsc;

pub use board::{Board, Published, Ticket, Tickets};
pub use fabric::{CoreId, Fabric, Port};
pub use loading::{Loading, LoadingFigures};
pub use log_sizes::LogSizes;
pub use owner::{owner_of, slots_meet, slots_of};
pub use snapshots::{Cancelled, PartWritten, PartsEnded, SnapshotFigures, Snapshots};

/// Atomics as the machine has them, or as loom models them.
mod sync {
    #[cfg(loom)]
    pub(super) use loom::sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering, fence},
    };
    #[cfg(not(loom))]
    pub(super) use std::sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering, fence},
    };
}

/// A value alone on its cache lines, so that one core's writes do not slow down another's reads
/// of a neighbour. 128 bytes: the prefetcher fetches lines in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded<T>(T);
