//! The command line of `freehold check`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};

/// What is to be looked at.
#[derive(PartialEq, Eq, Debug)]
pub struct Asked {
    pub paths: Vec<PathBuf>,
    pub repair: bool,
}

/// The command line when its first word is `check`; none for any other. A configuration file of
/// that name is started with as `./check`. Answers `--help` and what is wrong itself, and ends the
/// process then.
pub fn asked(args: impl IntoIterator<Item = OsString>) -> Option<Asked> {
    let mut args = args.into_iter().skip(1).peekable();
    if args.peek().map(OsString::as_os_str) != Some(OsStr::new("check")) {
        return None;
    }
    let mut matches = command().try_get_matches_from(args).unwrap_or_else(|answer| {
        // Clap's own code for wrong words would say that a file is damaged.
        let code = if answer.use_stderr() { WRONG_WORDS } else { 0 };
        let _ = answer.print();
        std::process::exit(code)
    });
    let paths = matches.remove_many::<PathBuf>("PATH").into_iter().flatten().collect();
    Some(Asked { paths, repair: matches.get_flag("repair") })
}

/// As for a file that cannot be read.
const WRONG_WORDS: i32 = freehold_engine::check::Verdict::Foreign as i32;

const ABOUT: &str = "\
Looks at the files a server keeps: logs (.fhl), snapshots (.fhs) and MANIFEST.

Every file is read to its end as a start would read it, each checksum compared
and each value decoded. Nothing is changed without --repair. Given a directory
(`appenddirname` in `dir`), all its files are read and compared: snapshots the
manifest counts have to be there, transactions over several cores have to be
in the logs of all of them, and no change of a slot may be missing between
others.";

const AFTER: &str = "\
Exit code:
  0  sound
  1  a torn tail: a crash has cut the end short. A start goes on without it;
     nothing that was acknowledged as durable is lost
  2  damaged: what was durable is not what was written. A start is refused
  3  not a file of Freehold, or it cannot be read

What to do about damage:
  Use a copy of the whole directory that is sound, if there is one. Otherwise
  --repair ends a damaged log before its bad place. All that was written
  behind it on that core is lost, and of transactions over several cores the
  parts on the others. A snapshot cannot be repaired.

What to do about missing records:
  A log is not there, or a damaged one was ended that later ones go on from.
  Put it back. Without it the server starts with `--log-load-gaps yes`, and
  changes that rest on what is missing come out otherwise. BGSAVE makes of
  what there is a new beginning, which needs the option no longer.

A log that a running server writes may look torn at its end, or as if records
were missing.

Examples:
  freehold check /var/lib/freehold/appendonlydir
  freehold check --repair log-00000003-001.fhl";

fn command() -> Command {
    Command::new("freehold check")
        .about("Looks at logs, snapshots and the manifest of a server")
        .long_about(ABOUT)
        .after_long_help(AFTER)
        .after_help("`freehold check --help` tells what the exit codes mean.")
        .override_usage("freehold check [--repair] PATH…")
        .arg(
            Arg::new("PATH")
                .value_parser(clap::value_parser!(PathBuf))
                .num_args(1..)
                .required(true)
                .help("Files, or a directory of them"),
        )
        .arg(
            Arg::new("repair")
                .long("repair")
                .action(ArgAction::SetTrue)
                .help("End logs before their bad place; FILE.before-repair keeps them"),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Option<Asked> {
        asked(line.split(' ').map(OsString::from))
    }

    #[test]
    fn only_the_first_word_makes_it_a_check() {
        let paths = vec![PathBuf::from("a"), PathBuf::from("b")];
        assert_eq!(said("freehold check a b"), Some(Asked { paths, repair: false }));
        let paths = vec![PathBuf::from("a")];
        assert_eq!(said("freehold check a --repair"), Some(Asked { paths, repair: true }));
        for other in ["freehold", "freehold ./check", "freehold file check", "freehold --port 1"] {
            assert_eq!(said(other), None, "{other}");
        }
    }

    #[test]
    fn the_help_fits_a_terminal() {
        let help = command().render_long_help().to_string();
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(help.contains("Exit code") && help.contains("before-repair"), "{help}");
    }
}
