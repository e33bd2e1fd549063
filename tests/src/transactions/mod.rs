//! Transactions over the wire: clients of many kinds work on one live server at once, some die with
//! their requests under way, and the checkers judge what all of them did and saw.
//!
//! - [`teller`]: transfers between accounts on all cores, in pipelines and under WATCH;
//! - [`reader`]: all accounts at one instant;
//! - [`appender`]: transactions over lists, for the checker that names anomalies by their cycles;
//! - [`mover`]: MSET and RENAME over several cores, and somebody who looks for half of one.
//!
//! A run is a sequence of rounds. After each, one transaction reads the books and begins new ones,
//! so that logs, histories and the time to judge them do not grow with the length of the run.
//! [`planted`] stands between clients and server and shows that bugs are found.

mod appender;
mod audit;
mod mover;
pub mod planted;
mod reader;
mod session;
mod stage;
mod teller;
mod verdict;

use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use crate::checkers::bank::Transfer;
use crate::checkers::{Outcome, append, bank};
use crate::wait;
use appender::ListHistory;
use audit::Audit;
use mover::Sightings;
use session::Trouble;
use stage::{OPENING, Stage};

pub use mover::Sight;
pub use verdict::Verdict;

const TELLERS: u64 = 8;
const READERS: u64 = 2;
const APPENDERS: u64 = 4;
const LOOKERS: u64 = 2;
/// How often a run tells how far it has come.
const PROGRESS_STEP: Duration = Duration::from_millis(200);

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where clients connect.
    pub address: String,
    /// The server itself, for the books: another address when a planted bug stands in between.
    pub truth: String,
    pub transfers: u64,
    /// Transfers of a round, after which the books are read.
    pub round: u64,
    pub seed: u64,
}

/// What the clients of one round bring home.
#[derive(Default)]
struct Harvest {
    transfers: Vec<Transfer>,
    readings: Vec<Vec<i64>>,
    lists: Vec<append::Txn>,
    sightings: Sightings,
    deaths: u64,
    troubles: Vec<Trouble>,
}

impl Harvest {
    fn note<T>(&mut self, brought: Result<T, Trouble>, add: impl FnOnce(&mut Harvest, T)) {
        match brought {
            Ok(what) => add(self, what),
            Err(trouble) => self.troubles.push(trouble),
        }
    }
}

/// Runs the plan until its end or the first round with something to complain about. `progress`
/// hears now and then how many transfers have been begun.
pub fn run(plan: &Plan, mut progress: impl FnMut(u64)) -> Verdict {
    let mut verdict = Verdict::default();
    let stage = Stage::new(plan);
    let mut audit = match Audit::open(plan) {
        Ok(audit) => audit,
        Err(trouble) => {
            verdict.troubles.push(trouble);
            return verdict;
        }
    };
    let mut end = 0;
    // Transfers that may still run: unknown, and in no log so far.
    let mut pending: Vec<Transfer> = Vec::new();
    while end < plan.transfers && verdict.is_clean() {
        end = (end + plan.round).min(plan.transfers);
        stage.begin_round(end);
        let mut harvest = play(&stage, &mut progress);
        harvest.transfers.append(&mut pending);
        verdict.troubles.append(&mut harvest.troubles);
        if verdict.troubles.is_empty() {
            pending = judge(&stage, &mut audit, harvest, &mut verdict);
        }
    }
    verdict
}

/// All clients at once, until the transfers of the round have been made.
fn play(stage: &Stage, progress: &mut impl FnMut(u64)) -> Harvest {
    let mut harvest = Harvest::default();
    let seed = |kind: u64, index: u64| stage.seed_of(kind * 100 + index);
    thread::scope(|scope| {
        let tellers: Vec<_> = (0..TELLERS)
            .map(|index| scope.spawn(move || teller::transfer(stage, seed(0, index))))
            .collect();
        let readers: Vec<_> = (0..READERS)
            .map(|index| scope.spawn(move || reader::read(stage, seed(1, index))))
            .collect();
        let appenders: Vec<_> = (0..APPENDERS)
            .map(|index| scope.spawn(move || appender::append(stage, seed(2, index))))
            .collect();
        let lookers: Vec<_> = (0..LOOKERS)
            .map(|index| scope.spawn(move || mover::look(stage, seed(3, index))))
            .collect();
        let movers = [
            scope.spawn(move || mover::set_twins(stage)),
            scope.spawn(move || mover::move_treasure(stage, seed(4, 0))),
        ];
        while !wait::holds_within(PROGRESS_STEP, || tellers.iter().all(|t| t.is_finished())) {
            progress(stage.begun());
        }
        stage.end_round();
        for teller in tellers {
            harvest.note(home(teller), |harvest, (transfers, deaths)| {
                harvest.transfers.extend(transfers);
                harvest.deaths += deaths;
            });
        }
        for reader in readers {
            harvest.note(home(reader), |harvest, readings| harvest.readings.extend(readings));
        }
        for appender in appenders {
            harvest.note(home(appender), |harvest, ListHistory { txns, deaths }| {
                harvest.lists.extend(txns);
                harvest.deaths += deaths;
            });
        }
        for looker in lookers {
            harvest.note(home(looker), |harvest, seen| harvest.sightings.add(seen));
        }
        for mover in movers {
            harvest.note(home(mover), |_, ()| {});
        }
    });
    harvest
}

/// What a client brings, or that it panicked: its message stands on the error output.
fn home<T>(client: ScopedJoinHandle<'_, Result<T, Trouble>>) -> Result<T, Trouble> {
    client.join().unwrap_or_else(|_| Err("a client panicked".to_owned()))
}

/// Reads the books, judges the round, and gives the transfers that may still come.
fn judge(
    stage: &Stage,
    audit: &mut Audit,
    harvest: Harvest,
    verdict: &mut Verdict,
) -> Vec<Transfer> {
    let read = audit.close_books().and_then(|books| Ok((books, audit.close_lists(stage)?)));
    let (books, lists) = match read {
        Ok(read) => read,
        Err(trouble) => {
            verdict.troubles.push(trouble);
            return Vec::new();
        }
    };
    let Harvest { transfers, readings, lists: txns, sightings, deaths, .. } = harvest;
    verdict.complaints.extend(bank::check(OPENING, &transfers, &readings, &books));
    verdict.anomalies.extend(append::check(&txns, &lists));
    verdict.deaths += deaths;
    verdict.readings += readings.len() as u64;
    verdict.count_lists(&txns);
    verdict.add_sightings(sightings);
    let seen: std::collections::HashSet<u64> = books.logs.iter().flatten().copied().collect();
    let may_come = |transfer: &Transfer| {
        transfer.outcome == Outcome::Unknown && !seen.contains(&transfer.number)
    };
    let (pending, settled): (Vec<_>, Vec<_>) = transfers.into_iter().partition(may_come);
    verdict.count_settled(&settled);
    verdict.never_seen = pending.len() as u64;
    pending
}
