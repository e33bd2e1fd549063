//! Publish and subscribe between the cores of a node.
//!
//! ```text
//! core of a subscriber                       every other core
//!   SUBSCRIBE ── Interest 7: a has 1 here ──►  note it
//!             ◄── Heard 7 ───────────────────
//!   all have heard: the confirmation leaves
//!
//! core of a publisher                        cores with a subscriber
//!   PUBLISH   ── Publications [m1, m2, …] ──►  write them to the subscribers
//!             ◄── Delivered ─────────────────  (the same box)
//! ```
//! What is announced or published in one turn travels together. Rings keep their order, so the
//! messages of one connection, and the events of one key, reach every subscriber in order; those
//! of different cores meet in any order. A message is one allocation, shared by the cores that
//! want it and freed where it was made.
//!
//! Messages under way to another core are bounded by `PUBLICATIONS_IN_FLIGHT_BYTES`. Beyond that
//! whoever would publish waits: connections of this core are not read on, and other cores do not
//! get the answers of commands they have sent here. Taking a message in never waits, so those who
//! wait are always released; its bytes end in the output of subscribers, where
//! `client-output-buffer-limit pubsub` ends them.

mod deliver;
mod flow;
mod mail;

use std::collections::VecDeque;

pub use flow::Flow;
pub use mail::Mail;

use super::connection::Await;
use super::{Message, Shard};
use crate::command::session::SessionId;
use crate::mesh::CoreId;

/// This core's part in it.
pub struct PubSub {
    /// Changes of subscriptions announced so far: the number of the last announcement.
    announced: u64,
    /// By core, the last announcement it has confirmed.
    heard: Vec<u64>,
    confirmations: VecDeque<Confirmation>,
    flow: Flow,
}

/// A reply that waits until all cores have heard of an announcement.
struct Confirmation {
    number: u64,
    session: SessionId,
    client_id: u64,
    sequence: u64,
    reply: Vec<u8>,
    /// It is that of a transaction, which its connection waits for.
    alone: bool,
}

impl PubSub {
    pub fn new(cores: u16, id: CoreId) -> PubSub {
        let mut heard = vec![0; usize::from(cores)];
        heard[id.index()] = u64::MAX; // need not be told
        PubSub { announced: 0, heard, confirmations: VecDeque::new(), flow: Flow::new(cores) }
    }

    /// No confirmation waits and no message is on its way.
    pub fn is_at_rest(&self) -> bool {
        self.confirmations.is_empty() && self.flow.is_at_rest()
    }

    /// Whoever would publish has to wait.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.flow.is_full()
    }
}

impl Shard {
    /// A command of `id` has changed subscriptions or published. `held`: its reply, if that has
    /// to wait until all cores know.
    pub(super) fn serve_pubsub(&mut self, id: SessionId, held: Option<Vec<u8>>) {
        self.core.channels.reply_waits = false;
        if let (Some(reply), Some(session)) = (held, self.core.sessions.get(id)) {
            let client_id = session.client_id;
            let connection = &mut self.connections[id.0 as usize];
            let sequence = connection.reserve(Await::Resp);
            connection.hold_pushes_behind(sequence);
            self.confirm_later(Confirmation {
                number: self.number_to_hear(),
                session: id,
                client_id,
                sequence,
                reply,
                alone: false,
            });
        }
        self.publish_outgoing();
    }

    /// The last announcement, that of this turn included.
    fn number_to_hear(&self) -> u64 {
        self.pubsub.announced + u64::from(!self.core.channels.changes.is_empty())
    }

    /// As [`Shard::go_on`] for a transaction that has changed subscriptions: once all cores have
    /// heard of it.
    pub(super) fn go_on_when_heard(
        &mut self,
        id: SessionId,
        client_id: u64,
        sequence: u64,
        reply: &[u8],
    ) {
        let (number, reply) = (self.number_to_hear(), reply.to_vec());
        let session = id;
        self.confirm_later(Confirmation {
            number,
            session,
            client_id,
            sequence,
            reply,
            alone: true,
        });
    }

    fn confirm_later(&mut self, confirmation: Confirmation) {
        self.pubsub.confirmations.push_back(confirmation);
        self.confirm_heard(); // it may have been heard of already
    }

    /// Sends what was announced and published in this turn.
    pub(super) fn seal_mail(&mut self) {
        self.core.channels.reply_waits = false;
        self.publish_outgoing();
        self.seal_publications();
        if self.core.channels.changes.is_empty() {
            return;
        }
        self.pubsub.announced += 1;
        let number = self.pubsub.announced;
        let changes: std::sync::Arc<[_]> = self.core.channels.changes.drain(..).collect();
        let own = self.core.id;
        for core in (0..self.core.cores).map(CoreId).filter(|&core| core != own) {
            self.mail(core, Mail::Interest { number, changes: changes.clone() });
        }
    }

    fn mail(&mut self, to: CoreId, mail: Mail) {
        self.send(to, Message::Mail(Box::new(mail)));
    }

    /// Mail has come.
    pub(super) fn take_mail(&mut self, from: CoreId, mut mail: Box<Mail>) {
        match &mut *mail {
            Mail::Interest { number, changes } => {
                changes.iter().for_each(|change| self.core.channels.note(from, change));
                *mail = Mail::Heard { number: *number };
                self.send(from, Message::Mail(mail));
            }
            Mail::Heard { number } => {
                self.pubsub.heard[from.index()] = *number;
                self.confirm_heard();
            }
            Mail::Publications(batch) => {
                batch.items.iter().for_each(|publication| self.deliver_here(publication));
                *mail = Mail::Delivered(std::mem::take(batch));
                self.send(from, Message::Mail(mail));
            }
            Mail::Delivered(batch) => self.delivered(from, std::mem::take(batch)),
        }
    }

    /// Lets the confirmations go that all cores have heard of.
    fn confirm_heard(&mut self) {
        let heard = self.pubsub.heard.iter().copied().min().unwrap_or(u64::MAX);
        while let Some(first) = self.pubsub.confirmations.front() {
            if first.number > heard {
                return;
            }
            let Some(heard) = self.pubsub.confirmations.pop_front() else { return };
            let Confirmation { session, client_id, sequence, reply, alone, .. } = heard;
            match alone {
                true => self.go_on(session, client_id, sequence, &reply),
                false => self.fill(session, client_id, sequence, &reply),
            }
        }
    }
}
