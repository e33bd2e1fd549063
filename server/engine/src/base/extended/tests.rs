use super::*;

/// What INCRBYFLOAT answers: the text of the sum or an error.
fn increment(value: &str, by: &str) -> String {
    let (Some(value), Some(by)) =
        (Extended::parse(value.as_bytes()), Extended::parse(by.as_bytes()))
    else {
        return "-ERR value is not a valid float".to_owned();
    };
    match value.checked_add(by) {
        None => "-ERR increment would produce NaN or Infinity".to_owned(),
        Some(sum) => printed(sum),
    }
}

fn printed(value: Extended) -> String {
    let mut out = Vec::new();
    value.write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn sums_equal_those_redis_7_0_15_gave() {
    // Lines of `value|increment|reply`, taken from a redis-server on x86-64.
    let golden = include_str!("golden.txt");
    assert!(golden.lines().count() > 400);
    for line in golden.lines() {
        let mut parts = line.split('|');
        let (value, by, reply) =
            (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        assert_eq!(increment(value, by), reply, "SET k {value:?}, INCRBYFLOAT k {by:?}");
    }
}

#[test]
fn the_examples_of_the_incrbyfloat_page_hold() {
    assert_eq!(increment("10.50", "0.1"), "10.6");
    assert_eq!(increment("10.6", "-5"), "5.6");
    assert_eq!(increment("5.0e3", "2.0e2"), "5200");
    assert_eq!(increment("0.1", "0.2"), "0.3");
}

#[test]
fn the_largest_value_prints_whole_and_one_step_more_is_refused() {
    let largest = "0x1.fffffffffffffffep16383";
    let text = increment(largest, "0");
    assert_eq!(text.len(), 4933);
    assert!(text.starts_with("11897314953572317650"));
    assert_eq!(increment(largest, largest), "-ERR increment would produce NaN or Infinity");
    assert_eq!(increment(&text, "0"), text, "what was printed reads back");
}

#[test]
fn text_longer_than_redis_reads_is_refused() {
    let longest = format!("1{}", "0".repeat(TEXT_MAX - 1));
    assert!(Extended::parse(longest.as_bytes()).is_none(), "1e5118 overflows");
    let longest = format!("{}1", "0".repeat(TEXT_MAX - 1));
    assert_eq!(Extended::parse(longest.as_bytes()), Some(Extended::from_i64(1)));
    let longer = format!("0{longest}");
    assert!(Extended::parse(longer.as_bytes()).is_none());
}

#[test]
fn integers_keep_all_their_bits() {
    for value in [0, 1, -1, i64::MAX, i64::MIN, 1 << 53 | 1] {
        assert_eq!(printed(Extended::from_i64(value)), value.to_string());
        assert_eq!(Extended::parse(value.to_string().as_bytes()), Some(Extended::from_i64(value)));
    }
}

#[test]
fn what_cancels_out_leaves_a_plain_zero() {
    assert_eq!(increment("-0", "-0"), "0");
    assert_eq!(increment("1e4000", "-1e4000"), "0");
    assert_eq!(increment("-1e-4000", "0"), "0", "too small for 17 digits, and no minus sign");
}
