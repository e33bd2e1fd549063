//! `freehold-loadgen`: loads a Redis-compatible server or memcached, and says what it did.
//!
//! What was said (`cli`) becomes what it means (`plan`), which `run` carries out on glommio
//! executors (`executor`): operations come from a `source` (bounded by `closed`, timed by `open`,
//! routed by `cluster`), travel over a `connection` in a `wire` dialect, and their answers go to
//! the `judge`, who records, verifies and follows up. `report` tells the rest.

#![forbid(unsafe_code)]

mod capacity;
mod cli;
mod closed;
mod cluster;
mod connection;
mod executor;
mod judge;
mod notation;
mod open;
mod plan;
mod progress;
mod record;
mod report;
mod run;
mod session;
mod source;
mod verify;
mod wire;
mod workload;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;

use plan::Plan;

fn main() -> ExitCode {
    load().unwrap_or_else(|(said, code)| {
        eprintln!("freehold-loadgen: {said}");
        ExitCode::from(code)
    })
}

/// How the run ended, or what stood in its way and the exit code for that.
fn load() -> Result<ExitCode, (String, u8)> {
    let (usage, failure) = (|said: String| (said, 2), |said: String| (said, 1));
    let cli = cli::parse();
    if cli.capacity {
        print!("{}", capacity::report(&cli.assume).map_err(usage)?);
        return Ok(ExitCode::SUCCESS);
    }
    let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
    let fresh_seed = since_epoch.as_nanos() as u64 % 1_000_000_007;
    let plan = Plan::new(&cli, fresh_seed, std::io::stderr().is_terminal()).map_err(usage)?;
    let plan = Arc::new(plan);
    let outcomes = run::run(&plan).map_err(failure)?;
    report::write(&plan, &outcomes).map_err(failure)?;
    let is_clean = outcomes.iter().all(|outcome| outcome.record.is_clean());
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
