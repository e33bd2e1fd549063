//! Replies as text that a person and a pattern can read: one line, bytes escaped, order of maps
//! and sets made canonical, since no protocol promises it.

use freehold_protocol::resp::value::Value;

/// `"a\r\n"` for a bulk, `(error) ERR …`, `(integer) 1`, `(nil)`, `[…]`, `{k => v}`, `set[…]`.
pub fn show(value: &Value) -> String {
    match value {
        Value::Simple(text) => format!("+{}", escape(text)),
        Value::Error(text) => format!("(error) {}", escape(text)),
        Value::Integer(number) => format!("(integer) {number}"),
        Value::Bulk(bytes) => format!("\"{}\"", escape(bytes)),
        Value::Null => "(nil)".to_owned(),
        Value::Array(items) => format!("[{}]", list(items)),
        Value::Push(items) => format!("push[{}]", list(items)),
        Value::Set(items) => {
            let mut shown: Vec<String> = items.iter().map(show).collect();
            shown.sort();
            format!("set[{}]", shown.join(", "))
        }
        Value::Map(pairs) => {
            let shown =
                pairs.iter().map(|(key, value)| format!("{} => {}", show(key), show(value)));
            let mut shown: Vec<String> = shown.collect();
            shown.sort();
            format!("{{{}}}", shown.join(", "))
        }
        Value::Double(number) => format!("(double) {number}"),
        Value::Boolean(truth) => format!("(boolean) {truth}"),
        Value::Verbatim { text, .. } => format!("verbatim \"{}\"", escape(text)),
        Value::BigNumber(digits) => format!("(big) {}", escape(digits)),
    }
}

fn list(items: &[Value]) -> String {
    items.iter().map(show).collect::<Vec<String>>().join(", ")
}

/// Bytes as redis-cli prints them between quotes.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            0x20..=0x7e => text.push(byte as char),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

/// A request as a line that can be pasted into redis-cli.
pub fn command_line(args: &[Vec<u8>]) -> String {
    let shown = args.iter().map(|arg| {
        let plain = !arg.is_empty() && arg.iter().all(|byte| byte.is_ascii_graphic());
        match plain && !arg.iter().any(|byte| b"\"'\\".contains(byte)) {
            true => String::from_utf8_lossy(arg).into_owned(),
            false => format!("\"{}\"", escape(arg)),
        }
    });
    shown.collect::<Vec<String>>().join(" ")
}

/// The bytes of a bulk, simple, verbatim or error reply.
pub fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) | Value::Error(bytes) => Some(bytes),
        Value::Verbatim { text, .. } => Some(text),
        _ => None,
    }
}

/// The elements of an array, set or push.
pub fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => Some(items),
        _ => None,
    }
}
