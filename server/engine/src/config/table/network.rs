//! Listening, clients, cores and access.

use super::super::kinds::Permission;
use super::super::value::Kind;
use super::{ANY_TEXT, INT, OptionRow, PORT, field};

const MIB: u64 = 1 << 20;

/// As in Redis; one more would be dropped silently.
const BIND_ADDRESSES_MAX: usize = 16;

pub(super) const ROWS: &[OptionRow] = &[
    OptionRow::new("port", PORT, "6379", field!(port))
        .at_start()
        .says("TCP port for every key; 0 listens on no TCP port"),
    OptionRow::new("bind", Kind::Words { check: addresses }, "127.0.0.1 -::1", field!(bind))
        .at_start()
        .says("Addresses to listen on; `*` and `::*` mean all, a leading `-` makes one optional"),
    OptionRow::new("unixsocket", ANY_TEXT, "", field!(unixsocket))
        .at_start()
        .says("Path of a Unix socket to listen on as well"),
    OptionRow::new("unixsocketperm", Kind::Octal, "0", field!(unixsocket_mode))
        .at_start()
        .says("Permissions of the Unix socket in octal; 0 leaves them to the umask"),
    OptionRow::new("cores", Kind::Integer { min: 0, max: 1024 }, "0", field!(cores))
        .at_start()
        .says("Data cores, each one thread pinned to a CPU; 0 takes every CPU of the process"),
    OptionRow::new("cores-share-cpus", Kind::Bool, "no", field!(cores_share_cpus))
        .at_start()
        .says("Let there be more cores than CPUs, several to each: for tests on small machines"),
    OptionRow::new("core-port-base", PORT, "0", field!(core_port_base))
        .at_start()
        .says("Port of core 0, core n listens n higher; 0 opens no core ports"),
    OptionRow::new("gather-us", Kind::Integer { min: 0, max: 1000 }, "100", field!(gather_us))
        .says("Longest wait of a busy core that goes to sleep for several requests; 0 for none"),
    OptionRow::new("protected-mode", Kind::Bool, "yes", field!(protected_mode))
        .says("Without a password, refuse clients from other hosts"),
    OptionRow::new("requirepass", ANY_TEXT, "", field!(requirepass))
        .sensitive()
        .says("Password of the default user; empty asks for none"),
    OptionRow::new(
        "maxclients",
        Kind::Integer { min: 1, max: u32::MAX as i64 },
        "10000",
        field!(maxclients),
    )
    .says("Connections served at a time; one more is told so and closed"),
    OptionRow::new("timeout", INT, "0", field!(timeout_s))
        .says("Seconds after which an idle client is closed; 0 never closes one"),
    OptionRow::new("tcp-keepalive", INT, "300", field!(tcp_keepalive_s))
        .says("Seconds between probes of a silent connection; 0 sends none"),
    OptionRow::new("tcp-backlog", INT, "511", field!(tcp_backlog))
        .at_start()
        .says("Connections the kernel may queue before they are accepted"),
    OptionRow::new(
        "client-query-buffer-limit",
        Kind::Bytes { min: MIB, max: i64::MAX as u64 },
        "1gb",
        field!(query_buffer_bytes_max),
    )
    .says("Bytes of requests one client may have waiting before it is closed"),
    OptionRow::new(
        "client-output-buffer-limit",
        Kind::OutputLimits,
        "normal 0 128mb 60 replica 256mb 64mb 60 pubsub 32mb 8mb 60",
        field!(output_limits),
    )
    .says("Replies a client may leave unread before it is closed, for each class of clients"),
    OptionRow::new("maxmemory-clients", Kind::BytesOrPercent, "0", field!(clients_memory_max))
        .says("(no effect yet) Memory all client buffers may take together"),
    OptionRow::new(
        "proto-max-bulk-len",
        Kind::Bytes { min: MIB, max: 512 * MIB },
        "100mb",
        field!(proto_max_bulk_bytes),
    )
    .says("Longest argument of a command"),
    OptionRow::new(
        "enable-debug-command",
        Kind::Choice(Permission::NAMES),
        "no",
        field!(enable_debug_command),
    )
    .at_start()
    .says("Who may use DEBUG: no one, everyone, or connections from this host"),
    OptionRow::new(
        "enable-protected-configs",
        Kind::Choice(Permission::NAMES),
        "no",
        field!(enable_protected_configs),
    )
    .at_start()
    .says("Who may change paths with CONFIG SET"),
    OptionRow::new("dir", ANY_TEXT, ".", field!(dir))
        .protected()
        .says("Working directory; relative paths start here"),
    OptionRow::new(
        "compat-version",
        Kind::Text { check: version },
        "7.4.2",
        field!(compat_version),
    )
    .at_start()
    .says("The redis_version that INFO and HELLO report"),
];

fn addresses(words: &[String]) -> Result<(), &'static str> {
    if words.len() > BIND_ADDRESSES_MAX {
        return Err("Too many bind addresses specified.");
    }
    Ok(())
}

fn version(text: &str) -> Result<(), &'static str> {
    let is_number = |part: &str| part.parse::<u16>().is_ok() && !part.starts_with('+');
    if text.split('.').count() == 3 && text.split('.').all(is_number) {
        Ok(())
    } else {
        Err("argument must be a version such as 7.4.2")
    }
}
