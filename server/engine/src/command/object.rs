//! OBJECT: what is kept beside a value. None of its subcommands counts as a use of the key.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::context::Cx;
use super::error::CommandError;
use super::spec::{Arity, Done, KEYSPACE, KeySpec, LOADING, READONLY, Run, STALE, Spec};
use crate::keyspace::eviction;

pub const TABLE: &[Spec] = &[Spec {
    name: "OBJECT",
    arity: Arity::AtLeast(2),
    run: Run::Container,
    subcommands: &[
        Spec {
            name: "ENCODING",
            arity: Arity::Exactly(3),
            flags: READONLY,
            acl: KEYSPACE,
            keys: &[KeySpec::at(2, &["RO"])],
            run: Run::Owner(encoding),
            tips: &["nondeterministic_output"],
            since: "2.2.3",
            summary: "Inspect the internal encoding of a Redis object",
            examples: &[
                ("OBJECT ENCODING k", "$-1\r\n"),
                ("SET k 123\nOBJECT ENCODING k", "$3\r\nint\r\n"),
                ("SET k 12345678901\nOBJECT ENCODING k", "$3\r\nint\r\n"),
                ("SET k abc\nOBJECT ENCODING k", "$6\r\nembstr\r\n"),
                (
                    "SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nOBJECT ENCODING k",
                    "$6\r\nembstr\r\n",
                ),
                (
                    "SET k aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nOBJECT ENCODING k",
                    "$3\r\nraw\r\n",
                ),
                ("APPEND k a\nAPPEND k b\nOBJECT ENCODING k", "$3\r\nraw\r\n"),
                ("SETRANGE k 0 a\nOBJECT ENCODING k", "$3\r\nraw\r\n"),
                ("SET k 5\nINCR k\nOBJECT ENCODING k", "$3\r\nint\r\n"),
                ("SET k 5\nINCRBYFLOAT k 1\nOBJECT ENCODING k", "$6\r\nembstr\r\n"),
                (
                    "OBJECT ENCODING",
                    "-ERR wrong number of arguments for 'object|encoding' command\r\n",
                ),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "FREQ",
            arity: Arity::Exactly(3),
            flags: READONLY,
            acl: KEYSPACE,
            keys: &[KeySpec::at(2, &["RO"])],
            run: Run::Owner(freq),
            tips: &["nondeterministic_output"],
            since: "4.0.0",
            summary: "Get the logarithmic access frequency counter of a Redis object",
            examples: &[
                ("OBJECT FREQ k", "$-1\r\n"),
                ("SET k v\nOBJECT FREQ k", "-ERR An LFU maxmemory policy is not selected, access*"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "HELP",
            arity: Arity::Exactly(2),
            flags: LOADING | STALE,
            acl: KEYSPACE,
            run: Run::Here(help),
            since: "6.2.0",
            summary: "Show helpful text about the different subcommands",
            examples: &[
                ("OBJECT HELP", "*15\r\n+OBJECT <subcommand>*"),
                ("OBJECT HELP x", "-ERR wrong number of arguments for 'object|help' command\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "IDLETIME",
            arity: Arity::Exactly(3),
            flags: READONLY,
            acl: KEYSPACE,
            keys: &[KeySpec::at(2, &["RO"])],
            run: Run::Owner(idletime),
            tips: &["nondeterministic_output"],
            since: "2.2.3",
            summary: "Get the time since a Redis object was last accessed",
            examples: &[("OBJECT IDLETIME k", "$-1\r\n"), ("SET k v\nOBJECT IDLETIME k", ":0\r\n")],
            ..Spec::ROW
        },
        Spec {
            name: "REFCOUNT",
            arity: Arity::Exactly(3),
            flags: READONLY,
            acl: KEYSPACE,
            keys: &[KeySpec::at(2, &["RO"])],
            run: Run::Owner(refcount),
            tips: &["nondeterministic_output"],
            since: "2.2.3",
            summary: "Get the number of references to the value of the key",
            examples: &[
                ("OBJECT REFCOUNT k", "$-1\r\n"),
                ("SET k v\nOBJECT REFCOUNT k", ":1\r\n"),
                ("SET k 5\nOBJECT REFCOUNT k", ":2147483647\r\n"),
                ("SET k 10000\nOBJECT REFCOUNT k", ":1\r\n"),
            ],
            ..Spec::ROW
        },
    ],
    since: "2.2.3",
    summary: "A container for object introspection commands",
    complexity: "Depends on subcommand.",
    examples: &[
        ("OBJECT", "-ERR wrong number of arguments for 'object' command\r\n"),
        ("OBJECT FOO", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP.\r\n"),
    ],
    ..Spec::ROW
}];

const NOT_LFU: CommandError = CommandError::Said(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that \
     when switching between policies at runtime LRU and LFU data will take some time to adjust.",
);
const LFU: CommandError = CommandError::Said(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
     switching between policies at runtime LRU and LFU data will take some time to adjust.",
);

/// Redis answers this for the integers below, of which it keeps one copy for all keys. We keep
/// none, but what asks looks for Redis's answer.
const SHARED_REFERENCES: i64 = i32::MAX as i64;
const SHARED_INTEGERS: i64 = 10_000;

const HELP: [&str; 15] = [
    "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "ENCODING <key>",
    "    Return the kind of internal representation used in order to store the value",
    "    associated with a <key>.",
    "FREQ <key>",
    "    Return the access frequency index of the <key>. The returned integer is",
    "    proportional to the logarithm of the recent access frequency of the key.",
    "IDLETIME <key>",
    "    Return the idle time of the <key>, that is the approximated number of",
    "    seconds elapsed since the last access to the key.",
    "REFCOUNT <key>",
    "    Return the number of references of the value associated with the specified",
    "    <key>.",
    "HELP",
    "    Prints this help.",
];

fn encoding(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    match cx.inspect(args.get(2)) {
        Some(entry) => reply.text(entry.encoding_name()),
        None => reply.null(),
    }
    Ok(())
}

fn freq(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let Some(access) = cx.inspect(args.get(2)).map(|entry| entry.access()) else {
        reply.null();
        return Ok(());
    };
    let config = &cx.core.config;
    if !config.maxmemory_policy.is_lfu() {
        return Err(NOT_LFU);
    }
    let count = eviction::lfu_count(access, cx.now_ms(), config.lfu_decay_minutes);
    reply.integer(i64::from(count));
    Ok(())
}

fn idletime(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let Some(access) = cx.inspect(args.get(2)).map(|entry| entry.access()) else {
        reply.null();
        return Ok(());
    };
    if cx.core.config.maxmemory_policy.is_lfu() {
        return Err(LFU);
    }
    reply.integer((eviction::lru_idle_ms(access, cx.now_ms()) / 1000) as i64);
    Ok(())
}

fn refcount(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let Some(entry) = cx.inspect(args.get(2)) else {
        reply.null();
        return Ok(());
    };
    let shared = entry.encoding_name() == "int"
        && entry.integer().is_some_and(|number| (0..SHARED_INTEGERS).contains(&number));
    reply.integer(if shared { SHARED_REFERENCES } else { 1 });
    Ok(())
}

fn help(_: &mut Cx<'_>, _: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.array(HELP.len());
    HELP.iter().for_each(|line| reply.simple(line));
    Ok(())
}

#[cfg(test)]
mod tests;
