//! A client that waits for elements in every way there is, and sometimes dies doing so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::random::Random;
use freehold_tests::show;

use super::{LISTS, list};

/// Where BLMOVE puts what it takes.
pub const DONE: &str = "queue:done";

/// What one consumer saw.
#[derive(Default)]
pub struct Seen {
    pub received: Vec<u64>,
    /// Commands that were under way when the client was killed: each may have taken one element.
    pub deaths: u64,
    pub timeouts: u64,
}

/// The number in a reply, if it holds one: in BLPOP's pair the second, in BLMPOP's the inner one.
pub fn number(value: &Value) -> Option<u64> {
    match show::items(value) {
        Some(items) => items.last().and_then(number),
        None => std::str::from_utf8(show::bytes(value)?).ok()?.parse().ok(),
    }
}

/// Takes elements until `done`, and then what is left without waiting long.
pub fn consume(address: &str, done: &AtomicBool, seed: u64) -> Seen {
    let mut random = Random::new(seed);
    let mut client = Client::connect(address);
    let mut seen = Seen::default();
    loop {
        let over = done.load(Ordering::Acquire);
        let request = request(&mut random);
        let moves = request[0] == "BLMOVE";
        client.queue(&request);
        client.flush().expect("the server reads");
        if !over && random.percent(1) {
            if random.percent(50) {
                std::thread::sleep(Duration::from_micros(random.below(3_000) as u64));
            }
            seen.deaths += u64::from(!moves);
            client = Client::connect(address); // the old connection is cut in the middle
            continue;
        }
        let reply = client.read();
        match number(&reply) {
            Some(_) if moves => {} // it stands in another list now, and is counted there
            Some(element) => seen.received.push(element),
            None if over => return seen,
            None => seen.timeouts += 1,
        }
    }
}

/// A wait of a few milliseconds for one or several lists.
fn request(random: &mut Random) -> Vec<String> {
    let timeout = format!("0.00{}", 1 + random.below(9));
    let first = random.below(LISTS);
    let lists: Vec<String> =
        (0..1 + random.below(3)).map(|step| list((first + step) % LISTS)).collect();
    let mut words: Vec<String> = Vec::new();
    match random.below(10) {
        0..4 => {
            words.push(if random.percent(50) { "BLPOP" } else { "BRPOP" }.to_owned());
            words.extend(lists);
            words.push(timeout);
        }
        4..8 => {
            words.extend(["BLMPOP".to_owned(), timeout, lists.len().to_string()]);
            words.extend(lists);
            words.push("LEFT".to_owned());
        }
        _ => {
            let ends = ["LEFT".to_owned(), "RIGHT".to_owned()];
            words.extend(["BLMOVE".to_owned(), lists[0].clone(), DONE.to_owned()]);
            words.extend(ends);
            words.push(timeout);
        }
    }
    words
}
