//! A server with `appendfsync always` is killed again and again, and loses nothing.

use freehold_tests::kills::{Disk, Plan, Policy, run};

#[test]
fn no_acknowledged_write_is_lost_in_twenty_five_kills() {
    let (policy, life_ms) = (Policy::Always, (50, 800));
    let plan = Plan { seed: 25, policy, cycles: 25, writers: 6, life_ms };
    let verdict = run(&plan, &Disk::System, |_| {});
    assert!(verdict.complaints.is_empty(), "seed {}: {:?}", plan.seed, verdict.complaints);
    assert!(verdict.acknowledged > 1_000, "hardly anything was written: {verdict:?}");
}
