//! DUMP's answers. What stands in front of their footer is the type byte and the value of an RDB
//! file, byte for byte, so an export copies values without reading them and an import asks a
//! running server to read them.

use super::super::Fault;
use super::reader::{MODULES, module_name};
use crate::keyspace::EntryRef;
use crate::rdb::encode_entry;
use crate::value::rdb::{Dialect, Form, footer};

/// Type byte and body of what DUMP answered for `key`, and the RDB version a reader of them must
/// know. That is the version of the form, whatever newer one the server stands at: type bytes keep
/// their meaning.
///
/// # Errors
/// When the checksum is wrong, or the value is of a module or of a type not known here.
pub fn open_payload<'p>(key: &[u8], payload: &'p [u8]) -> Result<(&'p [u8], u16), Fault> {
    let key = || key.to_vec();
    let (value, version) = footer::unseal(payload).ok_or_else(|| Fault::Payload { key: key() })?;
    let (&number, body) = value.split_first().ok_or_else(|| Fault::Payload { key: key() })?;
    let is_valkey = version >= footer::VERSION_VALKEY;
    let dialect = if is_valkey { Dialect::Valkey } else { Dialect::Redis };
    match (Form::in_dialect(number, dialect), body) {
        (Some(form), _) => Ok((value, footer::version_of(form))),
        (None, [0x81, id @ ..]) if MODULES.contains(&number) && id.len() >= 8 => {
            let id = id.iter().take(8).fold(0, |id, &byte| id << 8 | u64::from(byte));
            Err(Fault::Module { key: key(), number, module: module_name(id) })
        }
        (None, _) => Err(Fault::Type { key: key(), number }),
    }
}

/// What DUMP would answer for this key.
pub fn seal_entry(entry: &EntryRef<'_>, out: &mut Vec<u8>) {
    out.clear();
    let version = encode_entry(entry, out);
    footer::seal(out, version);
}

#[cfg(test)]
mod tests {
    use super::open_payload;
    use crate::exchange::Fault;
    use crate::value::rdb::footer::seal;

    fn sealed(value: &[u8], version: u16) -> Vec<u8> {
        let mut payload = value.to_vec();
        seal(&mut payload, version);
        payload
    }

    #[test]
    fn a_value_needs_the_version_of_its_form_however_new_its_server_is() {
        for (value, server, needed) in [
            (&b"\x00\x01v"[..], 13, 6),
            (b"\x10\x00", 13, 10),
            (b"\x14\x00", 12, 11),
            (b"\x18\x00", 12, 12),
            (b"\x14\x00", 80, 11),
            (b"\x16\x00", 80, 80),
        ] {
            let payload = sealed(value, server);
            assert_eq!(open_payload(b"k", &payload), Ok((value, needed)), "version {server}");
        }
        // From 23 on Valkey has not said what its types are.
        let unknown = Fault::Type { key: b"k".to_vec(), number: 24 };
        assert_eq!(open_payload(b"k", &sealed(b"\x18\x00", 81)), Err(unknown));
    }

    #[test]
    fn what_cannot_be_copied_is_named_with_its_key() {
        let key = || b"k".to_vec();
        let mut flipped = sealed(b"\x00\x01v", 10);
        flipped[1] ^= 1;
        assert_eq!(open_payload(b"k", &flipped), Err(Fault::Payload { key: key() }));
        assert_eq!(open_payload(b"k", b""), Err(Fault::Payload { key: key() }));
        assert_eq!(open_payload(b"k", &sealed(b"", 10)), Err(Fault::Payload { key: key() }));
        let unknown = Fault::Type { key: key(), number: 40 };
        assert_eq!(open_payload(b"k", &sealed(b"\x28ab", 12)), Err(unknown));
        let payload = sealed(b"\x07\x81\x00\x00\x00\x00\x00\x00\x00\x00", 10);
        let module = Fault::Module { key: key(), number: 7, module: "AAAAAAAAA".to_owned() };
        assert_eq!(open_payload(b"k", &payload), Err(module));
    }
}
