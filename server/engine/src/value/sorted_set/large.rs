//! A large sorted set: blocks of packed elements in order, a counted tree of inner nodes above them
//! and an index from a member's hash to its block.
//!
//! ```text
//! node ── node ── block ⇄ block ⇄ block      ranks, ranges: down the tree, then along the chain
//!                   ▲       ▲       ▲
//! index: hash ──────┴───────┴───────┘        a member's score: index, then its block
//! ```
//! Nothing is stored twice: a member lives in its block only, and the index has 8 bytes for it.
//! What a change costs is bounded by the size of a block and a node at each depth, never by the
//! size of the set: an element that moves to another block is one look into the index. That holds
//! for the removal of a long range, too: see [`cut`].

mod cut;

use super::edge::Edge;
use super::entry::Entry;
use super::index::Index;
use super::leaves::{Leaves, NONE};
use super::node::{Bound, Children, FANOUT_LOW, FANOUT_MAX, Node};
use super::packed::{Packed, Place};
use cut::Strays;

/// Bytes of a block before it is split. Where one element is longer it may lie with others until
/// the next one comes.
const BLOCK_BYTES_MAX: usize = 1024;
/// Elements of a block before it is split: a walk through it stays short when members are.
const BLOCK_LEN_MAX: usize = 64;
/// Bytes below which a block looks for a neighbour to join.
const BLOCK_BYTES_LOW: usize = 256;

/// The large form.
#[derive(Debug)]
pub struct Large {
    root: Node,
    /// Heap bytes of all inner nodes.
    node_bytes: usize,
    len: usize,
    store: Store,
    strays: Strays,
}

/// What the tree's branches work on.
#[derive(Debug)]
struct Store {
    leaves: Leaves,
    index: Index,
    hasher: ahash::RandomState,
}

/// What a removal is after, in a node or below.
#[derive(Clone, Copy)]
enum Aim<'a> {
    Element(f64, &'a [u8]),
    /// First rank, and how many at most.
    Ranks(usize, usize),
}

impl Store {
    fn hash(&self, member: &[u8]) -> u32 {
        (self.hasher.hash_one(member) >> 32) as u32
    }

    /// Tells the index that the elements of `packed` went from one block to another.
    fn relocate(&mut self, packed: &Packed, from: u32, to: u32) {
        for entry in packed.view().entries() {
            let hash = (self.hasher.hash_one(entry.member) >> 32) as u32;
            self.index.relocate(hash, from, to);
        }
    }

    /// Splits a block that is too long; the new one behind it and the bound between.
    fn split_leaf(&mut self, leaf: u32) -> Option<(Bound, u32)> {
        let packed = self.leaves.get(leaf);
        let too_long = packed.bytes().len() > BLOCK_BYTES_MAX || packed.len() > BLOCK_LEN_MAX;
        if !too_long || packed.len() < 2 {
            return None;
        }
        // What grows at its end (times, counters) leaves full blocks behind instead of halves.
        let is_last = self.leaves.next(leaf) == NONE;
        let at = if is_last { packed.nth(packed.len() - 1) } else { packed.middle() };
        let right = self.leaves.edit(leaf, |packed| packed.split_off(at));
        let (last, first) = (self.leaves.get(leaf).last(), right.view().at(Place::default()));
        let bound = Bound::between((last.score, last.member), (first.score, first.member));
        let new = self.leaves.insert(leaf, Packed::default());
        self.relocate(&right, leaf, new);
        self.leaves.edit(new, |packed| *packed = right);
        Some((bound, new))
    }

    /// Joins two neighbouring blocks when together they are well below full; the one that is left.
    fn join_leaves(&mut self, left: u32, right: u32) -> Option<u32> {
        let (a, b) = (self.leaves.get(left), self.leaves.get(right));
        if a.bytes().len() + b.bytes().len() > BLOCK_BYTES_MAX * 3 / 4
            || a.len() + b.len() > BLOCK_LEN_MAX * 3 / 4
        {
            return None;
        }
        // The longer one keeps its number: fewer elements move.
        let (stays, goes) = if a.len() >= b.len() { (left, right) } else { (right, left) };
        let gone = self.leaves.remove(goes);
        self.relocate(&gone, goes, stays);
        self.leaves.edit(stays, |packed| {
            if stays == left {
                packed.append(&gone);
            } else {
                let behind = std::mem::replace(packed, gone);
                packed.append(&behind);
            }
        });
        Some(stays)
    }
}

impl Large {
    /// An empty set whose hashes are keyed with `seed`.
    pub fn new(seed: u64) -> Large {
        let hasher = ahash::RandomState::with_seeds(seed, !seed, seed.rotate_left(32), 1);
        let store = Store { leaves: Leaves::new(), index: Index::new(), hasher };
        Large { root: Node::empty(), node_bytes: 0, len: 0, store, strays: Strays::default() }
    }

    /// Elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Heap bytes, this structure included. O(1).
    pub fn heap_bytes(&self) -> usize {
        let store = &self.store;
        let tables = store.leaves.heap_bytes() + store.index.heap_bytes();
        size_of::<Large>() + self.node_bytes + tables + self.strays.heap_bytes()
    }

    /// All blocks.
    pub fn leaves(&self) -> &Leaves {
        &self.store.leaves
    }

    /// The score of `member`. Two or three cache misses in the index, one or two in the block.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|(_, _, entry)| entry.score)
    }

    fn find(&self, member: &[u8]) -> Option<(u32, Place, Entry<'_>)> {
        self.store.index.candidates(self.store.hash(member)).find_map(|leaf| {
            let (place, entry) = self.store.leaves.get(leaf).find(member)?;
            self.is_there(leaf, &entry).then_some((leaf, place, entry))
        })
    }

    /// Elements before `edge`. O(log n).
    pub fn rank(&self, edge: Edge<'_>) -> usize {
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            if node.fanout() == 0 {
                return 0;
            }
            let at = node.route(edge);
            rank += node.count_before(at);
            match node.children() {
                Children::Nodes(nodes) => node = &nodes[at],
                Children::Leaves(leaves) => {
                    return rank + self.store.leaves.get(leaves[at]).seek(edge).index;
                }
            }
        }
    }

    /// The block of the element of `rank`, which is below [`Large::len`], and its place there.
    pub fn select(&self, mut rank: usize) -> (u32, Place) {
        debug_assert!(rank < self.len);
        let mut node = &self.root;
        loop {
            let at;
            (at, rank) = node.route_rank(rank);
            match node.children() {
                Children::Nodes(nodes) => node = &nodes[at],
                Children::Leaves(leaves) => {
                    return (leaves[at], self.store.leaves.get(leaves[at]).nth(rank));
                }
            }
        }
    }

    /// Gives `member` this score; whether it had another one, or none.
    pub fn set(&mut self, score: f64, member: &[u8]) -> bool {
        let found = self.find(member);
        let found = found.map(|(leaf, place, entry)| (leaf, place, entry.score, entry.end));
        if let Some((leaf, place, old, end)) = found {
            if old == score {
                return false;
            }
            if self.move_within(leaf, (place, end), score, member) {
                return true;
            }
            self.remove_aimed(Aim::Element(old, member));
        }
        self.insert(score, member);
        true
    }

    /// Moves an element inside its block, when its new place lies between two others of it: the
    /// usual step of a counter, for which neither tree nor index changes.
    fn move_within(
        &mut self,
        leaf: u32,
        (from, end): (Place, usize),
        score: f64,
        member: &[u8],
    ) -> bool {
        let packed = self.store.leaves.get(leaf);
        let to = packed.seek(Edge::Before(score, member)).index;
        let others_before = to - usize::from(from.index < to);
        let is_inner = others_before > 0 && others_before + 1 < packed.len();
        if !is_inner || packed.bytes().len() + size_of::<f64>() > BLOCK_BYTES_MAX {
            return false;
        }
        self.store.leaves.edit(leaf, |packed| {
            packed.remove(from, Place { index: from.index + 1, offset: end });
            packed.insert(packed.view().seek(Edge::Before(score, member)), score, member);
        });
        true
    }

    fn insert(&mut self, score: f64, member: &[u8]) {
        if self.is_untidy() {
            self.tidy(cut::PIECES_AN_INSERT);
        }
        if self.root.fanout() == 0 {
            let before = self.root.heap_bytes();
            let leaf = self.store.leaves.insert(NONE, Packed::default());
            self.root.insert_leaf(0, Bound::lowest(), leaf, 0);
            self.node_bytes += self.root.heap_bytes() - before;
        }
        let split =
            insert_below(&mut self.root, &mut self.store, &mut self.node_bytes, score, member);
        if let Some((bound, right)) = split {
            let left = std::mem::replace(&mut self.root, Node::empty());
            self.root = Node::pair(left, bound, right);
            self.node_bytes += self.root.heap_bytes();
        }
        self.len += 1;
    }

    /// Takes `member` out; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        let Some(score) = self.score(member) else { return false };
        self.remove_aimed(Aim::Element(score, member));
        true
    }

    /// Takes out the elements of ranks `first..first + count`, all below [`Large::len`]: a block at
    /// a time, or when they are many, in O(log n).
    pub fn remove_ranks(&mut self, first: usize, mut count: usize) {
        if count > cut::REMOVED_AT_ONCE {
            return self.cut_off(first, count);
        }
        while count > 0 {
            count -= self.remove_aimed(Aim::Ranks(first, count)).min(count);
        }
    }

    /// Removes what the aim finds in one block.
    fn remove_aimed(&mut self, aim: Aim<'_>) -> usize {
        let removed = remove_below(&mut self.root, &mut self.store, &mut self.node_bytes, aim);
        debug_assert!(removed > 0, "what is removed was found before");
        self.len -= removed;
        self.lower();
        removed
    }

    /// A root above a single node gives way to it.
    fn lower(&mut self) {
        while let Some(only) = self.root.take_only_node() {
            self.node_bytes -= self.root.heap_bytes();
            self.root = only;
        }
    }

    /// One step of a walk that survives every change between two steps: calls `visit` with the
    /// elements of a stretch of hashes and returns where to go on, 0 when done. What is there all
    /// the time is visited exactly once, unless two members of one block share a hash.
    pub fn scan<'a>(&'a self, cursor: u32, mut visit: impl FnMut(Entry<'a>)) -> u32 {
        let mut found = Vec::new();
        let next = self.store.index.scan(cursor, |hash, leaf| found.push((leaf, hash)));
        found.sort_unstable();
        found.dedup();
        for run in found.chunk_by(|a, b| a.0 == b.0) {
            for entry in self.store.leaves.get(run[0].0).entries() {
                let hash = self.store.hash(entry.member);
                let is_meant = run.iter().any(|&(_, other)| other == hash);
                if is_meant && self.is_there(run[0].0, &entry) {
                    visit(entry);
                }
            }
        }
        next
    }

    /// Frees up to about `pieces` allocations; whether any are left.
    pub fn dismantle(&mut self, mut pieces: usize) -> bool {
        self.len = 0;
        let leaves = self.store.leaves.dismantle(pieces);
        let index = !leaves && self.store.index.dismantle(pieces);
        let node_bytes = &mut self.node_bytes;
        leaves
            || index
            || self.root.dismantle(&mut pieces, node_bytes)
            || self.strays.dismantle(&mut pieces, node_bytes)
    }

    /// Asserts counts, bounds, order, index and accounting.
    pub fn check_invariants(&self) {
        let order = self.store.leaves.check_invariants();
        self.store.index.check_invariants();
        let mut below = Vec::new();
        let mut node_bytes = 0;
        check_node(&self.root, &self.store.leaves, &mut below, &mut node_bytes);
        assert_eq!(below, order, "tree and chain agree");
        self.check_strays(node_bytes);
        let (mut len, mut last): (usize, Option<Entry<'_>>) = (0, None);
        for &leaf in &order {
            let packed = self.store.leaves.get(leaf);
            packed.check_invariants();
            assert!(packed.len() > 0 && packed.len() <= BLOCK_LEN_MAX);
            let longest = packed.entries().map(|entry| entry.member.len()).max();
            assert!(packed.bytes().len() <= BLOCK_BYTES_MAX + 2 * longest.unwrap_or(0));
            let first = packed.at(Place::default());
            if let Some(last) = last {
                assert!(Edge::Before(first.score, first.member).is_behind(last.score, last.member));
            }
            last = Some(packed.last());
            len += packed.len();
            for entry in packed.entries() {
                let hash = self.store.hash(entry.member);
                assert!(self.store.index.candidates(hash).any(|other| other == leaf));
            }
        }
        assert_eq!((len, self.root.len()), (self.len, self.len));
    }
}

/// Inserts a new element below `node`; when that makes it too wide, its upper half comes back.
fn insert_below(
    node: &mut Node,
    store: &mut Store,
    node_bytes: &mut usize,
    score: f64,
    member: &[u8],
) -> Option<(Bound, Node)> {
    let edge = Edge::After(score, member);
    let at = node.route(edge);
    node.set_count(at, node.count(at) + 1);
    let mut before = 0;
    match node.children_mut() {
        Children::Leaves(leaves) => {
            let leaf = leaves[at];
            store
                .leaves
                .edit(leaf, |packed| packed.insert(packed.view().seek(edge), score, member));
            store.index.insert(store.hash(member), leaf);
            let (bound, new) = store.split_leaf(leaf)?;
            before += node.heap_bytes();
            node.set_count(at, store.leaves.get(leaf).len());
            node.insert_leaf(at + 1, bound, new, store.leaves.get(new).len());
        }
        Children::Nodes(nodes) => {
            let (bound, right) = insert_below(&mut nodes[at], store, node_bytes, score, member)?;
            before += node.heap_bytes();
            node.set_count(at, node.count(at) - right.len());
            node.insert_node(at + 1, bound, right);
        }
    }
    let split = (node.fanout() > FANOUT_MAX).then(|| node.split());
    *node_bytes += node.heap_bytes() + split.as_ref().map_or(0, |(_, right)| right.heap_bytes());
    *node_bytes -= before;
    split
}

/// Removes what the aim finds in the one block it leads to; how many that was. Children that are
/// left with little join a neighbour.
fn remove_below(node: &mut Node, store: &mut Store, node_bytes: &mut usize, aim: Aim<'_>) -> usize {
    let (at, aim) = match aim {
        Aim::Element(score, member) => (node.route(Edge::After(score, member)), aim),
        Aim::Ranks(first, count) => {
            let (at, first) = node.route_rank(first);
            (at, Aim::Ranks(first, count))
        }
    };
    let (removed, is_low) = match node.children_mut() {
        Children::Leaves(leaves) => {
            let removed = remove_in_leaf(store, leaves[at], aim);
            (removed, store.leaves.get(leaves[at]).bytes().len() < BLOCK_BYTES_LOW)
        }
        Children::Nodes(nodes) => {
            let removed = remove_below(&mut nodes[at], store, node_bytes, aim);
            (removed, nodes[at].fanout() < FANOUT_LOW)
        }
    };
    node.set_count(at, node.count(at) - removed);
    if is_low {
        relieve(node, store, node_bytes, at);
    }
    removed
}

fn remove_in_leaf(store: &mut Store, leaf: u32, aim: Aim<'_>) -> usize {
    let packed = store.leaves.get(leaf);
    let (from, to) = match aim {
        Aim::Element(score, member) => {
            (packed.seek(Edge::Before(score, member)), packed.seek(Edge::After(score, member)))
        }
        Aim::Ranks(first, count) => {
            let end = packed.len().min(first.saturating_add(count));
            (packed.nth(first.min(end)), packed.nth(end))
        }
    };
    for entry in packed.entries_from(from.offset).take(to.index - from.index) {
        let hash = (store.hasher.hash_one(entry.member) >> 32) as u32;
        store.index.remove(hash, leaf);
    }
    store.leaves.edit(leaf, |packed| packed.remove(from, to));
    to.index - from.index
}

/// Removes child `at` if it is empty, or joins it with a neighbour if both have little.
fn relieve(node: &mut Node, store: &mut Store, node_bytes: &mut usize, at: usize) {
    if node.count(at) == 0 {
        let before = node.heap_bytes();
        if let Some(leaf) = node.leaf(at) {
            store.leaves.remove(leaf);
        }
        let child_bytes = node.take_node(at).map_or(0, |child| child.heap_bytes());
        *node_bytes += node.heap_bytes();
        *node_bytes -= before + child_bytes;
        return;
    }
    let joined = at + 1 < node.fanout() && join(node, store, node_bytes, at);
    if !joined && at > 0 {
        join(node, store, node_bytes, at - 1);
    }
}

/// Joins children `at` and `at + 1` if they fit.
fn join(node: &mut Node, store: &mut Store, node_bytes: &mut usize, at: usize) -> bool {
    let (Some(left), Some(right)) = (node.leaf(at), node.leaf(at + 1)) else {
        return node.join_nodes(at, node_bytes);
    };
    let Some(stays) = store.join_leaves(left, right) else { return false };
    let before = node.heap_bytes();
    let count = node.count(at) + node.count(at + 1);
    node.take_node(at + 1);
    node.set_count(at, count);
    if let Children::Leaves(leaves) = node.children_mut() {
        leaves[at] = stays;
    }
    *node_bytes += node.heap_bytes();
    *node_bytes -= before;
    true
}

fn check_node(node: &Node, leaves: &Leaves, below: &mut Vec<u32>, node_bytes: &mut usize) {
    *node_bytes += node.heap_bytes();
    assert!(node.fanout() <= FANOUT_MAX);
    for at in 0..node.fanout() {
        let from = below.len();
        let count = match node.children() {
            Children::Leaves(numbers) => {
                below.push(numbers[at]);
                leaves.get(numbers[at]).len()
            }
            Children::Nodes(nodes) => {
                check_node(&nodes[at], leaves, below, node_bytes);
                nodes[at].len()
            }
        };
        assert_eq!(node.count(at), count);
        assert!(count > 0);
        let first = leaves.get(below[from]).at(Place::default());
        let last = leaves.get(below[below.len() - 1]).last();
        // The edges of what lies in a child lead to it.
        assert_eq!(node.route(Edge::After(first.score, first.member)), at);
        assert_eq!(node.route(Edge::After(last.score, last.member)), at);
    }
}
