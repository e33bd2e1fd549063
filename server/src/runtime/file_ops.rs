//! What is under way on files: the buffers the kernel reads from belong to the operation until it
//! completes. The twin of [`super::lent`] for writes, which know their offset and may have to be
//! durable, and for operations without a buffer.

use std::os::fd::RawFd;

use super::token::Tag;

/// What is to be done with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Write the buffer at this offset; `durable`: with what it takes to survive a loss of power.
    Write { offset: u64, durable: bool },
    /// Make what was written durable, with the size of the file.
    Sync,
    /// Set aside the bytes from `offset` on.
    Allocate { offset: u64, bytes: u64 },
}

/// The part of an operation that is still to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Undone {
    pub descriptor: RawFd,
    pub deed: Deed,
    pub start: *const u8,
    pub bytes: u32,
}

/// How a completion leaves its operation.
#[derive(Debug)]
pub enum Outcome {
    /// A write was short: on with the rest.
    More(Undone),
    /// It is over; `id` is the caller's, the buffer is ours again.
    Over { id: u64, buffer: Vec<u8>, outcome: Result<(), i32> },
    /// No operation of ours.
    Unknown,
}

/// Longest write in one operation; the kernel takes at most 2 GiB.
const WRITE_BYTES_MAX: usize = 1 << 30;

struct FileOp {
    descriptor: RawFd,
    deed: Deed,
    id: u64,
    buffer: Vec<u8>,
    written: usize,
}

/// File operations under way.
#[derive(Default)]
pub struct FileOps {
    slots: Vec<(Tag, Option<FileOp>)>,
    free: Vec<u32>,
}

impl FileOps {
    /// Takes an operation and its buffer into keeping until it completes.
    pub fn begin(&mut self, descriptor: RawFd, deed: Deed, id: u64, buffer: Vec<u8>) -> Tag {
        let index = self.free.pop().unwrap_or_else(|| {
            let index = self.slots.len() as u32;
            self.slots.push((Tag::first(index), None));
            index
        });
        let (tag, op) = &mut self.slots[index as usize];
        debug_assert!(op.is_none());
        *op = Some(FileOp { descriptor, deed, id, buffer, written: 0 });
        *tag
    }

    /// What is still to be done; `None` when `tag` names no operation.
    pub fn undone(&self, tag: Tag) -> Option<Undone> {
        let (current, op) = self.slots.get(tag.index as usize)?;
        let op = op.as_ref().filter(|_| *current == tag)?;
        let rest = &op.buffer[op.written..];
        let deed = match op.deed {
            Deed::Write { offset, durable } => {
                Deed::Write { offset: offset + op.written as u64, durable }
            }
            other => other,
        };
        let bytes = rest.len().min(WRITE_BYTES_MAX) as u32;
        Some(Undone { descriptor: op.descriptor, deed, start: rest.as_ptr(), bytes })
    }

    /// Books a completion with the kernel's `result`.
    pub fn settle(&mut self, tag: Tag, result: i32) -> Outcome {
        let Some((current, place)) = self.slots.get_mut(tag.index as usize) else {
            return Outcome::Unknown;
        };
        let Some(op) = place.as_mut().filter(|_| *current == tag) else { return Outcome::Unknown };
        let write = matches!(op.deed, Deed::Write { .. });
        let again = result == -libc::EINTR || result == -libc::EAGAIN;
        if write && result > 0 {
            op.written += result as usize;
            assert!(op.written <= op.buffer.len(), "the kernel wrote more than it was lent");
        }
        if again || write && result > 0 && op.written < op.buffer.len() {
            return self.undone(tag).map_or(Outcome::Unknown, Outcome::More);
        }
        let outcome = match result {
            // A write that takes nothing and names no reason would be tried for ever.
            0 if write && !op.buffer.is_empty() => Err(libc::EIO),
            0.. => Ok(()),
            negative => Err(-negative),
        };
        *current = current.next();
        self.free.push(tag.index);
        match place.take() {
            Some(FileOp { id, buffer, .. }) => Outcome::Over { id, buffer, outcome },
            None => Outcome::Unknown,
        }
    }

    /// Operations under way.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Gives up the buffers without freeing them, as [`super::lent::Loans::forget`].
    pub fn forget(&mut self) {
        for (_, op) in self.slots.drain(..) {
            if let Some(op) = op {
                std::mem::forget(op.buffer);
            }
        }
        self.free.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(ops: &mut FileOps) -> Tag {
        ops.begin(5, Deed::Write { offset: 100, durable: true }, 7, b"hello".to_vec())
    }

    #[test]
    fn a_short_write_goes_on_where_it_stopped_and_stays_durable() {
        let mut ops = FileOps::default();
        let tag = write(&mut ops);
        let Outcome::More(rest) = ops.settle(tag, 2) else { panic!("three bytes are left") };
        assert_eq!(rest.deed, Deed::Write { offset: 102, durable: true });
        assert_eq!((rest.descriptor, rest.bytes), (5, 3));
        let Outcome::Over { id, buffer, outcome } = ops.settle(tag, 3) else { panic!("over") };
        assert_eq!((id, &buffer[..], outcome), (7, &b"hello"[..], Ok(())));
        assert_eq!(ops.len(), 0);
    }

    #[test]
    fn an_error_ends_it_and_an_interruption_does_not() {
        let mut ops = FileOps::default();
        let tag = write(&mut ops);
        assert!(matches!(ops.settle(tag, -libc::EINTR), Outcome::More(_)));
        let over = ops.settle(tag, -libc::ENOSPC);
        assert!(matches!(over, Outcome::Over { outcome: Err(libc::ENOSPC), .. }));
    }

    #[test]
    fn a_write_that_takes_nothing_has_failed_and_a_sync_that_returns_nothing_has_not() {
        let mut ops = FileOps::default();
        let tag = write(&mut ops);
        let over = ops.settle(tag, 0);
        assert!(matches!(over, Outcome::Over { outcome: Err(libc::EIO), .. }));
        let tag = ops.begin(5, Deed::Sync, 8, Vec::new());
        assert!(matches!(ops.settle(tag, 0), Outcome::Over { id: 8, outcome: Ok(()), .. }));
        assert!(matches!(ops.settle(tag, 0), Outcome::Unknown), "it comes late and is nobody's");
    }
}
