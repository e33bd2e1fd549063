//! The RDB file that follows a snapshot under `snapshot-format rdb`: made of the snapshot's files,
//! which are durable by then, on a thread of its own, so that no core waits for it. The snapshot
//! ends, for INFO, LASTSAVE and whoever waits for it, when the file has its place or never will.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use freehold_engine::disk::FileName;
use freehold_engine::exchange::rdb::{RdbWriter, Written};
use freehold_engine::mesh::Snapshots;
use freehold_engine::shard::RdbFile;
use freehold_engine::snapshot::{Manifest, Unwritten, write_snapshot};

use super::directory::DataPlace;
use super::part_file::PartFile;
use crate::observe::log;
use crate::runtime::clock;

/// The version the file says it has unless a value needs a newer one: redis-server 7.0's.
const VERSION: u16 = 10;

/// Bytes of the checksum at the end.
const SUM_BYTES: u64 = 8;

/// Writes such files, one after the other.
pub struct RdbSaver {
    place: Arc<DataPlace>,
    snapshots: Snapshots,
    /// The node ends without waiting for the file.
    called_off: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RdbSaver {
    pub fn new(place: Arc<DataPlace>, snapshots: Snapshots) -> RdbSaver {
        RdbSaver { place, snapshots, called_off: Arc::default(), thread: None }
    }

    /// Begins the file of a snapshot that has been committed, and ends that snapshot with it.
    pub fn begin(&mut self, manifest: Manifest, file: RdbFile) {
        let (place, snapshots) = (Arc::clone(&self.place), self.snapshots.clone());
        let called_off = Arc::clone(&self.called_off);
        let save = move || {
            let goes_on = || !called_off.load(Ordering::Relaxed) && !snapshots.is_cancelled();
            let well = tell(&file.name, write(&place, manifest, &file, &goes_on));
            snapshots.end(well, clock::unix_ms());
        };
        match thread::Builder::new().name("rdb".to_owned()).spawn(save) {
            // The one before has ended, or this snapshot would not have begun.
            Ok(thread) => self.thread = Some(thread),
            Err(error) => {
                log::warning("The RDB file cannot be written: no thread", &[("error", &error)]);
                self.snapshots.end(false, clock::unix_ms());
            }
        }
    }

    /// Gives up what is under way; nothing of it is left behind.
    pub fn end(&mut self) {
        self.called_off.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic has brought the process down already.
            let _ = thread.join();
        }
    }
}

/// What has come of a file.
struct Saved {
    keys: u64,
    bytes: u64,
    seconds: f64,
}

fn write(
    place: &DataPlace,
    manifest: Manifest,
    file: &RdbFile,
    goes_on: &dyn Fn() -> bool,
) -> Result<Saved, Unwritten> {
    let Manifest { generation, snapshots, created_unix_ms } = manifest;
    let started = Instant::now();
    let refused = |said| Unwritten::Sink(io::Error::other(said));
    let mut files = place.open().map_err(refused)?.files();
    let writer = begin(Path::new(&file.name), &file.redis_version, created_unix_ms)
        .map_err(Unwritten::Sink)?;
    let parts = (0..snapshots).map(|core| FileName::Snapshot { generation, core });
    let (keys, written) = write_snapshot(&mut files, parts, file.databases, writer, goes_on)?;
    let bytes = complete(written).map_err(Unwritten::Sink)?;
    Ok(Saved { keys, bytes, seconds: started.elapsed().as_secs_f64() })
}

/// Begins a file with data of this time, of a server that says it is such a redis-server. It has
/// its place when it is [`complete`].
///
/// # Errors
/// It cannot be made.
pub fn begin(place: &Path, redis_version: &str, unix_ms: i64) -> io::Result<RdbWriter<PartFile>> {
    let made = unix_ms.div_euclid(1000).to_string();
    let about = [("redis-ver", redis_version), ("redis-bits", "64"), ("ctime", &made)];
    RdbWriter::new(PartFile::create(place)?, VERSION, &about)
}

/// Gives a file its place; tells its size.
///
/// # Errors
/// The file that was there before still is.
pub fn complete(written: Written<PartFile>) -> io::Result<u64> {
    let Written { sink: mut part, bytes, better } = written;
    if let Some((header, sum)) = better {
        part.overwrite(0, &header)?;
        part.overwrite(bytes - SUM_BYTES, &sum.to_le_bytes())?;
    }
    part.complete()?;
    Ok(bytes)
}

/// Says how it has ended; whether well.
fn tell(name: &str, outcome: Result<Saved, Unwritten>) -> bool {
    let why: &dyn Display = match &outcome {
        Ok(Saved { keys, bytes, seconds }) => {
            let seconds = format!("{seconds:.2}");
            let said: [(&str, &dyn Display); 4] =
                [("file", &name), ("keys", keys), ("bytes", bytes), ("seconds", &seconds)];
            log::info("RDB file saved", &said);
            return true;
        }
        Err(Unwritten::Snapshot(error)) => error,
        Err(Unwritten::Sink(error)) => error,
        Err(Unwritten::CalledOff) => &"it was cancelled, or the node ends",
    };
    let said: [(&str, &dyn Display); 2] = [("file", &name), ("why", why)];
    log::warning("The RDB file cannot be written; the snapshot itself counts", &said);
    false
}
