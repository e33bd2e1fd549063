//! The status of a response follows from the opcode and the reply; each pair that a command can
//! produce is listed here once.

use super::*;
use crate::binary::client::{Response, decode};

fn framing(opcode: Opcode, flags: u8) -> Framing {
    Framing { opcode: opcode as u8, flags, refusal: None }
}

fn answered(framing: Framing, resp: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write(framing, resp.as_bytes(), &mut out);
    out
}

fn response(bytes: &[u8]) -> Response<'_> {
    let (response, taken) = decode(bytes).expect("sound").expect("whole");
    assert_eq!(taken, bytes.len());
    response
}

#[test]
fn a_null_means_what_the_opcode_makes_of_it() {
    for (opcode, status) in [
        (Opcode::Get, Status::NotFound),
        (Opcode::Set, Status::ConditionFailed),
        (Opcode::Add, Status::ConditionFailed),
        (Opcode::CompareAndSwap, Status::ConditionFailed),
        (Opcode::Replace, Status::NotFound),
    ] {
        for null in ["_\r\n", "$-1\r\n"] {
            let bytes = answered(framing(opcode, 0), null);
            let response = response(&bytes);
            assert_eq!((response.status, response.value), (status, &b""[..]), "{opcode:?}");
        }
    }
}

#[test]
fn an_integer_means_what_the_opcode_makes_of_it() {
    for (opcode, flags, resp, status, value) in [
        (Opcode::Increment, 0, ":-7\r\n", Status::Ok, Some(-7)),
        (Opcode::Append, 0, ":0\r\n", Status::Ok, Some(0)),
        (Opcode::Ttl, 0, ":-1\r\n", Status::Ok, Some(-1)),
        (Opcode::Ttl, 0, ":-2\r\n", Status::NotFound, None),
        (Opcode::Delete, 0, ":1\r\n", Status::Ok, None),
        (Opcode::Delete, 0, ":0\r\n", Status::NotFound, None),
        (Opcode::Delete, flags::EXTRAS, ":0\r\n", Status::ConditionFailed, None),
        (Opcode::Touch, 0, ":1\r\n", Status::Ok, None),
        (Opcode::Expire, 0, ":0\r\n", Status::NotFound, None),
    ] {
        let bytes = answered(framing(opcode, flags), resp);
        let response = response(&bytes);
        assert_eq!((response.status, response.integer()), (status, value), "{opcode:?} {resp}");
    }
}

#[test]
fn errors_are_classified_and_keep_their_text() {
    for (error, status) in [
        ("WRONGTYPE Operation against a key holding the wrong kind of value", Status::WrongType),
        ("NOAUTH Authentication required.", Status::AuthRequired),
        ("WRONGPASS invalid username-password pair or user is disabled.", Status::AuthRequired),
        ("NOPERM No permissions to access a key", Status::AuthRequired),
        ("OOM command not allowed when used memory > 'maxmemory'.", Status::OutOfMemory),
        ("MOVED 12182 127.0.0.1:7001", Status::Moved),
        ("ASK 12182 127.0.0.1:7001", Status::Moved),
        ("READONLY You can't write against a read only replica.", Status::ReadOnly),
        ("ERR string exceeds maximum allowed size (proto-max-bulk-len)", Status::TooLarge),
        ("ERR syntax error", Status::BadRequest),
        ("ERR value is not an integer or out of range", Status::Other),
        ("MOVEDSOMEWHERE", Status::Other),
        ("", Status::Other),
    ] {
        let bytes = answered(framing(Opcode::Get, 0), &format!("-{error}\r\n"));
        let response = response(&bytes);
        assert_eq!((response.status, response.value), (status, error.as_bytes()));
    }
}

#[test]
fn a_command_answers_its_whole_reply_and_the_class_of_its_error() {
    for (resp, status) in [
        ("%1\r\n+a\r\n#t\r\n", Status::Ok),
        ("_\r\n", Status::Ok),
        ("+OK\r\n", Status::Ok),
        ("-WRONGTYPE x\r\n", Status::WrongType),
    ] {
        let bytes = answered(framing(Opcode::Command, 0), resp);
        let response = response(&bytes);
        assert_eq!((response.status, response.value), (status, resp.as_bytes()));
    }
}

#[test]
fn a_quiet_request_hears_of_failures_only() {
    let quiet = framing(Opcode::Set, flags::QUIET);
    assert_eq!(answered(quiet, "+OK\r\n"), b"");
    assert!(!answered(quiet, "_\r\n").is_empty());
    assert!(!answered(quiet, "-OOM x\r\n").is_empty());
}

#[test]
fn versions_stand_before_values_when_asked_for() {
    let bytes = answered(framing(Opcode::Get, flags::VERSION), "$3\r\nbar\r\n");
    assert_eq!(response(&bytes).versioned(), Some((version_of(b"bar"), &b"bar"[..])));

    let bytes = answered(framing(Opcode::MultiGet, flags::VERSION), "*2\r\n_\r\n$1\r\na\r\n");
    let mut expected = MISSING.to_be_bytes().to_vec();
    expected.extend(1u32.to_be_bytes());
    expected.extend(version_of(b"a").to_be_bytes());
    expected.push(b'a');
    assert_eq!(response(&bytes).value, expected);
}

#[test]
fn a_reply_without_binary_form_says_so() {
    let bytes = answered(framing(Opcode::Get, 0), "%0\r\n");
    assert_eq!(response(&bytes).status, Status::Other);
}

#[test]
fn inside_a_transaction_every_opcode_answers_queued() {
    let bytes = answered(framing(Opcode::Get, 0), "+QUEUED\r\n");
    assert_eq!(response(&bytes).value, b"QUEUED");
}

#[test]
fn refusals_and_last_words_are_responses() {
    for (refusal, status) in [
        (Refusal::ReservedFlag, Status::BadRequest),
        (Refusal::LevelUnavailable, Status::Other),
        (Refusal::TooManyArguments, Status::TooLarge),
    ] {
        let mut bytes = Vec::new();
        refuse(Framing { opcode: 3, flags: flags::QUIET, refusal: Some(refusal) }, &mut bytes);
        let response = response(&bytes);
        assert_eq!((response.opcode, response.status), (3, status));
    }
    let mut bytes = Vec::new();
    protocol_error(&ProtocolError::BadMagic { got: 0x4745 }, &mut bytes);
    let last = response(&bytes);
    assert_eq!((last.opcode, last.status), (0, Status::BadRequest));
    assert_eq!(last.value, b"ERR Protocol error: bad magic 0x4745");
}
