//! Who gets which message, and when.

use std::collections::BTreeMap;

use freehold_protocol::resp::value::{Value, decode};

use super::{message, say, text};
use crate::base::random::Random;
use crate::command::channels::Topic;
use crate::command::session::PortKind;
use crate::shard::testing::{TestClient, TestNode};

#[test]
fn a_message_reaches_every_subscriber_and_the_publisher_learns_how_many() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        let last = usize::from(cores) - 1;
        let listeners: Vec<TestClient> = (0..=last).map(|core| node.connect(core)).collect();
        for &listener in &listeners {
            say(&mut node, listener, "SUBSCRIBE news");
            say(&mut node, listener, "PSUBSCRIBE n*");
        }
        for core in 0..=last {
            let publisher = node.connect(core);
            let receivers = 2 * u32::from(cores);
            assert_eq!(say(&mut node, publisher, "PUBLISH news hi"), format!(":{receivers}\r\n"));
            assert_eq!(say(&mut node, publisher, "PUBLISH other hi"), ":0\r\n");
            for &listener in &listeners {
                let plain = message(&["message", "news", "hi"]);
                let matched = message(&["pmessage", "n*", "news", "hi"]);
                assert_eq!(text(&mut node, listener), plain + &matched, "{cores} cores");
            }
        }
        say(&mut node, listeners[last], "UNSUBSCRIBE");
        let publisher = node.connect(0);
        assert_eq!(say(&mut node, publisher, "PUBLISH news hi"), format!(":{}\r\n", 2 * cores - 1));
    }
}

#[test]
fn every_core_answers_for_the_subscriptions_of_the_node() {
    let mut node = TestNode::new(3);
    for core in 0..3 {
        let listener = node.connect(core);
        say(&mut node, listener, "SUBSCRIBE all");
        say(&mut node, listener, &format!("SUBSCRIBE only{core}"));
        say(&mut node, listener, &format!("PSUBSCRIBE p{core}* p*"));
    }
    for core in 0..3 {
        let asking = node.connect(core);
        let counts = message(&["all", "only1"]).replace("*2", "*4");
        let counts = counts.replace("all\r\n", "all\r\n:3\r\n");
        assert_eq!(say(&mut node, asking, "PUBSUB NUMSUB all only1"), counts + ":1\r\n");
        let names = message(&["all", "only0", "only1", "only2"]);
        assert_eq!(say(&mut node, asking, "PUBSUB CHANNELS"), names);
        assert_eq!(say(&mut node, asking, "PUBSUB NUMPAT"), ":4\r\n");
        let info = say(&mut node, asking, "INFO");
        assert!(info.contains("pubsub_channels:4\r\npubsub_patterns:4\r\n"), "{info}");
        assert!(info.contains("pubsub_clients:3\r\n"), "{info}");
    }
}

#[test]
fn a_client_that_leaves_is_forgotten_on_every_core() {
    for reset in [false, true] {
        let mut node = TestNode::new(3);
        let leaver = node.connect(1);
        say(&mut node, leaver, "SUBSCRIBE a b c");
        say(&mut node, leaver, "PSUBSCRIBE a* b*");
        say(&mut node, leaver, "SSUBSCRIBE a");
        if reset {
            assert_eq!(say(&mut node, leaver, "RESET"), "+RESET\r\n");
        } else {
            node.shards[1].disconnected(leaver.session);
        }
        node.pump();
        for shard in &node.shards {
            for topic in Topic::ALL {
                assert_eq!(shard.core.channels.count(topic), 0, "reset: {reset}");
            }
            assert_eq!(shard.core.channels.sessions, 0);
            assert!(shard.is_at_rest());
        }
    }
}

#[test]
fn a_resp2_message_keeps_its_place_behind_replies_that_wait() {
    let mut node = TestNode::new(2);
    let (listener, publisher) = (node.connect(0), node.connect(0));
    // foo lives on the other core; its reply comes before the confirmation, and that before
    // the message.
    node.send(listener, b"GET foo\r\nSUBSCRIBE a\r\n");
    node.send(publisher, b"PUBLISH a 1\r\n");
    assert_eq!(node.output(listener), b"");
    node.pump();
    let confirmed = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n";
    let expected = format!("$-1\r\n{confirmed}{}", message(&["message", "a", "1"]));
    assert_eq!(text(&mut node, listener), expected);
}

#[test]
fn a_resp3_push_does_not_wait_for_a_reply_that_is_long_in_coming() {
    let mut node = TestNode::new(2);
    let (listener, publisher) = (node.connect(0), node.connect(0));
    node.exchange(listener, b"HELLO 3\r\nSUBSCRIBE a\r\n");
    node.send(listener, b"GET foo\r\n");
    node.send(publisher, b"PUBLISH a 1\r\n");
    let push = message(&["message", "a", "1"]).replace("*3", ">3");
    assert_eq!(text(&mut node, listener), push);
    node.send(listener, b"SUBSCRIBE b\r\nGET foo\r\n");
    node.send(publisher, b"PUBLISH b 1\r\nPUBLISH a 2\r\n");
    assert_eq!(text(&mut node, listener), "", "nothing of b before its confirmation");
    node.pump();
    let got = text(&mut node, listener);
    let at = |part: &str| got.find(part).unwrap_or_else(|| panic!("{part:?} is not in {got:?}"));
    assert!(at("subscribe") < at("$1\r\nb\r\n$1\r\n1"), "{got}");
    assert!(
        at("$1\r\nb\r\n$1\r\n1") < at("$1\r\na\r\n$1\r\n2"),
        "messages keep their order: {got}"
    );
    assert_eq!(got.matches("_\r\n").count(), 2);
}

#[test]
fn a_core_port_sends_shard_channels_of_other_cores_away() {
    let mut node = TestNode::new(2);
    let client = node.connect_through(0, PortKind::Core);
    // foo lives in slot 12182, the second core's half; bar in the first's
    let moved = "-MOVED 12182 127.0.0.1:7001\r\n";
    for line in ["SPUBLISH foo hi", "SSUBSCRIBE foo", "SUNSUBSCRIBE foo"] {
        assert_eq!(say(&mut node, client, line), moved, "{line}");
    }
    assert_eq!(
        say(&mut node, client, "SSUBSCRIBE foo bar"),
        "-CROSSSLOT Keys in request don't hash to the same slot\r\n"
    );
    let (plain, publisher) = (node.connect(1), node.connect(0));
    say(&mut node, plain, "SSUBSCRIBE foo bar");
    assert_eq!(say(&mut node, client, "SPUBLISH bar hi"), ":1\r\n");
    assert_eq!(say(&mut node, publisher, "SPUBLISH foo hi"), ":1\r\n");
    let expected = message(&["smessage", "bar", "hi"]) + &message(&["smessage", "foo", "hi"]);
    assert_eq!(text(&mut node, plain), expected);
    assert_eq!(say(&mut node, client, "PUBSUB SHARDCHANNELS"), message(&["bar"]));
    assert_eq!(say(&mut node, publisher, "PUBSUB SHARDCHANNELS"), message(&["bar", "foo"]));
    assert_eq!(say(&mut node, publisher, "PUBLISH bar hi"), ":0\r\n", "another kind of channel");
}

/// One client of the random run: what it has asked for, what it has been told.
struct Listener {
    client: TestClient,
    received: Vec<u8>,
    /// By channel: subscribed as far as it has been told, and not asked to end.
    sure: [bool; CHANNELS],
    asked: [bool; CHANNELS],
    /// Requests not confirmed yet, in order.
    pending: Vec<(usize, bool)>,
    /// What must come, by channel: numbers of messages published while it was sure.
    due: [Vec<u32>; CHANNELS],
    got: Vec<(usize, u32)>,
}

const CHANNELS: usize = 3;

impl Listener {
    fn read(&mut self, node: &mut TestNode) {
        self.received.extend(node.output(self.client));
        while let Some((value, used)) = decode(&self.received).expect("our own bytes") {
            self.received.drain(..used);
            let Value::Array(parts) = value else { panic!("unexpected: {value:?}") };
            let text = |at: usize| match &parts[at] {
                Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                other => panic!("unexpected: {other:?}"),
            };
            let channel: usize = text(1)[1..].parse().expect("a channel of this test");
            if text(0) == "message" {
                self.got.push((channel, text(2).parse().expect("a number")));
                continue;
            }
            let (expected, on) = self.pending.remove(0);
            assert_eq!((expected, on), (channel, text(0) == "subscribe"));
            let last_word = !self.pending.iter().any(|&(other, _)| other == channel);
            self.sure[channel] = on && last_word;
        }
    }

    fn change(&mut self, node: &mut TestNode, channel: usize) {
        // Who leaves may miss what is still under way.
        self.read(node);
        let got: Vec<u32> = self.got.iter().map(|&(_, number)| number).collect();
        self.due[channel].retain(|number| got.contains(number));
        let on = !self.asked[channel];
        self.asked[channel] = on;
        self.sure[channel] = false;
        self.pending.push((channel, on));
        let word = if on { "SUBSCRIBE" } else { "UNSUBSCRIBE" };
        node.send(self.client, format!("{word} c{channel}\r\n").as_bytes());
    }

    fn check(&self, seed: u64) {
        for channel in 0..CHANNELS {
            let got: Vec<u32> =
                self.got.iter().filter(|(c, _)| *c == channel).map(|&(_, n)| n).collect();
            for due in &self.due[channel] {
                let times = got.iter().filter(|&n| n == due).count();
                assert_eq!(times, 1, "seed {seed}: message {due} of channel {channel}");
            }
        }
        // A publisher's number says who it was: the thousands.
        let mut last: BTreeMap<u32, u32> = BTreeMap::new();
        for &(_, number) in &self.got {
            let before = last.insert(number / 1000, number);
            assert!(before.is_none_or(|before| before < number), "seed {seed}: out of order");
        }
    }
}

#[test]
fn whoever_is_confirmed_gets_every_message_published_afterwards_in_order() {
    for seed in 0..60 {
        let cores = [1, 2, 3][(seed % 3) as usize];
        let mut node = TestNode::new(cores);
        let mut random = Random::new(seed);
        let core = |random: &mut Random| random.below(u64::from(cores)) as usize;
        let mut listeners: Vec<Listener> = (0..4)
            .map(|_| Listener {
                client: node.connect(core(&mut random)),
                received: Vec::new(),
                sure: [false; CHANNELS],
                asked: [false; CHANNELS],
                pending: Vec::new(),
                due: Default::default(),
                got: Vec::new(),
            })
            .collect();
        let publishers: Vec<TestClient> = (0..3).map(|_| node.connect(core(&mut random))).collect();
        let mut sent = [0u32; 3];
        for _ in 0..400 {
            match random.below(6) {
                0 => {
                    let channel = random.below(CHANNELS as u64) as usize;
                    let listener = random.below(4) as usize;
                    listeners[listener].change(&mut node, channel);
                }
                1 | 2 => {
                    let channel = random.below(CHANNELS as u64) as usize;
                    let from = random.below(3) as usize;
                    let number = from as u32 * 1000 + sent[from];
                    sent[from] += 1;
                    for listener in listeners.iter_mut().filter(|l| l.sure[channel]) {
                        listener.due[channel].push(number);
                    }
                    let line = format!("PUBLISH c{channel} {number}\r\n");
                    node.send(publishers[from], line.as_bytes());
                }
                3 => listeners.iter_mut().for_each(|listener| listener.read(&mut node)),
                _ => {
                    node.turn(random.below(u64::from(cores)) as usize);
                }
            }
        }
        node.pump();
        for listener in &mut listeners {
            listener.read(&mut node);
            assert!(listener.pending.is_empty(), "seed {seed}: everything is confirmed");
            listener.check(seed);
        }
        assert!(node.shards.iter().all(crate::shard::Shard::is_at_rest));
        let known = node.connect(0);
        for channel in 0..CHANNELS {
            let listening = listeners.iter().filter(|l| l.asked[channel]).count();
            let reply = say(&mut node, known, &format!("PUBLISH c{channel} 9999"));
            assert_eq!(reply, format!(":{listening}\r\n"), "seed {seed}");
        }
    }
}
