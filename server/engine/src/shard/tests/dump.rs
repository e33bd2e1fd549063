//! SYNC for a client that wants a copy and nothing after it.

use crate::exchange::rdb::RdbReader;
use crate::exchange::{Fill, Limits};
use crate::shard::testing::{TestClient, TestNode};
use crate::shard::{Action, SessionState};

const MARK_BYTES: usize = 40;

/// More keys than a client may leave unread, over several databases.
fn filled(cores: u16, options: &[(&str, &str)]) -> TestNode {
    let mut node = TestNode::with_config(cores, options);
    let value = "v".repeat(2_000);
    for n in 0..2_000 {
        if n % 500 == 0 {
            node.run(&format!("SELECT {}", n / 500));
        }
        node.run(&format!("SET key:{n} {value}"));
    }
    node.run("SELECT 0\nSET lasts v PXAT 4102444800000\nRPUSH list a b c\nXADD s 1-1 f v");
    node
}

/// Asks for a copy on a core; it flows until the client would have to read.
fn ask(node: &mut TestNode, core: usize) -> TestClient {
    let client = node.connect(core);
    for request in ["REPLCONF capa eof\r\n", "REPLCONF rdb-only 1\r\n"] {
        assert_eq!(node.exchange(client, request.as_bytes()), b"+OK\r\n");
    }
    node.send(client, b"SYNC\r\n");
    node.pump();
    client
}

/// Reads to the end.
fn read_to_the_end(node: &mut TestNode, client: TestClient) -> Vec<u8> {
    let mut copy = Vec::new();
    loop {
        node.pump();
        let some = node.output(client);
        if some.is_empty() {
            assert_eq!(node.state(client), SessionState::CloseAfterSend);
            return copy;
        }
        copy.extend_from_slice(&some);
    }
}

/// What is between the marks.
fn unmarked(copy: &[u8]) -> Vec<u8> {
    let copy = copy.strip_prefix(b"$EOF:").expect("a copy with a mark");
    let (mark, copy) = copy.split_at(MARK_BYTES);
    let copy = copy.strip_prefix(b"\r\n").expect("a line");
    copy.strip_suffix(mark).expect("the mark at the end").to_vec()
}

fn read(node: &mut TestNode, client: TestClient) -> Vec<u8> {
    unmarked(&read_to_the_end(node, client))
}

/// The digest of what a copy holds.
fn loaded(copy: &[u8]) -> u128 {
    let mut node = TestNode::new(1);
    let limits = Limits { key_bytes_max: 1 << 16, string_bytes_max: 1 << 20, databases: 16 };
    let mut reader = RdbReader::open(copy, limits, true).expect("a header");
    let mut fill = Fill::default();
    while let Some(record) = reader.next(|_, _| true).expect("sound to the end") {
        let shard = &mut node.shards[0];
        let content = record.content(shard.rules()).expect("a value");
        fill.put(shard, record.db as u8, record.key, content, record.expiry);
    }
    fill.finish(&mut node.shards[0]);
    node.digest()
}

fn ends(node: &mut TestNode, client: TestClient) -> String {
    node.pump();
    assert_eq!(node.state(client), SessionState::CloseNow);
    let said = node.shards[client.core].take_actions();
    let lines = said.into_iter().filter_map(|action| match action {
        Action::Log(line) => Some(line),
        _ => None,
    });
    node.shards[client.core].disconnected(client.session);
    lines.collect()
}

/// After a copy that was cut off another one is whole.
fn another_is_whole(node: &mut TestNode) {
    node.pump();
    let (digest, client) = (node.digest(), ask(node, 0));
    assert_eq!(loaded(&read(node, client)), digest);
    assert_eq!(node.shards[0].snapshots().running(), 0, "all parts have ended");
    assert!(node.shards.iter().all(|shard| shard.is_at_rest()));
}

#[test]
fn a_copy_is_of_the_moment_of_the_cut_whatever_changes_while_it_is_read() {
    for cores in [1, 3] {
        let mut node = filled(cores, &[]);
        let digest = node.digest();
        let client = ask(&mut node, usize::from(cores) - 1);
        let first = node.output(client);
        assert!(first.len() < 2 * 1024 * 1024, "{} bytes wait for a reader", first.len());
        for n in 0..500 {
            node.run(&format!("SET key:{n} changed\nSET new:{n} x\nDEL key:{}", n + 500));
        }
        node.run("RPUSH list d\nPERSIST lasts\nXADD s 2-2 f v\nSELECT 3\nSET key:1999 9");
        assert_ne!(node.digest(), digest);
        let copy = unmarked(&[first, read_to_the_end(&mut node, client)].concat());
        assert_eq!(loaded(&copy), digest, "{cores} cores");
        assert!(copy.starts_with(b"REDIS0010"));
        another_is_whole(&mut node);
    }
}

#[test]
fn fields_with_deadlines_are_announced_by_the_version_that_has_them() {
    let mut node = TestNode::new(2);
    node.run("SET a 1\nHSET h f v\nHPEXPIREAT h 4102444800000 FIELDS 1 f");
    let (digest, client) = (node.digest(), ask(&mut node, 0));
    let copy = read(&mut node, client);
    assert!(copy.starts_with(b"REDIS0012"));
    assert_eq!(loaded(&copy), digest);
}

#[test]
fn a_reader_that_is_outrun_is_closed_and_the_old_values_go() {
    let mut node = filled(2, &[("client-output-buffer-limit", "replica 200kb 0 0")]);
    let client = ask(&mut node, 0);
    for n in 0..2_000 {
        node.run(&format!("SELECT {}\nSET key:{n} changed", n / 500));
    }
    let said = ends(&mut node, client);
    assert!(said.contains("beyond client-output-buffer-limit replica"), "{said}");
    another_is_whole(&mut node);
}

#[test]
fn a_reader_that_takes_nothing_for_a_minute_is_closed() {
    let mut node = filled(2, &[]);
    let client = ask(&mut node, 1);
    for _ in 0..4 {
        node.advance_ms(25_000);
        node.pump();
        assert_ne!(node.state(client), SessionState::CloseNow);
        assert!(!node.output(client).is_empty());
    }
    read_to_the_end(&mut node, client);
    let client = ask(&mut node, 0);
    node.advance_ms(60_001);
    let said = ends(&mut node, client);
    assert!(said.contains("has read nothing for 60 s (repl-timeout)"), "{said}");
    another_is_whole(&mut node);
}

#[test]
fn a_flush_ends_a_copy_and_says_so() {
    let mut node = filled(2, &[]);
    let client = ask(&mut node, 0);
    node.run("FLUSHALL\nSET a 1");
    let said = ends(&mut node, client);
    assert!(said.contains("a database was flushed or swapped meanwhile"), "{said}");
    another_is_whole(&mut node);
}

#[test]
fn a_client_that_goes_leaves_the_cores_ready_for_the_next() {
    let mut node = filled(3, &[]);
    let client = ask(&mut node, 2);
    let impatient = ask(&mut node, 1);
    let next = ask(&mut node, 1);
    node.shards[1].disconnected(impatient.session);
    assert_eq!(node.output(next), b"", "it waits for its turn");
    assert_eq!(node.run("SAVE"), "-ERR Background save already in progress\r\n");
    node.shards[2].disconnected(client.session);
    let digest = node.digest();
    assert_eq!(loaded(&read(&mut node, next)), digest);
    another_is_whole(&mut node);
}

#[test]
fn who_wants_more_than_a_copy_is_refused() {
    let mut node = TestNode::new(2);
    let said = node.run("SYNC");
    assert!(said.starts_with("-ERR replication by Redis's protocol is not there yet"), "{said}");
    let said = node.run("REPLCONF rdb-only 1\nPSYNC ? -1");
    assert!(said.starts_with("-ERR a copy of the data needs REPLCONF capa eof"), "{said}");
    let said = node.run("REPLCONF capa eof\nMULTI\nSYNC");
    assert_eq!(said, "-ERR Command not allowed inside a transaction\r\n");
    assert_eq!(node.run("DISCARD\nPING"), "+PONG\r\n", "the connection lives on");
}

#[test]
fn psync_says_whose_copy_it_is_and_functions_come_without_keys() {
    let mut node = TestNode::new(2);
    node.run("SET a 1");
    let client = node.connect(1);
    for request in ["REPLCONF capa eof rdb-only 1\r\n", "REPLCONF rdb-filter-only functions\r\n"] {
        assert_eq!(node.exchange(client, request.as_bytes()), b"+OK\r\n");
    }
    let said = node.exchange(client, b"PSYNC ? -1\r\n");
    let greeting = format!("+FULLRESYNC {} 0\r\n", "f".repeat(40));
    let copy = unmarked(said.strip_prefix(greeting.as_bytes()).expect("a greeting"));
    assert_eq!(loaded(&copy), TestNode::new(1).digest());
    assert_eq!(node.state(client), SessionState::CloseAfterSend);
    assert_eq!(node.run("GET a"), "$1\r\n1\r\n");
}
