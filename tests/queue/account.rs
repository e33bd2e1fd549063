//! The books: what was pushed, received, left over, and may have died with its client.

use std::fmt;

use super::consumer::Seen;

/// What all consumers together saw.
pub struct Account {
    /// How often each element was received.
    times: Vec<u32>,
    deaths: u64,
    timeouts: u64,
}

/// The sum of the books.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub pushed: u64,
    pub received: u64,
    pub left: u64,
    /// Not seen again, and not explained by a death.
    pub lost: u64,
    /// Not seen again; their clients died while they waited.
    pub with_the_dead: u64,
    pub doubled: u64,
    pub deaths: u64,
    pub timeouts: u64,
}

impl Account {
    pub fn new(rounds: u64) -> Account {
        Account { times: vec![0; rounds as usize], deaths: 0, timeouts: 0 }
    }

    pub fn add(&mut self, seen: Seen) {
        seen.received.iter().for_each(|&element| self.times[element as usize] += 1);
        self.deaths += seen.deaths;
        self.timeouts += seen.timeouts;
    }

    /// Closes the books; `left` are the elements that stand in lists.
    pub fn judge(mut self, left: &[u64]) -> Verdict {
        let received = self.times.iter().map(|&times| u64::from(times)).sum();
        left.iter().for_each(|&element| self.times[element as usize] += 1);
        let missing = self.times.iter().filter(|&&times| times == 0).count() as u64;
        let with_the_dead = missing.min(self.deaths);
        Verdict {
            pushed: self.times.len() as u64,
            received,
            left: left.len() as u64,
            lost: missing - with_the_dead,
            with_the_dead,
            doubled: self.times.iter().filter(|&&times| times > 1).count() as u64,
            deaths: self.deaths,
            timeouts: self.timeouts,
        }
    }
}

impl Verdict {
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { pushed, received, left, lost, with_the_dead, doubled, deaths, timeouts } =
            self;
        write!(
            f,
            "{pushed} pushed, {received} received, {left} left, {lost} lost, {doubled} doubled; \
             {deaths} clients killed while waiting ({with_the_dead} elements on their way to \
             them), {timeouts} timeouts"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(received: &[u64], deaths: u64) -> Account {
        let mut account = Account::new(4);
        account.add(Seen { received: received.to_vec(), deaths, timeouts: 0 });
        account
    }

    #[test]
    fn an_element_nobody_saw_is_lost_unless_a_client_died() {
        assert_eq!(account(&[0, 1], 0).judge(&[2]).lost, 1);
        assert_eq!(account(&[0, 1], 1).judge(&[2]).with_the_dead, 1);
        assert!(account(&[0, 1, 3], 0).judge(&[2]).is_clean());
    }

    #[test]
    fn an_element_seen_twice_is_doubled() {
        assert!(!account(&[0, 1, 1, 3], 0).judge(&[2]).is_clean());
        assert_eq!(account(&[0, 1, 3, 2], 0).judge(&[2]).doubled, 1);
    }
}
