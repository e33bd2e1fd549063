//! How many entries of a stream's life lie before an id, as far as that can be known: what
//! `entries-read` and `lag` of a group rest on. The rules are Redis 7's; a `None` here is its
//! null there, and comes from entries that were deleted in between.

use super::group::Group;
use super::id::StreamId;
use super::log::Log;

impl Log {
    /// Whether an entry at or above `from` has been deleted, among those that are left.
    fn has_gap_from(&self, from: StreamId) -> bool {
        let Some(first) = self.first() else { return false };
        self.max_deleted != StreamId::MIN
            && first.id <= self.max_deleted
            && from <= self.max_deleted
    }

    /// Entries ever added up to and with `id`, where that is certain.
    pub fn distance_to(&self, id: StreamId) -> Option<u64> {
        if self.added == 0 {
            return Some(0);
        }
        let Some(first) = self.first() else {
            return (id <= self.last).then_some(self.added);
        };
        let before_first = self.added.saturating_sub(self.length as u64);
        match id.cmp(&self.last) {
            std::cmp::Ordering::Equal => return Some(self.added),
            std::cmp::Ordering::Greater => return None,
            std::cmp::Ordering::Less => {}
        }
        let whole = self.max_deleted == StreamId::MIN || self.max_deleted < first.id;
        match id.cmp(&first.id) {
            std::cmp::Ordering::Less if whole => Some(before_first),
            std::cmp::Ordering::Equal if whole => Some(before_first + 1),
            _ => None,
        }
    }

    /// A group's counter after the entry `id` was delivered to it, `read` before.
    pub fn count_read(&self, read: Option<u64>, id: StreamId) -> Option<u64> {
        match read {
            Some(read) if !self.has_gap_from(id) => Some(read.saturating_add(1)),
            read if self.added == 0 => read,
            _ => self.distance_to(id),
        }
    }

    /// Entries the group has yet to read.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        if self.added == 0 {
            return Some(0);
        }
        let read = match group.entries_read() {
            Some(read) if !self.has_gap_from(group.last_id()) => read,
            _ => self.distance_to(group.last_id())?,
        };
        Some((self.added as i64).wrapping_sub(read as i64))
    }
}
