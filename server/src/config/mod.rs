//! The server's side of the configuration: the command line and the files. What options exist
//! and what they may be, the engine's table says; here words and lines are fetched for it.
//!
//! Later words win, as in Redis: the file is read first, includes in their place, then the
//! options of the command line.

mod cli;
mod file;

use cli::CommandLine;
use freehold_engine::config::{Config, Loader};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a command line asks for.
#[derive(Debug)]
pub struct Start {
    pub config: Config,
    /// The configuration file it names, from the root.
    pub file: Option<PathBuf>,
    /// What is to be brought in before anybody is served, from the root.
    pub import: Option<PathBuf>,
}

/// What the process is started for.
#[derive(Debug)]
pub enum Errand {
    Serve(Box<Start>),
    Ask(Remote),
}

/// What is asked of a server that runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Remote {
    /// Its keys into an RDB file.
    Export { server: Target, file: PathBuf },
    /// The keys of an RDB file, or of append-only files, into it.
    Import { server: Target, path: PathBuf, replace: bool },
}

/// A running server and how to be let in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub password: Option<String>,
}

/// What a command line asks for. Answers `--help`, `--version` and unknown switches
/// itself and ends the process.
///
/// # Errors
/// A sentence that names the file and line, or the option, what is wrong with it and what would
/// be right.
pub fn from_command_line(args: impl IntoIterator<Item = OsString>) -> Result<Errand, String> {
    // Help, version and complaints are clap's to print, each with its exit code.
    let said = CommandLine::parse(args).unwrap_or_else(|answer| answer.exit());
    match said.remote {
        Some(remote) => Ok(Errand::Ask(remote)),
        None => load(&said).map(|start| Errand::Serve(Box::new(start))),
    }
}

fn load(said: &CommandLine) -> Result<Start, String> {
    let mut loader = Loader::new();
    let path = match said.file.as_deref() {
        None => None,
        Some(path) if path == Path::new("-") => {
            file::read_standard_input(&mut loader)?;
            None
        }
        Some(path) => {
            file::read(&mut loader, path)?;
            Some(absolute(path)?)
        }
    };
    for (name, words) in &said.options {
        loader.set(name, words).map_err(|refusal| {
            let reason = refusal.reason.trim_end_matches('.'); // some of Redis's have one
            let allowed = if refusal.allowed.is_empty() {
                String::new()
            } else {
                format!("; {}", refusal.allowed)
            };
            format!("--{name} {}: {reason}{allowed}", words.join(" "))
        })?;
    }
    let mut config = loader.finish()?;
    config.dir = absolute(Path::new(&config.dir))?.to_string_lossy().into_owned();
    let import = said.import.as_deref().map(absolute).transpose()?;
    Ok(Start { config, file: path, import })
}

/// The path from the root, so that it stays right when the process changes its directory.
fn absolute(path: &Path) -> Result<PathBuf, String> {
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
