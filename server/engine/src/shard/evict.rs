//! Keeping a core within its share of `maxmemory`: before a command that may add, keys go until
//! there is room for what it brings.

use super::Shard;
use super::limits::{EVICTED_ELSEWHERE_BYTES, EVICTED_ELSEWHERE_PART, EVICTIONS_PER_COMMAND_MAX};
use super::parcel::Errand;
use crate::command::context::Core;
use crate::config::{NotifyClasses, Policy};
use crate::effect::{Effect, Gone};
use crate::mesh::CoreId;

impl Core {
    /// Makes room for `adding_bytes` within this core's share, in a bounded slice; false when
    /// nothing is left that may go, here or on the cores that would evict for this one.
    pub fn make_room(&mut self, adding_bytes: u64) -> bool {
        let Some(limit) = self.memory_limit_bytes else { return true };
        let limit = limit.saturating_sub_unsigned(adding_bytes);
        let before = self.limited_bytes();
        let mut reclaims = 0;
        for _ in 0..EVICTIONS_PER_COMMAND_MAX {
            let used = self.limited_bytes();
            if used <= limit {
                return true;
            }
            // What FLUSHALL or a large key has left behind goes before anything living.
            if self.keyspace.has_leavings() {
                let pays = before.saturating_sub_unsigned(adding_bytes) >= used;
                if pays && reclaims >= RECLAIMS_PER_COMMAND {
                    break;
                }
                self.keyspace.reclaim_slice(RECLAIM_BEFORE_EVICTION);
                reclaims += 1;
            } else if !self.evict_one() {
                return self.may_lean_on_others(limit);
            }
        }
        // There is more that can go, and upkeep goes on with it at once: Redis, too, lets the
        // command through rather than making it wait for all of it.
        true
    }

    /// Nothing may go here. Whether the others evict for this core, so that it may go beyond
    /// `limit`.
    #[cold]
    fn may_lean_on_others(&mut self, limit: i64) -> bool {
        let policy = self.config.maxmemory_policy;
        let leans = match policy {
            Policy::NoEviction => false,
            // With any key allowed to go, a core without keys is over its share because of the
            // others, who are evicting theirs; if they have any.
            _ if !policy.is_volatile() => self.keys_elsewhere,
            _ => self.limited_bytes().saturating_sub(limit) <= self.room_elsewhere_bytes,
        };
        self.leans_on_others |= leans;
        leans
    }

    /// How many keys the policy allows to go.
    pub fn evictable_keys(&self) -> u64 {
        let keyspace = &self.keyspace;
        let keys: usize = match self.config.maxmemory_policy {
            Policy::NoEviction => 0,
            policy if policy.is_volatile() => {
                keyspace.numbers().map(|db| keyspace.expires(db)).sum()
            }
            _ => keyspace.numbers().map(|db| keyspace.len(db)).sum(),
        };
        keys as u64
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
pub(super) const RECLAIM_BEFORE_EVICTION: usize = 256;

/// So often for one command, about 100 us, if that makes as much room as it needs. Without this
/// bound a key of a million fields that had been evicted held up commands for 4 ms each.
pub(super) const RECLAIMS_PER_COMMAND: usize = 4;

impl Shard {
    /// The room left under `maxmemory` is shared out anew each turn: every core may use what it
    /// uses plus an equal part of what nobody uses. What is too much goes where there are keys that
    /// may go, in proportion: a core that has run out of them cannot make room itself.
    pub(super) fn refresh_memory_limit(&mut self) {
        let maxmemory = self.core.config.maxmemory_bytes;
        if maxmemory == 0 {
            self.core.memory_limit_bytes = None;
            return;
        }
        let mine = self.core.memory_used_bytes();
        let published = self.board.core(self.core.id);
        let others = self.board.memory_used_bytes() - published.memory_used_bytes();
        let keys_elsewhere = self.board.evictable_keys() - published.evictable_keys();
        let maxmemory = i64::try_from(maxmemory).unwrap_or(i64::MAX);
        let free = maxmemory.saturating_sub(mine + others);
        let part = if free < 0 && keys_elsewhere > 0 {
            let keys = self.core.evictable_keys();
            (i128::from(free) * i128::from(keys) / i128::from(keys + keys_elsewhere)) as i64
        } else {
            free / i64::from(self.core.cores)
        };
        self.core.memory_limit_bytes = Some(mine + part);
        self.core.used_then_bytes = mine;
        self.core.data_then_bytes = self.core.data_bytes();
        let beyond = (maxmemory / EVICTED_ELSEWHERE_PART).max(EVICTED_ELSEWHERE_BYTES);
        let left = free.saturating_sub(part).saturating_add(beyond);
        self.core.keys_elsewhere = keys_elsewhere > 0;
        self.core.room_elsewhere_bytes = if self.core.keys_elsewhere { left } else { 0 };
    }

    /// Where others evict for this core, those who can take a turn for it at once: a core that has
    /// nothing else to do would sleep on.
    pub(super) fn ask_for_room(&mut self) {
        if !std::mem::take(&mut self.core.leans_on_others) {
            return;
        }
        for core in (0..self.core.cores).map(CoreId) {
            if core != self.core.id && self.board.core(core).evictable_keys() > 0 {
                self.tell(core, Errand::MakeRoom);
            }
        }
    }
}
