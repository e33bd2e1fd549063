//! The bank with markers: a transfer moves an amount from one account to another and writes its
//! number into the logs of both, all in one transaction. Then
//!
//! - every read of all accounts has the opening total, whatever is known of the transfers;
//! - at the end a number stands in both logs or in neither, once; acknowledged ones in both,
//!   refused ones in neither;
//! - balances are the opening ones with the logged transfers applied, and so is every balance that
//!   a transfer was answered: a log tells the order of its account's transfers;
//! - what a client read under WATCH still held when its transfer ran;
//! - transfers that one connection sent one after another stand in a log in that order.
//!
//! The total alone would miss an acknowledged transfer that was lost whole; the marks do not.

use std::collections::HashMap;

use super::Outcome;

/// A transfer as its client knows it.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Of two transfers of one session the later one has the higher number.
    pub number: u64,
    /// The connection that sent it.
    pub session: u32,
    pub from: usize,
    pub to: usize,
    pub amount: i64,
    pub outcome: Outcome,
    /// The balance of `from` that was read under WATCH.
    pub watched: Option<i64>,
    /// The balances of `from` and `to` as the transaction's replies told them.
    pub answered: Option<[i64; 2]>,
}

/// What stands in the store when all is quiet.
#[derive(Clone, Debug)]
pub struct Books {
    pub balances: Vec<i64>,
    /// The numbers in each account's log, in order.
    pub logs: Vec<Vec<u64>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Complaint {
    /// A read whose balances have another total.
    Total {
        read: usize,
        total: i64,
    },
    /// The mark is in one log and not in the other.
    Torn {
        number: u64,
    },
    /// Acknowledged, and in neither log.
    Lost {
        number: u64,
    },
    /// Refused, and in a log.
    AppliedThoughRefused {
        number: u64,
    },
    Twice {
        number: u64,
    },
    /// A mark of a transfer nobody made, or in the log of another account.
    Stray {
        number: u64,
    },
    Balance {
        account: usize,
        stored: i64,
        by_logs: i64,
    },
    /// A transfer was told another balance than the one its place in the log leads to.
    Answer {
        number: u64,
        answered: i64,
        by_logs: i64,
    },
    /// It ran although the balance had changed since it was read under WATCH.
    Unguarded {
        number: u64,
    },
    /// It stands before a transfer that its own connection sent earlier.
    OutOfOrder {
        number: u64,
    },
}

/// Judges a run that began with `opening` in each account; `reads` are readings of all accounts.
pub fn check(
    opening: i64,
    transfers: &[Transfer],
    reads: &[Vec<i64>],
    books: &Books,
) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let expected = opening * books.balances.len() as i64;
    for (read, balances) in reads.iter().enumerate() {
        let total = balances.iter().sum();
        if total != expected {
            complaints.push(Complaint::Total { read, total });
        }
    }
    let mut ledger = Ledger::of(opening, transfers, books.balances.len());
    for (account, log) in books.logs.iter().enumerate() {
        ledger.enter(account, log, &mut complaints);
    }
    for transfer in transfers {
        let number = transfer.number;
        let [left, arrived] = ledger.marks_of(number);
        match (left, arrived, transfer.outcome) {
            (0, 0, Outcome::Done) => complaints.push(Complaint::Lost { number }),
            (1, 1, Outcome::Refused) => complaints.push(Complaint::AppliedThoughRefused { number }),
            (0, 0, _) | (1, 1, _) => {}
            (2.., _, _) | (_, 2.., _) => complaints.push(Complaint::Twice { number }),
            _ => complaints.push(Complaint::Torn { number }),
        }
        if let (Some(watched), Some([left, _])) = (transfer.watched, transfer.answered)
            && watched - transfer.amount != left
        {
            complaints.push(Complaint::Unguarded { number });
        }
    }
    for (account, (&stored, by_logs)) in books.balances.iter().zip(ledger.balances).enumerate() {
        if stored != by_logs {
            complaints.push(Complaint::Balance { account, stored, by_logs });
        }
    }
    complaints
}

/// The logs, replayed from the opening balances.
struct Ledger<'a> {
    made: HashMap<u64, &'a Transfer>,
    /// Of each number the marks in the log it left and in the log it went to.
    marks: HashMap<u64, [u32; 2]>,
    balances: Vec<i64>,
}

impl<'a> Ledger<'a> {
    fn of(opening: i64, transfers: &'a [Transfer], accounts: usize) -> Ledger<'a> {
        let made = transfers.iter().map(|t| (t.number, t)).collect();
        Ledger { made, marks: HashMap::new(), balances: vec![opening; accounts] }
    }

    fn marks_of(&self, number: u64) -> [u32; 2] {
        self.marks.get(&number).copied().unwrap_or_default()
    }

    fn enter(&mut self, account: usize, log: &[u64], complaints: &mut Vec<Complaint>) {
        let mut latest: HashMap<u32, u64> = HashMap::new();
        for &number in log {
            let (side, change, transfer) = match self.made.get(&number) {
                Some(t) if t.from == account => (0, -t.amount, t),
                Some(t) if t.to == account => (1, t.amount, t),
                _ => {
                    complaints.push(Complaint::Stray { number });
                    continue;
                }
            };
            self.marks.entry(number).or_default()[side] += 1;
            self.balances[account] += change;
            let by_logs = self.balances[account];
            if let Some(answered) = transfer.answered.map(|balances| balances[side])
                && answered != by_logs
            {
                complaints.push(Complaint::Answer { number, answered, by_logs });
            }
            if latest.insert(transfer.session, number).is_some_and(|earlier| earlier > number) {
                complaints.push(Complaint::OutOfOrder { number });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::toy::{Fault, bank_run};

    #[test]
    fn a_serial_bank_is_clean_in_a_thousand_runs() {
        for seed in 0..1_000 {
            let run = bank_run(seed, None);
            let complaints = check(run.opening, &run.transfers, &run.reads, &run.books);
            assert_eq!(complaints, [], "seed {seed}");
        }
    }

    fn found(fault: Fault, is_it: impl Fn(&Complaint) -> bool) -> bool {
        (0..20).any(|seed| {
            let run = bank_run(seed, Some(fault));
            check(run.opening, &run.transfers, &run.reads, &run.books).iter().any(&is_it)
        })
    }

    #[test]
    fn each_planted_bug_of_the_bank_is_caught_by_name() {
        assert!(found(Fault::Torn, |c| matches!(c, Complaint::Total { .. })), "half a transfer");
        assert!(found(Fault::Halved, |c| matches!(c, Complaint::Torn { .. })), "one mark");
        let balance = |c: &Complaint| matches!(c, Complaint::Balance { .. });
        assert!(found(Fault::Interleaved, balance), "a lost update");
        assert!(found(Fault::Lost, |c| matches!(c, Complaint::Lost { .. })), "no mark");
        assert!(found(Fault::Doubled, |c| matches!(c, Complaint::Twice { .. })), "two marks");
        let refused = |c: &Complaint| matches!(c, Complaint::AppliedThoughRefused { .. });
        assert!(found(Fault::DirtyRead, refused), "a refused transfer's mark");
        let answer = |c: &Complaint| matches!(c, Complaint::Answer { .. });
        assert!(found(Fault::StaleSnapshot, answer), "a balance of some time ago");
        let unguarded = |c: &Complaint| matches!(c, Complaint::Unguarded { .. });
        assert!(found(Fault::WriteSkew, unguarded), "a forgotten WATCH");
    }

    #[test]
    fn a_connection_whose_transfers_changed_places_is_found() {
        let mut run = bank_run(1, None);
        let log = run.books.logs.iter_mut().find(|log| log.len() > 1).expect("a busy account");
        log.swap(0, 1);
        let number = log[1];
        let complaints = check(run.opening, &run.transfers, &run.reads, &run.books);
        assert!(complaints.contains(&Complaint::OutOfOrder { number }), "{complaints:?}");
    }
}
