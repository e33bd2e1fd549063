//! One file: what it reads as now, what of it is durable, and in between the changes that no sync
//! has covered yet, which a loss of power keeps, tears or loses.

use std::ops::Range;

use super::bytes::Bytes;
use crate::crash::Crash;
use crate::random::Random;

/// What has been done to a file and is not durable.
struct Change {
    /// They are numbered over the whole file system, in the order they were made.
    number: u64,
    deed: Deed,
}

enum Deed {
    Write { offset: u64, bytes: Vec<u8> },
    Resize(u64),
}

/// What a sync covers of a file: the changes up to a number, and of the writes among them perhaps
/// only those that touch a range, as a write with O_DSYNC does.
#[derive(Clone, Debug)]
pub struct Cover {
    pub up_to: u64,
    pub range: Option<Range<u64>>,
}

impl Cover {
    /// A change of length is always among them: a file system writes its own records in order, and
    /// none makes bytes durable that it could not find again. A neighbour in the range is, since
    /// what is written back is what the range reads as.
    fn contains(&self, change: &Change) -> bool {
        let touched = match (&self.range, &change.deed) {
            (Some(range), Deed::Write { offset, bytes }) => {
                *offset < range.end && offset + bytes.len() as u64 > range.start
            }
            _ => true,
        };
        change.number <= self.up_to && touched
    }
}

/// The bytes of one file.
#[derive(Default)]
pub struct Content {
    now: Bytes,
    durable: Bytes,
    changes: Vec<Change>,
}

impl Content {
    pub fn now(&self) -> &Bytes {
        &self.now
    }

    /// `number`: of the change, when it is to be remembered until it is durable.
    pub fn write(&mut self, number: Option<u64>, offset: u64, bytes: &[u8]) {
        self.now.write(offset, bytes);
        let deed = || Deed::Write { offset, bytes: bytes.to_vec() };
        self.changes.extend(number.map(|number| Change { number, deed: deed() }));
    }

    /// Makes the file this long; `number` as for a write.
    pub fn resize(&mut self, number: Option<u64>, length: u64) {
        self.now.resize(length);
        self.changes.extend(number.map(|number| Change { number, deed: Deed::Resize(length) }));
    }

    /// What a sync covers is durable from now on.
    pub fn settle(&mut self, cover: &Cover) {
        for change in self.changes.extract_if(.., |change| cover.contains(change)) {
            match change.deed {
                Deed::Write { offset, bytes } => self.durable.write(offset, &bytes),
                Deed::Resize(length) => self.durable.resize(length),
            }
        }
    }

    /// A sync has failed: what it covers is still read, and no later sync writes it, as the pages
    /// are clean for Linux.
    pub fn give_up(&mut self, cover: &Cover) {
        self.changes.retain(|change| !cover.contains(change));
    }

    /// The power goes.
    pub fn lose_power(&mut self, crash: Crash, random: &mut Random) {
        let changes = std::mem::take(&mut self.changes);
        let last = changes.len().saturating_sub(1);
        for (index, change) in changes.into_iter().enumerate() {
            let extent = match &change.deed {
                Deed::Write { offset, bytes } => (*offset, bytes.len()),
                Deed::Resize(length) => (*length, 0),
            };
            let survivors = crash.survivors(extent, index == last, random);
            match change.deed {
                Deed::Write { offset, bytes } => survivors.into_iter().for_each(|range| {
                    self.durable.write(offset + range.start as u64, &bytes[range]);
                }),
                Deed::Resize(length) if !survivors.is_empty() => self.durable.resize(length),
                // What was written to a file after it was cut has its place only by the cut.
                Deed::Resize(length) if length < self.durable.length() => break,
                Deed::Resize(_) => {}
            }
        }
        self.now = self.durable.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::{Content, Cover};
    use crate::crash::Crash;
    use crate::random::Random;

    fn all(up_to: u64) -> Cover {
        Cover { up_to, range: None }
    }

    fn after(mut content: Content, crash: Crash) -> Vec<u8> {
        content.lose_power(crash, &mut Random::new(1));
        content.now().read(0, 1_000)
    }

    fn two_writes() -> Content {
        let mut content = Content::default();
        content.write(Some(1), 0, b"one");
        content.write(Some(2), 3, b"two");
        content
    }

    #[test]
    fn what_no_sync_has_covered_may_be_lost() {
        assert_eq!(after(two_writes(), Crash::LosesAll), b"");
        assert_eq!(after(two_writes(), Crash::KeepsAll), b"onetwo");
        assert_eq!(after(two_writes(), Crash::LastFirst), b"\0\0\0two");
    }

    #[test]
    fn a_sync_makes_durable_what_was_written_when_it_began() {
        let mut content = two_writes();
        content.settle(&all(1));
        assert_eq!(content.now().read(0, 9), b"onetwo");
        assert_eq!(after(content, Crash::LosesAll), b"one");
    }

    #[test]
    fn a_durable_write_makes_its_own_range_durable_and_no_other() {
        let mut content = Content::default();
        content.resize(Some(1), 8);
        content.write(Some(2), 0, b"aaaa");
        content.write(Some(3), 6, b"bb");
        content.settle(&Cover { up_to: 3, range: Some(6..8) });
        assert_eq!(after(content, Crash::LosesAll), b"\0\0\0\0\0\0bb");
    }

    #[test]
    fn an_older_write_does_not_come_back_over_a_durable_one() {
        let mut content = Content::default();
        content.write(Some(1), 0, b"old");
        content.write(Some(2), 0, b"new");
        content.settle(&Cover { up_to: 2, range: Some(0..3) });
        assert_eq!(after(content, Crash::KeepsAll), b"new");
    }

    #[test]
    fn what_a_failed_sync_covered_is_not_made_durable_by_the_next() {
        let mut content = two_writes();
        content.give_up(&all(1));
        content.settle(&all(2));
        assert_eq!(content.now().read(0, 9), b"onetwo");
        assert_eq!(after(content, Crash::KeepsAll), b"\0\0\0two");
    }

    #[test]
    fn a_file_that_was_cut_is_not_written_where_it_was_not() {
        let mut content = two_writes();
        content.settle(&all(2));
        content.resize(Some(3), 0);
        content.write(Some(4), 0, b"x");
        assert_eq!(after(content, Crash::LastFirst), b"onetwo");
    }
}
