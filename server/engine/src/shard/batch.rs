//! A batch of requests, from arguments to replies. All are looked up together, and their tables,
//! buckets and entries prefetched stage by stage before the first of them runs, so that the cache
//! misses of a pipeline overlap instead of adding up. Runs of plain requests, which are nearly
//! all, take a short way: what is true of their connection is looked at once.

use freehold_protocol::args::Args;
use freehold_protocol::resp::parse;
use freehold_protocol::slot::Slot;
use freehold_protocol::{Batch, binary};

use super::Shard;
use super::execute::Execution;
use super::limits::{BATCH_MAX, PENDING_REPLY_BYTES_MAX};
use super::receive::Dispatched;
use crate::command::context::KeyHint;
use crate::command::session::{Caller, Closing, ReplyMode, SessionId};
use crate::command::spec::{MOVABLE_KEYS, Run};
use crate::command::table::Command;
use crate::keyspace::KeyRef;

/// What is known of a parsed request before it runs.
#[derive(Clone, Copy)]
pub struct Plan {
    pub command: Option<&'static Command>,
    /// Position, slot and hash of its key, when the row has exactly one.
    pub key: Option<PlannedKey>,
    /// That key lives here.
    here: bool,
    /// A whole request for one key that lives here: nothing but the state of its connection can
    /// keep it from running at once.
    plain: bool,
}

#[derive(Clone, Copy)]
pub struct PlannedKey {
    pub at: usize,
    pub slot: Slot,
    pub hash: u64,
}

impl PlannedKey {
    pub fn key_ref<'k>(&self, bytes: &'k [u8]) -> KeyRef<'k> {
        KeyRef { bytes, slot: self.slot, hash: self.hash }
    }
}

impl Shard {
    /// Plans, prefetches and runs a batch; returns how many requests were taken.
    pub(super) fn run_batch(&mut self, id: SessionId, buffer: &[u8], batch: &Batch) -> usize {
        let mut plans = std::mem::take(&mut self.plans);
        plans.clear();
        plans.extend((0..batch.len()).map(|index| self.plan(batch.args(index, buffer))));
        if plans.len() > 1 {
            self.prefetch(id, &plans);
        }
        let mut ran = 0;
        while ran < plans.len() {
            ran = self.run_plain(id, buffer, batch, &plans, ran);
            let Some(plan) = plans.get(ran) else { break };
            let framing = batch.framing(ran);
            if let Some(framing) = framing.filter(|framing| framing.refusal.is_some()) {
                self.connections[id.0 as usize].write(|out| binary::reply::refuse(framing, out));
                ran += 1;
                continue;
            }
            let args = batch.args(ran, buffer);
            if ran > 0 && !self.may_take(id)
                || self.dispatch(id, plan, args, framing) == Dispatched::NotYet
            {
                break;
            }
            ran += 1;
        }
        self.plans = plans;
        ran
    }

    fn plan(&self, args: Args<'_>) -> Plan {
        let nothing = Plan { command: None, key: None, here: false, plain: false };
        let Some(command) = self.table.find_of(args) else { return nothing };
        let Some((at, key)) = command.key_at.and_then(|at| Some((at, args.try_get(at)?))) else {
            return Plan { command: Some(command), ..nothing };
        };
        let KeyRef { slot, hash, .. } = self.core.keyspace.key_ref(key);
        let here = self.core.keyspace.owns(slot);
        let plain = here
            && command.spec.arity.admits(args.len())
            && matches!(command.spec.run, Run::Owner(_) | Run::Split(..))
            && !command.spec.is(MOVABLE_KEYS); // it may name, or find, further keys
        Plan { command: Some(command), key: Some(PlannedKey { at, slot, hash }), here, plain }
    }

    fn prefetch(&self, id: SessionId, plans: &[Plan]) {
        let db = self.core.sessions.get(id).map_or(0, |session| session.db);
        let here = plans.iter().filter(|plan| plan.here).filter_map(|plan| plan.key);
        self.core.keyspace.prefetch(db, here.map(|key| (key.slot, key.hash)));
    }

    /// Buffers of several connections are about to be received: asks for what their first requests
    /// will read, so that cache misses overlap from connection to connection as they do within a
    /// pipeline. A hint: it guesses that they are ordinary requests for keys of database 0.
    pub fn foresee<'b>(&self, buffers: impl Iterator<Item = &'b [u8]>) {
        let mut keys = [(Slot::ZERO, 0); BATCH_MAX];
        let mut count = 0;
        let found = buffers.filter_map(parse::peek_key).map(|key| self.core.keyspace.key_ref(key));
        let here = found.filter(|key| self.core.keyspace.owns(key.slot));
        for (key, known) in keys.iter_mut().zip(here) {
            *key = (known.slot, known.hash);
            count += 1;
        }
        if count > 1 {
            self.core.keyspace.prefetch(0, keys[..count].iter().copied());
        }
    }

    /// Runs the plain requests from number `next` on, as far as they go; returns the number of the
    /// first it did not run. Rows of `Run::Owner` and `Run::Split` know no session, so the
    /// connection's state holds for all of them; what they ask of the shard ends the run.
    fn run_plain(
        &mut self,
        id: SessionId,
        buffer: &[u8],
        batch: &Batch,
        plans: &[Plan],
        mut next: usize,
    ) -> usize {
        let Some(caller) = self.plain_caller(id) else { return next };
        let connection = &mut self.connections[id.0 as usize];
        let out_bytes_max = PENDING_REPLY_BYTES_MAX.saturating_sub(connection.in_flight);
        let mut out = std::mem::take(&mut connection.out);
        let first = next;
        let mut last = None;
        while let Some(&Plan { command: Some(command), key: Some(key), plain: true, .. }) =
            plans.get(next)
            && out.len() < out_bytes_max
            && self.core.requests.is_empty()
        {
            let args = batch.args(next, buffer);
            let hint = KeyHint::new(&key.key_ref(args.get(key.at)));
            let run = Execution { command, caller, hint, timed: self.sample() };
            run.execute(&mut self.core, args, &mut out);
            last = Some(command);
            next += 1;
            if self.core.effects.has_ready() || self.core.effects.has_events() {
                break; // others are to hear of it before the next one runs
            }
        }
        self.connections[id.0 as usize].out = out;
        if let Some(command) = last
            && let Some(session) = self.core.sessions.get_mut(id)
        {
            session.note_commands(command, (next - first) as u64);
        }
        if self.core.effects.has_events() {
            self.serve_pubsub(id, None);
        }
        if !self.core.requests.is_empty() {
            self.serve_requests(id);
        }
        self.serve_ready();
        next
    }

    /// Who asks, when nothing about the connection is special: its requests may run as they come
    /// and be answered in RESP behind what has been answered.
    fn plain_caller(&self, id: SessionId) -> Option<Caller> {
        let session = self.core.sessions.get(id)?;
        let plain = session.closing == Closing::No
            && session.authenticated
            && !session.binary
            && session.reply == ReplyMode::On
            && session.queue.is_none()
            && !session.only_listens()
            && self.connections[id.0 as usize].is_plain()
            && !self.core.is_loading
            && !self.pause.is_on()
            && self.locks.is_empty()
            && !self.pubsub.is_full();
        plain.then(|| session.caller(id))
    }
}
