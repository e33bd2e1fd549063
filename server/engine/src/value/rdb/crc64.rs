//! CRC-64 with Jones's polynomial, reflected, starting at zero: the checksum of RDB files and of
//! DUMP. Eight bytes a step by eight tables, made at compile time.

const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
static TABLES: [[u64; 256]; 8] = tables();

const fn tables() -> [[u64; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { rest >> 1 ^ POLYNOMIAL } else { rest >> 1 };
            bit += 1;
        }
        tables[0][byte] = rest;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = before >> 8 ^ tables[0][before as usize & 0xff];
            byte += 1;
        }
        table += 1;
    }
    tables
}

/// The checksum of `bytes`.
pub fn crc64(bytes: &[u8]) -> u64 {
    extend(0, bytes)
}

/// The checksum of what had `crc` with `bytes` behind it.
pub fn extend(crc: u64, bytes: &[u8]) -> u64 {
    let (words, tail) = bytes.as_chunks::<8>();
    let crc = words.iter().fold(crc, |crc, word| {
        let mixed = (crc ^ u64::from_le_bytes(*word)).to_le_bytes();
        mixed
            .iter()
            .zip(TABLES.iter().rev())
            .fold(0, |sum, (&byte, table)| sum ^ table[usize::from(byte)])
    });
    tail.iter().fold(crc, |crc, &byte| crc >> 8 ^ TABLES[0][usize::from(crc as u8 ^ byte)])
}

/// What `crc` becomes when the first bytes of the whole, `old`, are replaced by as many others and
/// `behind` bytes follow them. Beginning at zero makes the sum linear: the difference of the two
/// is the sum of the difference, moved on by zeros. Takes the time of summing `behind` bytes.
pub fn with_front(crc: u64, old: &[u8], new: &[u8], behind: u64) -> u64 {
    debug_assert_eq!(old.len(), new.len());
    let difference: Vec<u8> = old.iter().zip(new).map(|(old, new)| old ^ new).collect();
    let zeros = [0; 4096];
    let mut moved = crc64(&difference);
    let mut left = behind;
    while left > 0 {
        let step = left.min(zeros.len() as u64);
        moved = extend(moved, &zeros[..step as usize]);
        left -= step;
    }
    crc ^ moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_is_the_published_one() {
        assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(b""), 0);
    }

    #[test]
    fn eight_bytes_a_step_are_as_good_as_one() {
        let bytes: Vec<u8> = (0..1000_u32).map(|at| (at * 7 + at / 13) as u8).collect();
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 1000] {
            let slow = bytes[..length]
                .iter()
                .fold(0, |crc: u64, &byte| crc >> 8 ^ TABLES[0][usize::from(crc as u8 ^ byte)]);
            assert_eq!(crc64(&bytes[..length]), slow, "{length} bytes");
        }
    }

    #[test]
    fn a_sum_goes_on_where_it_stopped_and_its_front_can_be_replaced() {
        let bytes: Vec<u8> = (0..9000_u32).map(|at| (at * 31) as u8).collect();
        for cut in [0, 1, 9, 4096, 8999, 9000] {
            assert_eq!(extend(crc64(&bytes[..cut]), &bytes[cut..]), crc64(&bytes), "cut at {cut}");
        }
        let mut other = bytes.clone();
        other[..9].copy_from_slice(b"REDIS0012");
        let replaced = with_front(crc64(&bytes), &bytes[..9], b"REDIS0012", 9000 - 9);
        assert_eq!(replaced, crc64(&other));
    }
}
