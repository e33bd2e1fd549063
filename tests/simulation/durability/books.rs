//! What clients have sent and been told, and what a recovered node must hold therefore.
//!
//! Each client writes to keys of its own, one track for each kind of write, and numbers what it
//! writes. After a crash a track must hold its first so many writes in order, all that were
//! acknowledged among them: nothing lost, nothing from nowhere, no gap. What a full disk made a
//! core refuse is no gap, though whoever sent it may hear of that later than the power goes: a
//! write missing amid others is in doubt until its reply comes, which must be a refusal. Beside the
//! tracks all clients move money between the same accounts, whose total never changes.

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
    /// A crash before its reply left it out and kept a later one.
    in_doubt: bool,
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
        self.writes.push(Write {
            number: n,
            sent_us: now_us,
            told_us: None,
            refused: false,
            in_doubt: false,
        });
        (n, self.kind.requests(&self.key(), n))
    }

    /// Its reply has come; `told_us` says when that counts, by when it was sent.
    ///
    /// # Errors
    /// It was in doubt, and is acknowledged.
    pub fn told(
        &mut self,
        number: u64,
        refused: bool,
        told_us: impl Fn(u64) -> u64,
    ) -> Result<(), String> {
        let key = self.key();
        for write in self.writes.iter_mut().filter(|write| write.number == number) {
            (write.told_us, write.refused) = (Some(told_us(write.sent_us)), refused);
            if write.in_doubt && !refused {
                return Err(format!("{key}: a crash left out {write:?} and kept a later one"));
            }
        }
        Ok(())
    }

    /// Whether there are writes in doubt.
    fn doubts(&self) -> bool {
        self.writes.iter().any(|write| write.in_doubt && write.told_us.is_none())
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
    /// Returns which writes are.
    ///
    /// # Errors
    /// What is wrong.
    fn check(
        &mut self,
        node: &mut TestNode,
        at: TestClient,
        cores: u16,
        promise: &Promise<'_>,
    ) -> Result<Vec<u64>, String> {
        let key = self.key();
        let sent: Vec<u64> = self.writes.iter().filter(|w| !w.refused).map(|w| w.number).collect();
        let held = self.kind.held(&key, &sent, |line| ask(node, at, line))?;
        let in_order = held.is_sorted_by(|one, next| one < next);
        if !in_order || held.iter().any(|number| !sent.contains(number)) {
            return Err(format!("{key} holds {held:?}, sent was {sent:?}"));
        }
        let last = held.last().copied().unwrap_or(0);
        let gone = |write: &&mut Write| !write.refused && !held.contains(&write.number);
        for amid in self.writes.iter_mut().filter(gone).take_while(|write| write.number < last) {
            if amid.told_us.is_some() || !promise.refuses {
                return Err(format!("{key} lacks {amid:?}, it holds {held:?}"));
            }
            amid.in_doubt = true;
        }
        let owner = self.owner(cores);
        let told = |write: &&Write| {
            write.told_us.is_some_and(|told_us| promise.holds(owner, write.sent_us, told_us))
        };
        let lost = || self.writes.iter().filter(|w| !w.refused && !held.contains(&w.number));
        if let Some(lost) = lost().find(told) {
            return Err(format!("{key} of core {owner} lost {lost:?}, it holds {held:?}"));
        }
        let times = lost().filter_map(|write| Some((write.sent_us, write.told_us?)));
        if !promise.may_lose_all(times.clone()) {
            let times: Vec<_> = times.collect();
            return Err(format!("{key} lost changes of too long a time: {times:?}"));
        }
        Ok(held)
    }

    /// A node has recovered with the writes `held`: that is where it stands.
    fn settle(&mut self, held: &[u64]) {
        self.writes.retain(|write| held.contains(&write.number));
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

    /// Whether it is still to be heard of writes whether they were refused.
    pub fn doubts(&self) -> bool {
        self.tracks.iter().any(Track::doubts)
    }

    /// Compares a recovered node with what one of `cores` has promised. Returns which writes each
    /// track holds.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(
        &mut self,
        node: &mut TestNode,
        cores: u16,
        promise: &Promise<'_>,
    ) -> Result<Vec<Vec<u64>>, String> {
        let at = node.connect(0);
        let balances = (0..ACCOUNTS).map(|n| text(&ask(node, at, &format!("GET account:{n}"))));
        let balances: Vec<String> = balances.collect();
        let money: i64 = balances.iter().filter_map(|text| text.parse::<i64>().ok()).sum();
        let empty = balances.iter().all(String::is_empty);
        let opened = self.opened_us.is_some_and(|opened_us| opened_us <= promise.limit_us());
        if empty && opened || !empty && money != ACCOUNTS as i64 * OPENING {
            return Err(format!("the accounts hold {balances:?}"));
        }
        self.tracks.iter_mut().map(|track| track.check(node, at, cores, promise)).collect()
    }

    /// The node goes on with what [`Books::check`] has found.
    pub fn settle(&mut self, held: &[Vec<u64>], opened: bool) {
        self.tracks.iter_mut().zip(held).for_each(|(track, held)| track.settle(held));
        self.opened_us = opened.then_some(0);
    }
}

/// One request, its reply.
pub fn ask(node: &mut TestNode, at: TestClient, line: &str) -> Value {
    let reply = node.exchange(at, format!("{line}\r\n").as_bytes());
    decode(&reply).ok().flatten().unwrap_or_else(|| panic!("no reply to {line}: {reply:?}")).0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list to which 1, 2 and 3 were pushed, and the node that a crash has left 1 and 3 in.
    fn without_the_second(refuses: bool) -> (Track, Result<Vec<u64>, String>) {
        let mut track = Track::new(Kind::List, 0);
        (0..3).for_each(|_| drop(track.next(1)));
        track.told(1, false, |_| 2).expect("it is in no doubt");
        let mut node = TestNode::new(1);
        let at = node.connect(0);
        ask(&mut node, at, "RPUSH List:0 1 3");
        let promise = Promise { crash_us: 3, delays: None, tied: false, refuses };
        let held = track.check(&mut node, at, 1, &promise);
        (track, held)
    }

    /// On a full disk writes 7 to 9 were refused and 10 was not; the power went before any of
    /// their replies had come, and the books called that a loss. Found with seed 122.
    #[test]
    fn a_write_missing_amid_others_must_turn_out_to_have_been_refused() {
        let (mut track, held) = without_the_second(true);
        assert_eq!(held, Ok(vec![1, 3]));
        assert!(track.doubts(), "nobody has said that 2 was refused");
        track.told(2, true, |_| 4).expect("it was refused");
        assert!(!track.doubts());

        let (mut track, _) = without_the_second(true);
        let wrong = track.told(2, false, |_| 4).unwrap_err();
        assert!(wrong.contains("number: 2"), "an acknowledgement after the crash: {wrong}");
    }

    #[test]
    fn a_write_missing_amid_others_is_a_loss_where_nothing_is_refused() {
        let (_, held) = without_the_second(false);
        assert!(held.unwrap_err().contains("lacks Write { number: 2"));
    }
}
