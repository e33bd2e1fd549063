//! The list-append checker. A transaction appends values that nobody else appends, and reads whole
//! lists. A list tells the order of its appends, so every read says which transactions it came
//! after and before; with real time that makes a graph, and a cycle in it is an anomaly. What a
//! strict serializable store does has none.
//!
//! Edges of real time are few: a transaction follows those that had returned before it was invoked
//! and are not themselves followed by another such one, at most one a client.

use std::collections::{HashMap, HashSet};

use super::Outcome;
pub use super::graph::{Cycle, CycleKind};
use super::graph::{Edge, Graph};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// `(key, value)`; the value is appended by no other operation.
    Append(u32, u64),
    /// The key and the list that was read.
    Read(u32, Vec<u64>),
}

#[derive(Clone, Debug)]
pub struct Txn {
    /// By one clock: just before the request was sent, and when the reply had come.
    pub invoked: u64,
    pub returned: u64,
    pub outcome: Outcome,
    /// As they ran. Reads of a transaction that is not `Done` mean nothing.
    pub ops: Vec<Op>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Anomaly {
    /// Two reads of a list, neither of which is the beginning of the other.
    IncompatibleOrder {
        key: u32,
    },
    Duplicate {
        key: u32,
        value: u64,
    },
    /// A value nobody appended.
    Phantom {
        key: u32,
        value: u64,
    },
    /// G1a: a read of what a refused transaction appended.
    AbortedRead {
        key: u32,
        value: u64,
    },
    /// G1b: a read that ends in the middle of what one transaction appended.
    IntermediateRead {
        key: u32,
        value: u64,
    },
    /// Acknowledged, and missing when all is quiet.
    LostAppend {
        key: u32,
        value: u64,
    },
    /// Of a transaction of unknown outcome one append is there and another is not.
    Torn {
        txn: usize,
    },
    Cycle(Cycle),
}

/// The list of each key in its final order, with what is known of each value.
struct Orders<'a> {
    txns: &'a [Txn],
    lists: HashMap<u32, Vec<u64>>,
    /// Who appended a value.
    writers: HashMap<(u32, u64), usize>,
    places: HashMap<(u32, u64), usize>,
}

impl<'a> Orders<'a> {
    fn of(txns: &'a [Txn], last: &HashMap<u32, Vec<u64>>, found: &mut Vec<Anomaly>) -> Orders<'a> {
        let mut lists = last.clone();
        let mut writers = HashMap::new();
        for (txn, op) in ops(txns) {
            match op {
                Op::Append(key, value) => {
                    writers.insert((*key, *value), txn);
                }
                Op::Read(key, list) if is_done(&txns[txn]) => {
                    let longest = lists.entry(*key).or_default();
                    if list.len() > longest.len() {
                        longest.clone_from(list);
                    }
                }
                Op::Read(..) => {}
            }
        }
        let mut places = HashMap::new();
        for (&key, list) in &lists {
            for (place, &value) in list.iter().enumerate() {
                if places.insert((key, value), place).is_some() {
                    found.push(Anomaly::Duplicate { key, value });
                }
            }
        }
        Orders { txns, lists, writers, places }
    }

    fn writer(&self, key: u32, value: u64) -> Option<usize> {
        self.writers.get(&(key, value)).copied()
    }

    /// The values themselves: who appended them, and whether those that must be there are.
    fn judge_values(&self, last: &HashMap<u32, Vec<u64>>, found: &mut Vec<Anomaly>) {
        for (&key, list) in &self.lists {
            for &value in list {
                match self.writer(key, value).map(|txn| self.txns[txn].outcome) {
                    None => found.push(Anomaly::Phantom { key, value }),
                    Some(Outcome::Refused) => found.push(Anomaly::AbortedRead { key, value }),
                    Some(_) => {}
                }
            }
        }
        let there: HashSet<(u32, u64)> =
            last.iter().flat_map(|(&key, list)| list.iter().map(move |&v| (key, v))).collect();
        for (index, txn) in self.txns.iter().enumerate() {
            let appends = txn.ops.iter().filter_map(|op| match op {
                Op::Append(key, value) => Some((*key, *value)),
                Op::Read(..) => None,
            });
            let (present, missing): (Vec<_>, Vec<_>) = appends.partition(|v| there.contains(v));
            match (txn.outcome, missing.first()) {
                (Outcome::Done, Some(&(key, value))) => {
                    found.push(Anomaly::LostAppend { key, value });
                }
                (Outcome::Unknown, Some(_)) if !present.is_empty() => {
                    found.push(Anomaly::Torn { txn: index });
                }
                _ => {}
            }
        }
    }

    /// A read against its key's order; returns the place up to which others' appends were seen.
    fn judge_read(&self, txn: usize, key: u32, list: &[u64], found: &mut Vec<Anomaly>) -> usize {
        let order = &self.lists[&key];
        if !order.starts_with(list) {
            found.push(Anomaly::IncompatibleOrder { key });
            return 0;
        }
        let own = |value: &&u64| self.writer(key, **value) == Some(txn);
        let seen = list.len() - list.iter().rev().take_while(own).count();
        if let Some(&value) = list[..seen].last() {
            let writer = self.writer(key, value);
            let next = order.get(seen).and_then(|&value| self.writer(key, value));
            if writer.is_some() && next == writer {
                found.push(Anomaly::IntermediateRead { key, value });
            }
        }
        seen
    }

    fn graph(&self, found: &mut Vec<Anomaly>) -> Graph {
        let mut graph = Graph::new(self.txns.len());
        for (txn, op) in ops(self.txns) {
            match op {
                Op::Append(key, value) => {
                    let Some(&place) = self.places.get(&(*key, *value)) else { continue };
                    let before = place.checked_sub(1).map(|at| self.lists[key][at]);
                    if let Some(writer) = before.and_then(|value| self.writer(*key, value)) {
                        graph.add(writer, txn, Edge::WriteWrite);
                    }
                }
                Op::Read(key, list) if is_done(&self.txns[txn]) => {
                    let seen = self.judge_read(txn, *key, list, found);
                    let order = &self.lists[key];
                    let writer = |place: usize| self.writer(*key, *order.get(place)?);
                    if let Some(writer) = seen.checked_sub(1).and_then(writer) {
                        graph.add(writer, txn, Edge::WriteRead);
                    }
                    if list.len() == seen
                        && let Some(next) = writer(seen)
                    {
                        graph.add(txn, next, Edge::ReadWrite);
                    }
                }
                Op::Read(..) => {}
            }
        }
        self.add_real_time(&mut graph);
        graph
    }

    fn add_real_time(&self, graph: &mut Graph) {
        let returned = |txn: usize| match self.txns[txn].outcome {
            Outcome::Done => Some(self.txns[txn].returned),
            Outcome::Refused | Outcome::Unknown => None,
        };
        // At the same instant nobody comes first: invocations before returns.
        let mut events: Vec<(u64, bool, usize)> = Vec::new();
        for (txn, this) in self.txns.iter().enumerate() {
            events.push((this.invoked, false, txn));
            events.extend(returned(txn).map(|at| (at, true, txn)));
        }
        events.sort_unstable();
        let mut frontier: Vec<usize> = Vec::new();
        for (_, returns, txn) in events {
            if returns {
                let invoked = self.txns[txn].invoked;
                frontier.retain(|&old| returned(old).is_none_or(|at| at >= invoked));
                frontier.push(txn);
            } else {
                frontier.iter().for_each(|&before| graph.add(before, txn, Edge::RealTime));
            }
        }
    }
}

fn is_done(txn: &Txn) -> bool {
    txn.outcome == Outcome::Done
}

fn ops(txns: &[Txn]) -> impl Iterator<Item = (usize, &Op)> {
    txns.iter().enumerate().flat_map(|(index, txn)| txn.ops.iter().map(move |op| (index, op)))
}

/// Judges a history; `last` is every list as it stands when all is quiet.
pub fn check(txns: &[Txn], last: &HashMap<u32, Vec<u64>>) -> Vec<Anomaly> {
    let mut found = Vec::new();
    let orders = Orders::of(txns, last, &mut found);
    orders.judge_values(last, &mut found);
    let graph = orders.graph(&mut found);
    found.extend(graph.worst_cycle().map(Anomaly::Cycle));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkers::toy::{Fault, append_run};

    #[test]
    fn a_serial_store_is_clean_in_a_thousand_runs() {
        for seed in 0..1_000 {
            let run = append_run(seed, None);
            assert_eq!(check(&run.txns, &run.last), [], "seed {seed}");
        }
    }

    fn found(fault: Fault, is_it: impl Fn(&Anomaly) -> bool) -> bool {
        (0..40).any(|seed| {
            let run = append_run(seed, Some(fault));
            check(&run.txns, &run.last).iter().any(&is_it)
        })
    }

    fn is_cycle(anomaly: &Anomaly, kind: CycleKind, real_time: bool) -> bool {
        matches!(anomaly, Anomaly::Cycle(c) if c.kind == kind && c.real_time == real_time)
    }

    #[test]
    fn each_planted_bug_of_the_store_is_caught_by_name() {
        assert!(found(Fault::Torn, |a| is_cycle(a, CycleKind::GSingle, false)), "a torn read");
        assert!(found(Fault::Torn, |a| matches!(a, Anomaly::IntermediateRead { .. })), "a half");
        assert!(found(Fault::Interleaved, |a| is_cycle(a, CycleKind::G0, false)), "dirty write");
        assert!(found(Fault::DirtyRead, |a| matches!(a, Anomaly::AbortedRead { .. })), "refused");
        assert!(found(Fault::Lost, |a| matches!(a, Anomaly::LostAppend { .. })), "a lost append");
        assert!(found(Fault::Halved, |a| matches!(a, Anomaly::LostAppend { .. })), "a lost half");
        assert!(found(Fault::Doubled, |a| matches!(a, Anomaly::Duplicate { .. })), "a duplicate");
        assert!(found(Fault::StaleSnapshot, |a| is_cycle(a, CycleKind::GSingle, true)), "stale");
        assert!(found(Fault::WriteSkew, |a| is_cycle(a, CycleKind::G2, false)), "write skew");
    }

    #[test]
    fn a_stale_store_is_not_blamed_for_more_than_it_does() {
        for seed in 0..100 {
            let run = append_run(seed, Some(Fault::StaleSnapshot));
            for anomaly in check(&run.txns, &run.last) {
                assert!(is_cycle(&anomaly, CycleKind::GSingle, true), "seed {seed}: {anomaly:?}");
            }
        }
    }
}
