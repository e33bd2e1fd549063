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

    /// Whatever the file holds is durable from here on; its name is not.
    ///
    /// # Errors
    /// As the system reports them.
    fn sync(&mut self, file: FileName) -> Result<(), ReadError>;

    /// The names of all files are durable from here on.
    ///
    /// # Errors
    /// A sentence, as the system reports it.
    fn sync_names(&mut self) -> Result<(), String>;

    /// Whether the file has been there as it is since before a moment. A copy made later has not,
    /// whatever times it was given.
    ///
    /// # Errors
    /// As the system reports them.
    fn is_older_than(&mut self, file: FileName, unix_ms: i64) -> Result<bool, ReadError>;

    /// Fills `into` from `offset` on; fewer bytes only at the end of the file.
    ///
    /// # Errors
    /// As the system reports them.
    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError>;
}
