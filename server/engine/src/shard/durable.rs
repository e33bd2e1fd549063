//! What a shard has to do with the log: its changes become records, records of an earlier run
//! become its keys again, and while the log cannot be written it writes nothing.

use std::ops::Range;

use super::connection::Connection;
use super::parcel::Errand;
use super::{Dump, Message, Shard};
use crate::base::time::Now;
use crate::command::context::LogFigures;
use crate::command::error::Trouble;
use crate::command::session::SessionId;
use crate::effect::{Effect, Placed, Records, apply};
use crate::keyspace::Keyspace;
use crate::mesh::{Loading, Snapshots};

/// The RDB file that is to follow a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RdbFile {
    /// Its name in `dir`.
    pub name: String,
    /// Which redis-server it says it is of.
    pub redis_version: String,
    pub databases: usize,
}

impl Shard {
    /// The slots whose keys are kept here.
    pub fn slots(&self) -> Range<u16> {
        self.core.keyspace.slots()
    }

    /// The keys of this core, for whoever writes them down.
    pub fn keyspace_mut(&mut self) -> &mut Keyspace {
        &mut self.core.keyspace
    }

    /// The generation of files that holds what changes now.
    pub fn generation(&self) -> u64 {
        self.core.generation
    }

    /// The first generation of files of this life.
    pub fn life(&self) -> u64 {
        self.core.life
    }

    /// How snapshots stand in the node.
    pub fn snapshots(&self) -> &Snapshots {
        &self.core.snapshots
    }

    /// What the node reads at its start.
    pub fn loading(&self) -> &Loading {
        &self.core.loading
    }

    /// The clocks of this turn.
    pub fn now(&self) -> Now {
        self.core.now
    }

    /// How many cores the node has.
    pub fn cores(&self) -> u16 {
        self.core.cores
    }

    /// From here on changes become records, numbered on from those of `records`.
    pub fn start_log(&mut self, records: Records) {
        self.core.effects.start_log(records);
    }

    /// If a log begins some day its records are numbered on from those of `records`.
    pub fn number_from(&mut self, records: Records) {
        self.core.effects.number_from(records);
    }

    /// The generation of the snapshot on which the log rests; 0: on none of this run.
    pub fn log_rests_on(&self) -> u64 {
        self.core.log_rests_on
    }

    /// Whether a log is wanted and has not begun, or rests on a snapshot that is not done.
    pub fn awaits_log(&self) -> bool {
        self.core.awaits_log()
    }

    /// The records of what has changed, if there is a log or was.
    pub fn log(&mut self) -> Option<&mut Records> {
        self.core.effects.log()
    }

    /// Where the last record ends, in bytes of records; 0 without a log.
    #[inline]
    pub fn log_end(&mut self) -> u64 {
        self.core.effects.log().map_or(0, |records| records.end())
    }

    /// What this core's logs are like at the end of a turn.
    pub fn note_log(&mut self, figures: LogFigures) {
        self.board.core(self.core.id).publish_log_bytes(figures.bytes);
        self.core.log = figures;
    }

    /// The manifest of the snapshot under way counts. An RDB file may have to follow it, and the
    /// snapshot ends with that.
    pub fn commit_snapshot(&mut self) -> Option<RdbFile> {
        self.core.snapshots.commit(self.board.log_bytes());
        if !self.core.snapshots.wants_rdb() {
            self.end_snapshot(true);
            return None;
        }
        let config = &self.core.config;
        Some(RdbFile {
            name: config.persistence.dbfilename.clone(),
            redis_version: config.compat_version.clone(),
            databases: self.core.keyspace.databases(),
        })
    }

    /// The snapshot under way has ended.
    pub fn end_snapshot(&mut self, well: bool) {
        self.core.snapshots.end(well, self.core.now.unix_ms.0);
    }

    /// Makes a change that a log tells of. False: no keyspace can have told it.
    pub fn replay(&mut self, placed: &Placed<'_>) -> bool {
        self.load(&placed.effect)
    }

    /// Makes a change that a snapshot tells of, likewise.
    pub fn load(&mut self, effect: &Effect<'_>) -> bool {
        apply(&mut self.core.keyspace, effect, self.core.access)
    }

    /// This core's log is in trouble, or no longer: no core accepts writes while one's is.
    pub fn set_trouble(&mut self, trouble: Option<Trouble>) {
        if let Some(before) = self.own_trouble {
            self.board.note_trouble(before as usize, false);
        }
        if let Some(now) = trouble {
            self.board.note_trouble(now as usize, true);
            self.connections.iter_mut().for_each(Connection::doubt);
        }
        self.own_trouble = trouble;
        self.refresh_trouble();
    }

    /// Whether the replies a connection has to send may tell of writes made before its core's log
    /// was in trouble: one that is ready waits for those of earlier requests, which other cores
    /// may owe, for any time. To be asked once whenever replies are taken.
    pub fn tells_of_before_trouble(&mut self, id: SessionId) -> bool {
        self.connections[id.0 as usize].take_doubt()
    }

    /// The trouble of all cores' logs is this core's.
    pub(super) fn refresh_trouble(&mut self) {
        let all = [Trouble::Broken, Trouble::Full];
        let trouble = all.into_iter().find(|kind| self.board.has_trouble(*kind as usize));
        self.core.trouble = trouble;
    }
}

impl Message {
    /// Whether it asks for something and tells nothing of this core's keys.
    pub fn only_asks(&self) -> bool {
        match self {
            Message::Commands(_) => true,
            Message::Errand(errand) => matches!(**errand, Errand::MakeRoom),
            Message::Dump(dump) => matches!(**dump, Dump::Ask { .. } | Dump::Stop { .. }),
            _ => false,
        }
    }

    /// Whether it answers single commands, which are refused while the log is in trouble.
    pub fn answers(&self) -> bool {
        matches!(self, Message::Answers(_))
    }
}
