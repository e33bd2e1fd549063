//! Transactions under load, judged by the checkers: a small run of what `--bin transfers` does with
//! a million, and proof that a server with a bug would be found, by the name of its bug.

use freehold_tests::checkers::append::{Anomaly, CycleKind};
use freehold_tests::checkers::bank::Complaint;
use freehold_tests::server::{freehold, redis};
use freehold_tests::transactions::planted::{Bug, proxy};
use freehold_tests::transactions::{Plan, Sight, Verdict, run};

fn judge(address: &str, truth: &str, transfers: u64, seed: u64) -> Verdict {
    let (address, truth) = (address.to_owned(), truth.to_owned());
    run(&Plan { address, truth, transfers, round: 1_500, seed }, |_| {})
}

#[track_caller]
fn must_be_clean(verdict: &Verdict, transfers: u64, seed: u64) {
    assert!(verdict.is_clean(), "seed {seed}: {verdict}\n{}", verdict.complaints_told());
    assert_eq!(verdict.transfers(), transfers, "seed {seed}: every transfer is accounted for");
    assert!(verdict.done > transfers / 2, "seed {seed}: hardly anything was done: {verdict}");
    assert!(verdict.deaths > 0, "seed {seed}: nobody died: {verdict}");
    let looked = [verdict.readings, verdict.sightings, verdict.list_transactions];
    assert!(looked.iter().all(|count| *count > 20), "seed {seed}: nobody looked: {verdict}");
}

#[test]
fn transfers_over_two_cores_are_whole_and_none_is_lost() {
    let server = freehold(2).start();
    must_be_clean(&judge(server.address(), server.address(), 4_000, 1), 4_000, 1);
}

#[test]
fn transfers_over_four_cores_are_whole_and_none_is_lost() {
    let server = freehold(4).start();
    must_be_clean(&judge(server.address(), server.address(), 4_000, 2), 4_000, 2);
}

/// What the checkers hold for right is what redis-server does.
#[test]
fn redis_server_is_clean_too() {
    let server = redis().start();
    must_be_clean(&judge(server.address(), server.address(), 4_000, 3), 4_000, 3);
}

#[test]
fn the_proxy_without_a_bug_is_clean() {
    let server = freehold(2).start();
    let address = proxy(server.address(), None, 4);
    must_be_clean(&judge(&address, server.address(), 1_500, 4), 1_500, 4);
}

/// What must be reported, in words and as a question to a verdict.
type Due<'a> = (&'a str, &'a dyn Fn(&Verdict) -> bool);

/// Runs with the bug until everything that is `due` has been reported, each by at least one run.
#[track_caller]
fn must_report(bug: Bug, due: &[Due]) {
    let server = freehold(2).start();
    let mut missing: Vec<_> = due.iter().collect();
    for seed in 0..8 {
        let verdict = judge(&proxy(server.address(), Some(bug), seed), server.address(), 600, seed);
        assert!(verdict.troubles.is_empty(), "seed {seed}: {:?}", verdict.troubles);
        missing.retain(|(_, is_reported)| !is_reported(&verdict));
        if missing.is_empty() {
            return;
        }
    }
    let missing: Vec<&str> = missing.iter().map(|(what, _)| *what).collect();
    panic!("{bug:?}: never reported: {missing:?}");
}

fn bank(is_it: fn(&Complaint) -> bool) -> impl Fn(&Verdict) -> bool {
    move |verdict| verdict.complaints.iter().any(is_it)
}

fn lists(is_it: fn(&Anomaly) -> bool) -> impl Fn(&Verdict) -> bool {
    move |verdict| verdict.anomalies.iter().any(is_it)
}

fn sights(is_it: fn(&Sight) -> bool) -> impl Fn(&Verdict) -> bool {
    move |verdict| verdict.sights.iter().any(is_it)
}

#[test]
fn transactions_that_are_not_isolated_are_reported() {
    let half_read = |anomaly: &Anomaly| match anomaly {
        Anomaly::IntermediateRead { .. } => true,
        Anomaly::Cycle(cycle) => !cycle.real_time,
        _ => false,
    };
    must_report(
        Bug::Torn,
        &[
            ("a total that is wrong", &bank(|c| matches!(c, Complaint::Total { .. }))),
            ("a cycle or half a transaction", &lists(half_read)),
        ],
    );
}

#[test]
fn an_acknowledged_transaction_that_is_lost_is_reported() {
    must_report(
        Bug::Lost,
        &[
            ("a lost transfer", &bank(|c| matches!(c, Complaint::Lost { .. }))),
            ("a lost append", &lists(|a| matches!(a, Anomaly::LostAppend { .. }))),
        ],
    );
}

#[test]
fn a_transaction_of_which_half_is_kept_is_reported() {
    must_report(
        Bug::Halved,
        &[
            ("one mark of two", &bank(|c| matches!(c, Complaint::Torn { .. }))),
            ("a lost append", &lists(|a| matches!(a, Anomaly::LostAppend { .. }))),
        ],
    );
}

#[test]
fn a_transaction_that_runs_twice_is_reported() {
    must_report(
        Bug::Doubled,
        &[
            ("two marks", &bank(|c| matches!(c, Complaint::Twice { .. }))),
            ("a duplicate", &lists(|a| matches!(a, Anomaly::Duplicate { .. }))),
        ],
    );
}

#[test]
fn a_refused_transaction_that_runs_is_reported() {
    let applied = |c: &Complaint| matches!(c, Complaint::AppliedThoughRefused { .. });
    must_report(
        Bug::Denied,
        &[
            ("a refused transfer's mark", &bank(applied)),
            ("an aborted read", &lists(|a| matches!(a, Anomaly::AbortedRead { .. }))),
        ],
    );
}

#[test]
fn a_stale_snapshot_is_reported_as_serializable_but_stale() {
    let stale = |anomaly: &Anomaly| match anomaly {
        Anomaly::Cycle(cycle) => cycle.kind == CycleKind::GSingle && cycle.real_time,
        _ => false,
    };
    must_report(
        Bug::Stale,
        &[
            ("a reading from before", &lists(stale)),
            ("an MSET from before", &sights(|s| matches!(s, Sight::OldMset { .. }))),
        ],
    );
}

#[test]
fn a_forgotten_watch_is_reported_as_write_skew() {
    let skew = |anomaly: &Anomaly| match anomaly {
        Anomaly::Cycle(cycle) => matches!(cycle.kind, CycleKind::GSingle | CycleKind::G2),
        _ => false,
    };
    must_report(
        Bug::Unwatched,
        &[
            ("a guard that did not guard", &bank(|c| matches!(c, Complaint::Unguarded { .. }))),
            ("a cycle through a read", &lists(skew)),
        ],
    );
}

#[test]
fn an_mset_in_pieces_is_reported() {
    let half = sights(|sight| matches!(sight, Sight::HalfAnMset { .. }));
    must_report(Bug::SplitMset, &[("half an MSET", &half)]);
}

#[test]
fn a_rename_in_two_steps_is_reported() {
    let nowhere = sights(|sight| matches!(sight, Sight::Places { count: 0 }));
    must_report(Bug::SplitRename, &[("a treasure that is nowhere", &nowhere)]);
}
