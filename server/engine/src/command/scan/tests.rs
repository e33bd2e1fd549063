use std::collections::BTreeMap;

use super::position;
use crate::command::session::PortKind;
use crate::keyspace::ScanPosition;
use crate::shard::testing::{TestClient, TestNode};

/// Cursor and keys of a SCAN reply.
fn take_apart(reply: &str) -> (String, Vec<String>) {
    let lines: Vec<&str> = reply.split("\r\n").collect();
    assert_eq!(lines[0], "*2", "{reply}");
    let keys = lines[4..].chunks(2).filter_map(|pair| pair.get(1).copied());
    (lines[2].to_owned(), keys.filter(|key| !key.is_empty()).map(str::to_owned).collect())
}

/// A whole walk; between its steps `meanwhile` may do what it likes. Counts the visits.
fn walk(
    node: &mut TestNode,
    client: TestClient,
    options: &str,
    mut meanwhile: impl FnMut(&mut TestNode, usize),
) -> BTreeMap<String, usize> {
    let mut visits = BTreeMap::new();
    let mut cursor = "0".to_owned();
    for step in 0..100_000 {
        let request = format!("SCAN {cursor} {options}\r\n");
        let reply = node.exchange(client, request.as_bytes());
        let (next, keys) = take_apart(std::str::from_utf8(&reply).expect("text"));
        keys.into_iter().for_each(|key| *visits.entry(key).or_insert(0) += 1);
        if next == "0" {
            return visits;
        }
        cursor = next;
        meanwhile(node, step);
    }
    panic!("the walk does not end");
}

#[test]
fn a_walk_visits_each_key_of_each_core_once_when_nothing_changes() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        (0..500).for_each(|i| assert_eq!(node.run(&format!("SET key:{i} v")), "+OK\r\n"));
        let client = node.connect(0);
        let visits = walk(&mut node, client, "COUNT 7", |_, _| {});
        assert_eq!(visits.len(), 500, "{cores} cores");
        assert!(visits.values().all(|&times| times == 1), "{cores} cores");
    }
}

#[test]
fn a_key_that_stays_is_visited_however_the_tables_grow_and_shrink() {
    let mut node = TestNode::new(2);
    // One slot, so that its table is rebuilt again and again under the walk.
    (0..50).for_each(|i| assert_eq!(node.run(&format!("SET {{t}}stay:{i} v")), "+OK\r\n"));
    let client = node.connect(0);
    let visits = walk(&mut node, client, "COUNT 2", |node, step| {
        let verb = if step % 40 < 20 { "SET" } else { "DEL" };
        for i in 0..10 {
            let key = format!("{{t}}pass:{}", (step % 20) * 10 + i);
            let value = if verb == "SET" { " v" } else { "" };
            node.run(&format!("{verb} {key}{value}"));
        }
    });
    assert!((0..50).all(|i| visits.contains_key(&format!("{{t}}stay:{i}"))));
}

#[test]
fn a_core_port_walks_its_own_slots_and_the_walks_of_all_cores_make_the_whole() {
    let mut node = TestNode::new(3);
    (0..200).for_each(|i| assert_eq!(node.run(&format!("SET key:{i} v")), "+OK\r\n"));
    let mut seen = 0;
    for core in 0..3 {
        let client = node.connect_through(core, PortKind::Core);
        let visits = walk(&mut node, client, "", |_, _| {});
        assert!(!visits.is_empty());
        seen += visits.len();
    }
    assert_eq!(seen, 200);
}

#[test]
fn filters_hide_keys_without_ending_the_walk() {
    let mut node = TestNode::new(2);
    (0..100).for_each(|i| assert_eq!(node.run(&format!("SET key:{i} v")), "+OK\r\n"));
    node.run("SET gone v PX 1");
    node.advance_ms(2);
    let client = node.connect(0);
    assert_eq!(walk(&mut node, client, "MATCH key:*9", |_, _| {}).len(), 10);
    assert_eq!(walk(&mut node, client, "TYPE STRING MATCH *", |_, _| {}).len(), 100);
    assert_eq!(walk(&mut node, client, "TYPE list", |_, _| {}).len(), 0);
}

#[test]
fn a_cursor_that_leads_nowhere_ends_the_walk() {
    let mut node = TestNode::new(2);
    node.run("SET k v");
    for cursor in ["18446744073709551615", "1073741824", "99999999999"] {
        assert_eq!(node.run(&format!("SCAN {cursor}")), "*2\r\n$1\r\n0\r\n*0\r\n");
    }
    assert_eq!(node.run("SCAN 18446744073709551616"), "-ERR invalid cursor\r\n");
}

#[test]
fn a_cursor_names_slot_and_place() {
    assert_eq!(position(b"0"), Ok(Some(ScanPosition::at_slot(0))));
    let last = ScanPosition { slot: 16383, hash16: u16::MAX };
    assert_eq!(position(super::cursor(last).to_string().as_bytes()), Ok(Some(last)));
    assert_eq!(position(b"1073741824"), Ok(None), "slot 16384");
}
