//! What clients have sent and been told, and what a recovered node must hold therefore.
//!
//! Each client writes to keys of its own, one track for each kind of write, and numbers what it
//! writes. After a crash a track must hold its first so many writes in order, all that were
//! acknowledged among them: nothing lost, nothing from nowhere, no gap. Beside the tracks all
//! clients move money between the same accounts, whose total never changes.

use freehold_engine::mesh::owner_of;
use freehold_engine::shard::testing::{TestClient, TestNode};
use freehold_protocol::Slot;
use freehold_protocol::resp::value::{Value, decode};
use freehold_tests::numbered::{Kind, text};

use super::delays::Promise;
use super::run::UNPROMISED;

/// A write of a track.
#[derive(Clone, Copy, Debug)]
struct Write {
    number: u64,
    sent_us: u64,
    /// When its reply came; 0: when it was durable.
    told_us: Option<u64>,
    refused: bool,
}

/// The writes of one client to its keys of one kind.
#[derive(Clone, Debug)]
pub struct Track {
    pub kind: Kind,
    client: usize,
    writes: Vec<Write>,
    next: u64,
}

impl Track {
    pub fn new(kind: Kind, client: usize) -> Track {
        Track { kind, client, writes: Vec::new(), next: 1 }
    }

    fn key(&self) -> String {
        format!("{:?}:{}", self.kind, self.client)
    }

    /// The next write: its number, and the lines that make it.
    pub fn next(&mut self, now_us: u64) -> (u64, Vec<String>) {
        let n = self.next;
        self.next += 1;
        self.writes.push(Write { number: n, sent_us: now_us, told_us: None, refused: false });
        (n, self.kind.requests(&self.key(), n))
    }

    /// Its reply has come; `told_us` says when that counts, by when it was sent.
    pub fn told(&mut self, number: u64, refused: bool, told_us: impl Fn(u64) -> u64) {
        for write in self.writes.iter_mut().filter(|write| write.number == number) {
            (write.told_us, write.refused) = (Some(told_us(write.sent_us)), refused);
        }
    }

    /// The write that made the counter `count` was seen: it and those before must survive.
    pub fn seen(&mut self, count: usize, now_us: u64) {
        let applied = self.writes.iter_mut().filter(|write| !write.refused);
        for write in applied.take(count).filter(|write| write.told_us.is_none()) {
            write.told_us = Some(now_us);
        }
    }

    /// The core that keeps its key in a node of so many.
    fn owner(&self, cores: u16) -> usize {
        owner_of(Slot::of_key(self.key().as_bytes()), cores).index()
    }

    /// Compares with what `node` holds: what was promised by a node of `cores` must be there.
    /// Returns how many writes are.
    ///
    /// # Errors
    /// What is wrong.
    fn check(
        &self,
        node: &mut TestNode,
        at: TestClient,
        cores: u16,
        promise: &Promise<'_>,
    ) -> Result<usize, String> {
        let key = self.key();
        let sent: Vec<u64> = self.writes.iter().filter(|w| !w.refused).map(|w| w.number).collect();
        let held = self.kind.held(&key, &sent, |line| ask(node, at, line))?;
        if !sent.starts_with(&held) {
            return Err(format!("{key} holds {held:?}, sent was {sent:?}"));
        }
        let owner = self.owner(cores);
        let told = |write: &&Write| {
            write.told_us.is_some_and(|told_us| promise.holds(owner, write.sent_us, told_us))
        };
        let lost = || self.writes.iter().filter(|write| !write.refused).skip(held.len());
        if let Some(lost) = lost().find(told) {
            return Err(format!("{key} of core {owner} lost {lost:?}, it holds {held:?}"));
        }
        let times = lost().filter_map(|write| Some((write.sent_us, write.told_us?)));
        if !promise.may_lose_all(times.clone()) {
            let times: Vec<_> = times.collect();
            return Err(format!("{key} lost changes of too long a time: {times:?}"));
        }
        Ok(held.len())
    }

    /// A node has recovered with the first `held` writes: that is where it stands.
    fn settle(&mut self, held: usize) {
        self.writes.retain(|write| !write.refused);
        self.writes.truncate(held);
        for write in &mut self.writes {
            (write.sent_us, write.told_us) = (0, Some(0));
        }
    }
}

/// All clients' tracks.
#[derive(Clone)]
pub struct Books {
    pub tracks: Vec<Track>,
    /// When it was acknowledged that the accounts had been opened.
    pub opened_us: Option<u64>,
}

pub const ACCOUNTS: usize = 6;
const OPENING: i64 = 100;

impl Books {
    pub fn new(clients: usize) -> Books {
        let tracks = (0..clients).flat_map(|c| Kind::ALL.map(|kind| Track::new(kind, c)));
        Books { tracks: tracks.collect(), opened_us: None }
    }

    pub fn opening() -> String {
        let accounts = (0..ACCOUNTS).map(|n| format!(" account:{n} {OPENING}"));
        format!("MSET{}", accounts.collect::<String>())
    }

    /// All that was told without a promise is promised at `now_us`.
    pub fn promise(&mut self, now_us: u64) {
        let writes = self.tracks.iter_mut().flat_map(|track| &mut track.writes);
        let told = writes.map(|write| &mut write.told_us).chain([&mut self.opened_us]);
        told.flatten().filter(|told_us| **told_us == UNPROMISED).for_each(|told| *told = now_us);
    }

    /// Compares a recovered node with what one of `cores` has promised. Returns how many writes
    /// each track holds.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(
        &self,
        node: &mut TestNode,
        cores: u16,
        promise: &Promise<'_>,
    ) -> Result<Vec<usize>, String> {
        let at = node.connect(0);
        let balances = (0..ACCOUNTS).map(|n| text(&ask(node, at, &format!("GET account:{n}"))));
        let balances: Vec<String> = balances.collect();
        let money: i64 = balances.iter().filter_map(|text| text.parse::<i64>().ok()).sum();
        let empty = balances.iter().all(String::is_empty);
        let opened = self.opened_us.is_some_and(|opened_us| opened_us <= promise.limit_us());
        if empty && opened || !empty && money != ACCOUNTS as i64 * OPENING {
            return Err(format!("the accounts hold {balances:?}"));
        }
        self.tracks.iter().map(|track| track.check(node, at, cores, promise)).collect()
    }

    /// The node goes on with what [`Books::check`] has found.
    pub fn settle(&mut self, held: &[usize], opened: bool) {
        self.tracks.iter_mut().zip(held).for_each(|(track, held)| track.settle(*held));
        self.opened_us = opened.then_some(0);
    }
}

/// One request, its reply.
pub fn ask(node: &mut TestNode, at: TestClient, line: &str) -> Value {
    let reply = node.exchange(at, format!("{line}\r\n").as_bytes());
    decode(&reply).ok().flatten().unwrap_or_else(|| panic!("no reply to {line}: {reply:?}")).0
}
