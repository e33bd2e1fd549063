//! Options of Redis that do nothing here. Those in [`KEPT`] are remembered and reported back:
//! tools ask for them, stock configuration files set them, and ignoring them harms nobody. Those
//! in [`FIXED`] accept only their default, because another value would be a broken promise.

use super::super::value::Kind;
use super::{ANY_TEXT, ANY_WORDS, COUNT, INT, MEMORY, OptionRow, PORT};

const REPLICATION: &str = "replication is not there yet";
const TLS: &str = "TLS is not there yet; end it in a proxy in front of the server";
const SUPERVISOR: &str = "run it under systemd or another supervisor";

const ALWAYS_SLICED: &str = "memory is always freed in slices, never in one stall";
const OWN_THREADS: &str = "threads and their CPUs follow from `cores`";
const NO_FILES: &str = "concerns files that are not written yet";
const NO_FOLLOWERS: &str = "concerns replication, which is not there yet";
const NO_BUS: &str = "concerns the cluster bus, which is not there yet";
const NO_TLS: &str = "concerns TLS, which is not there yet";
const NO_SCRIPTS: &str = "concerns scripts, which are not there yet";
const NO_ACL: &str = "concerns ACL users, which are not there yet";
const OWN_ALLOCATOR: &str = "the allocator is another one and keeps fragmentation low by itself";
const SYSTEM: &str = "left to the service manager";
const STOCK: &str = "of no consequence here";

const fn count_above(min: i64) -> Kind {
    Kind::Integer { min, max: i32::MAX as i64 }
}

const fn flag(name: &'static str, default: &'static str, why: &'static str) -> OptionRow {
    OptionRow::kept(name, Kind::Bool, default, why)
}

const fn text(name: &'static str, default: &'static str, why: &'static str) -> OptionRow {
    OptionRow::kept(name, ANY_TEXT, default, why)
}

const fn int(name: &'static str, default: &'static str, why: &'static str) -> OptionRow {
    OptionRow::kept(name, INT, default, why)
}

const YES_NO_OPTIONAL: Kind = Kind::Choice(&["no", "yes", "optional"]);

pub(super) const FIXED: &[OptionRow] = &[
    OptionRow::fixed("replicaof", ANY_WORDS, "", REPLICATION).alias("slaveof").at_start(),
    OptionRow::fixed("min-replicas-to-write", INT, "0", REPLICATION).alias("min-slaves-to-write"),
    OptionRow::fixed("aclfile", ANY_TEXT, "", "ACL users are not there yet").at_start(),
    OptionRow::fixed("tls-port", PORT, "0", TLS).at_start(),
    OptionRow::fixed("tls-cluster", Kind::Bool, "no", TLS),
    OptionRow::fixed("tls-replication", Kind::Bool, "no", TLS),
    OptionRow::fixed("daemonize", Kind::Bool, "no", SUPERVISOR).at_start(),
    OptionRow::fixed(
        "syslog-enabled",
        Kind::Bool,
        "no",
        "log to standard output and let journald or the service manager forward it",
    )
    .at_start(),
    OptionRow::fixed(
        "enable-module-command",
        Kind::Choice(&["no", "yes", "local"]),
        "no",
        "modules of Redis cannot be loaded",
    )
    .at_start(),
    OptionRow::fixed(
        "activedefrag",
        Kind::Bool,
        "no",
        "the allocator keeps fragmentation low by itself",
    ),
    OptionRow::fixed(
        "cluster-preferred-endpoint-type",
        Kind::Choice(&["ip", "hostname", "unknown-endpoint"]),
        "ip",
        "host names are not announced yet",
    ),
];

pub(super) const KEPT: &[OptionRow] = &[
    // Persistence.
    text("appendfilename", "appendonly.aof", NO_FILES).at_start(),
    flag("no-appendfsync-on-rewrite", "no", NO_FILES),
    flag("aof-load-truncated", "yes", NO_FILES),
    flag("aof-use-rdb-preamble", "yes", NO_FILES),
    flag("aof-timestamp-enabled", "no", NO_FILES),
    flag("aof-rewrite-incremental-fsync", "yes", NO_FILES),
    flag("aof-disable-auto-gc", "no", NO_FILES),
    flag("rdb-save-incremental-fsync", "yes", NO_FILES),
    flag("rdb-del-sync-files", "no", NO_FILES),
    flag("rdbcompression", "yes", NO_FILES),
    flag("rdbchecksum", "yes", NO_FILES).at_start(),
    flag("stop-writes-on-bgsave-error", "yes", NO_FILES),
    OptionRow::kept(
        "sanitize-dump-payload",
        Kind::Choice(&["no", "yes", "clients"]),
        "no",
        "what RESTORE is given is always checked",
    ),
    // Replication.
    flag("replica-read-only", "yes", NO_FOLLOWERS).alias("slave-read-only"),
    flag("replica-serve-stale-data", "yes", NO_FOLLOWERS).alias("slave-serve-stale-data"),
    flag("replica-ignore-maxmemory", "yes", NO_FOLLOWERS).alias("slave-ignore-maxmemory"),
    flag("replica-lazy-flush", "no", NO_FOLLOWERS).alias("slave-lazy-flush"),
    flag("replica-ignore-disk-write-errors", "no", NO_FOLLOWERS),
    flag("replica-announced", "yes", NO_FOLLOWERS),
    int("replica-priority", "100", NO_FOLLOWERS).alias("slave-priority"),
    text("replica-announce-ip", "", NO_FOLLOWERS).alias("slave-announce-ip"),
    OptionRow::kept("replica-announce-port", PORT, "0", NO_FOLLOWERS).alias("slave-announce-port"),
    int("min-replicas-max-lag", "10", NO_FOLLOWERS).alias("min-slaves-max-lag"),
    text("masterauth", "", NO_FOLLOWERS).sensitive(),
    text("masteruser", "", NO_FOLLOWERS),
    OptionRow::kept("repl-ping-replica-period", count_above(1), "10", NO_FOLLOWERS)
        .alias("repl-ping-slave-period"),
    OptionRow::kept(
        "repl-backlog-size",
        Kind::Bytes { min: 1, max: i64::MAX as u64 },
        "1mb",
        NO_FOLLOWERS,
    ),
    OptionRow::kept("repl-backlog-ttl", COUNT, "3600", NO_FOLLOWERS),
    flag("repl-disable-tcp-nodelay", "no", NO_FOLLOWERS),
    flag("repl-diskless-sync", "yes", NO_FOLLOWERS),
    int("repl-diskless-sync-delay", "5", NO_FOLLOWERS),
    int("repl-diskless-sync-max-replicas", "0", NO_FOLLOWERS),
    OptionRow::kept(
        "repl-diskless-load",
        Kind::Choice(&["disabled", "on-empty-db", "swapdb"]),
        "disabled",
        NO_FOLLOWERS,
    ),
    OptionRow::kept(
        "propagation-error-behavior",
        Kind::Choice(&["ignore", "panic", "panic-on-replicas"]),
        "ignore",
        NO_FOLLOWERS,
    ),
    // Cluster.
    OptionRow::kept("cluster-node-timeout", COUNT, "15000", NO_BUS),
    text("cluster-config-file", "nodes.conf", NO_BUS).at_start(),
    OptionRow::kept("cluster-port", PORT, "0", NO_BUS).at_start(),
    OptionRow::kept("cluster-announce-bus-port", PORT, "0", NO_BUS),
    OptionRow::kept("cluster-announce-tls-port", PORT, "0", NO_TLS),
    OptionRow::kept("cluster-announce-hostname", Kind::Text { check: host_name }, "", NO_BUS),
    int("cluster-migration-barrier", "1", NO_BUS),
    int("cluster-replica-validity-factor", "10", NO_BUS).alias("cluster-slave-validity-factor"),
    flag("cluster-replica-no-failover", "no", NO_BUS).alias("cluster-slave-no-failover"),
    flag("cluster-require-full-coverage", "yes", NO_BUS),
    flag("cluster-allow-replica-migration", "yes", NO_BUS),
    flag("cluster-allow-reads-when-down", "no", NO_BUS),
    flag("cluster-allow-pubsubshard-when-down", "yes", NO_BUS),
    OptionRow::kept("cluster-link-sendbuf-limit", MEMORY, "0", NO_BUS),
    // TLS.
    text("tls-cert-file", "", NO_TLS),
    text("tls-key-file", "", NO_TLS),
    text("tls-key-file-pass", "", NO_TLS).sensitive(),
    text("tls-client-cert-file", "", NO_TLS),
    text("tls-client-key-file", "", NO_TLS),
    text("tls-client-key-file-pass", "", NO_TLS).sensitive(),
    text("tls-dh-params-file", "", NO_TLS),
    text("tls-ca-cert-file", "", NO_TLS),
    text("tls-ca-cert-dir", "", NO_TLS),
    text("tls-protocols", "", NO_TLS),
    text("tls-ciphers", "", NO_TLS),
    text("tls-ciphersuites", "", NO_TLS),
    OptionRow::kept("tls-auth-clients", YES_NO_OPTIONAL, "yes", NO_TLS),
    flag("tls-prefer-server-ciphers", "no", NO_TLS),
    flag("tls-session-caching", "yes", NO_TLS),
    int("tls-session-cache-size", "20480", NO_TLS),
    int("tls-session-cache-timeout", "300", NO_TLS),
    // Memory and threads.
    flag("lazyfree-lazy-eviction", "no", ALWAYS_SLICED),
    flag("lazyfree-lazy-expire", "no", ALWAYS_SLICED),
    flag("lazyfree-lazy-server-del", "no", ALWAYS_SLICED),
    flag("lazyfree-lazy-user-del", "no", ALWAYS_SLICED),
    flag("lazyfree-lazy-user-flush", "no", ALWAYS_SLICED),
    flag("activerehashing", "yes", "tables grow a slot at a time"),
    OptionRow::kept(
        "active-defrag-ignore-bytes",
        Kind::Bytes { min: 1, max: i64::MAX as u64 },
        "100mb",
        OWN_ALLOCATOR,
    ),
    OptionRow::kept(
        "active-defrag-threshold-lower",
        Kind::Integer { min: 0, max: 1000 },
        "10",
        OWN_ALLOCATOR,
    ),
    OptionRow::kept(
        "active-defrag-threshold-upper",
        Kind::Integer { min: 0, max: 1000 },
        "100",
        OWN_ALLOCATOR,
    ),
    OptionRow::kept(
        "active-defrag-cycle-min",
        Kind::Integer { min: 1, max: 99 },
        "1",
        OWN_ALLOCATOR,
    ),
    OptionRow::kept(
        "active-defrag-cycle-max",
        Kind::Integer { min: 1, max: 99 },
        "25",
        OWN_ALLOCATOR,
    ),
    OptionRow::kept(
        "active-defrag-max-scan-fields",
        Kind::Integer { min: 1, max: i64::MAX },
        "1000",
        OWN_ALLOCATOR,
    ),
    flag("jemalloc-bg-thread", "yes", OWN_ALLOCATOR),
    OptionRow::kept("io-threads", Kind::Integer { min: 1, max: 128 }, "1", OWN_THREADS).at_start(),
    flag("io-threads-do-reads", "no", OWN_THREADS).at_start(),
    text("server_cpulist", "", OWN_THREADS).alias("server-cpulist").at_start(),
    text("bio_cpulist", "", OWN_THREADS).alias("bio-cpulist").at_start(),
    text("aof_rewrite_cpulist", "", OWN_THREADS).alias("aof-rewrite-cpulist").at_start(),
    text("bgsave_cpulist", "", OWN_THREADS).alias("bgsave-cpulist").at_start(),
    flag("dynamic-hz", "yes", "upkeep adapts to its work by itself"),
    // Scripts and users.
    OptionRow::kept("busy-reply-threshold", COUNT, "5000", NO_SCRIPTS).alias("lua-time-limit"),
    OptionRow::kept(
        "acl-pubsub-default",
        Kind::Choice(&["allchannels", "resetchannels"]),
        "resetchannels",
        NO_ACL,
    ),
    OptionRow::kept("acllog-max-len", COUNT, "128", NO_ACL),
    OptionRow::kept(
        "tracking-table-max-keys",
        COUNT,
        "1000000",
        "concerns client-side caching, which is not there yet",
    ),
    // The process.
    OptionRow::kept(
        "supervised",
        Kind::Choice(&["upstart", "systemd", "auto", "no"]),
        "no",
        "readiness is reported whenever the service manager asks for it",
    )
    .at_start(),
    text("pidfile", "", SYSTEM).at_start(),
    flag("set-proc-title", "yes", STOCK).at_start(),
    text("proc-title-template", "{title} {listen-addr} {server-mode}", STOCK),
    OptionRow::kept(
        "oom-score-adj",
        Kind::Choice(&["no", "yes", "relative", "absolute"]),
        "no",
        SYSTEM,
    ),
    OptionRow::kept("oom-score-adj-values", Kind::Words { check: oom_scores }, "0 200 800", SYSTEM),
    flag("disable-thp", "yes", SYSTEM).at_start(),
    flag("always-show-logo", "no", STOCK).at_start(),
    flag("crash-log-enabled", "yes", STOCK),
    flag("crash-memcheck-enabled", "yes", STOCK),
    OptionRow::kept("ignore-warnings", ANY_WORDS, "", STOCK),
    int("shutdown-timeout", "10", NO_FOLLOWERS),
    text("syslog-ident", "redis", SYSTEM).at_start(),
    text("syslog-facility", "local0", SYSTEM).at_start(),
    text("bind-source-addr", "", NO_FOLLOWERS),
    OptionRow::kept("socket-mark-id", Kind::Integer { min: 0, max: u32::MAX as i64 }, "0", SYSTEM)
        .at_start(),
];

fn oom_scores(words: &[String]) -> Result<(), &'static str> {
    if words.len() != 3 {
        return Err("wrong number of arguments");
    }
    let in_range =
        |word: &String| word.parse::<i32>().is_ok_and(|score| (-2000..=2000).contains(&score));
    if words.iter().all(in_range) {
        Ok(())
    } else {
        Err("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
    }
}

fn host_name(text: &str) -> Result<(), &'static str> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if text.bytes().all(legal) {
        Ok(())
    } else {
        Err("Hostnames may only contain alphanumeric characters, hyphens or dots")
    }
}
