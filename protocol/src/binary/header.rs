//! The ten bytes every frame begins with, and the numbers that stand in them.

use crate::error::ProtocolError;

/// Before every request.
pub const REQUEST_MAGIC: u16 = 0xF0E1;
/// Before every response.
pub const RESPONSE_MAGIC: u16 = 0xF0E2;
/// The first byte of a connection that speaks this protocol. No RESP request begins with it, and
/// no command's name does.
pub const FIRST_BYTE: u8 = 0xF0;

const _: () = assert!(FIRST_BYTE as u16 == REQUEST_MAGIC >> 8);

/// Magic 2, opcode 1, key length 2, value length 4, flags or status 1.
pub const HEADER_BYTES: usize = 10;

/// A header without its magic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// See [`Opcode`]; responses echo that of their request.
    pub opcode: u8,
    pub key_bytes: u16,
    /// Extras included.
    pub value_bytes: u32,
    /// [`flags`] in a request, a [`Status`] in a response.
    pub flags: u8,
}

impl Header {
    pub fn encode(&self, magic: u16) -> [u8; HEADER_BYTES] {
        let [m0, m1] = magic.to_be_bytes();
        let [k0, k1] = self.key_bytes.to_be_bytes();
        let [v0, v1, v2, v3] = self.value_bytes.to_be_bytes();
        [m0, m1, self.opcode, k0, k1, v0, v1, v2, v3, self.flags]
    }

    /// The header at the front of `buffer`, or nothing when it is not whole yet.
    ///
    /// # Errors
    /// When another magic stands there; two bytes are enough to tell.
    #[inline]
    pub fn decode(buffer: &[u8], magic: u16) -> Result<Option<Header>, ProtocolError> {
        if let [m0, m1, ..] = *buffer {
            let got = u16::from_be_bytes([m0, m1]);
            if got != magic {
                return Err(ProtocolError::BadMagic { got });
            }
        }
        Ok(match *buffer {
            [_, _, opcode, k0, k1, v0, v1, v2, v3, flags, ..] => Some(Header {
                opcode,
                key_bytes: u16::from_be_bytes([k0, k1]),
                value_bytes: u32::from_be_bytes([v0, v1, v2, v3]),
                flags,
            }),
            _ => None,
        })
    }

    /// Bytes of the whole frame.
    #[inline]
    pub fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.key_bytes as usize + self.value_bytes as usize
    }
}

/// What a request asks for. Numbers never change; 0 is no opcode, so that zeroed memory is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Opcode {
    Ping = 0x01,
    Auth = 0x02,
    Get = 0x03,
    Set = 0x04,
    Add = 0x05,
    Replace = 0x06,
    Delete = 0x07,
    Increment = 0x08,
    CompareAndSwap = 0x09,
    Append = 0x0A,
    Touch = 0x0B,
    Expire = 0x0C,
    Ttl = 0x0D,
    MultiGet = 0x0E,
    Command = 0x0F,
}

impl Opcode {
    pub const ALL: [Opcode; 15] = [
        Opcode::Ping,
        Opcode::Auth,
        Opcode::Get,
        Opcode::Set,
        Opcode::Add,
        Opcode::Replace,
        Opcode::Delete,
        Opcode::Increment,
        Opcode::CompareAndSwap,
        Opcode::Append,
        Opcode::Touch,
        Opcode::Expire,
        Opcode::Ttl,
        Opcode::MultiGet,
        Opcode::Command,
    ];

    pub fn from_byte(byte: u8) -> Option<Opcode> {
        // `ALL` is in the order of the numbers, which a test checks.
        Opcode::ALL.get(usize::from(byte).checked_sub(1)?).copied()
    }
}

/// The bits of a request's flags byte.
pub mod flags {
    /// Bits 0–1, write level: 0 the connection's default, 1 one, 2 quorum, 3 all.
    pub const WRITE_LEVEL: u8 = 0b0000_0011;
    /// Bits 2–3, read level: as above.
    pub const READ_LEVEL: u8 = 0b0000_1100;
    /// The value begins with an extras block.
    pub const EXTRAS: u8 = 0b0001_0000;
    /// The response shall carry versions.
    pub const VERSION: u8 = 0b0010_0000;
    /// No response on success.
    pub const QUIET: u8 = 0b0100_0000;
    /// Must be 0.
    pub const RESERVED: u8 = 0b1000_0000;

    /// Levels from 2 on need more than one copy.
    pub(crate) const WRITE_LEVEL_HIGH: u8 = 0b0000_0010;
    pub(crate) const READ_LEVEL_HIGH: u8 = 0b0000_1000;
}

/// The first byte of an extras block: which fields follow, in this order, eight bytes each.
pub mod extras {
    /// Time to live in milliseconds, at least 1.
    pub const TTL: u8 = 0b0000_0001;
    /// The version the value must have; 0 means that the key must not exist.
    pub const EXPECTED_VERSION: u8 = 0b0000_0010;
}

/// How a request ended. 10 to 14 are free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Status {
    Ok = 0,
    NotFound = 1,
    /// The key exists (add), or has another version than expected.
    ConditionFailed = 2,
    WrongType = 3,
    TooLarge = 4,
    BadRequest = 5,
    /// Not authenticated, wrong password, or not permitted.
    AuthRequired = 6,
    OutOfMemory = 7,
    /// The text is `MOVED <slot> <host>:<port>` or `ASK …`, as in RESP.
    Moved = 8,
    ReadOnly = 9,
    /// Any other error; its text is the value.
    Other = 15,
}

impl Status {
    /// The status of a response; a number without a meaning yet is [`Status::Other`].
    pub fn from_byte(byte: u8) -> Status {
        match byte {
            0 => Status::Ok,
            1 => Status::NotFound,
            2 => Status::ConditionFailed,
            3 => Status::WrongType,
            4 => Status::TooLarge,
            5 => Status::BadRequest,
            6 => Status::AuthRequired,
            7 => Status::OutOfMemory,
            8 => Status::Moved,
            9 => Status::ReadOnly,
            _ => Status::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_ten_bytes_in_the_drawn_order() {
        let header = Header { opcode: 4, key_bytes: 0x0102, value_bytes: 0x03040506, flags: 0x40 };
        let bytes = header.encode(REQUEST_MAGIC);
        assert_eq!(bytes, [0xF0, 0xE1, 4, 1, 2, 3, 4, 5, 6, 0x40]);
        assert_eq!(Header::decode(&bytes, REQUEST_MAGIC), Ok(Some(header)));
        assert_eq!(Header::decode(&bytes[..9], REQUEST_MAGIC), Ok(None));
    }

    #[test]
    fn a_foreign_magic_is_refused_at_its_second_byte() {
        assert_eq!(Header::decode(&[0xF0], REQUEST_MAGIC), Ok(None));
        assert_eq!(
            Header::decode(&[0xF0, 0xE2], REQUEST_MAGIC),
            Err(ProtocolError::BadMagic { got: 0xF0E2 })
        );
    }

    #[test]
    fn every_opcode_is_found_by_its_number_and_no_other_number_is_one() {
        for (index, &opcode) in Opcode::ALL.iter().enumerate() {
            assert_eq!(opcode as usize, index + 1);
            assert_eq!(Opcode::from_byte(opcode as u8), Some(opcode));
        }
        assert_eq!(Opcode::from_byte(0), None);
        assert_eq!(Opcode::from_byte(16), None);
    }
}
