//! Wall time of the cases. All cases are measured once per round, one after another, so that a
//! noisy second of the machine touches one round of each and not all rounds of one; the figure is
//! the median over rounds, given with the lowest and highest.

use std::time::Instant;

use crate::Options;
use crate::cases::{self, Case, OPERATIONS};
use crate::json::Object;

/// Where the operations of a case happen and nothing else: callgrind counts inside this function
/// only, by its name.
#[inline(never)]
pub fn measured_operations(case: &mut Case) {
    case.work.run();
}

/// Nanoseconds an operation of one run.
fn nanoseconds(case: &mut Case) -> f64 {
    case.work.prepare();
    let started = Instant::now();
    measured_operations(case);
    started.elapsed().as_nanos() as f64 / OPERATIONS as f64
}

/// Measures every case (or the one named) and prints medians.
pub fn micro(options: &Options) -> String {
    let mut cases = cases::all(options.keys, options.case.as_deref());
    let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    for round in 0..=options.rounds {
        for (case, found) in cases.iter_mut().zip(&mut rounds) {
            let ns = nanoseconds(case);
            // Round zero faults the pages in and teaches the branch predictor.
            if round > 0 {
                found.push(ns);
            }
        }
    }
    let rows: Vec<String> =
        cases.iter().zip(&mut rounds).map(|(case, found)| row(case, found)).collect();
    Object::new()
        .count("keys", options.keys)
        .count("rounds", options.rounds as u64)
        .count("operations", OPERATIONS)
        .list("cases", &rows)
        .end()
}

fn row(case: &Case, found: &mut [f64]) -> String {
    found.sort_by(f64::total_cmp);
    Object::new()
        .word("name", case.name)
        .number("ns_median", found[found.len() / 2])
        .number("ns_low", found[0])
        .number("ns_high", found[found.len() - 1])
        .end()
}
