//! The command line: `freehold [FILE] [--option value …]`, where every option of the table is a
//! switch, as with redis-server. The switches and the help are made from the table's rows.

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, ArgMatches, Command};
use freehold_engine::config::table::{self, Meaning, OptionRow, SECTIONS};
use freehold_engine::config::value::Kind;
use std::ffi::OsString;
use std::path::PathBuf;

use super::Remote;

mod remote;

/// What was said, not yet what it means.
#[derive(Debug)]
pub(super) struct CommandLine {
    /// The file to read first; `-` is the standard input.
    pub file: Option<PathBuf>,
    /// What `--import` names.
    pub import: Option<PathBuf>,
    /// The subcommand that asks something of a running server.
    pub remote: Option<Remote>,
    /// Names and words, in the order they were given.
    pub options: Vec<(&'static str, Vec<String>)>,
}

impl CommandLine {
    /// Splits a command line, the program's name first.
    ///
    /// # Errors
    /// What clap has to say: the help or the version if it was asked for, or what it does not
    /// understand.
    pub(super) fn parse(
        args: impl IntoIterator<Item = OsString>,
    ) -> Result<CommandLine, clap::Error> {
        let args = attach_words(args.into_iter().collect());
        let mut matches = command().try_get_matches_from(args)?;
        let file = matches.remove_one::<PathBuf>("FILE");
        let import = matches.remove_one::<PathBuf>("import");
        let remote = matches.remove_subcommand().and_then(|(name, said)| remote::read(&name, said));
        let mut options: Vec<(usize, &'static str, Vec<String>)> = Vec::new();
        for row in table::rows() {
            options.extend(given(&matches, row));
        }
        options.sort_by_key(|option| option.0);
        let options = options.into_iter().map(|(_, name, words)| (name, words)).collect();
        Ok(CommandLine { file, import, remote, options })
    }
}

/// The times an option was given, with the place of each on the command line.
fn given(matches: &ArgMatches, row: &OptionRow) -> Vec<(usize, &'static str, Vec<String>)> {
    let (Some(values), Some(places)) =
        (matches.get_many::<String>(row.name), matches.indices_of(row.name))
    else {
        return Vec::new();
    };
    if row.kind.takes_words() {
        // Words of one option that were given apart count as one list.
        let place = places.min().unwrap_or(0);
        let words: Vec<String> = values.flat_map(|value| split_words(value)).collect();
        let words = if words.is_empty() { vec![String::new()] } else { words };
        return vec![(place, row.name, words)];
    }
    places.zip(values).map(|(place, value)| (place, row.name, vec![value.clone()])).collect()
}

fn split_words(value: &str) -> impl Iterator<Item = String> {
    value.split_whitespace().map(str::to_owned)
}

/// Turns `--bind 127.0.0.1 -::1` into `--bind=127.0.0.1 --bind=-::1`: as with redis-server, the
/// words of a list go on until the next `--`, and may begin with a dash, which clap alone would
/// take for a switch.
fn attach_words(args: Vec<OsString>) -> Vec<OsString> {
    let mut attached = Vec::with_capacity(args.len());
    let mut list: Option<(OsString, bool)> = None;
    for arg in args {
        let text = arg.to_string_lossy();
        if let Some(name) = text.strip_prefix("--") {
            finish_list(&mut attached, list.take());
            let is_list = table::find(name.as_bytes()).is_some_and(|row| row.kind.takes_words());
            if is_list {
                list = Some((arg, false));
                continue;
            }
            attached.push(arg);
        } else if let Some((name, has_words)) = list.as_mut() {
            let mut joined = name.clone();
            joined.push("=");
            joined.push(&arg);
            attached.push(joined);
            *has_words = true;
        } else {
            attached.push(arg);
        }
    }
    finish_list(&mut attached, list);
    attached
}

/// A list without a word stays as it was, so that clap can say what is missing.
fn finish_list(attached: &mut Vec<OsString>, list: Option<(OsString, bool)>) {
    if let Some((name, false)) = list {
        attached.push(name);
    }
}

/// The command line as clap knows it.
fn command() -> Command {
    let version = concat!(env!("CARGO_PKG_VERSION"), " (answers as Redis 7.4)");
    let mut command = Command::new("freehold")
        .version(version)
        .about("A thread-per-core cache and key-value server that speaks RESP2 and RESP3")
        .long_about(
            "A thread-per-core cache and key-value server for Linux that speaks RESP2 and RESP3.\n\
             \n\
             Every option can stand in FILE, in the syntax of redis.conf, or on the command line \
             as --name value; the command line wins. CONFIG GET shows them at run time, CONFIG \
             SET changes those that are not marked as fixed at start.",
        )
        .after_help(
            "Example: freehold /etc/freehold.conf --port 7000 --maxmemory 2gb\n\
             `freehold check --help` tells how logs and snapshots are looked at.",
        )
        .override_usage(
            "freehold [FILE] [--option value]…\n       freehold export|import --help\n       \
             freehold check PATH…",
        )
        .disable_version_flag(true)
        .disable_help_subcommand(true) // a configuration file may be called help
        .args_conflicts_with_subcommands(true)
        .subcommands(remote::commands())
        .arg(
            Arg::new("FILE")
                .value_parser(clap::value_parser!(PathBuf))
                .help("Configuration file in the syntax of redis.conf; `-` reads standard input"),
        )
        .arg(
            Arg::new("import")
                .long("import")
                .value_name("PATH")
                .value_parser(clap::value_parser!(PathBuf))
                .help(
                    "Data of Redis or Valkey to begin with: an RDB file, an append-only file or \
                     its directory; read before anybody is served",
                ),
        )
        .arg(
            Arg::new("version")
                .long("version")
                .short('v')
                .visible_short_alias('V')
                .action(ArgAction::Version)
                .help("Print the version"),
        );
    for section in SECTIONS {
        for row in section.rows {
            command = command.arg(switch(row).help_heading(section.title));
        }
    }
    command
}

fn switch(row: &'static OptionRow) -> Arg {
    let arg = Arg::new(row.name)
        .long(row.name)
        .value_name(value_name(&row.kind))
        .value_parser(clap::value_parser!(String))
        .action(ArgAction::Append)
        .num_args(1)
        .allow_hyphen_values(true) // -1 is a value, and so is -::1
        .hide_short_help(row.meaning != Meaning::Effective)
        .help(short_help(row))
        .long_help(long_help(row));
    match row.alias {
        Some(alias) => arg.alias(alias),
        None => arg,
    }
}

fn value_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool => "yes|no",
        Kind::Integer { .. } => "N",
        Kind::Octal => "MODE",
        Kind::Bytes { .. } => "BYTES",
        Kind::BytesOrPercent => "BYTES|N%",
        Kind::Text { .. } => "TEXT",
        Kind::Choice(_) => "NAME",
        Kind::Words { .. } => "WORDS",
        Kind::Notify => "LETTERS",
        Kind::OutputLimits => "LIMITS",
        Kind::Percentiles => "NUMBERS",
    }
}

fn short_help(row: &OptionRow) -> StyledStr {
    let default = if row.default.is_empty() { "\"\"" } else { row.default };
    format!("{} [default: {default}]", row.summary).into()
}

fn long_help(row: &OptionRow) -> StyledStr {
    let mut text = row.summary.to_owned();
    let plain = matches!(row.kind, Kind::Bool | Kind::Text { .. } | Kind::Words { .. });
    if row.meaning == Meaning::Effective && !plain {
        text.push_str(&format!("; {}", row.kind.allowed()));
    }
    if row.meaning == Meaning::Effective && row.change == table::Change::AtStart {
        text.push_str("; fixed at start");
    }
    let default = if row.default.is_empty() { "\"\"" } else { row.default };
    format!("{text} [default: {default}]").into()
}
