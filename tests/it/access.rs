//! Who gets in and how: Unix socket, core ports, password, protected mode, RESP3 greeting.

use std::process::Command;
use std::time::Duration;

use freehold_tests::client::Client;
use freehold_tests::server::freehold;

on_one_and_two_cores!(
    a_unix_socket_serves_every_key,
    every_key_has_exactly_one_core_port,
    hello_switches_the_protocol_and_introduces_the_server,
    a_new_password_is_asked_for_at_once,
);

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

/// Runs in a network namespace of its own, where an address that is not loopback can be had
/// without touching any network. Arguments: the server's binary.
const FROM_ANOTHER_HOST: &str = r#"
ip link set lo up && ip address add 198.51.100.7/32 dev lo || exit 77
"$0" --bind 0.0.0.0 --port 7000 --cores 2 --requirepass secret >/dev/null &
until exec 3<>/dev/tcp/127.0.0.1/7000; do kill -0 $! || exit 1; done 2>/dev/null
say() { printf '%s\r\n' "$1" >&3; read -r -t 10 reply <&3; printf '%s\n' "$reply"; }
say 'AUTH secret'
exec 4<>/dev/tcp/198.51.100.7/7000
printf 'PING\r\n' >&4; read -r -t 10 reply <&4; printf '%s\n' "$reply"
say 'CONFIG SET requirepass ""'
exec 5<>/dev/tcp/198.51.100.7/7000
read -r -t 10 reply <&5; printf '%s\n' "$reply"
read -r -t 10 reply <&5; printf 'then closed: %s\n' "$?"
say 'PING'
kill -9 $!
"#;

#[test]
fn protected_mode_refuses_other_hosts_in_words() {
    let mut apart = Command::new("unshare");
    apart.args(["--map-root-user", "--net", "bash", "-c", FROM_ANOTHER_HOST]);
    let ended = apart.arg(freehold_tests::server::freehold_binary()).output();
    let Some(ended) = ended.ok().filter(|ended| ended.status.code() != Some(77)) else {
        println!("no network namespace can be made here: nothing to test");
        return;
    };
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    let lines: Vec<&str> = said.lines().map(str::trim_end).collect();

    assert_eq!(lines.len(), 6, "{said}{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(lines[..3], ["+OK", "-NOAUTH Authentication required.", "+OK"]);
    assert!(lines[3].starts_with("-DENIED Redis is running in protected mode"), "{}", lines[3]);
    assert_eq!(lines[4..], ["then closed: 1", "+PONG"]);
}
