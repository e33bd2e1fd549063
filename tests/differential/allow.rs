//! The list of differences that are meant: `allow.txt`, one entry a line, each with its reason.
//! An entry is four patterns separated by ` | `: the request, the reference's reply, the
//! subject's reply, the reason. `*` stands for anything; the case of the request does not matter.

/// One meant difference.
struct Entry {
    line: usize,
    request: String,
    reference: String,
    subject: String,
    used: u64,
}

pub struct AllowList {
    entries: Vec<Entry>,
}

impl AllowList {
    /// # Panics
    /// When an entry has no reason or not four parts: the list is part of the repository.
    pub fn parse(text: &str) -> AllowList {
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let entries = lines.map(|(index, line)| {
            let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let [request, reference, subject, reason] = parts[..] else {
                panic!("allow.txt:{}: four parts are needed: {line}", index + 1);
            };
            assert!(reason.len() > 10, "allow.txt:{}: a reason is needed", index + 1);
            Entry {
                line: index + 1,
                request: request.to_owned(),
                reference: reference.to_owned(),
                subject: subject.to_owned(),
                used: 0,
            }
        });
        AllowList { entries: entries.collect() }
    }

    /// Whether this difference is meant; counts it.
    pub fn admits(&mut self, request: &str, reference: &str, subject: &str) -> bool {
        let found = self.entries.iter_mut().find(|entry| {
            matches(&entry.request.to_lowercase(), &request.to_lowercase())
                && matches(&entry.reference, reference)
                && matches(&entry.subject, subject)
        });
        found.map(|entry| entry.used += 1).is_some()
    }

    /// How often any entry was used, and the lines of those that never were.
    pub fn summary(&self) -> (u64, Vec<usize>) {
        let used = self.entries.iter().map(|entry| entry.used).sum();
        let idle = self.entries.iter().filter(|entry| entry.used == 0).map(|entry| entry.line);
        (used, idle.collect())
    }
}

/// `*` matches any run of characters, everything else itself.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{AllowList, matches};

    #[test]
    fn an_entry_admits_what_it_describes_and_nothing_else() {
        let text = "# why\nCONFIG SET * | (error) * | +OK | ours accepts what has no meaning here";
        let mut list = AllowList::parse(text);

        assert!(list.admits("config set hz 10", "(error) ERR no", "+OK"));
        assert!(!list.admits("CONFIG SET hz 10", "+OK", "(error) ERR no"));
        assert!(!list.admits("SET a b", "(error) ERR no", "+OK"));
        assert_eq!(list.summary(), (1, vec![]));
    }

    #[test]
    #[should_panic(expected = "a reason is needed")]
    fn an_entry_without_a_reason_is_refused() {
        AllowList::parse("GET * | a | b | ");
    }

    #[test]
    fn stars_match_runs() {
        assert!(matches("a*c*", "abcd"));
        assert!(matches("*", ""));
        assert!(!matches("a*d", "abc"));
        assert!(!matches("abc", "abcd"));
    }
}
