//! `redis-cli --rdb`: redis-server loads the file and has what the node had. A client that does not
//! read its copy costs a bounded amount of memory.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use freehold_tests::cuts::loaded_by_redis;
use freehold_tests::process::resident_bytes;
use freehold_tests::raw::Raw;
use freehold_tests::redis_cli;
use freehold_tests::server::{Server, freehold, redis};
use freehold_tests::wait;

use crate::import::{compare, import, saved};

on_one_and_two_cores!(
    redis_loads_what_redis_cli_has_copied,
    a_copy_has_what_the_log_may_acknowledge,
    a_client_that_does_not_read_its_copy_is_closed_before_memory_grows,
    a_node_that_saves_and_ends_does_not_wait_for_a_slow_reader,
    functions_are_copied_and_there_are_none,
    a_replica_is_told_that_there_is_no_replication,
);

const LIMIT: Duration = Duration::from_secs(30);
const MIB: u64 = 1024 * 1024;

/// More than a window and the kernel hold for a client that does not read: 61 MiB.
const KEYS: u64 = 640;

fn write_all(server: &Server, letter: &str) {
    let (mut client, value) = (server.client(), letter.repeat(100_000));
    for n in 0..KEYS {
        assert_eq!(client.said(&format!("SET key:{n} {value}")), "+OK");
    }
}

/// Asks for a copy, which has begun, and reads nothing.
fn slow_reader(server: &Server) -> Raw {
    let mut reader = server.raw();
    reader.send(b"REPLCONF capa eof rdb-only 1\r\nSYNC\r\n").expect("open");
    wait::until("the copy to begin", LIMIT, || {
        server.client().info("persistence", "rdb_bgsave_in_progress") == "1"
    });
    reader
}

fn copied(server: &Server) -> PathBuf {
    let file = server.directory().join("copied.rdb");
    redis_cli::copy(server.port(), &file);
    file
}

fn redis_loads_what_redis_cli_has_copied(cores: u16) {
    let theirs = redis().start();
    let ours = import(cores, &saved(&theirs));
    let file = copied(&ours);
    assert!(fs::read(&file).expect("the file").starts_with(b"REDIS0010"));

    let again = loaded_by_redis(&file);
    compare(&mut theirs.client(), &mut again.client());
    // A digest has what is past its deadline, until that is looked at.
    assert_eq!(theirs.client().said("GET short"), "(nil)");
    let digest = theirs.client().said("DEBUG DIGEST");
    assert_eq!(again.client().said("DEBUG DIGEST"), digest);

    let ours_again = import(3 - cores, &file);
    compare(&mut theirs.client(), &mut ours_again.client());
}

fn a_copy_has_what_the_log_may_acknowledge(cores: u16) {
    let log = ["--appendonly", "yes", "--appendfsync", "always"];
    let server = freehold(cores).with(&log).start();
    let mut client = server.client();
    for n in 0..100 {
        assert_eq!(client.said(&format!("SET key:{n} {n}")), "+OK");
    }
    let loaded = loaded_by_redis(&copied(&server));
    let mut theirs = loaded.client();
    for n in 0..100 {
        assert_eq!(theirs.said(&format!("GET key:{n}")), format!("\"{n}\""));
    }
    assert_eq!(client.said("SAVE"), "+OK", "the next cut is a snapshot's");
}

fn a_client_that_does_not_read_its_copy_is_closed_before_memory_grows(cores: u16) {
    let limit = ["--client-output-buffer-limit", "replica 4mb 0 0"];
    let server = freehold(cores).with(&limit).start();
    write_all(&server, "a");
    write_all(&server, "b"); // so that what replacing needs is there already
    let _reader = slow_reader(&server);
    let before = resident_bytes(server.pid());

    write_all(&server, "c");

    wait::until("the reader to be closed", LIMIT, || server.log().contains("no whole copy"));
    let grown = resident_bytes(server.pid()).saturating_sub(before);
    // 61 MiB have changed; the kernel's buffers of the socket are not the server's.
    assert!(grown < 24 * MIB, "{} MiB for a slow reader", grown / MIB);
    let log = server.log();
    assert!(log.contains("beyond client-output-buffer-limit replica"), "{log}");
    wait::until("the cut to be over", LIMIT, || {
        server.client().info("persistence", "rdb_bgsave_in_progress") == "0"
    });
    let theirs = loaded_by_redis(&copied(&server));
    assert_eq!(theirs.client().said("DBSIZE"), format!("(integer) {KEYS}"));
    assert_eq!(theirs.client().said("GETRANGE key:7 0 2"), "\"ccc\"");
}

fn a_node_that_saves_and_ends_does_not_wait_for_a_slow_reader(cores: u16) {
    let mut server = freehold(cores).start();
    write_all(&server, "a");
    let _reader = slow_reader(&server);
    assert_eq!(server.client().said("SAVE"), "(error) ERR Background save already in progress");

    server.raw().send(b"SHUTDOWN SAVE\r\n").expect("open");

    assert!(server.wait_for_exit(LIMIT).success());
    let log = server.log();
    assert!(log.contains("gets no whole copy and is closed: the node saves and ends"), "{log}");
    assert!(server.directory().join("appendonlydir/MANIFEST").exists(), "it has saved");
}

fn functions_are_copied_and_there_are_none(cores: u16) {
    let server = freehold(cores).start();
    assert_eq!(server.client().said("SET a 1"), "+OK");
    let file = server.directory().join("functions.rdb");
    let words = ["--functions-rdb", file.to_str().expect("a path of text")];
    let output = redis_cli::run(server.port(), &words);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(loaded_by_redis(&file).client().said("DBSIZE"), "(integer) 0");
}

fn a_replica_is_told_that_there_is_no_replication(cores: u16) {
    let server = freehold(cores).start();
    let replica = redis().start();
    let mut client = replica.client();
    let port = server.port();
    assert_eq!(client.said(&format!("REPLICAOF 127.0.0.1 {port}")), "+OK");
    wait::until("the replica to be refused", LIMIT, || {
        replica.log().contains("replication by Redis's protocol is not there yet")
    });
    assert_eq!(server.client().said("PING"), "+PONG");
}
