//! One connection: bytes out, bytes in, and the operations that wait for an answer.
//!
//! A batch is encoded into one buffer and written at once. Answers are read into a buffer the
//! executor lends to all its connections and judged in place; only an answer that was cut off is
//! carried over to the next read.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};

use crate::judge::{Judge, Verdict};
use crate::session::Socket;
use crate::workload::Operation;

/// A connection of an executor, connected or not.
pub struct Connection {
    pub endpoint: usize,
    pub socket: Option<Socket>,
    pub in_flight: VecDeque<Operation>,
    /// To be sent before anything new: writes that follow a miss.
    pub followups: VecDeque<Operation>,
    /// Encoded requests, of which the first `out_sent` bytes are written.
    pub out: Vec<u8>,
    out_sent: usize,
    /// The front of an answer whose rest has not come.
    carry: Vec<u8>,
    /// When the last batch was sent.
    pub sent_ns: u64,
    /// When something last went right while answers were due.
    pub progress_ns: u64,
    /// Not connected: when to try again.
    pub retry_ns: u64,
    /// Not connected: an attempt is under way.
    pub connecting: bool,
    /// Listed as free for new operations.
    pub is_free: bool,
}

/// Operations an answer sent elsewhere.
pub type Bounced = Vec<(Operation, String)>;

/// The connection can go no further; why, in one word and in full.
#[derive(Debug)]
pub struct Broken {
    pub kind: &'static str,
    pub text: String,
}

impl Connection {
    pub fn new(endpoint: usize, socket: Option<Socket>) -> Connection {
        Connection {
            endpoint,
            socket,
            in_flight: VecDeque::new(),
            followups: VecDeque::new(),
            out: Vec::new(),
            out_sent: 0,
            carry: Vec::new(),
            sent_ns: 0,
            progress_ns: 0,
            retry_ns: 0,
            connecting: false,
            is_free: false,
        }
    }

    /// Whether encoded bytes wait for the socket to take them.
    pub fn is_congested(&self) -> bool {
        self.out_sent < self.out.len()
    }

    /// Writes what is encoded, as much as the socket takes.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn transmit(&mut self, judge: &mut Judge) -> Result<(), Broken> {
        let Some(socket) = &mut self.socket else { return Ok(()) };
        while self.out_sent < self.out.len() {
            match socket.write(&self.out[self.out_sent..]) {
                Ok(bytes) => {
                    self.out_sent += bytes;
                    judge.record.sent_bytes += bytes as u64;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(&error)),
            }
        }
        self.out.clear();
        self.out_sent = 0;
        Ok(())
    }

    /// Reads once into `buffer`; `None` when there is nothing to read.
    ///
    /// # Errors
    /// When the connection is gone or the server closed it.
    #[inline]
    pub fn receive(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Broken> {
        let Some(socket) = &mut self.socket else { return Ok(None) };
        loop {
            return match socket.read(buffer) {
                Ok(0) => Err(Broken {
                    kind: "closed",
                    text: "the server closed the connection; its log says why".into(),
                }),
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(broken(&error)),
            };
        }
    }

    /// Judges the answers in what was just read, and remembers the rest.
    ///
    /// # Errors
    /// When the bytes are no answer, or nobody asked.
    pub fn absorb(
        &mut self,
        fresh: &[u8],
        now_ns: u64,
        judge: &mut Judge,
        bounced: &mut Bounced,
    ) -> Result<(), Broken> {
        judge.record.received_bytes += fresh.len() as u64;
        self.progress_ns = now_ns;
        if self.carry.is_empty() {
            let used = self.judge_all(fresh, now_ns, judge, bounced)?;
            self.carry.extend_from_slice(&fresh[used..]);
        } else {
            let mut joined = std::mem::take(&mut self.carry);
            joined.extend_from_slice(fresh);
            let used = self.judge_all(&joined, now_ns, judge, bounced)?;
            joined.drain(..used);
            self.carry = joined;
        }
        judge.close_read(self.sent_ns, now_ns);
        Ok(())
    }

    /// Judges the whole answers in `bytes`; returns what they took.
    fn judge_all(
        &mut self,
        bytes: &[u8],
        now_ns: u64,
        judge: &mut Judge,
        bounced: &mut Bounced,
    ) -> Result<usize, Broken> {
        let mut used = 0;
        while used < bytes.len() {
            let rest = &bytes[used..];
            let Some(operation) = self.in_flight.front().copied() else {
                let shown = rest[..rest.len().min(40)].escape_ascii();
                return Err(Broken {
                    kind: "unasked",
                    text: format!("the server said \"{shown}\" though nothing was asked"),
                });
            };
            let answer = judge
                .dialect
                .scan(operation.kind, rest)
                .map_err(|garbled| Broken { kind: "protocol", text: garbled.0 })?;
            let Some(answer) = answer else { break };
            self.in_flight.pop_front();
            used += answer.bytes;
            match judge.answer(&operation, answer.outcome, &rest[..answer.bytes], now_ns) {
                Verdict::Settled => {}
                Verdict::Refill => self.followups.push_back(Operation {
                    since_ns: if operation.since_ns == 0 { 0 } else { now_ns },
                    kind: crate::workload::Kind::Write,
                    ..operation
                }),
                Verdict::Moved(text) => {
                    let since_ns =
                        if operation.since_ns == 0 { self.sent_ns } else { operation.since_ns };
                    bounced.push((Operation { since_ns, ..operation }, text));
                }
            }
        }
        Ok(used)
    }

    /// Forgets the socket and everything half done; returns the operations without an answer.
    pub fn reset(&mut self) -> VecDeque<Operation> {
        self.socket = None;
        self.out.clear();
        self.out_sent = 0;
        self.carry.clear();
        self.followups.clear();
        std::mem::take(&mut self.in_flight)
    }
}

fn broken(error: &std::io::Error) -> Broken {
    Broken { kind: "connection", text: format!("the connection broke: {error}") }
}
