//! The keys of one database of a running server: which requests ask for them, and what their
//! answers tell. Whoever performs it sends what is asked and brings the answers, in order.
//!
//! ```text
//! SCAN ──► keys ──► MEMORY USAGE ──► keys with a size ──► DUMP, PEXPIRETIME ──► entries
//! ```
//! All of it is under way at once. Sizes are asked first because a server keeps what it has
//! answered in memory until it is read: the values under way are bounded by bytes, not by keys.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

use freehold_engine::base::time::UnixMillis;
use freehold_protocol::resp::value::Value;

/// What the answers under way may cost together; a single value may cost more.
const COST_MAX: u64 = 1024 * 1024;

/// What an answer costs beside the value, and a value whose size the server does not tell.
const ANSWER_COST: u64 = 64;
const UNKNOWN_COST: u64 = 64 * 1024;

/// Keys that are known and not yet copied, beyond which SCAN waits.
const KEYS_AHEAD: usize = 2048;

const SCAN_COUNT: &[u8] = b"512";

/// How the server tells deadlines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Deadlines {
    /// PEXPIRETIME: the moment.
    Absolute,
    /// PTTL, before Redis 7: the time left.
    Left,
}

impl Deadlines {
    fn command(self) -> &'static [u8] {
        match self {
            Deadlines::Absolute => b"PEXPIRETIME",
            Deadlines::Left => b"PTTL",
        }
    }
}

/// A key as it was copied.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Copied {
    pub key: Vec<u8>,
    pub payload: Vec<u8>,
    pub deadline: Option<UnixMillis>,
}

/// A request that was not answered as it should be.
#[derive(PartialEq, Debug)]
pub(super) struct Refused {
    pub command: &'static str,
    pub key: Vec<u8>,
    pub answer: Value,
}

enum Asked {
    Scan,
    Size(Vec<u8>),
    Value(Vec<u8>),
    Deadline(Vec<u8>),
}

pub(super) struct Walk {
    deadlines: Deadlines,
    /// Where to go on; none while that is asked, and at the end.
    cursor: Option<Vec<u8>>,
    seen: Seen,
    found: VecDeque<Vec<u8>>,
    sized: VecDeque<(Vec<u8>, u64)>,
    asked: VecDeque<(Asked, u64)>,
    /// What all that is asked costs.
    cost: u64,
    /// A value whose deadline is the next answer.
    payload: Option<Vec<u8>>,
}

impl Walk {
    pub(super) fn new(deadlines: Deadlines) -> Walk {
        Walk {
            deadlines,
            cursor: Some(b"0".to_vec()),
            seen: Seen::default(),
            found: VecDeque::new(),
            sized: VecDeque::new(),
            asked: VecDeque::new(),
            cost: 0,
            payload: None,
        }
    }

    /// Whether an answer is due. When none is after [`Walk::ask`], all keys are copied.
    pub(super) fn is_waiting(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Asks for as much as may be under way, when half of that is: so requests go out together.
    pub(super) fn ask(&mut self, mut send: impl FnMut(&[&[u8]])) {
        if self.cost > COST_MAX / 2 {
            return;
        }
        let ahead = self.found.len() + self.sized.len();
        if ahead < KEYS_AHEAD
            && let Some(cursor) = self.cursor.take()
        {
            send(&[b"SCAN", &cursor, b"COUNT", SCAN_COUNT]);
            self.note(Asked::Scan, ANSWER_COST);
        }
        while self.cost < COST_MAX {
            if let Some((key, bytes)) = self.sized.pop_front() {
                send(&[b"DUMP", &key]);
                send(&[self.deadlines.command(), &key]);
                let cost = bytes + key.len() as u64 + ANSWER_COST;
                self.note(Asked::Value(key.clone()), cost);
                self.note(Asked::Deadline(key), ANSWER_COST);
            } else if let Some(key) = self.found.pop_front() {
                send(&[b"MEMORY", b"USAGE", &key]);
                let cost = key.len() as u64 + ANSWER_COST;
                self.note(Asked::Size(key), cost);
            } else {
                break;
            }
        }
    }

    fn note(&mut self, asked: Asked, cost: u64) {
        self.cost += cost;
        self.asked.push_back((asked, cost));
    }

    /// Takes the answer to the oldest request. `now` is the moment from which a time that is left
    /// counts.
    pub(super) fn answer(
        &mut self,
        answer: Value,
        now: UnixMillis,
    ) -> Result<Option<Copied>, Refused> {
        let Some((asked, cost)) = self.asked.pop_front() else { return Ok(None) };
        self.cost -= cost;
        let refused = |command, key, answer| Err(Refused { command, key, answer });
        match (asked, answer) {
            (Asked::Scan, answer) => match scanned(answer) {
                Ok((cursor, keys)) => {
                    self.cursor = (cursor != b"0").then_some(cursor);
                    let seen = &mut self.seen;
                    self.found.extend(keys.into_iter().filter(|key| seen.is_new(key)));
                }
                Err(answer) => return refused("SCAN", Vec::new(), answer),
            },
            (Asked::Size(key), Value::Integer(bytes)) => {
                self.sized.push_back((key, bytes.max(0) as u64));
            }
            // It has gone, and so it will have for DUMP; or the server does not say.
            (Asked::Size(key), _) => self.sized.push_back((key, UNKNOWN_COST)),
            (Asked::Value(_), Value::Bulk(payload)) => self.payload = Some(payload),
            (Asked::Value(_), Value::Null) => self.payload = None,
            (Asked::Value(key), answer) => return refused("DUMP", key, answer),
            (Asked::Deadline(key), Value::Integer(time)) => return Ok(self.copied(key, time, now)),
            (Asked::Deadline(key), answer) => return refused("PEXPIRETIME", key, answer),
        }
        Ok(None)
    }

    /// The key with the value that came before its deadline, unless it has gone.
    fn copied(&mut self, key: Vec<u8>, time: i64, now: UnixMillis) -> Option<Copied> {
        const FOREVER: i64 = -1;
        const GONE: i64 = -2;
        let payload = self.payload.take()?;
        let deadline = match (time, self.deadlines) {
            (GONE, _) => return None,
            (FOREVER, _) => None,
            (moment, Deadlines::Absolute) => Some(UnixMillis(moment)),
            (left, Deadlines::Left) => Some(now.plus_ms(left)),
        };
        Some(Copied { key, payload, deadline })
    }
}

/// Cursor and keys.
fn scanned(answer: Value) -> Result<(Vec<u8>, Vec<Vec<u8>>), Value> {
    match answer {
        Value::Array(parts) => match <[Value; 2]>::try_from(parts) {
            Ok([Value::Bulk(cursor), Value::Array(keys)]) => {
                let keys = keys.into_iter().filter_map(|key| match key {
                    Value::Bulk(key) => Some(key),
                    _ => None,
                });
                Ok((cursor, keys.collect()))
            }
            Ok(parts) => Err(Value::Array(parts.into())),
            Err(parts) => Err(Value::Array(parts)),
        },
        answer => Err(answer),
    }
}

/// Keys by fingerprint: SCAN may tell a key twice, and redis-server does not load a file that has
/// one twice. Of 128 bits under a seed of their own, no two of 10^9 keys are the same but with a
/// chance of 10^-21; the keys themselves would take the memory they take in the server.
#[derive(Default)]
struct Seen {
    low: RandomState,
    high: RandomState,
    prints: HashSet<u128>,
}

impl Seen {
    fn is_new(&mut self, key: &[u8]) -> bool {
        let print = u128::from(self.low.hash_one(key)) | u128::from(self.high.hash_one(key)) << 64;
        self.prints.insert(print)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};

    use super::{COST_MAX, Copied, Deadlines, Refused, Walk};
    use super::{UnixMillis, Value};

    const NOW: UnixMillis = UnixMillis(1_000);

    fn bulk(text: &str) -> Value {
        Value::Bulk(text.as_bytes().to_vec())
    }

    fn words(request: &[&[u8]]) -> Vec<String> {
        request.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    }

    /// Walks over a server of a function, with the requests that were under way at most.
    fn walk(
        deadlines: Deadlines,
        serve: impl Fn(&[String]) -> Value,
    ) -> Result<(Vec<Copied>, usize), Refused> {
        let mut walk = Walk::new(deadlines);
        let (mut queue, mut copied, mut most) = (VecDeque::new(), Vec::new(), 0);
        loop {
            walk.ask(|request| queue.push_back(words(request)));
            most = most.max(queue.len());
            let Some(request) = queue.pop_front() else {
                assert!(!walk.is_waiting());
                return Ok((copied, most));
            };
            copied.extend(walk.answer(serve(&request), NOW)?);
        }
    }

    /// Three pages, the second of which repeats a key of the first.
    fn page(cursor: &str) -> Value {
        let (next, keys): (&str, &[&str]) = match cursor {
            "0" => ("7", &["a", "b"]),
            "7" => ("9", &["b", "gone"]),
            "9" => ("0", &["c"]),
            other => panic!("cursor {other}"),
        };
        let keys = keys.iter().map(|key| bulk(key)).collect();
        Value::Array(vec![bulk(next), Value::Array(keys)])
    }

    fn serve(request: &[String], deadlines: &BTreeMap<&str, i64>) -> Value {
        let last = request[request.len() - 1].as_str();
        match request[0].as_str() {
            "SCAN" => page(&request[1]),
            "MEMORY" if last == "c" => Value::Error(b"ERR unknown".to_vec()),
            "MEMORY" => Value::Integer(100),
            "DUMP" if last == "gone" => Value::Null,
            "DUMP" => bulk(&format!("<{last}>")),
            "PEXPIRETIME" | "PTTL" => Value::Integer(deadlines[last]),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_key_is_copied_once_with_its_value_and_deadline() {
        let deadlines = BTreeMap::from([("a", -1), ("b", 5_000), ("gone", -2), ("c", -1)]);
        for (how, expected) in [(Deadlines::Absolute, 5_000), (Deadlines::Left, 6_000)] {
            let (copied, _) = walk(how, |request| serve(request, &deadlines)).expect("answered");
            let found: Vec<(&[u8], &[u8], Option<i64>)> = copied
                .iter()
                .map(|c| (&c.key[..], &c.payload[..], c.deadline.map(|at| at.0)))
                .collect();
            let expected: &[(&[u8], &[u8], Option<i64>)] =
                &[(b"a", b"<a>", None), (b"b", b"<b>", Some(expected)), (b"c", b"<c>", None)];
            assert_eq!(found, expected, "{how:?}");
        }
    }

    #[test]
    fn a_key_that_dies_between_value_and_deadline_is_left_out() {
        let deadlines = BTreeMap::from([("a", -1), ("b", -2), ("gone", -2), ("c", -1)]);
        let walked = walk(Deadlines::Absolute, |request| serve(request, &deadlines));
        let keys: Vec<_> = walked.expect("answered").0.into_iter().map(|c| c.key).collect();
        assert_eq!(keys, [b"a", b"c"]);
    }

    #[test]
    fn values_under_way_are_bounded_by_their_bytes() {
        let size = COST_MAX / 4;
        let keys: Vec<String> = (0..1000).map(|n| format!("k{n}")).collect();
        let served = |request: &[String]| match request[0].as_str() {
            "SCAN" => {
                let keys = keys.iter().map(|key| bulk(key)).collect();
                Value::Array(vec![bulk("0"), Value::Array(keys)])
            }
            "MEMORY" => Value::Integer(size as i64),
            "DUMP" => bulk("v"),
            _ => Value::Integer(-1),
        };
        let mut walk = Walk::new(Deadlines::Absolute);
        let (mut queue, mut copied, mut most) = (VecDeque::new(), 0, 0);
        loop {
            walk.ask(|request| queue.push_back(words(request)));
            most = most.max(queue.iter().filter(|request| request[0] == "DUMP").count());
            let Some(request) = queue.pop_front() else { break };
            copied += walk.answer(served(&request), NOW).expect("answered").iter().count();
        }
        assert_eq!(copied, 1000);
        assert!((1..=5).contains(&most), "{most} values of {size} bytes were under way");
    }

    #[test]
    fn a_refusal_ends_the_walk_with_the_key() {
        let refuse = |request: &[String]| match request[0].as_str() {
            "DUMP" => Value::Error(b"NOPERM".to_vec()),
            _ => serve(request, &BTreeMap::new()),
        };
        let answer = Value::Error(b"NOPERM".to_vec());
        let expected = Refused { command: "DUMP", key: b"a".to_vec(), answer };
        assert_eq!(walk(Deadlines::Absolute, refuse), Err(expected));
    }
}
