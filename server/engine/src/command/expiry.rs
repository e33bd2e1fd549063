//! Deadlines of keys: setting them, asking for them, taking them away.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::context::Cx;
use super::error::CommandError;
use super::spec::{Arity, Done, FAST, KEYSPACE, KeySpec, READONLY, Run, Spec, WRITE};
use crate::base::number::parse_i64;
use crate::base::time::UnixMillis;

pub const TABLE: &[Spec] = &[
    Spec {
        name: "EXPIRE",
        arity: Arity::AtLeast(3),
        flags: WRITE | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(expire),
        summary: "Set a key's time to live in seconds",
        examples: &[
            ("EXPIRE k 100", ":0\r\n"),
            ("SET k v\nEXPIRE k 100", ":1\r\n"),
            ("SET k v\nEXPIRE k 100\nTTL k", ":100\r\n"),
            ("SET k v\nEXPIRE k 5000 NX", ":1\r\n"),
            ("SET k v EX 1000\nEXPIRE k 100 nx", ":0\r\n"),
            ("SET k v\nEXPIRE k 100 XX", ":0\r\n"),
            ("SET k v EX 1000\nEXPIRE k 5000 XX", ":1\r\n"),
            ("SET k v EX 1000\nEXPIRE k 5000 GT", ":1\r\n"),
            ("SET k v EX 1000\nEXPIRE k 100 GT", ":0\r\n"),
            ("SET k v\nEXPIRE k 5000 GT", ":0\r\n"),
            ("SET k v EX 1000\nEXPIRE k 100 LT", ":1\r\n"),
            ("SET k v EX 1000\nEXPIRE k 5000 LT", ":0\r\n"),
            ("SET k v\nEXPIRE k 100 LT", ":1\r\n"),
            ("SET k v\nEXPIRE k -1", ":1\r\n"),
            ("SET k v\nEXPIRE k -1\nEXISTS k", ":0\r\n"),
            ("SET k v\nEXPIRE k x", "-ERR value is not an integer or out of range\r\n"),
            ("SET k v\nEXPIRE k 100 FOO", "-ERR Unsupported option FOO\r\n"),
            (
                "SET k v\nEXPIRE k 100 NX XX",
                "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
            ),
            (
                "SET k v\nEXPIRE k 100 GT LT",
                "-ERR GT and LT options at the same time are not compatible\r\n",
            ),
            (
                "SET k v\nEXPIRE k 9223372036854775807",
                "-ERR invalid expire time in 'expire' command\r\n",
            ),
            (
                "SET k v\nEXPIRE k 9223372036854775",
                "-ERR invalid expire time in 'expire' command\r\n",
            ),
            (
                "SET k v\nEXPIRE k -9223372036854775807",
                "-ERR invalid expire time in 'expire' command\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PEXPIRE",
        arity: Arity::AtLeast(3),
        flags: WRITE | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(pexpire),
        since: "2.6.0",
        summary: "Set a key's time to live in milliseconds",
        examples: &[
            ("PEXPIRE k 100400", ":0\r\n"),
            ("SET k v\nPEXPIRE k 100400", ":1\r\n"),
            ("SET k v\nPEXPIRE k 100400\nTTL k", ":100\r\n"),
            ("SET k v\nPEXPIRE k 5000000 NX", ":1\r\n"),
            ("SET k v EX 1000\nPEXPIRE k 100400 nx", ":0\r\n"),
            ("SET k v\nPEXPIRE k 100400 XX", ":0\r\n"),
            ("SET k v EX 1000\nPEXPIRE k 5000000 XX", ":1\r\n"),
            ("SET k v EX 1000\nPEXPIRE k 5000000 GT", ":1\r\n"),
            ("SET k v EX 1000\nPEXPIRE k 100400 GT", ":0\r\n"),
            ("SET k v\nPEXPIRE k 5000000 GT", ":0\r\n"),
            ("SET k v EX 1000\nPEXPIRE k 100400 LT", ":1\r\n"),
            ("SET k v EX 1000\nPEXPIRE k 5000000 LT", ":0\r\n"),
            ("SET k v\nPEXPIRE k 100400 LT", ":1\r\n"),
            ("SET k v\nPEXPIRE k -1", ":1\r\n"),
            ("SET k v\nPEXPIRE k -1\nEXISTS k", ":0\r\n"),
            ("SET k v\nPEXPIRE k x", "-ERR value is not an integer or out of range\r\n"),
            ("SET k v\nPEXPIRE k 100400 FOO", "-ERR Unsupported option FOO\r\n"),
            (
                "SET k v\nPEXPIRE k 100400 NX XX",
                "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
            ),
            (
                "SET k v\nPEXPIRE k 100400 GT LT",
                "-ERR GT and LT options at the same time are not compatible\r\n",
            ),
            (
                "SET k v\nPEXPIRE k 9223372036854775807",
                "-ERR invalid expire time in 'pexpire' command\r\n",
            ),
            ("SET k v\nPEXPIRE k -9223372036854775808", ":1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "EXPIREAT",
        arity: Arity::AtLeast(3),
        flags: WRITE | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(expireat),
        since: "1.2.0",
        summary: "Set the expiration for a key as a UNIX timestamp",
        examples: &[
            ("EXPIREAT k 1", ":0\r\n"),
            ("SET k v\nEXPIREAT k 1", ":1\r\n"),
            ("SET k v\nEXPIREAT k 1\nEXISTS k", ":0\r\n"),
            ("SET k v\nEXPIREAT k 33177117420 NX", ":1\r\n"),
            ("SET k v EX 1000\nEXPIREAT k 1 nx", ":0\r\n"),
            ("SET k v\nEXPIREAT k 1 XX", ":0\r\n"),
            ("SET k v EX 1000\nEXPIREAT k 33177117420 XX", ":1\r\n"),
            ("SET k v EX 1000\nEXPIREAT k 33177117420 GT", ":1\r\n"),
            ("SET k v EX 1000\nEXPIREAT k 1 GT", ":0\r\n"),
            ("SET k v\nEXPIREAT k 33177117420 GT", ":0\r\n"),
            ("SET k v EX 1000\nEXPIREAT k 1 LT", ":1\r\n"),
            ("SET k v EX 1000\nEXPIREAT k 33177117420 LT", ":0\r\n"),
            ("SET k v\nEXPIREAT k 1 LT", ":1\r\n"),
            ("SET k v\nEXPIREAT k -1", ":1\r\n"),
            ("SET k v\nEXPIREAT k -1\nEXISTS k", ":0\r\n"),
            ("SET k v\nEXPIREAT k x", "-ERR value is not an integer or out of range\r\n"),
            ("SET k v\nEXPIREAT k 1 FOO", "-ERR Unsupported option FOO\r\n"),
            (
                "SET k v\nEXPIREAT k 1 NX XX",
                "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
            ),
            (
                "SET k v\nEXPIREAT k 1 GT LT",
                "-ERR GT and LT options at the same time are not compatible\r\n",
            ),
            ("SET k v\nEXPIREAT k 33177117420\nEXPIRETIME k", ":33177117420\r\n"),
            (
                "SET k v\nEXPIREAT k 9223372036854775807",
                "-ERR invalid expire time in 'expireat' command\r\n",
            ),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PEXPIREAT",
        arity: Arity::AtLeast(3),
        flags: WRITE | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(pexpireat),
        since: "2.6.0",
        summary: "Set the expiration for a key as a UNIX timestamp specified in milliseconds",
        examples: &[
            ("PEXPIREAT k 1", ":0\r\n"),
            ("SET k v\nPEXPIREAT k 1", ":1\r\n"),
            ("SET k v\nPEXPIREAT k 1\nEXISTS k", ":0\r\n"),
            ("SET k v\nPEXPIREAT k 33177117420123 NX", ":1\r\n"),
            ("SET k v EX 1000\nPEXPIREAT k 1 nx", ":0\r\n"),
            ("SET k v\nPEXPIREAT k 1 XX", ":0\r\n"),
            ("SET k v EX 1000\nPEXPIREAT k 33177117420123 XX", ":1\r\n"),
            ("SET k v EX 1000\nPEXPIREAT k 33177117420123 GT", ":1\r\n"),
            ("SET k v EX 1000\nPEXPIREAT k 1 GT", ":0\r\n"),
            ("SET k v\nPEXPIREAT k 33177117420123 GT", ":0\r\n"),
            ("SET k v EX 1000\nPEXPIREAT k 1 LT", ":1\r\n"),
            ("SET k v EX 1000\nPEXPIREAT k 33177117420123 LT", ":0\r\n"),
            ("SET k v\nPEXPIREAT k 1 LT", ":1\r\n"),
            ("SET k v\nPEXPIREAT k -1", ":1\r\n"),
            ("SET k v\nPEXPIREAT k -1\nEXISTS k", ":0\r\n"),
            ("SET k v\nPEXPIREAT k x", "-ERR value is not an integer or out of range\r\n"),
            ("SET k v\nPEXPIREAT k 1 FOO", "-ERR Unsupported option FOO\r\n"),
            (
                "SET k v\nPEXPIREAT k 1 NX XX",
                "-ERR NX and XX, GT or LT options at the same time are not compatible\r\n",
            ),
            (
                "SET k v\nPEXPIREAT k 1 GT LT",
                "-ERR GT and LT options at the same time are not compatible\r\n",
            ),
            ("SET k v\nPEXPIREAT k 33177117420123\nPEXPIRETIME k", ":33177117420123\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "TTL",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(ttl),
        tips: &["nondeterministic_output"],
        summary: "Get the time to live for a key in seconds",
        examples: &[
            ("TTL k", ":-2\r\n"),
            ("SET k v\nTTL k", ":-1\r\n"),
            ("SET k v EX 100\nTTL k", ":100\r\n"),
            ("SET k v PX 1400\nTTL k", ":1\r\n"),
            ("SET k v PXAT 1\nTTL k", ":-2\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PTTL",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(pttl),
        tips: &["nondeterministic_output"],
        since: "2.6.0",
        summary: "Get the time to live for a key in milliseconds",
        examples: &[
            ("PTTL k", ":-2\r\n"),
            ("SET k v\nPTTL k", ":-1\r\n"),
            ("SET k v PX 100900\nPTTL k", ":100*"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "EXPIRETIME",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(expiretime),
        since: "7.0.0",
        summary: "Get the expiration Unix timestamp for a key",
        examples: &[
            ("EXPIRETIME k", ":-2\r\n"),
            ("SET k v\nEXPIRETIME k", ":-1\r\n"),
            ("SET k v EXAT 33177117420\nEXPIRETIME k", ":33177117420\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PEXPIRETIME",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RO", "access"])],
        run: Run::Owner(pexpiretime),
        since: "7.0.0",
        summary: "Get the expiration Unix timestamp for a key in milliseconds",
        examples: &[
            ("PEXPIRETIME k", ":-2\r\n"),
            ("SET k v\nPEXPIRETIME k", ":-1\r\n"),
            ("SET k v PXAT 33177117420123\nPEXPIRETIME k", ":33177117420123\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PERSIST",
        arity: Arity::Exactly(2),
        flags: WRITE | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RW", "update"])],
        run: Run::Owner(persist),
        since: "2.2.0",
        summary: "Remove the expiration from a key",
        examples: &[
            ("PERSIST k", ":0\r\n"),
            ("SET k v\nPERSIST k", ":0\r\n"),
            ("SET k v EX 100\nPERSIST k", ":1\r\n"),
            ("SET k v EX 100\nPERSIST k\nTTL k", ":-1\r\n"),
        ],
        ..Spec::ROW
    },
];

const NX_WITH_OTHERS: CommandError =
    CommandError::Said("ERR NX and XX, GT or LT options at the same time are not compatible");
const GT_WITH_LT: CommandError =
    CommandError::Said("ERR GT and LT options at the same time are not compatible");

fn expire(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    set_deadline(cx, args, reply, Amount { ms: 1000, from_now: true, command: "expire" })
}

fn pexpire(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    set_deadline(cx, args, reply, Amount { ms: 1, from_now: true, command: "pexpire" })
}

fn expireat(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    set_deadline(cx, args, reply, Amount { ms: 1000, from_now: false, command: "expireat" })
}

fn pexpireat(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    set_deadline(cx, args, reply, Amount { ms: 1, from_now: false, command: "pexpireat" })
}

/// How a command of the EXPIRE family means its number.
#[derive(Clone, Copy)]
struct Amount {
    /// Milliseconds in one.
    ms: i64,
    from_now: bool,
    command: &'static str,
}

impl Amount {
    /// The moment `text` names. It may lie in the past, even before 1970.
    fn deadline(self, text: &[u8], now: UnixMillis) -> Result<UnixMillis, CommandError> {
        let amount = parse_i64(text).ok_or(CommandError::NotAnInteger)?;
        let base = if self.from_now { now.0 } else { 0 };
        let at = amount.checked_mul(self.ms).and_then(|ms| ms.checked_add(base));
        at.map(UnixMillis).ok_or(CommandError::InvalidExpire { command: self.command })
    }
}

#[derive(Clone, Copy, Default)]
struct Conditions {
    only_without: bool,
    only_with: bool,
    only_later: bool,
    only_sooner: bool,
}

impl Conditions {
    fn read(words: Args<'_>) -> Result<Conditions, CommandError> {
        let mut conditions = Conditions::default();
        for word in words.iter() {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let condition = match () {
                () if is(b"NX") => &mut conditions.only_without,
                () if is(b"XX") => &mut conditions.only_with,
                () if is(b"GT") => &mut conditions.only_later,
                () if is(b"LT") => &mut conditions.only_sooner,
                () => {
                    let word = String::from_utf8_lossy(word);
                    return Err(CommandError::SaidOf(format!("ERR Unsupported option {word}")));
                }
            };
            *condition = true;
        }
        let Conditions { only_without, only_with, only_later, only_sooner } = conditions;
        if only_without && (only_with || only_later || only_sooner) {
            return Err(NX_WITH_OTHERS);
        }
        if only_later && only_sooner { Err(GT_WITH_LT) } else { Ok(conditions) }
    }

    /// Whether `new` may take the place of `old`; a key without a deadline lives for ever.
    fn admit(self, old: Option<UnixMillis>, new: UnixMillis) -> bool {
        match old {
            None => !self.only_with && !self.only_later,
            Some(old) => {
                !self.only_without
                    && (!self.only_later || new > old)
                    && (!self.only_sooner || new < old)
            }
        }
    }
}

fn set_deadline(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>, amount: Amount) -> Done {
    let key = args.get(1);
    let conditions = Conditions::read(args.tail(3))?;
    let at = amount.deadline(args.get(2), cx.now_ms())?;
    let admitted = cx.peek(key).is_some_and(|entry| conditions.admit(entry.expiry(), at));
    reply.integer(i64::from(admitted && cx.set_expiry(key, Some(at))));
    Ok(())
}

fn ttl(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms();
    answer_deadline(cx, args, reply, |at| to_seconds(at.ms_since(now)))
}

fn pttl(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms();
    answer_deadline(cx, args, reply, |at| at.ms_since(now).max(0))
}

fn expiretime(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer_deadline(cx, args, reply, |at| to_seconds(at.0))
}

fn pexpiretime(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer_deadline(cx, args, reply, |at| at.0)
}

/// To the nearest second, as Redis does.
fn to_seconds(ms: i64) -> i64 {
    ms.max(0).saturating_add(500) / 1000
}

/// -2 without such a key, -1 for a key that lives for ever.
fn answer_deadline(
    cx: &mut Cx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    tell: impl Fn(UnixMillis) -> i64,
) -> Done {
    let answer = match cx.read_untouched(args.get(1)) {
        None => -2,
        Some(entry) => entry.expiry().map_or(-1, tell),
    };
    reply.integer(answer);
    Ok(())
}

fn persist(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    let mortal = cx.peek(key).is_some_and(|entry| entry.expiry().is_some());
    reply.integer(i64::from(mortal && cx.set_expiry(key, None)));
    Ok(())
}

#[cfg(test)]
mod tests;
