//! Logs and snapshots of any bytes. Checksums would keep damage away from the decoders, so they
//! are made right where the bytes look like what they would cover.

use freehold_engine::effect::Effect;

/// Databases of the keyspace that effects are applied to: each takes a mebibyte when it is used.
pub const DATABASES: u8 = 4;

/// A splice far away is filled up with zeros, as SETRANGE does within its limit.
const SPLICE_MAX: u32 = 64 * 1024;

/// Whether an effect is one a server with [`DATABASES`] and limits on strings could have had.
pub fn fits(effect: &Effect<'_>) -> bool {
    match *effect {
        Effect::Flush { db } => db.is_none_or(|db| db < DATABASES),
        Effect::SwapDb { a, b } => a.max(b) < DATABASES,
        Effect::Splice { db, offset, .. } => db < DATABASES && offset <= SPLICE_MAX,
        _ => effect.place().is_some_and(|(db, _)| db < DATABASES),
    }
}

/// Makes the checksums of a snapshot right: of the header, of index and trailer, of every block
/// that the index finds.
pub fn mend_snapshot(file: &mut [u8]) {
    sum(file, 0..32, 32);
    let Some(trailer) = file.len().checked_sub(24) else { return };
    let (index, blocks) = (number(file, trailer, 8), number(file, trailer + 8, 4));
    if index.saturating_add(blocks * 16) == trailer as u64 {
        let index = index as usize;
        for block in 0..blocks as usize {
            let start = number(file, index + block * 16, 8) as usize;
            let next = number(file, index + (block + 1) * 16, 8) as usize;
            let end = if block + 1 == blocks as usize { index } else { next };
            if let Some(bytes) = file.get(start..end).filter(|bytes| bytes.len() >= 20) {
                let crc = crc32c::crc32c_append(crc32c::crc32c(&bytes[..16]), &bytes[20..]);
                file[start + 16..start + 20].copy_from_slice(&crc.to_le_bytes());
            }
        }
        sum(file, index..trailer + 12, trailer + 12);
    }
}

/// Makes the checksums of a log right: of the header, and of every batch and record that follow.
pub fn mend_log(file: &mut [u8]) {
    sum(file, 0..32, 32);
    let mut at = 4096;
    while file.get(at..at + 4) == Some(b"FHB1") {
        let length = number(file, at + 4, 4) as usize;
        sum(file, at..at + 28, at + 28);
        let end = (at + 32).saturating_add(length).min(file.len());
        let mut record = at + 32;
        while record + 8 <= end {
            let body = record + 8..(record + 8).saturating_add(number(file, record, 4) as usize);
            let Some(bytes) = file.get(body.clone()) else { break };
            let crc = crc32c::crc32c_append(crc32c::crc32c(&file[record..record + 4]), bytes);
            file[record + 4..record + 8].copy_from_slice(&crc.to_le_bytes());
            record = body.end;
        }
        at = end;
    }
}

/// Little-endian; 0 beyond the end.
fn number(file: &[u8], at: usize, bytes: usize) -> u64 {
    let mut number = [0; 8];
    if let Some(found) = file.get(at..at.saturating_add(bytes)) {
        number[..bytes].copy_from_slice(found);
    }
    u64::from_le_bytes(number)
}

/// Writes the sum of `of` at `at`, if there is room for it.
fn sum(file: &mut [u8], of: std::ops::Range<usize>, at: usize) {
    if at + 4 <= file.len() && of.end <= file.len() && of.start <= of.end {
        let crc = crc32c::crc32c(&file[of]).to_le_bytes();
        file[at..at + 4].copy_from_slice(&crc);
    }
}
