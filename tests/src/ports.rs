//! Free ports for servers under test. Blocks are taken below the range from which the kernel
//! gives out client ports, spread by process id so that test processes side by side rarely meet;
//! each port is tried before it is handed out, and a block is never handed out twice.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 12_000;
const COUNT: u32 = 20_000;
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The first of `count` neighbouring ports of 127.0.0.1 that nobody listens on.
///
/// # Panics
/// When a whole round finds none.
pub fn free_block(count: u16) -> u16 {
    for _ in 0..COUNT {
        let turn = NEXT.fetch_add(u32::from(count), Ordering::Relaxed);
        let start = std::process::id().wrapping_mul(97).wrapping_add(turn) % COUNT;
        let first = (FIRST + start) as u16;
        if (first..first + count).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok()) {
            return first;
        }
    }
    panic!("no {count} free ports between {FIRST} and {}", FIRST + COUNT);
}
