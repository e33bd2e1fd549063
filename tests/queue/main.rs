//! Pushes numbered elements onto lists of many cores while clients wait for them, run out of time
//! and die, and then counts: every element must have been received once, be left in a list, or
//! have been on its way to a client that was killed while it waited. Nothing is received twice.
//!
//! `cargo run -p freehold-tests --bin queue -- [--rounds N] [--cores N] [--seed N]`

mod account;
mod consumer;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use account::Account;
use freehold_tests::client::Client;
use freehold_tests::random::Random;
use freehold_tests::server::{self, Server};

/// Lists that are pushed to and waited for, spread over the cores by their names.
pub const LISTS: usize = 16;
const CONSUMERS: usize = 12;
const PRODUCERS: usize = 4;

pub fn list(index: usize) -> String {
    format!("queue:{index}")
}

fn main() {
    let (mut rounds, mut cores, mut seed) = (100_000u64, 2u16, 1u64);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|text| text.parse::<u64>().ok());
        match (word.as_str(), number) {
            ("--rounds", Some(number)) => rounds = number,
            ("--cores", Some(number)) => cores = number as u16,
            ("--seed", Some(number)) => seed = number,
            _ => {
                eprintln!("usage: queue [--rounds N] [--cores N] [--seed N]");
                std::process::exit(2);
            }
        }
    }
    let started = Instant::now();
    let server = server::freehold(cores).start();
    let account = run(&server, rounds, seed);
    let verdict = account.judge(&left_over(&server));
    println!("seed {seed}, {cores} cores, {:.1} s: {verdict}", started.elapsed().as_secs_f64());
    if !verdict.is_clean() {
        std::process::exit(1);
    }
}

/// Pushes `rounds` elements while consumers take them, and gathers what everybody saw.
fn run(server: &Server, rounds: u64, seed: u64) -> Account {
    let pushed = AtomicU64::new(0);
    let done = Arc::new(AtomicBool::new(false));
    let mut account = Account::new(rounds);
    std::thread::scope(|scope| {
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|index| {
                let (pushed, address) = (&pushed, server.address());
                scope.spawn(move || produce(address, pushed, rounds, seed + index as u64))
            })
            .collect();
        let consumers: Vec<_> = (0..CONSUMERS)
            .map(|index| {
                let (done, address) = (done.clone(), server.address());
                let seed = seed ^ (index as u64 + 1) << 32;
                scope.spawn(move || consumer::consume(address, &done, seed))
            })
            .collect();
        producers.into_iter().for_each(|producer| producer.join().expect("a producer lives"));
        done.store(true, Ordering::Release);
        for consumer in consumers {
            account.add(consumer.join().expect("a consumer lives"));
        }
    });
    account
}

/// Takes the next numbers and pushes each onto some list, from either end, now and then several
/// in one transaction.
fn produce(address: &str, next: &AtomicU64, rounds: u64, seed: u64) {
    let mut random = Random::new(seed);
    let mut client = Client::connect(address);
    loop {
        let count = if random.percent(10) { 3 } else { 1 };
        let first = next.fetch_add(count, Ordering::Relaxed);
        if first >= rounds {
            return;
        }
        for element in first..(first + count).min(rounds) {
            let end = if random.percent(50) { "LPUSH" } else { "RPUSH" };
            client.queue(&[end, &list(random.below(LISTS)), &element.to_string()]);
        }
        client.flush().expect("the server reads");
        for _ in first..(first + count).min(rounds) {
            client.read();
        }
        if random.percent(2) {
            std::thread::sleep(Duration::from_millis(2)); // lets consumers run dry and wait
        }
    }
}

/// What stands in the lists when everybody has gone.
fn left_over(server: &Server) -> Vec<u64> {
    let mut client = server.client();
    let mut elements = Vec::new();
    for index in 0..=LISTS {
        let name = if index == LISTS { consumer::DONE.to_owned() } else { list(index) };
        let range = client.call(&["LRANGE", &name, "0", "-1"]);
        let items = freehold_tests::show::items(&range).unwrap_or_default();
        elements.extend(items.iter().filter_map(consumer::number));
    }
    elements
}
