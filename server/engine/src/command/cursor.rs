//! Walks through one collection with a cursor: what SSCAN, HSCAN and ZSCAN have in common.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::error::CommandError;
use crate::base::glob::{self, Case};
use crate::base::number::{parse_i64, parse_u64};

/// Elements visited when COUNT does not say, as in Redis.
const COUNT_DEFAULT: usize = 10;

/// What follows the cursor.
pub struct Walk<'a> {
    /// About how many elements to visit.
    pub count: usize,
    pattern: Option<&'a [u8]>,
    /// NOVALUES, where the command has it.
    pub no_values: bool,
}

impl<'a> Walk<'a> {
    /// Reads the options; `pairs`: NOVALUES is one of them.
    ///
    /// # Errors
    /// `Syntax`, `NotAnInteger`.
    pub fn read(words: Args<'a>, pairs: bool) -> Result<Walk<'a>, CommandError> {
        let mut walk = Walk { count: COUNT_DEFAULT, pattern: None, no_values: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if pairs && word.eq_ignore_ascii_case(b"NOVALUES") {
                walk.no_values = true;
                continue;
            }
            let value = words.next().ok_or(CommandError::Syntax)?;
            if word.eq_ignore_ascii_case(b"COUNT") {
                let count = parse_i64(value).ok_or(CommandError::NotAnInteger)?;
                let count = usize::try_from(count).ok().filter(|&count| count > 0);
                walk.count = count.ok_or(CommandError::Syntax)?;
            } else if word.eq_ignore_ascii_case(b"MATCH") {
                walk.pattern = (!glob::matches_all(value)).then_some(value);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(walk)
    }

    /// Whether MATCH lets the element through.
    pub fn admits(&self, element: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, element, Case::Sensitive))
    }
}

/// Reads a cursor; no text is 0, as `strtoul` has it.
///
/// # Errors
/// `InvalidCursor`.
pub fn read(text: &[u8]) -> Result<u64, CommandError> {
    if text.is_empty() {
        return Ok(0);
    }
    parse_u64(text).ok_or(CommandError::InvalidCursor)
}

/// Answers with the next cursor and what was found, `elements` bulk strings in `found`.
pub fn answer(cursor: u64, elements: usize, found: &[u8], reply: &mut Reply<'_>) {
    reply.array(2);
    reply.bulk_int(cursor as i64); // cursors of collections have 48 bits
    reply.array(elements);
    reply.out.extend_from_slice(found);
}
