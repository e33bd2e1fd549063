//! Messages to the subscribers of this core. What every receiver gets alike is copied as it is;
//! before it stands one of six beginnings: three kinds, two dialects.

use freehold_protocol::Reply;

use crate::base::glob::{self, Case};
use crate::command::channels::{Publication, Topic};
use crate::command::session::{Closing, SessionId, Sessions};
use crate::config::OutputClass;
use crate::shard::connection::Connection;
use crate::shard::{Action, Shard};

/// How a message begins, in RESP2 and RESP3.
type Head = [&'static [u8]; 2];

const MESSAGE: Head = [b"*3\r\n$7\r\nmessage\r\n", b">3\r\n$7\r\nmessage\r\n"];
const PATTERN_MESSAGE: Head = [b"*4\r\n$8\r\npmessage\r\n", b">4\r\n$8\r\npmessage\r\n"];
const SHARD_MESSAGE: Head = [b"*3\r\n$8\r\nsmessage\r\n", b">3\r\n$8\r\nsmessage\r\n"];

/// What a message is written into.
struct Receivers<'s> {
    sessions: &'s Sessions,
    connections: &'s mut [Connection],
    dirty: &'s mut Vec<SessionId>,
    /// More output than this must not wait for one client; 0: no limit.
    output_bytes_max: u64,
    /// Clients beyond that.
    slow: Vec<SessionId>,
}

impl Receivers<'_> {
    /// Writes one message to each session: the beginning in its dialect, then `parts`.
    fn write(&mut self, to: &[SessionId], head: Head, parts: [&[u8]; 2]) {
        for &id in to {
            let Some(session) = self.sessions.get(id) else { continue };
            if session.closing != Closing::No {
                continue;
            }
            let connection = &mut self.connections[id.0 as usize];
            connection.push(session.resp3, |out| {
                out.extend_from_slice(head[usize::from(session.resp3)]);
                parts.iter().for_each(|part| out.extend_from_slice(part));
            });
            if !connection.dirty {
                connection.dirty = true;
                self.dirty.push(id);
            }
            let waiting = connection.output_bytes() as u64;
            if self.output_bytes_max > 0 && waiting > self.output_bytes_max {
                self.slow.push(id);
            }
        }
    }
}

impl Shard {
    /// Writes a message to everyone on this core who listens to its channel or to a pattern that
    /// fits: channel first, then patterns, as Redis does. Who has left meanwhile gets nothing.
    pub(super) fn deliver_here(&mut self, publication: &Publication) {
        let channels = &self.core.channels;
        let mut receivers = Receivers {
            sessions: &self.core.sessions,
            connections: &mut self.connections,
            dirty: &mut self.dirty,
            output_bytes_max: self.core.config.output_limit(OutputClass::PubSub).hard_bytes,
            slow: Vec::new(),
        };
        let (channel, tail) = (publication.channel(), publication.tail());
        let head = if publication.topic == Topic::Shard { SHARD_MESSAGE } else { MESSAGE };
        if let Some(listeners) = channels.listeners(publication.topic, channel) {
            receivers.write(&listeners.here, head, [tail, b""]);
        }
        if publication.topic == Topic::Channel {
            for (pattern, listeners) in channels.all(Topic::Pattern) {
                let here = &listeners.here;
                if here.is_empty() || !glob::matches(pattern, channel, Case::Sensitive) {
                    continue;
                }
                let mut name = Vec::with_capacity(pattern.len() + 16);
                Reply::new(&mut name, false).bulk(pattern);
                receivers.write(here, PATTERN_MESSAGE, [&name, tail]);
            }
        }
        for id in receivers.slow {
            self.close_slow_reader(id);
        }
    }

    /// A client has more output waiting than its kind may have: it is closed at once and told in
    /// the log, because what it misses is lost.
    pub(in crate::shard) fn close_slow_reader(&mut self, id: SessionId) {
        let waiting = self.connections[id.0 as usize].output_bytes();
        let Some(session) = self.core.sessions.get_mut(id) else { return };
        if session.closing == Closing::Now {
            return;
        }
        session.closing = Closing::Now;
        self.core.stats.output_limit_disconnections += 1;
        let (client, peer) = (session.client_id, &session.peer);
        let class = session.output_class().name();
        self.actions.push(Action::Log(format!(
            "closed client id={client} addr={peer}: {waiting} bytes of output wait for it, beyond \
             client-output-buffer-limit {class}"
        )));
        self.mark_dirty(id);
    }
}
