//! The log at work: what the shard has changed goes to the disk at the end of a turn, and whatever
//! tells of it, a reply or a message to another core, leaves when the policy allows it. Without a
//! log nothing here costs more than a branch.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io;

use freehold_engine::command::session::SessionId;
use freehold_engine::disk::Requests;
use freehold_engine::log::{Header, Health, Log};
use freehold_engine::mesh::CoreId;
use freehold_engine::shard::{Message, Trouble};

use super::Worker;
use crate::disk::performer::Performer;
use crate::observe::log;
use crate::runtime::event::Errno;
use crate::runtime::token::Tag;

/// A core's log with what waits for it.
pub struct Keeper {
    log: Log,
    performer: Performer,
    requests: Requests,
    /// Up to where changes may be told, in bytes of records.
    told: u64,
    /// Connections with replies that wait, by what they wait for.
    replies: VecDeque<(u64, Tag)>,
    /// Messages that wait, likewise.
    messages: VecDeque<(u64, Vec<(CoreId, Message)>)>,
    /// So many messages at the front of the shard's outbox have waited, and wait for room only.
    cleared: usize,
    health: Health,
    /// The turn in which it became what it is.
    health_turn: u64,
}

impl Keeper {
    /// Begins a log in the directory of `performer`.
    pub fn begin(performer: Performer, header: Header, now_us: u64) -> Keeper {
        let mut requests = Requests::default();
        let log = Log::begin(header, 0, now_us, &mut requests);
        Keeper {
            log,
            performer,
            requests,
            told: 0,
            replies: VecDeque::new(),
            messages: VecDeque::new(),
            cleared: 0,
            health: Health::Sound,
            health_turn: 0,
        }
    }

    /// Whether nothing can have been written since the disk failed us: what is told now was
    /// refused or only read.
    fn only_reads(&self, turn: u64) -> bool {
        self.health != Health::Sound && turn > self.health_turn
    }
}

impl Worker {
    /// The end of a turn, before anything of it is told.
    #[inline]
    pub(super) fn keep(&mut self) {
        if self.keeper.is_some() {
            self.keep_turn();
        }
    }

    fn keep_turn(&mut self) {
        let policy = self.shard.config().persistence.appendfsync;
        let ending = self.phase != super::Phase::Serving;
        let Some(keeper) = &mut self.keeper else { return };
        let Some(records) = self.shard.log() else { return };
        keeper.log.turn(records, policy, self.now_us, &mut keeper.requests);
        if ending {
            keeper.log.sync(self.now_us, &mut keeper.requests);
        }
        for request in keeper.requests.take() {
            keeper.performer.begin(request, &mut self.ring);
        }
        self.book_ended();
    }

    /// The ring has reported the end of something that was done with a file.
    pub(super) fn file_done(&mut self, id: u64, buffer: Vec<u8>, outcome: Result<(), Errno>) {
        let Some(keeper) = &mut self.keeper else { return };
        keeper.performer.done(id, buffer, outcome);
        self.book_ended();
    }

    fn book_ended(&mut self) {
        let policy = self.shard.config().persistence.appendfsync;
        let Some(keeper) = &mut self.keeper else { return };
        for completion in keeper.performer.take_ended() {
            keeper.log.completed(completion, self.now_us);
        }
        keeper.told = keeper.log.acknowledged(policy, self.now_us);
        let health = keeper.log.health();
        if health != keeper.health {
            (keeper.health, keeper.health_turn) = (health, self.turns);
            self.health_changed(health);
        }
        self.tell_kept();
    }

    #[cold]
    fn health_changed(&mut self, health: Health) {
        let core: (&str, &dyn Display) = ("core", &self.core);
        match health {
            Health::Sound => {
                log::info("There is space for the log again: writes are accepted", &[core]);
                self.shard.set_trouble(None);
            }
            Health::Full => {
                log::warning("No space for the log: writes are refused until there is", &[core]);
                self.shard.set_trouble(Some(Trouble::Full));
            }
            Health::Broken(errno) => {
                let error = io::Error::from(Errno(errno));
                let said = [core, ("error", &error as &dyn Display)];
                log::warning("The log cannot be written: no write is accepted any more", &said);
                self.shard.set_trouble(Some(Trouble::Broken));
                self.close_unanswered();
            }
        }
    }

    /// Nobody will ever know whether these writes are durable: their connections are closed, which
    /// says just that.
    #[cold]
    fn close_unanswered(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        for (_, tag) in std::mem::take(&mut keeper.replies) {
            self.close(tag);
        }
    }

    /// What has waited for the log and need not any more.
    fn tell_kept(&mut self) {
        loop {
            let Some(keeper) = &mut self.keeper else { return };
            let ready = keeper.replies.front().filter(|(at, _)| *at <= keeper.told);
            let Some(&(at, tag)) = ready else { break };
            keeper.replies.pop_front();
            self.release_replies(tag, at);
        }
        self.tell_messages();
    }

    fn release_replies(&mut self, tag: Tag, at: u64) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        while let Some((_, replies)) = connection.kept.pop_front_if(|(waits, _)| *waits <= at) {
            if connection.released.is_empty() {
                connection.released = replies;
            } else {
                connection.released.extend_from_slice(&replies);
                self.spare.put(replies);
            }
        }
        self.send_released(tag);
    }

    /// Sends replies that waited for the log, unless a send is under way.
    pub(super) fn send_released(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        let closing = connection.session.is_none();
        if closing || connection.released.is_empty() || connection.sending.is_some() {
            return;
        }
        let buffer = std::mem::replace(&mut connection.released, self.spare.take());
        connection.sending_bytes = buffer.len();
        connection.sending = Some(self.ring.send(connection.socket(), tag, buffer));
    }

    /// Keeps what the session has written until the log allows it to leave. False: it may leave
    /// now.
    pub(super) fn hold_back(&mut self, tag: Tag, session: SessionId) -> bool {
        let Some(keeper) = &mut self.keeper else { return false };
        let Some(connection) = self.connections.get_mut(tag) else { return true };
        let at = self.shard.log_end();
        let behind = !connection.kept.is_empty() || !connection.released.is_empty();
        if !behind && (at <= keeper.told || keeper.only_reads(self.turns)) {
            return false;
        }
        if matches!(keeper.health, Health::Broken(_)) {
            self.close(tag);
            return true;
        }
        let output = self.shard.output(session);
        if !output.is_empty() {
            let replies = std::mem::replace(output, self.spare.take());
            connection.kept.push_back((at, replies));
            keeper.replies.push_back((at, tag));
        }
        let waiting = connection.waiting_bytes();
        self.shard.set_in_flight(session, waiting);
        true
    }

    /// Messages for other cores that tell of changes wait like replies; what only asks does not.
    pub(super) fn tell_messages(&mut self) {
        let Some(keeper) = &mut self.keeper else { return };
        let at = self.shard.log_end();
        let outbox = self.shard.outbox();
        if at > keeper.told && outbox.len() > keeper.cleared {
            let only_reads = keeper.only_reads(self.turns);
            let mut tells = Vec::new();
            for (to, message) in outbox.split_off(keeper.cleared) {
                if message.only_asks() || only_reads && message.answers() {
                    outbox.push((to, message));
                } else {
                    tells.push((to, message));
                }
            }
            if !tells.is_empty() {
                keeper.messages.push_back((at, tells));
            }
        } else if !keeper.messages.is_empty() {
            let behind = outbox.split_off(keeper.cleared);
            keeper.messages.push_back((at, behind));
        }
        while let Some((_, messages)) = keeper.messages.pop_front_if(|(at, _)| *at <= keeper.told) {
            outbox.extend(messages);
        }
        keeper.cleared = outbox.len();
    }

    /// The mesh has taken what it had room for.
    pub(super) fn note_sent(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.cleared = self.shard.outbox().len();
        }
    }

    /// When the log next has something to do.
    pub(super) fn keep_wake_us(&mut self) -> u64 {
        let policy = self.shard.config().persistence.appendfsync;
        let Some(keeper) = &self.keeper else { return u64::MAX };
        let more = self.shard.log_end() > keeper.log.end();
        let at = keeper.log.next_wake_us(policy, more);
        // A sync that is late lets replies go when it ends, which wakes the core by itself.
        at.saturating_sub(self.now_us)
    }

    /// Nothing is left to be made durable or told.
    pub(super) fn is_kept(&mut self) -> bool {
        let end = self.shard.log_end();
        self.keeper.as_ref().is_none_or(|keeper| {
            let broken = matches!(keeper.health, Health::Broken(_) | Health::Full);
            let quiet = keeper.log.is_quiet() && keeper.log.end() >= end;
            broken || quiet && keeper.performer.is_idle()
        })
    }
}
