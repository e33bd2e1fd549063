//! What a run measured: latency histograms by kind, and counts of everything else.
//!
//! Each executor records into its own [`Record`] and hands it over whole, once a second when
//! somebody watches and at the end; records merge without loss, so percentiles of several
//! executors are those of all their requests and never averages.

use hdrhistogram::Histogram;

use crate::wire::Complaint;
use crate::workload::Kind;

/// Latencies are kept to three digits between these bounds; longer ones count as the longest.
const LATENCY_NS: (u64, u64) = (10, 600_000_000_000);
const DIGITS: u8 = 3;
/// Kinds of errors told apart; the rest is counted together.
const ERROR_KINDS_MAX: usize = 16;
/// Wrong answers shown; the rest is counted.
const WRONG_SHOWN_MAX: usize = 5;

/// Errors of one kind, with the first text seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ErrorCount {
    pub kind: String,
    pub count: u64,
    pub first: String,
}

/// Measurements of one executor, or of several merged.
#[derive(Clone, Debug)]
pub struct Record {
    latencies: [Histogram<u64>; 3],
    pub hits: u64,
    pub misses: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// Requests sent again because a slot had moved.
    pub redirects: u64,
    pub errors: Vec<ErrorCount>,
    pub wrong: u64,
    /// The first few wrong answers in words.
    pub wrong_shown: Vec<String>,
    /// CPU time of the executors, and what of it went into polling with nothing to do.
    pub cpu_ns: u64,
    pub idle_ns: u64,
    /// From the first moment measured to the last, the longest of the executors.
    pub elapsed_ns: u64,
}

impl Default for Record {
    fn default() -> Self {
        Record::new()
    }
}

impl Record {
    pub fn new() -> Record {
        let (low, high) = LATENCY_NS;
        let histogram = || {
            Histogram::new_with_bounds(low, high, DIGITS).expect("the bounds are valid constants")
        };
        Record {
            latencies: [histogram(), histogram(), histogram()],
            hits: 0,
            misses: 0,
            sent_bytes: 0,
            received_bytes: 0,
            redirects: 0,
            errors: Vec::new(),
            wrong: 0,
            wrong_shown: Vec::new(),
            cpu_ns: 0,
            idle_ns: 0,
            elapsed_ns: 0,
        }
    }

    /// `count` requests of `kind` took `latency_ns` each.
    #[inline]
    pub fn latency(&mut self, kind: Kind, latency_ns: u64, count: u64) {
        self.latencies[kind as usize].saturating_record_n(latency_ns, count);
    }

    pub fn error(&mut self, complaint: Complaint, count: u64) {
        if count == 0 {
            return;
        }
        let Complaint { kind, text } = complaint;
        let is_full = self.errors.len() == ERROR_KINDS_MAX;
        let known = self.errors.iter().position(|seen| seen.kind == kind);
        match known.or(is_full.then_some(ERROR_KINDS_MAX - 1)) {
            Some(at) => {
                let seen = &mut self.errors[at];
                seen.count += count;
                if known.is_none() {
                    seen.kind = "other".into();
                }
            }
            None => self.errors.push(ErrorCount { kind, count, first: text }),
        }
    }

    /// An answer was wrong; `what` is only asked for while it is still shown.
    pub fn wrong(&mut self, what: impl FnOnce() -> String) {
        self.wrong += 1;
        if self.wrong_shown.len() < WRONG_SHOWN_MAX {
            self.wrong_shown.push(what());
        }
    }

    /// Adds what another recorded.
    pub fn merge(&mut self, other: Record) {
        for (mine, theirs) in self.latencies.iter_mut().zip(&other.latencies) {
            mine.add(theirs).expect("all histograms have the same bounds");
        }
        self.hits += other.hits;
        self.misses += other.misses;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.redirects += other.redirects;
        for error in other.errors {
            self.error(Complaint { kind: error.kind, text: error.first }, error.count);
        }
        self.wrong += other.wrong;
        self.wrong_shown.extend(other.wrong_shown);
        self.wrong_shown.truncate(WRONG_SHOWN_MAX);
        self.cpu_ns += other.cpu_ns;
        self.idle_ns += other.idle_ns;
        self.elapsed_ns = self.elapsed_ns.max(other.elapsed_ns);
    }

    /// Requests answered, errors included.
    pub fn requests(&self) -> u64 {
        self.latencies.iter().map(Histogram::len).sum()
    }

    pub fn error_count(&self) -> u64 {
        self.errors.iter().map(|error| error.count).sum()
    }

    /// Whether nothing failed and nothing was wrong.
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty() && self.wrong == 0
    }

    /// Requests a second of the measured time.
    pub fn rate(&self) -> f64 {
        match self.elapsed_ns {
            0 => 0.0,
            elapsed_ns => self.requests() as f64 / (elapsed_ns as f64 / 1e9),
        }
    }

    /// Hits of all reads that could hit, when there were any.
    pub fn hit_rate(&self) -> Option<f64> {
        let reads = self.hits + self.misses;
        (reads > 0).then(|| self.hits as f64 / reads as f64)
    }

    /// Microseconds of this process's CPU a request, without polling that found nothing.
    pub fn busy_cpu_us(&self) -> Option<f64> {
        let busy_ns = self.cpu_ns.saturating_sub(self.idle_ns);
        (self.cpu_ns > 0 && self.requests() > 0)
            .then(|| busy_ns as f64 / 1e3 / self.requests() as f64)
    }

    /// Latencies of one kind; `None` is all of them.
    pub fn latencies(&self, kind: Option<Kind>) -> Latencies {
        match kind {
            Some(kind) => Latencies(self.latencies[kind as usize].clone()),
            None => {
                let mut all = self.latencies[0].clone();
                for more in &self.latencies[1..] {
                    all.add(more).expect("all histograms have the same bounds");
                }
                Latencies(all)
            }
        }
    }
}

/// A distribution of latencies.
pub struct Latencies(Histogram<u64>);

impl Latencies {
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Nanoseconds below which `quantile` of the requests stayed; the maximum at 1.
    pub fn at(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }

    pub fn mean_ns(&self) -> f64 {
        self.0.mean()
    }

    pub fn max_ns(&self) -> u64 {
        self.0.max()
    }

    pub fn min_ns(&self) -> u64 {
        self.0.min()
    }

    /// (quantile, nanoseconds) from the median on, ever closer to 1, as far as there are requests.
    pub fn tail(&self) -> Vec<(f64, u64)> {
        let steps_per_decade = 20;
        (0..)
            .map(|step| 1.0 - 10f64.powf(-f64::from(step) / f64::from(steps_per_decade)))
            .take_while(|quantile| (1.0 - quantile) * self.count() as f64 > 0.999)
            .map(|quantile| (quantile, self.at(quantile)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(kind: &str) -> Complaint {
        Complaint { kind: kind.into(), text: format!("{kind} text") }
    }

    #[test]
    fn merged_percentiles_are_those_of_all_requests_and_not_an_average() {
        let (mut fast, mut slow) = (Record::new(), Record::new());
        fast.latency(Kind::Read, 10_000, 990);
        slow.latency(Kind::Read, 5_000_000, 10);
        slow.latency(Kind::Write, 20_000, 1);
        fast.merge(slow);

        let reads = fast.latencies(Some(Kind::Read));
        assert_eq!(reads.count(), 1000);
        assert!(reads.at(0.98).abs_diff(10_000) <= 10);
        assert!(reads.at(0.995).abs_diff(5_000_000) <= 5_000);
        assert_eq!(fast.latencies(None).count(), 1001);
        assert_eq!(fast.requests(), 1001);
    }

    #[test]
    fn errors_are_counted_by_kind_and_keep_their_first_text() {
        let (mut one, mut two) = (Record::new(), Record::new());
        one.error(complaint("OOM"), 3);
        two.error(complaint("OOM"), 4);
        two.error(complaint("ERR"), 1);
        one.merge(two);
        assert_eq!(one.error_count(), 8);
        assert_eq!(one.errors[0].count, 7);
        assert_eq!(one.errors[1].first, "ERR text");
        assert!(!one.is_clean());
    }

    #[test]
    fn a_flood_of_error_kinds_stays_bounded() {
        let mut record = Record::new();
        for kind in 0..100 {
            record.error(complaint(&format!("E{kind}")), 1);
        }
        assert_eq!(record.errors.len(), ERROR_KINDS_MAX);
        assert_eq!(record.error_count(), 100);
    }

    #[test]
    fn the_tail_goes_as_far_as_there_are_requests() {
        let mut record = Record::new();
        record.latency(Kind::Read, 1000, 10_000);
        let tail = record.latencies(None).tail();
        assert_eq!(tail[0].0, 0.0);
        assert!((tail.last().expect("points").0 - 0.9999).abs() < 1e-9);
    }
}
