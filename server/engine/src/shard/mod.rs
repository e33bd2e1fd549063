//! One core's data and the rules of its commands: bytes in, bytes and parcels out. A shard makes no
//! system call and never waits; the server (or a test) feeds it what arrived and carries away what
//! it leaves:
//!
//! ```text
//! receive(bytes) ─► parse ─► plan, prefetch ─► gate ─► route ─┬─ here ──► execute ─► out
//!                                                             ├─ one other core ─► parcel
//!                                                             └─ several ─► transaction
//! deliver(message) ─► parcels of others ─► execute ─► answers back
//! upkeep() ─► expiry, freed memory, timeouts, figures
//! ```
//! A shard lives on one thread as `&mut`; the borrow checker is the lock.

mod backlog;
mod batch;
mod blocking;
mod connection;
mod dump;
mod durable;
mod ending;
mod evict;
mod execute;
mod flood;
mod gate;
mod held;
mod limits;
mod locks;
mod parcel;
mod pubsub;
mod receive;
mod remote;
mod snapshot;
mod state;
mod transaction;
mod upkeep;

#[cfg(test)]
mod tests;

pub mod testing;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use freehold_protocol::{Batch, Slot};

use crate::base::collections::FingerprintMap;
use crate::base::random::Random;
use crate::base::time::Now;
use crate::command::channels::Channels;
use crate::command::context::{Core, LogFigures};
use crate::command::host::Node;
use crate::command::session::{SessionId, Sessions};
use crate::command::stats::{CommandStats, Stats};
use crate::command::table::Table;
use crate::config::Config;
use crate::effect::Effects;
use crate::keyspace::{Keyspace, eviction};
use crate::mesh::{Board, CoreId, Tickets, owner_of, slots_of};
use crate::value::Rules;

pub use crate::command::context::{Cut, Milestone};
pub use crate::command::error::Trouble;
use crate::command::request::OwnedRequest;
use batch::Plan;
use connection::Connection;
pub use dump::Dump;
pub use durable::RdbFile;
use flood::Floods;
pub use held::{HeldMessages, Standing};
use locks::Locks;
use parcel::Item;
pub use parcel::{Message, Parcel};
pub use state::SessionState;
use transaction::Transaction;

/// What the shard asks of the server.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// SHUTDOWN: end the node; `now`: without waiting for replies to leave.
    Shutdown {
        now: bool,
    },
    /// What was to be saved before the end could not be, or the end was called off.
    Stay,
    /// A new configuration holds on this core: what the server took from it is to be read again.
    Configured,
    Log(String),
}

/// How a shard is made.
pub struct Blueprint {
    pub id: CoreId,
    pub cores: u16,
    pub config: Arc<Config>,
    pub node: Arc<Node>,
    /// The same on all cores: keys are hashed once, where they arrive.
    pub hash_seed: [u64; 4],
    pub random_seed: u64,
    pub board: Board,
    pub tickets: Tickets,
    pub now: Now,
}

/// The shard of one core.
pub struct Shard {
    pub(crate) core: Core,
    table: &'static Table,
    connections: Vec<Connection>,
    dirty: Vec<SessionId>,
    /// Connections with requests still to be taken from their input.
    backlog: VecDeque<SessionId>,
    batch: Batch,
    plans: Vec<Plan>,
    /// A binary client's reply before it is framed.
    framing_buffer: Vec<u8>,
    locks: Locks,
    parked: VecDeque<remote::Parked>,
    /// Parcels that wait for a parked item, and where they go afterwards.
    held_parcels: Vec<Option<(CoreId, Box<Parcel>)>>,
    open_parcels: Vec<Option<Box<Parcel>>>,
    /// Connections, of any core, whose replies are longer than expected.
    floods: Floods,
    /// Requests of our connections that came back unrun, by connection and place in its order.
    postponed: BTreeMap<(SessionId, u64), (Item, OwnedRequest)>,
    #[expect(clippy::vec_box, reason = "a parcel crosses the mesh as the box it lives in")]
    spare_parcels: Vec<Box<Parcel>>,
    /// How few of them there were at once since upkeep last looked: so many nobody needs.
    spare_parcels_low: usize,
    outbox: Vec<(CoreId, Message)>,
    /// Messages to ourselves.
    inbox: VecDeque<Message>,
    transactions: FingerprintMap<Transaction>,
    /// What the steps of transactions have changed here so far, while the log is on.
    step_effects: FingerprintMap<Vec<u8>>,
    /// What tickets that wait here have asked for.
    prepared: FingerprintMap<parcel::Prepare>,
    /// Clients of this core that wait.
    blocked: blocking::BlockedClients,
    /// Clients of all cores that wait for keys of this one.
    waiters: blocking::Waiters,
    /// Commands that may wait, held up by a transaction.
    held_attempts: VecDeque<blocking::Waiter>,
    /// WATCHes that other cores have yet to confirm, by client.
    registrations: FingerprintMap<transaction::Registration>,
    pause: gate::Pause,
    pubsub: pubsub::PubSub,
    actions: Vec<Action>,
    board: Board,
    tickets: Tickets,
    /// What keeps this core's log from being written.
    own_trouble: Option<Trouble>,
    saves: snapshot::Saves,
    dumps: dump::Dumps,
    endings: ending::Endings,
    upkeep: upkeep::Upkeep,
    next_client: u64,
    sample_countdown: u32,
}

impl Shard {
    pub fn new(blueprint: Blueprint) -> Shard {
        let Blueprint { id, cores, now, .. } = blueprint;
        let table = Table::get();
        let core = core_of(&blueprint, table);
        let mut shard = Shard {
            core,
            table,
            connections: Vec::new(),
            dirty: Vec::new(),
            backlog: VecDeque::new(),
            batch: Batch::new(),
            plans: Vec::new(),
            framing_buffer: Vec::new(),
            locks: Locks::new(),
            parked: VecDeque::new(),
            held_parcels: Vec::new(),
            open_parcels: (0..cores).map(|_| None).collect(),
            floods: Floods::default(),
            postponed: BTreeMap::new(),
            spare_parcels: Vec::new(),
            spare_parcels_low: 0,
            outbox: Vec::new(),
            inbox: VecDeque::new(),
            transactions: FingerprintMap::default(),
            step_effects: FingerprintMap::default(),
            prepared: FingerprintMap::default(),
            blocked: blocking::BlockedClients::default(),
            waiters: blocking::Waiters::default(),
            held_attempts: VecDeque::new(),
            registrations: FingerprintMap::default(),
            pause: gate::Pause::default(),
            pubsub: pubsub::PubSub::new(cores, id),
            actions: Vec::new(),
            board: blueprint.board,
            tickets: blueprint.tickets,
            own_trouble: None,
            saves: snapshot::Saves::default(),
            dumps: dump::Dumps::default(),
            endings: ending::Endings::default(),
            upkeep: upkeep::Upkeep::default(),
            next_client: u64::from(id.0) + 1,
            sample_countdown: 0,
        };
        shard.begin_turn(now);
        // The index of deadlines starts at this moment, not at the beginning of time.
        shard.core.keyspace.expire_slice(now.unix_ms, 0, |_, _| {});
        shard
    }

    /// The clocks of this turn.
    pub fn begin_turn(&mut self, now: Now) {
        self.core.now = now;
        self.core.stats.turns += 1;
        let lfu = self.core.config.maxmemory_policy.is_lfu();
        self.core.access = eviction::fresh_access(now.unix_ms, lfu);
        self.refresh_memory_limit();
        self.refresh_trouble();
        self.core.is_loading = self.core.loading.is_on();
    }

    pub fn id(&self) -> CoreId {
        self.core.id
    }

    /// The configuration that holds on this core.
    pub fn config(&self) -> &Arc<Config> {
        &self.core.config
    }

    /// Whether a key lives here.
    pub fn owns(&self, key: &[u8]) -> bool {
        self.core.keyspace.owns(Slot::of_key(key))
    }

    /// The thresholds and the seed its collections follow.
    pub fn rules(&self) -> &Rules {
        self.core.keyspace.rules()
    }

    /// Sessions with output to send or a changed [`SessionState`], since the last call.
    pub fn take_dirty(&mut self, into: &mut Vec<SessionId>) {
        for id in self.dirty.drain(..) {
            if let Some(connection) = self.connections.get_mut(id.0 as usize) {
                connection.dirty = false;
            }
            into.push(id);
        }
    }

    /// Messages for other cores, in order. What the server cannot send now it keeps at the front of
    /// its own queue; nothing is dropped.
    pub fn outbox(&mut self) -> &mut Vec<(CoreId, Message)> {
        self.seal_parcels();
        self.seal_mail();
        &mut self.outbox
    }

    /// What the server is asked to do, since the last call.
    pub fn take_actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// No transaction, lock or parked command is left: what every test ends with.
    pub fn is_at_rest(&self) -> bool {
        self.locks.is_empty()
            && self.transactions.is_empty()
            && self.step_effects.is_empty()
            && self.prepared.is_empty()
            && self.registrations.is_empty()
            && self.parked.is_empty()
            && self.held_attempts.is_empty()
            && self.postponed.is_empty()
            && self.held_parcels.iter().all(Option::is_none)
            && self.inbox.is_empty()
            && self.pubsub.is_at_rest()
            && self.outbox.is_empty()
    }

    fn mark_dirty(&mut self, id: SessionId) {
        let connection = &mut self.connections[id.0 as usize];
        if !connection.dirty {
            connection.dirty = true;
            self.dirty.push(id);
        }
    }

    fn owner(&self, slot: Slot) -> CoreId {
        owner_of(slot, self.core.cores)
    }

    fn send(&mut self, to: CoreId, message: Message) {
        if to == self.core.id {
            self.inbox.push_back(message);
        } else {
            self.outbox.push((to, message));
        }
    }
}

/// What commands work on, as it is when a node starts.
fn core_of(blueprint: &Blueprint, table: &Table) -> Core {
    let &Blueprint { id, cores, now, .. } = blueprint;
    let slots = slots_of(id, cores);
    let databases = blueprint.config.databases_in_use();
    let stats = Stats {
        commands: vec![CommandStats::default(); table.commands().len()],
        ..Stats::default()
    };
    let mut core = Core {
        id,
        cores,
        keyspace: Keyspace::new(slots, databases as usize, blueprint.hash_seed),
        scratch: None,
        effects: Effects::default(),
        config: blueprint.config.clone(),
        stats,
        random: Random::new(blueprint.random_seed),
        sessions: Sessions::default(),
        channels: Channels::new(cores, blueprint.hash_seed[0]),
        node: blueprint.node.clone(),
        now,
        access: 0,
        memory_limit_bytes: None,
        used_then_bytes: 0,
        data_then_bytes: 0,
        keys_elsewhere: false,
        room_elsewhere_bytes: 0,
        leans_on_others: false,
        trouble: None,
        loading: blueprint.board.loading().clone(),
        is_loading: false,
        pool: eviction::Pool::default(),
        active_expiry: true,
        waited_keys: 0,
        found_nothing: None,
        reached: false,
        unreached: None,
        requests: Vec::new(),
        generation: 0,
        life: 0,
        snapshots: blueprint.board.snapshots().clone(),
        milestones: Vec::new(),
        log_rests_on: 0,
        log: LogFigures::default(),
    };
    core.set_config(blueprint.config.clone());
    core
}
