//! A batch: the records that one write carries. Its head lets a reader tell what a crash may do
//! to the end of a file from damage that needs a human.

use crate::effect::take;

/// Begins every batch: `FHB1`.
pub const MAGIC: [u8; 4] = *b"FHB1";

/// Magic, length, number, durable, epoch, checksum.
pub const HEAD_BYTES: usize = 4 + 4 + 8 + 8 + 4 + 4;

/// What stands before the records of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Bytes of records that follow.
    pub length: u32,
    /// Counts the batches of a file from 1.
    pub number: u64,
    /// Up to this offset the file was durable when the batch was made: damage before it is not
    /// the work of a crash.
    pub durable: u64,
    /// Of the leadership under which it was written; 0 on a host without replication.
    pub epoch: u32,
}

impl Head {
    pub fn write(&self, out: &mut [u8]) {
        out[..4].copy_from_slice(&MAGIC);
        out[4..8].copy_from_slice(&self.length.to_le_bytes());
        out[8..16].copy_from_slice(&self.number.to_le_bytes());
        out[16..24].copy_from_slice(&self.durable.to_le_bytes());
        out[24..28].copy_from_slice(&self.epoch.to_le_bytes());
        let crc = crc32c::crc32c(&out[..HEAD_BYTES - 4]);
        out[28..HEAD_BYTES].copy_from_slice(&crc.to_le_bytes());
    }

    /// `None` when these bytes are no head, or a damaged one.
    pub fn read(bytes: &[u8; HEAD_BYTES]) -> Option<Head> {
        let mut rest = &bytes[..];
        let magic = take::<4>(&mut rest)?;
        let head = Head {
            length: u32::from_le_bytes(take::<4>(&mut rest)?),
            number: u64::from_le_bytes(take::<8>(&mut rest)?),
            durable: u64::from_le_bytes(take::<8>(&mut rest)?),
            epoch: u32::from_le_bytes(take::<4>(&mut rest)?),
        };
        let crc = u32::from_le_bytes(take::<4>(&mut rest)?);
        (magic == MAGIC && crc == crc32c::crc32c(&bytes[..HEAD_BYTES - 4])).then_some(head)
    }
}
