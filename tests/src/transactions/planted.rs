//! Planted bugs: a proxy between the clients and a good server that treats transactions wrongly in
//! one way. The clients know nothing of it; what the checkers say about them shows that the live
//! run would say it about a server with that bug.

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use freehold_protocol::resp::value::encode_request;

use crate::random::Random;
use crate::raw::Raw;
use crate::show::{bytes, items};

/// What is done wrongly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bug {
    /// The commands of a transaction run one by one.
    Torn,
    /// Some transactions are acknowledged and their writes dropped.
    Lost,
    /// Of some the last write is dropped.
    Halved,
    /// Some run twice.
    Doubled,
    /// Some that watch a key run, and their client is told that they did not.
    Denied,
    /// Some readings are answered with what an earlier one saw.
    Stale,
    /// WATCH is acknowledged and forgotten.
    Unwatched,
    /// MSET is a SET for each pair.
    SplitMset,
    /// RENAME takes the value away before it puts it down.
    SplitRename,
}

impl Bug {
    pub const ALL: &[(&str, Bug)] = &[
        ("torn", Bug::Torn),
        ("lost", Bug::Lost),
        ("halved", Bug::Halved),
        ("doubled", Bug::Doubled),
        ("denied", Bug::Denied),
        ("stale", Bug::Stale),
        ("unwatched", Bug::Unwatched),
        ("split-mset", Bug::SplitMset),
        ("split-rename", Bug::SplitRename),
    ];

    pub fn named(name: &str) -> Option<Bug> {
        Bug::ALL.iter().find(|(known, _)| *known == name).map(|(_, bug)| *bug)
    }
}

/// How often a bug that does not always strike does.
const STRIKES_PERCENT: usize = 20;
/// Readings that are remembered, for stale answers: the oldest of them is given.
const PAST_MAX: usize = 8;

type Request = Vec<Vec<u8>>;
/// Answers of readings by what was asked.
type Past = Arc<Mutex<HashMap<Vec<u8>, VecDeque<Vec<u8>>>>>;

/// A proxy in front of `target`; it serves until the process ends.
///
/// # Panics
/// When there is no free port.
pub fn proxy(target: &str, bug: Option<Bug>, seed: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let target = target.to_owned();
    let past = Past::default();
    thread::spawn(move || {
        let mut seeds = Random::new(seed);
        for near in listener.incoming().flatten() {
            let (target, past, seed) = (target.clone(), Arc::clone(&past), seeds.word());
            thread::spawn(move || serve(near, &target, bug, past, seed));
        }
    });
    address
}

fn serve(near: TcpStream, target: &str, bug: Option<Bug>, past: Past, seed: u64) -> Option<()> {
    near.set_nodelay(true).ok()?;
    let mut near = Raw { stream: near };
    let far = Raw::connect(target).ok()?;
    let random = Random::new(seed);
    let mut asked = Vec::new();
    let mut between =
        Between { far, answers: Vec::new(), bug, random, past, queued: None, watches: false };
    loop {
        let (value, used) = near.next(&mut asked)?;
        asked.drain(..used);
        let request = items(&value)?.iter().filter_map(bytes).map(<[u8]>::to_vec).collect();
        let reply = between.answer(request)?;
        near.stream.write_all(&reply).ok()?;
    }
}

/// One connection as the proxy sees it.
struct Between {
    far: Raw,
    /// Bytes of the server that belong to no reply yet.
    answers: Vec<u8>,
    bug: Option<Bug>,
    random: Random,
    past: Past,
    /// What has come since MULTI.
    queued: Option<Vec<Request>>,
    watches: bool,
}

impl Between {
    fn answer(&mut self, request: Request) -> Option<Vec<u8>> {
        let name = String::from_utf8_lossy(&request[0]).to_uppercase();
        match (name.as_str(), &mut self.queued) {
            ("EXEC", queued) => {
                let queued = queued.take().unwrap_or_default();
                return self.exec(queued);
            }
            (_, Some(queued)) => {
                queued.push(request);
                return Some(b"+QUEUED\r\n".to_vec());
            }
            ("MULTI", None) => {
                self.queued = Some(Vec::new());
                return Some(b"+OK\r\n".to_vec());
            }
            ("WATCH", None) if self.bug == Some(Bug::Unwatched) => {
                return Some(b"+OK\r\n".to_vec());
            }
            _ => {}
        }
        match (name.as_str(), self.bug) {
            ("WATCH", _) => self.watches = true,
            ("UNWATCH", _) => self.watches = false,
            ("MGET", Some(Bug::Stale)) => return self.stale(vec![request]),
            ("MSET", Some(Bug::SplitMset)) => return self.split_mset(&request),
            ("RENAME", Some(Bug::SplitRename)) => return self.split_rename(&request),
            _ => {}
        }
        self.ask(&request)
    }

    /// One request to the server, its reply as it came.
    fn ask(&mut self, request: &Request) -> Option<Vec<u8>> {
        self.send(std::slice::from_ref(request))?;
        self.hear()
    }

    fn send(&mut self, requests: &[Request]) -> Option<()> {
        let mut encoded = Vec::new();
        requests.iter().for_each(|request| encode(request, &mut encoded));
        self.far.send(&encoded).ok()
    }

    fn hear(&mut self) -> Option<Vec<u8>> {
        let (_, used) = self.far.next(&mut self.answers)?;
        Some(self.answers.drain(..used).collect())
    }

    fn exec(&mut self, mut queued: Vec<Request>) -> Option<Vec<u8>> {
        let watches = std::mem::take(&mut self.watches);
        let strikes = self.random.percent(STRIKES_PERCENT);
        match self.bug {
            Some(Bug::Torn) => return self.one_by_one(&queued),
            Some(Bug::Lost) if strikes => {
                queued.iter_mut().filter(|request| is_write(request)).for_each(drop_write);
            }
            Some(Bug::Halved) if strikes => {
                queued
                    .iter_mut()
                    .rfind(|request| is_write(request))
                    .into_iter()
                    .for_each(drop_write);
            }
            Some(Bug::Doubled) if strikes => {
                self.whole(&queued)?;
            }
            Some(Bug::Denied) if strikes && watches => {
                self.whole(&queued)?;
                return Some(b"*-1\r\n".to_vec());
            }
            Some(Bug::Stale) if !watches && queued.iter().all(is_read) => {
                return self.stale(queued);
            }
            _ => {}
        }
        self.whole(&queued)
    }

    /// The transaction as it should be; the reply of EXEC.
    fn whole(&mut self, queued: &[Request]) -> Option<Vec<u8>> {
        let mut requests = vec![vec![b"MULTI".to_vec()]];
        requests.extend_from_slice(queued);
        requests.push(vec![b"EXEC".to_vec()]);
        self.send(&requests)?;
        for _ in 0..queued.len() + 1 {
            self.hear()?;
        }
        self.hear()
    }

    fn one_by_one(&mut self, queued: &[Request]) -> Option<Vec<u8>> {
        let mut reply = format!("*{}\r\n", queued.len()).into_bytes();
        for request in queued {
            reply.extend(self.ask(request)?);
        }
        Some(reply)
    }

    /// Reads, and answers with that or with what stood there some readings ago.
    fn stale(&mut self, asked: Vec<Request>) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        asked.iter().for_each(|request| encode(request, &mut key));
        let fresh = match &asked[..] {
            [one] if self.queued.is_none() && one[0] == b"MGET" => self.ask(one)?,
            _ => self.whole(&asked)?,
        };
        let strikes = self.random.percent(STRIKES_PERCENT);
        let mut past = self.past.lock().expect("nobody panics with it");
        let answers = past.entry(key).or_default();
        answers.push_back(fresh);
        if answers.len() > PAST_MAX {
            answers.pop_front();
        }
        if strikes { answers.front().cloned() } else { answers.back().cloned() }
    }

    fn split_mset(&mut self, request: &Request) -> Option<Vec<u8>> {
        let mut reply = Vec::new();
        for pair in request[1..].chunks(2) {
            reply = self.ask(&[&[b"SET".to_vec()][..], pair].concat())?;
        }
        Some(reply)
    }

    fn split_rename(&mut self, request: &Request) -> Option<Vec<u8>> {
        let [_, from, to] = &request[..] else { return self.ask(request) };
        let told = self.ask(&vec![b"GETDEL".to_vec(), from.clone()])?;
        let text = told.split(|&byte| byte == b'\n').nth(1)?.strip_suffix(b"\r")?;
        self.ask(&vec![b"SET".to_vec(), to.clone(), text.to_vec()])
    }
}

fn encode(request: &Request, out: &mut Vec<u8>) {
    let parts: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
    encode_request(&parts, out);
}

fn is_write(request: &Request) -> bool {
    [&b"DECRBY"[..], b"INCRBY", b"RPUSH"].contains(&request[0].as_slice())
}

fn is_read(request: &Request) -> bool {
    [&b"GET"[..], b"MGET", b"LRANGE", b"EXISTS"].contains(&request[0].as_slice())
}

/// In the place of a write, something that answers a number as well.
fn drop_write(request: &mut Request) {
    *request = vec![b"EXISTS".to_vec(), b"nothing".to_vec()];
}
