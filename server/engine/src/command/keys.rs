//! Keys of any type: deleting, counting, renaming, copying, and what concerns whole databases.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::context::Cx;
use super::error::CommandError;
use super::gather::Partial;
use super::spec::{
    Arity, Combine, DANGEROUS, DENYOOM, Done, FAST, KEYSPACE, KeySpec, READONLY, Run, Spec, WRITE,
};
use crate::base::glob::{self, Case};
use crate::base::number::parse_i64;
use crate::config::NotifyClasses;

pub const TABLE: &[Spec] = &[
    Spec {
        name: "DEL",
        arity: Arity::AtLeast(2),
        flags: WRITE,
        acl: KEYSPACE,
        keys: &[KeySpec::from(1, 1, &["RM", "delete"])],
        run: Run::Split(del, Combine::Sum),
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        summary: "Delete a key",
        complexity: "O(N) where N is the number of keys that will be removed. When a key to \
            remove holds a value other than a string, the individual complexity for this key is \
            O(M) where M is the number of elements in the list, set, sorted set or hash. Removing \
            a single key that holds a string value is O(1).",
        examples: &[
            ("DEL a", ":0\r\n"),
            ("SET a 1\nDEL a", ":1\r\n"),
            ("MSET a 1 b 2 c 3\nDEL a b x", ":2\r\n"),
            ("SET a 1\nDEL a a", ":1\r\n"),
            ("SET a 1\nDEL a\nEXISTS a", ":0\r\n"),
            ("SET a 1 PXAT 1\nDEL a", ":0\r\n"),
            ("DEL", "-ERR wrong number of arguments for 'del' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "UNLINK",
        arity: Arity::AtLeast(2),
        flags: WRITE | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::from(1, 1, &["RM", "delete"])],
        run: Run::Split(del, Combine::Sum),
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        since: "4.0.0",
        summary: "Delete a key asynchronously in another thread. Otherwise it is just as DEL, but \
            non blocking.",
        complexity: "O(1) for each key removed regardless of its size. Then the command does O(N) \
            work in a different thread in order to reclaim memory, where N is the number of \
            allocations the deleted objects where composed of.",
        examples: &[
            ("UNLINK a", ":0\r\n"),
            ("MSET a 1 b 2\nUNLINK a b x", ":2\r\n"),
            ("SET a 1\nUNLINK a\nGET a", "$-1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "EXISTS",
        arity: Arity::AtLeast(2),
        flags: READONLY | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::from(1, 1, &["RO"])],
        run: Run::Split(exists, Combine::Sum),
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        summary: "Determine if a key exists",
        complexity: "O(N) where N is the number of keys to check.",
        examples: &[
            ("EXISTS a", ":0\r\n"),
            ("MSET a 1 b 2\nEXISTS a b x", ":2\r\n"),
            ("SET a 1\nEXISTS a a", ":2\r\n"),
            ("SET a 1 PXAT 1\nEXISTS a", ":0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "TOUCH",
        arity: Arity::AtLeast(2),
        flags: READONLY | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::from(1, 1, &["RO"])],
        run: Run::Split(touch, Combine::Sum),
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        since: "3.2.1",
        summary: "Alters the last access time of a key(s). Returns the number of existing keys \
            specified.",
        complexity: "O(N) where N is the number of keys that will be touched.",
        examples: &[
            ("TOUCH a", ":0\r\n"),
            ("MSET a 1 b 2\nTOUCH a b x", ":2\r\n"),
            ("SET a 1\nTOUCH a a", ":2\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "TYPE",
        arity: Arity::Exactly(2),
        flags: READONLY | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RO"])],
        run: Run::Owner(kind),
        summary: "Determine the type stored at key",
        examples: &[
            ("TYPE a", "+none\r\n"),
            ("SET a 1\nTYPE a", "+string\r\n"),
            ("TYPE", "-ERR wrong number of arguments for 'type' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "RENAME",
        arity: Arity::Exactly(3),
        flags: WRITE,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"]), KeySpec::at(2, &["OW", "update"])],
        run: Run::Owner(rename),
        summary: "Rename a key",
        examples: &[
            ("RENAME a b", "-ERR no such key\r\n"),
            ("SET a 1\nRENAME a b", "+OK\r\n"),
            ("SET a 1\nRENAME a b\nGET b", "$1\r\n1\r\n"),
            ("SET a 1\nRENAME a b\nEXISTS a", ":0\r\n"),
            ("SET a 1\nRENAME a a", "+OK\r\n"),
            ("RENAME a a", "-ERR no such key\r\n"),
            ("SET a 1 EX 100\nRENAME a b\nTTL b", ":100\r\n"),
            ("SET b 2 EX 100\nSET a 1\nRENAME a b\nTTL b", ":-1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "RENAMENX",
        arity: Arity::Exactly(3),
        flags: WRITE | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RW", "access", "delete"]), KeySpec::at(2, &["OW", "insert"])],
        run: Run::Owner(renamenx),
        summary: "Rename a key, only if the new key does not exist",
        examples: &[
            ("RENAMENX a b", "-ERR no such key\r\n"),
            ("SET a 1\nRENAMENX a b", ":1\r\n"),
            ("MSET a 1 b 2\nRENAMENX a b", ":0\r\n"),
            ("MSET a 1 b 2\nRENAMENX a b\nGET b", "$1\r\n2\r\n"),
            ("SET a 1\nRENAMENX a a", ":0\r\n"),
            ("SET b 2 PXAT 1\nSET a 1\nRENAMENX a b", ":1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "COPY",
        arity: Arity::AtLeast(3),
        flags: WRITE | DENYOOM,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RO", "access"]), KeySpec::at(2, &["OW", "update"])],
        run: Run::Owner(copy),
        since: "6.2.0",
        summary: "Copy a key",
        complexity: "O(N) worst case for collections, where N is the number of nested items. O(1) \
            for string values.",
        examples: &[
            ("COPY a b", ":0\r\n"),
            ("SET a 1\nCOPY a b", ":1\r\n"),
            ("SET a 1\nCOPY a b\nGET b", "$1\r\n1\r\n"),
            ("SET a 1 EX 100\nCOPY a b\nTTL b", ":100\r\n"),
            ("MSET a 1 b 2\nCOPY a b", ":0\r\n"),
            ("MSET a 1 b 2\nCOPY a b REPLACE", ":1\r\n"),
            ("MSET a 1 b 2\nCOPY a b replace\nGET b", "$1\r\n1\r\n"),
            ("SET a 1\nCOPY a a DB 1", ":1\r\n"),
            ("SET a 1\nCOPY a b DB 1\nEXISTS b", ":0\r\n"),
            ("SET a 1\nCOPY a b DB 1\nSELECT 1\nGET b", "$1\r\n1\r\n"),
            ("SET a 1\nCOPY a a", "-ERR source and destination objects are the same\r\n"),
            ("SET a 1\nCOPY a b DB 16", "-ERR DB index is out of range\r\n"),
            ("COPY a b DB x", "-ERR value is not an integer or out of range\r\n"),
            (
                "COPY a b DB 99999999999",
                "-ERR value is out of range, value must between -2147483648 and 2147483647\r\n",
            ),
            ("COPY a b DB", "-ERR syntax error\r\n"),
            ("COPY a b FOO", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "MOVE",
        arity: Arity::Exactly(3),
        flags: WRITE | FAST,
        acl: KEYSPACE,
        keys: &[KeySpec::at(1, &["RW", "access", "update"])],
        run: Run::Owner(move_key),
        summary: "Move a key to another database",
        examples: &[
            ("MOVE a 1", ":0\r\n"),
            ("SET a 1\nMOVE a 1", ":1\r\n"),
            ("SET a 1\nMOVE a 1\nEXISTS a", ":0\r\n"),
            ("SET a 1 EX 100\nMOVE a 1\nSELECT 1\nTTL a", ":100\r\n"),
            ("SET a 1\nMOVE a 1\nSET a 2\nMOVE a 1", ":0\r\n"),
            ("SET a 1\nMOVE a 0", "-ERR source and destination objects are the same\r\n"),
            ("MOVE a 16", "-ERR DB index is out of range\r\n"),
            ("MOVE a -1", "-ERR DB index is out of range\r\n"),
            ("MOVE a x", "-ERR value is not an integer or out of range\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "KEYS",
        arity: Arity::Exactly(2),
        flags: READONLY,
        acl: DANGEROUS | KEYSPACE,
        run: Run::Everywhere { collect: collect_keys, finish: finish_keys, exclusive: false },
        tips: &["request_policy:all_shards", "nondeterministic_output_order"],
        summary: "Find all keys matching the given pattern",
        complexity: "O(N) with N being the number of keys in the database, under the assumption \
            that the key names in the database and the given pattern have limited length.",
        examples: &[
            ("KEYS *", "*0\r\n"),
            ("SET a 1\nKEYS *", "*1\r\n$1\r\na\r\n"),
            ("MSET one 1 two 2\nKEYS t*", "*1\r\n$3\r\ntwo\r\n"),
            ("MSET one 1 two 2\nKEYS ?n[a-e]", "*1\r\n$3\r\none\r\n"),
            ("SET a 1\nKEYS b*", "*0\r\n"),
            ("SET a 1 PXAT 1\nKEYS *", "*0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "RANDOMKEY",
        arity: Arity::Exactly(1),
        flags: READONLY,
        acl: KEYSPACE,
        run: Run::Everywhere { collect: collect_random, finish: finish_random, exclusive: false },
        tips: &["request_policy:all_shards", "nondeterministic_output"],
        summary: "Return a random key from the keyspace",
        examples: &[("RANDOMKEY", "$-1\r\n"), ("SET a 1\nRANDOMKEY", "$1\r\na\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "DBSIZE",
        arity: Arity::Exactly(1),
        flags: READONLY | FAST,
        acl: KEYSPACE,
        run: Run::Everywhere { collect: collect_size, finish: finish_size, exclusive: false },
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        group: "server",
        summary: "Return the number of keys in the selected database",
        examples: &[
            ("DBSIZE", ":0\r\n"),
            ("MSET a 1 b 2\nDBSIZE", ":2\r\n"),
            ("SET a 1\nSELECT 1\nDBSIZE", ":0\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "FLUSHDB",
        arity: Arity::AtLeast(1),
        flags: WRITE,
        acl: DANGEROUS | KEYSPACE,
        run: Run::Everywhere { collect: flush_database, finish: finish_ok, exclusive: true },
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        group: "server",
        summary: "Remove all keys from the current database",
        complexity: "O(N) where N is the number of keys in the selected database",
        examples: &[
            ("FLUSHDB", "+OK\r\n"),
            ("SET a 1\nFLUSHDB ASYNC", "+OK\r\n"),
            ("MSET a 1 b 2\nFLUSHDB sync\nDBSIZE", ":0\r\n"),
            ("SET a 1\nSELECT 1\nFLUSHDB\nSELECT 0\nDBSIZE", ":1\r\n"),
            ("FLUSHDB FOO", "-ERR syntax error\r\n"),
            ("FLUSHDB SYNC ASYNC", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "FLUSHALL",
        arity: Arity::AtLeast(1),
        flags: WRITE,
        acl: DANGEROUS | KEYSPACE,
        run: Run::Everywhere { collect: flush_everything, finish: finish_ok, exclusive: true },
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        group: "server",
        summary: "Remove all keys from all databases",
        complexity: "O(N) where N is the total number of keys in all databases",
        examples: &[
            ("FLUSHALL", "+OK\r\n"),
            ("SET a 1\nSELECT 1\nFLUSHALL ASYNC\nSELECT 0\nDBSIZE", ":0\r\n"),
            ("SET a 1\nFLUSHALL SYNC\nGET a", "$-1\r\n"),
            ("FLUSHALL FOO", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SWAPDB",
        arity: Arity::Exactly(3),
        flags: WRITE | FAST,
        acl: DANGEROUS | KEYSPACE,
        run: Run::Everywhere { collect: swap, finish: finish_ok, exclusive: true },
        since: "4.0.0",
        group: "server",
        summary: "Swaps two Redis databases",
        complexity: "O(N) where N is the count of clients watching or blocking on keys from both \
            databases.",
        examples: &[
            ("SWAPDB 0 1", "+OK\r\n"),
            ("SET a 1\nSWAPDB 0 1\nDBSIZE", ":0\r\n"),
            ("SET a 1\nSWAPDB 0 1\nSELECT 1\nGET a", "$1\r\n1\r\n"),
            ("SWAPDB 1 1", "+OK\r\n"),
            ("SWAPDB x 1", "-ERR invalid first DB index\r\n"),
            ("SWAPDB 0 x", "-ERR invalid second DB index\r\n"),
            ("SWAPDB 0 16", "-ERR DB index is out of range\r\n"),
            ("SWAPDB 99999999999 0", "-ERR invalid first DB index\r\n"),
        ],
        ..Spec::ROW
    },
];

const SAME_OBJECT: CommandError =
    CommandError::Said("ERR source and destination objects are the same");
const BAD_FIRST_DB: CommandError = CommandError::Said("ERR invalid first DB index");
const BAD_SECOND_DB: CommandError = CommandError::Said("ERR invalid second DB index");

fn del(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count_keys(cx, args, reply, |cx, key| cx.delete_and_tell(key))
}

/// A key named twice counts twice.
fn exists(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count_keys(cx, args, reply, |cx, key| cx.read_untouched(key).is_some())
}

fn touch(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    count_keys(cx, args, reply, |cx, key| cx.read(key).is_some())
}

/// Answers of how many keys `counts` is true.
fn count_keys(
    cx: &mut Cx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    counts: impl Fn(&mut Cx<'_>, &[u8]) -> bool,
) -> Done {
    let mut count = 0;
    cx.each_key(args.tail(1), 1, |cx, _, key| count += i64::from(counts(cx, key)));
    reply.integer(count);
    Ok(())
}

fn kind(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.simple(cx.read_untouched(args.get(1)).map_or("none", |entry| entry.kind().name()));
    Ok(())
}

fn rename(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (from, to) = (args.get(1), args.get(2));
    cx.check_sizes(to, 0)?;
    cx.peek(from).ok_or(CommandError::NoSuchKey)?;
    if from != to {
        cx.peek(to); // one past its deadline expires before it is replaced
        rename_to(cx, from, to);
    }
    reply.ok();
    Ok(())
}

fn renamenx(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (from, to) = (args.get(1), args.get(2));
    cx.check_sizes(to, 0)?;
    cx.peek(from).ok_or(CommandError::NoSuchKey)?;
    let free = cx.peek(to).is_none(); // the same key twice is not free
    if free {
        rename_to(cx, from, to);
    }
    reply.integer(i64::from(free));
    Ok(())
}

/// As Redis tells it, the target is a new key even when it takes another's place.
fn rename_to(cx: &mut Cx<'_>, from: &[u8], to: &[u8]) {
    cx.move_key(from, cx.caller.db, to);
    cx.notify(NotifyClasses::NEW, "new", to);
    cx.notify(NotifyClasses::GENERIC, "rename_from", from);
    cx.notify(NotifyClasses::GENERIC, "rename_to", to);
}

fn copy(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (from, to) = (args.get(1), args.get(2));
    cx.check_sizes(to, 0)?;
    let (db, replace) = copy_options(cx, args.tail(3))?;
    if db == cx.caller.db && from == to {
        return Err(SAME_OBJECT);
    }
    let copied = cx.read(from).is_some() && (!exists_in(cx, db, to) || replace);
    if copied {
        cx.copy_key(from, db, to);
        let effects = &mut cx.core.effects;
        effects.notify(NotifyClasses::NEW, "new", db, to);
        effects.notify(NotifyClasses::GENERIC, "copy_to", db, to);
    }
    reply.integer(i64::from(copied));
    Ok(())
}

/// The database of the copy, and whether it may replace what is there.
fn copy_options(cx: &Cx<'_>, words: Args<'_>) -> Result<(u8, bool), CommandError> {
    let (mut db, mut replace) = (cx.caller.db, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case(b"REPLACE") {
            replace = true;
        } else if word.eq_ignore_ascii_case(b"DB") {
            db = database(cx, words.next().ok_or(CommandError::Syntax)?)?;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok((db, replace))
}

fn move_key(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    let db = database(cx, args.get(2))?;
    if db == cx.caller.db {
        return Err(SAME_OBJECT);
    }
    let moved = cx.peek(key).is_some() && !exists_in(cx, db, key);
    if moved {
        cx.move_key(key, db, key);
        let effects = &mut cx.core.effects;
        effects.notify(NotifyClasses::NEW, "new", db, key);
        effects.notify(NotifyClasses::GENERIC, "move_from", cx.caller.db, key);
        effects.notify(NotifyClasses::GENERIC, "move_to", db, key);
    }
    reply.integer(i64::from(moved));
    Ok(())
}

fn exists_in(cx: &mut Cx<'_>, db: u8, key: &[u8]) -> bool {
    let key = cx.key(key);
    cx.find_in(db, &key).is_some()
}

/// The database a number names.
fn database(cx: &Cx<'_>, text: &[u8]) -> Result<u8, CommandError> {
    let number = parse_i64(text).ok_or(CommandError::NotAnInteger)?;
    if i32::try_from(number).is_err() {
        let (min, max) = (i32::MIN, i32::MAX);
        return Err(CommandError::SaidOf(format!(
            "ERR value is out of range, value must between {min} and {max}"
        )));
    }
    in_range(cx, number)
}

fn in_range(cx: &Cx<'_>, number: i64) -> Result<u8, CommandError> {
    let db = u8::try_from(number).ok().filter(|&db| usize::from(db) < cx.core.keyspace.databases());
    db.ok_or(CommandError::DbOutOfRange)
}

fn collect_keys(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    let (pattern, now) = (args.get(1), cx.now_ms());
    let all = glob::matches_all(pattern);
    let mut keys: Vec<Box<[u8]>> = Vec::new();
    cx.core.keyspace.for_each(cx.caller.db, |entry| {
        let key = entry.key();
        if (all || glob::matches(pattern, key, Case::Sensitive)) && !entry.is_expired(now) {
            keys.push(key.into());
        }
    });
    Ok(Partial::Keys(keys))
}

fn finish_keys(_: &mut Cx<'_>, _: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let mut keys: Vec<Box<[u8]>> = Vec::new();
    for part in parts {
        match part {
            Partial::Keys(more) => keys.extend(more),
            Partial::Failed(error) => return Err(error),
            _ => {}
        }
    }
    reply.array(keys.len());
    keys.iter().for_each(|key| reply.bulk(key));
    Ok(())
}

fn collect_random(cx: &mut Cx<'_>, _: Args<'_>) -> Result<Partial, CommandError> {
    let (db, now) = (cx.caller.db, cx.now_ms());
    let core = &mut *cx.core;
    let drawn = core.keyspace.random_key(db, &mut core.random, |entry| !entry.is_expired(now));
    let key = drawn.map(|entry| entry.key().into());
    let from = core.keyspace.len(db) as u64;
    Ok(Partial::Drawn { key, from })
}

/// Draws among the cores by how many keys each drew from, so that every key is as likely.
fn finish_random(cx: &mut Cx<'_>, _: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let drawn = parts.into_iter().filter_map(|part| match part {
        Partial::Drawn { key: Some(key), from } => Some((key, from.max(1))),
        _ => None,
    });
    let (mut chosen, mut total) = (None, 0);
    for (key, from) in drawn {
        total += from;
        if cx.core.random.below(total) < from {
            chosen = Some(key);
        }
    }
    match chosen {
        Some(key) => reply.bulk(&key),
        None => reply.null(),
    }
    Ok(())
}

fn collect_size(cx: &mut Cx<'_>, _: Args<'_>) -> Result<Partial, CommandError> {
    Ok(Partial::Count(cx.core.keyspace.len(cx.caller.db) as i64))
}

fn finish_size(_: &mut Cx<'_>, _: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    reply.integer(Partial::sum(parts)?);
    Ok(())
}

fn flush_database(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    check_flush_mode(args)?;
    cx.flush(Some(cx.caller.db));
    Ok(Partial::Done)
}

fn flush_everything(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    check_flush_mode(args)?;
    cx.flush(None);
    Ok(Partial::Done)
}

/// Both modes empty the database at once and give the memory back in slices.
fn check_flush_mode(args: Args<'_>) -> Result<(), CommandError> {
    let known =
        |mode: &[u8]| mode.eq_ignore_ascii_case(b"SYNC") || mode.eq_ignore_ascii_case(b"ASYNC");
    match args.len() {
        1 => Ok(()),
        2 if known(args.get(1)) => Ok(()),
        _ => Err(CommandError::Syntax),
    }
}

/// Every core comes to the same verdict on the arguments, so all of them swap or none.
fn swap(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    let number = |at| parse_i64(args.get(at)).filter(|&number| i32::try_from(number).is_ok());
    let a = number(1).ok_or(BAD_FIRST_DB)?;
    let b = number(2).ok_or(BAD_SECOND_DB)?;
    let (a, b) = (in_range(cx, a)?, in_range(cx, b)?);
    if a != b {
        cx.swap_db(a, b);
    }
    Ok(Partial::Done)
}

fn finish_ok(_: &mut Cx<'_>, _: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    Partial::all_done(parts)?;
    reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests;
