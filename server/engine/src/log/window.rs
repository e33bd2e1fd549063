//! The window of `appendfsync everysec`: whether replies may leave before what they tell is
//! durable, so that 1.1 s later it is. How long the disk will take is not known beforehand, only
//! what it took, so the window closes on what is seen of the oldest change that is not durable:
//!
//! ```text
//! change ──── sync begins ──── durable       within LATE_US: open, replies do not wait
//!        ──── sync begins ──────────────┆──  later: closed, as under always, until everything has
//!             (or a write waits, or the file's      been durable in time for WARY_US
//!              name, or space: all alike)
//! ```
//! A disk that is never late keeps the promise with some tenths of a second to spare. One that
//! turns slow without a warning can break it only for what was acknowledged in the LATE_US from
//! the first such change on: no rule that replies before it syncs does better.

use std::collections::VecDeque;

/// From the beginning of one sync to that of the next, while the window is open.
pub(super) const SYNC_EVERY_US: u64 = 250_000;

/// A change that is older and not durable closes the window.
const LATE_US: u64 = 800_000;

/// What was acknowledged so long ago is durable, with a disk that is not late.
const PROMISED_US: u64 = 1_100_000;

/// What a turn may be late by itself: clocks are read once in it.
const TURN_US: u64 = 200_000;

const _: () = assert!(LATE_US + TURN_US < PROMISED_US);

/// A disk that needs half of what is allowed is not late: a change waits for a sync that began
/// before it, and for its own.
const _: () = assert!(SYNC_EVERY_US < LATE_US / 2);

/// How long a disk has to be in time after it was late.
const WARY_US: u64 = 10_000_000;

/// Changes of so long a time are of one age, that of the first.
const MARK_EVERY_US: u64 = 20_000;

/// More ages are not told apart: with so many the window is closed.
const MARKS_MAX: usize = 64;

const _: () = assert!(MARKS_MAX as u64 * MARK_EVERY_US > LATE_US);

/// Changes from `from` on, in bytes of records, were made at `since_us` or later.
#[derive(Clone, Copy, Debug)]
struct Mark {
    from: u64,
    since_us: u64,
}

/// How old the changes of a log are that are not durable, and what the disk has been like.
#[derive(Debug)]
pub struct Window {
    /// In order; without any, everything is durable.
    marks: VecDeque<Mark>,
    /// Where the last change ends that has been seen.
    seen: u64,
    /// What was last made durable was so in time.
    proven: bool,
    /// After a disk that was late, until then.
    wary_until_us: u64,
}

impl Window {
    /// Of a log that begins at `records`, on a disk nothing is known of.
    pub fn new(records: u64) -> Window {
        Window { marks: VecDeque::new(), seen: records, proven: false, wary_until_us: 0 }
    }

    /// Of the log that follows at `records`, on the same disk.
    pub fn next(&self, records: u64) -> Window {
        let Window { proven, wary_until_us, .. } = *self;
        Window { proven, wary_until_us, ..Window::new(records) }
    }

    /// What the disk was like to another log, where that was worse.
    pub fn heed(&mut self, other: &Window) {
        self.wary_until_us = self.wary_until_us.max(other.wary_until_us);
    }

    /// There are changes up to `end`.
    pub fn changed(&mut self, end: u64, now_us: u64) {
        if end <= self.seen {
            return;
        }
        let apart = |last: &Mark| now_us.saturating_sub(last.since_us) >= MARK_EVERY_US;
        if self.marks.back().is_none_or(apart) && self.marks.len() < MARKS_MAX {
            self.marks.push_back(Mark { from: self.seen, since_us: now_us });
        }
        self.seen = end;
    }

    /// There are changes up to `end`, and nobody is promised anything of them.
    pub fn changed_without_promise(&mut self, end: u64) {
        self.marks.clear();
        self.seen = end.max(self.seen);
    }

    /// Changes up to `end` are durable.
    pub fn durable(&mut self, end: u64, now_us: u64) {
        let Some(first) = self.marks.front() else { return };
        if end <= first.from {
            return;
        }
        self.proven = !self.has_late(now_us);
        if !self.proven {
            self.wary_until_us = now_us.saturating_add(WARY_US);
        }
        while self.marks.get(1).is_some_and(|mark| mark.from <= end) {
            self.marks.pop_front();
        }
        if end >= self.seen {
            self.marks.clear();
        }
    }

    /// Whether replies may leave before what they tell is durable.
    #[inline]
    pub fn is_open(&self, now_us: u64) -> bool {
        self.proven && !self.is_wary(now_us)
    }

    /// The disk is late, or was and has not been in time for long enough since.
    pub fn is_wary(&self, now_us: u64) -> bool {
        let was_late = self.wary_until_us > 0;
        now_us < self.wary_until_us || was_late && !self.proven || self.has_late(now_us)
    }

    fn has_late(&self, now_us: u64) -> bool {
        let late = |first: &Mark| now_us.saturating_sub(first.since_us) > LATE_US;
        self.marks.front().is_some_and(late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000;

    /// A window that has seen a disk be in time, with changes up to 10.
    fn open() -> Window {
        let mut window = Window::new(0);
        window.changed(10, 0);
        assert!(!window.is_open(0), "nothing is known of the disk");
        window.durable(10, MS);
        assert!(window.is_open(MS));
        window
    }

    #[test]
    fn a_change_that_is_long_not_durable_closes_it_and_a_time_of_good_syncs_opens_it() {
        let mut window = open();
        window.changed(20, 100 * MS);
        window.changed(30, 300 * MS);
        assert!(window.is_open(900 * MS));
        assert!(!window.is_open(901 * MS));
        window.durable(20, 950 * MS);
        assert!(window.is_wary(1_000 * MS), "it was late");
        window.durable(30, 1_000 * MS);
        assert!(!window.is_open(10_949 * MS));
        assert!(window.is_open(10_950 * MS));
    }

    #[test]
    fn a_disk_that_was_late_and_then_idle_has_still_to_show_that_it_is_quick() {
        let mut window = open();
        window.changed(20, 0);
        window.durable(20, 3_000 * MS);
        assert!(!window.is_open(60_000 * MS));
        window.changed(30, 60_000 * MS);
        window.durable(30, 60_010 * MS);
        assert!(window.is_open(60_010 * MS));
    }

    #[test]
    fn the_age_is_that_of_the_oldest_change_that_is_not_durable() {
        let mut window = open();
        for at in 1..=200 {
            window.changed(10 + at, at * 10 * MS);
            window.durable(10 + at.saturating_sub(40), at * 10 * MS);
            assert!(window.is_open(at * 10 * MS), "{at}: 0.4 s old at most");
        }
        for at in 201..=10_000 {
            window.changed(10 + at, at * 10 * MS);
            assert!(window.marks.len() <= MARKS_MAX);
        }
        assert!(!window.is_open(100_000 * MS));
    }

    #[test]
    fn the_next_log_on_the_disk_knows_what_it_is_like() {
        let mut window = open();
        assert!(window.next(10).is_open(MS));
        let mut next = window.next(10);
        window.changed(20, 0);
        window.durable(20, 900 * MS);
        next.heed(&window);
        assert!(!next.is_open(901 * MS));
        assert!(next.is_open(10_900 * MS));
    }
}
