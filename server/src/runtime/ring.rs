//! A core's io_uring: one system call a turn, typed operations in, typed events out.
//!
//! `SINGLE_ISSUER | DEFER_TASKRUN` make completions appear only while this thread is inside
//! [`Ring::enter`], so nothing here needs a lock, and a completion's work runs when the loop is
//! ready for it. The ring is created on the thread that uses it and never leaves it. `SUBMIT_ALL`
//! keeps one bad submission from holding back those behind it. The completion queue is larger
//! than the submission queue because multishot operations complete many times; when it overflows
//! the kernel keeps the rest and the next enter delivers them.

use std::io;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};

use io_uring::{EnterFlags, IoUring, cqueue, opcode, squeue, types};

use super::buffers::{Filled, PoolShape, ReceivePool};
use super::doorbell::wake_entry;
use super::enter::{self, Target, Wait};
use super::event::{Errno, Event};
use super::features::Features;
use super::file_ops::{Deed, FileOps, Outcome, Undone};
use super::lent::{Loans, Settled, Unsent};
use super::token::{Kind, Tag, pack, unpack};

/// Operations queued before a turn must submit early. 1,024 connections can be answered in one
/// system call; more only cost a second one.
const SUBMISSION_ENTRIES: u32 = 1024;

/// Completions the kernel can post before it has to keep them in a list of its own.
const COMPLETION_ENTRIES: u32 = 8192;

/// A hand-over's tag carries the descriptor, and in 12 bits each the core and the listener.
const HAND_OVER_BITS: u32 = 12;
const HAND_OVER_MASK: u32 = (1 << HAND_OVER_BITS) - 1;

/// How long a turn may sleep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Patience {
    /// There is work already: submit, collect what is there, come back.
    None,
    /// Until something completes, or so many microseconds have passed.
    Micros(u64),
    /// As `Micros(wake_us)`, but for the first `gather_us` only `count` completions end it. Where
    /// the kernel cannot do that, the first one does.
    Gather { count: u32, gather_us: u32, wake_us: u64 },
}

/// One core's ring with everything its operations own.
pub struct Ring {
    ring: ManuallyDrop<IoUring>,
    target: Target,
    gathers: bool,
    pool: ManuallyDrop<ReceivePool>,
    loans: Loans,
    file_ops: FileOps,
    completions: Vec<cqueue::Entry>,
    /// Prompt sends that ended with the last enter, and their buffers.
    sent_promptly: Vec<(Tag, Vec<u8>)>,
    /// A ring belongs to the thread that made it (`SINGLE_ISSUER`).
    _not_send: PhantomData<*mut ()>,
}

impl Ring {
    /// Sets up the calling thread's ring and its receive buffers.
    pub fn new(features: &Features, shape: PoolShape) -> io::Result<Ring> {
        let ring = enter::build(SUBMISSION_ENTRIES, COMPLETION_ENTRIES, features)?;
        let target = enter::register_descriptor(&ring);
        let pool = ReceivePool::register(&ring, shape)?;
        Ok(Ring {
            ring: ManuallyDrop::new(ring),
            target,
            gathers: features.least_wait,
            pool: ManuallyDrop::new(pool),
            loans: Loans::default(),
            file_ops: FileOps::default(),
            completions: Vec::new(),
            sent_promptly: Vec::new(),
            _not_send: PhantomData,
        })
    }

    /// A descriptor by which others wake this ring or hand it connections.
    pub fn doorbell(&self) -> io::Result<OwnedFd> {
        // SAFETY: the ring's descriptor is open as long as `self`.
        unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) }.try_clone_to_owned()
    }

    /// The bytes that arrived in `filled`.
    #[inline]
    pub fn bytes(&self, filled: &Filled) -> &[u8] {
        self.pool.bytes(filled)
    }

    /// Returns a receive buffer; the kernel may fill it again after the next enter.
    #[inline]
    pub fn give_back(&mut self, filled: Filled) {
        self.pool.give_back(filled);
    }

    /// Receive buffers the kernel may fill.
    pub fn buffers_available(&self) -> u16 {
        self.pool.available()
    }

    /// Sends under way.
    #[cfg(test)]
    pub fn sends_under_way(&self) -> usize {
        self.loans.len()
    }

    /// Accepts connections on `listener` until told to stop; each is an [`Event::Accepted`].
    pub fn accept(&mut self, listener: BorrowedFd<'_>, index: u32) {
        let descriptor = types::Fd(listener.as_raw_fd());
        let entry = opcode::AcceptMulti::new(descriptor)
            .flags(libc::SOCK_CLOEXEC)
            .build()
            .user_data(pack(Kind::Accept, Tag::first(index)));
        self.push(entry);
    }

    /// Ends the accept of listener `index`.
    pub fn stop_accepting(&mut self, index: u32) {
        self.cancel(pack(Kind::Accept, Tag::first(index)));
    }

    /// Receives on `socket` until told to stop; what arrives is [`Event::Received`].
    #[inline]
    pub fn receive(&mut self, socket: BorrowedFd<'_>, connection: Tag) {
        let entry = opcode::RecvMulti::new(types::Fd(socket.as_raw_fd()), self.pool.group())
            .build()
            .user_data(pack(Kind::Receive, connection));
        self.push(entry);
    }

    /// Ends a connection's receive. Bytes that arrived before are still reported, then one event
    /// with `armed: false`.
    pub fn stop_receiving(&mut self, connection: Tag) {
        self.cancel(pack(Kind::Receive, connection));
    }

    /// Sends all of `buffer` on `socket` and reports [`Event::Sent`], and [`Event::Sending`] by
    /// the MiB before. The socket must stay open until then. Returns the operation's tag, for
    /// [`Self::abandon_send`].
    #[inline]
    pub fn send(&mut self, socket: BorrowedFd<'_>, connection: Tag, buffer: Vec<u8>) -> Tag {
        let tag = self.loans.lend(socket.as_raw_fd(), connection, buffer);
        if let Some(unsent) = self.loans.unsent(tag) {
            self.push_send(tag, unsent);
        }
        tag
    }

    /// As [`Self::send`], for when nothing waits for the end of the send: its [`Event::Sent`] comes
    /// with the events of the enter that submits it and does not end that enter's sleep. A turn
    /// that only answers then costs one enter; with completions it cost two, and half of all turns
    /// of a server that is not busy did nothing else than hear of them. What the socket does not
    /// take at once goes on as an ordinary send.
    #[inline]
    pub fn send_promptly(
        &mut self,
        socket: BorrowedFd<'_>,
        connection: Tag,
        buffer: Vec<u8>,
    ) -> Tag {
        let tag = self.loans.lend_promptly(socket.as_raw_fd(), connection, buffer);
        if let Some(unsent) = self.loans.unsent(tag) {
            // The operation ends within the submission, and a short send, by WAITALL a failure, is
            // reported.
            let entry = send_entry(tag, unsent, libc::MSG_DONTWAIT);
            self.push(entry.flags(squeue::Flags::SKIP_SUCCESS));
        }
        tag
    }

    /// Asks the kernel to give up on a send. Its [`Event::Sent`] still comes, and only then is the
    /// buffer free.
    pub fn abandon_send(&mut self, tag: Tag) {
        self.loans.abandon(tag);
        self.cancel(pack(Kind::Send, tag));
    }

    /// Does something with the file behind `file`, which must stay open until the
    /// [`Event::FileDone`] of this `id`. Operations run beside each other: whoever needs an order
    /// waits.
    pub fn file(&mut self, file: BorrowedFd<'_>, deed: Deed, id: u64, buffer: Vec<u8>) {
        let tag = self.file_ops.begin(file.as_raw_fd(), deed, id, buffer);
        if let Some(undone) = self.file_ops.undone(tag) {
            self.push(file_entry(tag, undone));
        }
    }

    /// Closes a descriptor in the background of the next enter.
    pub fn close(&mut self, descriptor: OwnedFd) {
        let entry = opcode::Close::new(types::Fd(descriptor.into_raw_fd()))
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(pack(Kind::Cancel, Tag::first(0)));
        self.push(entry);
    }

    /// Wakes the ring behind `doorbell`.
    pub fn wake(&mut self, doorbell: BorrowedFd<'_>) {
        let entry = wake_entry(doorbell);
        self.push(entry);
    }

    /// Gives a connection that arrived at `listener` to core `to`, whose ring is behind
    /// `doorbell`; there it is an [`Event::Adopted`]. Should the kernel refuse, it comes back as
    /// [`Event::HandOverFailed`].
    ///
    /// # Panics
    /// When `to` or `listener` is 4,096 or more: core ports, which alone can be that many, are
    /// listed last and hand nothing over.
    pub fn hand_over(
        &mut self,
        doorbell: BorrowedFd<'_>,
        to: u16,
        listener: u32,
        descriptor: OwnedFd,
    ) {
        assert!(u32::from(to) <= HAND_OVER_MASK && listener <= HAND_OVER_MASK);
        let descriptor = descriptor.into_raw_fd();
        let there = pack(Kind::Adopt, Tag::first(listener));
        let both = u32::from(to) << HAND_OVER_BITS | listener;
        let here = pack(Kind::HandOver, Tag::pair(descriptor as u32, both));
        let ring = types::Fd(doorbell.as_raw_fd());
        let entry = opcode::MsgRingData::new(ring, descriptor, there, None)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(here);
        self.push(entry);
    }

    /// Operations queued since the last enter.
    pub fn has_queued(&mut self) -> bool {
        !self.ring.submission().is_empty()
    }

    /// Prompt sends were queued since the last enter.
    pub fn has_prompt(&self) -> bool {
        self.loans.has_prompt()
    }

    /// Submits what is queued without collecting anything, so that sends do not wait for what the
    /// turn has still to do.
    pub fn submit(&mut self) {
        self.submit_early();
    }

    /// Submits what is queued, waits as `patience` says, and collects completions, which
    /// [`Self::next_event`] then yields. One system call.
    ///
    /// # Errors
    /// Only what means the ring is broken; time-outs and interruptions are ordinary returns.
    pub fn enter(&mut self, patience: Patience) -> io::Result<()> {
        self.pool.publish();
        let outcome = self.enter_kernel(patience);
        self.collect();
        self.settle_prompt();
        match outcome {
            Err(error) if !enter::is_ordinary(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// The next event of the last enter, in the order the kernel posted them.
    #[inline]
    pub fn next_event(&mut self) -> Option<Event> {
        if let Some((connection, buffer)) = self.sent_promptly.pop() {
            return Some(Event::Sent { connection, buffer, outcome: Ok(()) });
        }
        while let Some(completion) = self.completions.pop() {
            if let Some(event) = self.translate(&completion) {
                return Some(event);
            }
        }
        None
    }

    /// Bytes received by the next `count` completions, which [`Self::next_event`] will yield.
    #[inline]
    pub fn upcoming(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        self.completions.iter().rev().take(count).filter_map(|completion| {
            let (kind, _) = unpack(completion.user_data())?;
            let buffer = cqueue::buffer_select(completion.flags())?;
            let bytes = u32::try_from(completion.result()).ok()?;
            (kind == Kind::Receive).then(|| self.pool.peek(buffer, bytes))
        })
    }

    #[inline]
    fn collect(&mut self) {
        debug_assert!(self.completions.is_empty(), "a turn reaps all events of the one before");
        self.completions.extend(self.ring.completion());
        // `pop` takes from the end.
        self.completions.reverse();
    }

    /// Ends the prompt sends of which the kernel has reported nothing. It would have by now, unless
    /// they have not been submitted or what it reports did not fit the completion queue: then the
    /// next enter, which comes back at once, decides.
    #[inline]
    fn settle_prompt(&mut self) {
        if !self.has_prompt() {
            return;
        }
        let submission = self.ring.submission();
        if !submission.is_empty() || submission.cq_overflow() {
            return;
        }
        drop(submission);
        for completion in &self.completions {
            if let Some((Kind::Send, tag)) = unpack(completion.user_data()) {
                self.loans.reported(tag);
            }
        }
        let done = &mut self.sent_promptly;
        self.loans.settle_prompt(|connection, buffer| done.push((connection, buffer)));
    }

    #[inline]
    fn translate(&mut self, completion: &cqueue::Entry) -> Option<Event> {
        let (result, flags) = (completion.result(), completion.flags());
        let armed = cqueue::more(flags);
        let (kind, tag) = unpack(completion.user_data())?;
        match kind {
            Kind::Receive => {
                let buffer = cqueue::buffer_select(flags);
                let outcome = self.received(result, buffer);
                Some(Event::Received { connection: tag, outcome, armed })
            }
            Kind::Send => self.sent(tag, result),
            Kind::Accept => {
                let outcome = owned(result);
                Some(Event::Accepted { listener: tag.index, outcome, armed })
            }
            Kind::Adopt => match owned(result) {
                Ok(descriptor) => Some(Event::Adopted { listener: tag.index, descriptor }),
                Err(_) => None,
            },
            Kind::HandOver => {
                // A success is skipped, so this descriptor was not delivered and is ours again.
                let descriptor = owned(tag.index as i32).ok()?;
                let listener = tag.second() & HAND_OVER_MASK;
                let to = (tag.second() >> HAND_OVER_BITS) as u16;
                Some(Event::HandOverFailed { listener, to, descriptor })
            }
            Kind::File => match self.file_ops.settle(tag, result) {
                Outcome::Over { id, buffer, outcome } => {
                    Some(Event::FileDone { id, buffer, outcome: outcome.map_err(Errno) })
                }
                Outcome::More(rest) => {
                    self.push(file_entry(tag, rest));
                    None
                }
                Outcome::Unknown => None,
            },
            Kind::Cancel | Kind::Wake => None,
        }
    }

    #[inline]
    fn received(&mut self, result: i32, buffer: Option<u16>) -> Result<Option<Filled>, Errno> {
        if let Some(buffer) = buffer {
            self.pool.note_taken();
            let filled = Filled::new(buffer, result.max(0) as u32);
            if result > 0 {
                return Ok(Some(filled));
            }
            self.pool.give_back(filled);
        }
        if result < 0 { Err(Errno(-result)) } else { Ok(None) }
    }

    #[inline]
    fn sent(&mut self, tag: Tag, result: i32) -> Option<Event> {
        match self.loans.settle(tag, result) {
            Settled::Over { connection, buffer, outcome } => {
                Some(Event::Sent { connection, buffer, outcome: outcome.map_err(Errno) })
            }
            Settled::More { connection, rest } => {
                self.push_send(tag, rest);
                (result > 0).then_some(Event::Sending { connection })
            }
            Settled::Unknown => None,
        }
    }

    #[inline]
    fn push_send(&mut self, tag: Tag, unsent: Unsent) {
        self.push(send_entry(tag, unsent, 0));
    }

    fn cancel(&mut self, user_data: u64) {
        let entry = opcode::AsyncCancel::new(user_data)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(pack(Kind::Cancel, Tag::first(0)));
        self.push(entry);
    }

    /// Queues an entry built by this file.
    #[inline]
    fn push(&mut self, entry: squeue::Entry) {
        // SAFETY: the entries above point to memory in three cases only: a send's buffer, which
        // `loans` keeps until its completion, a file write's, which `file_ops` keeps likewise, and
        // the provided buffers, which `pool` keeps until the ring is gone. All other operations
        // carry numbers.
        while unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.submit_early();
        }
    }

    #[cold]
    fn submit_early(&mut self) {
        let queued = self.ring.submission().len() as u32;
        // SAFETY: no argument is passed, so no memory but the ring's own is involved.
        let outcome = unsafe { enter::enter(self.target, queued, 0, EnterFlags::empty(), None) };
        if let Err(error) = outcome {
            assert!(
                enter::is_ordinary(&error),
                "io_uring_enter failed with operations queued: {error}"
            );
        }
    }

    fn enter_kernel(&mut self, patience: Patience) -> io::Result<()> {
        let queued = self.ring.submission().len() as u32;
        let (count, gather_us, wake_us) = match patience {
            // SAFETY: no argument is passed, so no memory but the ring's own is involved.
            Patience::None => unsafe {
                return enter::enter(self.target, queued, 0, EnterFlags::GETEVENTS, None);
            },
            Patience::Gather { count, gather_us, wake_us } if self.gathers => {
                (count, gather_us, wake_us)
            }
            Patience::Micros(wake_us) | Patience::Gather { wake_us, .. } => (1, 0, wake_us),
        };
        let timespec = types::Timespec::new()
            .sec(wake_us / 1_000_000)
            .nsec((wake_us % 1_000_000) as u32 * 1_000);
        let wait = Wait::new(gather_us, &timespec);
        // SAFETY: `wait` and the timespec it points to live until the call returns.
        unsafe { enter::enter(self.target, queued, count, EnterFlags::GETEVENTS, Some(&wait)) }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        let lent = self.loans.len() + self.file_ops.len();
        let quiet = self.pool.unregister(&self.ring).is_ok() && lent == 0;
        // SAFETY: each field is dropped or taken exactly once, here, and not touched again.
        unsafe {
            ManuallyDrop::drop(&mut self.ring);
            let pool = ManuallyDrop::take(&mut self.pool);
            if quiet {
                drop(pool);
            } else {
                // The kernel takes a closed ring apart in its own time. Losing the memory of
                // what may still be under way is the lesser harm.
                pool.leak();
                self.loans.forget();
                self.file_ops.forget();
            }
        }
    }
}

/// WAITALL: the kernel itself goes on after a short send as far as the socket takes it.
#[inline]
fn send_entry(tag: Tag, unsent: Unsent, flags: i32) -> squeue::Entry {
    opcode::Send::new(types::Fd(unsent.descriptor), unsent.start, unsent.bytes)
        .flags(libc::MSG_NOSIGNAL | libc::MSG_WAITALL | flags)
        .build()
        .user_data(pack(Kind::Send, tag))
}

/// A durable write asks for data and size only: times of access and change may be lost.
fn file_entry(tag: Tag, undone: Undone) -> squeue::Entry {
    let file = types::Fd(undone.descriptor);
    let entry = match undone.deed {
        Deed::Write { offset, durable } => opcode::Write::new(file, undone.start, undone.bytes)
            .offset(offset)
            .rw_flags(if durable { libc::RWF_DSYNC } else { 0 })
            .build(),
        Deed::Sync => opcode::Fsync::new(file).flags(types::FsyncFlags::DATASYNC).build(),
        Deed::Allocate { offset, bytes } => {
            opcode::Fallocate::new(file, bytes).offset(offset).build()
        }
    };
    entry.user_data(pack(Kind::File, tag))
}

/// Takes ownership of a descriptor a completion reports, or names the error it reports instead.
fn owned(result: i32) -> Result<OwnedFd, Errno> {
    if result < 0 {
        return Err(Errno(-result));
    }
    // SAFETY: the completion of an accept, or of a message that carried a descriptor given up by
    // `hand_over`, names a descriptor nobody else owns; it is translated once.
    Ok(unsafe { OwnedFd::from_raw_fd(result) })
}

#[cfg(test)]
mod tests;
