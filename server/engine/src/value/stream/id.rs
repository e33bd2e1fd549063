//! Ids of stream entries: a time in milliseconds and a sequence number within it.

/// `ms-seq`, ordered by both in turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct StreamId {
    pub ms: u64,
    pub seq: u64,
}

impl StreamId {
    /// `0-0`, which no entry can have.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    pub const fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// The smallest id above this one; none above [`StreamId::MAX`].
    pub fn next(self) -> Option<StreamId> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(StreamId { ms: self.ms, seq }),
            None => Some(StreamId { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The largest id below this one; none below [`StreamId::MIN`].
    pub fn previous(self) -> Option<StreamId> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(StreamId { ms: self.ms, seq }),
            None => Some(StreamId { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// Sixteen bytes, little-endian, time first.
    pub(super) fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.seq) << 64 | u128::from(self.ms)).to_le_bytes()
    }

    pub(super) fn from_bytes(bytes: [u8; 16]) -> StreamId {
        let both = u128::from_le_bytes(bytes);
        StreamId { ms: both as u64, seq: (both >> 64) as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::StreamId;

    #[test]
    fn neighbours_cross_the_end_of_a_millisecond() {
        let last = StreamId::new(7, u64::MAX);
        assert_eq!(last.next(), Some(StreamId::new(8, 0)));
        assert_eq!(StreamId::new(8, 0).previous(), Some(last));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId::MIN.previous(), None);
        assert_eq!(StreamId::from_bytes(last.to_bytes()), last);
    }
}
