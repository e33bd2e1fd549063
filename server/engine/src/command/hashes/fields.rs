//! `FIELDS n field …`, the end of every command that names fields and something else.

use freehold_protocol::{args::Args, resp::reply::Reply};

use crate::base::number::parse_i64;
use crate::command::error::CommandError;

const MISPLACED: CommandError =
    CommandError::Said("ERR Mandatory argument FIELDS is missing or not at the right position");
const MISCOUNTED: CommandError =
    CommandError::Said("ERR The `numfields` parameter must match the number of arguments");
const NOT_POSITIVE: CommandError =
    CommandError::Said("ERR Number of fields must be a positive integer");
const NOT_ABOVE_ZERO: CommandError =
    CommandError::Said("ERR Parameter `numFields` should be greater than 0");

/// The fields a request names.
pub(super) struct Fields<'a>(Args<'a>);

impl<'a> Fields<'a> {
    /// As HTTL, HPERSIST and HGETDEL have them.
    ///
    /// # Errors
    /// Redis's complaint about what stands there instead.
    pub fn after_key(args: Args<'a>) -> Result<Fields<'a>, CommandError> {
        Fields::read(args, 2, NOT_POSITIVE)
    }

    /// `at`: where FIELDS stands in HGETEX.
    ///
    /// # Errors
    /// As [`Fields::after_key`].
    pub fn at(args: Args<'a>, at: usize) -> Result<Fields<'a>, CommandError> {
        Fields::read(args, at, NOT_POSITIVE)
    }

    /// `at`: where FIELDS stands in HEXPIRE, which says the same in other words.
    ///
    /// # Errors
    /// As [`Fields::after_key`].
    pub fn after_options(args: Args<'a>, at: usize) -> Result<Fields<'a>, CommandError> {
        Fields::read(args, at, NOT_ABOVE_ZERO)
    }

    fn read(args: Args<'a>, at: usize, no_count: CommandError) -> Result<Self, CommandError> {
        if !args.try_get(at).is_some_and(|word| word.eq_ignore_ascii_case(b"FIELDS")) {
            return Err(MISPLACED);
        }
        let count = args.try_get(at + 1).and_then(parse_i64).filter(|&count| count > 0);
        let count = count.ok_or(no_count)?;
        let fields = args.tail(at + 2);
        if usize::try_from(count) != Ok(fields.len()) {
            return Err(MISCOUNTED);
        }
        Ok(Fields(fields))
    }

    /// What stands from `at` on, in HSETEX every second one a value.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The same answer for every field.
    pub fn answer_all(&self, answer: i64, reply: &mut Reply<'_>) {
        reply.array(self.len());
        (0..self.len()).for_each(|_| reply.integer(answer));
    }
}
