//! Draws from a collection without putting anything back.

use crate::base::random::Random;
use std::collections::BTreeSet;

/// `count` different elements of `length`, each choice equally likely, or all of them when there
/// are no more. Small shares are drawn one by one; beyond a third of all it is cheaper to list
/// everything and shuffle, as in Redis.
pub fn distinct<T: Copy + Ord>(
    length: usize,
    count: usize,
    random: &mut Random,
    all: impl Iterator<Item = T>,
    mut one: impl FnMut(&mut Random) -> Option<T>,
) -> Vec<T> {
    if count >= length {
        return all.collect();
    }
    if count > length / 3 || length < 64 {
        let mut listed: Vec<T> = all.collect();
        for at in 0..count {
            let left = listed.len() - at;
            listed.swap(at, at + random.below(left as u64) as usize);
        }
        listed.truncate(count);
        return listed;
    }
    let mut drawn = BTreeSet::new();
    while drawn.len() < count {
        drawn.extend(one(random));
    }
    // In the order of the tree the draw would look sorted.
    let mut drawn: Vec<T> = drawn.into_iter().collect();
    random.shuffle(&mut drawn);
    drawn
}
