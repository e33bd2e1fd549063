//! What one writer has written to keys of its own, and what must be there after a kill.

use freehold_protocol::resp::value::Value;

use crate::client::Client;
use crate::show;

/// How a track writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Counter,
    Text,
    List,
    Hash,
    Set,
    SortedSet,
    Stream,
    /// MULTI over keys of several cores.
    Transaction,
    /// MSET likewise.
    Pair,
}

pub const KINDS: [Kind; 9] = [
    Kind::Counter,
    Kind::Text,
    Kind::List,
    Kind::Hash,
    Kind::Set,
    Kind::SortedSet,
    Kind::Stream,
    Kind::Transaction,
    Kind::Pair,
];

/// Accounts between which money is moved; together they hold nothing.
pub const ACCOUNTS: usize = 8;

/// A key begins anew after so many writes: what is read back after each kill stays short.
const WRITES_MAX: u64 = 400;

/// The writes of one writer of one kind. The first `acknowledged` are there for certain, up to
/// `sent` may be: requests of one connection take effect in their order.
#[derive(Clone, Debug)]
pub struct Track {
    kind: Kind,
    writer: usize,
    /// Which key: they are left behind when they are long.
    series: u64,
    /// Numbers in the key of this series, in order.
    sent: Vec<u64>,
    acknowledged: usize,
    next: u64,
    total: u64,
    refused: Option<u64>,
}

impl Track {
    pub fn new(kind: Kind, writer: usize) -> Track {
        Track {
            kind,
            writer,
            series: 0,
            sent: Vec::new(),
            acknowledged: 0,
            next: 1,
            total: 0,
            refused: None,
        }
    }

    fn key(&self, part: &str) -> String {
        format!("{:?}:{}:{}{part}", self.kind, self.writer, self.series)
    }

    /// The next write: its number and its requests.
    pub fn next(&mut self) -> (u64, Vec<String>) {
        let n = self.next;
        self.next += 1;
        self.sent.push(n);
        let (key, b, c) = (self.key(""), self.key("b"), self.key("c"));
        let requests = match self.kind {
            Kind::Counter => vec![format!("INCR {key}")],
            Kind::Text => vec![format!("APPEND {key} {n},")],
            Kind::List => vec![format!("RPUSH {key} {n}")],
            Kind::Hash => vec![format!("HSET {key} {n} {n}")],
            Kind::Set => vec![format!("SADD {key} {n}")],
            Kind::SortedSet => vec![format!("ZADD {key} {n} {n}")],
            Kind::Stream => vec![format!("XADD {key} {n}-1 f {n}")],
            Kind::Transaction => vec![
                "MULTI".to_owned(),
                format!("RPUSH {key} {n}"),
                format!("ZADD {b} {n} {n}"),
                format!("APPEND {c} {n},"),
                "EXEC".to_owned(),
            ],
            Kind::Pair => vec![format!("MSET {key} {n} {b} {n}")],
        };
        (n, requests)
    }

    /// The reply to write `number` has come.
    pub fn told(&mut self, number: u64, refused: bool) {
        if refused {
            self.refused = Some(number);
        }
        self.acknowledged = self.sent.iter().take_while(|sent| **sent <= number).count();
        self.total += 1;
    }

    /// Writes acknowledged since the last [`Track::settle`].
    pub fn acknowledged(&self) -> u64 {
        self.total
    }

    /// Asks a server and compares. Returns how many writes it holds.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self, client: &mut Client) -> Result<usize, String> {
        let (key, b, c) = (self.key(""), self.key("b"), self.key("c"));
        let held = match self.kind {
            Kind::Counter => {
                let count = text(&client.call(&["GET", &key])).parse().unwrap_or(0);
                let counted = self.sent.get(..count).ok_or(format!("{key} counts {count}"));
                counted?.to_vec()
            }
            Kind::Text => split(&text(&client.call(&["GET", &key]))),
            Kind::List => numbers(&client.call(&["LRANGE", &key, "0", "-1"])),
            Kind::Hash => sorted(numbers(&client.call(&["HVALS", &key]))),
            Kind::Set => sorted(numbers(&client.call(&["SMEMBERS", &key]))),
            Kind::SortedSet => numbers(&client.call(&["ZRANGE", &key, "0", "-1"])),
            Kind::Stream => entries(&client.call(&["XRANGE", &key, "-", "+"])),
            Kind::Transaction => {
                let list = numbers(&client.call(&["LRANGE", &key, "0", "-1"]));
                let set = numbers(&client.call(&["ZRANGE", &b, "0", "-1"]));
                let string = split(&text(&client.call(&["GET", &c])));
                if list != set || list != string {
                    return Err(format!("{key} is torn: {list:?}, {set:?}, {string:?}"));
                }
                list
            }
            Kind::Pair => {
                let one = text(&client.call(&["GET", &key]));
                let other = text(&client.call(&["GET", &b]));
                if one != other {
                    return Err(format!("{key} is torn: {one:?} and {other:?}"));
                }
                let last = one.parse().unwrap_or(0);
                self.sent.iter().copied().filter(|number| *number <= last).collect()
            }
        };
        self.judge(&held)
    }

    /// # Errors
    /// What is wrong with what a key holds.
    pub fn judge(&self, held: &[u64]) -> Result<usize, String> {
        let key = self.key("");
        if let Some(refused) = self.refused {
            return Err(format!("{key}: write {refused} was refused"));
        }
        if !self.sent.starts_with(held) {
            return Err(format!("{key} holds {held:?}, sent was {:?}", self.sent));
        }
        if held.len() < self.acknowledged {
            let lost = &self.sent[held.len()..self.acknowledged];
            return Err(format!("{key} has lost acknowledged writes {lost:?}"));
        }
        Ok(held.len())
    }

    /// A server has started with the first `held` writes. Returns how many of them had not been
    /// acknowledged.
    pub fn settle(&mut self, held: usize) -> u64 {
        let more = held - self.acknowledged;
        self.sent.truncate(held);
        (self.acknowledged, self.total) = (held, 0);
        if held as u64 > WRITES_MAX {
            self.series += 1;
            self.sent.clear();
            self.acknowledged = 0;
        }
        more as u64
    }
}

pub fn text(value: &Value) -> String {
    String::from_utf8_lossy(show::bytes(value).unwrap_or_default()).into_owned()
}

fn split(text: &str) -> Vec<u64> {
    text.split_terminator(',').map(|n| n.parse().unwrap_or(u64::MAX)).collect()
}

fn numbers(value: &Value) -> Vec<u64> {
    let items = show::items(value).unwrap_or_default();
    items.iter().map(|item| text(item).parse().unwrap_or(u64::MAX)).collect()
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

/// The value of the only field of each entry of a stream.
fn entries(value: &Value) -> Vec<u64> {
    let number = |entry: &Value| {
        let fields = show::items(entry)?.get(1)?;
        text(show::items(fields)?.get(1)?).parse().ok()
    };
    let entries = show::items(value).unwrap_or_default();
    entries.iter().map(|entry| number(entry).unwrap_or(u64::MAX)).collect()
}
