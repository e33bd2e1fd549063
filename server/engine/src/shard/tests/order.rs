//! Replies keep request order, whichever core answers.

use crate::shard::Trouble;
use crate::shard::testing::TestNode;

fn request(args: &[&str]) -> Vec<u8> {
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let mut bytes = Vec::new();
    freehold_protocol::resp::value::encode_request(&args, &mut bytes);
    bytes
}

#[test]
fn a_pipeline_over_many_cores_is_answered_in_order() {
    for cores in [1, 2, 4] {
        let mut node = TestNode::new(cores);
        let client = node.connect(0);
        let mut pipeline = Vec::new();
        let mut expected = Vec::new();
        for n in 0..2000 {
            let (key, value) = (format!("key:{}", n % 97), n.to_string());
            pipeline.extend(request(&["SET", &key, &value]));
            pipeline.extend(request(&["GET", &key]));
            pipeline.extend(request(&["ECHO", &value]));
            let bulk = format!("${}\r\n{value}\r\n", value.len());
            expected.extend(format!("+OK\r\n{bulk}{bulk}").into_bytes());
        }
        let reply = node.exchange(client, &pipeline);
        assert_eq!(reply.len(), expected.len(), "{cores} cores");
        assert!(reply == expected, "{cores} cores");
    }
}

#[test]
fn a_pipeline_cut_anywhere_gives_the_same_answers() {
    let mut pipeline = Vec::new();
    for args in [
        &["SET", "a", "1"][..],
        &["MSET", "b", "2", "c", "3", "d", "4"],
        &["MGET", "a", "b", "c", "d"],
        &["INCR", "a"],
        &["DEL", "a", "b", "c", "d"],
        &["DBSIZE"],
    ] {
        pipeline.extend(request(args));
    }
    let whole = {
        let mut node = TestNode::new(4);
        let client = node.connect(1);
        node.exchange(client, &pipeline)
    };
    for cut in 1..pipeline.len() {
        let mut node = TestNode::new(4);
        let client = node.connect(1);
        let mut reply = node.exchange(client, &pipeline[..cut]);
        reply.extend(node.exchange(client, &pipeline[cut..]));
        assert!(reply == whole, "cut at {cut}");
    }
}

#[test]
fn a_malformed_request_is_answered_and_ends_only_its_connection() {
    let mut node = TestNode::new(2);
    let (bad, good) = (node.connect(0), node.connect(0));
    let reply = node.exchange(bad, b"PING\r\n*1\r\n$x\r\nSET a b\r\n");
    assert_eq!(reply, b"+PONG\r\n-ERR Protocol error: invalid bulk length\r\n");
    assert_eq!(node.state(bad), crate::shard::SessionState::CloseAfterSend);
    assert_eq!(node.exchange(good, b"PING\r\n"), b"+PONG\r\n");
}

/// A reply stands ready behind one that another core owes, and the log breaks meanwhile: found by
/// the simulated disk, where a write that was made and never durable was acknowledged.
#[test]
fn replies_that_waited_when_the_log_broke_are_known_to_tell_of_before() {
    let mut node = TestNode::new(2);
    let keys: Vec<String> = (0..64).map(|n| format!("key:{n}")).collect();
    let (own, other): (Vec<&String>, _) =
        keys.iter().partition(|key| node.shards[0].owns(key.as_bytes()));
    let (client, idle) = (node.connect(0), node.connect(0));
    let mut pipeline = request(&["GET", other[0]]);
    pipeline.extend(request(&["SET", own[0], "made before"]));
    node.send(client, &pipeline);
    assert!(node.output(client).is_empty(), "the first reply is still to come");
    node.shards[0].set_trouble(Some(Trouble::Full));
    node.pump();
    assert_eq!(node.output(client), b"$-1\r\n+OK\r\n");
    assert!(node.shards[0].tells_of_before_trouble(client.session));
    let refused = node.exchange(client, &request(&["SET", own[0], "refused"]));
    assert!(refused.starts_with(b"-MISCONF"));
    assert!(!node.shards[0].tells_of_before_trouble(client.session));
    assert!(!node.shards[0].tells_of_before_trouble(idle.session));
}

/// A command that had to wait for earlier replies was counted in its client each time it was
/// presented again.
#[test]
fn a_command_that_had_to_wait_is_counted_once() {
    let mut node = TestNode::new(2);
    let client = node.connect(0);
    let mut pipeline = Vec::new();
    for n in 0..20 {
        let (key, other) = (format!("key:{n}"), format!("key:{}", n + 1));
        pipeline.extend(request(&["SET", &key, "v"]));
        pipeline.extend(request(&["MGET", &key, &other]));
        pipeline.extend(request(&["GET", &other]));
        pipeline.extend(request(&["WATCH", &key, &other]));
        pipeline.extend(request(&["BLPOP", "list", &other, "0.001"]));
        pipeline.extend(request(&["DBSIZE"]));
    }
    node.exchange(client, &pipeline);
    for _ in 0..40 {
        node.advance_ms(2); // the ends of waiting
        node.pump();
    }
    let counted = node.shards[0].core.sessions.get(client.session).map(|session| session.commands);
    assert_eq!(counted, Some(6 * 20));
    let stats = node.run("INFO commandstats");
    for name in ["set", "mget", "get", "watch", "blpop", "dbsize"] {
        assert!(stats.contains(&format!("cmdstat_{name}:calls=20,")), "{name}: {stats}");
    }
}
