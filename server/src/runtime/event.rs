//! What a ring reports, in the server's words instead of the kernel's.

use std::os::fd::OwnedFd;

use super::buffers::Filled;
use super::token::Tag;

/// Why an operation failed: the kernel's error number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errno(pub i32);

impl Errno {
    /// What stands for a file that is not open.
    pub const NOT_OPEN: Errno = Errno(libc::EBADF);

    /// No space, or no quota.
    pub fn is_full(self) -> bool {
        matches!(self.0, libc::ENOSPC | libc::EDQUOT)
    }

    /// The file system does not know the operation.
    pub fn is_unsupported(self) -> bool {
        matches!(self.0, libc::EOPNOTSUPP | libc::ENOSYS)
    }

    /// The process or the host has no descriptor or memory left for a new connection. Trying
    /// again at once would spin.
    pub fn is_exhaustion(self) -> bool {
        matches!(self.0, libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
    }

    /// No provided buffer was free.
    pub fn is_out_of_buffers(self) -> bool {
        self.0 == libc::ENOBUFS
    }

    /// The operation was cancelled at our own wish.
    pub fn is_cancelled(self) -> bool {
        self.0 == libc::ECANCELED
    }

    /// Interrupted or momentarily impossible; the same call may succeed now.
    pub fn is_transient(self) -> bool {
        matches!(self.0, libc::EINTR | libc::EAGAIN)
    }
}

impl From<Errno> for std::io::Error {
    fn from(errno: Errno) -> std::io::Error {
        std::io::Error::from_raw_os_error(errno.0)
    }
}

impl std::fmt::Display for Errno {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

/// One completion. `armed` says whether the multishot operation goes on; when it is false the
/// operation is over and must be armed again if it is still wanted.
#[derive(Debug)]
pub enum Event {
    /// A connection arrived at a listener, or accepting failed.
    Accepted { listener: u32, outcome: Result<OwnedFd, Errno>, armed: bool },
    /// Bytes arrived, or (`Ok(None)`) the peer has finished sending, or receiving failed.
    Received { connection: Tag, outcome: Result<Option<Filled>, Errno>, armed: bool },
    /// The peer's socket has taken a part of a send, which goes on.
    Sending { connection: Tag },
    /// A send is over; the buffer is ours again, with its contents.
    Sent { connection: Tag, buffer: Vec<u8>, outcome: Result<(), Errno> },
    /// Another core accepted this connection and gave it to us.
    Adopted { listener: u32, descriptor: OwnedFd },
    /// A connection given to core `to` could not be delivered and is ours again.
    HandOverFailed { listener: u32, to: u16, descriptor: OwnedFd },
    /// An operation on a file is over; `id` is its caller's, and the buffer of a write is ours
    /// again.
    FileDone { id: u64, buffer: Vec<u8>, outcome: Result<(), Errno> },
}
