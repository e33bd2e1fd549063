//! Entries on their way from the core that has them to the one that writes a file of all:
//!
//! ```text
//! length u64 of what follows it · db u8 · version u16 · deadline i64 · key length u32 · key
//! · type byte and body to the end
//! ```
//! little-endian, between cores of one process; [`NEVER`] stands for no deadline. The version is
//! the one a reader of the value must know.

use super::encode_entry;
use crate::base::time::UnixMillis;
use crate::keyspace::EntryRef;

const LENGTH_BYTES: usize = 8;
const NEVER: i64 = i64::MAX;

/// An entry as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'f> {
    pub db: u8,
    pub version: u16,
    pub expiry: Option<UnixMillis>,
    pub key: &'f [u8],
    /// Type byte and body.
    pub value: &'f [u8],
}

/// Appends an entry; an [`Encode`](crate::keyspace::Encode).
pub fn encode_frame(db: u8, entry: &EntryRef<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    out.push(db);
    let version_at = out.len();
    out.extend_from_slice(&[0; 2]);
    let expiry = entry.expiry().map_or(NEVER, |at| at.0);
    out.extend_from_slice(&expiry.to_le_bytes());
    let key = entry.key();
    debug_assert!(u32::try_from(key.len()).is_ok(), "a key ends at 64 KiB");
    out.extend_from_slice(&(key.len() as u32).to_le_bytes());
    out.extend_from_slice(key);
    let version = encode_entry(entry, out);
    out[version_at..version_at + 2].copy_from_slice(&version.to_le_bytes());
    let length = (out.len() - start - LENGTH_BYTES) as u64;
    out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
}

/// The entries of some bytes that [`encode_frame`] has written.
pub struct Frames<'f>(pub &'f [u8]);

impl<'f> Iterator for Frames<'f> {
    type Item = Frame<'f>;

    fn next(&mut self) -> Option<Frame<'f>> {
        let length = u64::from_le_bytes(take(&mut self.0)?);
        let (mut frame, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        let [db] = take(&mut frame)?;
        let version = u16::from_le_bytes(take(&mut frame)?);
        let expiry = i64::from_le_bytes(take(&mut frame)?);
        let key_bytes = u32::from_le_bytes(take(&mut frame)?);
        let (key, value) = frame.split_at_checked(key_bytes as usize)?;
        let expiry = (expiry != NEVER).then_some(UnixMillis(expiry));
        Some(Frame { db, version, expiry, key, value })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (bytes, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*bytes)
}

#[cfg(test)]
mod tests {
    use super::{Frame, Frames, encode_frame};
    use crate::base::time::UnixMillis;
    use crate::shard::testing::TestNode;
    use crate::value::rdb::footer;

    #[test]
    fn an_entry_comes_out_as_it_went_in_and_half_of_one_does_not() {
        let mut node = TestNode::new(1);
        node.run("SET k v PXAT 4102444800000\nHSET h f w\nHPEXPIREAT h 4102444800001 FIELDS 1 f");
        let keyspace = node.shards[0].keyspace_mut();
        let mut bytes = Vec::new();
        for key in [b"k", b"h"] {
            let entry = keyspace.get(0, &keyspace.key_ref(key)).expect("it is there");
            encode_frame(3, &entry, &mut bytes);
        }
        let frames: Vec<Frame<'_>> = Frames(&bytes).collect();
        let (version, expiry) = (footer::VERSION_PLAIN, Some(UnixMillis(4_102_444_800_000)));
        assert_eq!(frames[0], Frame { db: 3, version, expiry, key: b"k", value: b"\x00\x01v" });
        assert_eq!((frames[1].expiry, frames[1].key), (None, &b"h"[..]));
        assert_eq!(frames[1].version, footer::VERSION_DEADLINES);
        assert_eq!(frames.len(), 2);
        for end in 0..bytes.len() {
            assert!(Frames(&bytes[..end]).count() < 2, "{end} bytes");
        }
    }
}
