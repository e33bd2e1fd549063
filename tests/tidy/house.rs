//! The repository as the rules see it: paths from the root, texts, and for Rust files the code
//! without comments and strings. Built from disk, or from literals by the rules' self-tests.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::code::Code;

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &[".git", "target", "node_modules", "corpus", "artifacts", "__pycache__"];
/// Kinds of file that the rules read.
const READ: &[&str] =
    &["rs", "toml", "md", "sh", "py", "js", "mjs", "json", "yml", "service", "conf", "txt"];

/// A broken rule: where, what, and what to do about it.
#[derive(Debug)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub problem: String,
    pub remedy: &'static str,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.problem, self.remedy)
    }
}

/// One file.
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    pub text: String,
    /// For Rust files only.
    pub code: Option<Code>,
}

impl File {
    pub fn finding(&self, line: usize, problem: String, remedy: &'static str) -> Finding {
        Finding { path: self.path.clone(), line, problem, remedy }
    }

    /// Whether the whole file exists for tests, benchmarks or fuzzing only.
    pub fn is_test(&self) -> bool {
        let path = &self.path;
        let harness = path.starts_with("tests/src/");
        (path.starts_with("tests/") && !harness)
            || path.contains("/tests/")
            || path.ends_with("/tests.rs")
            || path.contains("/benches/")
            || path.contains("/fuzz/")
    }

    /// The name without folder and ending.
    pub fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }
}

pub struct House {
    pub files: Vec<File>,
}

impl House {
    pub fn of_this_repository() -> House {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = Vec::new();
        walk(&root, "", &mut found);
        found.sort();
        House { files: found.into_iter().map(|(path, text)| file(path, text)).collect() }
    }

    /// A house of these paths and texts.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> House {
        let of_one = |(path, text): &(&str, &str)| file((*path).to_owned(), (*text).to_owned());
        House { files: files.iter().map(of_one).collect() }
    }

    /// The Rust files with their code.
    pub fn rust(&self) -> impl Iterator<Item = (&File, &Code)> {
        self.files.iter().filter_map(|file| file.code.as_ref().map(|code| (file, code)))
    }
}

fn file(path: String, text: String) -> File {
    let code = path.ends_with(".rs").then(|| Code::read(&text));
    File { path, text, code }
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    let entries = fs::read_dir(folder).expect("a folder of the repository");
    for entry in entries {
        let entry = entry.expect("an entry of a folder");
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().expect("a kind of file");
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        if kind.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                walk(&entry.path(), &path, found);
            }
        } else if READ.iter().any(|ending| name.rsplit('.').next() == Some(ending)) {
            // What is no text is nobody's source.
            if let Ok(text) = fs::read_to_string(entry.path()) {
                found.push((path, text));
            }
        }
    }
}
