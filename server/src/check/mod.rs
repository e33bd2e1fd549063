//! `freehold check`: opens files of a data directory for the engine to look at, prints what it
//! found, and repairs logs when asked to.

mod cli;
mod repair;
mod source;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use freehold_engine::check::{self, Report, Verdict};
use freehold_engine::disk::FileName;
use freehold_engine::log::LogError;
use freehold_engine::store::Kept;

pub use cli::{Asked, asked};
use source::{Source, Sources};

/// Looks at all that was asked for; the worst of it is the exit code.
pub fn run(asked: &Asked) -> ExitCode {
    let mut worst = Verdict::Sound;
    for path in &asked.paths {
        let verdict = match path.is_dir() {
            true => directory(path, asked.repair),
            false => file(path, asked.repair).map(|report| report.verdict),
        };
        let verdict = verdict.unwrap_or_else(|sentence| {
            eprintln!("freehold check: {sentence}");
            Verdict::Foreign
        });
        worst = worst.max(verdict);
    }
    ExitCode::from(worst as u8)
}

/// Looks at every file of ours in a directory, and at all of them together.
fn directory(path: &Path, repair: bool) -> Result<Verdict, String> {
    let shown = path.display();
    let entries = fs::read_dir(path).map_err(|error| format!("cannot list {shown}: {error}"))?;
    let mut files: BTreeMap<FileName, PathBuf> = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(|error| format!("cannot list {shown}: {error}"))?;
        let name = entry.file_name().to_str().and_then(FileName::parse);
        files.extend(name.map(|name| (name, entry.path())));
    }
    if files.is_empty() {
        return Err(format!(
            "{shown} holds no log, snapshot or manifest; the directory that does is \
             `appenddirname` within `dir`"
        ));
    }
    let (mut reports, mut worst) = (Vec::new(), Verdict::Sound);
    for path in files.values() {
        match file(path, repair) {
            Ok(report) => reports.push(report),
            Err(sentence) => {
                eprintln!("freehold check: {sentence}");
                worst = Verdict::Foreign;
            }
        }
    }
    let missing = missing_records(&files);
    let between = check::compare(&reports);
    print(&format!("{shown}: {} files\n", files.len()));
    between.said.iter().for_each(|sentence| print(&check::wrapped(sentence)));
    if let Some(missing) = &missing {
        worst = worst.max(Verdict::Damaged);
        print(&check::wrapped(&missing.to_string()));
    }
    let worst = worst.max(check::verdict(&reports, &between));
    print(&check::wrapped(match worst {
        Verdict::Sound => "all of it is sound",
        Verdict::Torn => "a start goes on without what a crash has cut short",
        Verdict::Damaged => "damaged: a start is refused; see `freehold check --help`",
        Verdict::Foreign => "not all of it could be read as files of Freehold",
    }));
    Ok(worst)
}

/// What a start would miss between the records of the logs that count.
fn missing_records(files: &BTreeMap<FileName, PathBuf>) -> Option<LogError> {
    let mut sources = Sources(files);
    let kept = Kept::find(&mut sources).ok()?;
    check::missing_records(&mut sources, &kept.logs, kept.numbers())
}

/// Looks at one file, and once more when it was repaired.
fn file(path: &Path, repair: bool) -> Result<Report, String> {
    let source = Source::open(path)?;
    let report = look(path, source)?;
    let mend = report.trouble.as_ref().and_then(|trouble| trouble.repair);
    match mend.filter(|_| repair) {
        Some(mend) => {
            let copy = repair::repair(path, mend)?;
            let copy = copy.file_name().unwrap_or(copy.as_os_str()).display().to_string();
            let kept = mend.keep;
            print(&check::wrapped(&format!("repaired: it ends at byte {kept}; {copy} keeps all")));
            look(path, Source::open(path)?)
        }
        None => Ok(report),
    }
}

fn look(path: &Path, mut source: Source) -> Result<Report, String> {
    print(&format!("{}\n", path.display()));
    let Some(name) = source.name() else {
        let why = "neither its name nor its beginning is that of a file of Freehold";
        return Err(format!("{}: {why}", path.display()));
    };
    let report = check::inspect(&mut source, name).map_err(|error| error.to_string())?;
    if let Some(unix_ms) = report.created_unix_ms {
        let mut line = "made ".to_owned();
        crate::observe::log::push_time(&mut line, unix_ms);
        print(&check::wrapped(&line));
    }
    print(&report.to_string());
    Ok(report)
}

/// Writes to the standard output. Nobody reading any more is no reason to die before a repair is
/// complete.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
