//! The table for people: 80 columns, one line a kind of request.

use std::fmt::Write;

use super::{QUANTILES, grouped, rows, time};
use crate::plan::Plan;
use crate::record::Record;
use crate::run::Outcome;

/// The report of all phases.
pub fn of(plan: &Plan, outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        // Writing to a string cannot fail.
        let _ = phase(&mut out, plan, outcome);
    }
    out
}

fn phase(out: &mut String, plan: &Plan, outcome: &Outcome) -> std::fmt::Result {
    let (phase, record) = (&outcome.phase, &outcome.record);
    let name = &phase.name;
    writeln!(
        out,
        "{name}: {} connection{}{} x pipeline {}, {} thread{}, {}, seed {}",
        outcome.connections,
        if outcome.connections == 1 { "" } else { "s" },
        if plan.cluster { format!(" to {} endpoints", outcome.endpoints) } else { String::new() },
        phase.pipeline,
        plan.threads,
        if plan.threads == 1 { "" } else { "s" },
        phase.dialect.wire.name(),
        plan.seed,
    )?;
    let rate = phase.rate.map_or(String::new(), |rate| format!(", {} asked", grouped(rate as u64)));
    writeln!(
        out,
        "{:<10}{} requests in {:.2} s = {}/s{rate}",
        "rate",
        grouped(record.requests()),
        record.elapsed_ns as f64 / 1e9,
        grouped(record.rate() as u64),
    )?;
    let seconds = (record.elapsed_ns as f64 / 1e9).max(1e-9);
    writeln!(
        out,
        "{:<10}{:.1} MB/s out, {:.1} MB/s in",
        "bytes",
        record.sent_bytes as f64 / 1e6 / seconds,
        record.received_bytes as f64 / 1e6 / seconds,
    )?;
    cpu(out, record, outcome.server_cpu_ns)?;
    if let Some(hit_rate) = record.hit_rate() {
        let reads = grouped(record.hits + record.misses);
        writeln!(out, "{:<10}{:.2} % of {reads} reads", "hits", hit_rate * 100.0)?;
    }
    if record.redirects > 0 {
        writeln!(out, "{:<10}{} MOVED followed", "redirects", grouped(record.redirects))?;
    }
    latencies(out, record)?;
    problems(out, plan, record)?;
    writeln!(out)
}

fn cpu(out: &mut String, record: &Record, server_cpu_ns: Option<u64>) -> std::fmt::Result {
    if let Some(busy_us) = record.busy_cpu_us() {
        writeln!(out, "{:<10}{busy_us:.3} us a request here (idle polling left out)", "cpu")?;
    }
    if let (Some(spent_ns), true) = (server_cpu_ns, record.requests() > 0) {
        let server_us = spent_ns as f64 / 1e3 / record.requests() as f64;
        writeln!(out, "{:<10}{server_us:.3} us a request in the server", "")?;
    }
    Ok(())
}

fn latencies(out: &mut String, record: &Record) -> std::fmt::Result {
    write!(out, "{:<10}", "latency")?;
    for (name, _) in QUANTILES {
        write!(out, "{name:>11}")?;
    }
    writeln!(out, "{:>11}", "max")?;
    for (name, kind) in rows(record) {
        let latencies = record.latencies(kind);
        write!(out, "  {name:<8}")?;
        for (_, quantile) in QUANTILES {
            write!(out, "{:>11}", time(latencies.at(quantile)))?;
        }
        writeln!(out, "{:>11}", time(latencies.max_ns()))?;
    }
    Ok(())
}

fn problems(out: &mut String, plan: &Plan, record: &Record) -> std::fmt::Result {
    if record.errors.is_empty() {
        writeln!(out, "{:<10}none", "errors")?;
    }
    for error in &record.errors {
        writeln!(out, "{:<10}{} {}", "errors", grouped(error.count), error.kind)?;
        for line in folded(&error.first, 68) {
            writeln!(out, "{:<12}{line}", "")?;
        }
    }
    if plan.verify {
        writeln!(out, "{:<10}{} wrong answers", "verified", grouped(record.wrong))?;
        for what in &record.wrong_shown {
            for line in folded(what, 68) {
                writeln!(out, "{:<12}{line}", "")?;
            }
        }
    }
    Ok(())
}

/// Breaks a text between words, or within one that is too long.
fn folded(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let line = lines.last_mut().expect("there is always one");
            let used = line.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + rest.len() <= columns || used == 0 {
                let take = rest.len().min(columns - used - gap);
                line.push_str(&" "[..gap]);
                line.extend(rest.drain(..take));
            } else {
                lines.push(String::new());
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_table_says_everything_and_fits_eighty_columns() {
        let (plan, outcomes) = sample::run();
        let text = of(&plan, &outcomes);
        for part in [
            "seed 7",
            "10,000 requests in 10.00 s = 1,000/s, 1,000 asked",
            "100.000 us a request here",
            "500.000 us a request in the server",
            "88.89 % of 9,000 reads",
            "p99.99",
            "3 OOM",
            "1 wrong answers",
            "key:1: stale",
        ] {
            assert!(text.contains(part), "no \"{part}\" in\n{text}");
        }
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn long_texts_are_folded() {
        assert_eq!(folded("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(folded("abcdefgh", 3), ["abc", "def", "gh"]);
    }
}
