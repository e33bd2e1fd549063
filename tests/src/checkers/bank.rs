//! The bank with markers: a transfer moves an amount from one account to another and writes its
//! number into the logs of both, all in one transaction. Then
//!
//! - every read of all accounts has the opening total, whatever is known of the transfers;
//! - at the end a number stands in both logs or in neither, once; acknowledged ones in both,
//!   refused ones in neither;
//! - balances are the opening ones with the logged transfers applied.
//!
//! The total alone would miss an acknowledged transfer that was lost whole; the marks do not.

use std::collections::HashMap;

use super::Outcome;

/// A transfer as its client knows it.
#[derive(Clone, Debug)]
pub struct Transfer {
    pub number: u64,
    pub from: usize,
    pub to: usize,
    pub amount: i64,
    pub outcome: Outcome,
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
    let made: HashMap<u64, &Transfer> = transfers.iter().map(|t| (t.number, t)).collect();
    let mut marks: HashMap<u64, [u32; 2]> = HashMap::new();
    for (account, log) in books.logs.iter().enumerate() {
        for &number in log {
            match made.get(&number) {
                Some(t) if t.from == account => marks.entry(number).or_default()[0] += 1,
                Some(t) if t.to == account => marks.entry(number).or_default()[1] += 1,
                _ => complaints.push(Complaint::Stray { number }),
            }
        }
    }
    let mut by_logs = vec![opening; books.balances.len()];
    for transfer in transfers {
        let number = transfer.number;
        let [left, arrived] = marks.get(&number).copied().unwrap_or_default();
        by_logs[transfer.from] -= transfer.amount * i64::from(left);
        by_logs[transfer.to] += transfer.amount * i64::from(arrived);
        match (left, arrived, transfer.outcome) {
            (0, 0, Outcome::Done) => complaints.push(Complaint::Lost { number }),
            (1, 1, Outcome::Refused) => complaints.push(Complaint::AppliedThoughRefused { number }),
            (0, 0, _) | (1, 1, _) => {}
            (2.., _, _) | (_, 2.., _) => complaints.push(Complaint::Twice { number }),
            _ => complaints.push(Complaint::Torn { number }),
        }
    }
    for (account, (&stored, by_logs)) in books.balances.iter().zip(by_logs).enumerate() {
        if stored != by_logs {
            complaints.push(Complaint::Balance { account, stored, by_logs });
        }
    }
    complaints
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
    }
}
