//! Durations counted in buckets one sixty-fourth apart, because twenty million of them would not
//! fit beside what is measured. The maximum is exact.

const STEPS: u64 = 64;

/// Counts of nanoseconds up to about 18 minutes.
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    pub max: u64,
}

fn bucket(ns: u64) -> usize {
    if ns < STEPS {
        return ns as usize;
    }
    let power = u64::from(ns.ilog2()) - 6;
    (STEPS + power * STEPS + (ns >> power) - STEPS) as usize
}

/// The smallest value of a bucket.
fn floor(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < STEPS {
        return bucket;
    }
    let power = bucket / STEPS - 1;
    (STEPS + bucket % STEPS) << power
}

impl Histogram {
    pub fn new() -> Histogram {
        Histogram { counts: vec![0; bucket(1 << 40) + 1], total: 0, max: 0 }
    }

    pub fn record(&mut self, ns: u64) {
        let at = bucket(ns).min(self.counts.len() - 1);
        self.counts[at] += 1;
        self.total += 1;
        self.max = self.max.max(ns);
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// The value below which `fraction` of the records lie, to within 1/64.
    pub fn quantile(&self, fraction: f64) -> u64 {
        let wanted = (self.total as f64 * fraction).ceil() as u64;
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && seen > 0 {
                return floor(at).min(self.max);
            }
        }
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_begins_where_the_one_before_ends() {
        for ns in (0..100_000).chain([1 << 30, (1 << 40) - 1]) {
            let at = bucket(ns);
            assert!(floor(at) <= ns && ns < floor(at + 1), "{ns} in bucket {at}");
        }
    }

    #[test]
    fn quantiles_are_right_to_a_sixty_fourth() {
        let mut histogram = Histogram::new();
        (1..=10_000).for_each(|ns| histogram.record(ns));
        let median = histogram.quantile(0.5);
        assert!((4900..=5000).contains(&median), "{median}");
        assert_eq!(histogram.max, 10_000);
        assert_eq!(histogram.total(), 10_000);
    }
}
