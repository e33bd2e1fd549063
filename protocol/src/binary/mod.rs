//! The binary protocol, version 1, for clients that want less parsing. `BINARY.md` draws it byte
//! by byte.
//!
//! A frame becomes the arguments of the command it stands for ([`request`]), so everything behind
//! the parsers sees one kind of request. The command's RESP answer is turned into a response
//! frame ([`reply`]). [`client`] is the other end.

pub mod client;
#[cfg(test)]
mod examples;
pub mod header;
pub mod reply;
pub mod request;

pub use header::{FIRST_BYTE, HEADER_BYTES, Header, Opcode, Status, flags};
pub use request::{Framing, Refusal, parse_binary};

/// The version of a value: a token that changes when the value does. It is the digest by which
/// IFDEQ compares, so a compare-and-swap needs nothing stored with the key. 0 is kept free to
/// mean "the key must not exist".
pub fn version_of(value: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(value).max(1)
}

#[cfg(test)]
mod tests {
    /// The published XXH3-64 of no bytes, seed 0: what DIGEST of an empty string answers.
    #[test]
    fn a_version_is_the_digest_of_the_value() {
        assert_eq!(super::version_of(b""), 0x2D06_8005_38D3_94C2);
    }
}
