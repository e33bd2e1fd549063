//! What all cores know of the node's snapshots: the one under way, how many cores have yet to end
//! their part of it, and how the last one went. Written when a snapshot begins and ends, read once
//! a turn.

use super::sync::{Arc, AtomicBool, AtomicI64, AtomicU64, Ordering};

/// The end of a whole snapshot, for whoever ended its last part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartsEnded {
    /// Others still write.
    NotYet,
    /// All parts have their names, durably: it can be committed.
    Whole,
    /// A part failed: the snapshot counts for nothing.
    Failed,
}

/// How snapshots stand in the node. Cheap to clone: every core has one.
#[derive(Clone, Debug, Default)]
pub struct Snapshots(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The generation that is being written; 0 for none.
    running: AtomicU64,
    parts_left: AtomicU64,
    failed: AtomicBool,
    began_unix_ms: AtomicI64,
    keys: AtomicU64,
    changes_at_cut: AtomicU64,
    /// The last generation whose end is known, however it ended.
    ended: AtomicU64,
    /// Whether that was a success.
    ended_well: AtomicBool,
    took_ms: AtomicI64,
    saved: AtomicU64,
    saved_unix_ms: AtomicI64,
    changes_saved: AtomicU64,
    /// Ends of the node that wait for a snapshot, and how often such ends were called off.
    endings: AtomicU64,
    aborts: AtomicU64,
}

/// Figures for INFO and LASTSAVE.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SnapshotFigures {
    /// The generation under way; 0 for none.
    pub running: u64,
    pub began_unix_ms: i64,
    /// Snapshots that ended well since the start.
    pub saved: u64,
    /// Whether the last one did, or there was none.
    pub ended_well: bool,
    /// Milliseconds the last one took; none before.
    pub took_ms: Option<i64>,
    /// When the last good one was cut; 0 before.
    pub saved_unix_ms: i64,
    /// Changes that it holds, of those counted since the start.
    pub changes_saved: u64,
}

impl Snapshots {
    /// Takes the right to begin the snapshot of `generation`. False: one is under way.
    pub fn claim(&self, generation: u64, cores: u16, now_unix_ms: i64) -> bool {
        let shared = &*self.0;
        let idle =
            shared.running.compare_exchange(0, generation, Ordering::AcqRel, Ordering::Relaxed);
        if idle.is_err() {
            return false;
        }
        shared.parts_left.store(u64::from(cores), Ordering::Relaxed);
        shared.failed.store(false, Ordering::Relaxed);
        shared.keys.store(0, Ordering::Relaxed);
        shared.changes_at_cut.store(0, Ordering::Relaxed);
        shared.began_unix_ms.store(now_unix_ms, Ordering::Relaxed);
        true
    }

    /// The generation under way; 0 for none.
    pub fn running(&self) -> u64 {
        self.0.running.load(Ordering::Acquire)
    }

    /// A core has cut; it had counted so many changes.
    pub fn cut(&self, changes: u64) {
        self.0.changes_at_cut.fetch_add(changes, Ordering::Relaxed);
    }

    /// A core has ended its part.
    pub fn end_part(&self, keys: Option<u64>) -> PartsEnded {
        match keys {
            Some(keys) => drop(self.0.keys.fetch_add(keys, Ordering::Relaxed)),
            None => self.0.failed.store(true, Ordering::Release),
        }
        if self.0.parts_left.fetch_sub(1, Ordering::AcqRel) > 1 {
            PartsEnded::NotYet
        } else if self.0.failed.load(Ordering::Acquire) {
            PartsEnded::Failed
        } else {
            PartsEnded::Whole
        }
    }

    /// The snapshot has ended: its manifest counts, or never will.
    pub fn end(&self, well: bool, now_unix_ms: i64) {
        let shared = &*self.0;
        let began = shared.began_unix_ms.load(Ordering::Relaxed);
        shared.took_ms.store((now_unix_ms - began).max(0) + 1, Ordering::Relaxed);
        if well {
            let changes = shared.changes_at_cut.load(Ordering::Relaxed);
            shared.changes_saved.store(changes, Ordering::Relaxed);
            shared.saved_unix_ms.store(began, Ordering::Relaxed);
            shared.saved.fetch_add(1, Ordering::Relaxed);
        }
        shared.ended_well.store(well, Ordering::Relaxed);
        shared.ended.store(shared.running.load(Ordering::Relaxed), Ordering::Release);
        shared.running.store(0, Ordering::Release);
    }

    /// Whether the snapshot of `generation` has ended, and how.
    pub fn outcome(&self, generation: u64) -> Option<bool> {
        let ended = self.0.ended.load(Ordering::Acquire);
        (ended >= generation).then(|| self.0.ended_well.load(Ordering::Relaxed))
    }

    /// The node is to end behind a snapshot. Returns how often ends were called off before.
    pub fn begin_ending(&self) -> u64 {
        self.0.endings.fetch_add(1, Ordering::AcqRel);
        self.aborts()
    }

    /// Such an end is not to come.
    pub fn end_ending(&self) {
        self.0.endings.fetch_sub(1, Ordering::AcqRel);
    }

    /// Such ends that are awaited.
    pub fn endings(&self) -> u64 {
        self.0.endings.load(Ordering::Acquire)
    }

    /// Calls off all that are awaited. False: there is none.
    pub fn abort_endings(&self) -> bool {
        let any = self.endings() > 0;
        if any {
            self.0.aborts.fetch_add(1, Ordering::AcqRel);
        }
        any
    }

    /// How often ends were called off.
    pub fn aborts(&self) -> u64 {
        self.0.aborts.load(Ordering::Acquire)
    }

    /// Notes what a start has found: when its snapshot was cut.
    pub fn found(&self, cut_unix_ms: i64) {
        self.0.saved_unix_ms.store(cut_unix_ms, Ordering::Relaxed);
    }

    /// For INFO and LASTSAVE.
    pub fn figures(&self) -> SnapshotFigures {
        let shared = &*self.0;
        let took = shared.took_ms.load(Ordering::Relaxed);
        SnapshotFigures {
            running: self.running(),
            began_unix_ms: shared.began_unix_ms.load(Ordering::Relaxed),
            saved: shared.saved.load(Ordering::Relaxed),
            ended_well: took == 0 || shared.ended_well.load(Ordering::Relaxed),
            took_ms: (took > 0).then_some(took - 1),
            saved_unix_ms: shared.saved_unix_ms.load(Ordering::Relaxed),
            changes_saved: shared.changes_saved.load(Ordering::Relaxed),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_snapshot_is_under_way_at_a_time_and_whoever_ends_the_last_part_knows_it() {
        let snapshots = Snapshots::default();
        assert!(snapshots.claim(4, 2, 1_000));
        assert!(!snapshots.claim(5, 2, 1_001), "one is under way");
        snapshots.cut(10);
        snapshots.cut(5);
        assert_eq!(snapshots.end_part(Some(3)), PartsEnded::NotYet);
        assert_eq!(snapshots.end_part(Some(4)), PartsEnded::Whole);
        assert_eq!(snapshots.outcome(4), None, "it is not committed");
        snapshots.end(true, 1_500);
        assert_eq!((snapshots.outcome(4), snapshots.outcome(5)), (Some(true), None));
        let figures = snapshots.figures();
        assert_eq!((figures.changes_saved, figures.took_ms), (15, Some(500)));
        assert_eq!((figures.saved_unix_ms, figures.saved, figures.running), (1_000, 1, 0));
    }

    #[test]
    fn a_part_that_fails_fails_the_whole_and_the_last_good_one_still_counts() {
        let snapshots = Snapshots::default();
        assert!(snapshots.claim(2, 1, 7));
        assert_eq!(snapshots.end_part(Some(1)), PartsEnded::Whole);
        snapshots.end(true, 8);
        assert!(snapshots.claim(3, 2, 20));
        assert_eq!(snapshots.end_part(None), PartsEnded::NotYet);
        assert_eq!(snapshots.end_part(Some(9)), PartsEnded::Failed);
        snapshots.end(false, 30);
        let figures = snapshots.figures();
        assert!(!figures.ended_well);
        assert_eq!((figures.saved_unix_ms, figures.saved), (7, 1));
    }
}
