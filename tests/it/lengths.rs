//! What a peer declares costs nothing until the bytes arrive, and before AUTH little may be
//! declared at all. Row 22 of reliability.md.

use freehold_tests::process::resident_bytes;
use freehold_tests::raw::Raw;
use freehold_tests::server::freehold;
use freehold_tests::wait;
use std::time::Duration;

on_one_and_two_cores!(
    a_declared_length_allocates_nothing,
    before_auth_little_may_be_declared,
    before_auth_nothing_but_auth_is_served,
);

const CONNECTIONS: usize = 1000;
/// Row 22: at most this much for a connection that has declared and not sent.
const BYTES_PER_CONNECTION: u64 = 16 * 1024;

fn a_declared_length_allocates_nothing(cores: u16) {
    let server = freehold(cores).start();
    let mut onlooker = server.client();
    let declared: [&[u8]; 4] = [
        b"*1048576\r\n",
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$104857600\r\n",
        b"*1048576\r\n$3\r\nDEL\r\n$1\r\n",
        &[0xF0, 0xE1, 0x04, 0, 1, 0x06, 0, 0, 0, 0, b'k'],
    ];
    assert_eq!(onlooker.said("PING"), "+PONG");
    let before = resident_bytes(server.pid());

    let mut open: Vec<Raw> = Vec::new();
    for at in 0..CONNECTIONS {
        let mut raw = server.raw();
        raw.send(declared[at % declared.len()]).expect("the connection is open");
        open.push(raw);
    }
    wait::until("all connections to be served", Duration::from_secs(20), || {
        onlooker.info_number("clients", "connected_clients") == CONNECTIONS as u64 + 1
    });
    let after = resident_bytes(server.pid());

    let each = after.saturating_sub(before) / CONNECTIONS as u64;
    assert!(each <= BYTES_PER_CONNECTION, "{each} bytes for each declaration");
    assert!(open.iter_mut().all(|raw| !raw.is_closed()), "an honest declaration was refused");
}

fn before_auth_little_may_be_declared(cores: u16) {
    let server = freehold(cores).with(&["--requirepass", "secret"]).start();
    for (sent, answer) in [
        (&b"*11\r\n"[..], "-ERR Protocol error: unauthenticated multibulk length\r\n"),
        (b"*2\r\n$16385\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n"),
    ] {
        let mut raw = server.raw();
        raw.send(sent).expect("open");
        assert_eq!(String::from_utf8_lossy(&raw.rest()), answer);
    }
    let mut member = server.client();
    assert_eq!(member.said("AUTH secret"), "+OK");
    let many: Vec<String> =
        std::iter::once("DEL".to_owned()).chain((0..20).map(|n| n.to_string())).collect();
    assert_eq!(member.said(&many.join(" ")), "(integer) 0");
}

fn before_auth_nothing_but_auth_is_served(cores: u16) {
    let server = freehold(cores).with(&["--requirepass", "secret"]).start();
    let mut client = server.client();
    let refusal = "(error) NOAUTH Authentication required.";

    for words in ["GET a", "SET a b", "INFO", "CONFIG GET *", "DEBUG SLEEP 0", "SHUTDOWN", "PING"] {
        assert_eq!(client.said(words), refusal, "{words}");
    }
    let wrong = "(error) WRONGPASS invalid username-password pair or user is disabled.";
    assert_eq!(client.said("AUTH wrong"), wrong);
    assert_eq!(client.said("AUTH default wrong"), wrong);
    assert!(client.said("HELLO 3").starts_with("(error) NOAUTH HELLO must be called"));
    assert_eq!(client.said("AUTH default secret"), "+OK");
    assert_eq!(client.said("SET a b"), "+OK");
}
