//! The bank on a simulated node.

use freehold_engine::config::Config;
use freehold_engine::shard::testing::{Tampering, TestNode};
use freehold_protocol::resp::value::Value;
use freehold_tests::checkers::Outcome;
use freehold_tests::checkers::bank::{Books, Complaint, Transfer, check};
use freehold_tests::random::Random;

use crate::player::{Player, numbers, text, turn_some};

const ACCOUNTS: usize = 8;
const OPENING: i64 = 1000;

enum Doing {
    Transfer(Transfer),
    Reading,
}

fn transfer_lines(transfer: &Transfer) -> Vec<String> {
    let Transfer { number, from, to, amount, .. } = transfer;
    vec![
        "MULTI".to_owned(),
        format!("DECRBY account:{from} {amount}"),
        format!("INCRBY account:{to} {amount}"),
        format!("APPEND log:{from} {number},"),
        format!("APPEND log:{to} {number},"),
        "EXEC".to_owned(),
    ]
}

fn reading_lines(random: &mut Random) -> Vec<String> {
    let all: Vec<String> = (0..ACCOUNTS).map(|n| format!("account:{n}")).collect();
    if random.percent(50) {
        return vec![format!("MGET {}", all.join(" "))];
    }
    let gets = all.iter().map(|key| format!("GET {key}"));
    std::iter::once("MULTI".to_owned()).chain(gets).chain(["EXEC".to_owned()]).collect()
}

fn balances(value: &Value) -> Vec<i64> {
    match value {
        Value::Array(values) => values.iter().map(|v| text(v).parse().expect("money")).collect(),
        other => panic!("a reading answered {other:?}"),
    }
}

/// What EXEC answered to a transfer's DECRBY and INCRBY.
fn balances_told(value: &Value) -> [i64; 2] {
    match value {
        Value::Array(four) => match four[..] {
            [Value::Integer(left), Value::Integer(arrived), _, _] => [left, arrived],
            _ => panic!("a transfer answered {four:?}"),
        },
        other => panic!("EXEC answered {other:?}"),
    }
}

fn run(seed: u64, cores: u16, tampering: Tampering) -> Vec<Complaint> {
    let mut node = TestNode::from_config(cores, Config::default(), seed);
    node.tampering = tampering;
    let mut random = Random::new(seed);
    let opening: String = (0..ACCOUNTS).map(|n| format!(" account:{n} {OPENING}")).collect();
    assert_eq!(node.run(&format!("MSET{opening}")), "+OK\r\n");
    let mut players: Vec<(Player, Option<Doing>)> =
        (0..6).map(|n| (Player::new(&mut node, n % usize::from(cores)), None)).collect();
    let (mut transfers, mut reads, mut begun) = (Vec::new(), Vec::new(), 0);
    let mut turns = 0;
    while transfers.len() + reads.len() < 150 {
        turns += 1;
        assert!(turns < 100_000, "seed {seed}, {cores} cores: no progress");
        let chosen = random.below(players.len());
        let (player, doing) = &mut players[chosen];
        if player.is_idle() {
            *doing = Some(if random.percent(70) {
                begun += 1;
                let from = random.below(ACCOUNTS);
                let to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
                let amount = random.between(1, 50);
                let transfer = Transfer {
                    number: begun,
                    session: chosen as u32,
                    from,
                    to,
                    amount,
                    outcome: Outcome::Done,
                    watched: None,
                    answered: None,
                };
                player.send(&mut node, &transfer_lines(&transfer));
                Doing::Transfer(transfer)
            } else {
                player.send(&mut node, &reading_lines(&mut random));
                Doing::Reading
            });
        }
        turn_some(&mut node, &mut random);
        for (player, doing) in &mut players {
            if player.hear(&mut node) {
                let last = player.replies.last().expect("a reply");
                match doing.take() {
                    Some(Doing::Transfer(transfer)) => {
                        let answered = Some(balances_told(last));
                        transfers.push(Transfer { answered, ..transfer });
                    }
                    Some(Doing::Reading) => reads.push(balances(last)),
                    None => {}
                }
            }
        }
    }
    node.pump();
    let unfinished = players.into_iter().filter_map(|(_, doing)| match doing {
        Some(Doing::Transfer(transfer)) => Some(Transfer { outcome: Outcome::Unknown, ..transfer }),
        _ => None,
    });
    transfers.extend(unfinished);
    assert!(node.shards.iter().all(|shard| shard.is_at_rest()), "seed {seed}: a lock is left");
    check(OPENING, &transfers, &reads, &audit(&mut node))
}

/// What stands in the node when all is quiet.
fn audit(node: &mut TestNode) -> Books {
    let mut auditor = Player::new(node, 0);
    let accounts = (0..ACCOUNTS).map(|n| format!("GET account:{n}"));
    let logs = (0..ACCOUNTS).map(|n| format!("GET log:{n}"));
    auditor.send(node, &accounts.chain(logs).collect::<Vec<_>>());
    node.pump();
    assert!(auditor.hear(node));
    let (money, marks) = auditor.replies.split_at(ACCOUNTS);
    Books {
        balances: money.iter().map(|v| text(v).parse().expect("money")).collect(),
        logs: marks.iter().map(numbers).collect(),
    }
}

#[test]
fn no_money_is_lost_or_seen_twice_on_any_number_of_cores() {
    for seed in 0..60 {
        for cores in 1..=4 {
            assert_eq!(run(seed, cores, Tampering::No), [], "seed {seed}, {cores} cores");
        }
    }
}

#[test]
fn a_member_that_does_not_lock_is_caught() {
    let caught = (0..60).filter(|&seed| !run(seed, 3, Tampering::LocksNothing).is_empty()).count();
    assert!(caught > 5, "caught in {caught} of 60 runs");
}
