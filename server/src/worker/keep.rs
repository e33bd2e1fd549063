//! The log at work: what the shard has changed goes to the disk at the end of a turn, and whatever
//! tells of it, a reply or a message to another core, leaves when the policy allows it. Without a
//! log nothing here costs more than a branch.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io;

use freehold_engine::command::session::SessionId;
use freehold_engine::config::Appendfsync;
use freehold_engine::disk::Requests;
use freehold_engine::log::Health;
use freehold_engine::shard::{HeldMessages, Standing, Trouble};
use freehold_engine::store::Store;

use super::{News, Worker};
use crate::disk::performer::Performer;
use crate::observe::log;
use crate::runtime::event::Errno;
use crate::runtime::token::Tag;

/// A core's files with what waits for them.
pub struct Keeper {
    store: Store,
    performer: Performer,
    requests: Requests,
    /// Up to where changes may be told, in bytes of records.
    told: u64,
    /// A snapshot's walk goes on at once.
    more: bool,
    /// Connections with replies that wait, by what they wait for.
    replies: VecDeque<(u64, Tag)>,
    messages: HeldMessages,
    health: Health,
    /// The turn in which it became what it is.
    health_turn: u64,
    /// Replies wait for a slow disk, and the operator knows.
    waits: bool,
}

impl Keeper {
    /// Keeps what `store` decides with the hands of `performer`; `requests` are what it has asked
    /// for so far.
    pub fn new(store: Store, performer: Performer, requests: Requests) -> Keeper {
        Keeper {
            told: if store.logs() { 0 } else { u64::MAX },
            store,
            performer,
            requests,
            more: false,
            replies: VecDeque::new(),
            messages: HeldMessages::default(),
            health: Health::Sound,
            health_turn: 0,
            waits: false,
        }
    }

    /// Whether a snapshot has more to do at once.
    pub fn has_more(&self) -> bool {
        self.more
    }

    /// Whether nothing can have been written since the disk failed us: what is done now is refused
    /// or only reads.
    fn only_reads(&self, turn: u64) -> bool {
        self.health != Health::Sound && turn > self.health_turn
    }
}

impl Worker {
    /// The end of a turn, before anything of it is told.
    pub(super) fn keep(&mut self) {
        let ending = self.phase != super::Phase::Serving;
        let keeper = &mut self.keeper;
        keeper.more = keeper.store.turn(&mut self.shard, self.now_us, ending, &mut keeper.requests);
        if !keeper.requests.is_empty() || keeper.performer.has_ended() {
            self.perform_requests();
        } else if keeper.store.logs() {
            self.refresh_told();
        }
    }

    /// The ring has reported the end of something that was done with a file.
    pub(super) fn file_done(&mut self, id: u64, buffer: Vec<u8>, outcome: Result<(), Errno>) {
        self.keeper.performer.done(id, buffer, outcome, &mut self.ring);
        self.perform_requests();
    }

    fn perform_requests(&mut self) {
        let policy = self.shard.config().persistence.appendfsync;
        let keeper = &mut self.keeper;
        keeper.performer.zero_ahead(policy == Appendfsync::Always);
        loop {
            for request in keeper.requests.take() {
                keeper.performer.begin(request, &mut self.ring);
            }
            let ended = keeper.performer.take_ended();
            if ended.is_empty() {
                break;
            }
            for completion in ended {
                let requests = &mut keeper.requests;
                keeper.store.completed(completion, &mut self.shard, self.now_us, requests);
            }
        }
        for told in keeper.store.take_told() {
            self.report.send(News::Snapshot(told));
        }
        self.refresh_told();
    }

    fn refresh_told(&mut self) {
        let policy = self.shard.config().persistence.appendfsync;
        let keeper = &mut self.keeper;
        keeper.told = keeper.store.acknowledged(policy, self.now_us);
        let health = keeper.store.health();
        let waits = health == Health::Sound && keeper.store.waits_for_disk(policy, self.now_us);
        if waits != keeper.waits {
            keeper.waits = waits;
            tell_waits(waits, self.core);
        }
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
                log::info("The log is well again, or off: writes are accepted", &[core]);
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
        let keeper = &mut self.keeper;
        for (_, tag) in std::mem::take(&mut keeper.replies) {
            self.close(tag);
        }
    }

    /// What has waited for the log and need not any more.
    fn tell_kept(&mut self) {
        loop {
            let keeper = &mut self.keeper;
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

    /// Whether replies may have to wait.
    #[inline]
    pub(super) fn holds_back(&self) -> bool {
        self.keeper.store.has_logged()
    }

    /// Keeps what the session has written until the log allows it to leave. False: it may leave
    /// now.
    pub(super) fn hold_back(&mut self, tag: Tag, session: SessionId) -> bool {
        let keeper = &mut self.keeper;
        let Some(connection) = self.connections.get_mut(tag) else { return true };
        let at = self.shard.log_end();
        let behind = !connection.kept.is_empty() || !connection.released.is_empty();
        let only_reads =
            !self.shard.tells_of_before_trouble(session) && keeper.only_reads(self.turns);
        if !behind && (at <= keeper.told || only_reads) {
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
        let keeper = &mut self.keeper;
        if !keeper.store.has_logged() {
            return;
        }
        let only_reads = keeper.only_reads(self.turns);
        let standing = Standing { end: self.shard.log_end(), told: keeper.told, only_reads };
        keeper.messages.sift(self.shard.outbox(), standing);
    }

    /// The mesh has taken what it had room for.
    pub(super) fn note_sent(&mut self) {
        self.keeper.messages.left(self.shard.outbox().len());
    }

    /// When the log next has something to do.
    pub(super) fn keep_wake_us(&self) -> u64 {
        // A sync that is late lets replies go when it ends, which wakes the core by itself.
        let policy = self.shard.config().persistence.appendfsync;
        self.keeper.store.next_wake_us(policy).saturating_sub(self.now_us)
    }

    /// Nothing is left to be made durable or told.
    pub(super) fn is_kept(&mut self) -> bool {
        let keeper = &self.keeper;
        keeper.health != Health::Sound
            || keeper.store.is_quiet(&mut self.shard) && keeper.performer.is_idle()
    }
}

/// The window of everysec does not widen in silence.
#[cold]
fn tell_waits(waits: bool, core: usize) {
    let core: (&str, &dyn Display) = ("core", &core);
    if waits {
        log::warning("The disk is slow: replies wait until what they tell is durable", &[core]);
    } else {
        log::info("The disk is quick again: replies need not wait for it", &[core]);
    }
}
