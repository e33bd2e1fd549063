//! What is missing amid the logs of several lives: a start with any number of cores refuses it,
//! whatever it would make of the rest, and finds nothing missing where nothing is.

use freehold_engine::config::Appendfsync;
use freehold_engine::disk::FileName;
use freehold_engine::log::FIRST_BATCH;
use freehold_tests::random::Random;

use super::disk::{Disk, Lies};
use super::host::recover;
use super::starts::live;

/// Four lives with other cores each; all write the same keys.
fn lived() -> (Disk, Vec<FileName>) {
    let (mut random, mut disk) = (Random::new(11), Disk::new(Lies::default()));
    for cores in [4, 2, 3, 1] {
        live(&mut disk, cores, &mut random);
    }
    let logs = disk.files().filter(|file| matches!(file, FileName::Log { .. })).collect();
    (disk, logs)
}

fn is_refused(disk: &Disk, what: &str) {
    for cores in 1..=4 {
        let said = match recover(&mut disk.clone(), cores, Appendfsync::Always, None) {
            Ok(_) => panic!("{what} is not missed by {cores} cores"),
            Err(said) => said,
        };
        assert!(said.contains("records are missing"), "{what}: {said}");
    }
}

#[test]
fn a_log_that_is_gone_or_ends_early_is_missed_by_those_that_go_on_from_it() {
    let (disk, logs) = lived();
    let newest = logs.iter().filter_map(FileName::generation).max();
    let earlier: Vec<FileName> = logs.into_iter().filter(|log| log.generation() < newest).collect();
    assert_eq!(earlier.len(), 4 + 2 + 3);
    for log in earlier {
        let mut without = disk.clone();
        without.lose(log);
        is_refused(&without, &log.to_string());

        let mut short = disk.clone();
        short.cut_short(log, FIRST_BATCH as usize);
        is_refused(&short, &format!("the end of {log}"));
    }
}

#[test]
fn lives_with_other_cores_go_on_from_each_other_without_a_gap() {
    let (mut disk, _) = lived();
    for cores in 1..=5 {
        assert!(recover(&mut disk, cores, Appendfsync::Always, None).is_ok(), "{cores} cores");
    }
}
