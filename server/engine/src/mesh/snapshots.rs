//! What all cores know of the node's snapshots: the one under way, how many cores have yet to end
//! their part of it, and how the last one went. Written when a snapshot begins and ends, read once
//! a turn.

use super::log_sizes::LogSizes;
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

/// A core's part of a snapshot that has its name, durably.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartWritten {
    pub keys: u64,
    pub bytes: u64,
}

/// What BGSAVE CANCEL has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cancelled {
    Running,
    Scheduled,
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
    /// The one under way is for who wants the data saved; an RDB file is to follow it.
    saves: AtomicBool,
    writes_rdb: AtomicBool,
    /// Another such is to follow.
    save_scheduled: AtomicBool,
    /// The generation of the last one that is not to go on.
    cancelled: AtomicU64,
    /// The last generation whose end is known, however it ended.
    ended: AtomicU64,
    /// Whether that was a success.
    ended_well: AtomicBool,
    took_ms: AtomicI64,
    saved: AtomicU64,
    saved_generation: AtomicU64,
    /// Snapshots that have failed since the last good one.
    failures: AtomicU64,
    sizes: LogSizes,
    /// Cores that are to begin a snapshot for BGREWRITEAOF when the one under way has ended.
    rewrites_scheduled: AtomicU64,
    saved_unix_ms: AtomicI64,
    changes_saved: AtomicU64,
    /// Ends of the node that wait for a snapshot, and how often such ends were called off.
    endings: AtomicU64,
    aborts: AtomicU64,
    /// Copies of the data so far, and the last one that is not to go on.
    dumps: AtomicU64,
    called_off: AtomicU64,
    dump_version: AtomicU64,
}

/// `running` of a copy has this bit beside its number: generations do not come so far.
const DUMP: u64 = 1 << 63;

/// Figures for INFO and LASTSAVE.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct SnapshotFigures {
    /// The generation under way; 0 for none.
    pub running: u64,
    /// It is a copy for a client that is under way.
    pub copies: bool,
    pub began_unix_ms: i64,
    /// Snapshots that ended well since the start.
    pub saved: u64,
    /// The last of them; 0 before.
    pub saved_generation: u64,
    /// That have failed since the last good one.
    pub failures: u64,
    /// Whether the last one did that was not cancelled, or there was none.
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
        shared.sizes.begin();
        shared.began_unix_ms.store(now_unix_ms, Ordering::Relaxed);
        true
    }

    /// The snapshot that was claimed is for who wants the data saved; `rdb`: it is done when an RDB
    /// file of it is written as well.
    pub fn is_to_save(&self, rdb: bool) {
        self.0.writes_rdb.store(rdb, Ordering::Relaxed);
        self.0.saves.store(true, Ordering::Release);
    }

    /// Another one for who wants the data saved is to follow the one under way. One does for all.
    pub fn schedule_save(&self) {
        self.0.save_scheduled.store(true, Ordering::Release);
    }

    /// Whether what is under way, if anything, is neither for who wants the data saved nor a copy.
    pub fn is_rewriting(&self) -> bool {
        let running = self.running();
        running != 0 && running & DUMP == 0 && !self.0.saves.load(Ordering::Acquire)
    }

    /// Takes the right to begin it; false: somebody else has, or it was cancelled.
    pub fn take_scheduled_save(&self) -> bool {
        self.0.save_scheduled.swap(false, Ordering::AcqRel)
    }

    /// Ends the one under way that is for who wants the data saved, else the one that is to follow.
    /// What has been written when it is heard of that counts.
    pub fn cancel_save(&self) -> Option<Cancelled> {
        let running = self.running();
        if running != 0 && self.0.saves.load(Ordering::Acquire) {
            self.0.cancelled.store(running, Ordering::Release);
            return Some(Cancelled::Running);
        }
        self.take_scheduled_save().then_some(Cancelled::Scheduled)
    }

    /// Whether the snapshot under way is not to go on.
    pub fn is_cancelled(&self) -> bool {
        let running = self.running();
        running != 0 && self.0.cancelled.load(Ordering::Acquire) == running
    }

    /// Whether an RDB file is to follow the snapshot under way.
    pub fn wants_rdb(&self) -> bool {
        self.0.writes_rdb.load(Ordering::Relaxed)
    }

    /// The generation under way; 0 for none. Something else, and not 0, during a copy.
    pub fn running(&self) -> u64 {
        self.0.running.load(Ordering::Acquire)
    }

    /// Takes the right to cut for a copy of the data, which gets a number above all before it.
    pub fn claim_dump(&self, cores: u16, now_unix_ms: i64) -> Option<u64> {
        let number = self.0.dumps.load(Ordering::Acquire) + 1;
        if !self.claim(DUMP | number, cores, now_unix_ms) {
            return None;
        }
        self.0.dumps.store(number, Ordering::Release);
        self.0.dump_version.store(0, Ordering::Relaxed);
        Some(number)
    }

    /// A core has cut for a copy; what it holds needs a reader of this version.
    pub fn cut_for_dump(&self, version: u16) {
        self.0.dump_version.fetch_max(u64::from(version), Ordering::Relaxed);
    }

    /// The version a reader of the copy must know, once all cores have cut.
    pub fn dump_version(&self) -> u16 {
        u16::try_from(self.0.dump_version.load(Ordering::Relaxed)).unwrap_or(u16::MAX)
    }

    /// A core is ready for another cut; when all are, something else may begin.
    pub fn end_dump_part(&self) {
        if self.0.parts_left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.running.store(0, Ordering::Release);
        }
    }

    /// The copy under way, if there is one, is to make room.
    pub fn call_off_dump(&self) {
        let running = self.running();
        if running & DUMP > 0 {
            self.0.called_off.store(running & !DUMP, Ordering::Release);
        }
    }

    /// Whether the copy of this number is to make room.
    pub fn is_called_off(&self, number: u64) -> bool {
        self.0.called_off.load(Ordering::Acquire) == number
    }

    /// A core has cut; it had counted so many changes.
    pub fn cut(&self, changes: u64) {
        self.0.changes_at_cut.fetch_add(changes, Ordering::Relaxed);
    }

    /// A core has ended its part.
    pub fn end_part(&self, part: Option<PartWritten>) -> PartsEnded {
        match part {
            Some(PartWritten { keys, bytes }) => {
                self.0.keys.fetch_add(keys, Ordering::Relaxed);
                self.0.sizes.add_part(bytes);
            }
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

    /// The manifest of the snapshot under way counts: a start reads it. The logs of this run hold
    /// `logged` bytes so far.
    pub fn commit(&self, logged: u64) {
        let generation = self.0.running.load(Ordering::Relaxed);
        self.0.saved_generation.store(generation, Ordering::Relaxed);
        self.0.sizes.end(logged);
    }

    /// All is done that was to be done for the snapshot, or never will be.
    pub fn end(&self, well: bool, now_unix_ms: i64) {
        let shared = &*self.0;
        let began = shared.began_unix_ms.load(Ordering::Relaxed);
        shared.took_ms.store((now_unix_ms - began).max(0) + 1, Ordering::Relaxed);
        if well {
            let changes = shared.changes_at_cut.load(Ordering::Relaxed);
            shared.changes_saved.store(changes, Ordering::Relaxed);
            shared.saved_unix_ms.store(began, Ordering::Relaxed);
            shared.saved.fetch_add(1, Ordering::Relaxed);
            shared.failures.store(0, Ordering::Relaxed);
        } else if !self.is_cancelled() {
            // As in Valkey, one that was cancelled has neither failed nor gone well.
            shared.failures.fetch_add(1, Ordering::Relaxed);
        }
        shared.ended_well.store(well, Ordering::Relaxed);
        shared.saves.store(false, Ordering::Relaxed);
        shared.writes_rdb.store(false, Ordering::Relaxed);
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

    /// How large snapshot and logs are.
    pub fn sizes(&self) -> &LogSizes {
        &self.0.sizes
    }

    /// A core is to begin one for BGREWRITEAOF when the one under way has ended, or has begun it.
    pub fn schedule_rewrite(&self, scheduled: bool) {
        match scheduled {
            true => self.0.rewrites_scheduled.fetch_add(1, Ordering::Relaxed),
            false => self.0.rewrites_scheduled.fetch_sub(1, Ordering::Relaxed),
        };
    }

    /// Whether one is to follow for BGREWRITEAOF.
    pub fn has_rewrite_scheduled(&self) -> bool {
        self.0.rewrites_scheduled.load(Ordering::Relaxed) > 0
    }

    /// Notes what a start has found: when its snapshot was cut.
    pub fn found(&self, cut_unix_ms: i64) {
        self.0.saved_unix_ms.store(cut_unix_ms, Ordering::Relaxed);
    }

    /// For INFO and LASTSAVE.
    pub fn figures(&self) -> SnapshotFigures {
        let shared = &*self.0;
        let took = shared.took_ms.load(Ordering::Relaxed);
        let failures = shared.failures.load(Ordering::Relaxed);
        SnapshotFigures {
            running: self.running(),
            copies: self.running() & DUMP > 0,
            began_unix_ms: shared.began_unix_ms.load(Ordering::Relaxed),
            saved: shared.saved.load(Ordering::Relaxed),
            saved_generation: shared.saved_generation.load(Ordering::Relaxed),
            failures,
            ended_well: failures == 0,
            took_ms: (took > 0).then_some(took - 1),
            saved_unix_ms: shared.saved_unix_ms.load(Ordering::Relaxed),
            changes_saved: shared.changes_saved.load(Ordering::Relaxed),
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const fn part(keys: u64, bytes: u64) -> Option<PartWritten> {
        Some(PartWritten { keys, bytes })
    }

    #[test]
    fn copies_and_snapshots_take_turns() {
        let snapshots = Snapshots::default();
        assert_eq!(snapshots.claim_dump(2, 5), Some(1));
        assert!(!snapshots.claim(1, 2, 6), "a copy is under way");
        snapshots.cut_for_dump(12);
        snapshots.cut_for_dump(10);
        assert_eq!(snapshots.dump_version(), 12);
        snapshots.call_off_dump();
        assert!(snapshots.is_called_off(1));
        snapshots.end_dump_part();
        assert_ne!(snapshots.running(), 0, "one core is not ready");
        snapshots.end_dump_part();
        assert!(snapshots.claim(1, 1, 7));
        assert_eq!(snapshots.claim_dump(1, 8), None, "a snapshot is under way");
        snapshots.call_off_dump();
        assert!(!snapshots.is_called_off(2), "a snapshot is not called off");
        snapshots.commit(0);
        snapshots.end(true, 9);
        assert_eq!((snapshots.claim_dump(1, 9), snapshots.outcome(1)), (Some(2), Some(true)));
        assert_eq!(snapshots.dump_version(), 0, "of the last one");
    }

    #[test]
    fn one_snapshot_is_under_way_at_a_time_and_whoever_ends_the_last_part_knows_it() {
        let snapshots = Snapshots::default();
        assert!(snapshots.claim(4, 2, 1_000));
        assert!(!snapshots.claim(5, 2, 1_001), "one is under way");
        snapshots.cut(10);
        snapshots.cut(5);
        assert_eq!(snapshots.end_part(part(3, 300)), PartsEnded::NotYet);
        assert_eq!(snapshots.end_part(part(4, 400)), PartsEnded::Whole);
        assert_eq!(snapshots.outcome(4), None, "it is not committed");
        snapshots.commit(0);
        snapshots.end(true, 1_500);
        assert_eq!((snapshots.outcome(4), snapshots.outcome(5)), (Some(true), None));
        let figures = snapshots.figures();
        assert_eq!((figures.changes_saved, figures.took_ms), (15, Some(500)));
        assert_eq!((figures.saved_unix_ms, figures.saved, figures.running), (1_000, 1, 0));
    }

    #[test]
    fn a_save_that_is_cancelled_has_not_failed_and_a_rewriting_is_not_cancelled() {
        let snapshots = Snapshots::default();
        assert_eq!(snapshots.cancel_save(), None);
        assert!(snapshots.claim(1, 1, 2));
        snapshots.is_to_save(false);
        assert!(!snapshots.is_cancelled());
        assert_eq!(snapshots.cancel_save(), Some(Cancelled::Running));
        assert!(snapshots.is_cancelled());
        assert_eq!(snapshots.end_part(None), PartsEnded::Failed);
        snapshots.end(false, 3);
        let figures = snapshots.figures();
        assert!(figures.ended_well && figures.failures == 0, "the first there was");
        assert_eq!((snapshots.outcome(1), snapshots.outcome(2)), (Some(false), None));

        assert!(snapshots.claim(2, 1, 4));
        assert_eq!(snapshots.cancel_save(), None, "it is for the log");
        snapshots.schedule_save();
        assert_eq!(snapshots.cancel_save(), Some(Cancelled::Scheduled));
        assert!(!snapshots.take_scheduled_save() && !snapshots.is_cancelled());
        snapshots.end(false, 5);
        assert!(!snapshots.figures().ended_well);

        assert!(snapshots.claim(3, 1, 6));
        snapshots.is_to_save(false);
        assert_eq!(snapshots.cancel_save(), Some(Cancelled::Running));
        assert_eq!(snapshots.outcome(2), Some(false));
        snapshots.end(false, 7);
        assert!(!snapshots.figures().ended_well, "still");

        assert!(snapshots.claim(4, 1, 8));
        snapshots.is_to_save(false);
        assert_eq!(snapshots.cancel_save(), Some(Cancelled::Running));
        snapshots.end(true, 9);
        assert_eq!(snapshots.outcome(4), Some(true), "it was done before that was heard of");
        assert!(snapshots.figures().ended_well);
    }

    #[test]
    fn a_part_that_fails_fails_the_whole_and_the_last_good_one_still_counts() {
        let snapshots = Snapshots::default();
        assert!(snapshots.claim(2, 1, 7));
        assert_eq!(snapshots.end_part(part(1, 100)), PartsEnded::Whole);
        snapshots.commit(0);
        snapshots.end(true, 8);
        assert!(snapshots.claim(3, 2, 20));
        assert_eq!(snapshots.end_part(None), PartsEnded::NotYet);
        assert_eq!(snapshots.end_part(part(9, 900)), PartsEnded::Failed);
        snapshots.end(false, 30);
        let figures = snapshots.figures();
        assert!(!figures.ended_well);
        assert_eq!((figures.saved_unix_ms, figures.saved), (7, 1));
    }

    #[test]
    fn a_snapshot_releases_the_logs_before_its_cut_and_what_is_left_is_the_new_base() {
        let snapshots = Snapshots::default();
        let sizes = snapshots.sizes();
        sizes.found(1_000, 500);
        assert_eq!((sizes.current(80), sizes.base()), (1_580, 1_000));
        assert!(snapshots.claim(2, 2, 0));
        sizes.cut(60);
        sizes.cut(40);
        assert_eq!(snapshots.end_part(part(1, 300)), PartsEnded::NotYet);
        assert_eq!(snapshots.end_part(part(1, 200)), PartsEnded::Whole);
        assert_eq!(sizes.current(130), 1_630, "it does not count yet");
        snapshots.commit(130);
        snapshots.end(true, 1);
        assert_eq!((sizes.current(130), sizes.base()), (530, 530));
        assert_eq!((sizes.current(230), sizes.base()), (630, 530));
        assert!(snapshots.claim(3, 1, 2));
        sizes.cut(230);
        assert_eq!(snapshots.end_part(None), PartsEnded::Failed);
        snapshots.end(false, 3);
        assert_eq!((sizes.current(240), sizes.base()), (640, 530), "all of it is still needed");
        assert_eq!(snapshots.figures().failures, 1);
    }
}
