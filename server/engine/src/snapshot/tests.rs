//! A snapshot written through a disk of vectors is what the keyspace held at its beginning, in
//! whatever order the disk completes what it was asked, and any damage to it is refused.

pub(crate) mod disk;
mod walks;

use super::*;
use crate::base::random::Random;
use crate::disk::{Failure, FileName, Operation, Requests};
use crate::effect::apply;
use crate::keyspace::{CutState, Keyspace};
use disk::Disk;

const HEADER: Header = Header { generation: 7, core: 1, cores: 2, cut_unix_ms: 1_700 };
const NAME: FileName = FileName::Snapshot { generation: 7, core: 1 };

fn set(keyspace: &mut Keyspace, n: u64, text: &[u8]) {
    let name = format!("key:{n}");
    let key = keyspace.key_ref(name.as_bytes());
    keyspace.set_string((n % 2) as u8, &key, text, None, 0);
}

fn filled(keys: u64) -> Keyspace {
    let mut keyspace = Keyspace::new(0..16384, 2, [1, 2, 3, 4]);
    (0..keys).for_each(|n| set(&mut keyspace, n, format!("value {n}").repeat(5).as_bytes()));
    keyspace
}

/// Writes a snapshot while keys change; what it holds and how it ended.
fn write(keyspace: &mut Keyspace, disk: &mut Disk, seed: u64) -> (u128, Outcome) {
    let mut random = Random::new(seed);
    let (mut requests, digest) = (Requests::default(), keyspace.digest());
    let mut writer = Writer::begin(keyspace, HEADER, &mut requests);
    loop {
        writer.slice(keyspace, 1 + random.below(700) as usize, &mut requests);
        for _ in 0..random.below(40) {
            set(keyspace, random.below(4000), b"another");
        }
        disk.perform(&mut requests, &mut writer);
        if let Some(outcome) = writer.outcome() {
            assert!(requests.is_empty() && disk.is_at_rest(), "seed {seed}");
            assert_eq!(keyspace.cut_state(), CutState::Complete);
            return (digest, outcome);
        }
    }
}

fn read(disk: &mut Disk, slots: std::ops::Range<u16>) -> Result<Keyspace, LoadError> {
    let mut copy = Keyspace::new(0..16384, 2, [5, 6, 7, 8]);
    let header = load(&mut disk.files, NAME, slots, &mut |effect| apply(&mut copy, effect, 0))?;
    assert_eq!(header, HEADER);
    Ok(copy)
}

#[test]
fn a_snapshot_is_what_there_was_when_it_began() {
    for seed in 0..40 {
        let disk = if seed % 2 == 0 { Disk::default() } else { Disk::in_any_order(seed) };
        let (mut keyspace, mut disk) = (filled(seed * 200), disk);
        let (digest, outcome) = write(&mut keyspace, &mut disk, seed);
        let bytes = disk.files.0[&NAME].len() as u64;
        assert_eq!(outcome, Outcome::Done { keys: seed * 200, bytes }, "seed {seed}");
        assert_eq!(read(&mut disk, 0..16384).expect("whole").digest(), digest, "seed {seed}");
        let parts = [0..5000, 5000..5001, 5001..16384];
        let parts = parts.map(|slots| read(&mut disk, slots).expect("whole").digest());
        assert_eq!(parts.into_iter().fold(0, u128::wrapping_add), digest, "seed {seed}");
        assert_eq!(disk.files.0.len(), 1, "no draft is left");
    }
}

#[test]
fn any_flipped_bit_and_any_cut_is_refused() {
    let (mut keyspace, mut disk) = (filled(5), Disk::default());
    write(&mut keyspace, &mut disk, 1);
    let whole = disk.files.0[&NAME].clone();
    for bit in 0..whole.len() * 8 {
        disk.files.0.insert(NAME, whole.clone());
        disk.files.0.get_mut(&NAME).expect("it is there")[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&mut disk, 0..16384).is_err(), "bit {bit}");
    }
    for length in 0..whole.len() {
        disk.files.0.insert(NAME, whole[..length].to_vec());
        assert!(read(&mut disk, 0..16384).is_err(), "{length} bytes");
    }
}

#[test]
fn whatever_fails_on_the_disk_is_told_and_leaves_no_file() {
    for seed in 0..20 {
        let mut failed = 0;
        for fails_at in 1.. {
            let mut keyspace = filled(2000);
            let mut disk = if seed == 0 { Disk::default() } else { Disk::in_any_order(seed) };
            disk.fails_at = Some(fails_at);
            let (_, outcome) = write(&mut keyspace, &mut disk, seed);
            if let Outcome::Done { .. } = outcome {
                break;
            }
            failed += 1;
            assert_eq!(outcome, Outcome::Failed(Failure::Full), "seed {seed}, {fails_at}");
            assert!(disk.files.0.is_empty(), "seed {seed}, {fails_at}");
        }
        assert!(failed > 6, "seed {seed}: {failed}");
    }
}

/// Begins a snapshot, flushes when the disk has done so much, and goes on until the end is told.
fn abandon(disk: &mut Disk, rounds: usize) -> Keyspace {
    let mut keyspace = filled(3000);
    let mut requests = Requests::default();
    let mut writer = Writer::begin(&mut keyspace, HEADER, &mut requests);
    for _ in 0..rounds {
        disk.perform(&mut requests, &mut writer);
        writer.slice(&mut keyspace, 500, &mut requests);
    }
    keyspace.flush(1);
    while writer.outcome().is_none() {
        writer.slice(&mut keyspace, 500, &mut requests);
        disk.perform(&mut requests, &mut writer);
    }
    assert_eq!(writer.outcome(), Some(Outcome::Abandoned));
    assert!(requests.is_empty() && disk.is_at_rest());
    keyspace
}

#[test]
fn a_flush_abandons_the_snapshot_and_the_next_one_is_whole() {
    for (seed, rounds) in (0..40).flat_map(|seed| [(seed, 0), (seed, 1), (seed, 3)]) {
        let mut disk = Disk::in_any_order(seed);
        let mut keyspace = abandon(&mut disk, rounds);
        assert!(disk.files.0.is_empty(), "seed {seed}, {rounds} rounds");
        let (digest, _) = write(&mut keyspace, &mut disk, 9);
        let copy = read(&mut disk, 0..16384).expect("whole");
        assert_eq!(copy.digest(), digest, "seed {seed}, {rounds} rounds");
    }
}

/// The removal used to be asked for while the draft was still being made, and might have come
/// first: the draft stayed behind, and open.
#[test]
fn a_draft_that_is_still_being_made_is_closed_and_removed_after_that() {
    let (mut keyspace, mut disk) = (filled(100), Disk::default());
    let mut requests = Requests::default();
    let mut writer = Writer::begin(&mut keyspace, HEADER, &mut requests);
    let create = requests.take();
    keyspace.flush_all();
    while writer.slice(&mut keyspace, 500, &mut requests) {}
    assert!(requests.is_empty(), "nothing is asked before the file is there");
    assert_eq!((writer.outcome(), keyspace.cut_state()), (None, CutState::Complete));
    disk.accept(create);
    disk.perform(&mut requests, &mut writer);
    writer.slice(&mut keyspace, 500, &mut requests);
    let asked = requests.take();
    let draft = FileName::SnapshotDraft { generation: 7, core: 1 };
    let operations: Vec<Operation> = asked.iter().map(|ask| ask.operation.clone()).collect();
    assert_eq!(operations, [Operation::Close(draft), Operation::Remove(draft)]);
    assert_eq!(writer.outcome(), None, "the next draft may have the same name");
    disk.accept(asked);
    disk.perform(&mut requests, &mut writer);
    assert_eq!(writer.outcome(), Some(Outcome::Abandoned));
    assert!(disk.files.0.is_empty() && disk.is_at_rest());
}

/// A draft that could not be made after all is not closed.
#[test]
fn a_draft_that_was_given_up_and_then_refused_is_not_closed() {
    let mut disk = Disk::in_any_order(1);
    disk.fails_at = Some(1);
    abandon(&mut disk, 0);
    assert!(disk.files.0.is_empty());
}

#[test]
fn the_walk_waits_while_a_mebibyte_is_on_its_way_and_changes_are_taken_all_the_same() {
    const MEBIBYTE: usize = 1 << 20;
    let mut random = Random::new(1);
    let mut keyspace = Keyspace::new(0..16384, 2, [1, 2, 3, 4]);
    let mut noise = || [(); 128].map(|()| random.next_u64().to_le_bytes()).concat();
    (0..4000).for_each(|n| set(&mut keyspace, n, &noise()));
    let digest = keyspace.digest();
    let (mut disk, mut requests) = (Disk::default(), Requests::default());
    let mut writer = Writer::begin(&mut keyspace, HEADER, &mut requests);
    disk.perform(&mut requests, &mut writer);
    while writer.slice(&mut keyspace, 100, &mut requests) {}
    let queued = writer.queued_bytes();
    assert!((MEBIBYTE..MEBIBYTE + 2 * 66_000).contains(&queued), "{queued} bytes");
    assert_eq!(keyspace.cut_state(), CutState::Saving, "the walk waits");
    for n in 0..4000 {
        set(&mut keyspace, n, b"another");
        writer.slice(&mut keyspace, 100, &mut requests);
        assert!(keyspace.saved_bytes() < 3 * 66_000, "what changes save is taken at once");
    }
    assert!(writer.queued_bytes() > 3 * MEBIBYTE, "{} bytes", writer.queued_bytes());
    while writer.outcome().is_none() {
        disk.perform(&mut requests, &mut writer);
        writer.slice(&mut keyspace, 100, &mut requests);
    }
    assert_eq!(writer.queued_bytes(), 0);
    assert_eq!(read(&mut disk, 0..16384).expect("whole").digest(), digest);
}

#[test]
fn a_snapshot_that_is_cancelled_leaves_no_file_unless_all_of_it_is_written() {
    let mut outcomes = [0, 0];
    for turns in 0..40 {
        let (mut keyspace, mut disk) = (filled(3_000), Disk::in_any_order(turns));
        let mut requests = Requests::default();
        let mut writer = Writer::begin(&mut keyspace, HEADER, &mut requests);
        for turn in 0.. {
            if turn >= turns {
                writer.cancel();
            }
            writer.slice(&mut keyspace, 200, &mut requests);
            disk.perform(&mut requests, &mut writer);
            if writer.outcome().is_some() {
                break;
            }
        }
        assert!(requests.is_empty() && disk.is_at_rest(), "after {turns} turns");
        assert_eq!(keyspace.cut_state(), CutState::Complete);
        let cancelled = writer.outcome() == Some(Outcome::Cancelled);
        assert_eq!(disk.files.0.is_empty(), cancelled, "after {turns} turns");
        outcomes[usize::from(cancelled)] += 1;
    }
    assert!(outcomes.iter().all(|count| *count > 3), "{outcomes:?}");
}
