//! The one word by which the cores a blocked client waits on agree who serves it. An element is
//! taken only after the claim, and a timeout counts only if it gets there first, so nothing is
//! lost or answered twice.

use std::sync::atomic::{AtomicU8, Ordering};

const WAITING: u8 = 0;
const TAKEN: u8 = 1;
const ENDED: u8 = 2;
/// Taken, and to end if the taker finds nothing after all.
const TAKEN_AND_LATE: u8 = 3;

/// Shared by the client's core and every core it waits on.
#[derive(Default, Debug)]
pub struct Claim(AtomicU8);

impl Claim {
    fn change(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whoever gets true serves the client, or puts the claim back.
    pub fn take(&self) -> bool {
        self.change(WAITING, TAKEN)
    }

    /// There was nothing to take after all. False: the client's time is over meanwhile, and the
    /// taker is to say so.
    pub fn put_back(&self) -> bool {
        self.change(TAKEN, WAITING) || !self.change(TAKEN_AND_LATE, ENDED)
    }

    /// The client stops waiting. False: somebody is about to serve it and will answer in any case.
    pub fn end(&self) -> bool {
        loop {
            if self.change(WAITING, ENDED) {
                return true;
            }
            if self.change(TAKEN, TAKEN_AND_LATE) || self.0.load(Ordering::Acquire) >= ENDED {
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_core_serves_a_client() {
        let claim = Claim::default();
        assert!(claim.take());
        assert!(!claim.take());
        assert!(claim.put_back());
        assert!(claim.take());
    }

    #[test]
    fn a_timeout_counts_only_before_the_claim() {
        let claim = Claim::default();
        assert!(claim.end());
        assert!(!claim.take());

        let claim = Claim::default();
        assert!(claim.take());
        assert!(!claim.end());
        assert!(!claim.put_back(), "the taker finds nothing and tells of the timeout");
        assert!(!claim.take());
    }
}
