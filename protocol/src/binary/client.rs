//! The client's end of the binary protocol: requests to frames, frames to responses. For the
//! load generator, for tests, for talking to other nodes.

use super::header::{Header, Opcode, REQUEST_MAGIC, RESPONSE_MAGIC, Status, extras, flags};
use super::reply::MISSING;
use crate::error::ProtocolError;

/// One request, ready to be encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    pub opcode: Opcode,
    pub key: &'a [u8],
    /// Without extras, which [`Request::encode`] puts before it.
    pub value: &'a [u8],
    pub ttl_ms: Option<u64>,
    pub expected_version: Option<u64>,
    /// [`flags`]; the extras bit is set as needed.
    pub flags: u8,
}

impl<'a> Request<'a> {
    pub fn new(opcode: Opcode, key: &'a [u8], value: &'a [u8]) -> Request<'a> {
        Request { opcode, key, value, ttl_ms: None, expected_version: None, flags: 0 }
    }

    pub fn ttl_ms(self, ttl_ms: u64) -> Request<'a> {
        Request { ttl_ms: Some(ttl_ms), ..self }
    }

    /// 0 means that the key must not exist.
    pub fn expected_version(self, version: u64) -> Request<'a> {
        Request { expected_version: Some(version), ..self }
    }

    pub fn flags(self, flags: u8) -> Request<'a> {
        Request { flags, ..self }
    }

    /// Appends the frame.
    ///
    /// # Panics
    /// When the key is longer than 65,535 bytes, or the value than 4 GiB: neither has a frame.
    pub fn encode(&self, out: &mut Vec<u8>) {
        assert!(self.key.len() <= usize::from(u16::MAX), "a key has a 16-bit length");
        let fields =
            [(extras::TTL, self.ttl_ms), (extras::EXPECTED_VERSION, self.expected_version)];
        let present = fields.iter().filter(|(_, field)| field.is_some());
        let mask = present.clone().fold(0, |mask, (bit, _)| mask | bit);
        let extras_bytes = if mask == 0 { 0 } else { 1 + 8 * present.count() };
        let value_bytes = extras_bytes + self.value.len();
        assert!(value_bytes <= u32::MAX as usize, "a value has a 32-bit length");
        let header = Header {
            opcode: self.opcode as u8,
            key_bytes: self.key.len() as u16,
            value_bytes: value_bytes as u32,
            flags: self.flags | if mask == 0 { 0 } else { flags::EXTRAS },
        };
        out.reserve(header.frame_bytes());
        out.extend_from_slice(&header.encode(REQUEST_MAGIC));
        out.extend_from_slice(self.key);
        if mask != 0 {
            out.push(mask);
        }
        for (_, field) in fields {
            out.extend(field.map(u64::to_be_bytes).into_iter().flatten());
        }
        out.extend_from_slice(self.value);
    }
}

/// Appends the value of a multi-get request. Keys longer than 65,535 bytes panic.
pub fn multi_get_value(keys: &[&[u8]], out: &mut Vec<u8>) {
    for key in keys {
        assert!(key.len() <= usize::from(u16::MAX), "a key has a 16-bit length");
        out.extend_from_slice(&(key.len() as u16).to_be_bytes());
        out.extend_from_slice(key);
    }
}

/// Appends the value of a command request: the command's name and its arguments.
pub fn command_value(args: &[&[u8]], out: &mut Vec<u8>) {
    for arg in args {
        assert!(arg.len() <= u32::MAX as usize, "an argument has a 32-bit length");
        out.extend_from_slice(&(arg.len() as u32).to_be_bytes());
        out.extend_from_slice(arg);
    }
}

/// One response, as slices of the buffer it came in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Response<'a> {
    /// That of the request; 0 when the server could not follow the stream and closes.
    pub opcode: u8,
    pub status: Status,
    /// The answer, or the text of the error. RESP3 for the command opcode.
    pub value: &'a [u8],
}

impl<'a> Response<'a> {
    /// The counter, length or TTL that increment, append and ttl answer.
    pub fn integer(&self) -> Option<i64> {
        Some(i64::from_be_bytes(self.value.try_into().ok()?))
    }

    /// Version and value of a get that asked for both.
    pub fn versioned(&self) -> Option<(u64, &'a [u8])> {
        let (version, value) = self.value.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*version), value))
    }

    /// The values of a multi-get that asked for no versions, in the order of its keys. Ends early
    /// when the response is malformed.
    pub fn values(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let mut rest = self.value;
        std::iter::from_fn(move || {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let length = u32::from_be_bytes(*length);
            if length == MISSING {
                rest = behind;
                return Some(None);
            }
            let (value, behind) = behind.split_at_checked(length as usize)?;
            rest = behind;
            Some(Some(value))
        })
    }
}

/// Decodes the response at the front of `buffer`; returns it and the bytes it took, or nothing
/// when it is not whole yet.
///
/// # Errors
/// [`ProtocolError::BadMagic`] when something else stands there.
pub fn decode(buffer: &[u8]) -> Result<Option<(Response<'_>, usize)>, ProtocolError> {
    let Some(header) = Header::decode(buffer, RESPONSE_MAGIC)? else { return Ok(None) };
    let Some(frame) = buffer.get(..header.frame_bytes()) else { return Ok(None) };
    let value = &frame[super::HEADER_BYTES + usize::from(header.key_bytes)..];
    let status = Status::from_byte(header.flags);
    Ok(Some((Response { opcode: header.opcode, status, value }, header.frame_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_encoded_as_drawn() {
        let mut out = Vec::new();
        Request::new(Opcode::Set, b"k", b"v").ttl_ms(1000).encode(&mut out);
        let drawn = b"\xF0\xE1\x04\x00\x01\x00\x00\x00\x0A\x10k\x01\0\0\0\0\0\0\x03\xE8v";
        assert_eq!(out, drawn);
    }

    #[test]
    fn a_response_in_pieces_waits_for_its_last_byte() {
        let bytes = b"\xF0\xE2\x03\x00\x00\x00\x00\x00\x02\x00hi";
        for end in 0..bytes.len() {
            assert_eq!(decode(&bytes[..end]), Ok(None), "{end} bytes");
        }
        let response = Response { opcode: 3, status: Status::Ok, value: b"hi" };
        assert_eq!(decode(bytes), Ok(Some((response, bytes.len()))));
    }

    #[test]
    fn values_tell_missing_from_empty() {
        let value = b"\0\0\0\x01a\xff\xff\xff\xff\0\0\0\0";
        let response = Response { opcode: Opcode::MultiGet as u8, status: Status::Ok, value };
        let values: Vec<_> = response.values().collect();
        assert_eq!(values, [Some(&b"a"[..]), None, Some(&b""[..])]);
    }
}
