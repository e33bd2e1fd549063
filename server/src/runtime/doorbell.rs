//! Waking a core that sleeps in its ring, from another core or from an ordinary thread.
//!
//! A core about to sleep says so in its published `sleeping` flag, looks once more into its
//! inboxes and only then waits. Whoever has put something into an inbox looks at the flag
//! afterwards. With a full fence between the write and the read on both sides, at least one of
//! the two sees the other's write: no wake-up is lost, and an awake core is never disturbed.
//! The waking itself is a message from ring to ring (MSG_RING), which costs no descriptor and no
//! read on the sleeper's side.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use io_uring::{IoUring, opcode, squeue, types};

use super::features::Features;
use super::token::{Kind, Tag, pack};

/// The entry that wakes the ring behind `doorbell`. Our own completion is skipped; a ring that is
/// gone needs no waking.
pub(super) fn wake_entry(doorbell: BorrowedFd<'_>) -> squeue::Entry {
    let there = pack(Kind::Wake, Tag::first(0));
    opcode::MsgRingData::new(types::Fd(doorbell.as_raw_fd()), 0, there, None)
        .build()
        .flags(squeue::Flags::SKIP_SUCCESS)
        .user_data(pack(Kind::Cancel, Tag::first(0)))
}

/// The bell rope of a thread that has no ring of its own to do anything else with.
pub struct Caller {
    ring: IoUring,
}

impl Caller {
    /// To be created on the thread that calls.
    pub fn new(features: &Features) -> io::Result<Caller> {
        Ok(Caller { ring: super::enter::build(4, 8, features)? })
    }

    /// Wakes every ring whose doorbell is given.
    pub fn wake_all(&mut self, doorbells: &[OwnedFd]) -> io::Result<()> {
        for doorbell in doorbells {
            let entry = wake_entry(doorbell.as_fd());
            // SAFETY: the operation carries numbers only, no memory.
            let queued = unsafe { self.ring.submission().push(&entry) };
            assert!(queued.is_ok(), "each entry is submitted before the next is queued");
            self.ring.submit()?;
            // Failures do post a completion; nobody needs to know.
            self.ring.completion().for_each(drop);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::Caller;
    use crate::runtime::buffers::PoolShape;
    use crate::runtime::features::Features;
    use crate::runtime::ring::{Patience, Ring};

    #[test]
    fn a_core_that_sleeps_is_woken_by_a_call() {
        let features = Features::of_this_host().expect("the test host runs the server");
        let (tell, hear) = mpsc::channel();
        let sleeper = thread::spawn(move || {
            let features = Features::of_this_host().expect("the test host runs the server");
            let shape = PoolShape { buffers: 2, buffer_bytes: 64 };
            let mut ring = Ring::new(&features, shape).expect("a ring");
            tell.send(ring.doorbell().expect("a doorbell")).expect("the test listens");
            let an_hour = Patience::Micros(3_600_000_000);
            ring.enter(an_hour).expect("the ring works");
            assert!(ring.next_event().is_none(), "a wake is not an event");
        });
        let doorbell = hear.recv().expect("the sleeper tells its doorbell");

        let mut caller = Caller::new(&features).expect("a ring");
        caller.wake_all(&[doorbell]).expect("the call is made");

        sleeper.join().expect("the sleeper woke up");
    }
}
