//! The engine measured without sockets: what the parts of a request cost (`micro` in wall time,
//! `instructions` under callgrind, for machines whose clock is too noisy to believe), the longest
//! insert while a keyspace grows (`growth`), what a snapshot costs (`snapshot`), the longest
//! command on a collection of ten million elements (`big`), and how late expired keys leave
//! (`expiry`).
//!
//! Each verb prints one JSON object; `bench/compare/compare.py` stores them.

mod big;
mod cases;
mod expiry;
mod growth;
mod histogram;
mod instructions;
mod json;
mod keys;
mod snapshot;
mod timing;

use std::process::ExitCode;

/// The server's allocator: what a command costs includes what the memory for it costs.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: freehold-bench VERB [--keys N] [--rounds N] [--case NAME] [--window S]
                           [--elements N] [--passes N] [--type NAME] [--bytes N]
  micro         nanoseconds of the parts of a request
  instructions  the same parts in instructions, counted by valgrind --tool=callgrind
  growth        the longest insert while a keyspace grows to --keys
  expiry        lateness and cost of removing --keys keys that expire within --window
                seconds, in virtual time
  snapshot      bytes and nanoseconds that keys take in a snapshot, written and loaded
  big           the longest command and slice of upkeep on a list, set, hash, hash of fields with
                deadlines, zset, stream and string of --elements elements of --bytes bytes, or on
                --type (list, set, hash, fields, zset, stream, string) alone
  big-pass      one pass of that, its times in binary
  once          one run of --case, for profilers";

/// What the command line said.
pub struct Options {
    pub keys: u64,
    pub rounds: usize,
    pub case: Option<String>,
    /// Seconds over which the deadlines of `expiry` are scattered.
    pub window_s: u64,
    /// Of a large collection.
    pub elements: u64,
    pub bytes: u64,
    pub passes: u64,
    pub kind: Option<String>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            keys: 1_000_000,
            rounds: 9,
            case: None,
            window_s: 100,
            elements: 10_000_000,
            bytes: 8,
            passes: 3,
            kind: None,
        }
    }
}

fn options(mut words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options::default();
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{word} {value}: not a number"));
        match word.as_str() {
            "--keys" => options.keys = number()?.max(1000),
            "--rounds" => options.rounds = number()?.clamp(1, 1000) as usize,
            "--window" => options.window_s = number()?.clamp(1, 100_000),
            "--case" => options.case = Some(value),
            "--elements" => options.elements = number()?.clamp(1000, 100_000_000),
            "--bytes" => options.bytes = number()?.clamp(8, 1 << 20),
            "--passes" => options.passes = number()?.clamp(1, 100),
            "--type" => options.kind = Some(value),
            _ => return Err(format!("unknown option {word}")),
        }
    }
    Ok(options)
}

fn run() -> Result<String, String> {
    let mut words = std::env::args().skip(1);
    let verb = words.next().ok_or("which verb?")?;
    let options = options(words)?;
    match verb.as_str() {
        "micro" => Ok(timing::micro(&options)),
        "instructions" => instructions::count(&options),
        "once" => instructions::once(&options),
        "growth" => Ok(growth::measure(&options)),
        "expiry" => Ok(expiry::measure(&options)),
        "snapshot" => Ok(snapshot::measure(&options)),
        "big" => big::measure(&options),
        "big-pass" => big::play(&options).map(|()| String::new()),
        _ => Err(format!("unknown verb {verb}")),
    }
}

fn main() -> ExitCode {
    if std::env::args().skip(1).any(|word| matches!(word.as_str(), "--help" | "-h" | "help")) {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            eprintln!("freehold-bench: {complaint}\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}
