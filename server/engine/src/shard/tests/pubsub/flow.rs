//! A storm of messages waits at its source; a subscriber that does not read is let go.

use super::{message, say, text};
use crate::mesh::CoreId;
use crate::shard::SessionState;
use crate::shard::limits::PUBLICATIONS_IN_FLIGHT_BYTES;
use crate::shard::testing::{TestClient, TestNode};
use crate::shard::{Action, Message};

const PAYLOAD: usize = 10_000;

/// Turns one core without delivering what it has for others; returns that.
fn turn_alone(node: &mut TestNode, core: usize) -> Vec<(CoreId, Message)> {
    node.shards[core].upkeep();
    node.shards[core].outbox().drain(..).collect()
}

fn subscriber(node: &mut TestNode, core: usize) -> TestClient {
    let listener = node.connect(core);
    say(node, listener, "SUBSCRIBE a");
    listener
}

#[test]
fn a_publisher_waits_while_too_much_is_under_way_and_nothing_is_lost() {
    let mut node = TestNode::new(2);
    let listener = subscriber(&mut node, 1);
    let (publisher, other) = (node.connect(0), node.connect(0));
    let count = 1000;
    for number in 0..count {
        let payload = format!("{number:0>PAYLOAD$}");
        node.send(publisher, format!("PUBLISH a {payload}\r\n").as_bytes());
    }
    let mut held: Vec<(CoreId, Message)> = Vec::new();
    for _ in 0..100 {
        held.extend(turn_alone(&mut node, 0));
    }
    let answered = text(&mut node, publisher).matches(":1\r\n").count();
    let most = PUBLICATIONS_IN_FLIGHT_BYTES / PAYLOAD + 1;
    assert!((most / 2..=most).contains(&answered), "{answered} answered");
    assert_eq!(node.state(publisher), SessionState::StopReading);
    assert_eq!(say(&mut node, other, "PING"), "+PONG\r\n", "others go on");

    for (to, message) in held {
        node.shards[to.index()].deliver(CoreId(0), message);
    }
    node.pump();
    assert_eq!(text(&mut node, publisher).matches(":1\r\n").count(), count - answered);
    let received = text(&mut node, listener);
    let expected: String = (0..count)
        .map(|number| message(&["message", "a", &format!("{number:0>PAYLOAD$}")]))
        .collect();
    assert!(received == expected, "every message, once, in order");
    assert!(node.shards.iter().all(crate::shard::Shard::is_at_rest));
}

#[test]
fn a_subscriber_that_does_not_read_is_closed_at_its_limit_and_the_log_says_so() {
    for cores in [1, 2] {
        let options = [("client-output-buffer-limit", "pubsub 1mb 0 0")];
        let mut node = TestNode::with_config(cores, &options);
        let last = usize::from(cores) - 1;
        let listener = subscriber(&mut node, last);
        let publisher = node.connect(0);
        let payload = "x".repeat(PAYLOAD);
        for _ in 0..200 {
            say(&mut node, publisher, &format!("PUBLISH a {payload}"));
        }
        assert_eq!(node.state(listener), SessionState::CloseNow);
        let written = node.output(listener).len();
        assert!(written <= (1 << 20) + PAYLOAD + 100, "{written} bytes were kept");
        let logged = node.shards[last].take_actions();
        let told =
            |action: &&Action| matches!(action, Action::Log(line) if line.contains("pubsub"));
        assert_eq!(logged.iter().filter(told).count(), 1, "{logged:?}");
        let stats = say(&mut node, publisher, "INFO stats");
        assert!(stats.contains("client_output_buffer_limit_disconnections:1\r\n"), "{stats}");
        node.shards[last].disconnected(listener.session);
        node.pump();
        assert_eq!(say(&mut node, publisher, "PUBLISH a x"), ":0\r\n");
    }
}

#[test]
fn the_soft_limit_of_subscribers_is_theirs_and_not_that_of_others() {
    let options = [("client-output-buffer-limit", "normal 0 0 0 pubsub 0 100kb 2")];
    let mut node = TestNode::with_config(1, &options);
    let listener = subscriber(&mut node, 0);
    let publisher = node.connect(0);
    let payload = "x".repeat(PAYLOAD);
    for _ in 0..20 {
        say(&mut node, publisher, &format!("PUBLISH a {payload}"));
    }
    for (ms, state) in [(1_900, SessionState::Open), (300, SessionState::CloseNow)] {
        node.advance_ms(100);
        node.pump();
        node.advance_ms(ms);
        node.pump();
        assert_eq!(node.state(listener), state);
    }
}
