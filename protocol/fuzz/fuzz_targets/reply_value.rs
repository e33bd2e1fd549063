//! Any bytes as a reply: walking and building agree, a prefix of a whole reply is an unfinished
//! one, and memory is bounded by what was received.

#![no_main]

use freehold_protocol::resp::value::{decode, skip};
use freehold_protocol_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

/// A value takes 32 bytes in memory, and the smallest one, `_\r\n`, three on the wire.
const BYTES_PER_BYTE: usize = 11;

/// Prefixes are tried up to this length.
const PREFIXES_BYTES_MAX: usize = 256;

fuzz_target!(|input: &[u8]| {
    let walked = bounded(input, 0, || skip(input)).map(|found| found.map(|(_, bytes)| bytes));
    let built =
        bounded(input, BYTES_PER_BYTE, || decode(input).map(|found| found.map(|(_, bytes)| bytes)));
    assert_eq!(walked, built);
    if let Ok(Some(bytes)) = walked {
        for end in 0..bytes.min(PREFIXES_BYTES_MAX) {
            assert_eq!(skip(&input[..end]), Ok(None), "prefix of {end} bytes");
        }
    }
});
