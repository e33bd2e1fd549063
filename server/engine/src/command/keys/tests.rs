use std::collections::BTreeSet;

use crate::command::session::PortKind;
use crate::shard::testing::TestNode;

/// Enough keys that three cores each own some.
fn fill(node: &mut TestNode, keys: usize) {
    for i in 0..keys {
        assert_eq!(node.run(&format!("SET key:{i} {i}")), "+OK\r\n");
    }
}

#[test]
fn a_renamed_key_takes_its_deadline_to_whichever_core_owns_the_new_name() {
    let mut node = TestNode::new(3);
    for i in 0..20 {
        node.run(&format!("SET old:{i} v{i} PX 5000"));
        assert_eq!(node.run(&format!("RENAME old:{i} new:{i}")), "+OK\r\n");
        assert_eq!(node.run(&format!("PTTL new:{i}")), ":5000\r\n");
        assert_eq!(node.run(&format!("EXISTS old:{i}")), ":0\r\n");
    }
    assert_eq!(node.run("DBSIZE"), ":20\r\n");
}

#[test]
fn a_copy_to_another_database_sees_what_is_there_on_the_other_core() {
    let mut node = TestNode::new(3);
    for i in 0..20 {
        node.run(&format!("SET from:{i} new\nSELECT 1\nSET to:{i} old\nSELECT 0"));
        assert_eq!(node.run(&format!("COPY from:{i} to:{i} DB 1")), ":0\r\n");
        assert_eq!(node.run(&format!("COPY from:{i} to:{i} DB 1 REPLACE")), ":1\r\n");
        assert_eq!(node.run(&format!("SELECT 1\nGET to:{i}")), "$3\r\nnew\r\n");
        node.run("SELECT 0");
    }
}

#[test]
fn counts_and_lists_cover_every_core_and_only_the_chosen_database() {
    let mut node = TestNode::new(3);
    fill(&mut node, 100);
    node.run("SELECT 1\nSET elsewhere 1\nSELECT 0");
    assert_eq!(node.run("DBSIZE"), ":100\r\n");
    let listed = node.run("KEYS key:*");
    assert!(listed.starts_with("*100\r\n"));
    assert!((0..100).all(|i| listed.contains(&format!("\r\nkey:{i}\r\n"))));
}

#[test]
fn every_key_of_every_core_is_drawn_at_random_sooner_or_later() {
    let mut node = TestNode::new(3);
    fill(&mut node, 12);
    let drawn: BTreeSet<String> = (0..500).map(|_| node.run("RANDOMKEY")).collect();
    assert_eq!(drawn.len(), 12);
}

#[test]
fn a_flush_empties_every_core_at_one_instant() {
    let mut node = TestNode::new(3);
    fill(&mut node, 50);
    let writer = node.connect(1);
    let flusher = node.connect(2);
    node.send(writer, b"SET during 1\r\n");
    node.send(flusher, b"FLUSHALL\r\n");
    node.pump();
    assert_eq!(node.output(flusher), b"+OK\r\n");
    // The write came before or after the flush, and nothing else is left either way.
    assert!([":0\r\n", ":1\r\n"].contains(&node.run("DBSIZE").as_str()));
    assert_eq!(node.run("EXISTS key:1 key:2 key:3 key:4"), ":0\r\n");
}

#[test]
fn databases_swap_on_every_core() {
    let mut node = TestNode::new(3);
    fill(&mut node, 30);
    assert_eq!(node.run("SWAPDB 0 9"), "+OK\r\n");
    assert_eq!(node.run("DBSIZE"), ":0\r\n");
    assert_eq!(node.run("SELECT 9\nDBSIZE"), ":30\r\n");
    assert_eq!(node.run("GET key:7"), "$1\r\n7\r\n");
}

#[test]
fn a_core_port_flushes_and_counts_its_own_slots() {
    let mut node = TestNode::new(2);
    fill(&mut node, 50);
    let total = 50;
    let client = node.connect_through(0, PortKind::Core);
    let size = String::from_utf8(node.exchange(client, b"DBSIZE\r\n")).expect("text");
    let own: usize = size.trim_matches([':', '\r', '\n']).parse().expect("a count");
    assert!(own > 0 && own < total);
    assert_eq!(node.exchange(client, b"FLUSHALL\r\n"), b"+OK\r\n");
    assert_eq!(node.run("DBSIZE"), format!(":{}\r\n", total - own));
}

#[test]
fn an_expired_key_is_neither_counted_as_deleted_nor_listed() {
    let mut node = TestNode::new(1);
    node.run("SET k v PX 10");
    node.advance_ms(11);
    assert_eq!(node.run("DEL k"), ":0\r\n");
    assert_eq!(node.run("RENAME k l"), "-ERR no such key\r\n");
    assert_eq!(node.run("KEYS *"), "*0\r\n");
    assert_eq!(node.run("RANDOMKEY"), "$-1\r\n");
}
