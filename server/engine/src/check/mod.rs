//! What `freehold check` finds out about files of a data directory: what each says of itself, what
//! is in it, and the first place that cannot be believed. Whoever opens the files prints the
//! [`Report`]s and repairs what a [`Repair`] can mend.

mod directory;
mod log;
mod snapshot;

use std::fmt;

pub use directory::{Between, compare, missing_records, verdict};

use crate::disk::{FileName, Files, ReadError};
use crate::log::{Examined, Header as LogHeader};
use crate::snapshot::{Header as SnapshotHeader, Manifest};

/// How many columns a line of a report has at most.
const COLUMNS: usize = 80;

/// Stands before every line.
const INDENT: &str = "  ";

/// How a file is. Its number is the exit code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    Sound = 0,
    /// A crash has cut the end short; a start goes on without it.
    Torn = 1,
    /// What was durable is not what was written.
    Damaged = 2,
    /// Not a file of Freehold.
    Foreign = 3,
}

/// Ends a log before its bad place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repair {
    /// So many bytes are kept.
    pub keep: u64,
    /// With zeros up to here the file ends: a batch whose first records are good has its length.
    pub end: u64,
}

/// The first place that cannot be believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    pub offset: u64,
    pub why: String,
    pub repair: Option<Repair>,
}

/// What there is to say of one file.
#[derive(Debug)]
pub struct Report {
    pub file: FileName,
    pub verdict: Verdict,
    /// When it was made, or of a snapshot the moment of the cut.
    pub created_unix_ms: Option<i64>,
    facts: Vec<String>,
    pub trouble: Option<Trouble>,
    /// Of a log: for what is to be said of all of them.
    examined: Option<(LogHeader, Examined)>,
    manifest: Option<Manifest>,
}

impl Report {
    fn new(file: FileName, verdict: Verdict) -> Report {
        Report {
            file,
            verdict,
            created_unix_ms: None,
            facts: Vec::new(),
            trouble: None,
            examined: None,
            manifest: None,
        }
    }

    fn tell(&mut self, fact: String) {
        self.facts.push(fact);
    }

    /// Notes where it goes wrong.
    fn blame(&mut self, verdict: Verdict, offset: u64, why: String, repair: Option<Repair>) {
        self.verdict = verdict;
        self.trouble = Some(Trouble { offset, why, repair });
    }

    fn verdict_line(&self) -> String {
        let Some(Trouble { offset, why, .. }) = &self.trouble else {
            return match self.verdict {
                Verdict::Sound => "sound".to_owned(),
                _ => "not a file of Freehold".to_owned(),
            };
        };
        match self.verdict {
            Verdict::Torn => format!("torn tail at byte {offset}: {why}"),
            Verdict::Foreign => format!("not a file of Freehold: {why}"),
            _ => format!("DAMAGED at byte {offset}: {why}"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.facts.iter().cloned().chain([self.verdict_line()]);
        lines.into_iter().try_for_each(|line| f.write_str(&wrapped(&line)))
    }
}

/// The text as lines of at most [`COLUMNS`], indented, the later ones of a text more.
pub fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut line = INDENT.to_owned();
    for word in text.split(' ') {
        let is_empty = line.trim().is_empty();
        if !is_empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            out.push_str(&line);
            out.push('\n');
            line = [INDENT, INDENT, word].concat();
            continue;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
    out
}

/// Which file of a data directory this is, by its name, else by its first page: copies have other
/// names. `None`: neither says so.
pub fn identify(name: &str, start: &[u8]) -> Option<FileName> {
    let by_content = || {
        if let Ok(LogHeader { generation, core, .. }) = LogHeader::decode(start) {
            return Some(FileName::Log { generation, core });
        }
        if let Ok(SnapshotHeader { generation, core, .. }) = SnapshotHeader::decode(start) {
            return Some(FileName::Snapshot { generation, core });
        }
        start.starts_with(b"freehold-manifest ").then_some(FileName::Manifest)
    };
    FileName::parse(name).or_else(by_content)
}

/// Reads a whole file.
///
/// # Errors
/// It cannot be read; what is wrong with its contents the report says.
pub fn inspect(files: &mut dyn Files, file: FileName) -> Result<Report, ReadError> {
    match file {
        FileName::Log { .. } => log::inspect(files, file),
        FileName::Snapshot { .. } => snapshot::inspect(files, file),
        FileName::Manifest => snapshot::inspect_manifest(files, file),
        FileName::ManifestDraft | FileName::SnapshotDraft { .. } => {
            let mut report = Report::new(file, Verdict::Sound);
            report.tell("a draft that was never completed: it counts for nothing".to_owned());
            Ok(report)
        }
    }
}

#[cfg(test)]
mod tests;
