//! Counters of one core: plain integers, summed over cores when somebody asks.

use std::collections::BTreeMap;

/// One command's figures. Times are sampled: one call in [`SAMPLE_EVERY`] is timed and stands for
/// all of them, because two clock reads cost a sixth of a pipelined GET.
#[derive(Clone, Debug, Default)]
pub struct CommandStats {
    pub calls: u64,
    pub rejected_calls: u64,
    pub failed_calls: u64,
    pub usec: u64,
    /// Sampled durations: bucket i counts those below 2^i ns.
    pub buckets: Option<Box<[u32; LATENCY_BUCKETS]>>,
}

/// One call in this many is timed, per core.
pub const SAMPLE_EVERY: u32 = 16;
/// 2^40 ns is eighteen minutes; nothing a command does takes longer.
pub const LATENCY_BUCKETS: usize = 40;

impl CommandStats {
    /// Counts a sampled duration for the calls it stands for.
    pub fn record_sample(&mut self, took_ns: u64) {
        self.usec += took_ns.saturating_mul(u64::from(SAMPLE_EVERY)) / 1000;
        let bucket = (64 - took_ns.leading_zeros() as usize).min(LATENCY_BUCKETS - 1);
        let buckets = self.buckets.get_or_insert_with(|| Box::new([0; LATENCY_BUCKETS]));
        buckets[bucket] += 1;
    }

    pub fn merge(&mut self, other: &CommandStats) {
        self.calls += other.calls;
        self.rejected_calls += other.rejected_calls;
        self.failed_calls += other.failed_calls;
        self.usec += other.usec;
        if let Some(theirs) = &other.buckets {
            let ours = self.buckets.get_or_insert_with(|| Box::new([0; LATENCY_BUCKETS]));
            ours.iter_mut().zip(theirs.iter()).for_each(|(a, b)| *a += b);
        }
    }

    /// The upper edge, in microseconds, of the bucket that holds quantile `q` (0..=1).
    pub fn percentile_us(&self, q: f64) -> f64 {
        let Some(buckets) = &self.buckets else { return 0.0 };
        let total: u64 = buckets.iter().map(|&n| u64::from(n)).sum();
        let rank = (q * total as f64).ceil() as u64;
        let mut seen = 0;
        for (bit, &count) in buckets.iter().enumerate() {
            seen += u64::from(count);
            if seen >= rank {
                return (1u64 << bit) as f64 / 1000.0;
            }
        }
        0.0
    }
}

/// The counters of one core.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    pub commands_processed: u64,
    pub connections_received: u64,
    pub connections_rejected: u64,
    pub keyspace_hits: u64,
    pub keyspace_misses: u64,
    pub expired_keys: u64,
    pub expire_cycle_us: u64,
    pub evicted_keys: u64,
    pub evicted_clients: u64,
    pub net_input_bytes: u64,
    pub net_output_bytes: u64,
    pub reads_processed: u64,
    pub writes_processed: u64,
    pub query_limit_disconnections: u64,
    pub output_limit_disconnections: u64,
    pub auth_denied: u64,
    pub forwarded_commands: u64,
    pub transactions: u64,
    pub transactions_retried: u64,
    pub turns: u64,
    pub turn_us: u64,
    /// Changes since the node started: what `rdb_changes_since_last_save` counts.
    pub changes: u64,
    pub ops_per_sec: u64,
    pub input_kbps: f64,
    pub output_kbps: f64,
    /// Of the whole node, as this core has seen it.
    pub used_memory_peak_bytes: u64,
    pub commands: Vec<CommandStats>,
    /// Error replies by first word.
    pub errors: BTreeMap<String, u64>,
    pub error_replies: u64,
}

/// Distinct error words counted; more would let a caller grow the table (Redis stops at 128).
pub const ERROR_KINDS_MAX: usize = 128;

impl Stats {
    pub fn count_error(&mut self, code: String) {
        self.error_replies += 1;
        if let Some(count) = self.errors.get_mut(&code) {
            *count += 1;
        } else if self.errors.len() < ERROR_KINDS_MAX {
            self.errors.insert(code, 1);
        }
    }

    /// CONFIG RESETSTAT: counters start again, what describes the present stays.
    pub fn reset(&mut self) {
        let commands = self.commands.len();
        *self = Stats {
            changes: self.changes,
            commands: vec![CommandStats::default(); commands],
            ..Stats::default()
        };
    }

    /// Adds another core's counters.
    pub fn merge(&mut self, other: &Stats) {
        macro_rules! add {
            ($($field:ident),*) => { $( self.$field += other.$field; )* };
        }
        add!(
            commands_processed,
            connections_received,
            connections_rejected,
            keyspace_hits,
            keyspace_misses,
            expired_keys,
            expire_cycle_us,
            evicted_keys,
            evicted_clients,
            net_input_bytes,
            net_output_bytes,
            reads_processed,
            writes_processed,
            query_limit_disconnections,
            output_limit_disconnections,
            auth_denied,
            forwarded_commands,
            transactions,
            transactions_retried,
            turns,
            turn_us,
            changes,
            ops_per_sec,
            input_kbps,
            output_kbps,
            error_replies
        );
        self.used_memory_peak_bytes = self.used_memory_peak_bytes.max(other.used_memory_peak_bytes);
        if self.commands.len() < other.commands.len() {
            self.commands.resize(other.commands.len(), CommandStats::default());
        }
        self.commands.iter_mut().zip(&other.commands).for_each(|(a, b)| a.merge(b));
        for (code, count) in &other.errors {
            *self.errors.entry(code.clone()).or_default() += count;
        }
    }
}
