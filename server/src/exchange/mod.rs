//! Data of Redis and Valkey brought in from their files before the node serves: `--import`.
//!
//! An RDB file is read by every core, which keeps the keys of its own slots and passes over the
//! others. Append-only files are repeated by one shard first, since their commands may concern
//! several cores, and the keys are handed out.

pub mod progress;
pub mod remote;
mod source;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use freehold_engine::base::time::UnixMillis;
use freehold_engine::config::Config;
use freehold_engine::exchange::aof::{Handed, Replay};
use freehold_engine::exchange::rdb::RdbReader;
use freehold_engine::exchange::{Fill, Filled, Limits};
use freehold_engine::shard::{Blueprint, Shard};

use crate::observe::log;
use progress::Progress;
use source::Source;

/// Keys between two reports of one core.
const REPORT_KEYS: u64 = 512;

/// An import that is under way.
pub struct Import {
    path: PathBuf,
    source: Source,
    limits: Limits,
    cores: u16,
    now: UnixMillis,
    started: Instant,
    /// Of append-only files, what each core is to get.
    parts: Vec<Mutex<Option<Vec<Handed>>>>,
    expired: u64,
    pub progress: Progress,
}

impl Import {
    /// Looks at what is to be imported.
    ///
    /// # Errors
    /// A sentence: it is not there, or nothing that can be read.
    pub fn open(
        path: &Path,
        config: &Config,
        cores: u16,
        now: UnixMillis,
    ) -> Result<Import, String> {
        let source = Source::find(path).map_err(|said| format!("--import {said}"))?;
        let passes = if source.is_rdb() { u64::from(cores) } else { 1 };
        let limits = Limits {
            key_bytes_max: config.max_key_bytes as usize,
            string_bytes_max: usize::try_from(config.value_hard_bytes).unwrap_or(usize::MAX),
            databases: u64::from(config.databases_in_use()),
        };
        let progress = Progress::new(cores, source.bytes() * passes);
        Ok(Import {
            path: path.to_owned(),
            source,
            limits,
            cores,
            now,
            started: Instant::now(),
            parts: Vec::new(),
            expired: 0,
            progress,
        })
    }

    /// Repeats append-only files; nothing to be done for an RDB file.
    ///
    /// # Errors
    /// A sentence with file and offset.
    pub fn replay(&mut self, blueprint: impl FnOnce() -> Blueprint) -> Result<(), String> {
        let Source::Commands(files) = &self.source else { return Ok(()) };
        let mut replay = Replay::new(blueprint(), self.limits)?;
        let mut before = 0;
        for (at, (path, bytes)) in files.iter().enumerate() {
            let shown = path.display();
            let file = File::open(path).map_err(|error| format!("--import {shown}: {error}"))?;
            let is_last = at + 1 == files.len();
            let torn = replay.file(file, is_last, |offset, done| {
                self.progress.at(0, before + offset, done);
                self.progress.tell();
            });
            let torn = torn.map_err(|error| format!("--import {shown}: {error}"))?;
            if let Some(torn) = torn {
                let cut = bytes - torn.offset;
                log::warning(
                    "The last command of the append-only file is not whole and was left out",
                    &[("file", &shown), ("offset", &torn.offset), ("bytes", &cut)],
                );
            }
            before += bytes;
        }
        warn_of_functions(replay.functions());
        let (parts, filled) = replay.hand_out(self.cores, self.now);
        self.parts = parts.into_iter().map(|part| Mutex::new(Some(part))).collect();
        self.expired = filled.expired;
        Ok(())
    }

    /// Gives a core its keys.
    ///
    /// # Errors
    /// A sentence with file, offset and key.
    pub fn fill(&self, shard: &mut Shard) -> Result<Filled, String> {
        match &self.source {
            Source::Rdb(path, _) => self
                .fill_from(path, shard)
                .map_err(|said| format!("--import {}: {said}", path.display())),
            Source::Commands(_) => {
                let core = shard.id().index();
                let mut filled = Filled::default();
                let part = self.parts.get(core).and_then(|part| part.lock().ok()?.take());
                for handed in part.unwrap_or_default() {
                    filled.count(handed.db);
                    handed.put(shard);
                }
                if core == 0 {
                    filled.expired = self.expired;
                }
                Ok(filled)
            }
        }
    }

    /// Every core reads the whole file; the first one alone sums it up, which costs a third of
    /// the time of a core that keeps nothing.
    fn fill_from(&self, path: &Path, shard: &mut Shard) -> Result<Filled, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let id = shard.id();
        let mut reader =
            RdbReader::open(file, self.limits, id.0 == 0).map_err(|e| e.to_string())?;
        let (mut fill, mut filled) = (Fill::default(), Filled::default());
        let mut looked_at = 0_u64;
        loop {
            let record =
                reader.next(|_, key| shard.owns(key)).map_err(|error| error.to_string())?;
            let Some(record) = record else { break };
            looked_at += 1;
            if record.expiry.is_some_and(|at| at <= self.now) {
                filled.expired += 1;
            } else {
                let content = record.content(shard.rules()).map_err(|error| error.to_string())?;
                fill.put(shard, record.db as u8, record.key, content, record.expiry);
                filled.count(record.db as u8);
            }
            if looked_at.is_multiple_of(REPORT_KEYS) {
                self.progress.at(id.index(), reader.offset(), looked_at);
            }
        }
        fill.finish(shard);
        self.progress.at(id.index(), reader.offset(), looked_at);
        if id.0 == 0 {
            warn_of_functions(reader.notes().functions);
        }
        Ok(filled)
    }

    /// Says what has come.
    pub fn announce(&self, filled: &Filled) {
        let seconds = self.started.elapsed().as_secs_f64().max(1e-6);
        let databases = filled.keys.iter().enumerate().filter(|(_, keys)| **keys > 0);
        let databases: Vec<String> = databases.map(|(db, keys)| format!("db{db}:{keys}")).collect();
        let rate = self.source.bytes() as f64 / 1e6 / seconds;
        log::info(
            "Imported",
            &[
                ("from", &self.path.display()),
                ("keys", &filled.total()),
                ("databases", &databases.join(",")),
                ("expired", &filled.expired),
                ("seconds", &format!("{seconds:.3}")),
                ("mb-per-second", &format!("{rate:.1}")),
            ],
        );
    }
}

fn warn_of_functions(libraries: u64) {
    if libraries > 0 {
        log::warning(
            "Libraries of functions were left out: this server does not run functions",
            &[("libraries", &libraries)],
        );
    }
}
