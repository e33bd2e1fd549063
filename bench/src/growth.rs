//! The longest insert while a keyspace grows.
//!
//! Question: does any insert stall because a table grows? Every insert is timed by itself. A
//! single pass cannot tell growth from the machine (interrupts, page faults of the allocator), so
//! the same inserts are made in several passes on fresh keyspaces and each insert keeps the
//! shortest of its times: growth happens at the same insert in every pass, an interrupt does not.
//! The null run is as many lookups, timed the same way: what it shows is the machine.

use std::hint::black_box;
use std::time::Instant;

use freehold_engine::keyspace::Keyspace;

use crate::Options;
use crate::cases::empty_keyspace;
use crate::histogram::Histogram;
use crate::json::Object;
use crate::keys;

const PASSES: usize = 3;
const SLOWEST: usize = 10;
const VALUE: &[u8; 8] = b"v0000000";

/// Runs all passes and prints the distributions.
pub fn measure(options: &Options) -> String {
    let mut shortest = vec![u32::MAX; options.keys as usize];
    let (mut single, mut null) = (Histogram::new(), Histogram::new());
    for _ in 0..PASSES {
        let mut keyspace = empty_keyspace();
        let mut pass = Histogram::new();
        for index in 0..options.keys {
            let ns = insert_ns(&mut keyspace, index);
            pass.record(ns);
            let least = &mut shortest[index as usize];
            *least = (*least).min(u32::try_from(ns).unwrap_or(u32::MAX));
        }
        single = pass;
        null = Histogram::new();
        for index in 0..options.keys {
            null.record(lookup_ns(&keyspace, index));
        }
    }
    let mut repeated = Histogram::new();
    shortest.iter().for_each(|&ns| repeated.record(u64::from(ns)));
    let rows = [row("insert", &repeated), row("insert, one pass", &single), row("null", &null)];
    Object::new()
        .count("keys", options.keys)
        .count("passes", PASSES as u64)
        .list("slowest", &slowest(&shortest))
        .list("cases", &rows)
        .end()
}

/// Which inserts were slowest in every pass: the number of the key says which growth it was.
fn slowest(shortest: &[u32]) -> Vec<String> {
    let mut order: Vec<usize> = (0..shortest.len()).collect();
    let count = SLOWEST.min(order.len() - 1);
    order.select_nth_unstable_by_key(count, |&index| u32::MAX - shortest[index]);
    order.truncate(count);
    order.sort_by_key(|&index| u32::MAX - shortest[index]);
    let entry = |&index: &usize| {
        let us = f64::from(shortest[index]) / 1000.0;
        Object::new().count("key", index as u64).number("us", us).end()
    };
    order.iter().map(entry).collect()
}

fn insert_ns(keyspace: &mut Keyspace, index: u64) -> u64 {
    let key = keys::key(index);
    let started = Instant::now();
    let key = keyspace.key_ref(&key);
    keyspace.set_string(0, &key, VALUE, None, 0);
    started.elapsed().as_nanos() as u64
}

fn lookup_ns(keyspace: &Keyspace, index: u64) -> u64 {
    let key = keys::key(index);
    let started = Instant::now();
    black_box(keyspace.get(0, &keyspace.key_ref(&key)).is_some());
    started.elapsed().as_nanos() as u64
}

fn row(name: &str, histogram: &Histogram) -> String {
    Object::new()
        .word("name", name)
        .count("steps", histogram.total())
        .number("p50_us", histogram.quantile(0.5) as f64 / 1000.0)
        .number("p9999_us", histogram.quantile(0.9999) as f64 / 1000.0)
        .number("max_us", histogram.max as f64 / 1000.0)
        .end()
}
