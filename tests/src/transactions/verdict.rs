//! What a run amounts to: how much was done, and everything there is to complain about.

use std::fmt;

use super::mover::{Sight, Sightings};
use super::session::Trouble;
use crate::checkers::Outcome;
use crate::checkers::append::{Anomaly, Txn};
use crate::checkers::bank::{Complaint, Transfer};

/// Complaints of one sort that are told in full.
const TOLD_MAX: usize = 5;

#[derive(Default)]
pub struct Verdict {
    pub done: u64,
    pub refused: u64,
    /// Of transfers whose client died before the answer: those that had happened all the same.
    pub unknown_and_done: u64,
    /// And those that had not happened when the last books were read.
    pub never_seen: u64,
    pub readings: u64,
    pub list_transactions: u64,
    pub list_unknown: u64,
    pub sightings: u64,
    pub deaths: u64,
    pub complaints: Vec<Complaint>,
    pub anomalies: Vec<Anomaly>,
    pub sights: Vec<Sight>,
    pub troubles: Vec<Trouble>,
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        self.complaints.is_empty()
            && self.anomalies.is_empty()
            && self.sights.is_empty()
            && self.troubles.is_empty()
    }

    pub fn transfers(&self) -> u64 {
        self.done + self.refused + self.unknown_and_done + self.never_seen
    }

    /// Readings that saw half of something.
    pub fn torn_reads(&self) -> usize {
        let totals = self.complaints.iter().filter(|c| matches!(c, Complaint::Total { .. }));
        let halves = self.sights.iter().filter(|sight| !matches!(sight, Sight::OldMset { .. }));
        totals.count() + halves.count()
    }

    pub(super) fn count_settled(&mut self, transfers: &[Transfer]) {
        for transfer in transfers {
            match transfer.outcome {
                Outcome::Done => self.done += 1,
                Outcome::Refused => self.refused += 1,
                Outcome::Unknown => self.unknown_and_done += 1,
            }
        }
    }

    pub(super) fn count_lists(&mut self, txns: &[Txn]) {
        let unknown = txns.iter().filter(|txn| txn.outcome == Outcome::Unknown).count();
        self.list_transactions += txns.len() as u64;
        self.list_unknown += unknown as u64;
    }

    pub(super) fn add_sightings(&mut self, sightings: Sightings) {
        self.sightings += sightings.count;
        self.sights.extend(sightings.wrong);
    }

    /// Each sort of complaint with some examples, a line each.
    pub fn complaints_told(&self) -> String {
        let mut lines = Vec::new();
        tell(&mut lines, "the bank", &self.complaints);
        tell(&mut lines, "the lists", &self.anomalies);
        tell(&mut lines, "MSET and RENAME", &self.sights);
        tell(&mut lines, "the connections", &self.troubles);
        lines.join("\n")
    }
}

fn tell<T: fmt::Debug>(lines: &mut Vec<String>, of: &str, complaints: &[T]) {
    if complaints.is_empty() {
        return;
    }
    lines.push(format!("{} complaints about {of}:", complaints.len()));
    // By name, so that a frequent one does not hide the others.
    let name = |complaint: &T| {
        format!("{complaint:?}").split([' ', '(']).next().unwrap_or_default().to_owned()
    };
    let mut told: Vec<(String, usize)> = Vec::new();
    for complaint in complaints {
        let name = name(complaint);
        let at = told.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            told.push((name, 0));
            told.len() - 1
        });
        told[at].1 += 1;
        if told[at].1 <= TOLD_MAX {
            lines.push(format!("  {complaint:?}"));
        }
    }
    for (name, count) in told.iter().filter(|(_, count)| *count > TOLD_MAX) {
        lines.push(format!("  {name}: {count} in all"));
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} transfers ({} done, {} refused, {} done and {} not done by clients that died); \
             {} readings and {} sightings, {} torn; {} list transactions ({} unknown); \
             {} clients died; complaints: {} bank, {} lists, {} MSET and RENAME, {} trouble",
            self.transfers(),
            self.done,
            self.refused,
            self.unknown_and_done,
            self.never_seen,
            self.readings,
            self.sightings,
            self.torn_reads(),
            self.list_transactions,
            self.list_unknown,
            self.deaths,
            self.complaints.len(),
            self.anomalies.len(),
            self.sights.len(),
            self.troubles.len(),
        )
    }
}
