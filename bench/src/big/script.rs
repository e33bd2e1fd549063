//! What is done to a large collection of each type: growing, random use at full size, emptying
//! down to a tenth, and then every way to be rid of a full one.

use freehold_engine::base::random::Random;
use freehold_protocol::resp::value::encode_request;

use crate::keys;

pub const KINDS: [&str; 7] = ["list", "set", "hash", "fields", "zset", "stream", "string"];

const KEY: &[u8] = b"big";
/// Elements of a request where time does not count.
const BULK: u64 = 100;
/// Steps of random use at most.
const SOME_MAX: u64 = 1_000_000;
/// Steps of use that are slower or need not be many.
const FEW_MAX: u64 = 100_000;
/// Writes to a core that has evicted a large key.
const EVICTING: u64 = 10_000;
/// Deadlines of fields are scattered over this time.
const FIELDS_MS: u64 = 10_000;
const TURN_MS: i64 = 32;
/// Deadlines that do not come while they are looked at.
const FAR_MS: u64 = 3_600_000;

/// How large the collection becomes.
#[derive(Clone, Copy)]
pub struct Size {
    pub elements: u64,
    /// Length of list elements and of the values of hashes and streams.
    pub bytes: usize,
}

impl Size {
    fn some(self) -> u64 {
        (self.elements / 10).min(SOME_MAX)
    }

    fn few(self) -> u64 {
        (self.elements / 10).min(FEW_MAX)
    }

    /// The text of an element: a letter, so that it is no integer, and its number.
    fn text(self, index: u64) -> Vec<u8> {
        let width = self.bytes.saturating_sub(1);
        format!("e{index:0width$}").into_bytes()
    }
}

type Request = Box<dyn FnMut(u64, &mut Vec<u8>)>;
type Grow = fn(Size) -> Request;
type UseIt = fn(Size) -> Vec<Phase>;

pub enum Act {
    /// Requests, one a step.
    Ask(Request),
    /// Turns of upkeep until it has nothing left to do, once the clock has moved by so much.
    Upkeep { advance_ms: i64 },
}

/// A number of steps of one kind.
pub struct Phase {
    pub name: String,
    pub steps: u64,
    pub act: Act,
    /// Whether its times are wanted.
    pub is_told: bool,
}

fn ask(name: &str, steps: u64, request: impl FnMut(u64, &mut Vec<u8>) + 'static) -> Phase {
    Phase { name: name.to_owned(), steps, act: Act::Ask(Box::new(request)), is_told: true }
}

/// One request without arguments that change.
fn once(name: &str, words: &'static str) -> Phase {
    ask(name, 1, move |_, out| put(&words.split(' ').map(str::as_bytes).collect::<Vec<_>>(), out))
}

fn upkeep(after: &str, steps: u64, advance_ms: i64) -> Phase {
    let name = format!("upkeep after {after}");
    Phase { name, steps, act: Act::Upkeep { advance_ms }, is_told: true }
}

fn put(words: &[&[u8]], out: &mut Vec<u8>) {
    encode_request(words, out);
}

fn digits(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}

/// The same elements in another order, each once.
fn scattered(elements: u64) -> impl Fn(u64) -> u64 + Copy {
    const STRIDE: u64 = 15_485_863; // a prime
    assert!(!elements.is_multiple_of(STRIDE), "the stride would visit few elements");
    move |step| (step % elements) * STRIDE % elements
}

/// The whole script of a type.
pub fn of(kind: &str, size: Size) -> Option<Vec<Phase>> {
    let (grow, use_it): (Grow, UseIt) = match kind {
        "list" => (list_grows, list_is_used),
        "set" => (set_grows, set_is_used),
        "hash" => (hash_grows, hash_is_used),
        "fields" => (fields_grow, fields_are_used),
        "zset" => (zset_grows, zset_is_used),
        "stream" => (stream_grows, stream_is_used),
        "string" => (string_grows, string_is_used),
        _ => return None,
    };
    let grown = |name: &str| Phase {
        name: name.to_owned(),
        steps: size.elements,
        act: Act::Ask(grow(size)),
        is_told: true,
    };
    let again = |elements: u64| {
        let mut grow = grow(size);
        let steps = elements.div_ceil(BULK);
        let bulk = move |step: u64, out: &mut Vec<u8>| {
            let elements = step * BULK..elements.min((step + 1) * BULK);
            elements.for_each(|element| grow(element, out));
        };
        Phase { is_told: false, ..ask("again", steps, bulk) }
    };
    let mut phases = vec![grown("grow")];
    phases.push(ask("null: PING", size.elements, |_, out| put(&[b"PING"], out)));
    phases.extend(use_it(size));
    phases.extend([once("DEL of what is left", "DEL big"), upkeep("DEL of what is left", 1, 0)]);
    // To expire or be written over is to be unlinked, which is tried at full size: what remains to
    // be seen is that it is.
    let (all, tenth) = (size.elements, size.elements / 10);
    let ends = [
        ("UNLINK", "UNLINK big", all, 0),
        ("eviction", "CONFIG SET maxmemory 8mb maxmemory-policy allkeys-lru", all, 0),
        ("PEXPIRE of a tenth", "PEXPIRE big 1000", tenth, 1_100),
        ("SET over a tenth", "SET big x", tenth, 0),
        ("RENAME over a tenth", "RENAME small big", tenth, 0),
        ("SUNIONSTORE over a tenth", "SUNIONSTORE big small", tenth, 0),
        ("FLUSHALL", "FLUSHALL", all, 0),
    ];
    for (name, words, elements, advance_ms) in ends {
        let mut before = vec![once("DEL", "DEL big small"), once("SADD", "SADD small a b")];
        before.iter_mut().for_each(|phase| phase.is_told = false);
        phases.extend(before);
        phases.push(again(elements));
        if name == "UNLINK" {
            phases.push(once("RENAME", "RENAME big large"));
            phases.push(once("RENAME back", "RENAME large big"));
        }
        phases.push(once(name, words));
        if name == "eviction" {
            // Writes come while the memory of what has been evicted is still being freed.
            phases.push(ask("SET under eviction", EVICTING, |step, out| {
                put(&[b"SET", b"small", &digits(step)], out);
            }));
        }
        phases.push(upkeep(name, 1, advance_ms));
        if name == "eviction" {
            phases.push(Phase { is_told: false, ..once("no limit", "CONFIG SET maxmemory 0") });
        }
    }
    Some(phases)
}

fn list_grows(size: Size) -> Request {
    Box::new(move |step, out| {
        let verb: &[u8] = if step % 2 == 0 { b"RPUSH" } else { b"LPUSH" };
        put(&[verb, KEY, &size.text(step)], out);
    })
}

fn list_is_used(size: Size) -> Vec<Phase> {
    let (mut r1, mut r2, mut r3) = (Random::new(1), Random::new(2), Random::new(3));
    let elements = size.elements;
    let (quarter, tenth) = (elements / 4, elements / 10);
    let pops = (elements / 2 - 3 * tenth).saturating_sub(tenth) / BULK;
    vec![
        ask("LINDEX", size.few(), move |_, out| {
            put(&[b"LINDEX", KEY, &digits(r1.below(elements))], out);
        }),
        ask("LSET", size.few(), move |step, out| {
            put(&[b"LSET", KEY, &digits(r2.below(elements)), &size.text(elements + step)], out);
        }),
        ask("LRANGE of 10", size.few(), move |_, out| {
            let first = r3.below(elements - 10);
            put(&[b"LRANGE", KEY, &digits(first), &digits(first + 9)], out);
        }),
        // A pivot near the head, else finding it is what is timed. The head is what was put there
        // before.
        ask("LINSERT", size.few(), move |step, out| {
            let head = size.text(3 * elements + step);
            put(&[b"LPUSH", KEY, &head], out);
            put(&[b"LINSERT", KEY, b"AFTER", &head, &size.text(2 * elements + step)], out);
        }),
        ask("LPOP, RPOP", size.some(), |step, out| {
            put(&[if step % 2 == 0 { b"LPOP" } else { b"RPOP" }, KEY], out);
        }),
        ask("LTRIM to half", 1, move |_, out| {
            put(&[b"LTRIM", KEY, &digits(quarter), &digits(elements - quarter)], out);
        }),
        upkeep("LTRIM", 1, 0),
        ask("LPOP of 100", pops, |_, out| put(&[b"LPOP", KEY, &digits(BULK)], out)),
        // The first of its kind from either end, which needs no walk.
        ask("LREM", size.few(), move |step, out| {
            let element = size.text(4 * elements + step);
            let (push, count): (&[u8], &[u8]) =
                if step % 2 == 0 { (b"LPUSH", b"1") } else { (b"RPUSH", b"-1") };
            put(&[push, KEY, &element], out);
            put(&[b"LREM", KEY, count, &element], out);
        }),
        once("LTRIM to 10", "LTRIM big -10 -1"),
        upkeep("LTRIM to 10", 1, 0),
    ]
}

fn set_grows(_: Size) -> Request {
    Box::new(|step, out| put(&[b"SADD", KEY, &keys::key(step)], out))
}

fn set_is_used(size: Size) -> Vec<Phase> {
    let (elements, some) = (size.elements, size.some());
    let place = scattered(elements);
    let out_of = |name: &str, first: u64, steps: u64| {
        ask(name, steps, move |step, out| {
            put(&[b"SREM", KEY, &keys::key(place(first + step))], out);
        })
    };
    vec![
        ask("SRANDMEMBER", size.some(), |_, out| put(&[b"SRANDMEMBER", KEY], out)),
        out_of("SREM", 0, some),
        ask("SADD", some, move |step, out| {
            put(&[b"SADD", KEY, &keys::key(elements + step)], out);
        }),
        ask("SPOP", some, |_, out| put(&[b"SPOP", KEY], out)),
        ask("SPOP of 100", size.few() / BULK, |_, out| put(&[b"SPOP", KEY, b"100"], out)),
        // From integers to a table.
        ask("SADD of integers", size.few(), |step, out| {
            put(&[b"SADD", b"integers", &digits(7 * step)], out);
        }),
        once("DEL of integers", "DEL integers"),
        out_of("SREM down to a tenth", some, elements - some - elements / 10),
    ]
}

fn hash_grows(size: Size) -> Request {
    Box::new(move |step, out| {
        let width = size.bytes;
        let value = format!("{:0width$}", step + 1);
        put(&[b"HSET", KEY, &keys::key(step), value.as_bytes()], out);
    })
}

fn hash_is_used(size: Size) -> Vec<Phase> {
    let (elements, some) = (size.elements, size.some());
    let (mut r1, mut r2, mut r3) = (Random::new(1), Random::new(2), Random::new(3));
    let place = scattered(elements);
    let out_of = |name: &str, first: u64, steps: u64| {
        ask(name, steps, move |step, out| {
            put(&[b"HDEL", KEY, &keys::key(place(first + step))], out);
        })
    };
    vec![
        ask("HSET", some, move |step, out| {
            let value = format!("{step:024}");
            put(&[b"HSET", KEY, &keys::key(r1.below(elements)), value.as_bytes()], out);
        }),
        // A counter has no zeros in front: these begin again.
        ask("HSET 0", some, move |_, out| {
            put(&[b"HSET", KEY, &keys::key(r2.below(elements)), b"0"], out);
        }),
        ask("HINCRBY", some, {
            let mut same = Random::new(2);
            move |_, out| {
                put(&[b"HINCRBY", KEY, &keys::key(same.below(elements)), b"1234567"], out);
            }
        }),
        ask("HRANDFIELD", size.some(), |_, out| put(&[b"HRANDFIELD", KEY], out)),
        ask("HPEXPIRE", some, move |_, out| {
            let ms = digits(1 + r3.below(FIELDS_MS));
            let field = keys::key(r3.below(elements));
            put(&[b"HPEXPIRE", KEY, &ms, b"FIELDS", b"1", &field], out);
        }),
        upkeep("HPEXPIRE", FIELDS_MS / TURN_MS as u64 + 3, TURN_MS),
        out_of("HDEL", 0, some),
        out_of("HDEL down to a tenth", some, elements - some - elements / 10),
    ]
}

/// A hash whose fields all have deadlines, an hour off.
fn fields_grow(size: Size) -> Request {
    Box::new(move |step, out| {
        let (field, width) = (keys::key(step), size.bytes);
        put(&[b"HSET", KEY, &field, format!("{:0width$}", step + 1).as_bytes()], out);
        let ms = digits(FAR_MS + step % FIELDS_MS);
        put(&[b"HPEXPIRE", KEY, &ms, b"FIELDS", b"1", &field], out);
    })
}

fn fields_are_used(size: Size) -> Vec<Phase> {
    let (elements, some) = (size.elements, size.some());
    let (mut r1, mut r2) = (Random::new(1), Random::new(2));
    let place = scattered(elements);
    vec![
        ask("HPEXPIRE, deadlines move", some, move |step, out| {
            let ms = digits(FAR_MS + step % FIELDS_MS);
            put(&[b"HPEXPIRE", KEY, &ms, b"FIELDS", b"1", &keys::key(r1.below(elements))], out);
        }),
        ask("HPERSIST", some, move |_, out| {
            put(&[b"HPERSIST", KEY, b"FIELDS", b"1", &keys::key(r2.below(elements))], out);
        }),
        ask("HDEL", some, move |step, out| put(&[b"HDEL", KEY, &keys::key(place(step))], out)),
        // So many at one moment.
        ask("HPEXPIRE, all the same", some, move |step, out| {
            put(&[b"HPEXPIRE", KEY, b"600000", b"FIELDS", b"1", &keys::key(place(step))], out);
        }),
        upkeep("deadlines of a tenth come", 1, 700_000),
        ask("HGET", size.few(), move |step, out| {
            put(&[b"HGET", KEY, &keys::key(place(elements - 1 - step))], out);
        }),
    ]
}

fn zset_grows(size: Size) -> Request {
    let place = scattered(size.elements);
    Box::new(move |step, out| {
        put(&[b"ZADD", KEY, &digits(place(step)), &keys::key(step)], out);
    })
}

fn zset_is_used(size: Size) -> Vec<Phase> {
    let (elements, some) = (size.elements, size.some());
    let mut random = (1..7).map(Random::new);
    let mut dice = || random.next().unwrap_or(Random::new(0));
    let (mut r1, mut r2, mut r3, mut r4, mut r5) = (dice(), dice(), dice(), dice(), dice());
    let place = scattered(elements);
    let out_of = |name: &str, first: u64, steps: u64| {
        ask(name, steps, move |step, out| {
            put(&[b"ZREM", KEY, &keys::key(place(first + step))], out);
        })
    };
    vec![
        ask("ZADD", some, move |_, out| {
            let score = digits(r1.below(elements));
            put(&[b"ZADD", KEY, &score, &keys::key(r1.below(elements))], out);
        }),
        ask("ZINCRBY", some, move |_, out| {
            put(&[b"ZINCRBY", KEY, b"1.5", &keys::key(r2.below(elements))], out);
        }),
        ask("ZRANK", some, move |_, out| {
            put(&[b"ZRANK", KEY, &keys::key(r3.below(elements))], out);
        }),
        ask("ZRANGE of 10", some, move |_, out| {
            let first = r4.below(elements - 10);
            put(&[b"ZRANGE", KEY, &digits(first), &digits(first + 9)], out);
        }),
        ask("ZREMRANGEBYRANK of 10", size.few(), move |_, out| {
            let first = r5.below(elements / 2);
            put(&[b"ZREMRANGEBYRANK", KEY, &digits(first), &digits(first + 9)], out);
        }),
        ask("ZPOPMIN of 100", size.few() / BULK, |_, out| put(&[b"ZPOPMIN", KEY, b"100"], out)),
        out_of("ZREM", 0, some),
        ask("ZPOPMIN, ZPOPMAX", some, |step, out| {
            put(&[if step % 2 == 0 { b"ZPOPMIN" } else { b"ZPOPMAX" }, KEY], out);
        }),
        ask("ZREMRANGEBYSCORE of a tenth", 1, move |_, out| {
            let (from, to) = (digits(elements / 5), digits(elements * 3 / 10));
            put(&[b"ZREMRANGEBYSCORE", KEY, &from, &to], out);
        }),
        // While the members of it are still being taken out of the index.
        ask("ZADD again", some, move |step, out| {
            put(&[b"ZADD", KEY, &digits(place(step)), &keys::key(step)], out);
        }),
        upkeep("ZREMRANGEBYSCORE", 1, 0),
        out_of("ZREM down to a tenth", some, elements - some - elements / 10),
        once("ZREMRANGEBYRANK to 10", "ZREMRANGEBYRANK big 0 -11"),
        upkeep("ZREMRANGEBYRANK to 10", 1, 0),
    ]
}

/// The id of an entry.
fn id(index: u64) -> Vec<u8> {
    format!("{}-1", index + 1).into_bytes()
}

fn stream_grows(size: Size) -> Request {
    Box::new(move |step, out| put(&[b"XADD", KEY, &id(step), b"f", &size.text(step)], out))
}

fn read_by_one(_: u64, out: &mut Vec<u8>) {
    let words = "XREADGROUP GROUP group one COUNT 100 STREAMS big >";
    put(&words.split(' ').map(str::as_bytes).collect::<Vec<_>>(), out);
}

fn stream_is_used(size: Size) -> Vec<Phase> {
    let (elements, some, few) = (size.elements, size.some(), size.few());
    let (mut r1, mut r2, mut r3) = (Random::new(1), Random::new(2), Random::new(3));
    let place = scattered(elements);
    let ack = |name: &str, first: u64, steps: u64| {
        ask(name, steps, move |step, out| {
            put(&[b"XACK", KEY, b"group", &id(place(first + step))], out);
        })
    };
    vec![
        ask("XRANGE of 10", few, move |_, out| {
            let first = id(r1.below(elements));
            put(&[b"XRANGE", KEY, &first, b"+", b"COUNT", b"10"], out);
        }),
        once("XGROUP CREATE", "XGROUP CREATE big group 0"),
        ask("XREADGROUP of 100", elements.div_ceil(BULK), read_by_one),
        ask("XPENDING of 10", few, move |_, out| {
            let first = id(r2.below(elements));
            put(&[b"XPENDING", KEY, b"group", &first, b"+", b"10"], out);
        }),
        ask("XCLAIM", some, move |step, out| {
            put(&[b"XCLAIM", KEY, b"group", b"two", b"0", &id(place(step)), b"JUSTID"], out);
        }),
        ask("XAUTOCLAIM of 100", few.div_ceil(10), move |_, out| {
            let first = id(r3.below(elements));
            put(&[b"XAUTOCLAIM", KEY, b"group", b"two", b"0", &first, b"JUSTID"], out);
        }),
        ack("XACK", some, some),
        ask("XDEL", some, move |step, out| put(&[b"XDEL", KEY, &id(place(step))], out)),
        ask("XTRIM of about 10", few.min(elements / 100), move |step, out| {
            put(&[b"XTRIM", KEY, b"MINID", &id(10 * (step + 1))], out);
        }),
        ack("XACK down to a tenth", 2 * some, elements - 2 * some - elements / 10),
        once("XGROUP DELCONSUMER of half", "XGROUP DELCONSUMER big group two"),
        upkeep("XGROUP DELCONSUMER of half", 1, 0),
        once("XGROUP DESTROY", "XGROUP DESTROY big group"),
        upkeep("XGROUP DESTROY", 1, 0),
        once("XGROUP CREATE again", "XGROUP CREATE big group 0"),
        ask("XREADGROUP again", elements.div_ceil(BULK), read_by_one),
        once("XGROUP DELCONSUMER of all", "XGROUP DELCONSUMER big group one"),
        upkeep("XGROUP DELCONSUMER of all", 1, 0),
        ask("XTRIM to half", 1, move |_, out| {
            put(&[b"XTRIM", KEY, b"MAXLEN", &digits(elements / 2)], out);
        }),
        upkeep("XTRIM", 1, 0),
        once("XTRIM to 10", "XTRIM big MAXLEN 10"),
        upkeep("XTRIM to 10", 1, 0),
    ]
}

/// Eight bytes a step, at the end.
fn string_grows(_: Size) -> Request {
    Box::new(|step, out| put(&[b"APPEND", KEY, format!("{step:08}").as_bytes()], out))
}

fn string_is_used(size: Size) -> Vec<Phase> {
    let bytes = 8 * size.elements;
    let (mut r1, mut r2) = (Random::new(1), Random::new(2));
    vec![
        ask("SETRANGE", size.some(), move |step, out| {
            put(&[b"SETRANGE", KEY, &digits(r1.below(bytes - 8)), &digits(step)], out);
        }),
        ask("SETBIT", size.some(), move |_, out| {
            put(&[b"SETBIT", KEY, &digits(r2.below(8 * bytes)), b"1"], out);
        }),
        ask("SETBIT, a bit beyond", size.few() / BULK, move |step, out| {
            put(&[b"SETBIT", KEY, &digits(8 * (bytes + 4096 * step)), b"1"], out);
        }),
    ]
}
