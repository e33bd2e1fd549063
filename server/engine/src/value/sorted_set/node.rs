//! The inner nodes of a large sorted set: who lies where, and how many.
//!
//! A node knows of each child the number of its elements, which gives ranks, and a lower bound: a
//! key that is above everything before the child and not above anything in it. Bounds are as short
//! as they can be: where scores differ no part of a member is needed, otherwise the first bytes
//! that
//! tell two members apart. A bound stays true when elements go, so removing touches no bound.

use std::ops::Range;

use super::edge::Edge;

/// Children of a node before it is split in half.
pub const FANOUT_MAX: usize = 63;
/// Children below which a node looks for a neighbour to join.
pub const FANOUT_LOW: usize = 16;

/// A key between two children. The member may be a prefix of one.
#[derive(Clone, PartialEq, Debug)]
pub struct Bound {
    pub score: f64,
    pub member: Box<[u8]>,
}

impl Bound {
    /// Below everything: the first child has no other bound.
    pub fn lowest() -> Bound {
        Bound { score: f64::NEG_INFINITY, member: Box::default() }
    }

    /// The shortest key above `left` and not above `right`.
    pub fn between(left: (f64, &[u8]), right: (f64, &[u8])) -> Bound {
        let (score, member) = right;
        if left.0 < score {
            return Bound { score, member: Box::default() };
        }
        let same = left.1.iter().zip(member).take_while(|(a, b)| a == b).count();
        Bound { score, member: member[..same + 1].into() }
    }
}

/// What a node's children are.
#[derive(Debug)]
pub enum Children {
    /// Numbers of blocks.
    Leaves(Vec<u32>),
    Nodes(Vec<Node>),
}

/// An inner node. One column for each thing known of a child, so that a search reads few lines.
#[derive(Debug)]
pub struct Node {
    scores: Vec<f64>,
    members: Vec<Box<[u8]>>,
    counts: Vec<usize>,
    children: Children,
}

impl Node {
    /// A node above blocks, without any.
    pub fn empty() -> Node {
        Node::above(Children::Leaves(Vec::new()))
    }

    fn above(children: Children) -> Node {
        Node { scores: Vec::new(), members: Vec::new(), counts: Vec::new(), children }
    }

    /// A node above two.
    pub fn pair(left: Node, bound: Bound, right: Node) -> Node {
        let mut root = Node::above(Children::Nodes(Vec::with_capacity(2)));
        root.insert_node(0, Bound::lowest(), left);
        root.insert_node(1, bound, right);
        root
    }

    /// Children.
    pub fn fanout(&self) -> usize {
        self.counts.len()
    }

    /// Elements below.
    pub fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    pub fn children(&self) -> &Children {
        &self.children
    }

    pub fn children_mut(&mut self) -> &mut Children {
        &mut self.children
    }

    /// The number of the block that is child `at`, of a node above blocks.
    pub fn leaf(&self, at: usize) -> Option<u32> {
        match &self.children {
            Children::Leaves(leaves) => leaves.get(at).copied(),
            Children::Nodes(_) => None,
        }
    }

    /// Elements below child `at`.
    pub fn count(&self, at: usize) -> usize {
        self.counts[at]
    }

    pub fn set_count(&mut self, at: usize, count: usize) {
        self.counts[at] = count;
    }

    /// Elements below the children before `at`.
    pub fn count_before(&self, at: usize) -> usize {
        self.counts[..at].iter().sum()
    }

    /// The child where the edge lies: the last one whose bound lies before it.
    pub fn route(&self, edge: Edge<'_>) -> usize {
        // The first child's bound is not asked: what is below it belongs there all the same.
        let (mut low, mut high) = (1, self.fanout());
        while low < high {
            let middle = low.midpoint(high);
            if edge.is_behind(self.scores[middle], &self.members[middle]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low - 1
    }

    /// The child that holds the element of this rank, and its rank there; past the end the last.
    pub fn route_rank(&self, mut rank: usize) -> (usize, usize) {
        let last = self.fanout().saturating_sub(1);
        for (at, &count) in self.counts[..last].iter().enumerate() {
            if rank < count {
                return (at, rank);
            }
            rank -= count;
        }
        (last, rank)
    }

    /// Adds a block as child `at`.
    pub fn insert_leaf(&mut self, at: usize, bound: Bound, leaf: u32, count: usize) {
        if let Children::Leaves(leaves) = &mut self.children {
            leaves.insert(at, leaf);
            self.insert_row(at, bound, count);
        }
    }

    /// Adds a node as child `at`.
    pub fn insert_node(&mut self, at: usize, bound: Bound, node: Node) {
        let count = node.len();
        if let Children::Nodes(nodes) = &mut self.children {
            nodes.insert(at, node);
            self.insert_row(at, bound, count);
        }
    }

    fn insert_row(&mut self, at: usize, bound: Bound, count: usize) {
        self.scores.insert(at, bound.score);
        self.members.insert(at, bound.member);
        self.counts.insert(at, count);
    }

    /// Takes child `at` out, and returns it if it is a node. The child after a first one inherits
    /// its
    /// place, and a bound that is not asked any more.
    pub fn take_node(&mut self, at: usize) -> Option<Node> {
        self.scores.remove(at);
        self.members.remove(at);
        self.counts.remove(at);
        match &mut self.children {
            Children::Leaves(leaves) => {
                leaves.remove(at);
                None
            }
            Children::Nodes(nodes) => Some(nodes.remove(at)),
        }
    }

    /// Takes out a range of children, and returns those that are nodes. As for
    /// [`Node::take_node`], whoever comes first now needs no bound.
    pub fn take_range(&mut self, range: Range<usize>) -> Vec<Node> {
        self.scores.drain(range.clone());
        self.members.drain(range.clone());
        self.counts.drain(range.clone());
        match &mut self.children {
            Children::Leaves(leaves) => {
                leaves.drain(range);
                Vec::new()
            }
            Children::Nodes(nodes) => nodes.drain(range).collect(),
        }
    }

    /// Splits off the upper half of the children, with the bound between.
    pub fn split(&mut self) -> (Bound, Node) {
        let at = self.fanout() / 2;
        let children = match &mut self.children {
            Children::Leaves(leaves) => Children::Leaves(leaves.split_off(at)),
            Children::Nodes(nodes) => Children::Nodes(nodes.split_off(at)),
        };
        let right = Node {
            scores: self.scores.split_off(at),
            members: self.members.split_off(at),
            counts: self.counts.split_off(at),
            children,
        };
        (Bound { score: right.scores[0], member: right.members[0].clone() }, right)
    }

    /// Joins children `at` and `at + 1`, nodes both, when together they are well below full, and
    /// accounts for it in `node_bytes`.
    pub fn join_nodes(&mut self, at: usize, node_bytes: &mut usize) -> bool {
        let Children::Nodes(nodes) = &self.children else { return false };
        let (left, right) = (&nodes[at], &nodes[at + 1]);
        if left.fanout() + right.fanout() > FANOUT_MAX * 3 / 4 {
            return false;
        }
        let before = self.heap_bytes() + left.heap_bytes() + right.heap_bytes();
        let bound = (self.scores[at + 1], self.members[at + 1].clone());
        let Some(mut right) = self.take_node(at + 1) else { return false };
        (right.scores[0], right.members[0]) = bound; // a first bound is not kept up
        self.counts[at] += right.len();
        let Children::Nodes(nodes) = &mut self.children else { return false };
        nodes[at].absorb(right);
        let joined_bytes = nodes[at].heap_bytes();
        *node_bytes += self.heap_bytes() + joined_bytes;
        *node_bytes -= before;
        true
    }

    fn absorb(&mut self, mut right: Node) {
        match (&mut self.children, right.children) {
            (Children::Leaves(left), Children::Leaves(mut right)) => left.append(&mut right),
            (Children::Nodes(left), Children::Nodes(mut right)) => left.append(&mut right),
            _ => debug_assert!(false, "all blocks are at one depth"),
        }
        self.scores.append(&mut right.scores);
        self.members.append(&mut right.members);
        self.counts.append(&mut right.counts);
    }

    /// The only child, when it is a node: the new root.
    pub fn take_only_node(&mut self) -> Option<Node> {
        match &mut self.children {
            Children::Nodes(nodes) if nodes.len() == 1 => nodes.pop(),
            _ => None,
        }
    }

    /// Heap bytes of this node without the nodes below. O(fanout).
    pub fn heap_bytes(&self) -> usize {
        let children = match &self.children {
            Children::Leaves(leaves) => leaves.capacity() * size_of::<u32>(),
            Children::Nodes(nodes) => nodes.capacity() * size_of::<Node>(),
        };
        self.scores.capacity() * size_of::<f64>()
            + self.members.capacity() * size_of::<Box<[u8]>>()
            + self.members.iter().map(|member| member.len()).sum::<usize>()
            + self.counts.capacity() * size_of::<usize>()
            + children
    }

    /// Heap bytes of this node and all below. O(nodes); for tests.
    pub fn heap_bytes_below(&self) -> usize {
        let below = match &self.children {
            Children::Leaves(_) => 0,
            Children::Nodes(nodes) => nodes.iter().map(Node::heap_bytes_below).sum(),
        };
        self.heap_bytes() + below
    }

    /// Frees nodes until the budget of children is used up, and takes them off `node_bytes`;
    /// whether any are left.
    pub fn dismantle(&mut self, pieces: &mut usize, node_bytes: &mut usize) -> bool {
        if let Children::Nodes(nodes) = &mut self.children {
            while let Some(last) = nodes.last_mut() {
                if last.dismantle(pieces, node_bytes) {
                    return true;
                }
                nodes.pop();
            }
        }
        if *pieces == 0 {
            return true;
        }
        *pieces = pieces.saturating_sub(self.fanout().max(1));
        *node_bytes -= self.heap_bytes();
        *self = Node::empty();
        false
    }
}
