//! INFO: every core tells its figures, the core of the connection adds them up and prints them
//! under the names the tools read. A field whose subject does not exist here (forks, replicas,
//! scripts) is printed with the value Redis shows when the feature is unused: tools expect it.

use std::fmt::Write;

use freehold_protocol::{Args, Reply};

use super::context::{Core, Cx, LogFigures};
use super::error::CommandError;
use super::gather::Partial;
use super::spec::{Arity, DANGEROUS, Done, LOADING, Run, STALE, Spec};
use super::stats::Stats;
use super::table::Table;
use crate::base::number::human_bytes;

mod sections;

pub const TABLE: &[Spec] = &[Spec {
    name: "INFO",
    arity: Arity::AtLeast(1),
    flags: LOADING | STALE,
    acl: DANGEROUS,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: Run::Everywhere { collect: part, finish, exclusive: false },
    since: "1.0.0",
    group: "server",
    summary: "Get information and statistics about the server",
    examples: &[
        ("INFO nothing-of-the-kind", "$0\r\n\r\n"),
        ("INFO replication", "$*"),
        ("SET k v\nINFO keyspace", "$*"),
    ],
    ..Spec::ROW
}];

/// One core's figures.
#[derive(Debug, Default)]
pub struct InfoPart {
    pub stats: Stats,
    pub databases: Vec<DatabaseFigures>,
    pub memory_used_bytes: i64,
    pub keyspace_bytes: u64,
    pub connections: u64,
    pub blocked_clients: u64,
    pub waited_keys: u64,
    /// Connections that watch keys, and keys that are watched.
    pub watching: u64,
    pub watched: u64,
    pub input_bytes: u64,
    pub output_bytes: u64,
    pub listening_clients: u64,
    pub log: LogFigures,
    /// Of records that are in no file yet.
    pub log_pending_bytes: u64,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct DatabaseFigures {
    pub keys: u64,
    pub expires: u64,
    /// Sum over keys with a deadline, so that cores can be averaged.
    pub ttl_ms_sum: u64,
}

fn part(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Partial, CommandError> {
    Ok(Partial::Info(Box::new(figures(cx.core))))
}

fn figures(core: &Core) -> InfoPart {
    let now = core.now.unix_ms;
    let databases = (0..core.keyspace.databases())
        .map(|db| {
            let db = db as u8;
            let expires = core.keyspace.expires(db) as u64;
            let average = core.keyspace.avg_ttl(db, now).max(0) as u64;
            DatabaseFigures {
                keys: core.keyspace.len(db) as u64,
                expires,
                ttl_ms_sum: average.saturating_mul(expires),
            }
        })
        .collect();
    let mut stats = core.stats.clone();
    stats.changes = core.effects.changes();
    InfoPart {
        stats,
        databases,
        memory_used_bytes: core.memory_used_bytes(),
        keyspace_bytes: core.keyspace.accounted_bytes() as u64,
        connections: core.sessions.len() as u64,
        blocked_clients: core.sessions.iter().filter(|(_, s)| s.blocked).count() as u64,
        waited_keys: core.waited_keys,
        watching: core.sessions.iter().filter(|(_, s)| !s.watched.is_empty()).count() as u64,
        watched: core.effects.watches.len() as u64,
        input_bytes: core.sessions.iter().map(|(_, s)| s.input_bytes as u64).sum(),
        output_bytes: core.sessions.iter().map(|(_, s)| s.output_bytes as u64).sum(),
        listening_clients: core.channels.sessions as u64,
        log: core.log,
        log_pending_bytes: core.effects.log_pending_bytes(),
    }
}

impl InfoPart {
    fn merge(&mut self, other: &InfoPart) {
        self.stats.merge(&other.stats);
        if self.databases.len() < other.databases.len() {
            self.databases.resize(other.databases.len(), DatabaseFigures::default());
        }
        for (ours, theirs) in self.databases.iter_mut().zip(&other.databases) {
            ours.keys += theirs.keys;
            ours.expires += theirs.expires;
            ours.ttl_ms_sum = ours.ttl_ms_sum.saturating_add(theirs.ttl_ms_sum);
        }
        self.memory_used_bytes += other.memory_used_bytes;
        self.keyspace_bytes += other.keyspace_bytes;
        self.connections += other.connections;
        self.blocked_clients += other.blocked_clients;
        self.waited_keys += other.waited_keys;
        self.watching += other.watching;
        self.watched += other.watched;
        self.input_bytes += other.input_bytes;
        self.output_bytes += other.output_bytes;
        self.listening_clients += other.listening_clients;
        self.log.bytes += other.log.bytes;
        self.log.syncs += other.log.syncs;
        self.log.delays += other.log.delays;
        self.log_pending_bytes += other.log_pending_bytes;
    }
}

fn finish(cx: &mut Cx<'_>, args: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let mut sum = InfoPart::default();
    for part in &parts {
        if let Partial::Info(part) = part {
            sum.merge(part);
        }
    }
    let wanted: Vec<String> = args
        .iter()
        .skip(1)
        .map(|name| String::from_utf8_lossy(name).to_ascii_lowercase())
        .collect();
    let mut text = String::new();
    for section in sections::ALL {
        let asked = match wanted.is_empty() {
            true => section.default,
            false => wanted.iter().any(|name| {
                name == section.name
                    || name == "all"
                    || name == "everything"
                    || name == "default" && section.default
            }),
        };
        if asked {
            if !text.is_empty() {
                text.push_str("\r\n");
            }
            let _infallible = write!(text, "# {}\r\n", section.title);
            (section.write)(cx.core, &sum, &mut text);
        }
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// Appends `name:value` lines.
fn line(text: &mut String, name: &str, value: impl std::fmt::Display) {
    let _infallible = write!(text, "{name}:{value}\r\n");
}

/// Appends a byte count and its readable twin.
fn bytes(text: &mut String, name: &str, value: u64) {
    line(text, name, value);
    line(text, &format!("{name}_human"), human_bytes(value));
}

/// Appends names that all have the value 0.
fn zeros(text: &mut String, names: &[&str]) {
    names.iter().for_each(|name| line(text, name, 0));
}

fn each_command(
    sum: &InfoPart,
) -> impl Iterator<Item = (&'static str, &super::stats::CommandStats)> {
    let commands = Table::get().commands();
    commands
        .iter()
        .zip(&sum.stats.commands)
        .filter(|(_, stats)| stats.calls + stats.rejected_calls + stats.failed_calls > 0)
        .map(|(command, stats)| (&*command.full_name, stats))
}
