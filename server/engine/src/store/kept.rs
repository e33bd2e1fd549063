//! Which files of a data directory count: the snapshot that the manifest names, and the logs that
//! begin with it or after it and rest on no other. Everything else is left over from before, or was
//! never finished.

use std::ops::Range;

use crate::disk::{FileName, Files, ReadError};
use crate::effect::Effect;
use crate::log::{Beginning, Numbers};
use crate::mesh::{CoreId, slots_meet};
use crate::snapshot::{self, LoadError, MANIFEST_BYTES_MAX, Manifest};

/// What counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    pub manifest: Option<Manifest>,
    /// In the order of their generations.
    pub logs: Vec<FileName>,
    /// Those of them that may not be durable. After the death of a process, but not of its host, a
    /// file holds more than the disk does: what is served from it, and what the next log builds on
    /// it, would be gone with the power. Whoever believes what is there syncs these first, and the
    /// names.
    pub loose: Vec<FileName>,
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
        let (mut logs, mut begun) = (Vec::new(), Vec::new());
        for name in names.into_iter().filter(since) {
            let beginning = Beginning::read(files, name).map_err(|error| error.to_string())?;
            // One whose header was never written holds nothing, which whoever examines it finds
            // out.
            if beginning.is_none_or(|log| log.header.counts(first)) {
                logs.push(name);
                begun.extend(beginning);
            }
        }
        logs.sort_unstable();
        let loose = loose_of(files, &begun).map_err(|error| error.to_string())?;
        Ok(Kept { manifest, logs, loose, generation })
    }

    /// When the snapshot was cut that counts; 0 if there is none.
    pub fn cut_unix_ms(&self) -> i64 {
        self.manifest.map_or(0, |manifest| manifest.created_unix_ms)
    }

    /// With what numbers the slots begin in the logs.
    pub fn numbers(&self) -> Numbers {
        match self.manifest {
            Some(_) => Numbers::FromAny,
            None => Numbers::FromOne,
        }
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

/// Which of these may not be durable: what no other proves to be, or has been put in its place
/// since. One without a batch says nothing that could be lost.
fn loose_of(files: &mut dyn Files, logs: &[Beginning]) -> Result<Vec<FileName>, ReadError> {
    let mut loose = Vec::new();
    for log in logs.iter().filter(|log| log.has_batches) {
        let proofs = logs.iter().filter(|later| later.proves(log));
        let proven = match proofs.map(|later| later.header.created_unix_ms).max() {
            Some(since_unix_ms) => files.is_older_than(log.file, since_unix_ms)?,
            None => false,
        };
        if !proven {
            loose.push(log.file);
        }
    }
    Ok(loose)
}

fn manifest_of(files: &mut dyn Files, names: &[FileName]) -> Result<Option<Manifest>, String> {
    if !names.contains(&FileName::Manifest) {
        if Manifest::is_missing(names) {
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
    use crate::log::Header;

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
            life: if generation == 6 { 5 } else { generation },
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

    /// A log of so many cores, with a batch or without.
    fn begun(generation: u64, core: u16, cores: u16, has_batches: bool) -> Beginning {
        let (created_unix_ms, life) = (generation as i64, generation);
        let header = Header { generation, core, cores, created_unix_ms, rests_on: 0, life };
        Beginning { file: FileName::Log { generation, core }, header, has_batches }
    }

    #[test]
    fn a_log_is_loose_until_one_that_rests_on_it_shows_that_it_is_durable() {
        let loose = |logs: &[Beginning]| -> Vec<u64> {
            let loose = loose_of(&mut Memory::default(), logs).expect("readable");
            loose.iter().filter_map(FileName::generation).collect()
        };
        let (first, second) = (begun(1, 0, 1, true), begun(2, 0, 1, true));
        assert_eq!(loose(&[first]), [1]);
        assert_eq!(loose(&[first, second]), [2]);
        assert_eq!(loose(&[first, begun(2, 0, 1, false)]), [1], "nothing rests on it yet");
        assert_eq!(loose(&[first, begun(2, 0, 2, false)]), [] as [u64; 0], "a start has synced it");
        let pair = [begun(1, 0, 2, true), begun(1, 1, 2, true), begun(2, 0, 2, true)];
        assert_eq!(loose(&pair), [1, 2], "core 1 may be behind");
        assert_eq!(loose(&[begun(1, 0, 1, false)]), [] as [u64; 0], "there is nothing in it");
    }

    #[test]
    fn a_log_put_back_since_is_loose_whatever_rests_on_it() {
        struct Copies(Memory);
        impl Files for Copies {
            fn list(&self) -> Result<Vec<FileName>, String> {
                self.0.list()
            }
            fn len(&mut self, file: FileName) -> Result<u64, ReadError> {
                self.0.len(file)
            }
            fn sync(&mut self, file: FileName) -> Result<(), ReadError> {
                self.0.sync(file)
            }
            fn sync_names(&mut self) -> Result<(), String> {
                self.0.sync_names()
            }
            fn is_older_than(&mut self, _: FileName, unix_ms: i64) -> Result<bool, ReadError> {
                Ok(unix_ms > 100)
            }
            fn read(&mut self, file: FileName, at: u64, to: &mut [u8]) -> Result<usize, ReadError> {
                self.0.read(file, at, to)
            }
        }
        for (later, loose) in [(99, vec![1, 99]), (101, vec![101])] {
            let logs = [begun(1, 0, 1, true), begun(later, 0, 1, true)];
            let found = loose_of(&mut Copies(Memory::default()), &logs).expect("readable");
            let found: Vec<u64> = found.iter().filter_map(FileName::generation).collect();
            assert_eq!(found, loose, "copied at 100, and the next log is of {later}");
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
        let empty = Kept { manifest: None, logs: Vec::new(), loose: Vec::new(), generation: 1 };
        assert_eq!(found(&[], None), Ok(empty));
    }
}
