//! Reading configuration files and what they include.
//!
//! As in Redis, an include may name several files and hold wildcards, which match in alphabetical
//! order and may match none; relative paths start in the directory the server was started in.

use freehold_engine::base::glob::{self, Case};
use freehold_engine::config::{FileError, Loader, Step};
use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// Includes within includes: more is a file that includes itself.
const DEPTH_MAX: usize = 16;

/// Largest configuration file: far above any real one, so that `/dev/zero` ends.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// Reads a file and all it includes.
///
/// # Errors
/// A file that cannot be read, or the first line that is wrong, with file, line and remedy.
pub(super) fn read(loader: &mut Loader, path: &Path) -> Result<(), String> {
    read_nested(loader, path, 0)
}

/// Reads the standard input like a file.
pub(super) fn read_standard_input(loader: &mut Loader) -> Result<(), String> {
    let name = Path::new("standard input");
    let text = text_of(name, std::io::stdin().lock())?;
    take_lines(loader, name, &text, 0)
}

fn read_nested(loader: &mut Loader, path: &Path, depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("{}: includes nest deeper than {DEPTH_MAX} files", path.display()));
    }
    let file = fs::File::open(path)
        .map_err(|error| format!("cannot read configuration file {}: {error}", path.display()))?;
    let text = text_of(path, file)?;
    take_lines(loader, path, &text, depth)
}

fn text_of(path: &Path, source: impl Read) -> Result<String, String> {
    let mut bytes = Vec::new();
    source
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("cannot read configuration file {}: {error}", path.display()))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{}: larger than {FILE_BYTES_MAX} bytes", path.display()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        format!("{}, line {}: not UTF-8 text", path.display(), line + 1)
    })
}

fn take_lines(loader: &mut Loader, path: &Path, text: &str, depth: usize) -> Result<(), String> {
    for (index, line) in text.lines().enumerate() {
        let step = loader.line(line).map_err(|refusal| {
            let error = FileError {
                line: index + 1,
                text: line.to_owned(),
                reason: refusal.reason,
                allowed: refusal.allowed,
            };
            format!("{}, {error}", path.display())
        })?;
        if let Step::Include(patterns) = step {
            for pattern in patterns {
                for included in matching(Path::new(&pattern))? {
                    read_nested(loader, &included, depth + 1)?;
                }
            }
        }
    }
    Ok(())
}

/// The files a pattern stands for, in alphabetical order. A path without wildcards stands for
/// itself, so that a missing file is an error; one with wildcards may stand for nothing.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let name = component.as_os_str();
        let is_wild = matches!(component, Component::Normal(_))
            && name.as_bytes().iter().any(|byte| b"*?[".contains(byte));
        let mut next = Vec::new();
        for base in found {
            if is_wild {
                next.extend(entries(&base, name)?);
            } else {
                next.push(base.join(name));
            }
        }
        found = next;
    }
    if pattern.as_os_str().as_bytes().iter().any(|byte| b"*?[".contains(byte)) {
        found.retain(|path| path.is_file());
    }
    Ok(found)
}

/// Entries of a directory that match; hidden ones only when the pattern names the dot.
fn entries(directory: &Path, pattern: &OsStr) -> Result<Vec<PathBuf>, String> {
    let shown = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(listing) = fs::read_dir(shown) else {
        return Ok(Vec::new()); // no such directory: the pattern matches nothing
    };
    let mut names = Vec::new();
    for entry in listing {
        let entry = entry.map_err(|error| format!("{}: {error}", shown.display()))?;
        let name = entry.file_name();
        let hidden = name.as_bytes().starts_with(b".") && !pattern.as_bytes().starts_with(b".");
        if !hidden && glob::matches(pattern.as_bytes(), name.as_bytes(), Case::Sensitive) {
            names.push(directory.join(name));
        }
    }
    names.sort();
    Ok(names)
}
