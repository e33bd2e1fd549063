//! A server with `appendfsync always` under mixed load, killed again and again on one and two
//! cores in turn: nothing acknowledged may be missing, nothing be there that was never sent, no
//! transaction be there in part. Every 25 cycles begin with an empty directory.
//!
//! `cargo run -p freehold-tests --bin kills -- --cycles 1000 --seed 1`
//!
//! Prints its result as a line of JSON; ends with failure at the first complaint.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Instant;

use freehold_tests::kills::{Plan, Verdict, run};
use freehold_tests::progress::Progress;

/// Cycles on one directory: its logs grow, and with them the time of a start.
const ROUND: u64 = 25;

const USAGE: &str = "kills [--cycles N] [--seed S] [--writers N]";

fn main() -> ExitCode {
    let mut plan = Plan { seed: 1, cycles: 1_000, writers: 6, life_ms: (50, 800) };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().and_then(|value| value.parse::<u64>().ok());
        match (word.as_str(), value) {
            ("--cycles", Some(value)) => plan.cycles = value,
            ("--seed", Some(value)) => plan.seed = value,
            ("--writers", Some(value)) if value > 0 => plan.writers = value as usize,
            _ => {
                eprintln!("not understood: {word}\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let started = Instant::now();
    let mut progress = Progress::new(plan.cycles, "kills");
    let mut total = Verdict::default();
    while total.cycles < plan.cycles && total.complaints.is_empty() {
        let done = total.cycles;
        let (seed, cycles) = (plan.seed + done, ROUND.min(plan.cycles - done));
        total.add(run(&Plan { seed, cycles, ..plan.clone() }, |cycle| {
            progress.at(done + cycle, "");
        }));
    }
    progress.end();
    println!("{}", total.json(plan.seed, started.elapsed().as_secs_f64()));
    if total.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
