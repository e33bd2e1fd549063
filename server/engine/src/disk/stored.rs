//! Reading what a node has kept, at its start: by whole pieces and without a ring, since nobody is
//! served yet.

use std::fmt;

use super::FileName;

/// A file could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    pub file: FileName,
    /// What the system said.
    pub reason: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}: {}", self.file, self.reason)
    }
}

/// A data directory as it is found. Every core has its own.
pub trait Files {
    /// The files of ours that are there.
    ///
    /// # Errors
    /// The directory cannot be read.
    fn list(&self) -> Result<Vec<FileName>, String>;

    /// How long a file is.
    ///
    /// # Errors
    /// It is not there, or cannot be opened.
    fn len(&mut self, file: FileName) -> Result<u64, ReadError>;

    /// Whatever the file holds, and its name, is durable from here on.
    ///
    /// # Errors
    /// As the system reports them.
    fn sync(&mut self, file: FileName) -> Result<(), ReadError>;

    /// Fills `into` from `offset` on; fewer bytes only at the end of the file.
    ///
    /// # Errors
    /// As the system reports them.
    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError>;
}
