//! What the engine is handed from outside: figures of the process, a clock for statistics, and the
//! few deeds a command may ask of the server. The engine itself makes no system call.

use crate::config::Config;

/// Figures of the process that only the operating system knows.
#[derive(Clone, Debug, Default)]
pub struct ProcessFigures {
    pub resident_bytes: u64,
    pub total_system_memory_bytes: u64,
    pub cpu_user_us: u64,
    pub cpu_system_us: u64,
    pub thread_cpu_user_us: u64,
    pub thread_cpu_system_us: u64,
}

/// The world outside, as the server or a test presents it.
pub trait Host: Send + Sync {
    /// Bytes the calling thread has allocated minus those it has freed. Negative when it has freed
    /// what others allocated: only the sum over all cores is an amount of memory.
    fn memory_used_bytes(&self) -> i64;
    /// A monotonic clock for statistics only; no decision rests on it.
    fn ticks_ns(&self) -> u64;
    fn process(&self) -> ProcessFigures;
    /// CONFIG REWRITE.
    ///
    /// # Errors
    /// What kept the file from being written, as a sentence.
    fn rewrite_config(&self, config: &Config) -> Result<(), String>;
    /// The directory of logs and snapshots is there, and ours.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    fn open_data(&self) -> Result<(), String>;
}

/// What never changes while the node runs.
pub struct Node {
    pub host: Box<dyn Host>,
    /// 40 hex digits, new at each start.
    pub run_id: String,
    /// 40 hex digits a core: the cluster ids its core ports advertise.
    pub core_ids: Vec<String>,
    pub process_id: u32,
    pub executable: String,
    pub config_file: String,
    pub os: String,
    pub started_unix_ms: i64,
    /// The plain port in use (the kernel's choice when 0 was asked for).
    pub port: u16,
    /// One a core, empty when core ports are off.
    pub core_ports: Vec<u16>,
    /// The commit and toolchain the binary was built from.
    pub build: String,
}

impl Node {
    /// The port CLUSTER commands show for the node as one endpoint.
    pub fn announced_port(&self, config: &Config) -> u16 {
        match config.cluster_announce_port {
            0 => self.port,
            port => port,
        }
    }
}
