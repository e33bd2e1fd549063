//! Performs on a core's ring what its log asks of the disk. Writing, syncing and setting aside go
//! through the ring; making, renaming and removing files, which is rare, happens at once.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;

use freehold_engine::disk::{Completion, Failure, FileName, Operation, Owner, Request};

use super::directory::DataPlace;
use crate::runtime::event::Errno;
use crate::runtime::file_ops::Deed;
use crate::runtime::ring::Ring;

/// A file that is written.
struct Open {
    file: File,
    under_way: u32,
    /// Bytes set aside.
    allocated: u64,
    /// To be closed when nothing is under way.
    close: Option<(Owner, u64)>,
}

/// Whose operation it is, and which file it keeps open.
struct Pending {
    owner: Owner,
    tag: u64,
    file: Option<FileName>,
    /// What is set aside when it succeeds.
    allocates: Option<u64>,
}

/// One core's hands on the data directory.
pub struct Performer {
    place: Arc<DataPlace>,
    /// For syncing names, once it is open.
    directory: Option<File>,
    open: BTreeMap<FileName, Open>,
    pending: BTreeMap<u64, Pending>,
    next: u64,
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
            ended: Vec::new(),
        }
    }

    /// Begins `request`; its end comes out of [`Performer::take_ended`].
    pub fn begin(&mut self, request: Request, ring: &mut Ring) {
        let Request { owner, tag, operation } = request;
        match operation {
            Operation::Create(name) => {
                let outcome = self.create(name);
                self.end(owner, tag, outcome);
            }
            Operation::Write { file, offset, bytes, durable } => {
                let deed = Deed::Write { offset, durable };
                self.on_file(owner, tag, file, deed, bytes, ring);
            }
            Operation::Sync(file) => self.on_file(owner, tag, file, Deed::Sync, Vec::new(), ring),
            Operation::Allocate { file, end } => {
                let offset = self.open.get(&file).map_or(0, |open| open.allocated);
                let deed = Deed::Allocate { offset, bytes: end.saturating_sub(offset).max(1) };
                self.on_file(owner, tag, file, deed, Vec::new(), ring);
            }
            Operation::Truncate { file, end } => {
                let outcome = OpenOptions::new().write(true).open(self.place(file));
                let outcome = outcome.and_then(|opened| {
                    opened.set_len(end)?;
                    opened.sync_data()
                });
                self.end(owner, tag, outcome);
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
                    None => self.done(id, Vec::new(), Err(Errno::NOT_OPEN)),
                }
            }
        }
    }

    fn place(&self, name: FileName) -> PathBuf {
        self.place.path().join(name.to_string())
    }

    fn open_directory(&mut self) -> io::Result<()> {
        if self.directory.is_none() {
            let opened = self.place.open().map_err(io::Error::other)?;
            self.directory = Some(File::open(opened.path())?);
        }
        Ok(())
    }

    fn create(&mut self, name: FileName) -> io::Result<()> {
        self.open_directory()?;
        let file =
            OpenOptions::new().create(true).truncate(true).write(true).open(self.place(name))?;
        self.open.insert(name, Open { file, under_way: 0, allocated: 0, close: None });
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
            Deed::Allocate { offset, bytes } => Some(offset + bytes),
            _ => None,
        };
        let id = self.expect(owner, tag, Some(name), allocates);
        match self.open.get_mut(&name) {
            Some(open) => {
                open.under_way += 1;
                ring.file(open.file.as_fd(), deed, id, bytes);
            }
            None => {
                self.pending.remove(&id);
                self.end(owner, tag, Err(Errno::NOT_OPEN.into()));
            }
        }
    }

    fn expect(
        &mut self,
        owner: Owner,
        tag: u64,
        file: Option<FileName>,
        allocates: Option<u64>,
    ) -> u64 {
        self.next += 1;
        self.pending.insert(self.next, Pending { owner, tag, file, allocates });
        self.next
    }

    /// The ring has reported the end of an operation.
    pub fn done(&mut self, id: u64, buffer: Vec<u8>, outcome: Result<(), Errno>) {
        let Some(pending) = self.pending.remove(&id) else { return };
        if let Some(name) = pending.file
            && let Some(open) = self.open.get_mut(&name)
        {
            open.under_way -= 1;
            if let (Some(end), true) = (pending.allocates, outcome.is_ok()) {
                open.allocated = open.allocated.max(end);
            }
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

    fn end(&mut self, owner: Owner, tag: u64, outcome: io::Result<()>) {
        let failed = |error: io::Error| failure(Errno(error.raw_os_error().unwrap_or(0)));
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
