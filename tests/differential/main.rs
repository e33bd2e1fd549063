//! The differential run: the same random requests to redis-server and to Freehold, every reply
//! compared. A difference that `allow.txt` does not explain is shortened to the fewest requests
//! that still show it, printed with the seed that replays it, and fails the run.
//!
//! `cargo run -p freehold-tests --bin differential -- --commands 200000 --seed 1 --cores 1,2,4`
#![forbid(unsafe_code)]

mod allow;
mod arguments;
mod collections;
#[cfg(test)]
mod faulty;
mod generate;
mod judge;
mod newer;
mod play;
mod shorten;
mod step;
mod vocabulary;

use std::cell::RefCell;
use std::collections::HashSet;
use std::process::ExitCode;
use std::rc::Rc;

use freehold_tests::progress::Progress;
use freehold_tests::random::Random;
use freehold_tests::server::{self, Server};
use freehold_tests::show::command_line;

use allow::AllowList;
use arguments::{Arguments, USAGE};
use play::{Difference, Pair};
use step::{Step, Turn, name_of};

/// Turns of a chapter: long enough for state to grow, short enough to be shortened in seconds.
const CHAPTER_TURNS: usize = 400;
/// redis-server ends a wait that has run out of time when its clock ticks, and the run waits for
/// that: with ten ticks a second, as by default, most of its time.
const OFTEN: &[&str] = &["--hz", "500"];
/// Different differences after which a run has said enough.
const DIFFERENCES_MAX: usize = 12;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(word) => {
            eprintln!("not understood: {word}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let combinations: Vec<(u16, u8)> = arguments
        .cores
        .iter()
        .flat_map(|&cores| arguments.resp.iter().map(move |&resp| (cores, resp)))
        .collect();
    let share = arguments.commands / combinations.len() as u64;
    let mut differences = 0;
    let mut played = 0;
    let mut allowed = 0;
    let mut progress = Progress::new(share * combinations.len() as u64, "commands");
    for (index, &(cores, resp)) in combinations.iter().enumerate() {
        let found = combination(&arguments, cores, resp, share, index as u64, &mut progress);
        differences += found.differences;
        played += found.played;
        allowed += found.allowed;
    }
    println!("differential: {played} commands, {differences} differences, {allowed} allowed");
    if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Found {
    differences: usize,
    played: u64,
    allowed: u64,
}

fn combination(
    arguments: &Arguments,
    cores: u16,
    resp: u8,
    share: u64,
    index: u64,
    progress: &mut Progress,
) -> Found {
    let reference = server::redis().with(OFTEN).start();
    let subject = match arguments.against_itself {
        true => server::redis(),
        false => server::freehold(cores),
    };
    let subject = subject.with(OFTEN);
    let running: Rc<RefCell<Option<Server>>> = Rc::default();
    let last = Rc::clone(&running);
    let revive = move || {
        let started = subject.clone().start();
        let address = started.address().to_owned();
        if let Some(dead) = last.borrow_mut().replace(started) {
            println!("the subject has died; it said:\n{}", dead.log());
        }
        address
    };
    let list = match arguments.against_itself {
        true => AllowList::parse(""),
        false => AllowList::parse(include_str!("allow.txt")),
    };
    let mut pair = Pair::new(reference.address(), Box::new(revive), resp, list);
    let newer = !arguments.against_itself;
    let mut seeds = Random::new(arguments.seed.wrapping_mul(1_000).wrapping_add(index));
    let mut seen = HashSet::new();
    while pair.played < share.max(1) && seen.len() < DIFFERENCES_MAX {
        // 53 bits, so that every tool prints the seed as it is.
        let seed = arguments.chapter.unwrap_or_else(|| seeds.word() >> 11);
        let turns = generate::chapter(seed, CHAPTER_TURNS, newer);
        if let Err(first) = pair.play(&turns)
            && seen.insert(kind_of(&first))
        {
            let (turns, difference) = shorten::shorten(&mut pair, &turns, &first);
            let replay = format!("--chapter {seed} --cores {cores} --resp {resp}");
            progress.end();
            report(&turns, &difference, &replay);
        }
        if arguments.chapter.is_some() {
            break;
        }
        let note = format!("{cores} cores, RESP{resp}, {} differences", seen.len());
        progress.at(share * index + pair.played, &note);
    }
    progress.end();
    let (allowed, idle) = pair.allowed.summary();
    println!("cores {cores}, RESP{resp}: {} commands, {} differences", pair.played, seen.len());
    if !idle.is_empty() && share >= 50_000 {
        println!("  entries of allow.txt that were not needed here, by line: {idle:?}");
    }
    Found { differences: seen.len(), played: pair.played, allowed }
}

/// Differences of one kind are told once: the command, and how the reference's reply begins.
fn kind_of(difference: &Difference) -> String {
    let words = difference.request.split(' ').map(|word| word.as_bytes().to_vec());
    let reply = difference.reference.chars().filter(|c| !c.is_ascii_digit()).take(24);
    format!("{} {}", name_of(&words.collect::<Vec<_>>()), reply.collect::<String>())
}

fn report(turns: &[Turn], difference: &Difference, replay: &str) {
    println!("difference ({} turns; replay with {replay})", turns.len());
    for turn in turns.iter().rev().take(40).rev() {
        println!(
            "  c{} {}> {}",
            turn.connection,
            if turn.sends { "" } else { "…" },
            line(&turn.step)
        );
    }
    println!("  differs:      {}", difference.request);
    println!("  redis-server: {}", difference.reference);
    println!("  freehold:     {}", difference.subject);
}

fn line(step: &Step) -> String {
    match step {
        Step::Plain(request) | Step::Newer(request) => command_line(request),
        Step::Lapse(request, _) => {
            format!("{}   # and wait until it is gone", command_line(request))
        }
        Step::Scan(options) => format!("SCAN 0 {}   # until the end", command_line(options)),
        Step::RandomKey => "RANDOMKEY".to_owned(),
        Step::Quiet(requests) => {
            requests.iter().map(|request| command_line(request)).collect::<Vec<_>>().join(" ; ")
        }
        Step::Quit => "QUIT".to_owned(),
        Step::Audit => "KEYS * and every key's TYPE, GET, PTTL, OBJECT ENCODING".to_owned(),
    }
}
