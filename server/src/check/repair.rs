//! Ends a log before its bad place, after a copy beside it is durable.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use freehold_engine::check::Repair;

/// Behind the name of the file in that of its copy.
const SUFFIX: &str = ".before-repair";

/// The file whose lock a server holds while it uses the directory.
const LOCK: &str = "LOCK";

/// Returns where the copy lies.
///
/// # Errors
/// A sentence: a server uses the directory, an earlier copy is there, or the disk refuses. The
/// file is as it was unless the sentence says otherwise.
pub fn repair(path: &Path, repair: Repair) -> Result<PathBuf, String> {
    let shown = path.display();
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let _lock = lock(directory)?;
    let mut copy = path.as_os_str().to_owned();
    copy.push(SUFFIX);
    let copy = PathBuf::from(copy);
    write_copy(path, &copy).map_err(|error| {
        format!("{shown} is left as it is, since {} cannot be made: {error}", copy.display())
    })?;
    let file = OpenOptions::new().write(true).open(path);
    let ended = file.and_then(|file| {
        file.set_len(repair.keep)?;
        file.set_len(repair.end)?;
        file.sync_all()
    });
    ended.map_err(|error| {
        format!("cannot repair {shown}: {error}; {} holds what it was", copy.display())
    })?;
    Ok(copy)
}

/// Keeps servers away until it is dropped.
fn lock(directory: &Path) -> Result<Option<File>, String> {
    let path = directory.join(LOCK);
    let file = match OpenOptions::new().write(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("cannot open {}: {error}", path.display())),
    };
    let shown = directory.display();
    file.try_lock()
        .map_err(|_| format!("a server uses {shown}; stop it before anything is repaired"))?;
    Ok(Some(file))
}

/// Copies to a name that must not be there yet, durably.
fn write_copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut copy = OpenOptions::new().write(true).create_new(true).open(to)?;
    io::copy(&mut File::open(from)?, &mut copy)?;
    copy.set_permissions(fs::metadata(from)?.permissions())?;
    copy.sync_all()?;
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}
