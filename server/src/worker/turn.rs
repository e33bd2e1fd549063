//! One trip round a core's loop:
//!
//! ```text
//! enter (submit + wait) ─► clocks ─► held buffers ─► completions ─► mesh ─► upkeep ─► log
//!        ▲                                                                            │
//!        └── doorbells ◄── mesh out ◄── arrivals ◄── one send per dirty ◄─────────────┘
//! ```
//! The core waits in `enter` only when nothing is pending anywhere.

use freehold_engine::base::time::Now;
use freehold_engine::command::session::SessionId;
use freehold_engine::shard::{Action, SessionState};

use super::connections::Receiving;
use super::{News, Phase, Worker};
use crate::observe::log;
use crate::runtime::buffers::Filled;
use crate::runtime::event::{Errno, Event};
use crate::runtime::ring::Patience;
use crate::runtime::token::Tag;

/// Bytes of one connection that are looked at in one turn: four receive buffers, some 1,800 small
/// requests. The kernel may fill up to 32 buffers from one connection in a row; the rest of them
/// waits for the next turns, so that a neighbour's single request does not.
const BYTES_PER_TURN_MAX: usize = 64 * 1024;

/// A longer reply is waited for: the connection's next requests may depend on its having left.
const PROMPT_BYTES_MAX: usize = 16 * 1024;

/// Messages taken from one other core in one turn.
const MESSAGES_PER_PEER_MAX: usize = 64;

/// Events whose requests are foreseen together; about half of them are ends of sends.
const FORESEEN_EVENTS: usize = 32;

impl Worker {
    /// Turns until the node ends.
    ///
    /// # Errors
    /// The ring is broken; the core cannot go on.
    pub fn run(&mut self) -> std::io::Result<()> {
        while self.phase != Phase::Ended {
            let patience = self.patience();
            self.enter_and_turn(patience)?;
        }
        Ok(())
    }

    /// Accepts connections from here on.
    pub fn listen(&mut self) {
        self.arm_listeners();
    }

    pub(super) fn turn(&mut self, now: Now) {
        self.turns += 1;
        self.now_us = now.mono_us;
        self.shard.begin_turn(now);
        self.take_up_held();
        self.reap();
        self.hear_others();
        self.look_after();
        self.follow_signal();
        self.keep();
        self.answer();
        self.perform();
        self.admit();
        self.arm_starved();
        self.tell_others();
        self.follow_phase();
    }

    /// Handles all events of the last enter, some at a time: what the requests among them will read
    /// is asked for first.
    fn reap(&mut self) {
        loop {
            self.shard.foresee(self.ring.upcoming(FORESEEN_EVENTS));
            for _ in 0..FORESEEN_EVENTS {
                let Some(event) = self.ring.next_event() else { return };
                self.handle(event);
            }
        }
    }

    /// How long the next enter may sleep. Says so to the other cores when it may.
    pub(super) fn patience(&mut self) -> Patience {
        let pending = self.more_upkeep
            || self.keeper.has_more()
            || !self.held.is_empty()
            || !self.arrivals.is_empty()
            || self.mesh.has_unsent();
        if pending {
            return Patience::None;
        }
        let mut wake_us = self.shard.next_wake_us().min(self.keep_wake_us());
        if let Some(at) = self.arrivals.next_wake_us() {
            wake_us = wake_us.min(at.saturating_sub(self.now_us));
        }
        if let Some(at) = self.deadline_us {
            wake_us = wake_us.min(at.saturating_sub(self.now_us));
        }
        if wake_us == 0 || !self.mesh.may_sleep() {
            return Patience::None;
        }
        // What is to be sent promptly to a connection that is being closed has nobody else to wake
        // the core when it has been sent.
        if self.phase != Phase::Serving && self.ring.has_prompt() {
            return Patience::None;
        }
        let gather_us = self.gather_us.min(u32::try_from(wake_us).unwrap_or(u32::MAX));
        match self.gathering.wanted(self.now_us, gather_us) {
            1 => Patience::Micros(wake_us),
            count => Patience::Gather { count, gather_us, wake_us },
        }
    }

    #[inline]
    fn handle(&mut self, event: Event) {
        match event {
            Event::Received { connection, outcome, armed } => {
                self.received(connection, outcome, armed);
            }
            Event::Sent { connection, buffer, outcome } => self.sent(connection, buffer, outcome),
            Event::Sending { connection } => self.note_sending(connection),
            Event::FileDone { id, buffer, outcome } => self.file_done(id, buffer, outcome),
            other => self.handle_arrival(other),
        }
    }

    #[inline]
    fn received(&mut self, tag: Tag, outcome: Result<Option<Filled>, Errno>, armed: bool) {
        let Some(connection) = self.connections.get_mut(tag) else {
            if let Ok(Some(filled)) = outcome {
                self.ring.give_back(filled);
            }
            return;
        };
        if !armed {
            connection.receiving = Receiving::No;
        }
        match outcome {
            Ok(Some(filled)) => {
                self.gathering.heard(&mut connection.heard);
                let over = connection.held > 0
                    || !connection.book(self.turns, filled.len(), BYTES_PER_TURN_MAX);
                if over {
                    connection.held += 1;
                    self.held.push_back((tag, filled));
                } else {
                    self.feed(tag, filled);
                }
            }
            Ok(None) => self.peer_finished(tag),
            Err(errno) => self.receive_failed(tag, errno),
        }
        if !armed {
            self.after_operation(tag);
        }
    }

    /// Gives received bytes to the session and the buffer back to the pool.
    #[inline]
    fn feed(&mut self, tag: Tag, filled: Filled) {
        let session = self.connections.get_mut(tag).and_then(|connection| connection.session);
        if let Some(session) = session {
            self.shard.receive(session, self.ring.bytes(&filled));
        }
        self.ring.give_back(filled);
    }

    /// Buffers that went beyond their connection's share of an earlier turn.
    fn take_up_held(&mut self) {
        for _ in 0..self.held.len() {
            let Some((tag, filled)) = self.held.pop_front() else { return };
            let Some(connection) = self.connections.get_mut(tag) else {
                self.ring.give_back(filled);
                continue;
            };
            if connection.book(self.turns, filled.len(), BYTES_PER_TURN_MAX) {
                connection.held -= 1;
                self.feed(tag, filled);
                self.after_held(tag);
            } else {
                self.held.push_back((tag, filled));
            }
        }
    }

    /// The end of the stream counts once everything before it has been looked at.
    fn after_held(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        if connection.ended && connection.held == 0 {
            self.end_input(tag);
        }
    }

    #[cold]
    fn peer_finished(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        connection.ended = true;
        if connection.held == 0 {
            self.end_input(tag);
        }
    }

    #[cold]
    fn receive_failed(&mut self, tag: Tag, errno: Errno) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        if errno.is_out_of_buffers() {
            if !connection.starved {
                connection.starved = true;
                self.starved.push(tag);
            }
        } else if !errno.is_cancelled() && !errno.is_transient() {
            self.close(tag);
        }
    }

    #[inline]
    fn sent(&mut self, tag: Tag, buffer: Vec<u8>, outcome: Result<(), Errno>) {
        self.spare.put(buffer);
        let Some(connection) = self.connections.get_mut(tag) else { return };
        connection.sending = None;
        connection.sending_bytes = 0;
        match connection.session {
            Some(session) if outcome.is_ok() => {
                let waiting = connection.waiting_bytes();
                self.shard.set_in_flight(session, waiting);
                self.send_released(tag);
                self.attend(session);
            }
            _ => self.close(tag),
        }
    }

    /// A peer takes its replies, however many they are.
    #[cold]
    fn note_sending(&mut self, tag: Tag) {
        let session = self.connections.get_mut(tag).and_then(|connection| connection.session);
        if let Some(session) = session {
            self.shard.note_taken(session);
        }
    }

    /// A receive has ended: take the place away from a closing connection, or see whether the
    /// session wants more.
    fn after_operation(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        match connection.session {
            None => self.finish_closing(tag),
            Some(session) => self.attend(session),
        }
    }

    /// One send for each session that has something to say, and whatever else its state asks for.
    fn answer(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        self.shard.take_dirty(&mut dirty);
        for session in dirty.drain(..) {
            self.attend(session);
        }
        self.dirty = dirty;
    }

    /// Does what a session's state asks for.
    #[inline]
    pub(super) fn attend(&mut self, session: SessionId) {
        let Some(tag) = self.connections.of_session(session) else { return };
        match self.shard.state(session) {
            SessionState::Open => {
                self.send_output(tag, session, PROMPT_BYTES_MAX);
                self.listen_to(tag);
                self.close_when_answered(tag);
            }
            SessionState::StopReading => {
                self.send_output(tag, session, 0);
                self.stop_listening_to(tag);
            }
            SessionState::CloseAfterSend => {
                self.send_output(tag, session, 0);
                let answered = self.connections.get_mut(tag).is_none_or(|c| c.has_answered());
                if !answered {
                    self.stop_listening_to(tag);
                } else {
                    self.close(tag);
                }
            }
            SessionState::CloseNow => self.close(tag),
        }
    }

    /// A peer that has finished sending is let go when it has its replies.
    #[inline]
    fn close_when_answered(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        let finished = connection.ended && connection.held == 0 && connection.has_answered();
        let owed = |session| self.shard.owes_replies(session);
        if finished && !connection.session.is_some_and(owed) {
            self.close(tag);
        }
    }

    /// Starts the send of what the session has written, unless one is under way. Up to
    /// `prompt_bytes_max` the end of the send need not end the core's sleep: nothing waits for it.
    #[inline]
    fn send_output(&mut self, tag: Tag, session: SessionId, prompt_bytes_max: usize) {
        if self.holds_back() && self.hold_back(tag, session) {
            return;
        }
        let Some(connection) = self.connections.get_mut(tag) else { return };
        let output = self.shard.output(session);
        if output.is_empty() || connection.sending.is_some() {
            return;
        }
        let buffer = std::mem::replace(output, self.spare.take());
        self.shard.set_in_flight(session, buffer.len());
        connection.sending_bytes = buffer.len();
        let prompt = buffer.len() <= prompt_bytes_max && !connection.ended;
        let send = if prompt {
            self.ring.send_promptly(connection.socket(), tag, buffer)
        } else {
            self.ring.send(connection.socket(), tag, buffer)
        };
        connection.sending = Some(send);
    }

    #[inline]
    pub(super) fn listen_to(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        let wanted = !connection.ended && !connection.starved && self.phase == Phase::Serving;
        if connection.receiving == Receiving::No && wanted {
            connection.receiving = Receiving::Armed;
            self.ring.receive(connection.socket(), tag);
        }
    }

    pub(super) fn stop_listening_to(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        if connection.receiving == Receiving::Armed {
            connection.receiving = Receiving::Ending;
            self.ring.stop_receiving(tag);
        }
    }

    /// Ends the session and lets the connection go as soon as the kernel has let go of it.
    #[cold]
    pub(super) fn close(&mut self, tag: Tag) {
        if let Some(session) = self.connections.end_session(tag) {
            self.shard.disconnected(session);
            self.census.discount(self.core);
            self.stop_listening_to(tag);
            let sending = self.connections.get_mut(tag).and_then(|c| c.sending);
            if let Some(send) = sending {
                self.ring.abandon_send(send);
            }
        }
        self.finish_closing(tag);
    }

    fn finish_closing(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        if connection.is_quiet()
            && let Some(socket) = self.connections.remove(tag)
        {
            self.ring.close(socket);
        }
    }

    /// Arms the receives that ended for want of buffers, now that some are back.
    fn arm_starved(&mut self) {
        if self.starved.is_empty() || self.ring.buffers_available() == 0 {
            return;
        }
        for tag in std::mem::take(&mut self.starved) {
            let Some(connection) = self.connections.get_mut(tag) else { continue };
            connection.starved = false;
            if let Some(session) = connection.session {
                self.attend(session);
            }
        }
    }

    /// Takes what other cores have sent, a bounded number from each.
    fn hear_others(&mut self) {
        let (shard, gathering) = (&mut self.shard, &mut self.gathering);
        self.mesh.receive(MESSAGES_PER_PEER_MAX, |from, message| {
            gathering.disturb();
            shard.deliver(from, message);
        });
    }

    /// Sends what this core has for others. While a ring is full the rest stays in the shard's
    /// outbox, and the connections that stopped reading for it are looked at when it has emptied.
    fn tell_others(&mut self) {
        self.tell_messages();
        self.mesh.send(self.shard.outbox(), &mut self.ring);
        self.note_sent();
        let blocked = self.mesh.has_unsent();
        if self.was_blocked && !blocked {
            for tag in self.connections.tags() {
                let session = self.connections.get_mut(tag).and_then(|c| c.session);
                if let Some(session) = session {
                    self.attend(session);
                }
            }
        }
        self.was_blocked = blocked;
    }

    /// The shard's own work, in one bounded slice. When the last slice was not enough this one
    /// may be long, so replies that are ready leave first.
    fn look_after(&mut self) {
        if self.more_upkeep {
            self.keep();
            self.answer();
            if self.ring.has_queued() {
                self.ring.submit();
            }
        }
        self.more_upkeep = self.shard.upkeep();
    }

    /// Does what commands have asked of the server.
    fn perform(&mut self) {
        for action in self.shard.take_actions() {
            match action {
                Action::Shutdown { now } => self.report.shutdown(now),
                Action::Stay => self.report.send(News::Stays),
                Action::Configured => self.configured(),
                Action::Log(line) => log::info(&line, &[("core", &self.core)]),
            }
        }
    }
}
