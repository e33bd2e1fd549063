//! A queue between clients: some push numbers, others wait for them with BLPOP. What a client has
//! been given must not be in the queue after a crash, though it was another's push that gave it.

use std::collections::BTreeMap;

use freehold_engine::shard::testing::{TestClient, TestNode};
use freehold_tests::numbered::numbers;

use super::books::ask;
use super::run::UNPROMISED;

/// Numbers that have been pushed and popped, and when that was told.
#[derive(Clone, Default)]
pub struct Jobs {
    next: u64,
    pushed: BTreeMap<u64, Option<u64>>,
    popped: BTreeMap<u64, u64>,
    /// Clients that wait for a number: one of them may have been taken for each.
    waiting: usize,
}

pub const WAIT: &str = "BLPOP jobs 0";

impl Jobs {
    /// The next push.
    pub fn push(&mut self) -> (u64, String) {
        self.next += 1;
        self.pushed.insert(self.next, None);
        (self.next, format!("RPUSH jobs {}", self.next))
    }

    pub fn wait(&mut self) {
        self.waiting += 1;
    }

    pub fn push_told(&mut self, number: u64, refused: bool, told_us: u64) {
        if refused {
            self.pushed.remove(&number);
        } else {
            self.pushed.insert(number, Some(told_us));
        }
    }

    /// A client that waited has been given `number`, or was refused.
    pub fn pop_told(&mut self, number: Option<u64>, told_us: u64) {
        self.waiting -= 1;
        self.popped.extend(number.map(|number| (number, told_us)));
    }

    /// All that was told without a promise is promised at `now_us`.
    pub fn promise(&mut self, now_us: u64) {
        let told = self.pushed.values_mut().flatten().chain(self.popped.values_mut());
        told.filter(|told_us| **told_us == UNPROMISED).for_each(|told_us| *told_us = now_us);
    }

    /// Compares with a recovered node. Returns what is in the queue.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(
        &self,
        node: &mut TestNode,
        at: TestClient,
        limit_us: u64,
    ) -> Result<Vec<u64>, String> {
        let queue = numbers(&ask(node, at, "LRANGE jobs 0 -1"));
        if let Some(number) = queue.iter().find(|number| !self.pushed.contains_key(number)) {
            return Err(format!("job {number} was never pushed"));
        }
        let given = |number: &&u64| self.popped.get(number).is_some_and(|told| *told <= limit_us);
        if let Some(number) = queue.iter().find(given) {
            return Err(format!("job {number} was given away and is there again"));
        }
        let told = self.pushed.iter().filter(|(_, told)| told.is_some_and(|told| told <= limit_us));
        let gone: Vec<u64> = told
            .map(|(number, _)| *number)
            .filter(|number| !queue.contains(number) && !self.popped.contains_key(number))
            .collect();
        match gone.len() <= self.waiting {
            true => Ok(queue),
            false => Err(format!("jobs {gone:?} are gone, and {} waited", self.waiting)),
        }
    }

    /// The node goes on with this queue, and nobody waits.
    pub fn settle(&mut self, queue: Vec<u64>) {
        self.pushed = queue.into_iter().map(|number| (number, Some(0))).collect();
        self.popped.clear();
        self.waiting = 0;
    }
}
