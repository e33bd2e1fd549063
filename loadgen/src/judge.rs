//! What an answer means: counted, timed, verified, followed up.
//!
//! Requests of one batch start together, so their latencies are equal for all answers that arrive
//! in one read; they are tallied and recorded once a read, which keeps the histogram off the path
//! of a request.

use std::sync::Arc;

use crate::record::Record;
use crate::verify::{Fate, Ledger};
use crate::wire::{Complaint, Dialect, Outcome};
use crate::workload::{Kind, Operation};

/// What is to be done about an answer besides counting it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    Settled,
    /// A read missed, and the cache is to be filled: write the key.
    Refill,
    /// The slot lives elsewhere; the text says where.
    Moved(String),
}

/// Judges the answers of one executor.
pub struct Judge {
    pub dialect: Arc<Dialect>,
    pub ledger: Option<Arc<Ledger>>,
    pub read_through: bool,
    pub follow_moved: bool,
    pub record: Record,
    tally: [u64; 3],
}

impl Judge {
    pub fn new(
        dialect: Arc<Dialect>,
        ledger: Option<Arc<Ledger>>,
        read_through: bool,
        follow_moved: bool,
    ) -> Judge {
        let record = Record::new();
        Judge { dialect, ledger, read_through, follow_moved, record, tally: [0; 3] }
    }

    /// Readies a drawn operation for sending: verified writes get their version, verified reads
    /// the floor of their answer.
    #[inline]
    pub fn prepare(&self, operation: Operation) -> Operation {
        let Some(ledger) = &self.ledger else { return operation };
        let key = operation.key;
        match operation.kind {
            Kind::Write => match ledger.begin_write(key) {
                Some(version) => Operation { salt: version, ..operation },
                None => Operation { salt: ledger.floor(key), kind: Kind::Read, ..operation },
            },
            _ => Operation { salt: ledger.floor(key), ..operation },
        }
    }

    /// The answer to `operation`, whole, said `outcome`. Operations without a start of their own
    /// are timed by [`Judge::close_read`].
    #[inline]
    pub fn answer(
        &mut self,
        operation: &Operation,
        outcome: Outcome,
        answer: &[u8],
        now_ns: u64,
    ) -> Verdict {
        if outcome == Outcome::Refused {
            return self.refused(operation, answer, now_ns);
        }
        self.time(operation, now_ns);
        if self.ledger.is_some() {
            self.verify(operation, outcome, answer);
        }
        if operation.kind != Kind::Read {
            return Verdict::Settled;
        }
        match outcome {
            Outcome::Hit => self.record.hits += 1,
            Outcome::Miss => {
                self.record.misses += 1;
                if self.read_through {
                    return Verdict::Refill;
                }
            }
            Outcome::Counted { hits, misses } => {
                self.record.hits += u64::from(hits);
                self.record.misses += u64::from(misses);
            }
            Outcome::Done | Outcome::Refused => {}
        }
        Verdict::Settled
    }

    /// Times the operations judged since the last call that started with their batch.
    #[inline]
    pub fn close_read(&mut self, sent_ns: u64, now_ns: u64) {
        for (at, kind) in [Kind::Read, Kind::Write, Kind::Other].into_iter().enumerate() {
            let count = std::mem::take(&mut self.tally[at]);
            if count > 0 {
                self.record.latency(kind, now_ns.saturating_sub(sent_ns), count);
            }
        }
    }

    /// The connection broke before the answer to `operation` came.
    pub fn lost(&mut self, operation: &Operation, why: &Complaint) {
        self.unwritten(operation, Fate::Unknown);
        self.record.error(why.clone(), 1);
    }

    /// `operation` will be sent again from the start: its claim on the key is given back.
    pub fn withdraw(&mut self, operation: &Operation, fate: Fate) {
        self.unwritten(operation, fate);
    }

    #[inline]
    fn time(&mut self, operation: &Operation, now_ns: u64) {
        if operation.since_ns == 0 {
            self.tally[operation.kind as usize] += 1;
        } else {
            let latency_ns = now_ns.saturating_sub(operation.since_ns);
            self.record.latency(operation.kind, latency_ns, 1);
        }
    }

    #[cold]
    fn refused(&mut self, operation: &Operation, answer: &[u8], now_ns: u64) -> Verdict {
        self.unwritten(operation, Fate::Refused);
        let complaint = self.dialect.complaint(answer);
        if self.follow_moved && complaint.kind == "MOVED" {
            self.record.redirects += 1;
            return Verdict::Moved(complaint.text);
        }
        self.time(operation, now_ns);
        self.record.error(complaint, 1);
        Verdict::Settled
    }

    fn unwritten(&self, operation: &Operation, fate: Fate) {
        if let (Some(ledger), Kind::Write) = (&self.ledger, operation.kind) {
            ledger.end_write(operation.key, operation.salt, fate);
        }
    }

    fn verify(&mut self, operation: &Operation, outcome: Outcome, answer: &[u8]) {
        let Some(ledger) = &self.ledger else { return };
        let key = operation.key;
        let checked = match (operation.kind, outcome) {
            (Kind::Write, Outcome::Done) => {
                ledger.end_write(key, operation.salt, Fate::Acknowledged);
                return;
            }
            (Kind::Write, _) => {
                ledger.end_write(key, operation.salt, Fate::Unknown);
                Err(format!("a write was answered with \"{}\"", shown(answer)))
            }
            (_, Outcome::Hit) => {
                let body = self.dialect.body(answer);
                ledger.check(key, operation.salt, Some(body), &self.dialect.values)
            }
            (_, Outcome::Miss) => ledger.check(key, operation.salt, None, &self.dialect.values),
            _ => Err(format!("a read was answered with \"{}\"", shown(answer))),
        };
        if let Err(what) = checked {
            let dialect = &self.dialect;
            self.record.wrong(|| {
                let mut name = Vec::new();
                dialect.keys.write(key, &mut name);
                format!("{}: {what}", String::from_utf8_lossy(&name))
            });
        }
    }
}

fn shown(answer: &[u8]) -> String {
    answer[..answer.len().min(40)].escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Wire;
    use crate::workload::{Keys, Pattern, Sizes, Template, Values, command};

    fn judge(verifying: bool) -> Judge {
        let keys = Arc::new(Keys::new(100, "k:", 8, Pattern::Uniform).expect("valid"));
        let template = |line: &str| {
            Template::new(&command::split(line).expect("closed"), &keys).expect("a template")
        };
        let dialect = Dialect {
            wire: Wire::Resp2,
            read: template("GET __key__"),
            write: template("SET __key__ __value__"),
            keys: keys.clone(),
            values: Arc::new(Values::new(Sizes::Fixed(16))),
            ttl: None,
        };
        let ledger = verifying.then(|| Arc::new(Ledger::new(100, 0, false)));
        Judge::new(Arc::new(dialect), ledger, false, true)
    }

    fn read(key: u64) -> Operation {
        Operation { key, since_ns: 0, salt: 0, kind: Kind::Read }
    }

    fn bulk(judge: &Judge, key: u64, version: u32) -> Vec<u8> {
        let mut answer = b"$16\r\n".to_vec();
        judge.dialect.values.write(key, version, 16, &mut answer);
        answer.extend_from_slice(b"\r\n");
        answer
    }

    #[test]
    fn a_planted_wrong_answer_is_reported_with_its_key() {
        let mut judge = judge(true);
        let write = judge.prepare(Operation { kind: Kind::Write, ..read(7) });
        judge.answer(&write, Outcome::Done, b"+OK\r\n", 10);

        let right = judge.prepare(read(7));
        judge.answer(&right, Outcome::Hit, &bulk(&judge, 7, write.salt), 20);
        assert_eq!(judge.record.wrong, 0);

        let wrong = judge.prepare(read(7));
        judge.answer(&wrong, Outcome::Hit, &bulk(&judge, 8, write.salt), 30);
        judge.answer(&wrong, Outcome::Miss, b"$-1\r\n", 30);
        assert_eq!(judge.record.wrong, 2);
        assert!(judge.record.wrong_shown[0].starts_with("k:000007: foreign"));
        assert!(!judge.record.is_clean());
    }

    #[test]
    fn answers_of_one_read_are_timed_from_the_sending_of_their_batch() {
        let mut judge = judge(false);
        for _ in 0..16 {
            judge.answer(&read(1), Outcome::Hit, b"$1\r\na\r\n", 50_000);
        }
        judge.answer(&Operation { since_ns: 10_000, ..read(1) }, Outcome::Miss, b"$-1\r\n", 50_000);
        judge.close_read(40_000, 50_000);
        let all = judge.record.latencies(None);
        assert_eq!(all.count(), 17);
        assert!(all.at(0.9).abs_diff(10_000) < 100, "from the batch");
        assert!(all.max_ns().abs_diff(40_000) < 100, "from its intended start");
        assert_eq!((judge.record.hits, judge.record.misses), (16, 1));
    }

    #[test]
    fn moved_is_followed_and_other_errors_are_counted() {
        let mut judge = judge(false);
        let verdict = judge.answer(&read(1), Outcome::Refused, b"-MOVED 1 a:7\r\n", 1);
        assert_eq!(verdict, Verdict::Moved("MOVED 1 a:7".into()));
        assert_eq!((judge.record.redirects, judge.record.error_count()), (1, 0));
        judge.answer(&read(1), Outcome::Refused, b"-OOM no\r\n", 1);
        assert_eq!(judge.record.errors[0].kind, "OOM");
    }
}
