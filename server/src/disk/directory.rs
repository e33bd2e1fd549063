//! The data directory: made if it is not there, locked against a second server, read at start.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use freehold_engine::disk::{FileName, Files, ReadError};

/// The name of the file whose lock says that a server uses the directory.
const LOCK: &str = "LOCK";

/// Where the data directory is, opened when it is first needed: a node that keeps nothing makes
/// none.
pub struct DataPlace {
    path: PathBuf,
    opened: OnceLock<DataDirectory>,
    /// Held by whoever opens it: two of this process would each find it locked by the other.
    opening: Mutex<()>,
}

impl DataPlace {
    pub fn new(path: PathBuf) -> DataPlace {
        DataPlace { path, opened: OnceLock::new(), opening: Mutex::new(()) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a node has kept something there.
    pub fn is_used(&self) -> bool {
        self.path.join(LOCK).exists()
    }

    /// The directory, opened or made. What has failed is tried anew the next time.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(&self) -> Result<&DataDirectory, String> {
        if let Some(directory) = self.opened.get() {
            return Ok(directory);
        }
        let _alone = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = self.opened.get() {
            return Ok(directory);
        }
        let directory = DataDirectory::open(self.path.clone())?;
        Ok(self.opened.get_or_init(|| directory))
    }

    /// Removes what the snapshot of `generation` has made superfluous: logs and snapshots of
    /// earlier generations, and drafts that nobody writes any more.
    ///
    /// # Errors
    /// A file cannot be removed; the others are.
    pub fn tidy(&self, generation: u64) -> Result<usize, String> {
        self.remove(|name| name.generation().is_some_and(|of| of < generation))
    }

    /// Removes the parts of a snapshot that will never count.
    ///
    /// # Errors
    /// As [`DataPlace::tidy`].
    pub fn remove_snapshot(&self, generation: u64) -> Result<usize, String> {
        self.remove(
            |name| matches!(name, FileName::Snapshot { generation: of, .. } if *of == generation),
        )
    }

    fn remove(&self, is_over: impl Fn(&FileName) -> bool) -> Result<usize, String> {
        let directory = self.open()?;
        let (mut removed, mut failed) = (0, Ok(0));
        for name in directory.files().list()?.into_iter().filter(is_over) {
            match fs::remove_file(directory.path.join(name.to_string())) {
                Ok(()) => removed += 1,
                Err(error) => failed = Err(format!("{name} cannot be removed: {error}")),
            }
        }
        failed.map(|_: usize| removed)
    }
}

/// An open data directory. While it lives no other server can open it.
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Opens or makes the directory, and locks it.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(path: PathBuf) -> Result<DataDirectory, String> {
        let shown = path.display().to_string();
        make_durably(&path).map_err(|error| {
            format!("cannot make the data directory {shown}: {error}; see `dir`")
        })?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(|error| format!("cannot write in the data directory {shown}: {error}"))?;
        lock.try_lock().map_err(|_| {
            format!(
                "another server uses the data directory {shown}; give this one its own `dir` or \
                 `appenddirname`"
            )
        })?;
        Ok(DataDirectory { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// By which to read it; every reader has its own.
    pub fn files(&self) -> StoredFiles {
        StoredFiles { path: self.path.clone(), open: None }
    }
}

/// Makes the directory and those above it as needed, and their names durable: whatever is synced
/// below a name that a loss of power takes is lost with it.
fn make_durably(path: &Path) -> io::Result<()> {
    let missing = path.ancestors().take_while(|above| !above.exists()).count();
    fs::create_dir_all(path)?;
    // Of a directory that was there too: who made it may have been killed before the sync.
    for parent in path.ancestors().skip(1).take(missing.max(1)) {
        let synced = File::open(parent).and_then(|parent| parent.sync_all());
        // One that is not ours to read was made by an operator.
        synced.or_else(|error| if missing > 0 { Err(error) } else { Ok(()) })?;
    }
    Ok(())
}

/// Reads a data directory. Keeps the file it read last open.
pub struct StoredFiles {
    path: PathBuf,
    open: Option<(FileName, File)>,
}

impl StoredFiles {
    fn file(&mut self, name: FileName) -> Result<&File, ReadError> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != name) {
            let file = File::open(self.path.join(name.to_string()));
            let file = file.map_err(|error| failed(name, &error))?;
            self.open = Some((name, file));
        }
        match &self.open {
            Some((_, file)) => Ok(file),
            None => Err(failed(name, &io::Error::from(io::ErrorKind::NotFound))),
        }
    }
}

fn failed(file: FileName, error: &io::Error) -> ReadError {
    ReadError { file, reason: error.to_string() }
}

impl Files for StoredFiles {
    fn list(&self) -> Result<Vec<FileName>, String> {
        let entries = fs::read_dir(&self.path)
            .map_err(|error| format!("cannot list {}: {error}", self.path.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| format!("{}: {error}", self.path.display()))?;
            names.extend(entry.file_name().to_str().and_then(FileName::parse));
        }
        names.sort_unstable();
        Ok(names)
    }

    fn len(&mut self, file: FileName) -> Result<u64, ReadError> {
        let metadata = self.file(file)?.metadata();
        metadata.map(|m| m.len()).map_err(|error| failed(file, &error))
    }

    fn sync(&mut self, file: FileName) -> Result<(), ReadError> {
        self.file(file)?.sync_data().map_err(|error| failed(file, &error))
    }

    fn sync_names(&mut self) -> Result<(), String> {
        let synced = File::open(&self.path).and_then(|directory| directory.sync_all());
        synced.map_err(|error| format!("cannot sync {}: {error}", self.path.display()))
    }

    fn is_older_than(&mut self, file: FileName, unix_ms: i64) -> Result<bool, ReadError> {
        // Of the inode, which no program sets: a copy has that of its making.
        let changed = self.file(file)?.metadata().map_err(|error| failed(file, &error))?;
        let changed_ms = changed.ctime().saturating_mul(1_000) + changed.ctime_nsec() / 1_000_000;
        Ok(changed_ms < unix_ms)
    }

    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let opened = self.file(file)?;
        let mut filled = 0;
        while filled < into.len() {
            match opened.read_at(&mut into[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(file, &error)),
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_could_not_be_made_is_made_when_it_can_be() {
        // The first BGSAVE of a server without a log found a file in the way, and every later one
        // failed as well when the file was gone.
        let name = format!("freehold-directory-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, "in the way").expect("a file");
        let place = DataPlace::new(path.clone());
        assert!(place.open().is_err(), "a file is no directory");

        fs::remove_file(&path).expect("it is there");

        assert!(place.open().is_ok());
        assert!(place.is_used());
        drop(place);
        fs::remove_dir_all(&path).expect("it was made");
    }
}
