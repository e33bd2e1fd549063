//! The log of one core: its records in batches, one file a generation. A state machine writes it
//! ([`writer`]; [`window`] has the promise of everysec), a reader finds out how far it can be
//! believed ([`reader`]), and recovery puts the files of all cores together again ([`recovery`]).
//! `FORMAT.md` draws the bytes.

mod batch;
mod beginning;
mod company;
mod header;
mod numbering;
mod reader;
mod recovery;
mod window;
mod writer;

pub use beginning::Beginning;
pub use header::{FIRST_BATCH, Header};
pub use numbering::Numbers;
pub use reader::{End, LogError, LogReader};
pub use recovery::{Examined, Findings, Replay, examine};
pub use writer::{Health, Log};

#[cfg(test)]
pub(crate) mod tests;
