//! A whole node on one thread with virtual time, for tests: as many shards as asked for, joined by
//! plain queues. What the server does with sockets and rings, this does with vectors.

mod mutate;
mod rows;
pub mod walk;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::locks::Wanted;
use super::parcel::Errand;
use super::{Blueprint, Message, SessionState, Shard};
use crate::base::random::Random;
use crate::base::time::{Now, UnixMillis};
use crate::command::host::{Host, Node, ProcessFigures};
use crate::command::session::{Accepted, PortKind, SessionId};
use crate::config::{Caller, Config};
use crate::mesh::{CoreId, Fabric, Tickets};

/// A process that does not exist: a counter for a clock, no memory figures.
#[derive(Default)]
pub struct NoHost {
    ticks: AtomicU64,
}

impl Host for NoHost {
    fn memory_used_bytes(&self) -> i64 {
        0
    }

    fn ticks_ns(&self) -> u64 {
        self.ticks.fetch_add(1_000_000, Ordering::Relaxed)
    }

    fn process(&self) -> ProcessFigures {
        ProcessFigures::default()
    }

    fn rewrite_config(&self, _: &Config) -> Result<(), String> {
        Err("there is no file".to_owned())
    }

    fn open_data(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Longer than any request of an example waits.
const WAIT_MS: i64 = 1_000;

/// Rounds of all cores that are surely more than anything takes.
const ROUNDS_MAX: u32 = 100_000;

/// A connection of a [`TestNode`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TestClient {
    pub core: usize,
    pub session: SessionId,
}

/// What goes wrong between cores: bugs to try a checker of histories on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tampering {
    No,
    /// A member promises to keep its keys still and does not.
    LocksNothing,
    /// A member is not told which keys are watched.
    ForgetsWatches,
    /// A member does not mark what it writes into its log as a part of the transaction.
    LosesPart,
}

/// Something done to a core.
type Work = Box<dyn FnMut(&mut Shard)>;

/// A node of several cores, turned by hand.
pub struct TestNode {
    pub shards: Vec<Shard>,
    pub tampering: Tampering,
    /// What a core does before it takes its turn: pieces of work that slip in between others.
    pub before_turn: Option<Work>,
    now: Now,
    random: Random,
    client: Option<TestClient>,
}

impl TestNode {
    /// A node of `cores` cores with the default configuration.
    pub fn new(cores: u16) -> TestNode {
        TestNode::with_config(cores, &[])
    }

    /// A node with options as CONFIG SET takes them.
    ///
    /// # Panics
    /// When an option is refused.
    pub fn with_config(cores: u16, options: &[(&str, &str)]) -> TestNode {
        let config = Config::default();
        let config = config.with(options, Caller::ThisHost).expect("test options are valid");
        TestNode::from_config(cores, config, 1)
    }

    /// A node of this configuration; `seed` decides hashes, dice and the order of deliveries.
    pub fn from_config(cores: u16, config: Config, seed: u64) -> TestNode {
        let now = Now { unix_ms: UnixMillis(1_700_000_000_000), mono_us: 1_000_000 };
        let node = Arc::new(Node {
            host: Box::new(NoHost::default()),
            run_id: "f".repeat(40),
            core_ids: (0..cores).map(|core| format!("{core:040x}")).collect(),
            process_id: 1,
            executable: "freehold".to_owned(),
            config_file: String::new(),
            os: "none".to_owned(),
            started_unix_ms: now.unix_ms.0,
            port: 6379,
            core_ports: (0..cores).map(|core| 7000 + core).collect(),
            build: "test".to_owned(),
        });
        let config = Arc::new(config);
        let ports = Fabric::<()>::new(cores, 2);
        let tickets = Tickets::new();
        let shards = ports
            .iter()
            .map(|port| {
                Shard::new(Blueprint {
                    id: port.core(),
                    cores,
                    config: config.clone(),
                    node: node.clone(),
                    hash_seed: [seed, 2, 3, 4],
                    random_seed: seed ^ u64::from(port.core().0),
                    board: port.board().clone(),
                    tickets: tickets.clone(),
                    now,
                })
            })
            .collect();
        let (tampering, random) = (Tampering::No, Random::new(seed));
        TestNode { shards, tampering, before_turn: None, now, random, client: None }
    }

    /// A new connection on `core` through the plain port.
    pub fn connect(&mut self, core: usize) -> TestClient {
        self.connect_through(core, PortKind::Plain)
    }

    /// A new connection through a door of one's choice.
    ///
    /// # Panics
    /// When the node refuses it.
    pub fn connect_through(&mut self, core: usize, port: PortKind) -> TestClient {
        let accepted = Accepted {
            peer: "127.0.0.1:50000".to_owned(),
            local: "127.0.0.1:6379".to_owned(),
            port,
            loopback: true,
            descriptor: 8,
        };
        let session = self.shards[core].connect(accepted).expect("the node has room");
        TestClient { core, session }
    }

    /// Bytes arrive from a client; nothing is delivered between cores yet.
    pub fn send(&mut self, client: TestClient, bytes: &[u8]) {
        self.shards[client.core].receive(client.session, bytes);
    }

    /// Turns all cores until nothing is on its way, delivering in a random order of cores.
    ///
    /// # Panics
    /// When that does not come to an end.
    pub fn pump(&mut self) {
        let (mut quiet, mut rounds) = (0, 0);
        while quiet < 2 {
            assert!(rounds < ROUNDS_MAX, "the cores do not come to rest");
            rounds += 1;
            let mut moved = false;
            let mut order: Vec<usize> = (0..self.shards.len()).collect();
            self.random.shuffle(&mut order);
            for core in order {
                moved |= self.turn(core);
            }
            quiet = if moved { 0 } else { quiet + 1 };
        }
    }

    /// One turn of one core; true when anything happened.
    pub fn turn(&mut self, core: usize) -> bool {
        if let Some(work) = &mut self.before_turn {
            work(&mut self.shards[core]);
        }
        self.shards[core].begin_turn(self.now);
        let more = self.shards[core].upkeep();
        let messages: Vec<(CoreId, Message)> = self.shards[core].outbox().drain(..).collect();
        let moved = more || !messages.is_empty();
        for (to, mut message) in messages {
            self.tamper(&mut message);
            self.shards[to.index()].deliver(CoreId(core as u16), message);
        }
        moved
    }

    /// Spoils a message on its way, as `tampering` says.
    pub fn tamper(&self, message: &mut Message) {
        let Message::Errand(errand) = message else { return };
        match (self.tampering, &mut **errand) {
            (Tampering::LocksNothing, Errand::Prepare(_, prepare)) => {
                prepare.wanted = Wanted::default();
            }
            (Tampering::ForgetsWatches, Errand::Prepare(_, prepare)) => prepare.watched.clear(),
            (Tampering::LosesPart, Errand::Step(_, step)) => step.part = None,
            _ => {}
        }
    }

    /// What a client would have received by now.
    pub fn output(&mut self, client: TestClient) -> Vec<u8> {
        std::mem::take(self.shards[client.core].output(client.session))
    }

    pub fn state(&self, client: TestClient) -> SessionState {
        self.shards[client.core].state(client.session)
    }

    /// Sends bytes, lets everything settle, and returns the reply bytes.
    pub fn exchange(&mut self, client: TestClient, bytes: &[u8]) -> Vec<u8> {
        self.send(client, bytes);
        self.pump();
        self.output(client)
    }

    /// Runs requests given as inline lines over one plain connection and returns the last reply.
    pub fn run(&mut self, requests: &str) -> String {
        let client = match self.client {
            Some(client) => client,
            None => self.connect(0),
        };
        self.client = Some(client);
        let mut last = Vec::new();
        for request in requests.lines() {
            last = self.exchange(client, format!("{request}\r\n").as_bytes());
            if last.is_empty() {
                self.advance_ms(WAIT_MS); // it waits for something that will not come
                self.pump();
                last = self.output(client);
            }
        }
        String::from_utf8_lossy(&last).into_owned()
    }

    /// Moves both clocks.
    pub fn advance_ms(&mut self, ms: i64) {
        self.now.unix_ms.0 += ms;
        self.now.mono_us = self.now.mono_us.saturating_add_signed(ms * 1000);
        for shard in &mut self.shards {
            shard.begin_turn(self.now);
        }
    }

    /// Content of all cores, whatever their number.
    pub fn digest(&self) -> u128 {
        self.shards.iter().fold(0, |sum, shard| sum.wrapping_add(shard.core.keyspace.digest()))
    }
}
