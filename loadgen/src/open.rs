//! The open loop's clock: when each request is due, whatever the server does.
//!
//! Due times follow from the rate alone. A request that could not be sent in time keeps its due
//! time, and its latency counts from there: a stall of a second shows in every request that was
//! due in that second (no coordinated omission).

use crate::workload::Dice;

/// Due times of one executor's share of the load.
#[derive(Clone, Debug)]
pub struct Schedule {
    next_ns: f64,
    gap_ns: f64,
    /// Present when gaps are exponential, as of many independent clients.
    dice: Option<Dice>,
}

impl Schedule {
    /// Evenly spaced requests, the first at `start_ns`.
    pub fn even(start_ns: u64, per_second: f64) -> Schedule {
        assert!(per_second > 0.0, "the plan refuses a rate of nothing");
        Schedule { next_ns: start_ns as f64, gap_ns: 1e9 / per_second, dice: None }
    }

    /// Requests at random with the same rate on average.
    pub fn poisson(start_ns: u64, per_second: f64, seed: u64) -> Schedule {
        Schedule { dice: Some(Dice::new(seed)), ..Schedule::even(start_ns, per_second) }
    }

    /// The due time of the next request when that has come; it is then used up.
    #[inline]
    pub fn take(&mut self, now_ns: u64) -> Option<u64> {
        if self.next_ns > now_ns as f64 {
            return None;
        }
        let due = self.next_ns as u64;
        self.next_ns += match &mut self.dice {
            None => self.gap_ns,
            Some(dice) => -(1.0 - dice.unit()).ln() * self.gap_ns,
        };
        Some(due)
    }

    pub fn next_ns(&self) -> u64 {
        self.next_ns as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_times_depend_on_the_rate_and_not_on_when_they_are_asked_for() {
        let mut prompt = Schedule::even(1_000, 1_000_000.0);
        let mut late = prompt.clone();
        let asked_often: Vec<u64> = (0..=10_000).filter_map(|now| prompt.take(now)).collect();
        let asked_once: Vec<u64> = std::iter::from_fn(|| late.take(10_000)).collect();
        assert_eq!(asked_often, (1_000..=10_000).step_by(1_000).collect::<Vec<_>>());
        assert_eq!(asked_once, asked_often, "a stall of the generator loses no request");
    }

    #[test]
    fn random_arrivals_keep_the_rate() {
        let mut schedule = Schedule::poisson(0, 100_000.0, 5);
        let arrivals = std::iter::from_fn(|| schedule.take(1_000_000_000)).count();
        assert!((99_000..101_000).contains(&arrivals), "{arrivals}");
    }
}
