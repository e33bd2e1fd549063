//! Commands of newer servers that redis-server 7.0 does not know, as a model over those it does:
//! SET … IFEQ (Valkey 8.1, Redis 8.4), DELIFEQ (Valkey 9.0), MSETEX (Redis 8.4, Valkey 9.1). The
//! model asks the reference for the state, says what must be answered, and brings the reference
//! into the state that must follow.

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;

use crate::step::{Request, request};

/// Stands in a request for the value the key has when the request is played.
pub const CURRENT: &[u8] = b"<current>";

/// The request with [`CURRENT`] filled in, and the reply it must get.
pub fn expect(model: &mut Client, asked: &Request) -> (Request, Value) {
    let mut asked = asked.clone();
    if asked[0].eq_ignore_ascii_case(b"MSETEX") {
        let expected = msetex(model, &asked);
        return (asked, expected);
    }
    let key = asked[1].clone();
    let current = model.call(&[b"GET".as_slice(), &key]);
    let delete = asked[0].eq_ignore_ascii_case(b"DELIFEQ");
    let at = if delete { 2 } else { position(&asked, b"IFEQ").map_or(3, |at| at + 1) };
    if asked[at] == CURRENT {
        asked[at] = match &current {
            Value::Bulk(bytes) => bytes.clone(),
            _ => b"nothing".to_vec(),
        };
    }
    if matches!(current, Value::Error(_)) {
        return (asked, current); // it holds something else than a string
    }
    let equal = current == Value::Bulk(asked[at].clone());
    if delete {
        let deleted =
            if equal { model.call(&[b"DEL".as_slice(), &key]) } else { Value::Integer(0) };
        return (asked, deleted);
    }
    let mut plain = asked.clone();
    plain.drain(at - 1..=at);
    let expected = match (equal, position(&asked, b"GET")) {
        (true, _) => model.call(&plain),
        (false, Some(_)) => current,
        (false, None) => Value::Null,
    };
    (asked, expected)
}

/// Where an option stands, behind the key and the value.
fn position(asked: &Request, option: &[u8]) -> Option<usize> {
    let options = asked.iter().enumerate().skip(3);
    options.filter(|(_, word)| word.eq_ignore_ascii_case(option)).map(|(at, _)| at).next()
}

fn msetex(model: &mut Client, asked: &Request) -> Value {
    let count: usize = String::from_utf8_lossy(&asked[1]).parse().expect("a count from a template");
    let (pairs, options) = asked[2..].split_at(2 * count);
    let exists = |model: &mut Client, pair: &[Vec<u8>]| {
        model.call(&[b"EXISTS".as_slice(), &pair[0]]) == Value::Integer(1)
    };
    let mut time: Request = Vec::new();
    for option in options {
        let wanted = match option.to_ascii_uppercase().as_slice() {
            b"NX" => Some(false),
            b"XX" => Some(true),
            _ => None,
        };
        match wanted {
            Some(wanted) if pairs.chunks(2).any(|pair| exists(model, pair) != wanted) => {
                return Value::Integer(0);
            }
            Some(_) => {}
            None => time.push(option.clone()),
        }
    }
    for pair in pairs.chunks(2) {
        let mut set = request(&["SET"]);
        set.extend(pair.iter().cloned());
        set.extend(time.iter().cloned());
        model.call(&set);
    }
    Value::Integer(1)
}
