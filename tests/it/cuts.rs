//! A snapshot is one moment of all cores, also while money moves between them.

use freehold_tests::cuts::{By, Fault, Plan, run};

fn plan(seed: u64, cores: u16, fault: Option<Fault>) -> Plan {
    Plan { seed, snapshots: 10, cores, tellers: 6, by: By::Snapshot, fault }
}

fn is_exact(plan: &Plan) {
    let verdict = run(plan, |_| {});
    assert!(verdict.complaints.is_empty(), "seed {}: {:?}", plan.seed, verdict.complaints);
    assert_eq!(verdict.snapshots, plan.snapshots);
    assert!(verdict.transfers_meanwhile > 100, "hardly anything went on: {verdict:?}");
}

#[test]
fn the_accounts_of_ten_live_snapshots_of_two_cores_add_up() {
    is_exact(&plan(10, 2, None));
}

#[test]
fn the_accounts_of_ten_live_snapshots_of_four_cores_add_up() {
    is_exact(&plan(11, 4, None));
}

#[test]
fn the_accounts_of_ten_copies_of_two_cores_add_up() {
    is_exact(&Plan { by: By::Copy, ..plan(13, 2, None) });
}

#[test]
fn the_accounts_of_ten_rdb_files_of_two_cores_add_up() {
    is_exact(&Plan { by: By::RdbFile, ..plan(15, 2, None) });
}

#[test]
fn what_is_done_wrongly_on_purpose_is_found() {
    for (name, fault) in Fault::ALL {
        let plan = plan(12, 2, Some(*fault));
        let verdict = run(&plan, |_| {});
        let said = match fault {
            Fault::Torn | Fault::Altered => "the accounts together hold",
            Fault::Missing => "it has Integer(20063) keys",
        };
        let found = verdict.complaints.iter().any(|wrong| wrong.contains(said));
        assert!(found, "{name}, seed {}: {verdict:?}", plan.seed);
    }
    for by in [By::Copy, By::RdbFile] {
        let verdict = run(&Plan { by, ..plan(14, 2, Some(Fault::Torn)) }, |_| {});
        assert!(!verdict.complaints.is_empty(), "{by:?}, seed 14: {verdict:?}");
    }
}
