//! How a node that is told to end comes to its end: at once, or behind a snapshot of all it holds.
//!
//! ```text
//! SHUTDOWN ─► writes are held on all cores ─► snapshot ─► nothing has changed since ─► end
//!                                                │ failed, aborted
//!                                                └─► error, writes go on
//! ```
//!
//! Redis saves in its only thread, so nothing can come between. Here writes wait at the gates of
//! their connections until the node has ended or stays; what had passed a gate before is counted,
//! and makes the snapshot be taken once more.

use std::collections::VecDeque;

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;

use super::receive::Dispatched;
use super::transaction::Transaction;
use super::{Action, Shard};
use crate::command::error::CommandError;
use crate::command::request::OwnedRequest;
use crate::command::session::{Closing, SessionId};
use crate::command::shutdown::{Ending, Save, Wish, wish};
use crate::command::table::Command;

/// Snapshots taken for one end. More than two mean that keys expire under reads or are evicted,
/// which a snapshot need not know.
const CUTS_MAX: u32 = 4;

const NONE_UNDER_WAY: CommandError = CommandError::Said("ERR No shutdown in progress.");
const FAILED: &[u8] = b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n";

/// The ends of the node that were asked for on this core.
#[derive(Default)]
pub struct Endings {
    waiting: Vec<Waiting>,
    /// How many had been aborted when those began whose writes are not held everywhere yet.
    begun: VecDeque<u64>,
}

/// An end that waits for its snapshot.
struct Waiting {
    asked: Ending,
    /// Who has asked: session, client, place of the reply.
    by: (SessionId, u64, u64),
    /// How many ends had been aborted before.
    aborts: u64,
    /// The snapshot that is waited for.
    generation: Option<u64>,
    cuts: u32,
}

impl Shard {
    /// SHUTDOWN of a client.
    pub(super) fn shut_down(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        match wish(args.iter().skip(1)) {
            Err(error) => self.refuse(id, Some(command), framing, &error),
            Ok(Wish::Abort) if self.core.snapshots.abort_endings() => {
                self.answer(id, framing, |reply| reply.ok());
            }
            Ok(Wish::Abort) => self.refuse(id, Some(command), framing, &NONE_UNDER_WAY),
            Ok(Wish::End(asked)) if self.saves_first(asked) => {
                self.endings.begun.push_back(self.core.snapshots.begin_ending());
                self.begin_of_node(id, OwnedRequest::new(command, args.iter()), framing);
            }
            Ok(Wish::End(Ending { now, .. })) => self.actions.push(Action::Shutdown { now }),
        }
        Dispatched::Taken
    }

    /// The same by a signal; `words` are those of `shutdown-on-sigterm` or its sister.
    pub fn shut_down_by_signal(&mut self, words: &[String]) {
        let words: Vec<&[u8]> = words
            .iter()
            .map(String::as_bytes)
            .filter(|w| !w.eq_ignore_ascii_case(b"default"))
            .collect();
        let by_default = Ending { save: Save::ByRules, now: false, force: false };
        let asked = match wish(words.iter().copied()) {
            Ok(Wish::End(asked)) => asked,
            _ => by_default,
        };
        match self.table.find(b"SHUTDOWN") {
            Some(command) if self.saves_first(asked) => {
                let request = [&b"SHUTDOWN"[..]].into_iter().chain(words);
                self.endings.begun.push_back(self.core.snapshots.begin_ending());
                self.begin_own(OwnedRequest::new(command, request));
            }
            _ => self.actions.push(Action::Shutdown { now: asked.now }),
        }
    }

    /// Never while loading: what is there is half of what the files hold.
    fn saves_first(&self, asked: Ending) -> bool {
        match asked.save {
            _ if self.core.is_loading => false,
            Save::Always => true,
            Save::Never => false,
            // Until its snapshot is done a log that was switched on keeps nothing.
            Save::ByRules => {
                !self.core.config.persistence.save.is_empty() || self.core.awaits_log()
            }
        }
    }

    /// What a transaction asks for that is a SHUTDOWN.
    pub(super) fn asks_to_end(&self, transaction: &Transaction) -> Option<Ending> {
        let request = transaction.only_request()?;
        match wish(request.args().iter().skip(1)) {
            Ok(Wish::End(asked)) if request.command.spec.name == "SHUTDOWN" => Some(asked),
            _ => None,
        }
    }

    /// Writes are held everywhere: what is saved now is what the node ends with.
    pub(super) fn go_on_to_end(&mut self, asked: Ending, by: (SessionId, u64, u64)) {
        let aborts = self.endings.begun.pop_front().unwrap_or_default();
        self.endings.waiting.push(Waiting { asked, by, aborts, generation: None, cuts: 0 });
    }

    pub(super) fn look_at_endings(&mut self) {
        for mut waiting in std::mem::take(&mut self.endings.waiting) {
            match self.saved(&mut waiting) {
                None => self.endings.waiting.push(waiting),
                Some(true) => self.end_node(&waiting),
                Some(false) if waiting.asked.force => self.end_node(&waiting),
                Some(false) => self.stay(&waiting),
            }
        }
    }

    /// Whether all is saved; `None` as long as that is not known.
    fn saved(&mut self, waiting: &mut Waiting) -> Option<bool> {
        if self.core.snapshots.aborts() != waiting.aborts {
            waiting.asked.force = false;
            return Some(false);
        }
        let Some(generation) = waiting.generation else {
            if self.core.snapshots.running() == 0 {
                waiting.generation = Some(self.core.generation + 1);
                waiting.cuts += 1;
                self.begin_own_save();
            } else {
                self.core.snapshots.call_off_dump();
            }
            return None;
        };
        let well = self.core.snapshots.outcome(generation)?;
        let changed = self.board.changes() != self.core.snapshots.figures().changes_saved;
        if well && changed && waiting.cuts < CUTS_MAX {
            waiting.generation = None;
            return None;
        }
        Some(well)
    }

    fn end_node(&mut self, waiting: &Waiting) {
        let (id, client_id, _) = waiting.by;
        if let Some(session) = self.core.sessions.get_mut(id)
            && session.client_id == client_id
        {
            session.closing = Closing::Now;
            self.mark_dirty(id);
        }
        self.actions.push(Action::Shutdown { now: waiting.asked.now });
    }

    fn stay(&mut self, waiting: &Waiting) {
        self.core.snapshots.end_ending();
        let (id, client_id, sequence) = waiting.by;
        self.go_on(id, client_id, sequence, FAILED);
        self.actions.push(Action::Stay);
    }

    /// Whether an end that was asked for here waits for a snapshot.
    pub(super) fn awaits_end(&self) -> bool {
        !self.endings.waiting.is_empty()
    }

    /// On every core while writes are held: tells what has changed nevertheless, and lets them go
    /// on when no end is awaited any more.
    pub(super) fn look_after_held_writes(&mut self) {
        self.board.core(self.core.id).publish_changes(self.core.effects.changes());
        if self.core.snapshots.endings() == 0 {
            self.pause.release_writes();
        }
    }
}
