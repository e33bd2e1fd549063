//! Snapshots of a real server amid transfers: money moves between accounts on all cores over
//! several connections while BGSAVE is asked for again and again. Each finished snapshot is copied
//! aside and another server, with another number of cores, starts on the copy: the accounts
//! together must hold what they held at the opening, to the last unit, and no other key may be
//! missing. A cut that is not one moment of all cores has half of some transfer. The same holds for
//! the copies that `redis-cli --rdb` gets and for the files of `snapshot-format rdb`, which
//! redis-server loads.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use freehold_protocol::resp::value::Value;

use crate::client::Client;
use crate::folder::Folder;
use crate::numbered;
use crate::random::Random;
use crate::redis_cli;
use crate::server::{Server, freehold, redis};
use crate::transactions::planted::{self, Bug};
use crate::wait;

const ACCOUNTS: usize = 64;
const OPENING: i64 = 1_000;
/// Keys that make the walk of a snapshot take many turns.
const OTHERS: usize = 20_000;
/// Transfers a teller sends at once.
const PIPELINE: usize = 8;
const SNAPSHOT_LIMIT: Duration = Duration::from_secs(60);

/// What is done wrongly on purpose, to see that it is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A transfer is two commands, between which a snapshot may be cut.
    Torn,
    /// An account of a loaded snapshot is one unit richer.
    Altered,
    /// One of the other keys of a loaded snapshot is gone.
    Missing,
}

impl Fault {
    pub const ALL: &[(&str, Fault)] =
        &[("torn", Fault::Torn), ("altered", Fault::Altered), ("missing", Fault::Missing)];

    pub fn named(name: &str) -> Option<Fault> {
        Fault::ALL.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault)
    }
}

/// Who takes the snapshots, and who reads them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum By {
    /// BGSAVE; another server starts on the files.
    Snapshot,
    /// BGSAVE with `snapshot-format rdb`; redis-server loads `dump.rdb`.
    RdbFile,
    /// `redis-cli --rdb`; redis-server loads its file.
    Copy,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub snapshots: u64,
    pub cores: u16,
    pub tellers: usize,
    pub by: By,
    pub fault: Option<Fault>,
}

/// What came of it.
#[derive(Clone, Default, Debug)]
pub struct Verdict {
    pub snapshots: u64,
    pub transfers: u64,
    /// Transfers answered between a BGSAVE and the end of its snapshot.
    pub transfers_meanwhile: u64,
    pub complaints: Vec<String>,
}

/// A server with the folder it works on; the server ends first.
struct Served {
    server: Server,
    folder: Folder,
}

impl Served {
    fn start(folder: Folder, cores: u16) -> Served {
        let directory = folder.path().display().to_string();
        let server = freehold(cores).with(&["--dir", &directory]).start();
        Served { server, folder }
    }
}

/// Takes snapshots until there are enough or one is wrong; `progress` hears how many were good.
///
/// # Panics
/// When a server does not start, or a snapshot does not end.
pub fn run(plan: &Plan, mut progress: impl FnMut(u64)) -> Verdict {
    let name = format!("cuts-{}-{}", plan.cores, plan.seed);
    let data = Served::start(Folder::new(&name), plan.cores);
    let server = &data.server;
    open(server);
    if plan.by == By::RdbFile {
        assert_eq!(server.client().said("CONFIG SET snapshot-format rdb"), "+OK");
    }
    let address = match plan.fault {
        Some(Fault::Torn) => planted::proxy(server.address(), Some(Bug::Torn), plan.seed),
        _ => server.address().to_owned(),
    };
    let (over, moved) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut random = Random::new(plan.seed);
    let mut verdict = Verdict::default();
    thread::scope(|scope| {
        // The tellers end also when something here panics.
        let _stop = Stop(&over);
        for _ in 0..plan.tellers {
            let (address, over, moved) = (&address, &over, &moved);
            let random = Random::new(random.word());
            scope.spawn(move || teller(address, random, over, moved));
        }
        let mut client = server.client();
        wait::until("all tellers to move money", SNAPSHOT_LIMIT, || {
            moved.load(Ordering::Relaxed) > 100 * plan.tellers as u64
        });
        while verdict.snapshots < plan.snapshots && verdict.complaints.is_empty() {
            let before = moved.load(Ordering::Relaxed);
            let copy = Folder::new(&format!("{name}-copy"));
            let file = match plan.by {
                By::Copy => {
                    let file = copy.path().join("dump.rdb");
                    redis_cli::copy(server.port(), &file);
                    Some(file)
                }
                By::RdbFile => {
                    save(&mut client);
                    Some(data.folder.path().join("dump.rdb"))
                }
                By::Snapshot => {
                    save(&mut client);
                    None
                }
            };
            verdict.transfers_meanwhile += moved.load(Ordering::Relaxed) - before;
            let wrong = if let Some(file) = file {
                judge(&loaded_by_redis(&file), plan.fault)
            } else {
                let files = |of: &Folder| of.path().join("appendonlydir");
                copy_files(&files(&data.folder), &files(&copy));
                let cores = 1 + random.below(3) as u16;
                judge(&Served::start(copy, cores).server, plan.fault)
            };
            let number = verdict.snapshots;
            verdict.complaints.extend(wrong.map(|wrong| format!("snapshot {number}: {wrong}")));
            verdict.snapshots += 1;
            progress(verdict.snapshots);
        }
    });
    verdict.transfers = moved.load(Ordering::Relaxed);
    verdict
}

struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn open(server: &Server) {
    let mut client = server.client();
    let pair = |key: String, value: String| vec![b"SET".to_vec(), key.into(), value.into()];
    let mut requests: Vec<_> = (0..ACCOUNTS)
        .map(|number| pair(format!("account:{number}"), OPENING.to_string()))
        .collect();
    requests.extend((0..OTHERS).map(|number| pair(format!("other:{number}"), "x".repeat(64))));
    for some in requests.chunks(1_000) {
        client.pipeline(some);
    }
}

/// Moves money until it is over.
fn teller(address: &str, mut random: Random, over: &AtomicBool, moved: &AtomicU64) {
    let mut client = Client::connect(address);
    while !over.load(Ordering::Relaxed) {
        for _ in 0..PIPELINE {
            let from = random.below(ACCOUNTS);
            let to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
            let amount = random.between(1, 9).to_string();
            client.queue(&["MULTI"]);
            client.queue(&["DECRBY", &format!("account:{from}"), &amount]);
            client.queue(&["INCRBY", &format!("account:{to}"), &amount]);
            client.queue(&["EXEC"]);
        }
        for _ in 0..PIPELINE * 4 {
            client.read();
        }
        moved.fetch_add(PIPELINE as u64, Ordering::Relaxed);
    }
}

/// One snapshot from BGSAVE to its end.
fn save(client: &mut Client) {
    let saved = client.info_number("persistence", "rdb_saves");
    assert_eq!(client.said("BGSAVE"), "+Background saving started");
    wait::until("the snapshot to end", SNAPSHOT_LIMIT, || {
        client.info("persistence", "rdb_bgsave_in_progress") == "0"
    });
    assert_eq!(client.info("persistence", "rdb_last_bgsave_status"), "ok");
    assert_eq!(client.info_number("persistence", "rdb_saves"), saved + 1);
}

/// A redis-server with the keys of a file.
///
/// # Panics
/// When it refuses the file.
pub fn loaded_by_redis(file: &Path) -> Server {
    let server = redis().start();
    fs::copy(file, server.directory().join("dump.rdb")).expect("the file is there");
    assert_eq!(server.client().said("DEBUG RELOAD NOSAVE NOFLUSH"), "+OK");
    server
}

/// Copies what counts; files of an earlier snapshot may vanish meanwhile.
fn copy_files(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory for the copy");
    for entry in fs::read_dir(from).expect("the data is there") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a file has a name"));
        match fs::copy(&path, target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                panic!("{} cannot be copied: {error}", path.display());
            }
            _ => {}
        }
    }
}

/// What is wrong with what a server has loaded.
fn judge(server: &Server, fault: Option<Fault>) -> Option<String> {
    let mut client = server.client();
    match fault {
        Some(Fault::Altered) => drop(client.said("INCR account:7")),
        Some(Fault::Missing) => drop(client.said("DEL other:7")),
        Some(Fault::Torn) | None => {}
    }
    let mut total = 0;
    for number in 0..ACCOUNTS {
        let held = numbered::text(&client.call(&["GET", &format!("account:{number}")]));
        match held.parse::<i64>() {
            Ok(held) => total += held,
            Err(_) => return Some(format!("account:{number} holds {held:?}")),
        }
    }
    let due = OPENING * ACCOUNTS as i64;
    if total != due {
        return Some(format!("the accounts together hold {total}, not {due}"));
    }
    let (keys, due) = (client.call(&["DBSIZE"]), (ACCOUNTS + OTHERS) as i64);
    (keys != Value::Integer(due)).then(|| format!("it has {keys:?} keys, not {due}"))
}
