//! Dependencies between transactions, and the cycles among them. A cycle means that no order of the
//! transactions explains what was seen; which kinds of edges it takes names the anomaly.

use std::collections::{HashMap, VecDeque};

/// Why one transaction must come before another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// It wrote what the other then overwrote or added to.
    WriteWrite,
    /// It wrote what the other read.
    WriteRead,
    /// It read what was there before the other wrote.
    ReadWrite,
    /// It had returned before the other was invoked.
    RealTime,
}

/// Which edges a search may use.
#[derive(Clone, Copy)]
struct Allowed {
    write_read: bool,
    read_write: bool,
    real_time: bool,
}

impl Allowed {
    fn admits(self, edge: Edge) -> bool {
        match edge {
            Edge::WriteWrite => true,
            Edge::WriteRead => self.write_read,
            Edge::ReadWrite => self.read_write,
            Edge::RealTime => self.real_time,
        }
    }
}

/// The anomaly a cycle stands for, named as by Adya and by Elle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CycleKind {
    /// Only writes: dirty write.
    G0,
    /// Writes and reads of them: circular information flow.
    G1c,
    /// One read of an older state: read skew, lost update.
    GSingle,
    /// Several: write skew.
    G2,
}

/// The shortest cycle of its kind that was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cycle {
    pub kind: CycleKind,
    /// Real time is among its edges: serializable, but stale.
    pub real_time: bool,
    /// Each transaction with the edge that leads to the next; the last leads to the first.
    pub path: Vec<(usize, Edge)>,
}

pub struct Graph {
    edges: Vec<Vec<(u32, Edge)>>,
}

impl Graph {
    pub fn new(nodes: usize) -> Graph {
        Graph { edges: vec![Vec::new(); nodes] }
    }

    pub fn add(&mut self, from: usize, to: usize, edge: Edge) {
        if from != to {
            self.edges[from].push((to as u32, edge));
        }
    }

    /// The worst cycle there is: kinds with fewer sorts of edges first, real time last.
    pub fn worst_cycle(&self) -> Option<Cycle> {
        [false, true].into_iter().find_map(|real_time| {
            let kinds = [CycleKind::G0, CycleKind::G1c, CycleKind::GSingle, CycleKind::G2];
            kinds.into_iter().find_map(|kind| {
                let path = self.cycle_of(kind, real_time)?;
                Some(Cycle { kind, real_time, path })
            })
        })
    }

    fn cycle_of(&self, kind: CycleKind, real_time: bool) -> Option<Vec<(usize, Edge)>> {
        let allowed = Allowed {
            write_read: kind != CycleKind::G0,
            read_write: matches!(kind, CycleKind::GSingle | CycleKind::G2),
            real_time,
        };
        let components = self.components(allowed);
        let inside = |from: usize, to: u32| components[from] == components[to as usize];
        let quiet = Allowed { read_write: false, ..allowed };
        let mut best: Option<Vec<(usize, Edge)>> = None;
        for (from, edges) in self.edges.iter().enumerate() {
            for &(to, edge) in edges {
                if !allowed.admits(edge) || !inside(from, to) {
                    continue;
                }
                // A cycle with exactly one such edge is that edge and a way back without any.
                let back = match (kind, edge) {
                    (CycleKind::GSingle, Edge::ReadWrite) => quiet,
                    (CycleKind::GSingle, _) => continue,
                    _ => allowed,
                };
                // Only a shorter cycle is of interest: in a history that is broken all over, the
                // first one found keeps all later searches small.
                let steps_max = best.as_ref().map_or(usize::MAX, |best| best.len() - 2);
                if steps_max == 0 {
                    return best;
                }
                if let Some(way_back) = self.path(to as usize, from, back, steps_max) {
                    let mut path = vec![(from, edge)];
                    path.extend(way_back);
                    best = Some(path);
                }
            }
        }
        best
    }

    /// The shortest path of at most `steps_max` edges, as nodes with the edges that leave them; the
    /// end is not among them.
    fn path(
        &self,
        from: usize,
        to: usize,
        allowed: Allowed,
        steps_max: usize,
    ) -> Option<Vec<(usize, Edge)>> {
        let mut came: HashMap<usize, (usize, Edge)> = HashMap::new();
        let mut queue = VecDeque::from([(from, 0)]);
        while let Some((node, steps)) = queue.pop_front() {
            if node == to {
                let mut path = Vec::new();
                let mut at = to;
                while at != from {
                    let (before, edge) = came[&at];
                    path.push((before, edge));
                    at = before;
                }
                path.reverse();
                return Some(path);
            }
            if steps == steps_max {
                continue;
            }
            for &(next, edge) in self.edges[node].iter().filter(|(_, edge)| allowed.admits(*edge)) {
                let next = next as usize;
                if next != from && !came.contains_key(&next) {
                    came.insert(next, (node, edge));
                    queue.push_back((next, steps + 1));
                }
            }
        }
        None
    }

    /// The strongly connected component of every node: Tarjan's algorithm with its own stack. A
    /// node in no cycle is alone in its component.
    fn components(&self, allowed: Allowed) -> Vec<u32> {
        const UNSEEN: u32 = u32::MAX;
        let count = self.edges.len();
        let (mut index, mut low) = (vec![UNSEEN; count], vec![0; count]);
        let mut component = vec![UNSEEN; count];
        let (mut stack, mut next) = (Vec::new(), 0);
        let mut calls: Vec<(usize, usize)> = Vec::new();
        for root in 0..count {
            if index[root] == UNSEEN {
                calls.push((root, 0));
            }
            while let Some((node, at)) = calls.pop() {
                if at == 0 {
                    index[node] = next;
                    low[node] = next;
                    next += 1;
                    stack.push(node);
                } else {
                    low[node] = low[node].min(low[self.edges[node][at - 1].0 as usize]);
                }
                let mut descends = false;
                for (offset, &(to, edge)) in self.edges[node].iter().enumerate().skip(at) {
                    let to = to as usize;
                    if !allowed.admits(edge) || component[to] != UNSEEN {
                        continue;
                    }
                    if index[to] == UNSEEN {
                        calls.push((node, offset + 1));
                        calls.push((to, 0));
                        descends = true;
                        break;
                    }
                    low[node] = low[node].min(index[to]);
                }
                if !descends && low[node] == index[node] {
                    while let Some(member) = stack.pop() {
                        component[member] = node as u32;
                        if member == node {
                            break;
                        }
                    }
                }
            }
        }
        component
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn reaches(graph: &Graph, from: usize, allowed: Allowed) -> Vec<bool> {
        let mut seen = vec![false; graph.edges.len()];
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            for &(to, edge) in &graph.edges[node] {
                if allowed.admits(edge) && !seen[to as usize] {
                    seen[to as usize] = true;
                    open.push(to as usize);
                }
            }
        }
        seen
    }

    #[test]
    fn components_are_the_nodes_that_reach_each_other() {
        for seed in 0..300 {
            let mut random = Random::new(seed);
            let nodes = 1 + random.below(12);
            let mut graph = Graph::new(nodes);
            let kinds = [Edge::WriteWrite, Edge::WriteRead, Edge::ReadWrite, Edge::RealTime];
            for _ in 0..random.below(30) {
                graph.add(random.below(nodes), random.below(nodes), *random.pick(&kinds));
            }
            let allowed = Allowed { write_read: true, read_write: seed % 2 == 0, real_time: false };
            let components = graph.components(allowed);
            let reach: Vec<Vec<bool>> = (0..nodes).map(|n| reaches(&graph, n, allowed)).collect();
            for a in 0..nodes {
                for b in 0..nodes {
                    let mutual = a == b || reach[a][b] && reach[b][a];
                    assert_eq!(components[a] == components[b], mutual, "seed {seed}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn the_fewest_sorts_of_edges_name_the_cycle() {
        let mut graph = Graph::new(4);
        graph.add(0, 1, Edge::WriteRead);
        graph.add(1, 0, Edge::RealTime);
        assert_eq!(
            graph.worst_cycle().map(|c| (c.kind, c.real_time)),
            Some((CycleKind::G1c, true))
        );
        graph.add(1, 2, Edge::ReadWrite);
        graph.add(2, 3, Edge::ReadWrite);
        graph.add(3, 0, Edge::WriteWrite);
        assert_eq!(
            graph.worst_cycle().map(|c| (c.kind, c.real_time)),
            Some((CycleKind::G2, false))
        );
        graph.add(1, 0, Edge::ReadWrite);
        let cycle = graph.worst_cycle().map(|c| (c.kind, c.path));
        let path = vec![(1, Edge::ReadWrite), (0, Edge::WriteRead)];
        assert_eq!(cycle, Some((CycleKind::GSingle, path)));
        graph.add(1, 0, Edge::WriteRead);
        assert_eq!(graph.worst_cycle().map(|c| c.kind), Some(CycleKind::G1c));
    }
}
