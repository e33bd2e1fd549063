//! A long range taken out in O(log n).
//!
//! ZREMRANGEBYRANK that keeps the best ten of a million took every other member out of the index by
//! itself: 207 ms. Now the blocks of the range are cut off the tree and out of the chain as they
//! are, with the nodes above them, and only the two blocks at the ends of the range are looked
//! into. The index still names what lies in the blocks that were cut off: strays. While there are
//! any, whoever comes from the index asks the tree whether it leads to the same block. Upkeep takes
//! strays out of the index and frees their blocks and nodes ([`Large::tidy`]), and so does whoever
//! adds elements, a few at a time.

use super::super::edge::Edge;
use super::super::entry::Entry;
use super::super::leaves::NONE;
use super::super::node::{Children, FANOUT_LOW, Node};
use super::{Aim, BLOCK_BYTES_LOW, BLOCK_LEN_MAX, Large, Store, relieve, remove_in_leaf};

/// Elements that are taken out one by one, about 0.2 us each; a longer range is cut off. Few in
/// tests, so that random edits leave strays.
pub const REMOVED_AT_ONCE: usize = if cfg!(test) { BLOCK_LEN_MAX } else { 1024 };
const _: () = assert!(REMOVED_AT_ONCE >= BLOCK_LEN_MAX, "a range ends in another block");

/// Strays that go for the price of a piece, see [`Large::tidy`].
const STRAYS_A_PIECE: usize = 4;

/// Pieces that whoever adds an element tidies first, about 1 us. A stray was added once, so there
/// are never more of them than the set has held, however seldom upkeep comes: between two of its
/// slices a turn adds tens of thousands, and so does the repeating of a log.
pub const PIECES_AN_INSERT: usize = 1;

/// What has been cut off.
#[derive(Debug, Default)]
pub struct Strays {
    /// The first block of each range. None of them is in the tree, nor in the chain of all blocks.
    chains: Vec<u32>,
    /// The nodes that were above them.
    nodes: Vec<Node>,
}

impl Strays {
    /// Without the nodes, which are counted with those of the tree.
    pub fn heap_bytes(&self) -> usize {
        self.chains.capacity() * size_of::<u32>() + self.nodes.capacity() * size_of::<Node>()
    }

    /// Frees nodes until the budget of children is used up; whether any are left.
    pub fn dismantle(&mut self, pieces: &mut usize, node_bytes: &mut usize) -> bool {
        while let Some(node) = self.nodes.last_mut() {
            if node.dismantle(pieces, node_bytes) {
                return true;
            }
            self.nodes.pop();
        }
        *self = Strays::default();
        false
    }
}

impl Large {
    /// Cuts off the elements of ranks `first..first + count`, more than a block can hold.
    pub(super) fn cut_off(&mut self, first: usize, count: usize) {
        debug_assert!(count > BLOCK_LEN_MAX);
        let end = first + count;
        let before = if first > 0 { self.select(first - 1).0 } else { NONE };
        let behind = if end < self.len { self.select(end).0 } else { NONE };
        self.strays.chains.extend(self.store.leaves.cut_out(before, behind));
        if count == self.len {
            self.strays.nodes.push(std::mem::replace(&mut self.root, Node::empty()));
        } else {
            let Large { root, store, node_bytes, strays, .. } = self;
            let nodes = &mut strays.nodes;
            let removed = Cutting { store, node_bytes, nodes }.below(root, first, count);
            debug_assert_eq!(removed, count);
        }
        self.len -= count;
        self.lower();
    }

    /// Whether an element that was found through the index is no stray.
    #[inline]
    pub(super) fn is_there(&self, leaf: u32, entry: &Entry<'_>) -> bool {
        self.strays.chains.is_empty() || self.leads_to(leaf, entry)
    }

    #[cold]
    fn leads_to(&self, leaf: u32, entry: &Entry<'_>) -> bool {
        let mut node = &self.root;
        while node.fanout() > 0 {
            let at = node.route(Edge::After(entry.score, entry.member));
            match node.children() {
                Children::Nodes(nodes) => node = &nodes[at],
                Children::Leaves(leaves) => return leaves[at] == leaf,
            }
        }
        false
    }

    /// Whether there are strays, or nodes that were above some.
    pub fn is_untidy(&self) -> bool {
        !(self.strays.chains.is_empty() && self.strays.nodes.is_empty())
    }

    /// Takes some strays out of the index, and frees their blocks, then nodes.
    pub fn tidy(&mut self, mut pieces: usize) {
        let mut elements = pieces * STRAYS_A_PIECE;
        while elements > 0
            && let Some(leaf) = self.strays.chains.last_mut()
        {
            elements -= remove_in_leaf(&mut self.store, *leaf, Aim::Ranks(0, elements));
            if self.store.leaves.get(*leaf).len() > 0 {
                return;
            }
            *leaf = self.store.leaves.discard(*leaf);
            if *leaf == NONE {
                self.strays.chains.pop();
            }
        }
        if self.strays.chains.is_empty() {
            self.strays.dismantle(&mut pieces, &mut self.node_bytes);
        }
    }

    /// Asserts what is known of strays; `node_bytes` are those of the tree.
    pub(super) fn check_strays(&self, node_bytes: usize) {
        let gone = self.strays.nodes.iter().map(Node::heap_bytes_below).sum::<usize>();
        assert_eq!(node_bytes + gone, self.node_bytes);
        let mut len = self.len;
        for &chain in &self.strays.chains {
            let mut leaf = chain;
            while leaf != NONE {
                for entry in self.store.leaves.get(leaf).entries() {
                    let hash = self.store.hash(entry.member);
                    assert!(self.store.index.candidates(hash).any(|other| other == leaf));
                    assert!(!self.leads_to(leaf, &entry));
                    len += 1;
                }
                leaf = self.store.leaves.next(leaf);
            }
        }
        assert_eq!(self.store.index.len(), len, "the index names what is there, and strays");
    }
}

/// What a cut works on.
struct Cutting<'a> {
    store: &'a mut Store,
    /// Of the tree, with what has been cut off.
    node_bytes: &'a mut usize,
    /// Nodes that have been cut off.
    nodes: &'a mut Vec<Node>,
}

impl Cutting<'_> {
    /// Cuts off what is below `node` of a range of `count` elements that begins with rank `first`
    /// there: not everything. How many elements that was.
    fn below(&mut self, node: &mut Node, first: usize, count: usize) -> usize {
        let mut left = count;
        let (mut at, rank) = node.route_rank(first);
        if rank > 0 {
            left -= self.in_child(node, at, rank, left);
            at += 1;
        }
        let from = at;
        while at < node.fanout() && node.count(at) <= left {
            left -= node.count(at);
            at += 1;
        }
        if left > 0 && at < node.fanout() {
            left -= self.in_child(node, at, 0, left);
        }
        let before = node.heap_bytes();
        self.nodes.extend(node.take_range(from..at));
        *self.node_bytes += node.heap_bytes();
        *self.node_bytes -= before;
        // The child behind the range first: joining it moves nobody before it.
        for at in [Some(from), from.checked_sub(1)].into_iter().flatten() {
            if at < node.fanout() && self.is_low(node, at) {
                relieve(node, self.store, self.node_bytes, at);
            }
        }
        count - left
    }

    fn in_child(&mut self, node: &mut Node, at: usize, first: usize, count: usize) -> usize {
        let removed = match node.children_mut() {
            Children::Leaves(leaves) => {
                remove_in_leaf(self.store, leaves[at], Aim::Ranks(first, count))
            }
            Children::Nodes(nodes) => self.below(&mut nodes[at], first, count),
        };
        node.set_count(at, node.count(at) - removed);
        removed
    }

    fn is_low(&self, node: &Node, at: usize) -> bool {
        match node.children() {
            Children::Leaves(leaves) => {
                self.store.leaves.get(leaves[at]).bytes().len() < BLOCK_BYTES_LOW
            }
            Children::Nodes(nodes) => nodes[at].fanout() < FANOUT_LOW,
        }
    }
}
