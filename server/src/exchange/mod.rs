//! Data of Redis and Valkey brought in from their files before the node serves: `--import`.
//!
//! An RDB file is read by every core, which keeps the keys of its own slots and passes over the
//! others. Append-only files are repeated by one shard first, since their commands may concern
//! several cores, and the keys are handed out. Cores answer meanwhile, between slices.

pub mod remote;
mod source;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use freehold_engine::base::time::UnixMillis;
use freehold_engine::config::Config;
use freehold_engine::exchange::aof::{Handed, Replay};
use freehold_engine::exchange::rdb::RdbReader;
use freehold_engine::exchange::{Fill, Filled, Limits};
use freehold_engine::mesh::{CoreId, Loading};
use freehold_engine::shard::Blueprint;

use crate::disk::recovery::{Loader, Slices};
use crate::observe::log;
use source::Source;

/// Commands repeated between two notes of how far that has come.
const COMMANDS_PER_NOTE: u64 = 512;

/// An import that is under way.
pub struct Import {
    path: PathBuf,
    source: Source,
    limits: Limits,
    cores: u16,
    now: UnixMillis,
    started: Instant,
    /// What append-only files have become, once they have been repeated.
    repeated: OnceLock<Result<Repeated, String>>,
}

/// The content of append-only files.
struct Repeated {
    /// What each core is to get.
    parts: Vec<Mutex<Vec<Handed>>>,
    expired: u64,
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
        let limits = Limits {
            key_bytes_max: config.max_key_bytes as usize,
            string_bytes_max: usize::try_from(config.value_hard_bytes).unwrap_or(usize::MAX),
            databases: u64::from(config.databases_in_use()),
        };
        let (path, repeated) = (path.to_owned(), OnceLock::new());
        Ok(Import { path, source, limits, cores, now, started: Instant::now(), repeated })
    }

    /// To be read by all cores together.
    pub fn bytes(&self) -> u64 {
        let passes = if self.source.is_rdb() { u64::from(self.cores) } else { 1 };
        self.source.bytes() * passes
    }

    /// Whether cores can get their keys, or never will.
    pub fn is_ready(&self) -> bool {
        self.source.is_rdb() || self.repeated.get().is_some()
    }

    /// Why cores cannot get their keys.
    pub fn fault(&self) -> Option<&String> {
        self.repeated.get()?.as_ref().err()
    }

    /// Repeats append-only files. Called once, unless it [`Import::is_ready`].
    pub fn repeat(&self, blueprint: Blueprint, loading: &Loading) {
        let _ = self.repeated.set(self.try_to_repeat(blueprint, loading));
    }

    fn try_to_repeat(&self, blueprint: Blueprint, loading: &Loading) -> Result<Repeated, String> {
        let Source::Commands(files) = &self.source else { return Err("no commands".to_owned()) };
        let mut replay = Replay::new(blueprint, self.limits)?;
        for (at, (path, bytes)) in files.iter().enumerate() {
            let shown = path.display();
            let file = File::open(path).map_err(|error| format!("--import {shown}: {error}"))?;
            let is_last = at + 1 == files.len();
            let mut read = Read { so_far: 0, loading };
            let torn = replay.file(file, is_last, |offset, done| {
                if done.is_multiple_of(COMMANDS_PER_NOTE) {
                    read.up_to(offset);
                }
            });
            let torn = torn.map_err(|error| format!("--import {shown}: {error}"))?;
            if let Some(torn) = torn {
                let cut = bytes - torn.offset;
                log::warning(
                    "The last command of the append-only file is not whole and was left out",
                    &[("file", &shown), ("offset", &torn.offset), ("bytes", &cut)],
                );
            }
            read.up_to(*bytes);
        }
        warn_of_functions(replay.functions());
        let (parts, filled) = replay.hand_out(self.cores, self.now);
        Ok(Repeated { parts: parts.into_iter().map(Mutex::new).collect(), expired: filled.expired })
    }

    /// Gives a core its keys, and time for its clients in between.
    ///
    /// # Errors
    /// A sentence with file, offset and key.
    pub fn fill(&self, loader: &mut impl Loader) -> Result<Filled, String> {
        let path = match &self.source {
            Source::Rdb(path, _) => path,
            Source::Commands(_) => return Ok(self.fill_repeated(loader)),
        };
        let filled = self.fill_from(path, loader);
        filled.map_err(|said| format!("--import {}: {said}", path.display()))
    }

    fn fill_repeated(&self, loader: &mut impl Loader) -> Filled {
        let mut filled = Filled::default();
        // A fault is the control thread's to tell.
        let Some(Ok(repeated)) = self.repeated.get() else { return filled };
        let core = loader.shard().id().index();
        let part = repeated.parts[core].lock().map(|mut part| std::mem::take(&mut *part));
        let mut slices = Slices::new(loader.shard());
        for handed in part.unwrap_or_default() {
            filled.count(handed.db);
            handed.put(loader.shard());
            slices.loaded(loader);
        }
        if core == 0 {
            filled.expired = repeated.expired;
        }
        filled
    }

    /// Every core reads the whole file; the first one alone sums it up, which costs a third of
    /// the time of a core that keeps nothing.
    fn fill_from(&self, path: &Path, loader: &mut impl Loader) -> Result<Filled, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let is_first = loader.shard().id() == CoreId(0);
        let loading = loader.shard().loading().clone();
        let mut read = Read { so_far: 0, loading: &loading };
        let mut reader = RdbReader::open(file, self.limits, is_first).map_err(|e| e.to_string())?;
        let (mut fill, mut filled) = (Fill::default(), Filled::default());
        let mut slices = Slices::new(loader.shard());
        loop {
            let record = reader.next(|_, key| loader.shard().owns(key));
            let Some(record) = record.map_err(|error| error.to_string())? else { break };
            if record.expiry.is_some_and(|at| at <= self.now) {
                filled.expired += 1;
            } else {
                let shard = loader.shard();
                let content = record.content(shard.rules()).map_err(|error| error.to_string())?;
                fill.put(shard, record.db as u8, record.key, content, record.expiry);
                filled.count(record.db as u8);
            }
            if slices.loaded(loader) {
                read.up_to(reader.offset());
            }
        }
        fill.finish(loader.shard());
        read.up_to(reader.offset());
        if is_first {
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

/// How far one file has been read, as INFO and the log are to tell it.
struct Read<'l> {
    so_far: u64,
    loading: &'l Loading,
}

impl Read<'_> {
    fn up_to(&mut self, offset: u64) {
        self.loading.note_read(offset - self.so_far);
        self.so_far = offset;
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
