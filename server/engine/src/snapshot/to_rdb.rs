//! An RDB file made of the files of a snapshot: the same moment, for Redis and Valkey. It is made
//! from what is on the disk already, so the cores need not hold still or keep old values for it,
//! and it takes the memory of one key at a time, however many there are.

use std::io::{self, Write};

use super::{LoadError, load};
use crate::disk::{FileName, Files};
use crate::effect::{Effect, apply};
use crate::keyspace::Keyspace;
use crate::rdb::{RdbWriter, Written};
use freehold_protocol::slot::SLOT_COUNT;

/// Why there is no file.
#[derive(Debug)]
pub enum Unwritten {
    /// The snapshot cannot be read.
    Snapshot(LoadError),
    /// The sink takes no more.
    Sink(io::Error),
    /// Whoever wanted it wants it no longer.
    CalledOff,
}

/// Writes what `parts` hold, all files of one snapshot, and tells how many keys that are. `goes_on`
/// is asked before each key.
///
/// # Errors
/// See [`Unwritten`]; what has been written so far is of no use.
pub fn write_snapshot<W: Write>(
    files: &mut dyn Files,
    parts: impl IntoIterator<Item = FileName>,
    databases: usize,
    writer: RdbWriter<W>,
    goes_on: &dyn Fn() -> bool,
) -> Result<(u64, Written<W>), Unwritten> {
    let mut making = Making {
        writer,
        // Nobody chooses keys that collide in a table of one.
        keyspace: Keyspace::new(0..SLOT_COUNT, databases, [0; 4]),
        key: None,
        db: None,
        keys: 0,
        failed: None,
        goes_on,
    };
    for part in parts {
        let read = load(files, part, 0..SLOT_COUNT, &mut |effect| making.take(effect));
        read.map_err(|error| making.failed.take().unwrap_or(Unwritten::Snapshot(error)))?;
    }
    if !making.write_key() {
        return Err(making.failed.unwrap_or(Unwritten::CalledOff));
    }
    let written = making.writer.finish().map_err(Unwritten::Sink)?;
    Ok((making.keys, written))
}

struct Making<'g, W> {
    writer: RdbWriter<W>,
    /// Holds one key, which its effects have made so far: a collection may have many.
    keyspace: Keyspace,
    key: Option<(u8, Vec<u8>)>,
    /// The database whose keys follow in the file.
    db: Option<u8>,
    keys: u64,
    failed: Option<Unwritten>,
    goes_on: &'g dyn Fn() -> bool,
}

impl<W: Write> Making<'_, W> {
    /// Takes an effect of a snapshot. False: there is no going on.
    fn take(&mut self, effect: &Effect<'_>) -> bool {
        let Some((db, key)) = effect.place() else { return false };
        if usize::from(db) >= self.keyspace.databases() {
            return false;
        }
        match effect {
            Effect::Set { .. } | Effect::Put { .. } => {
                if !self.write_key() {
                    return false;
                }
                self.key = Some((db, key.to_vec()));
            }
            _ if self.key.as_ref().is_some_and(|(of, name)| (*of, &name[..]) == (db, key)) => {}
            _ => return false,
        }
        apply(&mut self.keyspace, effect, 0)
    }

    /// Writes the key that is complete, if there is one.
    fn write_key(&mut self) -> bool {
        let Some((db, name)) = self.key.take() else { return true };
        if !(self.goes_on)() {
            self.failed = Some(Unwritten::CalledOff);
            return false;
        }
        if self.db != Some(db) {
            self.db = Some(db);
            self.writer.select(u64::from(db));
        }
        let key = self.keyspace.key_ref(&name);
        let Some(entry) = self.keyspace.get(db, &key) else { return false };
        if let Err(error) = self.writer.entry(&entry) {
            self.failed = Some(Unwritten::Sink(error));
            return false;
        }
        self.keyspace.remove(db, &key);
        while self.keyspace.reclaim_slice(RECLAIMED_A_STEP) {}
        self.keys += 1;
        true
    }
}

/// Entries' worth of memory that is freed at a time.
const RECLAIMED_A_STEP: usize = 4096;
