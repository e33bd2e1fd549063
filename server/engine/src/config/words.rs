//! Words of a configuration line: how they are split and quoted, as `sdssplitargs` and
//! `sdscatrepr` of Redis do it, so that each server reads the other's files.

/// Splits a line into words. `"…"` understands `\n \r \t \b \a \\ \" \xHH`, `'…'` only `\'`; a
/// closing quote ends its word. `None` when a quote is left open or followed by more text.
pub fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.as_bytes();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(words);
        }
        let (word, left) = take_word(rest)?;
        words.push(String::from_utf8_lossy(&word).into_owned());
        rest = left;
    }
}

fn take_word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        match *rest {
            [] => return Some((word, rest)),
            [byte, ..] if byte.is_ascii_whitespace() || byte == 0 => return Some((word, rest)),
            [quote @ (b'"' | b'\''), ..] => {
                rest = take_quoted(&rest[1..], quote, &mut word)?;
                // The closing quote must be the end of the word.
                let ends = rest.first().is_none_or(u8::is_ascii_whitespace);
                return ends.then_some((word, rest));
            }
            [byte, ..] => {
                word.push(byte);
                rest = &rest[1..];
            }
        }
    }
}

/// Reads up to and including the closing quote; returns what is left behind it.
fn take_quoted<'a>(mut rest: &'a [u8], quote: u8, word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, taken) = match *rest {
            [] => return None,
            [byte, ..] if byte == quote => return Some(&rest[1..]),
            [b'\\', b'\'', ..] if quote == b'\'' => (b'\'', 2),
            [b'\\', b'x', high, low, ..]
                if quote == b'"' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                (hex(high) << 4 | hex(low), 4)
            }
            [b'\\', escaped, ..] if quote == b'"' => (unescape(escaped), 2),
            [byte, ..] => (byte, 1),
        };
        word.push(byte);
        rest = &rest[taken..];
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

fn unescape(letter: u8) -> u8 {
    match letter {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

/// The text in double quotes, with escapes for what a line cannot hold.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '\\' => quoted.push_str("\\\\"),
            '"' => quoted.push_str("\\\""),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\x07' => quoted.push_str("\\a"),
            '\x08' => quoted.push_str("\\b"),
            letter if letter.is_ascii_control() => {
                quoted.push_str(&format!("\\x{:02x}", u32::from(letter)));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_escapes_follow_redis() {
        let words = |line| split(line).map(|words| words.join("|"));
        assert_eq!(words("save 900 1").as_deref(), Some("save|900|1"));
        assert_eq!(words("  a\t\"b c\"  'd\\'e' ").as_deref(), Some("a|b c|d'e"));
        assert_eq!(words(r#"a "\x41\n\q\\""#).as_deref(), Some("a|A\nq\\"));
        assert_eq!(words("a \"\"").as_deref(), Some("a|"));
        assert_eq!(words("").as_deref(), Some(""));
        assert_eq!(words("a \"open"), None);
        assert_eq!(words("a 'open"), None);
        assert_eq!(words("a \"b\"c"), None, "a closing quote ends its word");
        assert_eq!(words("a b\"c\"").as_deref(), Some("a|bc"));
    }

    #[test]
    fn what_is_quoted_splits_back_into_itself() {
        for text in ["", "plain", "two words", "q\"q\\q'q", "\n\r\t\x07\x08\x01", "ümläut"] {
            assert_eq!(split(&quote(text)), Some(vec![text.to_owned()]), "{text:?}");
        }
    }
}
