use super::*;
use crate::base::random::Random;

/// `stringmatchlen` of Redis 7.0.15, line by line, recursion and all: what the fast form must
/// agree with.
fn recursive(pattern: &[u8], text: &[u8], fold: bool) -> bool {
    let (mut p, mut t) = (pattern, text);
    let lower = |byte: u8| if fold { byte.to_ascii_lowercase() } else { byte };
    while !p.is_empty() && !t.is_empty() {
        match p[0] {
            b'*' => {
                while p.get(1) == Some(&b'*') {
                    p = &p[1..];
                }
                return p.len() == 1 || (0..t.len()).any(|at| recursive(&p[1..], &t[at..], fold));
            }
            b'?' => t = &t[1..],
            b'[' => {
                p = &p[1..];
                let negated = p.first() == Some(&b'^');
                p = &p[usize::from(negated)..];
                let mut found = false;
                let mut closed = false;
                while !closed && !p.is_empty() {
                    if p.len() >= 2 && p[0] == b'\\' {
                        p = &p[1..];
                        found |= p[0] == t[0];
                    } else if p[0] == b']' {
                        closed = true;
                    } else if p.len() >= 3 && p[1] == b'-' {
                        let (mut start, mut end) = (p[0] as i8, p[2] as i8);
                        if start > end {
                            (start, end) = (end, start);
                        }
                        let (start, end) = (lower(start as u8) as i8, lower(end as u8) as i8);
                        let byte = lower(t[0]) as i8;
                        p = &p[2..];
                        found |= byte >= start && byte <= end;
                    } else {
                        found |= lower(p[0]) == lower(t[0]);
                    }
                    if !closed {
                        p = &p[1..];
                    }
                }
                if found == negated {
                    return false;
                }
                t = &t[1..];
            }
            mut literal => {
                if literal == b'\\' && p.len() >= 2 {
                    p = &p[1..];
                    literal = p[0];
                }
                if lower(literal) != lower(t[0]) {
                    return false;
                }
                t = &t[1..];
            }
        }
        p = p.get(1..).unwrap_or(&[]);
        if t.is_empty() {
            while p.first() == Some(&b'*') {
                p = &p[1..];
            }
            break;
        }
    }
    p.is_empty() && t.is_empty()
}

fn says(pattern: &str, text: &str) -> bool {
    matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive)
}

#[test]
fn the_examples_of_the_keys_page_hold() {
    for (pattern, text, expected) in [
        ("h?llo", "hello", true),
        ("h?llo", "hllo", false),
        ("h*llo", "hllo", true),
        ("h*llo", "heeeello", true),
        ("h[ae]llo", "hallo", true),
        ("h[ae]llo", "hillo", false),
        ("h[^e]llo", "hallo", true),
        ("h[^e]llo", "hello", false),
        ("h[a-b]llo", "hbllo", true),
        ("h[a-b]llo", "hcllo", false),
        ("h\\[a", "h[a", true),
        ("*a*b*c*", "xxaxxbxxcxx", true),
        ("a**", "a", true),
        ("", "", true),
        ("", "a", false),
    ] {
        assert_eq!(says(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn the_quirks_of_redis_are_kept() {
    assert!(!says("*", ""), "an empty text needs an empty pattern");
    assert!(says("[a", "a"), "an open class ends with the pattern");
    assert!(says("[^", "x"));
    assert!(!says("[", "["));
    assert!(says("\\", "\\"), "a backslash at the end is itself");
    assert!(says("[c-a]", "b"), "ranges may be written backwards");
    assert!(says("[a-]", "_"), "`]` as the end of a range does not close the class");
    assert!(matches(b"[\xff-\x01]", b"\x00", Case::Sensitive), "bytes are signed");
}

#[test]
fn case_folds_only_where_redis_folds_it() {
    assert!(matches(b"HeL*", b"hEllo", Case::Insensitive));
    assert!(matches(b"[A-C]", b"b", Case::Insensitive));
    assert!(!matches(b"[\\A]", b"a", Case::Insensitive), "escaped members compare exactly");
    assert!(!matches(b"A", b"a", Case::Sensitive));
}

#[test]
fn random_patterns_agree_with_the_recursive_form() {
    let seed = 0x5eed_0001;
    let mut random = Random::new(seed);
    let alphabet = b"ab*?[]^-\\AcB\xff\x01";
    let letters = b"abABc-]^\\\xff";
    let mut matched = 0;
    for round in 0..200_000 {
        let mut draw = |from: &[u8], longest: u64| -> Vec<u8> {
            let length = random.below(longest + 1);
            (0..length).map(|_| from[random.below(from.len() as u64) as usize]).collect()
        };
        let (pattern, text) = (draw(alphabet, 8), draw(letters, 6));
        for (case, fold) in [(Case::Sensitive, false), (Case::Insensitive, true)] {
            let expected = recursive(&pattern, &text, fold);
            matched += u32::from(expected);
            assert_eq!(
                matches(&pattern, &text, case),
                expected,
                "seed {seed:#x} round {round}: {:?} on {:?} {case:?}",
                pattern.escape_ascii().to_string(),
                text.escape_ascii().to_string(),
            );
        }
    }
    assert!(matched > 5_000, "only {matched} matches: the alphabet is too wide to prove anything");
}

#[test]
fn a_pattern_of_many_stars_costs_at_most_pattern_times_text() {
    // CVE-2022-36021: the recursive form takes longer than the universe on this one.
    let pattern = [&b"a*".repeat(500)[..], b"b"].concat();
    let text = b"a".repeat(20_000);
    assert!(!matches(&pattern, &text, Case::Sensitive));
}
