//! The closed loop's bounds: how many requests, and until when.
//!
//! In a closed loop a request starts when an answer has made room, so all it takes is a budget;
//! the pace is the server's.

/// Requests that may still be drawn.
#[derive(Clone, Debug)]
pub struct Budget {
    left: u64,
    until_ns: u64,
}

impl Budget {
    /// `requests` in number, none from `until_ns` on.
    pub fn new(requests: u64, until_ns: u64) -> Budget {
        Budget { left: requests, until_ns }
    }

    /// Takes one request out of the budget.
    #[inline]
    pub fn take(&mut self, now_ns: u64) -> bool {
        if self.is_spent(now_ns) {
            return false;
        }
        self.left -= 1;
        true
    }

    pub fn is_spent(&self, now_ns: u64) -> bool {
        self.left == 0 || self.is_over(now_ns)
    }

    /// Whether the time is over.
    pub fn is_over(&self, now_ns: u64) -> bool {
        now_ns >= self.until_ns
    }

    pub fn until_ns(&self) -> u64 {
        self.until_ns
    }

    pub fn left(&self) -> u64 {
        self.left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_by_number_or_by_time_whichever_is_first() {
        let mut budget = Budget::new(2, 100);
        assert!(budget.take(0) && budget.take(99));
        assert!(!budget.take(99), "two were allowed");
        let mut budget = Budget::new(2, 100);
        assert!(!budget.take(100), "the time is over");
    }
}
