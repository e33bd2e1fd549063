//! Connections on their way in: accepted by the kernel, not yet served.
//!
//! Established connections come first, so arrivals wait in a queue of which a turn takes a bounded
//! number. When the process runs out of descriptors the listener pauses for a moment instead of
//! spinning on EMFILE: the backlog keeps the peers waiting, and closing connections make room.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};

/// New connections one turn of a core lets in; with the work of an accept at about 10 us it bounds
/// what a storm of connections costs the established ones per turn.
pub const ACCEPTS_PER_TURN_MAX: usize = 32;

/// Arrivals held while more keep coming; beyond it the listeners rest until some are served.
pub const ARRIVALS_HELD_MAX: usize = 1024;

/// How long a listener rests after accepting failed for want of descriptors or memory.
pub const EXHAUSTION_PAUSE_US: u64 = 100_000;

/// The log hears of exhaustion at most this often.
const COMPLAINT_INTERVAL_US: u64 = 1_000_000;

/// A connection nobody serves yet.
#[derive(Debug)]
pub struct Arrival {
    pub listener: u32,
    pub socket: OwnedFd,
    /// It has been decided that this core serves it.
    pub ours: bool,
}

/// What one core knows of connections on their way in.
#[derive(Default)]
pub struct Arrivals {
    queue: VecDeque<Arrival>,
    /// Listeners whose accept has ended and is wanted again.
    unarmed: Vec<u32>,
    /// Until then nothing is armed.
    rest_until_us: u64,
    complained_us: Option<u64>,
}

impl Arrivals {
    pub fn push(&mut self, arrival: Arrival) {
        self.queue.push_back(arrival);
    }

    pub fn pop(&mut self) -> Option<Arrival> {
        self.queue.pop_front()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// So many wait that the listeners should rest.
    pub fn is_crowded(&self) -> bool {
        self.queue.len() >= ARRIVALS_HELD_MAX
    }

    /// The accept of `listener` has ended and must be armed again.
    pub fn disarmed(&mut self, listener: u32) {
        debug_assert!(!self.unarmed.contains(&listener));
        self.unarmed.push(listener);
    }

    /// Accepting failed for want of descriptors or memory. True when the log should hear of it.
    pub fn exhausted(&mut self, now_us: u64) -> bool {
        self.rest_until_us = now_us + EXHAUSTION_PAUSE_US;
        let silent = self.complained_us.is_some_and(|at| now_us < at + COMPLAINT_INTERVAL_US);
        if !silent {
            self.complained_us = Some(now_us);
        }
        !silent
    }

    /// Moves the listeners that may be armed now into `ready`.
    pub fn take_ready(&mut self, now_us: u64, ready: &mut Vec<u32>) {
        if now_us >= self.rest_until_us && !self.is_crowded() {
            ready.append(&mut self.unarmed);
        }
    }

    /// When a listener that rests is to be armed again, if one rests.
    pub fn next_wake_us(&self) -> Option<u64> {
        (!self.unarmed.is_empty()).then_some(self.rest_until_us)
    }
}

/// How many connections each core serves or is about to serve. Counted when a connection is
/// assigned, not when it arrives, so that a burst accepted in one turn spreads evenly.
pub struct Census {
    cores: Vec<Counter>,
}

/// On a cache line of its own: cores change theirs without disturbing their neighbours.
#[repr(align(64))]
#[derive(Default)]
struct Counter(AtomicU32);

impl Census {
    pub fn new(cores: usize) -> Census {
        Census { cores: (0..cores).map(|_| Counter::default()).collect() }
    }

    /// The core that should serve the next connection: the one with the fewest, `here` when it is
    /// one of those. Counts it there.
    pub fn assign(&self, here: usize) -> usize {
        let load = |core: usize| self.cores[core].0.load(Ordering::Relaxed);
        let fewest = (0..self.cores.len()).map(load).min().unwrap_or(0);
        let chosen = if load(here) <= fewest {
            here
        } else {
            (0..self.cores.len()).find(|&core| load(core) <= fewest).unwrap_or(here)
        };
        self.count(chosen);
        chosen
    }

    /// `core` serves one more.
    pub fn count(&self, core: usize) {
        self.cores[core].0.fetch_add(1, Ordering::Relaxed);
    }

    /// `core` serves one fewer.
    pub fn discount(&self, core: usize) {
        let before = self.cores[core].0.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(before > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Arrivals, Census, EXHAUSTION_PAUSE_US};

    #[test]
    fn a_burst_is_spread_evenly_whoever_accepts_it() {
        let census = Census::new(3);
        let mut counts = [0; 3];
        for _ in 0..30 {
            counts[census.assign(1)] += 1;
        }
        assert_eq!(counts, [10, 10, 10]);
    }

    #[test]
    fn a_core_keeps_what_it_accepts_while_nobody_has_fewer() {
        let census = Census::new(2);
        assert_eq!(census.assign(1), 1);
        assert_eq!(census.assign(1), 0);
        census.discount(1);
        assert_eq!(census.assign(0), 1);
    }

    #[test]
    fn exhaustion_pauses_the_listener_instead_of_spinning() {
        let mut arrivals = Arrivals::default();
        let mut ready = Vec::new();
        arrivals.disarmed(4);
        arrivals.exhausted(1_000);

        arrivals.take_ready(1_000, &mut ready);
        assert!(ready.is_empty());
        assert_eq!(arrivals.next_wake_us(), Some(1_000 + EXHAUSTION_PAUSE_US));

        arrivals.take_ready(1_000 + EXHAUSTION_PAUSE_US, &mut ready);
        assert_eq!(ready, [4]);
        assert_eq!(arrivals.next_wake_us(), None);
    }

    #[test]
    fn the_log_hears_of_exhaustion_once_a_second() {
        let mut arrivals = Arrivals::default();
        assert!(arrivals.exhausted(0));
        assert!(!arrivals.exhausted(999_999));
        assert!(arrivals.exhausted(1_000_000));
    }

    #[test]
    fn a_listener_that_ended_for_another_reason_is_armed_at_once() {
        let mut arrivals = Arrivals::default();
        let mut ready = Vec::new();
        arrivals.disarmed(0);
        arrivals.take_ready(5, &mut ready);
        assert_eq!(ready, [0]);
    }
}
