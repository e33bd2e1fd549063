//! What the clients of a run share: names of keys, numbers that nobody else uses, one clock.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use super::Plan;
use crate::random::Random;

pub const ACCOUNTS: usize = 16;
/// What stands in each account when a round begins.
pub const OPENING: i64 = 1_000;
/// Lists that are appended to at the same time.
pub const LISTS: usize = 6;
/// Appends after which a list retires, so that reading one whole stays cheap.
const APPENDS_MAX: u32 = 64;

/// Everything shared; it lives as long as the run, so that numbers are unique over its rounds.
pub struct Stage {
    pub address: String,
    seed: u64,
    pub accounts: Vec<String>,
    pub logs: Vec<String>,
    clock: Instant,
    next_transfer: AtomicU64,
    round_end: AtomicU64,
    rounds: AtomicU64,
    round_is_over: AtomicBool,
    next_session: AtomicU32,
    next_value: AtomicU64,
    /// Appends to each live list and those before it in its place.
    appends: [AtomicU32; LISTS],
    /// Which list was the first of the round in each place.
    first_lists: [AtomicU32; LISTS],
    /// The last MSET of the twins that was acknowledged.
    pub twins_set: AtomicU64,
}

impl Stage {
    pub fn new(plan: &Plan) -> Stage {
        Stage {
            address: plan.address.clone(),
            seed: plan.seed,
            accounts: (0..ACCOUNTS).map(account).collect(),
            logs: (0..ACCOUNTS).map(log).collect(),
            clock: Instant::now(),
            next_transfer: AtomicU64::new(0),
            round_end: AtomicU64::new(0),
            rounds: AtomicU64::new(0),
            round_is_over: AtomicBool::new(false),
            next_session: AtomicU32::new(0),
            next_value: AtomicU64::new(1),
            appends: Default::default(),
            first_lists: Default::default(),
            twins_set: AtomicU64::new(0),
        }
    }

    pub fn begin_round(&self, end: u64) {
        self.round_end.store(end, Ordering::Relaxed);
        self.rounds.fetch_add(1, Ordering::Relaxed);
        for (appends, first) in self.appends.iter().zip(&self.first_lists) {
            let turn = appends.load(Ordering::Relaxed).div_ceil(APPENDS_MAX);
            appends.store(turn * APPENDS_MAX, Ordering::Relaxed);
            first.store(turn, Ordering::Relaxed);
        }
        self.round_is_over.store(false, Ordering::Release);
    }

    pub fn end_round(&self) {
        self.round_is_over.store(true, Ordering::Release);
    }

    pub fn is_over(&self) -> bool {
        self.round_is_over.load(Ordering::Acquire)
    }

    /// The seed of one client of this round.
    pub fn seed_of(&self, client: u64) -> u64 {
        let round = self.rounds.load(Ordering::Relaxed);
        Random::new(self.seed ^ round << 40 ^ client << 20).word()
    }

    /// Nanoseconds since the run began.
    pub fn now(&self) -> u64 {
        self.clock.elapsed().as_nanos() as u64
    }

    /// Numbers for at most `count` transfers, or nothing when the round has no more.
    pub fn take(&self, count: u64) -> Option<Range<u64>> {
        let end = self.round_end.load(Ordering::Relaxed);
        let first = self
            .next_transfer
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
                (next < end).then_some((next + count).min(end))
            })
            .ok()?;
        Some(first..(first + count).min(end))
    }

    /// Transfers begun so far.
    pub fn begun(&self) -> u64 {
        self.next_transfer.load(Ordering::Relaxed)
    }

    pub fn session(&self) -> u32 {
        self.next_session.fetch_add(1, Ordering::Relaxed)
    }

    /// A value that nobody else appends.
    pub fn value(&self) -> u64 {
        self.next_value.fetch_add(1, Ordering::Relaxed)
    }

    /// The list that is appended to in this place just now.
    pub fn list(&self, place: usize) -> u32 {
        let turn = self.appends[place].load(Ordering::Relaxed) / APPENDS_MAX;
        turn * LISTS as u32 + place as u32
    }

    /// The list to append to in this place; counts the append.
    pub fn list_to_append(&self, place: usize) -> u32 {
        let turn = self.appends[place].fetch_add(1, Ordering::Relaxed) / APPENDS_MAX;
        turn * LISTS as u32 + place as u32
    }

    /// All lists of the round.
    pub fn round_lists(&self) -> Vec<u32> {
        let of_place = |place: usize| {
            let first = self.first_lists[place].load(Ordering::Relaxed);
            let last = self.appends[place].load(Ordering::Relaxed) / APPENDS_MAX;
            (first..=last).map(move |turn| turn * LISTS as u32 + place as u32)
        };
        (0..LISTS).flat_map(of_place).collect()
    }
}

pub fn account(index: usize) -> String {
    format!("account:{index}")
}

fn log(index: usize) -> String {
    format!("log:{index}")
}

pub fn list_name(list: u32) -> String {
    format!("list:{list}")
}

#[cfg(test)]
mod tests {
    use freehold_protocol::Slot;

    use super::{ACCOUNTS, LISTS, Plan, Stage, account, list_name, log};

    /// Cores own ranges of slots, so on up to four cores each quarter must hold something.
    fn quarters(names: impl Iterator<Item = String>) -> [usize; 4] {
        let mut counts = [0; 4];
        for name in names {
            counts[Slot::of_key(name.as_bytes()).index() / 4096] += 1;
        }
        counts
    }

    #[test]
    fn accounts_and_logs_are_spread_over_every_core() {
        assert_eq!(quarters((0..ACCOUNTS).map(account)), [4; 4]);
        assert!(quarters((0..ACCOUNTS).map(log)).into_iter().all(|count| count >= 2));
        assert!(quarters((0..LISTS as u32).map(list_name)).into_iter().all(|count| count >= 1));
    }

    #[test]
    fn lists_retire_and_are_not_used_again_in_the_next_round() {
        let plan =
            Plan { address: String::new(), truth: String::new(), transfers: 9, round: 5, seed: 1 };
        let stage = Stage::new(&plan);
        stage.begin_round(5);
        let first: Vec<u32> = (0..65).map(|_| stage.list_to_append(2)).collect();
        assert_eq!((first[0], first[63], first[64]), (2, 2, 8));
        assert!(stage.round_lists().contains(&2) && stage.round_lists().contains(&8));

        stage.begin_round(9);
        assert_eq!(stage.list(2), 14);
        assert!(!stage.round_lists().contains(&8));
        assert_eq!(stage.round_lists().len(), LISTS);
    }
}
