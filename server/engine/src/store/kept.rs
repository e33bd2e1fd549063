//! Which files of a data directory count: the snapshot that the manifest names, and the logs that
//! begin with it or after it and rest on no other. Everything else is left over from before, or was
//! never finished.

use std::ops::Range;

use crate::disk::{FileName, Files};
use crate::effect::Effect;
use crate::log::Header;
use crate::mesh::{CoreId, slots_meet};
use crate::snapshot::{self, LoadError, MANIFEST_BYTES_MAX, Manifest};

/// Of a log, more than its header takes.
const HEADER_BYTES: usize = 128;

/// What counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    pub manifest: Option<Manifest>,
    /// In the order of their generations.
    pub logs: Vec<FileName>,
    /// The generation of files to come: no file has it or a later one.
    pub generation: u64,
}

impl Kept {
    /// Looks at what is there.
    ///
    /// # Errors
    /// A sentence: the manifest cannot be read, is missing, or names what is not there.
    pub fn find(files: &mut dyn Files) -> Result<Kept, String> {
        let names = files.list()?;
        let manifest = manifest_of(files, &names)?;
        let first = manifest.map_or(0, |manifest| manifest.generation);
        let newest = names.iter().filter_map(FileName::generation).max();
        let generation = newest.unwrap_or(0).max(first) + 1;
        let is_log = |name: &FileName| matches!(name, FileName::Log { .. });
        let since = |name: &FileName| is_log(name) && name.generation() >= Some(first);
        let mut logs = Vec::new();
        for name in names.into_iter().filter(since) {
            if log_counts(files, name, first)? {
                logs.push(name);
            }
        }
        logs.sort_unstable();
        Ok(Kept { manifest, logs, generation })
    }

    /// When the snapshot was cut that counts; 0 if there is none.
    pub fn cut_unix_ms(&self) -> i64 {
        self.manifest.map_or(0, |manifest| manifest.created_unix_ms)
    }

    /// The files of the snapshot that counts which have any of `slots`.
    pub fn parts(&self, slots: &Range<u16>) -> impl Iterator<Item = FileName> {
        let (slots, manifest) = (slots.clone(), self.manifest);
        manifest.into_iter().flat_map(move |Manifest { generation, snapshots, .. }| {
            let slots = slots.clone();
            (0..snapshots)
                .filter(move |core| slots_meet(CoreId(*core), snapshots, &slots))
                .map(move |core| FileName::Snapshot { generation, core })
        })
    }

    /// As [`snapshot::load`] for all files of the snapshot that counts; without one, nothing.
    ///
    /// # Errors
    /// A file cannot be read, or is not what it was.
    pub fn load_snapshot(
        &self,
        files: &mut dyn Files,
        slots: &Range<u16>,
        visit: &mut dyn FnMut(&Effect<'_>) -> bool,
    ) -> Result<(), LoadError> {
        for file in self.parts(slots) {
            snapshot::load(files, file, slots.clone(), visit)?;
        }
        Ok(())
    }
}

/// Whether it counts beside the snapshot of generation `first`. One whose header was never written
/// holds nothing, which whoever examines it finds out.
fn log_counts(files: &mut dyn Files, name: FileName, first: u64) -> Result<bool, String> {
    let mut start = [0; HEADER_BYTES];
    let read = files.read(name, 0, &mut start).map_err(|error| error.to_string())?;
    Ok(Header::decode(&start[..read]).map_or(true, |header| header.counts(first)))
}

fn manifest_of(files: &mut dyn Files, names: &[FileName]) -> Result<Option<Manifest>, String> {
    if !names.contains(&FileName::Manifest) {
        let snapshots = names.iter().any(|name| matches!(name, FileName::Snapshot { .. }));
        let from_the_first = names.iter().any(|name| name.generation() == Some(1));
        if snapshots && !from_the_first {
            return Err("there are snapshots and no MANIFEST: put it back, or move the files away"
                .to_owned());
        }
        return Ok(None);
    }
    let mut bytes = vec![0; MANIFEST_BYTES_MAX + 1];
    let read = files.read(FileName::Manifest, 0, &mut bytes).map_err(|error| error.to_string())?;
    let manifest = Manifest::decode(&bytes[..read])
        .map_err(|said| format!("{}: {said}", FileName::Manifest))?;
    let generation = manifest.generation;
    let all = (0..manifest.snapshots).map(|core| FileName::Snapshot { generation, core });
    match all.into_iter().find(|file| !names.contains(file)) {
        Some(file) => Err(format!("the MANIFEST names {file}, which is not there")),
        None => Ok(Some(manifest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Memory;

    const fn log(generation: u64) -> FileName {
        FileName::Log { generation, core: 0 }
    }

    const fn snapshot_file(generation: u64) -> FileName {
        FileName::Snapshot { generation, core: 0 }
    }

    fn found(names: &[FileName], manifest: Option<Manifest>) -> Result<Kept, String> {
        let mut files = Memory(names.iter().map(|name| (*name, Vec::new())).collect());
        if let Some(manifest) = manifest {
            files.0.insert(FileName::Manifest, manifest.encode());
        }
        Kept::find(&mut files)
    }

    #[test]
    fn logs_from_before_the_snapshot_that_counts_do_not() {
        let names = [log(9), log(10), log(11), snapshot_file(10), snapshot_file(12)];
        let manifest = Manifest { generation: 10, snapshots: 1, created_unix_ms: 7 };
        let kept = found(&names, Some(manifest)).expect("all is there");
        assert_eq!(kept.logs, [log(10), log(11)]);
        assert_eq!((kept.generation, kept.cut_unix_ms()), (13, 7));
    }

    #[test]
    fn a_log_that_rests_on_a_snapshot_counts_from_when_that_does() {
        let header = |generation, rests_on| Header {
            generation,
            core: 0,
            cores: 1,
            created_unix_ms: 0,
            rests_on,
        };
        let (old, begun, goes_on, after) = (header(4, 0), header(5, 5), header(6, 5), header(7, 0));
        let mut files = Memory::default();
        for header in [old, begun, goes_on, after] {
            files.0.insert(log(header.generation), header.encode());
        }
        for (snapshot, counts) in [
            (0, vec![log(4), log(7)]),
            (4, vec![log(4), log(7)]),
            (5, vec![log(5), log(6), log(7)]),
            (6, vec![log(6), log(7)]),
        ] {
            if snapshot > 0 {
                let manifest = Manifest { generation: snapshot, snapshots: 1, created_unix_ms: 0 };
                files.0.insert(FileName::Manifest, manifest.encode());
                files.0.insert(snapshot_file(snapshot), Vec::new());
            }
            let kept = Kept::find(&mut files).expect("all is there");
            assert_eq!(kept.logs, counts, "with the snapshot of {snapshot}");
        }
    }

    #[test]
    fn what_is_missing_is_named_and_an_empty_directory_is_a_beginning() {
        let manifest = Manifest { generation: 10, snapshots: 2, created_unix_ms: 7 };
        let error = found(&[snapshot_file(10)], Some(manifest)).unwrap_err();
        assert!(error.contains("snapshot-00000010-001.fhs, which is not there"), "{error}");
        assert!(found(&[snapshot_file(10), log(10)], None).unwrap_err().contains("no MANIFEST"));
        let unfinished = found(&[log(1), log(2), snapshot_file(2)], None).expect("it was not done");
        assert_eq!((unfinished.logs, unfinished.generation), (vec![log(1), log(2)], 3));
        let empty = Kept { manifest: None, logs: Vec::new(), generation: 1 };
        assert_eq!(found(&[], None), Ok(empty));
    }
}
