//! Puts the logs of all cores together again. First every file is examined: how far it can be
//! believed, and which transactions have parts in it. Then what is missing somewhere is left out
//! everywhere: a part whose keys had stayed locked alone, for nobody had seen it; a loose one with
//! all that follows it in its log, which may rest on it, and so on until nothing is missing. What
//! remains is replayed, each core taking the effects of its own slots, whatever number of cores
//! wrote them, and none may be missing: see [`super::numbering`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::header::Header;
use super::numbering::{Numbering, Numbers};
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
    life: u64,
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
        let Header { generation, core, cores, life, .. } = header;
        let cut = u64::MAX;
        Examined { file, generation, core, cores, life, parts, records, end, cut, bytes: 0 }
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
        for at in 0..self.logs.len() {
            let log = &self.logs[at];
            let counted = log.parts.iter().filter(|(offset, _)| *offset < log.cut);
            let lacking = counted.filter(|(_, part)| {
                let name = (log.generation, part.ticket);
                present.get(&name).is_none_or(|count| *count < part.members.len())
            });
            let lacking: Vec<_> =
                lacking.map(|(at, part)| (*at, part.ticket, part.locked)).collect();
            for (offset, ticket, locked) in lacking {
                if offset >= self.logs[at].cut {
                    continue;
                }
                changed |= self.dropped.insert((self.logs[at].generation, ticket));
                if !locked {
                    self.cut(at, offset);
                    changed = true;
                }
            }
        }
        changed
    }

    /// Leaves out what stands from `offset` on in the log at this place, and all that the core has
    /// written behind it in the same life: it may rest on that, wherever a snapshot has begun the
    /// next log. Later lives do not: they have begun without it, as this one does.
    fn cut(&mut self, at: usize, offset: u64) {
        let Examined { generation, core, life, .. } = self.logs[at];
        self.logs[at].cut = offset;
        let later = self.logs.iter_mut().filter(|log| (log.core, log.life) == (core, life));
        later.filter(|log| log.generation > generation).for_each(|log| log.cut = 0);
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
    numbering: Numbering,
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
    /// `numbers` says with which the slots begin.
    pub fn new(findings: &'a Findings, slots: Range<u16>, numbers: Numbers) -> Replay<'a> {
        let numbering = Numbering::new(&slots, numbers);
        Replay { findings, slots, numbering, records: 0 }
    }

    /// Calls `visit` with every effect that counts and concerns the slots, in an order in which
    /// they may have happened.
    ///
    /// # Errors
    /// A file cannot be read, or some of what came before an effect is missing.
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
            if offset >= source.cut {
                continue;
            }
            if left_out {
                self.skip(file, offset, record.effects())?;
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

    /// Leaves out the effects of the record at `offset`: their numbers were given all the same.
    fn skip(
        &mut self,
        file: FileName,
        offset: u64,
        mut effects: EffectsOf<'_>,
    ) -> Result<(), LogError> {
        while let Some(placed) = next_of(&mut effects, file, offset)? {
            self.note(file, offset, &placed)?;
        }
        Ok(())
    }

    fn note(&mut self, file: FileName, offset: u64, placed: &Placed<'_>) -> Result<(), LogError> {
        let Some(slot) = placed.slot else { return Ok(()) };
        let number = placed.sequence;
        self.numbering.note(slot, number).map_err(|highest| LogError::Gap {
            file,
            offset,
            slot,
            highest,
            number,
        })
    }

    /// Replays effects of the record at `offset` up to one on whole databases, which is returned
    /// with what follows it.
    fn run_effects<'e>(
        &mut self,
        file: FileName,
        offset: u64,
        mut effects: EffectsOf<'e>,
        visit: &mut impl FnMut(Placed<'_>),
    ) -> Result<(Option<Effect<'static>>, &'e [u8]), LogError> {
        loop {
            let Some(placed) = next_of(&mut effects, file, offset)? else {
                return Ok((None, &[]));
            };
            self.note(file, offset, &placed)?;
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

/// The next effect of the record at `offset`.
fn next_of<'e>(
    effects: &mut EffectsOf<'e>,
    file: FileName,
    offset: u64,
) -> Result<Option<Placed<'e>>, LogError> {
    let why = "an effect makes no sense";
    effects.take_next().map_err(|_| LogError::Damaged { file, offset, why })
}

/// An effect on whole databases, which borrows nothing.
fn whole_database(effect: Effect<'_>) -> Option<Effect<'static>> {
    match effect {
        Effect::Flush { db } => Some(Effect::Flush { db }),
        Effect::SwapDb { a, b } => Some(Effect::SwapDb { a, b }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: u64 = 4096 + 32;

    fn log(generation: u64, core: u16, life: u64, loose: &[(u64, u64)]) -> Examined {
        let file = FileName::Log { generation, core };
        let header = Header { generation, core, cores: 3, created_unix_ms: 0, rests_on: 0, life };
        let part = |ticket| Part { ticket, members: vec![0, 1], locked: false };
        let parts = loose.iter().map(|(offset, ticket)| (*offset, part(*ticket))).collect();
        Examined::new(file, header, parts, 9, End::Clean)
    }

    /// A core's log was left out from a transaction on that another core had not made durable, and
    /// the next one, which a snapshot had begun, was not: money came from nowhere. Found by the
    /// simulation of durability when it began to take snapshots.
    #[test]
    fn what_is_left_out_of_a_log_takes_along_the_later_logs_of_its_core_and_life() {
        let logs = vec![
            log(4, 0, 4, &[(FIRST, 1), (FIRST + 100, 2)]),
            log(4, 1, 4, &[(FIRST, 1)]),
            log(4, 2, 4, &[]),
            log(5, 0, 4, &[(FIRST, 3)]),
            log(5, 1, 4, &[(FIRST + 7, 3)]),
            log(5, 2, 4, &[]),
            log(6, 1, 4, &[]),
            log(7, 0, 7, &[(FIRST, 4)]),
            log(7, 1, 7, &[(FIRST, 4)]),
        ];
        let findings = Findings::new(logs);
        let cuts: Vec<u64> = findings.logs().iter().map(|log| log.cut).collect();
        let all = u64::MAX;
        assert_eq!(cuts, [FIRST + 100, all, all, 0, FIRST + 7, all, 0, all, all]);
        assert_eq!(findings.dropped(), 2, "transaction 3 lacks what core 0 has in log 5");
    }
}
