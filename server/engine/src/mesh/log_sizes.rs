//! How large what a node keeps has become: the snapshot that counts and the logs behind it, beside
//! what they were when it was made. Every core counts the bytes of its logs on and on; a cut notes
//! how far each had come, and once the snapshot counts so much of the sum is released:
//!
//! ```text
//! size = snapshot and logs found at the start, or the last snapshot + logs since the start
//!        - logs up to the last cut
//! ```

use super::sync::{AtomicU64, Ordering};

/// Sizes in bytes, of all cores together.
#[derive(Debug, Default)]
pub struct LogSizes {
    /// What counts beside the logs of this run.
    kept: AtomicU64,
    /// Of the logs of this run, what the last snapshot has made superfluous.
    released: AtomicU64,
    base: AtomicU64,
    /// Of the snapshot under way: its files, and the logs before its cut.
    snapshot: AtomicU64,
    at_cut: AtomicU64,
}

impl LogSizes {
    /// Notes what a start has found. As in Redis, what the logs held when the last snapshot was
    /// done is not known any more: the snapshot alone is the base.
    pub fn found(&self, snapshot: u64, logs: u64) {
        self.kept.store(snapshot + logs, Ordering::Relaxed);
        self.base.store(snapshot, Ordering::Relaxed);
    }

    /// A snapshot begins.
    pub(super) fn begin(&self) {
        self.snapshot.store(0, Ordering::Relaxed);
        self.at_cut.store(0, Ordering::Relaxed);
    }

    /// A core has cut; so many bytes of its logs belong before it.
    pub fn cut(&self, log_bytes: u64) {
        self.at_cut.fetch_add(log_bytes, Ordering::Relaxed);
    }

    /// A core has written its part of the snapshot.
    pub(super) fn add_part(&self, bytes: u64) {
        self.snapshot.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The snapshot counts; the logs of this run hold `logged` bytes so far.
    pub(super) fn end(&self, logged: u64) {
        let snapshot = self.snapshot.load(Ordering::Relaxed);
        self.kept.store(snapshot, Ordering::Relaxed);
        self.released.store(self.at_cut.load(Ordering::Relaxed), Ordering::Relaxed);
        self.base.store(self.current(logged), Ordering::Relaxed);
    }

    /// What counts now, when the logs of this run hold `logged` bytes.
    pub fn current(&self, logged: u64) -> u64 {
        let released = self.released.load(Ordering::Relaxed);
        self.kept.load(Ordering::Relaxed) + logged.saturating_sub(released)
    }

    /// What counted when the last snapshot was done.
    pub fn base(&self) -> u64 {
        self.base.load(Ordering::Relaxed)
    }
}
