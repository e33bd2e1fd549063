//! Any bytes as a snapshot, as they are and with right checksums: keys with sound values in a
//! sound keyspace or an error, in memory bounded by the input, never a panic. What is loaded is
//! what `freehold check` calls sound, and by slots in two parts it is the same.

#![no_main]

use freehold_engine::check::{Verdict, identify, inspect};
use freehold_engine::disk::{FileName, Memory};
use freehold_engine::effect::apply;
use freehold_engine::keyspace::Keyspace;
use freehold_engine::snapshot::load;
use freehold_engine_fuzz::{DATABASES, bounded, fits, mend_snapshot};
use libfuzzer_sys::fuzz_target;

/// Two keyspaces, and the report.
const FREE_BYTES: usize = 48 * 1024 * 1024;
/// LZ4 unpacks 255 times; a member of few bytes takes some hundred.
const GROWTH_MAX: usize = 255 * 128;

fuzz_target!(|input: &[u8]| {
    bounded(FREE_BYTES + GROWTH_MAX * input.len(), || {
        read(input.to_vec());
        let mut mended = input.to_vec();
        mend_snapshot(&mut mended);
        read(mended);
    });
});

fn read(bytes: Vec<u8>) {
    let file = match identify("", &bytes) {
        Some(file @ FileName::Snapshot { .. }) => file,
        _ => FileName::Snapshot { generation: 1, core: 0 },
    };
    let mut files = Memory([(file, bytes)].into());
    let report = inspect(&mut files, file).expect("memory can be read");
    let (mut copy, mut fitting) = (empty(), true);
    let whole = load(&mut files, file, 0..16384, &mut |effect| {
        fitting &= fits(effect);
        !fits(effect) || apply(&mut copy, effect, 0)
    });
    copy.check_invariants();
    if whole.is_err() || !fitting {
        assert!(whole.is_ok() || report.verdict > Verdict::Torn, "{report}");
        return;
    }
    copy.check_values();
    let mut halves = empty();
    for slots in [0..5000, 5000..16384] {
        let half = load(&mut files, file, slots, &mut |effect| apply(&mut halves, effect, 0));
        half.expect("it was whole");
    }
    assert_eq!(halves.digest(), copy.digest());
}

fn empty() -> Keyspace {
    Keyspace::new(0..16384, usize::from(DATABASES), [1, 2, 3, 4])
}
