//! Clients of a simulated node: what they send, what has come back, and the order of it all.

use freehold_engine::shard::testing::{TestClient, TestNode};
use freehold_protocol::resp::value::{Value, decode};
use freehold_tests::random::Random;

/// One client, which sends a script and then waits for all its replies.
pub struct Player {
    client: TestClient,
    received: Vec<u8>,
    pub replies: Vec<Value>,
    /// Replies that are still to come.
    awaited: usize,
}

impl Player {
    pub fn new(node: &mut TestNode, core: usize) -> Player {
        let client = node.connect(core);
        Player { client, received: Vec::new(), replies: Vec::new(), awaited: 0 }
    }

    pub fn is_idle(&self) -> bool {
        self.awaited == 0
    }

    /// Sends lines, each an inline request, in one piece.
    pub fn send(&mut self, node: &mut TestNode, lines: &[String]) {
        assert!(self.is_idle());
        self.replies.clear();
        self.awaited = lines.len();
        let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        node.send(self.client, text.as_bytes());
    }

    /// Takes what has come; true when the last awaited reply is among it.
    pub fn hear(&mut self, node: &mut TestNode) -> bool {
        if self.is_idle() {
            return false;
        }
        self.received.extend(node.output(self.client));
        while let Some((value, used)) = decode(&self.received).expect("a reply") {
            self.received.drain(..used);
            self.replies.push(value);
            self.awaited -= 1;
        }
        self.is_idle()
    }
}

/// Some turns of cores at random, few enough that other clients come in between.
pub fn turn_some(node: &mut TestNode, random: &mut Random) {
    for _ in 0..random.below(4) {
        let core = random.below(node.shards.len());
        node.turn(core);
    }
}

/// The text of a bulk; empty for a key that is not there.
pub fn text(value: &Value) -> String {
    match value {
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::Null => String::new(),
        other => panic!("a string was expected, not {other:?}"),
    }
}

/// The numbers of a list kept in a string, each behind it a comma.
pub fn numbers(value: &Value) -> Vec<u64> {
    let text = text(value);
    text.split_terminator(',').map(|n| n.parse().expect("a number")).collect()
}
