//! MULTI and EXEC: what is queued runs as one, and Redis's rules about what is not.

use crate::base::random::Random;
use crate::command::session::PortKind;
use crate::shard::testing::{TestClient, TestNode};

const SPOILED: &str = "-EXECABORT Transaction discarded because of previous errors.\r\n";

fn say(node: &mut TestNode, client: TestClient, lines: &str) -> String {
    let mut last = Vec::new();
    for line in lines.lines() {
        last = node.exchange(client, format!("{line}\r\n").as_bytes());
    }
    String::from_utf8_lossy(&last).into_owned()
}

fn at_rest(node: &TestNode) -> bool {
    node.shards.iter().all(|shard| shard.is_at_rest())
}

#[test]
fn a_queue_sent_in_one_piece_runs_as_one_sent_line_by_line() {
    for cores in 1..=4 {
        for core in 0..cores {
            let mut node = TestNode::new(cores);
            let client = node.connect(usize::from(core));
            let all = b"SET a 1\r\nMULTI\r\nINCR a\r\nMSET b 2 c 3\r\nEXEC\r\nMGET a b c\r\n";
            let out = node.exchange(client, all);
            assert_eq!(
                String::from_utf8_lossy(&out),
                "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:2\r\n+OK\r\n\
                 *3\r\n$1\r\n2\r\n$1\r\n2\r\n$1\r\n3\r\n",
                "{cores} cores"
            );
            assert!(at_rest(&node));
        }
    }
}

/// What stood behind a QUIT that had to wait was left for later, for ever: the core span until the
/// connection was closed.
#[test]
fn what_follows_a_quit_that_waits_is_dropped() {
    let mut node = TestNode::new(2);
    let client = node.connect(0);
    let out = node.exchange(client, b"MSET a 1 b 2 c 3\r\nQUIT\r\nMSET a 5 b 6 c 7\r\n");
    assert_eq!(out, b"+OK\r\n+OK\r\n");
    let other = node.connect(0);
    assert_eq!(node.exchange(other, b"GET a\r\n"), b"$1\r\n1\r\n");
}

/// RENAME and COPY over cores end a step; what stands before and behind them must see the order.
#[test]
fn commands_over_several_cores_keep_their_place_in_the_queue() {
    for cores in 1..=4 {
        for seed in 0..40 {
            let mut random = Random::new(seed);
            let mut node = TestNode::new(cores);
            let mut plain = TestNode::new(1);
            let mut queue = vec!["MULTI".to_owned()];
            for _ in 0..random.below(12) {
                let [a, b] = [(); 2].map(|()| ["a", "b", "c", "d"][random.below(4) as usize]);
                let n = random.below(100);
                queue.push(match random.below(10) {
                    0 => format!("RENAME {a} {b}"),
                    1 => format!("COPY {a} {b}"),
                    2 => format!("MSET {a} {n} {b} 1"),
                    3 => format!("MSETNX {a} {n} {b} 1"),
                    4 => "MGET a b c d".to_owned(),
                    5 => "DBSIZE".to_owned(),
                    6 => format!("SELECT {}", n % 2),
                    7 => format!("INCR {a}"),
                    8 => format!("APPEND {a} {n}"),
                    _ => format!("MOVE {a} 1"),
                });
            }
            queue.push("EXEC".to_owned());
            queue.push("MGET a b c d".to_owned());
            for line in queue {
                assert_eq!(node.run(&line), plain.run(&line), "seed {seed}, {cores}: {line}");
            }
            assert_eq!(node.digest(), plain.digest(), "seed {seed}, {cores} cores");
            assert!(at_rest(&node));
        }
    }
}

#[test]
fn a_refused_request_spoils_the_queue_and_an_error_of_the_controls_does_not() {
    let mut node = TestNode::new(2);
    for refused in ["NOSUCH a", "GET", "SHUTDOWN", "DISCARD now", "CONFIG NOSUCH"] {
        assert!(node.run(&format!("MULTI\nSET k 1\n{refused}")).starts_with('-'), "{refused}");
        assert_eq!(node.run("SET k 2"), "+QUEUED\r\n");
        assert_eq!(node.run("EXEC"), SPOILED, "{refused}");
        assert_eq!(node.run("GET k"), "$-1\r\n");
    }
    assert!(node.run("MULTI\nSET k 1\nMULTI").starts_with("-ERR MULTI calls"));
    assert!(node.run("WATCH k").starts_with("-ERR WATCH inside"));
    assert_eq!(node.run("EXEC"), "*1\r\n+OK\r\n");
}

#[test]
fn a_client_in_the_other_dialect_or_muted_is_answered_accordingly() {
    for cores in [1, 3] {
        let mut node = TestNode::new(cores);
        let client = node.connect(0);
        say(&mut node, client, "HELLO 3");
        assert_eq!(say(&mut node, client, "WATCH a\nSET a 1\nMULTI\nGET a\nEXEC"), "_\r\n");
        let out = say(&mut node, client, "MULTI\nGET x\nCONFIG GET maxmemory\nGET y\nEXEC");
        assert_eq!(out, "*3\r\n_\r\n%1\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n_\r\n");
        let out = say(&mut node, client, "MULTI\nGET x\nHELLO 2\nGET y\nPING\nEXEC");
        assert!(
            out.starts_with("*4\r\n_\r\n*14\r\n") && out.ends_with("$-1\r\n+PONG\r\n"),
            "{out}"
        );

        let lines = "CLIENT REPLY OFF\nMULTI\nSET a 5\nSET b 6\nEXEC\nCLIENT REPLY ON";
        assert_eq!(say(&mut node, client, lines), "+OK\r\n");
        assert_eq!(say(&mut node, client, "MGET a b"), "*2\r\n$1\r\n5\r\n$1\r\n6\r\n");
    }
}

#[test]
fn a_core_port_keeps_to_one_slot_of_its_own() {
    let mut node = TestNode::new(2);
    let client = node.connect_through(1, PortKind::Core); // core 1 owns the upper half: foo
    assert!(say(&mut node, client, "MULTI\nSET bar 1").starts_with("-MOVED 5061 "));
    assert_eq!(say(&mut node, client, "EXEC"), SPOILED);
    assert!(say(&mut node, client, "WATCH bar").starts_with("-MOVED 5061 "));
    assert_eq!(
        say(&mut node, client, "MULTI\nSET foo 1\nSET {foo}2 2\nDBSIZE\nEXEC"),
        "*3\r\n+OK\r\n+OK\r\n:2\r\n"
    );
    let crossed = "-CROSSSLOT Keys in request don't hash to the same slot\r\n";
    assert_eq!(say(&mut node, client, "MULTI\nSET foo 3\nSET foo1 4\nEXEC"), crossed);
    assert_eq!(say(&mut node, client, "EXEC"), "-ERR EXEC without MULTI\r\n");
    assert_eq!(say(&mut node, client, "GET foo"), "$1\r\n1\r\n", "never a part of it");
}

#[test]
fn a_full_server_takes_no_queue_and_runs_none_that_adds() {
    let options = [("maxmemory", "4mb"), ("maxmemory-policy", "noeviction")];
    for cores in [1, 2] {
        let mut node = TestNode::with_config(cores, &options);
        let waiting: Vec<TestClient> = (0..2).map(|_| node.connect(0)).collect();
        let late = "v".repeat(100);
        say(&mut node, waiting[0], &format!("MULTI\nSET late {late}\nGET late"));
        say(&mut node, waiting[1], "MULTI\nGET key:0");
        for (name, size) in [("key", 3000), ("middle", 300), ("small", 1)] {
            let mut refused = 0;
            for n in 0.. {
                let answer = node.run(&format!("SET {name}:{n} {}", "v".repeat(size)));
                refused += usize::from(answer != "+OK\r\n");
                if refused > 60 {
                    break; // the other core is full as well
                }
            }
        }
        let oom = "OOM command not allowed when used memory > 'maxmemory'.\r\n";
        let aborted = format!("-EXECABORT Transaction discarded because of: {oom}");
        assert_eq!(say(&mut node, waiting[0], "EXEC"), aborted, "{cores} cores");
        assert!(say(&mut node, waiting[1], "EXEC").starts_with("*1\r\n$3000\r\n"));
        assert_eq!(node.run(&format!("MULTI\nGET {late}")), format!("-{oom}"));
        assert_eq!(node.run("EXEC"), SPOILED);
        assert_eq!(node.run("GET late"), "$-1\r\n");
    }
}

#[test]
fn a_client_that_leaves_between_exec_and_its_answer_leaves_all_or_nothing() {
    for turns in 0..12 {
        for seed in 0..10 {
            let mut node = TestNode::new(4);
            let leaver = node.connect(0);
            let mut random = Random::new(seed);
            let queue = b"MULTI\r\nMSET a 1 b 1 c 1\r\nRENAME a d\r\nSELECT 1\r\n\
                          MSET e 1 f 1\r\nEXEC\r\n";
            node.send(leaver, queue);
            for _ in 0..turns {
                node.turn(random.below(4) as usize);
            }
            node.shards[0].disconnected(leaver.session);
            node.pump();
            assert!(at_rest(&node));
            let first = node.run("EXISTS a b c d e f");
            let second = node.run("SELECT 1\nEXISTS a b c d e f");
            let whole = (first.as_str(), second.as_str());
            let (all, none) = ((":3\r\n", ":2\r\n"), (":0\r\n", ":0\r\n"));
            assert!(whole == all || whole == none, "seed {seed}, {turns} turns: {whole:?}");
        }
    }
}

#[test]
fn a_pause_of_writes_holds_an_exec_that_writes() {
    let mut node = TestNode::new(2);
    let (writer, reader) = (node.connect(0), node.connect(1));
    say(&mut node, writer, "MULTI\nSET foo 1");
    say(&mut node, reader, "MULTI\nGET foo");
    node.run("CLIENT PAUSE 100 WRITE");
    assert_eq!(say(&mut node, writer, "EXEC"), "");
    assert_eq!(say(&mut node, reader, "EXEC"), "*1\r\n$-1\r\n");
    node.advance_ms(101);
    node.pump();
    assert_eq!(node.output(writer), b"*1\r\n+OK\r\n");
}

#[test]
fn a_client_shows_what_it_has_queued_and_watched() {
    let mut node = TestNode::new(2);
    let shown = node.run("WATCH a b\nMULTI\nSET a 1\nCLIENT INFO\nEXEC");
    assert!(shown.contains(" flags=x ") && shown.contains(" multi=2 "), "{shown}");
    let shown = node.run("WATCH a b c\nCLIENT INFO");
    assert!(shown.contains(" multi=-1 watch=3 "), "{shown}");
    let info = node.run("INFO clients");
    assert!(info.contains("watching_clients:1\r\n") && info.contains("total_watched_keys:3\r\n"));
    let info = node.run("UNWATCH\nINFO clients");
    assert!(info.contains("watching_clients:0\r\n") && info.contains("total_watched_keys:0\r\n"));
}

/// The bug: a lower ticket that met a higher one was refused and came again; two writers that kept
/// coming back kept two readers, who needed both gone at once, waiting for ever.
#[test]
fn every_transaction_ends_however_many_want_the_same_keys() {
    for seed in 0..30 {
        let mut node = TestNode::new(4);
        let mut random = Random::new(seed);
        let clients: Vec<TestClient> = (0..12).map(|n| node.connect(n % 4)).collect();
        for &client in &clients {
            let mut requests = String::new();
            for _ in 0..20 {
                let [a, b, c] =
                    [(); 3].map(|()| ["a", "b", "c", "d", "e", "f"][random.below(6) as usize]);
                requests += &match random.below(5) {
                    0 => "MGET a b c d e f\r\n".to_owned(),
                    1 => format!("MULTI\r\nINCR {a}\r\nINCR {b}\r\nINCR {c}\r\nEXEC\r\n"),
                    2 => format!("MULTI\r\nCOPY {a} {b} REPLACE\r\nGET {c}\r\nEXEC\r\n"),
                    3 => format!("MSET {a} 1 {b} 2 {c} 3\r\n"),
                    _ => format!("INCR {a}\r\n"),
                };
            }
            node.send(client, requests.as_bytes());
        }
        let ended = (0..200_000).any(|_| {
            let core = random.below(4) as usize;
            node.turn(core);
            let idle = |client: &TestClient| !node.shards[client.core].owes_replies(client.session);
            clients.iter().all(idle)
        });
        assert!(ended, "seed {seed}: some wait for ever");
        node.pump();
        assert!(at_rest(&node));
    }
}
