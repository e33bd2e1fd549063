//! CLUSTER on one host: the node owns all slots and shows itself either as one endpoint
//! (`cluster-view host`) or as one a core (`core`), so that a stock cluster client goes straight to
//! the core that owns its key.

use std::ops::Range;

use freehold_protocol::slot::SLOT_COUNT;
use freehold_protocol::{Args, Reply, Slot};

use super::context::Cx;
use super::error::CommandError;
use super::gather::Partial;
use super::spec::{ADMIN, Arity, CONNECTION, Done, FAST, LOADING, Run, STALE, Spec};
use crate::base::number::parse_i64;
use crate::config::{ClusterView, Config};
use crate::mesh::slots_of;

pub const TABLE: &[Spec] = &[
    Spec {
        name: "CLUSTER",
        arity: Arity::AtLeast(2),
        subcommands: &[
            Spec {
                name: "INFO",
                arity: Arity::Exactly(2),
                flags: STALE,
                tips: &["nondeterministic_output"],
                run: Run::Here(info),
                since: "3.0.0",
                group: "cluster",
                summary: "Provides info about Redis Cluster node state",
                examples: &[(
                    "CLUSTER INFO",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "NODES",
                arity: Arity::Exactly(2),
                flags: STALE,
                tips: &["nondeterministic_output"],
                run: Run::Here(nodes),
                since: "3.0.0",
                group: "cluster",
                summary: "Get Cluster config for the node",
                complexity: "O(N) where N is the total number of Cluster nodes",
                examples: &[(
                    "CLUSTER NODES",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "SLOTS",
                arity: Arity::Exactly(2),
                flags: STALE,
                tips: &["nondeterministic_output"],
                run: Run::Here(slots),
                since: "3.0.0",
                group: "cluster",
                summary: "Get array of Cluster slot to node mappings",
                complexity: "O(N) where N is the total number of Cluster nodes",
                examples: &[(
                    "CLUSTER SLOTS",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "SHARDS",
                arity: Arity::Exactly(2),
                flags: STALE,
                tips: &["nondeterministic_output"],
                run: Run::Here(shards),
                since: "7.0.0",
                group: "cluster",
                summary: "Get array of cluster slots to node mappings",
                complexity: "O(N) where N is the total number of cluster nodes",
                examples: &[(
                    "CLUSTER SHARDS",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "MYID",
                arity: Arity::Exactly(2),
                flags: STALE,
                run: Run::Here(myid),
                since: "3.0.0",
                group: "cluster",
                summary: "Return the node id",
                examples: &[(
                    "CLUSTER MYID",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "KEYSLOT",
                arity: Arity::Exactly(3),
                flags: STALE,
                run: Run::Here(keyslot),
                since: "3.0.0",
                group: "cluster",
                summary: "Returns the hash slot of the specified key",
                complexity: "O(N) where N is the number of bytes in the key",
                examples: &[(
                    "CLUSTER KEYSLOT foo",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "COUNTKEYSINSLOT",
                arity: Arity::Exactly(3),
                flags: STALE,
                run: Run::Everywhere { collect: count_part, finish: count, exclusive: false },
                since: "3.0.0",
                group: "cluster",
                summary: "Return the number of local keys in the specified hash slot",
                examples: &[(
                    "CLUSTER COUNTKEYSINSLOT 1",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "GETKEYSINSLOT",
                arity: Arity::Exactly(4),
                flags: STALE,
                tips: &["nondeterministic_output"],
                run: Run::Everywhere { collect: keys_part, finish: keys, exclusive: false },
                since: "3.0.0",
                group: "cluster",
                summary: "Return local key names in the specified hash slot",
                complexity: "O(log(N)) where N is the number of requested keys",
                examples: &[(
                    "CLUSTER GETKEYSINSLOT 1 1",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "LINKS",
                arity: Arity::Exactly(2),
                flags: STALE,
                tips: &["nondeterministic_output"],
                run: Run::Here(links),
                since: "7.0.0",
                group: "cluster",
                summary: "Returns a list of all TCP links to and from peer nodes in cluster",
                complexity: "O(N) where N is the total number of Cluster nodes",
                examples: &[(
                    "CLUSTER LINKS",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "REPLICAS",
                arity: Arity::Exactly(3),
                flags: ADMIN | STALE,
                tips: &["nondeterministic_output"],
                run: Run::Here(replicas),
                since: "5.0.0",
                group: "cluster",
                summary: "List replica nodes of the specified master node",
                examples: &[(
                    "CLUSTER REPLICAS x",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "SLAVES",
                arity: Arity::Exactly(3),
                flags: ADMIN | STALE,
                tips: &["nondeterministic_output"],
                run: Run::Here(replicas),
                since: "3.0.0",
                group: "cluster",
                summary: "List replica nodes of the specified master node",
                examples: &[(
                    "CLUSTER SLAVES x",
                    "-ERR This instance has cluster support disabled\r\n",
                )],
                ..Spec::ROW
            },
            Spec {
                name: "HELP",
                arity: Arity::Exactly(2),
                flags: LOADING | STALE,
                run: Run::Here(help),
                since: "5.0.0",
                group: "cluster",
                summary: "Show helpful text about the different subcommands",
                examples: &[("CLUSTER HELP", "*")],
                ..Spec::ROW
            },
        ],
        since: "3.0.0",
        group: "cluster",
        summary: "A container for cluster commands",
        complexity: "Depends on subcommand.",
        ..Spec::ROW
    },
    Spec {
        name: "ASKING",
        arity: Arity::Exactly(1),
        flags: FAST,
        acl: CONNECTION,
        run: Run::Here(no_state),
        since: "3.0.0",
        group: "cluster",
        summary: "Sent by cluster clients after an -ASK redirect",
        examples: &[("ASKING", "-ERR This instance has cluster support disabled\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "READONLY",
        arity: Arity::Exactly(1),
        flags: LOADING | STALE | FAST,
        acl: CONNECTION,
        run: Run::Here(no_state),
        since: "3.0.0",
        group: "cluster",
        summary: "Enables read queries for a connection to a cluster replica node",
        examples: &[("READONLY", "-ERR This instance has cluster support disabled\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "READWRITE",
        arity: Arity::Exactly(1),
        flags: LOADING | STALE | FAST,
        acl: CONNECTION,
        run: Run::Here(no_state),
        since: "3.0.0",
        group: "cluster",
        summary: "Disables read queries for a connection to a cluster replica node",
        examples: &[("READWRITE", "-ERR This instance has cluster support disabled\r\n")],
        ..Spec::ROW
    },
];

const DISABLED: CommandError = CommandError::Said("ERR This instance has cluster support disabled");
const BAD_SLOT: CommandError = CommandError::Said("ERR Invalid slot");

/// One advertised endpoint.
struct Endpoint {
    id: String,
    port: u16,
    slots: Range<u16>,
    core: u16,
}

/// The host name or address clients are told: the announced one, else the one this client used.
pub fn announced_host<'a>(config: &'a Config, local: &'a str) -> &'a str {
    if !config.cluster_announce_ip.is_empty() {
        return &config.cluster_announce_ip;
    }
    let host = local.rsplit_once(':').map_or("", |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

fn enabled(cx: &Cx<'_>) -> Result<(), CommandError> {
    if cx.core.config.cluster_enabled { Ok(()) } else { Err(DISABLED) }
}

fn endpoints(cx: &Cx<'_>) -> Vec<Endpoint> {
    let node = &cx.core.node;
    let per_core = cx.core.config.cluster_view == ClusterView::Core && !node.core_ports.is_empty();
    if !per_core {
        return vec![Endpoint {
            id: node.core_ids[0].clone(),
            port: node.announced_port(&cx.core.config),
            slots: 0..SLOT_COUNT,
            core: cx.core.id.0,
        }];
    }
    (0..cx.core.cores)
        .map(|core| Endpoint {
            id: node.core_ids[usize::from(core)].clone(),
            port: node.core_ports[usize::from(core)],
            slots: slots_of(crate::mesh::CoreId(core), cx.core.cores),
            core,
        })
        .collect()
}

fn host(cx: &mut Cx<'_>) -> String {
    let local = cx.session().local.clone();
    announced_host(&cx.core.config, &local).to_owned()
}

fn info(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    let nodes = endpoints(cx).len();
    let lines = [
        ("cluster_state", "ok".to_owned()),
        ("cluster_slots_assigned", SLOT_COUNT.to_string()),
        ("cluster_slots_ok", SLOT_COUNT.to_string()),
        ("cluster_slots_pfail", "0".to_owned()),
        ("cluster_slots_fail", "0".to_owned()),
        ("cluster_known_nodes", nodes.to_string()),
        ("cluster_size", nodes.to_string()),
        ("cluster_current_epoch", nodes.to_string()),
        ("cluster_my_epoch", (cx.core.id.0 + 1).to_string()),
        ("cluster_stats_messages_sent", "0".to_owned()),
        ("cluster_stats_messages_received", "0".to_owned()),
        ("total_cluster_links_buffer_limit_exceeded", "0".to_owned()),
    ];
    let text: String = lines.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

/// One line an endpoint, as in Redis: id, address, flags, leader, ping, pong, epoch, link, slots.
fn nodes(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    let host = host(cx);
    let mut text = String::new();
    for endpoint in endpoints(cx) {
        let Endpoint { id, port, slots, core } = endpoint;
        let flags = if core == cx.core.id.0 { "myself,master" } else { "master" };
        let (first, last) = (slots.start, slots.end - 1);
        let bus = u32::from(port) + 10_000; // printed for form; nothing listens there yet
        text.push_str(&format!(
            "{id} {host}:{port}@{bus} {flags} - 0 0 {} connected {first}-{last}\n",
            core + 1
        ));
    }
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

fn slots(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    let host = host(cx);
    let endpoints = endpoints(cx);
    reply.array(endpoints.len());
    for Endpoint { id, port, slots, .. } in endpoints {
        reply.array(3);
        reply.integer(i64::from(slots.start));
        reply.integer(i64::from(slots.end - 1));
        reply.array(4);
        reply.text(&host);
        reply.integer(i64::from(port));
        reply.text(&id);
        reply.map(0);
    }
    Ok(())
}

fn shards(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    let host = host(cx);
    let endpoints = endpoints(cx);
    reply.array(endpoints.len());
    for Endpoint { id, port, slots, .. } in endpoints {
        reply.map(2);
        reply.text("slots");
        reply.array(2);
        reply.integer(i64::from(slots.start));
        reply.integer(i64::from(slots.end - 1));
        reply.text("nodes");
        reply.array(1);
        let texts = [("ip", &host), ("endpoint", &host)];
        reply.map(5 + texts.len());
        reply.text("id");
        reply.text(&id);
        reply.text("port");
        reply.integer(i64::from(port));
        for (name, value) in texts {
            reply.text(name);
            reply.text(value);
        }
        reply.text("role");
        reply.text("master");
        reply.text("replication-offset");
        reply.integer(0);
        reply.text("health");
        reply.text("online");
    }
    Ok(())
}

fn myid(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    let me = cx.core.id.0;
    let endpoints = endpoints(cx);
    let mine = endpoints.iter().find(|endpoint| endpoint.core == me).unwrap_or(&endpoints[0]);
    reply.text(&mine.id);
    Ok(())
}

fn keyslot(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    reply.integer(i64::from(Slot::of_key(args.get(2)).number()));
    Ok(())
}

fn parse_slot(text: &[u8]) -> Result<Slot, CommandError> {
    let number = parse_i64(text).ok_or(BAD_SLOT_TEXT)?;
    u16::try_from(number).ok().and_then(Slot::new).ok_or(BAD_SLOT)
}

const BAD_SLOT_TEXT: CommandError = CommandError::NotAnInteger;

fn count_part(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    enabled(cx)?;
    let slot = parse_slot(args.get(2))?;
    let owned = cx.core.keyspace.owns(slot);
    Ok(Partial::Count(if owned { cx.core.keyspace.len_slot(0, slot) as i64 } else { 0 }))
}

fn count(_cx: &mut Cx<'_>, _args: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    reply.integer(Partial::sum(parts)?);
    Ok(())
}

fn keys_part(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    enabled(cx)?;
    let slot = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    let count = parse_i64(args.get(3)).ok_or(CommandError::NotAnInteger)?;
    let invalid = CommandError::Said("ERR Invalid slot or number of keys");
    let slot = u16::try_from(slot).ok().and_then(Slot::new).ok_or(invalid.clone())?;
    let count = usize::try_from(count).map_err(|_| invalid)?;
    if !cx.core.keyspace.owns(slot) {
        return Ok(Partial::Keys(Vec::new()));
    }
    let mut keys = Vec::new();
    cx.core.keyspace.keys_in_slot(0, slot, count, |entry| keys.push(entry.key().into()));
    Ok(Partial::Keys(keys))
}

fn keys(_cx: &mut Cx<'_>, _args: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let mut all = Vec::new();
    for part in parts {
        match part {
            Partial::Keys(keys) => all.extend(keys),
            Partial::Failed(error) => return Err(error),
            _ => {}
        }
    }
    reply.array(all.len());
    all.iter().for_each(|key| reply.bulk(key));
    Ok(())
}

/// No links to other nodes exist.
fn links(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    reply.array(0);
    Ok(())
}

/// No node has replicas.
fn replicas(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    if endpoints(cx).iter().all(|endpoint| endpoint.id.as_bytes() != args.get(2)) {
        let shown = String::from_utf8_lossy(args.get(2));
        return Err(CommandError::SaidOf(format!("ERR Unknown node {shown}")));
    }
    reply.array(0);
    Ok(())
}

/// READONLY, READWRITE and ASKING change nothing where every slot is at home.
fn no_state(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    enabled(cx)?;
    reply.ok();
    Ok(())
}

fn help(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    super::help::write(cx, reply);
    Ok(())
}
