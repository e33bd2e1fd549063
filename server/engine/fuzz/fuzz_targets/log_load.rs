//! Any bytes as the logs of one or two cores, as they are and with right checksums: a prefix of
//! effects that leave a sound keyspace or an error, in memory bounded by the input, never a panic.
//! The first two bytes are the length of the first file, whose header takes 36 bytes and is filled
//! up to its page; the second file is what is left.

#![no_main]

use freehold_engine::check::{Verdict, compare, inspect};
use freehold_engine::disk::{FileName, Files, Memory};
use freehold_engine::effect::apply;
use freehold_engine::keyspace::Keyspace;
use freehold_engine::log::{FIRST_BATCH, Findings, Numbers, Replay, examine};
use freehold_engine_fuzz::{DATABASES, bounded, fits, mend_log};
use libfuzzer_sys::fuzz_target;

/// A keyspace, and the windows of readers.
const FREE_BYTES: usize = 48 * 1024 * 1024;
/// A string may begin at 64 KiB, an effect takes 20 bytes and more.
const GROWTH_MAX: usize = 4096;
const HEADER_BYTES: usize = 36;

fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_first_chunk::<2>() else { return };
    let (first, second) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
    bounded(FREE_BYTES + GROWTH_MAX * input.len(), || {
        for mended in [false, true] {
            let logs = [first, second].into_iter().filter(|bytes| !bytes.is_empty());
            let logs = logs.enumerate().map(|(core, bytes)| log(core as u16, bytes, mended));
            read(Memory(logs.collect()));
        }
    });
});

/// The file of a core: it says whose it is.
fn log(core: u16, bytes: &[u8], mended: bool) -> (FileName, Vec<u8>) {
    let (header, batches) = bytes.split_at(HEADER_BYTES.min(bytes.len()));
    let mut file = header.to_vec();
    if header.len() == HEADER_BYTES {
        file[12..14].copy_from_slice(&core.to_le_bytes());
        file[16..24].copy_from_slice(&1_u64.to_le_bytes());
        file.resize(FIRST_BATCH as usize, 0);
        file.extend_from_slice(batches);
    }
    if mended {
        mend_log(&mut file);
    }
    (FileName::Log { generation: 1, core }, file)
}

fn read(mut files: Memory) {
    let names = files.list().expect("memory can be listed");
    let (mut reports, mut examined) = (Vec::new(), Vec::new());
    for name in names {
        let report = inspect(&mut files, name).expect("memory can be read");
        match examine(&mut files, name) {
            Ok(found) => examined.extend(found),
            Err(_) => assert!(report.verdict > Verdict::Torn, "{report}"),
        }
        reports.push(report);
    }
    let _whatever_it_says = compare(&reports);
    let findings = Findings::new(examined);
    let mut copy = Keyspace::new(0..16384, usize::from(DATABASES), [1, 2, 3, 4]);
    let mut sound = true;
    let mut replay = Replay::new(&findings, 0..16384, Numbers::Unchecked);
    let replayed = replay.run(&mut files, |placed| {
        if sound && fits(&placed.effect) {
            sound = apply(&mut copy, &placed.effect, 0);
        }
    });
    copy.check_invariants();
    if replayed.is_ok() && sound {
        copy.check_values();
    }
}
