//! Rust source with comments and the insides of strings blanked out, line for line, so that a
//! rule can search for words without being fooled by prose. Not a parser: a lexer that knows
//! where code ends and text begins, and which lines are compiled for tests only.

/// A Rust file taken apart.
pub struct Code {
    /// The code; comments, string and character contents are spaces. Same lines as the source.
    pub text: String,
    /// Comments with the line on which they start.
    pub comments: Vec<(usize, String)>,
    /// For each line, from 0: whether it belongs to an item under `#[cfg(test)]`.
    test_lines: Vec<bool>,
}

impl Code {
    pub fn read(source: &str) -> Code {
        let (text, comments) = blank(source);
        let test_lines = test_lines(&text);
        Code { text, comments, test_lines }
    }

    /// The line, from 1, of a byte offset into [`Code::text`].
    pub fn line_of(&self, offset: usize) -> usize {
        self.text[..offset].matches('\n').count() + 1
    }

    /// Whether this line (from 1) is compiled for tests only.
    pub fn is_test_line(&self, line: usize) -> bool {
        self.test_lines.get(line - 1).copied().unwrap_or(false)
    }

    /// Offsets of `word` where it stands alone, not as part of a longer name.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.text.match_indices(word).map(|(at, _)| at).filter(move |&at| {
            let before = self.text[..at].chars().next_back();
            let after = self.text[at + word.len()..].chars().next();
            let joined_before = word.starts_with(is_name) && before.is_some_and(is_name);
            let joined_after = word.ends_with(is_name) && after.is_some_and(is_name);
            !joined_before && !joined_after
        })
    }
}

pub fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The offset just behind the bracket that closes the one at `open`.
pub fn matching(text: &str, open: usize) -> usize {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate().skip(open) {
        match byte {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Blanks what is not code; answers the rest and the comments.
fn blank(source: &str) -> (String, Vec<(usize, String)>) {
    let bytes = source.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut comments = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at + 1..].starts_with(b"/") => line_end(bytes, at),
            b'/' if bytes[at + 1..].starts_with(b"*") => block_comment_end(bytes, at),
            b'"' => string_end(bytes, at),
            b'r' | b'b' | b'c' if !follows_a_name(bytes, at) => prefixed_string_end(bytes, at),
            b'\'' => character_end(bytes, at),
            _ => at,
        };
        if end == at {
            code.push(bytes[at]);
            at += 1;
            continue;
        }
        if bytes[at] == b'/' {
            let line = code.iter().filter(|&&byte| byte == b'\n').count() + 1;
            comments.push((line, source[at..end].to_owned()));
        }
        code.extend(bytes[at..end].iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
        at = end;
    }
    (String::from_utf8_lossy(&code).into_owned(), comments)
}

fn follows_a_name(bytes: &[u8], at: usize) -> bool {
    at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn string_end(bytes: &[u8], quote: usize) -> usize {
    let mut at = quote + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"`; `at` itself when none of these starts here.
fn prefixed_string_end(bytes: &[u8], at: usize) -> usize {
    let letters = bytes[at..].iter().take_while(|byte| b"rbc".contains(byte)).count();
    if letters > 2 {
        return at;
    }
    let raw = bytes[at..at + letters].contains(&b'r');
    let hashes = bytes[at + letters..].iter().take_while(|&&byte| byte == b'#').count();
    let quote = at + letters + hashes;
    if bytes.get(quote) != Some(&b'"') || (hashes > 0 && !raw) {
        return at;
    }
    if !raw {
        return string_end(bytes, quote);
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let body = &bytes[quote + 1..];
    let length = body.windows(close.len()).position(|window| window == close);
    length.map_or(bytes.len(), |length| quote + 1 + length + close.len())
}

/// The end of a character literal, or `at` when the quote begins a lifetime.
fn character_end(bytes: &[u8], at: usize) -> usize {
    if bytes.get(at + 1) == Some(&b'\\') {
        let body = &bytes[(at + 3).min(bytes.len())..];
        return body.iter().position(|&byte| byte == b'\'').map_or(at, |length| at + 4 + length);
    }
    // A character takes one to four bytes; a lifetime has no closing quote so near.
    let first = bytes.get(at + 1).copied().unwrap_or(b' ');
    let width = match first {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    };
    if bytes.get(at + 1 + width) == Some(&b'\'') { at + 2 + width } else { at }
}

/// Marks the lines of items under a `cfg` that names `test` or `loom`.
fn test_lines(text: &str) -> Vec<bool> {
    let mut marks = vec![false; text.lines().count() + 1];
    for (start, _) in text.match_indices("#[cfg(") {
        let attribute_end = matching(text, start + 1);
        // `all(test, not(loom))` is for tests, `not(test)` is not.
        let attribute =
            text[start..attribute_end].replace("not(test)", "").replace("not(loom)", "");
        if !["test", "loom"].iter().any(|word| attribute.contains(word)) {
            continue;
        }
        let rest = &text[attribute_end..];
        let body = rest.find(['{', ';']).map_or(text.len(), |length| attribute_end + length);
        let end = if text[body..].starts_with('{') { matching(text, body) } else { body };
        let first = text[..start].matches('\n').count();
        let last = text[..end].matches('\n').count();
        marks[first..=last].fill(true);
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn prose_and_strings_are_not_code() {
        let source = "let a = \"unsafe\"; // unsafe\n\
                      /* unsafe /* unsafe */ */ let b = r#\"\"unsafe\"#;\n\
                      let c = '\"'; let d: &'static str = b\"unsafe\\\"\"; unsafe {}";
        let code = Code::read(source);

        assert_eq!(code.words("unsafe").map(|at| code.line_of(at)).collect::<Vec<_>>(), [3]);
        assert_eq!(code.comments.len(), 2);
        assert!(code.text.contains("'static"), "a lifetime is code: {}", code.text);
    }

    #[test]
    fn items_under_cfg_test_are_test_lines() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
        let code = Code::read(source);
        let marks: Vec<bool> = (1..=6).map(|line| code.is_test_line(line)).collect();

        assert_eq!(marks, [false, true, true, true, true, false]);
    }

    #[test]
    fn a_condition_may_be_combined() {
        let source = "#[cfg(all(test, not(loom)))]\nfn a() {}\n#[cfg(not(test))]\nfn b() {}\n";
        let code = Code::read(source);

        assert!(code.is_test_line(2));
        assert!(!code.is_test_line(4));
    }

    #[test]
    fn a_word_inside_a_longer_name_does_not_count() {
        let code = Code::read("deny(unsafe_op_in_unsafe_fn)");
        assert_eq!(code.words("unsafe").count(), 0);
    }
}
