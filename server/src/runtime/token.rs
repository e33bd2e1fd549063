//! What `user_data` of an operation says: which kind it is and whom it belongs to.
//!
//! ```text
//!  63      56 55                    32 31                                0
//! | kind (8) |    generation (24)     |            index (32)             |
//! ```
//! The generation tells a slot's present tenant from the one before: a completion that arrives
//! late finds a different generation and is recognised as nobody's.

/// Number of bits of a generation; it wraps after 16.7 million tenants of one slot, far more than
/// can pass while one operation is under way.
const GENERATION_BITS: u32 = 24;

/// A place in a slab together with the tenant it had when the operation began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    pub index: u32,
    generation: u32,
}

impl Tag {
    /// The first tenant of slot `index`.
    pub fn first(index: u32) -> Tag {
        Tag { index, generation: 0 }
    }

    /// For tags that carry two numbers instead of a tenant.
    ///
    /// # Panics
    /// When `second` has more than 24 bits.
    pub(super) fn pair(index: u32, second: u32) -> Tag {
        assert!(second < 1 << GENERATION_BITS);
        Tag { index, generation: second }
    }

    /// The second number of [`Tag::pair`].
    pub(super) fn second(self) -> u32 {
        self.generation
    }

    /// The tenant after this one.
    pub fn next(self) -> Tag {
        let generation = (self.generation + 1) & ((1 << GENERATION_BITS) - 1);
        Tag { index: self.index, generation }
    }
}

/// The kinds of operation a ring carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Multishot accept; the index is the listener's.
    Accept = 1,
    /// Multishot receive; the tag is the connection's.
    Receive = 2,
    /// Send; the tag is that of the lent buffer.
    Send = 3,
    /// A request to end another operation; its own outcome is of no interest.
    Cancel = 4,
    /// A connection another core accepted for us: result is the descriptor, index the listener.
    Adopt = 5,
    /// A descriptor we sent to another core, back because it could not be delivered.
    HandOver = 6,
    /// Somebody wants this core awake.
    Wake = 7,
    /// An operation on a file; the tag is its own.
    File = 8,
}

const KINDS: [Kind; 8] = [
    Kind::Accept,
    Kind::Receive,
    Kind::Send,
    Kind::Cancel,
    Kind::Adopt,
    Kind::HandOver,
    Kind::Wake,
    Kind::File,
];

/// Packs kind and tag into an operation's `user_data`.
pub fn pack(kind: Kind, tag: Tag) -> u64 {
    debug_assert!(tag.generation < 1 << GENERATION_BITS);
    (kind as u64) << 56 | u64::from(tag.generation) << 32 | u64::from(tag.index)
}

/// The inverse of [`pack`]; `None` for a value `pack` never makes.
#[inline]
pub fn unpack(user_data: u64) -> Option<(Kind, Tag)> {
    let kind = *KINDS.get(((user_data >> 56) as usize).wrapping_sub(1))?;
    let generation = (user_data >> 32) as u32 & ((1 << GENERATION_BITS) - 1);
    Some((kind, Tag { index: user_data as u32, generation }))
}

#[cfg(test)]
mod tests {
    use super::{KINDS, Tag, pack, unpack};

    #[test]
    fn what_is_packed_is_unpacked() {
        for kind in KINDS {
            for tag in [Tag::first(0), Tag::first(u32::MAX), Tag::first(7).next().next()] {
                assert_eq!(unpack(pack(kind, tag)), Some((kind, tag)));
            }
        }
    }

    #[test]
    fn foreign_user_data_is_recognised() {
        assert_eq!(unpack(0), None);
        assert_eq!(unpack(u64::MAX), None);
    }

    #[test]
    fn generations_wrap_within_their_bits() {
        let mut tag = Tag::first(3);
        for _ in 0..1 << 24 {
            tag = tag.next();
        }
        assert_eq!(tag, Tag::first(3));
    }
}
