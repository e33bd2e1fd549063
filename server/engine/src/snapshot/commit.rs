//! Makes a snapshot count: when all cores' files have their names, durably, a new manifest takes
//! the old one's place in one step. Before that the old snapshot and its logs count, afterwards
//! the new ones; there is no moment at which neither does.

use super::Manifest;
use crate::disk::{Completion, Failure, FileName, Operation, Owner, Requests};

/// The manifest of a snapshot on its way to the disk.
#[derive(Debug)]
pub struct Commit {
    manifest: Manifest,
    step: u64,
    outcome: Option<Result<(), Failure>>,
}

/// The tag of the last step, which makes the name durable.
const LAST_STEP: u64 = 4;

impl Commit {
    pub fn begin(manifest: Manifest, requests: &mut Requests) -> Commit {
        let mut commit = Commit { manifest, step: 0, outcome: None };
        commit.ask(requests);
        commit
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// How it ended; `None` while it is under way.
    pub fn outcome(&self) -> Option<Result<(), Failure>> {
        self.outcome
    }

    /// The disk has done what was asked, or not.
    pub fn completed(&mut self, completion: &Completion, requests: &mut Requests) {
        debug_assert_eq!(completion.owner, Owner::Manifest);
        if completion.tag != self.step || self.outcome.is_some() {
            return;
        }
        match completion.outcome {
            Ok(()) if self.step == LAST_STEP => self.outcome = Some(Ok(())),
            Ok(()) => {
                self.step += 1;
                self.ask(requests);
            }
            Err(failure) => self.outcome = Some(Err(failure)),
        }
    }

    fn ask(&mut self, requests: &mut Requests) {
        let (from, to) = (FileName::ManifestDraft, FileName::Manifest);
        let operation = match self.step {
            0 => Operation::Create(from),
            1 => {
                let bytes = self.manifest.encode();
                Operation::Write { file: from, offset: 0, bytes, durable: true }
            }
            2 => Operation::Close(from),
            3 => Operation::Rename { from, to },
            _ => Operation::SyncDirectory,
        };
        requests.push(Owner::Manifest, self.step, operation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: Manifest = Manifest { generation: 3, snapshots: 2, created_unix_ms: 5 };

    fn done(commit: &mut Commit, requests: &mut Requests, outcome: Result<(), Failure>) {
        let [request] = &requests.take()[..] else { panic!("one thing after the other") };
        let (owner, tag, buffer) = (request.owner, request.tag, Vec::new());
        commit.completed(&Completion { owner, tag, outcome, buffer }, requests);
    }

    #[test]
    fn the_manifest_is_whole_and_durable_before_it_takes_the_old_ones_place() {
        let mut requests = Requests::default();
        let mut commit = Commit::begin(MANIFEST, &mut requests);
        for _ in 0..4 {
            assert_eq!(commit.outcome(), None);
            done(&mut commit, &mut requests, Ok(()));
        }
        assert_eq!(commit.outcome(), None, "its name is not durable yet");
        done(&mut commit, &mut requests, Ok(()));
        assert_eq!(commit.outcome(), Some(Ok(())));
        assert!(requests.is_empty());
    }

    #[test]
    fn whatever_fails_ends_it_and_nothing_more_is_asked() {
        for fails in 0..5 {
            let mut requests = Requests::default();
            let mut commit = Commit::begin(MANIFEST, &mut requests);
            for _ in 0..fails {
                done(&mut commit, &mut requests, Ok(()));
            }
            done(&mut commit, &mut requests, Err(Failure::Full));
            assert_eq!(commit.outcome(), Some(Err(Failure::Full)), "step {fails}");
            assert!(requests.is_empty());
        }
    }
}
