//! How much memory, and what gives way.

use super::super::kinds::Policy;
use super::super::value::Kind;
use super::{INT, OptionRow, field};

pub(super) const ROWS: &[OptionRow] = &[
    OptionRow::new(
        "maxmemory",
        Kind::Bytes { min: 0, max: u64::MAX },
        "0",
        field!(maxmemory_bytes),
    )
    .says("Memory for data on this host, shared out to the cores; 0 sets no limit"),
    OptionRow::new(
        "maxmemory-policy",
        Kind::Choice(Policy::NAMES),
        "noeviction",
        field!(maxmemory_policy),
    )
    .says("What gives way when memory is full"),
    OptionRow::new(
        "maxmemory-samples",
        Kind::Integer { min: 1, max: i32::MAX as i64 },
        "5",
        field!(maxmemory_samples),
    )
    .says("Keys looked at to choose one to evict: more is closer to true LRU and slower"),
    OptionRow::new(
        "maxmemory-eviction-tenacity",
        Kind::Integer { min: 0, max: 100 },
        "10",
        field!(eviction_tenacity),
    )
    .says("(no effect yet) How long one command may be held up by eviction, 0 to 100"),
    OptionRow::new("lfu-log-factor", INT, "10", field!(lfu_log_factor))
        .says("How many uses it takes to raise the 8-bit use counter"),
    OptionRow::new("lfu-decay-time", INT, "1", field!(lfu_decay_minutes))
        .says("Minutes after which the use counter falls by one; 0 never lets it fall"),
    OptionRow::new(
        "active-expire-effort",
        Kind::Integer { min: 1, max: 10 },
        "1",
        field!(active_expire_effort),
    )
    .says("(no effect yet) How much of a turn may go into removing expired keys"),
    OptionRow::new("hz", INT, "10", field!(hz))
        .says("Rounds of periodic upkeep a second, 1 to 500"),
];
