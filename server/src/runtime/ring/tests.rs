use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use super::{Patience, Ring};
use crate::runtime::buffers::PoolShape;
use crate::runtime::event::Event;
use crate::runtime::features::Features;
use crate::runtime::sockets::{self, TcpOptions};
use crate::runtime::token::Tag;

const SHAPE: PoolShape = PoolShape { buffers: 4, buffer_bytes: 64 };

fn ring() -> Ring {
    let features = Features::of_this_host().expect("the test host runs the server");
    Ring::new(&features, SHAPE).expect("a ring")
}

fn pair() -> (OwnedFd, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    (ours.into(), theirs)
}

/// The next event, entering the kernel as often as it takes.
fn next(ring: &mut Ring) -> Event {
    loop {
        if let Some(event) = ring.next_event() {
            return event;
        }
        ring.enter(Patience::Micros(5_000_000)).expect("the ring works");
    }
}

/// Everything that is there without waiting.
fn all_now(ring: &mut Ring) -> Vec<Event> {
    ring.enter(Patience::None).expect("the ring works");
    std::iter::from_fn(|| ring.next_event()).collect()
}

fn text(ring: &mut Ring, event: Event) -> String {
    let Event::Received { outcome: Ok(Some(filled)), .. } = event else {
        panic!("bytes expected, {event:?} came")
    };
    let text = String::from_utf8_lossy(ring.bytes(&filled)).into_owned();
    ring.give_back(filled);
    text
}

#[test]
fn bytes_that_arrive_are_seen_in_place_and_the_receive_stays_armed() {
    let mut ring = ring();
    let (ours, mut theirs) = pair();
    let tag = Tag::first(3).next();
    ring.receive(ours.as_fd(), tag);
    ring.enter(Patience::None).expect("armed");

    for word in ["one", "two", "three"] {
        theirs.write_all(word.as_bytes()).expect("written");
        let event = next(&mut ring);
        assert!(matches!(&event, Event::Received { connection, armed: true, .. }
            if *connection == tag));
        assert_eq!(text(&mut ring, event), word);
    }
}

#[test]
fn the_end_of_a_stream_ends_the_receive() {
    let mut ring = ring();
    let (ours, theirs) = pair();
    ring.receive(ours.as_fd(), Tag::first(0));
    drop(theirs);

    let event = next(&mut ring);
    assert!(matches!(event, Event::Received { outcome: Ok(None), armed: false, .. }), "{event:?}");
    assert_eq!(ring.buffers_available(), SHAPE.buffers);
}

#[test]
fn an_empty_pool_ends_the_receive_and_it_can_be_armed_again_when_buffers_are_back() {
    let mut ring = ring();
    let (ours, mut theirs) = pair();
    let tag = Tag::first(0);
    ring.receive(ours.as_fd(), tag);
    ring.enter(Patience::None).expect("armed");

    theirs.write_all(&[b'x'; 64 * 6]).expect("six buffers' worth");
    let mut held = Vec::new();
    loop {
        match next(&mut ring) {
            Event::Received { outcome: Ok(Some(filled)), .. } => held.push(filled),
            Event::Received { outcome: Err(errno), armed, .. } => {
                assert!(errno.is_out_of_buffers());
                assert!(!armed);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(held.len(), 4, "every buffer was filled");
    assert_eq!(ring.buffers_available(), 0);

    for filled in held {
        ring.give_back(filled);
    }
    ring.receive(ours.as_fd(), tag);
    let rest: usize = (0..2)
        .map(|_| {
            let event = next(&mut ring);
            text(&mut ring, event).len()
        })
        .sum();
    assert_eq!(rest, 128);
}

#[test]
fn a_stopped_receive_reports_its_end_and_takes_no_more_bytes() {
    let mut ring = ring();
    let (ours, mut theirs) = pair();
    let tag = Tag::first(1);
    ring.receive(ours.as_fd(), tag);
    ring.enter(Patience::None).expect("armed");
    ring.stop_receiving(tag);

    let event = next(&mut ring);
    assert!(matches!(&event, Event::Received { outcome: Err(errno), armed: false, .. }
        if errno.is_cancelled()));

    theirs.write_all(b"later").expect("written");
    assert!(all_now(&mut ring).is_empty());
    ring.receive(ours.as_fd(), tag);
    let event = next(&mut ring);
    assert_eq!(text(&mut ring, event), "later");
}

#[test]
fn a_send_gives_its_buffer_back_with_the_completion() {
    let mut ring = ring();
    let (ours, mut theirs) = pair();
    let tag = Tag::first(4).next();
    ring.send(ours.as_fd(), tag, b"+PONG\r\n".to_vec());

    let Event::Sent { connection, buffer, outcome } = next(&mut ring) else { panic!("a send") };
    assert_eq!((connection, outcome), (tag, Ok(())));
    assert_eq!(buffer, b"+PONG\r\n");
    let mut got = [0; 7];
    theirs.read_exact(&mut got).expect("it arrived");
    assert_eq!(&got, b"+PONG\r\n");
}

/// A prompt send's end was once an event like others, and every second turn of a server with time
/// to spare was made for nothing else.
#[test]
fn a_prompt_send_does_not_end_the_sleep_of_its_enter_and_is_over_after_it() {
    let mut ring = ring();
    let (ours, mut theirs) = pair();
    let tag = Tag::first(4).next();
    ring.send_promptly(ours.as_fd(), tag, b"+PONG\r\n".to_vec());
    assert!(ring.has_prompt());

    let started = std::time::Instant::now();
    ring.enter(Patience::Micros(20_000)).expect("the ring works");
    assert!(started.elapsed().as_millis() >= 20, "nothing but the send happened");

    let Some(Event::Sent { connection, buffer, outcome }) = ring.next_event() else {
        panic!("a send")
    };
    assert_eq!((connection, outcome), (tag, Ok(())));
    assert_eq!(buffer, b"+PONG\r\n");
    assert!(ring.next_event().is_none(), "it is reported once");
    assert_eq!((ring.has_prompt(), ring.sends_under_way()), (false, 0));
    theirs.read_exact(&mut [0; 7]).expect("it arrived");
}

#[test]
fn a_prompt_send_to_a_peer_that_is_gone_fails() {
    let mut ring = ring();
    let (ours, theirs) = pair();
    drop(theirs);
    ring.send_promptly(ours.as_fd(), Tag::first(0), b"anyone?".to_vec());
    let event = next(&mut ring);
    assert!(matches!(event, Event::Sent { outcome: Err(_), .. }), "{event:?}");
    assert!(ring.next_event().is_none());
}

#[test]
fn a_send_larger_than_the_socket_arrives_whole_and_in_order() {
    arrives_whole(|ring, socket, bytes| ring.send(socket, Tag::first(0), bytes));
}

#[test]
fn what_a_prompt_send_cannot_send_at_once_arrives_whole_and_in_order() {
    arrives_whole(|ring, socket, bytes| ring.send_promptly(socket, Tag::first(0), bytes));
}

fn arrives_whole(send: fn(&mut Ring, BorrowedFd<'_>, Vec<u8>) -> Tag) {
    let mut ring = ring();
    let (ours, mut theirs) = pair();
    let sent: Vec<u8> = (0..4_000_000u32).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let reader = std::thread::spawn(move || {
        let mut got = vec![0; expected.len()];
        theirs.read_exact(&mut got).expect("all of it");
        got == expected
    });
    send(&mut ring, ours.as_fd(), sent);

    let mut event = next(&mut ring);
    while matches!(event, Event::Sending { connection } if connection == Tag::first(0)) {
        event = next(&mut ring);
    }
    assert!(matches!(event, Event::Sent { outcome: Ok(()), .. }));
    assert!(reader.join().expect("no panic"), "bytes differ");
}

/// The classic io_uring use-after-free: the connection is dropped while the kernel still holds
/// its output. The buffer must stay where it is until the completion, whatever the owner does.
#[test]
fn a_buffer_outlives_its_connection_until_the_kernel_lets_go() {
    let mut ring = ring();
    let (ours, theirs) = pair();
    let tag = Tag::first(2);
    let send = ring.send(ours.as_fd(), tag, vec![7; 8 << 20]);
    assert!(all_now(&mut ring).is_empty(), "nobody reads, so the send waits");
    assert_eq!(ring.sends_under_way(), 1);

    ring.abandon_send(send);
    let Event::Sent { connection, buffer, outcome } = next(&mut ring) else { panic!("a send") };
    drop(ours);
    drop(theirs);

    assert_eq!(connection, tag);
    assert!(outcome.is_err(), "it was not sent whole");
    assert_eq!(buffer.len(), 8 << 20);
    assert_eq!(ring.sends_under_way(), 0);
}

#[test]
fn a_send_to_a_peer_that_is_gone_fails_without_a_signal() {
    let mut ring = ring();
    let (ours, theirs) = pair();
    drop(theirs);
    ring.send(ours.as_fd(), Tag::first(0), b"anyone?".to_vec());
    let event = next(&mut ring);
    assert!(matches!(event, Event::Sent { outcome: Err(_), .. }), "{event:?}");
}

#[test]
fn a_ring_that_goes_away_with_a_send_under_way_does_not_free_its_buffer() {
    let (ours, theirs) = pair();
    let mut ring = ring();
    ring.send(ours.as_fd(), Tag::first(0), vec![1; 8 << 20]);
    assert!(all_now(&mut ring).is_empty());
    // Under a sanitiser this is where a freed buffer would be found.
    drop(ring);
    drop(theirs);
}

fn listener() -> (OwnedFd, u16) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = TcpOptions { backlog: 128, keepalive_seconds: 300 };
    let listener = sockets::listen_tcp(any, options).expect("loopback");
    let port = sockets::local_port(&listener).expect("bound");
    (listener, port)
}

#[test]
fn one_accept_yields_every_connection() {
    let mut ring = ring();
    let (listener, port) = listener();
    ring.accept(listener.as_fd(), 5);
    ring.enter(Patience::None).expect("armed");

    for _ in 0..3 {
        let client = TcpStream::connect(("127.0.0.1", port)).expect("accepted by the kernel");
        let Event::Accepted { listener: 5, outcome: Ok(socket), armed: true } = next(&mut ring)
        else {
            panic!("a connection on listener 5, still armed")
        };
        let (_socket, ends) = sockets::ends(socket);
        assert_eq!(ends.expect("connected").peer, client.local_addr().expect("bound"));
    }

    ring.stop_accepting(5);
    let event = next(&mut ring);
    assert!(matches!(event, Event::Accepted { outcome: Err(_), armed: false, .. }));
}

#[test]
fn a_connection_is_handed_to_another_core_and_works_there() {
    let (tell, hear) = std::sync::mpsc::channel();
    let other_core = std::thread::spawn(move || {
        let mut ring = ring();
        tell.send(ring.doorbell().expect("a doorbell")).expect("the test listens");
        let Event::Adopted { listener, descriptor } = next(&mut ring) else { panic!("adopted") };
        ring.send(descriptor.as_fd(), Tag::first(0), b"hi".to_vec());
        next(&mut ring);
        listener
    });
    let doorbell = hear.recv().expect("the other core runs");
    let mut here = ring();
    let (ours, mut theirs) = pair();

    here.hand_over(doorbell.as_fd(), 1, 6, ours);
    assert!(all_now(&mut here).is_empty(), "a delivery is not reported");

    let mut got = [0; 2];
    theirs.read_exact(&mut got).expect("the other core answers");
    assert_eq!(&got, b"hi");
    assert_eq!(other_core.join().expect("no panic"), 6);
}

#[test]
fn a_connection_that_cannot_be_delivered_comes_back() {
    let mut ring = ring();
    let (ours, theirs) = pair();
    let (not_a_ring, _) = pair();

    ring.hand_over(not_a_ring.as_fd(), 3, 8, ours);

    let Event::HandOverFailed { listener, to, descriptor } = next(&mut ring) else {
        panic!("it is back")
    };
    assert_eq!((listener, to), (8, 3));
    drop(descriptor);
    let mut theirs = theirs;
    assert_eq!(theirs.read(&mut [0; 1]).expect("closed"), 0);
}

#[test]
fn more_operations_than_the_queue_holds_are_all_carried_out() {
    let mut ring = ring();
    let (ours, mut theirs) = pair();
    for _ in 0..3_000 {
        ring.send(ours.as_fd(), Tag::first(0), b"x".to_vec());
    }
    let reader = std::thread::spawn(move || {
        let mut got = vec![0; 3_000];
        theirs.read_exact(&mut got).is_ok()
    });
    for _ in 0..3_000 {
        assert!(matches!(next(&mut ring), Event::Sent { outcome: Ok(()), .. }));
    }
    assert!(reader.join().expect("no panic"));
}

#[test]
fn a_gathering_enter_waits_for_its_count_or_its_time() {
    let mut ring = ring();
    let pairs = [pair(), pair()];
    for (index, (ours, _)) in pairs.iter().enumerate() {
        ring.receive(ours.as_fd(), Tag::first(index as u32));
    }
    ring.enter(Patience::None).expect("armed");
    let patience = Patience::Gather { count: 2, gather_us: 1_000_000, wake_us: 10_000_000 };

    for (_, theirs) in &pairs {
        (&*theirs).write_all(b"x").expect("written");
    }
    ring.enter(patience).expect("the ring works");
    assert_eq!(std::iter::from_fn(|| ring.next_event()).count(), 2, "both have come");

    (&pairs[0].1).write_all(b"x").expect("written");
    ring.enter(Patience::Gather { count: 2, gather_us: 1, wake_us: 10_000_000 }).expect("works");
    assert!(ring.next_event().is_some(), "one is enough when the time is up");
}

#[test]
fn waiting_ends_when_time_is_up() {
    let mut ring = ring();
    ring.enter(Patience::Micros(1)).expect("a time-out is no error");
    assert!(ring.next_event().is_none());
}

#[test]
fn a_closed_descriptor_ends_the_peers_stream() {
    let mut ring = ring();
    let (ours, mut theirs) = pair();
    ring.close(ours);
    assert!(all_now(&mut ring).is_empty());
    assert_eq!(theirs.read(&mut [0; 1]).expect("closed"), 0);
}
