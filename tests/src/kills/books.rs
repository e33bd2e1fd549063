//! What one writer has written to keys of its own, and what must be there after a kill.

use std::time::{Duration, Instant};

use crate::client::Client;
use crate::numbered::Kind;

/// Accounts between which money is moved; together they hold nothing.
pub const ACCOUNTS: usize = 8;

/// A key begins anew after so many writes: what is read back after each kill stays short.
const WRITES_MAX: u64 = 400;

/// The writes of one writer of one kind. The first `acknowledged` are there for certain, up to
/// `sent` may be: requests of one connection take effect in their order.
#[derive(Clone, Debug)]
pub struct Track {
    kind: Kind,
    writer: usize,
    /// Which key: they are left behind when they are long.
    series: u64,
    /// Numbers in the key of this series, in order.
    sent: Vec<u64>,
    /// When each of the first was acknowledged; none: a server has started with it.
    acknowledged: Vec<Option<Instant>>,
    next: u64,
    total: u64,
    refused: Option<u64>,
}

impl Track {
    pub fn new(kind: Kind, writer: usize) -> Track {
        Track {
            kind,
            writer,
            series: 0,
            sent: Vec::new(),
            acknowledged: Vec::new(),
            next: 1,
            total: 0,
            refused: None,
        }
    }

    fn key(&self) -> String {
        format!("{:?}:{}:{}", self.kind, self.writer, self.series)
    }

    /// The next write: its number and its requests.
    pub fn next(&mut self) -> (u64, Vec<String>) {
        let n = self.next;
        self.next += 1;
        self.sent.push(n);
        (n, self.kind.requests(&self.key(), n))
    }

    /// The reply to write `number` has come.
    pub fn told(&mut self, number: u64, refused: bool) {
        if refused {
            self.refused = Some(number);
        }
        let count = self.sent.iter().take_while(|sent| **sent <= number).count();
        self.acknowledged.resize(count, Some(Instant::now()));
        self.total += 1;
    }

    /// Writes acknowledged since the last [`Track::settle`].
    pub fn acknowledged(&self) -> u64 {
        self.total
    }

    /// Asks a server and compares. Returns how many writes it holds. It must hold what had been
    /// acknowledged by `due`, or all that was.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, client: &mut Client, due: Option<Instant>) -> Result<usize, String> {
        let ask = |line: &str| client.call(&line.split(' ').collect::<Vec<_>>());
        let held = self.kind.held(&self.key(), &self.sent, ask)?;
        self.judge(&held, due)
    }

    /// # Errors
    /// What is wrong with what a key holds.
    pub fn judge(&self, held: &[u64], due: Option<Instant>) -> Result<usize, String> {
        let key = self.key();
        if let Some(refused) = self.refused {
            return Err(format!("{key}: write {refused} was refused"));
        }
        if !self.sent.starts_with(held) {
            return Err(format!("{key} holds {held:?}, sent was {:?}", self.sent));
        }
        let in_time =
            |told: &&Option<Instant>| due.is_none_or(|due| told.is_none_or(|at| at <= due));
        let demanded = self.acknowledged.iter().take_while(in_time).count();
        let lost = self.sent.get(held.len()..demanded).unwrap_or_default();
        if let (Some(first), Some(last)) = (lost.first(), lost.last()) {
            let count = lost.len();
            return Err(format!(
                "{key} has lost acknowledged writes: {count} from {first} to {last}"
            ));
        }
        Ok(held.len())
    }

    /// For how long the oldest write had been acknowledged at `end` that a server with the first
    /// `held` has lost.
    pub fn lost(&self, held: usize, end: Instant) -> Option<Duration> {
        self.acknowledged.get(held)?.map(|at| end.saturating_duration_since(at))
    }

    /// A server has started with the first `held` writes. Returns how many of them had not been
    /// acknowledged.
    pub fn settle(&mut self, held: usize) -> u64 {
        let more = held.saturating_sub(self.acknowledged.len());
        self.sent.truncate(held);
        (self.acknowledged, self.total) = (vec![None; held], 0);
        if held as u64 > WRITES_MAX {
            self.series += 1;
            self.sent.clear();
            self.acknowledged.clear();
        }
        more as u64
    }
}
