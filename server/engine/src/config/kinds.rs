//! The types of configuration values that have a meaning of their own: eviction policies, client
//! classes and their limits, and the small choices; and how a field meets the text of its row.

use super::notify::NotifyClasses;
use super::value::Parsed;

/// How a typed field of [`Config`](super::Config) meets the text of its row.
pub(super) trait Setting {
    fn read(&self) -> Parsed;
    /// The row's kind has produced `value`; that kind and field agree is held by a test.
    fn write(&mut self, value: Parsed);
}

/// Declares an enum of named choices: the variants, their names, and the way in and out.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// The names in the configuration, in the order of Redis's refusals.
            pub const NAMES: &'static [&'static str] = &[$($text,)+];
            const VARIANTS: &'static [$name] = &[$($name::$variant,)+];

            /// The name in the configuration.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }

        impl Setting for $name {
            fn read(&self) -> Parsed {
                Parsed::Choice(*self as usize)
            }

            fn write(&mut self, value: Parsed) {
                match value {
                    Parsed::Choice(index) => *self = $name::VARIANTS[index],
                    other => mismatch(&other),
                }
            }
        }
    };
}

choice! {
    /// What gives way when memory is full (maxmemory-policy).
    Policy {
        /// The key used longest ago, among those with a deadline.
        VolatileLru = "volatile-lru",
        /// The key used least often, among those with a deadline.
        VolatileLfu = "volatile-lfu",
        /// Any key with a deadline.
        VolatileRandom = "volatile-random",
        /// The key whose deadline is nearest.
        VolatileTtl = "volatile-ttl",
        /// The key used longest ago.
        AllKeysLru = "allkeys-lru",
        /// The key used least often.
        AllKeysLfu = "allkeys-lfu",
        /// Any key.
        AllKeysRandom = "allkeys-random",
        /// None: commands that need memory are refused.
        NoEviction = "noeviction",
    }
}

choice! {
    /// When what was written is durable (appendfsync).
    Appendfsync {
        /// Before the reply leaves.
        Always = "always",
        /// About a second later.
        EverySec = "everysec",
        /// When the system writes it back.
        No = "no",
    }
}

choice! {
    /// What SAVE and BGSAVE leave behind (snapshot-format).
    SnapshotFormat {
        /// The snapshot that a start reads.
        Freehold = "freehold",
        /// And an RDB file of the same moment beside it.
        Rdb = "rdb",
    }
}

impl Policy {
    /// Whether the access clock of an entry counts uses instead of telling the last one.
    pub fn is_lfu(self) -> bool {
        matches!(self, Policy::VolatileLfu | Policy::AllKeysLfu)
    }

    /// Whether the age of the last use decides.
    pub fn is_lru(self) -> bool {
        matches!(self, Policy::VolatileLru | Policy::AllKeysLru)
    }

    /// Whether only keys with a deadline may be evicted.
    pub fn is_volatile(self) -> bool {
        matches!(
            self,
            Policy::VolatileLru
                | Policy::VolatileLfu
                | Policy::VolatileRandom
                | Policy::VolatileTtl
        )
    }
}

choice! {
    /// How much is logged.
    LogLevel {
        /// Everything, for developers.
        Debug = "debug",
        /// What helps to understand a problem.
        Verbose = "verbose",
        /// What an operator wants to see.
        Notice = "notice",
        /// Only what needs attention.
        Warning = "warning",
    }
}

choice! {
    /// The shape of a log line.
    LogFormat {
        /// One readable line an event.
        Text = "text",
        /// One JSON object an event.
        Json = "json",
    }
}

choice! {
    /// Who may use what is dangerous (enable-debug-command, enable-protected-configs).
    Permission {
        /// Nobody.
        No = "no",
        /// Everybody.
        Yes = "yes",
        /// Connections from this host.
        Local = "local",
    }
}

impl Permission {
    /// Whether a client may, that is or is not connected from this host.
    pub fn allows(self, from_this_host: bool) -> bool {
        self == Permission::Yes || (self == Permission::Local && from_this_host)
    }
}

choice! {
    /// What CLUSTER SLOTS, SHARDS and NODES show.
    ClusterView {
        /// One endpoint for the host: redis-cli's cluster tools, very large clusters.
        Host = "host",
        /// One endpoint a core, so that a cluster client lands on the owner without a hop.
        Core = "core",
    }
}

/// A bound on memory: an amount, or a part of maxmemory. Zero means no bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryCap {
    Bytes(u64),
    Percent(u32),
}

impl MemoryCap {
    /// The bound in bytes, `None` when there is none. A percentage of an unlimited maxmemory is
    /// no bound, as in Redis.
    pub fn bytes(self, maxmemory_bytes: u64) -> Option<u64> {
        let bytes = match self {
            MemoryCap::Bytes(bytes) => bytes,
            MemoryCap::Percent(percent) => {
                (u128::from(maxmemory_bytes) * u128::from(percent) / 100) as u64
            }
        };
        (bytes > 0).then_some(bytes)
    }
}

/// The kinds of clients that client-output-buffer-limit tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OutputClass {
    Normal,
    Replica,
    PubSub,
}

impl OutputClass {
    /// All of them, in the order CONFIG GET prints them; the order of
    /// [`Config::output_limits`](super::Config::output_limits).
    pub const ALL: [OutputClass; 3] =
        [OutputClass::Normal, OutputClass::Replica, OutputClass::PubSub];

    pub(super) fn parse(name: &str) -> Option<OutputClass> {
        match name.to_ascii_lowercase().as_str() {
            "normal" => Some(OutputClass::Normal),
            "slave" | "replica" => Some(OutputClass::Replica),
            "pubsub" => Some(OutputClass::PubSub),
            _ => None,
        }
    }

    /// The name that is printed: Redis still says `slave`.
    pub fn name(self) -> &'static str {
        match self {
            OutputClass::Normal => "normal",
            OutputClass::Replica => "slave",
            OutputClass::PubSub => "pubsub",
        }
    }
}

/// When a client that does not read its replies is closed: at once above `hard_bytes`, and after
/// `soft_seconds` without a break above `soft_bytes`, in which a normal client has not taken
/// anything. Zero means never.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct OutputLimit {
    pub hard_bytes: u64,
    pub soft_bytes: u64,
    pub soft_seconds: u32,
}

impl OutputLimit {
    pub(super) fn show(&self, class: OutputClass) -> String {
        format!("{} {} {} {}", class.name(), self.hard_bytes, self.soft_bytes, self.soft_seconds)
    }
}

/// Declares how a plain type is read from and written to one variant of [`Parsed`].
macro_rules! plain {
    ($($type:ty: $variant:ident as $stored:ty,)+) => {$(
        impl Setting for $type {
            fn read(&self) -> Parsed {
                Parsed::$variant(self.clone() as $stored)
            }

            fn write(&mut self, value: Parsed) {
                match value {
                    Parsed::$variant(value) => *self = value as $type,
                    other => mismatch(&other),
                }
            }
        }
    )+};
}

plain! {
    bool: Bool as bool,
    u16: Integer as i64,
    u32: Integer as i64,
    i32: Integer as i64,
    i64: Integer as i64,
    String: Text as String,
    Vec<String>: Words as Vec<String>,
    Vec<f64>: Percentiles as Vec<f64>,
    NotifyClasses: Notify as NotifyClasses,
}

/// Amounts of memory and counts alike.
impl Setting for u64 {
    fn read(&self) -> Parsed {
        Parsed::Bytes(*self)
    }

    fn write(&mut self, value: Parsed) {
        match value {
            Parsed::Bytes(value) => *self = value,
            Parsed::Integer(value) => *self = value.unsigned_abs(),
            other => mismatch(&other),
        }
    }
}

impl Setting for MemoryCap {
    fn read(&self) -> Parsed {
        match *self {
            MemoryCap::Bytes(bytes) => Parsed::Bytes(bytes),
            MemoryCap::Percent(percent) => Parsed::Percent(percent),
        }
    }

    fn write(&mut self, value: Parsed) {
        match value {
            Parsed::Bytes(bytes) => *self = MemoryCap::Bytes(bytes),
            Parsed::Percent(percent) => *self = MemoryCap::Percent(percent),
            other => mismatch(&other),
        }
    }
}

impl Setting for [OutputLimit; 3] {
    fn read(&self) -> Parsed {
        let limits = OutputClass::ALL.iter().zip(self).map(|(class, limit)| (*class, *limit));
        Parsed::OutputLimits(limits.collect())
    }

    fn write(&mut self, value: Parsed) {
        match value {
            Parsed::OutputLimits(limits) => {
                for (class, limit) in limits {
                    self[class as usize] = limit;
                }
            }
            other => mismatch(&other),
        }
    }
}

#[cold]
fn mismatch(value: &Parsed) -> ! {
    unreachable!("a row's kind does not fit its field: {value:?}")
}
