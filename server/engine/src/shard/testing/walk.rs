//! A random walk through the command table: a node with three clients, and in each step one of them
//! sends a request, or time passes, or one leaves. What is drawn depends on what came back before
//! (payloads of DUMP, identifiers of entries); the steps themselves depend on nothing, so a walk
//! is played again, or in part, from the list of its steps.

use std::collections::VecDeque;
use std::fmt;

use freehold_protocol::resp::value::{Value, decode, encode_request};

use super::mutate::{Known, Mutation};
pub use super::rows::Scope;
use super::rows::{Focus, Request, Rows, command_of};
use super::{SessionState, TestClient, TestNode};
use crate::base::random::Random;
use crate::command::table::{Command, Table};
use crate::config::{Caller, Config, Policy};
use crate::effect::{Effect, apply, decode_all};
use crate::keyspace::Keyspace;

/// One step.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// A client sends a request. `settle`: all that it sets off ends before the next step.
    Send {
        client: usize,
        request: Request,
        settle: bool,
    },
    Wait {
        ms: i64,
    },
    /// A connection ends, and another takes its place.
    Leave {
        client: usize,
    },
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Send { client, request, settle } => {
                write!(f, "{client}{}", if *settle { ":" } else { "~" })?;
                request.iter().try_for_each(|arg| write!(f, " \"{}\"", arg.escape_ascii()))
            }
            Step::Wait { ms } => write!(f, "wait {ms} ms"),
            Step::Leave { client } => write!(f, "{client} leaves"),
        }
    }
}

/// What decides a step.
#[derive(Clone, Copy, Debug)]
pub struct Throw {
    row: u16,
    request: u8,
    kind: u8,
    dice: u32,
}

impl Throw {
    pub const BYTES: usize = 8;

    pub fn from_bytes(bytes: [u8; Throw::BYTES]) -> Throw {
        let [a, b, request, kind, dice @ ..] = bytes;
        Throw { row: u16::from_le_bytes([a, b]), request, kind, dice: u32::from_le_bytes(dice) }
    }

    pub fn random(random: &mut Random) -> Throw {
        Throw::from_bytes(random.next_u64().to_le_bytes())
    }
}

/// The node of a walk. All of it follows from one number.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    pub scope: Scope,
    pub cores: u16,
    /// Thresholds of encodings so low that a handful of members passes them.
    pub small: bool,
    /// What gives way when memory is full; nothing sets a limit to it otherwise.
    pub eviction: Option<&'static str>,
    pub events: bool,
    pub focus: Focus,
    pub seed: u64,
}

impl Ground {
    pub fn new(scope: Scope, seed: u64) -> Ground {
        let mut random = Random::new(seed);
        let mut below = |bound| random.below(bound) as usize;
        let cores = [1, 2, 4][below(3)];
        let policies = Policy::NAMES;
        let eviction = (below(4) == 0).then(|| policies[below(policies.len() as u64)]);
        let families = Rows::of(scope).families.len() as u64;
        let focus = [below(families), below(families)];
        Ground { scope, cores, small: below(4) > 0, eviction, events: below(4) == 0, focus, seed }
    }

    fn config(&self) -> Config {
        let mut config = Config::default();
        config.databases = 3;
        config.value_soft_bytes = 64 * 1024;
        config.value_hard_bytes = 64 * 1024;
        config.proto_max_bulk_bytes = 1024 * 1024;
        if self.small {
            config.hash_max_listpack_entries = 4;
            config.hash_max_listpack_value_bytes = 16;
            config.list_max_listpack_size = 3;
            config.set_max_intset_entries = 4;
            config.set_max_listpack_entries = 4;
            config.set_max_listpack_value_bytes = 16;
            config.zset_max_listpack_entries = 4;
            config.zset_max_listpack_value_bytes = 16;
            config.hll_sparse_max_bytes = 40;
            config.stream_node_max_entries = 3;
        }
        let mut options = Vec::new();
        if let Some(policy) = self.eviction {
            config.maxmemory_bytes = 360_000 + self.seed % 4 * 200_000;
            options.push(("maxmemory-policy", policy));
        }
        if self.events {
            options.push(("notify-keyspace-events", "KEAnm"));
        }
        config.with(&options, Caller::ThisHost).expect("right options")
    }
}

/// What a walk has met.
#[derive(Clone, Default, Debug)]
pub struct Met {
    /// By the command's number, how often it alone changed something.
    pub changes: Vec<u32>,
    /// Clients that waited and were given something by another's request.
    pub served: u64,
    pub expired_keys: u64,
    pub evicted_keys: u64,
}

/// A walk under way.
pub struct Walk {
    pub node: TestNode,
    pub met: Met,
    rows: &'static Rows,
    focus: Focus,
    clients: [TestClient; CLIENTS],
    known: Known,
    /// Requests of an example that is being played, and by whom.
    script: (usize, VecDeque<Request>),
    /// Nothing that an earlier step set off is still to happen.
    settled: bool,
}

const CLIENTS: usize = 3;

impl Walk {
    pub fn new(ground: &Ground) -> Walk {
        let mut node = TestNode::from_config(ground.cores, ground.config(), ground.seed);
        node.shards.iter_mut().for_each(|shard| shard.core.effects.listen());
        let clients = std::array::from_fn(|n| join(&mut node, n));
        let changes = vec![0; Table::get().commands().len()];
        let met = Met { changes, ..Met::default() };
        let (rows, known) = (Rows::of(ground.scope), Known::default());
        let (focus, script) = (ground.focus, Default::default());
        Walk { node, met, rows, focus, clients, known, script, settled: true }
    }

    /// The step that `throw` decides, here and now.
    pub fn draw(&mut self, throw: Throw) -> Step {
        let mut random = Random::new(u64::from(throw.dice) << 16 | u64::from(throw.row));
        let kind = usize::from(throw.kind) / CLIENTS;
        if kind < 6 {
            let times = [0, 1, 7, 40, 300, 1100, 2500, 20_000];
            return Step::Wait { ms: times[random.below(times.len() as u64) as usize] };
        }
        let first = usize::from(throw.kind) % CLIENTS;
        let client = (0..CLIENTS).map(|n| (first + n) % CLIENTS).find(|&n| !self.is_blocked(n));
        let Some(client) = client.filter(|_| kind != 6) else {
            return Step::Leave { client: first };
        };
        let settle = kind >= 24;
        let player = self.script.0;
        if let Some(request) = self.script.1.pop_front().filter(|_| !self.is_blocked(player)) {
            return Step::Send { client: player, request, settle };
        }
        // What is queued after MULTI must run some day.
        let row = match self.is_queueing(client) && random.below(6) == 0 {
            true => self.rows.named("EXEC"),
            false => self.rows.pick(throw.row, self.focus),
        };
        let plays = random.below(8) == 0;
        let now = self.node.now.unix_ms;
        let (rows, focus, known) = (self.rows, self.focus, &self.known);
        let mut mutation = Mutation { rows, focus, known, random: &mut random, now };
        if plays {
            self.script = (client, mutation.script(row).into());
        }
        let request = mutation.request(row, throw.request);
        Step::Send { client, request, settle }
    }

    pub fn perform(&mut self, step: &Step) {
        match step {
            Step::Wait { ms } => {
                self.node.advance_ms(*ms);
                self.settle();
            }
            &Step::Leave { client } => {
                self.leave(client);
                self.settle();
            }
            Step::Send { client, request, settle: false } => {
                self.settled = false;
                self.send(*client, request);
            }
            Step::Send { client, request, settle: true } => self.perform_alone(*client, request),
        }
    }

    fn perform_alone(&mut self, client: usize, request: &Request) {
        let counts = self.settled && self.met.evicted_keys == 0;
        let before = self.changes();
        let blocked: Vec<usize> = (0..CLIENTS).filter(|&n| self.is_blocked(n)).collect();
        self.send(client, request);
        let refused = self.settle()[client];
        let Some(command) = command_of(request) else { return };
        if counts && !refused && self.changes() > before && !self.is_queueing(client) {
            self.met.changes[command.index] += 1;
        }
        let others = blocked.into_iter().filter(|&n| n != client);
        self.met.served += others.filter(|&n| !self.is_blocked(n)).count() as u64;
    }

    /// Whether nothing that an earlier step set off is still to happen.
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// Lets everything that is under way happen, and asserts what must then hold. With it the
    /// clients leave, and whatever the node kept for them must go too.
    pub fn finish(&mut self) {
        self.settle();
        for client in self.clients {
            self.node.shards[client.core].disconnected(client.session);
        }
        self.node.pump();
        for shard in &self.node.shards {
            assert!(shard.is_at_rest(), "something is left under way");
            assert!(shard.core.effects.watches.is_empty(), "a watch outlived its client");
            assert_eq!(shard.core.waited_keys, 0, "a waiter outlived its client");
            shard.core.keyspace.check_invariants();
            shard.core.keyspace.check_values();
            self.met.expired_keys += shard.core.stats.expired_keys;
        }
    }

    /// Replays each core's effects, those that `keep` keeps, on an empty keyspace: whether all
    /// cores hold what comes of it. To be asked once.
    pub fn replays(&mut self, mut keep: impl FnMut(&Effect<'_>) -> bool) -> bool {
        self.node.shards.iter_mut().all(|shard| {
            let held = &shard.core.keyspace;
            let mut fresh = Keyspace::new(held.slots(), held.databases(), [9; 4]);
            let effects = shard.core.effects.take();
            let replay = |effect: Effect<'_>| {
                if keep(&effect) {
                    apply(&mut fresh, &effect, 0);
                }
            };
            decode_all(&effects, replay).expect("our own bytes");
            fresh.check_invariants();
            fresh.digest() == held.digest()
        })
    }

    fn send(&mut self, client: usize, request: &Request) {
        let args: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
        let mut bytes = Vec::new();
        encode_request(&args, &mut bytes);
        self.node.send(self.clients[client], &bytes);
    }

    /// Turns the cores until all is quiet, and reads what the clients have been sent: whether the
    /// last answer of each was an error.
    fn settle(&mut self) -> [bool; CLIENTS] {
        self.node.pump();
        self.settled = true;
        self.met.evicted_keys =
            self.node.shards.iter().map(|shard| shard.core.stats.evicted_keys).sum();
        let errors = std::array::from_fn(|client| self.read(client));
        for shard in &mut self.node.shards {
            shard.take_actions();
            shard.take_dirty(&mut Vec::new());
        }
        errors
    }

    fn read(&mut self, client: usize) -> bool {
        let output = self.node.output(self.clients[client]);
        let (mut at, mut error) = (0, false);
        while at < output.len() {
            let reply = decode(&output[at..]).expect("a well-formed reply");
            let (value, bytes) = reply.expect("a whole reply");
            at += bytes;
            error = matches!(value, Value::Error(_));
            learn(&mut self.known, &value);
        }
        let state = self.node.state(self.clients[client]);
        if matches!(state, SessionState::CloseNow | SessionState::CloseAfterSend) {
            self.leave(client);
        }
        error
    }

    fn leave(&mut self, client: usize) {
        let TestClient { core, session } = self.clients[client];
        self.node.shards[core].disconnected(session);
        self.clients[client] = join(&mut self.node, client);
    }

    fn changes(&self) -> u64 {
        self.node.shards.iter().map(|shard| shard.core.effects.changes()).sum()
    }

    fn is_blocked(&self, client: usize) -> bool {
        let TestClient { core, session } = self.clients[client];
        self.node.shards[core].core.sessions.get(session).is_some_and(|session| session.blocked)
    }

    fn is_queueing(&self, client: usize) -> bool {
        let TestClient { core, session } = self.clients[client];
        let session = self.node.shards[core].core.sessions.get(session);
        session.is_some_and(|session| session.queue.is_some())
    }
}

/// The commands that change keys and can be drawn.
pub fn writing_commands() -> impl Iterator<Item = &'static Command> {
    Rows::of(Scope::Keys).writing()
}

/// Connects a client; the last one speaks RESP3.
fn join(node: &mut TestNode, client: usize) -> TestClient {
    let cores = node.shards.len();
    let joined = node.connect(client % cores);
    if client == CLIENTS - 1 {
        node.exchange(joined, b"HELLO 3\r\n");
    }
    joined
}

fn learn(known: &mut Known, value: &Value) {
    match value {
        Value::Bulk(bytes) => known.learn(bytes),
        Value::Array(values) | Value::Set(values) | Value::Push(values) => {
            values.iter().for_each(|value| learn(known, value));
        }
        Value::Map(pairs) => pairs.iter().for_each(|(_, value)| learn(known, value)),
        _ => {}
    }
}
