//! What a core does between requests, in bounded slices: expired keys, memory of flushed tables,
//! deadlines of connections, figures for others to read.

use super::Shard;
use super::evict::{RECLAIM_BEFORE_EVICTION, RECLAIMS_PER_COMMAND};
use super::limits::{HANDSHAKE_DEADLINE_US, PARTIAL_DEADLINE_US};
use super::locks::LockKey;
use super::snapshot::LOOK_EVERY_US;
use crate::command::hashes;
use crate::command::session::{Closing, SessionId};
use crate::config::{NotifyClasses, OutputClass};
use crate::effect::{Effect, Gone};

/// Index visits a slice of expiry may take: about 100 us at the worst.
const EXPIRY_VISITS: usize = 4096;

/// Fields of hashes a slice of expiry may remove: about 2.5 us each in a hash of ten million, where
/// most lie in different pages and the earliest deadline is sought anew for each (512 of them took
/// 1.3 ms; `freehold-bench big --type hash`).
const EXPIRED_FIELDS: usize = 64;

/// Entries a slice of reclaiming may free.
const RECLAIM_ENTRIES: usize = 1024;

/// Keys evicted by a slice of upkeep while the core is over its share.
const EVICTIONS: usize = 128;

/// Deadlines of expiry are kept to this grain.
const EXPIRY_TICK_US: u64 = 32_000;

/// Figures and deadlines are looked at this often.
const SECOND_HAND_US: u64 = 100_000;

/// Timers of upkeep, on the monotonic clock.
#[derive(Default)]
pub struct Upkeep {
    next_expiry_us: u64,
    next_second_hand_us: u64,
    /// Figures at the last look, for rates.
    commands_before: u64,
    input_before: u64,
    output_before: u64,
    looked_at_us: u64,
    more_expiry: bool,
    more_reclaim: bool,
}

impl Shard {
    /// One bounded slice. True when there is more to do at once.
    pub fn upkeep(&mut self) -> bool {
        let now_us = self.core.now.mono_us;
        self.end_pause();
        self.end_late_waits();
        // A key that is overdue may be given another deadline by what is still to be read, and what
        // is too much may be deleted by it.
        let whole = !self.core.is_loading;
        if whole && self.awaits_snapshot() {
            self.look_at_saves();
        }
        if self.awaits_end() {
            self.look_at_endings();
        }
        self.run_backlog();
        self.settle();
        if whole && (self.upkeep.more_expiry || now_us >= self.upkeep.next_expiry_us) {
            self.upkeep.next_expiry_us = now_us + EXPIRY_TICK_US;
            let rests = !self.core.active_expiry || self.pause.ending;
            self.upkeep.more_expiry = !rests && self.expire_slice();
        }
        self.upkeep.more_reclaim = self.core.keyspace.reclaim_slice(RECLAIM_ENTRIES);
        if now_us >= self.upkeep.next_second_hand_us {
            self.upkeep.next_second_hand_us = now_us + SECOND_HAND_US;
            self.second_hand();
        }
        let more_eviction = whole && self.evict_surplus();
        self.ask_for_room();
        let more_dump = self.look_after_dumps();
        self.serve_ready(); // what has expired or was evicted, a group's stream perhaps
        self.publish_outgoing();
        self.publish();
        if self.pause.ending {
            self.look_after_held_writes();
        }
        more_eviction
            || more_dump
            || self.upkeep.more_expiry
            || self.upkeep.more_reclaim
            || !self.backlog.is_empty()
    }

    /// When upkeep next has something to do, in microseconds from now.
    pub fn next_wake_us(&self) -> u64 {
        let mut next = self.upkeep.next_second_hand_us;
        let expires = self.core.active_expiry && !self.core.is_loading;
        if expires && self.core.keyspace.has_deadlines() {
            next = next.min(self.upkeep.next_expiry_us);
        }
        if self.pause.until_mono_us > 0 {
            next = next.min(self.pause.until_mono_us);
        }
        let awaits = self.awaits_snapshot() || self.dumps.awaits_turn();
        if awaits || self.awaits_end() || self.pause.ending {
            next = next.min(self.core.now.mono_us + LOOK_EVERY_US);
        }
        next = next.min(self.blocked.next_deadline_us().unwrap_or(u64::MAX));
        next.saturating_sub(self.core.now.mono_us)
    }

    fn end_pause(&mut self) {
        let until = self.pause.until_mono_us;
        if self.pause.armed && until <= self.core.now.mono_us {
            self.pause.armed = false;
            self.pause.until_mono_us = 0;
            self.requeue_backlog();
        }
    }

    fn expire_slice(&mut self) -> bool {
        let (core, locks) = (&mut self.core, &self.locks);
        let more_fields = hashes::sweep(core, EXPIRED_FIELDS, |fingerprint| {
            locks.blocks(LockKey { fingerprint, write: true })
        });
        let (effects, stats) = (&mut core.effects, &mut core.stats);
        let more_keys = core.keyspace.expire_slice(core.now.unix_ms, EXPIRY_VISITS, |db, key| {
            stats.expired_keys += 1;
            effects.push(Effect::Delete { db, key, gone: Gone::Expired });
            effects.notify(NotifyClasses::EXPIRED, "expired", db, key);
        });
        more_keys || more_fields
    }

    /// Figures for the other cores.
    pub(super) fn publish(&self) {
        self.board.core(self.core.id).publish(
            self.core.memory_used_bytes(),
            self.core.sessions.len() as u64,
            self.core.stats.commands_processed,
        );
        if self.core.memory_limit_bytes.is_some() {
            let keys = self.core.evictable_keys();
            self.board.core(self.core.id).publish_evictable_keys(keys);
        }
    }

    /// Figures and rules are looked at in the next turn.
    pub(super) fn hurry_second_hand(&mut self) {
        self.upkeep.next_second_hand_us = 0;
    }

    fn second_hand(&mut self) {
        self.board.core(self.core.id).publish_changes(self.core.effects.changes());
        self.follow_save_rules();
        self.follow_appendonly();
        self.follow_growth();
        let now_us = self.core.now.mono_us;
        let used = self.board.memory_used_bytes().max(0) as u64;
        let stats = &mut self.core.stats;
        stats.used_memory_peak_bytes = stats.used_memory_peak_bytes.max(used);
        let passed = (now_us - self.upkeep.looked_at_us).max(1) as f64 / 1e6;
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / passed;
        stats.ops_per_sec = rate(stats.commands_processed, self.upkeep.commands_before) as u64;
        stats.input_kbps = rate(stats.net_input_bytes, self.upkeep.input_before) / 1024.0;
        stats.output_kbps = rate(stats.net_output_bytes, self.upkeep.output_before) / 1024.0;
        self.upkeep.commands_before = stats.commands_processed;
        self.upkeep.input_before = stats.net_input_bytes;
        self.upkeep.output_before = stats.net_output_bytes;
        self.upkeep.looked_at_us = now_us;
        self.judge_connections();
        // A burst of long values leaves parcels of 256 KiB behind.
        self.spare_parcels.drain(..self.spare_parcels_low);
        self.spare_parcels_low = self.spare_parcels.len();
    }

    /// After CONFIG SET maxmemory, or when other cores have taken room: back under the share.
    /// True when there is more to evict. What a large key has left behind goes before anything
    /// living: while its memory was still being freed, everything else was evicted for it.
    fn evict_surplus(&mut self) -> bool {
        let Some(limit) = self.core.memory_limit_bytes else { return false };
        let mut reclaims = 0;
        for _ in 0..EVICTIONS {
            if self.core.limited_bytes() <= limit {
                return false;
            }
            if self.core.keyspace.has_leavings() {
                if reclaims == RECLAIMS_PER_COMMAND {
                    break;
                }
                self.core.keyspace.reclaim_slice(RECLAIM_BEFORE_EVICTION);
                reclaims += 1;
            } else if !self.core.evict_one() {
                return false;
            }
        }
        true
    }

    /// Deadlines of connections: `timeout`, the handshake's, a partial request's, the output's soft
    /// limit. Walks all connections: 10,000 of them take about 100 us ten times a second.
    fn judge_connections(&mut self) {
        let now_us = self.core.now.mono_us;
        let config = self.core.config.clone();
        let idle_us = u64::from(config.timeout_s) * 1_000_000;
        let limits = [OutputClass::Normal, OutputClass::PubSub].map(|c| config.output_limit(c));
        let mut over: Vec<SessionId> = Vec::new();
        let mut slow: Vec<SessionId> = Vec::new();
        for (id, session) in self.core.sessions.iter() {
            let connection = &mut self.connections[id.0 as usize];
            let pending = connection.output_bytes() as u64;
            let listens = session.listening.is_some();
            let limit = limits[usize::from(listens)];
            let soft = limit.soft_bytes > 0 && pending > limit.soft_bytes;
            connection.soft_limit_since_us =
                if soft { connection.soft_limit_since_us.or(Some(now_us)) } else { None };
            let since = |start: Option<u64>| start.map_or(0, |start| now_us - start);
            let slow_reader = limit.hard_bytes > 0 && pending > limit.hard_bytes
                || soft
                    && since(connection.soft_limit_since_us)
                        > u64::from(limit.soft_seconds) * 1_000_000;
            let idle = now_us - session.active_mono_us;
            let late = !session.authenticated
                && now_us - session.connected_mono_us > HANDSHAKE_DEADLINE_US
                || since(connection.partial_since_us) > PARTIAL_DEADLINE_US
                || idle_us > 0 && idle > idle_us && !connection.alone && !listens;
            // A copy of the data has bounds of its own, and one value of it may be of any length.
            if slow_reader && !session.replica.copies {
                slow.push(id);
            } else if late {
                over.push(id);
            }
        }
        slow.into_iter().for_each(|id| self.close_slow_reader(id));
        for id in over {
            if let Some(session) = self.core.sessions.get_mut(id) {
                session.closing = Closing::Now;
            }
            self.mark_dirty(id);
        }
    }
}
