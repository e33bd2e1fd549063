//! Whether two replies mean the same. Most must be equal to the byte, errors included; what may
//! differ by nature (clocks, ids, order of keys, sizes in memory) is compared for what it promises.

use freehold_protocol::resp::value::Value;
use freehold_tests::show::{bytes, items, show};

use crate::step::name_of;

/// Seconds that two servers may be apart because they were not asked at the same instant.
const SKEW_SECONDS: i64 = 1;
const SKEW_MILLIS: i64 = 1500;
/// Fields of CLIENT INFO and CLIENT LIST that say the same on every server.
const CLIENT_FIELDS: &[&str] = &["name", "db", "sub", "psub", "user", "resp", "flags"];

/// Both replies as they are compared: equal texts mean equal replies.
pub fn canonical(request: &[Vec<u8>], reference: &Value, subject: &Value) -> (String, String) {
    if matches!(reference, Value::Error(_)) || matches!(subject, Value::Error(_)) {
        return (show(reference), show(subject));
    }
    let name = name_of(request);
    if let Some(skew) = skew_of(&name) {
        return with_skew(reference, subject, skew);
    }
    let each = |value: &Value| match name.as_str() {
        "KEYS" | "SMEMBERS" | "SINTER" | "SUNION" | "SDIFF" | "SPOP" | "HKEYS" | "HVALS" => {
            unordered(value, 1)
        }
        "HGETALL" => unordered(value, 2),
        name if name.trim_start_matches('B').starts_with('Z') => show(&with_plain_scores(value)),
        "HELLO" => hello(value),
        "CLIENT INFO" | "CLIENT LIST" => clients(value),
        "INFO" => info(value),
        "ROLE" => items(value).and_then(|items| items.first()).map(show).unwrap_or_default(),
        "TIME"
        | "LOLWUT"
        | "CLIENT ID"
        | "OBJECT FREQ"
        | "OBJECT IDLETIME"
        | "OBJECT REFCOUNT"
        | "MEMORY USAGE"
        | "MEMORY STATS"
        | "MEMORY DOCTOR"
        | "DEBUG OBJECT"
        | "MEMORY MALLOC-STATS"
        | "MEMORY HELP"
        | "CLIENT HELP"
        | "CONFIG HELP"
        | "COMMAND HELP"
        | "OBJECT HELP" => kind(value),
        _ => show(value),
    };
    (each(reference), each(subject))
}

fn skew_of(name: &str) -> Option<i64> {
    match name {
        "TTL" | "EXPIRETIME" => Some(SKEW_SECONDS),
        "PTTL" | "PEXPIRETIME" => Some(SKEW_MILLIS),
        _ => None,
    }
}

/// The subject's time is shown as the reference's when the two are close enough.
fn with_skew(reference: &Value, subject: &Value, skew: i64) -> (String, String) {
    let close = match (reference, subject) {
        (Value::Integer(a), Value::Integer(b)) => *a >= 0 && *b >= 0 && (a - b).abs() <= skew,
        _ => false,
    };
    (show(reference), show(if close { reference } else { subject }))
}

fn kind(value: &Value) -> String {
    let shown = show(value);
    match value {
        Value::Integer(_) => "an integer".to_owned(),
        Value::Bulk(_) => "a bulk string".to_owned(),
        Value::Verbatim { .. } => "a verbatim string".to_owned(),
        Value::Simple(_) => "a simple string".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::Map(_) => "a map".to_owned(),
        _ => shown,
    }
}

/// Whether redis-server's answer lets it part from what it promises, so that what follows cannot
/// be compared.
pub fn parts_ways(request: &[Vec<u8>], reference: &Value) -> bool {
    // PFADD with several elements has stored those before the one that met the damage; here a
    // command that fails has changed nothing.
    let spoilt = matches!(reference, Value::Error(text) if text.starts_with(b"INVALIDOBJ"));
    // `bitops.c` takes the difference of the edge and the lowest number, which overflows: SAT
    // makes the highest number of it.
    let says = |words: &str| request.iter().any(|word| word.eq_ignore_ascii_case(words.as_bytes()));
    let overflows = name_of(request) == "BITFIELD" && says("SAT") && says(&i64::MIN.to_string());
    spoilt || overflows
}

/// Numbers in one notation. redis-server 7.0 prints seventeen digits of long ones, Redis 7.2 and we
/// as few as are exact. Its zero has a sign in a table and none in a packed run; ours never has.
fn with_plain_scores(value: &Value) -> Value {
    const PLAIN_BYTES: usize = 15;
    match value {
        Value::Array(items) => Value::Array(items.iter().map(with_plain_scores).collect()),
        Value::Bulk(text) if text == b"-0" => Value::Bulk(b"0".to_vec()),
        Value::Bulk(text) if text.len() > PLAIN_BYTES => {
            let number = str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
            number.map_or_else(|| value.clone(), |number| Value::Bulk(number.to_string().into()))
        }
        other => other.clone(),
    }
}

/// The elements of an array or a set, or the pairs of a map, sorted. A flat array is taken in
/// groups.
fn unordered(value: &Value, group: usize) -> String {
    let mut shown: Vec<String> = match value {
        Value::Map(pairs) => {
            pairs.iter().map(|(k, v)| format!("{} {}", show(k), show(v))).collect()
        }
        Value::Set(items) | Value::Array(items) => items
            .chunks(group)
            .map(|group| group.iter().map(show).collect::<Vec<_>>().join(" "))
            .collect(),
        other => return show(other),
    };
    shown.sort();
    shown.join(", ")
}

/// Everything but the connection's number and the server's version.
fn hello(value: &Value) -> String {
    let flat: Vec<String> = match value {
        Value::Map(pairs) => {
            pairs.iter().flat_map(|(key, value)| [show(key), show(value)]).collect()
        }
        other => items(other).unwrap_or_default().iter().map(show).collect(),
    };
    let pairs = flat.chunks(2).map(|pair| pair.join(" => "));
    let mut kept: Vec<String> = pairs
        .filter(|pair| !pair.starts_with("\"id\"") && !pair.starts_with("\"version\""))
        .collect();
    kept.sort();
    format!("{} fields: {}", flat.len(), kept.join(", "))
}

fn clients(value: &Value) -> String {
    let text = String::from_utf8_lossy(bytes(value).unwrap_or_default()).into_owned();
    let mut lines: Vec<String> = text.lines().map(client_line).collect();
    lines.sort();
    lines.join(" | ")
}

fn client_line(line: &str) -> String {
    let kept = line
        .split(' ')
        .filter(|field| CLIENT_FIELDS.iter().any(|name| field.split('=').next() == Some(*name)));
    kept.collect::<Vec<&str>>().join(" ")
}

/// The headings, and the keyspace lines without the average time to live.
fn info(value: &Value) -> String {
    let text = String::from_utf8_lossy(bytes(value).unwrap_or_default()).into_owned();
    let kept = text.lines().filter(|line| line.starts_with('#') || line.starts_with("db"));
    let cut = kept.map(|line| line.split(",avg_ttl").next().unwrap_or(line));
    format!("{} {}", kind(value), cut.collect::<Vec<&str>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::{canonical, parts_ways};
    use crate::step::request;
    use freehold_protocol::resp::value::Value;

    fn same(words: &[&str], a: Value, b: Value) -> bool {
        let (a, b) = canonical(&request(words), &a, &b);
        a == b
    }

    #[test]
    fn times_may_be_a_moment_apart_but_not_more() {
        let close = |a, b| same(&["ttl", "k"], Value::Integer(a), Value::Integer(b));
        assert!(close(100, 99));
        assert!(!close(100, 98));
        assert!(!close(-1, -2));
        assert!(!close(0, -1));
    }

    #[test]
    fn keys_have_no_order_and_errors_are_exact() {
        let bulk = |text: &str| Value::Bulk(text.into());
        let ab = Value::Array(vec![bulk("a"), bulk("b")]);
        let ba = Value::Array(vec![bulk("b"), bulk("a")]);

        assert!(same(&["KEYS", "*"], ab.clone(), ba.clone()));
        assert!(!same(&["MGET", "x", "y"], ab, ba));
        assert!(!same(&["KEYS"], Value::Error(b"ERR a".to_vec()), Value::Error(b"ERR b".to_vec())));
    }

    #[test]
    fn a_zero_has_no_sign_as_a_score_but_it_has_as_text() {
        let (plus, minus) = (|| Value::Bulk(b"0".to_vec()), || Value::Bulk(b"-0".to_vec()));
        assert!(same(&["ZRANGE", "z", "0", "-1", "WITHSCORES"], minus(), plus()));
        assert!(!same(&["GET", "z"], minus(), plus()));
    }

    #[test]
    fn only_two_known_errors_of_the_reference_end_a_comparison() {
        let damaged = Value::Error(b"INVALIDOBJ Corrupted HLL object detected".to_vec());
        assert!(parts_ways(&request(&["PFADD", "k", "a"]), &damaged));
        assert!(!parts_ways(&request(&["PFADD", "k", "a"]), &Value::Error(b"ERR no".to_vec())));
        let lowest = i64::MIN.to_string();
        let set = ["bitfield", "k", "overflow", "sat", "set", "i45", "226", &lowest];
        assert!(parts_ways(&request(&set), &Value::Null));
        assert!(!parts_ways(&request(&[&set[..7], &["-5"]].concat()), &Value::Null));
    }

    #[test]
    fn an_error_is_no_kind_of_success() {
        let error = Value::Error(b"ERR no".to_vec());
        assert!(!same(&["MEMORY", "USAGE", "k"], Value::Integer(5), error));
    }
}
