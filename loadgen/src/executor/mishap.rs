//! What an executor does when a slot has moved or a connection is lost.

use super::Executor;
use super::upkeep::RETRY_NS;
use crate::connection::{Broken, Connection};
use crate::verify::Fate;
use crate::wire::Complaint;

impl Executor {
    /// Sends what was bounced to where the answers pointed.
    pub fn follow_moved(&mut self, from: usize) {
        for (operation, text) in std::mem::take(&mut self.bounced) {
            match self.router.follow(&text, from) {
                Some(endpoint) => {
                    self.make_room();
                    self.source.again(endpoint, operation);
                    self.populate(endpoint);
                }
                None => self.judge.record.error(Complaint { kind: "MOVED".into(), text }, 1),
            }
        }
    }

    /// A connection is of no use any more: its requests have failed, and it is opened again later.
    /// In a fill they are asked again instead, because each key has to be written.
    #[cold]
    pub fn fail(&mut self, at: usize, broken: &Broken, now_ns: u64) {
        let connection = &mut self.connections[at];
        let endpoint = connection.endpoint;
        connection.retry_ns = now_ns + RETRY_NS;
        let lost = connection.reset();
        let why = Complaint { kind: broken.kind.into(), text: broken.text.clone() };
        if lost.is_empty() || self.phase.is_fill {
            self.judge.record.error(why.clone(), 1);
        }
        for operation in lost.iter().rev() {
            if self.phase.is_fill {
                self.judge.withdraw(operation, Fate::Unknown);
                self.source.again(endpoint, *operation);
            } else {
                self.judge.lost(operation, &why);
            }
        }
    }

    /// Makes sure an endpoint learned on the way has connections; upkeep opens them.
    pub fn populate(&mut self, endpoint: usize) {
        if self.connections.iter().any(|connection| connection.endpoint == endpoint) {
            return;
        }
        let endpoints = self.router.addresses().len();
        let count = (self.connections.len() / endpoints).max(1);
        self.connections.extend((0..count).map(|_| Connection::new(endpoint, None)));
    }
}
