//! MEMORY: what keys take, and where the memory of the whole node is. The figures of all cores
//! are added up; those of the process come from the host.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::context::Cx;
use super::error::CommandError;
use super::gather::Partial;
use super::spec::{Arity, Done, KeySpec, LOADING, READONLY, Run, STALE, Spec};
use crate::base::number::parse_i64;

/// Tips of the subcommands that gather figures from all cores.
const GATHERED: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

pub const TABLE: &[Spec] = &[Spec {
    name: "MEMORY",
    arity: Arity::AtLeast(2),
    run: Run::Container,
    subcommands: &[
        Spec {
            name: "DOCTOR",
            arity: Arity::Exactly(2),
            run: Run::Everywhere { collect: contribute, finish: finish_doctor, exclusive: false },
            tips: GATHERED,
            since: "4.0.0",
            group: "server",
            summary: "Outputs memory problems report",
            examples: &[
                ("MEMORY DOCTOR", "$*"),
                (
                    "MEMORY DOCTOR x",
                    "-ERR wrong number of arguments for 'memory|doctor' command\r\n",
                ),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "HELP",
            arity: Arity::Exactly(2),
            flags: LOADING | STALE,
            run: Run::Here(help),
            since: "4.0.0",
            group: "server",
            summary: "Show helpful text about the different subcommands",
            examples: &[("MEMORY HELP", "*14\r\n+MEMORY <subcommand>*")],
            ..Spec::ROW
        },
        Spec {
            name: "MALLOC-STATS",
            arity: Arity::Exactly(2),
            run: Run::Everywhere {
                collect: contribute,
                finish: finish_malloc_stats,
                exclusive: false,
            },
            tips: GATHERED,
            since: "4.0.0",
            group: "server",
            summary: "Show allocator internal stats",
            complexity: "Depends on how much memory is allocated, could be slow",
            examples: &[("MEMORY MALLOC-STATS", "$*")],
            ..Spec::ROW
        },
        Spec {
            name: "PURGE",
            arity: Arity::Exactly(2),
            run: Run::Everywhere { collect: purge, finish: finish_purge, exclusive: false },
            tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
            since: "4.0.0",
            group: "server",
            summary: "Ask the allocator to release memory",
            complexity: "Depends on how much memory is allocated, could be slow",
            examples: &[("MEMORY PURGE", "+OK\r\n")],
            ..Spec::ROW
        },
        Spec {
            name: "STATS",
            arity: Arity::Exactly(2),
            run: Run::Everywhere { collect: contribute, finish: finish_stats, exclusive: false },
            tips: GATHERED,
            since: "4.0.0",
            group: "server",
            summary: "Show memory usage details",
            examples: &[("MEMORY STATS", "*")],
            ..Spec::ROW
        },
        Spec {
            name: "USAGE",
            arity: Arity::AtLeast(3),
            flags: READONLY,
            keys: &[KeySpec::at(2, &["RO"])],
            run: Run::Owner(usage),
            since: "4.0.0",
            group: "server",
            summary: "Estimate the memory usage of a key",
            complexity: "O(N) where N is the number of samples.",
            examples: &[
                ("MEMORY USAGE k", "$-1\r\n"),
                ("SET k v\nMEMORY USAGE k", ":*"),
                ("SET k v\nMEMORY USAGE k SAMPLES 0", ":*"),
                ("MEMORY USAGE k SAMPLES -1", "-ERR syntax error\r\n"),
                ("MEMORY USAGE k SAMPLES", "-ERR syntax error\r\n"),
                ("MEMORY USAGE k SAMPLES x", "-ERR value is not an integer or out of range\r\n"),
                ("MEMORY USAGE k FOO", "-ERR syntax error\r\n"),
                ("MEMORY USAGE", "-ERR wrong number of arguments for 'memory|usage' command\r\n"),
            ],
            ..Spec::ROW
        },
    ],
    since: "4.0.0",
    group: "server",
    summary: "A container for memory diagnostics commands",
    complexity: "Depends on subcommand.",
    examples: &[
        ("MEMORY", "-ERR wrong number of arguments for 'memory' command\r\n"),
        ("MEMORY FOO", "-ERR unknown subcommand 'FOO'. Try MEMORY HELP.\r\n"),
    ],
    ..Spec::ROW
}];

const HELP: [&str; 14] = [
    "MEMORY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DOCTOR",
    "    Return memory problems reports.",
    "MALLOC-STATS",
    "    Return internal statistics report from the memory allocator.",
    "PURGE",
    "    Attempt to purge dirty pages for reclamation by the allocator.",
    "STATS",
    "    Return information about the memory usage of the server.",
    "USAGE <key> [SAMPLES <count>]",
    "    Return memory in bytes used by <key> and its value. Nested values are",
    "    sampled up to <count> times (default: 5, 0 means sample all).",
    "HELP",
    "    Prints this help.",
];

/// Keys whose memory one PURGE gives back at most on each core: half a millisecond. The rest
/// follows in the usual slices, which come at once anyway.
const PURGE_KEYS_MAX: usize = 5_000;

/// What one core knows of its memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryPart {
    /// All this core has allocated.
    used_bytes: u64,
    peak_bytes: u64,
    /// Entries, tables and what waits to be freed.
    keyspace_bytes: u64,
    /// Buffers of connections.
    client_bytes: u64,
    clients: u64,
    databases: Vec<DatabasePart>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct DatabasePart {
    keys: u64,
    /// Tables and the index of deadlines.
    overhead_bytes: u64,
}

impl MemoryPart {
    fn of(cx: &Cx<'_>) -> MemoryPart {
        let core = &*cx.core;
        let keyspace = &core.keyspace;
        let databases = keyspace.numbers().map(|db| DatabasePart {
            keys: keyspace.len(db) as u64,
            overhead_bytes: keyspace.overhead_bytes(db) as u64,
        });
        // One core's figure may be below zero; only the wrapping sum over all is an amount.
        let used_bytes = core.memory_used_bytes() as u64;
        let buffers =
            core.sessions.iter().map(|(_, session)| session.input_bytes + session.output_bytes);
        MemoryPart {
            used_bytes,
            peak_bytes: core.stats.used_memory_peak_bytes,
            keyspace_bytes: keyspace.accounted_bytes() as u64,
            client_bytes: buffers.sum::<usize>() as u64,
            clients: core.sessions.len() as u64,
            databases: databases.collect(),
        }
    }

    fn sum(parts: Vec<Partial>) -> Result<MemoryPart, CommandError> {
        let mut sum = MemoryPart::default();
        for part in parts {
            match part {
                Partial::Memory(part) => sum.add(&part),
                Partial::Failed(error) => return Err(error),
                _ => {}
            }
        }
        Ok(sum)
    }

    fn add(&mut self, other: &MemoryPart) {
        self.used_bytes = self.used_bytes.wrapping_add(other.used_bytes);
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
        self.keyspace_bytes += other.keyspace_bytes;
        self.client_bytes += other.client_bytes;
        self.clients += other.clients;
        let databases = self.databases.len().max(other.databases.len());
        self.databases.resize(databases, DatabasePart::default());
        for (mine, theirs) in self.databases.iter_mut().zip(&other.databases) {
            mine.keys += theirs.keys;
            mine.overhead_bytes += theirs.overhead_bytes;
        }
    }

    /// What a node without keys and clients would use.
    fn base_bytes(&self) -> u64 {
        self.used_bytes.saturating_sub(self.keyspace_bytes + self.client_bytes)
    }

    fn overhead_bytes(&self) -> u64 {
        let tables: u64 = self.databases.iter().map(|database| database.overhead_bytes).sum();
        self.base_bytes() + self.client_bytes + tables
    }

    fn keys(&self) -> u64 {
        self.databases.iter().map(|database| database.keys).sum()
    }
}

fn usage(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    check_samples(args.tail(3))?;
    let key = args.get(2);
    let bytes = match cx.peek(key) {
        Some(_) => cx.core.keyspace.memory_usage(cx.caller.db, &cx.key(key)),
        None => None,
    };
    match bytes {
        Some(bytes) => reply.integer(bytes as i64),
        None => reply.null(),
    }
    Ok(())
}

/// SAMPLES bounds how many elements of a collection are looked at; a string has none.
fn check_samples(words: Args<'_>) -> Result<(), CommandError> {
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if !word.eq_ignore_ascii_case(b"SAMPLES") {
            return Err(CommandError::Syntax);
        }
        let count = words.next().ok_or(CommandError::Syntax)?;
        if parse_i64(count).ok_or(CommandError::NotAnInteger)? < 0 {
            return Err(CommandError::Syntax);
        }
    }
    Ok(())
}

fn contribute(cx: &mut Cx<'_>, _: Args<'_>) -> Result<Partial, CommandError> {
    Ok(Partial::Memory(Box::new(MemoryPart::of(cx))))
}

fn purge(cx: &mut Cx<'_>, _: Args<'_>) -> Result<Partial, CommandError> {
    cx.core.keyspace.reclaim_slice(PURGE_KEYS_MAX);
    Ok(Partial::Done)
}

fn finish_purge(_: &mut Cx<'_>, _: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    Partial::all_done(parts)?;
    reply.ok();
    Ok(())
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn difference(a: u64, b: u64) -> i64 {
    a as i64 - b as i64
}

fn count(reply: &mut Reply<'_>, name: &str, value: i64) {
    reply.text(name);
    reply.integer(value);
}

fn share(reply: &mut Reply<'_>, name: &str, value: f64) {
    reply.text(name);
    reply.double(value);
}

/// Redis 7.0's fields in its order. What has no counterpart here is 0.
fn finish_stats(cx: &mut Cx<'_>, _: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let sum = MemoryPart::sum(parts)?;
    let resident = cx.core.node.host.process().resident_bytes;
    let overhead = sum.overhead_bytes();
    let dataset = sum.used_bytes.saturating_sub(overhead);
    let net = sum.used_bytes.saturating_sub(sum.base_bytes());
    let used_databases = sum.databases.iter().enumerate().filter(|(_, part)| part.keys > 0);
    let used_databases: Vec<_> = used_databases.collect();
    reply.map(27 + used_databases.len());
    count(reply, "peak.allocated", sum.peak_bytes as i64);
    count(reply, "total.allocated", sum.used_bytes as i64);
    count(reply, "startup.allocated", sum.base_bytes() as i64);
    count(reply, "replication.backlog", 0);
    count(reply, "clients.slaves", 0);
    count(reply, "clients.normal", sum.client_bytes as i64);
    count(reply, "cluster.links", 0);
    count(reply, "aof.buffer", 0);
    count(reply, "lua.caches", 0);
    count(reply, "functions.caches", 0);
    for (db, part) in used_databases {
        answer_database(db, part, reply);
    }
    count(reply, "overhead.total", overhead as i64);
    count(reply, "keys.count", sum.keys() as i64);
    count(reply, "keys.bytes-per-key", net.checked_div(sum.keys()).unwrap_or(0) as i64);
    count(reply, "dataset.bytes", dataset as i64);
    answer_ratios(&sum, dataset, net, resident, reply);
    Ok(())
}

fn answer_database(db: usize, part: &DatabasePart, reply: &mut Reply<'_>) {
    reply.text(&format!("db.{db}"));
    reply.map(3);
    count(reply, "overhead.hashtable.main", part.overhead_bytes as i64);
    // Deadlines and slots are part of the tables.
    count(reply, "overhead.hashtable.expires", 0);
    count(reply, "overhead.hashtable.slot-to-keys", 0);
}

/// The second half of MEMORY STATS: 13 pairs.
fn answer_ratios(sum: &MemoryPart, dataset: u64, net: u64, resident: u64, reply: &mut Reply<'_>) {
    let used = sum.used_bytes;
    share(reply, "dataset.percentage", 100.0 * ratio(dataset, net));
    share(reply, "peak.percentage", 100.0 * ratio(used, sum.peak_bytes));
    count(reply, "allocator.allocated", used as i64);
    count(reply, "allocator.active", used as i64);
    count(reply, "allocator.resident", resident as i64);
    // mimalloc does not tell pages in use from pages held: all that is not in use is resident.
    let pairs = [
        ("allocator-fragmentation", ratio(used, used), 0),
        ("allocator-rss", ratio(resident, used), difference(resident, used)),
        ("rss-overhead", ratio(resident, resident), 0),
    ];
    for (name, ratio, bytes) in pairs {
        share(reply, &format!("{name}.ratio"), ratio);
        count(reply, &format!("{name}.bytes"), bytes);
    }
    share(reply, "fragmentation", ratio(resident, used));
    count(reply, "fragmentation.bytes", difference(resident, used));
}

/// Below this there is nothing to diagnose, as in Redis.
const DIAGNOSABLE_BYTES_MIN: u64 = 5 << 20;
const EMPTY: &str = "Hi Sam, this instance is empty or is using very little memory, my issues \
    detector can't be used in these conditions. Please, leave for your mission on Earth and fill \
    it with some data. The new Sam and I will be back to our programming as soon as I finished \
    rebooting.\n";
const HEALTHY: &str = "Hi Sam, I can't find any memory issue in your instance. I can only \
    account for what occurs on this base.\n";
const ISSUES: &str = "Sam, I detected a few issues in this Redis instance memory implants:\n";
const BIG_PEAK: &str = "\n * Peak memory: at some time this instance used more than 150% of what \
    it uses now. Memory freed since then may still be resident; it will be used again before the \
    process grows.\n";
const HIGH_FRAGMENTATION: &str = "\n * High total RSS: more than 1.4 times the memory in use is \
    resident. If keys were deleted recently this passes as new ones come; MEMORY PURGE gives back \
    what flushes have left behind.\n";
const BIG_CLIENT_BUFFERS: &str = "\n * Big client buffers: connections hold more than 200 KB each \
    on average. Look for clients that do not read their replies with CLIENT LIST.\n";

fn finish_doctor(cx: &mut Cx<'_>, _: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let sum = MemoryPart::sum(parts)?;
    let resident = cx.core.node.host.process().resident_bytes;
    reply.verbatim("txt", diagnose(&sum, resident).as_bytes());
    Ok(())
}

/// The thresholds are those of Redis 7.
fn diagnose(sum: &MemoryPart, resident: u64) -> String {
    if sum.used_bytes < DIAGNOSABLE_BYTES_MIN {
        return EMPTY.to_owned();
    }
    let fragmented =
        ratio(resident, sum.used_bytes) > 1.4 && difference(resident, sum.used_bytes) > 10 << 20;
    let findings = [
        (ratio(sum.peak_bytes, sum.used_bytes) > 1.5, BIG_PEAK),
        (fragmented, HIGH_FRAGMENTATION),
        (sum.client_bytes.checked_div(sum.clients).unwrap_or(0) > 200 << 10, BIG_CLIENT_BUFFERS),
    ];
    let found: String = findings.iter().filter(|(is, _)| *is).map(|(_, text)| *text).collect();
    if found.is_empty() { HEALTHY.to_owned() } else { format!("{ISSUES}{found}") }
}

fn finish_malloc_stats(
    cx: &mut Cx<'_>,
    _: Args<'_>,
    parts: Vec<Partial>,
    reply: &mut Reply<'_>,
) -> Done {
    let mut text = String::from("core allocated keyspace clients\n");
    for (core, part) in parts.iter().enumerate() {
        let Partial::Memory(part) = part else { continue };
        let MemoryPart { used_bytes, keyspace_bytes, client_bytes, .. } = part.as_ref();
        text.push_str(&format!("{core} {used_bytes} {keyspace_bytes} {client_bytes}\n"));
    }
    let resident = cx.core.node.host.process().resident_bytes;
    text.push_str(&format!("process resident {resident}\n"));
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn help(_: &mut Cx<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.array(HELP.len());
    HELP.iter().for_each(|line| reply.simple(line));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_doctor_names_every_finding_and_only_those() {
        let healthy =
            MemoryPart { used_bytes: 100 << 20, peak_bytes: 100 << 20, ..MemoryPart::default() };
        assert_eq!(diagnose(&MemoryPart::default(), 0), EMPTY);
        assert_eq!(diagnose(&healthy, 120 << 20), HEALTHY);

        let ill =
            MemoryPart { peak_bytes: 200 << 20, client_bytes: 1 << 20, clients: 2, ..healthy };
        let text = diagnose(&ill, 200 << 20);

        for finding in [ISSUES, BIG_PEAK, HIGH_FRAGMENTATION, BIG_CLIENT_BUFFERS] {
            assert!(text.contains(finding), "{finding}");
        }
    }
}
