//! The keys a transaction over several cores has asked this core to keep still.
//!
//! A transaction carries a ticket; lower tickets go first. `prepare` grants all its keys here or
//! none. It waits behind whoever holds one of them, and behind lower tickets that wait for one. A
//! *higher* ticket that holds one is asked to yield: if it still waits somewhere itself it lets go
//! of everything, on all cores, and queues again behind the lower one; if it holds all it wants it
//! is running, and will be done soon. So nobody waits for a higher ticket that waits: no circle of
//! cores can form, and the lowest ticket of all is never turned away, so that nobody starves.
//! (Refusing the lower ticket and letting it ask again was tried: two writers that kept coming back
//! kept two readers, who needed both to be gone at once, waiting for ever.)
//!
//! Single-key commands pay one `is_empty`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::base::collections::FingerprintMap;
use crate::mesh::CoreId;

/// Names a transaction and its place in the order; unique in the node.
pub type Ticket = u64;

/// Bits of a ticket that name the core which leads the transaction.
const LEADER_BITS: u32 = 16;

/// The ticket with this number, led by this core. 48 bits of numbers last nine years at a million
/// transactions a second.
pub fn ticket(number: u64, leader: CoreId) -> Ticket {
    number << LEADER_BITS | u64::from(leader.0)
}

/// The core that leads a transaction.
pub fn leader_of(ticket: Ticket) -> CoreId {
    CoreId(ticket as u16)
}

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
    /// In order of fingerprints, each once.
    Keys(Vec<LockKey>),
    /// Everything: FLUSHALL, SWAPDB, and what looks at all keys inside a transaction.
    Whole,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted::Keys(Vec::new())
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Prepared {
    Granted,
    /// Will be granted by a later [`Locks::grant_next`]. These higher tickets are in the way and
    /// are to be asked to yield.
    Waits(Vec<Ticket>),
}

/// Who holds a key: `(ticket, write)`, few: readers of one key, or one writer.
#[derive(Default)]
struct Holders {
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
        self.whole.is_some() || self.holders_against(key).next().is_some()
    }

    fn holders_against(&self, key: LockKey) -> impl Iterator<Item = Ticket> {
        let holders = self.held.get(&key.fingerprint).map_or(&[][..], |holders| &holders.by);
        holders.iter().filter(move |(_, write)| *write || key.write).map(|&(holder, _)| holder)
    }

    /// Asks for `wanted` on behalf of `ticket`.
    pub fn prepare(&mut self, ticket: Ticket, wanted: Wanted) -> Prepared {
        debug_assert!(!self.granted.contains_key(&ticket) && !self.waiting.contains_key(&ticket));
        let mut holders = self.in_the_way(&wanted);
        let lower_waits = self.waiting.range(..ticket).any(|(_, ahead)| conflict(ahead, &wanted));
        if holders.is_empty() && !lower_waits {
            self.grant(ticket, wanted);
            return Prepared::Granted;
        }
        self.waiting.insert(ticket, wanted);
        holders.retain(|&holder| holder > ticket);
        Prepared::Waits(holders)
    }

    /// Who holds what is wanted, each once.
    fn in_the_way(&self, wanted: &Wanted) -> Vec<Ticket> {
        let mut holders: Vec<Ticket> = match (wanted, self.whole) {
            (Wanted::Whole, _) => return self.granted.keys().copied().collect(),
            (Wanted::Keys(_), Some(whole)) => return vec![whole],
            (Wanted::Keys(keys), None) => {
                keys.iter().flat_map(|key| self.holders_against(*key)).collect()
            }
        };
        holders.sort_unstable();
        holders.dedup();
        holders
    }

    /// `ticket` lets go of everything, or gives up waiting.
    pub fn release(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
        match self.granted.remove(&ticket) {
            Some(Wanted::Keys(keys)) => keys.iter().for_each(|key| self.drop_key(ticket, *key)),
            Some(Wanted::Whole) => self.whole = None,
            None => {}
        }
    }

    /// Grants those who need wait no longer, and names them. In the way are all holders, and lower
    /// tickets that wait themselves: overtaking one of those would make it wait for a higher one.
    pub fn grant_next(&mut self) -> Vec<Ticket> {
        let mut granted = Vec::new();
        let mut ahead: Vec<(Ticket, Wanted)> = Vec::new();
        for (ticket, wanted) in std::mem::take(&mut self.waiting) {
            let overtakes = ahead.iter().any(|(_, other)| conflict(other, &wanted));
            if overtakes || !self.in_the_way(&wanted).is_empty() {
                ahead.push((ticket, wanted));
            } else {
                self.grant(ticket, wanted);
                granted.push(ticket);
            }
        }
        self.waiting = ahead.into_iter().collect();
        granted
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
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        match x.fingerprint.cmp(&y.fingerprint) {
            Ordering::Less => drop(a.next()),
            Ordering::Greater => drop(b.next()),
            Ordering::Equal if x.write || y.write => return true,
            Ordering::Equal => drop((a.next(), b.next())),
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[(u64, bool)]) -> Wanted {
        let key = |&(fingerprint, write)| LockKey { fingerprint, write };
        Wanted::Keys(keys.iter().map(key).collect())
    }

    fn release(locks: &mut Locks, ticket: Ticket) -> Vec<Ticket> {
        locks.release(ticket);
        locks.grant_next()
    }

    #[test]
    fn a_ticket_knows_its_leader_and_its_place() {
        let (first, second) = (ticket(7, CoreId(300)), ticket(8, CoreId(2)));
        assert!(first < second);
        assert_eq!((leader_of(first), leader_of(second)), (CoreId(300), CoreId(2)));
    }

    #[test]
    fn readers_share_a_key_and_a_writer_does_not() {
        let mut locks = Locks::new();
        assert_eq!(locks.prepare(1, keys(&[(7, false)])), Prepared::Granted);
        assert_eq!(locks.prepare(2, keys(&[(7, false)])), Prepared::Granted);
        assert_eq!(locks.prepare(3, keys(&[(7, true)])), Prepared::Waits(vec![]));
        assert!(!locks.blocks(LockKey { fingerprint: 7, write: false }));
        assert!(locks.blocks(LockKey { fingerprint: 7, write: true }));
        assert_eq!(release(&mut locks, 1), []);
        assert_eq!(release(&mut locks, 2), [3]);
    }

    #[test]
    fn a_higher_ticket_in_the_way_of_a_lower_one_is_named_and_comes_behind_it() {
        let mut locks = Locks::new();
        assert_eq!(locks.prepare(9, keys(&[(6, true), (7, true)])), Prepared::Granted);
        assert_eq!(locks.prepare(4, keys(&[(6, true), (7, true)])), Prepared::Waits(vec![9]));
        assert_eq!(release(&mut locks, 9), [4]);
        assert_eq!(locks.prepare(9, keys(&[(7, true)])), Prepared::Waits(vec![]));
        assert_eq!(release(&mut locks, 4), [9]);
    }

    #[test]
    fn a_higher_ticket_does_not_overtake_one_that_waits_for_another_key() {
        let mut locks = Locks::new();
        assert_eq!(locks.prepare(1, keys(&[(1, true)])), Prepared::Granted);
        assert_eq!(locks.prepare(2, keys(&[(1, true), (2, true)])), Prepared::Waits(vec![]));
        assert_eq!(locks.prepare(3, keys(&[(2, true)])), Prepared::Waits(vec![]));
        assert_eq!(release(&mut locks, 1), [2]);
        assert_eq!(release(&mut locks, 2), [3]);
        assert_eq!(release(&mut locks, 3), []);
        assert!(locks.is_empty() && locks.held.is_empty());
    }

    #[test]
    fn the_whole_core_conflicts_with_every_key() {
        let mut locks = Locks::new();
        assert_eq!(locks.prepare(1, Wanted::Whole), Prepared::Granted);
        assert!(locks.blocks(LockKey { fingerprint: 1, write: false }));
        assert_eq!(locks.prepare(2, keys(&[(1, false)])), Prepared::Waits(vec![]));
        assert_eq!(release(&mut locks, 1), [2]);
        assert!(!locks.blocks(LockKey { fingerprint: 1, write: false }));
        assert_eq!(locks.prepare(0, Wanted::Whole), Prepared::Waits(vec![2]));
        assert_eq!(locks.prepare(3, keys(&[(5, false)])), Prepared::Waits(vec![]));
    }
}
