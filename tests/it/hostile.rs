//! Malformed input: the peer is told what was wrong and its connection is closed; nobody else
//! notices. Row 21 of reliability.md.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use freehold_tests::random::Random;
use freehold_tests::server::{Server, freehold, redis};

on_one_and_two_cores!(
    a_malformed_frame_is_answered_and_closes_only_its_connection,
    an_http_request_is_refused_and_nothing_of_it_is_executed,
    a_million_and_one_arguments_are_too_many,
    what_came_before_a_malformed_frame_is_answered_first,
    every_split_of_a_stream_gets_the_same_answers,
    the_fuzzers_seeds_leave_the_server_answering,
    two_hundred_hostile_connections_leave_neighbours_unharmed,
);

/// What is sent, and what must come back before the connection is closed.
const MALFORMED: &[(&[u8], &str)] = &[
    (b"*x\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*2147483648\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*99999999999999999999\r\n", "-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*1\r\n+PING\r\n", "-ERR Protocol error: expected '$', got '+'\r\n"),
    (b"*2\r\n$4\r\nPING\r\nx\r\n", "-ERR Protocol error: expected '$', got 'x'\r\n"),
    (b"*1\r\n$x\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$-5\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$99999999999999999999\r\n", "-ERR Protocol error: invalid bulk length\r\n"),
    (b"SET a \"open\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
    (b"SET a \"b\"c\r\n", "-ERR Protocol error: unbalanced quotes in request\r\n"),
];

fn meets_malformed_frames(server: &Server) {
    let mut neighbour = server.client();
    for (sent, answer) in MALFORMED {
        let mut hostile = server.raw();
        hostile.send(sent).expect("the connection is open");
        let heard = String::from_utf8_lossy(&hostile.rest()).into_owned();
        assert_eq!(heard, *answer, "to {}", sent.escape_ascii());
        assert_eq!(neighbour.said("PING"), "+PONG");
    }
    let mut hostile = server.raw();
    // The server may close while this is still being written.
    let _ = hostile.send(&[b'a'; 70 * 1024]);
    let heard = String::from_utf8_lossy(&hostile.rest()).into_owned();
    assert!(heard.is_empty() || heard.contains("too big inline request"), "{heard}");
    assert_eq!(neighbour.said("PING"), "+PONG");
}

fn a_malformed_frame_is_answered_and_closes_only_its_connection(cores: u16) {
    meets_malformed_frames(&freehold(cores).start());
}

#[test]
fn redis_server_answers_malformed_frames_with_the_same_words() {
    meets_malformed_frames(&redis().start());
}

/// A web page can have a browser send this to a server on its own machine. Redis closes such a
/// connection as well, without a word.
fn an_http_request_is_refused_and_nothing_of_it_is_executed(cores: u16) {
    let server = freehold(cores).start();
    for request in ["POST / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nhoST: x\r\n"] {
        let mut hostile = server.raw();
        let stream = format!("{request}\r\nSET hacked 1\r\n");
        hostile.send(stream.as_bytes()).expect("the connection is open");
        let heard = String::from_utf8_lossy(&hostile.rest()).into_owned();
        let told =
            "-ERR Protocol error: this is an HTTP request, and nothing of it is executed\r\n";
        assert!(heard.ends_with(told), "{heard}");
        assert_eq!(server.client().said("EXISTS hacked"), "(integer) 0");
    }
}

fn a_million_and_one_arguments_are_too_many(cores: u16) {
    let server = freehold(cores).start();
    let mut hostile = server.raw();
    hostile.send(b"*1048577\r\n").expect("open");
    assert_eq!(hostile.rest(), b"-ERR Protocol error: invalid multibulk length\r\n");
}

fn what_came_before_a_malformed_frame_is_answered_first(cores: u16) {
    let server = freehold(cores).start();
    let mut hostile = server.raw();

    let mut stream = Vec::new();
    for number in 0..100 {
        stream.extend_from_slice(format!("SET key:{number} {number}\r\n").as_bytes());
    }
    stream.extend_from_slice(b"MGET key:0 key:99\r\n*1\r\n!\r\n");
    hostile.send(&stream).expect("the connection is open");

    let expected = "+OK\r\n".repeat(100)
        + "*2\r\n$1\r\n0\r\n$2\r\n99\r\n-ERR Protocol error: expected '$', got '!'\r\n";
    assert_eq!(String::from_utf8_lossy(&hostile.rest()), expected);
}

fn every_split_of_a_stream_gets_the_same_answers(cores: u16) {
    let server = freehold(cores).start();
    let stream = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\nv\r\n1\r\nPING\r\n\r\n*0\r\n\
                   *2\r\n$3\r\nGET\r\n$1\r\nk\r\nget \"k\"\r\n*1\r\n$4\r\nQUIT\r\n";
    let expected = b"+OK\r\n+PONG\r\n$4\r\nv\r\n1\r\n$4\r\nv\r\n1\r\n+OK\r\n";

    for split in 1..stream.len() {
        let mut client = server.raw();
        client.send(&stream[..split]).expect("open");
        // The server has read the first part when it answers somebody who came later.
        assert_eq!(server.client().said("PING"), "+PONG");
        client.send(&stream[split..]).expect("open");
        assert_eq!(client.rest(), expected, "split at {split}");
    }
}

/// The inputs kept for the parsers' fuzz targets, by wire. The first byte of those for RESP chooses
/// the target's limits and is no part of the stream.
fn the_fuzzers_seeds_leave_the_server_answering(cores: u16) {
    let server = freehold(cores).start();
    let mut neighbour = server.client();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/fuzz/corpus");
    let mut sent = 0;
    for folder in ["resp_parse", "bin_parse"] {
        for entry in std::fs::read_dir(corpus.join(folder)).expect("seeds are in the repository") {
            let seed = std::fs::read(entry.expect("an entry").path()).expect("a seed");
            for stream in [&seed[..], &seed[1..]] {
                let mut hostile = server.raw();
                // A seed may be refused half-way, or end without being whole.
                let _ = hostile.send(stream).and_then(|()| hostile.finish());
                hostile.rest();
                assert_eq!(neighbour.said("PING"), "+PONG");
                sent += 1;
            }
        }
    }
    assert!(sent > 10, "only {sent} seeds");
}

fn two_hundred_hostile_connections_leave_neighbours_unharmed(cores: u16) {
    let server = freehold(cores).start();
    let done = AtomicBool::new(false);

    thread::scope(|scope| {
        for worker in 0..4 {
            let (server, done) = (&server, &done);
            scope.spawn(move || torment(server, done, worker));
        }
        let honest: Vec<_> = (0..8)
            .map(|id| {
                scope.spawn({
                    let server = &server;
                    move || live(server, id)
                })
            })
            .collect();
        let outcomes: Vec<_> = honest.into_iter().map(|honest| honest.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_ok), "an honest client was disturbed");
    });
    assert_eq!(server.client().said("PING"), "+PONG");
}

/// Keeps fifty connections at it: garbage, frames cut short, lengths that lie, sudden ends.
fn torment(server: &Server, done: &AtomicBool, worker: u64) {
    let mut random = Random::new(worker);
    let mut open = Vec::new();
    while !done.load(Ordering::Relaxed) {
        if open.len() < 50 {
            open.extend(freehold_tests::raw::Raw::connect(server.address()));
        }
        let at = random.below(open.len().max(1));
        let Some(hostile) = open.get_mut(at) else { continue };
        let (frame, _) = random.pick(MALFORMED);
        let garbage: Vec<u8> = (0..random.below(300)).map(|_| random.word() as u8).collect();
        let outcome = match random.below(4) {
            0 => hostile.send(frame),
            1 => hostile.send(&garbage),
            2 => hostile.send(&[&[0xF0], garbage.as_slice()].concat()),
            _ => hostile.send(b"*3\r\n$3\r\nSET\r\n$5\r\nhosti"),
        };
        if outcome.is_err() || random.percent(30) {
            open.swap_remove(at);
        }
    }
}

fn live(server: &Server, id: usize) {
    let mut client = server.client();
    for round in 0..1_000 {
        let key = format!("honest:{id}:{}", round % 50);
        assert_eq!(client.said(&format!("SET {key} {round}")), "+OK");
        assert_eq!(client.said(&format!("GET {key}")), format!("\"{round}\""));
    }
}
