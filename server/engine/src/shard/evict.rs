//! Keeping a core within its share of `maxmemory`: before a command that may add, keys go until
//! there is room for what it brings.

use super::Shard;
use super::limits::EVICTIONS_PER_COMMAND_MAX;
use crate::command::context::Core;
use crate::config::{NotifyClasses, Policy};
use crate::effect::{Effect, Gone};

impl Core {
    /// Makes room for `adding_bytes` within this core's share, in a bounded slice; false when
    /// nothing is left that may go.
    pub fn make_room(&mut self, adding_bytes: u64) -> bool {
        let Some(limit) = self.memory_limit_bytes else { return true };
        let limit = limit.saturating_sub_unsigned(adding_bytes);
        for _ in 0..EVICTIONS_PER_COMMAND_MAX {
            if self.memory_used_bytes() <= limit {
                return true;
            }
            if self.keyspace.reclaim_slice(RECLAIM_BEFORE_EVICTION) {
                continue; // what FLUSHALL left behind goes before anything living
            }
            if !self.evict_one() {
                // With any key allowed to go, a core without keys is over its share because of the
                // others, who are evicting theirs.
                let policy = self.config.maxmemory_policy;
                return !policy.is_volatile() && policy != Policy::NoEviction;
            }
        }
        // There is more that can go, and upkeep goes on with it at once: Redis, too, lets the
        // command through rather than making it wait for all of it.
        true
    }

    /// Evicts the best candidate the policy finds; false when there is none.
    pub fn evict_one(&mut self) -> bool {
        let policy = self.config.maxmemory_policy;
        let tuning = crate::keyspace::eviction::Tuning {
            policy,
            samples: self.config.maxmemory_samples as usize,
            now: self.now.unix_ms,
            lfu_decay_minutes: self.config.lfu_decay_minutes,
        };
        let found = self.pool.choose(&self.keyspace, &tuning, &mut self.random);
        let Some((db, key)) = found else { return false };
        let key = self.keyspace.key_ref(&key);
        if !self.keyspace.remove(db, &key) {
            return true; // it was a stale candidate; the next look finds another
        }
        self.stats.evicted_keys += 1;
        self.effects.push(Effect::Delete { db, key: key.bytes, gone: Gone::Evicted });
        self.effects.notify(NotifyClasses::EVICTED, "evicted", db, key.bytes);
        true
    }
}

/// Entries freed from flushed tables at a time before living keys are touched.
const RECLAIM_BEFORE_EVICTION: usize = 256;

impl Shard {
    /// The room left under `maxmemory` is shared out anew each turn: every core may use what it
    /// uses plus an equal part of what nobody uses.
    pub(super) fn refresh_memory_limit(&mut self) {
        let maxmemory = self.core.config.maxmemory_bytes;
        if maxmemory == 0 {
            self.core.memory_limit_bytes = None;
            return;
        }
        let mine = self.core.memory_used_bytes();
        let published = self.board.core(self.core.id).memory_used_bytes();
        let others = self.board.memory_used_bytes() - published;
        let maxmemory = i64::try_from(maxmemory).unwrap_or(i64::MAX);
        let free = maxmemory.saturating_sub(mine + others);
        self.core.memory_limit_bytes = Some(mine + free / i64::from(self.core.cores));
    }
}
