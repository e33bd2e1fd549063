//! A copy of all keys for a client that has asked for one by SYNC or PSYNC: an RDB file of one
//! moment of all cores, as `redis-cli --rdb` wants it.
//!
//! ```text
//! SYNC ─► all cores cut ─► its core asks ─► every core walks ─► pieces ─► RDB ─► client
//!                              ▲                                                   │
//!                              └── while less than a window is unread ◄────────────┘
//! ```
//! A core walks only when asked, so a client that reads slowly is waited for and nothing piles up
//! but the old values of what changes meanwhile. Those have a bound, `client-output-buffer-limit
//! replica`, and so has the time without any progress, `repl-timeout`: beyond either the client is
//! closed, and the log says why. One keyspace has one cut, so copies and snapshots take turns.

mod part;
mod stream;

use std::collections::VecDeque;

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;

use super::limits::PENDING_REPLY_BYTES_MAX;
use super::receive::Dispatched;
use super::transaction::Transaction;
use super::{Action, Message, Shard};
use crate::command::replication::{self, Wish};
use crate::command::request::OwnedRequest;
use crate::command::session::{Closing, ReplyMode, SessionId};
use crate::command::table::Command;
use crate::config::OutputClass;
use crate::keyspace::CHUNK_BYTES;
use crate::mesh::CoreId;
use crate::value::rdb::footer::VERSION_PLAIN;
pub use part::Lost;
use part::{Made, Part};
use stream::{Address, Stream};

/// What cores say to each other about a copy, which has a number.
pub enum Dump {
    /// To a core: the next piece.
    Ask { home: CoreId, number: u64 },
    /// To a core: no more.
    Stop { home: CoreId, number: u64 },
    /// From a core.
    Piece { from: CoreId, number: u64, frames: Vec<u8>, last: bool },
    /// From a core: there is no more.
    Lost { number: u64, why: Lost },
}

/// The copies that concern this core.
#[derive(Default)]
pub(super) struct Dumps {
    /// Clients of this core whose turn has yet to come: session, client, request.
    waiting: VecDeque<(SessionId, u64, OwnedRequest)>,
    /// A copy for a client of this core, which all cores are about to cut for.
    begun: Option<u64>,
    stream: Option<Stream>,
    part: Option<Part>,
    /// The last copy whose part here has ended.
    ended: u64,
}

impl Dumps {
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.stream.is_none() && self.part.is_none()
    }

    /// The connection has gone, and with it its turn.
    pub fn forget(&mut self, id: SessionId) {
        self.waiting.retain(|(waits, ..)| *waits != id);
    }

    /// Whether somebody waits for what other cores do without telling.
    pub fn awaits_turn(&self) -> bool {
        !self.waiting.is_empty()
    }
}

impl Shard {
    /// SYNC or PSYNC of a client.
    pub(super) fn begin_dump(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let Some(session) = self.core.sessions.get(id) else { return Dispatched::Taken };
        let client_id = session.client_id;
        let hears = framing.is_none() && session.reply == ReplyMode::On;
        match replication::wish(session.replica, args) {
            Err(error) => self.refuse(id, Some(command), framing, &error),
            Ok(_) if !hears => self.refuse(id, Some(command), framing, &replication::UNHEARD),
            Ok(Wish::NoKeys) => self.send_no_keys(id, client_id, command),
            Ok(Wish::AllKeys) => {
                let request = OwnedRequest::new(command, args.iter());
                self.connections[id.0 as usize].alone = true;
                self.dumps.waiting.push_back((id, client_id, request));
                self.begin_next_dump();
            }
        }
        Dispatched::Taken
    }

    /// Begins the copy that has waited longest, unless something else is being cut.
    fn begin_next_dump(&mut self) {
        while let Some((id, client_id, _)) = self.dumps.waiting.front() {
            let (id, client_id) = (*id, *client_id);
            let here = self.is_client(id, client_id);
            let claimed = here
                .then(|| self.core.snapshots.claim_dump(self.core.cores, self.core.now.unix_ms.0));
            match (claimed, self.dumps.waiting.pop_front()) {
                (Some(Some(number)), Some((id, _, request))) => {
                    self.dumps.begun = Some(number);
                    return self.begin_of_node(id, request, None);
                }
                (Some(None), Some(first)) => return self.dumps.waiting.push_front(first),
                _ => {}
            }
        }
    }

    fn is_client(&self, id: SessionId, client_id: u64) -> bool {
        self.core.sessions.get(id).is_some_and(|session| session.client_id == client_id)
    }

    /// Whether all cores have cut for a copy when this transaction ends.
    pub(super) fn begins_dump(&self, transaction: &Transaction) -> Option<&'static Command> {
        transaction.only_command().filter(|command| replication::copies(command))
    }

    /// All cores have cut: the copy begins to flow.
    pub(super) fn stream_dump(
        &mut self,
        command: &Command,
        (id, client_id): (SessionId, u64),
        sequence: u64,
    ) {
        let Some(number) = self.dumps.begun.take() else { return };
        let version = self.core.snapshots.dump_version();
        let Some(mut stream) = self.new_stream(number, (id, client_id), version) else { return };
        let greeting = stream.greeting(self.resynced_by(command).as_deref());
        self.dumps.stream = Some(stream);
        if !self.is_client(id, client_id) {
            return; // upkeep will see that nobody is there
        }
        self.fill(id, client_id, sequence, &greeting);
        if let Some(session) = self.core.sessions.get_mut(id) {
            session.replica.copies = true;
        }
    }

    fn resynced_by(&self, command: &Command) -> Option<String> {
        (command.spec.name == "PSYNC").then(|| self.core.node.run_id.clone())
    }

    /// `version`: the RDB version of what needs the newest.
    fn new_stream(
        &mut self,
        number: u64,
        (to, client_id): (SessionId, u64),
        version: u16,
    ) -> Option<Stream> {
        let core = &mut self.core;
        let random = [(); 3].map(|()| core.random.next_u64());
        let made = (core.now.unix_ms.0 / 1000).to_string();
        let about = [
            ("redis-ver", core.config.compat_version.as_str()),
            ("redis-bits", "64"),
            ("ctime", &made),
        ];
        let now_us = core.now.mono_us;
        let address = Address { number, to, client_id, version, about: &about, random, now_us };
        Stream::begin(&address, core.cores)
    }

    /// A file without keys: all that is wanted are functions, of which there are none.
    fn send_no_keys(&mut self, id: SessionId, client_id: u64, command: &Command) {
        let Some(mut stream) = self.new_stream(0, (id, client_id), VERSION_PLAIN) else {
            return;
        };
        let mut text = stream.greeting(self.resynced_by(command).as_deref());
        stream.finish(&mut text);
        self.connections[id.0 as usize].write(|out| out.extend_from_slice(&text));
        self.close_after_replies(id);
    }

    /// What there is to do for copies in a turn; true when there is more at once.
    pub(super) fn look_after_dumps(&mut self) -> bool {
        if self.dumps.is_idle() {
            return false;
        }
        let more = self.slice_of_dump();
        self.settle();
        self.look_after_stream();
        self.begin_next_dump();
        self.settle();
        more || self.dumps.part.as_ref().is_some_and(|part| part.wanted)
    }

    fn slice_of_dump(&mut self) -> bool {
        let limit = self.core.config.output_limit(OutputClass::Replica).hard_bytes;
        let Some(part) = &mut self.dumps.part else { return false };
        // A bound of one byte and not of none when it is less than there are cores.
        let share = if limit == 0 { 0 } else { (limit / u64::from(self.core.cores)).max(1) };
        let (home, number, from) = (part.home, part.number, self.core.id);
        let (message, ended) = match part.slice(&mut self.core.keyspace, share) {
            Made::Nothing => return false,
            Made::More => return true,
            Made::Piece { frames, last } => {
                (Some(Dump::Piece { from, number, frames, last }), last)
            }
            Made::Ended(why) => (why.map(|why| Dump::Lost { number, why }), true),
        };
        if ended {
            self.dumps.part = None;
            self.dumps.ended = number;
            self.core.snapshots.end_dump_part();
        }
        if let Some(message) = message {
            self.send(home, Message::Dump(Box::new(message)));
        }
        false
    }

    /// A message about a copy. What concerns one that has ended is late and means nothing.
    pub(super) fn take_dump(&mut self, dump: Dump) {
        match dump {
            Dump::Ask { home, number } => {
                if let Some(part) = self.part_of_dump(home, number) {
                    part.wanted = true;
                }
            }
            Dump::Stop { home, number } => {
                if let Some(part) = self.part_of_dump(home, number) {
                    part.stop();
                }
            }
            Dump::Piece { from, number, frames, last } => {
                self.take_piece(from, number, &frames, last);
            }
            Dump::Lost { number, why } => {
                if self.dumps.stream.as_ref().is_some_and(|stream| stream.number == number) {
                    self.cut_off(&match why {
                        Lost::Flushed => "a database was flushed or swapped meanwhile".to_owned(),
                        Lost::Outrun { bytes } => format!(
                            "{bytes} bytes of old values wait for it on a core, beyond \
                             client-output-buffer-limit replica"
                        ),
                    });
                }
            }
        }
    }

    fn part_of_dump(&mut self, home: CoreId, number: u64) -> Option<&mut Part> {
        if number <= self.dumps.ended {
            return None;
        }
        let part = self.dumps.part.get_or_insert_with(|| Part::new(home, number));
        debug_assert!(part.number == number, "one copy after the other");
        Some(part)
    }

    fn take_piece(&mut self, from: CoreId, number: u64, frames: &[u8], last: bool) {
        let Some(stream) = &mut self.dumps.stream else { return };
        let (id, client_id) = (stream.to, stream.client_id);
        if stream.number != number {
            return;
        }
        if self.core.sessions.get(id).is_none_or(|session| session.client_id != client_id) {
            return; // upkeep will see it
        }
        let out = &mut self.connections[id.0 as usize].out;
        let over = stream.write(from.index(), frames, last, out);
        self.mark_dirty(id);
        if over && let Some(stream) = self.dumps.stream.take() {
            let keys = stream.keys;
            let bytes = stream.finish(&mut self.connections[id.0 as usize].out);
            self.tell_of_dump(id, &format!("has got a copy of {keys} keys: {bytes} bytes"));
            self.close_after_replies(id);
        }
    }

    fn tell_of_dump(&mut self, id: SessionId, what: &str) {
        let Some(session) = self.core.sessions.get(id) else { return };
        let (client, peer) = (session.client_id, &session.peer);
        self.actions.push(Action::Log(format!("client id={client} addr={peer} {what}")));
    }

    /// Asks for more as far as the client reads, or ends what is not to go on.
    fn look_after_stream(&mut self) {
        let Some(stream) = &mut self.dumps.stream else { return };
        let (id, client_id, number) = (stream.to, stream.client_id, stream.number);
        let session = self.core.sessions.get(id);
        let here = session.is_some_and(|s| s.client_id == client_id && s.closing == Closing::No);
        if !here {
            return self.cut_off("it has gone");
        }
        if self.core.snapshots.is_called_off(number) {
            return self.cut_off("the node saves and ends");
        }
        let unread = self.connections[id.0 as usize].output_bytes();
        let limit_s = self.core.config.persistence.repl_timeout_s;
        let stalls_us = stream.stalls_us(unread, self.core.now.mono_us);
        if stalls_us > u64::from(limit_s) * 1_000_000 {
            let what = if unread > 0 { "it has read nothing" } else { "no core has sent anything" };
            return self.cut_off(&format!("{what} for {limit_s} s (repl-timeout)"));
        }
        while let Some(core) = self
            .dumps
            .stream
            .as_mut()
            .and_then(|stream| stream.next_to_ask(unread, CHUNK_BYTES, PENDING_REPLY_BYTES_MAX))
        {
            let ask = Dump::Ask { home: self.core.id, number };
            self.send(CoreId(core as u16), Message::Dump(Box::new(ask)));
        }
    }

    /// The copy ends half-way: its client is closed, or has gone.
    fn cut_off(&mut self, why: &str) {
        let Some(stream) = self.dumps.stream.take() else { return };
        let (id, home, number) = (stream.to, self.core.id, stream.number);
        if self.is_client(id, stream.client_id) {
            self.tell_of_dump(id, &format!("gets no whole copy and is closed: {why}"));
            if let Some(session) = self.core.sessions.get_mut(id) {
                session.closing = Closing::Now;
            }
            self.mark_dirty(id);
        }
        for core in 0..self.core.cores {
            let stop = Dump::Stop { home, number };
            self.send(CoreId(core), Message::Dump(Box::new(stop)));
        }
    }
}
