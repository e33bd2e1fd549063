//! Transactions over lists: appends and reads in one MULTI, reads under WATCH, single commands,
//! and commands of every kind of routing in between. Some clients die before the answer.

use freehold_protocol::resp::value::Value;

use super::session::{Session, Trouble, numbers};
use super::stage::{LISTS, Stage, list_name};
use crate::checkers::Outcome;
use crate::checkers::append::{Op, Txn};
use crate::random::Random;
use crate::show::show;

/// Transactions of one client and round: a bound on what the checker has to hold.
const TRANSACTIONS_MAX: usize = 2_500;
/// Of a hundred transactions, how many end with the death of their client.
const DEATH_PERCENT: usize = 1;

#[derive(Default)]
pub struct ListHistory {
    pub txns: Vec<Txn>,
    pub deaths: u64,
}

/// A command between MULTI and EXEC: an operation by its place, or one that means nothing here.
enum Queued {
    Op(usize),
    Noise,
}

struct Appender<'a> {
    session: Session<'a>,
    stage: &'a Stage,
    random: Random,
    txns: Vec<Txn>,
}

/// Plays until the round is over or the history is full.
pub fn append(stage: &Stage, seed: u64) -> Result<ListHistory, Trouble> {
    let (session, random) = (Session::open(stage)?, Random::new(seed));
    let mut appender = Appender { session, stage, random, txns: Vec::new() };
    while appender.txns.len() < TRANSACTIONS_MAX && !stage.is_over() {
        match appender.random.below(10) {
            0 => appender.alone()?,
            1 => appender.whole_reading()?,
            2..=4 => appender.watched()?,
            _ => appender.queued(Vec::new())?,
        }
    }
    Ok(ListHistory { txns: appender.txns, deaths: appender.session.deaths })
}

impl Appender<'_> {
    fn op(&mut self) -> Op {
        let place = self.random.below(LISTS);
        match self.random.percent(50) {
            true => Op::Read(self.stage.list(place), Vec::new()),
            false => Op::Append(self.stage.list_to_append(place), self.stage.value()),
        }
    }

    fn queue(&mut self, op: &Op) {
        match op {
            Op::Append(list, value) => {
                self.session.queue(&["RPUSH", &list_name(*list), &value.to_string()]);
            }
            Op::Read(list, _) => self.session.queue(&["LRANGE", &list_name(*list), "0", "-1"]),
        }
    }

    /// One command, which is a transaction too.
    fn alone(&mut self) -> Result<(), Trouble> {
        let mut op = self.op();
        let invoked = self.stage.now();
        self.queue(&op);
        if self.random.percent(DEATH_PERCENT) {
            return self.die(invoked, vec![op]);
        }
        let reply = self.session.read()?;
        note(&mut op, reply)?;
        self.finish(invoked, Outcome::Done, vec![op]);
        Ok(())
    }

    fn whole_reading(&mut self) -> Result<(), Trouble> {
        let ops: Vec<Op> =
            (0..LISTS).map(|place| Op::Read(self.stage.list(place), Vec::new())).collect();
        let invoked = self.stage.now();
        self.session.queue(&["MULTI"]);
        ops.iter().for_each(|op| self.queue(op));
        self.session.queue(&["EXEC"]);
        let queued = (0..LISTS).map(Queued::Op).collect();
        self.hear(invoked, ops, queued, false)
    }

    /// Reads a list under WATCH. When EXEC runs, what was read holds at the instant of EXEC, and
    /// that is where it belongs.
    fn watched(&mut self) -> Result<(), Trouble> {
        let list = self.stage.list(self.random.below(LISTS));
        let mut op = Op::Read(list, Vec::new());
        self.session.queue(&["WATCH", &list_name(list)]);
        self.queue(&op);
        self.session.status("OK")?;
        let reply = self.session.read()?;
        note(&mut op, reply)?;
        self.queued(vec![op])
    }

    /// MULTI, some operations, EXEC, behind what was read under WATCH.
    fn queued(&mut self, mut ops: Vec<Op>) -> Result<(), Trouble> {
        let watches = !ops.is_empty();
        let mut queued = Vec::new();
        let invoked = self.stage.now();
        self.session.queue(&["MULTI"]);
        for _ in 0..1 + self.random.below(4) {
            if self.random.percent(20) {
                let noise = noise(&mut self.random);
                self.session.queue(&noise.split(' ').collect::<Vec<_>>());
                queued.push(Queued::Noise);
            } else {
                let op = self.op();
                self.queue(&op);
                queued.push(Queued::Op(ops.len()));
                ops.push(op);
            }
        }
        self.session.queue(&["EXEC"]);
        if self.random.percent(DEATH_PERCENT) {
            return self.die(invoked, ops);
        }
        self.hear(invoked, ops, queued, watches)
    }

    fn hear(
        &mut self,
        invoked: u64,
        mut ops: Vec<Op>,
        queued: Vec<Queued>,
        watches: bool,
    ) -> Result<(), Trouble> {
        let Some(replies) = self.session.transaction(queued.len())? else {
            if !watches {
                return Err("EXEC refused a transaction that watches nothing".to_owned());
            }
            self.finish(invoked, Outcome::Refused, ops);
            return Ok(());
        };
        for (queued, reply) in queued.into_iter().zip(replies) {
            if let Queued::Op(place) = queued {
                note(&mut ops[place], reply)?;
            }
        }
        self.finish(invoked, Outcome::Done, ops);
        Ok(())
    }

    fn die(&mut self, invoked: u64, ops: Vec<Op>) -> Result<(), Trouble> {
        self.session.die()?;
        self.finish(invoked, Outcome::Unknown, ops);
        Ok(())
    }

    fn finish(&mut self, invoked: u64, outcome: Outcome, ops: Vec<Op>) {
        let returned = self.stage.now();
        self.txns.push(Txn { invoked, returned, outcome, ops });
    }
}

fn note(op: &mut Op, reply: Value) -> Result<(), Trouble> {
    match (op, reply) {
        (Op::Read(_, seen), reply) => *seen = numbers(reply)?,
        (Op::Append(..), Value::Integer(_)) => {}
        (Op::Append(..), other) => return Err(format!("RPUSH answered {}", show(&other))),
    }
    Ok(())
}

/// Commands that touch no list but are routed in every possible way.
fn noise(random: &mut Random) -> String {
    let (n, m) = (random.below(6), random.below(6));
    let choices = [
        format!("MSET noise:{n} 1 other:{n} 2"),
        format!("RENAME noise:{n} noise:{m}"),
        format!("COPY noise:{n} other:{m} REPLACE"),
        format!("SUNIONSTORE noise:set noise:set:{n} noise:set:{m}"),
        "DBSIZE".to_owned(),
        "PING".to_owned(),
        "INCR noise:text".to_owned(),
        format!("SET noise:text {n}x"),
    ];
    random.pick(&choices).clone()
}
