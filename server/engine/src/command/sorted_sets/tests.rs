//! Sorted sets by request: what the examples of the rows cannot say.

use crate::shard::testing::TestNode;

/// A node whose set `z` has the members m0000, m0001, … with their numbers as scores.
fn filled(cores: u16, count: usize) -> TestNode {
    let mut node = TestNode::new(cores);
    for chunk in (0..count).collect::<Vec<_>>().chunks(500) {
        let pairs: String = chunk.iter().map(|n| format!(" {n} m{n:04}")).collect();
        node.run(&format!("ZADD z{pairs}"));
    }
    node
}

#[test]
fn resp3_has_doubles_and_pairs() {
    let mut node = TestNode::new(1);
    let mut run = |request: &str| node.run(&format!("HELLO 3\nDEL z\nZADD z 1 a 2.5 b\n{request}"));
    assert_eq!(run("ZSCORE z b"), ",2.5\r\n");
    assert_eq!(run("ZSCORE z x"), "_\r\n");
    assert_eq!(run("ZINCRBY z inf a"), ",inf\r\n");
    assert_eq!(run("ZADD z INCR 1 a"), ",2\r\n");
    assert_eq!(run("ZMSCORE z a x"), "*2\r\n,1\r\n_\r\n");
    let pairs = "*2\r\n*2\r\n$1\r\na\r\n,1\r\n*2\r\n$1\r\nb\r\n,2.5\r\n";
    assert_eq!(run("ZRANGE z 0 -1 WITHSCORES"), pairs);
    let drawn = "*2\r\n*2\r\n$1\r\nb\r\n,2.5\r\n*2\r\n$1\r\na\r\n,1\r\n";
    assert_eq!(run("ZRANDMEMBER z 9 WITHSCORES"), drawn, "as Redis draws all of a small set");
    assert_eq!(run("ZUNION 1 z WITHSCORES"), pairs);
    assert_eq!(run("ZPOPMIN z 2"), pairs);
    assert_eq!(run("ZPOPMIN z"), "*2\r\n$1\r\na\r\n,1\r\n");
    assert_eq!(run("BZPOPMIN z 0"), "*3\r\n$1\r\nz\r\n$1\r\na\r\n,1\r\n");
    assert_eq!(run("ZMPOP 1 z MAX"), "*2\r\n$1\r\nz\r\n*1\r\n*2\r\n$1\r\nb\r\n,2.5\r\n");
    assert_eq!(run("ZMPOP 1 x MAX"), "_\r\n");
    assert_eq!(run("ZRANK z b WITHSCORE"), "*2\r\n:1\r\n,2.5\r\n");
    assert_eq!(
        run("ZSCAN z 0"),
        "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$3\r\n2.5\r\n"
    );
}

#[test]
fn plain_sets_are_operands_whose_members_have_the_score_one() {
    for cores in [1, 3] {
        let mut node = TestNode::new(cores);
        node.run("ZADD z 5 a 6 7\nSADD s a c\nSADD i 7 8");
        let union = "*8\r\n$1\r\n8\r\n$1\r\n1\r\n$1\r\nc\r\n$1\r\n1\r\n$1\r\na\r\n$1\r\n6\r\n\
            $1\r\n7\r\n$1\r\n7\r\n";
        assert_eq!(node.run("ZUNION 3 z s i WITHSCORES"), union);
        assert_eq!(
            node.run("ZINTER 2 z i WEIGHTS 1 10 WITHSCORES"),
            "*2\r\n$1\r\n7\r\n$2\r\n16\r\n"
        );
        assert_eq!(node.run("ZDIFF 2 s z"), "*1\r\n$1\r\nc\r\n");
        assert_eq!(node.run("ZINTERCARD 2 s z"), ":1\r\n");
        assert_eq!(node.run("ZUNIONSTORE s 2 s i\nTYPE s"), "+zset\r\n");
    }
}

#[test]
fn a_large_set_answers_as_a_small_one() {
    let mut node = filled(2, 3_000);
    assert_eq!(node.run("OBJECT ENCODING z"), "$8\r\nskiplist\r\n");
    assert_eq!(node.run("ZRANK z m2500"), ":2500\r\n");
    assert_eq!(node.run("ZREVRANK z m2500"), ":499\r\n");
    assert_eq!(node.run("ZCOUNT z (10 (20"), ":9\r\n");
    assert_eq!(node.run("ZRANGE z 2998 -1"), "*2\r\n$5\r\nm2998\r\n$5\r\nm2999\r\n");
    assert_eq!(node.run("ZREVRANGEBYSCORE z 7 0 LIMIT 3 1"), "*1\r\n$5\r\nm0004\r\n");
    assert_eq!(node.run("ZREMRANGEBYSCORE z 100 inf"), ":2900\r\n");
    assert_eq!(node.run("ZCARD z"), ":100\r\n");
    assert_eq!(node.run("ZPOPMAX z 100\nEXISTS z"), ":0\r\n");
}

#[test]
fn a_scan_returns_every_member_of_a_large_set() {
    let mut node = filled(1, 2_000);
    let (mut cursor, mut seen, mut steps) = ("0".to_owned(), Vec::new(), 0);
    loop {
        let answer = node.run(&format!("ZSCAN z {cursor} COUNT 50"));
        let lines: Vec<&str> = answer.split("\r\n").collect();
        cursor = lines[2].to_owned();
        seen.extend(lines[3..].iter().filter(|line| line.starts_with('m')).map(|l| l.to_string()));
        steps += 1;
        if cursor == "0" {
            break;
        }
    }
    assert!(steps > 15, "{steps}");
    seen.sort();
    assert_eq!(seen, (0..2_000).map(|n| format!("m{n:04}")).collect::<Vec<_>>());
}

#[test]
fn an_absurd_number_of_draws_is_refused() {
    let mut node = filled(1, 3);
    let refusal = "-ERR value is out of range, at most 10000000 members are drawn at once\r\n";
    assert_eq!(node.run("ZRANDMEMBER z -9223372036854775807"), refusal);
    assert!(node.run("ZRANDMEMBER z -1000").starts_with("*1000\r\n"));
    assert!(node.run("ZRANDMEMBER z 9223372036854775807").starts_with("*3\r\n"));
    let huge = "ZPOPMIN z 9223372036854775807";
    assert!(node.run(huge).starts_with("*6\r\n"));
}

#[test]
fn a_refused_command_changes_nothing() {
    let mut node = filled(1, 5);
    let digest = node.digest();
    for request in [
        "ZADD z 9 m0000 x m0001",
        "ZADD z NX XX 9 m0000",
        "ZREMRANGEBYRANK z 0 x",
        "ZREMRANGEBYLEX z [m +x",
        "ZPOPMIN z -1",
        "ZMPOP 1 z MIN COUNT 0",
        "ZUNIONSTORE z 1 z WEIGHTS x",
        "ZUNIONSTORE z 1 z AGGREGATE MEAN",
        "ZRANGESTORE z z 0 x",
        "GEOADD z 0 0 x 200 0 y",
        "GEOSEARCHSTORE z z FROMMEMBER none BYRADIUS 1 m",
    ] {
        assert!(node.run(request).starts_with('-'), "{request}");
        assert_eq!(node.digest(), digest, "{request}");
    }
}

#[test]
fn a_waiting_client_gets_what_is_added() {
    for cores in [1, 2] {
        let mut node = TestNode::new(cores);
        let waiting = node.connect(0);
        let other = node.connect(usize::from(cores) - 1);
        assert_eq!(node.exchange(waiting, b"BZPOPMAX a b 0\r\n"), b"");
        assert_eq!(node.exchange(other, b"ZADD b 1 x 2 y\r\n"), b":2\r\n");
        node.pump();
        assert_eq!(node.output(waiting), b"*3\r\n$1\r\nb\r\n$1\r\ny\r\n$1\r\n2\r\n");
        assert_eq!(node.exchange(other, b"ZCARD b\r\n"), b":1\r\n");
        assert_eq!(node.exchange(waiting, b"BZMPOP 0 2 a c MIN\r\n"), b"");
        assert_eq!(node.exchange(other, b"ZUNIONSTORE c 1 b\r\n"), b":1\r\n");
        node.pump();
        let popped = b"*2\r\n$1\r\nc\r\n*1\r\n*2\r\n$1\r\nx\r\n$1\r\n1\r\n";
        assert_eq!(node.output(waiting), popped);
    }
}
