//! A node with its files in memory: what it has kept is read back by a node with other cores, after
//! an end in peace and after a crash at any operation.

use super::*;
use crate::base::random::Random;
use crate::config::{Caller, Config};
use crate::disk::{FileName, Memory};
use crate::effect::{Placed, Records};
use crate::log::{Findings, Replay, examine};
use crate::shard::testing::{TestClient, TestNode};

/// A node that keeps what it holds.
struct Keeping {
    node: TestNode,
    stores: Vec<Store>,
    requests: Vec<Requests>,
    files: Memory,
    /// Operations performed; no more than this many are.
    performed: u64,
    power_lasts: u64,
    now_us: u64,
    client: TestClient,
}

impl Keeping {
    fn new(cores: u16, seed: u64) -> Keeping {
        let config = Config::default()
            .with(&[("appendfsync", "always")], Caller::ThisHost)
            .expect("it is an option");
        let mut node = TestNode::from_config(cores, config, seed);
        let (mut stores, mut requests) = (Vec::new(), Vec::new());
        for shard in &mut node.shards {
            let (mut store, mut asked) = (Store::default(), Requests::default());
            shard.set_generation(1);
            shard.start_log(Records::default());
            store.begin_log(shard, 0, &mut asked);
            stores.push(store);
            requests.push(asked);
        }
        let client = node.connect(0);
        let files = Memory::default();
        let (performed, power_lasts) = (0, u64::MAX);
        Keeping { node, stores, requests, files, performed, power_lasts, now_us: 0, client }
    }

    /// One turn of every core, and what the disk does meanwhile.
    fn turn(&mut self) {
        self.now_us += 1_000;
        for core in 0..self.stores.len() {
            self.node.turn(core);
            let (shard, store) = (&mut self.node.shards[core], &mut self.stores[core]);
            let requests = &mut self.requests[core];
            store.turn(shard, self.now_us, false, requests);
            while !requests.is_empty() && self.performed < self.power_lasts {
                for request in requests.take() {
                    if self.performed >= self.power_lasts {
                        continue;
                    }
                    self.performed += 1;
                    let buffer = self.files.perform(request.operation);
                    let (owner, tag, outcome) = (request.owner, request.tag, Ok(()));
                    let completion = Completion { owner, tag, outcome, buffer };
                    store.completed(completion, shard, self.now_us, requests);
                }
            }
        }
    }

    fn say(&mut self, lines: &str) -> String {
        self.node.send(self.client, lines.replace('\n', "\r\n").as_bytes());
        for _ in 0..12 {
            self.turn();
        }
        String::from_utf8_lossy(&self.node.output(self.client)).into_owned()
    }

    /// All that was said has been made durable.
    fn is_told(&mut self) -> bool {
        let policy = Appendfsync::Always;
        self.stores.iter().zip(&mut self.node.shards).all(|(store, shard)| {
            let end = shard.log_end();
            store.acknowledged(policy, self.now_us) >= end
        })
    }
}

/// What the files hold, in a node of so many cores; without what `logs` are to add if not wanted.
fn read_back(files: &Memory, cores: u16, with_logs: bool) -> TestNode {
    let mut files = files.clone();
    let kept = Kept::find(&mut files).expect("whatever happens, something counts");
    let examined = kept.logs.iter().filter_map(|log| examine(&mut files, *log).expect("readable"));
    let examined = examined.collect();
    let findings = Findings::new(if with_logs { examined } else { Vec::new() });
    let mut node = TestNode::from_config(cores, Config::default(), 77);
    for shard in &mut node.shards {
        let slots = shard.slots();
        kept.load_snapshot(&mut files, &slots, &mut |effect| shard.load(effect))
            .expect("a snapshot that counts is whole");
        let replay = |placed: Placed<'_>| assert!(shard.replay(&placed));
        Replay::new(&findings, slots).run(&mut files, replay).expect("readable");
    }
    node
}

const ACCOUNTS: u64 = 12;

fn balance(node: &mut TestNode) -> i64 {
    let number = |n| node.run(&format!("GET account:{n}"));
    let texts: Vec<String> = (0..ACCOUNTS).map(number).collect();
    let amount = |text: &String| text.lines().nth(1).and_then(|line| line.parse::<i64>().ok());
    texts.iter().map(|text| amount(text).expect("every account is there")).sum()
}

fn open_accounts(keeping: &mut Keeping) {
    for n in 0..ACCOUNTS {
        keeping.say(&format!("SET account:{n} 100\n"));
    }
}

fn transfer(keeping: &mut Keeping, random: &mut Random) {
    let (from, to, sum) = (random.below(ACCOUNTS), random.below(ACCOUNTS), random.below(50));
    let queue = format!("MULTI\nDECRBY account:{from} {sum}\nINCRBY account:{to} {sum}\nEXEC\n");
    keeping.node.send(keeping.client, queue.replace('\n', "\r\n").as_bytes());
    for _ in 0..random.below(6) {
        keeping.turn();
    }
}

#[test]
fn snapshots_taken_amid_transfers_hold_all_the_money_and_any_cores_read_them_back() {
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let cores = 1 + random.below(4) as u16;
        let mut keeping = Keeping::new(cores, seed);
        open_accounts(&mut keeping);
        for round in 0..30 {
            if random.below(5) == 0 {
                keeping.node.send(keeping.client, b"BGSAVE SCHEDULE\r\n");
            }
            transfer(&mut keeping, &mut random);
            let other = 1 + random.below(5) as u16;
            if keeping.files.0.contains_key(&FileName::Manifest) {
                let mut cut = read_back(&keeping.files, other, false);
                let total = balance(&mut cut);
                assert_eq!(total, 100 * ACCOUNTS as i64, "seed {seed}, round {round}");
            }
        }
        keeping.say("PING\n");
        for _ in 0..20 {
            keeping.turn();
        }
        assert!(keeping.is_told(), "seed {seed}");
        for other in 1..=5 {
            let read = read_back(&keeping.files, other, true);
            assert_eq!(read.digest(), keeping.node.digest(), "seed {seed}, {other} cores");
        }
    }
}

#[test]
fn a_crash_at_any_operation_of_a_snapshot_loses_nothing_that_was_acknowledged() {
    let cores = 2;
    let mut crash_points = 0;
    for power_lasts in 40.. {
        let mut keeping = Keeping::new(cores, 3);
        let mut random = Random::new(5);
        keeping.power_lasts = power_lasts;
        open_accounts(&mut keeping);
        let mut acknowledged = 0;
        for n in 1..=12 {
            keeping.say(&format!("SET counter {n}\n"));
            if n % 4 == 0 {
                keeping.node.send(keeping.client, b"BGSAVE SCHEDULE\r\n");
            }
            transfer(&mut keeping, &mut random);
            if keeping.is_told() {
                acknowledged = n;
            }
        }
        let mut read = read_back(&keeping.files, 3, true);
        let counter = read.run("GET counter");
        let found = counter.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
        assert!(found >= acknowledged, "after {power_lasts} operations: {found}");
        if acknowledged > 0 {
            let total = balance(&mut read);
            assert_eq!(total, 100 * ACCOUNTS as i64, "after {power_lasts} operations");
        }
        crash_points += 1;
        if keeping.performed < power_lasts {
            break;
        }
    }
    assert!(crash_points > 50, "{crash_points} operations were tried");
}

#[test]
fn a_flush_ends_a_snapshot_under_way_and_the_next_one_is_whole() {
    let mut keeping = Keeping::new(2, 9);
    for n in 0..3_000 {
        keeping.node.run(&format!("SET key:{n} value"));
    }
    keeping.node.send(keeping.client, b"BGSAVE\r\nFLUSHALL\r\nSET after flush\r\n");
    for _ in 0..200 {
        keeping.turn();
    }
    let told: Vec<Told> = keeping.stores.iter_mut().flat_map(Store::take_told).collect();
    assert!(told.iter().any(|told| matches!(told, Told::Failed { why: Why::Flushed, .. })));
    assert!(!keeping.files.0.contains_key(&FileName::Manifest));
    keeping.say("BGSAVE\n");
    for _ in 0..20 {
        keeping.turn();
    }
    assert!(keeping.files.0.contains_key(&FileName::Manifest));
    let read = read_back(&keeping.files, 1, true);
    assert_eq!(read.digest(), keeping.node.digest());
}
