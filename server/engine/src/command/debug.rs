//! DEBUG: what test suites use, behind `enable-debug-command`.

use freehold_protocol::{Args, Reply};

use super::context::{Cx, Request};
use super::error::CommandError;
use super::gather::Partial;
use super::spec::{ADMIN, Arity, Done, LOADING, NOSCRIPT, Run, STALE, Spec};
use crate::base::number::parse_f64;

pub const TABLE: &[Spec] = &[Spec {
    name: "DEBUG",
    arity: Arity::AtLeast(2),
    flags: ADMIN | NOSCRIPT | LOADING | STALE,
    run: Run::Everywhere { collect: part, finish, exclusive: false },
    since: "1.0.0",
    group: "server",
    summary: "A container for debugging commands",
    complexity: "Depends on subcommand.",
    examples: &[(
        "DEBUG SLEEP 0",
        "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", \
         you can run it from a local connection, otherwise you need to set this option in the \
         configuration file, and then restart the server.\r\n",
    )],
    ..Spec::ROW
}];

const NOT_ALLOWED: CommandError = CommandError::Said(
    "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you \
     can run it from a local connection, otherwise you need to set this option in the \
     configuration file, and then restart the server.",
);

/// The subcommands, for HELP.
const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "DIGEST",
    "    A digest of all keys and values; equal content gives equal digests on any core count.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    A digest of each key's value.",
    "ERROR <string>",
    "    Answer with this error.",
    "LOG <message>",
    "    Write a line into the log.",
    "OBJECT <key>",
    "    Low-level information about a key and its value.",
    "PROTOCOL <type>",
    "    Answer with a test value of this type.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Let expired keys be removed without being accessed, or not.",
    "SLEEP <seconds>",
    "    Stop every core for this long.",
];

fn part(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    if !cx.core.config.enable_debug_command.allows(cx.caller.local) {
        return Err(NOT_ALLOWED);
    }
    match (&args.get(1).to_ascii_uppercase()[..], args.len()) {
        (b"SLEEP", 3) => sleep(cx, args.get(2)),
        (b"SET-ACTIVE-EXPIRE", 3) => {
            cx.core.active_expiry = args.get(2) != b"0";
            Ok(Partial::Done)
        }
        (b"DIGEST", 2) => Ok(Partial::Count(cx.core.keyspace.digest() as i64)),
        (b"OBJECT", 3) => object(cx, args.get(2)),
        (b"DIGEST-VALUE", 3..) => Ok(digest_values(cx, args.tail(2))),
        (b"LOG", 3) => {
            if cx.caller.session.is_some() {
                let line = String::from_utf8_lossy(args.get(2)).into_owned();
                cx.core.requests.push(Request::Log(line));
            }
            Ok(Partial::Done)
        }
        (b"ERROR" | b"PROTOCOL", 3) | (b"HELP", 2) => Ok(Partial::Done),
        _ => {
            let given = String::from_utf8_lossy(args.get(1)).into_owned();
            Err(CommandError::SaidOf(format!(
                "ERR unknown subcommand or wrong number of arguments for '{given}'. Try DEBUG HELP."
            )))
        }
    }
}

/// Burns the time instead of waiting for it: a shard has nothing to wait with, and what is being
/// tested is a core that does not answer.
fn sleep(cx: &mut Cx<'_>, seconds: &[u8]) -> Result<Partial, CommandError> {
    let seconds = parse_f64(seconds).unwrap_or(0.0).clamp(0.0, 60.0);
    let host = &cx.core.node.host;
    let end_ns = host.ticks_ns() + (seconds * 1e9) as u64;
    while host.ticks_ns() < end_ns {
        std::hint::spin_loop();
    }
    Ok(Partial::Done)
}

fn object(cx: &mut Cx<'_>, key: &[u8]) -> Result<Partial, CommandError> {
    let key_ref = cx.core.keyspace.key_ref(key);
    if !cx.core.keyspace.owns(key_ref.slot) {
        return Ok(Partial::Done);
    }
    let Some(entry) = cx.peek(key) else { return Ok(Partial::Done) };
    let text = format!(
        "Value at:0x0 refcount:1 encoding:{} serializedlength:{} lru:{} lru_seconds_idle:0",
        entry.encoding_name(),
        entry.value().text_bytes(),
        entry.access(),
    );
    Ok(Partial::Text(text))
}

/// `position value-digest` of the keys that live here, one a line.
fn digest_values(cx: &mut Cx<'_>, keys: Args<'_>) -> Partial {
    let mut text = String::new();
    for (at, key) in keys.iter().enumerate() {
        let key_ref = cx.core.keyspace.key_ref(key);
        if !cx.core.keyspace.owns(key_ref.slot) {
            continue;
        }
        if let Some(entry) = cx.peek(key) {
            let value = entry.value();
            let digest = xxhash_rust::xxh3::xxh3_128(value.text(&mut itoa::Buffer::new()));
            text.push_str(&format!("{at} {digest:040x}\n"));
        }
    }
    Partial::Text(text)
}

fn finish(_cx: &mut Cx<'_>, args: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let mut texts: Vec<String> = Vec::new();
    let mut digest = 0u64;
    for part in parts {
        match part {
            Partial::Failed(error) => return Err(error),
            Partial::Text(text) => texts.push(text),
            Partial::Count(count) => digest = digest.wrapping_add(count as u64),
            _ => {}
        }
    }
    match &args.get(1).to_ascii_uppercase()[..] {
        b"DIGEST" => reply.simple(&format!("{digest:040x}")),
        b"OBJECT" => match texts.first() {
            Some(text) => reply.simple(text),
            None => return Err(CommandError::NoSuchKey),
        },
        b"DIGEST-VALUE" => {
            let mut digests = vec![format!("{:040x}", 0); args.len() - 2];
            for line in texts.iter().flat_map(|text| text.lines()) {
                let found = line
                    .split_once(' ')
                    .and_then(|(at, digest)| Some((at.parse::<usize>().ok()?, digest)));
                if let Some((at, digest)) = found {
                    digests[at] = digest.to_owned();
                }
            }
            reply.array(digests.len());
            digests.iter().for_each(|digest| reply.simple(digest));
        }
        b"ERROR" => reply.error(&String::from_utf8_lossy(args.get(2))),
        b"PROTOCOL" => return protocol(args.get(2), reply),
        b"HELP" => {
            reply.array(HELP.len());
            HELP.iter().for_each(|line| reply.simple(line));
        }
        _ => reply.ok(),
    }
    Ok(())
}

#[expect(clippy::approx_constant, reason = "Redis's test value, not a circle's")]
const DOUBLE: f64 = 3.141;

/// One value of each reply type, as DEBUG PROTOCOL of Redis 7.0.15 gives them.
fn protocol(kind: &[u8], reply: &mut Reply<'_>) -> Done {
    match &kind.to_ascii_lowercase()[..] {
        b"string" => reply.bulk(b"Hello World"),
        b"integer" => reply.integer(12345),
        b"double" => reply.double(DOUBLE),
        b"null" => reply.null(),
        b"array" => {
            reply.array(3);
            (0..3).for_each(|n| reply.integer(n));
        }
        b"set" => {
            reply.set(3);
            (0..3).for_each(|n| reply.integer(n));
        }
        b"map" => {
            reply.map(3);
            (0..3).for_each(|n| {
                reply.integer(n);
                reply.boolean(n == 1);
            });
        }
        b"verbatim" => reply.verbatim("txt", b"This is a verbatim\nstring"),
        b"true" => reply.boolean(true),
        b"false" => reply.boolean(false),
        _ => {
            let text = "ERR Wrong protocol type name. Please use one of the following: \
                string|integer|double|null|array|set|map|verbatim|true|false";
            return Err(CommandError::Said(text));
        }
    }
    Ok(())
}
