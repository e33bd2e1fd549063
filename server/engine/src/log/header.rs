//! The first block of a log file: whose it is.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use crate::effect::take;

/// Batches begin here, at the start of a page.
pub const FIRST_BATCH: u64 = 4096;

const MAGIC: [u8; 8] = *b"FHLOG\r\n\0";
const VERSION: u32 = 1;
const BYTES: usize = 8 + 4 + 2 + 2 + 8 + 8 + 4;

/// What a log file says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub generation: u64,
    pub core: u16,
    /// How many cores the node had: the slots of this one follow.
    pub cores: u16,
    pub created_unix_ms: i64,
}

impl Header {
    /// The whole first block.
    pub fn encode(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(FIRST_BATCH as usize);
        block.extend_from_slice(&MAGIC);
        block.extend_from_slice(&VERSION.to_le_bytes());
        block.extend_from_slice(&self.core.to_le_bytes());
        block.extend_from_slice(&self.cores.to_le_bytes());
        block.extend_from_slice(&self.generation.to_le_bytes());
        block.extend_from_slice(&self.created_unix_ms.to_le_bytes());
        let crc = crc32c::crc32c(&block);
        block.extend_from_slice(&crc.to_le_bytes());
        block.resize(FIRST_BATCH as usize, 0);
        block
    }

    /// Whether a file that begins so is meant to be a log, whole or not.
    pub fn is_meant(start: &[u8]) -> bool {
        start.starts_with(&MAGIC) || MAGIC.starts_with(start)
    }

    /// Reads it back.
    ///
    /// # Errors
    /// What is wrong with it, as half a sentence.
    pub fn decode(block: &[u8]) -> Result<Header, String> {
        const SHORT: &str = "it is shorter than a header";
        let mut rest = block.get(..BYTES).ok_or(SHORT)?;
        if take::<8>(&mut rest).ok_or(SHORT)? != MAGIC {
            return Err("it does not begin like a log".to_owned());
        }
        let version = u32::from_le_bytes(take::<4>(&mut rest).ok_or(SHORT)?);
        if version != VERSION {
            return Err(format!("its version is {version}; this program reads {VERSION}"));
        }
        let core = u16::from_le_bytes(take::<2>(&mut rest).ok_or(SHORT)?);
        let cores = u16::from_le_bytes(take::<2>(&mut rest).ok_or(SHORT)?);
        let generation = u64::from_le_bytes(take::<8>(&mut rest).ok_or(SHORT)?);
        let created_unix_ms = i64::from_le_bytes(take::<8>(&mut rest).ok_or(SHORT)?);
        let crc = u32::from_le_bytes(take::<4>(&mut rest).ok_or(SHORT)?);
        if crc != crc32c::crc32c(block.get(..BYTES - 4).ok_or(SHORT)?) {
            return Err("the checksum of its header is wrong".to_owned());
        }
        if core >= cores {
            return Err(format!("it says it is of core {core} of {cores}"));
        }
        Ok(Header { generation, core, cores, created_unix_ms })
    }
}
