//! Writes the log of a core. At the end of a turn whatever records there are become one batch and
//! one write, unless a write is under way: then they wait, and the next batch is larger by them.
//! That is the whole of group commit, but for one thing: half of the clients would wait for the
//! write of the other half, and then for their own. See `company`.
//!
//! ```text
//! records ─► batch ─► Write ─┬─ always: durable when it completes
//!                            └─ everysec: written; some Syncs a second make it durable, and
//!                               replies wait for them while the disk is slow: see `window`
//! ```
//! A sync that has failed is never tried again: the kernel may have dropped what it could not
//! write, and would say that all is well. From then on nothing is acknowledged. A full disk is
//! different, and found out early: space is set aside ahead of what is written.

use super::batch::{HEAD_BYTES, Head};
use super::company::Company;
use super::header::{FIRST_BATCH, Header};
use super::window::{SYNC_EVERY_US, Window};
use crate::config::Appendfsync;
use crate::disk::{Completion, Failure, FileName, Operation, Owner, Requests};
use crate::effect::Records;

/// Set aside at a time.
const ALLOCATE_BYTES: u64 = 32 << 20;

/// When so much of what was set aside is left, more is asked for: what may still come before a
/// full disk is noticed has to fit.
const ALLOCATE_AHEAD_BYTES: u64 = 16 << 20;

/// A batch's buffer up to this size is kept for the next one.
const SPARE_BYTES: usize = 1 << 20;

/// How often a full disk is looked at again.
const RETRY_EVERY_US: u64 = 250_000;

/// Tags of requests, below the generation; that of a write is this and its number.
const CREATE: u64 = 0;
const ALLOCATE: u64 = 1;
const SYNC: u64 = 2;
const NAME: u64 = 3;
const CLOSE: u64 = 4;
const HEADER: u64 = 5;
const WRITE: u64 = 8;

/// The generation stands in the bits above.
const TAG_BITS: u32 = 40;

/// Whether the disk takes what it is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    Sound,
    /// No space: writes are refused until there is.
    Full,
    /// An error that cannot be mended by trying again, by its number: nothing is acknowledged any
    /// more.
    Broken(i32),
}

/// A place in the log: in bytes of records, and in bytes of its file.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Place {
    records: u64,
    offset: u64,
}

/// A batch on its way to the disk.
struct Flight {
    number: u64,
    offset: u64,
    to: Place,
    durable: bool,
    since_us: u64,
    /// It found no space: these bytes are to be written again.
    refused: Option<Vec<u8>>,
}

/// One core's log while it is written.
pub struct Log {
    header: Header,
    flight: Option<Flight>,
    /// The buffer for the batch to come.
    spare: Vec<u8>,
    batches: u64,
    /// The end of the last batch begun.
    end: Place,
    written: Place,
    durable: Place,
    /// The end, in bytes of records, of what was last written without being durable by itself:
    /// only a sync makes it so, whatever is written behind it.
    loose: u64,
    /// Up to here nothing is acknowledged before it is durable, whatever the policy.
    strict: u64,
    /// Up to where the sync reaches that is under way.
    syncing: Option<Place>,
    /// When the last one began.
    synced_us: u64,
    window: Window,
    allocated: u64,
    allocating_to: u64,
    allocating: bool,
    /// When a request that found no space may be made again; 0 for none.
    retry_us: u64,
    company: Company,
    /// When records that wait are to be looked at again; the largest number when it is something
    /// that ends which they wait for.
    write_us: u64,
    health: Health,
    /// The file's name is durable: until then nothing in it is.
    named: bool,
    /// Its header is durable: no batch is written before, or a crash could leave batches in a
    /// file that nobody can say anything of.
    headed: bool,
    /// The header found no space, and is to be written again.
    header_refused: bool,
    /// Where its records begin to count.
    first: u64,
    /// Where they end for good.
    last: u64,
}

impl Log {
    /// Begins a log in a new file, the first of the process. `records` counts from here on.
    pub fn begin(header: Header, records: u64, now_us: u64, requests: &mut Requests) -> Log {
        Log::begin_with(Window::new(records), header, (records, now_us), requests)
    }

    /// Begins the log that follows this one, which ends at `records`.
    pub fn next(
        &mut self,
        header: Header,
        records: u64,
        now_us: u64,
        requests: &mut Requests,
    ) -> Log {
        self.last = records;
        Log::begin_with(self.window.next(records), header, (records, now_us), requests)
    }

    fn begin_with(
        window: Window,
        header: Header,
        (records, now_us): (u64, u64),
        requests: &mut Requests,
    ) -> Log {
        let start = Place { records, offset: FIRST_BATCH };
        let log = Log {
            header,
            flight: None,
            spare: Vec::new(),
            batches: 0,
            end: start,
            written: Place { records, offset: 0 },
            durable: Place { records, offset: 0 },
            loose: records,
            strict: records,
            syncing: None,
            synced_us: now_us,
            window,
            allocated: 0,
            allocating_to: ALLOCATE_BYTES,
            allocating: true,
            retry_us: 0,
            company: Company::default(),
            write_us: u64::MAX,
            health: Health::Sound,
            named: false,
            headed: false,
            header_refused: false,
            first: records,
            last: u64::MAX,
        };
        let file = log.file();
        requests.push(Owner::Log, log.tag(CREATE), Operation::Create(file));
        requests.push(Owner::Log, log.tag(HEADER), log.header_operation());
        requests.push(Owner::Log, log.tag(ALLOCATE), log.allocate_operation());
        requests.push(Owner::Log, log.tag(NAME), Operation::SyncDirectory);
        log
    }

    pub fn file(&self) -> FileName {
        FileName::Log { generation: self.header.generation, core: self.header.core }
    }

    fn tag(&self, tag: u64) -> u64 {
        self.header.generation << TAG_BITS | tag
    }

    /// Whether a completion is that of a request of this log.
    pub fn asked(&self, completion: &Completion) -> bool {
        completion.tag >> TAG_BITS == self.header.generation & ((1 << (64 - TAG_BITS)) - 1)
    }

    /// No more records will come than those up to `records`, and whoever waits for them waits until
    /// they are durable, whatever the policy.
    pub fn end_at(&mut self, records: u64) {
        self.last = records;
        self.strict = self.strict.max(records);
    }

    /// What the disk was like to a log before this one.
    pub fn heed(&mut self, before: &Log) {
        self.window.heed(&before.window);
    }

    /// Whether replies wait for a disk that is slow, or was not long ago, though the policy would
    /// not have them wait.
    pub fn waits_for_disk(&self, policy: Appendfsync, now_us: u64) -> bool {
        policy == Appendfsync::EverySec && self.window.is_wary(now_us)
    }

    pub fn health(&self) -> Health {
        self.health
    }

    /// Bytes of records that would survive a loss of power.
    pub fn durable(&self) -> u64 {
        if self.named { self.durable.records } else { self.first }
    }

    /// Bytes of records whose changes may be acknowledged now.
    pub fn acknowledged(&self, policy: Appendfsync, now_us: u64) -> u64 {
        match (self.health, policy) {
            (Health::Broken(_), _) | (_, Appendfsync::Always) => self.durable(),
            _ if self.durable() < self.strict => self.durable(),
            (_, Appendfsync::EverySec) if !self.window.is_open(now_us) => self.durable(),
            (_, Appendfsync::EverySec | Appendfsync::No) => u64::MAX,
        }
    }

    /// Bytes of records it has taken.
    pub fn end(&self) -> u64 {
        self.end.records
    }

    /// Bytes of its file, without what is only set aside.
    pub fn bytes(&self) -> u64 {
        self.end.offset
    }

    /// The same when it has taken all records up to `records`, and no more.
    pub fn bytes_up_to(&self, records: u64) -> u64 {
        match records.min(self.last).saturating_sub(self.end.records) {
            0 => self.bytes(),
            more => self.bytes() + HEAD_BYTES as u64 + more,
        }
    }

    /// Whether a sync is under way.
    pub fn is_syncing(&self) -> bool {
        self.syncing.is_some()
    }

    /// Nothing is under way, and nothing is left to be made durable.
    pub fn is_quiet(&self) -> bool {
        self.flight.is_none() && self.syncing.is_none() && self.durable() == self.end.records
    }

    /// Where its records end for good; the largest number while that is not known.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// No more records will come than it is known to end with.
    pub fn has_end(&self) -> bool {
        self.last != u64::MAX
    }

    /// All its records are durable, and no more will come.
    pub fn is_over(&self) -> bool {
        self.is_quiet() && self.end.records >= self.last
    }

    /// When it next has something to do by itself.
    pub fn next_wake_us(&self, policy: Appendfsync) -> u64 {
        if matches!(self.health, Health::Broken(_)) {
            return u64::MAX;
        }
        if self.retry_us > 0 {
            return self.retry_us;
        }
        let unsynced = self.durable.records < self.written.records && self.syncing.is_none();
        match policy {
            Appendfsync::EverySec if unsynced => self.write_us.min(self.synced_us + SYNC_EVERY_US),
            _ => self.write_us,
        }
    }

    /// The end of a turn in which nothing may be written yet: the changes that wait grow old.
    /// Returns where they end.
    pub fn note_changes(&mut self, records: &mut Records, policy: Appendfsync, now_us: u64) -> u64 {
        // What upkeep has changed since the last command is in no record yet.
        records.seal();
        let end = records.end().min(self.last);
        match policy {
            Appendfsync::No => self.window.changed_without_promise(end),
            _ => self.window.changed(end, now_us),
        }
        end
    }

    /// The end of a turn: begins what can be begun.
    pub fn turn(
        &mut self,
        records: &mut Records,
        policy: Appendfsync,
        now_us: u64,
        requests: &mut Requests,
    ) {
        if matches!(self.health, Health::Broken(_)) {
            return;
        }
        let end = self.note_changes(records, policy, now_us);
        let more = end.saturating_sub(self.end.records);
        let wait_until_us = self.company.wait_until_us(end, now_us);
        self.write_us = u64::MAX;
        if more > 0 && self.may_begin() && self.has_room(more) {
            match wait_until_us {
                None => self.write(records, policy, now_us, requests),
                Some(until_us) => self.write_us = until_us,
            }
        }
        // Afterwards: nothing is written where space is just being set aside.
        if self.retry_us > 0 && now_us >= self.retry_us {
            self.retry_us = 0;
            self.retry(now_us, requests);
        }
        self.strict = records.locked_end().max(self.strict);
        let due = match policy {
            _ if self.durable.records < self.strict => true,
            // What another policy has left behind: until it is durable nothing behind it is.
            Appendfsync::Always => self.durable.records < self.loose,
            Appendfsync::EverySec => {
                let waited_us = now_us.saturating_sub(self.synced_us);
                waited_us >= SYNC_EVERY_US || !self.window.is_open(now_us)
            }
            Appendfsync::No => false,
        };
        if due {
            self.sync(now_us, requests);
        }
        let left = self.allocated.saturating_sub(self.end.offset);
        if left < ALLOCATE_AHEAD_BYTES && !self.allocating && self.retry_us == 0 {
            self.allocate(requests);
        }
    }

    /// Makes everything written durable, whatever the policy: before the end.
    pub fn sync(&mut self, now_us: u64, requests: &mut Requests) {
        if self.syncing.is_some() || self.durable.records >= self.written.records {
            return;
        }
        self.synced_us = now_us;
        self.syncing = Some(self.written);
        requests.push(Owner::Log, self.tag(SYNC), Operation::Sync(self.file()));
    }

    /// No more requests will be made of it.
    pub fn close(&mut self, requests: &mut Requests) {
        requests.push(Owner::Log, self.tag(CLOSE), Operation::Close(self.file()));
    }

    fn allocate(&mut self, requests: &mut Requests) {
        self.allocating = true;
        self.allocating_to = self.end.offset.max(self.allocated) + ALLOCATE_BYTES;
        requests.push(Owner::Log, self.tag(ALLOCATE), self.allocate_operation());
    }

    fn allocate_operation(&self) -> Operation {
        let (file, from, end) = (self.file(), self.allocated, self.allocating_to);
        Operation::Allocate { file, from, end }
    }

    fn write(
        &mut self,
        records: &mut Records,
        policy: Appendfsync,
        now_us: u64,
        requests: &mut Requests,
    ) {
        let mut batch = std::mem::take(&mut self.spare);
        batch.clear();
        batch.resize(HEAD_BYTES, 0);
        records.take(records.end().min(self.last), &mut batch);
        self.batches += 1;
        let head = Head {
            length: u32::try_from(batch.len() - HEAD_BYTES).unwrap_or(u32::MAX),
            number: self.batches,
            durable: self.durable.offset,
            epoch: 0,
        };
        head.write(&mut batch);
        let offset = self.end.offset;
        self.end = Place { records: records.taken(), offset: offset + batch.len() as u64 };
        let (number, durable) = (self.batches, policy == Appendfsync::Always);
        let (to, since_us) = (self.end, now_us);
        let flight = Flight { number, offset, to, durable, since_us, refused: None };
        requests.push(Owner::Log, self.tag(WRITE + number), self.operation(&flight, batch));
        self.flight = Some(flight);
    }

    fn operation(&self, flight: &Flight, bytes: Vec<u8>) -> Operation {
        let (offset, durable) = (flight.offset, flight.durable);
        Operation::Write { file: self.file(), offset, bytes, durable }
    }

    /// Whether so many bytes of records go where nothing is being set aside.
    fn has_room(&self, bytes: u64) -> bool {
        !self.allocating || self.end.offset + HEAD_BYTES as u64 + bytes <= self.allocated
    }

    fn header_operation(&self) -> Operation {
        let bytes = self.header.encode();
        Operation::Write { file: self.file(), offset: 0, bytes, durable: true }
    }

    fn may_begin(&self) -> bool {
        self.headed && self.flight.is_none()
    }

    /// Tries again what found no space.
    fn retry(&mut self, now_us: u64, requests: &mut Requests) {
        if std::mem::take(&mut self.header_refused) {
            requests.push(Owner::Log, self.tag(HEADER), self.header_operation());
        }
        if let Some(mut flight) = self.flight.take() {
            if let Some(bytes) = flight.refused.take() {
                flight.since_us = now_us;
                let tag = self.tag(WRITE + flight.number);
                requests.push(Owner::Log, tag, self.operation(&flight, bytes));
            }
            self.flight = Some(flight);
        }
        if self.allocated < self.end.offset + ALLOCATE_AHEAD_BYTES && !self.allocating {
            self.allocate(requests);
        }
    }

    /// A request of this log has ended.
    pub fn completed(&mut self, completion: Completion, now_us: u64) {
        self.book(completion, now_us);
        self.window.durable(self.durable(), now_us);
    }

    fn book(&mut self, completion: Completion, now_us: u64) {
        let tag = completion.tag & ((1 << TAG_BITS) - 1);
        if tag > WRITE {
            return self.landed(tag - WRITE, completion, now_us);
        }
        match (tag, completion.outcome) {
            (CLOSE, _) => {}
            (ALLOCATE, Ok(())) => {
                self.allocating = false;
                self.allocated = self.allocating_to;
                self.recovered();
            }
            (ALLOCATE, Err(Failure::Full)) => {
                self.allocating = false;
                self.full(now_us);
            }
            (SYNC, Ok(())) => {
                if let Some(to) = self.syncing.take()
                    && to.records > self.durable.records
                {
                    self.durable = to;
                }
                self.book_durable();
            }
            (NAME, Ok(())) => self.named = true,
            (HEADER, Ok(())) => {
                self.headed = true;
                self.recovered();
            }
            (HEADER, Err(Failure::Full)) => {
                self.header_refused = true;
                self.full(now_us);
            }
            (_, Ok(())) => {}
            (_, Err(Failure::Full)) => self.health = Health::Broken(ENOSPC),
            (_, Err(Failure::Broken(errno))) => self.health = Health::Broken(errno),
        }
    }

    fn landed(&mut self, number: u64, completion: Completion, now_us: u64) {
        let Some(mut flight) = self.flight.take_if(|flight| flight.number == number) else {
            return;
        };
        match completion.outcome {
            Ok(()) => {
                if completion.buffer.capacity() <= SPARE_BYTES {
                    self.spare = completion.buffer;
                }
                if flight.durable {
                    let bytes = flight.to.records - self.written.records;
                    self.company.answered(bytes, now_us.saturating_sub(flight.since_us), now_us);
                } else {
                    self.loose = flight.to.records;
                }
                self.written = flight.to;
                self.book_durable();
                self.recovered();
            }
            Err(Failure::Full) => {
                flight.refused = Some(completion.buffer);
                self.flight = Some(flight);
                self.full(now_us);
            }
            Err(Failure::Broken(errno)) => self.health = Health::Broken(errno),
        }
    }

    /// Behind the last that needs a sync everything is durable as it lands.
    fn book_durable(&mut self) {
        if self.durable.records >= self.loose && self.written.records > self.durable.records {
            self.durable = self.written;
        }
    }

    fn full(&mut self, now_us: u64) {
        self.retry_us = now_us + RETRY_EVERY_US;
        if self.health == Health::Sound {
            self.health = Health::Full;
        }
    }

    fn recovered(&mut self) {
        let refused = self.flight.as_ref().is_some_and(|flight| flight.refused.is_some());
        let room = self.allocated >= self.end.offset + ALLOCATE_AHEAD_BYTES;
        if self.health == Health::Full && self.headed && room && !refused {
            self.health = Health::Sound;
        }
    }
}

/// What a failure for want of space counts as where it cannot be waited out.
const ENOSPC: i32 = 28;
