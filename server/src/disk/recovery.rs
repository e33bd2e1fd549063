//! What a start finds in the data directory: the manifest says which snapshot and which logs count;
//! the logs are examined, several at a time, before any core serves; then every core loads what
//! concerns its slots.

use std::fmt::Display;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use freehold_engine::disk::{FileName, Files};
use freehold_engine::effect::Records;
use freehold_engine::log::{End, Examined, Findings, LogError, Replay, examine};
use freehold_engine::mesh::{CoreId, slots_of};
use freehold_engine::shard::Shard;
use freehold_engine::snapshot::{self, MANIFEST_BYTES_MAX, Manifest};

use super::directory::DataDirectory;
use crate::observe::log;

/// What counts, and the generation the next files have.
pub struct Found {
    manifest: Option<Manifest>,
    findings: Findings,
    pub generation: u64,
}

impl Found {
    /// Whether nothing was kept.
    pub fn is_empty(&self) -> bool {
        self.manifest.is_none() && self.findings.logs().iter().all(|log| log.records == 0)
    }

    /// When the snapshot was cut that counts; 0 if there is none.
    pub fn cut_unix_ms(&self) -> i64 {
        self.manifest.map_or(0, |manifest| manifest.created_unix_ms)
    }
}

/// Reads the manifest and examines all logs that count, on `threads` threads. Says what was cut
/// off.
///
/// # Errors
/// A sentence for the operator: a file cannot be read, or is damaged.
pub fn find(directory: &DataDirectory, threads: usize) -> Result<Found, String> {
    let started = Instant::now();
    let names = directory.files().list()?;
    let manifest = read_manifest(directory, &names)?;
    let first = manifest.map_or(0, |manifest| manifest.generation);
    let newest = names.iter().filter_map(|name| name.generation()).max();
    let generation = newest.unwrap_or(0).max(first) + 1;
    let counts =
        |name: &FileName| matches!(name, FileName::Log { generation, .. } if *generation >= first);
    let logs: Vec<FileName> = names.into_iter().filter(counts).collect();
    let examined = examine_all(directory, &logs, threads).map_err(|error| error.to_string())?;
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
    Ok(Found { manifest, findings, generation })
}

fn read_manifest(
    directory: &DataDirectory,
    names: &[FileName],
) -> Result<Option<Manifest>, String> {
    let snapshots = |name: &FileName| matches!(name, FileName::Snapshot { .. });
    if !names.contains(&FileName::Manifest) {
        if names.iter().any(snapshots) && !names.iter().any(|name| name.generation() == Some(1)) {
            let path = directory.path().display();
            return Err(format!(
                "{path} has snapshots and no MANIFEST: put it back, or move the files away"
            ));
        }
        return Ok(None);
    }
    let mut files = directory.files();
    let mut bytes = vec![0; MANIFEST_BYTES_MAX + 1];
    let read = files.read(FileName::Manifest, 0, &mut bytes).map_err(|error| error.to_string())?;
    let manifest = Manifest::decode(&bytes[..read])
        .map_err(|said| format!("{}/MANIFEST: {said}", directory.path().display()))?;
    let generation = manifest.generation;
    for core in 0..manifest.snapshots {
        let file = FileName::Snapshot { generation, core };
        if !names.contains(&file) {
            let path = directory.path().display();
            return Err(format!("{path}: the MANIFEST names {file}, which is not there"));
        }
    }
    Ok(Some(manifest))
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
    if let Some(manifest) = &found.manifest {
        load_snapshot(directory, manifest, shard)?;
    }
    replay(directory, found, shard).map_err(|error| error.to_string())
}

fn load_snapshot(
    directory: &DataDirectory,
    manifest: &Manifest,
    shard: &mut Shard,
) -> Result<(), String> {
    let started = Instant::now();
    let (slots, generation) = (shard.slots(), manifest.generation);
    let mut files = directory.files();
    let mut effects = 0_u64;
    for core in 0..manifest.snapshots {
        let file = FileName::Snapshot { generation, core };
        let theirs = slots_of(CoreId(core), manifest.snapshots);
        if theirs.start >= slots.end || slots.start >= theirs.end {
            continue;
        }
        snapshot::load(&mut files, file, slots.clone(), &mut |effect| {
            effects += 1;
            shard.load(effect)
        })
        .map_err(|error| error.to_string())?;
    }
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
