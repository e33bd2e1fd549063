//! Planted bugs: what a log, a disk or a recovery could do wrongly, each to be caught by the run
//! that finds nothing in the real ones.

use super::disk::Lies;

/// What is done wrongly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    /// Nothing is ever made durable.
    SkipFsync,
    /// Replies and messages do not wait for the log.
    AckBeforeFsync,
    /// Files are, their names are not.
    NoDirFsync,
    /// Recovery believes what it reads.
    CrcIgnored,
    /// A core writes its part of a transaction as if it were nobody else's concern.
    TxnPartLost,
    /// A log is written though the one before it is not durable yet.
    NextLogEarly,
    /// What a full disk makes a core refuse is told as done.
    RefusalUnsaid,
}

impl Bug {
    pub const ALL: [Bug; 7] = [
        Bug::SkipFsync,
        Bug::AckBeforeFsync,
        Bug::NoDirFsync,
        Bug::CrcIgnored,
        Bug::TxnPartLost,
        Bug::NextLogEarly,
        Bug::RefusalUnsaid,
    ];

    /// What of it is the disk's.
    pub fn lies(bug: Option<Bug>) -> Lies {
        Lies { skip_fsync: bug == Some(Bug::SkipFsync), no_dir_fsync: bug == Some(Bug::NoDirFsync) }
    }
}

/// Replies, with every refusal told as done.
pub fn without_refusals(replies: &[u8]) -> Vec<u8> {
    let lines = replies.split_inclusive(|byte| *byte == b'\n');
    let told = lines.map(|line| if line.starts_with(b"-MISCONF") { b"+OK\r\n" } else { line });
    told.collect::<Vec<&[u8]>>().concat()
}

const HEADER_BYTES: usize = 4096;
const HEAD_BYTES: usize = 32;
const FRAME_BYTES: usize = 8;

/// Gives batches and records of a log the checksums their bytes have now.
pub fn mend_checksums(log: &mut [u8]) {
    let mut at = HEADER_BYTES;
    while log.get(at..at + HEAD_BYTES).is_some_and(|head| head.starts_with(b"FHB1")) {
        let length = number(&log[at + 4..at + 8]);
        put_checksum(log, at + HEAD_BYTES - 4, crc32c(&[&log[at..at + HEAD_BYTES - 4]]));
        let mut record = at + HEAD_BYTES;
        at = record + length;
        while record + FRAME_BYTES < at.min(log.len()) {
            let end = record + FRAME_BYTES + number(&log[record..record + 4]);
            if end > at.min(log.len()) || end == record + FRAME_BYTES {
                break;
            }
            let crc = crc32c(&[&log[record..record + 4], &log[record + FRAME_BYTES..end]]);
            put_checksum(log, record + 4, crc);
            record = end;
        }
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn put_checksum(bytes: &mut [u8], at: usize, checksum: u32) {
    bytes[at..at + 4].copy_from_slice(&checksum.to_le_bytes());
}

/// Bit by bit: these files are small.
fn crc32c(parts: &[&[u8]]) -> u32 {
    let mut crc = u32::MAX;
    for byte in parts.iter().flat_map(|part| part.iter()) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 };
        }
    }
    !crc
}

#[test]
fn the_checksum_is_that_of_the_log() {
    assert_eq!(crc32c(&[b"1234", b"56789"]), 0xE306_9283);
}
