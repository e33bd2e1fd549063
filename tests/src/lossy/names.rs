//! One directory: the names it shows now, those that are durable, and in between the changes it
//! was not synced for, each of which a loss of power keeps or loses.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::crash::Crash;
use crate::random::Random;

/// What a name stands for, in the whole file system.
pub type NodeId = u64;

struct Change {
    number: u64,
    deed: Deed,
}

enum Deed {
    Put(OsString, NodeId),
    Remove(OsString),
    /// In one step: after a loss of power the node has one of both names.
    Rename {
        from: OsString,
        to: OsString,
        node: NodeId,
    },
}

fn apply(names: &mut BTreeMap<OsString, NodeId>, deed: Deed) {
    match deed {
        Deed::Put(name, node) => {
            names.insert(name, node);
        }
        Deed::Remove(name) => {
            names.remove(&name);
        }
        Deed::Rename { from, to, node } => {
            if names.get(&from) == Some(&node) {
                names.remove(&from);
            }
            names.insert(to, node);
        }
    }
}

/// The names in one directory.
#[derive(Default)]
pub struct Names {
    now: BTreeMap<OsString, NodeId>,
    durable: BTreeMap<OsString, NodeId>,
    changes: Vec<Change>,
}

impl Names {
    pub fn get(&self, name: &OsStr) -> Option<NodeId> {
        self.now.get(name).copied()
    }

    pub fn now(&self) -> &BTreeMap<OsString, NodeId> {
        &self.now
    }

    /// Gives `node` a name. `number`: of the change, when it is to be remembered until it is
    /// durable.
    pub fn put(&mut self, number: Option<u64>, name: &OsStr, node: NodeId) {
        self.now.insert(name.to_owned(), node);
        self.remember(number, || Deed::Put(name.to_owned(), node));
    }

    pub fn remove(&mut self, number: Option<u64>, name: &OsStr) {
        self.now.remove(name);
        self.remember(number, || Deed::Remove(name.to_owned()));
    }

    /// Moves a name that is there; what had the other is without one.
    pub fn rename(&mut self, number: Option<u64>, from: &OsStr, to: &OsStr) {
        if let Some(node) = self.now.remove(from) {
            self.now.insert(to.to_owned(), node);
            let (from, to) = (from.to_owned(), to.to_owned());
            self.remember(number, || Deed::Rename { from, to, node });
        }
    }

    fn remember(&mut self, number: Option<u64>, deed: impl FnOnce() -> Deed) {
        if let Some(number) = number {
            self.changes.push(Change { number, deed: deed() });
        }
    }

    /// Changes up to this number are durable from now on.
    pub fn settle(&mut self, up_to: u64) {
        for change in self.changes.extract_if(.., |change| change.number <= up_to) {
            apply(&mut self.durable, change.deed);
        }
    }

    /// A sync has failed: what it covers is shown, and no later sync writes it.
    pub fn give_up(&mut self, up_to: u64) {
        self.changes.retain(|change| change.number > up_to);
    }

    /// Whether a loss of power may leave a name for `node`.
    pub fn may_hold(&self, node: NodeId) -> bool {
        let changed = |change: &Change| match &change.deed {
            Deed::Put(_, put) | Deed::Rename { node: put, .. } => *put == node,
            Deed::Remove(_) => false,
        };
        [&self.now, &self.durable].iter().any(|names| names.values().any(|of| *of == node))
            || self.changes.iter().any(changed)
    }

    /// The power goes.
    pub fn lose_power(&mut self, crash: Crash, random: &mut Random) {
        for change in std::mem::take(&mut self.changes) {
            if crash.keeps_name(random) {
                apply(&mut self.durable, change.deed);
            }
        }
        self.now = self.durable.clone();
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::Names;
    use crate::crash::Crash;
    use crate::random::Random;

    fn shown(names: &Names) -> Vec<(&str, u64)> {
        names.now().iter().map(|(name, node)| (name.to_str().unwrap(), *node)).collect()
    }

    #[test]
    fn a_name_the_directory_was_not_synced_for_may_be_lost() {
        let mut names = Names::default();
        names.put(Some(1), OsStr::new("a"), 10);
        names.put(Some(2), OsStr::new("b"), 11);
        names.settle(1);
        names.remove(Some(3), OsStr::new("a"));
        assert_eq!(shown(&names), [("b", 11)]);
        assert!(names.may_hold(10) && !names.may_hold(12));
        names.lose_power(Crash::LosesAll, &mut Random::new(1));
        assert_eq!(shown(&names), [("a", 10)]);
    }

    #[test]
    fn a_node_that_was_renamed_has_one_of_both_names() {
        for seed in 1..=20 {
            let mut names = Names::default();
            names.put(Some(1), OsStr::new("draft"), 2);
            names.put(Some(2), OsStr::new("kept"), 1);
            names.settle(2);
            names.rename(Some(3), OsStr::new("draft"), OsStr::new("kept"));
            names.lose_power(Crash::Pieces, &mut Random::new(seed));
            let either = [vec![("kept", 2)], vec![("draft", 2), ("kept", 1)]];
            assert!(either.contains(&shown(&names)), "seed {seed}: {:?}", shown(&names));
        }
    }
}
