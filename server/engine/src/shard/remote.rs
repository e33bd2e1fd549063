//! Commands that run on another core than their connection's: out in a parcel, back in the same.

use freehold_protocol::args::Args;
use freehold_protocol::args::Span;
use freehold_protocol::binary::Framing;

use super::batch::PlannedKey;
use super::connection::Await;
use super::limits::{BATCH_MAX, SPARE_PARCELS_MAX};
use super::locks::LockKey;
use super::parcel::{Item, Message, Parcel};
use super::{Shard, execute};
use crate::command::context::KeyHint;
use crate::command::request::OwnedRequest;
use crate::command::session::SessionId;
use crate::command::spec::Run;
use crate::command::table::Command;
use crate::mesh::CoreId;

/// An item that waits for a transaction to let go of its key.
#[derive(Clone, Copy)]
pub struct Parked {
    /// Index into `held_parcels`.
    parcel: usize,
    item: usize,
}

impl Shard {
    /// Puts a request into this turn's parcel for `owner` and keeps its reply's place.
    pub(super) fn forward(
        &mut self,
        id: SessionId,
        owner: CoreId,
        command: &'static Command,
        key: PlannedKey,
        args: Args<'_>,
        framing: Option<Framing>,
    ) {
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        let muted = execute::is_muted(session);
        let mut caller = session.caller(id);
        caller.session = None;
        let connection = &mut self.connections[id.0 as usize];
        let reply_bytes_expected = connection.reply_bytes_expected();
        let sequence = connection.reserve(Await::new(framing, muted));
        self.core.stats.forwarded_commands += 1;
        let item = Item {
            session: id,
            sequence,
            caller,
            command,
            spans_end: 0,
            slot: key.slot,
            hash: key.hash,
            key_at: key.at as u32,
            reply: Span::default(),
            reply_bytes_expected,
            postponed: false,
            parked: false,
        };
        self.post(owner, item, args);
    }

    fn post(&mut self, owner: CoreId, item: Item, args: Args<'_>) {
        let (spare, low) = (&mut self.spare_parcels, &mut self.spare_parcels_low);
        let open = &mut self.open_parcels[usize::from(owner.0)];
        let parcel = open.get_or_insert_with(|| {
            let parcel = spare.pop().unwrap_or_default();
            *low = spare.len().min(*low);
            parcel
        });
        parcel.push(item, args);
        if parcel.is_full() {
            self.seal(owner);
        }
    }

    /// Sends the parcel for `owner`, if there is one.
    fn seal(&mut self, owner: CoreId) {
        if let Some(parcel) = self.open_parcels[usize::from(owner.0)].take() {
            self.send(owner, Message::Commands(parcel));
        }
    }

    /// Sends all parcels of this turn.
    pub(super) fn seal_parcels(&mut self) {
        for core in 0..self.core.cores {
            self.seal(CoreId(core));
        }
    }

    /// A message from another core, or from ourselves.
    pub fn deliver(&mut self, from: CoreId, message: Message) {
        self.take_message(from, message);
        self.settle();
    }

    fn take_message(&mut self, from: CoreId, message: Message) {
        match message {
            Message::Commands(parcel) => self.run_parcel(from, parcel),
            Message::Answers(parcel) => self.take_answers(parcel),
            Message::Errand(errand) => {
                self.run_errand(*errand);
                self.serve_ready();
            }
            Message::Wait(wait) => self.take_wait(*wait),
            Message::Mail(mail) => self.take_mail(from, mail),
            Message::Dump(dump) => self.take_dump(*dump),
        }
    }

    /// Delivers what this core has sent itself, until there is nothing left.
    pub(super) fn settle(&mut self) {
        self.seal(self.core.id);
        while let Some(message) = self.inbox.pop_front() {
            self.take_message(self.core.id, message);
            self.seal(self.core.id);
        }
        self.publish_outgoing();
    }

    fn run_parcel(&mut self, from: CoreId, mut parcel: Box<Parcel>) {
        for start in (0..parcel.items.len()).step_by(BATCH_MAX) {
            let end = (start + BATCH_MAX).min(parcel.items.len());
            let items = &parcel.items[start..end];
            self.core
                .keyspace
                .prefetch(items[0].caller.db, items.iter().map(|item| (item.slot, item.hash)));
            for index in start..end {
                if !self.floods.admits(from, &parcel.items[index]) {
                    parcel.items[index].postponed = true;
                    continue;
                }
                let blocked = !self.locks.is_empty() && {
                    let command = parcel.items[index].command;
                    self.is_locked(command, parcel.args(index))
                };
                if blocked {
                    parcel.items[index].parked = true;
                    parcel.parked += 1;
                } else {
                    self.run_item(from, &mut parcel, index);
                }
            }
        }
        if parcel.parked == 0 {
            self.answer_parcel(from, parcel);
        } else {
            self.park(from, parcel);
        }
    }

    fn run_item(&mut self, from: CoreId, parcel: &mut Parcel, index: usize) {
        let item = parcel.items[index];
        debug_assert!(
            self.core.id == self.owner(item.slot),
            "a parcel goes to the owner of its keys"
        );
        let mut replies = std::mem::take(&mut parcel.replies);
        let start = replies.len();
        let args = parcel.args(index);
        let hint = match args.try_get(item.key_at as usize) {
            Some(key) if item.key_at > 0 => {
                let planned = PlannedKey { at: 0, slot: item.slot, hash: item.hash };
                KeyHint::new(&planned.key_ref(key))
            }
            _ => KeyHint::default(),
        };
        let timed = self.sample();
        let run = execute::Execution { command: item.command, caller: item.caller, hint, timed };
        run.execute(&mut self.core, args, &mut replies);
        let bytes = replies.len() - start;
        self.floods.note(from, &item, bytes);
        parcel.items[index].reply = Span { start: start as u32, len: bytes as u32 };
        parcel.replies = replies;
        self.serve_ready();
    }

    /// Whether a transaction holds one of the request's keys.
    #[cold]
    pub(super) fn is_locked(&self, command: &Command, args: Args<'_>) -> bool {
        if matches!(command.spec.run, Run::Cursor(_)) {
            return self.locks.holds_whole();
        }
        command.spec.keys.iter().any(|spec| {
            let mut locked = false;
            let visited = spec.positions(args, |at| {
                let fingerprint = self.core.keyspace.key_ref(args.get(at)).hash;
                locked |= self.locks.blocks(LockKey { fingerprint, write: spec.is_write() });
            });
            locked && visited.is_ok()
        })
    }

    fn park(&mut self, from: CoreId, parcel: Box<Parcel>) {
        let held = match self.held_parcels.iter().position(Option::is_none) {
            Some(free) => free,
            None => {
                self.held_parcels.push(None);
                self.held_parcels.len() - 1
            }
        };
        let parked = parcel.items.iter().enumerate().filter(|(_, item)| item.parked);
        self.parked.extend(parked.map(|(item, _)| Parked { parcel: held, item }));
        self.held_parcels[held] = Some((from, parcel));
    }

    /// Tries parked items again, in the order they came; those still in the way stay in order.
    pub(super) fn retry_parked(&mut self) {
        for _ in 0..self.parked.len() {
            let Some(parked) = self.parked.pop_front() else { return };
            let Some((from, mut parcel)) = self.held_parcels[parked.parcel].take() else {
                continue;
            };
            let command = parcel.items[parked.item].command;
            if !self.locks.is_empty() && self.is_locked(command, parcel.args(parked.item)) {
                self.parked.push_back(parked);
                self.held_parcels[parked.parcel] = Some((from, parcel));
                continue;
            }
            if self.floods.admits(from, &parcel.items[parked.item]) {
                self.run_item(from, &mut parcel, parked.item);
            } else {
                parcel.items[parked.item].postponed = true;
            }
            parcel.parked -= 1;
            if parcel.parked == 0 {
                self.answer_parcel(from, parcel);
            } else {
                self.held_parcels[parked.parcel] = Some((from, parcel));
            }
        }
    }

    /// Our own parcel has come back: its replies go into their places.
    fn take_answers(&mut self, mut parcel: Box<Parcel>) {
        for (index, item) in parcel.items.iter().enumerate() {
            if item.postponed {
                self.postpone(*item, parcel.args(index));
                continue;
            }
            let start = item.reply.start as usize;
            let reply = &parcel.replies[start..start + item.reply.len as usize];
            self.fill(item.session, item.caller.client_id, item.sequence, reply);
        }
        if !self.postponed.is_empty() {
            parcel.items.iter().for_each(|item| self.send_postponed(item.session));
        }
        if self.spare_parcels.len() < SPARE_PARCELS_MAX {
            parcel.clear();
            self.spare_parcels.push(parcel);
        }
    }

    /// A request has come back unrun: it is kept until there is room for its reply, and its
    /// connection forwards nothing new before.
    #[cold]
    fn postpone(&mut self, item: Item, args: Args<'_>) {
        let id = item.session;
        let client_id = item.caller.client_id;
        if self.core.sessions.get(id).is_none_or(|session| session.client_id != client_id) {
            return;
        }
        self.connections[id.0 as usize].postponed += 1;
        let request = OwnedRequest::new(item.command, args.iter());
        self.postponed.insert((id, item.sequence), (item, request));
    }

    /// Sends requests again that came back unrun, in their order, as far as there is room.
    #[inline]
    pub(super) fn send_postponed(&mut self, id: SessionId) {
        while self.connections[id.0 as usize].may_send_postponed() {
            self.send_one_postponed(id);
        }
    }

    #[cold]
    fn send_one_postponed(&mut self, id: SessionId) {
        let connection = &mut self.connections[id.0 as usize];
        connection.postponed -= 1;
        let reply_bytes_expected = connection.reply_bytes_expected();
        let mut of_session = self.postponed.range((id, 0)..=(id, u64::MAX));
        let Some((&place, _)) = of_session.next() else { return };
        let Some((mut item, request)) = self.postponed.remove(&place) else { return };
        item.postponed = false;
        item.reply_bytes_expected = reply_bytes_expected;
        self.post(self.owner(item.slot), item, request.args());
    }

    /// The connection is gone, and with it what it still wanted.
    pub(super) fn forget_postponed(&mut self, id: SessionId) {
        self.postponed.retain(|(session, _), _| *session != id);
    }

    /// Puts a late reply into its place, unless the client has gone.
    pub(super) fn fill(&mut self, id: SessionId, client_id: u64, sequence: u64, reply: &[u8]) {
        if self.core.sessions.get(id).is_none_or(|session| session.client_id != client_id) {
            return;
        }
        let connection = &mut self.connections[id.0 as usize];
        connection.fill(sequence, reply);
        if !connection.input.is_empty() && connection.backlog {
            self.leave_for_later(id);
        }
        self.mark_dirty(id);
    }
}
