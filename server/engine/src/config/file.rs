//! Reading configuration: redis.conf syntax line by line, and the words of a command line.
//!
//! The engine opens no file. The server hands in lines and, where a line says `include`, gets the
//! paths back ([`Step::Include`]) and hands in the lines of those files in their place.

use super::table::{self, OptionRow};
use super::value::Kind;
use super::{Config, words};
use std::fmt;

/// What is wrong with a line, with all one needs to mend it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileError {
    /// Counted from one.
    pub line: usize,
    /// The line as it stands in the file.
    pub text: String,
    /// What is wrong with it, in Redis's words.
    pub reason: String,
    /// What would be right; empty if nothing would.
    pub allowed: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}\n  >>> {}", self.line, self.reason, self.text)?;
        if self.allowed.is_empty() { Ok(()) } else { write!(f, "\n  allowed: {}", self.allowed) }
    }
}

impl std::error::Error for FileError {}

/// What a word or a line was refused for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub reason: String,
    pub allowed: String,
}

/// What a line asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing more: it was blank, a comment, or an option that is now set.
    Done,
    /// These files, in this place. The paths may hold wildcards, which match no file or many.
    Include(Vec<String>),
}

/// A configuration in the making: options that only change at start may still be set.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    config: Config,
}

impl Loader {
    /// Starts from the defaults.
    pub fn new() -> Loader {
        Loader::default()
    }

    /// Takes one line of a file.
    ///
    /// # Errors
    /// Open quotes, an unknown option, or a value that its option refuses.
    pub fn line(&mut self, line: &str) -> Result<Step, Refusal> {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with('#') {
            return Ok(Step::Done);
        }
        let Some(mut words) = words::split(line) else {
            return Err(refusal("Unbalanced quotes in configuration line"));
        };
        if words.is_empty() {
            return Ok(Step::Done);
        }
        let name = words.remove(0).to_ascii_lowercase();
        if name == "include" {
            return if words.is_empty() {
                Err(refusal("wrong number of arguments"))
            } else {
                Ok(Step::Include(words))
            };
        }
        self.set(&name, &words)?;
        Ok(Step::Done)
    }

    /// Sets one option from its words, as in a line or on the command line.
    ///
    /// # Errors
    /// An unknown option, or a value that its option refuses.
    pub fn set(&mut self, name: &str, words: &[String]) -> Result<(), Refusal> {
        let Some(row) = table::find(name.as_bytes()) else {
            return Err(unknown(name));
        };
        let refuse = |reason: String| Refusal { reason, allowed: allowed(row) };
        let words = if is_no_primary(row, words) { &[] } else { words };
        let value = row.kind.parse(words).map_err(refuse)?;
        row.assign(&mut self.config, value).map_err(refuse)
    }

    /// The configuration, if its options agree with each other.
    ///
    /// # Errors
    /// The option to blame and what it contradicts.
    pub fn finish(mut self) -> Result<Config, String> {
        match self.config.settle() {
            Ok(()) => Ok(self.config),
            Err((_, reason)) => Err(reason.to_owned()), // it names the options
        }
    }
}

/// Reads a whole file that includes no other.
///
/// # Errors
/// The first line that is wrong, or the last one when options contradict each other.
pub fn parse_file(text: &str) -> Result<Config, FileError> {
    let mut loader = Loader::new();
    let fail = |line: usize, text: &str, refusal: Refusal| FileError {
        line,
        text: text.to_owned(),
        reason: refusal.reason,
        allowed: refusal.allowed,
    };
    let mut last = (0, "");
    for (index, line) in text.lines().enumerate() {
        last = (index + 1, line);
        match loader.line(line) {
            Ok(Step::Done) => {}
            Ok(Step::Include(_)) => {
                return Err(fail(index + 1, line, refusal("include is not possible here")));
            }
            Err(refusal) => return Err(fail(index + 1, line, refusal)),
        }
    }
    loader.finish().map_err(|reason| fail(last.0, last.1, refusal(&reason)))
}

fn refusal(reason: &str) -> Refusal {
    Refusal { reason: reason.to_owned(), allowed: String::new() }
}

/// `replicaof no one`, which Redis takes for no primary, in the file as well.
fn is_no_primary(row: &OptionRow, words: &[String]) -> bool {
    let no_one = || words.iter().map(|word| word.to_ascii_lowercase()).eq(["no", "one"]);
    row.name == "replicaof" && no_one()
}

fn allowed(row: &OptionRow) -> String {
    match row.meaning {
        table::Meaning::Fixed(_) if row.name == "replicaof" => "replicaof no one".to_owned(),
        table::Meaning::Fixed(_) if row.default.is_empty() => format!("{} \"\"", row.name),
        table::Meaning::Fixed(_) => format!("{} {}", row.name, row.default),
        // Words of any kind: what they mean says more than that they are words.
        _ if matches!(row.kind, Kind::Words { .. }) => {
            format!("{} takes words: {}", row.name, row.summary)
        }
        _ => format!("{} takes {}", row.name, row.kind.allowed()),
    }
}

/// Directives of redis.conf that are no options, each with the reason it cannot be served.
fn unknown(name: &str) -> Refusal {
    refusal(match name {
        "user" => "ACL users are not there yet; use requirepass",
        "rename-command" => "commands cannot be renamed",
        "loadmodule" => "modules of Redis cannot be loaded",
        _ => "Bad directive or wrong number of arguments",
    })
}
