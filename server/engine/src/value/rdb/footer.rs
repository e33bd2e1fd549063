//! What stands behind a value in DUMP's answer: RDB version (u16) and checksum of all before it
//! (u64), little-endian.

use super::crc64::crc64;
use super::{Dialect, Form};

/// The highest RDB version that is read: Redis 7.4's.
pub const VERSION_READ_MAX: u16 = 12;
/// The version that is written unless a value needs a newer one: Redis 7.0's.
pub const VERSION_PLAIN: u16 = 10;
/// The version of hashes whose fields have deadlines.
pub const VERSION_DEADLINES: u16 = 12;
/// The version by which Valkey 9 says that the numbers of its types are its own.
pub const VERSION_VALKEY: u16 = 80;
const FOOTER_BYTES: usize = 10;

/// Whose numbers the types of this RDB version have; `None` when it cannot be read.
pub fn dialect(version: u16) -> Option<Dialect> {
    match version {
        0..=VERSION_READ_MAX => Some(Dialect::Redis),
        VERSION_VALKEY => Some(Dialect::Valkey),
        _ => None,
    }
}

/// The version of the oldest server that reads this form: Redis 2.6's for those as old as DUMP.
pub fn version_of(form: Form) -> u16 {
    use Form as F;
    match form {
        F::String | F::List | F::Set | F::SortedSetText | F::Hash => 6,
        F::HashZipmap | F::ListZiplist | F::SetIntset | F::SortedSetZiplist | F::HashZiplist => 6,
        F::ListQuicklist => 7,
        F::SortedSet => 8,
        F::Stream1 => 9,
        F::HashListpack | F::SortedSetListpack | F::ListQuicklist2 | F::Stream2 => VERSION_PLAIN,
        F::SetListpack | F::Stream3 => 11,
        F::HashDeadlinesEarly | F::HashListpackDeadlinesEarly => VERSION_DEADLINES,
        F::HashDeadlines | F::HashListpackDeadlines => VERSION_DEADLINES,
        F::HashDeadlinesValkey => VERSION_VALKEY,
    }
}

/// Appends the footer to a payload.
pub fn seal(payload: &mut Vec<u8>, version: u16) {
    payload.extend_from_slice(&version.to_le_bytes());
    let sum = crc64(payload);
    payload.extend_from_slice(&sum.to_le_bytes());
}

/// The payload without its footer, and its version. `None` when the checksum is wrong.
pub fn unseal(payload: &[u8]) -> Option<(&[u8], u16)> {
    let (summed, sum) = payload.split_last_chunk::<8>()?;
    let (body, version) = summed.split_last_chunk::<2>()?;
    debug_assert_eq!(body.len() + FOOTER_BYTES, payload.len());
    (crc64(summed) == u64::from_le_bytes(*sum)).then_some((body, u16::from_le_bytes(*version)))
}

/// The payload without its footer, and its dialect. `None` when the version cannot be read or the
/// checksum is wrong.
pub fn open(payload: &[u8]) -> Option<(&[u8], Dialect)> {
    let (body, version) = unseal(payload)?;
    Some((body, dialect(version)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_payload_opens_and_a_changed_one_does_not() {
        let mut payload = b"\x00\x03abc".to_vec();
        seal(&mut payload, VERSION_PLAIN);
        assert_eq!(open(&payload), Some((&b"\x00\x03abc"[..], Dialect::Redis)));
        for at in 0..payload.len() {
            let mut changed = payload.clone();
            changed[at] ^= 1;
            assert_eq!(open(&changed), None, "byte {at}");
            assert_eq!(open(&payload[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn a_newer_version_is_refused_whatever_its_checksum() {
        let mut payload = b"\x00\x03abc".to_vec();
        let body = payload.len();
        for version in [VERSION_READ_MAX + 1, VERSION_VALKEY - 1, VERSION_VALKEY + 1] {
            payload.truncate(body);
            seal(&mut payload, version);
            assert_eq!(open(&payload), None, "version {version}");
        }
    }
}
