//! What the engine asks of a disk, and what it hears back. Log and snapshot are state machines:
//! they decide what is written where, in which order, and what has to be durable before what. The
//! server performs the requests through a core's ring; the simulated disk of the tests performs
//! the same ones and loses whatever was not made durable.
//!
//! All files lie in one directory and belong to one core, the manifest to the core that commits.

mod memory;
mod name;
mod requests;
mod stored;

pub use memory::Memory;
pub use name::FileName;
pub use requests::{Completion, Failure, Operation, Owner, Request, Requests};
pub use stored::{Files, ReadError};
