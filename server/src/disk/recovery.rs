//! What a start finds in the data directory: the manifest says which snapshot and which logs count;
//! the logs are examined, several at a time, before any core serves; then every core loads what
//! concerns its slots.

use std::fmt::Display;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use freehold_engine::disk::FileName;
use freehold_engine::effect::{Effect, Records};
use freehold_engine::log::{End, Examined, Findings, LogError, Replay, examine};
use freehold_engine::shard::Shard;
use freehold_engine::store::Kept;

use super::directory::DataDirectory;
use crate::observe::log;

/// What counts, and the generation the next files have.
pub struct Found {
    pub kept: Kept,
    findings: Findings,
}

impl Found {
    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.kept.manifest.is_none() && self.findings.logs().iter().all(|log| log.records == 0)
    }
}

/// Reads the manifest and examines all logs that count, on `threads` threads. Says what was cut
/// off.
///
/// # Errors
/// A sentence for the operator: a file cannot be read, or is damaged.
pub fn find(directory: &DataDirectory, threads: usize) -> Result<Found, String> {
    let started = Instant::now();
    let path = directory.path().display();
    let kept = Kept::find(&mut directory.files()).map_err(|said| format!("{path}: {said}"))?;
    let examined =
        examine_all(directory, &kept.logs, threads).map_err(|error| error.to_string())?;
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
    Ok(Found { kept, findings })
}

/// Loads on `shard` what concerns its slots. Returns the numbering to go on with.
///
/// # Errors
/// A sentence: a file cannot be read, or is not what it was.
pub fn load(
    directory: &DataDirectory,
    found: &Found,
    shard: &mut Shard,
) -> Result<Records, String> {
    if found.kept.manifest.is_some() {
        load_snapshot(directory, &found.kept, shard)?;
    }
    replay(directory, found, shard).map_err(|error| error.to_string())
}

fn load_snapshot(directory: &DataDirectory, kept: &Kept, shard: &mut Shard) -> Result<(), String> {
    let started = Instant::now();
    let (slots, mut effects) = (shard.slots(), 0_u64);
    let mut visit = |effect: &Effect<'_>| {
        effects += 1;
        shard.load(effect)
    };
    let loaded = kept.load_snapshot(&mut directory.files(), &slots, &mut visit);
    loaded.map_err(|error| error.to_string())?;
    let seconds = format!("{:.3}", started.elapsed().as_secs_f64());
    let said: [(&str, &dyn Display); 3] =
        [("core", &shard.id().0), ("effects", &effects), ("seconds", &seconds)];
    log::info("Snapshot loaded", &said);
    Ok(())
}

fn replay(
    directory: &DataDirectory,
    found: &Found,
    shard: &mut Shard,
) -> Result<Records, LogError> {
    let started = Instant::now();
    let mut records = Records::default();
    let mut effects = 0_u64;
    let mut replay = Replay::new(&found.findings, shard.slots());
    replay.run(&mut directory.files(), |placed| {
        effects += 1;
        if let Some(slot) = placed.slot {
            records.resume(slot, placed.sequence);
        }
        shard.replay(&placed);
    })?;
    if effects > 0 {
        let seconds = format!("{:.3}", started.elapsed().as_secs_f64());
        let said: [(&str, &dyn Display); 3] =
            [("core", &shard.id().0), ("effects", &effects), ("seconds", &seconds)];
        log::info("Logs replayed", &said);
    }
    Ok(records)
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
