//! A disk of vectors, which completes what it is asked in order or in any order, and insists on
//! what a writer has to wait for.

use std::collections::BTreeSet;

use crate::base::random::Random;
use crate::disk::{Completion, Failure, FileName, Memory, Operation, Request, Requests};
use crate::snapshot::Writer;

/// Files by name; the operation with the number `fails_at` fails.
#[derive(Default)]
pub struct Disk {
    pub files: Memory,
    pub fails_at: Option<u64>,
    done: u64,
    open: BTreeSet<FileName>,
    pending: Vec<Request>,
    /// Draws what completes next, and for how long nothing does; none: in order, and all of it.
    order: Option<Random>,
}

impl Disk {
    pub fn in_any_order(seed: u64) -> Disk {
        Disk { order: Some(Random::new(seed)), ..Disk::default() }
    }

    /// Nothing is under way, and no file is open.
    pub fn is_at_rest(&self) -> bool {
        self.pending.is_empty() && self.open.is_empty()
    }

    /// Begins these.
    pub fn accept(&mut self, requests: Vec<Request>) {
        self.pending.extend(requests);
    }

    /// Completes what is under way and what comes of it, or some of it.
    pub fn perform(&mut self, requests: &mut Requests, writer: &mut Writer) {
        loop {
            self.accept(requests.take());
            let count = self.pending.len() as u64;
            if count == 0 {
                return;
            }
            let draw = self.order.as_mut().map(|random| (random.below(8), random.below(count)));
            let next = match draw {
                Some((0, _)) => return,
                Some((_, next)) => next as usize,
                None => 0,
            };
            let completion = self.complete(next);
            writer.completed(&completion, requests);
        }
    }

    fn complete(&mut self, at: usize) -> Completion {
        let Request { owner, tag, operation } = self.pending.remove(at);
        self.done += 1;
        let fails = self.fails_at == Some(self.done);
        let outcome = if fails { Err(Failure::Full) } else { Ok(()) };
        if let (true, Operation::Close(file)) = (fails, &operation) {
            self.open.remove(file); // Linux lets go of the descriptor all the same
        }
        let buffer = if fails { Vec::new() } else { self.deed(operation) };
        Completion { owner, tag, outcome, buffer }
    }

    /// Does it; returns the bytes of a write.
    fn deed(&mut self, operation: Operation) -> Vec<u8> {
        match &operation {
            Operation::Create(file) => {
                assert!(self.open.insert(*file), "{file} is open already");
            }
            Operation::Write { file, .. } => {
                assert!(self.open.contains(file), "{file} is written and not open");
            }
            Operation::Sync(file) => {
                assert!(self.open.contains(file), "{file} is synced and not open");
                assert!(!self.is_written(*file), "{file} is synced before it is written");
            }
            Operation::Close(file) => {
                assert!(!self.is_written(*file), "{file} is closed before it is written");
                assert!(self.open.remove(file), "{file} is closed and not open");
            }
            Operation::Remove(file) => {
                assert!(!self.is_written(*file), "{file} is removed while it is written");
            }
            _ => {}
        }
        self.files.perform(operation)
    }

    /// Whether it is being made, or written to.
    fn is_written(&self, name: FileName) -> bool {
        self.pending.iter().any(|request| match request.operation {
            Operation::Create(file) | Operation::Write { file, .. } => file == name,
            _ => false,
        })
    }
}
