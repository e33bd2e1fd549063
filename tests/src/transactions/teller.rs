//! Transfers: whole pipelines of them, single ones under WATCH, and clients that die before they
//! have sent EXEC, before they have read anything, or in the middle of the replies.

use std::ops::Range;

use freehold_protocol::resp::value::Value;

use super::session::{Session, Trouble, number};
use super::stage::{ACCOUNTS, Stage};
use crate::checkers::Outcome;
use crate::checkers::bank::Transfer;
use crate::random::Random;
use crate::show::show;

/// Transfers of a pipeline.
const PIPELINE_MAX: usize = 16;
/// Of a hundred pipelines, how many follow a transfer under WATCH.
const GUARDED_PERCENT: usize = 20;
/// Of a hundred pipelines or guarded transfers, how many end with the death of their client.
const DEATH_PERCENT: usize = 2;

/// How a client dies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Death {
    /// The last transfer lacks its EXEC and therefore never happens.
    BeforeExec,
    /// Everything is sent; of the replies this many are read.
    AfterReplies(usize),
}

struct Teller<'a> {
    session: Session<'a>,
    stage: &'a Stage,
    random: Random,
    transfers: Vec<Transfer>,
}

/// Makes transfers until the round has no more; gives them, and how many clients died.
pub fn transfer(stage: &Stage, seed: u64) -> Result<(Vec<Transfer>, u64), Trouble> {
    let (session, random) = (Session::open(stage)?, Random::new(seed));
    let mut teller = Teller { session, stage, random, transfers: Vec::new() };
    while let Some(mut numbers) = stage.take(1 + teller.random.below(PIPELINE_MAX) as u64) {
        if teller.random.percent(GUARDED_PERCENT)
            && let Some(number) = numbers.next()
        {
            teller.guarded(number)?;
        }
        if !numbers.is_empty() {
            teller.pipeline(numbers)?;
        }
    }
    Ok((teller.transfers, teller.session.deaths))
}

impl Teller<'_> {
    fn invent(&mut self, number: u64, amount_max: i64) -> Transfer {
        let from = self.random.below(ACCOUNTS);
        Transfer {
            number,
            session: self.session.id,
            from,
            to: (from + 1 + self.random.below(ACCOUNTS - 1)) % ACCOUNTS,
            amount: self.random.between(1, amount_max),
            outcome: Outcome::Unknown,
            watched: None,
            answered: None,
        }
    }

    fn death(&mut self, transfers: usize) -> Option<Death> {
        if !self.random.percent(DEATH_PERCENT) {
            return None;
        }
        Some(match self.random.percent(30) {
            true => Death::BeforeExec,
            false => Death::AfterReplies(self.random.below(transfers)),
        })
    }

    /// MULTI and what a transfer does; EXEC is left to the caller.
    fn queue(&mut self, transfer: &Transfer) {
        let (accounts, logs) = (&self.stage.accounts, &self.stage.logs);
        let (from, to) = (transfer.from, transfer.to);
        let (amount, number) = (transfer.amount.to_string(), transfer.number.to_string());
        self.session.queue(&["MULTI"]);
        self.session.queue(&["DECRBY", &accounts[from], &amount]);
        self.session.queue(&["INCRBY", &accounts[to], &amount]);
        self.session.queue(&["RPUSH", &logs[from], &number]);
        self.session.queue(&["RPUSH", &logs[to], &number]);
    }

    fn hear(&mut self, transfer: &mut Transfer) -> Result<(), Trouble> {
        let Some(replies) = self.session.transaction(4)? else {
            if transfer.watched.is_none() {
                return Err("EXEC refused a transfer that watches nothing".to_owned());
            }
            transfer.outcome = Outcome::Refused;
            return Ok(());
        };
        let [Value::Integer(left), Value::Integer(arrived), _, _] = replies[..] else {
            return Err(format!("a transfer answered {}", show(&Value::Array(replies))));
        };
        transfer.outcome = Outcome::Done;
        transfer.answered = Some([left, arrived]);
        Ok(())
    }

    /// Sends the transfers in one write, each a transaction of its own.
    fn pipeline(&mut self, numbers: Range<u64>) -> Result<(), Trouble> {
        let mut transfers: Vec<Transfer> = numbers.map(|number| self.invent(number, 50)).collect();
        let death = self.death(transfers.len());
        self.send(&mut transfers, death)
    }

    fn send(&mut self, transfers: &mut Vec<Transfer>, death: Option<Death>) -> Result<(), Trouble> {
        let last = transfers.len() - 1;
        for (index, transfer) in transfers.iter_mut().enumerate() {
            self.queue(transfer);
            if index == last && death == Some(Death::BeforeExec) {
                transfer.outcome = Outcome::Refused;
            } else {
                self.session.queue(&["EXEC"]);
            }
        }
        let heard = match death {
            None => transfers.len(),
            Some(Death::BeforeExec) => 0,
            Some(Death::AfterReplies(count)) => count,
        };
        for transfer in &mut transfers[..heard] {
            self.hear(transfer)?;
        }
        self.transfers.append(transfers);
        if death.is_some() { self.session.die() } else { Ok(()) }
    }

    /// Looks whether the account holds enough, and pays only if nobody has touched it since.
    fn guarded(&mut self, number_of_transfer: u64) -> Result<(), Trouble> {
        let mut transfer = self.invent(number_of_transfer, 500);
        let (from, to) = (&self.stage.accounts[transfer.from], &self.stage.accounts[transfer.to]);
        match self.random.percent(50) {
            true => self.session.queue(&["WATCH", from]),
            false => self.session.queue(&["WATCH", to, from]),
        }
        self.session.queue(&["GET", from]);
        self.session.status("OK")?;
        let balance: i64 = number(&self.session.read()?)?;
        transfer.watched = Some(balance);
        if balance < transfer.amount || self.random.percent(1) {
            transfer.outcome = Outcome::Refused;
            self.transfers.push(transfer);
            self.session.queue(&["UNWATCH"]);
            return self.session.status("OK");
        }
        let death = self.death(1);
        self.send(&mut vec![transfer], death)
    }
}
