//! The report for programs. The shape is a promise: fields are added, never renamed.
//!
//! Times are microseconds, sizes bytes, rates a second.

use serde_json::{Map, Value, json};

use super::{QUANTILES, rows};
use crate::plan::Plan;
use crate::record::{Latencies, Record};
use crate::run::Outcome;

/// The report of all phases: `{"tool", "seed", "target", …, "phases": [...]}`.
pub fn of(plan: &Plan, outcomes: &[Outcome]) -> Value {
    json!({
        "tool": concat!("freehold-loadgen ", env!("CARGO_PKG_VERSION")),
        "seed": plan.seed,
        "target": plan.address.to_string(),
        "cluster": plan.cluster,
        "threads": plan.threads,
        "keys": plan.keys.count(),
        "verified": plan.verify,
        "ok": outcomes.iter().all(|outcome| outcome.record.is_clean()),
        "phases": outcomes.iter().map(phase).collect::<Vec<_>>(),
    })
}

fn phase(outcome: &Outcome) -> Value {
    let (phase, record) = (&outcome.phase, &outcome.record);
    json!({
        "name": phase.name,
        "protocol": phase.dialect.wire.name(),
        "connections": outcome.connections,
        "endpoints": outcome.endpoints,
        "pipeline": phase.pipeline,
        "rate_asked": phase.rate,
        "requests": record.requests(),
        "seconds": record.elapsed_ns as f64 / 1e9,
        "rate": record.rate(),
        "bytes_sent": record.sent_bytes,
        "bytes_received": record.received_bytes,
        "hits": record.hits,
        "misses": record.misses,
        "hit_rate": record.hit_rate(),
        "redirects": record.redirects,
        "latency_us": latencies(record),
        "errors": errors(record),
        "error_count": record.error_count(),
        "wrong_answers": record.wrong,
        "wrong_shown": record.wrong_shown,
        "cpu_us_per_request": record.busy_cpu_us(),
        "cpu_seconds": record.cpu_ns as f64 / 1e9,
        "idle_polling_seconds": record.idle_ns as f64 / 1e9,
        "server_cpu_us_per_request": outcome.server_cpu_ns.and_then(|spent_ns| {
            (record.requests() > 0).then(|| spent_ns as f64 / 1e3 / record.requests() as f64)
        }),
    })
}

fn latencies(record: &Record) -> Value {
    let mut kinds = Map::new();
    for (name, kind) in rows(record) {
        kinds.insert(name.into(), latency(&record.latencies(kind)));
    }
    if !kinds.contains_key("all") {
        kinds.insert("all".into(), latency(&record.latencies(None)));
    }
    Value::Object(kinds)
}

fn latency(latencies: &Latencies) -> Value {
    let us = |ns: u64| ns as f64 / 1e3;
    let mut fields = Map::new();
    fields.insert("count".into(), json!(latencies.count()));
    fields.insert("min".into(), json!(us(latencies.min_ns())));
    fields.insert("mean".into(), json!(latencies.mean_ns() / 1e3));
    for (name, quantile) in QUANTILES {
        fields.insert(name.into(), json!(us(latencies.at(quantile))));
    }
    fields.insert("max".into(), json!(us(latencies.max_ns())));
    Value::Object(fields)
}

fn errors(record: &Record) -> Value {
    record
        .errors
        .iter()
        .map(|error| json!({"kind": error.kind, "count": error.count, "first": error.first}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_shape_is_what_programs_rely_on() {
        let (plan, outcomes) = sample::run();
        let value = of(&plan, &outcomes);
        assert_eq!(value["seed"], 7);
        assert_eq!(value["ok"], false);
        let phase = &value["phases"][0];
        assert_eq!(phase["name"], "open loop");
        assert_eq!(phase["requests"], 10_000);
        assert_eq!(phase["rate"], 1000.0);
        assert_eq!(phase["errors"][0]["kind"], "OOM");
        assert_eq!(phase["errors"][0]["count"], 3);
        assert_eq!(phase["wrong_answers"], 1);
        assert_eq!(phase["server_cpu_us_per_request"], 500.0);
        for kind in ["all", "read", "write"] {
            let latency = &phase["latency_us"][kind];
            for field in ["count", "min", "mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"] {
                assert!(latency[field].is_number(), "{kind} {field}");
            }
        }
        let median = phase["latency_us"]["read"]["p50"].as_f64().expect("a number");
        assert!((median - 500.0).abs() < 1.0, "{median}");
    }
}
