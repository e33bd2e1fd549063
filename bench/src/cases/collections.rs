//! Commands on small collections, bytes in and bytes out on a node of one core, sixteen at a time:
//! ten elements a key, as most collections of most users are, so what is measured is finding,
//! changing and keeping them, and not their size.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use freehold_engine::base::random::Random;
use freehold_engine::shard::testing::{TestClient, TestNode};
use freehold_protocol::resp::value::encode_request;

use super::{BATCH, Case, OPERATIONS, Work};
use crate::keys::{self, KEY_BYTES};

/// Keys of each type.
const KEYS: u64 = 20_000;
const ELEMENTS: u64 = 10;

/// A verb on one small collection, with its words behind the key.
#[derive(Clone, Copy)]
pub enum Verb {
    Hget,
    /// To another value of the same length.
    Hset,
    /// A new member, then the same one away.
    SaddSrem,
    /// Fifteen members one after the other to a set that is not there, and away with it.
    SaddDel,
    Sismember,
    /// To another score.
    Zadd,
    Zscore,
    /// One more element, then one less.
    LpushLpop,
    Lrange,
}

/// The types, each with its own keys.
const PREFIXES: [&[u8; 4]; 4] = [b"hash", b"set:", b"zset", b"list"];

struct Loaded {
    node: TestNode,
    client: TestClient,
}

fn key(verb: Verb, index: u64) -> [u8; KEY_BYTES] {
    let kind = match verb {
        Verb::Hget | Verb::Hset => 0,
        Verb::SaddSrem | Verb::SaddDel | Verb::Sismember => 1,
        Verb::Zadd | Verb::Zscore => 2,
        Verb::LpushLpop | Verb::Lrange => 3,
    };
    let mut key = keys::key(index);
    key[..4].copy_from_slice(PREFIXES[kind]);
    key
}

fn element(index: u64) -> [u8; 10] {
    let mut element = *b"element:00";
    element[8] += (index / 10) as u8;
    element[9] += (index % 10) as u8;
    element
}

impl Loaded {
    fn new() -> Loaded {
        let mut node = TestNode::new(1);
        let client = node.connect(0);
        let mut loaded = Loaded { node, client };
        let mut bytes = Vec::new();
        for index in 0..KEYS {
            bytes.clear();
            for number in 0..ELEMENTS {
                let (element, score) = (element(number), [b'1', b'0' + number as u8]);
                let (hash, set) = (key(Verb::Hget, index), key(Verb::Sismember, index));
                let (zset, list) = (key(Verb::Zscore, index), key(Verb::Lrange, index));
                encode_request(&[b"HSET", &hash, &element, b"value:0000"], &mut bytes);
                encode_request(&[b"SADD", &set, &element], &mut bytes);
                encode_request(&[b"ZADD", &zset, &score, &element], &mut bytes);
                encode_request(&[b"RPUSH", &list, &element], &mut bytes);
            }
            loaded.exchange(&bytes);
        }
        loaded
    }

    fn exchange(&mut self, bytes: &[u8]) {
        self.node.send(self.client, bytes);
        let replies = self.node.shards[0].output(self.client.session);
        assert!(!replies.is_empty() && replies[0] != b'-', "{}", replies.escape_ascii());
        replies.clear();
    }
}

/// The node shared by the cases, filled when the first of them needs it.
#[derive(Clone, Default)]
pub struct Small(Rc<OnceCell<RefCell<Loaded>>>);

struct Requests {
    small: Small,
    verb: Verb,
    random: Random,
    batches: Vec<Vec<u8>>,
}

impl Requests {
    fn push(&mut self, twice: bool, bytes: &mut Vec<u8>) {
        let key = key(self.verb, self.random.below(KEYS));
        let number = self.random.below(ELEMENTS);
        let (here, absent) = (element(number), element(ELEMENTS));
        let score = [b'1' + self.random.below(9) as u8, b'0' + number as u8];
        let value = [b"value:00", &score[..]].concat();
        let request: &[&[u8]] = match self.verb {
            Verb::Hget => &[b"HGET", &key, &here],
            Verb::Hset => &[b"HSET", &key, &here, &value],
            Verb::SaddSrem | Verb::SaddDel => &[b"SADD", &key, &absent],
            Verb::Sismember => &[b"SISMEMBER", &key, &here],
            Verb::Zadd => &[b"ZADD", &key, &score, &here],
            Verb::Zscore => &[b"ZSCORE", &key, &here],
            Verb::LpushLpop => &[b"LPUSH", &key, &absent],
            Verb::Lrange => &[b"LRANGE", &key, b"0", b"-1"],
        };
        encode_request(request, bytes);
        if twice {
            let undo: &[&[u8]] = match self.verb {
                Verb::SaddSrem => &[b"SREM", &key, &absent],
                _ => &[b"LPOP", &key],
            };
            encode_request(undo, bytes);
        }
    }

    /// A whole short life of a set.
    fn life(&mut self) -> Vec<u8> {
        let key = key(self.verb, KEYS + self.random.below(KEYS));
        let mut bytes = Vec::new();
        for number in 1..BATCH as u64 {
            encode_request(&[b"SADD", &key, &element(number)], &mut bytes);
        }
        encode_request(&[b"DEL", &key], &mut bytes);
        bytes
    }

    fn batch(&mut self) -> Vec<u8> {
        if matches!(self.verb, Verb::SaddDel) {
            return self.life();
        }
        let twice = matches!(self.verb, Verb::SaddSrem | Verb::LpushLpop);
        let mut bytes = Vec::new();
        for _ in 0..BATCH / if twice { 2 } else { 1 } {
            self.push(twice, &mut bytes);
        }
        bytes
    }
}

impl Work for Requests {
    fn prepare(&mut self) {
        self.small.0.get_or_init(|| RefCell::new(Loaded::new()));
        self.batches = (0..OPERATIONS as usize / BATCH).map(|_| self.batch()).collect();
    }

    fn run(&mut self) {
        let mut loaded = self.small.0.get_or_init(|| RefCell::new(Loaded::new())).borrow_mut();
        for batch in &self.batches {
            loaded.exchange(batch);
        }
    }
}

/// `verb` on random keys.
pub fn small(name: &'static str, small: &Small, verb: Verb) -> Case {
    let (small, random) = (small.clone(), Random::new(7));
    Case::new(name, Requests { small, verb, random, batches: Vec::new() })
}
