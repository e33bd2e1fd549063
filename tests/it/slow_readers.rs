//! A client that asks and does not read costs a bounded amount of memory and nobody else
//! anything. Row 23 of reliability.md.

use std::time::Duration;

use freehold_tests::process::resident_bytes;
use freehold_tests::raw::Raw;
use freehold_tests::server::freehold;
use freehold_tests::wait;

on_one_and_two_cores!(
    slow_readers_cost_a_bounded_amount,
    a_reply_beyond_the_limit_closes_its_connection,
    before_auth_replies_may_not_pile_up,
    a_slow_reader_gets_everything_in_the_end,
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
