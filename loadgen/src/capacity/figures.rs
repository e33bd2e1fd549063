//! The inputs, formulas and remarks of the capacity calculator, one row each.
//!
//! "stated" is what the design says for the default inputs (requirements R24 to R30).

use super::{Inputs, SECONDS_PER_DAY};

/// How a number is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    Number,
    PerSecond,
    Bytes,
    BytesPerSecond,
    Hours,
}

/// An input of the calculation.
pub struct Input {
    pub name: &'static str,
    pub default: f64,
    pub unit: Unit,
    pub what: &'static str,
}

/// A figure that follows from the inputs, or does not.
pub struct Figure {
    pub requirement: &'static str,
    pub name: &'static str,
    pub unit: Unit,
    pub formula: fn(&Inputs) -> f64,
    pub stated: Option<f64>,
    /// What is to be said about the figure; empty when nothing is.
    pub remark: fn(&Inputs) -> String,
}

const fn input(name: &'static str, default: f64, unit: Unit, what: &'static str) -> Input {
    Input { name, default, unit, what }
}

pub const INPUTS: &[Input] = &[
    input("reads_per_second", 1e6, Unit::PerSecond, "R24: asked of the cluster"),
    input("writes_per_second", 200e3, Unit::PerSecond, "R24: asked of the cluster"),
    input("node_rate", 100e3, Unit::PerSecond, "R24: what a node serves; measure it"),
    input("keys", 1e9, Unit::Number, "R25"),
    input("value_bytes", 1000.0, Unit::Bytes, "R25: key and value"),
    input("copies", 3.0, Unit::Number, "R25: leader and followers"),
    input("nodes", 36.0, Unit::Number, "R25: provisioned"),
    input("log_bytes", 100.0, Unit::Bytes, "R26: of a write"),
    input("snapshot_hours", 6.0, Unit::Hours, "R27: between snapshots"),
    input("compression", 5.0, Unit::Number, "R27: data to snapshot"),
    input("cold_bytes", 10e12, Unit::Bytes, "R28: data on disk"),
    input("gossip_bytes", 1000.0, Unit::Bytes, "R29: of a message, one a node and second"),
    input("cache_bytes", 10e12, Unit::Bytes, "R30: cached data"),
    input("node_memory", 64e9, Unit::Bytes, "R30: for data on a node"),
    input("primaries", 160.0, Unit::Number, "R30: provisioned"),
    input("replicas", 1.0, Unit::Number, "R30: of each primary"),
    input("cache_rate", 10e6, Unit::PerSecond, "R30: asked of the cluster"),
];

fn total_rate(inputs: &Inputs) -> f64 {
    inputs.get("reads_per_second") + inputs.get("writes_per_second")
}

fn rate_nodes(inputs: &Inputs) -> f64 {
    (total_rate(inputs) / inputs.get("node_rate")).ceil()
}

fn data_bytes(inputs: &Inputs) -> f64 {
    inputs.get("keys") * inputs.get("value_bytes")
}

fn replicated_bytes(inputs: &Inputs) -> f64 {
    data_bytes(inputs) * inputs.get("copies")
}

fn log_bytes_a_day(inputs: &Inputs) -> f64 {
    inputs.get("writes_per_second") * inputs.get("log_bytes") * SECONDS_PER_DAY
}

fn snapshot_bytes(inputs: &Inputs) -> f64 {
    data_bytes(inputs) / inputs.get("compression")
}

fn write_bytes(inputs: &Inputs) -> f64 {
    inputs.get("writes_per_second") * inputs.get("value_bytes")
}

fn memory_primaries(inputs: &Inputs) -> f64 {
    (inputs.get("cache_bytes") / inputs.get("node_memory")).ceil()
}

fn nothing(_: &Inputs) -> String {
    String::new()
}

fn giga(bytes: f64) -> String {
    super::shown(bytes, Unit::Bytes)
}

pub const FIGURES: &[Figure] = &[
    Figure {
        requirement: "R24",
        name: "total rate",
        unit: Unit::PerSecond,
        formula: total_rate,
        stated: Some(1.2e6),
        remark: nothing,
    },
    Figure {
        requirement: "R24",
        name: "nodes for that rate, at least",
        unit: Unit::Number,
        formula: rate_nodes,
        stated: Some(12.0),
        remark: |inputs| {
            let applied = inputs.get("reads_per_second")
                + inputs.get("writes_per_second") * inputs.get("copies");
            let nodes = (applied / inputs.get("node_rate")).ceil();
            let fewer = (rate_nodes(inputs) - 1.0).max(1.0);
            format!(
                "Leaves out that followers apply writes too: with all {} copies {nodes} nodes. \
                 And with one node down the others run at {:.0} %.",
                inputs.get("copies"),
                100.0 * total_rate(inputs) / (fewer * inputs.get("node_rate"))
            )
        },
    },
    Figure {
        requirement: "R25",
        name: "data",
        unit: Unit::Bytes,
        formula: data_bytes,
        stated: Some(1e12),
        remark: nothing,
    },
    Figure {
        requirement: "R25",
        name: "a node of those, with replicas",
        unit: Unit::Bytes,
        formula: |inputs| replicated_bytes(inputs) / rate_nodes(inputs),
        stated: Some(250e9),
        remark: |inputs| {
            let overhead = 24.0 * inputs.get("keys") * inputs.get("copies") / rate_nodes(inputs);
            format!("Before overhead: 24 bytes a key are {} more.", giga(overhead))
        },
    },
    Figure {
        requirement: "R25",
        name: "a node as provisioned",
        unit: Unit::Bytes,
        formula: |inputs| replicated_bytes(inputs) / inputs.get("nodes"),
        stated: Some(85e9),
        remark: |inputs| {
            let node = replicated_bytes(inputs) / inputs.get("nodes");
            let overhead = 24.0 * inputs.get("keys") * inputs.get("copies") / inputs.get("nodes");
            format!(
                "The division alone gives {}; with 24 bytes a key beside the data it is {}.",
                giga(node),
                giga(node + overhead)
            )
        },
    },
    Figure {
        requirement: "R26",
        name: "write-ahead log a day",
        unit: Unit::Bytes,
        formula: log_bytes_a_day,
        stated: Some(1.7e12),
        remark: |inputs| {
            let carried = inputs.get("writes_per_second") * SECONDS_PER_DAY;
            let with_values = carried * (inputs.get("log_bytes") + inputs.get("value_bytes"));
            format!(
                "Stated as about 1.7 TB, one copy. A record of {} cannot hold a value of {}: with \
                 values it is {} a day, and {} on all copies.",
                giga(inputs.get("log_bytes")),
                giga(inputs.get("value_bytes")),
                giga(with_values),
                giga(with_values * inputs.get("copies"))
            )
        },
    },
    Figure {
        requirement: "R27",
        name: "one snapshot",
        unit: Unit::Bytes,
        formula: snapshot_bytes,
        stated: Some(200e9),
        remark: |inputs| {
            let count = 24.0 / inputs.get("snapshot_hours");
            format!(
                "{count:.0} a day are {} written, of one copy of the data.",
                giga(snapshot_bytes(inputs) * count)
            )
        },
    },
    Figure {
        requirement: "R28",
        name: "cold data a node",
        unit: Unit::Bytes,
        formula: |inputs| inputs.get("cold_bytes") / inputs.get("nodes"),
        stated: Some(280e9),
        remark: |inputs| {
            let replicated = inputs.get("cold_bytes") * inputs.get("copies") / inputs.get("nodes");
            format!(
                "Follows for one copy only; with {} copies it is {}.",
                inputs.get("copies"),
                giga(replicated)
            )
        },
    },
    Figure {
        requirement: "R29",
        name: "reads",
        unit: Unit::BytesPerSecond,
        formula: |inputs| inputs.get("reads_per_second") * inputs.get("value_bytes"),
        stated: Some(1e9),
        remark: nothing,
    },
    Figure {
        requirement: "R29",
        name: "writes",
        unit: Unit::BytesPerSecond,
        formula: write_bytes,
        stated: Some(200e6),
        remark: nothing,
    },
    Figure {
        requirement: "R29",
        name: "replication",
        unit: Unit::BytesPerSecond,
        formula: |inputs| write_bytes(inputs) * (inputs.get("copies") - 1.0),
        stated: Some(400e6),
        remark: nothing,
    },
    Figure {
        requirement: "R29",
        name: "gossip",
        unit: Unit::BytesPerSecond,
        formula: |inputs| inputs.get("nodes") * inputs.get("gossip_bytes"),
        stated: Some(36e3),
        remark: |_| "Of the whole cluster, when each node sends to one other a second.".into(),
    },
    Figure {
        requirement: "R30",
        name: "primaries by memory",
        unit: Unit::Number,
        formula: memory_primaries,
        stated: Some(156.0),
        remark: |inputs| {
            let exact = inputs.get("cache_bytes") / inputs.get("node_memory");
            format!(
                "Exactly {exact:.2}, so {} are needed; {} leave {:.1} % to spare, nothing of which \
                 is for overhead.",
                memory_primaries(inputs),
                inputs.get("primaries"),
                100.0 * (inputs.get("primaries") / exact - 1.0)
            )
        },
    },
    Figure {
        requirement: "R30",
        name: "nodes with replicas",
        unit: Unit::Number,
        formula: |inputs| inputs.get("primaries") * (1.0 + inputs.get("replicas")),
        stated: Some(320.0),
        remark: nothing,
    },
    Figure {
        requirement: "R30",
        name: "rate a primary",
        unit: Unit::PerSecond,
        formula: |inputs| inputs.get("cache_rate") / inputs.get("primaries"),
        stated: Some(62_500.0),
        remark: nothing,
    },
];
