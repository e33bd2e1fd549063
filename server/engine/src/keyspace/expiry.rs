//! When a key with a deadline must be looked at: 12 bits in its table word, and one lower bound
//! per slot, so that a sweep reads a slot only when something in it is due and an entry only when
//! that entry is.
//!
//! Time is counted in ticks of 32 ms. A key is due in the first tick that begins after its
//! deadline, so it is gone at most one tick and one sweep late. Twelve bits cannot hold a tick:
//!
//! ```text
//! 0            no deadline
//! 1..=2047     fine: the tick modulo 2047, plus 1; for the next 65 s
//! 2048..=4095  coarse: 64 ticks modulo 2048; for the next 70 min, and standing in for later
//! ```
//!
//! Both are read relative to a *base*, the tick up to which the slot has been swept. A coarse one
//! that comes due is looked at and written anew: early is harmless, late never happens. The base
//! follows the wall clock; when that is set back, a sweep rewrites every due field of the core.

use crate::base::time::UnixMillis;

/// Milliseconds of a tick: a third of what R2 allows (100 ms at p99), the rest is for the turn.
pub(super) const TICK_MS: i64 = 32;

const FINE_MODULUS: u64 = 2047;
const FINE_MAX: u64 = FINE_MODULUS - 1;
const COARSE_FLAG: u16 = 1 << 11;
const COARSE_TICKS: u64 = 64;
const COARSE_MODULUS: u64 = 2048;
const COARSE_MAX: u64 = COARSE_MODULUS - 1;

/// Slots that share a bound.
const GROUP_SLOTS: usize = 32;

/// No key of the slot is due, ever.
pub(super) const NEVER: u64 = u64::MAX;

/// A clock set back by less is waited out: the keys set meanwhile go this much later.
const SET_BACK_TICKS_MAX: u64 = 2;

/// The tick that `now` lies in.
#[inline]
pub(super) fn tick_of(now: UnixMillis) -> u64 {
    now.0.max(0) as u64 / TICK_MS as u64
}

/// The first tick that begins after `deadline`: in it the key has expired for certain.
#[inline]
pub(super) fn due_tick(deadline: UnixMillis) -> u64 {
    if deadline.0 < 0 { 0 } else { tick_of(deadline) + 1 }
}

/// The due field for `tick`, read relative to `base`; a tick that is past becomes the next one.
#[inline]
pub(super) fn encode(base: u64, tick: u64) -> u16 {
    let ahead = tick.saturating_sub(base).max(1);
    if ahead <= FINE_MAX {
        return ((base + ahead) % FINE_MODULUS) as u16 + 1;
    }
    let coarse = (tick / COARSE_TICKS).min(base / COARSE_TICKS + COARSE_MAX);
    COARSE_FLAG | (coarse % COARSE_MODULUS) as u16
}

/// The tick a due field stands for. At most the one it was made from, unless that was past.
#[inline]
pub(super) fn decode(base: u64, due: u16) -> u64 {
    debug_assert!(due != 0);
    if due & COARSE_FLAG == 0 {
        let phase = u64::from(due - 1) + FINE_MODULUS - base % FINE_MODULUS;
        return base + if phase >= FINE_MODULUS { phase - FINE_MODULUS } else { phase };
    }
    let coarse_base = base / COARSE_TICKS;
    let ahead = u64::from(due).wrapping_sub(coarse_base) % COARSE_MODULUS;
    (coarse_base + ahead) * COARSE_TICKS
}

/// How far the clock moved, as seen by a sweep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sweep {
    /// Look at what has come due.
    Forward,
    /// The clock jumped so far ahead that due fields written anew do not fit the old base: a slot
    /// must be done in one go.
    Leap,
    /// The clock was set back: write every due field anew.
    Back,
}

/// Longest step whose slots may be left half done: what is written anew relative to the old base
/// then still lies beyond the target.
const STEP_MAX: u64 = FINE_MAX / 2;

/// The state of one database's sweeps.
#[derive(Debug)]
pub(super) struct ExpiryIndex {
    /// A lower bound of the ticks of each slot.
    next_due: Vec<u64>,
    /// The same of each group of slots, so that a sweep with little to do passes most slots by
    /// the group.
    group_due: Vec<u64>,
    /// The same of the slots of the group under the cursor that the running sweep has passed.
    group_passed: u64,
    /// The tick all slots have been swept to, and due fields are relative to.
    base: u64,
    /// Where the running sweep leads; equal to `base` when none runs.
    target: u64,
    /// Slots below have been swept to `target` already, and are relative to it.
    cursor: usize,
    /// Bucket of the slot at `cursor` where the last visit ran out of budget.
    bucket: usize,
    /// A lower bound of `next_due`: nothing need be looked at before it.
    soonest: u64,
    /// The same of the slots that the running sweep has passed.
    soonest_passed: u64,
}

impl ExpiryIndex {
    /// The index of so many slots without a deadline.
    pub fn new(slots: usize, now: UnixMillis) -> ExpiryIndex {
        ExpiryIndex {
            next_due: vec![NEVER; slots],
            group_due: vec![NEVER; slots.div_ceil(GROUP_SLOTS)],
            group_passed: NEVER,
            base: tick_of(now),
            target: tick_of(now),
            cursor: 0,
            bucket: 0,
            soonest: NEVER,
            soonest_passed: NEVER,
        }
    }

    pub fn array_bytes(&self) -> usize {
        (self.next_due.capacity() + self.group_due.capacity()) * size_of::<u64>()
    }

    /// The due field for a key of the slot, which will be looked at in time.
    #[inline]
    pub fn admit(&mut self, slot: usize, deadline: UnixMillis) -> u16 {
        let base = self.base_of(slot);
        let due = encode(base, due_tick(deadline));
        self.lower(slot, decode(base, due));
        due
    }

    /// The tick that the due fields of a slot are relative to.
    #[inline]
    pub fn base_of(&self, slot: usize) -> u64 {
        if slot < self.cursor { self.target } else { self.base }
    }

    /// Whether this sweep or the next reads the slot at `tick` at the latest.
    pub fn reads_by(&self, slot: usize, tick: u64) -> bool {
        self.next_due[slot] <= tick && self.group_due[slot / GROUP_SLOTS] <= tick
    }

    /// The moment before which nothing is due; `None` when nothing ever is.
    pub fn soonest(&self) -> Option<UnixMillis> {
        let soonest = self.soonest.min(self.soonest_passed);
        (soonest != NEVER).then(|| UnixMillis((soonest as i64).saturating_mul(TICK_MS)))
    }

    /// Whether a sweep is under way or due at `now`; begins it. Where nothing is due the base
    /// just moves on.
    pub fn begin(&mut self, now: UnixMillis) -> bool {
        if self.target != self.base {
            return true;
        }
        let now = tick_of(now);
        if now > self.base && now < self.soonest || self.soonest == NEVER {
            self.base = now;
            self.target = now;
            return false;
        }
        if now > self.base || self.base - now > SET_BACK_TICKS_MAX {
            self.target = now;
            self.soonest_passed = NEVER;
            return true;
        }
        false
    }

    /// The kind of the running sweep.
    pub fn sweep(&self) -> Sweep {
        match self.target.checked_sub(self.base) {
            None => Sweep::Back,
            Some(step) if step > STEP_MAX => Sweep::Leap,
            Some(_) => Sweep::Forward,
        }
    }

    /// The next slot of the running sweep with something to look at, and how many slots were
    /// passed on the way; ends the sweep when there is none.
    pub fn next_slot(&mut self) -> (Option<usize>, usize) {
        let back = self.target < self.base;
        let from = self.cursor;
        while let Some(&due) = self.next_due.get(self.cursor) {
            if self.cursor.is_multiple_of(GROUP_SLOTS) {
                let group_due = self.group_due[self.cursor / GROUP_SLOTS];
                if group_due > self.target && !back {
                    self.soonest_passed = self.soonest_passed.min(group_due);
                    self.cursor = (self.cursor + GROUP_SLOTS).min(self.next_due.len());
                    continue;
                }
                self.group_passed = NEVER;
            }
            if due <= self.target || (back && due != NEVER) {
                return (Some(self.cursor), self.cursor - from);
            }
            self.pass(due);
        }
        let passed = self.cursor - from;
        self.soonest = self.soonest_passed;
        self.soonest_passed = NEVER;
        self.base = self.target;
        self.cursor = 0;
        (None, passed)
    }

    /// The tick that due fields of the slot under the cursor are relative to.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// The tick the sweep leads to.
    pub fn target(&self) -> u64 {
        self.target
    }

    /// Where in the slot under the cursor to begin.
    pub fn bucket(&self) -> usize {
        self.bucket
    }

    /// The due field that replaces one which came due too early. In a leap, and when the clock was
    /// set back, it is relative to the target, because the slot is left only when it is done.
    pub fn renew(&self, deadline: UnixMillis) -> (u16, u64) {
        self.renew_tick(due_tick(deadline))
    }

    /// As [`ExpiryIndex::renew`], from the tick.
    pub fn renew_tick(&self, tick: u64) -> (u16, u64) {
        let base = if self.sweep() == Sweep::Forward { self.base } else { self.target };
        let due = encode(base, tick);
        (due, decode(base, due))
    }

    /// The slot under the cursor is done; `due` is the soonest tick left in it.
    pub fn slot_done(&mut self, due: u64) {
        self.next_due[self.cursor] = due;
        self.bucket = 0;
        self.pass(due);
    }

    /// The budget ended in this bucket of the slot under the cursor.
    pub fn slot_left(&mut self, bucket: usize) {
        self.bucket = bucket;
    }

    /// The cursor leaves a slot behind.
    #[inline]
    fn pass(&mut self, due: u64) {
        self.group_passed = self.group_passed.min(due);
        self.soonest_passed = self.soonest_passed.min(due);
        self.cursor += 1;
        if self.cursor.is_multiple_of(GROUP_SLOTS) || self.cursor == self.next_due.len() {
            self.group_due[(self.cursor - 1) / GROUP_SLOTS] = self.group_passed;
        }
    }

    #[inline]
    fn lower(&mut self, slot: usize, tick: u64) {
        let due = &mut self.next_due[slot];
        if tick < *due {
            *due = tick;
            let group_due = &mut self.group_due[slot / GROUP_SLOTS];
            *group_due = tick.min(*group_due);
            self.soonest = self.soonest.min(tick);
            if slot < self.cursor {
                self.group_passed = self.group_passed.min(tick);
                self.soonest_passed = self.soonest_passed.min(tick);
            }
        }
    }
}
