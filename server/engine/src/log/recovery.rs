//! Puts the logs of all cores together again. First every file is examined: how far it can be
//! believed, and which transactions have parts in it. Then what is missing somewhere is left out
//! everywhere: a part whose keys had stayed locked alone, for nobody had seen it; a loose one with
//! all that follows it in its log, which may rest on it, and so on until nothing is missing. What
//! remains is replayed, each core taking the effects of its own slots, whatever number of cores
//! wrote them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::header::Header;
use super::reader::{End, LogError, LogReader};
use crate::disk::{FileName, Files};
use crate::effect::{Effect, EffectsOf, Part, Placed};
use crate::mesh::{CoreId, slots_meet};

/// What is known of a log file after a first reading.
#[derive(Clone, Debug)]
pub struct Examined {
    pub file: FileName,
    generation: u64,
    core: u16,
    cores: u16,
    parts: Vec<(u64, Part)>,
    pub records: u64,
    pub end: End,
    /// Records from this offset on do not count.
    cut: u64,
    /// How far a replay reads.
    bytes: u64,
}

impl Examined {
    /// What a reading of the whole file has found: the parts of transactions in it, by offset.
    pub(crate) fn new(
        file: FileName,
        header: Header,
        parts: Vec<(u64, Part)>,
        records: u64,
        end: End,
    ) -> Examined {
        let Header { generation, core, cores, .. } = header;
        Examined { file, generation, core, cores, parts, records, end, cut: u64::MAX, bytes: 0 }
    }

    pub(crate) fn parts(&self) -> &[(u64, Part)] {
        &self.parts
    }
}

/// Reads a file from beginning to end. `None`: a crash came before anything was in it.
///
/// Whoever believes it makes it durable first: see [`crate::store::Kept::loose`].
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn examine(files: &mut dyn Files, file: FileName) -> Result<Option<Examined>, LogError> {
    let Some(mut reader) = LogReader::open(files, file)? else { return Ok(None) };
    let header = *reader.header();
    let (mut parts, mut records) = (Vec::new(), 0);
    while let Some((offset, record)) = reader.next(files)? {
        records += 1;
        if let Some(part) = record.part {
            parts.push((offset, part));
        }
    }
    let end = reader.end().unwrap_or(End::Clean);
    let examined = Examined::new(file, header, parts, records, end);
    Ok(Some(Examined { bytes: reader.offset(), ..examined }))
}

/// What counts of all logs.
#[derive(Default, Debug)]
pub struct Findings {
    logs: Vec<Examined>,
    /// Transactions left out, by generation.
    dropped: BTreeSet<(u64, u64)>,
}

impl Findings {
    /// Decides what counts.
    pub fn new(mut logs: Vec<Examined>) -> Findings {
        logs.sort_by_key(|log| (log.generation, log.core));
        let mut findings = Findings { logs, dropped: BTreeSet::new() };
        while findings.leave_out() {}
        findings
    }

    /// Leaves out every transaction that lacks a part; true if that may have cost others theirs.
    fn leave_out(&mut self) -> bool {
        let mut present: BTreeMap<(u64, u64), usize> = BTreeMap::new();
        for log in &self.logs {
            for (_, part) in log.parts.iter().filter(|(offset, _)| *offset < log.cut) {
                *present.entry((log.generation, part.ticket)).or_default() += 1;
            }
        }
        let mut changed = false;
        for log in &mut self.logs {
            for (offset, part) in &log.parts {
                let name = (log.generation, part.ticket);
                let whole = present.get(&name).is_some_and(|count| *count >= part.members.len());
                if whole || *offset >= log.cut {
                    continue;
                }
                changed |= self.dropped.insert(name);
                if !part.locked {
                    log.cut = *offset;
                    changed = true;
                }
            }
        }
        changed
    }

    /// How much is to be read for `slots`.
    pub fn bytes(&self, slots: &Range<u16>) -> u64 {
        let meets = |log: &&Examined| slots_meet(CoreId(log.core), log.cores, slots);
        self.logs.iter().filter(meets).map(|log| log.bytes).sum()
    }

    /// Whether there is anything to replay.
    pub fn is_empty(&self) -> bool {
        self.logs.is_empty()
    }

    /// The files that were examined, in the order of their generations.
    pub fn logs(&self) -> &[Examined] {
        &self.logs
    }

    /// Transactions that lacked a part and were left out.
    pub fn dropped(&self) -> usize {
        self.dropped.len()
    }
}

/// Replays what counts for some slots.
pub struct Replay<'a> {
    findings: &'a Findings,
    slots: Range<u16>,
    /// Records read so far, of all files.
    pub records: u64,
}

/// A file of the generation that is being replayed, standing before an effect on whole databases
/// or at its end.
struct Source {
    reader: LogReader,
    cut: u64,
    /// The record it stands in, by its offset and the effects of it that are still to come.
    begun: (u64, Vec<u8>),
}

impl<'a> Replay<'a> {
    pub fn new(findings: &'a Findings, slots: Range<u16>) -> Replay<'a> {
        Replay { findings, slots, records: 0 }
    }

    /// Calls `visit` with every effect that counts and concerns the slots, in an order in which
    /// they may have happened.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn run(
        &mut self,
        files: &mut dyn Files,
        mut visit: impl FnMut(Placed<'_>),
    ) -> Result<(), LogError> {
        let mut from = 0;
        while let Some(first) = self.findings.logs.get(from) {
            let generation = first.generation;
            let count =
                self.findings.logs[from..].iter().take_while(|l| l.generation == generation);
            let to = from + count.count();
            self.run_generation(files, generation, from..to, &mut visit)?;
            from = to;
        }
        Ok(())
    }

    fn run_generation(
        &mut self,
        files: &mut dyn Files,
        generation: u64,
        logs: Range<usize>,
        visit: &mut impl FnMut(Placed<'_>),
    ) -> Result<(), LogError> {
        let mut sources = Vec::new();
        for log in &self.findings.logs[logs] {
            if slots_meet(CoreId(log.core), log.cores, &self.slots)
                && let Some(reader) = LogReader::open(files, log.file)?
            {
                sources.push(Source { reader, cut: log.cut, begun: (0, Vec::new()) });
            }
        }
        // An effect on whole databases is in every log, in the same order, and happened while
        // nothing else did: all logs are read up to it, and it counts once.
        loop {
            let mut whole: Option<Effect<'static>> = None;
            for source in &mut sources {
                let stopped = self.run_source(files, generation, source, visit)?;
                whole = stopped.or(whole);
            }
            let Some(effect) = whole else { return Ok(()) };
            visit(Placed { slot: None, sequence: 0, effect });
        }
    }

    /// Replays one log up to an effect on whole databases, which is returned, or to its end. Such
    /// an effect may stand in the middle of a transaction: what follows it there comes next time.
    fn run_source(
        &mut self,
        files: &mut dyn Files,
        generation: u64,
        source: &mut Source,
        visit: &mut impl FnMut(Placed<'_>),
    ) -> Result<Option<Effect<'static>>, LogError> {
        let file = FileName::Log { generation, core: source.reader.header().core };
        let (offset, effects) = std::mem::take(&mut source.begun);
        let (whole, rest) = self.run_effects(file, offset, EffectsOf::resume(&effects), visit)?;
        if whole.is_some() {
            source.begun = (offset, rest.to_vec());
            return Ok(whole);
        }
        while source.reader.offset() < source.cut {
            let Some((offset, record)) = source.reader.next(files)? else { return Ok(None) };
            self.records += 1;
            let left_out = record
                .part
                .as_ref()
                .is_some_and(|part| self.findings.dropped.contains(&(generation, part.ticket)));
            if left_out || offset >= source.cut {
                continue;
            }
            let (whole, rest) = self.run_effects(file, offset, record.effects(), visit)?;
            if whole.is_some() {
                source.begun = (offset, rest.to_vec());
                return Ok(whole);
            }
        }
        Ok(None)
    }

    /// Replays effects of the record at `offset` up to one on whole databases, which is returned
    /// with what follows it.
    fn run_effects<'e>(
        &self,
        file: FileName,
        offset: u64,
        mut effects: EffectsOf<'e>,
        visit: &mut impl FnMut(Placed<'_>),
    ) -> Result<(Option<Effect<'static>>, &'e [u8]), LogError> {
        loop {
            let next = effects.take_next().map_err(|_| LogError::Damaged {
                file,
                offset,
                why: "an effect makes no sense",
            })?;
            let Some(placed) = next else { return Ok((None, &[])) };
            match placed.slot {
                Some(slot) if self.slots.contains(&slot.number()) => visit(placed),
                Some(_) => {}
                None => {
                    if let Some(whole) = whole_database(placed.effect) {
                        return Ok((Some(whole), effects.rest()));
                    }
                }
            }
        }
    }
}

/// An effect on whole databases, which borrows nothing.
fn whole_database(effect: Effect<'_>) -> Option<Effect<'static>> {
    match effect {
        Effect::Flush { db } => Some(Effect::Flush { db }),
        Effect::SwapDb { a, b } => Some(Effect::SwapDb { a, b }),
        _ => None,
    }
}
