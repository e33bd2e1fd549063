//! What a client leaves unread is bounded wherever its replies are made.

use freehold_protocol::Slot;
use freehold_protocol::resp::value::encode_request;

use crate::mesh::{CoreId, owner_of};
use crate::shard::limits::{FORWARDED_BYTES_MAX, PENDING_REPLY_BYTES_MAX};
use crate::shard::testing::{TestClient, TestNode};

const LONG_BYTES: usize = 64 * 1024;

fn request(args: &[&str]) -> Vec<u8> {
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let mut bytes = Vec::new();
    encode_request(&args, &mut bytes);
    bytes
}

/// A key that lives on core 1 of two.
fn key_on_core_1(prefix: &str) -> String {
    let keys = (0..).map(|n| format!("{prefix}{n}"));
    keys.into_iter()
        .find(|key| owner_of(Slot::of_key(key.as_bytes()), 2) == CoreId(1))
        .expect("every second key")
}

/// A client of core 0 that has earned a wide window by short replies from core 1, where a long
/// value lies.
fn client_with_a_wide_window(node: &mut TestNode) -> TestClient {
    let client = node.connect(0);
    let value = "v".repeat(LONG_BYTES);
    node.exchange(client, &request(&["SET", &key_on_core_1("long"), &value]));
    for _ in 0..40 {
        let asked = request(&["GET", &key_on_core_1("missing")]).repeat(16);
        node.exchange(client, &asked);
    }
    client
}

fn held_bytes(node: &TestNode, client: TestClient) -> usize {
    node.shards[client.core].connections[client.session.0 as usize].output_bytes()
}

/// The client reads what is there, and the server learns of it.
fn read(node: &mut TestNode, client: TestClient) -> Vec<u8> {
    let bytes = node.output(client);
    node.shards[client.core].set_in_flight(client.session, bytes.len());
    node.shards[client.core].set_in_flight(client.session, 0);
    node.pump();
    bytes
}

/// Five hundred long replies and as many short ones, in an order that can be told.
fn mixed_pipeline() -> (Vec<u8>, Vec<u8>) {
    let (long, counter) = (key_on_core_1("long"), key_on_core_1("counter"));
    let (mut asked, mut expected) = (Vec::new(), Vec::new());
    for n in 1..=250 {
        asked.extend(request(&["GET", &long]));
        asked.extend(request(&["INCR", &counter]));
        expected.extend(
            format!("${LONG_BYTES}\r\n{}\r\n:{n}\r\n", "v".repeat(LONG_BYTES)).into_bytes(),
        );
    }
    (asked, expected)
}

/// A wide window, earned by short replies, let 512 long ones be asked for at once: 32 MiB of these
/// for a client that read nothing, and as much again for each of its connections.
#[test]
fn long_replies_asked_for_in_a_wide_window_stay_within_the_bound_until_they_are_read() {
    let bound = 2 * FORWARDED_BYTES_MAX + PENDING_REPLY_BYTES_MAX;
    for at_once in [true, false] {
        let mut node = TestNode::new(2);
        let client = client_with_a_wide_window(&mut node);
        let (asked, expected) = mixed_pipeline();
        if at_once {
            node.send(client, &asked);
        } else {
            // Many parcels, all on their way before the first is answered.
            asked.chunks(1000).for_each(|chunk| {
                node.send(client, chunk);
                node.shards[0].outbox();
            });
        }
        node.pump();
        assert!(held_bytes(&node, client) <= bound, "{} bytes", held_bytes(&node, client));

        let mut got = Vec::new();
        while got.len() < expected.len() {
            let bytes = read(&mut node, client);
            assert!(!bytes.is_empty(), "{} of {} bytes came", got.len(), expected.len());
            assert!(held_bytes(&node, client) <= bound);
            got.extend(bytes);
        }
        assert!(got == expected, "in order and complete");
        assert!(node.shards.iter().all(|shard| shard.is_at_rest()));
    }
}

#[test]
fn a_neighbour_is_served_while_a_flood_is_held_back() {
    let mut node = TestNode::new(2);
    let greedy = client_with_a_wide_window(&mut node);
    let neighbour = node.connect(0);
    node.send(greedy, &mixed_pipeline().0);
    let reply = node.exchange(neighbour, &request(&["STRLEN", &key_on_core_1("long")]));
    assert_eq!(reply, format!(":{LONG_BYTES}\r\n").into_bytes());
}

#[test]
fn a_client_that_leaves_in_the_middle_leaves_nothing_behind() {
    let mut node = TestNode::new(2);
    let greedy = client_with_a_wide_window(&mut node);
    node.send(greedy, &mixed_pipeline().0);
    node.pump();
    node.shards[0].disconnected(greedy.session);
    node.pump();
    assert!(node.shards.iter().all(|shard| shard.is_at_rest()));

    let next = node.connect(0);
    assert_eq!(next.session, greedy.session, "the place is used again");
    let reply = node.exchange(next, &request(&["STRLEN", &key_on_core_1("long")]));
    assert_eq!(reply, format!(":{LONG_BYTES}\r\n").into_bytes());
}
