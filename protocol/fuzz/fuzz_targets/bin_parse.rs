//! Any bytes as binary frames, cut in any way: the same requests, the same error, bounded memory.
//! Every request is then answered with replies of each kind, and the responses must be readable.
//! The first byte of the input chooses limits and batch size.

#![no_main]

use freehold_protocol::binary::{Framing, client, parse_binary, reply};
use freehold_protocol::{Batch, Limits, Stop};
use freehold_protocol_fuzz::{Outcome, bounded};
use libfuzzer_sys::fuzz_target;

const REPLIES: [&[u8]; 7] = [
    b"+OK\r\n",
    b"-WRONGTYPE x\r\n",
    b":-2\r\n",
    b"$3\r\nabc\r\n",
    b"_\r\n",
    b"*3\r\n_\r\n$0\r\n\r\n:1\r\n",
    b"%1\r\n+a\r\n#t\r\n",
];

fuzz_target!(|input: &[u8]| {
    let Some((&choice, stream)) = input.split_first() else { return };
    let limits = if choice & 1 == 0 { Limits::DEFAULT } else { Limits::UNAUTHENTICATED };
    let max = 1 + usize::from(choice >> 1) % 64;

    let once = drive(stream, stream.len(), &limits, 64);
    for step in [1, 7, 64] {
        assert_eq!(once, drive(stream, step, &limits, max), "step {step}");
    }
    answer(stream, &limits);
    let read = bounded(stream, 0, || client::decode(stream).map(|found| found.map(|(_, n)| n)));
    assert!(!matches!(read, Ok(Some(bytes)) if bytes > stream.len()));
});

fn drive(stream: &[u8], step: usize, limits: &Limits, max: usize) -> Outcome {
    bounded(stream, 8, || {
        let mut batch = Batch::new();
        let mut outcome = Outcome::default();
        let mut end = 0;
        while end < stream.len() {
            end = (end + step).min(stream.len());
            loop {
                batch.clear();
                let buffer = &stream[outcome.consumed..end];
                let (consumed, stop) = parse_binary(buffer, limits, max, &mut batch);
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

fn answer(stream: &[u8], limits: &Limits) {
    let mut batch = Batch::new();
    parse_binary(stream, limits, 8, &mut batch);
    let mut out = Vec::new();
    for framing in (0..batch.len()).filter_map(|index| batch.framing(index)) {
        if framing.refusal.is_some() {
            out.clear();
            reply::refuse(framing, &mut out);
            read_back(framing, &out);
            continue;
        }
        for resp in REPLIES {
            out.clear();
            reply::write(framing, resp, &mut out);
            read_back(framing, &out);
        }
    }
}

fn read_back(framing: Framing, out: &[u8]) {
    if out.is_empty() {
        return; // quiet success
    }
    let (response, bytes) = client::decode(out).expect("our magic").expect("a whole frame");
    assert_eq!((response.opcode, bytes), (framing.opcode, out.len()));
}
