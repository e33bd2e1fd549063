//! Proof that the run catches what it is for: a proxy in front of redis-server that answers
//! wrongly in one small way, and a test for each way that the run finds it, names the command and
//! shortens it. The clean proxy must find nothing.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::thread;

use freehold_tests::client::Client;
use freehold_tests::raw::Raw;
use freehold_tests::server;
use freehold_tests::show::{bytes, items};

use crate::allow::AllowList;
use crate::generate;
use crate::play::{Difference, Pair};
use crate::shorten::shorten;
use crate::step::{Request, Step, Turn};

/// Changes a request before redis-server sees it, or its reply before the client does.
#[derive(Clone, Copy)]
struct Fault {
    request: fn(&mut Request),
    reply: fn(&mut Vec<u8>),
}

const NONE: Fault = Fault { request: |_| {}, reply: |_| {} };

fn is(request: &Request, name: &str) -> bool {
    request[0].eq_ignore_ascii_case(name.as_bytes())
}

/// Serves every connection with a thread of its own until the test process ends.
fn proxy(target: String, fault: Fault) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let target = target.clone();
            thread::spawn(move || serve(stream, &target, fault));
        }
    });
    address
}

fn serve(stream: TcpStream, target: &str, fault: Fault) -> Option<()> {
    let mut near = Raw { stream };
    let mut far = Raw::connect(target).ok()?;
    let mut asked = Vec::new();
    loop {
        let (value, used) = near.next(&mut asked)?;
        asked.drain(..used);
        let words = items(&value)?.iter().filter_map(bytes);
        let mut request: Request = words.map(<[u8]>::to_vec).collect();
        (fault.request)(&mut request);
        let mut encoded = Vec::new();
        let parts: Vec<&[u8]> = request.iter().map(Vec::as_slice).collect();
        freehold_protocol::resp::value::encode_request(&parts, &mut encoded);
        far.send(&encoded).ok()?;
        let mut reply = Vec::new();
        let (_, used) = far.next(&mut reply)?;
        reply.truncate(used);
        (fault.reply)(&mut reply);
        near.stream.write_all(&reply).ok()?;
        if is(&request, "QUIT") {
            return None;
        }
    }
}

/// Plays chapters through the proxy until one differs; gives the shortened turns.
fn first_difference(fault: Fault, chapters: u64) -> Option<(Vec<Turn>, Difference)> {
    let reference = server::redis().start();
    let behind = server::redis().start();
    let faulty = proxy(behind.address().to_owned(), fault);
    let mut pair =
        Pair::new(reference.address(), Box::new(move || faulty.clone()), 2, AllowList::parse(""));
    (0..chapters).find_map(|seed| {
        let mut turns = generate::chapter(seed, 400, false);
        // The proxy expects one reply to each request.
        turns.retain(|turn| !matches!(&turn.step, Step::Quiet(_)));
        turns.retain(|turn| !matches!(&turn.step, Step::Plain(asked) if is(asked, "CLIENT")));
        let first = pair.play(&turns).err()?;
        Some(shorten(&mut pair, &turns, &first))
    })
}

#[track_caller]
fn must_be_found(fault: Fault, word: &str) {
    let (turns, difference) = first_difference(fault, 40).expect("the fault must be found");
    let text = format!("{turns:?} {difference:?}");
    let names = turns.iter().any(|turn| match &turn.step {
        Step::Plain(asked) | Step::Lapse(asked, _) => is(asked, word),
        _ => false,
    });
    assert!(names, "the reproduction must hold {word}: {text}");
    assert!(turns.len() <= 8, "the reproduction is long: {} turns: {text}", turns.len());
}

#[test]
fn two_equal_servers_differ_in_nothing() {
    if let Some((_, difference)) = first_difference(NONE, 3) {
        panic!("{difference:?}");
    }
}

#[test]
fn a_write_that_is_acknowledged_and_lost_is_found() {
    let lose = |asked: &mut Request| {
        if is(asked, "MSET") && asked.len() > 3 && asked.len() % 2 == 1 {
            asked.truncate(asked.len() - 2);
        }
    };
    must_be_found(Fault { request: lose, ..NONE }, "MSET");
}

#[test]
fn a_deadline_that_is_off_by_minutes_is_found() {
    let late = |asked: &mut Request| {
        if is(asked, "PEXPIREAT") && asked.len() > 2 && asked[2].len() == 13 {
            asked[2] = b"4102999999000".to_vec();
        }
    };
    must_be_found(Fault { request: late, ..NONE }, "PEXPIREAT");
}

#[test]
fn an_option_that_is_ignored_is_found() {
    let ignore = |asked: &mut Request| {
        if is(asked, "GETEX") && asked.len() == 3 {
            asked.truncate(2);
        }
    };
    must_be_found(Fault { request: ignore, ..NONE }, "GETEX");
}

#[test]
fn an_error_with_another_text_is_found() {
    let reword = |reply: &mut Vec<u8>| {
        if reply.starts_with(b"-ERR syntax error") {
            *reply = b"-ERR Syntax error\r\n".to_vec();
        }
    };
    let found = first_difference(Fault { reply: reword, ..NONE }, 20).expect("it must be found");
    assert_eq!(found.1.reference, "(error) ERR syntax error");
    assert_eq!(found.0.len(), 1, "one request is enough: {:?}", found.0);
}

#[test]
fn the_proxy_itself_speaks() {
    let behind = server::redis().start();
    let mut client = Client::connect(&proxy(behind.address().to_owned(), NONE));
    assert_eq!(client.said("PING"), "+PONG");
}
