//! Commands over several cores are atomic and isolated: nobody sees half of one.

use crate::base::random::Random;
use crate::shard::testing::{TestClient, TestNode};

/// Steps cores one at a time in random order, so that messages of many transactions interleave.
fn scramble(node: &mut TestNode, random: &mut Random, turns: usize) {
    let cores = node.shards.len() as u64;
    for _ in 0..turns {
        node.turn(random.below(cores) as usize);
    }
}

#[test]
fn a_reader_never_sees_a_torn_mset() {
    for seed in 0..40 {
        let mut node = TestNode::new(4);
        let mut random = Random::new(seed);
        let keys = "a b c d e f g h";
        let clients: Vec<TestClient> = (0..8).map(|n| node.connect(n % 4)).collect();
        node.run(&format!("MSET {}", keys.replace(' ', " 0 ") + " 0"));
        let mut replies = vec![Vec::new(); clients.len()];
        for round in 0..60u64 {
            for (n, &client) in clients.iter().enumerate() {
                let request = match n % 2 {
                    0 => {
                        let value = format!(" {round}{n} ");
                        format!("MSET {}{value}\r\n", keys.replace(' ', &value))
                    }
                    _ => format!("MGET {keys}\r\n"),
                };
                node.send(client, request.as_bytes());
                scramble(&mut node, &mut random, 3);
            }
        }
        node.pump();
        for (reply, &client) in replies.iter_mut().zip(&clients) {
            *reply = node.output(client);
        }
        for reply in replies.iter().skip(1).step_by(2) {
            let text = String::from_utf8_lossy(reply);
            let answers: Vec<&str> = text.split("*8\r\n").skip(1).collect();
            assert_eq!(answers.len(), 60, "seed {seed}: every read is answered");
            for answer in answers {
                let mut values: Vec<&str> = answer.split("\r\n").skip(1).step_by(2).collect();
                values.dedup();
                assert_eq!(values.len(), 1, "seed {seed}: torn read {values:?}");
            }
        }
    }
}

#[test]
fn money_moved_by_rename_between_cores_is_never_doubled_nor_lost() {
    for seed in 0..30 {
        let mut node = TestNode::new(4);
        let mut random = Random::new(1000 + seed);
        node.run("SET here 1");
        let movers: Vec<TestClient> = (0..4).map(|n| node.connect(n)).collect();
        let reader = node.connect(2);
        for _ in 0..60 {
            for &mover in &movers {
                let (from, to) = match random.below(2) {
                    0 => ("here", "there"),
                    _ => ("there", "here"),
                };
                node.send(mover, format!("RENAME {from} {to}\r\n").as_bytes());
            }
            node.send(reader, b"EXISTS here there\r\n");
            scramble(&mut node, &mut random, 6);
        }
        node.pump();
        let counts = String::from_utf8_lossy(&node.output(reader)).into_owned();
        assert_eq!(counts, ":1\r\n".repeat(60), "seed {seed}");
    }
}

#[test]
fn transactions_leave_no_lock_behind() {
    let mut node = TestNode::new(4);
    let clients: Vec<TestClient> = (0..16).map(|n| node.connect(n % 4)).collect();
    let mut random = Random::new(7);
    for round in 0..200 {
        for &client in &clients {
            let request = match random.below(5) {
                0 => "MSET a 1 b 2 c 3\r\n".to_owned(),
                1 => "RENAME a b\r\n".to_owned(),
                2 => "FLUSHALL\r\n".to_owned(),
                3 => format!("SET a {round}\r\n"),
                _ => "DEL a b c d\r\n".to_owned(),
            };
            node.send(client, request.as_bytes());
        }
        scramble(&mut node, &mut random, 5);
    }
    node.pump();
    for &client in &clients {
        assert!(node.shards[client.core].is_at_rest());
        let replies = node.output(client);
        assert_eq!(replies.iter().filter(|&&byte| byte == b'\n').count(), 200);
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_transaction_blocks_nobody() {
    let mut node = TestNode::new(4);
    let leaver = node.connect(0);
    node.send(leaver, b"MSET a 1 b 2 c 3 d 4\r\n");
    node.turn(0);
    node.shards[0].disconnected(leaver.session);
    let next = node.connect(0);
    assert_eq!(next.session, leaver.session, "the place is taken again at once");
    node.pump();
    assert_eq!(node.output(next), b"", "another client's reply is not for it");
    assert_eq!(node.run("MGET a d"), "*2\r\n$1\r\n1\r\n$1\r\n4\r\n");
}
