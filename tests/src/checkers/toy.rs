//! A store in a vector, with bugs to order: what the checkers are tried on.

use std::collections::HashMap;

use super::Outcome;
use super::append::{Op, Txn};
use super::bank::{Books, Transfer};
use crate::random::Random;

/// What the toy does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Writes are seen one by one by readers; writers exclude each other.
    Torn,
    /// Nobody excludes anybody.
    Interleaved,
    /// A refused transaction's writes are there.
    DirtyRead,
    /// An acknowledged transaction is dropped whole.
    Lost,
    /// Its first half is kept.
    Halved,
    /// It is applied twice.
    Doubled,
    /// Readers get a state that was whole, some time ago.
    StaleSnapshot,
    /// Snapshot isolation: a transaction reads the state it began with, and is refused only if
    /// somebody has written since what it writes; what it has read, nobody asks about.
    WriteSkew,
}

pub struct AppendRun {
    pub txns: Vec<Txn>,
    pub last: HashMap<u32, Vec<u64>>,
}

const KEYS: u32 = 4;
const CLIENTS: usize = 4;
const TXNS: usize = 120;

type Lists = HashMap<u32, Vec<u64>>;

/// A transaction under way.
struct Running {
    txn: Txn,
    at: usize,
    snapshot: Lists,
    reads_only: bool,
}

struct Toy {
    random: Random,
    fault: Option<Fault>,
    lists: Lists,
    /// Earlier whole states, for stale readers.
    past: Vec<Lists>,
    clock: u64,
    next_value: u64,
}

impl Toy {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn invent(&mut self) -> Running {
        let count = 1 + self.random.below(4);
        let reads_only = self.random.percent(40);
        let ops = (0..count)
            .map(|_| {
                let key = self.random.below(KEYS as usize) as u32;
                if reads_only || self.random.percent(40) {
                    return Op::Read(key, Vec::new());
                }
                self.next_value += 1;
                Op::Append(key, self.next_value)
            })
            .collect();
        let invoked = self.tick();
        let txn = Txn { invoked, returned: 0, outcome: Outcome::Done, ops };
        Running { txn, at: 0, snapshot: self.lists.clone(), reads_only }
    }

    /// Runs the next operation on the lists as they are.
    fn step(&mut self, running: &mut Running) {
        let lists = match self.fault {
            Some(Fault::WriteSkew) => &mut running.snapshot,
            _ => &mut self.lists,
        };
        match &mut running.txn.ops[running.at] {
            Op::Append(key, value) => lists.entry(*key).or_default().push(*value),
            Op::Read(key, list) => *list = lists.get(key).cloned().unwrap_or_default(),
        }
        running.at += 1;
    }

    /// The end of a transaction that worked on its snapshot.
    fn commit(&mut self, running: &mut Running) {
        let mut appends: Lists = Lists::new();
        for op in &running.txn.ops {
            if let Op::Append(key, value) = op {
                appends.entry(*key).or_default().push(*value);
            }
        }
        let length = |lists: &Lists, key: &u32| lists.get(key).map_or(0, Vec::len);
        let untouched = appends.iter().all(|(key, new)| {
            length(&self.lists, key) + new.len() == length(&running.snapshot, key)
        });
        if !untouched {
            running.txn.outcome = Outcome::Refused;
            return;
        }
        for (key, new) in appends {
            self.lists.entry(key).or_default().extend(new);
        }
    }

    fn run_whole(&mut self, running: &mut Running) {
        let before = self.lists.clone();
        if self.fault == Some(Fault::StaleSnapshot) && running.reads_only {
            let back = self.random.below(self.past.len().clamp(1, 6));
            let now = match self.past.len().checked_sub(1 + back) {
                Some(at) => self.past[at].clone(),
                None => self.lists.clone(),
            };
            let current = std::mem::replace(&mut self.lists, now);
            while running.at < running.txn.ops.len() {
                self.step(running);
            }
            self.lists = current;
            return;
        }
        while running.at < running.txn.ops.len() {
            self.step(running);
        }
        let strikes = self.random.percent(15);
        match self.fault {
            Some(Fault::DirtyRead) if strikes => running.txn.outcome = Outcome::Refused,
            Some(Fault::Lost) if strikes => self.lists = before,
            Some(Fault::Halved) if strikes => {
                let mut ops = running.txn.ops.iter();
                let append = ops.rfind(|op| matches!(op, Op::Append(..)));
                if let Some(Op::Append(key, value)) = append {
                    self.lists.entry(*key).or_default().retain(|v| v != value);
                }
            }
            Some(Fault::Doubled) if strikes => {
                for op in &running.txn.ops {
                    if let Op::Append(key, value) = op {
                        self.lists.entry(*key).or_default().push(*value);
                    }
                }
            }
            _ => {}
        }
        self.past.push(self.lists.clone());
    }
}

/// A run of some clients over lists.
pub fn append_run(seed: u64, fault: Option<Fault>) -> AppendRun {
    let random = Random::new(seed);
    let mut toy =
        Toy { random, fault, lists: Lists::new(), past: Vec::new(), clock: 0, next_value: 0 };
    let mut clients: Vec<Option<Running>> = (0..CLIENTS).map(|_| None).collect();
    let mut txns = Vec::new();
    while txns.len() < TXNS {
        let client = toy.random.below(CLIENTS);
        let Some(mut running) = clients[client].take() else {
            clients[client] = Some(toy.invent());
            continue;
        };
        let stepwise = match fault {
            Some(Fault::Torn) => {
                // One writer at a time; readers come in between.
                let other_writer =
                    clients.iter().flatten().any(|other| other.at > 0 && !other.reads_only);
                if running.at == 0 && !running.reads_only && other_writer {
                    clients[client] = Some(running);
                    continue;
                }
                true
            }
            Some(Fault::Interleaved | Fault::WriteSkew) => true,
            _ => false,
        };
        if stepwise {
            if running.at == 0 {
                running.snapshot = toy.lists.clone();
            }
            toy.step(&mut running);
        } else {
            toy.run_whole(&mut running);
        }
        if running.at < running.txn.ops.len() {
            clients[client] = Some(running);
            continue;
        }
        if fault == Some(Fault::WriteSkew) {
            toy.commit(&mut running);
        }
        running.txn.returned = toy.tick();
        txns.push(running.txn);
    }
    // Whoever is under way has no answer yet.
    for mut running in clients.into_iter().flatten() {
        while running.at < running.txn.ops.len() {
            toy.step(&mut running);
        }
        if fault == Some(Fault::WriteSkew) {
            toy.commit(&mut running);
        }
        running.txn.outcome = Outcome::Unknown;
        txns.push(running.txn);
    }
    AppendRun { txns, last: toy.lists }
}

pub struct BankRun {
    pub opening: i64,
    pub transfers: Vec<Transfer>,
    pub reads: Vec<Vec<i64>>,
    pub books: Books,
}

const ACCOUNTS: usize = 6;

/// A run of transfers and readings.
pub fn bank_run(seed: u64, fault: Option<Fault>) -> BankRun {
    let mut random = Random::new(seed);
    let opening = 100;
    let mut books = Books { balances: vec![opening; ACCOUNTS], logs: vec![Vec::new(); ACCOUNTS] };
    let (mut transfers, mut reads) = (Vec::new(), Vec::new());
    for number in 0..100 {
        let from = random.below(ACCOUNTS);
        let to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
        let amount = random.between(1, 50);
        let strikes = fault.filter(|_| random.percent(10));
        let mut outcome = Outcome::Done;
        let times = match strikes {
            Some(Fault::Lost) => 0,
            Some(Fault::Doubled) => 2,
            Some(Fault::DirtyRead) => {
                outcome = Outcome::Refused;
                1
            }
            _ => 1,
        };
        let before = [books.balances[from], books.balances[to]];
        for _ in 0..times {
            books.balances[from] -= amount;
            books.logs[from].push(number);
            if strikes == Some(Fault::Torn) {
                reads.push(books.balances.clone());
            }
            if strikes != Some(Fault::Halved) {
                let update_lost = strikes == Some(Fault::Interleaved);
                books.balances[to] += if update_lost { 0 } else { amount };
                books.logs[to].push(number);
            }
        }
        reads.push(books.balances.clone());
        let answered = match strikes {
            Some(Fault::StaleSnapshot) => before,
            _ => [books.balances[from], books.balances[to]],
        };
        // Somebody paid in between, and EXEC did not mind.
        let paid_since = if strikes == Some(Fault::WriteSkew) { 7 } else { 0 };
        let applied = times == 1 && outcome == Outcome::Done;
        transfers.push(Transfer {
            number,
            session: 0,
            from,
            to,
            amount,
            outcome,
            watched: applied.then_some(before[0] - paid_since),
            answered: applied.then_some(answered),
        });
    }
    BankRun { opening, transfers, reads, books }
}
