//! `maxmemory` holds while writes go on, and only what may go goes.

use crate::shard::testing::TestNode;

/// Bytes in use over all cores, as INFO counts them.
fn used_bytes(node: &TestNode) -> i64 {
    node.shards.iter().map(|shard| shard.core.memory_used_bytes()).sum()
}

/// The bug: freed blocks counted as used until their page was empty, so 64 evictions of small keys
/// gained nothing and a cache that was merely full refused plain SETs with OOM.
#[test]
fn a_full_cache_takes_every_write_and_stays_within_its_limit() {
    for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-ttl"] {
        for cores in [1, 2] {
            let limit = 4 << 20;
            let options = [("maxmemory", "4mb"), ("maxmemory-policy", policy)];
            let mut node = TestNode::with_config(cores, &options);
            for n in 0..60_000 {
                let size = if n % 7 == 0 { 300 } else { 20 };
                let value = "v".repeat(size);
                let reply = node.run(&format!("SET key:{n} {value} EX 1000"));
                assert_eq!(reply, "+OK\r\n", "{policy}, {cores} cores, key {n}");
            }
            let used = used_bytes(&node);
            assert!(used <= limit * 102 / 100, "{policy}, {cores} cores: {used} used of {limit}");
            assert!(used > limit / 2, "{policy}: the room is made use of, {used}");
        }
    }
}

#[test]
fn without_eviction_writes_are_refused_and_reads_and_deletes_are_not() {
    let options = [("maxmemory", "4mb"), ("maxmemory-policy", "noeviction")];
    let mut node = TestNode::with_config(2, &options);
    let mut n = 0;
    let refusal = loop {
        let reply = node.run(&format!("SET key:{n} {}", "v".repeat(1000)));
        if reply != "+OK\r\n" {
            break reply;
        }
        n += 1;
        assert!(n < 10_000, "the limit is never met");
    };
    assert_eq!(refusal, "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
    assert!(node.run("GET key:0").starts_with("$1000\r\n"));
    let value = "v".repeat(4000);
    let mset = format!("MSET a {value} b {value} c {value} d {value}");
    assert!(node.run(&mset).starts_with("-OOM"), "all or nothing");
    assert_eq!(node.run("EXISTS a b c d"), ":0\r\n");
    assert_eq!(node.run("DEL key:0 key:1 key:2 key:3"), ":4\r\n");
}
