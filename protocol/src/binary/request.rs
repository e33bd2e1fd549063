//! Frames to arguments: each request is translated into the command it stands for.
//!
//! The translation copies into the batch's own bytes, because the command's name and options are
//! not on the wire; that is one copy of a value that the keyspace will copy again. A frame whose
//! lengths are sound but whose content is not becomes a *refused* request: it takes its place in
//! the order of answers and the connection lives on.

use super::header::{Header, Opcode, REQUEST_MAGIC, extras, flags};
use crate::args::Span;
use crate::batch::{Batch, Origin, Stop};
use crate::error::ProtocolError;
use crate::limits::Limits;

/// How a request was framed, and so how its answer must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Framing {
    pub opcode: u8,
    pub flags: u8,
    /// When set, the request has no arguments and must be answered by
    /// [`super::reply::refuse`] instead of being executed.
    pub refusal: Option<Refusal>,
}

impl Framing {
    #[inline]
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Why a well-delimited request cannot be a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Refusal {
    ReservedFlag,
    /// Quorum or all: levels of a replicated server.
    LevelUnavailable,
    UnknownOpcode,
    /// Extras or versions where the opcode has none.
    FlagUnavailable,
    /// An extras block that is cut short, has unknown fields, or fields the opcode has not.
    BadExtras,
    /// A key where none belongs.
    UnexpectedKey,
    /// A value that is not what the opcode needs.
    BadValue,
    TooManyArguments,
}

impl Refusal {
    /// The text that is the value of the response.
    pub fn text(self) -> &'static str {
        match self {
            Refusal::ReservedFlag => "ERR flag bit 7 is reserved and must be 0",
            Refusal::LevelUnavailable => {
                "ERR write and read levels quorum and all are not available on this server"
            }
            Refusal::UnknownOpcode => "ERR unknown opcode",
            Refusal::FlagUnavailable => "ERR this opcode takes no such flag",
            Refusal::BadExtras => "ERR malformed extras block",
            Refusal::UnexpectedKey => "ERR this opcode takes no key",
            Refusal::BadValue => "ERR malformed value for this opcode",
            Refusal::TooManyArguments => "ERR too many arguments",
        }
    }
}

/// Parses whole frames from the front of `buffer`, at most `max` of them, and appends them to
/// `batch`. Returns the bytes they took, and why it stopped.
///
/// There is nothing to remember between calls: ten bytes tell whether a frame is whole. After
/// [`Stop::NeedMore`] the next call must present the unconsumed bytes again. Before AUTH, pass a
/// `max` of 1, as for RESP.
///
/// # Errors
/// [`ProtocolError::BadMagic`], and values above `limits`, which are not read to be skipped.
pub fn parse_binary(
    buffer: &[u8],
    limits: &Limits,
    max: usize,
    batch: &mut Batch,
) -> (usize, Stop) {
    let before = batch.len();
    let mut consumed = 0;
    while consumed < buffer.len() {
        let taken = batch.len() - before;
        if taken == max || (taken > 0 && batch.is_crowded()) {
            return (consumed, Stop::BatchFull);
        }
        match frame(&buffer[consumed..], limits, batch) {
            Ok(Some(bytes)) => consumed += bytes,
            Ok(None) => break,
            Err(error) => return (consumed, Stop::Error(error)),
        }
    }
    (consumed, Stop::NeedMore)
}

fn frame(rest: &[u8], limits: &Limits, batch: &mut Batch) -> Result<Option<usize>, ProtocolError> {
    let Some(header) = Header::decode(rest, REQUEST_MAGIC)? else { return Ok(None) };
    check_value_bytes(header.value_bytes, limits)?;
    let Some(frame) = rest.get(..header.frame_bytes()) else { return Ok(None) };
    let (key, value) = frame[super::HEADER_BYTES..].split_at(usize::from(header.key_bytes));
    let sealed = (batch.spans.len(), batch.owned.len());
    let refusal = translate(&header, key, value, limits, batch).err();
    if refusal.is_some() {
        batch.spans.truncate(sealed.0);
        batch.owned.truncate(sealed.1);
    }
    let framing = Framing { opcode: header.opcode, flags: header.flags, refusal };
    batch.seal(Origin::Binary(framing));
    Ok(Some(header.frame_bytes()))
}

fn check_value_bytes(bytes: u32, limits: &Limits) -> Result<(), ProtocolError> {
    let limit = limits.bulk_bytes_max;
    if bytes <= limit {
        Ok(())
    } else if limits.authenticated || bytes > Limits::DEFAULT.bulk_bytes_max {
        Err(ProtocolError::ValueTooLong { bytes, limit })
    } else {
        Err(ProtocolError::UnauthenticatedValueLength)
    }
}

/// Writes the arguments of the command that the frame stands for.
fn translate(
    header: &Header,
    key: &[u8],
    value: &[u8],
    limits: &Limits,
    batch: &mut Batch,
) -> Result<(), Refusal> {
    if header.flags & flags::RESERVED != 0 {
        return Err(Refusal::ReservedFlag);
    }
    if header.flags & (flags::WRITE_LEVEL_HIGH | flags::READ_LEVEL_HIGH) != 0 {
        return Err(Refusal::LevelUnavailable);
    }
    let opcode = Opcode::from_byte(header.opcode).ok_or(Refusal::UnknownOpcode)?;
    let (extras, value) = take_extras(opcode, header.flags, value)?;
    if header.flags & flags::VERSION != 0 && !matches!(opcode, Opcode::Get | Opcode::MultiGet) {
        return Err(Refusal::FlagUnavailable);
    }
    let mut to = Arguments { batch };
    match opcode {
        Opcode::Ping | Opcode::MultiGet | Opcode::Command if !key.is_empty() => {
            return Err(Refusal::UnexpectedKey);
        }
        Opcode::Ping if value.is_empty() => to.push_all(&[b"PING"]),
        Opcode::Ping => to.push_all(&[b"PING", value]),
        Opcode::Auth if key.is_empty() => to.push_all(&[b"AUTH", value]),
        Opcode::Auth => to.push_all(&[b"AUTH", key, value]),
        Opcode::Get => to.push_all(&[b"GET", key, nothing(value)?][..2]),
        Opcode::Touch => to.push_all(&[b"TOUCH", key, nothing(value)?][..2]),
        Opcode::Ttl => to.push_all(&[b"PTTL", key, nothing(value)?][..2]),
        Opcode::Set | Opcode::Add | Opcode::Replace | Opcode::CompareAndSwap => {
            set(opcode, &extras, key, value, &mut to)?;
        }
        Opcode::Delete => {
            nothing(value)?;
            delete(&extras, key, &mut to)?;
        }
        Opcode::Increment => {
            let delta = if value.is_empty() { 1 } else { i64::from_be_bytes(eight(value)?) };
            to.push_all(&[b"INCRBY", key, itoa::Buffer::new().format(delta).as_bytes()]);
        }
        Opcode::Append => to.push_all(&[b"APPEND", key, value]),
        Opcode::Expire => {
            let ttl_ms = u64::from_be_bytes(eight(value)?);
            to.push_all(&[b"PEXPIRE", key, itoa::Buffer::new().format(ttl_ms).as_bytes()]);
        }
        Opcode::MultiGet => multi_get(value, limits, &mut to)?,
        Opcode::Command => command(value, limits, &mut to)?,
    }
    Ok(())
}

fn nothing(value: &[u8]) -> Result<&[u8], Refusal> {
    if value.is_empty() { Ok(value) } else { Err(Refusal::BadValue) }
}

fn eight(value: &[u8]) -> Result<[u8; 8], Refusal> {
    value.try_into().map_err(|_| Refusal::BadValue)
}

#[derive(Default)]
struct Extras {
    ttl_ms: Option<u64>,
    expected_version: Option<u64>,
}

/// Splits a value into its extras block, when the flags announce one, and the rest.
fn take_extras(opcode: Opcode, flag_bits: u8, value: &[u8]) -> Result<(Extras, &[u8]), Refusal> {
    if flag_bits & flags::EXTRAS == 0 {
        return Ok((Extras::default(), value));
    }
    let allowed = match opcode {
        Opcode::Set | Opcode::CompareAndSwap => extras::TTL | extras::EXPECTED_VERSION,
        Opcode::Add | Opcode::Replace => extras::TTL,
        Opcode::Delete => extras::EXPECTED_VERSION,
        _ => return Err(Refusal::FlagUnavailable),
    };
    let (&fields, mut rest) = value.split_first().ok_or(Refusal::BadExtras)?;
    if fields & !allowed != 0 {
        return Err(Refusal::BadExtras);
    }
    let mut field = |bit: u8| {
        if fields & bit == 0 {
            return Ok(None);
        }
        let (bytes, behind) = rest.split_first_chunk::<8>().ok_or(Refusal::BadExtras)?;
        rest = behind;
        Ok(Some(u64::from_be_bytes(*bytes)))
    };
    let ttl_ms = field(extras::TTL)?;
    let expected_version = field(extras::EXPECTED_VERSION)?;
    if ttl_ms.is_some_and(|ttl_ms| ttl_ms == 0 || ttl_ms > i64::MAX as u64) {
        return Err(Refusal::BadExtras);
    }
    Ok((Extras { ttl_ms, expected_version }, rest))
}

/// `SET key value [NX|XX|IFDEQ digest] [PX ms]`.
fn set(
    opcode: Opcode,
    extras: &Extras,
    key: &[u8],
    value: &[u8],
    to: &mut Arguments<'_>,
) -> Result<(), Refusal> {
    to.push_all(&[b"SET", key, value]);
    match (opcode, extras.expected_version) {
        (Opcode::Add, _) | (_, Some(0)) => to.push(b"NX"),
        (Opcode::Replace, _) => to.push(b"XX"),
        (_, Some(version)) => to.push_all(&[b"IFDEQ", &hex16(version)]),
        (Opcode::CompareAndSwap, None) => return Err(Refusal::BadExtras),
        _ => {}
    }
    if let Some(ttl_ms) = extras.ttl_ms {
        to.push_all(&[b"PX", itoa::Buffer::new().format(ttl_ms).as_bytes()]);
    }
    Ok(())
}

fn delete(extras: &Extras, key: &[u8], to: &mut Arguments<'_>) -> Result<(), Refusal> {
    match extras.expected_version {
        None => to.push_all(&[b"DEL", key]),
        Some(0) => return Err(Refusal::BadExtras), // "delete it if it does not exist"
        Some(version) => to.push_all(&[b"DELEX", key, b"IFDEQ", &hex16(version)]),
    }
    Ok(())
}

/// A digest as DIGEST prints it.
fn hex16(version: u64) -> [u8; 16] {
    let mut text = [0; 16];
    for (index, byte) in text.iter_mut().enumerate() {
        let digit = (version >> (60 - 4 * index)) & 0xF;
        *byte = b"0123456789abcdef"[digit as usize];
    }
    text
}

fn multi_get(value: &[u8], limits: &Limits, to: &mut Arguments<'_>) -> Result<(), Refusal> {
    let count = count_prefixed::<2>(value, (limits.args_max as usize).saturating_sub(1))?;
    to.reserve(count + 1, value.len() + 4);
    to.push(b"MGET");
    for_each_prefixed::<2>(value, |key| to.push(key))
}

fn command(value: &[u8], limits: &Limits, to: &mut Arguments<'_>) -> Result<(), Refusal> {
    let count = count_prefixed::<4>(value, limits.args_max as usize)?;
    to.reserve(count, value.len());
    for_each_prefixed::<4>(value, |argument| to.push(argument))
}

/// Walks the list once to learn how many parts there really are: no count is ever declared.
fn count_prefixed<const PREFIX: usize>(value: &[u8], max: usize) -> Result<usize, Refusal> {
    let mut count = 0;
    for_each_prefixed::<PREFIX>(value, |_| count += 1)?;
    match count {
        0 => Err(Refusal::BadValue),
        count if count > max => Err(Refusal::TooManyArguments),
        count => Ok(count),
    }
}

/// Parts with a big-endian length of `PREFIX` bytes before each, up to the end of `value`.
fn for_each_prefixed<const PREFIX: usize>(
    mut value: &[u8],
    mut each: impl FnMut(&[u8]),
) -> Result<(), Refusal> {
    while !value.is_empty() {
        let (prefix, rest) = value.split_first_chunk::<PREFIX>().ok_or(Refusal::BadValue)?;
        let bytes = prefix.iter().fold(0usize, |sum, &byte| sum << 8 | usize::from(byte));
        let (part, rest) = rest.split_at_checked(bytes).ok_or(Refusal::BadValue)?;
        each(part);
        value = rest;
    }
    Ok(())
}

/// Where the arguments of the request in hand are written to.
struct Arguments<'b> {
    batch: &'b mut Batch,
}

impl Arguments<'_> {
    fn reserve(&mut self, count: usize, bytes: usize) {
        self.batch.spans.reserve(count);
        self.batch.owned.reserve(bytes);
    }

    fn push(&mut self, argument: &[u8]) {
        let start = self.batch.owned.len() as u32;
        self.batch.owned.extend_from_slice(argument);
        self.batch.spans.push(Span { start, len: argument.len() as u32 });
    }

    fn push_all(&mut self, arguments: &[&[u8]]) {
        for argument in arguments {
            self.push(argument);
        }
    }
}

#[cfg(test)]
mod tests;
