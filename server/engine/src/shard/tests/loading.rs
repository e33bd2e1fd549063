//! While a core has yet to get its keys, all cores refuse what needs any.

use crate::shard::testing::TestNode;

#[test]
fn until_all_cores_have_their_keys_only_what_needs_none_is_answered() {
    for cores in [1, 2] {
        let mut node = TestNode::new(cores);
        let loading = node.shards[0].loading().clone();
        loading.begin(cores, 1_700_000_000_000);
        loading.expect(400);
        loading.note_read(100);
        node.pump();
        let refused = "-LOADING Redis is loading the dataset in memory\r\n";
        for command in ["GET k", "SET k v", "PING", "DBSIZE", "BGSAVE", "FLUSHALL"] {
            assert_eq!(node.run(command), refused, "{command}");
        }
        assert!(node.run("MULTI\nSET k v\nEXEC").contains("-EXECABORT"));
        assert!(node.run("CONFIG GET appendonly").starts_with("*2"));
        let info = node.run("INFO persistence");
        for line in ["loading:1", "loading_total_bytes:400", "loading_loaded_perc:25.00"] {
            assert!(info.lines().any(|said| said == line), "{line}: {info}");
        }
        for _ in 1..cores {
            loading.core_done();
            node.pump();
            assert_eq!(node.run("GET k"), refused, "another core has none yet");
        }
        loading.core_done();
        node.pump();
        assert_eq!(node.run("SET k v"), "+OK\r\n");
        assert!(node.run("INFO persistence").contains("loading:0"));
    }
}

#[test]
fn what_is_overdue_stays_until_all_has_been_read() {
    let mut node = TestNode::new(1);
    node.run("SET k v PX 10");
    let loading = node.shards[0].loading().clone();
    loading.begin(1, 0);
    node.advance_ms(1_000);
    for _ in 0..5 {
        node.turn(0);
    }
    assert_eq!(node.shards[0].keyspace_mut().len(0), 1, "a later effect may say PERSIST");
    loading.core_done();
    node.advance_ms(100);
    node.turn(0);
    assert_eq!(node.shards[0].keyspace_mut().len(0), 0);
}
