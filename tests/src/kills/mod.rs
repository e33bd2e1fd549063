//! SIGKILL against a real server: writers pipeline every kind of write and remember what was
//! acknowledged, the process is killed in the middle, another with another number of cores starts
//! on its files, and what it holds is compared. A write that was acknowledged is there, one that
//! was never sent is not, and no transaction is there in part. On a disk that loses its power with
//! the process (`lossy`) this shows what `appendfsync` promises: all of it under `always`, and
//! under `everysec` all that was acknowledged more than 1.1 s before.

mod books;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use freehold_protocol::resp::value::Value;

use crate::client::Client;
use crate::folder::Folder;
use crate::lossy::Mount;
use crate::numbered::{self, Kind};
use crate::random::Random;
use crate::server::{Options, Server, freehold};
use books::{ACCOUNTS, Track};

/// Requests a writer sends at once; a transaction counts as one.
const PIPELINE_MAX: usize = 24;

/// What may be lost under `everysec`: the second, and what a busy machine adds to it.
const WINDOW: Duration = Duration::from_millis(1_100);

/// How long a killed process may take to be gone.
const END_LIMIT: Duration = Duration::from_secs(20);

/// `appendfsync`, as far as it promises anything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    Always,
    EverySec,
}

/// Where the files lie.
pub enum Disk {
    /// In the directory for temporary files, which outlives the process with all that was written.
    System,
    /// On a mount whose power goes with the process.
    Lossy(Mount),
}

impl Disk {
    /// Under `always` starts and comparisons are not what a slow disk is for: they would take
    /// minutes.
    fn set_slow(&self, slow: bool) {
        if let Disk::Lossy(mount) = self {
            mount.set_slow(slow);
        }
    }

    /// The power goes, if it can; says how.
    fn lose_power(&self) -> String {
        let Disk::Lossy(mount) = self else { return "killed".to_owned() };
        let cut = mount.cut_power();
        format!("{:?} with {} syncs under way", cut.crash, cut.syncs_under_way)
    }
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub policy: Policy,
    pub cycles: u64,
    pub writers: usize,
    /// How long a server lives, in milliseconds.
    pub life_ms: (i64, i64),
}

/// What came of it.
#[derive(Clone, Default, Debug)]
pub struct Verdict {
    pub cycles: u64,
    pub acknowledged: u64,
    /// Writes found that were under way when their server died.
    pub found_unacknowledged: u64,
    pub slowest_start_ms: u128,
    /// For how long the oldest write had been acknowledged that was lost, as it may be under
    /// `everysec`.
    pub oldest_lost_ms: u128,
    pub complaints: Vec<String>,
}

impl Verdict {
    /// Adds what another run has found.
    pub fn add(&mut self, other: Verdict) {
        self.cycles += other.cycles;
        self.acknowledged += other.acknowledged;
        self.found_unacknowledged += other.found_unacknowledged;
        self.slowest_start_ms = self.slowest_start_ms.max(other.slowest_start_ms);
        self.oldest_lost_ms = self.oldest_lost_ms.max(other.oldest_lost_ms);
        self.complaints.extend(other.complaints);
    }

    /// One line for a file of results.
    pub fn json(&self, seed: u64, seconds: f64) -> String {
        let Verdict { cycles, acknowledged, found_unacknowledged, .. } = self;
        let Verdict { slowest_start_ms, oldest_lost_ms, .. } = self;
        let complaints: Vec<String> =
            self.complaints.iter().map(|wrong| format!("{wrong:?}")).collect();
        format!(
            "{{\"seed\": {seed}, \"cycles\": {cycles}, \"acknowledged\": {acknowledged}, \
             \"found_unacknowledged\": {found_unacknowledged}, \
             \"slowest_start_ms\": {slowest_start_ms}, \
             \"oldest_lost_ms\": {oldest_lost_ms}, \"seconds\": {seconds:.1}, \
             \"complaints\": [{}]}}",
            complaints.join(", ")
        )
    }
}

/// One writer: its connection's share of the books.
struct Writer {
    random: Random,
    tracks: Vec<Track>,
}

/// How a life has ended.
struct End {
    at: Instant,
    /// For complaints.
    how: String,
}

/// Runs cycles until one has something to complain about; `progress` hears how many are done.
pub fn run(plan: &Plan, disk: &Disk, mut progress: impl FnMut(u64)) -> Verdict {
    let home = Folder::new(&format!("kills-{}", plan.seed));
    let mut random = Random::new(plan.seed);
    let mut writers: Vec<Writer> = (0..plan.writers)
        .map(|writer| Writer {
            random: Random::new(random.word()),
            tracks: Kind::ALL.map(|kind| Track::new(kind, writer)).into(),
        })
        .collect();
    let mut verdict = Verdict::default();
    let mut end = None;
    while verdict.complaints.is_empty() {
        let cores = 1 + (verdict.cycles % 2) as u16;
        // Under `everysec` replies do not wait for a disk that has been quick so far, and what is
        // acknowledged before its first late sync has ended can be lost. Here it is late at once.
        disk.set_slow(plan.policy == Policy::EverySec);
        let started = Instant::now();
        let mut server = match options(cores, plan, disk, &home).try_start() {
            Ok(server) => server,
            Err(said) => {
                let how = end.map_or(String::new(), |end: End| end.how);
                verdict.complaints.push(format!("{how} no start: {said}"));
                break;
            }
        };
        verdict.slowest_start_ms = verdict.slowest_start_ms.max(started.elapsed().as_millis());
        audit(&server, &mut writers, plan, end.as_ref(), &mut verdict);
        if verdict.cycles == plan.cycles || !verdict.complaints.is_empty() {
            break;
        }
        disk.set_slow(true);
        let life_ms = random.between(plan.life_ms.0, plan.life_ms.1) as u64;
        let rewrites = matches!(disk, Disk::Lossy(_)) && random.percent(40);
        let life = Duration::from_millis(life_ms);
        let (at, cut) = live(&server, &mut writers, life, rewrites, disk);
        if let Disk::Lossy(mount) = disk {
            // Until it is gone, what it still asks of the disk must fail.
            server.wait_for_exit(END_LIMIT);
            mount.power_on();
        }
        end = Some(End { at, how: format!("cycle {}, {cut}:", verdict.cycles + 1) });
        verdict.acknowledged += writers.iter().map(Writer::take_acknowledged).sum::<u64>();
        verdict.cycles += 1;
        progress(verdict.cycles);
    }
    verdict
}

fn options(cores: u16, plan: &Plan, disk: &Disk, home: &Folder) -> Options {
    let policy = match plan.policy {
        Policy::Always => "always",
        Policy::EverySec => "everysec",
    };
    let place = match disk {
        Disk::System => {
            ["--appenddirname".to_owned(), home.path().join("log").display().to_string()]
        }
        Disk::Lossy(mount) => ["--dir".to_owned(), mount.path().display().to_string()],
    };
    let words = ["--appendonly", "yes", "--appendfsync", policy, &place[0], &place[1]];
    freehold(cores).with(&words)
}

/// All write until the server is killed and the power goes; returns when and how that was.
fn live(
    server: &Server,
    writers: &mut [Writer],
    life: Duration,
    rewrites: bool,
    disk: &Disk,
) -> (Instant, String) {
    let address = server.address();
    thread::scope(|scope| {
        for writer in writers {
            scope.spawn(move || {
                // The connection ends with the server: that is how this ends.
                let _ = writer.write(address);
            });
        }
        if rewrites {
            scope.spawn(move || {
                thread::sleep(life / 2);
                let client = Client::try_connect(address);
                // The server may be killed before it answers.
                let _ = client.and_then(|mut client| client.try_call(&["BGREWRITEAOF"]));
            });
        }
        thread::sleep(life);
        let killed = Instant::now();
        server.signal("KILL");
        // At once: a process is not gone, and its connections not closed, before its syncs end.
        (killed, disk.lose_power())
    })
}

impl Writer {
    fn write(&mut self, address: &str) -> io::Result<()> {
        let mut client = Client::try_connect(address)?;
        loop {
            let mut sent = Vec::new();
            for _ in 0..1 + self.random.below(PIPELINE_MAX) {
                if self.random.percent(8) {
                    sent.push((None, self.transfer(&mut client)));
                    continue;
                }
                let track = self.random.below(self.tracks.len());
                let (number, requests) = self.tracks[track].next();
                requests.iter().for_each(|request| queue(&mut client, request));
                sent.push((Some((track, number)), requests.len()));
            }
            client.flush()?;
            for (write, replies) in sent {
                for _ in 1..replies {
                    client.try_read()?;
                }
                let last = client.try_read()?;
                if let Some((track, number)) = write {
                    self.tracks[track].told(number, matches!(last, Value::Error(_)));
                }
            }
        }
    }

    /// Moves money between two accounts of all.
    fn transfer(&mut self, client: &mut Client) -> usize {
        let from = self.random.below(ACCOUNTS);
        let to = (from + 1 + self.random.below(ACCOUNTS - 1)) % ACCOUNTS;
        let amount = self.random.between(1, 9);
        let (down, up) =
            (format!("DECRBY account:{from} {amount}"), format!("INCRBY account:{to} {amount}"));
        ["MULTI", &down, &up, "EXEC"].iter().for_each(|request| queue(client, request));
        4
    }

    fn take_acknowledged(&self) -> u64 {
        self.tracks.iter().map(Track::acknowledged).sum()
    }
}

fn queue(client: &mut Client, request: &str) {
    client.queue(&request.split(' ').collect::<Vec<&str>>());
}

/// Compares what a server holds after its start, and goes on from there.
fn audit(
    server: &Server,
    writers: &mut [Writer],
    plan: &Plan,
    end: Option<&End>,
    verdict: &mut Verdict,
) {
    let mut client = server.client();
    let due = match plan.policy {
        Policy::Always => None,
        Policy::EverySec => end.and_then(|end| end.at.checked_sub(WINDOW)),
    };
    let how = end.map_or("", |end| &end.how);
    for track in writers.iter_mut().flat_map(|writer| &mut writer.tracks) {
        match track.check(&mut client, due) {
            Ok(held) => {
                let lost = end.and_then(|end| track.lost(held, end.at));
                let oldest_ms = lost.map_or(0, |age| age.as_millis());
                verdict.oldest_lost_ms = verdict.oldest_lost_ms.max(oldest_ms);
                verdict.found_unacknowledged += track.settle(held);
            }
            Err(wrong) => verdict.complaints.push(format!("{how} {wrong}")),
        }
    }
    let mut money = 0;
    for account in 0..ACCOUNTS {
        let balance = client.call(&["GET", &format!("account:{account}")]);
        money += numbered::text(&balance).parse::<i64>().unwrap_or(0);
    }
    if money != 0 {
        verdict.complaints.push(format!("{how} the accounts together hold {money}, not 0"));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::books::Track;
    use crate::numbered::Kind;

    #[test]
    fn a_track_must_hold_what_was_acknowledged_and_nothing_else() {
        let mut track = Track::new(Kind::List, 0);
        for number in 1..=3 {
            track.next();
            track.told(number, false);
        }
        track.next();
        assert_eq!(track.judge(&[1, 2, 3], None), Ok(3));
        assert_eq!(track.judge(&[1, 2, 3, 4], None), Ok(4), "it was under way");
        assert!(track.judge(&[1, 2], None).is_err_and(|wrong| wrong.contains("lost")));
        assert!(track.judge(&[1, 3, 4], None).is_err(), "a gap");
        assert!(track.judge(&[1, 2, 3, 4, 5], None).is_err(), "never sent");
    }

    #[test]
    fn what_was_acknowledged_after_it_was_due_may_be_lost() {
        let before = Instant::now();
        let mut track = Track::new(Kind::List, 0);
        track.next();
        track.told(1, false);
        let due = Instant::now();
        track.next();
        track.told(2, false);
        assert_eq!(track.judge(&[1], Some(due)), Ok(1));
        assert_eq!(track.judge(&[], Some(before)), Ok(0));
        assert!(track.judge(&[], Some(due)).is_err());
        assert!(track.lost(1, Instant::now()).is_some() && track.lost(2, due).is_none());

        track.settle(1);
        assert!(track.judge(&[], Some(before)).is_err(), "a server has started with it");
    }
}
