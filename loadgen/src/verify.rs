//! Checks every answer against what was written.
//!
//! Each key has one cell: the last acknowledged version, the last issued one, and whether a write
//! is on its way. A key has at most one write in flight (a second one drawn meanwhile becomes a
//! read), so a read must return a version between what was acknowledged when it was sent and what
//! was issued when its answer came; anything older is a lost or reordered write. A value also has
//! to be, byte for byte, what its version of that key says (`workload/values`).
//!
//! Cells are atomics because executors share the ledger; a run without `--verify` has none.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::workload::Values;
use crate::workload::values::VERSION_MODULUS;

/// In the floor of a read: something was acknowledged before it was sent.
const FLOOR_KNOWN: u32 = VERSION_MODULUS;
/// A version this far ahead of another is older, as versions wrap.
const AHEAD_MAX: u32 = VERSION_MODULUS / 2;

/// What is known of one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cell {
    acked: u32,
    issued: u32,
    /// A write of this run was acknowledged.
    known: bool,
    /// A write is on its way.
    pending: bool,
    /// A write was lost on a broken connection and may appear at any time, also over later ones:
    /// from then on the floor of this key stays where it is.
    lax: bool,
}

impl Cell {
    fn pack(self) -> u64 {
        u64::from(self.acked)
            | u64::from(self.issued) << 24
            | u64::from(self.known) << 48
            | u64::from(self.pending) << 49
            | u64::from(self.lax) << 50
    }

    fn unpack(bits: u64) -> Cell {
        let version = |bits: u64| bits as u32 % VERSION_MODULUS;
        Cell {
            acked: version(bits),
            issued: version(bits >> 24),
            known: bits & 1 << 48 != 0,
            pending: bits & 1 << 49 != 0,
            lax: bits & 1 << 50 != 0,
        }
    }
}

/// How a write ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    Acknowledged,
    /// The server said no: the version was never written.
    Refused,
    /// The connection broke: it may have been written, or may yet be.
    Unknown,
}

/// What was written to every key, and what may therefore be read.
pub struct Ledger {
    cells: Vec<AtomicU64>,
    /// Keys may vanish: they have a TTL, or the server evicts.
    forgetful: bool,
}

impl Ledger {
    /// `first_version` differs from run to run, so that a value left by another run is told from
    /// one of this run.
    pub fn new(keys: u64, first_version: u32, forgetful: bool) -> Ledger {
        let start = first_version % VERSION_MODULUS;
        let cell =
            Cell { acked: start, issued: start, known: false, pending: false, lax: false }.pack();
        Ledger { cells: (0..keys).map(|_| AtomicU64::new(cell)).collect(), forgetful }
    }

    /// Claims `key` for a write and returns its version; nothing while another write is under way.
    pub fn begin_write(&self, key: u64) -> Option<u32> {
        let claim = |bits| {
            let cell = Cell::unpack(bits);
            let issued = (cell.issued + 1) % VERSION_MODULUS;
            (!cell.pending).then(|| Cell { issued, pending: true, ..cell }.pack())
        };
        let before =
            self.cell(key).fetch_update(Ordering::AcqRel, Ordering::Acquire, claim).ok()?;
        Some((Cell::unpack(before).issued + 1) % VERSION_MODULUS)
    }

    /// Records how the write of `version` ended.
    pub fn end_write(&self, key: u64, version: u32, fate: Fate) {
        let settle = |bits| {
            let mut cell = Cell::unpack(bits);
            cell.pending = false;
            match fate {
                Fate::Acknowledged if !cell.lax => (cell.acked, cell.known) = (version, true),
                Fate::Acknowledged | Fate::Refused => {}
                Fate::Unknown => cell.lax = true,
            }
            Some(cell.pack())
        };
        // The closure always returns a cell, so this cannot fail.
        let _ = self.cell(key).fetch_update(Ordering::AcqRel, Ordering::Acquire, settle);
    }

    /// The least an answer to a read sent now may say; travels in the operation's salt.
    pub fn floor(&self, key: u64) -> u32 {
        let cell = Cell::unpack(self.cell(key).load(Ordering::Acquire));
        if cell.known { cell.acked | FLOOR_KNOWN } else { 0 }
    }

    /// Checks the answer to a read whose floor was `floor`: `body` is the value, or nothing.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(
        &self,
        key: u64,
        floor: u32,
        body: Option<&[u8]>,
        values: &Values,
    ) -> Result<(), String> {
        let known = floor & FLOOR_KNOWN != 0;
        let floor = floor % VERSION_MODULUS;
        let Some(body) = body else {
            if known && !self.forgetful {
                return Err(format!("missing, but version {floor} was acknowledged"));
            }
            return Ok(());
        };
        let Some(version) = values.version_of(key, body) else {
            return Err(format!(
                "foreign bytes: {} of them, beginning \"{}\"",
                body.len(),
                body[..body.len().min(24)].escape_ascii()
            ));
        };
        if !known {
            return Ok(()); // an earlier run's value is as good as none
        }
        let issued = Cell::unpack(self.cell(key).load(Ordering::Acquire)).issued;
        let ahead = version.wrapping_sub(floor) % VERSION_MODULUS;
        if ahead > issued.wrapping_sub(floor) % VERSION_MODULUS {
            let what = if ahead > AHEAD_MAX { "stale" } else { "never written" };
            return Err(format!(
                "{what}: version {version}, acknowledged {floor}, issued {issued}"
            ));
        }
        let bytes = values.bytes_of(key, version);
        if body.len() != bytes {
            return Err(format!("{} bytes instead of {bytes} of version {version}", body.len()));
        }
        Ok(())
    }

    fn cell(&self, key: u64) -> &AtomicU64 {
        &self.cells[key as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Sizes;

    fn value(values: &Values, key: u64, version: u32) -> Vec<u8> {
        let mut out = Vec::new();
        values.write(key, version, values.bytes_of(key, version), &mut out);
        out
    }

    fn written_once() -> (Ledger, Values, u32) {
        let ledger = Ledger::new(10, VERSION_MODULUS - 2, false); // versions wrap soon
        let version = ledger.begin_write(3).expect("nobody else writes");
        ledger.end_write(3, version, Fate::Acknowledged);
        (ledger, Values::new(Sizes::Uniform(8, 90)), version)
    }

    #[test]
    fn the_acknowledged_version_passes_and_planted_wrong_answers_are_caught() {
        let (ledger, values, version) = written_once();
        let floor = ledger.floor(3);
        let check = |body: Option<&[u8]>| ledger.check(3, floor, body, &values);

        assert_eq!(check(Some(&value(&values, 3, version))), Ok(()));
        assert!(check(None).unwrap_err().contains("missing"));
        assert!(check(Some(b"garbage!")).unwrap_err().contains("foreign"));
        assert!(check(Some(&value(&values, 4, version))).unwrap_err().contains("foreign"));
        assert!(check(Some(&value(&values, 3, version - 1))).unwrap_err().contains("stale"));
        assert!(check(Some(&value(&values, 3, 5))).unwrap_err().contains("never written"));
    }

    #[test]
    fn a_read_beside_a_write_may_see_either_version_but_later_only_the_new_one() {
        let (ledger, values, old) = written_once();
        let floor = ledger.floor(3);
        let new = ledger.begin_write(3).expect("the first write is over");
        assert_eq!(ledger.begin_write(3), None, "one write at a time");

        assert_eq!(ledger.check(3, floor, Some(&value(&values, 3, old)), &values), Ok(()));
        assert_eq!(ledger.check(3, floor, Some(&value(&values, 3, new)), &values), Ok(()));

        ledger.end_write(3, new, Fate::Acknowledged);
        let floor = ledger.floor(3);
        let stale = ledger.check(3, floor, Some(&value(&values, 3, old)), &values);
        assert!(stale.unwrap_err().contains("stale"));
    }

    #[test]
    fn a_write_of_unknown_fate_may_show_or_not_for_ever() {
        let (ledger, values, old) = written_once();
        let lost = ledger.begin_write(3).expect("free");
        ledger.end_write(3, lost, Fate::Unknown);
        let later = ledger.begin_write(3).expect("free again");
        ledger.end_write(3, later, Fate::Acknowledged);
        for version in [old, lost, later] {
            let floor = ledger.floor(3);
            assert_eq!(ledger.check(3, floor, Some(&value(&values, 3, version)), &values), Ok(()));
        }
    }

    #[test]
    fn before_the_first_write_of_a_run_any_genuine_value_or_none_is_right() {
        let ledger = Ledger::new(10, 100, false);
        let values = Values::new(Sizes::Fixed(64));
        let floor = ledger.floor(1);
        assert_eq!(ledger.check(1, floor, None, &values), Ok(()));
        assert_eq!(ledger.check(1, floor, Some(&value(&values, 1, 7)), &values), Ok(()));
        assert!(ledger.check(1, floor, Some(b"xxxxxxxxxxxx"), &values).is_err());
    }

    #[test]
    fn a_forgetful_server_may_miss_but_not_lie() {
        let ledger = Ledger::new(4, 0, true);
        let values = Values::new(Sizes::Fixed(8));
        let version = ledger.begin_write(0).expect("free");
        ledger.end_write(0, version, Fate::Acknowledged);
        assert_eq!(ledger.check(0, ledger.floor(0), None, &values), Ok(()));
        assert!(ledger.check(0, ledger.floor(0), Some(b"AAAAAAAA"), &values).is_err());
    }
}
