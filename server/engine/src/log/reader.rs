//! Reads a log file record by record, as far as it can be believed.
//!
//! A crash can leave the end of a file in any state: cut anywhere, sectors missing, batches that
//! were written later there and earlier ones not. What a crash cannot do is touch what was durable
//! before. So a bad place is the *torn tail* if no readable batch behind it says that it was
//! durable, and *damage* if one does; damage is never skipped, a human decides.

use std::fmt;

use freehold_protocol::slot::Slot;

use super::batch::{HEAD_BYTES, Head, MAGIC};
use super::header::{FIRST_BATCH, Header};
use crate::disk::{FileName, Files, ReadError};
use crate::effect::{Record, Unreadable, first_record};

/// Read from the file at a time.
const READ_BYTES: usize = 1 << 20;

/// How a log ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Behind the last record there is nothing.
    Clean,
    /// Behind the last whole record, at offset `at`, up to `lost` bytes of a write that a crash
    /// cut short.
    Torn { at: u64, lost: u64 },
}

/// A log cannot be read on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogError {
    Read(ReadError),
    /// It is not one of ours, or of another version.
    NotALog {
        file: FileName,
        why: String,
    },
    /// What was durable is not what was written.
    Damaged {
        file: FileName,
        offset: u64,
        why: &'static str,
    },
    /// Records are missing: of a slot's changes here comes `number`, and the highest of those
    /// before it is `highest`.
    Gap {
        file: FileName,
        offset: u64,
        slot: Slot,
        highest: u64,
        number: u64,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogError::Read(error) => error.fmt(f),
            LogError::NotALog { file, why } => write!(f, "{file} is not a log of Freehold: {why}"),
            LogError::Damaged { file, offset, why } => write!(
                f,
                "{file} is damaged at offset {offset}: {why}, and records behind it are whole; \
                 look at the directory with `freehold check`"
            ),
            LogError::Gap { file, offset, slot, highest, number } => write!(
                f,
                "records are missing: in {file}, at offset {offset}, slot {} goes on with its \
                 change {number}, and the last there is before is {highest}. A log is not there, \
                 or not all of it: see `freehold check --help`",
                slot.number()
            ),
        }
    }
}

impl From<ReadError> for LogError {
    fn from(error: ReadError) -> LogError {
        LogError::Read(error)
    }
}

/// A log file being read.
pub struct LogReader {
    file: FileName,
    file_bytes: u64,
    header: Header,
    /// Bytes of the file from `window_at` on.
    window: Vec<u8>,
    window_at: u64,
    /// The next record, or head of a batch, stands here.
    at: u64,
    /// Where the batch being read ends.
    batch_end: u64,
    batches: u64,
    end: Option<End>,
    /// What is wrong behind the last record; nothing while there is one more.
    why: Option<&'static str>,
}

impl LogReader {
    /// Opens a log and reads its header. `None`: the file is so short, or so empty, that a crash
    /// came before its header was durable; there is nothing in it.
    ///
    /// # Errors
    /// It cannot be read, or is another kind of file.
    pub fn open(files: &mut dyn Files, file: FileName) -> Result<Option<LogReader>, LogError> {
        let file_bytes = files.len(file)?;
        let mut block = vec![0; FIRST_BATCH as usize];
        let read = files.read(file, 0, &mut block)?;
        block.truncate(read);
        let header = match Header::decode(&block) {
            Ok(header) => header,
            Err(why) => {
                let mut tail = Tail::new(file, 0, file_bytes);
                return match tail.judge(files)? {
                    Some(_) => Err(LogError::NotALog { file, why }),
                    None if tail.nonzero == 0 || read < FIRST_BATCH as usize => Ok(None),
                    None => Err(LogError::NotALog { file, why }),
                };
            }
        };
        if (FileName::Log { generation: header.generation, core: header.core }) != file {
            let (generation, core) = (header.generation, header.core);
            let why = format!("it says it is that of core {core}, generation {generation}");
            return Err(LogError::NotALog { file, why });
        }
        Ok(Some(LogReader {
            file,
            file_bytes,
            header,
            window: Vec::new(),
            window_at: 0,
            at: FIRST_BATCH,
            batch_end: FIRST_BATCH,
            batches: 0,
            end: None,
            why: None,
        }))
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How it ends, once [`LogReader::next`] has returned `None`.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// Why there is no further record, once it has a torn end.
    pub fn why(&self) -> Option<&'static str> {
        self.why
    }

    /// Batches begun so far.
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// Where the batch being read ends.
    pub fn batch_end(&self) -> u64 {
        self.batch_end
    }

    /// Where the next record stands.
    pub fn offset(&self) -> u64 {
        self.at
    }

    /// The next record and its offset; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged in the middle.
    pub fn next(&mut self, files: &mut dyn Files) -> Result<Option<(u64, Record<'_>)>, LogError> {
        if self.end.is_some() || (self.at == self.batch_end && !self.next_batch(files)?) {
            return Ok(None);
        }
        let at = self.at;
        let batch = self.bytes(at, self.batch_end);
        match first_record(batch) {
            Ok((_, rest)) => self.at = self.batch_end - rest.len() as u64,
            Err(reason) => {
                self.stop(files, at, why(reason))?;
                return Ok(None);
            }
        }
        // Once more, for a borrow the compiler can follow; the checksum is not the cost here.
        let record = first_record(self.bytes(at, self.at)).map_err(|reason| LogError::Damaged {
            file: self.file,
            offset: at,
            why: why(reason),
        })?;
        Ok(Some((at, record.0)))
    }

    /// Goes on to the next batch, all of it in the window. False: there is none.
    fn next_batch(&mut self, files: &mut dyn Files) -> Result<bool, LogError> {
        let at = self.at;
        let head = match self.fill(files, at, HEAD_BYTES as u64)? {
            true => {
                let bytes = self.bytes(at, at + HEAD_BYTES as u64);
                bytes.first_chunk::<HEAD_BYTES>().and_then(Head::read)
            }
            false => None,
        };
        let Some(head) = head.filter(|head| head.number == self.batches + 1) else {
            self.stop(files, at, "no batch begins there")?;
            return Ok(false);
        };
        let start = at + HEAD_BYTES as u64;
        if !self.fill(files, start, u64::from(head.length))? {
            self.stop(files, at, "the file ends within a batch")?;
            return Ok(false);
        }
        self.batches = head.number;
        self.at = start;
        self.batch_end = start + u64::from(head.length);
        if head.length == 0 {
            return self.next_batch(files);
        }
        Ok(true)
    }

    /// Nothing from `at` on can be read: is that the work of a crash?
    fn stop(&mut self, files: &mut dyn Files, at: u64, why: &'static str) -> Result<(), LogError> {
        let mut tail = Tail::new(self.file, at, self.file_bytes);
        if tail.judge(files)?.is_some() {
            return Err(LogError::Damaged { file: self.file, offset: at, why });
        }
        self.why = Some(why);
        self.end = Some(match tail.nonzero {
            0 => End::Clean,
            end => End::Torn { at, lost: end - at },
        });
        Ok(())
    }

    /// Bytes of the window.
    fn bytes(&self, from: u64, to: u64) -> &[u8] {
        let start = (from - self.window_at) as usize;
        self.window.get(start..start + (to - from) as usize).unwrap_or_default()
    }

    /// Makes the window hold `length` bytes from `from` on. False: the file is too short.
    fn fill(&mut self, files: &mut dyn Files, from: u64, length: u64) -> Result<bool, LogError> {
        let held_to = self.window_at + self.window.len() as u64;
        if from >= self.window_at && from + length <= held_to {
            return Ok(true);
        }
        if from + length > self.file_bytes {
            return Ok(false);
        }
        let keep = (from - self.window_at).min(self.window.len() as u64) as usize;
        self.window.drain(..keep);
        self.window_at = from;
        let held = self.window.len();
        let wanted = (length as usize).max(READ_BYTES).min((self.file_bytes - from) as usize);
        self.window.resize(wanted.max(held), 0);
        let read = files.read(self.file, from + held as u64, &mut self.window[held..])?;
        self.window.truncate(held + read);
        Ok(self.window.len() as u64 >= length)
    }
}

fn why(reason: Unreadable) -> &'static str {
    match reason {
        Unreadable::Short(_) => "a record is cut short",
        Unreadable::Checksum => "the checksum of a record is wrong",
        Unreadable::Contents => "a record makes no sense",
    }
}

/// What stands behind a bad place.
struct Tail {
    file: FileName,
    from: u64,
    file_bytes: u64,
    /// Where the last byte that is not zero ends; 0 if there is none.
    nonzero: u64,
}

impl Tail {
    fn new(file: FileName, from: u64, file_bytes: u64) -> Tail {
        Tail { file, from, file_bytes, nonzero: 0 }
    }

    /// Looks for a batch that knows the bad place to have been durable.
    fn judge(&mut self, files: &mut dyn Files) -> Result<Option<Head>, LogError> {
        let mut chunk = Vec::new();
        let mut at = self.from;
        while at < self.file_bytes {
            chunk.resize(READ_BYTES.min((self.file_bytes - at) as usize), 0);
            let read = files.read(self.file, at, &mut chunk)?;
            if read == 0 {
                break;
            }
            let bytes = &chunk[..read];
            if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
                self.nonzero = at + last as u64 + 1;
            }
            for found in memchr::memmem::find_iter(bytes, &MAGIC) {
                let head = bytes[found..].first_chunk::<HEAD_BYTES>().and_then(Head::read);
                if let Some(head) = head.filter(|head| head.durable > self.from) {
                    return Ok(Some(head));
                }
            }
            if at + read as u64 >= self.file_bytes {
                break;
            }
            // A head may lie across two chunks.
            at += (read.saturating_sub(HEAD_BYTES - 1)).max(1) as u64;
        }
        Ok(None)
    }
}
