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
/// What a log says that goes on where the state stood at a start.
const VERSION: u32 = 1;
/// What one says that begins amid a life: programs that know only the first refuse it, and would
/// misread it.
const RESTING_VERSION: u32 = 2;
/// What one says that goes on from another of its life: what is left out of that takes it along,
/// which programs that know only the others would not do.
const FOLLOWING_VERSION: u32 = 3;
const BYTES: usize = 8 + 4 + 2 + 2 + 8 + 8 + 4;
const RESTING_BYTES: usize = BYTES + 8;
const FOLLOWING_BYTES: usize = RESTING_BYTES + 8;
const CHECKSUM_BYTES: usize = 4;

/// What a log file says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub generation: u64,
    pub core: u16,
    /// How many cores the node had: the slots of this one follow.
    pub cores: u16,
    pub created_unix_ms: i64,
    /// It says nothing without the snapshot of this generation, or a later one: what had changed
    /// before was not logged. 0: it goes on where the logs before it end.
    pub rests_on: u64,
    /// The first generation that its process could write: logs of one core and one life go on
    /// from each other. Its own in a log that says nothing of it, as none did once.
    pub life: u64,
}

impl Header {
    /// The whole first block.
    pub fn encode(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(FIRST_BATCH as usize);
        block.extend_from_slice(&MAGIC);
        let version = match self.rests_on {
            _ if self.life != self.generation => FOLLOWING_VERSION,
            0 => VERSION,
            _ => RESTING_VERSION,
        };
        block.extend_from_slice(&version.to_le_bytes());
        block.extend_from_slice(&self.core.to_le_bytes());
        block.extend_from_slice(&self.cores.to_le_bytes());
        block.extend_from_slice(&self.generation.to_le_bytes());
        block.extend_from_slice(&self.created_unix_ms.to_le_bytes());
        if version >= RESTING_VERSION {
            block.extend_from_slice(&self.rests_on.to_le_bytes());
        }
        if version >= FOLLOWING_VERSION {
            block.extend_from_slice(&self.life.to_le_bytes());
        }
        let crc = crc32c::crc32c(&block);
        block.extend_from_slice(&crc.to_le_bytes());
        block.resize(FIRST_BATCH as usize, 0);
        block
    }

    /// Whether a log counts when the snapshot of generation `snapshot` does; 0: none does.
    pub fn counts(&self, snapshot: u64) -> bool {
        self.generation >= snapshot && self.rests_on <= snapshot
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
        let mut rest = block.get(..FOLLOWING_BYTES).ok_or(SHORT)?;
        if take::<8>(&mut rest).ok_or(SHORT)? != MAGIC {
            return Err("it does not begin like a log".to_owned());
        }
        let version = u32::from_le_bytes(take::<4>(&mut rest).ok_or(SHORT)?);
        if !(VERSION..=FOLLOWING_VERSION).contains(&version) {
            let known = FOLLOWING_VERSION;
            return Err(format!("its version is {version}; this program reads up to {known}"));
        }
        let core = u16::from_le_bytes(take::<2>(&mut rest).ok_or(SHORT)?);
        let cores = u16::from_le_bytes(take::<2>(&mut rest).ok_or(SHORT)?);
        let generation = u64::from_le_bytes(take::<8>(&mut rest).ok_or(SHORT)?);
        let created_unix_ms = i64::from_le_bytes(take::<8>(&mut rest).ok_or(SHORT)?);
        let bytes = match version {
            VERSION => BYTES,
            RESTING_VERSION => RESTING_BYTES,
            _ => FOLLOWING_BYTES,
        };
        let checked = bytes.saturating_sub(CHECKSUM_BYTES);
        let (mut rests_on, mut life) = (0, generation);
        if version >= RESTING_VERSION {
            rests_on = u64::from_le_bytes(take::<8>(&mut rest).ok_or(SHORT)?);
        }
        if version >= FOLLOWING_VERSION {
            life = u64::from_le_bytes(take::<8>(&mut rest).ok_or(SHORT)?);
        }
        let crc = u32::from_le_bytes(take::<4>(&mut rest).ok_or(SHORT)?);
        if crc != crc32c::crc32c(block.get(..checked).ok_or(SHORT)?) {
            return Err("the checksum of its header is wrong".to_owned());
        }
        if core >= cores {
            return Err(format!("it says it is of core {core} of {cores}"));
        }
        Ok(Header { generation, core, cores, created_unix_ms, rests_on, life })
    }
}
