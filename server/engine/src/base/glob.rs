//! Glob patterns of KEYS, SCAN, PSUBSCRIBE and CONFIG GET, as `stringmatchlen` of Redis 7.0.15
//! reads them: `*`, `?`, `[a-c]`, `[^x]`, `\` before a byte taken literally.
//!
//! One pass with a single place to come back to (the last `*`), because a later star makes every
//! earlier one's choice irrelevant. So the work is at most pattern × text, where the recursive
//! form of Redis up to 7.0.8 took exponential time on `a*a*a*…b` (CVE-2022-36021).
//!
//! Kept quirks: a class that is never closed ends with the pattern; a range may be written
//! backwards; ranges compare signed bytes, as `char` on x86; an empty text matches only the
//! empty pattern, not `*` (callers that want `*` to mean everything ask [`matches_all`] first,
//! as KEYS and SCAN do).

/// Upper and lower case of ASCII letters: told apart, or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// `A` is not `a`.
    Sensitive,
    /// `A` is `a`; a byte escaped inside a class still compares exactly, as in Redis.
    Insensitive,
}

/// Whether the pattern is the lone `*` that callers treat as no pattern at all.
pub fn matches_all(pattern: &[u8]) -> bool {
    pattern == b"*"
}

/// Whether `text` as a whole matches `pattern`. At most pattern × text steps; no allocation.
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Where to resume when the bytes after the last star do not fit: just behind that star, one
    // byte of text further on.
    let mut resume: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            p += 1;
            resume = Some((p, t));
            continue;
        }
        if let Some(next) = step(&pattern[p..], text[t], case) {
            p += next;
            t += 1;
            continue;
        }
        let Some((star, from)) = resume else { return false };
        (p, t) = (star, from + 1);
        resume = Some((p, t));
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Matches one byte against the element at the front of `pattern`, which is not a star.
/// Returns the element's length when it fits.
fn step(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    match *pattern.first()? {
        b'?' => Some(1),
        b'[' => class(pattern, byte, case),
        b'\\' if pattern.len() >= 2 => same(pattern[1], byte, case).then_some(2),
        literal => same(literal, byte, case).then_some(1),
    }
}

/// Matches one byte against the class at the front of `pattern`, and returns the class's length.
fn class(pattern: &[u8], byte: u8, case: Case) -> Option<usize> {
    let mut at = 1;
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let mut found = false;
    loop {
        match pattern[at..] {
            [] => break, // never closed: the class ends with the pattern
            [b'\\', escaped, ..] => {
                found |= escaped == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [start, b'-', end, ..] => {
                found |= in_range(start, end, byte, case);
                at += 3;
            }
            [member, ..] => {
                found |= same(member, byte, case);
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

fn in_range(start: u8, end: u8, byte: u8, case: Case) -> bool {
    // Ordered first and folded second, as Redis does: `[A-_]` without case is `a..=_`, empty.
    let (low, high) = if start as i8 > end as i8 { (end, start) } else { (start, end) };
    let fold = |byte: u8| (if case == Case::Insensitive { lower(byte) } else { byte }) as i8;
    (fold(low)..=fold(high)).contains(&fold(byte))
}

fn same(a: u8, b: u8, case: Case) -> bool {
    a == b || (case == Case::Insensitive && lower(a) == lower(b))
}

fn lower(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
