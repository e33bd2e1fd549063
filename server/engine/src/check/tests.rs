//! What is said of logs, snapshots and directories, whole and broken, and that a repaired log is
//! sound and holds what came before the bad place.

mod golden;

use super::*;
use crate::config::Appendfsync;
use crate::disk::Memory;
use crate::disk::Requests;
use crate::effect::Part;
use crate::keyspace::Keyspace;
use crate::log::Numbers;
use crate::log::tests::Writer;
use crate::snapshot::tests::disk::Disk;
use crate::snapshot::{Outcome, Writer as SnapshotWriter};
use crate::store::Kept;

const LOG: FileName = FileName::Log { generation: 1, core: 0 };

/// A log of six batches with four records each.
fn some_log(policy: Appendfsync) -> Memory {
    let mut writer = Writer::new(0, 1, policy);
    for batch in 0..6_u8 {
        (0..4_u8).for_each(|key| writer.delete(&[b'k', batch, key]));
        writer.settle();
    }
    writer.files
}

fn looked_at(files: &mut dyn Files, file: FileName) -> Report {
    let report = inspect(files, file).expect("readable");
    for line in report.to_string().lines() {
        assert!(line.chars().count() <= COLUMNS, "{line}");
    }
    report
}

fn records(report: &Report) -> u64 {
    report.examined.as_ref().map_or(0, |(_, log)| log.records)
}

/// As the server does it to a file.
fn repaired(bytes: &[u8], repair: Repair) -> Vec<u8> {
    let mut kept = bytes[..repair.keep as usize].to_vec();
    kept.resize(repair.end as usize, 0);
    kept
}

#[test]
fn a_sound_log_tells_what_is_in_it() {
    let mut files = some_log(Appendfsync::Always);
    let report = looked_at(&mut files, LOG);
    assert_eq!((report.verdict, report.created_unix_ms), (Verdict::Sound, Some(1)));
    assert_eq!(
        report.to_string(),
        "  log of core 0 of 1, generation 1\n  \
         6 batches, 24 records, 24 effects\n  \
         0 parts of transactions with other cores\n  \
         4984 bytes, highest database 0\n  \
         sound\n"
    );
}

#[test]
fn a_log_cut_anywhere_is_torn_and_its_repair_keeps_every_whole_record() {
    let whole = some_log(Appendfsync::EverySec).0.remove(&LOG).expect("there");
    let (mut seen, mut torn) = (0, 0);
    for cut in FIRST_BATCH..whole.len() {
        let bytes = &whole[..cut];
        let mut files = Memory([(LOG, bytes.to_vec())].into());
        let report = looked_at(&mut files, LOG);
        assert!(report.verdict <= Verdict::Torn, "cut at {cut}: {report}");
        assert!(records(&report) >= seen, "cut at {cut}");
        seen = records(&report);
        if let Some(Trouble { repair: Some(repair), .. }) = report.trouble {
            torn += 1;
            files.0.insert(LOG, repaired(bytes, repair));
            let again = looked_at(&mut files, LOG);
            assert_eq!((again.verdict, records(&again)), (Verdict::Sound, seen), "cut at {cut}");
        }
    }
    assert!(torn > 800, "{torn}");
}

const FIRST_BATCH: usize = crate::log::FIRST_BATCH as usize;

#[test]
fn a_flipped_bit_is_found_where_it_is_and_a_repair_keeps_what_stands_before_it() {
    let whole = some_log(Appendfsync::Always).0.remove(&LOG).expect("there");
    let mut damaged = 0;
    for bit in FIRST_BATCH * 8..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let mut files = Memory([(LOG, bytes.clone())].into());
        let report = looked_at(&mut files, LOG);
        let trouble = report.trouble.as_ref().unwrap_or_else(|| panic!("bit {bit}: {report}"));
        assert!(trouble.offset as usize <= bit / 8 && trouble.offset as usize + 64 > bit / 8);
        damaged += u32::from(report.verdict == Verdict::Damaged);
        let repair = trouble.repair.expect("logs are repaired");
        files.0.insert(LOG, repaired(&bytes, repair));
        let again = looked_at(&mut files, LOG);
        let kept = (again.verdict, records(&again));
        assert_eq!(kept, (Verdict::Sound, records(&report)), "bit {bit}");
    }
    assert!(damaged > 4000, "{damaged}");
}

#[test]
fn a_header_that_cannot_be_read_is_damage_and_another_file_is_not_ours() {
    let mut files = some_log(Appendfsync::Always);
    files.0.get_mut(&LOG).expect("there")[20] ^= 1;
    let report = looked_at(&mut files, LOG);
    assert_eq!(report.verdict, Verdict::Damaged);
    assert!(report.to_string().contains("the checksum of its header is wrong"), "{report}");
    files.0.insert(LOG, b"REDIS0011 and more".repeat(9));
    let report = looked_at(&mut files, LOG);
    assert_eq!(report.verdict, Verdict::Foreign);
    assert!(report.to_string().starts_with("  not a file of Freehold: "), "{report}");
    files.0.insert(LOG, Vec::new());
    assert_eq!(looked_at(&mut files, LOG).verdict, Verdict::Torn);
}

/// A snapshot of `keys` keys as the only one of its node.
fn some_snapshot(disk: &mut Disk, keys: u64) -> FileName {
    let mut keyspace = Keyspace::new(0..16384, 4, [1, 2, 3, 4]);
    for n in 0..keys {
        let name = format!("key:{n}");
        let key = keyspace.key_ref(name.as_bytes());
        keyspace.set_string(3, &key, b"value", None, 0);
    }
    write_snapshot(disk, &mut keyspace)
}

/// Writes what there is, as generation 7.
fn write_snapshot(disk: &mut Disk, keyspace: &mut Keyspace) -> FileName {
    let header = SnapshotHeader { generation: 7, core: 0, cores: 1, cut_unix_ms: 1_700 };
    let mut requests = Requests::default();
    let mut writer = SnapshotWriter::begin(keyspace, header, &mut requests);
    while writer.outcome().is_none() {
        writer.slice(keyspace, 100, &mut requests);
        disk.perform(&mut requests, &mut writer);
    }
    assert!(matches!(writer.outcome(), Some(Outcome::Done { .. })));
    FileName::Snapshot { generation: 7, core: 0 }
}

#[test]
fn a_sound_snapshot_tells_what_is_in_it_and_any_flipped_bit_is_found() {
    let mut disk = Disk::default();
    let file = some_snapshot(&mut disk, 4);
    let report = looked_at(&mut disk.files, file);
    assert_eq!((report.verdict, report.created_unix_ms), (Verdict::Sound, Some(1_700)));
    let text = report.to_string();
    let begins = "  snapshot of core 0 of 1, generation 7\n  4 keys in 1 blocks\n  ";
    assert!(text.starts_with(begins) && text.ends_with(" highest database 3\n  sound\n"), "{text}");
    let whole = disk.files.0[&file].clone();
    for bit in 0..whole.len() * 8 {
        disk.files.0.get_mut(&file).expect("there")[bit / 8] ^= 1 << (bit % 8);
        let report = looked_at(&mut disk.files, file);
        assert!(report.verdict >= Verdict::Damaged, "bit {bit}");
        assert!(report.trouble.is_some_and(|trouble| trouble.repair.is_none()), "bit {bit}");
        disk.files.0.insert(file, whole.clone());
    }
}

#[test]
fn a_copy_is_known_by_what_it_says_of_itself() {
    let files = some_log(Appendfsync::Always);
    let start = &files.0[&LOG][..FIRST_BATCH];
    assert_eq!(identify("copy of my log", start), Some(LOG));
    assert_eq!(identify("log-00000009-000.fhl", start).map(|name| name == LOG), Some(false));
    let mut disk = Disk::default();
    let file = some_snapshot(&mut disk, 4);
    assert_eq!(identify("copy", &disk.files.0[&file]), Some(file));
    let manifest = Manifest { generation: 1, snapshots: 0, created_unix_ms: 0 };
    assert_eq!(identify("copy", &manifest.encode()), Some(FileName::Manifest));
    for other in [&b""[..], b"REDIS0011", &[0; 5000]] {
        assert_eq!(identify("dump.rdb", other), None);
    }
}

#[test]
fn records_that_a_start_would_miss_are_missed_here_too() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.delete(b"k");
    writer.settle();
    assert_eq!(missing_records(&mut writer.files, &[LOG], Numbers::FromOne), None);
    writer.lose_up_to(b"k", 2);
    writer.delete(b"k");
    writer.settle();
    let report = looked_at(&mut writer.files, LOG);
    assert_eq!(report.verdict, Verdict::Sound, "the file itself is as it was written");
    let missing = missing_records(&mut writer.files, &[LOG], Numbers::FromOne);
    let missing = missing.expect("the second change");
    assert!(missing.to_string().contains("change 3, and the last there is before is 1"));
}

/// Reports of files that hold transactions 1, whole, and 2, of which core 1 has nothing.
fn two_cores() -> Vec<Report> {
    let mut reports = Vec::new();
    for core in 0..2 {
        let mut writer = Writer::new(core, 2, Appendfsync::Always);
        let part = |ticket| Part { ticket, members: vec![0, 1], locked: true };
        writer.part(&part(1), b"whole");
        if core == 0 {
            writer.part(&part(2), b"lacking");
        }
        writer.settle();
        reports.push(looked_at(&mut writer.files, FileName::Log { generation: 1, core }));
    }
    reports
}

fn manifest(generation: u64, snapshots: u16) -> Report {
    let manifest = Manifest { generation, snapshots, created_unix_ms: 0 };
    let mut files = Memory([(FileName::Manifest, manifest.encode())].into());
    let report = looked_at(&mut files, FileName::Manifest);
    assert_eq!(report.verdict, Verdict::Sound);
    report
}

#[test]
fn a_transaction_that_not_all_its_cores_wrote_is_named() {
    let mut reports = two_cores();
    let between = compare(&reports);
    assert_eq!(between.verdict, Verdict::Torn);
    let said = [
        "transaction 2 of generation 1 lacks the part of core 1",
        "a start leaves 1 transactions out, and what may rest on them",
    ];
    assert_eq!(between.said, said);
    reports.pop();
    let between = compare(&reports);
    assert_eq!(between.verdict, Verdict::Torn);
    assert!(between.said[0].contains("log-00000001-001.fhl"), "{between:?}");
    assert!(between.said[1].starts_with("transaction 1 of generation 1 lacks"), "{between:?}");
}

/// A header that claimed 65,535 cores had its missing logs named in a sentence of 1.5 MB; a fuzz
/// target that compares reports spent most of its time in it.
#[test]
fn of_many_missing_logs_a_few_are_named_and_the_others_counted() {
    let mut writer = Writer::new(0, u16::MAX, Appendfsync::Always);
    writer.part(&Part { ticket: 1, members: vec![0], locked: true }, b"whole");
    writer.settle();
    let report = looked_at(&mut writer.files, FileName::Log { generation: 1, core: 0 });
    let between = compare(&[report]);
    assert_eq!(between.verdict, Verdict::Torn);
    let [said] = &between.said[..] else { panic!("{between:?}") };
    assert!(said.contains("of 65535 logs of generation 1: log-00000001-001.fhl, "), "{said}");
    assert!(said.contains("log-00000001-010.fhl, and 65524 more; "), "{said}");
}

#[test]
fn a_snapshot_that_the_manifest_counts_has_to_be_there() {
    let mut disk = Disk::default();
    let file = some_snapshot(&mut disk, 4);
    let mut reports = vec![looked_at(&mut disk.files, file)];
    assert_eq!(compare(&reports).verdict, Verdict::Damaged, "which generation counts?");
    reports.push(manifest(7, 1));
    assert_eq!(compare(&reports), Between { verdict: Verdict::Sound, said: Vec::new() });
    reports[1] = manifest(7, 2);
    let between = compare(&reports);
    assert_eq!(between.verdict, Verdict::Damaged);
    assert!(between.said[0].contains("counts 2 snapshot files"), "{between:?}");
    reports[1] = manifest(8, 0);
    let between = compare(&reports);
    assert_eq!(between.verdict, Verdict::Sound);
    assert_eq!(between.said, ["1 files are older than generation 8 and do not count"]);
}

/// Whether a start takes these files, and what a check says of them.
fn start_and_check(files: &mut Memory) -> (bool, Verdict) {
    let names = files.list().expect("readable");
    let reports: Vec<Report> = names.into_iter().map(|file| looked_at(files, file)).collect();
    let kept = Kept::find(files);
    let sound =
        kept.is_ok_and(|kept| kept.logs.iter().all(|log| crate::log::examine(files, *log).is_ok()));
    (sound, verdict(&reports, &compare(&reports)))
}

/// A node was killed during its first snapshot, when one core had ended its part and another had
/// not. The check said `damaged: a start is refused`, and the start went well.
#[test]
fn a_check_says_of_unfinished_and_superfluous_files_what_a_start_makes_of_them() {
    let mut disk = Disk::default();
    let part = some_snapshot(&mut disk, 4);
    let mut files = disk.files;
    files.0.insert(FileName::SnapshotDraft { generation: 7, core: 1 }, vec![1, 2, 3]);
    assert_eq!(start_and_check(&mut files), (false, Verdict::Damaged), "a manifest is missing");
    files.0.extend(some_log(Appendfsync::Always).0);
    assert_eq!(start_and_check(&mut files), (true, Verdict::Sound), "none was ever there");

    files.0.get_mut(&part).expect("there")[100] ^= 1;
    assert_eq!(start_and_check(&mut files), (true, Verdict::Sound), "nobody reads it");
    files.0.get_mut(&LOG).expect("there")[20] ^= 1;
    assert_eq!(start_and_check(&mut files), (false, Verdict::Damaged), "the log is read");
    let manifest = Manifest { generation: 8, snapshots: 0, created_unix_ms: 0 };
    files.0.insert(FileName::Manifest, manifest.encode());
    assert_eq!(start_and_check(&mut files), (true, Verdict::Sound), "all of it is older");
}

#[test]
fn a_long_sentence_is_wrapped_at_80_columns() {
    let text = wrapped(&"word ".repeat(40));
    assert!(text.lines().all(|line| line.chars().count() <= 80 && line.starts_with("  ")));
    assert_eq!(text.split_whitespace().count(), 40);
}
