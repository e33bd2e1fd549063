//! Live snapshots amid transfers, each loaded by another server and added up.
//!
//! `cargo run -p freehold-tests --bin cuts -- --snapshots 200 --cores 4 --seed 1`
//!
//! With `--copies yes` they are copies by `redis-cli --rdb`, with `--rdb yes` the files of
//! `snapshot-format rdb`, and redis-server loads them. With `--fault NAME` something is done
//! wrongly on purpose, and the run must fail. The seed replays what the tellers do, not when a
//! snapshot is cut among it.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Instant;

use freehold_tests::cuts::{By, Fault, Plan, run};
use freehold_tests::progress::Progress;

const USAGE: &str = "cuts [--snapshots N] [--cores N] [--seed S] [--tellers N] \
     [--copies yes|--rdb yes] [--fault torn|altered|missing]";

fn main() -> ExitCode {
    let mut plan =
        Plan { seed: 1, snapshots: 200, cores: 2, tellers: 6, by: By::Snapshot, fault: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().unwrap_or_default();
        let number = value.parse::<u64>().ok().filter(|&number| number > 0);
        match (word.as_str(), number) {
            ("--snapshots", Some(number)) => plan.snapshots = number,
            ("--cores", Some(number @ 1..=64)) => plan.cores = number as u16,
            ("--seed", Some(number)) => plan.seed = number,
            ("--tellers", Some(number)) => plan.tellers = number as usize,
            ("--copies", None) if value == "yes" => plan.by = By::Copy,
            ("--rdb", None) if value == "yes" => plan.by = By::RdbFile,
            ("--fault", None) if Fault::named(&value).is_some() => {
                plan.fault = Fault::named(&value);
            }
            _ => {
                eprintln!("not understood: {word} {value}\n{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let started = Instant::now();
    let mut progress = Progress::new(plan.snapshots, "snapshots");
    let verdict = run(&plan, |good| progress.at(good, ""));
    progress.end();
    for wrong in &verdict.complaints {
        println!("{wrong}");
    }
    println!(
        "cuts: seed {}, {} cores, fault {:?}, {:.1} s: {} snapshots amid {} transfers, {} of them \
         while one was under way, {} complaints",
        plan.seed,
        plan.cores,
        plan.fault,
        started.elapsed().as_secs_f64(),
        verdict.snapshots,
        verdict.transfers,
        verdict.transfers_meanwhile,
        verdict.complaints.len()
    );
    if verdict.complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
