use std::collections::BTreeSet;

use crate::shard::testing::TestNode;

/// The bulk strings of an answer.
fn members(answer: &str) -> BTreeSet<String> {
    let lines: Vec<&str> = answer.split("\r\n").collect();
    lines.iter().skip(2).step_by(2).map(|line| (*line).to_owned()).collect()
}

fn filled(node: &mut TestNode, key: &str, prefix: &str, count: usize) {
    for chunk in (0..count).collect::<Vec<_>>().chunks(500) {
        let list: String = chunk.iter().map(|n| format!(" {prefix}{n}")).collect();
        node.run(&format!("SADD {key}{list}"));
    }
}

#[test]
fn a_popped_member_is_gone_and_no_other() {
    for (prefix, count) in [("", 300), ("m", 100), ("m", 5000)] {
        let mut node = TestNode::new(1);
        filled(&mut node, "s", prefix, count);
        let all = members(&node.run("SMEMBERS s"));
        assert_eq!(all.len(), count);
        let popped = members(&node.run("SPOP s 40"));
        assert_eq!(popped.len(), 40);
        let left = members(&node.run("SMEMBERS s"));
        assert_eq!(left.len(), count - 40);
        assert!(left.is_disjoint(&popped) && all.is_superset(&popped));
        let most = members(&node.run(&format!("SPOP s {}", count - 50)));
        assert_eq!(most.len(), count - 50);
        assert_eq!(node.run("SCARD s"), ":10\r\n");
    }
}

#[test]
fn draws_without_repetition_are_distinct_and_with_it_as_many_as_asked_for() {
    let mut node = TestNode::new(1);
    filled(&mut node, "s", "m", 1000);
    for count in [1, 10, 333, 700, 999] {
        let drawn = members(&node.run(&format!("SRANDMEMBER s {count}")));
        assert_eq!(drawn.len(), count);
    }
    assert!(node.run("SRANDMEMBER s -2000").starts_with("*2000\r\n"));
    assert_eq!(node.run("SCARD s"), ":1000\r\n");
}

#[test]
fn an_absurd_number_of_draws_is_refused() {
    let mut node = TestNode::new(1);
    node.run("SADD s a");
    let refusal = "-ERR value is out of range, at most 10000000 members are drawn at once\r\n";
    assert_eq!(node.run("SRANDMEMBER s -9223372036854775807"), refusal);
    assert_eq!(node.run("SPOP s 9223372036854775807"), "*1\r\n$1\r\na\r\n");
}

#[test]
fn a_walk_over_a_large_set_returns_every_member() {
    let mut node = TestNode::new(1);
    filled(&mut node, "s", "m", 5000);
    let (mut seen, mut cursor, mut calls) = (BTreeSet::new(), "0".to_owned(), 0);
    loop {
        let answer = node.run(&format!("SSCAN s {cursor} COUNT 50"));
        let mut lines = answer.split("\r\n").skip(2);
        cursor = lines.next().unwrap_or_default().to_owned();
        seen.extend(lines.skip(2).step_by(2).map(str::to_owned));
        calls += 1;
        if cursor == "0" {
            break;
        }
    }
    seen.remove("");
    assert_eq!(seen, members(&node.run("SMEMBERS s")));
    assert!(calls > 50, "{calls}");
}

#[test]
fn algebra_holds_wherever_the_keys_live() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        filled(&mut node, "a", "", 700);
        filled(&mut node, "b", "", 350);
        filled(&mut node, "c", "m", 200);
        node.run("SADD c 5 349 350");
        assert_eq!(members(&node.run("SINTER a b c")), BTreeSet::from(["5".into(), "349".into()]));
        assert_eq!(node.run("SINTERCARD 2 a b"), ":350\r\n");
        assert_eq!(node.run("SUNIONSTORE d a b c"), ":900\r\n");
        assert_eq!(node.run("SDIFFSTORE e d a"), ":200\r\n");
        assert_eq!(node.run("SDIFFCARD 2 d c"), ":697\r\n");
        assert_eq!(node.run("SUNIONCARD 3 a b c LIMIT 10"), ":10\r\n");
        assert_eq!(node.run("SINTERSTORE a a b"), ":350\r\n");
        assert_eq!(node.run("OBJECT ENCODING a"), "$6\r\nintset\r\n", "{cores} cores");
    }
}

#[test]
fn a_member_moves_between_sets_of_different_cores() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        node.run("SADD a x y");
        for target in ["b", "c", "d", "e"] {
            assert_eq!(node.run(&format!("SMOVE a {target} x")), ":1\r\n");
            assert_eq!(node.run(&format!("SMOVE {target} a x")), ":1\r\n");
            assert_eq!(node.run(&format!("EXISTS {target}")), ":0\r\n");
        }
        assert_eq!(node.run("SCARD a"), ":2\r\n");
    }
}

#[test]
fn the_encodings_are_those_of_redis() {
    let mut node = TestNode::new(1);
    let encoding = |node: &mut TestNode| node.run("OBJECT ENCODING s");
    filled(&mut node, "s", "", 512);
    assert_eq!(encoding(&mut node), "$6\r\nintset\r\n");
    node.run("SADD s 512");
    assert_eq!(encoding(&mut node), "$9\r\nhashtable\r\n");
    node.run("DEL s");
    filled(&mut node, "s", "m", 128);
    assert_eq!(encoding(&mut node), "$8\r\nlistpack\r\n");
    node.run("SADD s m128");
    assert_eq!(encoding(&mut node), "$9\r\nhashtable\r\n");
}
