//! The manifest of a directory of append-only files: a line a file,
//! `file NAME seq NUMBER type b|i|h` (base, increment, history), `#` begins a remark. A name with
//! spaces stands in quotes.

use super::super::{Fault, ReadError};
use crate::config::split_words;

/// The files to be read, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    pub base: Option<String>,
    pub increments: Vec<String>,
}

impl Manifest {
    /// All files in the order of reading.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.base.iter().chain(&self.increments).map(String::as_str)
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// The first line that is wrong, counted from 1.
    pub fn parse(text: &str) -> Result<Manifest, ReadError> {
        let mut manifest = Manifest::default();
        let mut newest = 0;
        for (at, line) in text.lines().enumerate() {
            let wrong = |reason| Fault::Manifest { line: at + 1, reason }.at(0);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words = split_words(line).ok_or(wrong("quotes are not closed"))?;
            let (name, number, kind) = entry(&words)
                .ok_or_else(|| wrong("it is not \"file NAME seq NUMBER type b|i|h\""))?;
            if name.is_empty() || name.contains('/') {
                return Err(wrong("a file lies beside its manifest: a name has no path"));
            }
            match kind {
                "b" if manifest.base.is_some() => return Err(wrong("there is a second base")),
                "b" => manifest.base = Some(name.to_owned()),
                "i" if number <= newest => return Err(wrong("increments are not in order")),
                "i" => {
                    newest = number;
                    manifest.increments.push(name.to_owned());
                }
                "h" => {}
                _ => return Err(wrong("the type is none of b, i and h")),
            }
        }
        if manifest.files().next().is_none() {
            return Err(Fault::Manifest { line: 1, reason: "it names no file" }.at(0));
        }
        Ok(manifest)
    }
}

/// Name, sequence number and type; words that come in pairs and are not known are passed over.
fn entry(words: &[String]) -> Option<(&str, u64, &str)> {
    let (mut name, mut number, mut kind) = (None, None, None);
    for pair in words.chunks(2) {
        let [word, value] = pair else { return None };
        match word.as_str() {
            "file" => name = Some(value.as_str()),
            "seq" => number = value.parse().ok(),
            "type" => kind = Some(value.as_str()),
            _ => {}
        }
    }
    Some((name?, number?, kind?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_and_increments_come_in_order_and_history_is_passed_over() {
        let text = "# a remark\n\
                    file a.1.base.rdb seq 1 type b\n\
                    file a.1.incr.aof seq 1 type h\n\
                    file \"a b.2.incr.aof\" seq 2 type i startoffset 0\r\n\
                    file a.3.incr.aof seq 3 type i\n";
        let manifest = Manifest::parse(text).expect("sound");
        let files: Vec<&str> = manifest.files().collect();
        assert_eq!(files, ["a.1.base.rdb", "a b.2.incr.aof", "a.3.incr.aof"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line) in [
            ("file a seq 1 type b\nfile b seq 2 type b", 2),
            ("file a seq 2 type i\n\nfile b seq 2 type i", 3),
            ("file ../a seq 1 type b", 1),
            ("file a seq x type b", 1),
            ("file a seq 1 type q", 1),
            ("file a seq 1", 1),
            ("file \"a seq 1 type b", 1),
            ("", 1),
        ] {
            let error = Manifest::parse(text).expect_err(text);
            assert!(
                matches!(error.fault, Fault::Manifest { line: at, .. } if at == line),
                "{text}"
            );
        }
    }
}
