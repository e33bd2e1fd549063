//! Requests that have arrived and could not run yet: the connection's turn was over, an earlier
//! command of it must finish first, or its replies are not being read.

use super::Shard;
use super::limits::{BACKLOG_PER_TURN_MAX, PENDING_REPLY_BYTES_MAX};
use crate::command::session::SessionId;

impl Shard {
    /// Remembers that the connection's input holds requests. It is queued for the next turn unless
    /// something else will wake it: a reply it waits for, the end of a pause, a send.
    pub(super) fn leave_for_later(&mut self, id: SessionId) {
        let paused = self.pause.ending || self.pause.until_mono_us > self.core.now.mono_us;
        let connection = &mut self.connections[id.0 as usize];
        connection.backlog = true;
        let woken_elsewhere = paused
            || connection.alone
            || connection.awaits_room
            || connection.waiting() > 0
            || connection.output_bytes() >= PENDING_REPLY_BYTES_MAX;
        if !connection.queued && !woken_elsewhere {
            connection.queued = true;
            self.backlog.push_back(id);
        }
    }

    /// Takes up left-over requests, a bounded number of connections a turn.
    pub(super) fn run_backlog(&mut self) {
        for _ in 0..self.backlog.len().min(BACKLOG_PER_TURN_MAX) {
            let Some(id) = self.backlog.pop_front() else { return };
            let connection = &mut self.connections[id.0 as usize];
            connection.queued = false;
            if connection.alone || !connection.backlog {
                continue;
            }
            connection.backlog = false;
            self.drain_input(id);
            self.mark_dirty(id);
        }
    }

    /// Looks again at every connection that was left for later: a pause has ended.
    pub(super) fn requeue_backlog(&mut self) {
        let waiting: Vec<SessionId> = self
            .core
            .sessions
            .iter()
            .map(|(id, _)| id)
            .filter(|id| self.connections[id.0 as usize].backlog)
            .collect();
        waiting.into_iter().for_each(|id| self.leave_for_later(id));
    }

    /// The server has `bytes` of this connection's output under way; 0 when all has left.
    pub fn set_in_flight(&mut self, id: SessionId, bytes: usize) {
        let Some(connection) = self.connections.get_mut(id.0 as usize) else { return };
        let fell = bytes < connection.in_flight;
        self.core.stats.net_output_bytes += bytes as u64;
        self.core.stats.writes_processed += u64::from(bytes > 0);
        connection.in_flight = bytes;
        if let Some(session) = self.core.sessions.get_mut(id) {
            session.output_bytes = connection.output_bytes();
            if fell && session.listening.is_none() {
                connection.soft_limit_since_us = None;
            }
            if fell && connection.backlog {
                self.leave_for_later(id);
                self.mark_dirty(id);
            }
        }
        self.send_postponed(id);
    }

    /// The client has taken a part of what is under way to it. What a normal client is to get
    /// it has asked for, so one that reads, however slowly, is served however much that is: its
    /// soft limit counts from here. Messages come unasked for: as in Redis, a subscriber must come
    /// back below.
    pub fn note_taken(&mut self, id: SessionId) {
        let Some(session) = self.core.sessions.get(id) else { return };
        if session.listening.is_none() {
            self.connections[id.0 as usize].soft_limit_since_us = None;
        }
    }
}
