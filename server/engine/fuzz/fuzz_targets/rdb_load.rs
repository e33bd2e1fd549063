//! Any bytes as an RDB file whose checksum is not compared, so that damage reaches the decoders:
//! keys with sound values or an error, in memory bounded by the input, never a panic.

#![no_main]

use freehold_engine::exchange::Limits;
use freehold_engine::exchange::rdb::RdbReader;
use freehold_engine::value::Rules;
use freehold_engine_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { key_bytes_max: 1024, string_bytes_max: 64 * 1024, databases: 16 };
const FREE_BYTES: usize = 4 * 1024 * 1024;
/// As in `restore`: a packed string grows 88 times, an empty group takes a few hundred bytes.
const GROWTH_MAX: usize = 512;

fuzz_target!(|input: &[u8]| {
    bounded(FREE_BYTES + GROWTH_MAX * input.len(), || {
        let Ok(mut reader) = RdbReader::open(input, LIMITS, false) else { return };
        while let Ok(Some(record)) = reader.next(|_, key| key.first() != Some(&b'-')) {
            let _either_way = record.content(&Rules::default());
        }
        assert!(reader.offset() <= input.len() as u64);
    });
});
