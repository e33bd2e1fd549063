//! A node with its files in memory: what it has kept is read back by a node with other cores, after
//! an end in peace and after a crash at any operation.

mod cancel;

use super::*;
use crate::base::random::Random;
use crate::config::{Caller, Config};
use crate::disk::{FileName, Memory, Operation, Request};
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
    /// Records of the log of this generation are written and synced late: these are under way.
    slow: Option<u64>,
    /// There is no space for records.
    full: bool,
    late: Vec<(usize, Request)>,
    now_us: u64,
    client: TestClient,
}

impl Keeping {
    fn new(cores: u16, seed: u64) -> Keeping {
        Keeping::that_logs(cores, seed, true)
    }

    fn that_logs(cores: u16, seed: u64, logs: bool) -> Keeping {
        let appendonly = if logs { "yes" } else { "no" };
        let config = Config::default()
            .with(&[("appendfsync", "always"), ("appendonly", appendonly)], Caller::ThisHost)
            .expect("they are options");
        let mut node = TestNode::from_config(cores, config, seed);
        let (mut stores, mut requests) = (Vec::new(), Vec::new());
        for shard in &mut node.shards {
            let (mut store, mut asked) = (Store::default(), Requests::default());
            shard.begin_life(1, logs);
            if logs {
                shard.start_log(Records::default());
                store.begin_log(shard, 0, &mut asked);
            }
            stores.push(store);
            requests.push(asked);
        }
        let client = node.connect(0);
        Keeping {
            node,
            stores,
            requests,
            files: Memory::default(),
            performed: 0,
            power_lasts: u64::MAX,
            slow: None,
            full: false,
            late: Vec::new(),
            now_us: 0,
            client,
        }
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
                    if is_late(self.slow, &request.operation) {
                        self.late.push((core, request));
                        continue;
                    }
                    self.performed += 1;
                    let (owner, tag) = (request.owner, request.tag);
                    let (buffer, outcome) = match request.operation {
                        Operation::Write { bytes, .. } if self.full && owner == Owner::Log => {
                            (bytes, Err(Failure::Full))
                        }
                        operation => (self.files.perform(operation), Ok(())),
                    };
                    let completion = Completion { owner, tag, outcome, buffer };
                    store.completed(completion, shard, self.now_us, requests);
                }
            }
        }
    }

    /// The disk is quick again.
    fn catch_up(&mut self) {
        self.slow = None;
        for (core, request) in std::mem::take(&mut self.late) {
            let buffer = self.files.perform(request.operation);
            let completion =
                Completion { owner: request.owner, tag: request.tag, outcome: Ok(()), buffer };
            let (shard, requests) = (&mut self.node.shards[core], &mut self.requests[core]);
            self.stores[core].completed(completion, shard, self.now_us, requests);
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

fn is_late(slow: Option<u64>, operation: &Operation) -> bool {
    match operation {
        Operation::Write { file: FileName::Log { generation, .. }, offset, .. } => {
            *offset > 0 && slow == Some(*generation)
        }
        Operation::Sync(FileName::Log { generation, .. }) => slow == Some(*generation),
        _ => false,
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
        Replay::new(&findings, slots, kept.numbers()).run(&mut files, replay).expect("readable");
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

/// Turns until a field of INFO is `1` or `0` as wanted; false when that does not come, as after the
/// power has gone.
fn comes(keeping: &mut Keeping, field: &str) -> bool {
    (0..60).any(|_| {
        keeping.node.advance_ms(20);
        keeping.say("INFO persistence\n").contains(field)
    })
}

const DONE: [&str; 2] = ["aof_rewrite_in_progress:0", "aof_rewrite_scheduled:0"];

/// The log is switched on, and its snapshot is done.
fn is_switched_on(keeping: &mut Keeping) -> bool {
    let said = keeping.say("CONFIG SET appendonly yes\n");
    assert!(said.ends_with("+OK\r\n"), "{said}");
    DONE.iter().all(|field| comes(keeping, field)) && keeping.performed < keeping.power_lasts
}

/// What was written while the log was wholly on is kept, whenever the power goes; what is kept is
/// what there was at one moment. Twice on and twice off, with writes and transfers at all times.
/// Returns how many operations there were, and the last write that was promised.
fn switched_until(power_lasts: u64, cores: u16, seed: u64) -> (u64, u64) {
    let mut keeping = Keeping::that_logs(cores, seed, false);
    let mut random = Random::new(seed);
    keeping.power_lasts = power_lasts;
    open_accounts(&mut keeping);
    let (mut number, mut kept) = (0, 0);
    let mut write = |keeping: &mut Keeping| {
        number += 1;
        keeping.say(&format!("SET counter {number}\nRPUSH numbers {number}\n"));
        transfer(keeping, &mut random);
        number
    };
    for _ in 0..2 {
        write(&mut keeping);
        let opened = is_switched_on(&mut keeping);
        for _ in 0..3 {
            let number = write(&mut keeping);
            if opened && keeping.is_told() && keeping.performed < power_lasts {
                kept = number;
            }
        }
        keeping.say("CONFIG SET appendonly no\n");
        write(&mut keeping);
    }
    let mut read = read_back(&keeping.files, 3, true);
    let counter = read.run("GET counter");
    let found: u64 = counter.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0);
    let said = format!("seed {seed}, {cores} cores, after {power_lasts} operations");
    assert!(found >= kept, "{said}: {found} of {kept}");
    let numbers = read.run("LLEN numbers");
    let between = [format!(":{found}\r\n"), format!(":{}\r\n", found.saturating_sub(1))];
    let also = format!(":{}\r\n", found + 1);
    assert!(between.contains(&numbers) || numbers == also, "{said}: {numbers} and {found}");
    if kept > 0 {
        assert_eq!(balance(&mut read), 100 * ACCOUNTS as i64, "{said}");
    } else if found > 0 {
        let accounts = read.run("EXISTS account:0");
        assert_eq!(accounts, ":1\r\n", "{said}: the accounts came first");
    }
    (keeping.performed, kept)
}

#[test]
fn a_log_switched_on_and_off_keeps_its_promises_wherever_the_power_goes() {
    for (cores, seed) in [(1, 1), (2, 2), (3, 3)] {
        let (all, kept) = switched_until(u64::MAX, cores, seed);
        assert_eq!(kept, 9, "seed {seed}: the last write before the log is off again");
        assert!(all > 40, "{all} operations");
        for power_lasts in 0..all {
            switched_until(power_lasts, cores, seed);
        }
    }
}

#[test]
fn a_log_that_is_off_is_read_up_to_there_until_a_snapshot_takes_its_place() {
    let mut keeping = Keeping::new(2, 4);
    keeping.say("SET kept 1\nCONFIG SET appendonly no\nSET later 1\n");
    assert!(keeping.stores.iter().all(|store| !store.logs()), "closed");
    let mut read = read_back(&keeping.files, 1, true);
    assert_eq!(read.run("GET kept"), "$1\r\n1\r\n");
    assert_eq!(read.run("GET later"), "$-1\r\n", "it was off");

    keeping.say("SET kept 2\nSAVE\n");
    let mut read = read_back(&keeping.files, 3, true);
    assert_eq!(read.run("GET kept"), "$1\r\n2\r\n", "the log is older than the snapshot");
    assert_eq!(read.run("GET later"), "$1\r\n1\r\n");
}

#[test]
fn a_log_off_and_on_again_in_one_breath_counts_once_its_snapshot_does() {
    for cores in [1, 2] {
        let mut keeping = Keeping::new(cores, 5);
        keeping.say(
            "RPUSH l 1\nCONFIG SET appendonly no\nRPUSH l 2\nCONFIG SET appendonly yes\n\
             RPUSH l 3\nBGSAVE\nRPUSH l 4\nCONFIG SET appendonly no\nRPUSH l 5\n\
             CONFIG SET appendonly yes\nRPUSH l 6\n",
        );
        assert!(DONE.iter().all(|field| comes(&mut keeping, field)));
        keeping.say("RPUSH l 7\n");
        assert!(keeping.is_told());
        let read = read_back(&keeping.files, 3 - cores, true);
        assert_eq!(read.digest(), keeping.node.digest(), "{cores} cores");
    }
}

/// With all writes of a log on their way and records still to be taken, a snapshot began the next
/// log, whose header was quick to be there: it took those records, and they counted twice, in the
/// snapshot and behind it.
#[test]
fn a_log_takes_no_records_of_the_one_before_however_slow_the_disk() {
    let mut keeping = Keeping::new(1, 6);
    keeping.say("PING\n");
    keeping.slow = Some(1);
    for n in 1..=12 {
        keeping.say(&format!("RPUSH list {n}\n"));
    }
    keeping.say("BGSAVE\n");
    keeping.say("RPUSH list 13\n");
    assert!(!keeping.late.is_empty());
    keeping.catch_up();
    for _ in 0..40 {
        keeping.turn();
    }
    assert!(keeping.is_told());
    assert!(keeping.files.0.contains_key(&FileName::Manifest));
    let mut read = read_back(&keeping.files, 2, true);
    assert_eq!(read.run("LLEN list"), ":13\r\n");
    assert_eq!(read.digest(), keeping.node.digest());
}

/// The power went while the last batch of a log was on its way and that of the next, which a
/// snapshot had begun, was there: a write was lost, and one behind it was not. Found on a disk
/// whose syncs take up to 300 ms.
#[test]
fn a_log_is_not_written_before_the_one_before_is_durable() {
    let mut keeping = Keeping::new(1, 8);
    keeping.say("PING\n");
    keeping.slow = Some(1);
    keeping.say("RPUSH list 1\n");
    keeping.say("BGSAVE\n");
    keeping.say("RPUSH list 2\n");
    for _ in 0..40 {
        keeping.turn();
    }
    assert_eq!(keeping.late.len(), 1, "one write");
    let logs = keeping.files.0.keys().filter(|name| matches!(name, FileName::Log { .. })).count();
    assert_eq!(logs, 2, "the next log has begun");
    let mut after = keeping.files.clone();
    after.0.remove(&FileName::Manifest); // as if the snapshot were not there yet
    let mut read = read_back(&after, 1, true);
    assert_eq!(read.run("LRANGE list 0 -1"), "*0\r\n", "not the second without the first");
    keeping.catch_up();
    for _ in 0..40 {
        keeping.turn();
    }
    assert!(keeping.is_told());
    let mut read = read_back(&keeping.files, 1, true);
    assert_eq!(read.run("LLEN list"), ":2\r\n");
}

/// A sync was late, and meanwhile a snapshot had begun the next log. When the sync ended, what
/// waited behind it was told before the next log knew that the disk was slow, and the power went
/// while the next sync was late too. Found by the simulation of durability.
#[test]
fn what_waits_behind_a_late_sync_is_not_told_when_that_ends_by_a_log_begun_meanwhile() {
    let mut keeping = Keeping::new(1, 10);
    keeping.say("CONFIG SET appendfsync everysec\nRPUSH list 1\n");
    let is_told = |keeping: &mut Keeping| {
        let end = keeping.node.shards[0].log_end();
        keeping.stores[0].acknowledged(Appendfsync::EverySec, keeping.now_us) >= end
    };
    keeping.say("RPUSH list 2\n");
    assert!(is_told(&mut keeping), "the disk was quick so far");
    keeping.slow = Some(1);
    keeping.say("BGSAVE\n");
    for _ in 0..1_000 {
        keeping.turn();
    }
    assert_eq!(keeping.late.len(), 1, "{:?}", keeping.late);
    keeping.say("RPUSH list 3\n");
    assert!(!is_told(&mut keeping), "the disk is known to be slow");
    keeping.catch_up();
    assert!(!is_told(&mut keeping), "it is no less so because the sync has ended");
    let mut read = read_back(&keeping.files, 1, true);
    assert_eq!(read.run("LLEN list"), ":2\r\n", "what has not been told is not there yet");
    for _ in 0..4 {
        keeping.turn();
    }
    assert!(is_told(&mut keeping));
    let mut read = read_back(&keeping.files, 1, true);
    assert_eq!(read.run("LLEN list"), ":3\r\n");
}

#[test]
fn a_log_that_finds_no_space_is_given_up_when_it_is_switched_off() {
    let mut keeping = Keeping::new(1, 7);
    keeping.say("RPUSH list 1\n");
    keeping.full = true;
    keeping.say("RPUSH list 2\nRPUSH list 3\n");
    assert_eq!(keeping.stores[0].health(), Health::Full);
    assert_eq!(keeping.say("CONFIG SET appendonly no\n"), "+OK\r\n");
    assert!(!keeping.stores[0].logs());
    let mut read = read_back(&keeping.files, 1, true);
    assert_eq!(read.run("LLEN list"), ":1\r\n");

    keeping.full = false;
    assert!(is_switched_on(&mut keeping));
    keeping.say("RPUSH list 4\n");
    let read = read_back(&keeping.files, 1, true);
    assert_eq!(read.digest(), keeping.node.digest(), "the new log begins with its own records");
}
