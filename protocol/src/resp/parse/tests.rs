//! The request parser is held to three promises: what it yields does not depend on how the bytes
//! arrived, its complaints are those of Redis, and memory follows what was received.

use super::*;
use crate::resp::value::encode_request;
use proptest::prelude::*;

/// What a stream amounts to, however it was cut.
#[derive(PartialEq, Debug, Default)]
struct Outcome {
    requests: Vec<Vec<Vec<u8>>>,
    consumed: usize,
    error: Option<ProtocolError>,
}

/// Plays a session: pieces arrive, whole requests are taken, the rest is kept.
fn drive<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits, max: usize) -> Outcome {
    let (mut resume, mut batch, mut buffer) = (Resume::default(), Batch::new(), Vec::new());
    let mut outcome = Outcome::default();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            batch.clear();
            let (consumed, stop) = parse(&mut resume, &buffer, limits, max, &mut batch);
            assert!(batch.len() <= max);
            for index in 0..batch.len() {
                assert!(batch.framing(index).is_none());
                let args = batch.args(index, &buffer);
                assert!(!args.is_empty(), "a request without a name");
                outcome.requests.push(args.iter().map(<[u8]>::to_vec).collect());
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

fn whole(stream: &[u8]) -> Outcome {
    drive([stream], &Limits::DEFAULT, 64)
}

fn byte_by_byte(stream: &[u8], limits: &Limits) -> Outcome {
    drive(stream.chunks(1), limits, 64)
}

/// The requests of a stream that must not be broken, as text.
fn requests(stream: &[u8]) -> Vec<Vec<String>> {
    let outcome = whole(stream);
    assert_eq!(outcome.error, None);
    let text = |arg: &Vec<u8>| String::from_utf8_lossy(arg).into_owned();
    outcome.requests.iter().map(|args| args.iter().map(text).collect()).collect()
}

fn error(stream: &[u8], limits: &Limits) -> Option<String> {
    let once = drive([stream], limits, 64);
    assert_eq!(once, byte_by_byte(stream, limits));
    once.error.map(|error| error.to_string())
}

#[test]
fn a_pipeline_yields_its_requests_in_order() {
    let stream = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n";
    assert_eq!(requests(stream), [vec!["GET", "k"], vec!["PING"], vec!["QUIT"]]);
}

#[test]
fn empty_requests_are_consumed_and_yield_nothing() {
    let stream = b"*0\r\n*-1\r\n\r\n\n  \r\n*-9223372036854775808\r\nPING\r\n";
    let outcome = whole(stream);
    assert_eq!(outcome.requests, [[b"PING"]]);
    assert_eq!(outcome.consumed, stream.len());
}

#[test]
fn arguments_may_hold_any_byte_and_none() {
    let args: [&[u8]; 4] = [b"SET", b"\r\n$5\r\n*", b"", b"\0\xff\""];
    let mut stream = Vec::new();
    encode_request(&args, &mut stream);
    assert_eq!(whole(&stream).requests, [args.map(<[u8]>::to_vec)]);
}

#[test]
fn lengths_of_every_width_are_understood() {
    for len in [0, 9, 10, 99, 100, 999, 1000, 9999, 123_456] {
        let mut stream = Vec::new();
        encode_request(&[b"ECHO", &vec![b'x'; len]], &mut stream);
        assert_eq!(whole(&stream).requests[0][1].len(), len);
    }
    let many: Vec<&[u8]> = vec![b"a"; 1234];
    let mut stream = Vec::new();
    encode_request(&many, &mut stream);
    assert_eq!(whole(&stream).requests[0].len(), 1234);
}

#[test]
fn broken_streams_get_the_answers_of_redis() {
    let limits = &Limits::DEFAULT;
    for (stream, text) in [
        (&b"*x\r\n"[..], "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*01\r\n", "invalid multibulk length"),
        (b"*-0\r\n", "invalid multibulk length"),
        (b"*+1\r\n", "invalid multibulk length"),
        (b"*1 \r\n", "invalid multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*99999999999999999999\r\n", "invalid multibulk length"),
        (b"*1048577\r\n", "invalid multibulk length"),
        (b"*1\r\nx1\r\n", "expected '$', got 'x'"),
        (b"*1\r\n\r\n\r\n", "expected '$', got ' '"),
        (b"*1\r\n\n\r\n", "expected '$', got ' '"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$x\r\n", "invalid bulk length"),
        (b"*1\r\n$\r\n", "invalid bulk length"),
        (b"*1\r\n$01\r\n", "invalid bulk length"),
        (b"*1\r\n$104857601\r\n", "invalid bulk length"),
        (b"ECHO \"a\n", "unbalanced quotes in request"),
        (b"ECHO 'a'b\n", "unbalanced quotes in request"),
        (b"ECHO \"a\\\n", "unbalanced quotes in request"),
    ] {
        let expected = Some(format!("Protocol error: {text}"));
        assert_eq!(error(stream, limits), expected, "{}", stream.escape_ascii());
    }
}

/// Redis skips these two bytes unseen; a length that is off by one then executes payload.
#[test]
fn an_argument_without_crlf_behind_it_breaks_the_stream() {
    for stream in [&b"*1\r\n$4\r\nPINGxx"[..], b"*1\rX$4\r\nPING\r\n", b"*1\r\n$4\rXPING\r\n"] {
        assert!(error(stream, &Limits::DEFAULT).is_some(), "{}", stream.escape_ascii());
    }
}

#[test]
fn a_line_that_does_not_end_is_refused_one_byte_past_the_limit() {
    let limits = &Limits::DEFAULT;
    for (prefix, filler, text) in [
        ("", b'a', "too big inline request"),
        ("*", b'1', "too big mbulk count string"),
        ("*1\r\n$", b'1', "too big bulk count string"),
        ("*1\r\n", b'x', "too big bulk count string"),
    ] {
        let line_start = prefix.rfind('\n').map_or(0, |end| end + 1);
        let mut stream = prefix.as_bytes().to_vec();
        stream.resize(line_start + 64 * 1024, filler);
        assert_eq!(drive([&stream[..]], limits, 64).error, None, "{text}");
        stream.push(filler);
        let expected = Some(format!("Protocol error: {text}"));
        assert_eq!(error(&stream, limits), expected);
    }
}

#[test]
fn before_auth_ten_arguments_of_16_kib_are_the_limit() {
    let limits = &Limits::UNAUTHENTICATED;
    let full: Vec<Vec<u8>> = vec![vec![b'x'; 16384]; 10];
    let mut stream = Vec::new();
    encode_request(&full.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut stream);
    assert_eq!(drive([&stream[..]], limits, 1).requests, [full]);

    for (stream, text) in [
        (&b"*11\r\n"[..], "unauthenticated multibulk length"),
        (b"*1048576\r\n", "unauthenticated multibulk length"),
        (b"*2147483648\r\n", "invalid multibulk length"),
        (b"*1\r\n$16385\r\n", "unauthenticated bulk length"),
        (b"*1\r\n$999999999\r\n", "invalid bulk length"),
    ] {
        let expected = Some(format!("Protocol error: {text}"));
        assert_eq!(error(stream, limits), expected, "{}", stream.escape_ascii());
    }
}

#[test]
fn requests_before_a_broken_one_are_delivered() {
    let outcome = whole(b"PING\r\n*1\r\n$4\r\nPING\r\n*2\r\n$1\r\nx\r\n!\r\n");
    assert_eq!(outcome.requests.len(), 2);
    assert_eq!(outcome.consumed, 20);
    assert_eq!(outcome.error, Some(ProtocolError::ExpectedDollar { got: b'!' }));
}

#[test]
fn a_full_batch_asks_to_be_called_again_only_when_bytes_are_left() {
    let (mut resume, mut batch) = (Resume::default(), Batch::new());
    let stop = parse(&mut resume, b"PING\nPING\nPING\n", &Limits::DEFAULT, 2, &mut batch);
    assert_eq!(stop, (10, Stop::BatchFull));
    let stop = parse(&mut resume, b"PING\n", &Limits::DEFAULT, 1, &mut batch);
    assert_eq!(stop, (5, Stop::NeedMore));
    assert_eq!(batch.len(), 3);
}

#[test]
fn inline_quoting_is_that_of_redis() {
    for (line, words) in [
        (r#"ECHO "\x41\n\q""#, vec!["ECHO", "A\nq"]),
        (r"ECHO 'a\'b\n'", vec!["ECHO", r"a'b\n"]),
        (r#"ECHO a"b c""#, vec!["ECHO", "ab c"]),
        (r#"ECHO """#, vec!["ECHO", ""]),
        (r#"ECHO "\xZ1""#, vec!["ECHO", "xZ1"]),
        (r#"ECHO a\"b""#, vec!["ECHO", r"a\b"]),
        ("ECHO a\x0Bb", vec!["ECHO", "a\x0Bb"]),
        ("\x0BECHO a", vec!["ECHO", "a"]),
        ("ECHO 'a'\x0B", vec!["ECHO", "a"]),
        ("ECHO \"a\rb\"", vec!["ECHO", "a\rb"]),
        ("ECHO a\r b\r\r", vec!["ECHO", "a", "b"]),
        ("\t SET  k   v ", vec!["SET", "k", "v"]),
    ] {
        for end in ["\r\n", "\n"] {
            let requests = requests(format!("{line}{end}").as_bytes());
            assert_eq!(requests.len(), 1, "{line}");
            assert_eq!(requests[0], words, "{line}");
        }
    }
}

#[test]
fn quoted_and_plain_lines_share_a_batch() {
    let stream = b"SET a 1\nSET \"b b\" '2'\n*1\r\n$4\r\nPING\r\n";
    let expected = [vec!["SET", "a", "1"], vec!["SET", "b b", "2"], vec!["PING"]];
    assert_eq!(requests(stream), expected);
}

#[test]
fn a_declared_length_allocates_nothing() {
    for stream in [&b"*1048576\r\n"[..], b"*1048576\r\n$104857600\r\n", b"*2\r\n$104857600\r\nx"] {
        let (mut resume, mut batch) = (Resume::default(), Batch::new());
        let (consumed, stop) = parse(&mut resume, stream, &Limits::DEFAULT, 64, &mut batch);
        assert_eq!((consumed, stop), (0, Stop::NeedMore));
        let allocated = (resume.spans.capacity(), batch.spans.capacity(), batch.owned.capacity());
        assert_eq!(allocated, (0, 0, 0));
    }
}

#[test]
fn one_huge_request_does_not_keep_its_memory() {
    let args: Vec<&[u8]> = vec![b""; 100_000];
    let mut stream = Vec::new();
    encode_request(&args, &mut stream);
    let (first, second) = stream.split_at(stream.len() / 2);

    let (mut resume, mut batch) = (Resume::default(), Batch::new());
    assert_eq!(parse(&mut resume, first, &Limits::DEFAULT, 64, &mut batch), (0, Stop::NeedMore));
    assert!(!second.is_empty());
    let (consumed, _) = parse(&mut resume, &stream, &Limits::DEFAULT, 64, &mut batch);
    assert_eq!((consumed, batch.args(0, &stream).len()), (stream.len(), 100_000));
    batch.clear();

    assert!(resume.spans.capacity() <= KEEP_RESUME_SPANS_MAX);
    assert!(batch.spans.capacity() <= crate::limits::KEEP_SPANS_MAX);
}

#[test]
fn an_unfinished_line_is_searched_once() {
    let (mut resume, mut batch, mut buffer) = (Resume::default(), Batch::new(), Vec::new());
    for _ in 0..1000 {
        buffer.push(b'a');
        parse(&mut resume, &buffer, &Limits::DEFAULT, 64, &mut batch);
        assert_eq!(resume.scanned as usize, buffer.len());
    }
}

#[test]
fn arguments_that_have_arrived_are_not_parsed_again() {
    let stream = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nva";
    let (mut resume, mut batch) = (Resume::default(), Batch::new());
    parse(&mut resume, stream, &Limits::DEFAULT, 64, &mut batch);
    assert_eq!((resume.spans.len(), resume.args_left), (2, 1));
    assert_eq!(&stream[resume.position as usize..], b"$5\r\nva");
}

#[test]
fn a_batch_of_tiny_arguments_is_cut_by_its_memory() {
    let mut stream = b"a ".repeat(20_000);
    stream.push(b'\n');
    let stream = stream.repeat(8);
    let (mut resume, mut batch) = (Resume::default(), Batch::new());
    let (_, stop) = parse(&mut resume, &stream, &Limits::DEFAULT, 64, &mut batch);
    assert_eq!((stop, batch.len()), (Stop::BatchFull, 1));
    assert_eq!(whole(&stream).requests.len(), 8);
}

/// Pieces of streams: sound ones, broken ones, and bytes of any kind.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let request = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..5);
    let encoded = request.prop_map(|args| {
        let mut out = Vec::new();
        encode_request(&args.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut out);
        out
    });
    let known = prop::sample::select(vec![
        &b"PING\r\n"[..],
        b"SET k \"a\\x41 b\"\n",
        b"ECHO 'it''s'\n",
        b"*0\r\n",
        b"*-1\r\n",
        b"\r\n",
        b"*2\r\n$3\r\nGET\r\n",
        b"$3\r\nabc\r\n",
        b"*1\r\n$01\r\n",
        b"*11\r\n",
        b"$20000\r\n",
        b"*1048577\r\n",
        b"\r",
        b"\n",
        b"*",
        b"$",
        b"\"",
    ])
    .prop_map(<[u8]>::to_vec);
    prop_oneof![6 => encoded, 4 => known, 1 => prop::collection::vec(any::<u8>(), 0..8)]
}

#[test]
fn a_peek_finds_the_key_of_an_ordinary_request_and_nothing_in_others() {
    let get = b"*2\r\n$3\r\nGET\r\n$16\r\n0123456789abcdef\r\n";
    assert_eq!(peek_key(get), Some(&b"0123456789abcdef"[..]));
    assert_eq!(peek_key(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"), Some(&b"k"[..]));
    for other in [&b"PING\r\n"[..], b"*1\r\n$4\r\nPING\r\n", b"*2\r\n$3\r\nGET\r\n$999\r\nk", b""] {
        assert_eq!(peek_key(other), None);
    }
    for cut in 0..get.len() - 2 {
        assert_eq!(peek_key(&get[..cut]), None, "cut at {cut}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_cut_of_a_stream_gives_the_same_requests_and_the_same_error(
        fragments in prop::collection::vec(fragment(), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        max in 1usize..5,
        authenticated in any::<bool>(),
    ) {
        let stream = fragments.concat();
        let limits = if authenticated { Limits::DEFAULT } else { Limits::UNAUTHENTICATED };
        let once = drive([&stream[..]], &limits, 64);

        prop_assert_eq!(&once, &byte_by_byte(&stream, &limits));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
        prop_assert_eq!(&once, &drive(pieces, &limits, max));
    }

    #[test]
    fn what_a_client_encodes_is_what_the_parser_yields(
        requests in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1200), 1..12), 1..5),
    ) {
        let mut stream = Vec::new();
        for args in &requests {
            encode_request(&args.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut stream);
        }
        let outcome = whole(&stream);
        prop_assert_eq!(outcome.requests, requests);
        prop_assert_eq!(outcome.consumed, stream.len());
    }
}
