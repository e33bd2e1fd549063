//! HyperLogLog: how many different elements were seen, within about 0.81 %, in at most 12 KiB. The
//! bytes are those of Redis, so a sketch written by either side reads on the other; it lives in an
//! ordinary string and everything read from one is checked.
//!
//! ```text
//! "HYLL" · encoding u8 (0 dense, 1 sparse) · 3 unused · count u64 little-endian · registers
//! ```
//! The count is a cache, out of date when its highest bit is set. Of 16,384 registers each keeps
//! the longest run of zeros met in the hashes it is responsible for: dense ones six bits each,
//! sparse ones as runs (see `sparse`).

mod dense;
mod estimate;
mod murmur;
mod sparse;

pub use sparse::{Cursor, Run};

const INDEX_BITS: u32 = 14;
/// Bits of a hash that are left for counting zeros.
const RUN_BITS: u32 = 64 - INDEX_BITS;
/// Registers of a sketch.
pub const REGISTERS: usize = 1 << INDEX_BITS;
const HEADER_BYTES: usize = 16;
const MAGIC: &[u8] = b"HYLL";
const ENCODING_AT: usize = 4;
const COUNT_AT: usize = 8;
/// Holds the bit that says the cached count is out of date.
pub const STALE_AT: usize = 15;
const STALE: u8 = 0x80;
/// Bytes of a dense sketch.
pub const DENSE_BYTES: usize = HEADER_BYTES + REGISTERS * 6 / 8;

/// The registers of a sparse sketch make no sense.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Corrupted;

/// What an element leaves in a sketch: `run` (1 to 51) in register `index`, unless it holds more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    pub index: usize,
    pub run: u8,
}

impl Mark {
    pub fn of(element: &[u8]) -> Mark {
        let hash = murmur::hash64(element);
        let index = hash as usize & (REGISTERS - 1);
        let rest = hash >> INDEX_BITS | 1 << RUN_BITS; // the run ends somewhere
        Mark { index, run: rest.trailing_zeros() as u8 + 1 }
    }
}

/// A sketch as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Sketch<'a> {
    bytes: &'a [u8],
}

impl<'a> Sketch<'a> {
    /// The sketch these bytes are. `None` when the header says they are none; sparse registers
    /// are checked by whoever reads them.
    pub fn of(bytes: &'a [u8]) -> Option<Sketch<'a>> {
        let (header, _) = bytes.split_at_checked(HEADER_BYTES)?;
        let known = match header[ENCODING_AT] {
            0 => bytes.len() == DENSE_BYTES,
            encoding => encoding == 1,
        };
        (header.starts_with(MAGIC) && known).then_some(Sketch { bytes })
    }

    pub fn is_dense(self) -> bool {
        self.bytes[ENCODING_AT] == 0
    }

    fn registers(self) -> &'a [u8] {
        &self.bytes[HEADER_BYTES..]
    }

    /// The runs of a sparse sketch, as far as they make sense.
    pub fn runs(self) -> impl Iterator<Item = Result<Run, Corrupted>> + 'a {
        sparse::runs(self.registers())
    }

    /// The count that was noted when nothing had changed since.
    pub fn cached_count(self) -> Option<u64> {
        let count = self.bytes[COUNT_AT..].first_chunk::<8>()?;
        (count[7] & STALE == 0).then_some(u64::from_le_bytes(*count))
    }

    /// The estimate, computed.
    ///
    /// # Errors
    /// [`Corrupted`].
    pub fn count(self) -> Result<u64, Corrupted> {
        let mut histogram = [0; 64];
        if self.is_dense() {
            dense::values(self.registers()).for_each(|run| histogram[usize::from(run)] += 1);
        } else {
            sparse::checked(self.registers(), |_, run| {
                histogram[usize::from(run.value)] += run.length as u32;
            })?;
        }
        Ok(estimate::cardinality(&histogram))
    }

    /// What a register holds. O(1) dense, O(runs before it) sparse.
    ///
    /// # Errors
    /// [`Corrupted`] when the sparse runs end before it.
    pub fn register(self, index: usize) -> Result<u8, Corrupted> {
        if self.is_dense() {
            return Ok(dense::get(self.registers(), index));
        }
        sparse::value_at(self.registers(), index)
    }

    /// The same sketch with dense registers.
    ///
    /// # Errors
    /// [`Corrupted`].
    pub fn to_dense(self) -> Result<Vec<u8>, Corrupted> {
        if self.is_dense() {
            return Ok(self.bytes.to_vec());
        }
        let mut bytes = self.bytes[..HEADER_BYTES].to_vec();
        bytes[ENCODING_AT] = 0;
        bytes.resize(DENSE_BYTES, 0);
        let registers = &mut bytes[HEADER_BYTES..];
        sparse::checked(self.registers(), |first, run| {
            if run.value > 0 {
                (first..first + run.length).for_each(|at| dense::set(registers, at, run.value));
            }
        })?;
        Ok(bytes)
    }

    /// The bytes in which a dense register lies, written as they are when it holds `mark.run`, and
    /// where in the string they stand. `None` when it holds as much already.
    pub fn dense_change(self, mark: Mark) -> Option<(usize, [u8; 2])> {
        debug_assert!(self.is_dense());
        let registers = self.registers();
        if dense::get(registers, mark.index) >= mark.run {
            return None;
        }
        // The last register ends with the string: its pair starts a byte early.
        let at = (mark.index * 6 / 8).min(registers.len() - 2);
        let mut pair = [registers[at], registers[at + 1]];
        dense::set_in_pair(&mut pair, mark.index * 6 - at * 8, mark.run);
        Some((HEADER_BYTES + at, pair))
    }
}

/// The sketch of nothing: 18 bytes.
pub fn empty() -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(1);
    bytes.resize(HEADER_BYTES, 0);
    sparse::push_zeros(REGISTERS, &mut bytes);
    bytes
}

/// Notes in a sketch's bytes that the cached count is out of date.
pub fn make_stale(bytes: &mut [u8]) {
    if let Some(byte) = bytes.get_mut(STALE_AT) {
        *byte |= STALE;
    }
}

/// `STALE_AT`'s byte of a sketch whose registers have changed.
pub fn stale_byte(sketch: Sketch<'_>) -> u8 {
    sketch.bytes[STALE_AT] | STALE
}

/// Where the count that [`Sketch::cached_count`] finds is kept, and its bytes.
pub fn count_field(count: u64) -> (usize, [u8; 8]) {
    (COUNT_AT, count.to_le_bytes())
}

/// Raises a register of the sketch in `bytes` to at least `mark.run`; whether it held less. Runs
/// that would grow the string beyond `sparse_bytes_max` make it dense, as does a run above 32.
/// With marks in ascending order of registers, one `cursor` for all of them saves looking for each
/// from the beginning.
///
/// # Errors
/// [`Corrupted`]; the bytes may then have changed.
pub fn raise(
    bytes: &mut Vec<u8>,
    mark: Mark,
    sparse_bytes_max: usize,
    cursor: &mut Cursor,
) -> Result<bool, Corrupted> {
    let sketch = Sketch::of(bytes).ok_or(Corrupted)?;
    if !sketch.is_dense() {
        match sparse::raise(bytes, mark, sparse_bytes_max, cursor)? {
            sparse::Raised::Done(changed) => return Ok(changed),
            sparse::Raised::TooLarge => *bytes = Sketch { bytes }.to_dense()?,
        }
    }
    let registers = &mut bytes[HEADER_BYTES..];
    let changed = dense::get(registers, mark.index) < mark.run;
    if changed {
        dense::set(registers, mark.index, mark.run);
    }
    Ok(changed)
}

/// The highest value of each register over several sketches.
pub struct Union {
    registers: Box<[u8; REGISTERS]>,
}

impl Default for Union {
    fn default() -> Union {
        Union { registers: Box::new([0; REGISTERS]) }
    }
}

impl Union {
    /// # Errors
    /// [`Corrupted`].
    pub fn add(&mut self, sketch: Sketch<'_>) -> Result<(), Corrupted> {
        if sketch.is_dense() {
            let values = dense::values(sketch.registers());
            self.registers.iter_mut().zip(values).for_each(|(max, run)| *max = run.max(*max));
            return Ok(());
        }
        sparse::checked(sketch.registers(), |first, run| {
            if run.value > 0 {
                let span = &mut self.registers[first..first + run.length];
                span.iter_mut().for_each(|max| *max = run.value.max(*max));
            }
        })
    }

    pub fn count(&self) -> u64 {
        let mut histogram = [0; 64];
        self.registers.iter().for_each(|&run| histogram[usize::from(run)] += 1);
        estimate::cardinality(&histogram)
    }

    /// What a sketch needs in order to hold at least this, in ascending order of registers.
    pub fn marks(&self) -> impl Iterator<Item = Mark> + '_ {
        let all = self.registers.iter().enumerate().map(|(index, &run)| Mark { index, run });
        all.filter(|mark| mark.run > 0)
    }
}

#[cfg(test)]
mod tests;
