//! Transactions over lists on a simulated node: queued and watched ones, single commands, and
//! commands of every kind of routing in between.

use std::collections::HashMap;

use freehold_engine::config::Config;
use freehold_engine::shard::testing::{Tampering, TestNode};
use freehold_protocol::resp::value::Value;
use freehold_tests::checkers::Outcome;
use freehold_tests::checkers::append::{Anomaly, Op, Txn, check};
use freehold_tests::random::Random;

use crate::player::{Player, numbers, turn_some};

const KEYS: u32 = 6;
const TXNS: usize = 100;

/// What a client is about: a transaction, and which reply answers which of its operations.
struct Doing {
    txn: Txn,
    /// The commands between MULTI and EXEC: operations, or noise that means nothing here.
    queued: Vec<Queued>,
    watched: Option<u32>,
    state: State,
}

enum Queued {
    Op(usize),
    /// One reply for several reads, by their places in the transaction.
    Reads(Vec<usize>),
    Noise,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// WATCH and GET are under way; what GET answers decides nothing but must hold until EXEC.
    Looking,
    /// The command alone, or everything from MULTI to EXEC.
    Running { multi: bool },
}

struct Run {
    node: TestNode,
    random: Random,
    clock: u64,
    next_value: u64,
    txns: Vec<Txn>,
}

/// Commands that touch no list but are routed in every possible way.
fn noise(random: &mut Random) -> String {
    let n = random.below(6);
    let choices = [
        format!("MSET noise:{n} 1 other:{n} 2"),
        format!("RENAME noise:{n} noise:{}", random.below(6)),
        format!("COPY noise:{n} other:{} REPLACE", random.below(6)),
        "DBSIZE".to_owned(),
        "PING".to_owned(),
        "SELECT 0".to_owned(),
        "SCAN 0".to_owned(),
        "GET".to_owned() + " noise:1",
        "INCR noise:text".to_owned(),
        format!("SET noise:text {n}x"),
    ];
    random.pick(&choices).clone()
}

impl Run {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn append(&mut self, key: u32) -> Op {
        self.next_value += 1;
        Op::Append(key, self.next_value)
    }

    fn op(&mut self) -> Op {
        let key = self.random.below(KEYS as usize) as u32;
        if self.random.percent(50) { Op::Read(key, Vec::new()) } else { self.append(key) }
    }

    /// A transaction and the lines it begins with.
    fn begin(&mut self) -> (Doing, Vec<String>) {
        let invoked = self.tick();
        let mut txn = Txn { invoked, returned: 0, outcome: Outcome::Unknown, ops: Vec::new() };
        match self.random.below(10) {
            0 => {
                txn.ops.push(self.op());
                let line = line_of(&txn.ops[0]);
                let queued = vec![Queued::Op(0)];
                let state = State::Running { multi: false };
                (Doing { txn, queued, watched: None, state }, vec![line])
            }
            1 => {
                txn.ops.extend((0..KEYS).map(|key| Op::Read(key, Vec::new())));
                let queued = vec![Queued::Reads((0..KEYS as usize).collect())];
                let state = State::Running { multi: false };
                (Doing { txn, queued, watched: None, state }, vec![mget()])
            }
            2..=4 => {
                let key = self.random.below(KEYS as usize) as u32;
                let lines = vec![format!("WATCH list:{key}"), format!("GET list:{key}")];
                txn.ops.push(Op::Read(key, Vec::new()));
                let doing =
                    Doing { txn, queued: Vec::new(), watched: Some(key), state: State::Looking };
                (doing, lines)
            }
            _ => {
                let mut doing = Doing {
                    txn,
                    queued: Vec::new(),
                    watched: None,
                    state: State::Running { multi: true },
                };
                let lines = self.fill(&mut doing);
                (doing, lines)
            }
        }
    }

    /// Chooses what stands between MULTI and EXEC.
    fn fill(&mut self, doing: &mut Doing) -> Vec<String> {
        let mut lines = vec!["MULTI".to_owned()];
        for _ in 0..1 + self.random.below(5) {
            let first = doing.txn.ops.len();
            match self.random.below(8) {
                0 | 1 => {
                    lines.push(noise(&mut self.random));
                    doing.queued.push(Queued::Noise);
                }
                2 => {
                    doing.txn.ops.extend((0..KEYS).map(|key| Op::Read(key, Vec::new())));
                    lines.push(mget());
                    doing.queued.push(Queued::Reads((first..first + KEYS as usize).collect()));
                }
                _ => {
                    let op = self.op();
                    lines.push(line_of(&op));
                    doing.txn.ops.push(op);
                    doing.queued.push(Queued::Op(first));
                }
            }
        }
        lines.push("EXEC".to_owned());
        lines
    }

    /// All replies of what was sent have come. The lines that follow, or none when it is over.
    fn go_on(&mut self, doing: &mut Doing, replies: &[Value]) -> Option<Vec<String>> {
        let last = replies.last().expect("a reply");
        match doing.state {
            State::Looking => {
                note_read(&mut doing.txn.ops[0], numbers(last));
                doing.state = State::Running { multi: true };
                // What was read holds at the instant of EXEC, so that is where it belongs.
                doing.txn.invoked = self.tick();
                return Some(self.fill(doing));
            }
            State::Running { multi: true } => match last {
                Value::Null => {
                    assert!(doing.watched.is_some(), "only a watched key makes EXEC answer null");
                    doing.txn.outcome = Outcome::Refused;
                }
                Value::Array(answers) => {
                    assert_eq!(answers.len(), doing.queued.len());
                    note(doing, answers);
                }
                other => panic!("EXEC answered {other:?}"),
            },
            State::Running { multi: false } => note(doing, replies),
        }
        doing.txn.returned = self.tick();
        None
    }
}

fn mget() -> String {
    "MGET".to_owned() + &(0..KEYS).map(|key| format!(" list:{key}")).collect::<String>()
}

fn line_of(op: &Op) -> String {
    match op {
        Op::Append(key, value) => format!("APPEND list:{key} {value},"),
        Op::Read(key, _) => format!("GET list:{key}"),
    }
}

fn note_read(op: &mut Op, list: Vec<u64>) {
    if let Op::Read(_, seen) = op {
        *seen = list;
    }
}

fn note(doing: &mut Doing, answers: &[Value]) {
    doing.txn.outcome = Outcome::Done;
    for (queued, answer) in doing.queued.iter().zip(answers) {
        match (queued, answer) {
            (Queued::Op(at), answer) if matches!(doing.txn.ops[*at], Op::Read(..)) => {
                note_read(&mut doing.txn.ops[*at], numbers(answer));
            }
            (Queued::Op(_), answer) => assert!(matches!(answer, Value::Integer(_)), "{answer:?}"),
            (Queued::Reads(places), Value::Array(lists)) => {
                for (&at, list) in places.iter().zip(lists) {
                    note_read(&mut doing.txn.ops[at], numbers(list));
                }
            }
            (Queued::Reads(_), other) => panic!("MGET answered {other:?}"),
            (Queued::Noise, _) => {}
        }
    }
}

fn run(seed: u64, cores: u16, tampering: Tampering) -> Vec<Anomaly> {
    let mut node = TestNode::from_config(cores, Config::default(), seed);
    node.tampering = tampering;
    let mut players: Vec<(Player, Option<Doing>)> =
        (0..6).map(|n| (Player::new(&mut node, n % usize::from(cores)), None)).collect();
    let random = Random::new(seed);
    let mut run = Run { node, random, clock: 0, next_value: 0, txns: Vec::new() };
    let mut turns = 0;
    while run.txns.len() < TXNS {
        turns += 1;
        assert!(turns < 100_000, "seed {seed}, {cores} cores: no progress");
        let chosen = run.random.below(players.len());
        let (player, doing) = &mut players[chosen];
        if doing.is_none() {
            let (begun, lines) = run.begin();
            player.send(&mut run.node, &lines);
            *doing = Some(begun);
        }
        turn_some(&mut run.node, &mut run.random);
        for (player, doing) in &mut players {
            if player.hear(&mut run.node)
                && let Some(under_way) = doing
            {
                match run.go_on(under_way, &player.replies) {
                    Some(lines) => player.send(&mut run.node, &lines),
                    None => run.txns.extend(doing.take().map(|doing| doing.txn)),
                }
            }
        }
    }
    run.node.pump();
    run.txns.extend(players.into_iter().filter_map(|(_, doing)| Some(doing?.txn)));
    let mut auditor = Player::new(&mut run.node, 0);
    auditor.send(&mut run.node, &[mget()]);
    run.node.pump();
    assert!(auditor.hear(&mut run.node));
    let Value::Array(lists) = &auditor.replies[0] else { panic!("MGET answers an array") };
    let last: HashMap<u32, Vec<u64>> = (0..KEYS).zip(lists.iter().map(numbers)).collect();
    check(&run.txns, &last)
}

#[test]
fn transactions_are_strictly_serializable_on_any_number_of_cores() {
    for seed in 0..80 {
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

#[test]
fn a_member_that_is_not_told_of_watched_keys_is_caught() {
    let forgets = |&seed: &u64| !run(seed, 3, Tampering::ForgetsWatches).is_empty();
    let caught = (0..60).filter(forgets).count();
    assert!(caught > 5, "caught in {caught} of 60 runs");
}
