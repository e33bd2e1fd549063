//! What a start finds in the data directory: all logs are examined, several at a time, before any
//! core serves; then every core replays what concerns its slots.

use std::fmt::Display;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use freehold_engine::disk::{FileName, Files};
use freehold_engine::effect::Records;
use freehold_engine::log::{End, Examined, Findings, LogError, Replay, examine};
use freehold_engine::shard::Shard;

use super::directory::DataDirectory;
use crate::observe::log;

/// What the logs hold, and the generation the next ones have.
pub struct Found {
    pub findings: Findings,
    pub generation: u64,
}

/// Examines all logs on `threads` threads, and says what was cut off.
///
/// # Errors
/// A sentence for the operator: a file cannot be read, or is damaged.
pub fn find(directory: &DataDirectory, threads: usize) -> Result<Found, String> {
    let started = Instant::now();
    let names = directory.files().list()?;
    let newest = names.iter().filter_map(|name| match name {
        FileName::Log { generation, .. } => Some(*generation),
        _ => None,
    });
    let generation = newest.max().unwrap_or(0) + 1;
    let logs: Vec<FileName> =
        names.into_iter().filter(|name| matches!(name, FileName::Log { .. })).collect();
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
    Ok(Found { findings, generation })
}

/// Replays on `shard` what concerns its slots. Returns the numbering to go on with.
///
/// # Errors
/// A file cannot be read.
pub fn replay(
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
