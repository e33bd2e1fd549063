//! Whole requests through a shard, bytes in and bytes out: everything a request costs except the
//! kernel's part. Forwarded ones cross a real ring to a second shard and back, all on one thread,
//! so the figure is the work of a hop without the travel of its cache lines.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use freehold_engine::base::random::Random;
use freehold_engine::mesh::{CoreId, Fabric, Port, owner_of};
use freehold_engine::shard::Message;
use freehold_engine::shard::testing::{TestClient, TestNode};
use freehold_protocol::Slot;
use freehold_protocol::resp::value::encode_request;

use super::{BATCH, Case, OPERATIONS, Work};
use crate::keys;

const VALUE: [u8; 64] = [b'v'; 64];
/// `$64\r\n`, the value, `\r\n`.
const GET_REPLY_BYTES: usize = 71;
const SET_REPLY_BYTES: usize = 5;
/// Messages a ring holds: a batch makes one.
const RING: usize = 16;

/// A node whose shards are driven as a worker would: bytes, rings, bytes.
struct Loaded {
    node: TestNode,
    ports: Vec<Port<Message>>,
    client: TestClient,
}

impl Loaded {
    fn new(cores: u16, count: u64) -> Loaded {
        let mut node = TestNode::new(cores);
        let client = node.connect(0);
        let mut loaded = Loaded { node, ports: Fabric::new(cores, RING), client };
        let mut bytes = Vec::new();
        for first in (0..count).step_by(BATCH) {
            bytes.clear();
            let last = count.min(first + BATCH as u64);
            for index in first..last {
                encode_request(&[b"SET", &keys::key(index), &VALUE], &mut bytes);
            }
            loaded.exchange(&bytes, (last - first) as usize * SET_REPLY_BYTES);
        }
        loaded
    }

    /// One batch from arrival to its replies, which must have this length.
    fn exchange(&mut self, bytes: &[u8], reply_bytes: usize) {
        self.node.send(self.client, bytes);
        if self.ports.len() > 1 {
            self.hop(0, 1);
            self.hop(1, 0);
            while self.node.shards[0].owes_replies(self.client.session) {
                // A new connection may not ask for many replies of unknown length at once.
                self.node.shards[0].upkeep();
                self.hop(0, 1);
                self.hop(1, 0);
            }
        }
        let replies = self.node.shards[0].output(self.client.session);
        assert_eq!(replies.len(), reply_bytes, "{:?}", replies.first());
        replies.clear();
    }

    /// What core `from` has for core `to` goes through the ring.
    fn hop(&mut self, from: u16, to: u16) {
        let (from, to) = (CoreId(from), CoreId(to));
        for (receiver, message) in self.node.shards[from.index()].outbox().drain(..) {
            assert_eq!(receiver, to);
            assert!(self.ports[from.index()].send(receiver, message).is_ok(), "the ring is full");
        }
        while let Some(message) = self.ports[to.index()].receive(from) {
            self.node.shards[to.index()].deliver(from, message);
        }
    }
}

/// Nodes shared by the cases, filled when the first case needs them.
#[derive(Clone)]
pub struct Nodes {
    keys: u64,
    by_cores: [Rc<OnceCell<RefCell<Loaded>>>; 2],
}

impl Nodes {
    pub fn later(keys: u64) -> Nodes {
        Nodes { keys, by_cores: Default::default() }
    }

    fn of(&self, cores: u16) -> &RefCell<Loaded> {
        let cell = &self.by_cores[usize::from(cores) - 1];
        cell.get_or_init(|| RefCell::new(Loaded::new(cores, self.keys)))
    }
}

/// What a case asks of a node.
#[derive(Clone, Copy)]
struct Ask {
    set: bool,
    pipeline: usize,
    cores: u16,
    /// The core that owns all keys asked for; the client is on core 0.
    owner: CoreId,
}

struct Requests {
    nodes: Nodes,
    ask: Ask,
    random: Random,
    batches: Vec<Vec<u8>>,
}

impl Requests {
    fn key(&mut self) -> keys::Key {
        loop {
            let key = keys::key(self.random.below(self.nodes.keys));
            if owner_of(Slot::of_key(&key), self.ask.cores) == self.ask.owner {
                return key;
            }
        }
    }

    fn batch(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..self.ask.pipeline {
            let key = self.key();
            match self.ask.set {
                true => encode_request(&[b"SET", &key, &VALUE], &mut bytes),
                false => encode_request(&[b"GET", &key], &mut bytes),
            }
        }
        bytes
    }
}

impl Work for Requests {
    fn prepare(&mut self) {
        self.nodes.of(self.ask.cores);
        let count = OPERATIONS as usize / self.ask.pipeline;
        self.batches = (0..count).map(|_| self.batch()).collect();
    }

    fn run(&mut self) {
        let one = if self.ask.set { SET_REPLY_BYTES } else { GET_REPLY_BYTES };
        let mut loaded = self.nodes.of(self.ask.cores).borrow_mut();
        for batch in &self.batches {
            loaded.exchange(batch, one * self.ask.pipeline);
        }
    }
}

fn requests(name: &'static str, nodes: &Nodes, ask: Ask) -> Case {
    let (nodes, random) = (nodes.clone(), Random::new(6));
    Case::new(name, Requests { nodes, ask, random, batches: Vec::new() })
}

/// GET or SET on a node of one core.
pub fn alone(name: &'static str, nodes: &Nodes, set: bool, pipeline: usize) -> Case {
    requests(name, nodes, Ask { set, pipeline, cores: 1, owner: CoreId(0) })
}

/// GET on a node of two cores, of keys that all belong to `owner`.
pub fn of_two(name: &'static str, nodes: &Nodes, owner: CoreId, pipeline: usize) -> Case {
    requests(name, nodes, Ask { set: false, pipeline, cores: 2, owner })
}
