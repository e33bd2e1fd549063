//! Configuration as a value: an immutable struct that is replaced whole. Every core holds a copy,
//! reads plain fields, and gets a new copy when CONFIG SET has changed something; there is no
//! lock, no atomic and no half-applied change.
//!
//! [`table`] says which options exist, [`value`] what their values may be, [`kinds`] holds the
//! types with a meaning of their own, [`file`] reads redis.conf syntax line by line, and
//! [`rewrite`] gives an old file back with the present values in it.

pub mod file;
pub mod kinds;
pub mod notify;
pub mod rewrite;
pub mod table;
pub mod value;
mod words;

use crate::base::glob::{self, Case};
use std::collections::BTreeMap;
use std::fmt;
use table::{Change, OptionRow};
use value::Parsed;

pub use file::{FileError, Loader, Step, parse_file};
pub use kinds::{
    Appendfsync, ClusterView, LogFormat, LogLevel, MemoryCap, OutputClass, OutputLimit, Permission,
    Policy, SnapshotFormat,
};
pub use notify::NotifyClasses;
pub use rewrite::rewrite;
pub use words::split as split_words;

/// Every option with a meaning, by the unit it is counted in. The rows of [`table`] say what each
/// one does, its default and its bounds.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    pub port: u16,
    pub bind: Vec<String>,
    pub unixsocket: String,
    pub unixsocket_mode: u32,
    /// Zero takes every CPU of the process.
    pub cores: u16,
    pub cores_share_cpus: bool,
    /// Zero opens no core ports.
    pub core_port_base: u16,
    /// Zero wakes a core for each arrival.
    pub gather_us: u32,
    pub protected_mode: bool,
    /// Empty asks for no password.
    pub requirepass: String,
    pub maxclients: u32,
    /// Zero closes no idle client.
    pub timeout_s: u32,
    pub tcp_keepalive_s: u32,
    pub tcp_backlog: u32,
    pub query_buffer_bytes_max: u64,
    /// In the order of [`OutputClass::ALL`]; [`Config::output_limit`] looks one up.
    pub output_limits: [OutputLimit; 3],
    pub clients_memory_max: MemoryCap,
    pub proto_max_bulk_bytes: u64,
    pub enable_debug_command: Permission,
    pub enable_protected_configs: Permission,
    pub dir: String,
    pub compat_version: String,

    /// Zero sets no limit.
    pub maxmemory_bytes: u64,
    pub maxmemory_policy: Policy,
    pub maxmemory_samples: u32,
    pub eviction_tenacity: u32,
    pub lfu_log_factor: u32,
    pub lfu_decay_minutes: u32,
    pub active_expire_effort: u32,
    /// 1 to 500.
    pub hz: u32,

    pub databases: u32,
    pub max_key_bytes: u32,
    pub value_soft_bytes: u64,
    pub value_hard_bytes: u64,
    pub notify: NotifyClasses,
    pub hash_max_listpack_entries: u64,
    pub hash_max_listpack_value_bytes: u64,
    pub list_max_listpack_size: i32,
    pub list_compress_depth: u32,
    pub set_max_intset_entries: u64,
    pub set_max_listpack_entries: u64,
    pub set_max_listpack_value_bytes: u64,
    pub zset_max_listpack_entries: u64,
    pub zset_max_listpack_value_bytes: u64,
    pub hll_sparse_max_bytes: u64,
    pub stream_node_max_bytes: u64,
    pub stream_node_max_entries: u64,

    pub persistence: Persistence,

    pub cluster_enabled: bool,
    pub cluster_view: ClusterView,
    pub cluster_databases: u32,
    pub cluster_announce_ip: String,
    /// Zero announces the port that is listened on.
    pub cluster_announce_port: u16,

    pub loglevel: LogLevel,
    /// Empty writes to standard output.
    pub logfile: String,
    pub log_format: LogFormat,
    /// Negative switches the log off.
    pub slowlog_slower_than_us: i64,
    pub slowlog_entries_max: u64,
    /// Negative switches the log off, as for replies below.
    pub large_request_bytes: i64,
    pub large_request_entries: u64,
    pub large_reply_bytes: i64,
    pub large_reply_entries: u64,
    pub latency_monitor_threshold_ms: u64,
    pub latency_tracking: bool,
    pub latency_tracking_percentiles: Vec<f64>,

    /// The values of the options without a field, all of them.
    kept: BTreeMap<&'static str, Parsed>,
}

/// What is kept on disk, and when it is durable.
#[derive(Clone, PartialEq, Debug)]
pub struct Persistence {
    /// Whether changes are logged.
    pub appendonly: bool,
    pub appendfsync: Appendfsync,
    /// Where logs and snapshots are, below `dir`.
    pub appenddirname: String,
    /// By so many percent snapshot and log grow before a snapshot is taken for it; 0 for ever.
    pub rewrite_percentage: u32,
    pub rewrite_min_bytes: u64,
    /// Pairs of words: after so many seconds, if so many keys have changed.
    pub save: Vec<String>,
    pub snapshot_format: SnapshotFormat,
    /// The RDB file in `dir` that such a snapshot is followed by.
    pub dbfilename: String,
    /// A start goes on though records are missing between others.
    pub log_load_gaps: bool,
    /// Waited after each effect while a node loads.
    pub key_load_delay_us: u32,
    /// How long a client may read nothing of a copy of the data.
    pub repl_timeout_s: u32,
    /// How signals end the node, in the words of SHUTDOWN.
    pub shutdown_on_sigint: Vec<String>,
    pub shutdown_on_sigterm: Vec<String>,
}

/// Why CONFIG SET changed nothing. Displays as Redis 7.0.15 answers, without the leading `ERR`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConfigError {
    /// There is no option of this name.
    Unknown { name: String },
    /// The option is there, but not for this value or not now.
    Refused { name: String, reason: String },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unknown { name } => {
                write!(f, "Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            ConfigError::Refused { name, reason } => {
                write!(f, "CONFIG SET failed (possibly related to argument '{name}') - {reason}")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Where the client sits that asks for a change: protected options tell them apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Connected over the loopback or a Unix socket.
    ThisHost,
    /// Connected from elsewhere.
    Elsewhere,
}

impl Config {
    /// The limit of a class of clients on what they leave unread.
    pub fn output_limit(&self, class: OutputClass) -> OutputLimit {
        self.output_limits[class as usize]
    }

    /// How many databases SELECT can choose from in the present mode.
    pub fn databases_in_use(&self) -> u32 {
        if self.cluster_enabled { self.cluster_databases } else { self.databases }
    }

    /// The options whose name or alias matches one of the patterns, in the order of the table,
    /// each name once, with their values as text. As CONFIG GET: globs, in any case.
    pub fn get<P: AsRef<[u8]>>(&self, patterns: &[P]) -> Vec<(&'static str, String)> {
        let asked = |name: &str| {
            patterns
                .iter()
                .any(|pattern| glob::matches(pattern.as_ref(), name.as_bytes(), Case::Insensitive))
        };
        let mut found = Vec::new();
        for row in table::rows() {
            for name in row.names().filter(|name| asked(name)) {
                found.push((name, self.text(row)));
            }
        }
        found
    }

    /// The value of one option as CONFIG GET prints it.
    pub fn text(&self, row: &OptionRow) -> String {
        row.kind.show(&row.value(self))
    }

    /// A copy with all of `changes` applied, as CONFIG SET of several options: all or nothing.
    ///
    /// # Errors
    /// The first change that cannot be made, in the order given: an unknown name, an option that
    /// only changes at start or is protected from `caller`, one named twice, a value that its
    /// kind refuses, or options that contradict each other.
    pub fn with<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &self,
        changes: &[(N, V)],
        caller: Caller,
    ) -> Result<Config, ConfigError> {
        let mut rows = Vec::with_capacity(changes.len());
        for (index, (name, _)) in changes.iter().enumerate() {
            let row = self.changeable(name.as_ref(), caller)?;
            let before = changes[..index].iter();
            if before
                .into_iter()
                .any(|(other, _)| other.as_ref().eq_ignore_ascii_case(name.as_ref()))
            {
                return Err(refused(name.as_ref(), "duplicate parameter"));
            }
            rows.push(row);
        }
        let mut config = self.clone();
        for (row, (name, value)) in rows.iter().zip(changes) {
            let refuse = |reason: String| refused(name.as_ref(), &reason);
            let value = std::str::from_utf8(value.as_ref())
                .map_err(|_| refused(name.as_ref(), "argument must be UTF-8 text"))?;
            let parsed = row.kind.parse_argument(value).map_err(refuse)?;
            row.assign(&mut config, parsed).map_err(refuse)?;
        }
        config.settle().map_err(|(option, reason)| {
            let blamed = rows.iter().position(|row| row.name == option).unwrap_or(0);
            let name = changes.get(blamed).map_or(option.as_bytes(), |change| change.0.as_ref());
            refused(name, reason)
        })?;
        Ok(config)
    }

    fn changeable(&self, name: &[u8], caller: Caller) -> Result<&'static OptionRow, ConfigError> {
        let Some(row) = table::find(name) else {
            return Err(ConfigError::Unknown { name: String::from_utf8_lossy(name).into_owned() });
        };
        let allowed = self.enable_protected_configs.allows(caller == Caller::ThisHost);
        match row.change {
            Change::AtStart => Err(refused(name, "can't set immutable config")),
            Change::Protected if !allowed => Err(refused(name, "can't set protected config")),
            Change::Protected | Change::AtRunTime => Ok(row),
        }
    }

    /// Brings values into their working range and checks those that depend on each other. Names
    /// the option to blame.
    fn settle(&mut self) -> Result<(), (&'static str, &'static str)> {
        self.hz = self.hz.clamp(1, 500); // Redis accepts any and clamps silently
        if self.value_soft_bytes > self.value_hard_bytes {
            return Err(("value-soft-bytes", "value-soft-bytes must not exceed value-hard-bytes"));
        }
        if self.cluster_view == ClusterView::Core && self.core_port_base == 0 {
            return Err(("cluster-view", "cluster-view core needs core-port-base"));
        }
        let last_core_port = u32::from(self.core_port_base) + u32::from(self.cores);
        if self.core_port_base != 0 && last_core_port > 65_536 {
            return Err(("core-port-base", "core-port-base + cores goes beyond port 65535"));
        }
        Ok(())
    }

    fn kept_value(&self, name: &'static str) -> Parsed {
        self.kept[name].clone() // Default stores every row's value
    }

    fn keep(&mut self, name: &'static str, value: Parsed) {
        self.kept.insert(name, value);
    }
}

impl Default for Config {
    /// What the server does when nobody says anything.
    fn default() -> Config {
        let mut config = blank();
        for row in table::rows() {
            row.reset(&mut config);
        }
        config
    }
}

fn refused(name: &[u8], reason: &str) -> ConfigError {
    ConfigError::Refused {
        name: String::from_utf8_lossy(name).into_owned(),
        reason: reason.to_owned(),
    }
}

const NO_PERSISTENCE: Persistence = Persistence {
    appendonly: false,
    appendfsync: Appendfsync::No,
    appenddirname: String::new(),
    rewrite_percentage: 0,
    rewrite_min_bytes: 0,
    save: Vec::new(),
    snapshot_format: SnapshotFormat::Freehold,
    dbfilename: String::new(),
    log_load_gaps: false,
    key_load_delay_us: 0,
    repl_timeout_s: 0,
    shutdown_on_sigint: Vec::new(),
    shutdown_on_sigterm: Vec::new(),
};

/// Every field empty: the rows know the defaults.
fn blank() -> Config {
    Config {
        port: 0,
        bind: Vec::new(),
        unixsocket: String::new(),
        unixsocket_mode: 0,
        cores: 0,
        cores_share_cpus: false,
        core_port_base: 0,
        gather_us: 0,
        protected_mode: false,
        requirepass: String::new(),
        maxclients: 0,
        timeout_s: 0,
        tcp_keepalive_s: 0,
        tcp_backlog: 0,
        query_buffer_bytes_max: 0,
        output_limits: [OutputLimit::default(); 3],
        clients_memory_max: MemoryCap::Bytes(0),
        proto_max_bulk_bytes: 0,
        enable_debug_command: Permission::No,
        enable_protected_configs: Permission::No,
        dir: String::new(),
        compat_version: String::new(),
        maxmemory_bytes: 0,
        maxmemory_policy: Policy::NoEviction,
        maxmemory_samples: 0,
        eviction_tenacity: 0,
        lfu_log_factor: 0,
        lfu_decay_minutes: 0,
        active_expire_effort: 0,
        hz: 0,
        databases: 0,
        max_key_bytes: 0,
        value_soft_bytes: 0,
        value_hard_bytes: 0,
        notify: NotifyClasses::NONE,
        hash_max_listpack_entries: 0,
        hash_max_listpack_value_bytes: 0,
        list_max_listpack_size: 0,
        list_compress_depth: 0,
        set_max_intset_entries: 0,
        set_max_listpack_entries: 0,
        set_max_listpack_value_bytes: 0,
        zset_max_listpack_entries: 0,
        zset_max_listpack_value_bytes: 0,
        hll_sparse_max_bytes: 0,
        stream_node_max_bytes: 0,
        stream_node_max_entries: 0,
        persistence: NO_PERSISTENCE,
        cluster_enabled: false,
        cluster_view: ClusterView::Host,
        cluster_databases: 0,
        cluster_announce_ip: String::new(),
        cluster_announce_port: 0,
        loglevel: LogLevel::Notice,
        logfile: String::new(),
        log_format: LogFormat::Text,
        slowlog_slower_than_us: 0,
        slowlog_entries_max: 0,
        large_request_bytes: 0,
        large_request_entries: 0,
        large_reply_bytes: 0,
        large_reply_entries: 0,
        latency_monitor_threshold_ms: 0,
        latency_tracking: false,
        latency_tracking_percentiles: Vec::new(),
        kept: BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests;
