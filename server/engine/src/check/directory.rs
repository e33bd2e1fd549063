//! What the files of a whole data directory say together: whether those that the manifest counts
//! are there, and which transactions not all of their cores have written.

use std::collections::BTreeMap;

use freehold_protocol::slot::SLOT_COUNT;

use super::{Report, Verdict};
use crate::disk::{FileName, Files};
use crate::log::{Findings, LogError, Numbers, Replay, examine};
use crate::snapshot::Manifest;

/// More transactions, or logs, are only counted: a header of few bytes can claim 65,535 cores.
const NAMED_MAX: usize = 10;

/// What holds between files.
#[derive(PartialEq, Eq, Debug)]
pub struct Between {
    pub verdict: Verdict,
    /// Sentences.
    pub said: Vec<String>,
}

impl Between {
    fn tell(&mut self, verdict: Verdict, sentence: String) {
        self.verdict = self.verdict.max(verdict);
        self.said.push(sentence);
    }
}

/// Compares the files of one directory, all of them.
pub fn compare(reports: &[Report]) -> Between {
    let mut between = Between { verdict: Verdict::Sound, said: Vec::new() };
    let manifest = manifest(reports);
    let first = manifest.map_or(0, |manifest| manifest.generation);
    let is_snapshot = |report: &&Report| matches!(report.file, FileName::Snapshot { .. });
    let snapshots = reports.iter().filter(is_snapshot);
    let names: Vec<FileName> = reports.iter().map(|report| report.file).collect();
    match manifest {
        Some(manifest) => {
            let there = snapshots.filter(|report| counts(report, Some(manifest))).count();
            let counted = usize::from(manifest.snapshots);
            if there != counted {
                let said = format!(
                    "the manifest counts {counted} snapshot files of generation {first}, and \
                     {there} are there"
                );
                between.tell(Verdict::Damaged, said);
            }
        }
        None if Manifest::is_missing(&names) => {
            let said = "there are snapshots and no whole manifest, which says which one counts";
            between.tell(Verdict::Damaged, said.to_owned());
        }
        None => {
            let unfinished = snapshots.count();
            if unfinished > 0 {
                let said = format!(
                    "no snapshot was ever done: {unfinished} files of one that ended half-way do \
                     not count"
                );
                between.tell(Verdict::Sound, said);
            }
        }
    }
    let old = reports.iter().filter(|report| generation(report.file).is_some_and(|g| g < first));
    let old = old.count();
    if old > 0 {
        let said = format!("{old} files are older than generation {first} and do not count");
        between.tell(Verdict::Sound, said);
    }
    let resting = |report: &&Report| {
        let header = report.examined.as_ref().map(|(header, _)| header);
        header.is_some_and(|header| header.generation >= first && !header.counts(first))
    };
    let resting = reports.iter().filter(resting).count();
    if resting > 0 {
        let said =
            format!("{resting} logs rest on a snapshot that was never done, and do not count");
        between.tell(Verdict::Sound, said);
    }
    missing_logs(reports, first, &mut between);
    missing_parts(reports, first, &mut between);
    between
}

/// What these files make of a start: the worst of those that count, and of what they say together.
/// A start looks at no others.
pub fn verdict(reports: &[Report], between: &Between) -> Verdict {
    let manifest = manifest(reports);
    let counted = reports.iter().filter(|report| counts(report, manifest));
    counted.map(|report| report.verdict).fold(between.verdict, Verdict::max)
}

fn manifest(reports: &[Report]) -> Option<Manifest> {
    reports.iter().find_map(|report| report.manifest)
}

/// Whether a start reads a file.
fn counts(report: &Report, manifest: Option<Manifest>) -> bool {
    let first = manifest.map_or(0, |manifest| manifest.generation);
    match report.file {
        FileName::Manifest => true,
        FileName::Log { generation, .. } => match &report.examined {
            Some((header, _)) => header.counts(first),
            None => generation >= first,
        },
        FileName::Snapshot { generation, core } => {
            manifest.is_some_and(|said| generation == said.generation && core < said.snapshots)
        }
        FileName::ManifestDraft | FileName::SnapshotDraft { .. } => false,
    }
}

/// Reads the logs that count once more, as a start does, for what is missing between records.
/// Whatever else would keep a start from reading them, the reports say.
pub fn missing_records(
    files: &mut dyn Files,
    logs: &[FileName],
    numbers: Numbers,
) -> Option<LogError> {
    let mut examined = Vec::new();
    for log in logs {
        examined.extend(examine(files, *log).ok()?);
    }
    let findings = Findings::new(examined);
    let replayed = Replay::new(&findings, 0..SLOT_COUNT, numbers).run(files, |_| {});
    replayed.err().filter(|error| matches!(error, LogError::Gap { .. }))
}

fn generation(file: FileName) -> Option<u64> {
    match file {
        FileName::Log { generation, .. } | FileName::Snapshot { generation, .. } => {
            Some(generation)
        }
        _ => None,
    }
}

/// Logs that count, by generation: the cores whose logs are there, of how many.
fn missing_logs(reports: &[Report], first: u64, between: &mut Between) {
    let mut cores: BTreeMap<u64, (u16, Vec<u16>)> = BTreeMap::new();
    for (header, _) in reports.iter().filter_map(|report| report.examined.as_ref()) {
        let (count, there) = cores.entry(header.generation).or_default();
        *count = header.cores.max(*count);
        there.push(header.core);
    }
    for (generation, (count, there)) in cores.range(first..) {
        let mut missing = (0..*count).filter(|core| !there.contains(core));
        let mut named: Vec<String> = (&mut missing)
            .take(NAMED_MAX)
            .map(|core| FileName::Log { generation: *generation, core }.to_string())
            .collect();
        let unnamed = missing.count();
        if unnamed > 0 {
            named.push(format!("and {unnamed} more"));
        }
        if !named.is_empty() {
            let said = format!(
                "not readable or not there, of {count} logs of generation {generation}: {}; a \
                 crash right at its beginning can do that",
                named.join(", ")
            );
            between.tell(Verdict::Torn, said);
        }
    }
}

/// The cores that should have a part of a transaction, and those that have.
#[derive(Default)]
struct Parts<'r> {
    members: &'r [u16],
    there: Vec<u16>,
}

/// Transactions that lack a part, and what goes with them.
fn missing_parts(reports: &[Report], first: u64, between: &mut Between) {
    let counted = reports.iter().filter_map(|report| report.examined.as_ref());
    let counted: Vec<_> = counted.filter(|(header, _)| header.counts(first)).collect();
    let mut transactions: BTreeMap<(u64, u64), Parts<'_>> = BTreeMap::new();
    for (header, log) in &counted {
        for (_, part) in log.parts() {
            let name = (header.generation, part.ticket);
            let parts = transactions.entry(name).or_default();
            parts.members = &part.members;
            parts.there.push(header.core);
        }
    }
    let lacking = transactions.iter().filter_map(|((generation, ticket), parts)| {
        let absent = parts.members.iter().filter(|core| !parts.there.contains(core));
        let absent: Vec<String> = absent.map(u16::to_string).collect();
        (!absent.is_empty()).then(|| {
            format!(
                "transaction {ticket} of generation {generation} lacks the part of core {}",
                absent.join(", ")
            )
        })
    });
    let lacking: Vec<String> = lacking.collect();
    let unnamed = lacking.len().saturating_sub(NAMED_MAX);
    for said in lacking.into_iter().take(NAMED_MAX) {
        between.tell(Verdict::Torn, said);
    }
    if unnamed > 0 {
        between.tell(Verdict::Torn, format!("and {unnamed} more transactions lack a part"));
    }
    let findings = Findings::new(counted.iter().map(|(_, log)| log.clone()).collect());
    if findings.dropped() > 0 {
        let said = format!(
            "a start leaves {} transactions out, and what may rest on them",
            findings.dropped()
        );
        between.tell(Verdict::Torn, said);
    }
}
