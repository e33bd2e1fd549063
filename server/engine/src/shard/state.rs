//! Connections come, are looked after, and go.

use super::limits::{
    OUTBOX_MAX, PENDING_REPLY_BYTES_MAX, RESERVED_CONNECTIONS, STALLED_INPUT_BYTES_MAX,
    UNAUTHENTICATED_OUTPUT_BYTES_MAX,
};
use super::{Action, Shard};
use crate::command::context::Request;
use crate::command::session::{Accepted, Closing, PortKind, Session, SessionId};
use crate::shard::connection::Connection;

/// What the server is to do with a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionState {
    Open,
    /// Its requests cannot be taken now: leave its bytes in the kernel, so that its sender waits.
    StopReading,
    /// Send what there is, then close.
    CloseAfterSend,
    CloseNow,
}

const DENIED: &[u8] = b"-DENIED Redis is running in protected mode because protected mode is \
enabled and no password is set for the default user. In this mode connections are only accepted \
from the loopback interface. If you want to connect from external computers to Redis you may adopt \
one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET \
protected-mode no' from the loopback interface by connecting to Redis from the same host the \
server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. \
Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the \
protected mode by editing the Redis configuration file, and setting the protected mode option to \
'no', and then restarting the server. 3) If you started the server manually just for testing, \
restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the \
default user. NOTE: You only need to do one of the above things in order for the server to start \
accepting connections from the outside.\r\n";

const FULL: &[u8] = b"-ERR max number of clients reached\r\n";

impl Shard {
    /// A connection has been accepted for this core.
    ///
    /// # Errors
    /// The line to send before closing it again: too many clients, or protected mode.
    pub fn connect(&mut self, accepted: Accepted) -> Result<SessionId, &'static [u8]> {
        self.core.stats.connections_received += 1;
        let config = &self.core.config;
        let password = !config.requirepass.is_empty();
        let local = accepted.loopback || accepted.port == PortKind::Unix;
        if config.protected_mode && !password && !local {
            self.core.stats.connections_rejected += 1;
            return Err(DENIED);
        }
        let mine = self.board.core(self.core.id).connections();
        let elsewhere = self.board.connections().saturating_sub(mine);
        let reserve = if accepted.port == PortKind::Unix { RESERVED_CONNECTIONS } else { 0 };
        let limit = u64::from(config.maxclients) + reserve;
        if elsewhere + self.core.sessions.len() as u64 >= limit {
            self.core.stats.connections_rejected += 1;
            return Err(FULL);
        }
        let client_id = self.next_client;
        self.next_client += u64::from(self.core.cores);
        let session = Session::new(client_id, accepted, !password, self.core.now);
        let id = self.core.sessions.insert(session);
        let index = id.0 as usize;
        if index == self.connections.len() {
            self.connections.push(Connection::default());
        } else {
            self.connections[index].empty();
        }
        self.publish();
        Ok(id)
    }

    /// The connection is gone. Answers still on their way to it are dropped when they come.
    pub fn disconnected(&mut self, id: SessionId) {
        self.abandon_wait(id);
        self.dumps.forget(id);
        if let Some(session) = self.core.sessions.remove(id) {
            if let Some(listening) = session.listening {
                self.core.channels.leave_all(id, listening);
                self.core.channels.reply_waits = false; // nobody is left to be told
            }
            self.connections[id.0 as usize].empty();
            self.forget(session.watched);
            self.forget_postponed(id);
        }
        self.publish();
    }

    pub fn connections(&self) -> usize {
        self.core.sessions.len()
    }

    /// Whether other cores or this one have yet to answer requests of the connection.
    pub(super) fn awaits_replies(&self, id: SessionId) -> bool {
        self.connections[id.0 as usize].waiting() > 0
    }

    /// Whether replies are still to come for what the connection has sent: one that has finished
    /// sending is closed only when this is false. A write held for the end of the node gets none.
    pub fn owes_replies(&self, id: SessionId) -> bool {
        let connection = &self.connections[id.0 as usize];
        let blocked = self.core.sessions.get(id).is_some_and(|session| session.blocked);
        let backlog = connection.backlog && !self.pause.ending;
        !blocked && (connection.waiting() > 0 || connection.alone || backlog)
    }

    /// Bytes ready to be sent: take them by swapping an empty buffer in.
    pub fn output(&mut self, id: SessionId) -> &mut Vec<u8> {
        &mut self.connections[id.0 as usize].out
    }

    /// What the server is to do with the connection now.
    pub fn state(&self, id: SessionId) -> SessionState {
        let Some(session) = self.core.sessions.get(id) else { return SessionState::CloseNow };
        let connection = &self.connections[id.0 as usize];
        let pending = connection.output_bytes();
        if !session.authenticated && pending > UNAUTHENTICATED_OUTPUT_BYTES_MAX {
            return SessionState::CloseNow;
        }
        match session.closing {
            Closing::Now => SessionState::CloseNow,
            Closing::AfterReplies if connection.waiting() == 0 => SessionState::CloseAfterSend,
            Closing::AfterReplies => SessionState::StopReading,
            Closing::No => {
                let stalled = connection.backlog || connection.alone;
                let full = stalled && connection.input.len() >= STALLED_INPUT_BYTES_MAX;
                if full || pending >= PENDING_REPLY_BYTES_MAX || self.outbox.len() > OUTBOX_MAX {
                    SessionState::StopReading
                } else {
                    SessionState::Open
                }
            }
        }
    }

    /// Does what commands have asked of the shard.
    pub(super) fn serve_requests(&mut self, id: SessionId) {
        self.mark_dirty(id);
        self.serve_requests_of_others();
    }

    pub(super) fn serve_requests_of_others(&mut self) {
        for request in std::mem::take(&mut self.core.requests) {
            match request {
                Request::Pause { until_mono_us, writes_only } => {
                    self.pause.until_mono_us = self.pause.until_mono_us.max(until_mono_us);
                    self.pause.writes_only = writes_only;
                    self.pause.armed = true;
                }
                Request::Unpause => self.pause.until_mono_us = 0,
                Request::HoldWrites => self.pause.ending = true,
                Request::Configured => {
                    self.refresh_memory_limit();
                    self.publish(); // what may go here: others lean on it from the next request on
                    self.hurry_second_hand();
                    self.actions.push(Action::Configured);
                }
                Request::Unblock { session, with_error } => self.unblock(session, with_error),
                Request::Close(other) => self.mark_dirty(other),
                Request::Unwatch(watched) => self.forget(watched),
                Request::Log(line) => self.actions.push(Action::Log(line)),
            }
        }
    }
}
