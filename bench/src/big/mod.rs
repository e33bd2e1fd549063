//! The longest single command on a very large collection, and the longest slice of the upkeep
//! that frees it.
//!
//! Question: does any command but a read of everything stall its core, while a collection grows to
//! ten million elements and when it is used, emptied and removed? Every command goes through a
//! shard as bytes and is timed by itself. One run cannot tell the engine from the machine, so the
//! same script is played in several passes, each in a process of its own, and each step keeps the
//! shortest of its times: growth happens at the same step of every pass, and so does the first
//! touch of fresh memory, which reused memory would hide; an interrupt does not. Time in which the
//! thread waited for a CPU is not counted. The null run is as many PINGs, timed the same way: what
//! it shows is the machine.

mod pass;
mod script;

use std::io::Read;
use std::process::{Command, Stdio};

use crate::Options;
use crate::histogram::Histogram;
use crate::json::Object;

pub use pass::play;

const SLOWEST: usize = 12;
/// What the design allows a command.
const STALL_NS: u32 = 1_000_000;

/// Nanoseconds of every step of a phase.
struct Timed {
    name: String,
    shortest: Vec<u32>,
    /// The last pass by itself.
    single: Vec<u32>,
}

/// Runs all passes of one type, or of every type in turn, and prints the distributions.
pub fn measure(options: &Options) -> Result<String, String> {
    let kinds: Vec<&str> = match &options.kind {
        Some(kind) => vec![kind],
        None => script::KINDS.to_vec(),
    };
    let mut runs = Vec::new();
    for kind in kinds {
        let mut phases: Vec<Timed> = Vec::new();
        for _ in 0..options.passes {
            keep_shortest(&mut phases, one_pass(options, kind)?)?;
        }
        runs.push(run_of(kind, &phases));
    }
    let thp = std::env::var("MIMALLOC_ALLOW_THP").unwrap_or_else(|_| "default".to_owned());
    Ok(Object::new()
        .count("elements", options.elements)
        .count("bytes", options.bytes)
        .count("passes", options.passes)
        .word("mimalloc_allow_thp", &thp)
        .list("runs", &runs)
        .end())
}

/// Plays the script in a process of its own.
fn one_pass(options: &Options, kind: &str) -> Result<Vec<(String, Vec<u32>)>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let (elements, bytes) = (options.elements.to_string(), options.bytes.to_string());
    let words = ["big-pass", "--type", kind, "--elements", &elements, "--bytes", &bytes];
    let mut child = Command::new(program)
        .args(words)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("a pass cannot start: {error}"))?;
    let mut said = Vec::new();
    if let Some(output) = &mut child.stdout {
        output.read_to_end(&mut said).map_err(|error| error.to_string())?;
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("a pass of {kind} ended with {status}"));
    }
    pass::decode(&said).ok_or_else(|| format!("a pass of {kind} broke off"))
}

fn keep_shortest(phases: &mut Vec<Timed>, found: Vec<(String, Vec<u32>)>) -> Result<(), String> {
    if phases.is_empty() {
        *phases = found
            .into_iter()
            .map(|(name, single)| Timed { name, shortest: single.clone(), single })
            .collect();
        return Ok(());
    }
    for (phase, (name, single)) in phases.iter_mut().zip(found) {
        if phase.name != name || phase.shortest.len() != single.len() {
            let (was, is) = (phase.shortest.len(), single.len());
            return Err(format!("{}: {was} steps, then {name}: {is}", phase.name));
        }
        for (least, ns) in phase.shortest.iter_mut().zip(&single) {
            *least = (*least).min(*ns);
        }
        phase.single = single;
    }
    Ok(())
}

fn run_of(kind: &str, phases: &[Timed]) -> String {
    let cases: Vec<String> = phases.iter().map(row).collect();
    Object::new().word("type", kind).list("cases", &cases).list("slowest", &slowest(phases)).end()
}

fn row(phase: &Timed) -> String {
    let (mut repeated, mut single) = (Histogram::new(), Histogram::new());
    phase.shortest.iter().for_each(|&ns| repeated.record(u64::from(ns)));
    phase.single.iter().for_each(|&ns| single.record(u64::from(ns)));
    let stalls = |times: &[u32]| times.iter().filter(|&&ns| ns > STALL_NS).count() as u64;
    Object::new()
        .word("name", &phase.name)
        .count("steps", repeated.total())
        .number("p50_us", repeated.quantile(0.5) as f64 / 1000.0)
        .number("p9999_us", repeated.quantile(0.9999) as f64 / 1000.0)
        .number("max_us", repeated.max as f64 / 1000.0)
        .count("over_1ms", stalls(&phase.shortest))
        .number("one_pass_p9999_us", single.quantile(0.9999) as f64 / 1000.0)
        .number("one_pass_max_us", single.max as f64 / 1000.0)
        .count("one_pass_over_1ms", stalls(&phase.single))
        .end()
}

/// Which steps were slowest in every pass: the number of the step says what happened there.
fn slowest(phases: &[Timed]) -> Vec<String> {
    let mut found: Vec<(u32, &str, usize)> = Vec::new();
    for phase in phases {
        let steps = phase.shortest.iter().enumerate().map(|(step, &ns)| (ns, &*phase.name, step));
        found.extend(steps);
        let count = SLOWEST.min(found.len());
        found.sort_unstable_by_key(|&(ns, ..)| u32::MAX - ns);
        found.truncate(count);
    }
    let entry = |&(ns, name, step): &(u32, &str, usize)| {
        let us = f64::from(ns) / 1000.0;
        Object::new().word("name", name).count("step", step as u64).number("us", us).end()
    };
    found.iter().map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_keeps_its_shortest_time_and_other_scripts_are_refused() {
        let named = |times: [u32; 3]| vec![("step".to_owned(), times.to_vec())];
        let mut phases = Vec::new();
        for times in [[5, 9, 2_000_000], [7, 3, 1_500_000], [6, 4, 2_500_000]] {
            assert_eq!(keep_shortest(&mut phases, named(times)), Ok(()));
        }
        assert_eq!(phases[0].shortest, [5, 3, 1_500_000]);
        assert_eq!(phases[0].single, [6, 4, 2_500_000]);
        assert!(keep_shortest(&mut phases, vec![("step".to_owned(), vec![1])]).is_err());
        let slow = slowest(&phases);
        assert!(slow[0].contains("\"step\":2"), "{slow:?}");
    }
}
