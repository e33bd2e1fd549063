//! The promises of the log on a disk that loses its power: clients write, the disk is crashed
//! after its operations in every way it knows, a node with another number of cores recovers from
//! what is left, and the books are compared. Then it crashes for good, and life goes on from there.
//!
//! `CRASH_STATES=100000 cargo test -p freehold-tests --test simulation durability` examines as
//! many states; the seed of a failure is printed, and `CRASH_SEED` tries that one alone.

mod books;
mod delays;
mod disk;
mod holes;
mod host;
mod jobs;
mod planted;
mod run;
mod starts;

use freehold_engine::config::Appendfsync;
use freehold_engine::disk::Failure;

use disk::Fault;
use planted::Bug;
use run::Run;

/// What is tried, and how far.
#[derive(Clone, Copy)]
struct Plan {
    seed: u64,
    policy: Appendfsync,
    /// CONFIG SET changes it now and then.
    changes_policy: bool,
    /// Of a hundred events, before so many nothing happens for a while: seconds pass.
    pauses_percent: usize,
    /// Transactions over several cores are among the writes.
    ties: bool,
    /// Of a hundred events, before so many a snapshot is asked for.
    snapshots_percent: usize,
    /// Or the log is switched off and on.
    switches: bool,
    /// The disk takes its time, up to three seconds.
    delays: bool,
    bug: Option<Bug>,
    fault: Option<Fault>,
    /// Of a hundred events of the disk, so many are followed by crashes.
    probes_percent: usize,
    events: usize,
}

/// Crash states of the usual test run, and of `CRASH_STATES`.
fn states_wanted(usual: u64) -> u64 {
    let wanted = std::env::var("CRASH_STATES").ok().and_then(|text| text.parse().ok());
    wanted.unwrap_or(usual)
}

fn plan(seed: u64, policy: Appendfsync) -> Plan {
    Plan {
        seed,
        policy,
        changes_policy: false,
        pauses_percent: 0,
        ties: true,
        snapshots_percent: 3,
        switches: false,
        delays: false,
        bug: None,
        fault: None,
        probes_percent: 5,
        events: 400,
    }
}

/// Lives of some seconds.
fn unhurried(seed: u64, policy: Appendfsync) -> Plan {
    Plan { pauses_percent: 20, probes_percent: 5, events: 500, ..plan(seed, policy) }
}

/// Lives of half a minute on a disk that is quick and slow by turns.
fn on_a_slow_disk(seed: u64) -> Plan {
    let unhurried = unhurried(seed, Appendfsync::EverySec);
    Plan { delays: true, pauses_percent: 70, probes_percent: 3, events: 1_500, ..unhurried }
}

/// Early in each life some operations fail.
fn once(seed: u64, failure: Failure) -> Fault {
    Fault { nth: 40, count: 1 + seed % 4, failure }
}

/// Runs seeds until so many crash states have been examined, or the one of `CRASH_SEED`.
fn examine_states(wanted: u64, make: impl Fn(u64) -> Plan) {
    if let Ok(text) = std::env::var("CRASH_SEED") {
        let seed = text.parse().expect("CRASH_SEED is a number");
        let states = Run::new(make(seed)).lives(3).unwrap_or_else(|wrong| panic!("{wrong}"));
        return println!("seed {seed}: {states} states");
    }
    let (mut states, mut seed, mut snapshots, mut returns) = (0, 1, 0, 0);
    while states < wanted {
        let mut run = Run::new(make(seed));
        states += run.lives(3).unwrap_or_else(|wrong| panic!("{wrong}"));
        snapshots += run.snapshots;
        returns += run.returns;
        seed += 1;
    }
    println!("{states} states, {snapshots} snapshots, the log was on again {returns} times");
    assert!(snapshots > 0, "no snapshot in {states} crash states");
    assert!(returns > 3 || !make(1).switches, "the log was on again {returns} times");
}

#[test]
fn under_always_every_acknowledged_write_survives_a_loss_of_power_at_any_operation() {
    examine_states(states_wanted(4_000), |seed| plan(seed, Appendfsync::Always));
}

#[test]
fn under_everysec_what_was_acknowledged_more_than_a_second_before_survives() {
    examine_states(states_wanted(3_000), |seed| unhurried(seed, Appendfsync::EverySec));
}

#[test]
fn under_everysec_a_slow_disk_costs_no_more_than_it_has_to() {
    for ties in [false, true] {
        examine_states(states_wanted(1_500), |seed| Plan { ties, ..on_a_slow_disk(seed) });
    }
}

#[test]
fn a_policy_changed_while_serving_holds_for_all_that_is_sent_afterwards() {
    examine_states(states_wanted(1_500), |seed| Plan {
        changes_policy: true,
        ..unhurried(seed, Appendfsync::Always)
    });
}

#[test]
fn a_log_switched_on_and_off_keeps_what_it_promises_while_it_is_on() {
    for policy in [Appendfsync::Always, Appendfsync::EverySec] {
        examine_states(states_wanted(1_500), |seed| Plan {
            switches: true,
            snapshots_percent: 4,
            ..unhurried(seed, policy)
        });
    }
}

#[test]
fn a_disk_that_fails_or_is_full_once_costs_no_acknowledged_write() {
    for failure in [Failure::Broken(5), Failure::Full] {
        examine_states(states_wanted(1_500), |seed| Plan {
            fault: Some(once(seed, failure)),
            ..plan(seed, Appendfsync::Always)
        });
    }
}

#[test]
fn every_planted_bug_is_caught() {
    for bug in Bug::ALL {
        let fills = bug == Bug::RefusalUnsaid;
        let run = |seed| {
            let fault = fills.then(|| once(seed, Failure::Full));
            let plan = Plan { bug: Some(bug), fault, ..plan(seed, Appendfsync::Always) };
            Run::new(plan).lives(3).is_err()
        };
        // One batch is under way at a time: few are torn where a wrong byte is not noticed anyhow.
        let caught = (1..=200).find(|seed| run(*seed));
        let seed = caught.unwrap_or_else(|| panic!("{bug:?} goes unnoticed in 200 runs"));
        println!("{bug:?}: caught by seed {seed}");
    }
    let bug = Some(Bug::AckBeforeFsync);
    for ties in [false, true] {
        let run = |seed| Run::new(Plan { bug, ties, ..on_a_slow_disk(seed) }).lives(3).err();
        let caught = (1..=40).find_map(run).expect("a window that never closes goes unnoticed");
        println!("a window that never closes: {caught}");
    }
}
