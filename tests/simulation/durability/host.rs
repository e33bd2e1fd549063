//! A host: a node of several cores with its logs and snapshots on a disk. It holds replies and
//! messages back as the server's `worker/keep.rs` does: whatever leaves a core waits for the core's
//! log. What a snapshot has made superfluous is removed as the server's control thread does it.

use std::collections::VecDeque;

use freehold_engine::base::time::{Now, UnixMillis};
use freehold_engine::config::{Appendfsync, Caller, Config};
use freehold_engine::disk::{Files, Requests};
use freehold_engine::effect::Records;
use freehold_engine::log::{Findings, Health, Replay, examine};
use freehold_engine::mesh::CoreId;
use freehold_engine::shard::testing::{Tampering, TestClient, TestNode};
use freehold_engine::shard::{HeldMessages, Message, Shard, Standing, Trouble};
use freehold_engine::store::{Kept, Store, Told};
use freehold_tests::random::Random;

use super::disk::{Disk, Reading};
use super::planted::{Bug, without_refusals};

/// A node as recovery leaves it.
pub struct Recovered {
    pub node: TestNode,
    records: Vec<Records>,
    generation: u64,
}

/// Reads the disk with `cores` cores, as the server's `disk/recovery.rs` does.
///
/// # Errors
/// What an operator would be told.
pub fn recover(
    disk: &mut Disk,
    cores: u16,
    policy: Appendfsync,
    bug: Option<Bug>,
) -> Result<Recovered, String> {
    let mut reading = Reading { disk, crc_ignored: bug == Some(Bug::CrcIgnored) };
    let kept = Kept::find(&mut reading)?;
    reading.sync_names()?;
    for log in &kept.loose {
        reading.sync(*log).map_err(|error| error.to_string())?;
    }
    let mut examined = Vec::new();
    for log in &kept.logs {
        examined.extend(examine(&mut reading, *log).map_err(|error| error.to_string())?);
    }
    let findings = Findings::new(examined);
    let fsync = match policy {
        Appendfsync::Always => "always",
        Appendfsync::EverySec => "everysec",
        Appendfsync::No => "no",
    };
    let options = [("appendfsync", fsync), ("appendonly", "yes")];
    let config = Config::default().with(&options, Caller::ThisHost).expect("they are options");
    let mut node = TestNode::from_config(cores, config, kept.generation);
    let mut all = Vec::new();
    for shard in &mut node.shards {
        let (slots, mut records) = (shard.slots(), Records::default());
        let mut unknown = false;
        kept.load_snapshot(&mut reading, &slots, &mut |effect| shard.load(effect))
            .map_err(|error| error.to_string())?;
        let mut replay = Replay::new(&findings, slots, kept.numbers());
        let replayed = replay.run(&mut reading, |placed| {
            if let Some(slot) = placed.slot {
                records.resume(slot, placed.sequence);
            }
            unknown |= !shard.replay(&placed);
        });
        replayed.map_err(|error| error.to_string())?;
        if unknown {
            return Err("a log tells of a change that is not known".to_owned());
        }
        all.push(records);
    }
    Ok(Recovered { node, records: all, generation: kept.generation })
}

/// What one core keeps, with what waits for it.
struct Keeper {
    store: Store,
    requests: Requests,
    told: u64,
    /// Replies that wait: for what, and of which client.
    replies: VecDeque<(u64, usize, Vec<u8>)>,
    messages: HeldMessages,
    inbox: VecDeque<(CoreId, Message)>,
    health: Health,
    health_turn: u64,
    turns: u64,
}

/// A client, and what has reached it.
pub struct Connected {
    pub at: TestClient,
    pub received: Vec<u8>,
    /// The server has closed it, for it will never know what became of its writes.
    pub closed: bool,
}

/// The node at work.
pub struct Host {
    pub node: TestNode,
    keepers: Vec<Keeper>,
    pub clients: Vec<Connected>,
    pub now: Now,
    /// Snapshots that have been committed.
    pub snapshots: u64,
    bug: Option<Bug>,
}

impl Host {
    /// Begins new logs and serves.
    pub fn begin(recovered: Recovered, clients: usize, bug: Option<Bug>, disk: &mut Disk) -> Host {
        let Recovered { mut node, records, generation } = recovered;
        let now = Now { unix_ms: UnixMillis(1_700_000_000_000), mono_us: 10_000_000 };
        let cores = node.shards.len();
        let mut keepers = Vec::new();
        for (core, records) in records.into_iter().enumerate() {
            let (shard, mut requests) = (&mut node.shards[core], Requests::default());
            let mut store = match bug {
                Some(Bug::NextLogEarly) => Store::that_writes_ahead(),
                _ => Store::default(),
            };
            shard.begin_turn(now);
            shard.begin_life(generation, true);
            shard.start_log(records);
            store.begin_log(shard, now.mono_us, &mut requests);
            requests.take().into_iter().for_each(|request| disk.begin(core, request));
            keepers.push(Keeper {
                store,
                requests,
                told: 0,
                replies: VecDeque::new(),
                messages: HeldMessages::default(),
                inbox: VecDeque::new(),
                health: Health::Sound,
                health_turn: 0,
                turns: 0,
            });
        }
        if bug == Some(Bug::TxnPartLost) {
            node.tampering = Tampering::LosesPart;
        }
        let clients = (0..clients)
            .map(|client| node.connect(client % cores))
            .map(|at| Connected { at, received: Vec::new(), closed: false })
            .collect();
        Host { node, keepers, clients, now, snapshots: 0, bug }
    }

    pub fn cores(&self) -> usize {
        self.keepers.len()
    }

    /// Whether all logs are well.
    pub fn is_sound(&self) -> bool {
        self.keepers.iter().all(|keeper| keeper.health == Health::Sound)
    }

    /// Whether replies wait on all cores until what they tell is durable.
    pub fn is_always(&self) -> bool {
        (0..self.cores()).all(|core| self.policy(core) == Appendfsync::Always)
    }

    /// Whether the log is on, and all that it rests on is there.
    pub fn is_on(&self) -> bool {
        let on = |shard: &Shard| shard.config().persistence.appendonly && !shard.awaits_log();
        self.node.shards.iter().all(on)
    }

    /// The policy that holds on a core: CONFIG SET reaches one after the other.
    fn policy(&self, core: usize) -> Appendfsync {
        self.node.shards[core].config().persistence.appendfsync
    }

    /// One trip round a core's loop.
    pub fn turn(&mut self, core: usize, disk: &mut Disk) {
        let keeper = &mut self.keepers[core];
        let shard = &mut self.node.shards[core];
        shard.begin_turn(self.now);
        for (from, message) in keeper.inbox.drain(..) {
            shard.deliver(from, message);
        }
        shard.upkeep();
        keeper.store.turn(shard, self.now.mono_us, false, &mut keeper.requests);
        self.ask(core, disk);
        self.book(core);
        for client in 0..self.clients.len() {
            self.answer(client, core);
        }
        self.tell(core);
        self.send(core);
        // What arrives from here on belongs to the next turn, as completions do.
        self.keepers[core].turns += 1;
    }

    /// The disk has done something.
    pub fn complete_one(&mut self, disk: &mut Disk, random: &mut Random) -> bool {
        let Some((core, completion)) = disk.complete_one(random) else { return false };
        let (keeper, shard) = (&mut self.keepers[core], &mut self.node.shards[core]);
        keeper.store.completed(completion, shard, self.now.mono_us, &mut keeper.requests);
        self.ask(core, disk);
        self.book(core);
        true
    }

    /// What the core asks of the disk is begun, and what a snapshot has released is removed.
    fn ask(&mut self, core: usize, disk: &mut Disk) {
        let keeper = &mut self.keepers[core];
        keeper.requests.take().into_iter().for_each(|request| disk.begin(core, request));
        for told in keeper.store.take_told() {
            if let Told::Committed { manifest, .. } = told {
                disk.tidy(manifest.generation);
                self.snapshots += 1;
            }
        }
    }

    fn book(&mut self, core: usize) {
        let policy = self.policy(core);
        let keeper = &mut self.keepers[core];
        keeper.told = match self.bug {
            Some(Bug::AckBeforeFsync) => u64::MAX,
            _ => keeper.store.acknowledged(policy, self.now.mono_us),
        };
        let health = keeper.store.health();
        if health != keeper.health {
            (keeper.health, keeper.health_turn) = (health, keeper.turns);
            let trouble = match health {
                Health::Sound => None,
                Health::Full => Some(Trouble::Full),
                Health::Broken(_) => Some(Trouble::Broken),
            };
            self.node.shards[core].set_trouble(trouble);
            if matches!(health, Health::Broken(_)) {
                for (_, client, _) in keeper.replies.drain(..) {
                    self.clients[client].closed = true;
                }
            }
        }
        let told = keeper.told;
        while let Some((_, client, replies)) = keeper.replies.pop_front_if(|(at, ..)| *at <= told) {
            self.clients[client].received.extend(replies);
        }
        self.tell(core);
    }

    fn answer(&mut self, client: usize, core: usize) {
        let Connected { at, received, closed } = &mut self.clients[client];
        if at.core != core || *closed {
            return;
        }
        let shard = &mut self.node.shards[core];
        let end = shard.log_end();
        let mut output = std::mem::take(shard.output(at.session));
        if self.bug == Some(Bug::RefusalUnsaid) {
            output = without_refusals(&output);
        }
        if output.is_empty() {
            return;
        }
        let keeper = &mut self.keepers[core];
        let only_reads = keeper.health != Health::Sound
            && keeper.turns > keeper.health_turn
            && !shard.tells_of_before_trouble(at.session);
        let behind = keeper.replies.iter().any(|(_, other, _)| *other == client);
        if !behind && (end <= keeper.told || only_reads) {
            received.extend(output);
        } else if matches!(keeper.health, Health::Broken(_)) {
            *closed = true;
        } else {
            keeper.replies.push_back((end, client, output));
        }
    }

    fn tell(&mut self, core: usize) {
        let keeper = &mut self.keepers[core];
        let shard = &mut self.node.shards[core];
        let only_reads = keeper.health != Health::Sound && keeper.turns > keeper.health_turn;
        let standing = Standing { end: shard.log_end(), told: keeper.told, only_reads };
        keeper.messages.sift(shard.outbox(), standing);
    }

    /// The mesh has room for everything.
    fn send(&mut self, core: usize) {
        let messages: Vec<_> = self.node.shards[core].outbox().drain(..).collect();
        self.keepers[core].messages.left(0);
        for (to, mut message) in messages {
            self.node.tamper(&mut message);
            self.keepers[to.index()].inbox.push_back((CoreId(core as u16), message));
        }
    }
}
