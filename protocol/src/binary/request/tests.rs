//! Frames are tested as RESP requests are (cuts, limits, memory), and each opcode against the
//! command it stands for. What is malformed must be refused in its turn.

use super::*;
use crate::binary::client::{Request, command_value, multi_get_value};
use proptest::prelude::*;

/// What a stream of frames amounts to, however it was cut.
#[derive(PartialEq, Debug, Default)]
struct Outcome {
    requests: Vec<(Vec<Vec<u8>>, Option<Framing>)>,
    consumed: usize,
    error: Option<ProtocolError>,
}

fn drive<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits, max: usize) -> Outcome {
    let (mut batch, mut buffer) = (Batch::new(), Vec::new());
    let mut outcome = Outcome::default();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            batch.clear();
            let (consumed, stop) = parse_binary(&buffer, limits, max, &mut batch);
            assert!(batch.len() <= max);
            for index in 0..batch.len() {
                let args = batch.args(index, &buffer).iter().map(<[u8]>::to_vec).collect();
                outcome.requests.push((args, batch.framing(index)));
            }
            outcome.consumed += consumed;
            buffer.drain(..consumed);
            match stop {
                Stop::NeedMore => break,
                Stop::BatchFull => assert!(consumed > 0, "no progress"),
                Stop::Error(error) => {
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
    }
    outcome
}

fn encoded(request: Request<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    request.encode(&mut out);
    out
}

/// The command a request stands for, or the text of its refusal.
fn meaning(frame: &[u8]) -> String {
    let outcome = drive([frame], &Limits::DEFAULT, 8);
    assert_eq!((outcome.requests.len(), outcome.error), (1, None));
    let (args, framing) = &outcome.requests[0];
    match framing.expect("a binary request").refusal {
        Some(refusal) => {
            assert!(args.is_empty(), "a refused request has no arguments");
            refusal.text().to_string()
        }
        None => args
            .iter()
            .map(|arg| String::from_utf8_lossy(arg).into_owned())
            .collect::<Vec<_>>()
            .join(" "),
    }
}

#[test]
fn conditions_of_a_write_become_options_of_set() {
    let request = |opcode| Request::new(opcode, b"k", b"v");
    for (request, command) in [
        (request(Opcode::Set), "SET k v"),
        (request(Opcode::Set).ttl_ms(5), "SET k v PX 5"),
        (request(Opcode::Set).expected_version(0), "SET k v NX"),
        (
            request(Opcode::Set).expected_version(0xAB).ttl_ms(5),
            "SET k v IFDEQ 00000000000000ab PX 5",
        ),
        (request(Opcode::Add).ttl_ms(5), "SET k v NX PX 5"),
        (request(Opcode::Replace).ttl_ms(5), "SET k v XX PX 5"),
        (
            request(Opcode::CompareAndSwap).expected_version(u64::MAX),
            "SET k v IFDEQ ffffffffffffffff",
        ),
        (request(Opcode::CompareAndSwap).expected_version(0), "SET k v NX"),
        (Request::new(Opcode::Ping, b"", b"hello"), "PING hello"),
        (Request::new(Opcode::Auth, b"", b"secret"), "AUTH secret"),
        (Request::new(Opcode::Increment, b"k", &i64::MIN.to_be_bytes()), {
            "INCRBY k -9223372036854775808"
        }),
    ] {
        assert_eq!(meaning(&encoded(request)), command);
    }
}

#[test]
fn a_malformed_request_is_refused_in_its_turn() {
    let bad_extras = "ERR malformed extras block";
    let bad_value = "ERR malformed value for this opcode";
    let flag = "ERR this opcode takes no such flag";
    for (request, text) in [
        (Request::new(Opcode::CompareAndSwap, b"k", b"v"), bad_extras),
        (Request::new(Opcode::Set, b"k", b"v").ttl_ms(0), bad_extras),
        (Request::new(Opcode::Set, b"k", b"v").ttl_ms(1 << 63), bad_extras),
        (Request::new(Opcode::Add, b"k", b"v").expected_version(1), bad_extras),
        (Request::new(Opcode::Delete, b"k", b"").expected_version(0), bad_extras),
        (Request::new(Opcode::Delete, b"k", b"").ttl_ms(1), bad_extras),
        (Request::new(Opcode::Set, b"k", b"").flags(flags::EXTRAS), bad_extras),
        (Request::new(Opcode::Set, b"k", b"\x01short").flags(flags::EXTRAS), bad_extras),
        (Request::new(Opcode::Set, b"k", b"\x04").flags(flags::EXTRAS), bad_extras),
        (Request::new(Opcode::Get, b"k", b"\0").flags(flags::EXTRAS), flag),
        (Request::new(Opcode::Set, b"k", b"v").flags(flags::VERSION), flag),
        (Request::new(Opcode::Get, b"k", b"v"), bad_value),
        (Request::new(Opcode::Delete, b"k", b"v"), bad_value),
        (Request::new(Opcode::Increment, b"k", b"12"), bad_value),
        (Request::new(Opcode::Expire, b"k", b""), bad_value),
        (Request::new(Opcode::MultiGet, b"", b""), bad_value),
        (Request::new(Opcode::MultiGet, b"", b"\0\x02a"), bad_value),
        (Request::new(Opcode::Command, b"", b"\0\0\0"), bad_value),
        (Request::new(Opcode::Command, b"", b"\xff\xff\xff\xffa"), bad_value),
        (Request::new(Opcode::Ping, b"k", b""), "ERR this opcode takes no key"),
        (Request::new(Opcode::MultiGet, b"k", b"\0\0"), "ERR this opcode takes no key"),
    ] {
        assert_eq!(meaning(&encoded(request)), text, "{request:?}");
    }
}

#[test]
fn levels_above_one_are_refused_and_default_and_one_are_not() {
    for bits in 0..16u8 {
        let frame = encoded(Request::new(Opcode::Get, b"k", b"").flags(bits));
        let available = bits & 0b1010 == 0;
        assert_eq!(meaning(&frame) == "GET k", available, "flags {bits:04b}");
    }
}

#[test]
fn a_refused_request_leaves_its_neighbours_alone() {
    let mut stream = encoded(Request::new(Opcode::Get, b"a", b""));
    stream.extend(encoded(Request::new(Opcode::Set, b"b", b"v").flags(flags::RESERVED)));
    stream.extend(encoded(Request::new(Opcode::CompareAndSwap, b"c", b"v")));
    stream.extend(encoded(Request::new(Opcode::Get, b"d", b"")));
    let outcome = drive([&stream[..]], &Limits::DEFAULT, 8);
    let args: Vec<usize> = outcome.requests.iter().map(|(args, _)| args.len()).collect();
    assert_eq!(args, [2, 0, 0, 2]);
    assert_eq!(outcome.requests[3].0[1], b"d");
}

#[test]
fn a_value_above_the_limit_ends_the_connection_and_allocates_nothing() {
    for (limits, value_bytes, error) in [
        (
            Limits::DEFAULT,
            104_857_601,
            ProtocolError::ValueTooLong { bytes: 104_857_601, limit: 104_857_600 },
        ),
        (Limits::UNAUTHENTICATED, 16_385, ProtocolError::UnauthenticatedValueLength),
    ] {
        let header = Header { opcode: 4, key_bytes: 1, value_bytes, flags: 0 };
        let outcome = drive([&header.encode(REQUEST_MAGIC)[..]], &limits, 8);
        assert_eq!(outcome.error, Some(error));

        let header = Header { value_bytes: limits.bulk_bytes_max, ..header };
        let mut batch = Batch::new();
        let stop = parse_binary(&header.encode(REQUEST_MAGIC), &limits, 8, &mut batch);
        assert_eq!(stop, (0, Stop::NeedMore));
        assert_eq!((batch.owned.capacity(), batch.spans.capacity()), (0, 0));
    }
}

#[test]
fn arguments_are_counted_against_the_limit() {
    let (mut ten, mut nine_keys) = (Vec::new(), Vec::new());
    command_value(&[&b"x"[..]; 10], &mut ten);
    multi_get_value(&[&b"x"[..]; 9], &mut nine_keys);
    for (opcode, value, one_more) in
        [(Opcode::Command, &ten, &b"\0\0\0\0"[..]), (Opcode::MultiGet, &nine_keys, b"\0\0")]
    {
        let fits = encoded(Request::new(opcode, b"", value));
        let over = [&value[..], one_more].concat();
        let over = encoded(Request::new(opcode, b"", &over));
        let refusals = [fits, over].map(|frame| {
            let outcome = drive([&frame[..]], &Limits::UNAUTHENTICATED, 8);
            outcome.requests[0].1.and_then(|framing| framing.refusal)
        });
        assert_eq!(refusals, [None, Some(Refusal::TooManyArguments)]);
    }
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |max| prop::collection::vec(any::<u8>(), 0..max);
    let request = (prop::sample::select(Opcode::ALL.to_vec()), bytes(5), bytes(20), any::<u8>());
    let frame = request.prop_map(|(opcode, key, value, flags)| {
        encoded(Request::new(opcode, &key, &value).flags(flags))
    });
    let command = prop::collection::vec(bytes(8), 0..6).prop_map(|args| {
        let mut value = Vec::new();
        command_value(&args.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut value);
        encoded(Request::new(Opcode::Command, b"", &value))
    });
    prop_oneof![6 => frame, 4 => command, 1 => bytes(4)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_cut_of_a_stream_gives_the_same_requests_and_the_same_error(
        fragments in prop::collection::vec(fragment(), 0..6),
        max in 1usize..4,
    ) {
        let stream = fragments.concat();
        let once = drive([&stream[..]], &Limits::DEFAULT, 64);
        prop_assert_eq!(&once, &drive(stream.chunks(1), &Limits::DEFAULT, 64));
        prop_assert_eq!(&once, &drive(stream.chunks(7), &Limits::DEFAULT, max));
    }

    #[test]
    fn a_command_frame_carries_any_arguments(
        args in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..12),
    ) {
        let mut value = Vec::new();
        command_value(&args.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut value);
        let frame = encoded(Request::new(Opcode::Command, b"", &value));
        let outcome = drive([&frame[..]], &Limits::DEFAULT, 64);
        prop_assert_eq!(&outcome.requests[0].0, &args);
    }
}
