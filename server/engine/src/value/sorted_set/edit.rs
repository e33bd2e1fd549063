//! What can happen to a sorted set, and its bytes:
//!
//! ```text
//! 1 set           score f64 · member to the end
//! 2 remove        member to the end
//! 3 remove range  first u64 · count u64
//! ```
//! Numbers are little-endian.

/// One change of a sorted set.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum SortedSetEdit<'e> {
    /// The member has this score from now on. Not NaN; the negative zero becomes zero.
    Set { member: &'e [u8], score: f64 },
    /// The member goes.
    Remove { member: &'e [u8] },
    /// The elements of ranks `first..first + count` go, as far as there are any: every range that
    /// is removed, by rank, score or name, is one of ranks.
    RemoveRange { first: u64, count: u64 },
}

impl<'e> SortedSetEdit<'e> {
    pub fn encode(self, out: &mut Vec<u8>) {
        match self {
            SortedSetEdit::Set { member, score } => {
                out.push(1);
                out.extend_from_slice(&score.to_le_bytes());
                out.extend_from_slice(member);
            }
            SortedSetEdit::Remove { member } => {
                out.push(2);
                out.extend_from_slice(member);
            }
            SortedSetEdit::RemoveRange { first, count } => {
                out.push(3);
                out.extend_from_slice(&first.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes());
            }
        }
    }

    /// `None` when the bytes are no edit.
    pub fn decode(bytes: &'e [u8]) -> Option<SortedSetEdit<'e>> {
        let (&kind, rest) = bytes.split_first()?;
        match kind {
            1 => {
                let (score, member) = rest.split_first_chunk::<8>()?;
                let score = f64::from_le_bytes(*score);
                (!score.is_nan()).then_some(SortedSetEdit::Set { member, score })
            }
            2 => Some(SortedSetEdit::Remove { member: rest }),
            3 => {
                let (first, rest) = rest.split_first_chunk::<8>()?;
                let (count, rest) = rest.split_first_chunk::<8>()?;
                rest.is_empty().then_some(SortedSetEdit::RemoveRange {
                    first: u64::from_le_bytes(*first),
                    count: u64::from_le_bytes(*count),
                })
            }
            _ => None,
        }
    }
}
