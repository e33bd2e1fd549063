//! A client that asks and does not read costs a bounded amount of memory and nobody else
//! anything. Row 23 of reliability.md.

use std::time::Duration;

use freehold_tests::process::resident_bytes;
use freehold_tests::raw::Raw;
use freehold_tests::server::{Options, Server, freehold, redis};
use freehold_tests::wait;

use crate::export::export;

on_one_and_two_cores!(
    slow_readers_cost_a_bounded_amount,
    a_reply_beyond_the_limit_closes_its_connection,
    before_auth_replies_may_not_pile_up,
    a_slow_reader_gets_everything_in_the_end,
    a_client_that_reads_gets_a_reply_of_any_length,
);

const MIB: u64 = 1024 * 1024;
const READERS: u64 = 100;

fn slow_readers_cost_a_bounded_amount(cores: u16) {
    let limit = ["--client-output-buffer-limit", "normal 4mb 0 0"];
    let server = freehold(cores).with(&limit).start();
    let mut honest = server.client();
    let value = "v".repeat(MIB as usize);
    assert_eq!(honest.said(&format!("SET big {value}")), "+OK");
    let before = resident_bytes(server.pid());

    let asked = "GET big\r\n".repeat(64);
    let mut readers: Vec<Raw> = Vec::new();
    for _ in 0..READERS {
        let mut reader = server.raw();
        reader.send(asked.as_bytes()).expect("open");
        readers.push(reader);
    }
    // 6.4 GiB are asked for; every reader has its share under way or has been closed.
    for round in 0..200 {
        assert_eq!(honest.said(&format!("SET n {round}")), "+OK");
        assert_eq!(honest.said("GET n"), format!("\"{round}\""));
        let grown = resident_bytes(server.pid()).saturating_sub(before);
        assert!(grown <= READERS * 5 * MIB, "{} MiB for slow readers", grown / MIB);
    }
    drop(readers);
    wait::until("the readers to be forgotten", Duration::from_secs(10), || {
        honest.info_number("clients", "connected_clients") == 1
    });
}

fn a_reply_beyond_the_limit_closes_its_connection(cores: u16) {
    let limit = ["--client-output-buffer-limit", "normal 1mb 0 0"];
    let server = freehold(cores).with(&limit).start();
    let mut honest = server.client();
    for number in 0..40 {
        let value = "v".repeat(MIB as usize);
        assert_eq!(honest.said(&format!("SET big{number} {value}")), "+OK");
    }
    let mut reader = server.raw();
    let keys: Vec<String> = (0..40).map(|number| format!("big{number}")).collect();

    reader.send(format!("MGET {}\r\n", keys.join(" ")).as_bytes()).expect("open");

    wait::until("the connection to be closed", Duration::from_secs(10), || {
        honest.info_number("clients", "connected_clients") == 1
    });
    assert_eq!(honest.said("EXISTS big0"), "(integer) 1");
}

fn before_auth_replies_may_not_pile_up(cores: u16) {
    let server = freehold(cores).with(&["--requirepass", "secret"]).start();
    let mut member = server.client();
    assert_eq!(member.said("AUTH secret"), "+OK");
    let mut stranger = server.raw();

    // Never read; the server may close while this is still being written.
    let _ = stranger.send("GET x\r\n".repeat(1_000_000).as_bytes());

    wait::until("the stranger to be closed", Duration::from_secs(10), || {
        member.info_number("clients", "connected_clients") == 1
    });
}

fn a_slow_reader_gets_everything_in_the_end(cores: u16) {
    let server = freehold(cores).start();
    let mut honest = server.client();
    let value = "v".repeat(200_000);
    assert_eq!(honest.said(&format!("SET big {value}")), "+OK");
    let mut reader = server.raw();

    // More than the kernel buffers and more than the server keeps: it stops reading meanwhile.
    reader.send("GET big\r\n".repeat(200).as_bytes()).expect("open");
    reader.finish().expect("open");
    assert_eq!(honest.said("PING"), "+PONG");

    assert_eq!(reader.rest().len(), 200 * (200_000 + "$200000\r\n\r\n".len()));
}

/// One reply above 128 MiB closed its connection, so such a value could be written and never be
/// read, and `freehold export` of it failed. redis-server has no limit for one reply.
fn a_client_that_reads_gets_a_reply_of_any_length(cores: u16) {
    let server = long_values(freehold(cores)).start();
    reads_a_long_value(&server);
    let exported = std::fs::metadata(export(&server)).expect("the file is there").len();
    assert!(exported > LONG as u64, "{exported} bytes");
}

#[test]
fn redis_server_sends_a_reply_of_any_length() {
    reads_a_long_value(&redis().start());
}

const LONG: usize = 150_000_000;

fn long_values(options: Options) -> Options {
    options.with(&["--value-hard-bytes", "300mb", "--proto-max-bulk-len", "300mb"])
}

fn reads_a_long_value(server: &Server) {
    let mut honest = server.client();
    assert_eq!(honest.said(&format!("SETRANGE long {} v", LONG - 1)), format!("(integer) {LONG}"));
    let mut reader = server.raw();
    reader.send(b"GET long\r\n").expect("open");

    // The peak is noted where limits are looked at: that has happened with the whole reply waiting.
    wait::until("the limits to be looked at", Duration::from_secs(10), || {
        honest.info_number("memory", "used_memory_peak") > 2 * LONG as u64
    });
    let answer = reader.take("$150000000\r\n".len() + LONG).expect("all of it");
    assert!(answer.starts_with(b"$150000000\r\n\0") && answer.ends_with(b"\0v"));
}
