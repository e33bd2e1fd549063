//! What happens to keys is told once, by the core on which it happens.

use super::{message, say, text};
use crate::shard::limits::PUBLICATIONS_IN_FLIGHT_BYTES;
use crate::shard::testing::{TestClient, TestNode};

const ALL: [(&str, &str); 1] = [("notify-keyspace-events", "KEAmn")];

fn listener(node: &mut TestNode, core: usize, pattern: &str) -> TestClient {
    let listener = node.connect(core);
    say(node, listener, &format!("PSUBSCRIBE {pattern}"));
    listener
}

fn told(pattern: &str, channel: &str, message_text: &str) -> String {
    message(&["pmessage", pattern, channel, message_text])
}

#[test]
fn an_event_goes_to_the_channel_of_its_key_and_to_that_of_its_name() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::with_config(cores, &ALL);
        let listener = listener(&mut node, usize::from(cores) - 1, "*");
        node.run("SELECT 3\nSET foo 1");
        let expected = [
            told("*", "__keyspace@3__:foo", "new"),
            told("*", "__keyevent@3__:new", "foo"),
            told("*", "__keyspace@3__:foo", "set"),
            told("*", "__keyevent@3__:set", "foo"),
        ];
        assert_eq!(text(&mut node, listener), expected.concat(), "{cores} cores");
    }
}

#[test]
fn a_command_over_several_cores_tells_each_event_once() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::with_config(cores, &[("notify-keyspace-events", "E$g")]);
        let listener = listener(&mut node, 0, "*");
        node.run("MSET a 1 b 2 c 3 d 4");
        let got = text(&mut node, listener);
        for key in ["a", "b", "c", "d"] {
            assert_eq!(got.matches(&told("*", "__keyevent@0__:set", key)).count(), 1, "{got}");
        }
        assert_eq!(got.matches("pmessage").count(), 4);
        // foo and bar live on different cores as soon as there are two
        node.run("SET foo 1\nRENAME foo bar");
        let expected = [
            told("*", "__keyevent@0__:set", "foo"),
            told("*", "__keyevent@0__:rename_from", "foo"),
            told("*", "__keyevent@0__:rename_to", "bar"),
        ];
        assert_eq!(text(&mut node, listener), expected.concat(), "{cores} cores");
    }
}

#[test]
fn a_key_past_its_deadline_is_told_by_whoever_meets_it_first() {
    for cores in [1, 2] {
        for met in [false, true] {
            let mut node = TestNode::with_config(cores, &[("notify-keyspace-events", "Ex")]);
            let listener = listener(&mut node, 0, "*");
            node.run("MSET foo 1 bar 1\nPEXPIRE foo 100\nPEXPIRE bar 100");
            node.advance_ms(101);
            if met {
                node.run("MGET foo bar");
            }
            node.advance_ms(200);
            node.pump();
            let got = text(&mut node, listener);
            for key in ["foo", "bar"] {
                let expected = told("*", "__keyevent@0__:expired", key);
                assert_eq!(got.matches(&expected).count(), 1, "{cores} cores, met: {met}: {got}");
            }
        }
    }
}

#[test]
fn evicted_keys_are_told() {
    let options = [
        ("maxmemory", "4mb"),
        ("maxmemory-policy", "allkeys-random"),
        ("notify-keyspace-events", "Ee"),
    ];
    let mut node = TestNode::with_config(2, &options);
    let listener = listener(&mut node, 1, "*");
    let mut told = 0;
    for n in 0..5_000 {
        node.run(&format!("SET key:{n} {}", "v".repeat(1000)));
        told += text(&mut node, listener).matches("__keyevent@0__:evicted").count() as u64;
    }
    let evicted: u64 = node.shards.iter().map(|shard| shard.core.stats.evicted_keys).sum();
    assert!(evicted > 100, "{evicted}");
    assert_eq!(told, evicted);
}

#[test]
fn commands_from_other_cores_wait_while_their_events_find_no_room() {
    let mut node = TestNode::with_config(2, &[("notify-keyspace-events", "E$")]);
    let listener = listener(&mut node, 0, "*");
    // foo lives on core 1: the commands go there, their events come back.
    let writer = node.connect(0);
    let key = format!("{{foo}}{}", "k".repeat(10_000));
    let count = 2_000;
    for _ in 0..count {
        node.send(writer, format!("SET {key} 1\r\n").as_bytes());
    }
    let mut held = Vec::new();
    let mut under_way = 0;
    for _ in 0..50 {
        let requests: Vec<_> = node.shards[0].outbox().drain(..).map(|(_, m)| m).collect();
        for request in requests {
            node.shards[1].deliver(crate::mesh::CoreId(0), request);
        }
        node.shards[1].upkeep();
        // Answers go home, messages stay on their way.
        for (_, sent) in std::mem::take(node.shards[1].outbox()) {
            match sent {
                crate::shard::Message::Mail(_) => held.push(sent),
                other => node.shards[0].deliver(crate::mesh::CoreId(1), other),
            }
        }
        node.shards[0].upkeep();
        under_way = node.shards[1].core.stats.commands_processed as usize * key.len();
    }
    let most = PUBLICATIONS_IN_FLIGHT_BYTES + 600 * key.len();
    assert!(under_way <= most, "{under_way} bytes of events, {most} may be");
    for mail in held {
        node.shards[0].deliver(crate::mesh::CoreId(1), mail);
    }
    node.pump();
    assert_eq!(text(&mut node, writer).matches("+OK").count(), count);
    assert_eq!(text(&mut node, listener).matches("__keyevent@0__:set").count(), count);
    assert!(node.shards.iter().all(crate::shard::Shard::is_at_rest));
}
