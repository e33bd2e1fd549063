//! What the fuzz targets share: the promise about memory, and a digest to compare runs by.
//!
//! Peak allocation while an input is parsed must stay below 64 KiB plus a small multiple of the
//! input, whatever lengths the input declares. The allocator enforces it: an allocation above
//! the limit fails, which aborts the process, which the fuzzer reports with the input.

use cap::Cap;
use freehold_protocol::{Args, Batch, ProtocolError};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const FREE_BYTES: usize = 64 * 1024;

/// Runs `body`, which may have 64 KiB and `factor` bytes per byte of input allocated at a time.
pub fn bounded<T>(input: &[u8], factor: usize, body: impl FnOnce() -> T) -> T {
    let limit = ALLOCATOR.allocated() + FREE_BYTES + factor * input.len();
    ALLOCATOR.set_limit(limit).expect("the limit is above what is allocated");
    let result = body();
    ALLOCATOR.set_limit(usize::MAX).expect("no limit is above everything");
    result
}

/// What a stream amounts to, in a form that takes no memory: two runs that differ in any byte of
/// any argument, or in where they end, differ here.
#[derive(PartialEq, Eq, Debug)]
pub struct Outcome {
    digest: u64,
    pub requests: usize,
    pub consumed: usize,
    pub error: Option<ProtocolError>,
}

impl Default for Outcome {
    fn default() -> Outcome {
        Outcome { digest: 0xCBF2_9CE4_8422_2325, requests: 0, consumed: 0, error: None }
    }
}

impl Outcome {
    /// Adds all requests of a batch that was parsed from `buffer`.
    pub fn add(&mut self, batch: &Batch, buffer: &[u8]) {
        for index in 0..batch.len() {
            let framing = batch.framing(index);
            self.add_args(batch.args(index, buffer));
            self.add_bytes(&framing.map_or([0, 0], |framing| [framing.opcode, framing.flags]));
            let refusal = framing.and_then(|framing| framing.refusal);
            self.add_bytes(refusal.map_or("", |refusal| refusal.text()).as_bytes());
        }
        self.requests += batch.len();
    }

    fn add_args(&mut self, args: Args<'_>) {
        self.add_bytes(&args.len().to_le_bytes());
        for arg in args.iter() {
            self.add_bytes(&arg.len().to_le_bytes());
            self.add_bytes(arg);
        }
    }

    /// FNV-1a.
    fn add_bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}
