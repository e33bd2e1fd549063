//! maxmemory holds within 2 % whatever is written, under every policy; with noeviction writes are
//! refused while reads and DEL go on. Row 26 of reliability.md.

use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::process::resident_bytes;
use freehold_tests::random::Random;
use freehold_tests::server::{Server, freehold, redis};
use freehold_tests::show::show;
use freehold_tests::wait;

on_one_and_two_cores!(
    every_policy_holds_the_limit,
    noeviction_refuses_writes_and_serves_reads_and_del,
    volatile_policies_refuse_when_no_key_may_go,
    a_lower_limit_is_reached_by_eviction,
    long_pipelines_evict_as_much_on_every_core,
    a_limit_below_what_an_empty_server_takes_refuses_every_write,
    memory_that_is_freed_goes_back_to_the_system_though_nobody_asks_for_any,
);

const POLICIES: &[&str] = &[
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];
/// Room for data above what the empty server uses.
const ROOM: u64 = 16 * 1024 * 1024;
const OOM: &str = "(error) OOM command not allowed when used memory > 'maxmemory'.";

/// Sets a limit of [`ROOM`] above what is used now.
fn limit(client: &mut Client, policy: &str) -> u64 {
    let maxmemory = client.info_number("memory", "used_memory") + ROOM;
    let set = format!("CONFIG SET maxmemory {maxmemory} maxmemory-policy {policy}");
    assert_eq!(client.said(&set), "+OK");
    maxmemory
}

/// A write of any kind this issue knows, to any of many keys.
fn write(random: &mut Random) -> Vec<String> {
    let key = format!("key:{}", random.below(40_000));
    let value = "v".repeat(*random.pick(&[8, 64, 64, 200, 1_000, 5_000]));
    let words: Vec<&str> = match random.below(8) {
        0 => vec!["APPEND", &key, &value],
        1 => vec!["SETRANGE", &key, "3000", &value],
        2 => vec!["INCR", &key],
        3 => vec!["MSET", &key, &value, "other", &value],
        4 => vec!["SET", &key, &value],
        _ => vec!["SET", &key, &value, "EX", "10000"],
    };
    words.into_iter().map(str::to_owned).collect()
}

fn every_policy_holds_the_limit(cores: u16) {
    for policy in POLICIES {
        let server = freehold(cores).start();
        let mut client = server.client();
        let mut random = Random::new(26);
        let maxmemory = limit(&mut client, policy);
        let allowed = maxmemory + maxmemory / 50;
        let mut refused = 0;
        let mut highest = 0;

        for _ in 0..600 {
            for _ in 0..100 {
                client.queue(&write(&mut random));
            }
            for _ in 0..100 {
                match client.read() {
                    Value::Error(text) if text.starts_with(b"OOM") => refused += 1,
                    // INCR and SETRANGE meet what others have written.
                    Value::Error(text) if text.starts_with(b"ERR value is not an int") => {}
                    Value::Error(text) => panic!("{}", String::from_utf8_lossy(&text)),
                    _ => {}
                }
            }
            highest = highest.max(client.info_number("memory", "used_memory"));
            assert!(highest <= allowed, "{policy}: {highest} used of {maxmemory}");
        }

        let evicted = client.info_number("stats", "evicted_keys");
        let evicts = *policy != "noeviction";
        assert_eq!(evicted > 0, evicts, "{policy}: {evicted} evicted, {refused} refused");
        assert!(!policy.starts_with("allkeys") || refused == 0, "{policy}: {refused} refused");
        assert!(highest > maxmemory - ROOM / 4, "{policy}: only {highest} of {maxmemory} used");
    }
}

/// Writes until the server refuses; gives the number of keys.
fn fill(client: &mut Client) -> usize {
    let value = "v".repeat(500);
    for number in 0..1_000_000 {
        let reply = client.call(&["SET", &format!("fill:{number}"), &value]);
        if reply != Value::Simple(b"OK".to_vec()) {
            assert_eq!(show(&reply), OOM);
            return number;
        }
    }
    panic!("a million keys fitted");
}

fn noeviction_refuses_writes_and_serves_reads_and_del(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    limit(&mut client, "noeviction");
    let count = fill(&mut client);
    let big = "v".repeat(100_000);

    for words in [
        format!("SET x {big}"),
        format!("APPEND fill:0 {big}"),
        format!("MSET a {big} b {big}"),
        format!("SETRANGE fill:1 0 {big}"),
        format!("GETSET fill:0 {big}"),
    ] {
        assert_eq!(client.said(&words), OOM, "{}", &words[..20]);
    }
    assert_eq!(client.said("GET fill:0").len(), 502);
    assert_eq!(client.said(&format!("EXISTS fill:0 fill:{}", count - 1)), "(integer) 2");
    assert_eq!(client.said("EXPIRE fill:0 1000"), "(integer) 1");
    assert_eq!(client.said("STRLEN fill:2"), "(integer) 500");
    for number in 0..count / 2 {
        assert_eq!(client.said(&format!("DEL fill:{number}")), "(integer) 1");
    }
    assert_eq!(client.said("SET x y"), "+OK");
    assert_eq!(client.info_number("stats", "evicted_keys"), 0);
}

fn volatile_policies_refuse_when_no_key_may_go(cores: u16) {
    for policy in ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"] {
        let server = freehold(cores).start();
        let mut client = server.client();
        limit(&mut client, policy);
        let count = fill(&mut client);

        assert_eq!(client.said("DBSIZE"), format!("(integer) {count}"), "{policy} evicted");
        assert_eq!(client.said("DEL fill:0 fill:1 fill:2 fill:3"), "(integer) 4");
    }
}

fn a_lower_limit_is_reached_by_eviction(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    let empty = client.info_number("memory", "used_memory");
    let value = "v".repeat(400);
    for number in 0..40_000 {
        client.queue(&["SET", &format!("k{number}"), &value]);
    }
    for _ in 0..40_000 {
        client.read();
    }
    let full = client.info_number("memory", "used_memory");
    let lower = empty + (full - empty) / 2;
    assert_eq!(
        client.said(&format!("CONFIG SET maxmemory {lower} maxmemory-policy allkeys-lru")),
        "+OK"
    );

    freehold_tests::wait::until(
        "the lower limit to hold",
        std::time::Duration::from_secs(20),
        || {
            assert_eq!(client.said("SET one more"), "+OK");
            client.info_number("memory", "used_memory") <= lower + lower / 50
        },
    );
    assert!(client.info_number("stats", "evicted_keys") > 10_000);
}

/// Requests that waited in the core of a connection counted as its data: with pipelines of 50 it
/// evicted several of its own keys for each of the other core's, and held a third of them.
fn long_pipelines_evict_as_much_on_every_core(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    let maxmemory = limit(&mut client, "allkeys-lru");
    let mut random = Random::new(50);
    let value = "v".repeat(1_000);
    for _ in 0..1_000 {
        for _ in 0..50 {
            client.queue(&["SET", &format!("key:{}", random.below(1_000_000)), &value]);
        }
        (0..50).for_each(|_| assert_eq!(show(&client.read()), "+OK"));
    }
    let mut held: Vec<u64> = Vec::new();
    for port in server.core_ports() {
        let said = Client::connect(&format!("127.0.0.1:{port}")).said("DBSIZE");
        held.push(said.trim_start_matches("(integer) ").parse().expect("a number"));
    }
    let (least, most) = (held.iter().min(), held.iter().max());
    let balanced = least.zip(most).is_some_and(|(least, most)| least * 100 >= most * 85);
    assert!(balanced, "keys by core: {held:?}");
    assert!(client.info_number("stats", "evicted_keys") > 20_000);
    assert!(client.info_number("memory", "used_memory") <= maxmemory + maxmemory / 50);
}

/// Under the policies that let any key go SET was answered with OK and its key was gone.
fn a_limit_below_what_an_empty_server_takes_refuses_every_write(cores: u16) {
    refuses_every_write(&freehold(cores).start());
}

#[test]
fn redis_server_refuses_every_write_with_such_a_limit() {
    refuses_every_write(&redis().start());
}

fn refuses_every_write(server: &Server) {
    let mut client = server.client();
    for policy in POLICIES {
        assert_eq!(client.said("CONFIG SET maxmemory 0"), "+OK");
        assert_eq!(client.said("SET old v"), "+OK");
        let set = format!("CONFIG SET maxmemory 1 maxmemory-policy {policy}");
        assert_eq!(client.said(&set), "+OK");
        let evicts = policy.starts_with("allkeys");
        wait::until("what may go to have gone", Duration::from_secs(10), || {
            client.said("EXISTS old") == format!("(integer) {}", u8::from(!evicts))
        });
        for n in 0..20 {
            assert_eq!(client.said(&format!("SET new:{n} v")), OOM, "{policy}");
        }
        assert_eq!(client.said("MSET a 1 b 2 c 3"), OOM, "{policy}");
        assert_eq!(client.said("GET new:0"), "(nil)", "{policy}");
        assert_eq!(client.said("DEL old"), format!("(integer) {}", u8::from(!evicts)), "{policy}");
    }
}

/// 400 MB of large values stayed resident after FLUSHALL for good: the allocator gives memory back
/// beside later requests, and there were none.
fn memory_that_is_freed_goes_back_to_the_system_though_nobody_asks_for_any(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    let before = resident_bytes(server.pid());
    let value = "v".repeat(1_000_000);
    for n in 0..100 {
        assert_eq!(client.call(&["SET", &format!("k{n}"), &value]), Value::Simple("OK".into()));
    }
    assert!(resident_bytes(server.pid()) > before + 90_000_000, "they are in memory");
    assert_eq!(client.said("FLUSHALL"), "+OK");
    wait::until("the memory to be given back", Duration::from_secs(20), || {
        resident_bytes(server.pid()) < before + 20_000_000
    });
}
