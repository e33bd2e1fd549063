//! What one core contributes to a command that runs on all of them.

use super::error::CommandError;
use super::info::InfoPart;
use super::memory::MemoryPart;

/// A contribution. Which variant a command uses is between its `collect` and its `finish`.
#[derive(Debug)]
pub enum Partial {
    /// Done, nothing to say.
    Done,
    Count(i64),
    Text(String),
    Keys(Vec<Box<[u8]>>),
    /// A random key and how many keys it was drawn from.
    Drawn {
        key: Option<Box<[u8]>>,
        from: u64,
    },
    Info(Box<InfoPart>),
    Memory(Box<MemoryPart>),
    /// The core could not.
    Failed(CommandError),
}

impl Partial {
    /// The sum of all counts.
    ///
    /// # Errors
    /// The first core's error, when one failed.
    pub fn sum(parts: Vec<Partial>) -> Result<i64, CommandError> {
        let mut sum = 0;
        for part in parts {
            match part {
                Partial::Count(count) => sum += count,
                Partial::Failed(error) => return Err(error),
                _ => {}
            }
        }
        Ok(sum)
    }

    /// `Ok` when no core failed.
    ///
    /// # Errors
    /// The first core's error.
    pub fn all_done(parts: Vec<Partial>) -> Result<(), CommandError> {
        Partial::sum(parts).map(|_| ())
    }
}
