use crate::shard::testing::TestNode;
use crate::value::Collection;
use crate::value::stream::Stream;

#[test]
fn an_automatic_id_is_the_clock_and_never_goes_back() {
    let mut node = TestNode::new(1);
    assert_eq!(node.run("XADD s * a 1"), "$15\r\n1700000000000-0\r\n");
    assert_eq!(node.run("XADD s * a 1"), "$15\r\n1700000000000-1\r\n");
    node.advance_ms(5);
    assert_eq!(node.run("XADD s * a 1"), "$15\r\n1700000000005-0\r\n");
    node.run("XADD s 1800000000000-7 a 1");
    assert_eq!(node.run("XADD s * a 1"), "$15\r\n1800000000000-8\r\n");
}

#[test]
fn a_failed_command_makes_no_stream() {
    let mut node = TestNode::new(1);
    for request in [
        "XADD s NOMKSTREAM * a 1",
        "XADD s 0-0 a 1",
        "XADD s * a",
        "XTRIM s MAXLEN 1",
        "XDEL s 1-1",
        "XSETID s 1-1",
        "XGROUP CREATE s g $",
        "XGROUP CREATE s g x MKSTREAM",
        "XREADGROUP GROUP g c STREAMS s >",
        "XACK s g 1-1",
        "XCLAIM s g c 0 1-1",
        "XAUTOCLAIM s g c 0 0",
    ] {
        node.run(request);
        assert_eq!(node.run("EXISTS s"), ":0\r\n", "{request}");
    }
}

#[test]
fn elements_longer_than_the_limit_are_refused() {
    let limits = [("value-hard-bytes", "1024"), ("value-soft-bytes", "1024")];
    let mut node = TestNode::with_config(1, &limits);
    let (most, more) = ("x".repeat(1024), "x".repeat(1025));
    assert_eq!(node.run(&format!("XADD s 1-1 {most} {most}")), "$3\r\n1-1\r\n");
    let refused = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n";
    assert_eq!(node.run(&format!("XADD s 2-1 {more} v")), refused);
    assert_eq!(node.run(&format!("XADD s 2-1 f {more}")), refused);
    assert_eq!(node.run("XLEN s"), ":1\r\n");
}

#[test]
fn idle_times_and_deliveries_follow_the_clock() {
    let mut node = TestNode::new(1);
    node.run("XADD s 1-1 a 1\nXGROUP CREATE s g 0\nXREADGROUP GROUP g c STREAMS s >");
    node.advance_ms(100);
    assert_eq!(
        node.run("XPENDING s g - + 10"),
        "*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nc\r\n:100\r\n:1\r\n"
    );
    assert_eq!(node.run("XPENDING s g IDLE 101 - + 10"), "*0\r\n");
    assert_eq!(node.run("XCLAIM s g d 101 1-1 JUSTID"), "*0\r\n");
    assert_eq!(node.run("XCLAIM s g d 100 1-1 IDLE 40 JUSTID"), "*1\r\n$3\r\n1-1\r\n");
    assert_eq!(
        node.run("XPENDING s g - + 10 d"),
        "*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nd\r\n:40\r\n:1\r\n"
    );
    node.run("XREADGROUP GROUP g d STREAMS s 0");
    node.advance_ms(7);
    assert_eq!(node.run("XPENDING s g - + 10"), "*1\r\n*4\r\n$3\r\n1-1\r\n$1\r\nd\r\n:7\r\n:2\r\n");
    assert_eq!(
        node.run("XINFO CONSUMERS s g"),
        "*2\r\n*8\r\n$4\r\nname\r\n$1\r\nc\r\n$7\r\npending\r\n:0\r\n$4\r\nidle\r\n:107\r\n\
         $8\r\ninactive\r\n:107\r\n*8\r\n$4\r\nname\r\n$1\r\nd\r\n$7\r\npending\r\n:1\r\n$4\r\n\
         idle\r\n:7\r\n$8\r\ninactive\r\n:7\r\n"
    );
}

#[test]
fn a_sweep_stops_where_it_may_claim_no_more_and_goes_on_there() {
    let mut node = TestNode::new(1);
    (1..=25).for_each(|ms| drop(node.run(&format!("XADD s {ms}-0 a 1"))));
    node.run("XGROUP CREATE s g 0\nXREADGROUP GROUP g c STREAMS s >");
    node.advance_ms(10);
    node.run("XCLAIM s g c 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 JUSTID");
    // Ten entries are looked at for one to claim; none of the first ten has been idle.
    assert_eq!(node.run("XAUTOCLAIM s g d 5 0 COUNT 1 JUSTID"), "*3\r\n$4\r\n11-0\r\n*0\r\n*0\r\n");
    assert_eq!(
        node.run("XAUTOCLAIM s g d 5 20 COUNT 2 JUSTID"),
        "*3\r\n$4\r\n23-0\r\n*2\r\n$4\r\n21-0\r\n$4\r\n22-0\r\n*0\r\n"
    );
    node.run("XDEL s 23-0 24-0");
    assert_eq!(
        node.run("XAUTOCLAIM s g d 5 23 JUSTID"),
        "*3\r\n$3\r\n0-0\r\n*1\r\n$4\r\n25-0\r\n*2\r\n$4\r\n23-0\r\n$4\r\n24-0\r\n"
    );
}

#[test]
fn streams_of_several_cores_are_read_in_one_request() {
    for cores in [1, 2, 3] {
        let mut node = TestNode::new(cores);
        let keys: Vec<String> = (0..8).map(|i| format!("stream:{i}")).collect();
        for key in &keys {
            node.run(&format!("XADD {key} 1-1 a 1\nXGROUP CREATE {key} g 0"));
        }
        let read = format!(
            "XREADGROUP GROUP g c STREAMS {} {}",
            keys.join(" "),
            vec![">"; keys.len()].join(" ")
        );
        assert!(node.run(&read).starts_with("*8\r\n*2\r\n$8\r\nstream:0\r\n*1\r\n"), "{cores}");
        assert_eq!(node.run(&read), "*-1\r\n", "{cores} cores: delivered once");
        for key in &keys {
            assert_eq!(node.run(&format!("XACK {key} g 1-1")), ":1\r\n", "{key}, {cores} cores");
        }
    }
}

#[test]
fn maps_are_maps_for_those_who_know_them() {
    let mut node = TestNode::new(1);
    node.run("HELLO 3\nXADD s 1-1 a 1");
    let entry = "*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n";
    assert_eq!(node.run("XREAD STREAMS s 0"), format!("%1\r\n$1\r\ns\r\n*1\r\n{entry}"));
    assert_eq!(node.run("XREAD STREAMS s 9"), "_\r\n");
    assert!(node.run("XINFO STREAM s").starts_with("%10\r\n"));
}

#[test]
fn events_have_redis_names_in_redis_order() {
    let mut node = TestNode::with_config(1, &[("notify-keyspace-events", "Et")]);
    let listener = node.connect(0);
    node.exchange(listener, b"PSUBSCRIBE *\r\n");
    let mut events = |request: &str| -> Vec<String> {
        node.run(request);
        let heard = String::from_utf8(node.output(listener)).expect("events are text");
        let names = heard.lines().filter_map(|line| line.strip_prefix("__keyevent@0__:"));
        names.map(str::to_owned).collect()
    };
    assert_eq!(events("XADD s 1-1 a 1"), ["xadd"]);
    assert_eq!(events("XADD s MAXLEN 1 2-1 a 1"), ["xadd", "xtrim"]);
    assert_eq!(events("XADD s 3-1 a 1"), ["xadd"]);
    assert_eq!(events("XGROUP CREATE s g 0"), ["xgroup-create"]);
    assert_eq!(events("XREADGROUP GROUP g c STREAMS s >"), ["xgroup-createconsumer"]);
    assert_eq!(events("XREADGROUP GROUP g c STREAMS s 0"), [""; 0]);
    assert_eq!(events("XGROUP CREATECONSUMER s g c"), [""; 0]);
    assert_eq!(events("XCLAIM s g d 0 2-1"), ["xgroup-createconsumer"]);
    assert_eq!(events("XACK s g 2-1"), [""; 0]);
    assert_eq!(events("XGROUP SETID s g 0"), ["xgroup-setid"]);
    assert_eq!(events("XGROUP DELCONSUMER s g c"), ["xgroup-delconsumer"]);
    assert_eq!(events("XGROUP DESTROY s g"), ["xgroup-destroy"]);
    assert_eq!(events("XDEL s 2-1 2-1 9-9"), ["xdel"]);
    assert_eq!(events("XTRIM s MAXLEN 5"), [""; 0]);
    assert_eq!(events("XTRIM s MAXLEN 0"), ["xtrim"]);
    assert_eq!(events("XSETID s 9-9"), ["xsetid"]);
}

#[test]
fn a_handler_borrows_a_stream_without_an_allocation() {
    assert_eq!(Stream::default().heap_bytes(), 0);
}

#[test]
fn a_reader_that_waits_from_the_end_gets_what_comes_after() {
    for cores in [1, 3] {
        let mut node = TestNode::new(cores);
        node.run("XADD s 1-1 a 1");
        let reader = node.connect(0);
        assert_eq!(node.exchange(reader, b"XREAD BLOCK 0 STREAMS t s $ $\r\n"), b"");
        assert_eq!(node.run("XDEL s 1-1"), ":1\r\n");
        assert_eq!(node.output(reader), b"", "a deletion is no entry");
        node.run("XADD s 2-1 b 2");
        let entry = "*1\r\n*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\nb\r\n$1\r\n2\r\n";
        let answer = format!("*1\r\n*2\r\n$1\r\ns\r\n{entry}");
        assert_eq!(String::from_utf8_lossy(&node.output(reader)), answer, "{cores} cores");
    }
}

#[test]
fn an_entry_goes_to_one_waiting_consumer_and_the_end_of_a_group_ends_the_wait() {
    let mut node = TestNode::new(2);
    node.run("XGROUP CREATE s g $ MKSTREAM");
    let [first, second] = [node.connect(0), node.connect(1)];
    node.exchange(first, b"XREADGROUP GROUP g one BLOCK 0 STREAMS s >\r\n");
    node.exchange(second, b"XREADGROUP GROUP g two BLOCK 0 STREAMS s >\r\n");
    node.run("XADD s 1-1 a 1");
    assert!(node.output(first).starts_with(b"*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n1-1\r\n"));
    assert_eq!(node.output(second), b"");
    node.run("XGROUP DESTROY s g");
    assert_eq!(
        String::from_utf8_lossy(&node.output(second)),
        "-NOGROUP No such key 's' or consumer group 'g' in XREADGROUP with GROUP option\r\n"
    );
}

#[test]
fn a_wait_ends_with_a_null_when_its_time_is_over() {
    let mut node = TestNode::new(2);
    let reader = node.connect(0);
    assert_eq!(node.exchange(reader, b"XREAD BLOCK 50 STREAMS s $\r\n"), b"");
    node.advance_ms(51);
    node.pump();
    assert_eq!(node.output(reader), b"*-1\r\n");
}
