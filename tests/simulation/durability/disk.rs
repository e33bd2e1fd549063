//! A disk in memory that takes the requests of all cores and can lose its power at any moment.
//! What was not made durable is then lost, kept, or torn at sectors, piece by piece and in any
//! order; names that the directory was not synced for go or stay. It knows the contract of
//! `freehold_engine::disk` and nothing of logs and snapshots.

use std::collections::{BTreeMap, BTreeSet};

use freehold_engine::disk::{Completion, Failure, FileName, Files, Operation, ReadError, Request};
use freehold_tests::crash::Crash;
use freehold_tests::random::Random;

use super::delays::Delays;

/// What the disk does wrongly: bugs to try the test on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Lies {
    /// Writes and syncs complete without making anything durable.
    pub skip_fsync: bool,
    /// Syncs of the directory do.
    pub no_dir_fsync: bool,
}

/// How an operation fails, and which, counted from the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    pub nth: u64,
    /// So many in a row.
    pub count: u64,
    pub failure: Failure,
}

/// Bytes that are written and not durable; none, to set the file aside up to `offset`.
#[derive(Clone, Debug)]
struct Piece {
    /// By which it is found again.
    id: u64,
    offset: u64,
    bytes: Vec<u8>,
    /// The write has completed.
    completed: bool,
}

/// What a name stands for.
#[derive(Clone, Default, Debug)]
struct Body {
    durable: Vec<u8>,
    pieces: Vec<Piece>,
}

impl Body {
    /// What a reader finds who was not interrupted: everything that has completed.
    fn cached(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        self.pieces.iter().filter(|piece| piece.completed).for_each(|p| lay(&mut bytes, p));
        bytes
    }
}

fn lay(bytes: &mut Vec<u8>, piece: &Piece) {
    let start = piece.offset as usize;
    let end = start + piece.bytes.len();
    bytes.resize(bytes.len().max(end), 0);
    bytes[start..end].copy_from_slice(&piece.bytes);
}

/// An operation under way.
#[derive(Clone, Debug)]
struct UnderWay {
    core: usize,
    request: Request,
    /// The body it is about.
    body: Option<usize>,
    /// The piece it writes, or all pieces that had completed when it began.
    pieces: Vec<u64>,
    /// The names as they were when it began, which was so many operations after the first.
    names: Option<(u64, BTreeMap<FileName, usize>)>,
    failure: Option<Failure>,
    /// It does not end before.
    end_us: u64,
}

/// The disk.
#[derive(Clone)]
pub struct Disk {
    bodies: Vec<Body>,
    names: BTreeMap<FileName, usize>,
    /// Files that were not made when they were to be: nothing can be done with them.
    unmade: BTreeSet<FileName>,
    durable_names: BTreeMap<FileName, usize>,
    /// When these stood so, in operations.
    names_durable_at: u64,
    under_way: Vec<UnderWay>,
    next_piece: u64,
    operations: u64,
    /// Syncs of starts, of files and of names.
    pub start_syncs: u64,
    pub lies: Lies,
    pub fault: Option<Fault>,
    /// How long operations take; without, as it comes.
    pub delays: Option<Delays>,
    pub now_us: u64,
}

/// EBADF: what is done with a file fails so that could not be made.
const NOT_OPEN: Failure = Failure::Broken(9);

/// More than this is not set aside: it would be zeros to read, and nothing else.
const ALLOCATED_MAX: u64 = 1024;

impl Disk {
    pub fn new(lies: Lies) -> Disk {
        Disk {
            bodies: Vec::new(),
            names: BTreeMap::new(),
            unmade: BTreeSet::new(),
            durable_names: BTreeMap::new(),
            names_durable_at: 0,
            under_way: Vec::new(),
            next_piece: 0,
            operations: 0,
            start_syncs: 0,
            lies,
            fault: None,
            delays: None,
            now_us: 0,
        }
    }

    /// A host begins its time.
    pub fn begin_life(&mut self) {
        self.now_us = 0;
        if let Some(delays) = &mut self.delays {
            delays.begin_life();
        }
    }

    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// A core asks for something.
    pub fn begin(&mut self, core: usize, request: Request) {
        self.operations += 1;
        let at = self.operations;
        let hit = |fault: &Fault| (fault.nth..fault.nth + fault.count).contains(&at);
        let fault = self.fault.filter(hit).map(|fault| fault.failure);
        let failure = fault.or_else(|| self.is_unmade(&request.operation).then_some(NOT_OPEN));
        let (mut body, mut pieces, mut names) = (None, Vec::new(), None);
        match &request.operation {
            Operation::Create(name) if failure.is_none() => {
                self.bodies.push(Body::default());
                self.names.insert(*name, self.bodies.len() - 1);
            }
            Operation::Create(name) => drop(self.unmade.insert(*name)),
            Operation::Write { file, offset, bytes, .. } => {
                body = self.names.get(file).copied();
                pieces.extend(self.write(body, *offset, bytes.clone()));
            }
            Operation::Allocate { file, end, .. } => {
                body = self.names.get(file).copied();
                let size = body.map_or(0, |body| self.bodies[body].cached().len() as u64);
                if failure.is_none() {
                    let end = (*end).min(size + ALLOCATED_MAX);
                    pieces.extend(self.write(body, end, Vec::new()));
                }
            }
            Operation::Sync(file) => {
                body = self.names.get(file).copied();
                let known = body.map_or(&[][..], |body| &self.bodies[body].pieces);
                pieces.extend(known.iter().filter(|piece| piece.completed).map(|piece| piece.id));
            }
            Operation::Rename { from, to } if failure.is_none() => {
                let renamed = self.names.remove(from);
                self.names.extend(renamed.map(|body| (*to, body)));
            }
            Operation::Remove(name) if failure.is_none() => drop(self.names.remove(name)),
            Operation::SyncDirectory => names = Some((at, self.names.clone())),
            Operation::Close(_) | Operation::Rename { .. } | Operation::Remove(_) => {}
        }
        let operation = &request.operation;
        let of_log = matches!(operation, Operation::Sync(FileName::Log { .. }));
        let syncs = of_log && !pieces.is_empty();
        let end_us = match &mut self.delays {
            Some(delays) => delays.end_us(core, operation, syncs, self.now_us),
            None => 0,
        };
        self.under_way.push(UnderWay { core, request, body, pieces, names, failure, end_us });
    }

    /// Whether it is about a file that was never made. The server makes a file before it does
    /// anything else with it, whichever end is heard of first: what follows a failure fails too.
    fn is_unmade(&self, operation: &Operation) -> bool {
        match operation {
            Operation::Write { file, .. }
            | Operation::Allocate { file, .. }
            | Operation::Sync(file)
            | Operation::Rename { from: file, .. } => self.unmade.contains(file),
            _ => false,
        }
    }

    fn write(&mut self, body: Option<usize>, offset: u64, bytes: Vec<u8>) -> Option<u64> {
        self.next_piece += 1;
        let piece = Piece { id: self.next_piece, offset, bytes, completed: false };
        self.bodies[body?].pieces.push(piece);
        Some(self.next_piece)
    }

    /// Removes files of generations before this one; the directory is not synced for it.
    pub fn tidy(&mut self, generation: u64) {
        self.names.retain(|name, _| name.generation().is_none_or(|of| of >= generation));
    }

    /// The files that are there.
    pub fn files(&self) -> impl Iterator<Item = FileName> {
        self.names.keys().copied()
    }

    /// Somebody removes a file.
    pub fn lose(&mut self, file: FileName) {
        self.names.remove(&file);
    }

    /// Somebody leaves no more than so many bytes of a file.
    pub fn cut_short(&mut self, file: FileName, bytes: usize) {
        let body = &mut self.bodies[self.names[&file]];
        body.durable = body.cached();
        body.durable.truncate(bytes);
        body.pieces.clear();
    }

    /// Something that is under way completes; `None` when nothing is.
    pub fn complete_one(&mut self, random: &mut Random) -> Option<(usize, Completion)> {
        let ready = |(at, operation): (usize, &UnderWay)| {
            if operation.end_us <= self.now_us { Some(at) } else { None }
        };
        let ready: Vec<usize> = self.under_way.iter().enumerate().filter_map(ready).collect();
        if ready.is_empty() {
            return None;
        }
        let ended = self.under_way.swap_remove(*random.pick(&ready));
        let Request { owner, tag, operation } = ended.request;
        let outcome = ended.failure.map_or(Ok(()), Err);
        let mut buffer = Vec::new();
        if let Some(body) = ended.body {
            let body = &mut self.bodies[body];
            let durable = match operation {
                Operation::Sync(_) => true,
                Operation::Write { durable, bytes, .. } => {
                    buffer = bytes;
                    durable
                }
                _ => false,
            };
            if outcome.is_ok() {
                settle(body, &ended.pieces, durable && !self.lies.skip_fsync);
            }
        }
        // Of two syncs that are under way the later one may end first.
        if let (Some((at, names)), Ok(()), false) = (ended.names, outcome, self.lies.no_dir_fsync)
            && at > self.names_durable_at
        {
            (self.names_durable_at, self.durable_names) = (at, names);
        }
        Some((ended.core, Completion { owner, tag, outcome, buffer }))
    }

    /// What the disk holds when it is read again.
    pub fn after(&self, crash: Crash, random: &mut Random) -> Disk {
        let mut after = Disk { under_way: Vec::new(), fault: None, ..self.clone() };
        if crash == Crash::Process {
            for body in &mut after.bodies {
                for piece in &mut body.pieces {
                    piece.completed = piece.completed || random.percent(50);
                }
                body.pieces.retain(|piece| piece.completed);
            }
            return after;
        }
        after.names = self.durable_names.clone();
        for (name, body) in &self.names {
            if crash.keeps_name(random) {
                after.names.insert(*name, *body);
            }
        }
        for name in self.durable_names.keys().filter(|name| !self.names.contains_key(name)) {
            if crash.keeps_name(random) {
                after.names.remove(name);
            }
        }
        after.durable_names = after.names.clone();
        for body in &mut after.bodies {
            let pieces = std::mem::take(&mut body.pieces);
            tear(&mut body.durable, pieces, crash, random);
        }
        // What no name stands for is gone.
        for (index, body) in after.bodies.iter_mut().enumerate() {
            if !after.names.values().any(|named| *named == index) {
                *body = Body::default();
            }
        }
        after
    }
}

/// Pieces have been written, or have become durable.
fn settle(body: &mut Body, ids: &[u64], durable: bool) {
    for piece in body.pieces.iter_mut().filter(|piece| ids.contains(&piece.id)) {
        piece.completed = true;
        if durable {
            lay(&mut body.durable, piece);
        }
    }
    if durable {
        body.pieces.retain(|piece| !ids.contains(&piece.id));
    }
}

/// What of unsynced pieces has reached the disk.
fn tear(durable: &mut Vec<u8>, pieces: Vec<Piece>, crash: Crash, random: &mut Random) {
    let last = pieces.len().saturating_sub(1);
    for (index, piece) in pieces.into_iter().enumerate() {
        let extent = (piece.offset, piece.bytes.len());
        for range in crash.survivors(extent, index == last, random) {
            let offset = piece.offset + range.start as u64;
            lay(durable, &Piece { offset, bytes: piece.bytes[range].to_vec(), ..piece });
        }
    }
}

/// How a recovery reads the disk.
pub struct Reading<'d> {
    pub disk: &'d mut Disk,
    /// Makes every checksum right before it is looked at: a reader that does not look.
    pub crc_ignored: bool,
}

impl Files for Reading<'_> {
    fn list(&self) -> Result<Vec<FileName>, String> {
        Ok(self.disk.names.keys().copied().collect())
    }

    fn len(&mut self, file: FileName) -> Result<u64, ReadError> {
        Ok(self.disk.bodies[self.disk.names[&file]].cached().len() as u64)
    }

    fn sync(&mut self, file: FileName) -> Result<(), ReadError> {
        self.disk.start_syncs += 1;
        let body = &mut self.disk.bodies[self.disk.names[&file]];
        if !self.disk.lies.skip_fsync {
            body.durable = body.cached();
            body.pieces.clear();
        }
        Ok(())
    }

    fn sync_names(&mut self) -> Result<(), String> {
        self.disk.start_syncs += 1;
        if !self.disk.lies.no_dir_fsync {
            self.disk.durable_names = self.disk.names.clone();
            self.disk.names_durable_at = self.disk.operations;
        }
        Ok(())
    }

    /// Nobody copies files here.
    fn is_older_than(&mut self, _: FileName, _: i64) -> Result<bool, ReadError> {
        Ok(true)
    }

    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let mut bytes = self.disk.bodies[self.disk.names[&file]].cached();
        if self.crc_ignored {
            super::planted::mend_checksums(&mut bytes);
        }
        let rest = bytes.get(offset as usize..).unwrap_or_default();
        let length = rest.len().min(into.len());
        into[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }
}
