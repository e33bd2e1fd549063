//! What is asked next: read or write, and of which key.
//!
//! An [`Operation`] is what travels from the draw to the answer: small, `Copy`, and enough to
//! encode the request, to time it and to check what came back.

use std::sync::Arc;

use super::keys::Keys;
use super::random::Dice;

/// What an operation is to the reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Read,
    Write,
    /// A command of the user's own, of which only time and errors are known.
    Other,
}

/// One request, from its draw to its answer.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Operation {
    pub key: u64,
    /// When it was meant to start; 0 means when its batch is sent.
    pub since_ns: u64,
    /// The version a write carries; of a verified read the floor its answer must reach.
    pub salt: u32,
    pub kind: Kind,
}

/// How operations are drawn.
#[derive(Clone, Debug)]
pub struct Mix {
    keys: Arc<Keys>,
    dice: Dice,
    cursor: u64,
    share: Share,
}

/// Which kinds are drawn.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Share {
    Only(Kind),
    /// Reads with this probability, writes otherwise.
    Reads(f64),
}

impl Mix {
    /// `first` is where a sequential pattern begins.
    pub fn new(keys: Arc<Keys>, share: Share, seed: u64, first: u64) -> Mix {
        Mix { keys, dice: Dice::new(seed), cursor: first, share }
    }

    /// The next operation; `since_ns` is left to whoever schedules it.
    #[inline]
    pub fn draw(&mut self) -> Operation {
        let kind = match self.share {
            Share::Only(kind) => kind,
            Share::Reads(share) if self.dice.unit() < share => Kind::Read,
            Share::Reads(_) => Kind::Write,
        };
        let key = self.keys.draw(&mut self.dice, &mut self.cursor);
        Operation { key, since_ns: 0, salt: self.dice.next() as u32, kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::keys::Pattern;

    #[test]
    fn reads_and_writes_come_in_the_ratio_asked_for() {
        let keys = Arc::new(Keys::new(100, "k", 16, Pattern::Uniform).expect("valid"));
        let mut mix = Mix::new(keys, Share::Reads(0.9), 3, 0);
        let reads = (0..100_000).filter(|_| mix.draw().kind == Kind::Read).count();
        assert!((89_500..90_500).contains(&reads), "{reads}");
    }
}
