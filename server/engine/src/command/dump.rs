//! DUMP and RESTORE: one value as bytes that Redis and Valkey read, and back.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::context::{Cx, Expiry};
use super::error::CommandError;
use super::spec::{Arity, DANGEROUS, DENYOOM, Done, KEYSPACE, KeySpec, READONLY, Run, Spec, WRITE};
use crate::base::number::parse_i64;
use crate::base::time::UnixMillis;
use crate::config::NotifyClasses;
use crate::keyspace::{ValueRef, eviction};
use crate::value::rdb::{Content, Decoded, Dialect, Form, Input, Malformed};
use crate::value::rdb::{decode_content, encode_value, footer, put_text};

const BUSY: CommandError = CommandError::Said("BUSYKEY Target key name already exists.");
const BAD_TTL: CommandError = CommandError::Said("ERR Invalid TTL value, must be >= 0");
const BAD_IDLE: CommandError = CommandError::Said("ERR Invalid IDLETIME value, must be >= 0");
const BAD_FREQUENCY: CommandError =
    CommandError::Said("ERR Invalid FREQ value, must be >= 0 and <= 255");
const BAD_PAYLOAD: CommandError =
    CommandError::Said("ERR DUMP payload version or checksum are wrong");
const BAD_FORMAT: CommandError = CommandError::Said("ERR Bad data format");

pub const TABLE: &[Spec] = &[
    Spec {
        name: "DUMP",
        arity: Arity::Exactly(2),
        flags: READONLY,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        tips: &["nondeterministic_output"],
        run: Run::Owner(dump),
        since: "2.6.0",
        group: "generic",
        summary: "Return a serialized version of the value stored at the specified key.",
        complexity: "O(1) to access the key and additional O(N*M) to serialize it, where N \
                        is the number of Redis objects composing the value and M their average \
                        size. For small string values the time complexity is thus O(1)+O(1*M) \
                        where M is small, so simply O(1).",
        examples: &[
            ("DUMP k", "$-1\r\n"),
            ("SET k v\nDUMP k", "$13\r\n\x00\x01v\n\x00*"),
            ("SET k 12\nEXPIRE k 100\nDUMP k", "$13\r\n\x00*"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "RESTORE",
        arity: Arity::AtLeast(4),
        flags: WRITE | DENYOOM,
        acl: KEYSPACE | DANGEROUS,
        keys: &[KeySpec::at(1, &["OW", "update"])],
        run: Run::Owner(restore),
        since: "2.6.0",
        group: "generic",
        summary: "Create a key using the provided serialized value, previously obtained \
                     using DUMP.",
        complexity: "O(1) to create the new key and additional O(N*M) to reconstruct the \
                        serialized value, where N is the number of Redis objects composing the \
                        value and M their average size. For small string values the time \
                        complexity is thus O(1)+O(1*M) where M is small, so simply O(1). \
                        However for sorted set values the complexity is O(N*M*log(N)) because \
                        inserting values into sorted sets is O(log(N)).",
        examples: &[
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\"\nGET k",
                "$1\r\nv\r\n",
            ),
            (
                "RESTORE k 0 \
             \"\\x12\\x01\\x02\\x0f\\x0f\\x00\\x00\\x00\\x03\\x00\\x81a\\x02\\x81b\\x02\\x03\
             \\x01\\xff\\x0a\\x00\\xdc\\xa1\\xe6\\x7dP\\x05PH\"\nLRANGE k 0 -1",
                "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\n3\r\n",
            ),
            (
                "SET k x\nRESTORE k 0 \
                 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\"",
                "-BUSYKEY Target key name already exists.\r\n",
            ),
            (
                "SET k x\nRESTORE k 0 \
                \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" \
             REPLACE\nGET k",
                "$1\r\nv\r\n",
            ),
            (
                "RESTORE k 4102444800000 \
             \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" ABSTTL\nPEXPIRETIME \
             k",
                ":4102444800000\r\n",
            ),
            (
                "SET k x\nRESTORE k 1 \
                \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" \
             ABSTTL replace\nEXISTS k",
                ":0\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\"\nTTL k",
                ":-1\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xcf\"",
                "-ERR DUMP payload version or checksum are wrong\r\n",
            ),
            ("RESTORE k 0 \"\"", "-ERR DUMP payload version or checksum are wrong\r\n"),
            ("RESTORE k 0 abc", "-ERR DUMP payload version or checksum are wrong\r\n"),
            (
                "RESTORE k -1 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\"",
                "-ERR Invalid TTL value, must be >= 0\r\n",
            ),
            (
                "RESTORE k x \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\"",
                "-ERR value is not an integer or out of range\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" FOO",
                "-ERR syntax error\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" \
                 IDLETIME",
                "-ERR syntax error\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" \
                IDLETIME \
             -1",
                "-ERR Invalid IDLETIME value, must be >= 0\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" FREQ \
                 256",
                "-ERR Invalid FREQ value, must be >= 0 and <= 255\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" \
                IDLETIME 1 \
             FREQ 1",
                "-ERR syntax error\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x01v\\x0a\\x00\\x91\\x08\\xce\\xb2\\x198\\x8a\\xce\" \
                IDLETIME \
             1000\nGET k",
                "$1\r\nv\r\n",
            ),
            (
                "RESTORE k 0 \"\\x00\\x3fab\\x0a\\x00g\\xc4\\x20\\x12\\x1d\\x03a\\x01\"",
                "-ERR Bad data format\r\n",
            ),
        ],
        ..Spec::ROW
    },
];

fn dump(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let Some(entry) = cx.read(args.get(1)) else {
        reply.null();
        return Ok(());
    };
    let mut payload = Vec::new();
    let version = match entry.value() {
        ValueRef::Collection(value) => encode_value(value, &mut payload),
        text => {
            payload.push(Form::String as u8);
            put_text(text.text(&mut itoa::Buffer::new()), &mut payload);
            footer::VERSION_PLAIN
        }
    };
    footer::seal(&mut payload, version);
    reply.bulk(&payload);
    Ok(())
}

/// How recently, or how often, a restored key is to count as used.
#[derive(Clone, Copy, Default)]
enum Use {
    #[default]
    Now,
    /// So many seconds ago.
    Idle(i64),
    Frequency(u8),
}

#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    last_use: Use,
}

impl Options {
    fn read(words: Args<'_>) -> Result<Options, CommandError> {
        let mut options = Options::default();
        let mut at = 0;
        while at < words.len() {
            let number = || -> Result<i64, CommandError> {
                let text = words.try_get(at + 1).ok_or(CommandError::Syntax)?;
                parse_i64(text).ok_or(CommandError::NotAnInteger)
            };
            match (words.get(at).to_ascii_uppercase().as_slice(), options.last_use) {
                (b"REPLACE", _) => options.replace = true,
                (b"ABSTTL", _) => options.absolute = true,
                (b"IDLETIME", Use::Now | Use::Idle(_)) => {
                    let seconds = number()?;
                    if seconds < 0 {
                        return Err(BAD_IDLE);
                    }
                    options.last_use = Use::Idle(seconds);
                    at += 1;
                }
                (b"FREQ", Use::Now | Use::Frequency(_)) => {
                    let frequency = u8::try_from(number()?).map_err(|_| BAD_FREQUENCY)?;
                    options.last_use = Use::Frequency(frequency);
                    at += 1;
                }
                _ => return Err(CommandError::Syntax),
            }
            at += 1;
        }
        Ok(options)
    }
}

/// Reads a payload's type byte and body, to the end.
fn content<'a>(cx: &Cx<'_>, body: &'a [u8], dialect: Dialect) -> Decoded<Content<'a>> {
    let bytes_max = usize::try_from(cx.core.config.value_hard_bytes).unwrap_or(usize::MAX);
    let mut input = Input::new(body, bytes_max);
    let form = Form::in_dialect(input.byte()?, dialect).ok_or(Malformed)?;
    decode_content(form, input, cx.core.keyspace.rules())
}

fn restore(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    let options = Options::read(args.tail(4))?;
    cx.check_sizes(key, 0)?;
    if !options.replace && cx.peek(key).is_some() {
        return Err(BUSY);
    }
    let ttl = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    if ttl < 0 {
        return Err(BAD_TTL);
    }
    let (body, dialect) = footer::open(args.get(3)).ok_or(BAD_PAYLOAD)?;
    let restored = content(cx, body, dialect).map_err(|Malformed| BAD_FORMAT)?;
    let start = if options.absolute { 0 } else { cx.now_ms().0 };
    let deadline = (ttl > 0).then(|| UnixMillis(start.saturating_add(ttl)));
    reply.ok();
    if deadline.is_some_and(|at| at <= cx.now_ms()) {
        if cx.delete(key) {
            cx.notify(NotifyClasses::GENERIC, "del", key);
        }
        return Ok(());
    }
    match restored {
        Content::Text(text) => {
            let mut digits = itoa::Buffer::new();
            let expiry = deadline.map_or(Expiry::Never, Expiry::At);
            cx.set(key, text.bytes(&mut digits), expiry);
        }
        Content::Collection(value) => cx.set_value(key, value, deadline),
    }
    set_last_use(cx, key, options.last_use);
    cx.notify(NotifyClasses::GENERIC, "restore", key);
    Ok(())
}

/// Sets the access clock where the policy keeps the kind of clock that was given, as Redis does.
fn set_last_use(cx: &mut Cx<'_>, key: &[u8], last_use: Use) {
    let (now, lfu) = (cx.now_ms(), cx.core.config.maxmemory_policy.is_lfu());
    let access = match last_use {
        Use::Idle(seconds) if !lfu => {
            let idle_ms = seconds.saturating_mul(1000).min(eviction::LRU_IDLE_MAX_MS);
            eviction::lru_clock(UnixMillis(now.0 - idle_ms))
        }
        Use::Frequency(count) if lfu => {
            eviction::fresh_access(now, true) & !0xff | u32::from(count)
        }
        _ => return,
    };
    let key = cx.key(key);
    if let Some(hit) = cx.core.keyspace.hit(cx.caller.db, &key) {
        cx.core.keyspace.visit(hit, access);
    }
}

#[cfg(test)]
mod tests;
