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
