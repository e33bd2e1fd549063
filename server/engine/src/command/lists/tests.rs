//! Lists by their commands, where a row's examples cannot show it.

use crate::shard::testing::TestNode;

#[test]
fn an_element_longer_than_the_limit_is_refused_before_any_change() {
    let config = [("value-hard-bytes", "1024"), ("value-soft-bytes", "1024")];
    let mut node = TestNode::with_config(1, &config);
    let more = "x".repeat(1025);
    node.run("RPUSH l a");
    for request in [
        format!("LPUSH l ok {more}"),
        format!("RPUSHX l {more}"),
        format!("LSET l 0 {more}"),
        format!("LINSERT l BEFORE a {more}"),
    ] {
        let answer = node.run(&request);
        assert!(answer.starts_with("-ERR string exceeds"), "{request}: {answer}");
    }
    assert_eq!(node.run("LRANGE l 0 -1"), "*1\r\n$1\r\na\r\n");
}

#[test]
fn elements_move_between_lists_of_different_cores() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        for key in 0..20 {
            node.run(&format!("RPUSH source:{key} {key} a b c"));
            assert_eq!(
                node.run(&format!("LMOVE source:{key} target LEFT RIGHT")),
                format!("${}\r\n{key}\r\n", key.to_string().len()),
                "{cores} cores"
            );
        }
        assert_eq!(node.run("LLEN target"), ":20\r\n");
        assert_eq!(node.run("LMPOP 3 none:1 none:2 source:7 RIGHT COUNT 2"), {
            "*2\r\n$8\r\nsource:7\r\n*2\r\n$1\r\nc\r\n$1\r\nb\r\n"
        });
        assert_eq!(node.run("LRANGE source:7 0 -1"), "*1\r\n$1\r\na\r\n");
    }
}

#[test]
fn a_list_keeps_its_content_through_rename_and_copy() {
    for cores in [1, 3] {
        let mut node = TestNode::new(cores);
        for index in 0..3000 {
            node.run(&format!("RPUSH l element:{index}"));
        }
        assert_eq!(node.run("OBJECT ENCODING l"), "$9\r\nquicklist\r\n");
        node.run("COPY l other");
        node.run("RENAME l third");
        for key in ["other", "third"] {
            assert_eq!(node.run(&format!("LLEN {key}")), ":3000\r\n", "{cores} cores");
            assert_eq!(node.run(&format!("LINDEX {key} -1")), "$12\r\nelement:2999\r\n");
        }
        node.run("LTRIM other 0 99");
        assert_eq!(node.run("OBJECT ENCODING other"), "$8\r\nlistpack\r\n");
    }
}

#[test]
fn a_rank_that_has_no_opposite_is_refused() {
    let mut node = TestNode::new(1);
    node.run("RPUSH l a");
    assert_eq!(
        node.run("LPOS l a RANK -9223372036854775808"),
        "-ERR value is out of range, value must between -9223372036854775807 and \
         9223372036854775807\r\n"
    );
}
