//! RDB files both ways beside redis-server: what it saved is read, written again by our writer, and
//! loaded by another redis-server, which must then have the same DEBUG DIGEST.

use std::fs::{self, File};

use freehold_engine::exchange::Limits;
use freehold_engine::exchange::rdb::{RdbReader, RdbWriter};
use freehold_engine::keyspace::Keyspace;
use freehold_engine::value::rdb::Content;
use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::redis;
use freehold_tests::show::show;

const LIMITS: Limits = Limits { key_bytes_max: 1000, string_bytes_max: 1 << 20, databases: 16 };

fn run(client: &mut Client, command: &str) {
    let words: Vec<&str> = command.split(' ').collect();
    let answer = client.call(&words);
    assert!(!matches!(answer, Value::Error(_)), "{command:.60}: {}", show(&answer));
}

fn fill(client: &mut Client) {
    let words = |form: &dyn Fn(u32) -> String| (0..1000).map(form).collect::<Vec<_>>().join(" ");
    run(client, "SET text hello");
    run(client, "SET number -70000 PXAT 4102444800000");
    run(client, &format!("SET packed {}", "abc".repeat(5000)));
    run(client, "RPUSH list a 1 -1 300 70000 5000000000");
    run(client, &format!("RPUSH list:long {}", words(&|n| format!("element:{n}"))));
    run(client, "SADD ints 1 2 -40000");
    run(client, &format!("SADD set:long {}", words(&|n| format!("member:{n}"))));
    run(client, "HSET hash f v n 12");
    run(client, &format!("HSET hash:long {}", words(&|n| format!("field:{n} {n}"))));
    run(client, "ZADD zset 1 a 2.5 b -inf c inf d");
    run(client, &format!("ZADD zset:long {}", words(&|n| format!("{n}.25 member:{n}"))));
    (1..300).for_each(|n| run(client, &format!("XADD stream 5-{n} name {n} value text")));
    run(client, "XDEL stream 5-7");
    run(client, "XGROUP CREATE stream g 5-0");
    run(client, "XREADGROUP GROUP g alice COUNT 5 STREAMS stream >");
    run(client, "XACK stream g 5-2");
    run(client, "XGROUP CREATECONSUMER stream g idle");
    run(client, "SELECT 9");
    run(client, "SET other nine");
}

#[test]
fn what_redis_saved_is_written_again_and_redis_loads_the_same() {
    let first = redis().start();
    let mut client = first.client();
    fill(&mut client);
    run(&mut client, "SAVE");

    let file = File::open(first.directory().join("dump.rdb")).expect("a dump");
    let mut reader = RdbReader::open(file, LIMITS, true).expect("a header");
    let mut keyspace = Keyspace::new(0..16_384, 16, [1, 2, 3, 4]);
    while let Some(record) = reader.next(|_, _| true).expect("sound") {
        let (db, key) = (record.db as u8, keyspace.key_ref(record.key));
        match record.content(keyspace.rules()).expect("sound") {
            Content::Text(text) => {
                let text = text.bytes(&mut Default::default()).to_vec();
                keyspace.set_string(db, &key, &text, record.expiry, 0);
            }
            Content::Collection(value) => {
                keyspace.set_collection(db, &key, value, record.expiry, 0);
            }
        }
    }
    let mut writer = RdbWriter::new(Vec::new(), 10, &[("redis-ver", "7.0.15")]).expect("a Vec");
    for db in (0..16).filter(|&db| keyspace.len(db) > 0) {
        let (keys, expires) = (keyspace.len(db) as u64, keyspace.expires(db) as u64);
        writer.database(u64::from(db), keys, expires);
        keyspace.for_each(db, |entry| writer.entry(&entry).expect("a Vec"));
    }
    let written = writer.finish().expect("a Vec");
    assert!(written.better.is_none(), "redis-server 7.0 reads version 10");

    let second = redis().start();
    fs::write(second.directory().join("dump.rdb"), &written.sink).expect("written");
    let mut again = second.client();
    run(&mut again, "DEBUG RELOAD NOSAVE NOFLUSH");
    assert_eq!(again.said("DEBUG DIGEST"), client.said("DEBUG DIGEST"));
    assert_eq!(again.said("DBSIZE"), "(integer) 12", "everything was there to be compared");
}
