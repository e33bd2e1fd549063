//! A disk that takes its time, and what everysec promises on it. The disk is quick, steady or slow
//! for some seconds and changes without a warning; slow it takes up to three seconds to make
//! anything durable.
//!
//! No rule that replies before it has synced can keep a promise on a disk that turns slow the
//! moment after. What is true of any disk, and checked here against what the disk has done:
//!
//! 1. What was acknowledged 1.1 s before survives, unless something slow came after it was sent.
//! 2. From when a sync is seen to be late until it has been over for ten seconds, everything
//!    acknowledged survives.
//! 3. Lost acknowledged changes of one core were made within 0.8 s of each other.
//!
//! Transactions over several cores tie their logs together: what follows one counts only if its
//! parts are in all of them. With them the first holds if none of the cores had anything slow.

use freehold_engine::disk::{FileName, Operation};
use freehold_tests::random::Random;

/// What is told so long before a loss survives.
const WINDOW_US: u64 = 1_100_000;

/// A sync that takes longer is late: replies wait for it.
const LATE_US: u64 = 800_000;

/// After one that was late, for so long.
const WARY_US: u64 = 10_000_000;

/// From one turn of a core to its next no more time passes.
const TURN_US: u64 = 100_000;

/// Syncs that take no longer may happen twice in a row, with turns between, within the window.
const STEADY_US: u64 = 350_000;

/// Other operations of a disk that is not slow.
const QUICK_US: u64 = 2_000;

/// Something that took longer.
#[derive(Clone, Copy, Debug)]
struct Slow {
    core: usize,
    begun_us: u64,
    ended_us: u64,
    /// It was to make changes durable.
    syncs: bool,
}

/// How long operations take.
#[derive(Clone)]
pub struct Delays {
    random: Random,
    /// What making durable takes at most, until when.
    most_us: u64,
    until_us: u64,
    slow: Vec<Slow>,
}

impl Delays {
    pub fn new(seed: u64) -> Delays {
        Delays { random: Random::new(seed), most_us: 0, until_us: 0, slow: Vec::new() }
    }

    /// Time begins again with a new life of the host.
    pub fn begin_life(&mut self) {
        (self.most_us, self.until_us) = (0, 0);
        self.slow.clear();
    }

    /// When `operation`, which begins now, has ended; `syncs`: it makes changes durable.
    pub fn end_us(&mut self, core: usize, operation: &Operation, syncs: bool, now_us: u64) -> u64 {
        if now_us >= self.until_us {
            self.most_us = *self.random.pick(&[QUICK_US, QUICK_US, STEADY_US, 900_000, 3_000_000]);
            self.until_us = now_us + 100_000 + self.random.below(8_000_000) as u64;
        }
        let most_us = match operation {
            Operation::Sync(_) | Operation::SyncDirectory => self.most_us,
            Operation::Write { durable: true, .. } => self.most_us,
            // Writes and setting aside wait for a disk that has too much to do, now and then.
            _ if self.most_us > STEADY_US && self.random.percent(5) => self.most_us,
            _ => QUICK_US,
        };
        let usual_us = match operation {
            Operation::Sync(_) => STEADY_US,
            _ => QUICK_US,
        };
        let ended_us = now_us + self.random.below(most_us as usize + 1) as u64;
        if ended_us - now_us > usual_us && concerns_log(operation) {
            self.slow.push(Slow { core, begun_us: now_us, ended_us, syncs });
        }
        ended_us
    }

    /// Whether something slow was under way on the core, or on any, between these moments.
    fn was_slow(&self, core: Option<usize>, from_us: u64, to_us: u64) -> bool {
        let ours = |slow: &&Slow| core.is_none_or(|core| slow.core == core);
        let meets = |slow: &Slow| slow.begun_us <= to_us && slow.ended_us >= from_us;
        self.slow.iter().filter(ours).any(meets)
    }

    /// Whether replies had to wait for the disk all the time between these moments.
    fn had_to_wait(&self, core: usize, from_us: u64, to_us: u64) -> bool {
        let late = |slow: &&Slow| slow.syncs && slow.ended_us - slow.begun_us > LATE_US + TURN_US;
        self.slow.iter().filter(|slow| slow.core == core).filter(late).any(|slow| {
            let noticed_us = slow.begun_us + LATE_US + TURN_US;
            noticed_us <= from_us && to_us < slow.ended_us + WARY_US
        })
    }
}

/// Whether what is in a log, or its name, can wait for it: nothing waits for a snapshot.
fn concerns_log(operation: &Operation) -> bool {
    match operation {
        Operation::Sync(file)
        | Operation::Write { file, .. }
        | Operation::Allocate { file, .. } => {
            matches!(file, FileName::Log { .. })
        }
        _ => true,
    }
}

/// The power goes at `crash_us`: what has to survive.
pub struct Promise<'d> {
    pub crash_us: u64,
    pub delays: Option<&'d Delays>,
    /// Transactions tie the logs of several cores together.
    pub tied: bool,
    /// The disk may have been full, or a log in trouble that a later one has ended: what was
    /// refused meanwhile is not there, and what came later is.
    pub refuses: bool,
}

impl Promise<'_> {
    /// What was told before this moment is durable, whatever the policy; on a disk that may be
    /// slow only what was durable when it was told, which is told at 0.
    pub fn limit_us(&self) -> u64 {
        match self.delays {
            Some(_) => 0,
            None => self.crash_us.saturating_sub(WINDOW_US),
        }
    }

    /// Whether a change of `core` has to survive.
    pub fn holds(&self, core: usize, sent_us: u64, told_us: u64) -> bool {
        let Some(delays) = self.delays else { return told_us <= self.limit_us() };
        let long_ago = told_us <= self.crash_us.saturating_sub(WINDOW_US);
        let cores = if self.tied { None } else { Some(core) };
        told_us == 0
            || long_ago && !delays.was_slow(cores, sent_us, self.crash_us)
            || !self.tied && delays.had_to_wait(core, sent_us, told_us)
    }

    /// Whether changes of one core, sent and told at these moments, can all be lost.
    pub fn may_lose_all(&self, changes: impl Iterator<Item = (u64, u64)>) -> bool {
        if self.delays.is_none() || self.tied {
            return true;
        }
        let (mut first_told_us, mut last_sent_us) = (u64::MAX, 0);
        for (sent_us, told_us) in changes {
            first_told_us = first_told_us.min(told_us);
            last_sent_us = last_sent_us.max(sent_us);
        }
        last_sent_us.saturating_sub(first_told_us) <= LATE_US
    }
}
