//! How far the node has come with reading what it has kept, for all cores to see: until every one
//! has its keys, each refuses what needs them. Written while the node starts, read once a turn.

use super::sync::{Arc, AtomicI64, AtomicU64, Ordering};

/// The loading of a node. Cheap to clone: every core has one.
#[derive(Clone, Debug, Default)]
pub struct Loading(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Cores that have yet to get their keys.
    cores_left: AtomicU64,
    began_unix_ms: AtomicI64,
    /// To be read by all cores together, and read so far.
    bytes: AtomicU64,
    bytes_read: AtomicU64,
}

/// Figures for INFO.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LoadingFigures {
    pub began_unix_ms: i64,
    pub bytes: u64,
    pub bytes_read: u64,
}

impl Loading {
    /// So many cores have to load before the node serves. Called before any of them turns.
    pub fn begin(&self, cores: u16, now_unix_ms: i64) {
        self.0.began_unix_ms.store(now_unix_ms, Ordering::Relaxed);
        self.0.cores_left.store(u64::from(cores), Ordering::Release);
    }

    /// Whether a core has yet to get its keys.
    #[inline]
    pub fn is_on(&self) -> bool {
        // Acquire: whoever sees the last core done sees the log that it has begun.
        self.0.cores_left.load(Ordering::Acquire) > 0
    }

    /// One more core has its keys, and keeps what changes from here on.
    pub fn core_done(&self) {
        let left = self.0.cores_left.fetch_sub(1, Ordering::AcqRel);
        assert!(left > 0, "more cores have loaded than were to");
    }

    /// A core is going to read so much.
    pub fn expect(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A core has read so much more.
    pub fn note_read(&self, bytes: u64) {
        self.0.bytes_read.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn figures(&self) -> LoadingFigures {
        let bytes = self.0.bytes.load(Ordering::Relaxed);
        LoadingFigures {
            began_unix_ms: self.0.began_unix_ms.load(Ordering::Relaxed),
            bytes,
            bytes_read: self.0.bytes_read.load(Ordering::Relaxed).min(bytes),
        }
    }
}
