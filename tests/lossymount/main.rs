//! A file system in memory whose syncs take a time of one's choice, mounted on a directory until
//! SIGTERM or SIGINT: for measuring servers as on a slow disk (`bench/compare/compare.py log
//! --sync-delay-ms 2`), and for trying by hand what they do on one.
//!
//! `cargo run -p freehold-tests --bin lossymount -- DIR --sync-delay-ms 2`
//!
//! Says `mounted DIR` when it is. What was written there is gone when it ends.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use freehold_tests::lossy::{Mount, Nature};
use nix::sys::signal::{SigSet, Signal};

const USAGE: &str = "lossymount DIR [--sync-delay-ms N|N..M] [--fail-sync NTH] [--seed S]";

fn main() -> ExitCode {
    let Some((place, nature)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    // Before there are other threads, which take over what is blocked.
    let ends = SigSet::from_iter([Signal::SIGTERM, Signal::SIGINT]);
    if let Err(error) = ends.thread_block() {
        eprintln!("lossymount: signals cannot be waited for: {error}");
        return ExitCode::FAILURE;
    }
    let mount = match Mount::new(&place, nature) {
        Ok(mount) => mount,
        Err(error) => {
            eprintln!("lossymount: {} cannot be mounted: {error}", place.display());
            return ExitCode::FAILURE;
        }
    };
    println!("mounted {}", place.display());
    let ended = ends.wait();
    println!("{} syncs", mount.syncs());
    drop(mount);
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn arguments() -> Option<(PathBuf, Nature)> {
    let (mut place, mut nature) = (None, Nature::default());
    let mut words = std::env::args_os().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next()?.into_string().ok();
        match word.to_str() {
            Some("--sync-delay-ms") => nature.delay = value()?.parse().ok()?,
            Some("--fail-sync") => nature.failing_sync = Some(value()?.parse().ok()?),
            Some("--seed") => nature.seed = value()?.parse().ok()?,
            Some(option) if option.starts_with("--") => return None,
            _ if place.is_some() => return None,
            _ => place = Some(PathBuf::from(word)),
        }
    }
    Some((place?, nature))
}
