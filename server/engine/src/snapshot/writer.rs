//! Writing one core's snapshot beside everything else the core does. It asks the disk for one thing
//! after the other where an order matters: the file is there before its blocks are written, all of
//! them are durable before it gets its name, the name is durable before anybody is told.
//!
//! The walk waits while more than [`QUEUED_BYTES_MAX`] are on their way to the disk. What changes
//! save is taken always, for it is in memory already; it is stored plain when much of it waits.

use super::block::{self, Entry, Header};
use crate::disk::{Completion, Failure, FileName, Operation, Owner, Requests};
use crate::effect::encode_entry;
use crate::keyspace::{CHUNK_BYTES, Chunk, CutBudget, CutState, Keyspace};

/// Bytes on their way to the disk beyond which the walk waits.
const QUEUED_BYTES_MAX: usize = 1024 * 1024;

/// Saved bytes waiting beyond which they are not packed: packing would not keep up.
const PACKED_BACKLOG_MAX: usize = 2 * CHUNK_BYTES;

/// The tag of the first request.
const CREATE: u64 = 0;

/// How a snapshot ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It has its name, durably.
    Done { keys: u64, bytes: u64 },
    /// The disk refused; the draft is gone, or what is left of it counts for nothing.
    Failed(Failure),
    /// A flush or a swap of databases came between: to be begun anew.
    Abandoned,
    /// Nobody wants it any more.
    Cancelled,
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Create,
    /// Blocks are being written.
    Blocks,
    /// All writes have been asked for.
    Drain,
    Sync,
    Close,
    Rename,
    SyncDirectory,
    /// What is under way ends, and the keyspace becomes ready for another cut. The outcome is what
    /// will be told.
    CleanUp(Outcome),
    /// The draft is being removed: the next one may have the same name.
    Remove(Outcome),
    Ended(Outcome),
}

/// The snapshot of one core under way.
#[derive(Debug)]
pub struct Writer {
    draft: FileName,
    name: FileName,
    step: Step,
    /// Where the next write goes.
    end: u64,
    index: Vec<Entry>,
    walked: Chunk,
    keys: u64,
    tag: u64,
    /// By tag, with their bytes: writes on their way, and whatever else has to end before the file
    /// is removed or the end is told.
    pending: Vec<(u64, usize)>,
    queued_bytes: usize,
    header: Header,
    /// The draft is to be closed before it is removed.
    open: bool,
}

impl Writer {
    /// Cuts `keyspace` here and now; see [`Keyspace::begin_cut`] for when that may be.
    pub fn begin(keyspace: &mut Keyspace, header: Header, requests: &mut Requests) -> Writer {
        keyspace.begin_cut(encode_entry);
        Writer::of_cut(header, requests)
    }

    /// As [`Writer::begin`] for a keyspace that has been cut since the last turn.
    pub fn of_cut(header: Header, requests: &mut Requests) -> Writer {
        let Header { generation, core, .. } = header;
        let draft = FileName::SnapshotDraft { generation, core };
        let mut writer = Writer {
            draft,
            name: FileName::Snapshot { generation, core },
            step: Step::Create,
            end: 0,
            index: Vec::new(),
            walked: Chunk::default(),
            keys: 0,
            tag: CREATE,
            pending: Vec::new(),
            queued_bytes: 0,
            header,
            open: false,
        };
        writer.ask_pending(Operation::Create(draft), 0, requests);
        writer
    }

    /// How it ended; `None` while it is under way. Until then slices must go on.
    pub fn outcome(&self) -> Option<Outcome> {
        match self.step {
            Step::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Bytes on their way to the disk.
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Ends it and removes its file, unless all of it is written: then it goes on to its end.
    pub fn cancel(&mut self) {
        if matches!(self.step, Step::Create | Step::Blocks | Step::Drain) {
            self.give_up(Outcome::Cancelled);
        }
    }

    /// A bounded piece of work; true when there is more to do at once.
    pub fn slice(
        &mut self,
        keyspace: &mut Keyspace,
        visits: usize,
        requests: &mut Requests,
    ) -> bool {
        let state = keyspace.cut_state();
        let writing = matches!(self.step, Step::Create | Step::Blocks);
        if writing && state == CutState::GivenUp {
            self.give_up(Outcome::Abandoned);
        }
        let mut budget = CutBudget { visits, bytes: CHUNK_BYTES };
        match self.step {
            Step::Blocks => self.write_blocks(keyspace, &mut budget, requests),
            Step::CleanUp(_) => {
                if keyspace.cut_state() == CutState::Saving {
                    keyspace.give_up_cut();
                }
                let more = keyspace.cut_slice(&mut budget, &mut Chunk::default());
                self.end_clean_up(keyspace.cut_state(), requests);
                more
            }
            _ => false,
        }
    }

    /// The disk has done what was asked, or not.
    pub fn completed(&mut self, completion: &Completion, requests: &mut Requests) {
        debug_assert_eq!(completion.owner, Owner::Snapshot);
        let pending = self.pending.iter().position(|(tag, _)| *tag == completion.tag);
        if let Some(at) = pending {
            self.queued_bytes -= self.pending.swap_remove(at).1;
        }
        if let (Err(failure), false) = (completion.outcome, self.is_ending()) {
            return self.give_up(Outcome::Failed(failure));
        }
        let next = match self.step {
            Step::Create => {
                self.step = Step::Blocks;
                return self.write(self.header.encode(), requests);
            }
            Step::Drain if self.pending.is_empty() => (Step::Sync, Operation::Sync(self.draft)),
            Step::Sync => (Step::Close, Operation::Close(self.draft)),
            Step::Close => {
                let (from, to) = (self.draft, self.name);
                (Step::Rename, Operation::Rename { from, to })
            }
            Step::Rename => (Step::SyncDirectory, Operation::SyncDirectory),
            Step::SyncDirectory => {
                self.step = Step::Ended(Outcome::Done { keys: self.keys, bytes: self.end });
                return;
            }
            Step::CleanUp(_) if completion.tag == CREATE && completion.outcome.is_err() => {
                self.open = false;
                return;
            }
            Step::Remove(outcome) if self.pending.is_empty() => {
                self.step = Step::Ended(outcome);
                return;
            }
            _ => return,
        };
        self.step = next.0;
        self.ask(next.1, requests);
    }

    fn write_blocks(
        &mut self,
        keyspace: &mut Keyspace,
        budget: &mut CutBudget,
        requests: &mut Requests,
    ) -> bool {
        let pack = keyspace.saved_bytes() <= PACKED_BACKLOG_MAX;
        while let Some(saved) = keyspace.take_saved(false) {
            self.write_chunk(&saved, pack, requests);
        }
        if self.queued_bytes > QUEUED_BYTES_MAX {
            return false;
        }
        if keyspace.cut_slice(budget, &mut self.walked) {
            if self.walked.is_full() {
                let walked = std::mem::take(&mut self.walked);
                self.write_chunk(&walked, true, requests);
            }
            return true;
        }
        let walked = std::mem::take(&mut self.walked);
        self.write_chunk(&walked, true, requests);
        while let Some(saved) = keyspace.take_saved(true) {
            self.write_chunk(&saved, pack, requests);
        }
        self.write(block::encode_end(self.end, &self.index), requests);
        self.step = Step::Drain;
        false
    }

    /// Writes a chunk as a block, or as several when one collection made it huge.
    fn write_chunk(&mut self, chunk: &Chunk, pack: bool, requests: &mut Requests) {
        let mut rest = &chunk.bytes[..];
        while !rest.is_empty() {
            let (bytes, keys) = block::cut_off(rest);
            let Chunk { first_slot, last_slot, .. } = *chunk;
            let entry = Entry { offset: self.end, keys, first_slot, last_slot };
            self.index.push(entry);
            self.keys += u64::from(keys);
            self.write(block::encode_block(&rest[..bytes], &entry, pack), requests);
            rest = &rest[bytes..];
        }
    }

    fn write(&mut self, bytes: Vec<u8>, requests: &mut Requests) {
        let (offset, length) = (self.end, bytes.len());
        self.end += length as u64;
        self.queued_bytes += length;
        let file = self.draft;
        let write = Operation::Write { file, offset, bytes, durable: false };
        self.ask_pending(write, length, requests);
    }

    fn ask_pending(&mut self, operation: Operation, bytes: usize, requests: &mut Requests) {
        self.pending.push((self.tag, bytes));
        self.ask(operation, requests);
    }

    fn ask(&mut self, operation: Operation, requests: &mut Requests) {
        requests.push(Owner::Snapshot, self.tag, operation);
        self.tag += 1;
    }

    fn is_ending(&self) -> bool {
        matches!(self.step, Step::CleanUp(_) | Step::Remove(_) | Step::Ended(_))
    }

    /// Whatever is still under way on the disk is let end before the file is removed.
    fn give_up(&mut self, outcome: Outcome) {
        self.open = match self.step {
            Step::Create => !matches!(outcome, Outcome::Failed(_)), // it may be on its way
            step => matches!(step, Step::Blocks | Step::Drain | Step::Sync),
        };
        if self.step == Step::SyncDirectory {
            self.draft = self.name;
        }
        self.step = Step::CleanUp(outcome);
    }

    /// Removes the draft once the keyspace is ready for another cut and nothing is on its way.
    fn end_clean_up(&mut self, state: CutState, requests: &mut Requests) {
        if let Step::CleanUp(outcome) = self.step
            && state == CutState::Complete
            && self.pending.is_empty()
        {
            if self.open {
                self.ask_pending(Operation::Close(self.draft), 0, requests);
            }
            self.ask_pending(Operation::Remove(self.draft), 0, requests);
            self.step = Step::Remove(outcome);
        }
    }
}
