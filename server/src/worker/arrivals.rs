//! How new connections get in: accepted here or handed over, a bounded number a turn, after the
//! established ones have been served.

use std::os::fd::AsFd;

use freehold_engine::command::session::PortKind;

use super::{Phase, Worker};
use crate::net::accept::{ACCEPTS_PER_TURN_MAX, Arrival};
use crate::observe::log;
use crate::runtime::event::{Errno, Event};
use crate::runtime::sockets;

impl Worker {
    /// Starts accepting on every listener of this core.
    pub(super) fn arm_listeners(&mut self) {
        for (index, listener) in self.listeners.of_core(self.core) {
            self.ring.accept(listener.socket.as_fd(), index);
        }
    }

    #[cold]
    pub(super) fn handle_arrival(&mut self, event: Event) {
        match event {
            Event::Accepted { listener, outcome, armed } => {
                match outcome {
                    Ok(socket) => self.arrivals.push(Arrival { listener, socket, ours: false }),
                    Err(errno) => self.accept_failed(listener, errno),
                }
                if !armed {
                    self.arrivals.disarmed(listener);
                } else if self.arrivals.is_crowded() {
                    self.ring.stop_accepting(listener);
                }
            }
            Event::Adopted { listener, descriptor } => {
                self.arrivals.push(Arrival { listener, socket: descriptor, ours: true });
            }
            // The other core's queue is full or gone: serving it here beats losing it.
            Event::HandOverFailed { listener, descriptor, to } => {
                self.census.discount(usize::from(to));
                self.census.count(self.core);
                self.arrivals.push(Arrival { listener, socket: descriptor, ours: true });
            }
            Event::Received { .. }
            | Event::Sent { .. }
            | Event::Sending { .. }
            | Event::FileDone { .. } => {}
        }
    }

    fn accept_failed(&mut self, listener: u32, errno: Errno) {
        if errno.is_exhaustion() && self.arrivals.exhausted(self.now_us) {
            let address = &self.listeners.all[listener as usize].address;
            log::warning(
                "cannot accept connections; the listener rests and tries again",
                &[("listener", address), ("reason", &errno), ("core", &self.core)],
            );
        }
    }

    /// Lets a bounded number of arrivals in, and arms listeners that rested.
    pub(super) fn admit(&mut self) {
        for _ in 0..ACCEPTS_PER_TURN_MAX {
            let Some(arrival) = self.arrivals.pop() else { break };
            if self.phase == Phase::Serving {
                self.place(arrival);
            } else if arrival.ours {
                self.census.discount(self.core);
            }
        }
        if self.phase != Phase::Serving {
            return;
        }
        let mut ready = std::mem::take(&mut self.ready);
        self.arrivals.take_ready(self.now_us, &mut ready);
        for listener in ready.drain(..) {
            let socket = self.listeners.all[listener as usize].socket.as_fd();
            self.ring.accept(socket, listener);
        }
        self.ready = ready;
    }

    /// Serves an arrival here, or gives it to the core with the fewest connections. Who comes to
    /// a core port has chosen the core.
    fn place(&mut self, arrival: Arrival) {
        let port = self.listeners.all[arrival.listener as usize].port;
        if arrival.ours {
            return self.serve(arrival);
        }
        if port == PortKind::Core {
            self.census.count(self.core);
            return self.serve(arrival);
        }
        let chosen = self.census.assign(self.core);
        if chosen == self.core {
            return self.serve(arrival);
        }
        let doorbell = self.mesh.doorbell(chosen);
        let Arrival { listener, socket, .. } = arrival;
        self.ring.hand_over(doorbell, chosen as u16, listener, socket);
    }

    fn serve(&mut self, arrival: Arrival) {
        let listener = &self.listeners.all[arrival.listener as usize];
        let (socket, accepted) = listener.describe(arrival.socket);
        // An error means that the peer has gone already.
        let Ok(accepted) = accepted else { return self.census.discount(self.core) };
        log::debug("Accepted", &[("peer", &accepted.peer), ("core", &self.core)]);
        match self.shard.connect(accepted) {
            Ok(session) => {
                let tag = self.connections.insert(socket, session);
                self.listen_to(tag);
            }
            Err(reason) => {
                sockets::refuse(socket, reason);
                self.census.discount(self.core);
            }
        }
    }
}
