//! A snapshot written through a disk of vectors is what the keyspace held at its beginning, and any
//! damage to it is refused.

use super::*;
use crate::base::random::Random;
use crate::disk::{Completion, Failure, FileName, Files, Operation, ReadError, Requests};
use crate::effect::apply;
use crate::keyspace::{CutState, Keyspace};
use std::collections::BTreeMap;

/// Files by name; the operation with this number fails.
#[derive(Default)]
struct Disk {
    files: BTreeMap<FileName, Vec<u8>>,
    done: u64,
    fails_at: Option<u64>,
}

impl Disk {
    fn perform(&mut self, requests: &mut Requests, writer: &mut Writer) {
        for request in requests.take() {
            self.done += 1;
            let fails = self.fails_at == Some(self.done);
            let outcome = if fails { Err(Failure::Full) } else { Ok(()) };
            let mut buffer = Vec::new();
            match request.operation {
                _ if fails => {}
                Operation::Create(file) => drop(self.files.insert(file, Vec::new())),
                Operation::Write { file, offset, bytes, .. } => {
                    let content = self.files.get_mut(&file).expect("it was created");
                    let end = offset as usize + bytes.len();
                    content.resize(end.max(content.len()), 0);
                    content[offset as usize..end].copy_from_slice(&bytes);
                    buffer = bytes;
                }
                Operation::Rename { from, to } => {
                    let content = self.files.remove(&from).expect("it is there");
                    self.files.insert(to, content);
                }
                Operation::Remove(file) => drop(self.files.remove(&file)),
                _ => {}
            }
            let completion = Completion { owner: request.owner, tag: request.tag, outcome, buffer };
            writer.completed(&completion, requests);
        }
    }
}

impl Files for Disk {
    fn list(&self) -> Result<Vec<FileName>, String> {
        Ok(self.files.keys().copied().collect())
    }

    fn len(&mut self, file: FileName) -> Result<u64, ReadError> {
        let content = self.files.get(&file);
        content.map(|content| content.len() as u64).ok_or(ReadError { file, reason: "none".into() })
    }

    fn sync(&mut self, _: FileName) -> Result<(), ReadError> {
        Ok(())
    }

    fn read(&mut self, file: FileName, offset: u64, into: &mut [u8]) -> Result<usize, ReadError> {
        let content = self.files[&file].get(offset as usize..).unwrap_or_default();
        let count = content.len().min(into.len());
        into[..count].copy_from_slice(&content[..count]);
        Ok(count)
    }
}

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
            disk.perform(&mut requests, &mut writer);
            assert_eq!(keyspace.cut_state(), CutState::Complete);
            return (digest, outcome);
        }
    }
}

fn read(disk: &mut Disk, slots: std::ops::Range<u16>) -> Result<Keyspace, LoadError> {
    let mut copy = Keyspace::new(0..16384, 2, [5, 6, 7, 8]);
    let header = load(disk, NAME, slots, &mut |effect| apply(&mut copy, effect, 0))?;
    assert_eq!(header, HEADER);
    Ok(copy)
}

#[test]
fn a_snapshot_is_what_there_was_when_it_began() {
    for seed in 0..20 {
        let (mut keyspace, mut disk) = (filled(seed * 200), Disk::default());
        let (digest, outcome) = write(&mut keyspace, &mut disk, seed);
        let bytes = disk.files[&NAME].len() as u64;
        assert_eq!(outcome, Outcome::Done { keys: seed * 200, bytes }, "seed {seed}");
        assert_eq!(read(&mut disk, 0..16384).expect("whole").digest(), digest, "seed {seed}");
        let parts = [0..5000, 5000..5001, 5001..16384];
        let parts = parts.map(|slots| read(&mut disk, slots).expect("whole").digest());
        assert_eq!(parts.into_iter().fold(0, u128::wrapping_add), digest, "seed {seed}");
        assert_eq!(disk.files.len(), 1, "no draft is left");
    }
}

#[test]
fn any_flipped_bit_and_any_cut_is_refused() {
    let (mut keyspace, mut disk) = (filled(5), Disk::default());
    write(&mut keyspace, &mut disk, 1);
    let whole = disk.files[&NAME].clone();
    for bit in 0..whole.len() * 8 {
        disk.files.insert(NAME, whole.clone());
        disk.files.get_mut(&NAME).expect("it is there")[bit / 8] ^= 1 << (bit % 8);
        assert!(read(&mut disk, 0..16384).is_err(), "bit {bit}");
    }
    for length in 0..whole.len() {
        disk.files.insert(NAME, whole[..length].to_vec());
        assert!(read(&mut disk, 0..16384).is_err(), "{length} bytes");
    }
}

#[test]
fn whatever_fails_on_the_disk_is_told_and_leaves_no_file() {
    let mut failed = 0;
    for fails_at in 1.. {
        let mut keyspace = filled(2000);
        let mut disk = Disk { fails_at: Some(fails_at), ..Disk::default() };
        let (_, outcome) = write(&mut keyspace, &mut disk, 3);
        if let Outcome::Done { .. } = outcome {
            break;
        }
        failed += 1;
        assert_eq!(outcome, Outcome::Failed(Failure::Full), "operation {fails_at}");
        assert!(disk.files.is_empty(), "operation {fails_at}");
    }
    assert!(failed > 6, "{failed}");
}

#[test]
fn a_flush_abandons_the_snapshot_and_the_next_one_is_whole() {
    let (mut keyspace, mut disk) = (filled(3000), Disk::default());
    let mut requests = Requests::default();
    let mut writer = Writer::begin(&mut keyspace, HEADER, &mut requests);
    disk.perform(&mut requests, &mut writer);
    writer.slice(&mut keyspace, 500, &mut requests);
    keyspace.flush(1);
    while writer.outcome().is_none() {
        writer.slice(&mut keyspace, 500, &mut requests);
        disk.perform(&mut requests, &mut writer);
    }
    disk.perform(&mut requests, &mut writer);
    assert_eq!(writer.outcome(), Some(Outcome::Abandoned));
    assert!(disk.files.is_empty());
    let (digest, _) = write(&mut keyspace, &mut disk, 9);
    assert_eq!(read(&mut disk, 0..16384).expect("whole").digest(), digest);
}
