//! The parts of a request, each as a case: a name, a number of operations, and what does them.
//! Data that a case walks over is made in `prepare`, which is not measured.

mod collections;
mod keyspace;
mod mesh;
mod shard;
mod wire;

use freehold_engine::mesh::CoreId;

use collections::Verb;
pub use keyspace::empty as empty_keyspace;

/// Operations of one run.
pub const OPERATIONS: u64 = 64_000;
/// Requests parsed, looked up or answered together, as with pipeline 16.
pub const BATCH: usize = 16;

/// What a case does.
pub trait Work {
    /// Before each run, unmeasured.
    fn prepare(&mut self) {}
    fn run(&mut self);
}

impl<F: FnMut()> Work for F {
    fn run(&mut self) {
        self();
    }
}

pub struct Case {
    pub name: &'static str,
    pub work: Box<dyn Work>,
}

impl Case {
    fn new(name: &'static str, work: impl Work + 'static) -> Case {
        Case { name, work: Box::new(work) }
    }
}

/// What cases share, filled when one of them needs it.
struct Shared {
    filled: keyspace::Filled,
    nodes: shard::Nodes,
    small: collections::Small,
}

type Make = fn(&'static str, &Shared) -> Case;

/// A row of the table of cases.
struct Row {
    name: &'static str,
    make: Make,
    /// Two threads wait for each other: instructions counted there would count the waiting.
    threads: bool,
}

const fn row(name: &'static str, make: Make) -> Row {
    Row { name, make, threads: false }
}

const ROWS: &[Row] = &[
    row("parse GET", |name, _| wire::parse_get(name)),
    row("parse SET, 64-byte value", |name, _| wire::parse_set(name)),
    row("slot", |name, _| wire::slot(name)),
    row("slot and hash", |name, shared| keyspace::slot_and_hash(name, &shared.filled)),
    row("lookup, hit", |name, shared| keyspace::lookup_hit(name, &shared.filled)),
    row("lookup, hit, 16 prefetched", |name, shared| {
        keyspace::lookup_hit_prefetched(name, &shared.filled)
    }),
    row("lookup, miss", |name, shared| keyspace::lookup_miss(name, &shared.filled)),
    row("insert, 64-byte value", |name, shared| keyspace::insert(name, &shared.filled)),
    row("overwrite, 64-byte value", |name, shared| keyspace::overwrite(name, &shared.filled)),
    row("overwrite, 16 prefetched", |name, shared| {
        keyspace::overwrite_prefetched(name, &shared.filled)
    }),
    row("remove", |name, shared| keyspace::remove(name, &shared.filled)),
    row("reply, 64-byte bulk", |name, _| wire::reply_bulk(name)),
    row("reply, integer", |name, _| wire::reply_integer(name)),
    row("ring, push and pop", |name, _| mesh::push_pop(name)),
    Row {
        name: "ring, there and back, two threads",
        make: |name, _| mesh::round_trip(name),
        threads: true,
    },
    row("shard, GET P1", |name, shared| shard::alone(name, &shared.nodes, false, 1)),
    row("shard, GET P16", |name, shared| shard::alone(name, &shared.nodes, false, BATCH)),
    row("shard, SET P1", |name, shared| shard::alone(name, &shared.nodes, true, 1)),
    row("shard, SET P16", |name, shared| shard::alone(name, &shared.nodes, true, BATCH)),
    row("ten fields, HGET P16", |name, shared| small(name, shared, Verb::Hget)),
    row("ten fields, HSET P16", |name, shared| small(name, shared, Verb::Hset)),
    row("ten members, SADD and SREM P16", |name, shared| small(name, shared, Verb::SaddSrem)),
    row("fifteen SADDs to nothing, DEL P16", |name, shared| small(name, shared, Verb::SaddDel)),
    row("ten members, SISMEMBER P16", |name, shared| small(name, shared, Verb::Sismember)),
    row("ten scores, ZADD P16", |name, shared| small(name, shared, Verb::Zadd)),
    row("ten scores, ZSCORE P16", |name, shared| small(name, shared, Verb::Zscore)),
    row("list of ten, LPUSH and LPOP P16", |name, shared| small(name, shared, Verb::LpushLpop)),
    row("list of ten, LRANGE P16", |name, shared| small(name, shared, Verb::Lrange)),
    row("two shards, GET here P1", |name, shared| shard::of_two(name, &shared.nodes, CoreId(0), 1)),
    row("two shards, GET forwarded P1", |name, shared| {
        shard::of_two(name, &shared.nodes, CoreId(1), 1)
    }),
    row("two shards, GET here P16", |name, shared| {
        shard::of_two(name, &shared.nodes, CoreId(0), BATCH)
    }),
    row("two shards, GET forwarded P16", |name, shared| {
        shard::of_two(name, &shared.nodes, CoreId(1), BATCH)
    }),
];

fn small(name: &'static str, shared: &Shared, verb: Verb) -> Case {
    collections::small(name, &shared.small, verb)
}

fn wanted(row: &Row, name: Option<&str>) -> bool {
    name.is_none_or(|name| name == row.name)
}

/// The cases, or the one called `name`, over `keys` keys.
pub fn all(keys: u64, name: Option<&str>) -> Vec<Case> {
    let filled = keyspace::Filled::later(keys);
    let shared = Shared { filled, nodes: shard::Nodes::later(keys), small: Default::default() };
    let rows = ROWS.iter().filter(|row| wanted(row, name));
    rows.map(|row| (row.make)(row.name, &shared)).collect()
}

/// Names of the cases whose instructions mean something, or the one called `name`.
pub fn countable(name: Option<&str>) -> impl Iterator<Item = &'static str> {
    ROWS.iter().filter(move |row| !row.threads && wanted(row, name)).map(|row| row.name)
}
