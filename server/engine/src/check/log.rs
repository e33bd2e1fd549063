//! Looks at a log: every batch, record and effect, as a start would, and where it would stop.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use freehold_protocol::slot::Slot;

use super::{Repair, Report, Verdict};
use crate::disk::{FileName, Files, ReadError};
use crate::effect::{Effect, Record};
use crate::log::{End, Examined, FIRST_BATCH, Header, LogError, LogReader};

const NOTHING: &str = "nothing was in it yet when the server ended";
const FOREIGN: &str = "it does not begin like a log";

/// What is counted.
#[derive(Default)]
struct Counts {
    records: u64,
    effects: u64,
    transactions: u64,
    last_database: u8,
}

pub(super) fn inspect(files: &mut dyn Files, file: FileName) -> Result<Report, ReadError> {
    let mut report = Report::new(file, Verdict::Sound);
    let file_bytes = files.len(file)?;
    let mut reader = match LogReader::open(files, file) {
        Ok(Some(reader)) => reader,
        Ok(None) => {
            match is_meant(files, file)? {
                true => report.blame(Verdict::Torn, 0, NOTHING.to_owned(), None),
                false => report.blame(Verdict::Foreign, 0, FOREIGN.to_owned(), None),
            }
            return Ok(report);
        }
        Err(LogError::Read(error)) => return Err(error),
        Err(error) => {
            refuse(&mut report, files, error)?;
            return Ok(report);
        }
    };
    let header = *reader.header();
    report.created_unix_ms = Some(header.created_unix_ms);
    let Header { generation, core, cores, .. } = header;
    report.tell(format!("log of core {core} of {cores}, generation {generation}"));
    let (mut counts, mut parts) = (Counts::default(), Vec::new());
    let outcome = loop {
        match reader.next(files) {
            Ok(Some((offset, record))) => {
                if let Some(why) = counts.take(&record) {
                    break Err((offset, why));
                }
                parts.extend(record.part.map(|part| (offset, part)));
            }
            Ok(None) => break Ok(reader.end().unwrap_or(End::Clean)),
            Err(LogError::Damaged { offset, why, .. }) => break Err((offset, why)),
            Err(LogError::Read(error)) => return Err(error),
            Err(LogError::NotALog { .. } | LogError::Gap { .. }) => {
                break Err((0, "it is not a log any more"));
            }
        }
    };
    counts.tell(&mut report, reader.batches(), file_bytes);
    let end = match outcome {
        Ok(End::Clean) => End::Clean,
        Ok(End::Torn { at, lost }) => {
            let why = reader.why().unwrap_or("a write was cut short");
            let why = format!("{why}; up to {lost} bytes do not count");
            report.blame(Verdict::Torn, at, why, Some(repair(at, reader.batch_end())));
            End::Torn { at, lost }
        }
        Err((at, why)) => {
            let lost = file_bytes.saturating_sub(at);
            let why = format!("{why}; {lost} bytes are from there to the end");
            report.blame(Verdict::Damaged, at, why, Some(repair(at, reader.batch_end())));
            End::Torn { at, lost }
        }
    };
    report.examined = Some((header, Examined::new(file, header, parts, counts.records, end)));
    Ok(report)
}

/// Whether it begins like a log, or with zeros as space set aside does.
fn is_meant(files: &mut dyn Files, file: FileName) -> Result<bool, ReadError> {
    let mut start = [0; FIRST_BATCH as usize];
    let read = files.read(file, 0, &mut start)?;
    let start = start.get(..read).unwrap_or_default();
    Ok(Header::is_meant(start) || start.iter().all(|byte| *byte == 0))
}

/// A file of this name that is no log, or not that of its name.
fn refuse(report: &mut Report, files: &mut dyn Files, error: LogError) -> Result<(), ReadError> {
    let (verdict, why) = match error {
        LogError::NotALog { why, .. } if is_meant(files, report.file)? => (Verdict::Damaged, why),
        LogError::NotALog { why, .. } => (Verdict::Foreign, why),
        other => (Verdict::Damaged, other.to_string()),
    };
    report.blame(verdict, 0, why, None);
    Ok(())
}

/// Ends the log at `at`. The head of a batch that has begun before stays true.
fn repair(at: u64, batch_end: u64) -> Repair {
    Repair { keep: at, end: at.max(batch_end) }
}

impl Counts {
    /// What is wrong with a record, though its checksum is right.
    fn take(&mut self, record: &Record<'_>) -> Option<&'static str> {
        let mut misplaced = false;
        let decoded = record.for_each(|placed| {
            self.effects = self.effects.saturating_add(1);
            misplaced |= placed.effect.key().map(Slot::of_key) != placed.slot;
            self.last_database = self.last_database.max(database(&placed.effect));
        });
        if decoded.is_err() {
            return Some("an effect makes no sense");
        }
        if misplaced {
            return Some("an effect stands under another slot than that of its key");
        }
        self.records = self.records.saturating_add(1);
        let part = u64::from(record.part.is_some());
        self.transactions = self.transactions.saturating_add(part);
        None
    }

    fn tell(&self, report: &mut Report, batches: u64, file_bytes: u64) {
        let Counts { records, effects, transactions, last_database } = self;
        report.tell(format!("{batches} batches, {records} records, {effects} effects"));
        report.tell(format!("{transactions} parts of transactions with other cores"));
        report.tell(format!("{file_bytes} bytes, highest database {last_database}"));
    }
}

fn database(effect: &Effect<'_>) -> u8 {
    match *effect {
        Effect::Flush { db } => db.unwrap_or(0),
        Effect::SwapDb { a, b } => a.max(b),
        _ => effect.place().map_or(0, |(db, _)| db),
    }
}
