//! The files and directories of the mount, and what a loss of power leaves of all of them. Knows
//! nothing of requests, replies and time.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use fuser::Errno;

use super::content::{Content, Cover};
use super::names::{Names, NodeId};
use crate::crash::Crash;
use crate::random::Random;

/// The directory that is mounted.
pub const ROOT: NodeId = 1;

/// A file or a directory.
pub enum Body {
    File(Content),
    Directory(Names),
}

pub struct Node {
    pub body: Body,
    pub permissions: u16,
    pub modified: SystemTime,
    /// Descriptors that are open.
    opened: u32,
    /// Names it has now.
    pub links: u32,
}

impl Node {
    fn new(body: Body, permissions: u16) -> Node {
        Node { body, permissions, modified: SystemTime::now(), opened: 0, links: 1 }
    }
}

/// What a sync covers: a file's changes or a directory's.
#[derive(Clone, Debug)]
pub struct Synced {
    pub node: NodeId,
    pub cover: Cover,
}

/// All that is there.
pub struct Tree {
    nodes: BTreeMap<NodeId, Node>,
    /// Files without a name that are still open, or that a loss of power may bring back.
    nameless: BTreeSet<NodeId>,
    next_node: NodeId,
    /// Of the last change.
    number: u64,
    /// Whether it can lose power. A tree that cannot needs no memory for what is not durable.
    remembers: bool,
}

impl Tree {
    pub fn new(remembers: bool) -> Tree {
        let root = Node::new(Body::Directory(Names::default()), 0o755);
        Tree {
            nodes: BTreeMap::from([(ROOT, root)]),
            nameless: BTreeSet::new(),
            next_node: ROOT + 1,
            number: 0,
            remembers,
        }
    }

    pub fn node(&self, id: NodeId) -> Result<&Node, Errno> {
        self.nodes.get(&id).ok_or(Errno::ENOENT)
    }

    fn node_mut(&mut self, id: NodeId) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&id).ok_or(Errno::ENOENT)
    }

    fn names(&self, id: NodeId) -> Result<&Names, Errno> {
        match &self.node(id)?.body {
            Body::Directory(names) => Ok(names),
            Body::File(_) => Err(Errno::ENOTDIR),
        }
    }

    /// The directory, to be changed now.
    fn names_mut(&mut self, id: NodeId) -> Result<&mut Names, Errno> {
        let node = self.node_mut(id)?;
        node.modified = SystemTime::now();
        match &mut node.body {
            Body::Directory(names) => Ok(names),
            Body::File(_) => Err(Errno::ENOTDIR),
        }
    }

    pub fn content(&self, id: NodeId) -> Result<&Content, Errno> {
        match &self.node(id)?.body {
            Body::File(content) => Ok(content),
            Body::Directory(_) => Err(Errno::EISDIR),
        }
    }

    /// The file, to be changed now.
    fn content_mut(&mut self, id: NodeId) -> Result<&mut Content, Errno> {
        let node = self.node_mut(id)?;
        node.modified = SystemTime::now();
        match &mut node.body {
            Body::File(content) => Ok(content),
            Body::Directory(_) => Err(Errno::EISDIR),
        }
    }

    fn change(&mut self) -> Option<u64> {
        self.number += 1;
        self.remembers.then_some(self.number)
    }

    pub fn find(&self, parent: NodeId, name: &OsStr) -> Result<NodeId, Errno> {
        self.names(parent)?.get(name).ok_or(Errno::ENOENT)
    }

    /// Names and nodes of a directory, in order.
    pub fn list(&self, id: NodeId) -> Result<Vec<(OsString, NodeId)>, Errno> {
        let now = self.names(id)?.now();
        Ok(now.iter().map(|(name, node)| (name.clone(), *node)).collect())
    }

    /// Makes a file or a directory. Returns it.
    pub fn make(
        &mut self,
        parent: NodeId,
        name: &OsStr,
        body: Body,
        permissions: u16,
    ) -> Result<NodeId, Errno> {
        if self.names(parent)?.get(name).is_some() {
            return Err(Errno::EEXIST);
        }
        let (id, number) = (self.next_node, self.change());
        self.next_node += 1;
        self.names_mut(parent)?.put(number, name, id);
        self.nodes.insert(id, Node::new(body, permissions));
        Ok(id)
    }

    /// Removes a name; `directory`: of a directory, which is empty.
    pub fn remove(&mut self, parent: NodeId, name: &OsStr, directory: bool) -> Result<(), Errno> {
        let id = self.find(parent, name)?;
        match (&self.node(id)?.body, directory) {
            (Body::Directory(names), true) if names.now().is_empty() => {}
            (Body::Directory(_), true) => return Err(Errno::ENOTEMPTY),
            (Body::Directory(_), false) => return Err(Errno::EISDIR),
            (Body::File(_), true) => return Err(Errno::ENOTDIR),
            (Body::File(_), false) => {}
        }
        let number = self.change();
        self.names_mut(parent)?.remove(number, name);
        self.lose_name(id);
        Ok(())
    }

    /// Renames. Between two directories only where no power can go: that a crash leaves the file
    /// in one of both, as file systems promise, is kept by nobody here.
    pub fn rename(
        &mut self,
        (parent, from): (NodeId, &OsStr),
        (new_parent, to): (NodeId, &OsStr),
    ) -> Result<(), Errno> {
        if parent != new_parent && self.remembers {
            return Err(Errno::EXDEV);
        }
        let moved = self.find(parent, from)?;
        let replaced = self.names(new_parent)?.get(to).filter(|id| *id != moved);
        if let Some(id) = replaced
            && let Body::Directory(_) = &self.node(id)?.body
        {
            return Err(Errno::EISDIR);
        }
        let number = self.change();
        if parent == new_parent {
            self.names_mut(parent)?.rename(number, from, to);
        } else {
            self.names_mut(parent)?.remove(number, from);
            self.names_mut(new_parent)?.put(number, to, moved);
        }
        replaced.into_iter().for_each(|id| self.lose_name(id));
        Ok(())
    }

    fn lose_name(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.links = 0;
        }
        self.nameless.insert(id);
        self.sweep();
    }

    /// Drops what nobody can reach, now or after a loss of power.
    fn sweep(&mut self) {
        let mut kept = BTreeSet::new();
        for id in std::mem::take(&mut self.nameless) {
            let open = self.nodes.get(&id).is_some_and(|node| node.opened > 0);
            let named = self.nodes.values().any(|node| match &node.body {
                Body::Directory(names) => names.may_hold(id),
                Body::File(_) => false,
            });
            if open || named {
                kept.insert(id);
            } else {
                self.nodes.remove(&id);
            }
        }
        self.nameless = kept;
    }

    pub fn open(&mut self, id: NodeId) -> Result<(), Errno> {
        self.node_mut(id)?.opened += 1;
        Ok(())
    }

    /// A descriptor is closed; the node may have gone with the power.
    pub fn close(&mut self, id: NodeId) {
        if let Some(node) = self.nodes.get_mut(&id) {
            node.opened = node.opened.saturating_sub(1);
            if node.opened == 0 && node.links == 0 {
                self.sweep();
            }
        }
    }

    /// Writes, and says what would make exactly this durable.
    pub fn write(&mut self, id: NodeId, offset: u64, bytes: &[u8]) -> Result<Synced, Errno> {
        let number = self.change();
        self.content_mut(id)?.write(number, offset, bytes);
        let range = Some(offset..offset + bytes.len() as u64);
        Ok(Synced { node: id, cover: Cover { up_to: self.number, range } })
    }

    pub fn resize(&mut self, id: NodeId, length: u64) -> Result<(), Errno> {
        let number = self.change();
        self.content_mut(id)?.resize(number, length);
        Ok(())
    }

    pub fn permit(&mut self, id: NodeId, permissions: u16) -> Result<(), Errno> {
        self.node_mut(id)?.permissions = permissions;
        Ok(())
    }

    /// What a sync that begins now covers.
    pub fn sync(&self, id: NodeId) -> Result<Synced, Errno> {
        self.node(id)?;
        Ok(Synced { node: id, cover: Cover { up_to: self.number, range: None } })
    }

    /// A sync has ended. `durable`: as it should.
    pub fn settle(&mut self, synced: &Synced, durable: bool) {
        let Some(node) = self.nodes.get_mut(&synced.node) else { return };
        match (&mut node.body, durable) {
            (Body::File(content), true) => content.settle(&synced.cover),
            (Body::File(content), false) => content.give_up(&synced.cover),
            (Body::Directory(names), true) => names.settle(synced.cover.up_to),
            (Body::Directory(names), false) => names.give_up(synced.cover.up_to),
        }
        if let Body::Directory(_) = node.body {
            self.sweep();
        }
    }

    /// The power goes: what is there afterwards is what the disk holds.
    pub fn lose_power(&mut self, crash: Crash, random: &mut Random) {
        for node in self.nodes.values_mut() {
            match &mut node.body {
                Body::File(content) => content.lose_power(crash, random),
                Body::Directory(names) => names.lose_power(crash, random),
            }
        }
        let (mut found, mut to_visit) = (BTreeSet::from([ROOT]), vec![ROOT]);
        while let Some(id) = to_visit.pop() {
            let Ok(names) = self.names(id) else { continue };
            to_visit.extend(names.now().values().filter(|id| found.insert(**id)));
        }
        self.nodes.retain(|id, _| found.contains(id));
        self.nodes.values_mut().for_each(|node| node.links = 1);
        self.nameless.clear();
    }

    /// Bytes of memory that files take as they are now.
    pub fn held(&self) -> u64 {
        self.nodes
            .values()
            .map(|node| match &node.body {
                Body::File(content) => content.now().held(),
                Body::Directory(_) => 0,
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{Body, Content, Names, ROOT, Tree};
    use crate::crash::Crash;
    use crate::random::Random;

    fn file(tree: &mut Tree, parent: u64, name: &str) -> u64 {
        let made = tree.make(parent, OsStr::new(name), Body::File(Content::default()), 0o644);
        made.expect("no such name yet")
    }

    fn sync(tree: &mut Tree, id: u64) {
        let synced = tree.sync(id).expect("it is there");
        tree.settle(&synced, true);
    }

    fn crash(tree: &mut Tree) {
        tree.lose_power(Crash::LosesAll, &mut Random::new(1));
    }

    #[test]
    fn a_synced_file_is_lost_with_its_directory_when_that_has_no_durable_name() {
        let mut tree = Tree::new(true);
        let folder = tree.make(ROOT, OsStr::new("d"), Body::Directory(Names::default()), 0o755);
        let folder = folder.expect("an empty root");
        let log = file(&mut tree, folder, "log");
        tree.write(log, 0, b"x").expect("a file");
        sync(&mut tree, log);
        sync(&mut tree, folder);
        crash(&mut tree);
        assert!(tree.find(ROOT, OsStr::new("d")).is_err());
        assert!(tree.node(log).is_err(), "nobody can reach it");
    }

    #[test]
    fn a_removed_file_comes_back_until_its_directory_is_synced() {
        let mut tree = Tree::new(true);
        let log = file(&mut tree, ROOT, "log");
        tree.write(log, 0, b"x").expect("a file");
        sync(&mut tree, log);
        sync(&mut tree, ROOT);
        tree.remove(ROOT, OsStr::new("log"), false).expect("it is there");
        assert!(tree.find(ROOT, OsStr::new("log")).is_err());
        crash(&mut tree);
        assert_eq!(tree.find(ROOT, OsStr::new("log")).ok(), Some(log));
        assert_eq!(tree.content(log).expect("a file").now().read(0, 9), b"x");

        tree.remove(ROOT, OsStr::new("log"), false).expect("it is there");
        sync(&mut tree, ROOT);
        assert!(tree.node(log).is_err(), "nothing can bring it back");
    }

    #[test]
    fn a_file_moves_to_another_directory_where_no_power_can_go() {
        for remembers in [false, true] {
            let mut tree = Tree::new(remembers);
            let folder = tree.make(ROOT, OsStr::new("d"), Body::Directory(Names::default()), 0o755);
            let folder = folder.expect("an empty root");
            let (log, name) = (file(&mut tree, ROOT, "log"), OsStr::new("log"));
            let moved = tree.rename((ROOT, name), (folder, name));
            assert_eq!(moved.is_ok(), !remembers);
            let (here, there) = (tree.find(ROOT, name).ok(), tree.find(folder, name).ok());
            let expected = if remembers { (Some(log), None) } else { (None, Some(log)) };
            assert_eq!((here, there), expected);
        }
    }

    #[test]
    fn an_open_file_without_a_name_lives_until_it_is_closed() {
        let mut tree = Tree::new(false);
        let log = file(&mut tree, ROOT, "log");
        tree.open(log).expect("it is there");
        tree.remove(ROOT, OsStr::new("log"), false).expect("it is there");
        tree.write(log, 0, b"x").expect("it is open");
        assert!(tree.held() > 0);
        tree.close(log);
        assert_eq!(tree.held(), 0);
    }
}
