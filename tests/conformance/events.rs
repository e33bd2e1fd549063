//! Keyspace notifications against redis-server: the same random commands on both, with every
//! class of event on, and after each command the same events with the same names, in the same
//! order. Commands this server does not have yet are left out.

use std::collections::BTreeMap;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::random::Random;
use freehold_tests::server::{Server, freehold, redis};
use freehold_tests::show::{bytes, items, show};

/// `K`, `L` are keys, `N` is a small number, `D` a database. A template that draws members at
/// random would differ between the servers.
const TEMPLATES: &[&str] = &[
    "SET K N",
    "SET K N EX 100",
    "SET K N PX 100000 NX",
    "SET K N XX GET",
    "SET K N KEEPTTL",
    "SET K N PXAT 1",
    "SETNX K N",
    "SETEX K 100 N",
    "PSETEX K 100000 N",
    "GETSET K N",
    "GETDEL K",
    "GETEX K",
    "GETEX K EX 100",
    "GETEX K PXAT 1",
    "GETEX K PERSIST",
    "GET K",
    "MGET K L",
    "MSET K N L N",
    "MSETNX K N L N",
    "APPEND K N",
    "SETRANGE K N xyz",
    "SETRANGE K 0 \"\"",
    "GETRANGE K 0 N",
    "STRLEN K",
    "INCR K",
    "DECRBY K N",
    "INCRBYFLOAT K N",
    "LCS K L",
    "DEL K L",
    "UNLINK K L",
    "EXISTS K L",
    "TOUCH K L",
    "TYPE K",
    "TTL K",
    "OBJECT ENCODING K",
    "OBJECT REFCOUNT K",
    "EXPIRE K 100",
    "EXPIRE K 200 GT",
    "EXPIRE K -1",
    "PEXPIREAT K 1",
    "PERSIST K",
    "RENAME K L",
    "RENAMENX K L",
    "COPY K L",
    "COPY K L REPLACE",
    "COPY K K DB D",
    "MOVE K D",
    "SELECT D",
    "FLUSHDB",
    "SETBIT K N 1",
    "GETBIT K N",
    "BITCOUNT K",
    "BITOP OR K K L",
    "BITFIELD K SET u8 0 N",
    "PFADD K N",
    "PFMERGE K L",
    "LPUSH K N N",
    "RPUSH K N",
    "LPUSHX K N",
    "LPOP K",
    "RPOP K 2",
    "LINSERT K BEFORE N N",
    "LSET K 0 N",
    "LREM K 0 N",
    "LTRIM K 0 N",
    "LMOVE K L LEFT RIGHT",
    "RPOPLPUSH K L",
    "LRANGE K 0 -1",
    "LMPOP 2 K L LEFT COUNT 2",
    "SADD K N N",
    "SREM K N",
    "SPOP K 100",
    "SMOVE K L N",
    "SINTERSTORE K K L",
    "SUNIONSTORE K K L",
    "SDIFFSTORE K K L",
    "SCARD K",
    "HSET K f N g N",
    "HSETNX K f N",
    "HDEL K f g",
    "HINCRBY K f N",
    "HINCRBYFLOAT K f N",
    "HGET K f",
    "ZADD K N a N b",
    "ZADD K XX N a",
    "ZADD K INCR N a",
    "ZINCRBY K N a",
    "ZREM K a",
    "ZPOPMIN K 2",
    "ZPOPMAX K",
    "ZREMRANGEBYRANK K 0 0",
    "ZREMRANGEBYSCORE K 0 N",
    "ZREMRANGEBYLEX K [a [b",
    "ZUNIONSTORE K 2 K L",
    "ZINTERSTORE K 2 K L",
    "ZDIFFSTORE K 2 K L",
    "ZRANGESTORE K L 0 N",
    "ZMPOP 2 K L MIN",
    "ZSCORE K a",
    "GEOADD K 13.3 38.1 p",
    "GEOSEARCHSTORE K L FROMLONLAT 13 38 BYRADIUS 200 km",
    "SORT K STORE L",
    "XADD K N-N f v",
    "XADD K 1000000-1 f v",
    "XADD K MAXLEN 1 * f v",
    "XDEL K 1000000-1",
    "XTRIM K MAXLEN 1",
    "XSETID K 99999999999999-1",
    "XGROUP CREATE K g $ MKSTREAM",
    "XGROUP CREATECONSUMER K g c",
    "XGROUP DELCONSUMER K g c",
    "XGROUP SETID K g 0",
    "XGROUP DESTROY K g",
    "XREADGROUP GROUP g c COUNT 1 STREAMS K >",
    "XLEN K",
];

/// A server, and who listens to it.
struct Side {
    client: Client,
    listener: Client,
    /// One client of each core.
    cores: Vec<Client>,
}

impl Side {
    fn new(server: &Server, letters: &str) -> Side {
        let mut client = server.client();
        let set = client.call(&["CONFIG", "SET", "notify-keyspace-events", letters]);
        assert_eq!(show(&set), "+OK");
        // Keys past their deadline go when they are met, so at the same moment on both.
        assert_eq!(client.said("DEBUG SET-ACTIVE-EXPIRE 0"), "+OK");
        let mut listener = server.client();
        listener.call(&["PSUBSCRIBE", "__key*"]);
        let ports = match server.core_ports() {
            [] => vec![server.port()],
            ports => ports.to_vec(),
        };
        let cores = ports.iter().map(|port| Client::connect(&format!("127.0.0.1:{port}")));
        Side { client, listener, cores: cores.collect() }
    }

    /// The next event as `channel message`.
    fn event(&mut self) -> String {
        let message = self.listener.read();
        let parts = items(&message).expect("a message is an array");
        let text =
            |at: usize| String::from_utf8_lossy(bytes(&parts[at]).expect("text")).into_owned();
        format!("{} {}", text(2), text(3))
    }

    /// All events up to a mark that every core publishes now.
    fn events(&mut self) -> Vec<String> {
        for core in &mut self.cores {
            core.call(&["PUBLISH", "__key-mark", ""]);
        }
        let (mut events, mut marks) = (Vec::new(), 0);
        while marks < self.cores.len() {
            match self.event() {
                event if event.starts_with("__key-mark ") => marks += 1,
                event => events.push(event),
            }
        }
        events
    }
}

fn known(client: &mut Client) -> Vec<&'static str> {
    let is_known = |template: &&&'static str| {
        let mut words = template.split(' ');
        let mut name = words.next().unwrap_or_default().to_owned();
        if matches!(&*name, "XGROUP" | "OBJECT") {
            name = format!("{name}|{}", words.next().unwrap_or_default());
        }
        let rows = client.call(&["COMMAND", "INFO", &name]);
        items(&rows).expect("rows")[0] != Value::Null
    };
    TEMPLATES.iter().filter(is_known).copied().collect()
}

fn request(random: &mut Random, template: &str) -> Vec<String> {
    let keys = ["a", "b", "c", "foo"];
    let words = template.split(' ').map(|word| match word {
        "K" | "L" => (*random.pick(&keys)).to_owned(),
        "N" => random.below(4).to_string(),
        "N-N" => format!("{}-{}", random.below(9), random.below(9)),
        "D" => random.below(2).to_string(),
        "\"\"" => String::new(),
        word => word.to_owned(),
    });
    words.collect()
}

/// Runs random commands on both. Returns one difference for each kind of command that differs.
fn differences(cores: u16, letters: &str, seed: u64, commands: usize) -> Vec<String> {
    let (reference, subject) = (redis().start(), freehold(cores).start());
    let mut theirs = Side::new(&reference, letters);
    let mut ours = Side::new(&subject, letters);
    let templates = known(&mut ours.client);
    let mut random = Random::new(seed);
    let mut past: Vec<String> = Vec::new();
    let mut found: BTreeMap<&str, String> = BTreeMap::new();
    let mut count = 0;
    for _ in 0..commands {
        let template = *random.pick(&templates);
        let request = request(&mut random, template);
        past.push(request.join(" "));
        let replies = [theirs.client.call(&request), ours.client.call(&request)];
        let mut expected = theirs.events();
        let mut told = ours.events();
        count += told.len();
        if cores > 1 {
            expected.sort();
            told.sort();
        }
        let [failed, also_failed] = replies.each_ref().map(|r| matches!(r, Value::Error(_)));
        if told != expected || failed != also_failed {
            let story = past[past.len().saturating_sub(12)..].join("\n    ");
            let [reply, own] = replies.each_ref().map(show);
            found.entry(template).or_insert_with(|| {
                format!(
                    "    {story}\n  redis-server: {reply} {expected:?}\n  freehold:     {own} \
                     {told:?}"
                )
            });
            // Content may differ as well: both begin again.
            theirs.client.call(&["FLUSHALL"]);
            ours.client.call(&["FLUSHALL"]);
            past.clear();
        }
    }
    assert!(letters.len() < 3 || count > commands / 4, "only {count} events were compared");
    found.into_values().collect()
}

fn same_events(cores: u16, letters: &str, seed: u64, commands: usize) {
    let found = differences(cores, letters, seed, commands);
    assert!(found.is_empty(), "seed {seed}, {cores} cores, {letters}:\n{}", found.join("\n"));
}

#[test]
fn every_command_tells_what_redis_tells_in_its_order() {
    same_events(1, "KEA", 1, 2_500);
}

#[test]
fn new_keys_and_misses_are_told_as_redis_tells_them() {
    same_events(1, "KEAnm", 2, 2_500);
}

#[test]
fn commands_over_several_cores_tell_every_event_once() {
    // All but "expired": a key that is fetched from another core expires, even if the command then
    // fails because of a key before it.
    same_events(2, "Eg$lshzted", 3, 2_500);
}

#[test]
fn classes_are_told_apart() {
    for letters in ["Kg", "E$", "Kx", "Eg$", "K", "A", "Em", "Kn"] {
        same_events(1, letters, 4, 200);
    }
}
