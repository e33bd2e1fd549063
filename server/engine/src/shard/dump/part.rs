//! One core's part of a copy: the walk over the keys as they were at the cut, a piece at a time and
//! only when asked. What changes first is saved by the keyspace and sent before the walk goes on.

use std::collections::VecDeque;

use crate::keyspace::{CHUNK_BYTES, Chunk, CutBudget, CutState, Keyspace};
use crate::mesh::CoreId;

/// Entries walked in one turn: about 100 us.
const WALK_VISITS: usize = 512;

/// Why a core cannot go on with its part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// A database was flushed or swapped.
    Flushed,
    /// More was changed than the client has read.
    Outrun { bytes: usize },
}

/// What came of a slice.
#[derive(Debug)]
pub(super) enum Made {
    /// Nobody has asked.
    Nothing,
    /// There is more to do at once.
    More,
    Piece {
        frames: Vec<u8>,
        last: bool,
    },
    /// The keyspace is ready for another cut.
    Ended(Option<Lost>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Walking,
    /// All that is left is in `ready`.
    Walked,
    /// What is left behind of the cut is taken across.
    Leaving(Option<Lost>),
}

pub(super) struct Part {
    pub home: CoreId,
    pub number: u64,
    pub wanted: bool,
    phase: Phase,
    walked: Chunk,
    ready: VecDeque<Vec<u8>>,
}

impl Part {
    pub fn new(home: CoreId, number: u64) -> Part {
        let (walked, ready) = (Chunk::default(), VecDeque::new());
        Part { home, number, wanted: false, phase: Phase::Walking, walked, ready }
    }

    /// Nobody wants the rest.
    pub fn stop(&mut self) {
        self.phase = match self.phase {
            Phase::Leaving(_) => return,
            Phase::Walking | Phase::Walked => Phase::Leaving(None),
        };
    }

    /// A bounded piece of work. Saved values may take up to `saved_bytes_max`; 0 is no bound.
    pub fn slice(&mut self, keyspace: &mut Keyspace, saved_bytes_max: u64) -> Made {
        if self.phase == Phase::Walking {
            let bytes = keyspace.saved_bytes();
            if keyspace.cut_state() == CutState::GivenUp {
                self.phase = Phase::Leaving(Some(Lost::Flushed));
            } else if saved_bytes_max > 0 && bytes as u64 > saved_bytes_max {
                self.phase = Phase::Leaving(Some(Lost::Outrun { bytes }));
            }
        }
        match self.phase {
            Phase::Leaving(lost) => leave(keyspace, lost),
            _ if !self.wanted => Made::Nothing,
            Phase::Walking => self.walk(keyspace),
            Phase::Walked => self.next_ready(),
        }
    }

    fn walk(&mut self, keyspace: &mut Keyspace) -> Made {
        if let Some(saved) = keyspace.take_saved(false) {
            return self.piece(saved.bytes, false);
        }
        let mut budget = CutBudget { visits: WALK_VISITS, bytes: CHUNK_BYTES };
        if keyspace.cut_slice(&mut budget, &mut self.walked) {
            if !self.walked.is_full() {
                return Made::More;
            }
            let walked = std::mem::take(&mut self.walked);
            return self.piece(walked.bytes, false);
        }
        // Taken at once: a flush from now on must not drop what belongs to the cut.
        self.phase = Phase::Walked;
        self.ready.push_back(std::mem::take(&mut self.walked).bytes);
        while let Some(saved) = keyspace.take_saved(true) {
            self.ready.push_back(saved.bytes);
        }
        self.next_ready()
    }

    fn next_ready(&mut self) -> Made {
        let frames = self.ready.pop_front().unwrap_or_default();
        self.piece(frames, self.ready.is_empty())
    }

    fn piece(&mut self, frames: Vec<u8>, last: bool) -> Made {
        self.wanted = false;
        Made::Piece { frames, last }
    }
}

fn leave(keyspace: &mut Keyspace, lost: Option<Lost>) -> Made {
    if keyspace.cut_state() == CutState::Saving {
        keyspace.give_up_cut();
    }
    let mut budget = CutBudget { visits: WALK_VISITS, bytes: CHUNK_BYTES };
    match keyspace.cut_slice(&mut budget, &mut Chunk::default()) {
        true => Made::More,
        false => Made::Ended(lost),
    }
}
