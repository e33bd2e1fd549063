//! Deadlines: never late, bounded work, whatever the clock does.

use super::*;
use crate::base::random::Random;

const START: i64 = 1_700_000_000_000;

fn sweep_all(keyspace: &mut Keyspace, now: i64) -> usize {
    let mut gone = 0;
    while keyspace.expire_slice(UnixMillis(now), 1000, |_, _| gone += 1) {}
    gone
}

/// Starts the clock, as a worker's first turn does.
fn started() -> Keyspace {
    let mut keyspace = keyspace();
    sweep_all(&mut keyspace, START);
    keyspace
}

#[test]
fn a_key_goes_within_a_tick_of_its_deadline_and_never_before() {
    for ttl in [0, 1, 31, 32, 33, 999, 65_000, 66_000, 131_072, 4_000_000, 90_000_000] {
        let mut keyspace = started();
        set(&mut keyspace, b"k", b"v", Some(START + ttl));
        // Not in one leap: coarse due fields must be renewed on the way.
        let steps = 997;
        for step in 0..steps {
            assert_eq!(sweep_all(&mut keyspace, START + ttl * step / steps), 0, "ttl {ttl}");
            keyspace.check_invariants();
        }
        assert_eq!(sweep_all(&mut keyspace, START + ttl), 0, "it lives through its deadline");
        assert_eq!(sweep_all(&mut keyspace, START + ttl + 32), 1, "ttl {ttl}");
        assert_eq!(keyspace.next_expiry(), None);
    }
}

#[test]
fn a_key_set_with_a_deadline_past_goes_with_the_next_tick() {
    let mut keyspace = started();
    set(&mut keyspace, b"k", b"v", Some(-5));
    set(&mut keyspace, b"l", b"v", Some(START - 1_000_000));
    assert_eq!(sweep_all(&mut keyspace, START + 32), 2);
}

#[test]
fn the_index_says_when_to_wake() {
    let mut keyspace = started();
    assert_eq!(keyspace.next_expiry(), None);
    set(&mut keyspace, b"k", b"v", Some(START + 10_000));
    let wake = keyspace.next_expiry().expect("a key has a deadline").0;
    assert!((START + 10_000..=START + 10_032).contains(&wake), "{}", wake - START);
    assert_eq!(sweep_all(&mut keyspace, wake), 1);
    set(&mut keyspace, b"far", b"v", Some(START + 100_000_000));
    assert!(keyspace.next_expiry().expect("a deadline").0 <= START + 100_000_032);
}

#[test]
fn a_slice_removes_no_more_than_its_budget() {
    let mut keyspace = started();
    for n in 0..5_000 {
        let key = format!("{{one}}{n}"); // all in one slot
        set(&mut keyspace, key.as_bytes(), b"v", Some(START + 100 + n));
    }
    let now = UnixMillis(START + 6_000);
    let (mut slices, mut total) = (0, 0);
    loop {
        let mut gone = 0;
        let more = keyspace.expire_slice(now, 50, |_, _| gone += 1);
        assert!(gone <= 50);
        total += gone;
        slices += 1;
        if !more {
            break;
        }
        keyspace.check_invariants();
    }
    assert_eq!(total, 5_000);
    assert!((100..=205).contains(&slices), "{slices} slices");
    assert_eq!(keyspace.len(0), 0);
}

#[test]
fn keys_written_while_a_sweep_is_under_way_are_not_forgotten() {
    for seed in 0..10 {
        let mut random = Random::new(seed);
        let mut keyspace = started();
        for n in 0..3_000u64 {
            let expiry = START + random.below(2_000) as i64;
            set(&mut keyspace, format!("key:{n}").as_bytes(), b"v", Some(expiry));
        }
        let (mut now, mut n) = (START, 0);
        while now < START + 20_000 {
            now += random.below(200) as i64;
            while keyspace.expire_slice(UnixMillis(now), 7, |_, _| {}) {
                let expiry = now - 50 + random.below(150) as i64;
                if now < START + 10_000 {
                    set(&mut keyspace, format!("late:{n}").as_bytes(), b"v", Some(expiry));
                    n += 1;
                }
            }
        }
        assert_eq!((keyspace.len(0), keyspace.expires(0)), (0, 0), "seed {seed}");
        assert!(n > 1_000);
    }
}

#[test]
fn the_clock_set_back_does_not_keep_new_keys_alive() {
    let mut keyspace = started();
    for n in 0..1_000i64 {
        set(&mut keyspace, format!("old:{n}").as_bytes(), b"v", Some(START + 50_000 + n));
    }
    let back = START - 3_600_000;
    set(&mut keyspace, b"before the sweep", b"v", Some(back + 100));
    assert_eq!(sweep_all(&mut keyspace, back), 0);
    set(&mut keyspace, b"after the sweep", b"v", Some(back + 100));
    keyspace.check_invariants();
    assert_eq!(sweep_all(&mut keyspace, back + 132), 2);
    assert_eq!(sweep_all(&mut keyspace, START + 49_999), 0);
    assert_eq!(sweep_all(&mut keyspace, START + 51_032), 1_000);
}

#[test]
fn persisted_and_moved_deadlines_are_followed() {
    let mut keyspace = started();
    for name in [&b"a"[..], b"b", b"c", b"d"] {
        set(&mut keyspace, name, b"v", Some(START + 1_000));
    }
    let (a, b, c) = (keyspace.key_ref(b"a"), keyspace.key_ref(b"b"), keyspace.key_ref(b"c"));
    assert!(keyspace.set_expiry(0, &a, None));
    assert!(keyspace.set_expiry(0, &b, Some(UnixMillis(START + 500))));
    assert!(keyspace.set_expiry(0, &c, Some(UnixMillis(START + 90_000))));
    assert_eq!(sweep_all(&mut keyspace, START + 532), 1);
    assert_eq!(sweep_all(&mut keyspace, START + 1_032), 1);
    assert_eq!(sweep_all(&mut keyspace, START + 89_999), 0);
    assert_eq!(sweep_all(&mut keyspace, START + 90_032), 1);
    assert_eq!(
        (keyspace.len(0), keyspace.expires(0), keyspace.avg_ttl(0, UnixMillis(0))),
        (1, 0, 0)
    );
}

#[test]
fn a_sweep_with_nothing_due_reads_no_table() {
    let mut keyspace = started();
    for n in 0..1_000i64 {
        set(&mut keyspace, format!("key:{n}").as_bytes(), b"v", Some(START + 60_000));
    }
    for step in 0..1_800 {
        // With a budget of one visit any reading would leave more to do.
        assert!(!keyspace.expire_slice(UnixMillis(START + step * 32), 1, |_, _| {}));
    }
}

#[test]
fn the_average_time_to_live_is_exact() {
    let mut keyspace = started();
    for ttl in [1_000, 2_000, 6_000] {
        set(&mut keyspace, ttl.to_string().as_bytes(), b"v", Some(START + ttl));
    }
    assert_eq!(keyspace.avg_ttl(0, UnixMillis(START)), 3_000);
    assert_eq!(keyspace.avg_ttl(0, UnixMillis(START + 9_000)), 0);
}
