//! How far a long run has come, on the error output: one line that is written over on a terminal,
//! a line for every tenth elsewhere, so that a log stays short.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often a terminal's line is written anew.
const STEP: Duration = Duration::from_millis(200);

pub struct Progress {
    total: u64,
    /// What is counted, in the plural.
    unit: &'static str,
    started: Instant,
    shown: Option<Instant>,
    terminal: bool,
    tenths: u64,
}

impl Progress {
    pub fn new(total: u64, unit: &'static str) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        Progress { total, unit, started: Instant::now(), shown: None, terminal, tenths: 0 }
    }

    /// Tells that `done` of all are done, and `note`.
    pub fn at(&mut self, done: u64, note: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        if self.terminal {
            if self.shown.is_some_and(|shown| shown.elapsed() < STEP) {
                return;
            }
            self.shown = Some(Instant::now());
            eprint!("\r{}\x1b[K", self.line(done, seconds, note));
            // A line that cannot be shown is no reason to stop.
            let _ = std::io::stderr().flush();
            return;
        }
        let tenths = 10 * done / self.total.max(1);
        if tenths > self.tenths {
            self.tenths = tenths;
            eprintln!("{}", self.line(done, seconds, note));
        }
    }

    /// Clears a terminal's line.
    pub fn end(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }

    fn line(&self, done: u64, seconds: f64, note: &str) -> String {
        let (total, unit) = (self.total, self.unit);
        let percent = 100 * done / total.max(1);
        let rate = done as f64 / seconds.max(0.001);
        let left = total.saturating_sub(done) as f64 / rate.max(0.001);
        format!(
            "{done} of {total} {unit} ({percent} %), {rate:.0}/s, {seconds:.0} s gone, \
             {left:.0} s left{}{note}",
            if note.is_empty() { "" } else { "; " }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn a_line_tells_rate_and_rest() {
        let progress = Progress::new(1_000, "transfers");
        let line = progress.line(250, 5.0, "");
        assert_eq!(line, "250 of 1000 transfers (25 %), 50/s, 5 s gone, 15 s left");
        assert!(progress.line(0, 0.0, "2 cores").ends_with("; 2 cores"));
    }
}
