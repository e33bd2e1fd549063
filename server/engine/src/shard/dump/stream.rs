//! A copy on its way to its client: which cores are asked, what is written, and whether the client
//! reads.

use freehold_protocol::resp::reply::Reply;

use crate::command::session::SessionId;
use crate::rdb::{Frames, RdbWriter, Written};

/// What ends the copy, before and after it.
const MARK_BYTES: usize = 40;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Source {
    Idle,
    Asked,
    /// It has sent its last piece.
    Dry,
}

pub(super) struct Stream {
    pub number: u64,
    pub to: SessionId,
    pub client_id: u64,
    writer: RdbWriter<Vec<u8>>,
    db: Option<u8>,
    mark: [u8; MARK_BYTES],
    sources: Vec<Source>,
    /// Who is asked next, so that all are asked in turn.
    next: usize,
    pub keys: u64,
    /// Bytes of output so far, and how many of them have left.
    pub bytes: u64,
    left: u64,
    /// A piece has come since somebody looked.
    heard: bool,
    /// When last a piece had come or output had left.
    moved_us: u64,
}

/// Whom a copy goes to and what is said about it.
pub(super) struct Address<'a> {
    pub number: u64,
    pub to: SessionId,
    pub client_id: u64,
    /// The RDB version of what needs the newest.
    pub version: u16,
    pub about: &'a [(&'a str, &'a str)],
    /// 160 random bits, which the data does not happen to have.
    pub random: [u64; 3],
    pub now_us: u64,
}

impl Stream {
    /// A copy of what `cores` cores hold. None: the writer would not begin.
    pub fn begin(address: &Address<'_>, cores: u16) -> Option<Stream> {
        let Address { number, to, client_id, version, about, random, now_us } = *address;
        let digits = random.map(|word| format!("{word:016x}")).concat();
        let mark = *digits.as_bytes().first_chunk::<MARK_BYTES>()?;
        Some(Stream {
            number,
            to,
            client_id,
            writer: RdbWriter::new(Vec::new(), version, about).ok()?,
            db: None,
            mark,
            sources: vec![Source::Idle; usize::from(cores)],
            next: 0,
            keys: 0,
            bytes: 0,
            left: 0,
            heard: false,
            moved_us: now_us,
        })
    }

    /// What stands in front of the copy. `full_resync`: PSYNC was asked, by this node.
    pub fn greeting(&mut self, full_resync: Option<&str>) -> Vec<u8> {
        let mut text = Vec::new();
        if let Some(run_id) = full_resync {
            Reply::new(&mut text, false).simple(&format!("FULLRESYNC {run_id} 0"));
        }
        text.extend_from_slice(b"$EOF:");
        text.extend_from_slice(&self.mark);
        text.extend_from_slice(b"\r\n");
        self.bytes += text.len() as u64;
        text
    }

    /// The next core that may be asked, which then is. None while the pieces under way, of about
    /// `piece` bytes, could take what is unread beyond `unread_max`.
    pub fn next_to_ask(&mut self, unread: usize, piece: usize, unread_max: usize) -> Option<usize> {
        let asked = self.sources.iter().filter(|source| **source == Source::Asked).count();
        if unread + (asked + 1) * piece > unread_max {
            return None;
        }
        let cores = self.sources.len();
        let mut in_turn = (self.next..cores).chain(0..self.next);
        let core = in_turn.find(|core| self.sources[*core] == Source::Idle)?;
        self.sources[core] = Source::Asked;
        self.next = (core + 1) % cores;
        Some(core)
    }

    /// Takes a piece of a core and appends what there is to be sent; the last core's last piece
    /// ends it. True then.
    pub fn write(&mut self, from: usize, frames: &[u8], last: bool, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        self.heard = true;
        for frame in Frames(frames) {
            if self.db != Some(frame.db) {
                self.db = Some(frame.db);
                self.writer.select(u64::from(frame.db));
            }
            let written = self.writer.key(frame.key, frame.expiry, frame.value, frame.version);
            debug_assert!(written.is_ok(), "memory takes everything");
            self.keys += 1;
        }
        out.append(self.writer.sink_mut());
        self.sources[from] = if last { Source::Dry } else { Source::Idle };
        self.bytes += (out.len() - before) as u64;
        self.sources.iter().all(|source| *source == Source::Dry)
    }

    /// The end of a copy that is whole: its last bytes, and how many it has in all.
    pub fn finish(self, out: &mut Vec<u8>) -> u64 {
        let Ok(Written { sink, better, .. }) = self.writer.finish() else { return self.bytes };
        debug_assert!(better.is_none(), "what needs a newer version was known at the cut");
        out.extend_from_slice(&sink);
        out.extend_from_slice(&self.mark);
        self.bytes + (sink.len() + MARK_BYTES) as u64
    }

    /// For how long nothing has come and nothing has left. Pieces come while there is room for
    /// them, so a client that does not read stops them; so does a core whose log waits for a disk
    /// that is full, and then a snapshot, which could make room, must not wait for the copy.
    pub fn stalls_us(&mut self, unread: usize, now_us: u64) -> u64 {
        let left = self.bytes.saturating_sub(unread as u64);
        if left > self.left || self.heard {
            self.left = left;
            self.heard = false;
            self.moved_us = now_us;
        }
        now_us - self.moved_us
    }
}
