//! The words random commands are made of: few keys, so that commands meet; values at the borders
//! of the string encodings; numbers at the borders of integers; times that are either long past
//! or far away, so that no answer depends on how fast the two servers are.

use freehold_tests::random::Random;

/// The nearest relative deadline a run may set, in units of the option: an hour of milliseconds.
pub const FAR: i64 = 3_600_000;
/// The first second of the year 2100.
pub const CENTURY: i64 = 4_102_444_800;

const KEYS: &[&[u8]] = &[
    b"a",
    b"b",
    b"c",
    b"d",
    b"key:1",
    b"key:2",
    b"key:3",
    b"key:4",
    b"key:5",
    b"num:1",
    b"num:2",
    b"num:3",
    b"flt:1",
    b"flt:2",
    b"{t}1",
    b"{t}2",
    b"{t}3",
    b"user:{t}:x",
    b"",
    b"bin\r\n\x00\xff",
    b"[x]*?",
];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "5",
    "10",
    "-10",
    "100",
    "9999",
    "10000",
    "2147483647",
    "2147483648",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775806",
];

const NOT_NUMBERS: &[&str] = &[
    "",
    " 1",
    "1 ",
    "+1",
    "-0",
    "01",
    "1.0",
    "1e3",
    "abc",
    "0x10",
    "9223372036854775808",
    "-9223372036854775809",
    "99999999999999999999",
    "nan",
    "inf",
    "--1",
    "1\n",
];

const FLOATS: &[&str] = &[
    "0",
    "1",
    "-1",
    "0.1",
    "-0.1",
    "3.14",
    "1.5",
    "10.5",
    "5.0e3",
    "1e10",
    "0.0001",
    "1e-5",
    "200",
    "-3.0",
    "0.30000000000000004",
    "123456789.123456789",
    "1e17",
    "2.5e-9",
];

const NOT_FLOATS: &[&str] =
    &["", "nan", "inf", "-inf", "+inf", "1e", "abc", " 1", "1 ", "1.2.3", "1e5000", "0x"];

const PATTERNS: &[&str] = &[
    "*",
    "key:*",
    "k?y:1",
    "[a-c]",
    "[^a]",
    "*:1",
    "num:[1-2]",
    "\\[x\\]*",
    "",
    "a",
    "nothing*",
    "{t}*",
    "[",
    "[a-",
    "\\",
    "*1*",
    "**",
    "?",
];

const JUNK: &[&str] =
    &["FOO", "", "NX", "EX", "-1", "0", "1", "GET", "\r\n", "KEEPTTL", "x", "COUNT", "nx"];

/// A key of the pool; rarely a long one or one nobody uses.
pub fn key(random: &mut Random) -> Vec<u8> {
    match random.below(60) {
        0 => b"long-".repeat(60),
        1 => format!("fresh:{}", random.below(1000)).into_bytes(),
        _ => random.pick(KEYS).to_vec(),
    }
}

pub fn number(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => random.pick(NOT_NUMBERS).as_bytes().to_vec(),
        1..=3 => random.pick(NUMBERS).as_bytes().to_vec(),
        _ => random.between(-50, 300).to_string().into_bytes(),
    }
}

pub fn float(random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0 => random.pick(NOT_FLOATS).as_bytes().to_vec(),
        1..=5 => random.pick(FLOATS).as_bytes().to_vec(),
        _ => format!("{}.{}", random.between(-999, 999), random.below(10_000)).into_bytes(),
    }
}

pub fn value(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 | 1 => number(random),
        2 => float(random),
        3 => random.pick(NOT_NUMBERS).as_bytes().to_vec(),
        4 => text(random, 44),
        5 => text(random, 45),
        6 => {
            let length = 100 + random.below(900);
            text(random, length)
        }
        7 => b"with\r\n\x00bytes\xff\"'".to_vec(),
        8 => Vec::new(),
        _ => {
            let length = 1 + random.below(20);
            text(random, length)
        }
    }
}

/// Letters from a small alphabet, so that LCS finds something.
fn text(random: &mut Random, length: usize) -> Vec<u8> {
    (0..length).map(|_| *random.pick(b"abcde")).collect()
}

/// An offset or length: small, negative, or beyond what any server allows. Nothing between, since
/// the reference would really allocate half a gigabyte.
pub fn offset(random: &mut Random) -> Vec<u8> {
    match random.below(12) {
        0 => random.pick(&["536870912", "4294967296", "9223372036854775807"]).as_bytes().to_vec(),
        1 => random.pick(&["-9223372036854775808", "-1", "-536870912"]).as_bytes().to_vec(),
        2 => random.pick(NOT_NUMBERS).as_bytes().to_vec(),
        3..=5 => random.between(-60, 0).to_string().into_bytes(),
        _ => random.between(0, 300).to_string().into_bytes(),
    }
}

/// An offset in bits, near or beyond what any server allows.
pub fn bit(random: &mut Random) -> Vec<u8> {
    match random.below(14) {
        0 => random.pick(&["4294967296", "9223372036854775807", "-1"]).as_bytes().to_vec(),
        1 => random.pick(NOT_NUMBERS).as_bytes().to_vec(),
        _ => random.between(0, 300).to_string().into_bytes(),
    }
}

/// A key that mostly holds a HyperLogLog.
pub fn sketch(random: &mut Random) -> Vec<u8> {
    random.pick(&[b"pf:1".as_slice(), b"pf:2", b"pf:3", b"pf:4"]).to_vec()
}

/// Something to count, from a range of few or of many.
pub fn element(random: &mut Random) -> Vec<u8> {
    let range = if random.percent(20) { 50 } else { 1_000_000 };
    random.below(range).to_string().into_bytes()
}

/// A relative time: far away, gone, or no time at all.
pub fn relative(random: &mut Random) -> Vec<u8> {
    let text = match random.below(20) {
        0 => (*random.pick(&["0", "-1", "-100", "-9223372036854775808"])).to_owned(),
        1 => (*random.pick(&["9223372036854775807", "10000000000000000", "99999999999999"]))
            .to_owned(),
        2 => (*random.pick(NOT_NUMBERS)).to_owned(),
        _ => random.between(FAR, FAR * 1000).to_string(),
    };
    text.into_bytes()
}

/// A point in time in seconds: in the next century, long past, or none at all.
pub fn absolute_seconds(random: &mut Random) -> Vec<u8> {
    absolute(random, 1)
}

pub fn absolute_millis(random: &mut Random) -> Vec<u8> {
    absolute(random, 1000)
}

fn absolute(random: &mut Random, unit: i64) -> Vec<u8> {
    let text = match random.below(20) {
        0 => (*random.pick(&["0", "-1", "1", "1000000"])).to_owned(),
        1 => (*random.pick(&["9223372036854775807", "-9223372036854775808"])).to_owned(),
        2 => (*random.pick(NOT_NUMBERS)).to_owned(),
        // Few points, so that GT and LT meet equal ones.
        _ => ((CENTURY + random.between(0, 9) * 100) * unit).to_string(),
    };
    text.into_bytes()
}

pub fn database(random: &mut Random) -> Vec<u8> {
    let choices = ["0", "0", "0", "1", "2", "3", "15", "16", "-1", "x", "", "4294967296"];
    random.pick(&choices).as_bytes().to_vec()
}

pub fn pattern(random: &mut Random) -> Vec<u8> {
    random.pick(PATTERNS).as_bytes().to_vec()
}

pub fn junk(random: &mut Random) -> Vec<u8> {
    random.pick(JUNK).as_bytes().to_vec()
}
