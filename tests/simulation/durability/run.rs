//! One run: some lives of a host, what its clients do in them, and the crashes that are tried on
//! the way and at the end of each.

use std::collections::VecDeque;

use freehold_protocol::resp::value::{Value, decode};
use freehold_tests::crash::Crash;
use freehold_tests::numbered::{self, Kind};
use freehold_tests::random::Random;

use super::Plan;
use super::books::{ACCOUNTS, Books, ask};
use super::delays::{Delays, Promise};
use super::disk::{Disk, Fault};
use super::host::{Host, recover};
use super::jobs::{self, Jobs};
use super::planted::Bug;

/// Clients that write, and behind them those that wait for jobs.
const CLIENTS: usize = 4;
const WORKERS: usize = 2;

/// What a reply answers.
#[derive(Clone, Copy)]
enum Awaited {
    /// The last reply of a write.
    Write {
        track: usize,
        number: u64,
    },
    /// A reading of somebody's counter.
    Reading {
        track: usize,
        sent_us: u64,
    },
    Opening,
    /// Of the policy.
    Change,
    /// On or off.
    Switch,
    Push {
        number: u64,
        sent_us: u64,
    },
    Job {
        sent_us: u64,
    },
    Nothing,
}

/// A plan at work.
pub struct Run {
    plan: Plan,
    random: Random,
    books: Books,
    jobs: Jobs,
    awaited: Vec<VecDeque<Awaited>>,
    /// Changes of the policy that have not been acknowledged.
    changes: u32,
    /// Since when replies wait for the disk on all cores.
    always_us: u64,
    /// The log is to be on, and so many switches have not been acknowledged.
    wanted_on: bool,
    switches: u32,
    /// It is not on, or not yet with all that it rests on: what is told is not promised.
    off: bool,
    /// Crash states examined.
    states: u64,
    /// Snapshots committed, and how often the log was on again.
    pub snapshots: u64,
    pub returns: u64,
}

/// When something was told that is not promised, for the log is off.
pub const UNPROMISED: u64 = u64::MAX;

impl Run {
    pub fn new(plan: Plan) -> Run {
        let (random, books) = (Random::new(plan.seed), Books::new(CLIENTS));
        Run {
            plan,
            random,
            books,
            jobs: Jobs::default(),
            awaited: Vec::new(),
            changes: 0,
            always_us: u64::MAX,
            wanted_on: true,
            switches: 0,
            off: false,
            states: 0,
            snapshots: 0,
            returns: 0,
        }
    }

    /// Some lives of a host, each ended by a crash. Returns how many crash states were examined.
    ///
    /// # Errors
    /// The seed, and what is wrong.
    pub fn lives(&mut self, lives: usize) -> Result<u64, String> {
        let mut disk = Disk::new(Bug::lies(self.plan.bug));
        disk.delays = self.plan.delays.then(|| Delays::new(self.plan.seed));
        for life in 0..lives {
            let cores = 1 + self.random.below(4) as u16;
            let mut host = self.live(&mut disk, cores).map_err(|wrong| {
                format!("seed {}, life {life}, {cores} cores: {wrong}", self.plan.seed)
            })?;
            let crash = *self.random.pick(&Crash::ALL);
            let after = disk.after(crash, &mut self.random);
            let before = std::mem::replace(&mut disk, after);
            self.settle(&mut disk, &mut host, before)
                .map_err(|wrong| format!("seed {}, {life}, {crash:?}: {wrong}", self.plan.seed))?;
        }
        Ok(self.states)
    }

    /// The node that goes on holds what it holds. `host` is the one that has crashed, `before` its
    /// disk.
    fn settle(&mut self, disk: &mut Disk, host: &mut Host, before: Disk) -> Result<(), String> {
        let (cores, crash_us) = (host.cores() as u16, host.now.mono_us);
        let mut recovered = recover(disk, 2, self.plan.policy, self.plan.bug)?;
        let promise = self.promise(disk, cores, crash_us);
        let held = self.books.check(&mut recovered.node, cores, &promise)?;
        self.conclude(host, before)?;
        let at = recovered.node.connect(0);
        let queue = self.jobs.check(&mut recovered.node, at, promise.limit_us())?;
        self.jobs.settle(queue);
        let opened = matches!(ask(&mut recovered.node, at, "GET account:0"), Value::Bulk(_));
        self.books.settle(&held, opened);
        Ok(())
    }

    /// What a host would have told of the writes in doubt, had it not crashed.
    fn conclude(&mut self, host: &mut Host, mut disk: Disk) -> Result<(), String> {
        // Of its own: lives to come do not depend on whether anything was in doubt.
        let (mut random, mut rounds) = (Random::new(self.plan.seed), 0);
        while self.books.doubts() {
            rounds += 1;
            if rounds > 10_000 {
                return Err("nobody is told whether writes were refused".to_owned());
            }
            host.now.mono_us += 1_000;
            disk.now_us = host.now.mono_us;
            (0..host.cores()).for_each(|core| host.turn(core, &mut disk));
            while host.complete_one(&mut disk, &mut random) {}
            self.hear(host)?;
        }
        Ok(())
    }

    /// What a node of so many cores has promised when the power goes now.
    fn promise<'d>(&self, disk: &'d Disk, cores: u16, crash_us: u64) -> Promise<'d> {
        let tied = self.plan.ties && cores > 1;
        let refuses = self.plan.fault.is_some();
        Promise { crash_us, delays: disk.delays.as_ref(), tied, refuses }
    }

    fn live(&mut self, disk: &mut Disk, cores: u16) -> Result<Host, String> {
        let Plan { policy, bug, .. } = self.plan;
        let recovered = recover(disk, cores, policy, bug)?;
        disk.begin_life();
        let mut host = Host::begin(recovered, CLIENTS + WORKERS, bug, disk);
        (self.always_us, self.changes) = (u64::MAX, 0);
        (self.wanted_on, self.switches, self.off) = (true, 0, false);
        disk.fault = self.plan.fault.map(|fault| {
            let nth = disk.operations() + 1 + self.random.below(fault.nth as usize) as u64;
            Fault { nth, ..fault }
        });
        self.awaited = vec![VecDeque::new(); CLIENTS + WORKERS];
        if self.plan.ties && self.books.opened_us.is_none() {
            self.say(&mut host, 0, vec![Books::opening()], Awaited::Opening);
        }
        for _ in 0..self.plan.events {
            host.now.mono_us += 1 + self.random.below(400) as u64;
            disk.now_us = host.now.mono_us;
            self.note_policy(&host);
            if self.random.percent(self.plan.pauses_percent) {
                self.pause(&mut host, disk);
            }
            if self.plan.changes_policy && self.random.percent(2) {
                self.change_policy(&mut host, disk)?;
            }
            self.snapshot(&mut host);
            match self.random.below(10) {
                0..=2 => self.act(&mut host),
                3..=6 => {
                    let core = self.random.below(host.cores());
                    host.turn(core, disk);
                }
                _ if !host.complete_one(disk, &mut self.random) => continue,
                _ => {}
            }
            self.hear(&mut host)?;
            self.note_log(&host);
            if self.random.percent(self.plan.probes_percent) {
                self.probe(disk, cores, host.now.mono_us)?;
            }
        }
        self.snapshots += host.snapshots;
        Ok(host)
    }

    /// Some milliseconds in which the cores turn and the disk does what it has been asked for.
    fn pause(&mut self, host: &mut Host, disk: &mut Disk) {
        for core in 0..host.cores() {
            host.turn(core, disk);
        }
        while host.complete_one(disk, &mut self.random) {}
        host.now.mono_us += self.random.below(60_000) as u64;
        disk.now_us = host.now.mono_us;
    }

    /// Now and then a client asks for a snapshot, or switches the log.
    fn snapshot(&mut self, host: &mut Host) {
        let Plan { snapshots_percent, switches, .. } = self.plan;
        if host.clients[0].closed || !self.random.percent(snapshots_percent) {
            return;
        }
        if !switches || self.random.percent(40) {
            // Unlike BGSAVE it is heard whatever is under way: another snapshot follows at once.
            return self.say(host, 0, vec!["BGREWRITEAOF".to_owned()], Awaited::Nothing);
        }
        self.off = true;
        self.wanted_on = !self.wanted_on;
        self.switches += 1;
        let word = if self.wanted_on { "yes" } else { "no" };
        self.say(host, 0, vec![format!("CONFIG SET appendonly {word}")], Awaited::Switch);
    }

    /// Once the log is on again, with the snapshot on which it rests, all that was told is kept.
    fn note_log(&mut self, host: &Host) {
        if self.off && self.wanted_on && self.switches == 0 && host.is_on() {
            self.off = false;
            self.returns += 1;
            let now_us = if self.always_us < UNPROMISED { 0 } else { host.now.mono_us };
            self.books.promise(now_us);
            self.jobs.promise(now_us);
        }
    }

    /// CONFIG SET, in the middle of everything or when nothing else is asked for.
    fn change_policy(&mut self, host: &mut Host, disk: &mut Disk) -> Result<(), String> {
        let rests = self.random.percent(30);
        if rests {
            self.rest(host, disk)?;
        }
        let policy = self.random.pick(&["always", "everysec"]);
        let line = format!("CONFIG SET appendfsync {policy}");
        self.changes += 1;
        self.say(host, 0, vec![line], Awaited::Change);
        self.note_policy(host);
        if rests { self.rest(host, disk) } else { Ok(()) }
    }

    /// Until every client has its replies.
    fn rest(&mut self, host: &mut Host, disk: &mut Disk) -> Result<(), String> {
        let mut rounds = 0;
        while self.awaited[..CLIENTS].iter().any(|awaited| !awaited.is_empty()) {
            rounds += 1;
            if rounds > 10_000 {
                return Err("replies do not come".to_owned());
            }
            host.now.mono_us += 10;
            disk.now_us = host.now.mono_us;
            let core = self.random.below(host.cores());
            host.turn(core, disk);
            host.complete_one(disk, &mut self.random);
            self.note_policy(host);
            self.hear(host)?;
        }
        Ok(())
    }

    fn note_policy(&mut self, host: &Host) {
        self.always_us = match self.changes == 0 && host.is_always() {
            true => self.always_us.min(host.now.mono_us),
            false => u64::MAX,
        };
    }

    /// Crashes the disk in every way and recovers from each, twice in a row.
    fn probe(&mut self, disk: &Disk, served: u16, crash_us: u64) -> Result<(), String> {
        let Plan { policy, bug, .. } = self.plan;
        let promise = self.promise(disk, served, crash_us);
        for crash in Crash::ALL {
            self.states += 1;
            let after = |wrong: String| {
                format!("{crash:?} at {crash_us} us, after {}: {wrong}", disk.operations())
            };
            let mut image = disk.after(crash, &mut self.random);
            let cores = 1 + self.random.below(4) as u16;
            let mut recovered = recover(&mut image, cores, policy, bug).map_err(after)?;
            self.books.check(&mut recovered.node, served, &promise).map_err(after)?;
            let at = recovered.node.connect(0);
            self.jobs.check(&mut recovered.node, at, promise.limit_us()).map_err(after)?;
            if self.random.percent(20) {
                let mut again = image.after(Crash::LosesAll, &mut self.random);
                let twice = recover(&mut again, 5 - cores, policy, bug).map_err(after)?;
                if twice.node.digest() != recovered.node.digest() {
                    return Err(after("a second crash left something else".to_owned()));
                }
            }
        }
        Ok(())
    }

    fn say(&mut self, host: &mut Host, client: usize, lines: Vec<String>, awaited: Awaited) {
        let silent = lines.len() - 1;
        self.awaited[client].extend(std::iter::repeat_n(Awaited::Nothing, silent));
        self.awaited[client].push_back(awaited);
        let text: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let at = host.clients[client].at;
        host.node.send(at, text.as_bytes());
    }

    /// A client sends something, without waiting for what it has sent before.
    fn act(&mut self, host: &mut Host) {
        let worker = CLIENTS + self.random.below(WORKERS);
        let idle = self.awaited[worker].is_empty() && !host.clients[worker].closed;
        if idle && self.random.percent(20) {
            let job = Awaited::Job { sent_us: host.now.mono_us };
            self.jobs.wait();
            self.say(host, worker, vec![jobs::WAIT.to_owned()], job);
        }
        let client = self.random.below(CLIENTS);
        if host.clients[client].closed || self.awaited[client].len() > 40 {
            return;
        }
        let kinds = Kind::ALL.len();
        for _ in 0..1 + self.random.below(4) {
            match self.random.below(10) {
                0 if self.books.opened_us.is_some() => {
                    let from = self.random.below(ACCOUNTS);
                    let to = (from + 1 + self.random.below(ACCOUNTS - 1)) % ACCOUNTS;
                    let lines = vec![
                        "MULTI".to_owned(),
                        format!("DECRBY account:{from} 3"),
                        format!("INCRBY account:{to} 3"),
                        "EXEC".to_owned(),
                    ];
                    self.say(host, client, lines, Awaited::Nothing);
                }
                1 => {
                    let track = self.random.below(CLIENTS) * kinds;
                    let line = format!("GET Counter:{}", track / kinds);
                    let reading = Awaited::Reading { track, sent_us: host.now.mono_us };
                    self.say(host, client, vec![line], reading);
                }
                2 => {
                    let (number, line) = self.jobs.push();
                    let push = Awaited::Push { number, sent_us: host.now.mono_us };
                    self.say(host, client, vec![line], push);
                }
                _ => {
                    let drawn = if self.plan.ties { kinds } else { Kind::ALONE };
                    let track = client * kinds + self.random.below(drawn);
                    let (number, lines) = self.books.tracks[track].next(host.now.mono_us);
                    self.say(host, client, lines, Awaited::Write { track, number });
                }
            }
        }
    }

    /// Books the replies that have come.
    fn hear(&mut self, host: &mut Host) -> Result<(), String> {
        let (sound, now_us) = (host.is_sound(), host.now.mono_us);
        let (always_us, off) = (self.always_us, self.off);
        let told_us = |sent_us| match sent_us > always_us {
            _ if off => UNPROMISED,
            true => 0,
            false => now_us,
        };
        for (client, connected) in host.clients.iter_mut().enumerate() {
            while let Ok(Some((reply, used))) = decode(&connected.received) {
                connected.received.drain(..used);
                let refused = matches!(&reply, Value::Error(_));
                if refused && self.plan.fault.is_none() {
                    return Err(format!("client {client} was refused: {reply:?}"));
                }
                match self.awaited[client].pop_front() {
                    Some(Awaited::Write { track, number }) => {
                        self.books.tracks[track].told(number, refused, told_us)?;
                    }
                    Some(Awaited::Reading { track, sent_us }) => {
                        let count = match &reply {
                            Value::Bulk(text) => String::from_utf8_lossy(text).parse().unwrap_or(0),
                            _ => 0,
                        };
                        // While a log is in trouble reads go on, and may see what is lost later.
                        if sound {
                            self.books.tracks[track].seen(count, told_us(sent_us));
                        }
                    }
                    Some(Awaited::Push { number, sent_us }) => {
                        self.jobs.push_told(number, refused, told_us(sent_us));
                    }
                    Some(Awaited::Job { sent_us }) => {
                        let number = match &reply {
                            Value::Array(pair) => {
                                numbered::numbers(&reply).get(pair.len() - 1).copied()
                            }
                            _ => None,
                        };
                        self.jobs.pop_told(number, told_us(sent_us));
                    }
                    Some(Awaited::Opening) => {
                        let told_us = if off { UNPROMISED } else { now_us };
                        self.books.opened_us = (!refused).then_some(told_us);
                    }
                    Some(Awaited::Switch) => self.switches -= 1,
                    Some(Awaited::Change) => self.changes -= 1,
                    Some(Awaited::Nothing) => {}
                    None => return Err(format!("client {client} got {reply:?} for nothing")),
                }
            }
        }
        Ok(())
    }
}
