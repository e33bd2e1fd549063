//! Numbered writes to values of every kind, and how their numbers are read back: what both tests of
//! durability compare after a crash, the simulated one and the one that kills a server.

use freehold_protocol::resp::value::Value;

use crate::show;

/// How writes are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Counter,
    Text,
    List,
    Hash,
    Set,
    SortedSet,
    Stream,
    /// MULTI over three keys, which may belong to several cores.
    Transaction,
    /// MSET of two, likewise.
    Pair,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
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

    /// So many, the first, write one key alone.
    pub const ALONE: usize = 7;

    /// The requests, as lines, of write `n` to the keys whose first is `key`.
    pub fn requests(self, key: &str, n: u64) -> Vec<String> {
        let [b, c] = others(key);
        match self {
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
                format!("HSET {b} {n} {n}"),
                format!("APPEND {c} {n},"),
                "EXEC".to_owned(),
            ],
            Kind::Pair => vec![format!("MSET {key} {n} {b} {n}")],
        }
    }

    /// Which of the writes `sent` the keys hold, in order, as `ask` answers lines of requests.
    ///
    /// # Errors
    /// What belongs together is torn, or more has been counted than was sent.
    pub fn held(
        self,
        key: &str,
        sent: &[u64],
        mut ask: impl FnMut(&str) -> Value,
    ) -> Result<Vec<u64>, String> {
        let [b, c] = others(key);
        Ok(match self {
            Kind::Counter => {
                let count = text(&ask(&format!("GET {key}"))).parse().unwrap_or(0);
                sent.get(..count).ok_or(format!("{key} counts {count}"))?.to_vec()
            }
            Kind::Text => split(&text(&ask(&format!("GET {key}")))),
            Kind::List => numbers(&ask(&format!("LRANGE {key} 0 -1"))),
            Kind::Hash => pairs(&ask(&format!("HGETALL {key}"))),
            Kind::Set => sorted(numbers(&ask(&format!("SMEMBERS {key}")))),
            Kind::SortedSet => numbers(&ask(&format!("ZRANGE {key} 0 -1"))),
            Kind::Stream => entries(&ask(&format!("XRANGE {key} - +"))),
            Kind::Transaction => {
                let list = numbers(&ask(&format!("LRANGE {key} 0 -1")));
                let hash = pairs(&ask(&format!("HGETALL {b}")));
                let string = split(&text(&ask(&format!("GET {c}"))));
                if list != hash || list != string {
                    return Err(format!("{key} is torn: {list:?}, {hash:?}, {string:?}"));
                }
                list
            }
            Kind::Pair => {
                let [one, other] = [key, &b].map(|key| text(&ask(&format!("GET {key}"))));
                if one != other {
                    return Err(format!("{key} is torn: {one:?} and {other:?}"));
                }
                let last = one.parse().unwrap_or(0);
                sent.iter().copied().filter(|number| *number <= last).collect()
            }
        })
    }
}

/// The keys beside `key` that the same write changes.
fn others(key: &str) -> [String; 2] {
    ["b", "c"].map(|part| format!("{key}{part}"))
}

/// A string's text; none is empty.
pub fn text(value: &Value) -> String {
    String::from_utf8_lossy(show::bytes(value).unwrap_or_default()).into_owned()
}

/// The numbers of an array; the largest there is stands for what is none.
pub fn numbers(value: &Value) -> Vec<u64> {
    let Some(items) = show::items(value) else { return vec![u64::MAX] };
    items.iter().map(|item| text(item).parse().unwrap_or(u64::MAX)).collect()
}

fn split(text: &str) -> Vec<u64> {
    text.split_terminator(',').map(|n| n.parse().unwrap_or(u64::MAX)).collect()
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

/// The fields of a hash whose values are their own names.
fn pairs(value: &Value) -> Vec<u64> {
    let all = numbers(value);
    let same = |pair: &[u64]| if pair.first() == pair.get(1) { pair[0] } else { u64::MAX };
    sorted(all.chunks(2).map(same).collect())
}

/// The value of the only field of each entry of a stream.
fn entries(value: &Value) -> Vec<u64> {
    let number = |entry: &Value| {
        let fields = show::items(entry)?.get(1)?;
        text(show::items(fields)?.get(1)?).parse().ok()
    };
    let Some(items) = show::items(value) else { return vec![u64::MAX] };
    items.iter().map(|entry| number(entry).unwrap_or(u64::MAX)).collect()
}
