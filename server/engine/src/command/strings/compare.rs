//! Conditions on the value a key holds: IFEQ and IFNE compare bytes, IFDEQ and IFDNE compare its
//! XXH3 digest. SET takes them as options; DELEX and DELIFEQ delete by them.

use freehold_protocol::{args::Args, resp::reply::Reply};
use xxhash_rust::xxh3::xxh3_64;

use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::value::Kind;

const DIGEST_DIGITS: usize = 16;

const BAD_DIGEST: CommandError =
    CommandError::Said("ERR must be exactly 16 hexadecimal characters");
const BAD_CONDITION: CommandError =
    CommandError::Said("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
const NOT_A_STRING: CommandError =
    CommandError::Said("ERR Key should be of string type if conditions are specified");

/// What DIGEST answers: the value's XXH3 in 16 lower-case hexadecimal digits.
pub(super) fn digest_text(value: &[u8]) -> String {
    format!("{:016x}", xxh3_64(value))
}

/// One comparison with a value that is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Comparison<'a> {
    Equal(&'a [u8]),
    NotEqual(&'a [u8]),
    DigestEqual(&'a [u8]),
    DigestNotEqual(&'a [u8]),
}

impl<'a> Comparison<'a> {
    /// The comparison `word` names with `operand`; none when it names none.
    ///
    /// # Errors
    /// `Syntax` without an operand; a digest that has not sixteen characters. As in Redis the
    /// characters themselves are not looked at: what is no digest equals none.
    pub fn read(
        word: &[u8],
        operand: Option<&'a [u8]>,
    ) -> Result<Option<Comparison<'a>>, CommandError> {
        let make = match () {
            () if word.eq_ignore_ascii_case(b"IFEQ") => Comparison::Equal,
            () if word.eq_ignore_ascii_case(b"IFNE") => Comparison::NotEqual,
            () if word.eq_ignore_ascii_case(b"IFDEQ") => Comparison::DigestEqual,
            () if word.eq_ignore_ascii_case(b"IFDNE") => Comparison::DigestNotEqual,
            () => return Ok(None),
        };
        let comparison = make(operand.ok_or(CommandError::Syntax)?);
        match comparison {
            Comparison::DigestEqual(digest) | Comparison::DigestNotEqual(digest)
                if digest.len() != DIGEST_DIGITS =>
            {
                Err(BAD_DIGEST)
            }
            _ => Ok(Some(comparison)),
        }
    }

    pub fn holds_for(self, value: &[u8]) -> bool {
        let same_digest =
            |digest: &[u8]| digest_text(value).as_bytes().eq_ignore_ascii_case(digest);
        match self {
            Comparison::Equal(operand) => value == operand,
            Comparison::NotEqual(operand) => value != operand,
            Comparison::DigestEqual(digest) => same_digest(digest),
            Comparison::DigestNotEqual(digest) => !same_digest(digest),
        }
    }

    /// SET's view of a key that is not there: it differs from everything.
    pub fn holds_for_nothing(self) -> bool {
        matches!(self, Comparison::NotEqual(_) | Comparison::DigestNotEqual(_))
    }
}

pub(super) fn delifeq(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    let comparison = Comparison::Equal(args.get(2));
    let holds = cx.string_to_change(key)?.is_some_and(|value| comparison.holds_for(value));
    reply.integer(i64::from(holds && cx.delete_and_tell(key)));
    Ok(())
}

/// The order of complaints is Redis 8.4's: count, type, condition, digest.
pub(super) fn delex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    if args.len() == 2 {
        reply.integer(i64::from(cx.delete_and_tell(key)));
        return Ok(());
    }
    if args.len() != 4 {
        return Err(CommandError::Arity { command: "delex".to_owned() });
    }
    let mut digits = itoa::Buffer::new();
    let holds = match cx.peek(key) {
        None => false,
        Some(entry) if entry.kind() != Kind::String => return Err(NOT_A_STRING),
        Some(entry) => {
            let comparison = Comparison::read(args.get(2), Some(args.get(3)))?;
            comparison.ok_or(BAD_CONDITION)?.holds_for(entry.value().text(&mut digits))
        }
    };
    reply.integer(i64::from(holds && cx.delete_and_tell(key)));
    Ok(())
}
