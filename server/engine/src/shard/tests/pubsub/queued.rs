//! Subscriptions and messages between MULTI and EXEC, and over the binary protocol.

use super::{message, say, text};
use crate::shard::testing::TestNode;

#[test]
fn a_subscription_in_a_transaction_is_confirmed_inside_its_answer() {
    for cores in [1, 2, 3] {
        // Keys of one core, then of two.
        for keys in ["MSET {bar}1 1 {bar}2 2", "MSET foo 1 bar 2"] {
            let mut node = TestNode::new(cores);
            let client = node.connect(0);
            let queued = format!("HELLO 3\r\nMULTI\r\n{keys}\r\nSUBSCRIBE a\r\nEXEC\r\n");
            node.exchange(client, &queued.as_bytes()[..9]);
            node.send(client, &queued.as_bytes()[9..]);
            node.pump();
            let confirmed = ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
            let expected = format!("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n{confirmed}");
            assert_eq!(text(&mut node, client), expected, "{cores} cores, {keys}");
            let publisher = node.connect(usize::from(cores) - 1);
            assert_eq!(say(&mut node, publisher, "PUBLISH a 1"), ":1\r\n");
            let push = message(&["message", "a", "1"]).replace("*3", ">3");
            assert_eq!(text(&mut node, client), push);
            assert!(node.shards.iter().all(crate::shard::Shard::is_at_rest));
        }
    }
}

#[test]
fn an_exec_is_not_answered_before_every_core_knows_its_subscriptions() {
    let mut node = TestNode::new(2);
    let client = node.connect(0);
    node.send(client, b"MULTI\r\nSUBSCRIBE a\r\nEXEC\r\n");
    assert_eq!(text(&mut node, client), "+OK\r\n+QUEUED\r\n");
    node.turn(0);
    assert_eq!(text(&mut node, client), "", "the other core has not answered");
    node.turn(1);
    let confirmed = "*1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
    assert_eq!(text(&mut node, client), confirmed);
}

#[test]
fn messages_and_events_of_a_transaction_keep_the_order_of_its_commands() {
    let mut node = TestNode::with_config(2, &[("notify-keyspace-events", "E$")]);
    let listener = node.connect(1);
    say(&mut node, listener, "PSUBSCRIBE *");
    // bar lives on the first core
    node.run("MULTI\nSET bar 1\nPUBLISH between hi\nAPPEND bar 2\nEXEC");
    let told = |channel: &str, what: &str| message(&["pmessage", "*", channel, what]);
    let expected = [
        told("__keyevent@0__:set", "bar"),
        told("between", "hi"),
        told("__keyevent@0__:append", "bar"),
    ];
    assert_eq!(text(&mut node, listener), expected.concat());
}

#[test]
fn a_silenced_client_still_gets_messages() {
    let mut node = TestNode::new(2);
    let client = node.connect(0);
    let out = node.exchange(client, b"CLIENT REPLY OFF\r\nSUBSCRIBE a\r\n");
    let confirmed = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
    assert_eq!(String::from_utf8_lossy(&out), confirmed);
    node.run("PUBLISH a 1");
    assert_eq!(text(&mut node, client), message(&["message", "a", "1"]));
}

#[test]
fn the_binary_protocol_publishes_and_says_that_it_cannot_subscribe() {
    use freehold_protocol::binary::{Opcode, client};
    let mut node = TestNode::new(2);
    let listener = node.connect(1);
    say(&mut node, listener, "SUBSCRIBE a");
    let binary = node.connect(0);
    let mut request = Vec::new();
    for words in [&[&b"PUBLISH"[..], b"a", b"hi"][..], &[b"SUBSCRIBE", b"a"]] {
        let mut value = Vec::new();
        client::command_value(words, &mut value);
        client::Request::new(Opcode::Command, b"", &value).encode(&mut request);
    }
    let out = node.exchange(binary, &request);
    let answer = String::from_utf8_lossy(&out).into_owned();
    assert!(answer.contains(":1\r\n") && answer.contains("subscribe over RESP"), "{answer}");
    assert_eq!(text(&mut node, listener), message(&["message", "a", "hi"]));
}
