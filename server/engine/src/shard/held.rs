//! Which messages leave a core, and when: what tells of changes waits until the log allows it, in
//! order; what only asks another core for something does not wait.

use std::collections::VecDeque;

use super::Message;
use crate::mesh::CoreId;

/// Where the log of the core stands, in bytes of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// The end of what has changed.
    pub end: u64,
    /// Up to where it may be told.
    pub told: u64,
    /// While the log is in trouble single commands only read: their answers need not wait.
    pub only_reads: bool,
}

/// The messages of one core that wait for its log.
#[derive(Default)]
pub struct HeldMessages {
    waiting: VecDeque<(u64, Vec<(CoreId, Message)>)>,
    /// So many messages at the front of the outbox have waited, and wait for room only.
    cleared: usize,
}

impl HeldMessages {
    /// Takes out of `outbox` what has to wait, and puts in what has waited.
    pub fn sift(&mut self, outbox: &mut Vec<(CoreId, Message)>, standing: Standing) {
        let Standing { end, told, only_reads } = standing;
        if outbox.len() > self.cleared && (end > told || !self.waiting.is_empty()) {
            let mut tells = Vec::new();
            for (to, message) in outbox.split_off(self.cleared) {
                if message.only_asks() || only_reads && message.answers() {
                    outbox.push((to, message));
                } else {
                    tells.push((to, message));
                }
            }
            // Nothing waits for its own sake: an empty entry a turn would add up while a disk
            // is full.
            if !tells.is_empty() {
                self.waiting.push_back((end, tells));
            }
        }
        while let Some((_, messages)) = self.waiting.pop_front_if(|(at, _)| *at <= told) {
            outbox.extend(messages);
        }
        self.cleared = outbox.len();
    }

    /// The outbox has been sent, but for so many messages that found no room.
    pub fn left(&mut self, messages: usize) {
        self.cleared = messages;
    }

    /// How many times in a row messages began to wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::parcel::{Errand, Parcel};

    fn answers() -> (CoreId, Message) {
        (CoreId(1), Message::Answers(Box::new(Parcel { parked: 1, ..Parcel::default() })))
    }

    fn asks() -> (CoreId, Message) {
        (CoreId(1), Message::Commands(Box::default()))
    }

    #[test]
    fn what_tells_waits_for_the_log_and_what_asks_does_not() {
        let mut held = HeldMessages::default();
        let mut outbox = vec![answers(), asks()];
        held.sift(&mut outbox, Standing { end: 10, told: 0, only_reads: false });
        assert!(matches!(&outbox[..], [(_, Message::Commands(_))]));
        held.sift(&mut outbox, Standing { end: 20, told: 9, only_reads: false });
        assert_eq!(outbox.len(), 1);
        held.sift(&mut outbox, Standing { end: 20, told: 10, only_reads: false });
        assert!(matches!(&outbox[..], [_, (_, Message::Answers(_))]), "it goes behind what left");
    }

    #[test]
    fn turns_in_which_nothing_is_said_leave_nothing_behind() {
        // With a message waiting for a full disk every turn added an empty entry, without end.
        let mut held = HeldMessages::default();
        let unwatch = Message::Errand(Box::new(Errand::Unwatch(Vec::new())));
        let mut outbox = vec![(CoreId(1), unwatch)];
        for end in 10..1_000 {
            held.sift(&mut outbox, Standing { end, told: 0, only_reads: true });
            assert!(outbox.is_empty());
            held.left(0);
        }
        assert_eq!(held.len(), 1);
    }
}
