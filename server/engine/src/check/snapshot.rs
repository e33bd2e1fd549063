//! Looks at a snapshot, by loading it value by value into nothing, and at the manifest.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use freehold_protocol::slot::{SLOT_COUNT, Slot};

use super::{Report, Verdict};
use crate::disk::{FileName, Files, ReadError};
use crate::effect::Effect;
use crate::mesh::{CoreId, slots_of};
use crate::snapshot::{Header, LoadError, MANIFEST_BYTES_MAX, Manifest, load, summary};
use crate::value::{Kind, Rules, Value};

pub(super) fn inspect(files: &mut dyn Files, file: FileName) -> Result<Report, ReadError> {
    let mut report = Report::new(file, Verdict::Sound);
    let said = match summary(files, file) {
        Ok(said) => said,
        Err(error) => {
            refuse(&mut report, files, error)?;
            return Ok(report);
        }
    };
    let Header { generation, core, cores, cut_unix_ms } = said.header;
    report.created_unix_ms = Some(cut_unix_ms);
    report.tell(format!("snapshot of core {core} of {cores}, generation {generation}"));
    report.tell(format!("{} keys in {} blocks", said.keys, said.blocks));
    if (FileName::Snapshot { generation, core }) != file {
        let why = "its name says another core or generation".to_owned();
        report.blame(Verdict::Damaged, 0, why, None);
        return Ok(report);
    }
    let own = slots_of(CoreId(core), cores);
    let (mut values, mut last_database) = (Values::default(), 0);
    let loaded = load(files, file, 0..SLOT_COUNT, &mut |effect| {
        let Some((db, key)) = effect.place() else { return false };
        last_database = last_database.max(db);
        own.contains(&Slot::of_key(key).number()) && values.take(effect)
    });
    match loaded {
        Ok(_) => {
            let bytes = said.file_bytes;
            report.tell(format!("{bytes} bytes, highest database {last_database}"));
        }
        Err(error) => refuse(&mut report, files, error)?,
    }
    Ok(report)
}

fn refuse(report: &mut Report, files: &mut dyn Files, error: LoadError) -> Result<(), ReadError> {
    let (offset, fault) = match error {
        LoadError::Read(error) => return Err(error),
        LoadError::Broken { offset, fault, .. } => (offset, fault),
    };
    let mut start = [0; 8];
    let read = files.read(report.file, 0, &mut start)?;
    let meant = start.get(..read).is_some_and(Header::is_meant);
    let verdict = if meant { Verdict::Damaged } else { Verdict::Foreign };
    report.blame(verdict, offset, fault.to_string(), None);
    Ok(())
}

/// The collection that is being made, since edits may go on with it.
#[derive(Default)]
struct Values {
    rules: Rules,
    last: Option<(u8, Vec<u8>, Kind, Value)>,
}

impl Values {
    /// Whether an effect makes a value, or goes on with the one before.
    fn take(&mut self, effect: &Effect<'_>) -> bool {
        match *effect {
            Effect::Set { .. } => {
                self.last = None;
                true
            }
            Effect::Put { db, key, kind, .. } => {
                self.last = effect.value(&self.rules).map(|value| (db, key.to_vec(), kind, value));
                self.last.is_some()
            }
            Effect::Edit { db, key, kind, edit } => match &mut self.last {
                Some((of_db, of_key, of_kind, value)) if *of_key == key => {
                    (*of_db, *of_kind) == (db, kind) && value.apply_encoded(edit, &self.rules)
                }
                _ => false,
            },
            _ => false,
        }
    }
}

pub(super) fn inspect_manifest(files: &mut dyn Files, file: FileName) -> Result<Report, ReadError> {
    let mut report = Report::new(file, Verdict::Sound);
    let mut bytes = vec![0; MANIFEST_BYTES_MAX + 1];
    let read = files.read(file, 0, &mut bytes)?;
    bytes.truncate(read);
    match Manifest::decode(&bytes) {
        Ok(manifest) => {
            let Manifest { generation, snapshots, created_unix_ms } = manifest;
            report.created_unix_ms = Some(created_unix_ms);
            report.tell(format!("manifest: generation {generation}, {snapshots} snapshot files"));
            report.manifest = Some(manifest);
        }
        Err(why) => {
            let meant = bytes.starts_with(b"freehold-manifest");
            let verdict = if meant { Verdict::Damaged } else { Verdict::Foreign };
            report.blame(verdict, 0, why, None);
        }
    }
    Ok(report)
}
