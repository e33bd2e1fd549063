//! One change of a hash, and its bytes in logs and parcels.
//!
//! ```text
//! set      = 's' (deadline cleared) or 'k' (kept) · length of field:u32 · field · value
//! remove   = '-' field
//! deadline = 'd' deadline:i64 field     'p' field: it has none any more
//! ```
//!
//! Numbers are little-endian.

/// One change of a hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HashEdit<'e> {
    /// Gives a field its value; a new field has no deadline.
    Set {
        field: &'e [u8],
        value: &'e [u8],
        keep_deadline: bool,
    },
    Remove(&'e [u8]),
    /// The moment the field expires, in Unix milliseconds. Nothing happens when there is no
    /// such field.
    Deadline(&'e [u8], Option<i64>),
}

impl<'e> HashEdit<'e> {
    pub(super) fn encode(self, out: &mut Vec<u8>) {
        match self {
            HashEdit::Set { field, value, keep_deadline } => {
                out.push(if keep_deadline { b'k' } else { b's' });
                out.extend_from_slice(&(field.len() as u32).to_le_bytes());
                out.extend_from_slice(field);
                out.extend_from_slice(value);
            }
            HashEdit::Remove(field) => {
                out.push(b'-');
                out.extend_from_slice(field);
            }
            HashEdit::Deadline(field, Some(deadline)) => {
                out.push(b'd');
                out.extend_from_slice(&deadline.to_le_bytes());
                out.extend_from_slice(field);
            }
            HashEdit::Deadline(field, None) => {
                out.push(b'p');
                out.extend_from_slice(field);
            }
        }
    }

    pub(super) fn decode(bytes: &'e [u8]) -> Option<HashEdit<'e>> {
        let (verb, rest) = bytes.split_first()?;
        match verb {
            b'k' | b's' => {
                let (length, texts) = rest.split_first_chunk()?;
                let length = u32::from_le_bytes(*length) as usize;
                let (field, value) = texts.split_at_checked(length)?;
                Some(HashEdit::Set { field, value, keep_deadline: *verb == b'k' })
            }
            b'-' => Some(HashEdit::Remove(rest)),
            b'd' => {
                let (deadline, field) = rest.split_first_chunk()?;
                Some(HashEdit::Deadline(field, Some(i64::from_le_bytes(*deadline))))
            }
            b'p' => Some(HashEdit::Deadline(rest, None)),
            _ => None,
        }
    }
}
