//! Bytes to arguments, replies to bytes: everything that is said on a client connection.
//!
//! The crate knows nobody. It performs no input or output, reads no clock and keeps no state of
//! its own: whoever owns a connection hands in bytes and a [`resp::Resume`], and gets back
//! requests as slices of those bytes. RESP2, RESP3, inline lines ([`resp`]) and the binary frame
//! ([`binary`]) meet in one shape, [`Args`], so nothing behind this crate knows which was spoken.
//!
//! What a peer declares is never believed: no length allocates, memory follows the bytes that
//! arrived, and every complaint is a [`ProtocolError`].

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod args;
mod batch;
pub mod binary;
pub mod error;
pub mod limits;
pub mod resp;
pub mod slot;

pub use args::{Args, Span};
pub use batch::{Batch, Stop};
pub use error::ProtocolError;
pub use limits::Limits;
pub use resp::reply::Reply;
pub use slot::{SLOT_COUNT, Slot, hash_tag};
