//! Checkers of histories: what clients did and saw, judged afterwards by rules that hold for every
//! strict serializable store. They know no server; whoever runs one writes the history down.
//!
//! - [`bank`]: money moved between accounts, each transfer leaving its mark in two logs. Cheap, and
//!   blind to nothing that loses, halves or doubles a transaction.
//! - [`append`]: lists that only grow, after Elle (Kingsbury and Alvaro, 2020). Names the anomaly
//!   by the cycle of dependencies it finds.

pub mod append;
pub mod bank;
mod graph;

#[cfg(test)]
mod toy;

/// What the client knows of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Acknowledged.
    Done,
    /// Refused before anything was applied.
    Refused,
    /// The connection broke, or the answer did not come.
    Unknown,
}
