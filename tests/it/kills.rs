//! A server with `appendfsync always` is killed again and again, and loses nothing.

use freehold_tests::kills::{Plan, run};

#[test]
fn no_acknowledged_write_is_lost_in_twenty_five_kills() {
    let plan = Plan { seed: 25, cycles: 25, writers: 6, life_ms: (50, 800) };
    let verdict = run(&plan, |_| {});
    assert!(verdict.complaints.is_empty(), "seed {}: {:?}", plan.seed, verdict.complaints);
    assert!(verdict.acknowledged > 1_000, "hardly anything was written: {verdict:?}");
}
