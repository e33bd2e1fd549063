use super::*;
use crate::base::random::Random;

fn shortest(value: f64) -> String {
    let mut out = Vec::new();
    write_f64(value, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_integer_parses_exactly_when_it_would_print_the_same() {
    for text in ["0", "1", "-1", "10", "9223372036854775807", "-9223372036854775808"] {
        let value = parse_i64(text.as_bytes()).unwrap();
        assert_eq!(value.to_string(), text);
    }
    for text in [
        "",
        "-",
        "+1",
        "-0",
        "01",
        "-01",
        " 1",
        "1 ",
        "1a",
        "1.0",
        "0x1",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "18446744073709551616",
    ] {
        assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn random_integers_survive_the_round_trip() {
    let mut random = Random::new(1);
    for _ in 0..10_000 {
        let value = (random.next_u64() as i64) >> random.below(64);
        let mut out = Vec::new();
        write_i64(value, &mut out);
        assert_eq!(parse_i64(&out), Some(value));
    }
}

/// Two million random commands found a stream id of `+1`, which redis-server takes.
#[test]
fn a_part_of_a_stream_id_is_whatever_strtoull_makes_of_it() {
    for (text, value) in [
        ("+1", Some(1)),
        (" \t7", Some(7)),
        ("-0", Some(0)),
        (" -1", Some(u64::MAX)),
        ("-05", Some(u64::MAX - 4)),
        ("007", Some(7)),
        ("18446744073709551615", Some(u64::MAX)),
        ("-5", None),
        ("18446744073709551616", None),
        ("", None),
        ("+", None),
        ("+ 1", None),
        ("1 ", None),
        ("--1", None),
    ] {
        assert_eq!(parse_u64_as_c(text.as_bytes()), value, "{text:?}");
    }
}

#[test]
fn unsigned_integers_reach_the_whole_range() {
    assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
    assert_eq!(parse_u64(b"007"), Some(7));
    for text in ["", "-1", "+1", "18446744073709551616", "1x"] {
        assert_eq!(parse_u64(text.as_bytes()), None, "{text:?}");
    }
    assert_eq!(parse_i64_within(b"5", 1, 5), Some(5));
    assert_eq!(parse_i64_within(b"6", 1, 5), None);
}

#[test]
fn doubles_read_as_redis_7_0_15_reads_them() {
    // Each line was tried as a ZADD score against redis-server 7.0.15.
    for (text, value) in [
        ("inf", f64::INFINITY),
        ("+inf", f64::INFINITY),
        ("-Infinity", f64::NEG_INFINITY),
        ("0x10", 16.0),
        ("0x1p3", 8.0),
        ("0x1.8P-1", 0.75),
        ("0x.8", 0.5),
        ("4.9e-324", f64::from_bits(1)),
        ("0x1.8p-1075", f64::from_bits(1)),
        ("0x1p-1074", f64::from_bits(1)),
        ("0x1p-1022", f64::MIN_POSITIVE),
        ("0x1.fffffffffffffp1023", f64::MAX),
        ("1e-310", 1e-310),
        (".5", 0.5),
        ("5.", 5.0),
        ("+5", 5.0),
        ("-0", 0.0),
        ("0e99999999999", 0.0),
        ("0x0p99999999999", 0.0),
        ("9007199254740993", 9_007_199_254_740_992.0),
    ] {
        assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text:?}");
    }
    for text in [
        "nan",
        "NaN",
        "nan(12)",
        "0x",
        "0x.",
        "0x1p",
        "1e400",
        "1e-400",
        "2e-324",
        "0x1p-1075",
        "0x1p1024",
        "0x1.fffffffffffff8p1023",
        " 5",
        "5 ",
        "",
        "-",
        ".",
        "1e",
        "1_0",
        "5\0",
    ] {
        assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn hexadecimal_doubles_round_half_to_even() {
    // 53 bits and one more: a tie, then a hair above it.
    assert_eq!(parse_f64(b"0x20000000000001"), Some(9_007_199_254_740_992.0));
    assert_eq!(parse_f64(b"0x20000000000003"), Some(9_007_199_254_740_996.0));
    let above = format!("0x20000000000001.{}1", "0".repeat(60));
    assert_eq!(parse_f64(above.as_bytes()), Some(9_007_199_254_740_994.0));
}

#[test]
fn doubles_print_in_the_layout_of_redis_7_2() {
    for (value, text) in [
        (3.0, "3"),
        (-17.0, "-17"),
        (0.1, "0.1"),
        (0.30000000000000004, "0.30000000000000004"),
        (0.0, "0"),
        (-0.0, "-0"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (1234.5, "1234.5"),
        (-0.00001, "-0.00001"),
        (0.000001, "0.000001"),
        (0.0000001, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (4503599627370494.0, "4503599627370494"),
        (9007199254740992.0, "9007199254740992"),
        (1e20, "1e+20"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::from_bits(1), "5e-324"),
    ] {
        assert_eq!(shortest(value), text);
    }
}

#[test]
fn every_printed_double_reads_back_as_itself() {
    let mut random = Random::new(2);
    for _ in 0..100_000 {
        let value = f64::from_bits(random.next_u64());
        if value.is_nan() {
            continue;
        }
        let text = shortest(value);
        assert!(text.len() <= F64_TEXT_MAX, "{text}");
        assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text}");
    }
}

#[test]
fn amounts_of_memory_take_the_units_of_redis_conf() {
    for (text, bytes) in [
        ("", 0),
        ("mb", 0),
        ("5", 5),
        ("5B", 5),
        ("1k", 1000),
        ("1kB", 1024),
        ("1M", 1_000_000),
        ("100mb", 100 << 20),
        ("2g", 2_000_000_000),
        ("1Gb", 1 << 30),
        ("18446744073709551615", u64::MAX),
    ] {
        assert_eq!(parse_memory(text.as_bytes()), Some(bytes), "{text:?}");
    }
    for text in ["-1", "5.5mb", "5 mb", "1tb", "x", "18446744073709551616", "99999999999gb"] {
        assert_eq!(parse_memory(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn amounts_of_memory_print_as_in_info() {
    for (bytes, text) in [
        (0, "0B"),
        (1023, "1023B"),
        (1024, "1.00K"),
        (1_048_575, "1024.00K"),
        (1 << 20, "1.00M"),
        (3_758_096_384, "3.50G"),
        (1 << 40, "1.00T"),
        (1 << 50, "1.00P"),
        (1 << 60, "1152921504606846976B"),
    ] {
        assert_eq!(human_bytes(bytes), text);
    }
}
