//! Files of redis-server brought in at the start: every type in small and large encodings,
//! deadlines, several databases and groups of streams must be there as they were.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::{Server, freehold, redis};
use freehold_tests::show::show;
use freehold_tests::wait;

on_one_and_two_cores!(
    an_rdb_file_of_redis_is_there_as_it_was,
    a_directory_of_append_only_files_is_there_as_it_was,
    a_damaged_file_is_refused_with_a_sentence,
);

const LIMIT: Duration = Duration::from_secs(60);

/// Commands that fill a server: `{n}` is replaced by numbers below the count in front.
const FILLING: &[(u32, &str)] = &[
    (1, "SET text hello"),
    (300, "SET number:{n} {n}"),
    (300, "SET lasting:{n} {n} PXAT 4102444800000"),
    (1, "RPUSH list a 1 -1 300 70000 5000000000"),
    (3000, "RPUSH list:long element:{n}"),
    (1, "SADD ints 1 2 -40000"),
    (1000, "SADD ints:many {n}"),
    (1, "SADD set a b c"),
    (1000, "SADD set:long member:{n}"),
    (1, "HSET hash f v n 12"),
    (1000, "HSET hash:long field:{n} {n}"),
    (1, "ZADD zset 1 a 2.5 b -inf c inf d"),
    (1000, "ZADD zset:long {n}.25 member:{n}"),
    (300, "XADD stream 5-{n} name {n} value text"),
    (1, "XDEL stream 5-7"),
    (1, "XGROUP CREATE stream g 5-0"),
    (1, "XREADGROUP GROUP g alice COUNT 5 STREAMS stream >"),
    (1, "XREADGROUP GROUP g bob COUNT 3 STREAMS stream >"),
    (1, "XACK stream g 5-2"),
    (1, "XGROUP CREATECONSUMER stream g idle"),
    (1, "PFADD hll a b c"),
    (1, "EXPIREAT zset 4102444800"),
    (1, "SET short v PXAT 1"),
    (1, "SELECT 9"),
    (100, "SET other:{n} nine"),
    (1, "MULTI"),
    (1, "INCR sum"),
    (1, "RPUSH queue x"),
    (1, "EXEC"),
    (1, "SELECT 0"),
];

pub(crate) fn fill(client: &mut Client) {
    for (count, command) in FILLING {
        let mut requests = Vec::new();
        for n in 0..*count {
            // Ids of streams begin above zero.
            let number = if command.starts_with("XADD") { n + 1 } else { n };
            let line = command.replace("{n}", &number.to_string());
            requests.push(line.split(' ').map(|word| word.as_bytes().to_vec()).collect());
        }
        for answer in client.pipeline(&requests) {
            assert!(!matches!(answer, Value::Error(_)), "{command}: {}", show(&answer));
        }
    }
    let long = "abc".repeat(5000);
    client.call(&["SET", "packed", &long]);
    client.call(&["SET", "binary", "\x00\r\n\u{ff}"]);
}

/// All there is, by database and key.
pub(crate) fn content(client: &mut Client) -> BTreeMap<String, String> {
    let mut content = BTreeMap::new();
    for db in ["0", "9"] {
        client.call(&["SELECT", db]);
        let Value::Array(keys) = client.call(&["KEYS", "*"]) else { panic!("keys") };
        for key in keys {
            let Value::Bulk(key) = key else { panic!("a key") };
            let held = held(client, &key);
            content.insert(format!("{db} {}", key.escape_ascii()), held);
        }
    }
    content
}

fn held(client: &mut Client, key: &[u8]) -> String {
    let kind = show(&client.call(&[b"TYPE".as_slice(), key]));
    let questions: &[&str] = match kind.as_str() {
        "+string" => &["GET K"],
        "+list" => &["LRANGE K 0 -1"],
        "+set" => &["SORT K ALPHA"],
        "+hash" => &["HGETALL K"],
        "+zset" => &["ZRANGE K 0 -1 WITHSCORES"],
        "+stream" => &["XRANGE K - +", "XINFO GROUPS K", "XPENDING K g", "XINFO STREAM K FULL"],
        other => panic!("{other}"),
    };
    let mut held = format!("{kind} {}", show(&client.call(&[b"PEXPIRETIME".as_slice(), key])));
    for question in questions {
        let words: Vec<&[u8]> = question
            .split(' ')
            .map(|word| if word == "K" { key } else { word.as_bytes() })
            .collect();
        let answer = client.call(&words);
        held.push_str(&match (&answer, question.starts_with("HGETALL")) {
            (Value::Array(items), true) => {
                let mut pairs: Vec<String> =
                    items.chunks(2).map(|pair| pair.iter().map(show).collect()).collect();
                pairs.sort();
                pairs.concat()
            }
            // How a stream is laid out in memory is each server's own.
            (Value::Array(items), false) if question.contains("FULL") => {
                let own = [b"radix-tree-keys".as_slice(), b"radix-tree-nodes"];
                let is_own = |name: &Value| matches!(name, Value::Bulk(n) if own.contains(&&n[..]));
                let pairs = items.chunks(2).filter(|pair| !is_own(&pair[0]));
                // Groups tell when consumers were seen, which is the time of loading in a log.
                pairs
                    .filter(|pair| show(&pair[0]) != "\"groups\"")
                    .flat_map(|pair| pair.iter().map(show))
                    .collect::<Vec<String>>()
                    .join(" ")
            }
            _ => show(&answer),
        });
    }
    held
}

pub(crate) fn import(cores: u16, path: &Path) -> Server {
    freehold(cores).with(&["--import", path.to_str().expect("a path of text")]).start()
}

/// Both hold the same.
pub(crate) fn compare(expected: &mut Client, found: &mut Client) {
    let (expected, found) = (content(expected), content(found));
    let keys = |all: &BTreeMap<String, String>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&found), keys(&expected));
    for (key, held) in &expected {
        assert_eq!(&found[key], held, "{key}");
    }
    assert!(expected.len() > 700, "everything was there to be compared");
}

pub(crate) fn saved(server: &Server) -> PathBuf {
    let mut client = server.client();
    fill(&mut client);
    assert_eq!(client.said("SAVE"), "+OK");
    server.directory().join("dump.rdb")
}

fn an_rdb_file_of_redis_is_there_as_it_was(cores: u16) {
    let theirs = redis().start();
    let ours = import(cores, &saved(&theirs));
    compare(&mut theirs.client(), &mut ours.client());
    assert!(ours.log().contains("Imported"), "{}", ours.log());
}

fn a_directory_of_append_only_files_is_there_as_it_was(cores: u16) {
    // Under everysec it holds back what it writes for up to two seconds while a sync is under way.
    let theirs = redis().with(&["--appendonly", "yes", "--appendfsync", "always"]).start();
    let mut client = theirs.client();
    client.call(&["SET", "before", "the rewrite"]);
    assert!(!matches!(client.call(&["BGREWRITEAOF"]), Value::Error(_)));
    let rewritten = wait::holds_within(LIMIT, || {
        client.info("persistence", "aof_rewrite_in_progress") == "0"
            && client.info("persistence", "aof_rewrite_scheduled") == "0"
    });
    assert!(rewritten, "redis-server rewrites its log");
    fill(&mut client);
    let ours = import(cores, theirs.directory());
    compare(&mut client, &mut ours.client());
    assert!(ours.log().contains("Imported"), "{}", ours.log());
}

fn a_damaged_file_is_refused_with_a_sentence(cores: u16) {
    let theirs = redis().start();
    let path = saved(&theirs);
    let mut bytes = fs::read(&path).expect("the file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).expect("the file");
    let words = ["--import", path.to_str().expect("a path of text")];
    let mut ours = freehold(cores).with(&words).launch();
    assert!(!ours.wait_for_exit(LIMIT).success());
    let log = ours.log();
    assert!(log.contains("dump.rdb: at byte"), "{log}");
    assert!(!log.contains("Ready to accept connections"), "{log}");
}
