//! The names of the files a node keeps: what they are for can be read in a directory listing.

use std::fmt;

/// A file of the data directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileName {
    /// Says which snapshot counts and with which logs: `MANIFEST`.
    Manifest,
    /// The next manifest until it is complete.
    ManifestDraft,
    /// What one core has changed since the cut that began this generation.
    Log { generation: u64, core: u16 },
    /// What one core held at the cut that began this generation.
    Snapshot { generation: u64, core: u16 },
    /// A snapshot until it is complete.
    SnapshotDraft { generation: u64, core: u16 },
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileName::Manifest => f.write_str("MANIFEST"),
            FileName::ManifestDraft => f.write_str("MANIFEST.draft"),
            FileName::Log { generation, core } => write!(f, "log-{generation:08}-{core:03}.fhl"),
            FileName::Snapshot { generation, core } => {
                write!(f, "snapshot-{generation:08}-{core:03}.fhs")
            }
            FileName::SnapshotDraft { generation, core } => {
                write!(f, "snapshot-{generation:08}-{core:03}.fhs.draft")
            }
        }
    }
}

impl FileName {
    /// Which generation it belongs to; none for the manifest.
    pub fn generation(&self) -> Option<u64> {
        match *self {
            FileName::Manifest | FileName::ManifestDraft => None,
            FileName::Log { generation, .. }
            | FileName::Snapshot { generation, .. }
            | FileName::SnapshotDraft { generation, .. } => Some(generation),
        }
    }

    /// Reads back what [`fmt::Display`] prints; `None` for any other file.
    pub fn parse(text: &str) -> Option<FileName> {
        match text {
            "MANIFEST" => return Some(FileName::Manifest),
            "MANIFEST.draft" => return Some(FileName::ManifestDraft),
            _ => {}
        }
        let (kind, rest) = text.split_once('-')?;
        let (numbers, ending) = rest.split_once('.')?;
        let (generation, core) = numbers.split_once('-')?;
        let (generation, core) = (generation.parse().ok()?, core.parse().ok()?);
        let name = match (kind, ending) {
            ("log", "fhl") => FileName::Log { generation, core },
            ("snapshot", "fhs") => FileName::Snapshot { generation, core },
            ("snapshot", "fhs.draft") => FileName::SnapshotDraft { generation, core },
            _ => return None,
        };
        (name.to_string() == text).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_no_other() {
        let (generation, core) = (123_456_789_012, 1_000);
        for name in [
            FileName::Manifest,
            FileName::ManifestDraft,
            FileName::Log { generation: 1, core: 0 },
            FileName::Log { generation, core },
            FileName::Snapshot { generation, core },
            FileName::SnapshotDraft { generation, core },
        ] {
            assert_eq!(FileName::parse(&name.to_string()), Some(name));
        }
        for other in ["", "log", "log-1-0.fhl", "log-+0000001-000.fhl", "log-00000001-000.fhs"] {
            assert_eq!(FileName::parse(other), None, "{other}");
        }
        assert_eq!(FileName::Log { generation: 7, core: 3 }.to_string(), "log-00000007-003.fhl");
    }
}
