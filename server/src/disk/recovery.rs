//! What a start finds in the data directory: the manifest says which snapshot and which logs count;
//! the logs are examined, several at a time, before any core serves; then every core loads what
//! concerns its slots.

use std::fmt::Display;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use freehold_engine::disk::{FileName, Files, ReadError};
use freehold_engine::effect::{Effect, Records};
use freehold_engine::log::{End, Examined, Findings, LogError, Numbers, Replay, examine};
use freehold_engine::mesh::Loading;
use freehold_engine::shard::Shard;
use freehold_engine::store::Kept;
use freehold_protocol::slot::SLOT_COUNT;

use super::directory::{DataDirectory, StoredFiles};
use crate::observe::log;

/// What counts, and the generation the next files have.
pub struct Found {
    pub kept: Kept,
    /// Of the snapshot.
    pub snapshot_bytes: u64,
    findings: Findings,
}

impl Found {
    /// Of the logs, as far as they are read.
    pub fn log_bytes(&self) -> u64 {
        self.findings.bytes(&(0..SLOT_COUNT))
    }

    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.kept.manifest.is_none() && self.findings.logs().iter().all(|log| log.records == 0)
    }
}

/// Effects between two looks at the clients: half a millisecond's.
const EFFECTS_PER_LOOK: u64 = 4096;

/// Syncs of files under way at a start; a thread waits for each.
const SYNCS_AT_ONCE: usize = 32;

/// Who loads: a core with clients.
pub trait Loader {
    fn shard(&mut self) -> &mut Shard;

    /// A slice has been loaded: whoever has asked for something meanwhile may be answered.
    fn look_up(&mut self);
}

/// Reads the manifest and examines all logs that count, on `threads` threads. Says what was cut
/// off.
///
/// # Errors
/// A sentence for the operator: a file cannot be read, or is damaged.
pub fn find(directory: &DataDirectory, threads: usize) -> Result<Found, String> {
    let started = Instant::now();
    let kept = Kept::find(&mut directory.files()).map_err(|said| located(directory, said))?;
    make_durable(directory, &kept.loose).map_err(|said| located(directory, said))?;
    let examined = examine_all(directory, &kept.logs, threads);
    let examined = examined.map_err(|error| located(directory, error))?;
    for found in &examined {
        if let End::Torn { at, lost } = found.end {
            let said: [(&str, &dyn Display); 3] =
                [("file", &found.file), ("offset", &at), ("bytes", &lost)];
            log::warning("A log ends in a write that was cut short; the rest is left out", &said);
        }
    }
    let findings = Findings::new(examined);
    if findings.dropped() > 0 {
        let said: [(&str, &dyn Display); 1] = [("transactions", &findings.dropped())];
        log::warning("Transactions that not all cores had written are left out", &said);
    }
    if !findings.is_empty() {
        let seconds = started.elapsed().as_secs_f64();
        let records: u64 = findings.logs().iter().map(|log| log.records).sum();
        let said: [(&str, &dyn Display); 3] = [
            ("files", &findings.logs().len()),
            ("records", &records),
            ("seconds", &format!("{seconds:.3}")),
        ];
        log::info("Logs examined", &said);
    }
    let mut files = directory.files();
    let lengths = kept.parts(&(0..SLOT_COUNT)).map(|file| files.len(file));
    let snapshot_bytes = lengths.sum::<Result<u64, _>>();
    let snapshot_bytes = snapshot_bytes.map_err(|error| located(directory, error))?;
    Ok(Found { kept, snapshot_bytes, findings })
}

/// Loads on `shard` what concerns its slots. Returns the numbering to go on with.
///
/// # Errors
/// A sentence: a file cannot be read, is not what it was, or records are missing.
pub fn load(
    directory: &DataDirectory,
    found: &Found,
    loader: &mut impl Loader,
) -> Result<Records, String> {
    let mut files = Counted::new(directory, loader.shard().loading().clone());
    let slots = loader.shard().slots();
    for file in found.kept.parts(&slots) {
        let bytes = files.len(file).map_err(|error| located(directory, error))?;
        files.loading.expect(bytes);
    }
    files.loading.expect(found.findings.bytes(&slots));
    if found.kept.manifest.is_some() {
        let loaded = load_snapshot(&mut files, &found.kept, loader);
        loaded.map_err(|error| located(directory, error))?;
    }
    replay(&mut files, found, loader).map_err(|error| located(directory, error))
}

/// What is wrong with files, which go by their names alone, and where they are.
fn located(directory: &DataDirectory, said: impl Display) -> String {
    format!("{}: {said}", directory.path().display())
}

/// Files whose reading shows in INFO.
struct Counted {
    files: StoredFiles,
    loading: Loading,
}

impl Counted {
    fn new(directory: &DataDirectory, loading: Loading) -> Counted {
        Counted { files: directory.files(), loading }
    }
}

impl Files for Counted {
    fn list(&self) -> Result<Vec<FileName>, String> {
        self.files.list()
    }

    fn len(&mut self, file: FileName) -> Result<u64, ReadError> {
        self.files.len(file)
    }

    fn sync(&mut self, file: FileName) -> Result<(), ReadError> {
        self.files.sync(file)
    }

    fn sync_names(&mut self) -> Result<(), String> {
        self.files.sync_names()
    }

    fn is_older_than(&mut self, file: FileName, unix_ms: i64) -> Result<bool, ReadError> {
        self.files.is_older_than(file, unix_ms)
    }

    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let read = self.files.read(file, offset, into)?;
        self.loading.note_read(read as u64);
        Ok(read)
    }
}

/// Effects or keys loaded so far, with a look at the clients now and then.
pub struct Slices {
    effects: u64,
    delay: Duration,
}

impl Slices {
    pub fn new(shard: &Shard) -> Slices {
        let delay_us = shard.config().persistence.key_load_delay_us;
        Slices { effects: 0, delay: Duration::from_micros(delay_us.into()) }
    }

    /// One more has been loaded. Returns whether that ended a slice.
    #[inline]
    pub fn loaded(&mut self, loader: &mut impl Loader) -> bool {
        self.effects += 1;
        let ends = self.effects.is_multiple_of(EFFECTS_PER_LOOK) || !self.delay.is_zero();
        if ends {
            thread::sleep(self.delay);
            loader.look_up();
        }
        ends
    }
}

fn load_snapshot(files: &mut Counted, kept: &Kept, loader: &mut impl Loader) -> Result<(), String> {
    let started = Instant::now();
    let slots = loader.shard().slots();
    let mut slices = Slices::new(loader.shard());
    let mut visit = |effect: &Effect<'_>| {
        let makes_sense = loader.shard().load(effect);
        slices.loaded(loader);
        makes_sense
    };
    let loaded = kept.load_snapshot(files, &slots, &mut visit);
    loaded.map_err(|error| error.to_string())?;
    let (shard, effects) = (loader.shard(), slices.effects);
    let seconds = format!("{:.3}", started.elapsed().as_secs_f64());
    let said: [(&str, &dyn Display); 3] =
        [("core", &shard.id().0), ("effects", &effects), ("seconds", &seconds)];
    log::info("Snapshot loaded", &said);
    Ok(())
}

fn replay(files: &mut Counted, found: &Found, loader: &mut impl Loader) -> Result<Records, String> {
    let started = Instant::now();
    let mut records = Records::default();
    let mut slices = Slices::new(loader.shard());
    let numbers = match loader.shard().config().persistence.log_load_gaps {
        true => Numbers::Unchecked,
        false => found.kept.numbers(),
    };
    let mut replay = Replay::new(&found.findings, loader.shard().slots(), numbers);
    let mut unknown = None;
    let replayed = replay.run(files, |placed| {
        if let Some(slot) = placed.slot {
            records.resume(slot, placed.sequence);
        }
        if !loader.shard().replay(&placed) {
            unknown.get_or_insert((placed.slot, placed.sequence));
        }
        slices.loaded(loader);
    });
    replayed.map_err(|error| error.to_string())?;
    if let Some((slot, number)) = unknown {
        let slot = slot.map_or("all slots".to_owned(), |slot| format!("slot {}", slot.number()));
        return Err(format!(
            "a log tells of a change that is not known here: number {number} of {slot}; another \
             version has written it"
        ));
    }
    let (shard, effects) = (loader.shard(), slices.effects);
    if effects > 0 {
        let seconds = format!("{:.3}", started.elapsed().as_secs_f64());
        let said: [(&str, &dyn Display); 3] =
            [("core", &shard.id().0), ("effects", &effects), ("seconds", &seconds)];
        log::info("Logs replayed", &said);
    }
    Ok(records)
}

/// Before anything is believed: the names, and the files that may not be durable. All at once, so
/// that on a slow disk it takes hardly longer than one sync.
fn make_durable(directory: &DataDirectory, loose: &[FileName]) -> Result<(), String> {
    let (next, outcome) = (AtomicUsize::new(0), Mutex::new(Ok(())));
    let sync_next = |files: &mut StoredFiles| match next.fetch_add(1, Ordering::Relaxed) {
        0 => Some(files.sync_names()),
        more => {
            let name = loose.get(more - 1)?;
            Some(files.sync(*name).map_err(|error| error.to_string()))
        }
    };
    thread::scope(|scope| {
        for _ in 0..SYNCS_AT_ONCE.min(loose.len() + 1) {
            scope.spawn(|| {
                let mut files = directory.files();
                while let Some(synced) = sync_next(&mut files) {
                    if synced.is_err() {
                        *outcome.lock().unwrap_or_else(|broken| broken.into_inner()) = synced;
                        return;
                    }
                }
            });
        }
    });
    outcome.into_inner().unwrap_or_else(|broken| broken.into_inner())
}

fn examine_all(
    directory: &DataDirectory,
    logs: &[FileName],
    threads: usize,
) -> Result<Vec<Examined>, LogError> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Ok(Vec::new())));
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, logs.len().max(1)) {
            scope.spawn(|| {
                let mut files = directory.files();
                while let Some(name) = logs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = examine(&mut files, *name);
                    let mut found = found.lock().unwrap_or_else(|broken| broken.into_inner());
                    match (outcome, &mut *found) {
                        (Ok(examined), Ok(all)) => all.extend(examined),
                        (Err(error), Ok(_)) => *found = Err(error),
                        (_, Err(_)) => return,
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(|broken| broken.into_inner())
}
