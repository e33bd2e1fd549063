//! The rings between cores by themselves: a message there and back between two threads, each
//! polling, which is the travel of the cache lines and nothing else. It needs two CPUs.

use std::hint::{black_box, spin_loop};
use std::thread;

use freehold_engine::mesh::{CoreId, Fabric, Port};

use super::{Case, OPERATIONS};

const RING: usize = 64;
/// Asks the echoing thread to end.
const END: u64 = u64::MAX;

/// Sends everything back until told to end, then gives its port back.
fn echo(mut port: Port<u64>) -> Port<u64> {
    loop {
        let Some(message) = port.receive(CoreId(0)) else {
            spin_loop();
            continue;
        };
        if message == END {
            return port;
        }
        assert!(port.send(CoreId(0), message).is_ok(), "at most one message is on its way");
        // Nobody sleeps here; without this the list of those to wake would be kept.
        port.cores_to_wake(|_| {});
    }
}

/// One message there and back.
fn travel(port: &mut Port<u64>, message: u64) {
    assert!(port.send(CoreId(1), message).is_ok());
    let answer = loop {
        match port.receive(CoreId(1)) {
            Some(answer) => break answer,
            None => spin_loop(),
        }
    };
    assert_eq!(answer, message);
    port.cores_to_wake(|_| {});
}

/// The second thread lives only while this case runs: its polling would disturb the others.
pub fn round_trip(name: &'static str) -> Case {
    let mut ports: Vec<Port<u64>> = Fabric::new(2, RING);
    Case::new(name, move || {
        let far = ports.pop().expect("a fabric of two");
        let thread = thread::spawn(move || echo(far));
        for message in 0..OPERATIONS {
            travel(&mut ports[0], message);
        }
        assert!(ports[0].send(CoreId(1), END).is_ok());
        ports.push(thread.join().expect("the echo ends without a panic"));
    })
}

/// Push and pop by one thread: the instructions of a crossing.
pub fn push_pop(name: &'static str) -> Case {
    let mut ports: Vec<Port<u64>> = Fabric::new(2, RING);
    Case::new(name, move || {
        for message in 0..OPERATIONS {
            assert!(ports[0].send(CoreId(1), message).is_ok());
            black_box(ports[1].receive(CoreId(0)));
        }
        ports[0].cores_to_wake(|_| {});
    })
}
