//! Performs what a core's log and snapshot ask of the disk. Syncing and setting aside go through
//! the core's ring; writes do while the disk is slow; making, renaming and removing files, which
//! is rare, happens at once.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;

use freehold_engine::disk::{Completion, Failure, FileName, Operation, Owner, Request};

use super::directory::DataPlace;
use crate::observe::log;
use crate::runtime::clock;
use crate::runtime::direct;
use crate::runtime::event::Errno;
use crate::runtime::file_ops::Deed;
use crate::runtime::ring::Ring;

/// A write that is waited for longer holds the whole core up: the next ones go through the ring.
const SLOW_US: u64 = 500;

/// How many, before it is tried again.
const SLOW_WRITES: u32 = 100;

/// Zeros written at a time where space has been set aside.
const ZEROS_BYTES: u64 = 1 << 20;

/// A file that is written.
struct Open {
    file: File,
    under_way: u32,
    /// Where the last byte written so far ends.
    written: u64,
    /// To be closed when nothing is under way.
    close: Option<(Owner, u64)>,
}

/// Whose operation it is, and which file it keeps open.
#[derive(Clone, Copy)]
struct Pending {
    owner: Owner,
    tag: u64,
    file: Option<FileName>,
    /// From where to where bytes are set aside.
    allocates: Option<(u64, u64)>,
}

/// One core's hands on the data directory.
pub struct Performer {
    place: Arc<DataPlace>,
    /// For syncing names, once it is open.
    directory: Option<File>,
    open: BTreeMap<FileName, Open>,
    pending: BTreeMap<u64, Pending>,
    next: u64,
    /// So many writes go through the ring before one is waited for again.
    slow_writes: u32,
    /// Whether what is set aside is written over with zeros.
    zeroes_ahead: bool,
    /// Ends that need not wait for the ring.
    ended: Vec<Completion>,
}

impl Performer {
    pub fn new(place: Arc<DataPlace>) -> Performer {
        Performer {
            place,
            directory: None,
            open: BTreeMap::new(),
            pending: BTreeMap::new(),
            next: 0,
            slow_writes: 0,
            zeroes_ahead: false,
            ended: Vec::new(),
        }
    }

    /// Whether space set aside is to be written over, for writes that have to be durable at once.
    pub fn zero_ahead(&mut self, wanted: bool) {
        self.zeroes_ahead = wanted;
    }

    /// Begins `request`; its end comes out of [`Performer::take_ended`].
    pub fn begin(&mut self, request: Request, ring: &mut Ring) {
        let Request { owner, tag, operation } = request;
        match operation {
            Operation::Create(name) => {
                let outcome = self.create(name);
                self.end(owner, tag, outcome);
            }
            Operation::Write { file, offset, bytes, durable } if self.writes_directly(file) => {
                self.write_directly(owner, tag, file, (offset, durable), bytes);
            }
            Operation::Write { file, offset, bytes, durable } => {
                let deed = Deed::Write { offset, durable };
                self.on_file(owner, tag, file, deed, bytes, ring);
            }
            Operation::Sync(file) => self.on_file(owner, tag, file, Deed::Sync, Vec::new(), ring),
            Operation::Allocate { file, from, end } => {
                let deed = Deed::Allocate { offset: from, bytes: end.saturating_sub(from).max(1) };
                self.on_file(owner, tag, file, deed, Vec::new(), ring);
            }
            Operation::Close(name) => match self.open.get_mut(&name) {
                Some(open) if open.under_way > 0 => open.close = Some((owner, tag)),
                _ => {
                    self.open.remove(&name);
                    self.end(owner, tag, Ok(()));
                }
            },
            Operation::Rename { from, to } => {
                let outcome = fs::rename(self.place(from), self.place(to));
                self.end(owner, tag, outcome);
            }
            Operation::Remove(name) => {
                let outcome = fs::remove_file(self.place(name));
                self.end(owner, tag, outcome);
            }
            Operation::SyncDirectory => {
                let id = self.expect(owner, tag, None, None);
                match &self.directory {
                    Some(directory) => ring.file(directory.as_fd(), Deed::Sync, id, Vec::new()),
                    None => self.done(id, Vec::new(), Err(Errno::NOT_OPEN), ring),
                }
            }
        }
    }

    fn place(&self, name: FileName) -> PathBuf {
        self.place.path().join(name.to_string())
    }

    fn open_directory(&mut self) -> io::Result<()> {
        if self.directory.is_none() {
            let opened = self.place.open().map_err(|why| {
                log::warning("The data directory cannot be used", &[("why", &why)]);
                io::Error::from_raw_os_error(Errno::NOT_OPEN.0)
            })?;
            self.directory = Some(File::open(opened.path())?);
        }
        Ok(())
    }

    fn create(&mut self, name: FileName) -> io::Result<()> {
        self.open_directory()?;
        let file =
            OpenOptions::new().create(true).truncate(true).write(true).open(self.place(name))?;
        self.open.insert(name, Open { file, under_way: 0, written: 0, close: None });
        Ok(())
    }

    fn on_file(
        &mut self,
        owner: Owner,
        tag: u64,
        name: FileName,
        deed: Deed,
        bytes: Vec<u8>,
        ring: &mut Ring,
    ) {
        let allocates = match deed {
            Deed::Allocate { offset, bytes } => Some((offset, offset + bytes)),
            _ => None,
        };
        let id = self.expect(owner, tag, Some(name), allocates);
        match self.open.get_mut(&name) {
            Some(open) => {
                open.under_way += 1;
                if let Deed::Write { offset, .. } = deed {
                    open.written = open.written.max(offset + bytes.len() as u64);
                }
                ring.file(open.file.as_fd(), deed, id, bytes);
            }
            None => {
                self.pending.remove(&id);
                self.end(owner, tag, Err(Errno::NOT_OPEN.into()));
            }
        }
    }

    /// Whether the disk is quick enough to be waited for.
    fn writes_directly(&mut self, name: FileName) -> bool {
        if self.slow_writes > 0 {
            self.slow_writes -= 1;
            return false;
        }
        self.open.contains_key(&name)
    }

    fn write_directly(
        &mut self,
        owner: Owner,
        tag: u64,
        name: FileName,
        (offset, durable): (u64, bool),
        buffer: Vec<u8>,
    ) {
        let Some(open) = self.open.get_mut(&name) else { return };
        open.written = open.written.max(offset + buffer.len() as u64);
        let began_us = clock::read().mono_us;
        let outcome = direct::write(&open.file, offset, &buffer, durable).map_err(failure);
        if clock::read().mono_us - began_us > SLOW_US {
            self.slow_writes = SLOW_WRITES;
        }
        self.ended.push(Completion { owner, tag, outcome, buffer });
    }

    fn expect(
        &mut self,
        owner: Owner,
        tag: u64,
        file: Option<FileName>,
        allocates: Option<(u64, u64)>,
    ) -> u64 {
        self.next += 1;
        self.pending.insert(self.next, Pending { owner, tag, file, allocates });
        self.next
    }

    /// The ring has reported the end of an operation.
    pub fn done(
        &mut self,
        id: u64,
        mut buffer: Vec<u8>,
        outcome: Result<(), Errno>,
        ring: &mut Ring,
    ) {
        let Some(pending) = self.pending.remove(&id) else { return };
        if self.zeroes(&pending, &outcome)
            && self.write_zeros(id, pending, std::mem::take(&mut buffer), ring)
        {
            return;
        }
        if let Some(name) = pending.file
            && let Some(open) = self.open.get_mut(&name)
        {
            open.under_way -= 1;
            if open.under_way == 0
                && let Some((owner, tag)) = open.close
            {
                self.open.remove(&name);
                self.end(owner, tag, Ok(()));
            }
        }
        // Where the file system cannot set space aside, a full disk is met by a write.
        let outcome = match outcome {
            Err(errno) if pending.allocates.is_some() && errno.is_unsupported() => Ok(()),
            other => other.map_err(failure),
        };
        let (owner, tag) = (pending.owner, pending.tag);
        self.ended.push(Completion { owner, tag, outcome, buffer });
    }

    /// Whether bytes are to be written where they were set aside: what is written over needs no
    /// change of the file's map to be durable, which takes half of the time.
    fn zeroes(&self, pending: &Pending, outcome: &Result<(), Errno>) -> bool {
        let supported = outcome.is_ok();
        supported && self.zeroes_ahead && pending.allocates.is_some_and(|(from, end)| from < end)
    }

    /// The next piece of zeros, durably: a piece that waits to be written back would be waited for
    /// by a sync. False: the file is gone.
    fn write_zeros(
        &mut self,
        id: u64,
        pending: Pending,
        mut zeros: Vec<u8>,
        ring: &mut Ring,
    ) -> bool {
        let (Some(name), Some((from, end))) = (pending.file, pending.allocates) else {
            return false;
        };
        let Some(open) = self.open.get(&name) else { return false };
        let from = from.max(open.written);
        let bytes = end.saturating_sub(from).min(ZEROS_BYTES);
        if bytes == 0 {
            return false;
        }
        zeros.resize(bytes as usize, 0);
        let deed = Deed::Write { offset: from, durable: true };
        ring.file(open.file.as_fd(), deed, id, zeros);
        self.pending.insert(id, Pending { allocates: Some((from + bytes, end)), ..pending });
        true
    }

    fn end(&mut self, owner: Owner, tag: u64, outcome: io::Result<()>) {
        let failed =
            |error: io::Error| failure(error.raw_os_error().map_or(Errno::NOT_OPEN, Errno));
        let outcome = outcome.map_err(failed);
        self.ended.push(Completion { owner, tag, outcome, buffer: Vec::new() });
    }

    /// Whether there are ends to be taken.
    pub fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Operations whose end has not been taken.
    pub fn is_idle(&self) -> bool {
        self.ended.is_empty() && self.pending.is_empty()
    }

    /// The ends since the last call.
    pub fn take_ended(&mut self) -> Vec<Completion> {
        std::mem::take(&mut self.ended)
    }
}

fn failure(errno: Errno) -> Failure {
    if errno.is_full() { Failure::Full } else { Failure::Broken(errno.0) }
}
