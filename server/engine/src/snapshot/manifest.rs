//! The manifest: which generation counts, as a text of five lines that a human can read.
//!
//! ```text
//! freehold-manifest 1        the version of this form
//! generation 12              logs of this generation and of later ones count
//! snapshots 4                files of the snapshot that began it, one a core; 0: there is none
//! created 1790000000000      milliseconds since 1970
//! crc 0a1b2c3d               CRC-32C of the lines before, with their ends
//! ```
//! It is written beside the old one and renamed, so a whole one is always there: anything but
//! exactly what [`Manifest::encode`] writes is the work of a disk or of a hand, and is refused.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

use std::str::FromStr;

use crate::disk::FileName;

const FIRST_LINE: &str = "freehold-manifest 1";

/// No manifest is longer: the widest numbers take less than half of it.
pub const MANIFEST_BYTES_MAX: usize = 256;

const REMEDY: &str = "put a copy of the file back that is whole, or look at the directory with \
                      `freehold check`";

/// What counts in a data directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// Files of lower generations are left over.
    pub generation: u64,
    /// How many files the snapshot of this generation has; 0 when it began without one.
    pub snapshots: u16,
    pub created_unix_ms: i64,
}

impl Manifest {
    /// Whether there was a manifest once, of the names in a directory without one: a snapshot that
    /// is done removes the files of the first generation. While those are there none was ever
    /// done, and a part of one that ended half-way counts for nothing.
    pub fn is_missing(names: &[FileName]) -> bool {
        let snapshots = names.iter().any(|name| matches!(name, FileName::Snapshot { .. }));
        let from_the_first = names.iter().any(|name| name.generation() == Some(1));
        snapshots && !from_the_first
    }

    pub fn encode(&self) -> Vec<u8> {
        let Manifest { generation, snapshots, created_unix_ms } = self;
        let mut text = format!(
            "{FIRST_LINE}\ngeneration {generation}\nsnapshots {snapshots}\n\
             created {created_unix_ms}\n"
        );
        let sum = crc32c::crc32c(text.as_bytes());
        text.push_str(&format!("crc {sum:08x}\n"));
        text.into_bytes()
    }

    /// Reads back what [`Manifest::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// Which line is wrong, and what to do, as a sentence.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, String> {
        if bytes.len() > MANIFEST_BYTES_MAX {
            let found = bytes.len();
            return Err(format!(
                "it has {found} bytes, a manifest at most {MANIFEST_BYTES_MAX}; {REMEDY}"
            ));
        }
        let mut lines = Lines { rest: bytes, number: 0 };
        lines.version()?;
        let manifest = Manifest {
            generation: lines.number_of("generation")?,
            snapshots: lines.number_of("snapshots")?,
            created_unix_ms: lines.number_of("created")?,
        };
        let summed = bytes.len().saturating_sub(lines.rest.len());
        let sum = crc32c::crc32c(bytes.get(..summed).unwrap_or_default());
        let (expected, found) = (format!("crc {sum:08x}"), lines.next()?);
        if found != expected {
            return Err(lines.wrong(&format!("`{expected}` (the lines before sum up to that)")));
        }
        if !lines.rest.is_empty() {
            lines.number = lines.number.saturating_add(1);
            return Err(lines.wrong("the end of the file"));
        }
        Ok(manifest)
    }
}

struct Lines<'b> {
    rest: &'b [u8],
    /// Of the line last read, from 1.
    number: usize,
}

impl<'b> Lines<'b> {
    /// The next line, which has to have an end.
    fn next(&mut self) -> Result<&'b str, String> {
        self.number = self.number.saturating_add(1);
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let Some((line, rest)) = end.and_then(|end| self.rest.split_at_checked(end)) else {
            return Err(self.wrong("a whole line (the file ends here)"));
        };
        self.rest = rest.get(1..).unwrap_or_default();
        std::str::from_utf8(line).map_err(|_| self.wrong("text"))
    }

    fn version(&mut self) -> Result<(), String> {
        let line = self.next()?;
        match line.split_once(' ') {
            _ if line == FIRST_LINE => Ok(()),
            Some(("freehold-manifest", version)) if version.parse::<u32>().is_ok() => Err(format!(
                "line 1 says version {version}, and this program reads version 1; start the \
                 program that wrote it"
            )),
            _ => Err(self.wrong(&format!("`{FIRST_LINE}`"))),
        }
    }

    /// The number on the line of this name, in the one way it is written.
    fn number_of<T: FromStr + ToString>(&mut self, name: &str) -> Result<T, String> {
        let line = self.next()?;
        let number = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' '));
        number
            .and_then(|text| text.parse::<T>().ok().filter(|value| value.to_string() == text))
            .ok_or_else(|| self.wrong(&format!("`{name} NUMBER`")))
    }

    fn wrong(&self, expected: &str) -> String {
        format!("line {} should be {expected}; {REMEDY}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: Manifest =
        Manifest { generation: 12, snapshots: 4, created_unix_ms: 1_790_000_000_000 };

    #[test]
    fn a_manifest_is_five_lines_of_text() {
        let golden = "freehold-manifest 1\ngeneration 12\nsnapshots 4\ncreated 1790000000000\n\
                      crc ffa73223\n";
        assert_eq!(String::from_utf8(MANIFEST.encode()).expect("text"), golden);
        assert_eq!(Manifest::decode(golden.as_bytes()), Ok(MANIFEST));
    }

    #[test]
    fn the_widest_numbers_are_read_back() {
        for (generation, snapshots, created_unix_ms) in
            [(0, 0, 0), (u64::MAX, u16::MAX, i64::MIN), (1, 1, i64::MAX)]
        {
            let manifest = Manifest { generation, snapshots, created_unix_ms };
            let bytes = manifest.encode();
            assert!(bytes.len() <= MANIFEST_BYTES_MAX / 2, "{} bytes", bytes.len());
            assert_eq!(Manifest::decode(&bytes), Ok(manifest));
        }
    }

    #[test]
    fn any_flipped_bit_any_cut_and_any_byte_more_is_refused() {
        let whole = MANIFEST.encode();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(Manifest::decode(&bytes).is_err(), "bit {bit}");
        }
        for length in 0..whole.len() {
            assert!(Manifest::decode(&whole[..length]).is_err(), "{length} bytes");
        }
        for byte in 0..=255 {
            let bytes = [&whole[..], &[byte]].concat();
            assert!(Manifest::decode(&bytes).is_err(), "byte {byte} more");
        }
    }

    #[test]
    fn an_error_names_the_line_and_the_remedy() {
        let text = String::from_utf8(MANIFEST.encode()).expect("text");
        let error = |from: &str, to: &str| {
            let bytes = text.replacen(from, to, 1).into_bytes();
            Manifest::decode(&bytes).expect_err("it was changed")
        };
        assert_eq!(
            error("snapshots 4", "snapshots four"),
            "line 3 should be `snapshots NUMBER`; put a copy of the file back that is whole, or \
             look at the directory with `freehold check`"
        );
        for (from, to, says) in [
            ("freehold", "redis", "line 1 should be `freehold-manifest 1`; "),
            ("manifest 1", "manifest 2", "line 1 says version 2, and this program reads version 1"),
            ("generation 12", "generation +12", "line 2 should be `generation NUMBER`; "),
            ("snapshots 4", "snapshots 65536", "line 3 should be `snapshots NUMBER`; "),
            ("created 1", "created 01", "line 4 should be `created NUMBER`; "),
            ("generation 12", "generation 13", "line 5 should be `crc "),
            ("crc ffa73223\n", "", "line 5 should be a whole line (the file ends here); "),
            ("crc ffa73223\n", "crc ffa73223\nmore\n", "line 6 should be the end of the file; "),
        ] {
            let error = error(from, to);
            assert!(error.starts_with(says), "{from} as {to}: {error}");
        }
        let error = Manifest::decode(&[b'x'; 300]).expect_err("long");
        assert!(error.starts_with("it has 300 bytes, a manifest at most 256; "), "{error}");
    }
}
