mod gaps;

use std::collections::BTreeMap;

use super::*;
use crate::config::Appendfsync;
use crate::disk::{Completion, Failure, FileName, Memory, Operation, Request, Requests};
use crate::effect::{Effect, Gone, Part, Placed, Records};

/// A core that writes its log into memory.
pub(crate) struct Writer {
    log: Log,
    records: Records,
    requests: Requests,
    pub files: Memory,
    now_us: u64,
    policy: Appendfsync,
}

fn header(core: u16, cores: u16) -> Header {
    Header { generation: 1, core, cores, created_unix_ms: 1, rests_on: 0, life: 1 }
}

impl Writer {
    pub fn new(core: u16, cores: u16, policy: Appendfsync) -> Writer {
        let mut requests = Requests::default();
        let log = Log::begin(header(core, cores), 0, 0, &mut requests);
        let (records, files) = (Records::default(), Memory::default());
        Writer { log, records, requests, files, now_us: 0, policy }
    }

    pub fn delete(&mut self, key: &[u8]) {
        self.records.add(&Effect::Delete { db: 0, key, gone: Gone::Deleted });
        self.records.seal();
    }

    pub fn part(&mut self, part: &Part, key: &[u8]) {
        self.records.begin_step();
        self.records.add(&Effect::Delete { db: 0, key, gone: Gone::Deleted });
        let effects = self.records.end_step();
        self.records.add_part(Some(part), &effects);
    }

    pub fn whole(&mut self, effect: &Effect<'_>) {
        self.records.add(effect);
        self.records.seal();
    }

    fn turn(&mut self) {
        self.now_us += 1_000_000;
        self.log.turn(&mut self.records, self.policy, self.now_us, &mut self.requests);
    }

    /// A turn so much later, and all that was asked for is done but what is `held_up`.
    fn step(&mut self, later_us: u64, held_up: fn(&Operation) -> bool) -> Vec<Request> {
        self.now_us += later_us;
        self.log.turn(&mut self.records, self.policy, self.now_us, &mut self.requests);
        let requests = self.requests.take();
        let (late, done) = requests.into_iter().partition(|request| held_up(&request.operation));
        for Request { owner, tag, operation } in done {
            self.requests.push(owner, tag, operation);
        }
        self.perform(|_| Ok(()));
        late
    }

    /// Performs what was asked for; `fail` says what becomes of it.
    fn perform(&mut self, fail: impl Fn(&Operation) -> Result<(), Failure>) {
        for request in self.requests.take() {
            let outcome = fail(&request.operation);
            let buffer = match (request.operation, outcome) {
                (operation, Ok(())) => self.files.perform(operation),
                (Operation::Write { bytes, .. }, Err(_)) => bytes,
                (_, Err(_)) => Vec::new(),
            };
            let (owner, tag) = (request.owner, request.tag);
            self.log.completed(Completion { owner, tag, outcome, buffer }, self.now_us);
        }
    }

    pub fn settle(&mut self) {
        for _ in 0..4 {
            self.turn();
            self.perform(|_| Ok(()));
        }
    }
}

fn keys_of(files: &mut Memory, logs: &[FileName], slots: std::ops::Range<u16>) -> Vec<Vec<u8>> {
    let examined = logs.iter().filter_map(|name| examine(files, *name).expect("readable"));
    let findings = Findings::new(examined.collect());
    let mut keys = Vec::new();
    let each = |placed: Placed<'_>| keys.push(placed.effect.key().unwrap_or(b"*").to_vec());
    Replay::new(&findings, slots, Numbers::FromOne).run(files, each).expect("readable");
    keys
}

const LOG: FileName = FileName::Log { generation: 1, core: 0 };

/// A log of some batches, and where each of its records ends.
fn some_log(policy: Appendfsync) -> Memory {
    let mut writer = Writer::new(0, 1, policy);
    for batch in 0..6_u8 {
        for key in 0..4_u8 {
            writer.delete(&[b'k', batch, key]);
        }
        writer.settle();
    }
    assert_eq!(writer.log.durable(), writer.records.end());
    writer.files
}

#[test]
fn every_truncation_of_a_log_is_a_prefix_of_it() {
    let whole = some_log(Appendfsync::Always);
    let expected = keys_of(&mut whole.clone(), &[LOG], 0..16384);
    assert_eq!(expected.len(), 24);
    let mut seen = 0;
    for cut in 0..whole.0[&LOG].len() {
        let mut files = whole.clone();
        files.0.get_mut(&LOG).expect("there").truncate(cut);
        let keys = keys_of(&mut files, &[LOG], 0..16384);
        assert!(expected.starts_with(&keys), "cut at {cut}");
        assert!(keys.len() >= seen, "cut at {cut} lost what a shorter file had");
        seen = keys.len();
    }
}

#[test]
fn every_flipped_bit_is_noticed_and_only_the_end_may_be_cut_off() {
    for policy in [Appendfsync::Always, Appendfsync::EverySec] {
        let mut files = some_log(policy);
        let expected = keys_of(&mut files, &[LOG], 0..16384);
        let (bytes, used) = (files.0[&LOG].len(), super::header::FIRST_BATCH as usize);
        let mut cut_off = 0;
        for bit in used * 8..bytes * 8 {
            files.0.get_mut(&LOG).expect("there")[bit / 8] ^= 1 << (bit % 8);
            match examine(&mut files, LOG) {
                Err(LogError::Damaged { offset, .. }) => assert!(offset as usize <= bit / 8),
                Err(other) => panic!("bit {bit}: {other}"),
                Ok(found) => {
                    let found = found.expect("its header is whole");
                    assert!(matches!(found.end, End::Torn { .. }), "bit {bit} went unnoticed");
                    let keys = keys_of(&mut files, &[LOG], 0..16384);
                    assert!(expected.starts_with(&keys) && keys.len() < 24, "bit {bit}");
                    cut_off += 1;
                }
            }
            files.0.get_mut(&LOG).expect("there")[bit / 8] ^= 1 << (bit % 8);
        }
        let share = cut_off * 100 / ((bytes - used) * 8);
        assert!(share < 40, "{share} % of all flips were taken for the work of a crash");
    }
}

#[test]
fn a_damaged_header_is_an_error_and_an_empty_file_is_nothing() {
    let whole = some_log(Appendfsync::Always);
    for bit in 0..36 * 8 {
        let mut files = whole.clone();
        files.0.get_mut(&LOG).expect("there")[bit / 8] ^= 1 << (bit % 8);
        assert!(matches!(examine(&mut files, LOG), Err(LogError::NotALog { .. })), "bit {bit}");
    }
    for length in [0, 1, 4096, 9000] {
        let mut files = Memory(BTreeMap::from([(LOG, vec![0; length])]));
        assert!(matches!(examine(&mut files, LOG), Ok(None)), "{length} zeros");
    }
}

#[test]
fn a_part_whose_keys_stayed_locked_goes_alone_when_another_is_missing() {
    let part = Part { ticket: 9, members: vec![0, 1], locked: true };
    let mut writer = Writer::new(0, 2, Appendfsync::Always);
    writer.delete(b"before");
    writer.part(&part, b"part");
    writer.delete(b"after");
    writer.settle();
    let keys = keys_of(&mut writer.files, &[LOG], 0..16384);
    assert_eq!(keys, [b"before".to_vec(), b"after".to_vec()]);
}

#[test]
fn a_loose_part_takes_with_it_what_may_rest_on_it_on_every_core() {
    let (one, two) = (FileName::Log { generation: 1, core: 1 }, LOG);
    let lacking = Part { ticket: 1, members: vec![0, 2], locked: false };
    let shared = Part { ticket: 2, members: vec![0, 1], locked: false };
    let mut first = Writer::new(0, 3, Appendfsync::EverySec);
    first.delete(b"before");
    first.part(&lacking, b"lacking");
    first.part(&shared, b"shared 0");
    first.settle();
    let mut second = Writer::new(1, 3, Appendfsync::EverySec);
    second.delete(b"also before");
    second.part(&shared, b"shared 1");
    second.delete(b"after");
    second.settle();
    first.files.0.extend(second.files.0);
    let mut keys = keys_of(&mut first.files, &[two, one], 0..16384);
    keys.sort();
    assert_eq!(keys, [b"also before".to_vec(), b"before".to_vec()]);
}

#[test]
fn an_effect_on_whole_databases_stands_between_what_came_before_and_after_on_all_cores() {
    let mut files = Memory::default();
    for core in 0..2 {
        let mut writer = Writer::new(core, 2, Appendfsync::No);
        writer.delete(b"old");
        writer.whole(&Effect::Flush { db: None });
        writer.delete(b"new");
        writer.settle();
        files.0.extend(writer.files.0);
    }
    let logs = [LOG, FileName::Log { generation: 1, core: 1 }];
    let keys = keys_of(&mut files, &logs, 0..16384);
    let (old, new) = (b"old".to_vec(), b"new".to_vec());
    assert_eq!(keys, [old.clone(), old, b"*".to_vec(), new.clone(), new]);
}

#[test]
fn under_always_nothing_is_acknowledged_before_it_is_durable_and_its_file_has_a_name() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.delete(b"k");
    let mut naming = Vec::new();
    for _ in 0..3 {
        for request in writer.requests.take() {
            let Request { owner, tag, operation } = request;
            if matches!(operation, Operation::SyncDirectory) {
                naming.push((owner, tag, operation));
                continue;
            }
            writer.log.completed(Completion { owner, tag, outcome: Ok(()), buffer: vec![] }, 0);
            assert_eq!(writer.log.acknowledged(Appendfsync::Always, 0), 0, "after {operation:?}");
        }
        writer.turn();
    }
    assert_eq!(writer.log.end(), writer.records.end(), "everything has been written");
    naming.into_iter().for_each(|(owner, tag, naming)| writer.requests.push(owner, tag, naming));
    writer.perform(|_| Ok(()));
    assert_eq!(writer.log.acknowledged(Appendfsync::Always, 0), writer.records.end());
}

#[test]
fn a_failed_sync_is_never_tried_again_as_if_nothing_had_happened() {
    let mut writer = Writer::new(0, 1, Appendfsync::EverySec);
    writer.settle();
    writer.delete(b"k");
    writer.turn();
    writer.perform(|_| Ok(()));
    let durable = writer.log.durable();
    for _ in 0..3 {
        writer.turn();
        writer.perform(|operation| match operation {
            Operation::Sync(_) => Err(Failure::Broken(5)),
            _ => Ok(()),
        });
    }
    assert_eq!(writer.log.health(), Health::Broken(5));
    writer.delete(b"later");
    writer.turn();
    assert!(writer.requests.is_empty(), "nothing is asked of a broken disk");
    assert_eq!(writer.log.acknowledged(Appendfsync::EverySec, u64::MAX), durable);
}

/// Whatever holds a log up under everysec: a sync, a write, its name, or space for it.
#[test]
fn under_everysec_replies_wait_once_a_change_is_late_whatever_it_waits_for() {
    let kinds: [fn(&Operation) -> bool; 4] = [
        |operation| matches!(operation, Operation::Sync(_)),
        |operation| matches!(operation, Operation::Write { durable: false, .. }),
        |operation| matches!(operation, Operation::SyncDirectory),
        |operation| matches!(operation, Operation::Allocate { .. }),
    ];
    for (index, held_up) in kinds.into_iter().enumerate() {
        let mut writer = Writer::new(0, 1, Appendfsync::EverySec);
        let naming = index >= 2; // asked for at the beginning of a log, so a second one is begun
        for key in 0..40_u8 {
            writer.delete(&[key]);
            writer.step(10_000, |_| false);
        }
        let policy = Appendfsync::EverySec;
        assert_eq!(writer.log.acknowledged(policy, writer.now_us), u64::MAX, "the disk is quick");
        if naming {
            let (end, now_us) = (writer.records.end(), writer.now_us);
            let header = Header { generation: 2, ..header(0, 1) };
            writer.log = writer.log.next(header, end, now_us, &mut writer.requests);
        }
        let (mut late, mut told) = (Vec::new(), 0);
        for key in 0..100_u8 {
            writer.delete(&[key]);
            late.extend(writer.step(10_000, held_up));
            let acknowledged = writer.log.acknowledged(policy, writer.now_us);
            told += u64::from(acknowledged == u64::MAX);
        }
        // The oldest change may be as old as one sync is apart from the next.
        assert!((55..82).contains(&told), "kind {index}: {told} turns of 10 ms did not wait");
        assert!(!late.is_empty(), "kind {index}: nothing was held up");
        for Request { owner, tag, operation } in late {
            writer.requests.push(owner, tag, operation);
        }
        for _ in 0..20 {
            writer.step(10_000, |_| false);
        }
        let end = writer.records.end();
        assert_eq!(writer.log.acknowledged(policy, writer.now_us), end, "kind {index}: durable");
        writer.delete(b"shows that the disk is quick again");
        for _ in 0..3 {
            writer.step(10_000, |_| false);
        }
        let end = writer.records.end();
        assert_eq!(writer.log.acknowledged(policy, writer.now_us), end, "not for long yet");
        assert_eq!(writer.log.acknowledged(policy, writer.now_us + 10_000_000), u64::MAX);
    }
}

#[test]
fn a_full_disk_is_noticed_early_and_gets_over_by_itself() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    let full = |operation: &Operation| match operation {
        Operation::Allocate { .. } => Err(Failure::Full),
        _ => Ok(()),
    };
    writer.delete(b"fits");
    for _ in 0..2 {
        writer.turn();
        writer.perform(full);
    }
    assert_eq!(writer.log.health(), Health::Full);
    writer.turn();
    writer.perform(full);
    assert_eq!(writer.log.durable(), writer.records.end(), "what was written is kept");
    assert_eq!(writer.log.health(), Health::Full);
    writer.settle();
    assert_eq!(writer.log.health(), Health::Sound);
}

/// What expires or is evicted runs as no command, and nothing sealed it until the next one came: an
/// end in peace lost it.
/// Bytes of records in the batches that were written in these requests.
fn batches(writer: &mut Writer, later_us: u64) -> Vec<Request> {
    let is_batch =
        |operation: &Operation| matches!(operation, Operation::Write { offset, .. } if *offset > 0);
    writer.step(later_us, is_batch)
}

#[test]
fn a_batch_waits_for_those_just_answered_and_half_as_long_as_their_write_took_at_most() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.settle();
    let land = |writer: &mut Writer, requests: Vec<Request>, took_us: u64| {
        writer.now_us += took_us;
        assert_eq!(requests.len(), 1, "one batch");
        for Request { owner, tag, operation } in requests {
            let buffer = writer.files.perform(operation);
            let done = Completion { owner, tag, outcome: Ok(()), buffer };
            writer.log.completed(done, writer.now_us);
        }
    };
    writer.delete(b"a1");
    writer.delete(b"a2");
    let first = batches(&mut writer, 0);
    writer.delete(b"b1");
    assert!(batches(&mut writer, 10).is_empty(), "one write at a time");
    land(&mut writer, first, 2_000);
    let until_us = writer.now_us + 1_005;
    assert!(batches(&mut writer, 0).is_empty(), "a1 and a2 were only just answered");
    assert_eq!(writer.log.next_wake_us(writer.policy), until_us);
    writer.delete(b"a3");
    assert!(batches(&mut writer, 100).is_empty(), "a2 is not back yet");
    writer.delete(b"a4");
    let second = batches(&mut writer, 100);
    land(&mut writer, second, 2_000);
    writer.delete(b"b2");
    assert!(batches(&mut writer, 999).is_empty(), "a3, a4 and b1 were answered");
    let third = batches(&mut writer, 1);
    land(&mut writer, third, 30);
    assert_eq!(writer.log.durable(), writer.records.end());
}

#[test]
fn a_single_client_waits_for_nobody() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.settle();
    for key in 0..10_u8 {
        writer.delete(&[key]);
        let Ok([Request { owner, tag, operation }]) = <[_; 1]>::try_from(batches(&mut writer, 1))
        else {
            panic!("key {key} is not written at once");
        };
        let buffer = writer.files.perform(operation);
        writer.now_us += 2_000;
        let done = Completion { owner, tag, outcome: Ok(()), buffer };
        writer.log.completed(done, writer.now_us);
        assert_eq!(writer.log.durable(), writer.records.end());
        assert!(batches(&mut writer, 1).is_empty());
    }
}

#[test]
fn a_log_that_waits_for_the_disk_or_is_broken_does_not_ask_to_be_woken() {
    let mut writer = Writer::new(0, 1, Appendfsync::EverySec);
    writer.delete(b"k");
    writer.turn();
    assert_eq!(writer.log.next_wake_us(writer.policy), u64::MAX, "its header is not durable");
    writer.perform(|_| Ok(()));
    writer.turn();
    writer.perform(|_| Ok(()));
    writer.turn();
    writer.perform(|_| Err(Failure::Broken(5)));
    writer.delete(b"l");
    writer.turn();
    assert_eq!(writer.log.next_wake_us(writer.policy), u64::MAX, "nothing can be done any more");
}

#[test]
fn what_no_command_has_changed_is_written_at_the_end_of_the_turn_too() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.settle();
    writer.records.add(&Effect::Delete { db: 0, key: b"k", gone: Gone::Evicted });
    writer.settle();
    assert_eq!(keys_of(&mut writer.files, &[LOG], 0..16384), [b"k".to_vec()]);
}

#[test]
fn a_write_that_found_no_space_is_made_again_at_its_place() {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.settle();
    writer.delete(b"k");
    writer.turn();
    writer.perform(|operation| match operation {
        Operation::Write { .. } => Err(Failure::Full),
        _ => Ok(()),
    });
    assert_eq!(writer.log.health(), Health::Full);
    assert!(writer.log.durable() < writer.records.end());
    writer.settle();
    assert_eq!(writer.log.health(), Health::Sound);
    assert_eq!(writer.log.durable(), writer.records.end());
    assert_eq!(keys_of(&mut writer.files, &[LOG], 0..16384), [b"k".to_vec()]);
}

#[test]
fn a_batch_is_not_written_before_the_header_of_its_file_is_durable() {
    // All was asked for at once. A crash could leave batches in a file without a header, at which
    // the next start gave up: "is not a log of Freehold".
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.delete(b"k");
    writer.turn();
    let offset_of = |request: &Request| match request.operation {
        Operation::Write { offset, .. } => Some(offset),
        _ => None,
    };
    let requests = writer.requests.take();
    let written: Vec<u64> = requests.iter().filter_map(offset_of).collect();
    assert_eq!(written, [0], "the header alone");
    for Request { owner, tag, operation } in requests {
        writer.requests.push(owner, tag, operation);
    }
    writer.perform(|_| Ok(()));
    writer.turn();
    let written: Vec<u64> = writer.requests.take().iter().filter_map(offset_of).collect();
    assert_eq!(written, [super::header::FIRST_BATCH]);
}

#[test]
fn a_log_begun_on_a_full_disk_goes_on_when_there_is_space() {
    // The header that found no space counted as a broken disk, for good.
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    writer.delete(b"k");
    writer.perform(|operation| match operation {
        Operation::Write { .. } | Operation::Allocate { .. } => Err(Failure::Full),
        _ => Ok(()),
    });
    assert_eq!(writer.log.health(), Health::Full);
    writer.settle();
    assert_eq!(writer.log.health(), Health::Sound);
    assert_eq!(keys_of(&mut writer.files, &[LOG], 0..16384), [b"k".to_vec()]);
}

#[test]
fn what_another_policy_has_left_unsynced_is_synced_before_always_acknowledges() {
    // A durable write vouched for everything before it, though it makes only its own bytes
    // durable: after CONFIG SET appendfsync always a loss of power left a hole below writes that
    // had been acknowledged, and the start refused the log as damaged. With no further write the
    // reply to CONFIG SET itself never came.
    for before in [Appendfsync::EverySec, Appendfsync::No] {
        let mut writer = Writer::new(0, 1, before);
        writer.settle();
        writer.delete(b"shows that the disk is quick");
        for _ in 0..3 {
            writer.step(100_000, |_| false);
        }
        writer.delete(b"unsynced");
        writer.now_us -= 999_000; // too early for the next sync
        writer.turn();
        writer.perform(|operation| {
            assert!(!matches!(operation, Operation::Sync(_)), "it is too early");
            Ok(())
        });
        writer.policy = Appendfsync::Always;
        writer.delete(b"durable");
        writer.now_us -= 999_000;
        writer.turn();
        let synced = writer.requests.take();
        let (sync, write): (Vec<Request>, Vec<Request>) =
            synced.into_iter().partition(|request| matches!(request.operation, Operation::Sync(_)));
        assert_eq!((sync.len(), write.len()), (1, 1), "{before:?}");
        let durable = writer.log.durable();
        for (request, durable) in write.into_iter().chain(sync).zip([durable, writer.log.end()]) {
            let Request { owner, tag, .. } = request;
            let now_us = writer.now_us;
            writer
                .log
                .completed(Completion { owner, tag, outcome: Ok(()), buffer: vec![] }, now_us);
            assert_eq!(writer.log.acknowledged(Appendfsync::Always, now_us), durable);
        }
    }
}

#[test]
fn an_effect_on_whole_databases_takes_its_place_within_a_transaction() {
    // MULTI, SET a, FLUSHALL, SET b, SWAPDB 0 1, EXEC: the flush came after all of the record's
    // keys, and of two effects on whole databases only the last counted.
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    let delete = |key| Effect::Delete { db: 0, key, gone: Gone::Deleted };
    writer.records.add(&delete(b"a"));
    writer.records.add(&Effect::Flush { db: None });
    writer.records.add(&delete(b"b"));
    writer.records.add(&Effect::SwapDb { a: 0, b: 1 });
    writer.records.add(&delete(b"c"));
    writer.records.seal();
    writer.delete(b"d");
    writer.settle();
    let keys = keys_of(&mut writer.files, &[LOG], 0..16384);
    assert_eq!(keys, [&b"a"[..], b"*", b"b", b"*", b"c", b"d"]);
}
