//! Numbers as people write them: 10m, 64k, 500ms, 60-600, 9:1.
//!
//! Every refusal names what was written and what would do.

/// A count: digits with an optional k, m, g or t for powers of a thousand.
pub fn count(text: &str) -> Result<u64, String> {
    let number = quantity(text)?;
    if number.fract() != 0.0 || number > (1u64 << 53) as f64 {
        return Err(format!("\"{text}\" is not a whole number; write for example 500k or 10m"));
    }
    Ok(number as u64)
}

/// A number, perhaps with a fraction, with an optional k, m, g or t for powers of a thousand.
pub fn quantity(text: &str) -> Result<f64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let factors = [("k", 1e3), ("m", 1e6), ("g", 1e9), ("b", 1e9), ("t", 1e12)];
    let (digits, factor) = factors
        .iter()
        .find_map(|(suffix, factor)| Some((lower.strip_suffix(suffix)?, *factor)))
        .unwrap_or((&lower, 1.0));
    match digits.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number * factor),
        _ => Err(format!("\"{text}\" is not a number; write for example 1000, 500k or 10m")),
    }
}

/// A size in bytes: digits with an optional k or m for powers of 1024.
pub fn bytes(text: &str) -> Result<usize, String> {
    let lower = text.trim().to_ascii_lowercase();
    let (digits, factor) = [("k", 1usize << 10), ("m", 1 << 20)]
        .iter()
        .find_map(|(suffix, factor)| Some((lower.strip_suffix(suffix)?, *factor)))
        .unwrap_or((&lower, 1));
    digits
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| format!("\"{text}\" is not a size; write for example 64, 4k or 1m"))
}

/// A time in nanoseconds: seconds, or with one of the suffixes us, ms, s, m, h.
pub fn duration_ns(text: &str) -> Result<u64, String> {
    let lower = text.trim().to_ascii_lowercase();
    let units = [("us", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];
    let (digits, unit) = units
        .iter()
        .find_map(|(suffix, unit)| Some((lower.strip_suffix(suffix)?, *unit)))
        .unwrap_or((&lower, 1e9));
    match digits.parse::<f64>() {
        Ok(number) if number >= 0.0 && number * unit < 1e18 => Ok((number * unit) as u64),
        _ => Err(format!("\"{text}\" is not a time; write for example 30, 500ms or 2m")),
    }
}

/// A range `low-high`, or one thing, which is both ends.
pub fn range<T: PartialOrd>(
    text: &str,
    one: impl Fn(&str) -> Result<T, String>,
) -> Result<(T, T), String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (one(low)?, one(high)?);
    if low > high {
        return Err(format!("the range \"{text}\" runs backwards: write the smaller end first"));
    }
    Ok((low, high))
}

/// A list of numbers and ranges: `1,2` or `2-5`.
pub fn list(text: &str) -> Result<Vec<usize>, String> {
    let mut numbers = Vec::new();
    for part in text.split(',') {
        let (low, high) = range(part, |end| {
            end.trim().parse::<usize>().map_err(|_| {
                format!("\"{end}\" in \"{text}\" is not a CPU number; write for example 1,2 or 2-5")
            })
        })?;
        if high - low >= 4096 {
            return Err(format!("\"{part}\" names more CPUs than any machine has"));
        }
        numbers.extend(low..=high);
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(count("10m"), Ok(10_000_000));
        assert_eq!(count("1.5k"), Ok(1500));
        assert_eq!(bytes("4k"), Ok(4096));
        assert_eq!(duration_ns("500ms"), Ok(500_000_000));
        assert_eq!(duration_ns("30"), Ok(30_000_000_000));
        assert_eq!(duration_ns("2m"), Ok(120_000_000_000));
        assert_eq!(range("10-1k", bytes), Ok((10, 1024)));
        assert_eq!(list("1,3-5"), Ok(vec![1, 3, 4, 5]));
    }

    #[test]
    fn what_is_no_number_is_quoted_back_with_an_example() {
        for said in [count("ten"), count("1.0001"), duration_ns("-1"), duration_ns("soon")] {
            let said = said.unwrap_err();
            assert!(said.contains('"') && said.contains("for example"), "{said}");
        }
        assert!(range("9-1", bytes).unwrap_err().contains("smaller end first"));
    }
}
