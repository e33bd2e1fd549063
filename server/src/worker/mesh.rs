//! A worker's way to the other cores: the engine's rings, and the doorbells to wake who sleeps.
//!
//! The protocol of sleep is the port's; here it meets the descriptors to ring. With one core there
//! is nobody to tell and no fence is paid.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use freehold_engine::mesh::{CoreId, Port};
use freehold_engine::shard::Message;

use crate::runtime::ring::Ring;

/// One core's end of the mesh.
pub struct Mesh {
    port: Port<Message>,
    doorbells: Arc<[OwnedFd]>,
    alone: bool,
    asleep: bool,
    unsent: bool,
    /// Cores whose ring was found full while sending, kept for its capacity.
    full: Vec<CoreId>,
    /// What found no room, kept for its capacity.
    left: Vec<(CoreId, Message)>,
}

impl Mesh {
    /// `doorbells` has one for each core, by its number.
    pub fn new(port: Port<Message>, doorbells: Arc<[OwnedFd]>) -> Mesh {
        assert_eq!(doorbells.len(), usize::from(port.cores()));
        let alone = port.cores() == 1;
        Mesh {
            port,
            doorbells,
            alone,
            asleep: false,
            unsent: false,
            full: Vec::new(),
            left: Vec::new(),
        }
    }

    /// By which `core` is handed connections.
    pub fn doorbell(&self, core: usize) -> BorrowedFd<'_> {
        self.doorbells[core].as_fd()
    }

    /// Visits what other cores have sent, at most `each` messages of one core.
    #[inline]
    pub fn receive(&mut self, each: usize, visit: impl FnMut(CoreId, Message)) {
        if !self.alone {
            // What is left over is found by `may_sleep`.
            self.port.receive_each(each, visit);
        }
    }

    /// Sends what stands in `outbox`, in order, as far as the rings have room, and wakes the
    /// receivers that sleep. What finds a full ring stays in `outbox`, and with it everything
    /// behind it for the same core.
    #[inline]
    pub fn send(&mut self, outbox: &mut Vec<(CoreId, Message)>, ring: &mut Ring) {
        self.unsent = false;
        if outbox.is_empty() {
            return;
        }
        for (to, message) in outbox.drain(..) {
            if self.full.contains(&to) {
                self.left.push((to, message));
            } else if let Err(message) = self.port.send(to, message) {
                self.full.push(to);
                self.left.push((to, message));
            }
        }
        self.unsent = !self.left.is_empty();
        self.full.clear();
        outbox.append(&mut self.left);
        let doorbells = &self.doorbells;
        self.port.cores_to_wake(|core| ring.wake(doorbells[core.index()].as_fd()));
    }

    /// Messages wait for room in a ring.
    pub fn has_unsent(&self) -> bool {
        self.unsent
    }

    /// Announces sleep and looks for messages once more. False: some are there, and the core
    /// stays announced as awake.
    #[inline]
    pub fn may_sleep(&mut self) -> bool {
        if !self.alone {
            self.asleep = self.port.prepare_sleep();
            return self.asleep;
        }
        true
    }

    /// The core is awake again, if it slept.
    #[inline]
    pub fn wake_up(&mut self) {
        if std::mem::take(&mut self.asleep) {
            self.port.woke();
        }
    }
}
