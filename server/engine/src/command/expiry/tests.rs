use crate::shard::testing::TestNode;

#[test]
fn a_key_lives_through_the_millisecond_of_its_deadline() {
    let mut node = TestNode::new(1);
    node.run("SET k v\nPEXPIRE k 50");
    node.advance_ms(50);
    assert_eq!(node.run("PTTL k"), ":0\r\n");
    assert_eq!(node.run("GET k"), "$1\r\nv\r\n");
    node.advance_ms(1);
    assert_eq!(node.run("PTTL k"), ":-2\r\n");
    assert_eq!(node.run("GET k"), "$-1\r\n");
}

#[test]
fn seconds_are_rounded_to_the_nearest_and_milliseconds_are_exact() {
    let mut node = TestNode::new(1);
    node.run("SET k v PX 10000");
    node.advance_ms(500);
    assert_eq!(node.run("TTL k"), ":10\r\n");
    assert_eq!(node.run("PTTL k"), ":9500\r\n");
    node.advance_ms(1);
    assert_eq!(node.run("TTL k"), ":9\r\n");
    assert_eq!(node.run("PEXPIRETIME k"), ":1700000010000\r\n");
    assert_eq!(node.run("EXPIRETIME k"), ":1700000010\r\n");
}

#[test]
fn a_deadline_of_this_very_moment_deletes_the_key() {
    let mut node = TestNode::new(1);
    for request in ["PEXPIRE k 0", "PEXPIREAT k 1700000000000", "EXPIREAT k 1700000000"] {
        node.run("SET k v");
        assert_eq!(node.run(request), ":1\r\n");
        assert_eq!(node.run("EXISTS k"), ":0\r\n", "{request}");
    }
}

#[test]
fn what_a_value_becomes_leaves_its_deadline_alone() {
    let mut node = TestNode::new(1);
    for change in ["INCR k", "APPEND k 1", "SETRANGE k 0 7", "INCRBYFLOAT k 1.5", "SET k 1 KEEPTTL"]
    {
        node.run("SET k 5 PX 9000");
        node.run(change);
        assert_eq!(node.run("PTTL k"), ":9000\r\n", "{change}");
    }
    for change in ["SET k 1", "GETSET k 1", "MSET k 1", "PERSIST k", "GETEX k PERSIST"] {
        node.run("SET k 5 PX 9000");
        node.run(change);
        assert_eq!(node.run("PTTL k"), ":-1\r\n", "{change}");
    }
}

#[test]
fn conditions_compare_with_the_deadline_that_is_there() {
    let mut node = TestNode::new(1);
    node.run("SET k v PX 1000");
    assert_eq!(node.run("PEXPIRE k 1000 GT"), ":0\r\n", "later means later");
    assert_eq!(node.run("PEXPIRE k 1001 XX GT"), ":1\r\n");
    assert_eq!(node.run("PEXPIRE k 1001 LT"), ":0\r\n");
    assert_eq!(node.run("PEXPIRE k 5 LT"), ":1\r\n");
    assert_eq!(node.run("PTTL k"), ":5\r\n");
    node.advance_ms(6);
    assert_eq!(node.run("PEXPIRE k 1000 NX"), ":0\r\n", "an expired key is no key");
}
