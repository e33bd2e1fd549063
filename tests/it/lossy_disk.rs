//! A server on a disk that loses its power with the process: what was not made durable is gone,
//! torn or there, as it happens. Needs root and FUSE. 200 cycles take
//! `cargo run -p freehold-tests --bin kills -- --disk lossy --cycles 200`.

use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::kills::{Disk, Plan, Policy, Verdict, run};
use freehold_tests::lossy::{Mount, Nature};
use freehold_tests::numbered;
use freehold_tests::server::{Options, Server, freehold};

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

/// Loses power so often, and nothing may be wrong with it. `None` as above.
fn survives(name: &str, policy: Policy, cycles: u64, seed: u64) -> Option<Verdict> {
    let nature = Nature { seed, loses: true, ..Nature::default() };
    let verdict = lose_power(name, policy, cycles, nature)?;
    assert!(verdict.complaints.is_empty(), "seed {seed}: {:?}", verdict.complaints);
    Some(verdict)
}

#[test]
fn under_always_no_acknowledged_write_is_lost_with_the_power() {
    let verdict = survives("freehold-lossy-always", Policy::Always, 8, 8);
    let Some(verdict) = verdict else { return };
    assert!(verdict.acknowledged > 500, "hardly anything was written: {verdict:?}");
}

/// The server synced its files and the directory they lie in, and not the one that one lies in:
/// after a loss of power in its first life there was no data directory, and it began empty.
#[test]
fn the_data_directory_a_server_has_made_survives_the_loss_of_power() {
    for seed in [11, 12, 13] {
        survives(&format!("freehold-lossy-fresh-{seed}"), Policy::Always, 1, seed);
    }
}

#[test]
fn under_everysec_what_was_acknowledged_a_second_before_survives_the_loss_of_power() {
    let verdict = survives("freehold-lossy-everysec", Policy::EverySec, 2, 3);
    let Some(verdict) = verdict else { return };
    assert!(verdict.acknowledged > 500, "hardly anything was written: {verdict:?}");
}

#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let nature = Nature { seed: 5, loses: true, lies: true, ..Nature::default() };
    let verdict = lose_power("freehold-lossy-lies", Policy::Always, 10, nature);
    let Some(verdict) = verdict else { return };
    // Writes are missing, or files without which there is no start.
    assert!(!verdict.complaints.is_empty(), "seed {}: {verdict:?}", nature.seed);
}

/// A server on the mount, syncing before each reply.
fn always(mount: &Mount) -> Options {
    let place = mount.path().display().to_string();
    freehold(1).with(&["--appendonly", "yes", "--appendfsync", "always", "--dir", &place])
}

/// Whether a write is acknowledged. The connection may be closed instead.
fn is_acknowledged(server: &Server, client: &mut Client, number: u64) -> bool {
    match client.try_call(&["SET", "key", &number.to_string()]) {
        Ok(Value::Simple(_)) => return true,
        Ok(Value::Error(_)) => {}
        Ok(other) => panic!("SET answered {other:?}"),
        Err(_) => *client = server.client(),
    }
    false
}

#[test]
fn after_a_sync_that_failed_nothing_is_acknowledged_and_nothing_acknowledged_is_lost() {
    for nth in [40, 41, 75] {
        let nature =
            Nature { seed: nth, loses: true, failing_sync: Some(nth), ..Nature::default() };
        let name = format!("freehold-lossy-error-{nth}");
        let Some(mount) = Mount::for_test(&name, nature) else { return };
        let mut server = always(&mount).start();
        let mut client = server.client();
        let refused = (1..1_000).find(|number| !is_acknowledged(&server, &mut client, *number));
        let refused = refused.expect("a thousand writes sync more often");
        for number in refused + 1..refused + 20 {
            // The next sync would succeed, and tell nothing of what the failed one was to write.
            let told = is_acknowledged(&server, &mut client, number);
            assert!(!told, "sync {nth}, write {number}");
        }
        server.signal("KILL");
        let cut = mount.cut_power();
        server.wait_for_exit(Duration::from_secs(10));
        mount.power_on();
        let held = numbered::text(&always(&mount).start().client().call(&["GET", "key"]));
        let held: u64 = held.parse().unwrap_or(0);
        assert!(held + 1 >= refused, "sync {nth}, {cut:?}: {held} of {} held", refused - 1);
    }
}
