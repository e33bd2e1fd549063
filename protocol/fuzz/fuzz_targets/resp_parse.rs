//! Any bytes, cut in any way, give the same requests and the same error, and take no more memory
//! than was received. The first byte of the input chooses limits and batch size.

#![no_main]

use freehold_protocol::resp::{Resume, parse};
use freehold_protocol::{Batch, Limits, Stop};
use freehold_protocol_fuzz::{Outcome, bounded};
use libfuzzer_sys::fuzz_target;

/// Every single cut is tried up to this length; above it, a few step sizes.
const ALL_CUTS_BYTES_MAX: usize = 96;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, stream)) = input.split_first() else { return };
    let limits = if choice & 1 == 0 { Limits::DEFAULT } else { Limits::UNAUTHENTICATED };
    let max = 1 + usize::from(choice >> 1) % 64;

    let once = drive(stream, &[stream.len()], &limits, 64);
    assert_eq!(once, drive_by(stream, 1, &limits, max));
    if stream.len() <= ALL_CUTS_BYTES_MAX {
        for cut in 0..=stream.len() {
            assert_eq!(once, drive(stream, &[cut, stream.len()], &limits, max), "cut {cut}");
        }
    } else {
        for step in [2, 3, 7, 64, 1000] {
            assert_eq!(once, drive_by(stream, step, &limits, max), "step {step}");
        }
    }
});

fn drive_by(stream: &[u8], step: usize, limits: &Limits, max: usize) -> Outcome {
    let mut ends: Vec<usize> = (0..stream.len()).step_by(step).collect();
    ends.push(stream.len());
    drive(stream, &ends, limits, max)
}

/// A session that receives `stream` in pieces which end at `ends`.
fn drive(stream: &[u8], ends: &[usize], limits: &Limits, max: usize) -> Outcome {
    bounded(stream, 8, || {
        let (mut resume, mut batch) = (Resume::default(), Batch::new());
        let mut outcome = Outcome::default();
        for &end in ends {
            loop {
                batch.clear();
                let buffer = &stream[outcome.consumed..end];
                let (consumed, stop) = parse(&mut resume, buffer, limits, max, &mut batch);
                assert!(consumed <= buffer.len() && batch.len() <= max);
                outcome.add(&batch, buffer);
                outcome.consumed += consumed;
                match stop {
                    Stop::NeedMore => break,
                    Stop::BatchFull => assert!(consumed > 0),
                    Stop::Error(error) => {
                        outcome.error = Some(error);
                        return outcome;
                    }
                }
            }
        }
        outcome
    })
}
