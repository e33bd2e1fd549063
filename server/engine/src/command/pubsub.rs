//! Publish and subscribe. A handler changes the table of who listens (`channels`) or hands a
//! message to it; the shard carries both to the other cores, and holds a confirmation back until
//! they know. A client of RESP2 that listens to anything may do little else; one of RESP3 gets
//! messages as pushes between its replies and is free.

use freehold_protocol::slot::Slot;
use freehold_protocol::{Args, Reply};

use super::channels::{Channels, Topic};
use super::context::Cx;
use super::error::CommandError;
use super::session::{PortKind, Session, SessionId};
use super::spec::{Arity, Done, FAST, KeySpec, LOADING, NOSCRIPT, PUBSUB, Run, STALE, Spec};
use super::table::Command;
use crate::base::glob::{self, Case};
use crate::mesh::owner_of;

pub const TABLE: &[Spec] = &[
    Spec {
        name: "SUBSCRIBE",
        arity: Arity::AtLeast(2),
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        run: Run::Here(subscribe),
        since: "2.0.0",
        group: "pubsub",
        summary: "Listen for messages published to the given channels",
        complexity: "O(N) where N is the number of channels to subscribe to.",
        examples: &[
            ("SUBSCRIBE a", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"),
            ("SUBSCRIBE a\nSUBSCRIBE b", "*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n"),
            ("SUBSCRIBE a\nPING hi", "*2\r\n$4\r\npong\r\n$2\r\nhi\r\n"),
            (
                "SUBSCRIBE a\nGET k",
                "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / \
                 RESET are allowed in this context\r\n",
            ),
            ("SUBSCRIBE a\nRESET\nGET k", "$-1\r\n"),
            ("HELLO 3\nSUBSCRIBE a\nGET k", "_\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "UNSUBSCRIBE",
        arity: Arity::AtLeast(1),
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        run: Run::Here(unsubscribe),
        since: "2.0.0",
        group: "pubsub",
        summary: "Stop listening for messages posted to the given channels",
        complexity: "O(N) where N is the number of clients already subscribed to a channel.",
        examples: &[
            ("UNSUBSCRIBE", "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n"),
            ("HELLO 3\nUNSUBSCRIBE", ">3\r\n$11\r\nunsubscribe\r\n_\r\n:0\r\n"),
            ("UNSUBSCRIBE a", "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n"),
            ("SUBSCRIBE a b\nUNSUBSCRIBE a", "*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:1\r\n"),
            ("SUBSCRIBE a\nUNSUBSCRIBE\nGET k", "$-1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PSUBSCRIBE",
        arity: Arity::AtLeast(2),
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        run: Run::Here(psubscribe),
        since: "2.0.0",
        group: "pubsub",
        summary: "Listen for messages published to channels matching the given patterns",
        complexity: "O(N) where N is the number of patterns the client is already subscribed to.",
        examples: &[
            ("PSUBSCRIBE a*", "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:1\r\n"),
            ("SUBSCRIBE a\nPSUBSCRIBE a*", "*3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:2\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PUNSUBSCRIBE",
        arity: Arity::AtLeast(1),
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        run: Run::Here(punsubscribe),
        since: "2.0.0",
        group: "pubsub",
        summary: "Stop listening for messages posted to channels matching the given patterns",
        complexity: "O(N+M) where N is the number of patterns the client is already subscribed \
            and M is the number of total patterns subscribed in the system (by any client).",
        examples: &[
            ("PUNSUBSCRIBE", "*3\r\n$12\r\npunsubscribe\r\n$-1\r\n:0\r\n"),
            ("PSUBSCRIBE a*\nPUNSUBSCRIBE a*", "*3\r\n$12\r\npunsubscribe\r\n$2\r\na*\r\n:0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SSUBSCRIBE",
        arity: Arity::AtLeast(2),
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        keys: &[KeySpec::from(1, 1, &["not_key"])],
        run: Run::Here(ssubscribe),
        since: "7.0.0",
        group: "pubsub",
        summary: "Listen for messages published to the given shard channels",
        complexity: "O(N) where N is the number of shard channels to subscribe to.",
        examples: &[
            ("SSUBSCRIBE a", "*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n"),
            ("SUBSCRIBE a\nSSUBSCRIBE a", "*3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SUNSUBSCRIBE",
        arity: Arity::AtLeast(1),
        flags: PUBSUB | NOSCRIPT | LOADING | STALE,
        keys: &[KeySpec::from(1, 1, &["not_key"])],
        run: Run::Here(sunsubscribe),
        since: "7.0.0",
        group: "pubsub",
        summary: "Stop listening for messages posted to the given shard channels",
        complexity: "O(N) where N is the number of clients already subscribed to a shard channel.",
        examples: &[
            ("SUNSUBSCRIBE", "*3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0\r\n"),
            ("SSUBSCRIBE a\nSUNSUBSCRIBE a", "*3\r\n$12\r\nsunsubscribe\r\n$1\r\na\r\n:0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PUBLISH",
        arity: Arity::Exactly(3),
        flags: PUBSUB | LOADING | STALE | FAST,
        run: Run::Here(publish),
        since: "2.0.0",
        group: "pubsub",
        summary: "Post a message to a channel",
        complexity: "O(N+M) where N is the number of clients subscribed to the receiving \
            channel and M is the total number of subscribed patterns (by any client).",
        examples: &[
            ("PUBLISH a hi", ":0\r\n"),
            ("PUBLISH a", "-ERR wrong number of arguments for 'publish' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SPUBLISH",
        arity: Arity::Exactly(3),
        flags: PUBSUB | LOADING | STALE | FAST,
        keys: &[KeySpec::at(1, &["not_key"])],
        run: Run::Here(spublish),
        since: "7.0.0",
        group: "pubsub",
        summary: "Post a message to a shard channel",
        complexity: "O(N) where N is the number of clients subscribed to the receiving shard \
            channel.",
        examples: &[("SPUBLISH a hi", ":0\r\n"), ("HELLO 3\nSUBSCRIBE a\nSPUBLISH a hi", ":0\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "PUBSUB",
        arity: Arity::AtLeast(2),
        subcommands: &[
            Spec {
                name: "CHANNELS",
                arity: Arity::AtLeast(2),
                flags: PUBSUB | LOADING | STALE,
                run: Run::Here(channels),
                since: "2.8.0",
                group: "pubsub",
                summary: "List active channels",
                complexity: "O(N) where N is the number of active channels, and assuming \
                    constant time pattern matching (relatively short channels and patterns)",
                examples: &[
                    ("PUBSUB CHANNELS", "*0\r\n"),
                    ("HELLO 3\nSUBSCRIBE ab\nPUBSUB CHANNELS", "*1\r\n$2\r\nab\r\n"),
                    ("HELLO 3\nSUBSCRIBE ab ba\nPUBSUB CHANNELS a*", "*1\r\n$2\r\nab\r\n"),
                    (
                        "PUBSUB CHANNELS a b",
                        "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try \
                         PUBSUB HELP.\r\n",
                    ),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "NUMSUB",
                arity: Arity::AtLeast(2),
                flags: PUBSUB | LOADING | STALE,
                run: Run::Here(numsub),
                since: "2.8.0",
                group: "pubsub",
                summary: "Get the count of subscribers for channels",
                complexity: "O(N) for the NUMSUB subcommand, where N is the number of requested \
                    channels",
                examples: &[
                    ("PUBSUB NUMSUB", "*0\r\n"),
                    (
                        "HELLO 3\nSUBSCRIBE a\nPUBSUB NUMSUB a b",
                        "*4\r\n$1\r\na\r\n:1\r\n$1\r\nb\r\n:0\r\n",
                    ),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "NUMPAT",
                arity: Arity::Exactly(2),
                flags: PUBSUB | LOADING | STALE,
                run: Run::Here(numpat),
                since: "2.8.0",
                group: "pubsub",
                summary: "Get the count of unique patterns pattern subscriptions",
                examples: &[
                    ("PUBSUB NUMPAT", ":0\r\n"),
                    ("HELLO 3\nPSUBSCRIBE a* b*\nPUBSUB NUMPAT", ":2\r\n"),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "SHARDCHANNELS",
                arity: Arity::AtLeast(2),
                flags: PUBSUB | LOADING | STALE,
                run: Run::Here(shardchannels),
                since: "7.0.0",
                group: "pubsub",
                summary: "List active shard channels",
                complexity: "O(N) where N is the number of active shard channels, and assuming \
                    constant time pattern matching (relatively short shard channels).",
                examples: &[
                    ("PUBSUB SHARDCHANNELS", "*0\r\n"),
                    ("HELLO 3\nSSUBSCRIBE a\nPUBSUB SHARDCHANNELS", "*1\r\n$1\r\na\r\n"),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "SHARDNUMSUB",
                arity: Arity::AtLeast(2),
                flags: PUBSUB | LOADING | STALE,
                run: Run::Here(shardnumsub),
                since: "7.0.0",
                group: "pubsub",
                summary: "Get the count of subscribers for shard channels",
                complexity: "O(N) for the SHARDNUMSUB subcommand, where N is the number of \
                    requested shard channels",
                examples: &[
                    ("PUBSUB SHARDNUMSUB a", "*2\r\n$1\r\na\r\n:0\r\n"),
                    ("HELLO 3\nSSUBSCRIBE a\nPUBSUB SHARDNUMSUB a", "*2\r\n$1\r\na\r\n:1\r\n"),
                ],
                ..Spec::ROW
            },
            Spec {
                name: "HELP",
                arity: Arity::Exactly(2),
                flags: LOADING | STALE,
                run: Run::Here(help),
                since: "6.2.0",
                group: "pubsub",
                summary: "Show helpful text about the different subcommands",
                examples: &[("PUBSUB HELP", "*")],
                ..Spec::ROW
            },
        ],
        since: "2.8.0",
        group: "pubsub",
        summary: "A container for Pub/Sub commands",
        complexity: "Depends on subcommand.",
        ..Spec::ROW
    },
];

const NO_BINARY: CommandError =
    CommandError::Said("ERR the binary protocol has no frame for messages: subscribe over RESP");

/// What the names of one kind are called in confirmations.
#[derive(Clone, Copy)]
struct Words {
    topic: Topic,
    subscribe: &'static str,
    unsubscribe: &'static str,
}

const CHANNEL: Words =
    Words { topic: Topic::Channel, subscribe: "subscribe", unsubscribe: "unsubscribe" };
const PATTERN: Words =
    Words { topic: Topic::Pattern, subscribe: "psubscribe", unsubscribe: "punsubscribe" };
const SHARD: Words =
    Words { topic: Topic::Shard, subscribe: "ssubscribe", unsubscribe: "sunsubscribe" };

/// Whether the replies of a command are messages of a kind, which CLIENT REPLY does not silence.
pub fn confirms(command: &Command) -> bool {
    command.spec.is(PUBSUB) && command.spec.is(NOSCRIPT)
}

/// Refuses what a client of RESP2 that listens must not send.
///
/// # Errors
/// Redis's sentence.
pub fn check_while_listening(command: &Command) -> Result<(), CommandError> {
    let allowed = matches!(
        command.spec.name,
        "SUBSCRIBE"
            | "UNSUBSCRIBE"
            | "PSUBSCRIBE"
            | "PUNSUBSCRIBE"
            | "SSUBSCRIBE"
            | "SUNSUBSCRIBE"
            | "PING"
            | "QUIT"
            | "RESET"
    );
    match allowed {
        true => Ok(()),
        false => Err(CommandError::SaidOf(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET \
             are allowed in this context",
            command.full_name
        ))),
    }
}

/// The caller's session and the table of who listens.
///
/// # Panics
/// In a handler that runs away from the connection: rows with `Run::Here` only.
fn subscriber<'a>(cx: &'a mut Cx<'_>) -> (SessionId, &'a mut Session, &'a mut Channels) {
    let id = cx.caller.session.expect("a Run::Here handler runs at its connection");
    let session = cx.core.sessions.get_mut(id).expect("a session outlives its command");
    (id, session, &mut cx.core.channels)
}

fn subscribe(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    subscribe_to(cx, args, reply, CHANNEL)
}

fn psubscribe(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    subscribe_to(cx, args, reply, PATTERN)
}

fn ssubscribe(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    subscribe_to(cx, args, reply, SHARD)
}

fn unsubscribe(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    unsubscribe_from(cx, args, reply, CHANNEL)
}

fn punsubscribe(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    unsubscribe_from(cx, args, reply, PATTERN)
}

fn sunsubscribe(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    unsubscribe_from(cx, args, reply, SHARD)
}

/// One confirmation a name, also for a name the client listens to already.
fn subscribe_to(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>, words: Words) -> Done {
    if cx.session().binary {
        return Err(NO_BINARY);
    }
    for name in args.tail(1).iter() {
        let (id, session, channels) = subscriber(cx);
        let listening = session.listening.get_or_insert_default();
        channels.subscribe(id, listening, words.topic, name);
        let count = session.subscriptions_beside(words.topic);
        confirm(reply, words.subscribe, Some(name), count);
    }
    Ok(())
}

/// Without names, all of them; and one confirmation without a name when there are none.
fn unsubscribe_from(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>, words: Words) -> Done {
    let session = cx.session();
    if args.len() > 1 {
        for name in args.tail(1).iter() {
            end(cx, reply, words, name);
        }
        return Ok(());
    }
    let listening = session.listening.as_ref();
    let names: Vec<_> =
        listening.map(|all| all.names(words.topic).cloned().collect()).unwrap_or_default();
    if names.is_empty() {
        let count = session.subscriptions_beside(words.topic);
        confirm(reply, words.unsubscribe, None, count);
    }
    for name in names {
        end(cx, reply, words, &name);
    }
    Ok(())
}

fn end(cx: &mut Cx<'_>, reply: &mut Reply<'_>, words: Words, name: &[u8]) {
    let (id, session, channels) = subscriber(cx);
    if let Some(listening) = &mut session.listening {
        channels.unsubscribe(id, listening, words.topic, name);
        if listening.is_empty() {
            session.listening = None;
        }
    }
    confirm(reply, words.unsubscribe, Some(name), session.subscriptions_beside(words.topic));
}

fn confirm(reply: &mut Reply<'_>, word: &str, name: Option<&[u8]>, count: usize) {
    reply.push(3);
    reply.text(word);
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.integer(count as i64);
}

fn publish(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    cx.core.tell_events(); // of the commands before it in a transaction
    let receivers = cx.core.channels.publish(Topic::Channel, args.get(1), args.get(2));
    reply.integer(receivers as i64);
    Ok(())
}

/// Runs where the publisher is connected, although its channel has a slot: so messages of one
/// publisher stay in order whatever channels they go to. A core port sends it to its slot's core.
fn spublish(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let receivers = cx.core.channels.publish(Topic::Shard, args.get(1), args.get(2));
    reply.integer(receivers as i64);
    Ok(())
}

fn channels(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    list(cx, args, reply, Topic::Channel)
}

fn shardchannels(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    list(cx, args, reply, Topic::Shard)
}

/// Every core knows all channels of the node. A core port tells of the shard channels in its own
/// slots, as a node of a cluster does.
fn list(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>, topic: Topic) -> Done {
    if args.len() > 3 {
        let shown = String::from_utf8_lossy(args.get(1));
        return Err(CommandError::SaidOf(format!(
            "ERR unknown subcommand or wrong number of arguments for '{shown}'. Try PUBSUB HELP."
        )));
    }
    let pattern = args.try_get(2);
    let (own, cores) = (cx.core.id, cx.core.cores);
    let only_own = topic == Topic::Shard && cx.caller.port == PortKind::Core;
    let mut names: Vec<&[u8]> = cx
        .core
        .channels
        .all(topic)
        .map(|(name, _)| name)
        .filter(|name| pattern.is_none_or(|p| glob::matches(p, name, Case::Sensitive)))
        .filter(|name| !only_own || owner_of(Slot::of_key(name), cores) == own)
        .collect();
    names.sort_unstable();
    reply.array(names.len());
    names.iter().for_each(|name| reply.bulk(name));
    Ok(())
}

fn numsub(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count(&cx.core.channels, args, reply, Topic::Channel);
    Ok(())
}

fn shardnumsub(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count(&cx.core.channels, args, reply, Topic::Shard);
    Ok(())
}

fn count(channels: &Channels, args: Args<'_>, reply: &mut Reply<'_>, topic: Topic) {
    let names = args.tail(2);
    reply.array(2 * names.len());
    for name in names.iter() {
        reply.bulk(name);
        reply.integer(channels.listener_count(topic, name) as i64);
    }
}

fn numpat(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.integer(cx.core.channels.count(Topic::Pattern) as i64);
    Ok(())
}

fn help(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    super::help::write(cx, reply);
    Ok(())
}
