//! Waiting for a condition. Tests never wait for an amount of time to have passed: they wait for
//! what they expect, and a limit says when to give up. The pause here is only the polling step.

use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(1);

/// Returns as soon as `condition` holds.
///
/// # Panics
/// When it does not within `limit`; the message names `what` was waited for.
#[track_caller]
pub fn until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    assert!(holds_within(limit, &mut condition), "waited {limit:?} in vain for: {what}");
}

/// The limit, as many times over as there are tasks for each processor that want to run: for
/// promises about a server that gets the time it needs. On a machine with nothing else to do it is
/// the limit.
pub fn fair(limit: Duration) -> Duration {
    let running = || -> Option<u32> {
        let load = std::fs::read_to_string("/proc/loadavg").ok()?;
        // "0.20 0.18 0.12 1/80 11206": those that run now, of all.
        load.split(' ').nth(3)?.split('/').next()?.parse().ok()
    };
    let average = || -> Option<f64> {
        std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
    };
    let cpus = std::thread::available_parallelism().map_or(1, |count| count.get()) as f64;
    let waiting = f64::from(running().unwrap_or(0)).max(average().unwrap_or(0.0));
    limit.mul_f64((waiting / cpus).max(1.0))
}

/// Whether `condition` came to hold within `limit`.
pub fn holds_within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(STEP);
    }
}

/// Calls `check` again and again for the whole of `span`: for promises of the kind "at all times".
pub fn throughout(span: Duration, mut check: impl FnMut()) {
    let deadline = Instant::now() + span;
    while Instant::now() < deadline {
        check();
        std::thread::sleep(STEP);
    }
}
