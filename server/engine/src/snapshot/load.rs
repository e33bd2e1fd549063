//! Reading a snapshot: block by block, only those that can hold a wanted slot, each checked before
//! anything of it is applied.

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

use super::block::{self, Entry, Fault, HEADER_BYTES, Header, TRAILER_BYTES};
use crate::disk::{FileName, Files, ReadError};
use crate::effect::{Effect, decode_all};
use freehold_protocol::slot::Slot;
use std::fmt;
use std::ops::Range;

/// A snapshot cannot be loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    Read(ReadError),
    Broken { file: FileName, offset: u64, fault: Fault },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Read(error) => error.fmt(f),
            LoadError::Broken { file, offset, fault } => {
                write!(f, "{file} is damaged at byte {offset}: {fault}")
            }
        }
    }
}

/// Calls `visit` with the effects that make every key of `slots` in the file, to be applied with
/// [`crate::effect::apply`], whose answer it returns. What was visited before an error is not to be
/// relied on.
///
/// # Errors
/// The file cannot be read, is not whole, or holds something other than it says.
pub fn load(
    files: &mut dyn Files,
    file: FileName,
    slots: Range<u16>,
    visit: &mut dyn FnMut(&Effect<'_>) -> bool,
) -> Result<Header, LoadError> {
    let mut source = Source { files, file };
    let Opened { header, index, index_at, .. } = open(&mut source)?;
    for (at, entry) in index.iter().enumerate() {
        if slots.contains(&entry.first_slot)
            || (entry.first_slot..=entry.last_slot).contains(&slots.start)
        {
            let behind = index.get(at.saturating_add(1)).map_or(index_at, |next| next.offset);
            let bytes = source.bytes(entry.offset, behind)?;
            load_block(&bytes, entry, &slots, visit)
                .map_err(|fault| source.broken(entry.offset, fault))?;
        }
    }
    Ok(header)
}

/// What a snapshot says is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    pub header: Header,
    pub blocks: usize,
    pub keys: u64,
    pub file_bytes: u64,
}

/// Reads header and index of a snapshot.
///
/// # Errors
/// As [`load`], but for what is in its blocks.
pub fn summary(files: &mut dyn Files, file: FileName) -> Result<Summary, LoadError> {
    let Opened { header, index, file_bytes, .. } = open(&mut Source { files, file })?;
    let keys = index.iter().map(|entry| u64::from(entry.keys)).sum();
    Ok(Summary { header, blocks: index.len(), keys, file_bytes })
}

struct Opened {
    header: Header,
    index: Vec<Entry>,
    index_at: u64,
    file_bytes: u64,
}

fn open(source: &mut Source<'_>) -> Result<Opened, LoadError> {
    let file = source.file;
    let file_bytes = source.files.len(file).map_err(LoadError::Read)?;
    if file_bytes < (HEADER_BYTES + TRAILER_BYTES) as u64 {
        return Err(source.broken(0, Fault::NotWhole));
    }
    let mut head = [0; HEADER_BYTES];
    source.fill(0, &mut head)?;
    let header = Header::decode(&head).map_err(|fault| source.broken(0, fault))?;
    let trailer_at = file_bytes.saturating_sub(TRAILER_BYTES as u64); // not shorter, see above
    let mut trailer = [0; TRAILER_BYTES];
    source.fill(trailer_at, &mut trailer)?;
    let index_at = block::index_offset(&trailer, file_bytes)
        .map_err(|fault| source.broken(trailer_at, fault))?;
    let end = source.bytes(index_at, file_bytes)?;
    let index =
        block::decode_end(&end, index_at).map_err(|fault| source.broken(index_at, fault))?;
    Ok(Opened { header, index, index_at, file_bytes })
}

fn load_block(
    bytes: &[u8],
    entry: &Entry,
    slots: &Range<u16>,
    visit: &mut dyn FnMut(&Effect<'_>) -> bool,
) -> Result<(), Fault> {
    let raw = block::decode_block(bytes, entry)?;
    let (mut keys, mut sound) = (0u32, true);
    let decoded = decode_all(&raw, |effect| {
        let begins = block::begins_key(&effect);
        let slot = effect.key().map(|key| Slot::of_key(key).number());
        let (Some(begins), Some(slot)) = (begins, slot) else {
            sound = false;
            return;
        };
        sound = sound && (entry.first_slot..=entry.last_slot).contains(&slot);
        keys = keys.saturating_add(u32::from(begins));
        if sound && slots.contains(&slot) {
            sound = visit(&effect);
        }
    });
    if decoded.is_ok() && sound && keys == entry.keys { Ok(()) } else { Err(Fault::Content) }
}

struct Source<'f> {
    files: &'f mut dyn Files,
    file: FileName,
}

impl Source<'_> {
    fn broken(&self, offset: u64, fault: Fault) -> LoadError {
        LoadError::Broken { file: self.file, offset, fault }
    }

    fn fill(&mut self, offset: u64, into: &mut [u8]) -> Result<(), LoadError> {
        let read = self.files.read(self.file, offset, into).map_err(LoadError::Read)?;
        if read == into.len() { Ok(()) } else { Err(self.broken(offset, Fault::NotWhole)) }
    }

    /// The bytes between two places, both within the file.
    fn bytes(&mut self, from: u64, to: u64) -> Result<Vec<u8>, LoadError> {
        let length = to.checked_sub(from).and_then(|length| usize::try_from(length).ok());
        let mut bytes = vec![0; length.ok_or_else(|| self.broken(from, Fault::Layout))?];
        self.fill(from, &mut bytes)?;
        Ok(bytes)
    }
}
