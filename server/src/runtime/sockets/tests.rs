use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use super::{TcpOptions, listen_tcp, listen_unix, local_port, refuse};

const OPTIONS: TcpOptions = TcpOptions { backlog: 16, keepalive_seconds: 300 };

/// A path of its own for each test, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let file = format!("freehold-{}-{name}.sock", std::process::id());
        Scratch(std::env::temp_dir().join(file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn port_zero_is_the_kernels_choice_and_can_be_asked_for() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let address: SocketAddr = address.parse().expect("an address");
        let listener = listen_tcp(address, OPTIONS).expect("loopback");
        let port = local_port(&listener).expect("bound");
        assert_ne!(port, 0);
        TcpStream::connect((address.ip(), port)).expect("it listens");
    }
}

#[test]
fn a_port_in_use_is_an_error() {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let listener = listen_tcp(any, OPTIONS).expect("loopback");
    let taken = SocketAddr::new(any.ip(), local_port(&listener).expect("bound"));
    let error = listen_tcp(taken, OPTIONS).expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}

#[test]
fn connections_inherit_no_delay_from_their_listener() {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let listener = listen_tcp(any, OPTIONS).expect("loopback");
    let port = local_port(&listener).expect("bound");
    let _client = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let (accepted, _) = std::net::TcpListener::from(listener).accept().expect("a connection");
    assert!(accepted.nodelay().expect("asked"));
}

#[test]
fn a_unix_socket_is_its_owners_alone_unless_permissions_say_more() {
    let scratch = Scratch::new("mode");
    let mode =
        |path: &PathBuf| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    drop(listen_unix(&scratch.0, None, 16).expect("a new path"));
    assert_eq!(mode(&scratch.0) & 0o077, 0);
    drop(listen_unix(&scratch.0, Some(0o770), 16).expect("the stale one is replaced"));
    assert_eq!(mode(&scratch.0), 0o770);
}

#[test]
fn a_socket_somebody_listens_on_is_left_alone() {
    let scratch = Scratch::new("busy");
    let first = UnixListener::bind(&scratch.0).expect("a new path");
    let error = listen_unix(&scratch.0, None, 16).expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
    UnixStream::connect(&scratch.0).expect("the first still listens");
    drop(first);
}

#[test]
fn a_file_that_is_no_socket_is_left_alone() {
    let scratch = Scratch::new("file");
    std::fs::write(&scratch.0, "precious").expect("written");
    assert!(listen_unix(&scratch.0, None, 16).is_err());
    assert_eq!(std::fs::read_to_string(&scratch.0).expect("still there"), "precious");
}

#[test]
fn a_refused_peer_reads_the_reason_and_then_the_end() {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    refuse(ours.into(), b"-ERR max number of clients reached\r\n");
    let mut got = String::new();
    theirs.read_to_string(&mut got).expect("read to the end");
    assert_eq!(got, "-ERR max number of clients reached\r\n");
}
