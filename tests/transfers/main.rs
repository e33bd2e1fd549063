//! Transactions on a live server, judged: money is moved between accounts on all cores and lists
//! are appended to, by clients of which some die, while others look for the moment in between.
//! No reading may be torn, no acknowledged transfer lost, and no cycle may be among the lists.
//!
//! `cargo run -p freehold-tests --bin transfers -- --transfers 1000000 --cores 4 --seed 1`
//!
//! With `--bug NAME` a proxy that treats transactions wrongly stands in between, and the run must
//! fail. The seed replays what clients do, not how their requests meet.
#![forbid(unsafe_code)]

mod arguments;

use std::process::ExitCode;
use std::time::Instant;

use arguments::{Arguments, USAGE};
use freehold_tests::progress::Progress;
use freehold_tests::server;
use freehold_tests::transactions::{Plan, planted, run};

/// Transfers after which the books are read and history is forgotten: memory is that of one round,
/// however long the run.
const ROUND: u64 = 50_000;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(word) => {
            eprintln!("not understood: {word}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let Arguments { transfers, cores, seed, bug, redis } = arguments;
    let server = if redis { server::redis().start() } else { server::freehold(cores).start() };
    let truth = server.address().to_owned();
    let address = match bug {
        Some(bug) => planted::proxy(&truth, Some(bug), seed),
        None => truth.clone(),
    };
    let started = Instant::now();
    let mut progress = Progress::new(transfers, "transfers");
    let plan = Plan { address, truth, transfers, round: ROUND, seed };
    let verdict = run(&plan, |begun| progress.at(begun, ""));
    progress.end();
    let seconds = started.elapsed().as_secs_f64();
    let subject = match (redis, bug) {
        (true, _) => "redis-server".to_owned(),
        (false, None) => format!("{cores} cores"),
        (false, Some(bug)) => format!("{cores} cores, planted bug {bug:?}"),
    };
    if !verdict.is_clean() {
        println!("{}", verdict.complaints_told());
    }
    println!("transfers: seed {seed}, {subject}, {seconds:.1} s: {verdict}");
    if verdict.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
