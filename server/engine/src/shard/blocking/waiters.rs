//! Who waits for which key of this core, the longest waiting first.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use super::claim::Claim;
use crate::base::collections::FingerprintMap;
use crate::command::request::OwnedRequest;
use crate::command::session::Caller;
use crate::mesh::CoreId;
use crate::shard::locks::Ticket;

/// A client that waits for something to take, as the cores of its keys know it.
#[derive(Clone)]
pub struct Waiter {
    /// Names it in the node and gives its place in the queue: drawn when it came.
    pub ticket: Ticket,
    /// The core of its connection.
    pub home: CoreId,
    pub caller: Caller,
    pub request: OwnedRequest,
    pub claim: Arc<Claim>,
    /// Something came while another core had the claim, and may have been missed by it.
    pub passed_over: Cell<bool>,
}

/// A key that is waited for.
type Key = (u8, Box<[u8]>);

/// The waiters of one core.
#[derive(Default)]
pub struct Waiters {
    by_key: HashMap<Key, BTreeMap<Ticket, Rc<Waiter>>>,
    keys: FingerprintMap<Vec<Key>>,
}

impl Waiters {
    /// Nobody waits here: the one branch of those who never meet a blocked client.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Keys somebody waits for.
    pub fn keys(&self) -> usize {
        self.by_key.len()
    }

    /// From now on the waiter is served when one of the keys gets something.
    pub fn insert(&mut self, waiter: Waiter, keys: Vec<Key>) {
        let (ticket, waiter) = (waiter.ticket, Rc::new(waiter));
        for key in &keys {
            self.by_key.entry(key.clone()).or_default().insert(ticket, waiter.clone());
        }
        self.keys.insert(ticket, keys);
    }

    /// The waiter waits no more; what it was and for which keys, if it still did.
    pub fn remove(&mut self, ticket: Ticket) -> Option<(Rc<Waiter>, Vec<Key>)> {
        let keys = self.keys.remove(&ticket)?;
        let mut removed = None;
        for key in &keys {
            let Some(queue) = self.by_key.get_mut(key) else { continue };
            removed = queue.remove(&ticket).or(removed);
            if queue.is_empty() {
                self.by_key.remove(key);
            }
        }
        removed.map(|waiter| (waiter, keys))
    }

    /// The waiter of this ticket.
    pub fn get(&self, ticket: Ticket) -> Option<&Rc<Waiter>> {
        let key = self.keys.get(&ticket)?.first()?;
        self.by_key.get(key)?.get(&ticket)
    }

    /// The keys a waiter waits for here.
    pub fn keys_of(&self, ticket: Ticket) -> &[Key] {
        self.keys.get(&ticket).map_or(&[], |keys| keys)
    }

    /// Who comes after `after` in a key's queue.
    pub fn next(&self, key: &Key, after: Option<Ticket>) -> Option<Rc<Waiter>> {
        let queue = self.by_key.get(key)?;
        let from = after.map_or(0, |ticket| ticket + 1);
        queue.range(from..).next().map(|(_, waiter)| waiter.clone())
    }

    /// Whether anybody waits for the key.
    pub fn wants(&self, key: &Key) -> bool {
        self.by_key.contains_key(key)
    }

    /// All keys somebody waits for.
    pub fn all_keys(&self) -> Vec<Key> {
        self.by_key.keys().cloned().collect()
    }
}
