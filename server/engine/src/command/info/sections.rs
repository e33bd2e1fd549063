//! The sections, each a function that prints its lines.

use super::{Core, InfoPart, bytes, each_command, line, zeros};
use crate::command::channels::Topic;

/// One section.
pub struct Section {
    /// As asked for, lower case.
    pub name: &'static str,
    pub title: &'static str,
    /// Printed when no section is asked for.
    pub default: bool,
    pub write: fn(&Core, &InfoPart, &mut String),
}

const fn section(
    name: &'static str,
    title: &'static str,
    default: bool,
    write: fn(&Core, &InfoPart, &mut String),
) -> Section {
    Section { name, title, default, write }
}

/// In Redis's order.
pub const ALL: &[Section] = &[
    section("server", "Server", true, server),
    section("clients", "Clients", true, clients),
    section("memory", "Memory", true, memory),
    section("persistence", "Persistence", true, persistence),
    section("stats", "Stats", true, stats),
    section("replication", "Replication", true, replication),
    section("cpu", "CPU", true, cpu),
    section("modules", "Modules", true, |_, _, _| {}),
    section("commandstats", "Commandstats", false, commandstats),
    section("errorstats", "Errorstats", true, errorstats),
    section("latencystats", "Latencystats", false, latencystats),
    section("cluster", "Cluster", true, cluster),
    section("keyspace", "Keyspace", true, keyspace),
];

fn server(core: &Core, _: &InfoPart, text: &mut String) {
    let (node, config) = (&core.node, &core.config);
    let now_ms = core.now.unix_ms.0;
    let uptime_s = (now_ms - node.started_unix_ms).max(0) / 1000;
    line(text, "redis_version", &config.compat_version);
    line(text, "freehold_version", env!("CARGO_PKG_VERSION"));
    line(text, "redis_git_sha1", "00000000");
    line(text, "redis_git_dirty", 0);
    line(text, "redis_build_id", &node.build);
    line(text, "redis_mode", if config.cluster_enabled { "cluster" } else { "standalone" });
    line(text, "os", &node.os);
    line(text, "arch_bits", 64);
    line(text, "monotonic_clock", "POSIX clock_gettime");
    line(text, "multiplexing_api", "io_uring");
    line(text, "atomicvar_api", "c11-builtin");
    line(text, "gcc_version", "0.0.0");
    line(text, "process_id", node.process_id);
    line(text, "process_supervised", "no");
    line(text, "run_id", &node.run_id);
    line(text, "tcp_port", node.port);
    line(text, "server_time_usec", now_ms * 1000);
    line(text, "uptime_in_seconds", uptime_s);
    line(text, "uptime_in_days", uptime_s / 86_400);
    line(text, "hz", config.hz);
    line(text, "configured_hz", config.hz);
    line(text, "lru_clock", (now_ms / 1000) & 0xFF_FFFF);
    line(text, "executable", &node.executable);
    line(text, "config_file", &node.config_file);
    line(text, "io_threads_active", 0);
    line(text, "cores", core.cores);
    let listener = |port: u16| format!("name=tcp,bind={},port={port}", config.bind.join(" "));
    line(text, "listener0", listener(node.port));
    for (index, port) in node.core_ports.iter().enumerate() {
        line(text, &format!("listener{}", index + 1), listener(*port));
    }
}

fn clients(core: &Core, sum: &InfoPart, text: &mut String) {
    line(text, "connected_clients", sum.connections);
    line(text, "cluster_connections", 0);
    line(text, "maxclients", core.config.maxclients);
    line(text, "client_recent_max_input_buffer", sum.input_bytes);
    line(text, "client_recent_max_output_buffer", sum.output_bytes);
    line(text, "blocked_clients", sum.blocked_clients);
    zeros(text, &["tracking_clients"]);
    line(text, "pubsub_clients", sum.listening_clients);
    line(text, "watching_clients", sum.watching);
    zeros(text, &["clients_in_timeout_table"]);
    line(text, "total_watched_keys", sum.watched);
    line(text, "total_blocking_keys", sum.waited_keys);
    zeros(text, &["total_blocking_keys_on_nokey"]);
}

fn memory(core: &Core, sum: &InfoPart, text: &mut String) {
    let process = core.node.host.process();
    let used = sum.memory_used_bytes.max(0) as u64;
    let peak = sum.stats.used_memory_peak_bytes.max(used);
    let rss = process.resident_bytes;
    let overhead = used.saturating_sub(sum.keyspace_bytes);
    let percent =
        |part: u64, whole: u64| format!("{:.2}%", part as f64 * 100.0 / whole.max(1) as f64);
    bytes(text, "used_memory", used);
    bytes(text, "used_memory_rss", rss);
    bytes(text, "used_memory_peak", peak);
    line(text, "used_memory_peak_perc", percent(used, peak));
    line(text, "used_memory_overhead", overhead);
    line(text, "used_memory_startup", 0);
    line(text, "used_memory_dataset", sum.keyspace_bytes);
    line(text, "used_memory_dataset_perc", percent(sum.keyspace_bytes, used));
    line(text, "allocator_allocated", used);
    line(text, "allocator_active", rss);
    line(text, "allocator_resident", rss);
    line(text, "allocator_muzzy", 0);
    bytes(text, "total_system_memory", process.total_system_memory_bytes);
    bytes(text, "used_memory_lua", 0);
    zeros(text, &["used_memory_vm_eval", "used_memory_vm_functions"]);
    bytes(text, "used_memory_vm_total", 0);
    zeros(text, &["used_memory_scripts_eval", "number_of_cached_scripts"]);
    zeros(text, &["number_of_functions", "number_of_libraries", "used_memory_functions"]);
    bytes(text, "used_memory_scripts", 0);
    bytes(text, "maxmemory", core.config.maxmemory_bytes);
    line(text, "maxmemory_policy", core.config.maxmemory_policy.name());
    let ratio = format!("{:.2}", rss as f64 / used.max(1) as f64);
    let surplus = rss.saturating_sub(used);
    line(text, "allocator_frag_ratio", &ratio);
    line(text, "allocator_frag_bytes", surplus);
    line(text, "allocator_rss_ratio", "1.00");
    line(text, "allocator_rss_bytes", 0);
    line(text, "rss_overhead_ratio", "1.00");
    line(text, "rss_overhead_bytes", 0);
    line(text, "mem_fragmentation_ratio", &ratio);
    line(text, "mem_fragmentation_bytes", surplus);
    zeros(text, &["mem_not_counted_for_evict", "mem_replication_backlog"]);
    zeros(text, &["mem_total_replication_buffers", "mem_clients_slaves"]);
    line(text, "mem_clients_normal", sum.input_bytes + sum.output_bytes);
    zeros(text, &["mem_cluster_links"]);
    line(text, "mem_aof_buffer", sum.log_pending_bytes);
    line(text, "mem_allocator", "mimalloc");
    zeros(text, &["mem_overhead_db_hashtable_rehashing", "active_defrag_running"]);
    zeros(text, &["lazyfree_pending_objects", "lazyfreed_objects"]);
}

fn persistence(core: &Core, sum: &InfoPart, text: &mut String) {
    line(text, "loading", u8::from(core.is_loading));
    zeros(text, &["async_loading", "current_cow_peak", "current_cow_size"]);
    zeros(text, &["current_cow_size_age"]);
    line(text, "current_fork_perc", "0.00");
    zeros(text, &["current_save_keys_processed", "current_save_keys_total"]);
    let figures = core.snapshots.figures();
    let running = figures.running > 0;
    let status = if figures.ended_well { "ok" } else { "err" };
    let took_s = figures.took_ms.map_or(-1, |took_ms| took_ms / 1000);
    let runs_s = (core.now.unix_ms.0 - figures.began_unix_ms) / 1000;
    let runs_s = if running { runs_s.max(0) } else { -1 };
    let logs = core.config.persistence.appendonly;
    let rewrites_s = if logs && !figures.copies { runs_s } else { -1 };
    let saved_ms = match figures.saved_unix_ms {
        0 => core.node.started_unix_ms,
        saved_ms => saved_ms,
    };
    let changes = sum.stats.changes.saturating_sub(figures.changes_saved);
    line(text, "rdb_changes_since_last_save", changes);
    line(text, "rdb_bgsave_in_progress", u8::from(running));
    line(text, "rdb_last_save_time", saved_ms / 1000);
    line(text, "rdb_last_bgsave_status", status);
    line(text, "rdb_last_bgsave_time_sec", took_s);
    line(text, "rdb_current_bgsave_time_sec", runs_s);
    line(text, "rdb_saves", figures.saved);
    zeros(text, &["rdb_last_cow_size", "rdb_last_load_keys_expired"]);
    zeros(text, &["rdb_last_load_keys_loaded"]);
    line(text, "aof_enabled", u8::from(logs));
    // One that began before the log was switched on is not for it, nor is a copy for a client.
    let rewrites = running && logs && core.effects.has_log() && !figures.copies;
    line(text, "aof_rewrite_in_progress", u8::from(rewrites));
    let awaited = core.awaits_log() && !rewrites;
    let scheduled = u8::from(core.snapshots.has_rewrite_scheduled() || awaited);
    line(text, "aof_rewrite_scheduled", scheduled);
    line(text, "aof_last_rewrite_time_sec", took_s);
    line(text, "aof_current_rewrite_time_sec", rewrites_s);
    line(text, "aof_last_bgrewrite_status", status);
    line(text, "aof_rewrites", if logs { figures.saved } else { 0 });
    line(text, "aof_rewrites_consecutive_failures", if logs { figures.failures } else { 0 });
    line(text, "aof_last_write_status", if core.trouble.is_some() { "err" } else { "ok" });
    zeros(text, &["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"]);
    if logs {
        let sizes = core.snapshots.sizes();
        line(text, "aof_current_size", sizes.current(sum.log.bytes));
        line(text, "aof_base_size", sizes.base());
        line(text, "aof_pending_rewrite", scheduled);
        line(text, "aof_buffer_length", sum.log_pending_bytes);
        line(text, "aof_pending_bio_fsync", sum.log.syncs);
        line(text, "aof_delayed_fsync", sum.log.delays);
    }
    if core.is_loading {
        loading(core, text);
    }
}

/// How far the reading of what was kept has come; Redis's guess of the end, too.
fn loading(core: &Core, text: &mut String) {
    let figures = core.loading.figures();
    let (bytes, read) = (figures.bytes, figures.bytes_read);
    let took_s = ((core.now.unix_ms.0 - figures.began_unix_ms) / 1000).max(0) as u64;
    let left_s = match took_s {
        0 => 1,
        took_s => took_s.saturating_mul(bytes - read) / (read + 1),
    };
    line(text, "loading_start_time", figures.began_unix_ms / 1000);
    line(text, "loading_total_bytes", bytes);
    line(text, "loading_rdb_used_mem", 0);
    line(text, "loading_loaded_bytes", read);
    let share = read as f64 * 100.0 / bytes.max(1) as f64;
    line(text, "loading_loaded_perc", format!("{share:.2}"));
    line(text, "loading_eta_seconds", left_s);
}

fn stats(core: &Core, sum: &InfoPart, text: &mut String) {
    let stats = &sum.stats;
    line(text, "total_connections_received", stats.connections_received);
    line(text, "total_commands_processed", stats.commands_processed);
    line(text, "instantaneous_ops_per_sec", stats.ops_per_sec);
    line(text, "total_net_input_bytes", stats.net_input_bytes);
    line(text, "total_net_output_bytes", stats.net_output_bytes);
    zeros(text, &["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    line(text, "instantaneous_input_kbps", format!("{:.2}", stats.input_kbps));
    line(text, "instantaneous_output_kbps", format!("{:.2}", stats.output_kbps));
    line(text, "instantaneous_input_repl_kbps", "0.00");
    line(text, "instantaneous_output_repl_kbps", "0.00");
    line(text, "rejected_connections", stats.connections_rejected);
    zeros(text, &["sync_full", "sync_partial_ok", "sync_partial_err", "expired_subkeys"]);
    line(text, "expired_keys", stats.expired_keys);
    line(text, "expired_stale_perc", "0.00");
    line(text, "expired_time_cap_reached_count", 0);
    line(text, "expire_cycle_cpu_milliseconds", stats.expire_cycle_us / 1000);
    line(text, "evicted_keys", stats.evicted_keys);
    line(text, "evicted_clients", stats.evicted_clients);
    zeros(text, &["evicted_scripts", "total_eviction_exceeded_time"]);
    zeros(text, &["current_eviction_exceeded_time"]);
    line(text, "keyspace_hits", stats.keyspace_hits);
    line(text, "keyspace_misses", stats.keyspace_misses);
    // Every core knows the subscriptions of all.
    line(text, "pubsub_channels", core.channels.count(Topic::Channel));
    line(text, "pubsub_patterns", core.channels.count(Topic::Pattern));
    line(text, "pubsubshard_channels", core.channels.count(Topic::Shard));
    zeros(text, &["latest_fork_usec", "total_forks", "migrate_cached_sockets"]);
    zeros(text, &["slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses"]);
    zeros(text, &["active_defrag_key_hits", "active_defrag_key_misses"]);
    zeros(text, &["total_active_defrag_time", "current_active_defrag_time"]);
    zeros(text, &["tracking_total_keys", "tracking_total_items", "tracking_total_prefixes"]);
    line(text, "unexpected_error_replies", 0);
    line(text, "total_error_replies", stats.error_replies);
    line(text, "dump_payload_sanitizations", 0);
    line(text, "total_reads_processed", stats.reads_processed);
    line(text, "total_writes_processed", stats.writes_processed);
    zeros(text, &["io_threaded_reads_processed", "io_threaded_writes_processed"]);
    let query = stats.query_limit_disconnections;
    line(text, "client_query_buffer_limit_disconnections", query);
    let output = stats.output_limit_disconnections;
    line(text, "client_output_buffer_limit_disconnections", output);
    zeros(text, &["reply_buffer_shrinks", "reply_buffer_expands"]);
    line(text, "eventloop_cycles", stats.turns);
    line(text, "eventloop_duration_sum", stats.turn_us);
    line(text, "eventloop_duration_cmd_sum", stats.turn_us);
    zeros(text, &["instantaneous_eventloop_cycles_per_sec"]);
    zeros(text, &["instantaneous_eventloop_duration_usec"]);
    line(text, "acl_access_denied_auth", stats.auth_denied);
    zeros(text, &["acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel"]);
    line(text, "forwarded_commands", stats.forwarded_commands);
    line(text, "cross_core_transactions", stats.transactions);
    line(text, "cross_core_transactions_retried", stats.transactions_retried);
}

fn replication(core: &Core, _: &InfoPart, text: &mut String) {
    line(text, "role", "master");
    line(text, "connected_slaves", 0);
    line(text, "master_failover_state", "no-failover");
    line(text, "master_replid", &core.node.run_id);
    line(text, "master_replid2", "0".repeat(40));
    line(text, "master_repl_offset", 0);
    line(text, "second_repl_offset", -1);
    line(text, "repl_backlog_active", 0);
    line(text, "repl_backlog_size", 1_048_576);
    zeros(text, &["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
}

fn cpu(core: &Core, _: &InfoPart, text: &mut String) {
    let process = core.node.host.process();
    let seconds = |us: u64| format!("{:.6}", us as f64 / 1e6);
    line(text, "used_cpu_sys", seconds(process.cpu_system_us));
    line(text, "used_cpu_user", seconds(process.cpu_user_us));
    line(text, "used_cpu_sys_children", seconds(0));
    line(text, "used_cpu_user_children", seconds(0));
    line(text, "used_cpu_sys_main_thread", seconds(process.thread_cpu_system_us));
    line(text, "used_cpu_user_main_thread", seconds(process.thread_cpu_user_us));
}

fn commandstats(_: &Core, sum: &InfoPart, text: &mut String) {
    for (name, stats) in each_command(sum) {
        let per_call = stats.usec as f64 / stats.calls.max(1) as f64;
        let value = format!(
            "calls={},usec={},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
            stats.calls, stats.usec, stats.rejected_calls, stats.failed_calls
        );
        line(text, &format!("cmdstat_{name}"), value);
    }
}

fn errorstats(_: &Core, sum: &InfoPart, text: &mut String) {
    for (code, count) in &sum.stats.errors {
        line(text, &format!("errorstat_{code}"), format!("count={count}"));
    }
}

fn latencystats(core: &Core, sum: &InfoPart, text: &mut String) {
    if !core.config.latency_tracking {
        return;
    }
    for (name, stats) in each_command(sum).filter(|(_, stats)| stats.buckets.is_some()) {
        let percentiles: Vec<String> = core
            .config
            .latency_tracking_percentiles
            .iter()
            .map(|p| format!("p{p}={:.3}", stats.percentile_us(p / 100.0)))
            .collect();
        line(text, &format!("latency_percentiles_usec_{name}"), percentiles.join(","));
    }
}

fn cluster(core: &Core, _: &InfoPart, text: &mut String) {
    line(text, "cluster_enabled", u8::from(core.config.cluster_enabled));
}

/// No line for an empty database: redis-cli takes `db0:` for "not empty".
fn keyspace(_: &Core, sum: &InfoPart, text: &mut String) {
    for (db, figures) in sum.databases.iter().enumerate().filter(|(_, db)| db.keys > 0) {
        let average = figures.ttl_ms_sum / figures.expires.max(1);
        let value = format!(
            "keys={},expires={},avg_ttl={average},subexpiry=0",
            figures.keys, figures.expires
        );
        line(text, &format!("db{db}"), value);
    }
}
