//! How a node ends: every core stops accepting, answers what is in flight, closes its
//! connections, and goes on serving the other cores' requests until all have done so.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Sender;

use freehold_engine::exchange::Filled;
use freehold_engine::store::Told;

use super::Worker;
use crate::runtime::signals::Signal;
use crate::runtime::token::Tag;

/// Connections that have not taken their last replies by then are closed all the same.
const DRAIN_US_MAX: u64 = 5_000_000;

/// Where the node stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Phase {
    Serving = 0,
    /// No new connections; the present ones get their replies and are closed.
    Draining = 1,
    /// The same without waiting for anybody.
    Hurrying = 2,
    /// Every core has drained: turn no more.
    Ended = 3,
}

/// The phase as the control thread sets it and every core reads it, once a turn. It only grows.
#[derive(Default)]
pub struct Control {
    phase: AtomicU8,
    /// A signal that core 0 has yet to take: its place in [`Signal`] plus one, or 0.
    signal: AtomicU8,
}

impl Control {
    /// Moves on to `phase`; never back.
    pub fn advance(&self, phase: Phase) {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel);
    }

    /// Asks core 0 to end the node as the configuration says for this signal.
    pub fn signal(&self, signal: Signal) {
        self.signal.store(signal as u8 + 1, Ordering::Release);
    }

    fn take_signal(&self) -> Option<Signal> {
        if self.signal.load(Ordering::Acquire) == 0 {
            return None;
        }
        let all = [Signal::Terminate, Signal::Interrupt];
        let taken = self.signal.swap(0, Ordering::AcqRel);
        all.into_iter().find(|signal| *signal as u8 + 1 == taken)
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Serving,
            1 => Phase::Draining,
            2 => Phase::Hurrying,
            _ => Phase::Ended,
        }
    }
}

/// What the control thread hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// SIGTERM or SIGINT: whether something is saved before the end is for a shard to say.
    Signal(Signal),
    /// The end, after a signal or by a client's SHUTDOWN.
    Stop { now: bool, reason: String },
    /// The logs have been examined, or cannot be believed.
    Examined,
    /// A core has what it is to begin with.
    Filled(Result<Filled, String>),
    /// The node was to end and does not: what had to be saved could not be, or somebody has
    /// called it off.
    Stays,
    /// A core has closed all its connections.
    Drained,
    /// A snapshot counts, or has failed.
    Snapshot(Told),
    /// A core cannot go on.
    Broken { core: usize, reason: String },
}

/// A core's line to the control thread.
#[derive(Clone)]
pub struct Report(pub Sender<News>);

impl Report {
    pub fn shutdown(&self, now: bool) {
        self.send(News::Stop { now, reason: "SHUTDOWN".to_owned() });
    }

    pub fn send(&self, news: News) {
        // Nobody listening means the process is ending already.
        let _ = self.0.send(news);
    }
}

impl Worker {
    /// Follows the control thread from phase to phase.
    pub(super) fn follow_phase(&mut self) {
        let phase = self.control.phase();
        if phase != self.phase {
            self.phase = phase;
            self.enter_phase();
        }
        if self.phase == Phase::Serving {
            return;
        }
        if self.deadline_us.is_some_and(|at| self.now_us >= at) {
            self.deadline_us = None;
            self.close_all();
        }
        let closed = self.connections.is_empty() && self.arrivals.is_empty();
        if !self.drained && closed && self.is_kept() {
            self.drained = true;
            self.deadline_us = None;
            self.report.send(News::Drained);
        }
    }

    /// Core 0 decides for the node what a signal asks for.
    pub(super) fn follow_signal(&mut self) {
        if self.core != 0 {
            return;
        }
        let Some(signal) = self.control.take_signal() else { return };
        let config = self.shard.config();
        let words = match signal {
            Signal::Terminate => config.persistence.shutdown_on_sigterm.clone(),
            Signal::Interrupt => config.persistence.shutdown_on_sigint.clone(),
        };
        self.shard.shut_down_by_signal(&words);
    }

    #[cold]
    fn enter_phase(&mut self) {
        match self.phase {
            Phase::Serving => {}
            Phase::Draining => {
                self.stop_listening();
                self.deadline_us = Some(self.now_us + DRAIN_US_MAX);
                for tag in self.connections.tags() {
                    self.stop_listening_to(tag);
                    self.end_input(tag);
                }
            }
            Phase::Hurrying | Phase::Ended => {
                self.stop_listening();
                self.close_all();
            }
        }
    }

    fn stop_listening(&mut self) {
        for (index, _) in self.listeners.of_core(self.core) {
            self.ring.stop_accepting(index);
        }
    }

    fn close_all(&mut self) {
        for tag in self.connections.tags() {
            self.close(tag);
        }
    }

    /// Nothing more will be read from this connection: it gets the replies to what it has sent,
    /// and is closed.
    pub(super) fn end_input(&mut self, tag: Tag) {
        let Some(connection) = self.connections.get_mut(tag) else { return };
        let Some(session) = connection.session else { return };
        connection.ended = true;
        self.attend(session);
    }
}

#[cfg(test)]
mod tests {
    use super::{Control, Phase};

    #[test]
    fn a_phase_never_goes_back() {
        let control = Control::default();
        assert_eq!(control.phase(), Phase::Serving);
        control.advance(Phase::Hurrying);
        control.advance(Phase::Draining);
        assert_eq!(control.phase(), Phase::Hurrying);
        control.advance(Phase::Ended);
        assert_eq!(control.phase(), Phase::Ended);
    }
}
