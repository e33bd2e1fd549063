//! The timeouts of blocking commands, as Redis reads them.

use super::error::CommandError;
use crate::base::number;

const NEGATIVE: CommandError = CommandError::Said("ERR timeout is negative");
const NOT_A_FLOAT: CommandError = CommandError::Said("ERR timeout is not a float or out of range");
const NOT_AN_INTEGER: CommandError =
    CommandError::Said("ERR timeout is not an integer or out of range");

/// Seconds with fractions, rounded up to whole milliseconds; 0 waits for ever.
///
/// # Errors
/// Redis's sentences: not a number, negative, or beyond what a clock can hold.
pub fn seconds(text: &[u8]) -> Result<u64, CommandError> {
    let seconds = number::parse_f64(text).ok_or(NOT_A_FLOAT)?;
    let ms = (seconds * 1000.0).ceil();
    // Redis 7.0 calls what does not fit into its clock negative as well.
    if seconds < 0.0 || ms >= i64::MAX as f64 {
        return Err(NEGATIVE);
    }
    Ok(ms as u64)
}

/// Milliseconds (XREAD's BLOCK); 0 waits for ever.
///
/// # Errors
/// As [`seconds`].
pub fn milliseconds(text: &[u8]) -> Result<u64, CommandError> {
    let ms = number::parse_i64(text).ok_or(NOT_AN_INTEGER)?;
    u64::try_from(ms).map_err(|_| NEGATIVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_of_a_second_count_and_never_round_to_for_ever() {
        assert_eq!(seconds(b"0.25"), Ok(250));
        assert_eq!(seconds(b"0.0001"), Ok(1));
        assert_eq!(seconds(b"0"), Ok(0));
        assert_eq!(seconds(b"-1"), Err(NEGATIVE));
        assert_eq!(seconds(b"soon"), Err(NOT_A_FLOAT));
        assert_eq!(milliseconds(b"1.5"), Err(NOT_AN_INTEGER));
        assert_eq!(milliseconds(b"-5"), Err(NEGATIVE));
    }
}
