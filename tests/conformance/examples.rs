//! The examples that stand in the rows of the command table, by wire: what documents a command
//! and drives its unit tests also holds for a client, on one core and on two, and redis-server
//! gives the same answers where it knows the command. `examples.txt` lists where it does not.

use std::io::Read;

use freehold_engine::command::table::Table;
use freehold_protocol::resp::value::decode;
use freehold_tests::raw::Raw;
use freehold_tests::server::{Options, Server, freehold, redis};

use crate::exceptions::Exceptions;

/// Requests after which a server is not as it was: it is replaced for the next example.
const MARKING: &[&str] = &["CONFIG SET", "SHUTDOWN", "CLIENT PAUSE", "DEBUG", "CONFIG REWRITE"];

/// A server that looks new to every example.
struct Stage {
    options: Options,
    server: Option<Server>,
}

impl Stage {
    fn new(options: Options) -> Stage {
        Stage { options, server: None }
    }

    /// The raw bytes of the last answer.
    fn run(&mut self, requests: &str) -> String {
        let server = self.server.get_or_insert_with(|| self.options.clone().start());
        let mut client = server.raw();
        converse(&mut client, "FLUSHALL");
        let answer = converse(&mut client, requests);
        let upper = requests.to_uppercase();
        if MARKING.iter().any(|words| upper.contains(words)) {
            self.server = None;
        } else {
            // The next one may ask who is connected.
            converse(&mut client, "QUIT");
        }
        answer
    }
}

/// Sends one line after the other, as inline requests; answers the last reply as it came.
fn converse(client: &mut Raw, requests: &str) -> String {
    let mut last = Vec::new();
    for line in requests.split('\n') {
        if client.send(format!("{line}\r\n").as_bytes()).is_err() {
            break;
        }
        match reply(client) {
            Some(answer) => last = answer,
            None => break,
        }
    }
    String::from_utf8_lossy(&last).into_owned()
}

/// The bytes of one reply; none when the server closed instead.
fn reply(client: &mut Raw) -> Option<Vec<u8>> {
    let mut received = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some((_, used)) = decode(&received).expect("a reply") {
            received.truncate(used);
            return Some(received);
        }
        match client.stream.read(&mut chunk) {
            Ok(count) if count > 0 => received.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}

/// The whole answer, or its beginning when the expectation ends in `*`.
fn agrees(answer: &str, expected: &str) -> bool {
    match expected.strip_suffix('*') {
        Some(beginning) => answer.starts_with(beginning),
        None => answer == expected,
    }
}

fn all_examples() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let commands = Table::get().commands().iter();
    commands.flat_map(|command| {
        let name: &'static str = &command.full_name;
        command.spec.examples.iter().map(move |(requests, expected)| (name, *requests, *expected))
    })
}

#[track_caller]
fn examples_hold(cores: u16) {
    let mut stage = Stage::new(freehold(cores).without_debug());
    let mut failing = Vec::new();
    let mut count = 0;
    for (name, requests, expected) in all_examples() {
        count += 1;
        let answer = stage.run(requests);
        if !agrees(&answer, expected) {
            failing
                .push(format!("{name}: {requests:?}\n  expected {expected:?}\n  got {answer:?}"));
        }
    }
    assert!(count > 100, "only {count} examples");
    assert!(failing.is_empty(), "{}\n{} of {count} fail", failing.join("\n"), failing.len());
}

#[test]
fn every_example_holds_by_wire_on_one_core() {
    examples_hold(1);
}

#[test]
fn every_example_holds_by_wire_on_two_cores() {
    examples_hold(2);
}

#[test]
fn redis_server_answers_the_examples_alike() {
    let mut listed = Exceptions::parse("conformance/examples.txt", include_str!("examples.txt"));
    let mut stage = Stage::new(redis().without_debug());
    let mut complaints = Vec::new();
    for (name, requests, expected) in all_examples() {
        let answer = stage.run(requests);
        let same = agrees(&answer, expected);
        if !same && !listed.admit(name, "*") && !listed.admit(name, &requests.replace('\n', " ; "))
        {
            let shown = requests.replace('\n', " ; ");
            complaints.push(format!("{name} | {shown}\n  row   {expected:?}\n  redis {answer:?}"));
        }
    }
    complaints.extend(listed.idle());
    assert!(complaints.is_empty(), "{}\n{} differ", complaints.join("\n"), complaints.len());
}
