use crate::shard::testing::TestNode;

#[test]
fn idle_time_counts_from_the_last_use_and_looking_is_no_use() {
    let mut node = TestNode::new(1);
    node.run("SET k v");
    node.advance_ms(10_000);
    for _ in 0..2 {
        node.run("TTL k\nTYPE k\nEXISTS k\nOBJECT ENCODING k\nMEMORY USAGE k");
        assert_eq!(node.run("OBJECT IDLETIME k"), ":10\r\n");
    }
    node.run("GET k");
    assert_eq!(node.run("OBJECT IDLETIME k"), ":0\r\n");
    node.advance_ms(3_000);
    node.run("TOUCH k");
    assert_eq!(node.run("OBJECT IDLETIME k"), ":0\r\n");
}

#[test]
fn frequency_is_told_under_lfu_policies_only_and_idle_time_only_elsewhere() {
    let mut node = TestNode::with_config(1, &[("maxmemory-policy", "allkeys-lfu")]);
    node.run("SET k v");
    assert_eq!(node.run("OBJECT FREQ k"), ":5\r\n");
    (0..50).for_each(|_| assert_eq!(node.run("GET k"), "$1\r\nv\r\n"));
    let count = node.run("OBJECT FREQ k");
    assert!(count.starts_with(':') && count != ":5\r\n", "{count}");
    assert!(node.run("OBJECT IDLETIME k").starts_with("-ERR An LFU maxmemory policy is selected"));
    assert_eq!(node.run("OBJECT IDLETIME missing"), "$-1\r\n");
}
