//! The keys a transaction over several cores has asked this core to keep still.
//!
//! A transaction carries a ticket; lower tickets go first. `prepare` grants all its keys here or
//! none: it waits behind lower tickets it conflicts with, and is refused when a higher ticket
//! already holds one of its keys, so that waiting is only ever for lower tickets and no circle of
//! cores can form. The refused one releases everywhere and asks again with its old ticket, which
//! by then is lower than most: nobody starves. Single-key commands pay one `is_empty`.

use std::collections::BTreeMap;

use crate::base::collections::FingerprintMap;

/// Names a transaction and its place in the order; unique in the node.
pub type Ticket = u64;

/// A key as the lock table sees it: its 64-bit hash. Two keys of one hash wait for each other
/// without need, which costs a few microseconds once in an age.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LockKey {
    pub fingerprint: u64,
    pub write: bool,
}

/// What a transaction wants of this core.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wanted {
    Keys(Vec<LockKey>),
    /// Everything: FLUSHALL, SWAPDB, and what looks at all keys inside a transaction.
    Whole,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted::Keys(Vec::new())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prepared {
    Granted,
    /// Will be granted by a later [`Locks::release`].
    Waits,
    /// A higher ticket is in the way: release everywhere and come again.
    Refused,
}

#[derive(Default)]
struct Holders {
    /// `(ticket, write)`, few: readers of one key, or one writer.
    by: Vec<(Ticket, bool)>,
}

/// The lock table of one core.
#[derive(Default)]
pub struct Locks {
    granted: BTreeMap<Ticket, Wanted>,
    waiting: BTreeMap<Ticket, Wanted>,
    held: FingerprintMap<Holders>,
    whole: Option<Ticket>,
}

impl Locks {
    pub fn new() -> Locks {
        Locks::default()
    }

    /// Nothing is held: the one branch of the single-key path.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.granted.is_empty()
    }

    /// A transaction holds the whole core.
    pub fn holds_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// Whether a command on this key has to wait.
    pub fn blocks(&self, key: LockKey) -> bool {
        if self.whole.is_some() {
            return true;
        }
        self.held
            .get(&key.fingerprint)
            .is_some_and(|holders| holders.by.iter().any(|&(_, write)| write || key.write))
    }

    /// Asks for `wanted` on behalf of `ticket`.
    pub fn prepare(&mut self, ticket: Ticket, wanted: Wanted) -> Prepared {
        debug_assert!(!self.granted.contains_key(&ticket) && !self.waiting.contains_key(&ticket));
        if self.granted.iter().any(|(&holder, held)| holder > ticket && conflict(held, &wanted)) {
            return Prepared::Refused;
        }
        if self.must_wait(ticket, &wanted) {
            self.waiting.insert(ticket, wanted);
            return Prepared::Waits;
        }
        self.grant(ticket, wanted);
        Prepared::Granted
    }

    /// `ticket` lets go of everything, or gives up waiting. Returns the tickets granted thereby.
    pub fn release(&mut self, ticket: Ticket) -> Vec<Ticket> {
        self.waiting.remove(&ticket);
        match self.granted.remove(&ticket) {
            Some(Wanted::Keys(keys)) => keys.iter().for_each(|key| self.drop_key(ticket, *key)),
            Some(Wanted::Whole) => self.whole = None,
            None => {}
        }
        let mut granted = Vec::new();
        for candidate in self.waiting.keys().copied().collect::<Vec<_>>() {
            let Some(wanted) = self.waiting.remove(&candidate) else { continue };
            if self.must_wait(candidate, &wanted) {
                self.waiting.insert(candidate, wanted);
            } else {
                self.grant(candidate, wanted);
                granted.push(candidate);
            }
        }
        granted
    }

    /// In the way are all holders, and lower tickets that wait themselves: overtaking one of those
    /// would make it wait for a higher ticket.
    fn must_wait(&self, ticket: Ticket, wanted: &Wanted) -> bool {
        self.granted.values().any(|held| conflict(held, wanted))
            || self.waiting.range(..ticket).any(|(_, ahead)| conflict(ahead, wanted))
    }

    fn grant(&mut self, ticket: Ticket, wanted: Wanted) {
        match &wanted {
            Wanted::Keys(keys) => {
                for key in keys {
                    self.held.entry(key.fingerprint).or_default().by.push((ticket, key.write));
                }
            }
            Wanted::Whole => self.whole = Some(ticket),
        }
        self.granted.insert(ticket, wanted);
    }

    fn drop_key(&mut self, ticket: Ticket, key: LockKey) {
        let Some(holders) = self.held.get_mut(&key.fingerprint) else { return };
        holders.by.retain(|&(holder, _)| holder != ticket);
        if holders.by.is_empty() {
            self.held.remove(&key.fingerprint);
        }
    }
}

fn conflict(a: &Wanted, b: &Wanted) -> bool {
    let (Wanted::Keys(a), Wanted::Keys(b)) = (a, b) else { return true };
    a.iter().any(|x| b.iter().any(|y| x.fingerprint == y.fingerprint && (x.write || y.write)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[(u64, bool)]) -> Wanted {
        let key = |&(fingerprint, write)| LockKey { fingerprint, write };
        Wanted::Keys(keys.iter().map(key).collect())
    }

    #[test]
    fn readers_share_a_key_and_a_writer_does_not() {
        let mut locks = Locks::new();
        assert_eq!(locks.prepare(1, keys(&[(7, false)])), Prepared::Granted);
        assert_eq!(locks.prepare(2, keys(&[(7, false)])), Prepared::Granted);
        assert_eq!(locks.prepare(3, keys(&[(7, true)])), Prepared::Waits);
        assert!(!locks.blocks(LockKey { fingerprint: 7, write: false }));
        assert!(locks.blocks(LockKey { fingerprint: 7, write: true }));
        assert_eq!(locks.release(1), []);
        assert_eq!(locks.release(2), [3]);
    }

    #[test]
    fn a_lower_ticket_never_waits_for_a_higher_one() {
        let mut locks = Locks::new();
        assert_eq!(locks.prepare(9, keys(&[(7, true)])), Prepared::Granted);
        assert_eq!(locks.prepare(4, keys(&[(7, true)])), Prepared::Refused);
        assert_eq!(locks.release(9), []);
        assert_eq!(locks.prepare(4, keys(&[(7, true)])), Prepared::Granted);
    }

    #[test]
    fn a_higher_ticket_does_not_overtake_one_that_waits_for_another_key() {
        let mut locks = Locks::new();
        assert_eq!(locks.prepare(1, keys(&[(1, true)])), Prepared::Granted);
        assert_eq!(locks.prepare(2, keys(&[(1, true), (2, true)])), Prepared::Waits);
        assert_eq!(locks.prepare(3, keys(&[(2, true)])), Prepared::Waits);
        assert_eq!(locks.release(1), [2]);
        assert_eq!(locks.release(2), [3]);
        assert_eq!(locks.release(3), []);
        assert!(locks.is_empty() && locks.held.is_empty());
    }

    #[test]
    fn the_whole_core_conflicts_with_every_key() {
        let mut locks = Locks::new();
        assert_eq!(locks.prepare(1, Wanted::Whole), Prepared::Granted);
        assert!(locks.blocks(LockKey { fingerprint: 1, write: false }));
        assert_eq!(locks.prepare(2, keys(&[(1, false)])), Prepared::Waits);
        assert_eq!(locks.release(1), [2]);
        assert!(!locks.blocks(LockKey { fingerprint: 1, write: false }));
    }
}
