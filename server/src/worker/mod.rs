//! The thread of a core: drives its shard with its ring.
//!
//! `turn` is the loop, `connections` the sockets, `arrivals` how new ones get in, `mesh` the way
//! to the other cores, `gather` how many arrivals it sleeps for, `keep` the log, `load` how it
//! answers while it loads, `drain` how the node ends. A worker interprets nothing a client says:
//! bytes go into the shard, bytes and wishes come out.

mod arrivals;
mod connections;
mod drain;
mod gather;
mod keep;
mod load;
mod mesh;
mod turn;

use std::collections::VecDeque;
use std::sync::Arc;

use freehold_engine::command::session::SessionId;
use freehold_engine::config::LogLevel;
use freehold_engine::shard::Shard;

pub use drain::{Control, News, Phase, Report};
pub use keep::Keeper;
pub use mesh::Mesh;

use crate::net::accept::{Arrivals, Census};
use crate::net::listen::Listeners;
use crate::observe::log;
use crate::runtime::buffers::Filled;
use crate::runtime::ring::Ring;
use crate::runtime::token::Tag;
use connections::{Connections, SpareBuffers};
use gather::Gathering;

/// What a worker is made of.
pub struct Parts {
    pub core: usize,
    pub shard: Shard,
    pub ring: Ring,
    pub mesh: Mesh,
    pub keeper: Keeper,
    pub listeners: Arc<Listeners>,
    pub census: Arc<Census>,
    pub control: Arc<Control>,
    pub report: Report,
}

/// One core of the node.
pub struct Worker {
    core: usize,
    shard: Shard,
    ring: Ring,
    mesh: Mesh,
    keeper: Keeper,
    connections: Connections,
    spare: SpareBuffers,
    /// Sessions to look after, kept for its capacity.
    dirty: Vec<SessionId>,
    /// Received buffers beyond their connection's share of a turn.
    held: VecDeque<(Tag, Filled)>,
    /// Connections whose receive ended because no buffer was free.
    starved: Vec<Tag>,
    arrivals: Arrivals,
    listeners: Arc<Listeners>,
    census: Arc<Census>,
    control: Arc<Control>,
    report: Report,
    phase: Phase,
    /// When an unfinished drain is cut short.
    deadline_us: Option<u64>,
    /// The control thread knows that nothing is left to close.
    drained: bool,
    turns: u64,
    now_us: u64,
    more_upkeep: bool,
    gathering: Gathering,
    /// How long to gather at most, as configured.
    gather_us: u32,
    /// Messages for other cores were left over by the last turn.
    was_blocked: bool,
    /// Listeners to arm, kept for its capacity.
    ready: Vec<u32>,
}

impl Worker {
    pub fn new(parts: Parts) -> Worker {
        let gather_us = parts.shard.config().gather_us;
        Worker {
            core: parts.core,
            shard: parts.shard,
            ring: parts.ring,
            mesh: parts.mesh,
            keeper: parts.keeper,
            connections: Connections::default(),
            spare: SpareBuffers::default(),
            dirty: Vec::new(),
            held: VecDeque::new(),
            starved: Vec::new(),
            arrivals: Arrivals::default(),
            listeners: parts.listeners,
            census: parts.census,
            control: parts.control,
            report: parts.report,
            phase: Phase::Serving,
            deadline_us: None,
            drained: false,
            turns: 0,
            now_us: 0,
            more_upkeep: false,
            gathering: Gathering::new(),
            gather_us,
            was_blocked: false,
            ready: Vec::new(),
        }
    }

    /// CONFIG SET has changed something the server took at start.
    #[cold]
    fn configured(&mut self) {
        let config = self.shard.config();
        log::set_level(level_of(config.loglevel));
        self.gather_us = config.gather_us;
        for (_, listener) in self.listeners.of_core(self.core) {
            listener.set_keepalive(config.tcp_keepalive_s);
        }
    }
}

/// Redis's four levels in the words of the log.
pub fn level_of(level: LogLevel) -> log::Level {
    match level {
        LogLevel::Debug | LogLevel::Verbose => log::Level::Debug,
        LogLevel::Notice => log::Level::Info,
        LogLevel::Warning => log::Level::Warning,
    }
}
