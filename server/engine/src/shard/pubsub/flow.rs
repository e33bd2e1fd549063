//! Messages on their way to other cores, and who waits because there are too many.

use std::sync::Arc;

use super::mail::{Batch, Mail};
use crate::command::channels::{Outgoing, Publication};
use crate::command::session::SessionId;
use crate::command::spec::PUBSUB;
use crate::command::table::Command;
use crate::config::NotifyClasses;
use crate::mesh::CoreId;
use crate::shard::limits::{
    BATCH_PUBLICATIONS_MAX, PUBLICATIONS_IN_FLIGHT_BYTES, SPARE_BATCHES_MAX,
};
use crate::shard::parcel::Parcel;
use crate::shard::{Message, Shard};

/// What a message costs beside its bytes.
const PUBLICATION_OVERHEAD_BYTES: usize = 128;

/// The state of what this core sends to the others.
pub struct Flow {
    /// By core: this turn's messages.
    open: Vec<Batch>,
    /// By core: what it has not given back yet, the open batch included.
    in_flight: Vec<usize>,
    /// Some core has had too much.
    full: bool,
    /// Connections that wait for room, with the clients that had them.
    waiting: Vec<(SessionId, u64)>,
    /// Parcels whose answers wait for room.
    answers: Vec<(CoreId, Box<Parcel>)>,
    spare: Vec<Vec<Arc<Publication>>>,
}

impl Flow {
    pub fn new(cores: u16) -> Flow {
        Flow {
            open: (0..cores).map(|_| Batch::default()).collect(),
            in_flight: vec![0; usize::from(cores)],
            full: false,
            waiting: Vec::new(),
            answers: Vec::new(),
            spare: Vec::new(),
        }
    }

    pub fn is_full(&self) -> bool {
        self.full
    }

    pub fn is_at_rest(&self) -> bool {
        self.in_flight.iter().all(|&bytes| bytes == 0) && self.answers.is_empty()
    }

    /// Adds a message to a core's batch. True when the batch should go.
    fn post(&mut self, core: CoreId, publication: Arc<Publication>) -> bool {
        let bytes = publication.tail().len() + PUBLICATION_OVERHEAD_BYTES;
        let batch = &mut self.open[core.index()];
        if batch.items.capacity() == 0 {
            batch.items = self.spare.pop().unwrap_or_default();
        }
        batch.items.push(publication);
        batch.bytes += bytes;
        self.in_flight[core.index()] += bytes;
        self.full |= self.in_flight[core.index()] >= PUBLICATIONS_IN_FLIGHT_BYTES;
        batch.items.len() >= BATCH_PUBLICATIONS_MAX
    }

    /// A batch has come back.
    fn returned(&mut self, core: CoreId, mut batch: Batch) {
        let in_flight = &mut self.in_flight[core.index()];
        debug_assert!(*in_flight >= batch.bytes);
        *in_flight -= batch.bytes;
        self.full = self.in_flight.iter().any(|&bytes| bytes >= PUBLICATIONS_IN_FLIGHT_BYTES);
        batch.items.clear();
        if self.spare.len() < SPARE_BATCHES_MAX {
            self.spare.push(batch.items);
        }
    }
}

impl Shard {
    /// Gives what commands have published to the subscribers here and to the cores of others.
    pub(in crate::shard) fn publish_outgoing(&mut self) {
        if self.core.effects.has_events() {
            self.core.tell_events();
        }
        if self.core.channels.outgoing.is_empty() {
            return;
        }
        let mut outgoing = std::mem::take(&mut self.core.channels.outgoing);
        for Outgoing { publication, here, elsewhere } in outgoing.drain(..) {
            if here {
                self.deliver_here(&publication);
            }
            if elsewhere.is_empty() {
                continue;
            }
            let publication = Arc::new(publication);
            for core in elsewhere {
                if self.pubsub.flow.post(core, publication.clone()) {
                    self.seal_batch(core);
                }
            }
        }
        self.core.channels.outgoing = outgoing;
    }

    fn seal_batch(&mut self, core: CoreId) {
        let batch = &mut self.pubsub.flow.open[core.index()];
        if !batch.items.is_empty() {
            let batch = std::mem::take(batch);
            self.mail(core, Mail::Publications(batch));
        }
    }

    pub(super) fn seal_publications(&mut self) {
        for core in 0..self.core.cores {
            self.seal_batch(CoreId(core));
        }
    }

    pub(super) fn delivered(&mut self, from: CoreId, batch: Batch) {
        let was_full = self.pubsub.flow.full;
        self.pubsub.flow.returned(from, batch);
        if was_full && !self.pubsub.flow.full {
            self.release_publishers();
        }
    }

    fn release_publishers(&mut self) {
        for (to, parcel) in std::mem::take(&mut self.pubsub.flow.answers) {
            self.send(to, Message::Answers(parcel));
        }
        for (id, client_id) in std::mem::take(&mut self.pubsub.flow.waiting) {
            if self.core.sessions.get(id).is_some_and(|session| session.client_id == client_id) {
                self.connections[id.0 as usize].awaits_room = false;
                self.leave_for_later(id);
            }
        }
    }

    /// Whether a command has to wait because it would publish while too much is under way. Its
    /// connection is woken when there is room.
    #[cold]
    pub(in crate::shard) fn waits_for_room(&mut self, id: SessionId, command: &Command) -> bool {
        // Reads tell, too: of keys that have expired or were missed.
        let tells = !command.spec.keys.is_empty() && self.notifies();
        if !command.spec.is(PUBSUB) && !tells {
            return false;
        }
        let Some(session) = self.core.sessions.get(id) else { return false };
        let connection = &mut self.connections[id.0 as usize];
        if !connection.awaits_room {
            connection.awaits_room = true;
            self.pubsub.flow.waiting.push((id, session.client_id));
        }
        true
    }

    /// Answers a parcel of another core; later, while its commands tell of more than the
    /// subscribers' cores have taken.
    pub(in crate::shard) fn answer_parcel(&mut self, to: CoreId, parcel: Box<Parcel>) {
        if self.pubsub.is_full() && self.notifies() {
            self.pubsub.flow.answers.push((to, parcel));
        } else {
            self.send(to, Message::Answers(parcel));
        }
    }

    fn notifies(&self) -> bool {
        self.core.config.notify != NotifyClasses::NONE
    }
}
