//! Everything that talks to the kernel or the allocator, behind safe types.
//!
//! This is the only folder of the server that names `io-uring` or `libc` and the only one that
//! holds `unsafe`. What leaves it is safe by construction: a received buffer can be given back
//! once and only once, a buffer being sent belongs to its operation until the kernel has said it
//! is done, a descriptor is an `OwnedFd` from the moment a completion names it.

pub mod allocator;
pub mod buffers;
pub mod clock;
pub mod descriptors;
pub mod direct;
pub mod doorbell;
mod enter;
pub mod event;
pub mod features;
pub mod file_ops;
pub mod lent;
pub mod process;
pub mod ring;
pub mod signals;
pub mod sockets;
pub mod token;
pub mod topology;
