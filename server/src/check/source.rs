//! Files for the engine to read: one, wherever it lies and whatever it is called, or all of a
//! directory that nobody locks.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use freehold_engine::check;
use freehold_engine::disk::{FileName, Files, ReadError};

/// Enough of a file to see what it is.
const START_BYTES: usize = 4096;

pub struct Source {
    file: File,
    name: Option<FileName>,
}

impl Source {
    /// # Errors
    /// A sentence: it is not there, or cannot be read.
    pub fn open(path: &Path) -> Result<Source, String> {
        let mut source = Source::of(path, None)?;
        let mut start = [0; START_BYTES];
        let read = source.fill(0, &mut start).map_err(|error| unreadable(path, &error))?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        source.name = check::identify(name, &start[..read]);
        Ok(source)
    }

    /// One whose name is known: nothing of it is read for that.
    fn of(path: &Path, name: Option<FileName>) -> Result<Source, String> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        Ok(Source { file, name })
    }

    /// Which file of a data directory it is.
    pub fn name(&self) -> Option<FileName> {
        self.name
    }

    fn fill(&self, offset: u64, into: &mut [u8]) -> std::io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.file.read_at(&mut into[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

impl Files for Source {
    fn list(&self) -> Result<Vec<FileName>, String> {
        Ok(self.name.into_iter().collect())
    }

    fn len(&mut self, file: FileName) -> Result<u64, ReadError> {
        let about = self.file.metadata();
        about
            .map(|about| about.len())
            .map_err(|error| ReadError { file, reason: error.to_string() })
    }

    /// What is only looked at need not last.
    fn sync(&mut self, _file: FileName) -> Result<(), ReadError> {
        Ok(())
    }

    fn sync_names(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// Nobody knows, and nobody asks.
    fn is_older_than(&mut self, _file: FileName, _unix_ms: i64) -> Result<bool, ReadError> {
        Ok(false)
    }

    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        self.fill(offset, into).map_err(|error| ReadError { file, reason: error.to_string() })
    }
}

/// All files of ours in a directory, each opened while it is read.
pub struct Sources<'a>(pub &'a BTreeMap<FileName, PathBuf>);

impl Sources<'_> {
    fn open(&self, file: FileName) -> Result<Source, ReadError> {
        let open = |path: &PathBuf| Source::of(path, Some(file));
        let opened = self.0.get(&file).map_or(Err("it is not there".to_owned()), open);
        opened.map_err(|reason| ReadError { file, reason })
    }
}

impl Files for Sources<'_> {
    fn list(&self) -> Result<Vec<FileName>, String> {
        Ok(self.0.keys().copied().collect())
    }

    fn len(&mut self, file: FileName) -> Result<u64, ReadError> {
        self.open(file)?.len(file)
    }

    /// As for one.
    fn sync(&mut self, _file: FileName) -> Result<(), ReadError> {
        Ok(())
    }

    fn sync_names(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn is_older_than(&mut self, _file: FileName, _unix_ms: i64) -> Result<bool, ReadError> {
        Ok(false)
    }

    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        self.open(file)?.read(file, offset, into)
    }
}
