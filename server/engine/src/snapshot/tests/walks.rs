//! Snapshots written under real commands, drawn from the whole command table: values of every type
//! and encoding, deadlines, keys lent to other cores, flushes. `FREEHOLD_SNAPSHOT_WALKS` says how
//! many walks, `FREEHOLD_SEED` which one is the first.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::env;
use std::rc::Rc;

use super::disk::Disk;
use crate::base::random::Random;
use crate::disk::{FileName, Requests};
use crate::effect::apply;
use crate::keyspace::{CutState, Keyspace, ValueRef};
use crate::shard::Shard;
use crate::shard::testing::walk::{Ground, Scope, Throw, Walk};
use crate::snapshot::{Header, Outcome, Writer, load};

const WALKS: u64 = 1_500;
const STEPS: usize = 40;

fn number_from(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

/// What one core writes, and what it has to come to.
struct Core {
    writer: Writer,
    requests: Requests,
    disk: Disk,
    header: Header,
    databases: usize,
    keys: u64,
    digest: u128,
}

#[derive(Default, Debug)]
struct Sum {
    done: u64,
    abandoned: u64,
    keys: u64,
    kinds: BTreeSet<&'static str>,
}

impl Core {
    fn begin(shard: &mut Shard, cores: u16, generation: u64, disk: Disk) -> Core {
        let core = shard.id().0;
        let header = Header { generation, core, cores, cut_unix_ms: 1_700 };
        let keyspace = &mut shard.core.keyspace;
        let databases = keyspace.databases();
        let keys = (0..databases).map(|db| keyspace.len(db as u8) as u64).sum();
        let digest = keyspace.digest();
        let mut requests = Requests::default();
        let writer = Writer::begin(keyspace, header, &mut requests);
        Core { writer, requests, disk, header, databases, keys, digest }
    }

    fn slice(&mut self, keyspace: &mut Keyspace, visits: usize) {
        self.writer.slice(keyspace, visits, &mut self.requests);
        self.disk.perform(&mut self.requests, &mut self.writer);
    }

    /// It has ended: it is what there was, or nothing.
    fn judge(mut self, outcome: Outcome, sum: &mut Sum) {
        assert!(self.disk.is_at_rest() && self.requests.is_empty());
        let Header { generation, core, .. } = self.header;
        let file = FileName::Snapshot { generation, core };
        match outcome {
            Outcome::Done { keys, bytes } => {
                assert_eq!((keys, bytes), (self.keys, self.disk.files.0[&file].len() as u64));
                let mut copy = Keyspace::new(0..16384, self.databases, [9; 4]);
                let slots = 0..16384;
                let header = load(&mut self.disk.files, file, slots, &mut |effect| {
                    apply(&mut copy, effect, 0)
                });
                assert_eq!(header, Ok(self.header));
                assert_eq!(copy.digest(), self.digest);
                copy.check_invariants();
                copy.check_values();
                sum.done += 1;
                sum.keys += keys;
                sum.kinds.extend(kinds(&copy));
            }
            Outcome::Abandoned => {
                assert!(self.disk.files.0.is_empty());
                sum.abandoned += 1;
            }
            other => panic!("{other:?}"),
        }
    }
}

fn kinds(keyspace: &Keyspace) -> BTreeSet<&'static str> {
    let mut kinds = BTreeSet::new();
    for db in 0..keyspace.databases() {
        keyspace.for_each(db as u8, |entry| {
            kinds.insert(match entry.value() {
                ValueRef::Collection(view) => view.kind().name(),
                _ => "string",
            });
        });
    }
    kinds
}

/// The snapshots of a node's cores, each begun again when it has ended.
struct Snapshots {
    random: Random,
    generation: u64,
    cores: Vec<Option<Core>>,
    sum: Sum,
}

impl Snapshots {
    fn slice(&mut self, shard: &mut Shard) {
        let at = shard.id().index();
        let most = [10, 100, 4000][self.random.below(3) as usize];
        let visits = 1 + self.random.below(most) as usize;
        if let Some(core) = &mut self.cores[at] {
            core.slice(&mut shard.core.keyspace, visits);
        }
        self.end(at);
    }

    fn end(&mut self, at: usize) {
        if let Some(outcome) = self.cores[at].as_ref().and_then(|core| core.writer.outcome())
            && let Some(core) = self.cores[at].take()
        {
            core.judge(outcome, &mut self.sum);
        }
    }

    fn begin(&mut self, shards: &mut [Shard]) {
        let cores = shards.len() as u16;
        for (shard, core) in shards.iter_mut().zip(&mut self.cores) {
            if core.is_none() && shard.core.keyspace.cut_state() == CutState::Complete {
                self.generation += 1;
                let disk = Disk::in_any_order(self.random.next_u64());
                *core = Some(Core::begin(shard, cores, self.generation, disk));
            }
        }
    }

    fn finish(&mut self, shards: &mut [Shard]) {
        for (at, shard) in shards.iter_mut().enumerate() {
            while let Some(core) = &mut self.cores[at] {
                core.slice(&mut shard.core.keyspace, 1000);
                self.end(at);
            }
        }
    }
}

fn wander(seed: u64) -> Sum {
    let ground = Ground::new(Scope::Keys, seed);
    let mut random = Random::new(seed);
    let mut walk = Walk::new(&ground);
    let cores = walk.node.shards.iter().map(|_| None).collect();
    let snapshots = Snapshots { random: random.split(), generation: 0, cores, sum: Sum::default() };
    let snapshots = Rc::new(RefCell::new(snapshots));
    let hook = snapshots.clone();
    walk.node.before_turn = Some(Box::new(move |shard| hook.borrow_mut().slice(shard)));
    for _ in 0..STEPS {
        let step = walk.draw(Throw::random(&mut random));
        walk.perform(&step);
        if walk.is_settled() && random.below(3) == 0 {
            snapshots.borrow_mut().begin(&mut walk.node.shards);
        }
    }
    walk.finish();
    snapshots.borrow_mut().finish(&mut walk.node.shards);
    std::mem::take(&mut snapshots.borrow_mut().sum)
}

#[test]
fn a_snapshot_under_any_commands_holds_what_the_core_held_at_the_cut() {
    let first = number_from("FREEHOLD_SEED", 0);
    let walks = number_from("FREEHOLD_SNAPSHOT_WALKS", WALKS);
    let mut sum = Sum::default();
    for seed in first..first + walks {
        let outcome = std::panic::catch_unwind(|| wander(seed));
        let outcome = outcome.unwrap_or_else(|_| panic!("FREEHOLD_SEED={seed}"));
        sum.done += outcome.done;
        sum.abandoned += outcome.abandoned;
        sum.keys += outcome.keys;
        sum.kinds.extend(outcome.kinds);
    }
    println!("{walks} walks of {STEPS} steps: {sum:?}");
    if walks >= WALKS {
        assert!(sum.done > walks && sum.abandoned > 0 && sum.keys > walks, "{sum:?}");
        assert_eq!(sum.kinds.len(), 6, "strings, lists, sets, sorted sets, hashes, streams");
    }
}
