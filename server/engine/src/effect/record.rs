//! Records: what of a core's changes belongs together, as it goes to the log. A record is the
//! effects of one command, or of one core's part of a transaction over several cores, and counts
//! whole or not at all. `log/FORMAT.md` draws it; all numbers are little-endian:
//!
//! ```text
//! length u32 · crc u32 · kind u8 · [part: ticket u64 · members u16 · core u16 each] · effects
//!            each effect: slot u16 · sequence u64 · length u32 · what `codec` writes
//! ```
//! `length` counts what follows the checksum, which covers the length and what follows. A slot's
//! effects are numbered without a gap, so that log, replicas and migration can speak of a place in
//! its history; an effect on whole databases has slot 65,535 and number 0.

use freehold_protocol::slot::{SLOT_COUNT, Slot};

use super::codec::take;
use super::{Effect, codec};

/// The checksum and what stands before it.
const FRAME_BYTES: usize = 8;

/// Where an effect is about whole databases.
const NO_SLOT: u16 = u16::MAX;

/// Bytes between two effects: slot and sequence; the codec's own length follows.
const PLACE_BYTES: usize = 10;

/// One command, or a transaction of this core alone.
const GROUP: u8 = 1;
/// One core's part of a transaction whose keys stayed locked until all parts were durable: when
/// another part is missing, nothing that came later has seen this one.
const LOCKED_PART: u8 = 2;
/// As a locked part, but what follows in the same log may rest on it.
const LOOSE_PART: u8 = 3;

/// One core's part of a transaction over several.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Names the transaction in this run of the node.
    pub ticket: u64,
    /// The cores that write a part, of which this is one.
    pub members: Vec<u16>,
    /// Its keys stay locked until all parts are durable.
    pub locked: bool,
}

/// What a record says it is, and its effects still as bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    pub part: Option<Part>,
    effects: &'a [u8],
}

/// An effect at its place in the history of its slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed<'a> {
    /// None for one on whole databases.
    pub slot: Option<Slot>,
    pub sequence: u64,
    pub effect: Effect<'a>,
}

/// Why bytes are not a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// There are fewer bytes than it says: so many at least are needed.
    Short(u64),
    /// The checksum is another's.
    Checksum,
    /// The checksum is right and the contents make no sense: another version wrote it, or a bug.
    Contents,
}

/// The bytes of the first record of `bytes`, checked, and what follows it.
///
/// # Errors
/// See [`Unreadable`].
pub fn first_record(bytes: &[u8]) -> Result<(Record<'_>, &[u8]), Unreadable> {
    let mut rest = bytes;
    let short = Unreadable::Short(FRAME_BYTES as u64);
    let length = take::<4>(&mut rest).ok_or(short)?;
    let crc = u32::from_le_bytes(take::<4>(&mut rest).ok_or(short)?);
    let bytes_long = u32::from_le_bytes(length) as usize;
    let short = Unreadable::Short(FRAME_BYTES as u64 + bytes_long as u64);
    let (body, rest) = rest.split_at_checked(bytes_long).ok_or(short)?;
    if crc32c::crc32c_append(crc32c::crc32c(&length), body) != crc {
        return Err(Unreadable::Checksum);
    }
    Ok((contents(body).ok_or(Unreadable::Contents)?, rest))
}

fn contents(mut body: &[u8]) -> Option<Record<'_>> {
    let [kind] = take::<1>(&mut body)?;
    let locked = match kind {
        GROUP => return Some(Record { part: None, effects: body }),
        LOCKED_PART => true,
        LOOSE_PART => false,
        _ => return None,
    };
    let ticket = u64::from_le_bytes(take::<8>(&mut body)?);
    let count = u16::from_le_bytes(take::<2>(&mut body)?);
    let mut members = Vec::new();
    for _ in 0..count {
        members.push(u16::from_le_bytes(take::<2>(&mut body)?));
    }
    Some(Record { part: Some(Part { ticket, members, locked }), effects: body })
}

impl<'a> Record<'a> {
    /// Its effects, one by one.
    pub fn effects(&self) -> EffectsOf<'a> {
        EffectsOf { rest: self.effects }
    }

    /// Calls `visit` with each effect in order.
    ///
    /// # Errors
    /// At the first that does not decode; what came before it has been visited.
    pub fn for_each(&self, mut visit: impl FnMut(Placed<'a>)) -> Result<(), Unreadable> {
        let mut effects = self.effects();
        while let Some(placed) = effects.take_next()? {
            visit(placed);
        }
        Ok(())
    }
}

/// The effects of a record that are still to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EffectsOf<'a> {
    rest: &'a [u8],
}

impl<'a> EffectsOf<'a> {
    /// Goes on where [`EffectsOf::rest`] was.
    pub fn resume(rest: &'a [u8]) -> EffectsOf<'a> {
        EffectsOf { rest }
    }

    /// The bytes of those that [`EffectsOf::take_next`] has not returned.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next one; `None` behind the last.
    ///
    /// # Errors
    /// It does not decode.
    pub fn take_next(&mut self) -> Result<Option<Placed<'a>>, Unreadable> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (slot, sequence, record) = split_first(&mut self.rest).ok_or(Unreadable::Contents)?;
        let slot = match slot {
            NO_SLOT => None,
            number => Some(Slot::new(number).ok_or(Unreadable::Contents)?),
        };
        let effect = codec::decode(record).ok_or(Unreadable::Contents)?;
        Ok(Some(Placed { slot, sequence, effect }))
    }
}

/// Takes slot, sequence and bytes of the first effect off.
fn split_first<'a>(rest: &mut &'a [u8]) -> Option<(u16, u64, &'a [u8])> {
    let slot = u16::from_le_bytes(take::<2>(rest)?);
    let sequence = u64::from_le_bytes(take::<8>(rest)?);
    let length = u32::from_le_bytes(take::<4>(rest)?) as usize;
    let (record, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some((slot, sequence, record))
}

/// Makes the records of one core. What has been made and not taken is held here.
pub struct Records {
    /// Whole records, then the one being made.
    bytes: Vec<u8>,
    /// Where the one being made begins.
    open: Option<usize>,
    /// A transaction's step is running: its effects are its own.
    in_step: bool,
    /// Bytes of records ever made and taken.
    taken: u64,
    /// Where the last locked part ends, in bytes of records.
    locked_end: u64,
    /// The last number given, by slot.
    sequences: Box<[u64]>,
}

impl Default for Records {
    fn default() -> Records {
        Records {
            bytes: Vec::new(),
            open: None,
            in_step: false,
            taken: 0,
            locked_end: 0,
            sequences: vec![0; usize::from(SLOT_COUNT)].into(),
        }
    }
}

impl Records {
    /// Goes on numbering a slot behind `sequence`, which was found in a log.
    pub fn resume(&mut self, slot: Slot, sequence: u64) {
        let last = &mut self.sequences[slot.index()];
        *last = sequence.max(*last);
    }

    /// Adds an effect to the record being made.
    pub fn add(&mut self, effect: &Effect<'_>) {
        if self.open.is_none() {
            self.open = Some(self.bytes.len());
            self.bytes.extend_from_slice(&[0; FRAME_BYTES]);
            self.bytes.push(GROUP);
        }
        let slot = effect.key().map(Slot::of_key);
        // A step's effects are numbered when its part is written: others come in between.
        let sequence = slot.filter(|_| !self.in_step).map_or(0, |slot| self.next(slot));
        let number = slot.map_or(NO_SLOT, Slot::number);
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self.bytes.extend_from_slice(&sequence.to_le_bytes());
        codec::encode(effect, &mut self.bytes);
    }

    fn next(&mut self, slot: Slot) -> u64 {
        let last = &mut self.sequences[slot.index()];
        *last += 1;
        *last
    }

    /// The record being made is complete, unless it is a step's.
    #[inline]
    pub fn seal(&mut self) {
        if let Some(start) = self.open
            && !self.in_step
        {
            self.open = None;
            finish(&mut self.bytes[start..]);
        }
    }

    /// From now on effects are those of a transaction's step.
    pub fn begin_step(&mut self) {
        self.seal();
        self.in_step = true;
    }

    /// The step's effects, for [`Records::add_part`]; they are in no record yet.
    pub fn end_step(&mut self) -> Vec<u8> {
        self.in_step = false;
        let Some(start) = self.open.take() else { return Vec::new() };
        let effects = self.bytes.split_off(start + FRAME_BYTES + 1);
        self.bytes.truncate(start);
        effects
    }

    /// Writes all steps of a transaction as one record: a part, or a group when no other core
    /// takes part, which is nothing when it is empty.
    pub fn add_part(&mut self, part: Option<&Part>, effects: &[u8]) {
        if part.is_none() && effects.is_empty() {
            return;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; FRAME_BYTES]);
        match part {
            None => self.bytes.push(GROUP),
            Some(part) => {
                self.bytes.push(if part.locked { LOCKED_PART } else { LOOSE_PART });
                self.bytes.extend_from_slice(&part.ticket.to_le_bytes());
                self.bytes.extend_from_slice(&(part.members.len() as u16).to_le_bytes());
                part.members.iter().for_each(|m| self.bytes.extend_from_slice(&m.to_le_bytes()));
            }
        }
        let mut at = self.bytes.len();
        self.bytes.extend_from_slice(effects);
        while let Some((slot, _, record)) = split_first(&mut &self.bytes[at..]) {
            let next = at + PLACE_BYTES + 4 + record.len();
            if let Some(slot) = Slot::new(slot) {
                let sequence = self.next(slot).to_le_bytes();
                self.bytes[at + 2..at + PLACE_BYTES].copy_from_slice(&sequence);
            }
            at = next;
        }
        finish(&mut self.bytes[start..]);
        if part.is_some_and(|part| part.locked) {
            self.locked_end = self.end();
        }
    }

    /// Where the last whole record ends, in bytes of records ever made.
    pub fn end(&self) -> u64 {
        self.taken + self.open.unwrap_or(self.bytes.len()) as u64
    }

    /// Up to here records have to be durable before anything is told of them, whatever the policy:
    /// the other cores of a transaction rely on it.
    pub fn locked_end(&self) -> u64 {
        self.locked_end
    }

    /// Bytes of records that have been taken.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Moves the records up to `end`, where one has ended, behind what `into` holds.
    pub fn take(&mut self, end: u64, into: &mut Vec<u8>) {
        let whole = (end - self.taken) as usize;
        self.taken += whole as u64;
        into.extend_from_slice(&self.bytes[..whole]);
        self.bytes.drain(..whole);
        if let Some(start) = &mut self.open {
            *start -= whole;
        }
    }
}

/// Writes length and checksum into the record that is all of `record`.
fn finish(record: &mut [u8]) {
    let length = u32::try_from(record.len() - FRAME_BYTES).unwrap_or(u32::MAX).to_le_bytes();
    let crc = crc32c::crc32c_append(crc32c::crc32c(&length), &record[FRAME_BYTES..]);
    record[..4].copy_from_slice(&length);
    record[4..FRAME_BYTES].copy_from_slice(&crc.to_le_bytes());
}

#[cfg(test)]
mod tests;
