//! Freehold's binary frame: get and set, written straight behind a header.
//!
//! `protocol/BINARY.md` draws the frames. Requests are put together from the protocol crate's
//! header here rather than by its client, because key and value are produced in place.

use freehold_protocol::binary::client::decode;
use freehold_protocol::binary::header::{Header, Opcode, REQUEST_MAGIC, Status, extras, flags};

use super::{Answer, Complaint, Garbled, Outcome, complaint_of};
use crate::workload::command::Filler;
use crate::workload::{Kind, Operation};

/// The mask and one 64-bit field.
const TTL_EXTRAS_BYTES: usize = 9;

pub fn encode(operation: &Operation, filler: &Filler<'_>, out: &mut Vec<u8>) {
    let key_bytes = filler.keys.bytes() as u16;
    if operation.kind != Kind::Write {
        let header = Header { opcode: Opcode::Get as u8, key_bytes, value_bytes: 0, flags: 0 };
        out.extend_from_slice(&header.encode(REQUEST_MAGIC));
        filler.keys.write(operation.key, out);
        return;
    }
    let bytes = filler.values.bytes_of(operation.key, operation.salt);
    let extras_bytes = if filler.ttl.is_some() { TTL_EXTRAS_BYTES } else { 0 };
    let header = Header {
        opcode: Opcode::Set as u8,
        key_bytes,
        value_bytes: (bytes + extras_bytes) as u32,
        flags: if filler.ttl.is_some() { flags::EXTRAS } else { 0 },
    };
    out.extend_from_slice(&header.encode(REQUEST_MAGIC));
    filler.keys.write(operation.key, out);
    if let Some(ttl) = filler.ttl {
        out.push(extras::TTL);
        out.extend_from_slice(&ttl.of(operation).to_be_bytes());
    }
    filler.values.write(operation.key, operation.salt, bytes, out);
}

#[inline]
pub fn scan(buffer: &[u8]) -> Result<Option<Answer>, Garbled> {
    let Some((response, bytes)) = decode(buffer).map_err(|error| Garbled(error.to_string()))?
    else {
        return Ok(None);
    };
    let outcome = match response.status {
        Status::Ok if response.opcode == Opcode::Get as u8 => Outcome::Hit,
        Status::Ok => Outcome::Done,
        Status::NotFound => Outcome::Miss,
        _ => Outcome::Refused,
    };
    Ok(Some(Answer { outcome, bytes }))
}

pub fn body(answer: &[u8]) -> &[u8] {
    decode(answer).ok().flatten().map_or(&[], |(response, _)| response.value)
}

/// The text of the error; of a moved slot it reads as the RESP error does.
pub fn complaint(answer: &[u8]) -> Complaint {
    let Ok(Some((response, _))) = decode(answer) else { return complaint_of(b"error") };
    let complaint = complaint_of(response.value);
    match response.value {
        [] => Complaint { kind: format!("{:?}", response.status), ..complaint },
        _ => complaint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::command::TtlRange;
    use crate::workload::{Keys, Pattern, Sizes, Values};
    use freehold_protocol::binary::client::Request;

    #[test]
    fn frames_are_those_of_the_protocol_crates_client() {
        let keys = Keys::new(100, "k:", 6, Pattern::Uniform).expect("valid");
        let values = Values::new(Sizes::Fixed(20));
        for ttl in [None, Some(TtlRange { min_ms: 900, max_ms: 900 })] {
            let filler = Filler { keys: &keys, values: &values, ttl };
            for kind in [Kind::Read, Kind::Write] {
                let operation = Operation { key: 7, since_ns: 0, salt: 3, kind };
                let mut value = Vec::new();
                values.write(7, 3, 20, &mut value);
                let mut expected = Vec::new();
                let request = match (kind, ttl) {
                    (Kind::Read, _) => Request::new(Opcode::Get, b"k:0007", b""),
                    (_, None) => Request::new(Opcode::Set, b"k:0007", &value),
                    (_, Some(ttl)) => {
                        Request::new(Opcode::Set, b"k:0007", &value).ttl_ms(ttl.min_ms)
                    }
                };
                request.encode(&mut expected);
                let mut out = Vec::new();
                encode(&operation, &filler, &mut out);
                assert_eq!(out, expected);
            }
        }
    }

    #[test]
    fn answers_are_told_apart_by_status() {
        let answer = |opcode: u8, status: Status, value: &[u8]| {
            let magic = freehold_protocol::binary::header::RESPONSE_MAGIC;
            let value_bytes = value.len() as u32;
            let header = Header { opcode, key_bytes: 0, value_bytes, flags: status as u8 };
            let mut out = header.encode(magic).to_vec();
            out.extend_from_slice(value);
            out
        };
        let hit = answer(Opcode::Get as u8, Status::Ok, b"v");
        assert_eq!(scan(&hit), Ok(Some(Answer { outcome: Outcome::Hit, bytes: 11 })));
        assert_eq!(body(&hit), b"v");
        let miss = answer(Opcode::Get as u8, Status::NotFound, b"");
        assert_eq!(scan(&miss), Ok(Some(Answer { outcome: Outcome::Miss, bytes: 10 })));
        let moved = answer(Opcode::Get as u8, Status::Moved, b"MOVED 3 127.0.0.1:7001");
        assert_eq!(scan(&moved).unwrap().unwrap().outcome, Outcome::Refused);
        assert_eq!(complaint(&moved).kind, "MOVED");
        assert!(scan(b"+OK\r\n").is_err());
    }
}
