//! A server under mixed load, killed again and again on one and two cores in turn: nothing
//! acknowledged may be missing, nothing be there that was never sent, no transaction be there in
//! part. Every 25 cycles begin with an empty directory.
//!
//! `cargo run -p freehold-tests --bin kills -- --cycles 1000 --seed 1`
//!
//! The same on a disk that loses its power each time, which needs root and FUSE; under `everysec`
//! what was acknowledged more than 1.1 s before must be there, however slow the disk is:
//!
//! `cargo run -p freehold-tests --bin kills -- --disk lossy --cycles 200`
//! `cargo run -p freehold-tests --bin kills -- --disk lossy --appendfsync everysec
//! --sync-delay-ms 0..3000 --cycles 200`
//!
//! Prints its result as a line of JSON; ends with failure at the first complaint.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Instant;

use freehold_tests::kills::{Disk, Plan, Policy, Verdict, run};
use freehold_tests::lossy::{Mount, Nature};
use freehold_tests::progress::Progress;

/// Cycles on one directory: its logs grow, and with them the time of a start.
const ROUND: u64 = 25;

const USAGE: &str = "kills [--cycles N] [--seed S] [--writers N] [--appendfsync always|everysec]
      [--disk system | --disk lossy [--sync-delay-ms N|N..M] [--lie yes]]";

fn main() -> ExitCode {
    let Some((plan, lossy)) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let started = Instant::now();
    let mut progress = Progress::new(plan.cycles, "kills");
    let mut total = Verdict::default();
    while total.cycles < plan.cycles && total.complaints.is_empty() {
        let done = total.cycles;
        let (seed, cycles) = (plan.seed + done, ROUND.min(plan.cycles - done));
        let disk = match disk(lossy, seed) {
            Ok(disk) => disk,
            Err(error) => {
                eprintln!("kills: a FUSE file system cannot be mounted: {error}");
                return ExitCode::FAILURE;
            }
        };
        total.add(run(&Plan { seed, cycles, ..plan.clone() }, &disk, |cycle| {
            progress.at(done + cycle, "");
        }));
    }
    progress.end();
    println!("{}", total.json(plan.seed, started.elapsed().as_secs_f64()));
    if total.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn disk(lossy: Option<Nature>, seed: u64) -> std::io::Result<Disk> {
    let Some(nature) = lossy else { return Ok(Disk::System) };
    let name = format!("freehold-lossy-{}-{seed}", std::process::id());
    let mount = Mount::new(&std::env::temp_dir().join(name), Nature { seed, ..nature })?;
    Ok(Disk::Lossy(mount))
}

/// The plan, and the disk if it is a lossy one.
fn arguments() -> Option<(Plan, Option<Nature>)> {
    let policy = Policy::Always;
    let mut plan = Plan { seed: 1, policy, cycles: 1_000, writers: 6, life_ms: (50, 800) };
    let (mut lossy, mut nature) = (false, Nature { loses: true, ..Nature::default() });
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next()?;
        match (word.as_str(), value.as_str()) {
            ("--cycles", _) => plan.cycles = value.parse().ok()?,
            ("--seed", _) => plan.seed = value.parse().ok()?,
            ("--writers", _) => plan.writers = value.parse().ok().filter(|count| *count > 0)?,
            ("--appendfsync", "always") => plan.policy = Policy::Always,
            ("--appendfsync", "everysec") => {
                // Longer than what may be lost, so that something may not.
                (plan.policy, plan.life_ms) = (Policy::EverySec, (1_000, 4_000));
            }
            ("--disk", "system") => lossy = false,
            ("--disk", "lossy") => lossy = true,
            ("--sync-delay-ms", _) => nature.delay = value.parse().ok()?,
            ("--lie", "yes") => nature.lies = true,
            _ => return None,
        }
    }
    Some((plan, lossy.then_some(nature)))
}
