//! What a path to be imported is: an RDB file, an append-only file, a manifest, or a
//! directory that holds one.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use freehold_engine::exchange::aof::manifest::Manifest;

const MANIFEST_SUFFIX: &str = ".manifest";

/// Where Redis keeps its append-only files below its data directory, unless told otherwise.
const USUAL_DIRECTORY: &str = "appendonlydir";

/// Files to be read, with their sizes.
#[derive(Debug)]
pub(super) enum Source {
    Rdb(PathBuf, u64),
    Commands(Vec<(PathBuf, u64)>),
}

impl Source {
    /// # Errors
    /// A sentence that says what was looked for.
    pub(super) fn find(path: &Path) -> Result<Source, String> {
        let shown = path.display();
        let about = fs::metadata(path).map_err(|error| format!("{shown}: {error}"))?;
        if about.is_dir() {
            let inside = manifest_in(path)?;
            let below = || manifest_in(&path.join(USUAL_DIRECTORY)).unwrap_or_default();
            let manifest = inside.or_else(below).ok_or_else(|| {
                format!(
                    "{shown}: no append-only manifest lies there or in \
                     {USUAL_DIRECTORY}; name the RDB file itself to import one"
                )
            })?;
            return Source::listed(&manifest);
        }
        if path.to_string_lossy().ends_with(MANIFEST_SUFFIX) {
            return Source::listed(path);
        }
        let mut first = [0];
        let mut file = File::open(path).map_err(|error| format!("{shown}: {error}"))?;
        let count = file.read(&mut first).map_err(|error| format!("{shown}: {error}"))?;
        let name = path.to_string_lossy();
        // The front of an append-only file may be an RDB file: then the name must say so.
        let is_log = matches!(first, [b'*' | b'#']) || count == 0 || name.ends_with(".aof");
        Ok(match is_log {
            true => Source::Commands(vec![(path.to_owned(), about.len())]),
            false => Source::Rdb(path.to_owned(), about.len()),
        })
    }

    /// The files a manifest names.
    fn listed(manifest: &Path) -> Result<Source, String> {
        let shown = manifest.display();
        let text = fs::read_to_string(manifest).map_err(|error| format!("{shown}: {error}"))?;
        let parsed = Manifest::parse(&text).map_err(|error| format!("{shown}: {error}"))?;
        let files = parsed.files().map(|name| {
            let path = manifest.with_file_name(name);
            let about = fs::metadata(&path)
                .map_err(|error| format!("{}: {error}; {shown} names it", path.display()))?;
            Ok((path, about.len()))
        });
        Ok(Source::Commands(files.collect::<Result<_, String>>()?))
    }

    pub(super) fn is_rdb(&self) -> bool {
        matches!(self, Source::Rdb(..))
    }

    pub(super) fn bytes(&self) -> u64 {
        match self {
            Source::Rdb(_, bytes) => *bytes,
            Source::Commands(files) => files.iter().map(|(_, bytes)| bytes).sum(),
        }
    }
}

/// The manifest in a directory, when there is exactly one.
fn manifest_in(directory: &Path) -> Result<Option<PathBuf>, String> {
    let shown = directory.display();
    let entries = fs::read_dir(directory).map_err(|error| format!("{shown}: {error}"))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut found: Vec<PathBuf> =
        paths.filter(|path| path.to_string_lossy().ends_with(MANIFEST_SUFFIX)).collect();
    match found.len() {
        0 | 1 => Ok(found.pop()),
        count => Err(format!("{shown}: {count} manifests lie there; name one of them")),
    }
}
