//! The pieces of a snapshot file, both ways; `FORMAT.md` draws them. Reading checks every field.

use crate::effect::Effect;
use std::fmt;

pub(super) const HEADER_BYTES: usize = 36;
pub(super) const BLOCK_HEADER_BYTES: usize = 20;
pub(super) const ENTRY_BYTES: usize = 16;
pub(super) const TRAILER_BYTES: usize = 24;
const MAGIC: &[u8; 8] = b"FHSNAP\r\n";
const CLOSING_MAGIC: &[u8; 8] = b"FHSEND\r\n";
const VERSION: u16 = 1;

/// A block ends with the first effect that takes it to so many raw bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// The kind of an effect that goes on with a key.
const EDIT: u8 = 7;

/// LZ4 packs no byte into less than a 255th; what claims more is not unpacked.
const PACKED_MAX: u64 = 255;

/// What is wrong with a snapshot file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It does not begin or end as a whole snapshot does.
    NotWhole,
    /// Written by another version of the format.
    Version(u16),
    Checksum,
    /// A length or a place contradicts another.
    Layout,
    /// The bytes are not effects of the keys they are to hold.
    Content,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotWhole => f.write_str("it is not a whole snapshot"),
            Fault::Version(version) => write!(f, "version {version} is not known here"),
            Fault::Checksum => f.write_str("the checksum is wrong"),
            Fault::Layout => f.write_str("lengths and places contradict each other"),
            Fault::Content => f.write_str("the block holds other things than it says"),
        }
    }
}

/// What a snapshot says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub generation: u64,
    pub core: u16,
    pub cores: u16,
    /// The moment of the cut.
    pub cut_unix_ms: i64,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        for number in [VERSION, self.core, self.cores, 0] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&self.cut_unix_ms.to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        out
    }

    /// Whether a file that begins so is meant to be a snapshot, whole or not.
    pub fn is_meant(start: &[u8]) -> bool {
        start.starts_with(MAGIC) || MAGIC.starts_with(start)
    }

    /// Reads it from the beginning of a file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(start: &[u8]) -> Result<Header, Fault> {
        let bytes = start.first_chunk::<HEADER_BYTES>().ok_or(Fault::NotWhole)?;
        let mut rest = &bytes[..];
        if take::<8>(&mut rest)? != *MAGIC {
            return Err(Fault::NotWhole);
        }
        let (body, sum) = bytes.split_at(HEADER_BYTES - 4);
        if crc32c::crc32c(body).to_le_bytes() != *sum {
            return Err(Fault::Checksum);
        }
        let [version, core, cores, _] = [(); 4].map(|()| take_u16(&mut rest));
        if version? != VERSION {
            return Err(Fault::Version(version?));
        }
        let generation = u64::from_le_bytes(take(&mut rest)?);
        let cut_unix_ms = i64::from_le_bytes(take(&mut rest)?);
        let (core, cores) = (core?, cores?);
        if core >= cores {
            return Err(Fault::Layout);
        }
        Ok(Header { generation, core, cores, cut_unix_ms })
    }
}

/// A block as the index knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub offset: u64,
    pub keys: u32,
    pub first_slot: u16,
    pub last_slot: u16,
}

impl Entry {
    fn decode(mut rest: &[u8]) -> Result<Entry, Fault> {
        Ok(Entry {
            offset: u64::from_le_bytes(take(&mut rest)?),
            keys: u32::from_le_bytes(take(&mut rest)?),
            first_slot: take_u16(&mut rest)?,
            last_slot: take_u16(&mut rest)?,
        })
    }
}

/// How many of these bytes make the next block, whole effects, and how many keys begin in it.
pub(super) fn cut_off(bytes: &[u8]) -> (usize, u32) {
    let (mut rest, mut keys) = (bytes, 0);
    while let Some((length, after)) = rest.split_first_chunk::<4>()
        && bytes.len() - rest.len() < BLOCK_BYTES
    {
        let (record, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        keys += u32::from(record[0] != EDIT);
        rest = after;
    }
    (bytes.len() - rest.len(), keys)
}

/// A block of these effects; packed if that makes it smaller and `pack` says so.
pub(super) fn encode_block(raw: &[u8], entry: &Entry, pack: bool) -> Vec<u8> {
    let packed = if pack { lz4_flex::block::compress(raw) } else { Vec::new() };
    let stored = if pack && packed.len() < raw.len() { &packed } else { raw };
    let mut out = Vec::with_capacity(BLOCK_HEADER_BYTES + stored.len());
    for number in [raw.len(), stored.len()] {
        let number = u32::try_from(number).expect("a block is cut well below 4 GiB");
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&entry.keys.to_le_bytes());
    out.extend_from_slice(&entry.first_slot.to_le_bytes());
    out.extend_from_slice(&entry.last_slot.to_le_bytes());
    let sum = crc32c::crc32c_append(crc32c::crc32c(&out), stored);
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(stored);
    out
}

/// The effects of the block that `entry` names, which takes these bytes.
pub(super) fn decode_block(bytes: &[u8], entry: &Entry) -> Result<Vec<u8>, Fault> {
    let mut rest = bytes;
    let raw = u32::from_le_bytes(take(&mut rest)?);
    let stored = u32::from_le_bytes(take(&mut rest)?);
    let keys = u32::from_le_bytes(take(&mut rest)?);
    let slots = (take_u16(&mut rest)?, take_u16(&mut rest)?);
    let sum = take::<4>(&mut rest)?;
    let head = bytes.get(..16).ok_or(Fault::Layout)?;
    if crc32c::crc32c_append(crc32c::crc32c(head), rest).to_le_bytes() != sum {
        return Err(Fault::Checksum);
    }
    let told = (keys, slots) == (entry.keys, (entry.first_slot, entry.last_slot));
    let bounded = u64::from(raw) <= u64::from(stored).saturating_mul(PACKED_MAX);
    if !told || rest.len() != stored as usize || stored > raw || raw == 0 || !bounded {
        return Err(Fault::Layout);
    }
    if stored == raw {
        return Ok(rest.to_vec());
    }
    let unpacked = lz4_flex::block::decompress(rest, raw as usize).map_err(|_| Fault::Content)?;
    if unpacked.len() == raw as usize { Ok(unpacked) } else { Err(Fault::Layout) }
}

/// Index and trailer; the index begins at `offset`.
pub(super) fn encode_end(offset: u64, entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() * ENTRY_BYTES + TRAILER_BYTES);
    for entry in entries {
        out.extend_from_slice(&entry.offset.to_le_bytes());
        out.extend_from_slice(&entry.keys.to_le_bytes());
        out.extend_from_slice(&entry.first_slot.to_le_bytes());
        out.extend_from_slice(&entry.last_slot.to_le_bytes());
    }
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
    out.extend_from_slice(CLOSING_MAGIC);
    out
}

/// Where the index begins, by the trailer of a file of so many bytes.
pub(super) fn index_offset(trailer: &[u8; TRAILER_BYTES], file_bytes: u64) -> Result<u64, Fault> {
    let mut rest = &trailer[..];
    let offset = u64::from_le_bytes(take(&mut rest)?);
    let blocks = u64::from(u32::from_le_bytes(take(&mut rest)?));
    if !trailer.ends_with(CLOSING_MAGIC) {
        return Err(Fault::NotWhole);
    }
    let end = offset.checked_add(blocks * ENTRY_BYTES as u64 + TRAILER_BYTES as u64);
    let sound = end == Some(file_bytes) && offset >= HEADER_BYTES as u64;
    if sound { Ok(offset) } else { Err(Fault::Layout) }
}

/// The blocks that index and trailer tell of: in order, from the header to the index.
pub(super) fn decode_end(bytes: &[u8], offset: u64) -> Result<Vec<Entry>, Fault> {
    let sum_at = bytes.len().checked_sub(12).ok_or(Fault::Layout)?;
    let (body, rest) = bytes.split_at(sum_at);
    if !rest.starts_with(&crc32c::crc32c(body).to_le_bytes()) {
        return Err(Fault::Checksum);
    }
    let index = bytes.get(..bytes.len() - TRAILER_BYTES).ok_or(Fault::Layout)?;
    let entries: Result<Vec<Entry>, Fault> = index.chunks(ENTRY_BYTES).map(Entry::decode).collect();
    let entries = entries?;
    let ordered = entries.is_sorted_by(|a, b| a.offset < b.offset)
        && entries.iter().all(|entry| entry.first_slot <= entry.last_slot)
        && entries.last().is_none_or(|last| last.offset < offset)
        && entries.first().map_or(offset, |first| first.offset) == HEADER_BYTES as u64;
    if ordered { Ok(entries) } else { Err(Fault::Layout) }
}

/// Whether an effect begins a key, or goes on with one; nothing if it does not belong here.
pub(super) fn begins_key(effect: &Effect<'_>) -> Option<bool> {
    match effect {
        Effect::Set { .. } | Effect::Put { .. } => Some(true),
        Effect::Edit { .. } => Some(false),
        _ => None,
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Fault> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(Fault::Layout)?;
    *rest = tail;
    Ok(*head)
}

fn take_u16(rest: &mut &[u8]) -> Result<u16, Fault> {
    Ok(u16::from_le_bytes(take(rest)?))
}
