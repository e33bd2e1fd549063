//! A server on a disk that loses its power with the process: what was not made durable is gone,
//! torn or there, as it happens. Needs root and FUSE. 200 cycles take
//! `cargo run -p freehold-tests --bin kills -- --disk lossy --cycles 200`.

use freehold_tests::kills::{Disk, Plan, Policy, Verdict, run};
use freehold_tests::lossy::{Mount, Nature};

/// `None`: it could not be mounted, which has been said.
fn lose_power(name: &str, policy: Policy, cycles: u64, nature: Nature) -> Option<Verdict> {
    let mount = Mount::for_test(name, nature)?;
    let life_ms = match policy {
        Policy::Always => (50, 800),
        Policy::EverySec => (1_200, 2_000),
    };
    let plan = Plan { seed: nature.seed, policy, cycles, writers: 6, life_ms };
    Some(run(&plan, &Disk::Lossy(mount), |_| {}))
}

#[test]
fn under_always_no_acknowledged_write_is_lost_with_the_power() {
    let nature = Nature { seed: 8, loses: true, ..Nature::default() };
    let verdict = lose_power("freehold-lossy-always", Policy::Always, 8, nature);
    let Some(verdict) = verdict else { return };
    assert!(verdict.complaints.is_empty(), "seed {}: {:?}", nature.seed, verdict.complaints);
    assert!(verdict.acknowledged > 500, "hardly anything was written: {verdict:?}");
}

/// The server synced its files and the directory they lie in, and not the one that one lies in:
/// after a loss of power in its first life there was no data directory, and it began empty.
#[test]
fn the_data_directory_a_server_has_made_survives_the_loss_of_power() {
    for seed in [11, 12, 13] {
        let nature = Nature { seed, loses: true, ..Nature::default() };
        let name = format!("freehold-lossy-fresh-{seed}");
        let Some(verdict) = lose_power(&name, Policy::Always, 1, nature) else { return };
        assert!(verdict.complaints.is_empty(), "seed {seed}: {:?}", verdict.complaints);
    }
}

#[test]
fn under_everysec_what_was_acknowledged_a_second_before_survives_the_loss_of_power() {
    let nature = Nature { seed: 3, loses: true, ..Nature::default() };
    let verdict = lose_power("freehold-lossy-everysec", Policy::EverySec, 2, nature);
    let Some(verdict) = verdict else { return };
    assert!(verdict.complaints.is_empty(), "seed {}: {:?}", nature.seed, verdict.complaints);
    assert!(verdict.acknowledged > 500, "hardly anything was written: {verdict:?}");
}

#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let nature = Nature { seed: 5, loses: true, lies: true, ..Nature::default() };
    let verdict = lose_power("freehold-lossy-lies", Policy::Always, 10, nature);
    let Some(verdict) = verdict else { return };
    // Writes are missing, or records before others that are whole.
    let signs = ["lost acknowledged writes", "is damaged"];
    let found = |wrong: &String| signs.iter().any(|sign| wrong.contains(sign));
    assert!(verdict.complaints.iter().any(found), "seed {}: {verdict:?}", nature.seed);
}
