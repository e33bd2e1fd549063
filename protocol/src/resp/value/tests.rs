//! The client side is tested against the server side: what a handler writes, a client reads.
//! Bytes no server would send must end in an error, never in a panic or a large allocation.

use super::*;
use crate::resp::Reply;
use proptest::prelude::*;

fn decoded(bytes: &[u8]) -> Value {
    let (value, taken) = decode(bytes).expect("sound").expect("whole");
    assert_eq!(taken, bytes.len());
    value
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

#[test]
fn every_type_of_both_dialects_is_understood() {
    for (bytes, value) in [
        ("+OK\r\n", Value::Simple(b"OK".to_vec())),
        ("-ERR no\r\n", Value::Error(b"ERR no".to_vec())),
        ("!6\r\nERR no\r\n", Value::Error(b"ERR no".to_vec())),
        (":-12\r\n", Value::Integer(-12)),
        ("$5\r\nhe\r\nl\r\n", bulk("he\r\nl")),
        ("$0\r\n\r\n", bulk("")),
        ("$-1\r\n", Value::Null),
        ("*-1\r\n", Value::Null),
        ("_\r\n", Value::Null),
        (",1e+300\r\n", Value::Double(1e300)),
        (",-inf\r\n", Value::Double(f64::NEG_INFINITY)),
        ("#t\r\n", Value::Boolean(true)),
        ("#f\r\n", Value::Boolean(false)),
        ("(-123\r\n", Value::BigNumber(b"-123".to_vec())),
        ("=6\r\ntxt:hi\r\n", Value::Verbatim { format: *b"txt", text: b"hi".to_vec() }),
        ("*0\r\n", Value::Array(vec![])),
        ("*2\r\n:1\r\n*1\r\n_\r\n", {
            Value::Array(vec![Value::Integer(1), Value::Array(vec![Value::Null])])
        }),
        ("%1\r\n$1\r\na\r\n:1\r\n", Value::Map(vec![(bulk("a"), Value::Integer(1))])),
        ("~1\r\n$1\r\na\r\n", Value::Set(vec![bulk("a")])),
        (">1\r\n$1\r\na\r\n", Value::Push(vec![bulk("a")])),
        ("|1\r\n+ttl\r\n:9\r\n$1\r\na\r\n", bulk("a")),
    ] {
        assert_eq!(decoded(bytes.as_bytes()), value, "{bytes:?}");
    }
}

#[test]
fn a_walk_tells_the_four_kinds_apart() {
    for (bytes, kind) in [
        ("+OK\r\n", Kind::Ok),
        ("+PONG\r\n", Kind::Ok),
        ("$-1\r\n", Kind::Nil),
        ("_\r\n", Kind::Nil),
        ("-ERR x\r\n", Kind::Error),
        ("*2\r\n-ERR x\r\n_\r\n", Kind::Other),
        ("|1\r\n+a\r\n-b\r\n+OK\r\n", Kind::Ok),
    ] {
        assert_eq!(skip(bytes.as_bytes()), Ok(Some((kind, bytes.len()))), "{bytes:?}");
    }
}

#[test]
fn an_unfinished_reply_is_no_reply() {
    let bytes = b"*3\r\n$3\r\nabc\r\n%1\r\n+a\r\n,1.5\r\n=6\r\ntxt:hi\r\n";
    for end in 0..bytes.len() {
        assert_eq!(decode(&bytes[..end]), Ok(None), "{end} bytes");
    }
    assert!(matches!(decode(bytes), Ok(Some(_))));
}

#[test]
fn a_broken_reply_is_an_error() {
    use ProtocolError as E;
    for (bytes, error) in [
        ("PONG\r\n", E::UnknownReplyType { got: b'P' }),
        (":1x\r\n", E::InvalidReplyNumber),
        (",x\r\n", E::InvalidReplyNumber),
        ("#y\r\n", E::InvalidReplyNumber),
        ("(1.5\r\n", E::InvalidReplyNumber),
        ("$-2\r\n", E::InvalidReplyLength),
        ("$?\r\n", E::InvalidReplyLength),
        ("%-1\r\n", E::InvalidReplyLength),
        ("=3\r\ntxt\r\n", E::InvalidReplyLength),
        ("$536870913\r\n", E::InvalidReplyLength),
        ("*4294967296\r\n", E::InvalidReplyLength),
        ("+OK\rx", E::MissingReplyLineEnd),
        ("$1\r\nabc", E::MissingReplyLineEnd),
    ] {
        assert_eq!(decode(bytes.as_bytes()), Err(error), "{bytes:?}");
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| [&b"*1\r\n".repeat(depth)[..], b":1\r\n"].concat();
    assert!(matches!(decode(&nested(REPLY_DEPTH_MAX)), Ok(Some(_))));
    assert_eq!(decode(&nested(REPLY_DEPTH_MAX + 1)), Err(ProtocolError::ReplyTooDeep));
    assert_eq!(skip(&b"*1\r\n".repeat(100_000)), Err(ProtocolError::ReplyTooDeep));
}

#[test]
fn an_announced_count_allocates_nothing() {
    assert_eq!(decode(b"*4294967295\r\n%4294967295\r\n"), Ok(None));
}

/// Any reply, together with what it must decode to.
fn reply() -> impl Strategy<Value = Value> {
    let text = || prop::collection::vec(any::<u8>(), 0..12);
    let leaf = prop_oneof![
        "[a-zA-Z ]{0,12}".prop_map(|text| Value::Simple(text.into_bytes())),
        "ERR [a-z ]{0,12}".prop_map(|text| Value::Error(text.into_bytes())),
        any::<i64>().prop_map(Value::Integer),
        text().prop_map(Value::Bulk),
        Just(Value::Null),
        any::<f64>()
            .prop_filter("nan is not equal to itself", |d| !d.is_nan())
            .prop_map(Value::Double),
        any::<bool>().prop_map(Value::Boolean),
        text().prop_map(|text| Value::Verbatim { format: *b"txt", text }),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            list.clone().prop_map(Value::Array),
            list.clone().prop_map(Value::Set),
            list.prop_map(Value::Push),
            prop::collection::vec((inner.clone(), inner), 0..3).prop_map(Value::Map),
        ]
    })
}

fn write(value: &Value, reply: &mut Reply<'_>) {
    let many = |values: &[Value], reply: &mut Reply<'_>| {
        values.iter().for_each(|value| write(value, reply));
    };
    match value {
        Value::Simple(text) => reply.simple(std::str::from_utf8(text).expect("ascii")),
        Value::Error(text) => reply.error_bytes(text),
        Value::Integer(value) => reply.integer(*value),
        Value::Bulk(bytes) => reply.bulk(bytes),
        Value::Null => reply.null(),
        Value::Double(value) => reply.double(*value),
        Value::Boolean(value) => reply.boolean(*value),
        Value::Verbatim { text, .. } => reply.verbatim("txt", text),
        Value::BigNumber(_) => unreachable!("no handler answers one"),
        Value::Array(values) => {
            reply.array(values.len());
            many(values, reply);
        }
        Value::Set(values) => {
            reply.set(values.len());
            many(values, reply);
        }
        Value::Push(values) => {
            reply.push(values.len());
            many(values, reply);
        }
        Value::Map(pairs) => {
            reply.map(pairs.len());
            for (key, value) in pairs {
                write(key, reply);
                write(value, reply);
            }
        }
    }
}

proptest! {
    #[test]
    fn what_a_handler_writes_is_what_a_client_reads(value in reply()) {
        let mut bytes = Vec::new();
        write(&value, &mut Reply::new(&mut bytes, true));
        prop_assert_eq!(skip(&bytes).map(|found| found.map(|(_, taken)| taken)),
            Ok(Some(bytes.len())));
        prop_assert_eq!(decode(&bytes), Ok(Some((value, bytes.len()))));
    }

    #[test]
    fn in_resp2_a_reply_is_one_reply_too(value in reply()) {
        let mut bytes = Vec::new();
        write(&value, &mut Reply::new(&mut bytes, false));
        prop_assert_eq!(skip(&bytes).map(|found| found.map(|(_, taken)| taken)),
            Ok(Some(bytes.len())));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let walked = skip(&bytes).map(|found| found.map(|(_, taken)| taken));
        let built = decode(&bytes).map(|found| found.map(|(_, taken)| taken));
        prop_assert_eq!(walked, built);
    }
}
