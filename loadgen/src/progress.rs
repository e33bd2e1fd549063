//! One line on the terminal while a phase runs: rate, latency, errors of the last second.
//!
//! It goes to standard error, so that tables and JSON can be piped, and is wiped when the phase
//! ends.

use std::io::Write;
use std::time::Instant;

use crate::record::Record;
use crate::report::{grouped, time};

pub struct Progress {
    is_shown: bool,
    name: String,
    /// Reports that make up one second.
    threads: usize,
    gathered: Record,
    reports: usize,
    errors: u64,
    since: Instant,
    last: Instant,
}

impl Progress {
    pub fn new(is_shown: bool, name: &str, threads: usize) -> Progress {
        let now = Instant::now();
        let (name, gathered) = (name.to_owned(), Record::new());
        Progress { is_shown, name, threads, gathered, reports: 0, errors: 0, since: now, last: now }
    }

    /// Takes the report of one executor; shows the line when all have reported.
    pub fn show(&mut self, record: &Record) {
        if !self.is_shown {
            return;
        }
        self.gathered.merge(record.clone());
        self.reports += 1;
        if self.reports < self.threads {
            return;
        }
        let second = std::mem::take(&mut self.gathered);
        self.reports = 0;
        self.errors += second.error_count();
        let elapsed = self.last.elapsed().as_secs_f64();
        self.last = Instant::now();
        let line = line(&self.name, self.since.elapsed().as_secs(), elapsed, &second, self.errors);
        // A terminal that is gone is no reason to stop.
        let _ = write!(std::io::stderr(), "\r{line:<79}");
        let _ = std::io::stderr().flush();
    }

    /// Wipes the line.
    pub fn clear(&self) {
        if self.is_shown {
            let _ = write!(std::io::stderr(), "\r{:79}\r", "");
        }
    }
}

fn line(name: &str, seconds: u64, elapsed: f64, second: &Record, errors: u64) -> String {
    let all = second.latencies(None);
    let rate = second.requests() as f64 / elapsed.max(1e-9);
    let wrong = if second.wrong > 0 { format!("  WRONG {}", second.wrong) } else { String::new() };
    format!(
        "{name} {seconds} s  {}/s  p50 {}  p99 {}  errors {errors}{wrong}",
        grouped(rate as u64),
        time(all.at(0.5)),
        time(all.at(0.99)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Kind;

    #[test]
    fn the_line_says_rate_latency_and_errors_and_fits_a_terminal() {
        let mut record = Record::new();
        record.latency(Kind::Read, 120_000, 1_234_567);
        let line = line("closed loop", 12, 1.0, &record, 3);
        assert!(
            line.starts_with("closed loop 12 s  1,234,567/s  p50 120 us  p99 120 us"),
            "{line}"
        );
        assert!(line.ends_with("errors 3") && line.len() < 80);
    }
}
