//! Who gets in and how: Unix socket, core ports, password, protected mode, RESP3 greeting.

use std::process::Command;
use std::time::Duration;

use freehold_tests::client::Client;
use freehold_tests::raw::Raw;
use freehold_tests::server::freehold;

on_one_and_two_cores!(
    a_unix_socket_serves_every_key,
    every_key_has_exactly_one_core_port,
    hello_switches_the_protocol_and_introduces_the_server,
    a_new_password_is_asked_for_at_once,
);

/// An address of this machine that is not loopback, if it has one.
fn outer_address() -> Option<String> {
    let said = Command::new("hostname").arg("-I").output().ok()?.stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    said.split_whitespace().find(|address| address.contains('.')).map(str::to_owned)
}

fn a_unix_socket_serves_every_key(cores: u16) {
    let folder =
        std::env::temp_dir().join(format!("freehold-socket-{}-{cores}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("freehold.sock");
    let server = freehold(cores).with(&["--unixsocket", &path.display().to_string()]).start();
    let mut near = Client::connect_unix(&path).expect("the socket accepts");
    let mut far = server.client();

    for number in 0..100 {
        assert_eq!(near.said(&format!("SET k{number} {number}")), "+OK");
        assert_eq!(far.said(&format!("GET k{number}")), format!("\"{number}\""));
    }
    drop(server);
    std::fs::remove_dir_all(&folder).expect("the folder is ours");
}

fn every_key_has_exactly_one_core_port(cores: u16) {
    let server = freehold(cores).start();
    assert_eq!(server.core_ports().len(), usize::from(cores));
    for number in 0..50 {
        let set = |port: &u16| {
            let mut client = Client::connect(&format!("127.0.0.1:{port}"));
            let said = client.said(&format!("SET k{number} {port}"));
            assert!(said == "+OK" || said.starts_with("(error) MOVED"), "{said}");
            said == "+OK"
        };
        let owners: Vec<u16> = server.core_ports().iter().copied().filter(set).collect();
        assert_eq!(owners.len(), 1, "k{number} is served at {owners:?}");
        let seen = server.client().said(&format!("GET k{number}"));
        assert_eq!(seen, format!("\"{}\"", owners[0]));
    }
}

fn hello_switches_the_protocol_and_introduces_the_server(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();

    let old = client.said("HELLO");
    let new = client.said("HELLO 3");

    assert!(old.starts_with("[\"server\", \"redis\", \"version\", \"7.4"), "{old}");
    for field in
        ["\"proto\" => (integer) 3", "\"mode\" => \"standalone\"", "\"role\" => \"master\""]
    {
        assert!(new.contains(field), "{field} is missing in {new}");
    }
    assert!(client.said("CONFIG GET maxmemory").starts_with('{'), "RESP3 answers maps");
    assert_eq!(client.said("HELLO 4"), "(error) NOPROTO unsupported protocol version");
    assert_eq!(client.said("GET nothing"), "(nil)");
}

fn a_new_password_is_asked_for_at_once(cores: u16) {
    let server = freehold(cores).start();
    let mut operator = server.client();
    assert_eq!(operator.said("CONFIG SET requirepass first"), "+OK");

    // Every core knows.
    for _ in 0..8 {
        let mut stranger = server.client();
        assert_eq!(stranger.said("GET a"), "(error) NOAUTH Authentication required.");
        assert_eq!(stranger.said("AUTH first"), "+OK");
        assert_eq!(stranger.said("GET a"), "(nil)");
    }
    assert_eq!(operator.said("PING"), "+PONG");
}

#[test]
fn an_open_door_is_refused_at_start() {
    let mut server = freehold(1).with(&["--bind", "0.0.0.0"]).launch();

    assert!(!server.wait_for_exit(Duration::from_secs(10)).success());
    let said = server.log();
    assert!(said.contains("requirepass") && said.contains("protected-mode no"), "{said}");
}

#[test]
fn protected_mode_refuses_other_hosts_in_words() {
    let Some(outer) = outer_address() else {
        println!("this machine has no address but loopback: nothing to test");
        return;
    };
    let server = freehold(2).with(&["--bind", "0.0.0.0", "--requirepass", "secret"]).start();
    let address = format!("{outer}:{}", server.port());
    let mut operator = Client::connect(&format!("127.0.0.1:{}", server.port()));
    assert_eq!(operator.said("AUTH secret"), "+OK");

    let mut guest = Client::connect(&address);
    assert_eq!(guest.said("PING"), "(error) NOAUTH Authentication required.");
    assert_eq!(
        operator.call(&["CONFIG", "SET", "requirepass", ""]),
        freehold_protocol::resp::value::Value::Simple(b"OK".to_vec())
    );

    let mut refused = Raw::connect(&address).expect("it is accepted, told, and closed");
    let told = String::from_utf8_lossy(&refused.rest()).into_owned();
    assert!(told.starts_with("-DENIED Redis is running in protected mode"), "{told}");
    let loopback = format!("127.0.0.1:{}", server.port());
    assert_eq!(Client::connect(&loopback).said("PING"), "+PONG");
}
