use super::*;

const TUNING: LfuTuning = LfuTuning { log_factor: 10, decay_minutes: 1 };

fn minutes(n: i64) -> UnixMillis {
    UnixMillis(1_700_000_000_000 - 1_700_000_000_000 % 60_000 + n * 60_000)
}

fn filled(keys: usize, mut access: impl FnMut(usize) -> (u32, Option<i64>)) -> Keyspace {
    let mut keyspace = Keyspace::new(0..16384, 2, [1, 2, 3, 4]);
    for n in 0..keys {
        let name = format!("key:{n}");
        let (access, expiry) = access(n);
        let key = keyspace.key_ref(name.as_bytes());
        keyspace.set_string((n % 2) as u8, &key, b"v", expiry.map(UnixMillis), access);
    }
    keyspace
}

fn tuning(policy: Policy, now: UnixMillis) -> Tuning {
    Tuning { policy, samples: 5, now, lfu_decay_minutes: 1 }
}

/// Evicts `count` keys and returns their numbers.
fn evict(keyspace: &mut Keyspace, tuning: &Tuning, count: usize) -> Vec<usize> {
    let (mut pool, mut random) = (Pool::default(), Random::new(1));
    let mut gone = vec![];
    for _ in 0..count {
        let Some((db, name)) = pool.choose(keyspace, tuning, &mut random) else { break };
        assert!(keyspace.remove(db, &keyspace.key_ref(&name)));
        let number = std::str::from_utf8(&name).ok().and_then(|name| name[4..].parse().ok());
        gone.push(number.expect("the names are key:<n>"));
    }
    gone
}

#[test]
fn idle_time_survives_the_wrap_of_its_clock() {
    let now = UnixMillis(((1 << 24) - 2) * LRU_TICK_MS);
    let access = lru_clock(now);
    assert_eq!(lru_idle_ms(access, now), 0);
    assert_eq!(lru_idle_ms(access, now.plus_ms(1_000)), 1_000);
    assert!(lru_clock(now.plus_ms(1_000)) < access);
}

#[test]
fn a_counter_decays_by_the_minutes_it_was_not_used() {
    let access = lfu_clock(lfu_minutes(minutes(0)), 100);
    assert_eq!(lfu_count(access, minutes(0), 1), 100);
    assert_eq!(lfu_count(access, minutes(30), 1), 70);
    assert_eq!(lfu_count(access, minutes(30), 10), 97);
    assert_eq!(lfu_count(access, minutes(500), 1), 0);
    assert_eq!(lfu_count(access, minutes(500), 0), 100, "0: no decay");
    let wrapped = lfu_clock(u16::MAX, 9);
    let minute_0 = UnixMillis(65_536 * 60_000);
    assert_eq!(lfu_count(wrapped, minute_0, 1), 8);
}

#[test]
fn counting_is_certain_for_new_keys_and_ever_rarer_above() {
    let count_after = |count: u8, chance: f64| {
        let access = lfu_clock(lfu_minutes(minutes(0)), count);
        lfu_touch(access, minutes(0), &TUNING, chance) as u8
    };
    for count in 0..=LFU_START {
        assert_eq!(count_after(count, 0.999_999), count + 1);
    }
    assert_eq!(count_after(15, 0.009), 16); // 1 / (10 * 10 + 1)
    assert_eq!(count_after(15, 0.011), 15);
    assert_eq!(count_after(255, 0.0), 255);
}

#[test]
fn a_million_uses_reach_the_top_at_the_default_factor_as_in_redis() {
    // redis.conf: factor 10, 100 hits -> 10, 1000 -> 18, 100,000 -> 142, 1,000,000 -> 255.
    let mut random = Random::new(7);
    let mut access = fresh_access(minutes(0), true);
    for (uses, low, high) in [(100, 7, 14), (1_000, 14, 24), (100_000, 130, 155)] {
        access = lfu_clock(lfu_minutes(minutes(0)), LFU_START);
        for _ in 0..uses {
            access = lfu_touch(access, minutes(0), &TUNING, random.f64());
        }
        assert!((low..=high).contains(&(access as u8)), "{uses} uses: {}", access as u8);
    }
    for _ in 0..900_000 {
        access = lfu_touch(access, minutes(0), &TUNING, random.f64());
    }
    assert_eq!(access as u8, 255);
}

#[test]
fn lru_evicts_mostly_the_keys_used_longest_ago() {
    let now = minutes(0);
    let mut keyspace = filled(10_000, |n| (lru_clock(now.plus_ms(-1_000 * n as i64)), None));
    let gone = evict(&mut keyspace, &tuning(Policy::AllKeysLru, now), 1_000);
    let old_ones = gone.iter().filter(|n| **n >= 8_000).count();
    assert!(old_ones > 900, "{old_ones} of 1000 are among the oldest fifth");
}

#[test]
fn lfu_evicts_mostly_the_keys_used_least() {
    let now = minutes(0);
    let count = |n: usize| if n < 1_000 { 1 } else { 50 };
    let mut keyspace = filled(10_000, |n| (lfu_clock(lfu_minutes(now), count(n)), None));
    let gone = evict(&mut keyspace, &tuning(Policy::AllKeysLfu, now), 500);
    let rare_ones = gone.iter().filter(|n| **n < 1_000).count();
    assert!(rare_ones > 350, "{rare_ones} of 500");
}

#[test]
fn volatile_ttl_evicts_the_nearest_deadlines_first() {
    let now = minutes(0);
    let mut keyspace = filled(5_000, |n| (0, (n % 4 < 2).then_some(now.0 + 1_000 * n as i64)));
    let gone = evict(&mut keyspace, &tuning(Policy::VolatileTtl, now), 300);
    assert!(gone.iter().all(|n| n % 4 < 2), "only keys with a deadline");
    let near = gone.iter().filter(|n| **n < 1_000).count();
    assert!(near > 220, "{near} of 300 are among the nearest fifth");
}

#[test]
fn every_volatile_policy_spares_keys_without_a_deadline() {
    for policy in
        [Policy::VolatileLru, Policy::VolatileLfu, Policy::VolatileRandom, Policy::VolatileTtl]
    {
        let mut keyspace = filled(400, |n| (0, (n % 40 == 0).then_some(1 << 42)));
        let gone = evict(&mut keyspace, &tuning(policy, minutes(0)), 400);
        assert_eq!(gone.len(), 10, "{policy:?}");
        assert!(gone.iter().all(|n| n % 40 == 0), "{policy:?}");
    }
}

#[test]
fn every_allkeys_policy_can_evict_everything() {
    for policy in [Policy::AllKeysLru, Policy::AllKeysLfu, Policy::AllKeysRandom] {
        let mut keyspace = filled(400, |n| (n as u32, None));
        let mut gone = evict(&mut keyspace, &tuning(policy, minutes(0)), 500);
        gone.sort_unstable();
        assert_eq!(gone, (0..400).collect::<Vec<_>>(), "{policy:?}");
    }
}

#[test]
fn noeviction_evicts_nothing() {
    let mut keyspace = filled(10, |_| (0, None));
    assert_eq!(evict(&mut keyspace, &tuning(Policy::NoEviction, minutes(0)), 1), []);
}

#[test]
fn a_candidate_that_lost_its_deadline_is_no_longer_one() {
    let mut keyspace = filled(2, |n| (0, (n == 0).then_some(1 << 42)));
    let (mut pool, mut random) = (Pool::default(), Random::new(1));
    pool.offer(1, 0, b"key:0");
    pool.policy = Some(Policy::VolatileTtl);
    keyspace.set_expiry(0, &keyspace.key_ref(b"key:0"), None);
    let tuning = tuning(Policy::VolatileTtl, minutes(0));
    assert_eq!(pool.choose(&keyspace, &tuning, &mut random), None);
}

#[test]
fn the_pool_keeps_the_sixteen_best_and_none_twice() {
    let mut pool = Pool::default();
    for round in 0..2 {
        for score in 0..100u64 {
            pool.offer(score * 37 % 100 + round, 0, &score.to_le_bytes());
        }
    }
    let scores: Vec<u64> = pool.candidates.iter().map(|candidate| candidate.score).collect();
    assert_eq!(scores, (85..=100).collect::<Vec<_>>());
}
