//! What a SORT asks for.

use std::ops::Range;

use freehold_protocol::args::Args;

use crate::base::number::parse_i64;
use crate::command::error::CommandError;

/// Options and the words that belong to them: none of these can be the option STORE.
pub(super) const SKIPS: &[(&str, usize)] = &[("LIMIT", 2), ("GET", 1), ("BY", 1)];

#[derive(Default)]
pub(super) struct Options<'a> {
    pub by: Option<&'a [u8]>,
    pub get: Vec<&'a [u8]>,
    pub store: Option<&'a [u8]>,
    pub descending: bool,
    pub alpha: bool,
    /// Offset and count as given; a negative count is no limit.
    limit: Option<(i64, i64)>,
}

impl<'a> Options<'a> {
    pub fn read(words: Args<'a>, may_store: bool) -> Result<Options<'a>, CommandError> {
        let mut options = Options::default();
        let mut at = 0;
        while at < words.len() {
            let word = words.get(at).to_ascii_uppercase();
            let operand = words.try_get(at + 1).ok_or(CommandError::Syntax);
            let operands = match word.as_slice() {
                b"ASC" | b"DESC" => {
                    options.descending = word == b"DESC";
                    0
                }
                b"ALPHA" => {
                    options.alpha = true;
                    0
                }
                b"LIMIT" if at + 2 < words.len() => {
                    let number = |at| parse_i64(words.get(at)).ok_or(CommandError::NotAnInteger);
                    options.limit = Some((number(at + 1)?, number(at + 2)?));
                    2
                }
                b"STORE" if may_store => {
                    options.store = Some(operand?);
                    1
                }
                b"BY" => {
                    options.by = Some(operand?);
                    1
                }
                b"GET" => {
                    options.get.push(operand?);
                    1
                }
                _ => return Err(CommandError::Syntax),
            };
            at += 1 + operands;
        }
        Ok(options)
    }

    /// A BY that names no key: the elements stay as they lie.
    pub fn is_unsorted(&self) -> bool {
        self.by.is_some_and(|by| !by.contains(&b'*'))
    }

    /// Everything that may name keys.
    pub fn patterns(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        self.by.into_iter().chain(self.get.iter().copied())
    }

    /// The places that are answered, of so many.
    pub fn range(&self, len: usize) -> Range<usize> {
        let (offset, count) = self.limit.unwrap_or((0, -1));
        let start = usize::try_from(offset).unwrap_or(0).min(len);
        match usize::try_from(count) {
            Ok(count) => start..start.saturating_add(count).min(len),
            Err(_) => start..len,
        }
    }
}

/// Whether a request may read keys it does not name.
pub(super) fn has_patterns(args: Args<'_>) -> bool {
    let words = args.tail(2);
    let is_pattern = |at: usize| words.try_get(at).is_some_and(|word| word.contains(&b'*'));
    let named = |word: &[u8]| [&b"BY"[..], b"GET"].iter().any(|n| word.eq_ignore_ascii_case(n));
    words.iter().enumerate().any(|(at, word)| named(word) && is_pattern(at + 1))
}
