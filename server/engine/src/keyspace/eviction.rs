//! Which key goes when memory is full, as in Redis 7 (`evict.c`): no list is kept; a few keys are
//! sampled, the best candidates seen so far wait in a pool of sixteen, and the best of them goes.
//!
//! The access clock of an entry has 24 bits. Under LRU policies it is the time of the last use in
//! quarter seconds (Redis: seconds), which wraps after 48 days; under LFU policies 16 bits of
//! minutes and a logarithmic counter of uses, which decays. When the policy changes between the
//! two, old clocks mislead for a while, as in Redis.

use super::{EntryRef, Keyspace};
use crate::base::random::Random;
use crate::base::time::UnixMillis;
use crate::config::Policy;

/// Bits of an access clock.
const CLOCK_MASK: u32 = (1 << 24) - 1;

/// Resolution of the LRU clock.
const LRU_TICK_MS: i64 = 250;

/// What a new key's counter starts with, so that it is not the first to go (`LFU_INIT_VAL`).
const LFU_START: u8 = 5;

/// Candidates that wait in the pool (`EVPOOL_SIZE`).
const POOL_SIZE: usize = 16;

/// How counting of uses is tuned.
#[derive(Clone, Copy, Debug)]
pub struct LfuTuning {
    /// lfu-log-factor: the larger, the more uses it takes to reach the top.
    pub log_factor: u32,
    /// lfu-decay-time: minutes after which a counter loses one; 0 never.
    pub decay_minutes: u32,
}

/// How candidates are found and weighed.
#[derive(Clone, Copy, Debug)]
pub struct Tuning {
    pub policy: Policy,
    /// maxmemory-samples.
    pub samples: usize,
    pub now: UnixMillis,
    pub lfu_decay_minutes: u32,
}

/// The access clock of a key that is written now.
pub fn fresh_access(now: UnixMillis, lfu: bool) -> u32 {
    if lfu { lfu_clock(lfu_minutes(now), LFU_START) } else { lru_clock(now) }
}

/// The LRU clock: quarter seconds, modulo 2^24.
#[inline]
pub fn lru_clock(now: UnixMillis) -> u32 {
    now.0.div_euclid(LRU_TICK_MS) as u32 & CLOCK_MASK
}

/// The longest idle time the LRU clock can tell.
pub const LRU_IDLE_MAX_MS: i64 = CLOCK_MASK as i64 * LRU_TICK_MS;

/// How long a key has not been used, from its LRU clock; to a quarter of a second.
pub fn lru_idle_ms(access: u32, now: UnixMillis) -> u64 {
    let ticks = lru_clock(now).wrapping_sub(access) & CLOCK_MASK;
    u64::from(ticks) * LRU_TICK_MS as u64
}

/// The counter of a key at `now`, from its LFU clock, decayed by the time since it was used.
pub fn lfu_count(access: u32, now: UnixMillis, decay_minutes: u32) -> u8 {
    let used_at = (access >> 8) as u16;
    let idle_minutes = u32::from(lfu_minutes(now).wrapping_sub(used_at));
    let lost = idle_minutes.checked_div(decay_minutes).unwrap_or(0);
    (access as u8).saturating_sub(lost.min(u32::from(u8::MAX)) as u8)
}

/// The LFU clock of a key that is used now: decays, then counts this use with a probability that
/// falls with the count. `chance` is uniform in 0..1.
pub fn lfu_touch(access: u32, now: UnixMillis, tuning: &LfuTuning, chance: f64) -> u32 {
    let count = lfu_count(access, now, tuning.decay_minutes);
    let above_start = f64::from(count.saturating_sub(LFU_START));
    let probability = 1.0 / (above_start * f64::from(tuning.log_factor) + 1.0);
    let counts = count < u8::MAX && chance < probability;
    lfu_clock(lfu_minutes(now), count + u8::from(counts))
}

fn lfu_minutes(now: UnixMillis) -> u16 {
    now.0.div_euclid(60_000) as u16
}

fn lfu_clock(minutes: u16, count: u8) -> u32 {
    u32::from(minutes) << 8 | u32::from(count)
}

/// A key that may go.
#[derive(Debug)]
struct Candidate {
    /// The higher, the sooner it goes.
    score: u64,
    db: u8,
    key: Vec<u8>,
}

/// The best candidates seen so far, the best one last.
#[derive(Default, Debug)]
pub struct Pool {
    candidates: Vec<Candidate>,
    /// What the scores mean.
    policy: Option<Policy>,
    /// Buffer of a candidate that dropped out.
    spare: Vec<u8>,
    /// Random policies take the databases in turn.
    next_db: usize,
}

impl Pool {
    /// The key that should go next, with its database; `None` when the policy allows none. It is
    /// there and, where the policy asks for one, has a deadline.
    pub fn choose(
        &mut self,
        keyspace: &Keyspace,
        tuning: &Tuning,
        random: &mut Random,
    ) -> Option<(u8, Vec<u8>)> {
        match tuning.policy {
            Policy::NoEviction => None,
            Policy::AllKeysRandom | Policy::VolatileRandom => {
                self.choose_random(keyspace, tuning.policy.is_volatile(), random)
            }
            _ => self.choose_best(keyspace, tuning, random),
        }
    }

    fn choose_random(
        &mut self,
        keyspace: &Keyspace,
        volatile: bool,
        random: &mut Random,
    ) -> Option<(u8, Vec<u8>)> {
        for _ in 0..keyspace.databases() {
            self.next_db = (self.next_db + 1) % keyspace.databases();
            let db = self.next_db as u8;
            let mut chosen = None;
            keyspace.sample(db, random, volatile, 1, |entry| chosen = Some(entry.key().to_vec()));
            if let Some(key) = chosen {
                return Some((db, key));
            }
        }
        None
    }

    fn choose_best(
        &mut self,
        keyspace: &Keyspace,
        tuning: &Tuning,
        random: &mut Random,
    ) -> Option<(u8, Vec<u8>)> {
        if self.policy != Some(tuning.policy) {
            self.candidates.clear();
            self.policy = Some(tuning.policy);
        }
        let volatile = tuning.policy.is_volatile();
        let eligible = |db| if volatile { keyspace.expires(db) > 0 } else { keyspace.len(db) > 0 };
        let dbs = || (0..keyspace.databases()).map(|db| db as u8).filter(|db| eligible(*db));
        // A round that finds only what has gone meanwhile empties the pool, the next one fills it
        // with what is there now.
        for _ in 0..2 {
            for db in dbs() {
                keyspace.sample(db, random, volatile, tuning.samples, |entry| {
                    self.offer(score(&entry, tuning), db, entry.key());
                });
            }
            while let Some(Candidate { db, key, .. }) = self.candidates.pop() {
                let entry = keyspace.get(db, &keyspace.key_ref(&key));
                if entry.is_some_and(|entry| !volatile || entry.expiry().is_some()) {
                    return Some((db, key));
                }
            }
        }
        None
    }

    /// Takes a candidate in if it is better than the worst or there is room.
    fn offer(&mut self, score: u64, db: u8, key: &[u8]) {
        if let Some(known) = self.candidates.iter().position(|c| c.db == db && c.key == key) {
            self.spare = self.candidates.remove(known).key;
        }
        let mut rank = self.candidates.partition_point(|candidate| candidate.score < score);
        if self.candidates.len() == POOL_SIZE {
            if rank == 0 {
                return;
            }
            self.spare = self.candidates.remove(0).key;
            rank -= 1;
        }
        let mut buffer = std::mem::take(&mut self.spare);
        buffer.clear();
        buffer.extend_from_slice(key);
        self.candidates.insert(rank, Candidate { score, db, key: buffer });
    }
}

/// How much an entry deserves to go.
fn score(entry: &EntryRef<'_>, tuning: &Tuning) -> u64 {
    if tuning.policy.is_lru() {
        return lru_idle_ms(entry.access(), tuning.now);
    }
    if tuning.policy.is_lfu() {
        let count = lfu_count(entry.access(), tuning.now, tuning.lfu_decay_minutes);
        return u64::from(u8::MAX - count);
    }
    // The nearest deadline goes first: signed order, turned round.
    let deadline = entry.expiry().map_or(i64::MAX, |deadline| deadline.0);
    !(deadline as u64 ^ 1 << 63)
}

#[cfg(test)]
mod tests;
