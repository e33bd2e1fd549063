//! Snapshots of the node as its shards see them: who may begin one, who waits for its end, and when
//! the `save` rules ask for one. Writing it is the business of [`crate::snapshot`].

use freehold_protocol::args::Args;
use freehold_protocol::binary::Framing;

use super::receive::Dispatched;
use super::transaction::Transaction;
use super::{Action, Shard};
use crate::base::number::parse_i64;
use crate::command::configuration;
use crate::command::context::Milestone;
use crate::command::error::CommandError;
use crate::command::persistence::{self, Wish};
use crate::command::request::OwnedRequest;
use crate::command::session::SessionId;
use crate::command::table::Command;
use crate::config::SnapshotFormat;
use crate::mesh::CoreId;

/// After a snapshot has failed the rules ask for none for so long, as in Redis.
const RETRY_MS: i64 = 5_000;

/// How often somebody who waits for a snapshot is looked at.
pub const LOOK_EVERY_US: u64 = 2_000;

/// What this core still owes about snapshots.
#[derive(Default)]
pub struct Saves {
    /// Clients whose SAVE ends with this generation: session, client, place of the reply.
    waiting: Vec<(u64, SessionId, u64, u64)>,
    /// Another one is to follow, for BGSAVE; for BGREWRITEAOF.
    scheduled: bool,
    rewrites: bool,
    /// When the rules were last followed.
    asked_unix_ms: i64,
}

impl Shard {
    /// The files of this life have `generation` and those above: the log begins with it, or, when
    /// there is none, the first snapshot does.
    pub fn begin_life(&mut self, generation: u64, logs: bool) {
        self.core.life = generation;
        self.core.generation = if logs { generation } else { generation - 1 };
    }

    /// Cuts that have been made, and ends of the log, since the last call.
    pub fn take_milestones(&mut self) -> Vec<Milestone> {
        std::mem::take(&mut self.core.milestones)
    }

    /// One of the commands that begin a snapshot.
    pub(super) fn begin_snapshot(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let wish = match persistence::wish(command.spec.name, args) {
            None => return Dispatched::Taken,
            Some(Ok(wish)) => wish,
            Some(Err(error)) => {
                self.refuse(id, Some(command), framing, &error);
                return Dispatched::Taken;
            }
        };
        if wish == Wish::Cancel {
            match persistence::cancelled(self.core.snapshots.cancel_save()) {
                Ok(text) => self.answer(id, framing, |reply| reply.simple(text)),
                Err(error) => self.refuse(id, Some(command), framing, &error),
            }
            return Dispatched::Taken;
        }
        if self.claim(wish != Wish::Rewrite) {
            self.begin_of_node(id, OwnedRequest::new(command, args.iter()), framing);
            return Dispatched::Taken;
        }
        match persistence::while_under_way(wish, self.core.snapshots.is_rewriting()) {
            Ok(text) => {
                if wish != Wish::Rewrite {
                    self.saves.scheduled = true;
                    self.core.snapshots.schedule_save();
                } else if !self.saves.rewrites {
                    self.saves.rewrites = true;
                    self.core.snapshots.schedule_rewrite(true);
                }
                self.answer(id, framing, |reply| reply.simple(text));
            }
            Err(error) => self.refuse(id, Some(command), framing, &error),
        }
        Dispatched::Taken
    }

    /// Takes the right to begin a snapshot; `saves`: it is for who wants the data saved, and not
    /// for the sake of the logs.
    fn claim(&self, saves: bool) -> bool {
        let core = &self.core;
        let claimed = core.snapshots.claim(core.generation + 1, core.cores, core.now.unix_ms.0);
        if claimed && saves {
            let format = core.config.persistence.snapshot_format;
            core.snapshots.is_to_save(format == SnapshotFormat::Rdb);
        }
        claimed
    }

    /// Begins a BGSAVE that no client has asked for; nothing happens while one is under way.
    /// False: it was not begun.
    pub(super) fn begin_own_save(&mut self) -> bool {
        self.begin_own_snapshot(b"BGSAVE", true)
    }

    /// Begins a snapshot on which logs are to rest, or that releases them, likewise.
    pub fn begin_own_rewrite(&mut self) -> bool {
        self.begin_own_snapshot(b"BGREWRITEAOF", false)
    }

    fn begin_own_snapshot(&mut self, name: &[u8], saves: bool) -> bool {
        let Some(command) = self.table.find(name) else { return false };
        let claimed = self.claim(saves);
        if claimed {
            self.begin_own(OwnedRequest::new(command, [name].into_iter()));
        }
        claimed
    }

    /// Whether a transaction is a SAVE, whose reply comes when the snapshot has ended.
    pub(super) fn waits_for_save(&self, transaction: &Transaction) -> bool {
        transaction.only_command().is_some_and(|command| command.spec.name == "SAVE")
    }

    pub(super) fn go_on_when_saved(&mut self, id: SessionId, client_id: u64, sequence: u64) {
        self.saves.waiting.push((self.core.generation, id, client_id, sequence));
    }

    /// Whether somebody here waits for the end of a snapshot.
    pub(super) fn awaits_snapshot(&self) -> bool {
        let Saves { waiting, scheduled, rewrites, .. } = &self.saves;
        !waiting.is_empty() || *scheduled || *rewrites
    }

    /// Answers those whose snapshot has ended, and begins the next one if one is due.
    pub(super) fn look_at_saves(&mut self) {
        let ended =
            |entry: &mut (u64, SessionId, u64, u64)| self.core.snapshots.outcome(entry.0).is_some();
        let over: Vec<_> = self.saves.waiting.extract_if(.., ended).collect();
        for (generation, id, client_id, sequence) in over {
            let well = self.core.snapshots.outcome(generation) == Some(true);
            let reply: &[u8] = if well { b"+OK\r\n" } else { FAILED };
            self.go_on(id, client_id, sequence, reply);
        }
        let Saves { scheduled, rewrites, .. } = self.saves;
        if (scheduled || rewrites) && self.core.snapshots.running() == 0 {
            // One after the other, as in Redis: a save can be cancelled.
            if rewrites {
                self.begin_scheduled_rewrite();
            } else {
                self.begin_scheduled_save();
            }
        }
    }

    /// Another core may claim a snapshot of its own at the same moment: then this one is still due.
    fn begin_scheduled_rewrite(&mut self) {
        if self.begin_own_rewrite() {
            self.saves.rewrites = false;
            self.core.snapshots.schedule_rewrite(false);
        }
    }

    /// Likewise. Whoever cancels what is scheduled between the two steps hears that nothing is.
    pub(super) fn begin_scheduled_save(&mut self) {
        self.saves.scheduled = false;
        if self.core.snapshots.take_scheduled_save() && !self.begin_own_save() {
            self.core.snapshots.schedule_save();
            self.saves.scheduled = true;
        }
    }

    /// Follows the `save` rules; one core does that for all.
    pub(super) fn follow_save_rules(&mut self) {
        let rules = &self.core.config.persistence.save;
        if rules.is_empty() || self.core.id != CoreId(0) {
            return;
        }
        let figures = self.core.snapshots.figures();
        let now_ms = self.core.now.unix_ms.0;
        let since_ms = now_ms - figures.saved_unix_ms.max(self.core.node.started_unix_ms);
        let changes = self.board.changes().saturating_sub(figures.changes_saved);
        let number = |word: &String| parse_i64(word.as_bytes()).unwrap_or(i64::MAX);
        let due = rules.as_chunks::<2>().0.iter().any(|[seconds, least]| {
            since_ms > number(seconds).saturating_mul(1000)
                && changes >= number(least).unsigned_abs()
                && changes > 0
        });
        let waits = !figures.ended_well && now_ms - self.saves.asked_unix_ms < RETRY_MS;
        if due && !waits && figures.running == 0 {
            self.saves.asked_unix_ms = now_ms;
            self.begin_own_save();
        }
    }

    /// Begins the snapshot on which a log is to rest that was switched on; one core does that for
    /// all. After one that has failed it is as patient as below.
    pub(super) fn follow_appendonly(&mut self) {
        if self.core.id != CoreId(0) || self.core.is_loading || !self.core.awaits_log() {
            return;
        }
        let figures = self.core.snapshots.figures();
        let since_ms = self.core.now.unix_ms.0 - figures.began_unix_ms;
        let waits = self.core.effects.has_log() && since_ms < rewrite_retry_ms(figures.failures);
        if figures.running == 0 && !waits {
            self.begin_own_rewrite();
        }
    }

    /// CONFIG SET of `appendonly`, on all cores at one moment while no transaction is under way,
    /// through whatever port it came: in the logs of all cores a transaction is whole or missing.
    pub(super) fn switch_log(
        &mut self,
        id: SessionId,
        command: &'static Command,
        args: Args<'_>,
        framing: Option<Framing>,
    ) -> Dispatched {
        let opened = match configuration::switched_log(command, args) {
            Some(value) if value.eq_ignore_ascii_case(b"yes") => self.core.node.host.open_data(),
            _ => Ok(()),
        };
        match opened {
            _ if self.core.is_loading => self.refuse(id, Some(command), framing, &WHILE_LOADING),
            Err(reason) => {
                let said = format!(
                    "ERR CONFIG SET failed (possibly related to argument 'appendonly') - {reason}"
                );
                self.refuse(id, Some(command), framing, &CommandError::SaidOf(said));
            }
            Ok(()) => self.begin_of_node(id, OwnedRequest::new(command, args.iter()), framing),
        }
        Dispatched::Taken
    }

    /// Begins a snapshot when what is kept has grown by `auto-aof-rewrite-percentage` since the
    /// last one; one core does that for all.
    pub(super) fn follow_growth(&mut self) {
        let rules = &self.core.config.persistence;
        let off = !rules.appendonly || rules.rewrite_percentage == 0;
        if off || self.core.id != CoreId(0) || self.core.is_loading {
            return;
        }
        let sizes = self.core.snapshots.sizes();
        let current = sizes.current(self.board.log_bytes());
        if current <= rules.rewrite_min_bytes {
            return;
        }
        let share = u128::from(current) * 100 / u128::from(sizes.base().max(1));
        let grown = share.saturating_sub(100);
        let figures = self.core.snapshots.figures();
        let since_ms = self.core.now.unix_ms.0 - figures.began_unix_ms;
        let waits = since_ms < rewrite_retry_ms(figures.failures);
        if grown >= u128::from(rules.rewrite_percentage) && !waits && figures.running == 0 {
            let line = format!("The log has grown by {grown} %: a snapshot is to release it");
            self.actions.push(Action::Log(line));
            self.begin_own_rewrite();
        }
    }
}

/// After so many snapshots in a row have failed, growth begins none for so long. Redis tries three
/// times as soon as it can, then a minute later, then after twice the time, up to an hour; the
/// first three keep their distance here, as under the `save` rules.
fn rewrite_retry_ms(failures: u64) -> i64 {
    const MINUTE_MS: i64 = 60_000;
    match failures {
        0 => 0,
        1..3 => RETRY_MS,
        _ => (MINUTE_MS << (failures - 3).min(6)).min(60 * MINUTE_MS),
    }
}

const WHILE_LOADING: CommandError =
    CommandError::Said("LOADING The log cannot be switched while the dataset is loaded in memory");

const FAILED: &[u8] = b"-ERR the snapshot has failed; the log of the server says why\r\n";
