//! Requests to a disk, in the order they are to be begun, and their completions.
//!
//! A request is begun when all earlier ones of the same core are begun, and may complete before
//! them: whoever needs an order waits for the completion. Nothing is durable because it has
//! completed, except a [`Operation::Write`] that asks for it, and what a sync says.

use super::FileName;

/// Which state machine of the core a request belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    Log,
    Snapshot,
    Manifest,
}

/// One deed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Operation {
    /// The file exists and is empty, whatever it was before; it can be written from now on.
    Create(FileName),
    /// The file's bytes between these places are set aside, and read as zeros until they are
    /// written. Nothing may be written behind `from` meanwhile that was not written before.
    Allocate {
        file: FileName,
        from: u64,
        end: u64,
    },
    /// Writes `bytes` at `offset`; `durable`: they, and the size they give the file, survive power
    /// loss when it completes.
    Write {
        file: FileName,
        offset: u64,
        bytes: Vec<u8>,
        durable: bool,
    },
    /// All writes to the file that have completed become durable; its name does not.
    Sync(FileName),
    /// No more requests will name it, but to rename or remove it.
    Close(FileName),
    /// `to` is replaced, if it exists, in one step.
    Rename {
        from: FileName,
        to: FileName,
    },
    Remove(FileName),
    /// Names made, changed and removed become durable.
    SyncDirectory,
}

/// A deed and who hears of its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub owner: Owner,
    /// Chosen by the owner; comes back with the completion.
    pub tag: u64,
    pub operation: Operation,
}

/// Why a request failed. A failed sync is never tried again as if nothing had happened: the kernel
/// may have dropped the pages it could not write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// No space, or no quota.
    Full,
    /// Anything else: the number of the error.
    Broken(i32),
}

/// The end of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Completion {
    pub owner: Owner,
    pub tag: u64,
    pub outcome: Result<(), Failure>,
    /// The bytes of a write, whose buffer can be used again.
    pub buffer: Vec<u8>,
}

/// Requests not yet taken by whoever performs them.
#[derive(Default, Debug)]
pub struct Requests(Vec<Request>);

impl Requests {
    pub fn push(&mut self, owner: Owner, tag: u64, operation: Operation) {
        self.0.push(Request { owner, tag, operation });
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in order.
    pub fn take(&mut self) -> Vec<Request> {
        std::mem::take(&mut self.0)
    }
}
