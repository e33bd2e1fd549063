//! What a run says at its end: a table for people, JSON for programs, a plot for documents.

pub mod json;
pub mod svg;
pub mod table;

use crate::plan::Plan;
use crate::record::Record;
use crate::run::Outcome;
use crate::workload::Kind;

/// The quantiles every report names.
pub const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];

/// Writes all reports the plan asks for.
///
/// # Errors
/// When a file cannot be written.
pub fn write(plan: &Plan, outcomes: &[Outcome]) -> Result<(), String> {
    let cannot = |path: &str, error: std::io::Error| {
        format!("cannot write {path}: {error}. Remedy: check the path and its permissions")
    };
    let json_to_stdout = plan.json.as_deref() == Some("-");
    if !plan.quiet && !json_to_stdout {
        print!("{}", table::of(plan, outcomes));
    }
    if let Some(path) = plan.json.as_deref() {
        let text = format!("{:#}\n", json::of(plan, outcomes));
        if json_to_stdout {
            print!("{text}");
        } else {
            std::fs::write(path, text).map_err(|error| cannot(path, error))?;
        }
    }
    if let (Some(path), Some(outcome)) = (&plan.svg, outcomes.last()) {
        let shown = path.display().to_string();
        std::fs::write(path, svg::of(plan, outcome)).map_err(|error| cannot(&shown, error))?;
    }
    Ok(())
}

/// The kinds a record has latencies of, "all" first when there are several.
pub fn rows(record: &Record) -> Vec<(&'static str, Option<Kind>)> {
    let named = [("read", Kind::Read), ("write", Kind::Write), ("command", Kind::Other)];
    let mut rows: Vec<(&'static str, Option<Kind>)> = named
        .into_iter()
        .filter(|(_, kind)| record.latencies(Some(*kind)).count() > 0)
        .map(|(name, kind)| (name, Some(kind)))
        .collect();
    if rows.len() != 1 {
        rows.insert(0, ("all", None));
    }
    rows
}

/// Digits in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Nanoseconds as a person reads them, three digits and a unit.
pub fn time(ns: u64) -> String {
    let (value, unit) = match ns {
        0..1_000_000 => (ns as f64 / 1e3, "us"),
        1_000_000..1_000_000_000 => (ns as f64 / 1e6, "ms"),
        _ => (ns as f64 / 1e9, "s"),
    };
    let decimals = match value {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
pub mod sample {
    //! A run to report on.

    use std::sync::Arc;

    use super::*;
    use crate::cli::Cli;
    use crate::wire::Complaint;

    pub fn run() -> (Plan, Vec<Outcome>) {
        let plan = Plan::new(&Cli::of("--rate 1k --verify --seed 7"), 1, false).expect("valid");
        let mut record = Record::new();
        for step in 1..=1000 {
            record.latency(Kind::Read, step * 1000, 9);
            record.latency(Kind::Write, step * 2000, 1);
        }
        (record.hits, record.misses) = (8000, 1000);
        record.elapsed_ns = 10_000_000_000;
        (record.cpu_ns, record.idle_ns) = (9_000_000_000, 8_000_000_000);
        record.error(Complaint { kind: "OOM".into(), text: "OOM <no> & more".into() }, 3);
        record.wrong(|| "key:1: stale".into());
        let outcome = Outcome {
            phase: Arc::clone(&plan.phases[0]),
            record,
            connections: 50,
            endpoints: 1,
            server_cpu_ns: Some(5_000_000_000),
        };
        (plan, vec![outcome])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
        assert_eq!(time(1_234), "1.23 us");
        assert_eq!(time(45_600_000), "45.6 ms");
        assert_eq!(time(12_000_000_000), "12.0 s");
    }
}
