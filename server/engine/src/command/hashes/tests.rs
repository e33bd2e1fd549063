use std::collections::BTreeSet;

use crate::shard::testing::TestNode;

fn filled(node: &mut TestNode, key: &str, count: usize) {
    for chunk in (0..count).collect::<Vec<_>>().chunks(500) {
        let list: String = chunk.iter().map(|n| format!(" f{n} {n}")).collect();
        node.run(&format!("HSET {key}{list}"));
    }
}

/// A hash of `count` fields of which the first two expire 50 ms from now.
fn expiring(count: usize) -> TestNode {
    let mut node = TestNode::new(1);
    filled(&mut node, "h", count);
    node.run("HPEXPIRE h 50 FIELDS 2 f0 f1");
    node
}

#[test]
fn a_field_past_its_deadline_is_invisible_before_anyone_sweeps_it() {
    for count in [3, 1000] {
        let mut node = expiring(count);
        node.advance_ms(50); // a field still lives through the millisecond of its deadline
        assert_eq!(node.run("HMGET h f0 f1"), "*2\r\n$1\r\n0\r\n$1\r\n1\r\n");
        assert_eq!(node.run("HPTTL h FIELDS 1 f0"), "*1\r\n:0\r\n");

        let left = count - 2;
        for (request, expected) in [
            ("HGET h f0", "$-1\r\n".to_owned()),
            ("HMGET h f0 f1", "*2\r\n$-1\r\n$-1\r\n".to_owned()),
            ("HLEN h", format!(":{left}\r\n")),
            ("HEXISTS h f0", ":0\r\n".to_owned()),
            ("HSTRLEN h f0", ":0\r\n".to_owned()),
            ("HTTL h FIELDS 1 f0", "*1\r\n:-2\r\n".to_owned()),
            ("HDEL h f0 f1", ":0\r\n".to_owned()),
            ("HSET h f1 new", ":1\r\n".to_owned()),
            ("HSETNX h f1 new", ":1\r\n".to_owned()),
            ("HINCRBY h f1 7", ":7\r\n".to_owned()),
            ("HSETEX h FXX FIELDS 1 f1 x", ":0\r\n".to_owned()),
            ("HGETDEL h FIELDS 1 f1", "*1\r\n$-1\r\n".to_owned()),
            ("HGETEX h FIELDS 1 f1", "*1\r\n$-1\r\n".to_owned()),
            ("HPERSIST h FIELDS 1 f1", "*1\r\n:-2\r\n".to_owned()),
            ("HEXPIRE h 10 FIELDS 1 f1", "*1\r\n:-2\r\n".to_owned()),
        ] {
            let mut node = expiring(count);
            node.advance_ms(51); // the request comes before the sweep
            assert_eq!(node.run(request), expected, "{request}");
        }
        for (request, elements) in [
            ("HKEYS h", left),
            ("HVALS h", left),
            ("HGETALL h", 2 * left),
            ("HRANDFIELD h 2000", left),
            ("HSCAN h 0 COUNT 5000 NOVALUES", left),
        ] {
            let mut node = expiring(count);
            node.advance_ms(51);
            let answer = node.run(request);
            assert!(answer.contains(&format!("*{elements}\r\n")), "{request}");
            assert!(!answer.contains("\r\nf0\r\n"), "{request}");
        }
    }
}

/// In a hash of ten million, 512 fields a slice took 1.3 ms and at worst 2.8.
#[test]
fn a_slice_of_upkeep_removes_64_fields_at_most() {
    let mut node = TestNode::new(1);
    filled(&mut node, "h", 1000);
    let due: String = (0..900).map(|n| format!(" f{n}")).collect();
    node.run(&format!("HPEXPIRE h 50 FIELDS 900{due}"));
    node.advance_ms(200);
    let mut slices = 1;
    while node.turn(0) {
        slices += 1;
    }
    assert!(slices >= 900 / 64, "{slices}");
    assert_eq!(node.run("HSCAN h 0 COUNT 5000 NOVALUES").matches("$").count(), 1 + 100);
}

#[test]
fn what_changes_a_value_says_what_becomes_of_the_deadline() {
    let mut node = TestNode::new(1);
    for (request, ttl) in [
        ("HSET h f 2", -1),
        ("HMSET h f 2", -1),
        ("HSETNX h f 2", 100),
        ("HINCRBY h f 1", 100),
        ("HINCRBYFLOAT h f 0.5", 100),
        ("HGETEX h FIELDS 1 f", 100),
        ("HGETEX h PERSIST FIELDS 1 f", -1),
        ("HSETEX h FIELDS 1 f 3", -1),
        ("HSETEX h KEEPTTL FIELDS 1 f 3", 100),
        ("HSETEX h EX 50 FIELDS 1 f 3", 50),
        ("HPERSIST h FIELDS 1 f", -1),
    ] {
        node.run("HSETEX h EX 100 FIELDS 1 f 1");
        node.run(request);
        assert_eq!(node.run("HTTL h FIELDS 1 f"), format!("*1\r\n:{ttl}\r\n"), "{request}");
    }
}

#[test]
fn deadlines_move_and_copy_with_their_hash() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        for target in ["a", "b", "c", "d"] {
            node.run("HSETEX h EX 100 FIELDS 2 f v g w");
            node.run("HPERSIST h FIELDS 1 g");
            node.run(&format!("COPY h {target}"));
            node.run(&format!("RENAME {target} {target}{target}"));
            let answer = node.run(&format!("HTTL {target}{target} FIELDS 3 f g x"));
            assert_eq!(answer, "*3\r\n:100\r\n:-1\r\n:-2\r\n", "{cores} cores");
        }
    }
}

#[test]
fn draws_without_repetition_are_distinct() {
    let mut node = TestNode::new(1);
    filled(&mut node, "h", 1000);
    for count in [1, 10, 333, 700, 1000] {
        let answer = node.run(&format!("HRANDFIELD h {count}"));
        let fields: BTreeSet<&str> = answer.split("\r\n").skip(2).step_by(2).collect();
        assert_eq!(fields.len(), count);
    }
    assert!(node.run("HRANDFIELD h -2000 WITHVALUES").starts_with("*4000\r\n"));
    let refusal = "-ERR value is out of range, at most 10000000 fields are drawn at once\r\n";
    assert_eq!(node.run("HRANDFIELD h -9223372036854775807"), refusal);
}

#[test]
fn a_refused_increment_leaves_no_key() {
    let mut node = TestNode::new(1);
    node.run("HINCRBY h f x");
    node.run("HINCRBYFLOAT h f inf");
    assert_eq!(node.run("EXISTS h"), ":0\r\n");
}

#[test]
fn the_encodings_are_those_of_redis() {
    let mut node = TestNode::new(1);
    filled(&mut node, "h", 512);
    assert_eq!(node.run("OBJECT ENCODING h"), "$8\r\nlistpack\r\n");
    node.run("HEXPIRE h 100 FIELDS 1 f0");
    assert_eq!(node.run("OBJECT ENCODING h"), "$10\r\nlistpackex\r\n");
    node.run("HSET h f512 x");
    assert_eq!(node.run("OBJECT ENCODING h"), "$9\r\nhashtable\r\n");
    assert_eq!(node.run("HTTL h FIELDS 1 f0"), "*1\r\n:100\r\n");
}

#[test]
fn due_fields_go_within_the_tick_and_the_last_takes_its_key_along() {
    for cores in [1, 3] {
        let mut node = TestNode::new(cores);
        node.run("CONFIG SET notify-keyspace-events KEA");
        filled(&mut node, "large", 2000);
        node.run("HPEXPIRE large 500 FIELDS 3 f1 f2 f3");
        node.run("HPEXPIRE large 900000 FIELDS 1 f4");
        for name in ["a", "b", "c", "d", "e"] {
            node.run(&format!("HSETEX {name} PX 300 FIELDS 2 f v g w"));
        }
        node.run("RENAME a {x}a\nCOPY b {y}b\nDEL c\nHPERSIST d FIELDS 1 f");

        node.advance_ms(299);
        node.pump();
        assert_eq!(node.run("DBSIZE"), ":6\r\n");
        node.advance_ms(66);
        node.pump();

        assert_eq!(node.run("DBSIZE"), ":2\r\n", "{cores} cores");
        assert_eq!(node.run("HKEYS d"), "*1\r\n$1\r\nf\r\n");
        node.advance_ms(200);
        node.pump();
        assert_eq!(node.run("DEBUG DIGEST-VALUE large"), {
            node.run("HDEL large f1 f2 f3"); // changes nothing: they are gone already
            node.run("DEBUG DIGEST-VALUE large")
        });
        assert_eq!(node.run("HLEN large"), ":1997\r\n");
    }
}
