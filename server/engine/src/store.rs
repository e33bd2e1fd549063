//! What a core keeps on disk, put together: the log it writes, the log before it until that is
//! durable, its part of a snapshot, and the manifest if it is the one to commit. The server drives
//! it with a ring, the simulated disk of the tests with memory:
//!
//! ```text
//! turn(shard) ─► requests ─► disk ─► completed(completion) ─► acknowledged() ─► replies leave
//! ```

mod kept;

pub use kept::Kept;

use std::collections::VecDeque;

use crate::command::context::LogFigures;
use crate::config::Appendfsync;
use crate::disk::{Completion, Failure, Owner, Requests};
use crate::log::{self, Health, Log};
use crate::mesh::{PartWritten, PartsEnded};
use crate::shard::{Cut, Milestone, RdbFile, Shard};
use crate::snapshot::{Commit, Header, Manifest, Outcome, Writer};

/// Entries of a snapshot walked in one turn: about 100 us.
const WALK_VISITS: usize = 512;

/// What the operator is to hear.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// The snapshot of this generation counts: files of lower ones are left over. It ends, as
    /// [`crate::mesh::Snapshots::end`] is to be told, when the RDB file is written that is to
    /// follow.
    Committed { manifest: Manifest, rdb: Option<RdbFile> },
    /// It never will. Told by each core whose part was not done.
    Failed { generation: u64, why: Why },
    /// All cores have ended their parts of it: those that were done are left over.
    LeftOver { generation: u64 },
}

/// Why a snapshot has failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// A database was flushed or swapped meanwhile.
    Flushed,
    Disk(Failure),
    /// By BGSAVE CANCEL.
    Cancelled,
    /// A part of another core has failed, which says why.
    Elsewhere,
}

/// One core's files while it serves.
#[derive(Default)]
pub struct Store {
    /// The last one is written, unless it has ended too; those before have yet to become durable.
    logs: VecDeque<Log>,
    /// There has been one.
    has_logged: bool,
    snapshot: Option<Writer>,
    /// The moment of the cut that is being written.
    cut: Option<Cut>,
    commit: Option<Commit>,
    /// Bytes of the logs that are closed.
    closed_bytes: u64,
    /// Replies wait for a slow disk, and have begun to so often.
    waits: bool,
    delays: u64,
    told: Vec<Told>,
    /// See [`Store::that_writes_ahead`].
    writes_ahead: bool,
}

impl Store {
    /// One that is wrong: it writes a log though the one before it is not durable yet. A bug to
    /// try tests of durability on.
    pub fn that_writes_ahead() -> Store {
        Store { writes_ahead: true, ..Store::default() }
    }

    /// Begins the log of the shard's present generation.
    pub fn begin_log(&mut self, shard: &mut Shard, now_us: u64, requests: &mut Requests) {
        let records = shard.log_end();
        let header = log_header(shard, shard.generation());
        self.logs.push_back(Log::begin(header, records, now_us, requests));
        self.has_logged = true;
    }

    /// Whether changes are logged.
    pub fn logs(&self) -> bool {
        !self.logs.is_empty()
    }

    /// Whether they are or were: replies may have waited, and those behind them keep the order.
    pub fn has_logged(&self) -> bool {
        self.has_logged
    }

    /// The end of a turn of `shard`, before anything of it is told; `ending`: the node is about to
    /// stop, so all is to become durable. True when there is more to do at once.
    pub fn turn(
        &mut self,
        shard: &mut Shard,
        now_us: u64,
        ending: bool,
        requests: &mut Requests,
    ) -> bool {
        for milestone in shard.take_milestones() {
            match milestone {
                Milestone::Cut(cut) => self.begin_snapshot(shard, cut, now_us, requests),
                Milestone::LogEnds(end) => self.end_log(end, shard, requests),
            }
        }
        let policy = shard.config().persistence.appendfsync;
        let logged = self.logs();
        if let Some(records) = shard.log() {
            // A log is written when the one before is durable: what survives a loss of power has
            // no hole. The next one would also take records that this one has left.
            let mut waits = false;
            for log in &mut self.logs {
                if waits {
                    log.note_changes(records, policy, now_us);
                    continue;
                }
                log.turn(records, policy, now_us, requests);
                if ending || log.has_end() {
                    log.sync(now_us, requests);
                }
                let goes_on = log.is_over() || self.writes_ahead && log.end() >= log.last();
                waits = log.has_end() && !goes_on;
            }
        }
        while let Some(mut log) = self.logs.pop_front_if(|log| log.is_over()) {
            log.close(requests);
            self.closed_bytes += log.bytes();
        }
        let more = match &mut self.snapshot {
            Some(writer) => {
                if shard.snapshots().is_cancelled() {
                    writer.cancel();
                }
                writer.slice(shard.keyspace_mut(), WALK_VISITS, requests)
            }
            None => false,
        };
        self.end_part(shard, requests);
        if logged {
            self.note_figures(shard, policy, now_us);
        }
        more
    }

    /// The log is switched off. One that cannot be written is left as a crash would leave it: the
    /// operator wants to go on without, and nothing that waits for it is promised any more.
    fn end_log(&mut self, end: u64, shard: &mut Shard, requests: &mut Requests) {
        if self.health() == Health::Sound {
            if let Some(log) = self.logs.back_mut() {
                log.end_at(end);
            }
            return;
        }
        if let Some(records) = shard.log() {
            records.take(end, &mut Vec::new()); // or the next log would begin with them
        }
        for mut log in self.logs.drain(..) {
            log.close(requests);
            self.closed_bytes += log.bytes();
        }
    }

    fn note_figures(&mut self, shard: &mut Shard, policy: Appendfsync, now_us: u64) {
        let waits = self.waits_for_disk(policy, now_us);
        self.delays += u64::from(waits && !self.waits);
        self.waits = waits;
        shard.note_log(LogFigures {
            bytes: self.closed_bytes + self.logs.iter().map(Log::bytes).sum::<u64>(),
            syncs: self.logs.iter().filter(|log| log.is_syncing()).count() as u64,
            delays: self.delays,
        });
    }

    fn begin_snapshot(
        &mut self,
        shard: &mut Shard,
        cut: Cut,
        now_us: u64,
        requests: &mut Requests,
    ) {
        let logged = self.logs.iter().map(|log| log.bytes_up_to(cut.log_end)).sum::<u64>();
        shard.snapshots().sizes().cut(self.closed_bytes + logged);
        let header = log_header(shard, cut.generation);
        match self.logs.back_mut() {
            Some(log) if !log.has_end() => {
                let next = log.next(header, cut.log_end, now_us, requests);
                self.logs.push_back(next);
            }
            _ if cut.begins_log => {
                self.logs.push_back(Log::begin(header, cut.log_end, now_us, requests));
                self.has_logged = true;
            }
            _ => {}
        }
        let header = Header {
            generation: cut.generation,
            core: shard.id().0,
            cores: shard.cores(),
            cut_unix_ms: cut.unix_ms.0,
        };
        self.cut = Some(cut);
        self.snapshot = Some(Writer::of_cut(header, requests));
    }

    /// If this core's part of the snapshot has ended, says so; whoever ends the last one commits.
    fn end_part(&mut self, shard: &mut Shard, requests: &mut Requests) {
        let Some(outcome) = self.snapshot.as_ref().and_then(Writer::outcome) else { return };
        let Some(cut) = self.cut.take() else { return };
        self.snapshot = None;
        let (part, why) = match outcome {
            Outcome::Done { keys, bytes } => (Some(PartWritten { keys, bytes }), Why::Elsewhere),
            Outcome::Abandoned => (None, Why::Flushed),
            Outcome::Cancelled => (None, Why::Cancelled),
            Outcome::Failed(failure) => (None, Why::Disk(failure)),
        };
        if part.is_none() {
            self.told.push(Told::Failed { generation: cut.generation, why });
        }
        match shard.snapshots().end_part(part) {
            PartsEnded::NotYet => {}
            PartsEnded::Failed => {
                shard.end_snapshot(false);
                self.told.push(Told::LeftOver { generation: cut.generation });
            }
            PartsEnded::Whole => {
                let manifest = Manifest {
                    generation: cut.generation,
                    snapshots: shard.cores(),
                    created_unix_ms: cut.unix_ms.0,
                };
                self.commit = Some(Commit::begin(manifest, requests));
            }
        }
    }

    /// A request has ended.
    pub fn completed(
        &mut self,
        completion: Completion,
        shard: &mut Shard,
        now_us: u64,
        requests: &mut Requests,
    ) {
        match completion.owner {
            Owner::Log => self.log_completed(completion, now_us),
            Owner::Snapshot => {
                if let Some(writer) = &mut self.snapshot {
                    writer.completed(&completion, requests);
                }
                self.end_part(shard, requests);
            }
            Owner::Manifest => self.manifest_completed(&completion, shard, requests),
        }
    }

    fn log_completed(&mut self, completion: Completion, now_us: u64) {
        let asked = self.logs.iter().position(|log| log.asked(&completion));
        let mut logs = self.logs.iter_mut().skip(asked.unwrap_or(usize::MAX));
        let Some(log) = logs.next() else { return };
        log.completed(completion, now_us);
        // At once: replies that wait for a log behind it may leave before the next turn.
        logs.for_each(|next| next.heed(log));
    }

    fn manifest_completed(
        &mut self,
        completion: &Completion,
        shard: &mut Shard,
        requests: &mut Requests,
    ) {
        let Some(commit) = &mut self.commit else { return };
        commit.completed(completion, requests);
        let Some(outcome) = commit.outcome() else { return };
        let manifest = *commit.manifest();
        self.commit = None;
        self.told.push(match outcome {
            Ok(()) => Told::Committed { manifest, rdb: shard.commit_snapshot() },
            Err(failure) => {
                shard.end_snapshot(false);
                Told::Failed { generation: manifest.generation, why: Why::Disk(failure) }
            }
        });
    }

    /// Bytes of records whose changes may be acknowledged now.
    pub fn acknowledged(&self, policy: Appendfsync, now_us: u64) -> u64 {
        let each = self.logs.iter().map(|log| match log.acknowledged(policy, now_us) {
            // All of this log may be told: what comes after is the next one's to say.
            records if records >= log.last() => u64::MAX,
            records => records,
        });
        each.min().unwrap_or(u64::MAX)
    }

    /// Whether replies wait for a slow disk, as [`Log::waits_for_disk`].
    pub fn waits_for_disk(&self, policy: Appendfsync, now_us: u64) -> bool {
        self.logs.iter().any(|log| log.waits_for_disk(policy, now_us))
    }

    /// The worst of what the logs have met.
    pub fn health(&self) -> Health {
        let each = || self.logs.iter().map(Log::health);
        let broken = each().find(|health| matches!(health, Health::Broken(_)));
        broken.or_else(|| each().find(|health| *health == Health::Full)).unwrap_or(Health::Sound)
    }

    /// When there is next something to do without an event.
    pub fn next_wake_us(&self, policy: Appendfsync) -> u64 {
        let each = self.logs.iter().map(|log| log.next_wake_us(policy));
        each.min().unwrap_or(u64::MAX)
    }

    /// Nothing is left to be made durable, and no snapshot is under way.
    pub fn is_quiet(&self, shard: &mut Shard) -> bool {
        let end = shard.log_end();
        let logged = self.logs.iter().all(Log::is_quiet)
            && self.logs.back().is_none_or(|log| log.end() >= end);
        logged && self.snapshot.is_none() && self.commit.is_none()
    }

    /// What the operator is to hear, since the last call.
    pub fn take_told(&mut self) -> Vec<Told> {
        std::mem::take(&mut self.told)
    }
}

fn log_header(shard: &Shard, generation: u64) -> log::Header {
    log::Header {
        generation,
        core: shard.id().0,
        cores: shard.cores(),
        created_unix_ms: shard.now().unix_ms.0,
        rests_on: shard.log_rests_on(),
        life: shard.life(),
    }
}

#[cfg(test)]
mod tests;
