//! Files of this writer, and files put together by hand for what it never writes.

use std::io;

use super::*;
use crate::base::time::UnixMillis;
use crate::disk::{FileName, Requests};
use crate::exchange::{Fault, Fill, Limits, ReadError};
use crate::shard::testing::TestNode;
use crate::snapshot::tests::disk::Disk;
use crate::snapshot::{Header, Unwritten, Writer, write_snapshot};
use crate::value::rdb::crc64::crc64;

const LIMITS: Limits = Limits { key_bytes_max: 100, string_bytes_max: 1 << 20, databases: 16 };

const FILLING: &str = "SET text hello\nSET number 12\nSET negative -70000\nRPUSH list a 1 b\n\
    SADD set x y z\nSADD ints 1 2 3\nHSET hash f v g w\nZADD zset 1.5 a 2 b\nXADD stream 1-1 f v\n\
    XADD stream 2-1 f w\nXGROUP CREATE stream group 0\nXREADGROUP GROUP group alice COUNT 1 \
    STREAMS stream >\nSET dying v PXAT 4102444800000\nSELECT 3\nSET other 1";

fn filled(more: &str) -> TestNode {
    let mut node = TestNode::new(1);
    node.run(FILLING);
    if !more.is_empty() {
        node.run(more);
    }
    node
}

/// Writes all keys of a node.
fn written(node: &TestNode, version: u16) -> Vec<u8> {
    let mut writer =
        RdbWriter::new(Vec::new(), version, &[("redis-ver", "7.0.15")]).expect("a Vec");
    let keyspace = &node.shards[0].core.keyspace;
    for db in 0..16 {
        if keyspace.len(db) > 0 {
            let (keys, expires) = (keyspace.len(db) as u64, keyspace.expires(db) as u64);
            writer.database(u64::from(db), keys, expires);
            keyspace.for_each(db, |entry| writer.entry(&entry).expect("a Vec"));
        }
    }
    let written = writer.finish().expect("a Vec");
    let mut file = written.sink;
    assert_eq!(file.len() as u64, written.bytes);
    if let Some((header, sum)) = written.better {
        file[..HEADER_BYTES].copy_from_slice(&header);
        let end = file.len() - 8;
        file[end..].copy_from_slice(&sum.to_le_bytes());
    }
    file
}

/// Loads a file into a new node.
fn load(file: &[u8]) -> Result<(TestNode, Notes), ReadError> {
    let mut node = TestNode::new(1);
    let mut reader = RdbReader::open(file, LIMITS, true)?;
    let mut fill = Fill::default();
    while let Some(record) = reader.next(|_, _| true)? {
        let shard = &mut node.shards[0];
        let content = record.content(shard.core.keyspace.rules())?;
        fill.put(shard, record.db as u8, record.key, content, record.expiry);
    }
    fill.finish(&mut node.shards[0]);
    Ok((node, reader.notes().clone()))
}

fn fault(file: &[u8]) -> (u64, Fault) {
    match load(file) {
        Ok(_) => panic!("the file is not refused"),
        Err(error) => (error.offset, error.fault),
    }
}

/// A file of these records with a right checksum.
fn file(front: &[u8], records: &[u8]) -> Vec<u8> {
    let mut file = [front, records, &[opcode::END]].concat();
    file.extend_from_slice(&crc64(&file).to_le_bytes());
    file
}

#[test]
fn what_is_written_is_read_with_every_type_deadline_and_database() {
    let node = filled("");
    let (loaded, notes) = load(&written(&node, 10)).expect("sound");
    assert_eq!(loaded.digest(), node.digest());
    assert_eq!((notes.version, notes.writer.as_str()), (10, "7.0.15"));
}

#[test]
fn fields_with_deadlines_raise_the_version_and_the_checksum_is_right_again() {
    let node = filled("HSET h f v g w\nHPEXPIREAT h 4102444800000 FIELDS 1 f");
    let file = written(&node, 10);
    assert!(file.starts_with(b"REDIS0012"));
    let (loaded, _) = load(&file).expect("sound");
    assert_eq!(loaded.digest(), node.digest());
}

#[test]
fn a_file_that_is_cut_anywhere_or_has_one_wrong_bit_is_refused() {
    for version in [10, 11, 12] {
        let file = written(&filled(""), version);
        for cut in 0..file.len() {
            assert_eq!(fault(&file[..cut]).1, Fault::Ended, "cut at {cut}");
        }
        for bit in 0..8 * file.len() {
            let mut flipped = file.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(load(&flipped).is_err(), "version {version}, bit {bit}");
        }
    }
}

#[test]
fn a_checksum_of_zero_is_not_compared_and_bytes_behind_the_end_are_refused() {
    let mut file = written(&filled(""), 10);
    let end = file.len() - 8;
    file[end..].fill(0);
    assert!(load(&file).is_ok());
    file.push(0);
    assert_eq!(fault(&file), (file.len() as u64 - 1, Fault::Trailing));
}

#[test]
fn records_beside_keys_are_understood_or_passed_over() {
    let records = [
        b"\xfa\x0avalkey-ver\x059.0.0".to_vec(),
        b"\xf5\x03lib\xf4\x01\x02\x03\xfe\x02\xfb\x02\x01".to_vec(),
        b"\xfd\xe8\x03\x00\x00\xf8\x05\x00\x01a\x01v\xf9\x07\x00\x01b\x01w".to_vec(),
    ];
    let file = file(b"REDIS0011", &records.concat());
    let mut reader = RdbReader::open(&file[..], LIMITS, true).expect("a header");
    let first = reader.next(|_, key| key == b"a").expect("sound").expect("a key");
    assert_eq!((first.db, first.key, first.body), (2, &b"a"[..], &b"\x01v"[..]));
    assert_eq!(first.expiry, Some(UnixMillis(1_000_000)));
    assert!(reader.next(|_, key| key == b"a").expect("sound").is_none());
    let notes = reader.notes();
    assert_eq!((notes.functions, notes.passed, notes.writer.as_str()), (1, 1, "9.0.0"));
}

#[test]
fn keys_that_wait_for_each_other_keep_their_order_and_database() {
    let long = "x".repeat(5000);
    let mut more: Vec<String> = (0..500).map(|n| format!("SET k{n} {n}")).collect();
    more.push(format!("SET long {long}\nSELECT 7"));
    more.extend((0..100).map(|n| format!("SET k{n} seven:{n} PXAT {}", 4_102_444_800_000_u64 + n)));
    let node = filled(&more.join("\n"));
    let (loaded, _) = load(&written(&node, 10)).expect("sound");
    assert_eq!(loaded.digest(), node.digest());

    // The last of a key told twice counts, whether it waits or not.
    let twice = [&b"\x00\x01a\x01v"[..], b"\x01\x01a\x01\x01e\x00\x01a\x01w"].concat();
    let (mut node, _) = load(&file(b"REDIS0010", &twice)).expect("sound");
    assert_eq!(node.run("GET a"), "$1\r\nw\r\n");
}

/// The id of a module of this name.
fn module_id(name: &[u8; 9]) -> Vec<u8> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = |letter: &u8| letters.iter().position(|known| known == letter).expect("a letter");
    let id = name.iter().fold(0, |id, letter| id << 6 | place(letter) as u64) << 10 | 3;
    [&[0x81], &id.to_be_bytes()[..]].concat()
}

#[test]
fn what_this_server_does_not_have_is_named_with_its_key_and_place() {
    let key = || b"k".to_vec();
    let id = module_id(b"ReJSON-RL");
    let name = || "ReJSON-RL".to_owned();
    let (offset, found) = fault(&file(b"REDIS0010", &[b"\x07\x01k", id.as_slice()].concat()));
    assert_eq!((offset, found), (9, Fault::Module { number: 7, key: key(), module: name() }));
    let (_, found) = fault(&file(b"REDIS0010", &[b"\xf7", id.as_slice()].concat()));
    assert_eq!(found, Fault::ModuleData { module: name() });
    let (offset, found) = fault(&file(b"REDIS0010", b"\x00\x01a\x01v\x1f\x01k"));
    assert_eq!((offset, found), (14, Fault::Type { key: key(), number: 31 }));
    let (_, found) = fault(&file(b"REDIS0010", b"\x0b\x01k\x02ab"));
    assert_eq!(found, Fault::Value { key: key(), number: 11 });
    let (_, found) = fault(&file(b"REDIS0010", b"\xfe\x10"));
    assert_eq!(found, Fault::Database { number: 16, databases: 16 });
    assert_eq!(fault(&file(b"REDIS0010", b"\xf3")).1, Fault::Opcode(243));
    assert!(matches!(fault(&file(b"REDIS0013", b"")).1, Fault::Version(_)));
    assert!(matches!(fault(&file(b"VALKEY011", b"")).1, Fault::Version(_)));
    assert_eq!(fault(b"RUBBISH!!").1, Fault::NotRdb);
}

#[test]
fn type_22_is_another_one_in_a_file_of_valkey() {
    let mut hash = b"\x16\x01h\x01\x01f\x01v".to_vec();
    hash.extend_from_slice(&(-1_i64).to_le_bytes());
    let (mut node, _) = load(&file(b"VALKEY080", &hash)).expect("sound");
    assert_eq!(node.run("HGETALL h"), "*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
    assert!(load(&file(b"REDIS0012", &hash)).is_err());
}

/// A snapshot of a node of one core, on a disk.
fn snapshot_of(node: &mut TestNode) -> (Disk, FileName) {
    let keyspace = &mut node.shards[0].core.keyspace;
    let (mut disk, mut requests) = (Disk::default(), Requests::default());
    let header = Header { generation: 7, core: 0, cores: 1, cut_unix_ms: 1_700 };
    let mut writer = Writer::begin(keyspace, header, &mut requests);
    while writer.outcome().is_none() {
        writer.slice(keyspace, 100, &mut requests);
        disk.perform(&mut requests, &mut writer);
    }
    (disk, FileName::Snapshot { generation: 7, core: 0 })
}

fn to<W: io::Write>(sink: W) -> RdbWriter<W> {
    RdbWriter::new(sink, 10, &[("redis-ver", "7.0.15")]).expect("nothing is written yet")
}

#[test]
fn a_snapshot_becomes_a_file_of_the_same_content() {
    let mut node = filled("");
    // A snapshot has so large a collection as several effects, over several blocks.
    for chunk in (0..30_000).collect::<Vec<_>>().chunks(1_000) {
        let members: Vec<String> = chunk.iter().map(|n| format!("member:{n}")).collect();
        node.run(&format!("SADD large {}", members.join(" ")));
    }
    let (mut disk, name) = snapshot_of(&mut node);
    let (keys, written) =
        write_snapshot(&mut disk.files, [name], 16, to(Vec::new()), &|| true).expect("whole");
    assert!(written.better.is_none());
    assert_eq!(
        keys,
        node.shards[0]
            .core
            .keyspace
            .numbers()
            .map(|db| { node.shards[0].core.keyspace.len(db) as u64 })
            .sum::<u64>()
    );
    let (loaded, _) = load(&written.sink).expect("a file");
    assert_eq!(loaded.digest(), node.digest());
}

#[test]
fn a_snapshot_that_is_not_whole_a_full_sink_and_who_calls_it_off_end_the_file() {
    let mut node = filled("");
    let (mut disk, name) = snapshot_of(&mut node);
    let called_off = write_snapshot(&mut disk.files, [name], 16, to(Vec::new()), &|| false);
    assert!(matches!(called_off, Err(Unwritten::CalledOff)));
    let mut full = [0_u8; 20];
    let refused = write_snapshot(&mut disk.files, [name], 16, to(&mut full[..]), &|| true);
    assert!(matches!(refused, Err(Unwritten::Sink(_))));
    let few = write_snapshot(&mut disk.files, [name], 3, to(Vec::new()), &|| true);
    assert!(matches!(few, Err(Unwritten::Snapshot(_))), "database 3 is the fourth");
    let file = disk.files.0.get_mut(&name).expect("there");
    *file.last_mut().expect("a byte") ^= 1;
    let damaged = write_snapshot(&mut disk.files, [name], 16, to(Vec::new()), &|| true);
    assert!(matches!(damaged, Err(Unwritten::Snapshot(_))));
}
