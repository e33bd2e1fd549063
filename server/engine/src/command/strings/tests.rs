use crate::shard::testing::TestNode;

const TOO_LONG: &str = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";

fn small_node(cores: u16) -> TestNode {
    TestNode::with_config(cores, &[("value-hard-bytes", "1024"), ("value-soft-bytes", "1024")])
}

#[test]
fn no_command_makes_a_string_longer_than_the_limit() {
    let mut node = small_node(1);
    let most = "x".repeat(1024);
    let more = "x".repeat(1025);
    assert_eq!(node.run(&format!("SET k {most}")), "+OK\r\n");
    assert_eq!(node.run("STRLEN k"), ":1024\r\n");
    for request in [
        "APPEND k x".to_owned(),
        "SETRANGE k 1024 x".to_owned(),
        "SETRANGE other 1024 x".to_owned(),
        "SETRANGE k 9223372036854775807 x".to_owned(),
        format!("SET k {more}"),
        format!("SETEX k 10 {more}"),
        format!("GETSET k {more}"),
        format!("SETNX new {more}"),
        format!("MSET new {more}"),
        format!("MSETNX new {more}"),
        format!("MSETEX 1 new {more}"),
    ] {
        assert_eq!(node.run(&request), TOO_LONG, "{request}");
    }
    assert_eq!(node.run("DBSIZE"), ":1\r\n");
    assert_eq!(node.run("STRLEN k"), ":1024\r\n");
}

#[test]
fn a_common_subsequence_whose_table_exceeds_the_limit_is_refused() {
    let mut node = small_node(1);
    node.run("MSET a 123456789012345 b 123456789012345");
    assert_eq!(node.run("LCS a b LEN"), ":15\r\n", "16 x 16 cells of 4 bytes");
    node.run("APPEND a 6");
    assert_eq!(
        node.run("LCS a b LEN"),
        "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len\r\n"
    );
}

#[test]
fn all_pairs_are_set_or_none_wherever_their_keys_live() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        let pairs: String = (0..20).map(|i| format!(" key:{i} {i}")).collect();
        assert_eq!(
            node.run(&format!("MSET{pairs} odd")),
            "-ERR wrong number of arguments for 'mset' command\r\n"
        );
        assert_eq!(node.run("DBSIZE"), ":0\r\n", "{cores} cores");
        node.run("SET key:13 there");
        assert_eq!(node.run(&format!("MSETNX{pairs}")), ":0\r\n");
        assert_eq!(node.run(&format!("MSETEX 20{pairs} NX")), ":0\r\n");
        assert_eq!(node.run(&format!("MSETEX 20{pairs} XX")), ":0\r\n");
        assert_eq!(node.run("DBSIZE"), ":1\r\n", "{cores} cores");
        node.run("DEL key:13");
        assert_eq!(node.run(&format!("MSETEX 20{pairs} NX PX 5000")), ":1\r\n");
        assert_eq!(node.run("PTTL key:13"), ":5000\r\n");
        assert_eq!(node.run(&format!("MSET{pairs}")), "+OK\r\n");
        assert_eq!(node.run("PTTL key:13"), ":-1\r\n");
        assert_eq!(node.run("DBSIZE"), ":20\r\n");
    }
}

#[test]
fn answers_to_many_keys_keep_the_order_of_the_request() {
    let mut node = TestNode::new(3);
    let pairs: String = (0..9).map(|i| format!(" key:{i} {i}")).collect();
    node.run(&format!("MSET{pairs}"));
    let answer = node.run("MGET key:8 none key:0 key:5 key:0 key:3");
    let expected = ["$1\r\n8", "$-1", "$1\r\n0", "$1\r\n5", "$1\r\n0", "$1\r\n3"].join("\r\n");
    assert_eq!(answer, format!("*6\r\n{expected}\r\n"));
}

#[test]
fn a_failed_command_leaves_no_half_written_answer() {
    let mut node = TestNode::new(1);
    node.run("SET k v");
    assert_eq!(node.run("GETEX k EX -5"), "-ERR invalid expire time in 'getex' command\r\n");
    assert_eq!(node.run("SET k w GET EX 0"), "-ERR invalid expire time in 'set' command\r\n");
    assert_eq!(node.run("GET k"), "$1\r\nv\r\n");
}

#[test]
fn numbers_are_kept_exactly_at_the_ends_of_their_range() {
    let mut node = TestNode::new(1);
    node.run("SET k 9223372036854775806");
    assert_eq!(node.run("INCR k"), ":9223372036854775807\r\n");
    let overflow = "-ERR increment or decrement would overflow\r\n";
    assert_eq!(node.run("INCR k"), overflow);
    assert_eq!(node.run("GET k"), "$19\r\n9223372036854775807\r\n");
    node.run("SET k -9223372036854775807");
    assert_eq!(node.run("DECR k"), ":-9223372036854775808\r\n");
    assert_eq!(node.run("DECRBY k 1"), overflow);
    assert_eq!(node.run("STRLEN k"), ":20\r\n");
}
