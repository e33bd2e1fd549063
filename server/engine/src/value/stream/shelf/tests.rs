//! The shelf against a tree of std's, and what no call of it may do.

use std::collections::BTreeSet;

use super::Shelf;
use super::branch::{BRANCH_MAX, Branch, LEAF_MAX, Leaf};
use crate::base::random::Random;
use crate::value::stream::StreamId;

#[test]
fn a_shelf_holds_what_a_tree_would() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let mut shelf = Shelf::new();
        let mut model = BTreeSet::new();
        let span = 1 + random.below(2_000);
        for step in 0..6_000 {
            let id = StreamId::new(random.below(span), random.below(2));
            let grow = if step / 1_500 % 2 == 0 { 6 } else { 2 };
            match random.below(10) {
                roll if roll < grow => {
                    let new = model.insert(id);
                    assert_eq!(shelf.insert(id).is_none(), new, "seed {seed}");
                }
                9 => {
                    let first = shelf.first().copied();
                    let gone = first.and_then(|first| shelf.remove(first));
                    assert_eq!(gone, model.pop_first(), "seed {seed}");
                }
                8 if step % 3 == 0 => assert_eq!(shelf.pop_last(), model.pop_last()),
                _ => assert_eq!(shelf.remove(id).is_some(), model.remove(&id), "seed {seed}"),
            }
            assert_eq!(shelf.get(id).copied(), model.get(&id).copied());
            assert_eq!(shelf.floor(id), model.range(..=id).next_back());
            assert_eq!(shelf.from(id).next(), model.range(id..).next());
            if step % 500 == 0 {
                shelf.check_invariants();
                assert!(shelf.iter().eq(&model), "seed {seed}");
                assert!(shelf.from(id).eq(model.range(id..)), "seed {seed}");
                assert!(shelf.back_from(id).eq(model.range(..=id).rev()), "seed {seed}");
            }
        }
    }
}

#[test]
fn a_shelf_sifted_to_its_end_holds_what_was_to_be_kept() {
    for seed in 0..20 {
        let mut random = Random::new(seed);
        let (mut shelf, mut model) = (Shelf::new(), BTreeSet::new());
        for _ in 0..random.below(40_000) {
            let id = StreamId::new(random.below(60_000), 0);
            shelf.insert(id);
            model.insert(id);
        }
        let kept_in = 1 + random.below(200);
        let kept =
            |id: &StreamId| id.ms.is_multiple_of(kept_in) || (id.ms / 1_000).is_multiple_of(7);
        let leaves = shelf.leaves;
        let (mut at, mut steps) = (Some(StreamId::MIN), 0);
        while let Some(id) = at {
            at = shelf.sift(id, kept);
            steps += 1;
            assert!(steps <= leaves + 1, "seed {seed}");
        }
        model.retain(kept);
        shelf.check_invariants();
        assert!(shelf.iter().eq(&model), "seed {seed}");
    }
}

#[test]
fn appends_leave_full_leaves() {
    let mut shelf = Shelf::new();
    let count = 10 * LEAF_MAX as u64;
    (0..count).for_each(|ms| shelf.push(StreamId::new(ms, 0)));
    assert_eq!(shelf.leaves, 10);
    (0..count - 1).for_each(|ms| assert!(shelf.remove(StreamId::new(ms, 0)).is_some()));
    shelf.check_invariants();
    assert_eq!(shelf.leaves, 1);
}

#[test]
fn many_branches_hold_what_a_tree_would() {
    let seed = 5;
    let mut random = Random::new(seed);
    let count = (LEAF_MAX * BRANCH_MAX) as u64;
    let (mut shelf, mut model) = (Shelf::new(), BTreeSet::new());
    for ms in 0..4 * count {
        shelf.push(StreamId::new(ms, 1));
        model.insert(StreamId::new(ms, 1));
    }
    assert_eq!(shelf.branches.len(), 4);
    for _ in 0..2 * count {
        let id = StreamId::new(random.below(4 * count), random.below(3));
        assert_eq!(shelf.insert(id).is_none(), model.insert(id), "seed {seed}");
    }
    let mut order: Vec<StreamId> = model.iter().copied().collect();
    random.shuffle(&mut order);
    while order.len() > 50 {
        if order.len().is_multiple_of(count as usize / 2) {
            let id = order[0];
            shelf.check_invariants();
            assert!(shelf.iter().eq(&model), "seed {seed}");
            assert!(shelf.from(id).take(300).eq(model.range(id..).take(300)), "seed {seed}");
            let back = model.range(..=id).rev().take(300);
            assert!(shelf.back_from(id).take(300).eq(back), "seed {seed}");
        }
        let Some(id) = order.pop() else { break };
        assert_eq!(shelf.remove(id).is_some(), model.remove(&id), "seed {seed}");
    }
    let left = (shelf.branches.len(), shelf.leaves);
    assert!(left.0 < 4, "{left:?} branches and leaves: they join when they have little");
    let mut front = Shelf::new();
    shelf.move_front(&mut front, |_| true);
    assert!(front.iter().eq(&model) && shelf.is_empty(), "seed {seed}");
    front.check_invariants();
    let mut slices = 0;
    while front.dismantle_leaves(1) > 0 {
        slices += 1;
    }
    assert!(slices == left.1 && front.is_empty(), "seed {seed}: {slices} slices");
}

/// With all leaves in one array, the append that made the array of 65,536 leaves grow copied 2.6 MB
/// into 5.2 MB of fresh memory, for a group and for its consumer at once, and a random XACK that
/// emptied a leaf moved up to 1.5 MB: ten million pending entries are 78,125 leaves.
#[test]
fn no_array_of_a_shelf_is_long_however_much_lies_on_it() {
    let mut shelf = Shelf::new();
    (0..3_000_000).for_each(|ms| shelf.push(StreamId::new(ms, 0)));
    let leaves = shelf.branches.iter().flat_map(|branch| &branch.leaves);
    let items = leaves.map(|leaf| leaf.items.capacity() * size_of::<StreamId>()).max();
    let branches = shelf.branches.iter();
    let leaves = branches.map(|branch| branch.leaves.capacity() * size_of::<Leaf<StreamId>>());
    let top = shelf.branches.capacity() * size_of::<Branch<StreamId>>();
    let longest = items.max(leaves.max()).max(Some(top));
    assert!(longest <= Some(12 << 10), "{longest:?} bytes are copied in one step");
}
