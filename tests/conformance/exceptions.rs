//! Lists of meant differences: `command | what | reason`, one a line. An entry that is not needed
//! any more fails the test, so the lists never grow stale.

use std::collections::BTreeSet;

pub struct Exceptions {
    file: &'static str,
    entries: Vec<(String, String)>,
    used: BTreeSet<usize>,
}

impl Exceptions {
    /// # Panics
    /// When an entry has not three parts or no reason: the list is part of the repository.
    pub fn parse(file: &'static str, text: &str) -> Exceptions {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| {
            let parts: Vec<&str> = line.split(" | ").map(str::trim).collect();
            let [command, what, reason] = parts[..] else {
                panic!("{file}: three parts are needed: {line}");
            };
            assert!(reason.len() > 5, "{file}: a reason is needed: {line}");
            (command.to_owned(), what.to_owned())
        });
        Exceptions { file, entries: entries.collect(), used: BTreeSet::new() }
    }

    /// Whether this difference is listed.
    pub fn admit(&mut self, command: &str, what: &str) -> bool {
        let found = self.entries.iter().position(|(c, w)| c == command && w == what);
        found.map(|index| self.used.insert(index)).is_some()
    }

    /// Complaints about entries that were never used.
    pub fn idle(&self) -> Vec<String> {
        let idle = self.entries.iter().enumerate().filter(|(index, _)| !self.used.contains(index));
        idle.map(|(_, (command, what))| {
            format!("{}: {command} | {what} is not needed: strike it out", self.file)
        })
        .collect()
    }
}
