//! What the requests and the clock of the mount share: the tree, the syncs under way, and whether
//! there is power. A sync that takes time is answered by a thread of its own, so that it stops no
//! other request.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use fuser::{Errno, ReplyEmpty, ReplyWrite};

use super::tree::{Synced, Tree};
use super::{Cut, Nature};
use crate::crash::Crash;
use crate::random::Random;

/// Who waits for a sync.
pub enum Waiting {
    Sync(ReplyEmpty),
    /// A write with O_DSYNC of so many bytes.
    Write(ReplyWrite, u32),
}

impl Waiting {
    fn answer(self, outcome: Result<(), Errno>) {
        match (self, outcome) {
            (Waiting::Sync(reply), Ok(())) => reply.ok(),
            (Waiting::Write(reply, bytes), Ok(())) => reply.written(bytes),
            (Waiting::Sync(reply), Err(errno)) => reply.error(errno),
            (Waiting::Write(reply, _), Err(errno)) => reply.error(errno),
        }
    }
}

/// A sync under way.
struct Sync {
    waiting: Waiting,
    synced: Synced,
    fails: bool,
}

pub struct State {
    pub tree: Tree,
    /// What readers of directories go through, by their descriptors.
    pub listings: BTreeMap<u64, Vec<(std::ffi::OsString, u64)>>,
    pub next_handle: u64,
    nature: Nature,
    random: Random,
    powered: bool,
    /// Syncs take their time.
    slow: bool,
    ended: bool,
    /// By when they end; the number keeps those of one moment apart.
    under_way: BTreeMap<(Instant, u64), Sync>,
    syncs: u64,
}

impl State {
    /// # Errors
    /// EIO without power.
    pub fn powered(&mut self) -> Result<&mut Tree, Errno> {
        if self.powered { Ok(&mut self.tree) } else { Err(Errno::EIO) }
    }

    fn end(&mut self, sync: Sync) {
        let Sync { waiting, synced, fails } = sync;
        if fails {
            self.tree.settle(&synced, false);
            waiting.answer(Err(Errno::EIO));
            return;
        }
        if !self.nature.lies {
            self.tree.settle(&synced, true);
        }
        waiting.answer(Ok(()));
    }

    /// The power goes, at once and for all of it; syncs under way have not happened.
    fn cut(&mut self) -> Cut {
        self.powered = false;
        let under_way = std::mem::take(&mut self.under_way);
        let cut =
            Cut { crash: Crash::of_power(&mut self.random), syncs_under_way: under_way.len() };
        self.tree.lose_power(cut.crash, &mut self.random);
        under_way.into_values().for_each(|sync| sync.waiting.answer(Err(Errno::EIO)));
        cut
    }
}

/// The state and its clock.
pub struct Shared {
    state: Mutex<State>,
    /// A sync is under way that may end before all others, or all has ended.
    changed: Condvar,
}

impl Shared {
    pub fn new(nature: Nature) -> Arc<Shared> {
        let state = State {
            tree: Tree::new(nature.loses),
            listings: BTreeMap::new(),
            next_handle: 1,
            random: Random::new(nature.seed),
            nature,
            powered: true,
            slow: true,
            ended: false,
            under_way: BTreeMap::new(),
            syncs: 0,
        };
        Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        // Requests leave the state whole at every step; one that panicked has told why.
        self.state.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Answers when what is synced is durable, as long as that takes.
    pub fn sync(&self, state: &mut State, synced: Synced, waiting: Waiting) {
        state.syncs += 1;
        let fails = state.nature.failing_sync == Some(state.syncs);
        let drawn = state.nature.delay.draw(&mut state.random);
        let delay = if state.slow { drawn } else { Duration::ZERO };
        let sync = Sync { waiting, synced, fails };
        if delay.is_zero() {
            state.end(sync);
            return;
        }
        let key = (Instant::now() + delay, state.syncs);
        state.under_way.insert(key, sync);
        if state.under_way.first_key_value().is_some_and(|(first, _)| *first == key) {
            self.changed.notify_all();
        }
    }

    /// Ends syncs as their time comes, until [`Shared::end`].
    pub fn run_clock(&self) {
        let mut state = self.state();
        while !state.ended {
            let now = Instant::now();
            match state.under_way.first_key_value().map(|(key, _)| *key) {
                None => {
                    state = self.changed.wait(state).unwrap_or_else(|broken| broken.into_inner());
                }
                Some((due, _)) if due > now => {
                    let waited = self.changed.wait_timeout(state, due - now);
                    state = waited.unwrap_or_else(|broken| broken.into_inner()).0;
                }
                Some(key) => {
                    if let Some(sync) = state.under_way.remove(&key) {
                        state.end(sync);
                    }
                }
            }
        }
    }

    pub fn cut(&self) -> Cut {
        self.state().cut()
    }

    pub fn power_on(&self) {
        self.state().powered = true;
    }

    pub fn set_slow(&self, slow: bool) {
        self.state().slow = slow;
    }

    /// Syncs that have begun so far.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Stops the clock; who still waits is told that there is no power.
    pub fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        let under_way = std::mem::take(&mut state.under_way);
        under_way.into_values().for_each(|sync| sync.waiting.answer(Err(Errno::EIO)));
        self.changed.notify_all();
    }
}
