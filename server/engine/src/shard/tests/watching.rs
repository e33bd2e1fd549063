//! WATCH: EXEC runs only if no watched key has changed, by whatever hand, on whatever core.

use crate::shard::testing::{TestClient, TestNode};

fn say(node: &mut TestNode, client: TestClient, line: &str) -> String {
    String::from_utf8_lossy(&node.exchange(client, format!("{line}\r\n").as_bytes())).into_owned()
}

/// Watches, lets `meanwhile` happen, and tells whether EXEC then ran.
fn survives(
    node: &mut TestNode,
    watch: &str,
    meanwhile: impl FnOnce(&mut TestNode, TestClient),
) -> bool {
    let (client, other) = (node.connect(0), node.connect(node.shards.len() - 1));
    assert_eq!(say(node, client, watch), "+OK\r\n");
    meanwhile(node, other);
    say(node, client, "MULTI");
    say(node, client, "SET done 1");
    let answer = say(node, client, "EXEC");
    assert!(answer == "*1\r\n+OK\r\n" || answer == "*-1\r\n", "{answer}");
    let ran = answer != "*-1\r\n";
    assert_eq!(say(node, other, "DEL done"), if ran { ":1\r\n" } else { ":0\r\n" });
    let cores = &node.shards;
    assert!(cores.iter().all(|shard| shard.core.effects.watches.is_empty()), "all is forgotten");
    ran
}

#[test]
fn a_change_by_another_client_stops_exec_and_a_read_does_not() {
    for cores in 1..=3 {
        for (meanwhile, ran) in [
            ("SET a 2", false),
            ("SET a 1", false),
            ("APPEND b x", false),
            ("DEL c", false),
            ("MSET x 1 b 2", false),
            ("RENAME x c", false),
            ("RENAME a x", false),
            ("EXPIRE a 100", false),
            ("PERSIST a", true),
            ("FLUSHDB", false),
            ("GET a", true),
            ("SET d 1", true),
            ("RENAME x y", true),
            ("SETNX a 5", true),
        ] {
            let mut node = TestNode::new(cores);
            node.run("MSET a 1 b 1 c 1 x 1");
            let survived = survives(&mut node, "WATCH a b c", |node, other| {
                say(node, other, meanwhile);
            });
            assert_eq!(survived, ran, "{meanwhile} on {cores} cores");
        }
    }
}

#[test]
fn a_key_that_expires_while_it_is_watched_has_changed() {
    for swept in [false, true] {
        for cores in [1, 2] {
            let mut node = TestNode::new(cores);
            node.run("DEBUG SET-ACTIVE-EXPIRE 0\nSET b 1 PX 50");
            let survived = survives(&mut node, "WATCH a b", |node, _| {
                node.advance_ms(60);
                if swept {
                    node.run("GET b");
                }
            });
            assert!(!survived, "swept: {swept}, {cores} cores");
        }
    }
}

#[test]
fn a_key_that_had_expired_when_the_watch_began_may_be_swept() {
    for cores in [1, 2] {
        let mut node = TestNode::new(cores);
        node.run("DEBUG SET-ACTIVE-EXPIRE 0\nSET b 1 PX 50");
        node.advance_ms(60);
        assert!(survives(&mut node, "WATCH a b", |node, _| drop(node.run("GET b"))));
    }
}

#[test]
fn an_evicted_key_has_changed() {
    let options = [("maxmemory", "4mb"), ("maxmemory-policy", "allkeys-lru")];
    let mut node = TestNode::with_config(2, &options);
    node.run("SET a 1");
    let survived = survives(&mut node, "WATCH a", |node, _| {
        let mut n = 0;
        while node.run("EXISTS a") == ":1\r\n" {
            node.advance_ms(1000);
            node.run(&format!("SET key:{n} {}", "v".repeat(2000)));
            n += 1;
            assert!(n < 20_000, "it never goes");
        }
    });
    assert!(!survived);
}

#[test]
fn a_client_that_leaves_watches_nothing_any_more() {
    for turns in 0..6 {
        let mut node = TestNode::new(4);
        let leaver = node.connect(0);
        node.send(leaver, b"WATCH a b c d e f\r\n");
        for turn in 0..turns {
            node.turn(turn % 4);
        }
        node.shards[0].disconnected(leaver.session);
        node.pump();
        for shard in &node.shards {
            assert!(shard.core.effects.watches.is_empty(), "after {turns} turns");
            assert!(shard.is_at_rest());
        }
    }
}

#[test]
fn what_a_client_does_itself_after_watching_counts_as_well() {
    for cores in [1, 3] {
        let mut node = TestNode::new(cores);
        let client = node.connect(0);
        let pipeline = b"SET a 1\r\nSET b 1\r\nWATCH a b\r\nGET a\r\nMULTI\r\nINCR a\r\nEXEC\r\n\
                         WATCH b\r\nINCR b\r\nMULTI\r\nINCR b\r\nEXEC\r\n";
        let out = node.exchange(client, pipeline);
        assert_eq!(
            String::from_utf8_lossy(&out),
            "+OK\r\n+OK\r\n+OK\r\n$1\r\n1\r\n+OK\r\n+QUEUED\r\n*1\r\n:2\r\n\
             +OK\r\n:2\r\n+OK\r\n+QUEUED\r\n*-1\r\n",
            "{cores} cores"
        );
    }
}
