//! From bytes to batches of requests. A buffer is parsed where it lies, up to [`BATCH_MAX`]
//! requests at a time; what is incomplete, or may not run yet, is kept.

use freehold_protocol::binary::{self, Framing};
use freehold_protocol::limits::Limits;
use freehold_protocol::resp::parse;
use freehold_protocol::resp::reply::Reply;
use freehold_protocol::{Batch, ProtocolError, Stop};

use super::Shard;
use super::limits::{
    BATCH_MAX, KEEP_INPUT_BYTES, PENDING_REPLY_BYTES_MAX, REQUESTS_PER_TURN_MAX,
    UNAUTHENTICATED_INPUT_BYTES_MAX,
};
use crate::command::error::CommandError;
use crate::command::session::{Closing, SessionId};
use crate::command::table::Command;
use crate::config::Config;

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dispatched {
    /// Answered, or on its way.
    Taken,
    /// It cannot run now; it must be presented again.
    NotYet,
}

impl Shard {
    /// Bytes have come from a client. Whole requests run at once, in place; what is left over is
    /// kept. The caller may reuse the buffer afterwards.
    pub fn receive(&mut self, id: SessionId, bytes: &[u8]) {
        self.core.stats.net_input_bytes += bytes.len() as u64;
        self.core.stats.reads_processed += 1;
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        session.active_mono_us = self.core.now.mono_us;
        session.input_bytes_total += bytes.len() as u64;
        if session.closing != Closing::No {
            return;
        }
        let connection = &mut self.connections[id.0 as usize];
        if connection.input.is_empty() && !connection.backlog && !connection.alone {
            let used = self.consume(id, bytes);
            self.keep_rest(id, &bytes[used..]);
        } else {
            connection.input.extend_from_slice(bytes);
            self.drain_input(id);
        }
        self.settle();
        self.mark_dirty(id);
    }

    /// Runs what stands in the connection's own buffer, as far as it may.
    pub(super) fn drain_input(&mut self, id: SessionId) {
        let connection = &mut self.connections[id.0 as usize];
        let mut input = std::mem::take(&mut connection.input);
        let used = self.consume(id, &input);
        input.drain(..used);
        if input.is_empty() && input.capacity() > KEEP_INPUT_BYTES {
            input = Vec::new();
        }
        self.connections[id.0 as usize].input = input;
        self.note_rest(id);
    }

    fn keep_rest(&mut self, id: SessionId, rest: &[u8]) {
        if !rest.is_empty() {
            self.connections[id.0 as usize].input.extend_from_slice(rest);
        }
        self.note_rest(id);
    }

    /// An incomplete request has a deadline and a size; noted here, judged by upkeep.
    fn note_rest(&mut self, id: SessionId) {
        let connection = &mut self.connections[id.0 as usize];
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        session.input_bytes = connection.input.len();
        let incomplete = !connection.input.is_empty() && !connection.backlog && !connection.alone;
        connection.partial_since_us = incomplete.then_some(self.core.now.mono_us);
        let limit = match session.authenticated {
            true => self.core.config.query_buffer_bytes_max as usize,
            false => UNAUTHENTICATED_INPUT_BYTES_MAX,
        };
        if connection.input.len() > limit {
            self.core.stats.query_limit_disconnections += 1;
            session.closing = Closing::Now;
        }
    }

    /// Parses and runs requests from the front of `buffer`; returns the bytes taken.
    fn consume(&mut self, id: SessionId, buffer: &[u8]) -> usize {
        let mut batch = std::mem::take(&mut self.batch);
        let used = self.consume_with(id, buffer, &mut batch);
        batch.clear();
        self.batch = batch;
        used
    }

    fn consume_with(&mut self, id: SessionId, buffer: &[u8], batch: &mut Batch) -> usize {
        let mut used = 0;
        let mut taken = 0;
        while used < buffer.len() {
            if self.is_closing(id) {
                return buffer.len(); // nobody will ask for it again
            }
            if !self.may_take(id) || taken >= REQUESTS_PER_TURN_MAX {
                self.leave_for_later(id);
                return used;
            }
            batch.clear();
            let rest = &buffer[used..];
            let (bytes, stop) = self.parse(id, rest, batch);
            let ran = self.run_batch(id, rest, batch);
            if ran < batch.len() {
                self.connections[id.0 as usize].resume = Default::default();
                self.leave_for_later(id);
                return used + self.bytes_of(id, rest, ran);
            }
            taken += ran;
            used += bytes;
            match stop {
                Stop::BatchFull => {}
                Stop::NeedMore => return used,
                Stop::Error(error) => {
                    self.protocol_error(id, &error);
                    return buffer.len();
                }
            }
        }
        used
    }

    fn is_closing(&self, id: SessionId) -> bool {
        self.core.sessions.get(id).is_none_or(|session| session.closing != Closing::No)
    }

    /// Whether the connection's next request may run now.
    pub(super) fn may_take(&self, id: SessionId) -> bool {
        let connection = &self.connections[id.0 as usize];
        let open = self.core.sessions.get(id).is_some_and(|s| s.closing == Closing::No);
        open && !connection.alone
            && connection.output_bytes() < PENDING_REPLY_BYTES_MAX
            && connection.may_forward()
    }

    fn parse(&mut self, id: SessionId, rest: &[u8], batch: &mut Batch) -> (usize, Stop) {
        let connection = &mut self.connections[id.0 as usize];
        let Some(session) = self.core.sessions.get_mut(id) else {
            return (rest.len(), Stop::NeedMore);
        };
        if session.commands == 0 && rest[0] == binary::FIRST_BYTE {
            session.binary = true;
        }
        let configured;
        // Limits apply to all requests of a call, and the first may be the AUTH that lifts them.
        let (limits, max) = if session.authenticated {
            let config = &self.core.config;
            configured = Limits { bulk_bytes_max: bulk_bytes_max(config), ..Limits::DEFAULT };
            (&configured, BATCH_MAX)
        } else {
            (&Limits::UNAUTHENTICATED, 1)
        };
        if session.binary {
            binary::parse_binary(rest, limits, max, batch)
        } else {
            parse::parse(&mut connection.resume, rest, limits, max, batch)
        }
    }

    /// The bytes of the first `count` requests of `rest`: the cold path of a batch that could not
    /// be taken whole.
    #[cold]
    fn bytes_of(&mut self, id: SessionId, rest: &[u8], count: usize) -> usize {
        if count == 0 {
            return 0;
        }
        let mut again = Batch::new();
        let binary = self.core.sessions.get(id).is_some_and(|session| session.binary);
        let (bytes, _) = match binary {
            true => binary::parse_binary(rest, &Limits::DEFAULT, count, &mut again),
            false => {
                let mut resume = Default::default();
                parse::parse(&mut resume, rest, &Limits::DEFAULT, count, &mut again)
            }
        };
        bytes
    }

    #[cold]
    fn protocol_error(&mut self, id: SessionId, error: &ProtocolError) {
        self.core.stats.count_error("ERR".to_owned());
        let binary = self.core.sessions.get(id).is_some_and(|session| session.binary);
        self.connections[id.0 as usize].write(|out| {
            if binary {
                binary::reply::protocol_error(error, out);
            } else {
                error.write_reply(out);
            }
        });
        self.close_after_replies(id);
    }

    pub(super) fn close_after_replies(&mut self, id: SessionId) {
        if let Some(session) = self.core.sessions.get_mut(id) {
            session.closing = Closing::AfterReplies;
        }
        self.connections[id.0 as usize].input = Vec::new();
        self.mark_dirty(id);
    }

    /// Answers with an error, in the connection's dialect.
    pub(super) fn refuse(
        &mut self,
        id: SessionId,
        command: Option<&'static Command>,
        framing: Option<Framing>,
        error: &CommandError,
    ) {
        if let Some(command) = command {
            self.core.stats.commands[command.index].rejected_calls += 1;
        }
        let spoiled = self.spoil_queue(id, command, error);
        let error = spoiled.as_ref().unwrap_or(error);
        self.core.stats.count_error(error.code());
        self.answer(id, framing, |reply| reply.error(&error.line()));
    }

    /// Writes one reply of the shard's own.
    pub(super) fn answer(
        &mut self,
        id: SessionId,
        framing: Option<Framing>,
        write: impl FnOnce(&mut Reply<'_>),
    ) {
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        if super::execute::is_muted(session) {
            return;
        }
        let resp3 = session.resp3 || session.binary;
        self.connections[id.0 as usize].write(|out| match framing {
            None => write(&mut Reply::new(out, resp3)),
            Some(framing) => {
                let mut text = Vec::new();
                write(&mut Reply::new(&mut text, true));
                binary::reply::write(framing, &text, out);
            }
        });
    }
}

/// The longest argument read: what no option could make a valid value is refused before it is
/// received.
fn bulk_bytes_max(config: &Config) -> u32 {
    u32::try_from(config.proto_max_bulk_bytes.min(config.value_hard_bytes)).unwrap_or(u32::MAX)
}
