//! Where a connection gets its next operation from.
//!
//! Operations are drawn once for all connections of an executor and belong to the endpoint that
//! owns their key. One drawn for another endpoint waits in that endpoint's backlog, so routing
//! does not change how often a key is asked for. Backlogs are bounded: in a closed loop drawing
//! then pauses (the slow endpoint sets the pace, as for any client that pipelines in order); in an
//! open loop what is due beyond the bound is dropped and counted as an error.

use std::collections::VecDeque;

use crate::closed::Budget;
use crate::cluster::Router;
use crate::open::Schedule;
use crate::workload::{Kind, Mix, Operation};

/// Operations waiting for one endpoint in a closed loop.
const CLOSED_BACKLOG_MAX: usize = 4096;
/// Operations due and not sent in an open loop: a second of a million a second. More would only
/// measure how long the run has been going.
const OPEN_BACKLOG_MAX: usize = 1 << 20;

/// How long after its end an open loop still sends what was due before it. A server that keeps up
/// needs a moment; one that does not would stretch the run by as much as it is behind.
const GRACE_NS: u64 = 1_000_000_000;

/// What is drawn.
pub enum Draw {
    /// Every key of a range once, as a write.
    Fill {
        next: u64,
        end: u64,
    },
    Mix(Mix),
}

/// The operations of one executor in one phase.
pub struct Source {
    draw: Draw,
    budget: Budget,
    schedule: Option<Schedule>,
    backlogs: Vec<VecDeque<Operation>>,
    /// Drawn for an endpoint whose backlog is full.
    held: Option<(usize, Operation)>,
    overrun: u64,
}

impl Source {
    pub fn new(draw: Draw, budget: Budget, schedule: Option<Schedule>) -> Source {
        Source { draw, budget, schedule, backlogs: Vec::new(), held: None, overrun: 0 }
    }

    /// Makes room for endpoints up to `count`.
    pub fn endpoints(&mut self, count: usize) {
        self.backlogs.resize_with(count.max(self.backlogs.len()), VecDeque::new);
    }

    pub fn is_open(&self) -> bool {
        self.schedule.is_some()
    }

    /// In an open loop: moves what has become due to the backlogs.
    pub fn arrive(&mut self, now_ns: u64, router: &mut Router) {
        let Some(schedule) = &mut self.schedule else { return };
        if now_ns >= self.budget.until_ns().saturating_add(GRACE_NS) {
            self.overrun += self.backlogs.iter().map(|backlog| backlog.len() as u64).sum::<u64>();
            self.drop_unsent();
            return;
        }
        // Requests due at the very end still belong to the run, later ones do not.
        let upto = now_ns.min(self.budget.until_ns() - 1);
        while self.budget.left() > 0 {
            let Some(due_ns) = schedule.take(upto) else { return };
            self.budget.take(0);
            let Some(operation) = next_of(&mut self.draw) else { return };
            let endpoint = router.endpoint_of(operation.key);
            let backlog = &mut self.backlogs[endpoint];
            if backlog.len() < OPEN_BACKLOG_MAX {
                backlog.push_back(Operation { since_ns: due_ns.max(1), ..operation });
            } else {
                self.overrun += 1;
            }
        }
    }

    /// The next operation for `endpoint`, if there is one now.
    #[inline]
    pub fn next(&mut self, endpoint: usize, now_ns: u64, router: &mut Router) -> Option<Operation> {
        if self.schedule.is_some() {
            return self.backlogs[endpoint].pop_front();
        }
        if self.budget.is_over(now_ns) {
            self.drop_unsent();
            return None;
        }
        if let Some(operation) = self.backlogs[endpoint].pop_front() {
            return Some(operation);
        }
        loop {
            let (owner, operation) = match self.held.take() {
                Some(held) => held,
                None if self.budget.take(now_ns) => {
                    let operation = next_of(&mut self.draw)?;
                    (router.endpoint_of(operation.key), operation)
                }
                None => return None,
            };
            if owner == endpoint {
                return Some(operation);
            }
            let backlog = &mut self.backlogs[owner];
            if backlog.len() >= CLOSED_BACKLOG_MAX {
                self.held = Some((owner, operation));
                return None;
            }
            backlog.push_back(operation);
        }
    }

    /// Puts an operation that could not be done in front of what waits for `endpoint`.
    pub fn again(&mut self, endpoint: usize, operation: Operation) {
        self.backlogs[endpoint].push_front(operation);
    }

    /// Operations due for `endpoint`.
    pub fn waiting(&self, endpoint: usize) -> usize {
        self.backlogs[endpoint].len()
    }

    /// After the map has changed: files everything that waits under its owner again.
    pub fn reroute(&mut self, router: &mut Router) {
        let mut waiting: Vec<Operation> =
            self.backlogs.iter_mut().flat_map(std::mem::take).collect();
        waiting.sort_by_key(|operation| operation.since_ns);
        for operation in waiting {
            self.backlogs[router.endpoint_of(operation.key)].push_back(operation);
        }
    }

    /// Whether nothing is waiting and nothing more will come.
    pub fn is_exhausted(&self, now_ns: u64) -> bool {
        let drawn = match &self.draw {
            Draw::Fill { next, end } => next == end,
            Draw::Mix(_) => false,
        };
        (drawn || self.budget.is_spent(now_ns))
            && (self.held.is_none() && self.backlogs.iter().all(VecDeque::is_empty)
                || !self.is_open() && self.budget.is_over(now_ns))
    }

    /// When something becomes due next, in an open loop.
    pub fn next_due_ns(&self) -> Option<u64> {
        let next_ns = self.schedule.as_ref()?.next_ns();
        (self.budget.left() > 0 && next_ns < self.budget.until_ns()).then_some(next_ns)
    }

    /// Operations that should have been sent and never were: called once, at the end. In a closed
    /// loop whose time is over there are none, however many were allowed.
    pub fn unsent(&mut self, now_ns: u64) -> u64 {
        if self.is_open() {
            return self.waiting_in_all() + std::mem::take(&mut self.overrun);
        }
        if self.budget.is_over(now_ns) {
            return 0;
        }
        match &self.draw {
            Draw::Fill { next, end } => end - next + self.waiting_in_all(),
            Draw::Mix(_) => self.budget.left() + self.waiting_in_all(),
        }
    }

    fn waiting_in_all(&self) -> u64 {
        let held = u64::from(self.held.is_some());
        held + self.backlogs.iter().map(|backlog| backlog.len() as u64).sum::<u64>()
    }

    /// Forgets what was drawn and not sent: in a closed loop whose time is over it never happened.
    #[cold]
    fn drop_unsent(&mut self) {
        self.held = None;
        self.backlogs.iter_mut().for_each(VecDeque::clear);
    }
}

#[inline]
fn next_of(draw: &mut Draw) -> Option<Operation> {
    match draw {
        Draw::Mix(mix) => Some(mix.draw()),
        Draw::Fill { next, end } => {
            let key = *next;
            *next += u64::from(key < *end);
            (key < *end).then_some(Operation { key, since_ns: 0, salt: 1, kind: Kind::Write })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::session::Address;
    use crate::workload::{Keys, Pattern, Share};

    fn router() -> Router {
        let keys = Arc::new(Keys::new(100, "k", 8, Pattern::Uniform).expect("valid"));
        Router::new(keys, Address::Unix("x".into()), None)
    }

    fn mix() -> Draw {
        let keys = Arc::new(Keys::new(100, "k", 8, Pattern::Uniform).expect("valid"));
        Draw::Mix(Mix::new(keys, Share::Only(Kind::Read), 1, 0))
    }

    #[test]
    fn a_fill_yields_every_key_of_its_range_once() {
        let mut router = router();
        let draw = Draw::Fill { next: 10, end: 15 };
        let mut source = Source::new(draw, Budget::new(u64::MAX, u64::MAX), None);
        source.endpoints(1);
        let keys: Vec<u64> =
            std::iter::from_fn(|| source.next(0, 0, &mut router)).map(|op| op.key).collect();
        assert_eq!(keys, [10, 11, 12, 13, 14]);
        assert!(source.is_exhausted(0));
    }

    #[test]
    fn requests_wait_with_their_due_time_when_the_server_stalls() {
        let mut router = router();
        let schedule = Schedule::even(1_000, 1e6); // one a microsecond
        let mut source = Source::new(mix(), Budget::new(u64::MAX, 1_000_000), Some(schedule));
        source.endpoints(1);
        source.arrive(500, &mut router);
        assert_eq!(source.next(0, 500, &mut router), None);

        source.arrive(50_000, &mut router); // 49 us without anybody asking
        assert_eq!(source.waiting(0), 50);
        let first = source.next(0, 50_000, &mut router).expect("it is due");
        assert_eq!(first.since_ns, 1_000, "latency counts from the intended start");
        assert_eq!(source.next_due_ns(), Some(51_000));
    }

    #[test]
    fn an_open_loop_sends_exactly_what_was_due_before_the_end() {
        let mut router = router();
        let schedule = Schedule::even(0, 1e6);
        let mut source = Source::new(mix(), Budget::new(u64::MAX, 10_000), Some(schedule));
        source.endpoints(1);
        source.arrive(99_000, &mut router);
        assert_eq!(source.waiting(0), 10);
        assert!(!source.is_exhausted(99_000));
        while source.next(0, 99_000, &mut router).is_some() {}
        assert!(source.is_exhausted(99_000));
    }

    #[test]
    fn an_open_loop_far_behind_ends_and_counts_what_it_never_sent() {
        let mut router = router();
        let schedule = Schedule::even(0, 1e6);
        let mut source = Source::new(mix(), Budget::new(u64::MAX, 10_000), Some(schedule));
        source.endpoints(1);
        source.arrive(5_000, &mut router);
        assert!(source.next(0, 5_000, &mut router).is_some());
        source.arrive(10_000, &mut router);
        source.arrive(10_000 + GRACE_NS, &mut router);
        assert!(source.is_exhausted(10_000 + GRACE_NS));
        assert_eq!(source.unsent(10_000 + GRACE_NS), 9);
    }

    #[test]
    fn a_closed_loop_that_is_over_forgets_what_it_did_not_send() {
        let mut router = router();
        let mut source = Source::new(mix(), Budget::new(u64::MAX, 100), None);
        source.endpoints(1);
        let operation = source.next(0, 99, &mut router).expect("there is time");
        source.again(0, operation);
        assert_eq!(source.next(0, 100, &mut router), None);
        assert!(source.is_exhausted(100));
    }
}
