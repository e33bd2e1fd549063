//! How far an exchange has come: one line on a terminal that overwrites itself, and nothing where
//! the standard error is no terminal.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time between two looks at the line.
const INTERVAL: Duration = Duration::from_millis(200);

pub(super) struct Meter {
    verb: &'static str,
    is_terminal: bool,
    started: Instant,
    told: Instant,
}

impl Meter {
    pub(super) fn new(verb: &'static str) -> Meter {
        let now = Instant::now();
        Meter { verb, is_terminal: std::io::stderr().is_terminal(), started: now, told: now }
    }

    /// `done` of `all` of whatever measures the work, and so many keys.
    pub(super) fn at(&mut self, done: u64, all: u64, keys: u64) {
        if !self.is_terminal || self.told.elapsed() < INTERVAL {
            return;
        }
        self.told = Instant::now();
        let percent = done.min(all) * 100 / all.max(1);
        let rate = keys as f64 / self.seconds();
        // A terminal that has gone away is no reason to end.
        let _ = write!(
            std::io::stderr(),
            "\r{} {percent:3} %  {keys} keys  {rate:.0} keys/s\x1b[K",
            self.verb
        );
    }

    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64().max(1e-6)
    }

    /// Takes the line off the terminal and says the last word.
    pub(super) fn end(self, said: &str) {
        drop(self);
        println!("{said}");
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if self.is_terminal {
            // As above.
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
