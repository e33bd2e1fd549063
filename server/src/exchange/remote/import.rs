//! `freehold import`: the keys of an RDB file, or of append-only files, into a running server.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};

use freehold_engine::base::time::UnixMillis;
use freehold_engine::config::Config;
use freehold_engine::exchange::aof::Replay;
use freehold_engine::exchange::rdb::{RdbReader, seal_entry};
use freehold_engine::exchange::{Limits, ReadError};
use freehold_protocol::resp::value::Value;

use super::meter::Meter;
use super::peer::{Peer, shown};
use crate::config::Target;
use crate::exchange::source::Source;
use crate::node;
use crate::runtime::clock;

/// Bytes and keys that may be under way; half of them are waited for together.
const BYTES_MAX: usize = 4 * 1024 * 1024;
const KEYS_MAX: usize = 4096;

/// Bytes that are collected before they are sent.
const SEND_BYTES: usize = 64 * 1024;

/// What Redis allows a string to be. The server refuses what is longer than it takes.
const STRING_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Databases there may be while append-only files are repeated: their numbers are bytes.
const DATABASES_MAX: u32 = 256;

enum Asked {
    Select(u64),
    Restore(Vec<u8>),
}

/// Keys on their way to a server.
struct Sender {
    peer: Peer,
    replace: bool,
    db: Option<u64>,
    /// What is under way, with its bytes.
    asked: VecDeque<(Asked, usize)>,
    bytes_asked: usize,
    unsent: usize,
    restored: u64,
    expired: u64,
    functions: u64,
}

/// Puts the keys of what lies at `path` into a server.
///
/// # Errors
/// A sentence. Keys before the one it speaks of are in the server.
pub(super) fn run(server: &Target, path: &Path, replace: bool) -> Result<(), String> {
    let source = Source::find(path)?;
    let mut sender = Sender::new(Peer::connect(server)?, replace);
    let mut meter = Meter::new("Importing");
    let done = match &source {
        Source::Rdb(path, bytes) => sender.keys(path, *bytes, &mut meter),
        Source::Commands(files) => sender.commands(files, source.bytes(), &mut meter),
    };
    done.and_then(|()| sender.settle(0)).map_err(|said| match sender.restored {
        0 => said,
        keys => format!("{said} ({keys} keys have been imported before)"),
    })?;
    if sender.functions > 0 {
        eprintln!("freehold: {} libraries of functions were left out", sender.functions);
    }
    let seconds = meter.seconds();
    let (address, shown) = (sender.peer.address(), path.display());
    let (keys, expired) = (sender.restored, sender.expired);
    let more = match expired {
        0 => String::new(),
        expired => format!(", {expired} past their deadline left out"),
    };
    meter.end(&format!("Imported {keys} keys of {shown} to {address} in {seconds:.2} s{more}"));
    Ok(())
}

impl Sender {
    fn new(peer: Peer, replace: bool) -> Sender {
        let (db, asked) = (None, VecDeque::new());
        let (bytes_asked, unsent) = (0, 0);
        let (restored, expired, functions) = (0, 0, 0);
        Sender { peer, replace, db, asked, bytes_asked, unsent, restored, expired, functions }
    }

    /// The keys of an RDB file.
    fn keys(&mut self, path: &Path, bytes: u64, meter: &mut Meter) -> Result<(), String> {
        let shown = path.display();
        let failed = |error: ReadError| format!("{shown}: {error}");
        let file = File::open(path).map_err(|error| format!("{shown}: {error}"))?;
        let limits = limits(u64::from(u32::MAX));
        let mut reader = RdbReader::open(file, limits, true).map_err(failed)?;
        let now = clock::read().unix_ms;
        let (mut payload, mut count) = (Vec::new(), 0_u64);
        while let Some(record) = reader.next(|_, _| true).map_err(failed)? {
            if record.expiry.is_some_and(|at| at <= now) {
                self.expired += 1;
            } else {
                record.payload(&mut payload);
                self.put(record.db, record.key, record.expiry, &payload)?;
            }
            count += 1;
            if count.is_multiple_of(256) {
                meter.at(reader.offset(), bytes, self.restored);
            }
        }
        self.functions = reader.notes().functions;
        Ok(())
    }

    /// What append-only files have made, when all are repeated.
    fn commands(
        &mut self,
        files: &[(PathBuf, u64)],
        bytes: u64,
        meter: &mut Meter,
    ) -> Result<(), String> {
        let mut config = Config::default();
        config.databases = DATABASES_MAX;
        let limits = limits(u64::from(DATABASES_MAX));
        let mut replay = Replay::new(node::blueprint_apart(config)?, limits)?;
        let mut before = 0;
        for (at, (path, size)) in files.iter().enumerate() {
            let shown = path.display();
            let file = File::open(path).map_err(|error| format!("{shown}: {error}"))?;
            let is_last = at + 1 == files.len();
            let torn = replay.file(file, is_last, |offset, _| meter.at(before + offset, bytes, 0));
            if let Some(torn) = torn.map_err(|error| format!("{shown}: {error}"))? {
                let cut = size - torn.offset;
                eprintln!("freehold: {shown}: the last {cut} bytes are torn and were left out");
            }
            before += size;
        }
        self.functions = replay.functions();
        let mut payload = Vec::new();
        self.expired = replay.for_each(clock::read().unix_ms, |db, entry| {
            seal_entry(entry, &mut payload);
            meter.at(bytes, bytes, self.restored);
            self.put(u64::from(db), entry.key(), entry.expiry(), &payload)
        })?;
        Ok(())
    }

    fn put(
        &mut self,
        db: u64,
        key: &[u8],
        deadline: Option<UnixMillis>,
        payload: &[u8],
    ) -> Result<(), String> {
        if self.db != Some(db) {
            self.db = Some(db);
            self.ask(Asked::Select(db), &[b"SELECT", db.to_string().as_bytes()]);
        }
        // With ABSTTL 0 is no deadline.
        let deadline = deadline.map_or(0, |at| at.0).to_string();
        let words: [&[u8]; 6] =
            [b"RESTORE", key, deadline.as_bytes(), payload, b"ABSTTL", b"REPLACE"];
        let count = if self.replace { words.len() } else { words.len() - 1 };
        self.ask(Asked::Restore(key.to_vec()), &words[..count]);
        if self.unsent >= SEND_BYTES {
            self.send()?;
        }
        if self.bytes_asked >= BYTES_MAX || self.asked.len() >= KEYS_MAX {
            self.settle(KEYS_MAX / 2)?;
        }
        Ok(())
    }

    fn ask(&mut self, asked: Asked, words: &[&[u8]]) {
        let bytes = words.iter().map(|word| word.len()).sum();
        self.peer.ask(words);
        self.unsent += bytes;
        self.bytes_asked += bytes;
        self.asked.push_back((asked, bytes));
    }

    fn send(&mut self) -> Result<(), String> {
        self.unsent = 0;
        self.peer.send()
    }

    /// Hears answers until so many requests and half of the bytes are under way.
    fn settle(&mut self, requests: usize) -> Result<(), String> {
        self.send()?;
        while self.asked.len() > requests || self.bytes_asked > BYTES_MAX / 2 {
            let Some((asked, bytes)) = self.asked.pop_front() else { break };
            self.bytes_asked -= bytes;
            match (asked, self.peer.hear()?) {
                (Asked::Restore(key), Value::Error(text)) => {
                    return Err(self.peer.refusal(&format!("RESTORE {}", shown(&key)), &text));
                }
                (Asked::Select(db), Value::Error(text)) => {
                    return Err(self.peer.refusal(&format!("SELECT {db}"), &text));
                }
                (Asked::Restore(_), _) => self.restored += 1,
                (Asked::Select(_), _) => {}
            }
        }
        Ok(())
    }
}

fn limits(databases: u64) -> Limits {
    Limits { key_bytes_max: STRING_BYTES_MAX, string_bytes_max: STRING_BYTES_MAX, databases }
}
