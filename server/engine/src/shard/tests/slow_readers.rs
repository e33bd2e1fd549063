//! How long replies may wait for a client that has asked for them.

use crate::command::session::SessionId;
use crate::shard::SessionState;
use crate::shard::testing::{TestClient, TestNode};

/// A client for which 200 KB of one reply are under way, where 100 KB may be left alone for 60 s.
fn with_a_long_reply() -> (TestNode, TestClient) {
    let options = [("client-output-buffer-limit", "normal 0 100kb 60")];
    let mut node = TestNode::with_config(1, &options);
    let client = node.connect(0);
    node.exchange(client, b"SETRANGE long 200000 v\r\n");
    let reply = node.exchange(client, b"GET long\r\n");
    node.shards[0].set_in_flight(client.session, reply.len());
    (node, client)
}

/// The second hand comes round, sees what is under way, and comes round again after `seconds`.
fn pass(node: &mut TestNode, seconds: i64) {
    for ms in [100, seconds * 1_000 + 100] {
        node.advance_ms(ms);
        node.pump();
    }
}

/// Whatever was above the limit was closed once, also when the client was reading it.
#[test]
fn a_client_that_takes_some_of_a_long_reply_now_and_then_is_served() {
    let (mut node, client) = with_a_long_reply();
    for _ in 0..10 {
        pass(&mut node, 50);
        assert_eq!(node.state(client), SessionState::Open);
        node.shards[0].note_taken(client.session);
    }
}

#[test]
fn a_client_that_takes_nothing_of_it_is_closed() {
    let (mut node, client) = with_a_long_reply();
    pass(&mut node, 50);
    node.shards[0].note_taken(client.session);
    pass(&mut node, 59);
    assert_eq!(node.state(client), SessionState::Open);
    pass(&mut node, 2);
    assert_eq!(node.state(client), SessionState::CloseNow);
}

/// With a pipeline of long replies the second hand may never see a moment between two of them.
#[test]
fn the_end_of_a_reply_is_something_taken() {
    let (mut node, client) = with_a_long_reply();
    for _ in 0..10 {
        pass(&mut node, 50);
        assert_eq!(node.state(client), SessionState::Open);
        node.shards[0].set_in_flight(client.session, 0);
        let reply = node.exchange(client, b"GET long\r\n");
        node.shards[0].set_in_flight(client.session, reply.len());
    }
}

#[test]
fn what_is_told_of_a_client_that_has_gone_is_ignored() {
    let (mut node, client) = with_a_long_reply();
    node.shards[0].disconnected(client.session);
    node.shards[0].note_taken(client.session);
    node.shards[0].note_taken(SessionId(77));
    assert_eq!(node.shards[0].connections(), 0);
}
