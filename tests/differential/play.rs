//! Plays turns on both servers and stops at the first difference that nobody meant. Every chapter
//! begins from new connections and empty databases.

use std::io;
use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::show::{bytes, command_line, items, show};
use freehold_tests::wait;

use crate::allow::AllowList;
use crate::judge::{canonical, parts_ways};
use crate::newer;
use crate::step::{CONNECTIONS, Request, Step, Turn, request};

/// How long a key may outlive its deadline before the run calls it a difference.
const LAPSE_LIMIT: Duration = Duration::from_secs(2);
/// How long a reply may take: nothing a run asks for waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// Databases an audit looks into: those the vocabulary names.
const AUDITED: &[&str] = &["0", "1", "2", "3", "15"];
/// Keys an audit asks about in one pipeline.
const AUDITED_TOGETHER: usize = 16;
const SCAN_CALLS_MAX: usize = 10_000;

/// Where two servers parted.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Index of the turn.
    pub at: usize,
    pub request: String,
    pub reference: String,
    pub subject: String,
}

/// One server with its connections; the last connection only looks on.
struct Side {
    address: String,
    connections: Vec<Client>,
}

impl Side {
    fn renew(&mut self, resp: u8) -> io::Result<()> {
        self.connections.clear();
        for _ in 0..=CONNECTIONS {
            let client = greet(&self.address, resp)?;
            self.connections.push(client);
        }
        let onlooker = &mut self.connections[CONNECTIONS];
        onlooker.try_call(&["CONFIG", "SET", "maxmemory", "0"])?;
        onlooker.try_call(&["CONFIG", "SET", "maxmemory-policy", "noeviction"])?;
        onlooker.try_call(&["FLUSHALL"])?;
        Ok(())
    }

    /// Whether the connections of the chapter before have left CLIENT LIST.
    fn is_alone(&mut self) -> bool {
        let listed = self.connections[CONNECTIONS].try_call(&["CLIENT", "LIST"]);
        let text = listed.ok().and_then(|value| bytes(&value).map(<[u8]>::to_vec));
        text.is_some_and(|text| text.split(|&b| b == b'\n').filter(|l| !l.is_empty()).count() == 3)
    }
}

fn greet(address: &str, resp: u8) -> io::Result<Client> {
    let mut client = Client::try_connect(address)?;
    client.set_patience(PATIENCE);
    if resp == 3 {
        client.try_call(&["HELLO", "3"])?;
    }
    Ok(client)
}

/// Two servers that are told the same things.
pub struct Pair {
    reference: Side,
    subject: Side,
    resp: u8,
    /// Starts the subject anew when it has died, so that what killed it can be shortened.
    revive: Revive,
    pub allowed: AllowList,
    /// The reference has parted from what it promises: nothing more of this chapter is compared.
    parted: bool,
    /// Turns played so far; an audit's questions come on top.
    pub played: u64,
}

/// Gives the address of a new subject.
type Revive = Box<dyn FnMut() -> String>;
type Outcome = Result<(), Difference>;

impl Pair {
    /// `revive` starts a subject and gives its address, now and whenever it has died.
    pub fn new(reference: &str, mut revive: Revive, resp: u8, allowed: AllowList) -> Pair {
        let side = |address: String| Side { address, connections: Vec::new() };
        let subject = side(revive());
        let reference = side(reference.to_owned());
        Pair { reference, subject, resp, revive, allowed, parted: false, played: 0 }
    }

    /// # Errors
    /// The first difference that is not allowed.
    pub fn play(&mut self, turns: &[Turn]) -> Outcome {
        self.begin()?;
        let mut pending: Vec<(usize, &Request)> = Vec::new();
        let mut connection = 0;
        for (at, turn) in turns.iter().enumerate() {
            if self.parted {
                return Ok(());
            }
            self.played += 1;
            if turn.connection != connection {
                self.settle(connection, &mut pending)?;
                connection = turn.connection;
            }
            if let Step::Plain(request) = &turn.step {
                pending.push((at, request));
                if turn.sends {
                    self.settle(connection, &mut pending)?;
                }
            } else {
                self.settle(connection, &mut pending)?;
                self.alone(at, connection, &turn.step)?;
            }
        }
        self.settle(connection, &mut pending)
    }

    fn begin(&mut self) -> Outcome {
        self.parted = false;
        let failed = |reference: String, subject: String| Difference {
            at: 0,
            request: "the start of a chapter".to_owned(),
            reference,
            subject,
        };
        let text =
            |outcome: io::Result<()>| outcome.map_or_else(|e| e.to_string(), |()| "ok".into());
        let reference = text(self.reference.renew(self.resp));
        let mut renewed = self.subject.renew(self.resp);
        if renewed.is_err() {
            self.subject.address = (self.revive)();
            renewed = self.subject.renew(self.resp);
        }
        let subject = text(renewed);
        if reference != "ok" || subject != "ok" {
            return Err(failed(reference, subject));
        }
        for side in [&mut self.reference, &mut self.subject] {
            if !wait::holds_within(LAPSE_LIMIT, || side.is_alone()) {
                let text = format!("closed clients stay in CLIENT LIST of {}", side.address);
                return Err(failed(text.clone(), text));
            }
        }
        Ok(())
    }

    /// Sends a pipeline to both, and compares reply by reply.
    fn settle(&mut self, connection: usize, pending: &mut Vec<(usize, &Request)>) -> Outcome {
        let requests = std::mem::take(pending);
        let (a, b) = (
            &mut self.reference.connections[connection],
            &mut self.subject.connections[connection],
        );
        for (_, request) in &requests {
            a.queue(request);
            b.queue(request);
        }
        // A failed write shows when the replies are read.
        let _ = a.flush();
        let _ = b.flush();
        for (at, request) in requests {
            let a = self.reference.connections[connection].try_read();
            let b = self.subject.connections[connection].try_read();
            self.compare(at, request, a, b)?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        at: usize,
        request: &Request,
        a: io::Result<Value>,
        b: io::Result<Value>,
    ) -> Outcome {
        if self.parted {
            return Ok(());
        }
        let (reference, subject) = match (&a, &b) {
            (Ok(a), Ok(b)) => canonical(request, a, b),
            (a, b) => (outcome(a), outcome(b)),
        };
        self.equal(at, command_line(request), reference, subject)?;
        self.parted = a.is_ok_and(|reply| parts_ways(request, &reply));
        Ok(())
    }

    fn equal(&mut self, at: usize, request: String, reference: String, subject: String) -> Outcome {
        if reference == subject || self.allowed.admits(&request, &reference, &subject) {
            return Ok(());
        }
        Err(Difference { at, request, reference, subject })
    }

    /// Steps that are no part of a pipeline.
    fn alone(&mut self, at: usize, connection: usize, step: &Step) -> Outcome {
        match step {
            Step::Plain(request) => self.settle(connection, &mut vec![(at, request)]),
            Step::Lapse(request, key) => self.lapse(at, connection, request, key),
            Step::Scan(options) => self.scan(at, connection, options),
            Step::RandomKey => self.random_key(at, connection),
            Step::Quiet(requests) => self.quiet(at, connection, requests),
            Step::Newer(request) => self.newer(at, connection, request),
            Step::Quit => self.quit(at, connection),
            Step::Audit => self.audit(at),
        }
    }

    fn both(
        &mut self,
        connection: usize,
        request: &Request,
    ) -> (io::Result<Value>, io::Result<Value>) {
        let a = self.reference.connections[connection].try_call(request);
        let b = self.subject.connections[connection].try_call(request);
        (a, b)
    }

    fn lapse(&mut self, at: usize, connection: usize, asked: &Request, key: &[u8]) -> Outcome {
        let (a, b) = self.both(connection, asked);
        self.compare(at, asked, a, b)?;
        let exists = vec![b"EXISTS".to_vec(), key.to_vec()];
        let gone = |value: &io::Result<Value>| !matches!(value, Ok(Value::Integer(1)));
        let mut last = (Ok(Value::Null), Ok(Value::Null));
        wait::holds_within(LAPSE_LIMIT, || {
            last = self.both(connection, &exists);
            gone(&last.0) && gone(&last.1)
        });
        self.compare(at, &exists, last.0, last.1)
    }

    fn scan(&mut self, at: usize, connection: usize, options: &Request) -> Outcome {
        let a = scan_all(&mut self.reference.connections[connection], options);
        let b = scan_all(&mut self.subject.connections[connection], options);
        let text = format!("SCAN 0 {} (until the end)", command_line(options));
        self.equal(at, text, a, b)
    }

    fn random_key(&mut self, at: usize, connection: usize) -> Outcome {
        let found = |client: &mut Client| match client.try_call(&["RANDOMKEY"]) {
            Ok(Value::Bulk(key)) => {
                let exists = client.try_call(&[b"EXISTS".as_slice(), &key]);
                format!("a key, of which EXISTS says {}", outcome(&exists))
            }
            other => outcome(&other),
        };
        let a = found(&mut self.reference.connections[connection]);
        let b = found(&mut self.subject.connections[connection]);
        self.equal(at, "RANDOMKEY".to_owned(), a, b)
    }

    fn quiet(&mut self, at: usize, connection: usize, requests: &[Request]) -> Outcome {
        let send = |client: &mut Client| {
            requests.iter().for_each(|request| client.queue(request));
            client.try_read()
        };
        let a = send(&mut self.reference.connections[connection]);
        let b = send(&mut self.subject.connections[connection]);
        let lines: Vec<String> = requests.iter().map(|request| command_line(request)).collect();
        self.equal(at, lines.join(" ; "), outcome(&a), outcome(&b))
    }

    fn newer(&mut self, at: usize, connection: usize, asked: &Request) -> Outcome {
        let model = &mut self.reference.connections[connection];
        let (asked, expected) = newer::expect(model, asked);
        let answered = self.subject.connections[connection].try_call(&asked);
        self.equal(at, command_line(&asked), show(&expected), outcome(&answered))
    }

    fn quit(&mut self, at: usize, connection: usize) -> Outcome {
        let resp = self.resp;
        let end = |side: &mut Side| -> io::Result<String> {
            let client = &mut side.connections[connection];
            let said = show(&client.try_call(&["QUIT"])?);
            let closed = client.try_read().is_err();
            *client = greet(&side.address, resp)?;
            Ok(format!("{said}, then closed: {closed}"))
        };
        let text = |said: io::Result<String>| said.unwrap_or_else(|error| error.to_string());
        let (a, b) = (text(end(&mut self.reference)), text(end(&mut self.subject)));
        self.equal(at, "QUIT".to_owned(), a, b)
    }

    fn audit(&mut self, at: usize) -> Outcome {
        for database in AUDITED {
            let (a, b) = self.both(CONNECTIONS, &request(&["SELECT", database]));
            self.compare(at, &request(&["SELECT", database]), a, b)?;
            let (a, b) = self.both(CONNECTIONS, &request(&["KEYS", "*"]));
            let keys = a.as_ref().ok().map(keys_of).unwrap_or_default();
            self.compare(at, &request(&["KEYS", "*"]), a, b)?;
            // A few keys a pipeline: the questions fit into the sockets, so nobody blocks.
            for keys in keys.chunks(AUDITED_TOGETHER) {
                let asked: Vec<Request> = keys.iter().flat_map(|key| questions(key)).collect();
                let mut pending = asked.iter().map(|request| (at, request)).collect();
                self.settle(CONNECTIONS, &mut pending)?;
            }
        }
        Ok(())
    }
}

/// Everything an audit asks about a key.
fn questions(key: &[u8]) -> Vec<Request> {
    let mut asked = Vec::new();
    for question in [&["TYPE"][..], &["GET"], &["PTTL"], &["OBJECT", "ENCODING"]] {
        let mut one = request(question);
        one.push(key.to_vec());
        asked.push(one);
    }
    for (name, rest) in WHOLE_VALUES {
        let mut one = vec![name.as_bytes().to_vec(), key.to_vec()];
        one.extend(request(rest));
        asked.push(one);
    }
    asked
}

/// Questions for all that a key holds; of another type than the question's, both servers say so.
const WHOLE_VALUES: &[(&str, &[&str])] = &[
    ("LRANGE", &["0", "-1"]),
    ("SMEMBERS", &[]),
    ("HGETALL", &[]),
    ("ZRANGE", &["0", "-1", "WITHSCORES"]),
    ("XRANGE", &["-", "+"]),
];

fn keys_of(value: &Value) -> Vec<Vec<u8>> {
    let keys = items(value).unwrap_or_default().iter().filter_map(bytes).map(<[u8]>::to_vec);
    let mut keys: Vec<Vec<u8>> = keys.collect();
    keys.sort();
    keys
}

fn outcome(reply: &io::Result<Value>) -> String {
    match reply {
        Ok(value) => show(value),
        Err(error) => format!("no reply: {error}"),
    }
}

/// Every key that a SCAN with these options brings, or the error it meets.
fn scan_all(client: &mut Client, options: &Request) -> String {
    let mut cursor = b"0".to_vec();
    let mut found: Vec<Vec<u8>> = Vec::new();
    for _ in 0..SCAN_CALLS_MAX {
        let mut asked = vec![b"SCAN".to_vec(), cursor];
        asked.extend(options.iter().cloned());
        let reply = client.try_call(&asked);
        let Some([next, keys]) = reply.as_ref().ok().and_then(items) else {
            return outcome(&reply);
        };
        found.extend(keys_of(keys));
        cursor = bytes(next).unwrap_or_default().to_vec();
        if cursor == b"0" {
            found.sort();
            found.dedup();
            return command_line(&found);
        }
    }
    format!("no end after {SCAN_CALLS_MAX} calls")
}
