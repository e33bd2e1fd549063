//! Commands that wait: served in the order in which they came, once, and not after their time.

use crate::base::random::Random;
use crate::shard::testing::{TestClient, TestNode};

const CORES: [u16; 3] = [1, 2, 4];

fn send(node: &mut TestNode, client: TestClient, request: &str) {
    node.send(client, format!("{request}\r\n").as_bytes());
    node.pump();
}

fn got(node: &mut TestNode, client: TestClient) -> String {
    String::from_utf8_lossy(&node.output(client)).replace("\r\n", " ")
}

/// A client on a core of its own choice, one after the other.
fn clients(node: &mut TestNode, count: usize) -> Vec<TestClient> {
    let cores = node.shards.len();
    (0..count).map(|index| node.connect(index % cores)).collect()
}

#[test]
fn a_push_serves_the_client_that_has_waited_longest() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let waiting = clients(&mut node, 5);
        for &client in &waiting {
            send(&mut node, client, "BLPOP queue 0");
        }
        for (index, &client) in waiting.iter().enumerate() {
            assert_eq!(node.run(&format!("RPUSH queue {index}")), ":1\r\n");
            assert_eq!(got(&mut node, client), format!("*2 $5 queue $1 {index} "), "{cores} cores");
        }
        assert_eq!(node.run("EXISTS queue"), ":0\r\n");
    }
}

#[test]
fn a_client_that_waits_for_keys_of_several_cores_is_served_once() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let client = node.connect(0);
        send(&mut node, client, "BLPOP a b c d e 0");
        node.run("RPUSH d 1");
        assert_eq!(got(&mut node, client), "*2 $1 d $1 1 ");
        node.run("RPUSH a 2\nRPUSH e 3");
        assert_eq!(got(&mut node, client), "");
        assert_eq!(node.run("EXISTS a b c d e"), ":2\r\n");
        assert!(node.shards.iter().all(|shard| shard.is_at_rest()));
    }
}

#[test]
fn the_first_key_that_has_something_is_taken_from() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        node.run("RPUSH c 3\nRPUSH b 2\nRPUSH d 4");
        assert_eq!(node.run("BLPOP a b c d 0"), "*2\r\n$1\r\nb\r\n$1\r\n2\r\n", "{cores} cores");
    }
}

#[test]
fn a_wait_ends_with_its_time_and_takes_nothing_afterwards() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let (one, several) = (node.connect(0), node.connect(0));
        send(&mut node, one, "BLPOP queue 0.5");
        send(&mut node, several, "BRPOP queue a b c 0.5");
        node.advance_ms(499);
        node.pump();
        assert_eq!(got(&mut node, one) + &got(&mut node, several), "");
        node.advance_ms(1);
        node.pump();
        assert_eq!(got(&mut node, one), "*-1 ", "{cores} cores");
        assert_eq!(got(&mut node, several), "*-1 ");
        assert_eq!(node.run("RPUSH queue x\nLLEN queue"), ":1\r\n");
    }
}

#[test]
fn a_client_that_has_gone_takes_nothing() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let gone = node.connect(0);
        let patient = node.connect(0);
        send(&mut node, gone, "BLPOP queue other 0");
        send(&mut node, patient, "BLPOP queue 0");
        node.shards[gone.core].disconnected(gone.session);
        node.run("RPUSH queue x");
        assert_eq!(got(&mut node, patient), "*2 $5 queue $1 x ");
    }
}

#[test]
fn an_element_moves_between_lists_of_different_cores_when_it_comes() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let mover = node.connect(0);
        send(&mut node, mover, "BLMOVE from to LEFT RIGHT 0");
        node.run("RPUSH from x");
        assert_eq!(got(&mut node, mover), "$1 x ", "{cores} cores");
        assert_eq!(node.run("LRANGE to 0 -1"), "*1\r\n$1\r\nx\r\n");
        assert_eq!(node.run("EXISTS from"), ":0\r\n");
    }
}

/// The bug: a client that waits for more than there is (EXACTLY) and moves it to another core was
/// tried again as soon as it had been tried, for ever: both cores spun. Two of them did so to each
/// other.
#[test]
fn a_client_that_is_given_too_little_waits_on_quietly() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let waiting = clients(&mut node, 2);
        for &client in &waiting {
            send(&mut node, client, "BLMOVEM a b RIGHT LEFT 0 EXACTLY 2 BULK");
        }
        node.run("RPUSH a 1");
        assert!(node.shards.iter().all(|shard| shard.is_at_rest()), "{cores} cores");
        for client in &waiting {
            assert_eq!(got(&mut node, *client), "");
        }
        for pushed in ["RPUSH a 2", "RPUSH a 1 2"] {
            node.run(pushed);
            let one: String = waiting.iter().map(|&client| got(&mut node, client)).collect();
            assert_eq!(one, "*2 $1 1 $1 2 ", "{cores} cores");
        }
    }
}

/// The bug: the end of so long a wait was computed without regard to the clock's range, so it was
/// over before it began.
#[test]
fn a_wait_beyond_the_end_of_the_clock_does_not_end() {
    let mut node = TestNode::new(1);
    let client = node.connect(0);
    send(&mut node, client, "BLPOP queue 9007199254740992");
    node.advance_ms(1_000_000);
    node.pump();
    assert_eq!(got(&mut node, client), "");
    node.run("RPUSH queue 1");
    assert_eq!(got(&mut node, client), "*2 $5 queue $1 1 ");
}

#[test]
fn what_a_served_client_pushes_serves_the_next() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let (last, middle) = (node.connect(0), node.connect(0));
        send(&mut node, last, "BLPOP end 0");
        send(&mut node, middle, "BLMOVE start end LEFT LEFT 0");
        node.run("RPUSH start x");
        assert_eq!(got(&mut node, middle), "$1 x ");
        assert_eq!(got(&mut node, last), "*2 $3 end $1 x ");
    }
}

#[test]
fn a_transaction_is_over_before_anybody_is_served() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let waiting = node.connect(0);
        send(&mut node, waiting, "BLPOP queue 0");
        let last = node.run("MULTI\nRPUSH queue a\nLPUSH queue b\nLLEN queue\nEXEC");
        assert_eq!(last, "*3\r\n:1\r\n:2\r\n:2\r\n", "{cores} cores");
        assert_eq!(got(&mut node, waiting), "*2 $5 queue $1 b ");
        assert_eq!(node.run("MULTI\nBLPOP nothing 0\nEXEC"), "*1\r\n*-1\r\n");
    }
}

#[test]
fn a_key_that_comes_by_another_name_or_database_serves_as_well() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let (renamed, swapped) = (node.connect(0), node.connect(0));
        send(&mut node, renamed, "BLPOP there 0");
        node.run("RPUSH here x\nRENAME here there");
        assert_eq!(got(&mut node, renamed), "*2 $5 there $1 x ", "{cores} cores");
        send(&mut node, swapped, "BLPOP far 0");
        node.run("SELECT 1\nRPUSH far y\nSWAPDB 0 1\nSELECT 0");
        assert_eq!(got(&mut node, swapped), "*2 $3 far $1 y ");
    }
}

#[test]
fn another_type_of_value_leaves_the_client_waiting() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let client = node.connect(0);
        send(&mut node, client, "BLPOP key 0");
        node.run("SET key text\nDEL key\nSADD key member\nDEL key");
        assert_eq!(got(&mut node, client), "");
        node.run("RPUSH key x");
        assert_eq!(got(&mut node, client), "*2 $3 key $1 x ");
    }
}

#[test]
fn client_unblock_ends_a_wait_either_way() {
    let mut node = TestNode::new(2);
    let client = node.connect(1);
    send(&mut node, client, "CLIENT ID");
    let id = got(&mut node, client).trim().trim_start_matches(':').to_owned();
    send(&mut node, client, "BLPOP queue 0");
    assert!(node.run("INFO clients").contains("blocked_clients:1"));
    assert_eq!(node.run(&format!("CLIENT UNBLOCK {id}")), ":1\r\n");
    assert_eq!(got(&mut node, client), "*-1 ");
    send(&mut node, client, "BLPOP queue 0");
    assert_eq!(node.run(&format!("CLIENT UNBLOCK {id} ERROR")), ":1\r\n");
    assert_eq!(got(&mut node, client), "-UNBLOCKED client unblocked via CLIENT UNBLOCK ");
    assert_eq!(node.run(&format!("CLIENT UNBLOCK {id}")), ":0\r\n");
}

#[test]
fn requests_behind_a_wait_are_answered_after_it() {
    for cores in CORES {
        let mut node = TestNode::new(cores);
        let client = node.connect(0);
        send(&mut node, client, "BLPOP queue 0\r\nPING\r\nGET k");
        assert_eq!(got(&mut node, client), "");
        node.run("RPUSH queue x");
        node.pump();
        assert_eq!(got(&mut node, client), "*2 $5 queue $1 x +PONG $-1 ");
    }
}

/// Pushes, waits, timeouts and deaths in every order that the seeds give: each element is
/// received once or still there.
#[test]
fn nothing_is_lost_or_answered_twice_whatever_the_order() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let cores = CORES[(seed % 3) as usize];
        let mut node = TestNode::new(cores);
        let waiting = clients(&mut node, 6);
        let (producer, mover) = (node.connect(0), node.connect(cores as usize - 1));
        let (mut pushed, mut received) = (0, Vec::new());
        for _ in 0..200 {
            let client = waiting[random.below(6) as usize];
            let list = random.below(4);
            let other = random.below(4);
            match random.below(10) {
                0..4 => {
                    pushed += 1;
                    let request = format!("RPUSH q{list} {pushed}\r\n");
                    node.send(producer, request.as_bytes());
                }
                4..6 => node.send(client, format!("BLPOP q{list} q{other} 0.1\r\n").as_bytes()),
                6 => node.send(client, format!("BLMPOP 0.1 1 q{list} RIGHT\r\n").as_bytes()),
                7 => {
                    let request = format!("BLMOVE q{list} q{other} LEFT LEFT 0.1\r\n");
                    node.send(mover, request.as_bytes());
                }
                8 => node.advance_ms(random.below(60) as i64),
                _ => node.pump(),
            }
            if random.below(3) == 0 {
                node.turn(random.below(u64::from(cores)) as usize);
            }
        }
        node.pump();
        node.advance_ms(10_000);
        node.pump();
        for client in waiting {
            received.extend(elements(&node.output(client)));
        }
        for list in 0..4 {
            let left = node.run(&format!("LRANGE q{list} 0 -1"));
            received.extend(elements(left.as_bytes()));
        }
        received.sort_unstable();
        assert_eq!(received, (1..=pushed).collect::<Vec<_>>(), "seed {seed}, {cores} cores");
        assert!(node.shards.iter().all(|shard| shard.is_at_rest()), "seed {seed}");
    }
}

/// The numbers among the bulk strings of some replies.
fn elements(replies: &[u8]) -> Vec<i32> {
    let text = String::from_utf8_lossy(replies).into_owned();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}
