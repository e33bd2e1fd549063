//! SIGKILL against a real server with `appendfsync always`: writers pipeline every kind of write
//! and remember what was acknowledged, the process is killed in the middle, another with another
//! number of cores starts on its files, and what it holds is compared. A write that was
//! acknowledged is there, one that was never sent is not, and no transaction is there in part.

mod books;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use freehold_protocol::resp::value::Value;

use crate::client::Client;
use crate::folder::Folder;
use crate::numbered::{self, Kind};
use crate::random::Random;
use crate::server::{Options, Server, freehold};
use books::{ACCOUNTS, Track};

/// Requests a writer sends at once; a transaction counts as one.
const PIPELINE_MAX: usize = 24;

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
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
    pub complaints: Vec<String>,
}

impl Verdict {
    /// Adds what another run has found.
    pub fn add(&mut self, other: Verdict) {
        self.cycles += other.cycles;
        self.acknowledged += other.acknowledged;
        self.found_unacknowledged += other.found_unacknowledged;
        self.slowest_start_ms = self.slowest_start_ms.max(other.slowest_start_ms);
        self.complaints.extend(other.complaints);
    }

    /// One line for a file of results.
    pub fn json(&self, seed: u64, seconds: f64) -> String {
        let Verdict { cycles, acknowledged, found_unacknowledged, slowest_start_ms, .. } = self;
        let complaints: Vec<String> =
            self.complaints.iter().map(|wrong| format!("{wrong:?}")).collect();
        format!(
            "{{\"seed\": {seed}, \"cycles\": {cycles}, \"acknowledged\": {acknowledged}, \
             \"found_unacknowledged\": {found_unacknowledged}, \
             \"slowest_start_ms\": {slowest_start_ms}, \"seconds\": {seconds:.1}, \
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

/// Runs cycles until one has something to complain about; `progress` hears how many are done.
///
/// # Panics
/// When a server does not start.
pub fn run(plan: &Plan, mut progress: impl FnMut(u64)) -> Verdict {
    let home = Folder::new(&format!("kills-{}", plan.seed));
    let mut random = Random::new(plan.seed);
    let mut writers: Vec<Writer> = (0..plan.writers)
        .map(|writer| Writer {
            random: Random::new(random.word()),
            tracks: Kind::ALL.map(|kind| Track::new(kind, writer)).into(),
        })
        .collect();
    let mut verdict = Verdict::default();
    let log = home.path().join("log").display().to_string();
    while verdict.cycles < plan.cycles && verdict.complaints.is_empty() {
        let cores = 1 + (verdict.cycles % 2) as u16;
        let started = Instant::now();
        let server = options(cores, &log).start();
        verdict.slowest_start_ms = verdict.slowest_start_ms.max(started.elapsed().as_millis());
        audit(&server, &mut writers, &mut verdict);
        let life_ms = random.between(plan.life_ms.0, plan.life_ms.1);
        live(&server, &mut writers, Duration::from_millis(life_ms as u64));
        verdict.acknowledged += writers.iter().map(Writer::take_acknowledged).sum::<u64>();
        verdict.cycles += 1;
        progress(verdict.cycles);
    }
    if verdict.complaints.is_empty() {
        audit(&options(2, &log).start(), &mut writers, &mut verdict);
    }
    verdict
}

fn options(cores: u16, log: &str) -> Options {
    let words = ["--appendonly", "yes", "--appendfsync", "always", "--appenddirname", log];
    freehold(cores).with(&words)
}

/// All write until the server is killed.
fn live(server: &Server, writers: &mut [Writer], life: Duration) {
    let address = server.address();
    thread::scope(|scope| {
        for writer in writers {
            scope.spawn(move || {
                // The connection ends with the server: that is how this ends.
                let _ = writer.write(address);
            });
        }
        thread::sleep(life);
        server.signal("KILL");
    });
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
fn audit(server: &Server, writers: &mut [Writer], verdict: &mut Verdict) {
    let mut client = server.client();
    for track in writers.iter_mut().flat_map(|writer| &mut writer.tracks) {
        match track.check(&mut client) {
            Ok(held) => verdict.found_unacknowledged += track.settle(held),
            Err(wrong) => verdict.complaints.push(wrong),
        }
    }
    let mut money = 0;
    for account in 0..ACCOUNTS {
        let balance = client.call(&["GET", &format!("account:{account}")]);
        money += numbered::text(&balance).parse::<i64>().unwrap_or(0);
    }
    if money != 0 {
        verdict.complaints.push(format!("the accounts together hold {money}, not 0"));
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(track.judge(&[1, 2, 3]), Ok(3));
        assert_eq!(track.judge(&[1, 2, 3, 4]), Ok(4), "it was under way");
        assert!(track.judge(&[1, 2]).is_err_and(|wrong| wrong.contains("lost")));
        assert!(track.judge(&[1, 3, 4]).is_err(), "a gap");
        assert!(track.judge(&[1, 2, 3, 4, 5]).is_err(), "never sent");
    }
}
