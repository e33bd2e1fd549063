//! How late expired keys leave, in virtual time, and what removing them costs.
//!
//! Question: with every key carrying a TTL, when is each one gone? Deadlines are scattered over a
//! window; the clock is moved by hand, a turn of one millisecond at a time, and a turn takes
//! slices of the work until 200 us of real time are spent, as a shard's upkeep does. A key's
//! lateness is the time of the turn that removed it less its deadline. Before the window begins
//! the same turns are run while no key is due: what merely keeping deadlines costs.

use std::time::{Duration, Instant};

use freehold_engine::base::random::Random;
use freehold_engine::base::time::UnixMillis;
use freehold_engine::keyspace::Keyspace;

use crate::Options;
use crate::cases::empty_keyspace;
use crate::histogram::Histogram;
use crate::json::Object;
use crate::keys;

const STARTED: i64 = 1_700_000_000_000;
/// No key is due in this time.
const QUIET_MS: i64 = 10_000;
/// Keys that stay beyond this are reported as late as this.
const PATIENCE_MS: i64 = 10_000;
const UPKEEP_TURN: Duration = Duration::from_micros(200);
const VISITS: usize = 256;

/// What a stretch of turns came to.
struct Stretch {
    lateness_ms: Histogram,
    spent: Duration,
}

/// Fills a keyspace, runs the clock through the window and prints what was seen.
pub fn measure(options: &Options) -> String {
    let mut keyspace = empty_keyspace();
    let mut random = Random::new(11);
    let begin = STARTED + QUIET_MS;
    let window_ms = options.window_s * 1000;
    // Nothing of the keyspace's own is asked for the deadline: the bench keeps its own note.
    let deadlines: Vec<u32> = (0..options.keys).map(|_| random.below(window_ms) as u32).collect();
    keyspace.expire_slice(UnixMillis(STARTED), VISITS, |_, _| {});
    for (index, after) in deadlines.iter().enumerate() {
        let key = keys::key(index as u64);
        let key = keyspace.key_ref(&key);
        let deadline = UnixMillis(begin + i64::from(*after));
        keyspace.set_string(0, &key, b"v0000000", Some(deadline), 0);
    }
    let quiet = turns(&mut keyspace, &deadlines, begin, STARTED..begin);
    assert_eq!(quiet.lateness_ms.total(), 0, "a key left before its deadline");
    let window = begin..begin + window_ms as i64 + PATIENCE_MS;
    let found = turns(&mut keyspace, &deadlines, begin, window);
    Object::new()
        .count("keys", options.keys)
        .count("window_s", options.window_s)
        .number("keeping_us_per_s", quiet.spent.as_micros() as f64 * 1000.0 / QUIET_MS as f64)
        .list("cases", &[row(options, &found, keyspace.len(0) as u64)])
        .end()
}

/// One turn a millisecond over `time`.
fn turns(
    keyspace: &mut Keyspace,
    deadlines: &[u32],
    begin: i64,
    time: std::ops::Range<i64>,
) -> Stretch {
    let mut stretch = Stretch { lateness_ms: Histogram::new(), spent: Duration::ZERO };
    for now in time {
        let started = Instant::now();
        let lateness = &mut stretch.lateness_ms;
        while keyspace.expire_slice(UnixMillis(now), VISITS, |_, key| {
            let deadline = begin + i64::from(deadlines[keys::index(key) as usize]);
            assert!(now > deadline, "removed {now} before its deadline {deadline}");
            lateness.record((now - deadline) as u64);
        }) && started.elapsed() < UPKEEP_TURN
        {}
        stretch.spent += started.elapsed();
    }
    stretch
}

fn row(options: &Options, found: &Stretch, left: u64) -> String {
    let late = &found.lateness_ms;
    Object::new()
        .word("name", &format!("{} keys in {} s", options.keys, options.window_s))
        .count("removed", late.total())
        .count("left", left)
        .number("late_p50_ms", late.quantile(0.5) as f64)
        .number("late_p99_ms", late.quantile(0.99) as f64)
        .number("late_max_ms", late.max as f64)
        .number("ns_per_key", found.spent.as_nanos() as f64 / late.total().max(1) as f64)
        .end()
}
