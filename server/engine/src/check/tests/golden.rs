//! Files as version 1 wrote them: what is in `tests/data` is read for ever, and a log is still
//! written byte for byte like that. (Blocks of a snapshot may be packed otherwise.)

use std::collections::BTreeSet;

use super::*;
use crate::effect::{Effect, apply, decode_all};
use crate::log::{Findings, Numbers, Replay, examine};
use crate::shard::testing::TestNode;
use crate::snapshot::load;

const GOLDEN_LOG: &[u8] = include_bytes!("../../../../../tests/data/log-v1/log-00000001-000.fhl");
const GOLDEN_SNAPSHOT: &[u8] =
    include_bytes!("../../../../../tests/data/snapshot-v1/snapshot-00000007-000.fhs");

/// Every type, every kind of effect, deadlines and several databases.
const SCRIPT: &[&str] = &[
    "SET text hello",
    "SET number 12345678901",
    "SET lasting value PXAT 4102444800000",
    "APPEND text -and-more",
    "SETRANGE far 10 x",
    "PEXPIREAT number 4102444800001",
    "RPUSH list a 1 -1 70000",
    "SADD ints 1 2 -40000",
    "SADD set a b c",
    "HSET hash f v n 12",
    "HPEXPIREAT hash 4102444800002 FIELDS 1 f",
    "ZADD zset 1 a 2.5 b -inf c",
    "XADD stream 5-1 name value",
    "XADD stream 5-2 name other",
    "XGROUP CREATE stream g 0",
    "XREADGROUP GROUP g alice COUNT 1 STREAMS stream >",
    "PFADD sketch a b c",
    "SETBIT bits 100 1",
    "SET gone x",
    "DEL gone",
    "RENAME set renamed",
    "LPOP list",
    "SELECT 3",
    "SET third 3",
    "SWAPDB 3 4",
    "SELECT 5",
    "SET flushed x",
    "FLUSHDB",
];

/// A node that has run the script, and its effects.
fn played() -> (TestNode, Vec<u8>) {
    let mut node = TestNode::new(1);
    node.shards[0].core.effects.listen();
    for request in SCRIPT {
        let answer = node.run(request);
        assert!(!answer.starts_with('-'), "{request}: {answer}");
    }
    let effects = node.shards[0].core.effects.take();
    (node, effects)
}

/// The log of the script, with a transaction of either kind behind it.
fn logged(effects: &[u8]) -> Memory {
    let mut writer = Writer::new(0, 1, Appendfsync::Always);
    decode_all(effects, |effect| writer.whole(&effect)).expect("our own bytes");
    writer.settle();
    for (ticket, locked) in [(1, true), (2, false)] {
        writer.part(&Part { ticket, members: vec![0], locked }, b"number");
    }
    writer.settle();
    writer.files
}

#[test]
fn a_log_of_version_1_is_read_and_written_like_that() {
    let (mut node, effects) = played();
    assert!(logged(&effects).0[&LOG] == GOLDEN_LOG, "the log is written otherwise now");
    node.run("SELECT 0\nDEL number");

    let mut files = Memory([(LOG, GOLDEN_LOG.to_vec())].into());
    let report = looked_at(&mut files, LOG);
    assert_eq!(report.verdict, Verdict::Sound, "{report}");
    let findings = Findings::new(examine(&mut files, LOG).expect("whole").into_iter().collect());
    let (mut copy, mut kinds) = (Keyspace::new(0..16384, 16, [9; 4]), BTreeSet::new());
    let visit = |placed: crate::effect::Placed<'_>| {
        kinds.insert(kind(&placed.effect));
        assert!(apply(&mut copy, &placed.effect, 0));
    };
    let mut replay = Replay::new(&findings, 0..16384, Numbers::FromOne);
    replay.run(&mut files, visit).expect("whole");
    assert_eq!(copy.digest(), node.digest());
    assert_eq!(kinds.len(), 8, "{kinds:?}");
}

fn kind(effect: &Effect<'_>) -> &'static str {
    match effect {
        Effect::Set { .. } => "set",
        Effect::Splice { .. } => "splice",
        Effect::Edit { .. } => "edit",
        Effect::Put { .. } => "put",
        Effect::Expire { .. } => "expire",
        Effect::Delete { .. } => "delete",
        Effect::Flush { .. } => "flush",
        Effect::SwapDb { .. } => "swap",
    }
}

#[test]
fn a_snapshot_of_version_1_is_read_and_holds_what_is_written_now() {
    let (mut node, _) = played();
    let file = FileName::Snapshot { generation: 7, core: 0 };
    let mut golden = Disk::default();
    golden.files.0.insert(file, GOLDEN_SNAPSHOT.to_vec());
    let mut written = Disk::default();
    write_snapshot(&mut written, &mut node.shards[0].core.keyspace);
    for disk in [&mut golden, &mut written] {
        let report = looked_at(&mut disk.files, file);
        assert_eq!(report.verdict, Verdict::Sound, "{report}");
        let mut copy = Keyspace::new(0..16384, 16, [9; 4]);
        load(&mut disk.files, file, 0..16384, &mut |effect| apply(&mut copy, effect, 0))
            .expect("whole");
        assert_eq!(copy.digest(), node.digest());
    }
}
