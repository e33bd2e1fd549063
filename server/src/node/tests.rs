//! A whole node in this process, reached by loopback sockets as a client would.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use freehold_engine::config::Config;

use super::Node;
use crate::runtime::signals::Signal;
use crate::worker::{News, Report};

/// Nothing here takes long; a test that would wait for ever fails instead.
const PATIENCE: Duration = Duration::from_secs(60);

struct Running {
    port: u16,
    report: Report,
    thread: JoinHandle<Result<(), String>>,
}

impl Running {
    fn start(cores: u16, change: impl FnOnce(&mut Config)) -> Running {
        let mut config = Config::default();
        config.bind = vec!["127.0.0.1".into()];
        config.port = 0;
        // A machine with a single CPU runs the tests for several cores on that one.
        let allowed = crate::runtime::topology::allowed_cpus().expect("Linux tells").len() as u16;
        config.cores = cores.min(allowed);
        change(&mut config);
        let node = Node::start(config, None, None).expect("a node");
        assert_eq!(node.load(), Ok(true));
        let (port, report) = (node.shared.listeners.port, node.report());
        Running { port, report, thread: thread::spawn(move || node.serve()) }
    }

    fn connect(&self) -> TcpStream {
        let client = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        client.set_read_timeout(Some(PATIENCE)).expect("a socket option");
        client.set_write_timeout(Some(PATIENCE)).expect("a socket option");
        client
    }

    fn stop(self) {
        self.report.send(News::Stop { now: false, reason: "the test is over".to_owned() });
        self.thread.join().expect("no panic").expect("an orderly end");
    }
}

fn expect(client: &mut TcpStream, reply: &[u8]) {
    let mut got = vec![0; reply.len()];
    client.read_exact(&mut got).expect("a reply");
    assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(reply));
}

fn ask(client: &mut TcpStream, request: &[u8], reply: &[u8]) {
    client.write_all(request).expect("sent");
    expect(client, reply);
}

/// One line of a reply, without its end.
fn line(client: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n") {
        client.read_exact(&mut byte).expect("a line");
        text.push(byte[0]);
    }
    String::from_utf8_lossy(&text[..text.len() - 2]).into_owned()
}

fn is_closed(client: &mut TcpStream) -> bool {
    match client.read(&mut [0; 1]) {
        Ok(count) => count == 0,
        // The kernel takes the ring apart by which this thread looked at the host's features, and
        // interrupts whatever the thread does at that moment.
        Err(error) if error.kind() == ErrorKind::Interrupted => is_closed(client),
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Runs a promise for one core and for two: the second forwards what the first does itself.
fn on_one_core_and_on_two(promise: impl Fn(&Running)) {
    for cores in [1, 2] {
        let node = Running::start(cores, |_| {});
        promise(&node);
        node.stop();
    }
}

#[test]
fn requests_are_answered_in_order() {
    on_one_core_and_on_two(|node| {
        let mut client = node.connect();
        ask(&mut client, b"PING\r\n", b"+PONG\r\n");
        let mut requests = Vec::new();
        let mut replies = Vec::new();
        for n in 0..5_000 {
            requests.extend_from_slice(format!("SET key:{n} {n}\r\nGET key:{n}\r\n").as_bytes());
            let digits = n.to_string().len();
            replies.extend_from_slice(format!("+OK\r\n${digits}\r\n{n}\r\n").as_bytes());
        }
        let mut writer = client.try_clone().expect("a clone");
        let sender = thread::spawn(move || writer.write_all(&requests).expect("sent"));
        expect(&mut client, &replies);
        sender.join().expect("no panic");
    });
}

#[test]
fn a_request_that_comes_byte_by_byte_is_one_request() {
    on_one_core_and_on_two(|node| {
        let mut client = node.connect();
        client.set_nodelay(true).expect("a socket option");
        for byte in b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nhello\r\n" {
            client.write_all(&[*byte]).expect("sent");
        }
        expect(&mut client, b"+OK\r\n");
        ask(&mut client, b"GET k\r\n", b"$5\r\nhello\r\n");
    });
}

#[test]
fn a_peer_that_has_finished_sending_gets_every_reply_before_the_end() {
    on_one_core_and_on_two(|node| {
        let mut client = node.connect();
        let mut writer = client.try_clone().expect("a clone");
        let sender = thread::spawn(move || {
            for n in 0..20_000 {
                writer.write_all(format!("SET key:{n} v\r\n").as_bytes()).expect("sent");
            }
            writer.shutdown(Shutdown::Write).expect("half closed");
        });
        let mut got = Vec::new();
        client.read_to_end(&mut got).expect("read to the end");
        sender.join().expect("no panic");
        assert_eq!(got.len(), 20_000 * b"+OK\r\n".len());
    });
}

#[test]
fn a_value_larger_than_all_receive_buffers_goes_in_and_out() {
    let node = Running::start(1, |_| {});
    let mut client = node.connect();
    let value: Vec<u8> = (0..6_000_000u32).map(|n| (n % 253) as u8).collect();
    let mut request = format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n${}\r\n", value.len()).into_bytes();
    request.extend_from_slice(&value);
    request.extend_from_slice(b"\r\n");
    ask(&mut client, &request, b"+OK\r\n");

    client.write_all(b"GET big\r\n").expect("sent");
    assert_eq!(line(&mut client), "$6000000");
    let mut got = vec![0; value.len()];
    client.read_exact(&mut got).expect("the value");
    assert!(got == value, "bytes differ");
    node.stop();
}

/// Slow readers hold their replies, not the core: what they asked for is not even computed while
/// earlier replies are unread.
#[test]
fn clients_that_never_read_do_not_stop_the_others() {
    let node = Running::start(1, |_| {});
    let mut client = node.connect();
    let value = "x".repeat(1_000_000);
    ask(&mut client, format!("SET big {value}\r\n").as_bytes(), b"-ERR");
    let mut client = node.connect();
    let request = format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$1000000\r\n{value}\r\n");
    ask(&mut client, request.as_bytes(), b"+OK\r\n");

    let mut slow: Vec<TcpStream> = (0..10).map(|_| node.connect()).collect();
    for reader in &mut slow {
        reader.write_all(&b"GET big\r\n".repeat(200)).expect("sent");
    }
    for _ in 0..100 {
        ask(&mut client, b"PING\r\n", b"+PONG\r\n");
    }
    // And who starts to read in the end gets everything.
    let mut late = slow.pop().expect("ten of them");
    for _ in 0..200 {
        expect(&mut late, b"$1000000\r\n");
        let mut got = vec![0; 1_000_002];
        late.read_exact(&mut got).expect("the value");
    }
    node.stop();
}

#[test]
fn connections_that_die_with_replies_under_way_leave_nothing_behind() {
    on_one_core_and_on_two(|node| {
        let mut client = node.connect();
        let value = "x".repeat(500_000);
        let request = format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$500000\r\n{value}\r\n");
        ask(&mut client, request.as_bytes(), b"+OK\r\n");
        for round in 0..100 {
            let mut dying = node.connect();
            dying.write_all(&b"GET big\r\n".repeat(1 + round % 8)).expect("sent");
            if round % 3 == 0 {
                // A reply has begun to arrive and the rest meets a closed door.
                dying.read_exact(&mut [0; 10]).expect("a beginning");
            }
        }
        // The node learns of the ends in its own time; every answer is one more turn.
        let ours = (0..10_000).any(|_| {
            client.write_all(b"INFO clients\r\n").expect("sent");
            let header = line(&mut client);
            let bytes: usize = header[1..].parse().expect("a length");
            let mut text = vec![0; bytes + 2];
            client.read_exact(&mut text).expect("the text");
            String::from_utf8_lossy(&text).contains("connected_clients:1\r")
        });
        assert!(ours, "connections of the dead are still there");
    });
}

#[test]
fn connections_are_spread_over_the_cores() {
    let node = Running::start(2, |_| {});
    let mut clients: Vec<TcpStream> = (0..20).map(|_| node.connect()).collect();
    let mut by_core = [0; 2];
    for client in &mut clients {
        client.write_all(b"CLIENT ID\r\n").expect("sent");
        // Ids tell the core: each core counts in steps of their number.
        let id: usize = line(client)[1..].parse().expect("a number");
        by_core[id % 2] += 1;
    }
    let cores = crate::runtime::topology::allowed_cpus().expect("Linux tells").len();
    if cores >= 2 {
        assert_eq!(by_core, [10, 10]);
    }
    node.stop();
}

#[test]
fn one_client_too_many_is_told_so() {
    let node = Running::start(1, |config| config.maxclients = 3);
    let mut clients: Vec<TcpStream> = (0..3).map(|_| node.connect()).collect();
    for client in &mut clients {
        ask(client, b"PING\r\n", b"+PONG\r\n");
    }
    let mut refused = node.connect();
    assert_eq!(line(&mut refused), "-ERR max number of clients reached");
    assert!(is_closed(&mut refused));
    node.stop();
}

#[test]
fn a_protocol_error_closes_its_connection_and_no_other() {
    let node = Running::start(1, |_| {});
    let mut bystander = node.connect();
    let mut wrong = node.connect();
    wrong.write_all(b"*1\r\n:5\r\n").expect("sent");
    assert_eq!(line(&mut wrong), "-ERR Protocol error: expected '$', got ':'");
    assert!(is_closed(&mut wrong));
    ask(&mut bystander, b"PING\r\n", b"+PONG\r\n");
    node.stop();
}

#[test]
fn a_node_that_is_told_to_stop_answers_what_was_sent_and_closes() {
    for cores in [1, 2] {
        let node = Running::start(cores, |_| {});
        let mut idle = node.connect();
        let mut half_said = node.connect();
        half_said.write_all(b"*2\r\n$3\r\nGET\r\n").expect("sent");
        ask(&mut idle, b"PING\r\n", b"+PONG\r\n");

        node.stop();

        assert!(is_closed(&mut idle));
        assert!(is_closed(&mut half_said));
    }
}

#[test]
fn a_node_that_is_told_to_stop_twice_waits_for_nobody() {
    let node = Running::start(1, |_| {});
    let mut unread = node.connect();
    let value = "x".repeat(8_000_000);
    let request = format!("*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$8000000\r\n{value}\r\n");
    ask(&mut unread, request.as_bytes(), b"+OK\r\n");
    // More than the sockets hold: the drain waits for a reader that never comes.
    unread.write_all(&b"GET big\r\n".repeat(4)).expect("sent");
    unread.peek(&mut [0; 1]).expect("the reply has begun");

    for _ in 0..2 {
        node.report.send(News::Signal(Signal::Terminate));
    }

    let end = node.thread.join().expect("no panic");
    assert!(end.expect_err("it was cut short").contains("at once"));
}
