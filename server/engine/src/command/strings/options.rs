//! The options behind SET's value, GETEX's key and MSETEX's pairs: one grammar in any order, each
//! command admitting its part of it. Two options that contradict each other are a syntax error;
//! the same option twice is not, and the last one counts, as in Redis.

use freehold_protocol::args::Args;

use super::compare::Comparison;
use crate::base::number::parse_i64;
use crate::base::time::UnixMillis;
use crate::command::context::Expiry;
use crate::command::error::CommandError;

/// Whose options are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Reader {
    Set,
    GetEx,
    MsetEx,
}

/// What must hold for the write to happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Condition<'a> {
    #[default]
    None,
    Missing,
    Present,
    Compares(Comparison<'a>),
}

/// What is to become of the deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Lifetime<'a> {
    #[default]
    Unsaid,
    Keep,
    Persist,
    Until {
        amount: &'a [u8],
        unit: Unit,
    },
}

/// How an amount of time is meant. `Seconds` and `Milliseconds` count from now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Seconds,
    Milliseconds,
    UnixSeconds,
    UnixMilliseconds,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Options<'a> {
    pub condition: Condition<'a>,
    pub get: bool,
    pub lifetime: Lifetime<'a>,
}

impl<'a> Options<'a> {
    /// Reads all of `words`.
    ///
    /// # Errors
    /// `Syntax` for words that are unknown here, contradict each other or lack their value; the
    /// complaint about a digest that cannot be one.
    pub fn read(words: Args<'a>, reader: Reader) -> Result<Options<'a>, CommandError> {
        let mut options = Options::default();
        let mut at = 0;
        while let Some(word) = words.try_get(at) {
            let value = words.try_get(at + 1);
            at += options.take(word, value, reader)?;
        }
        Ok(options)
    }

    /// Takes one option; returns how many words it was.
    fn take(
        &mut self,
        word: &[u8],
        value: Option<&'a [u8]>,
        reader: Reader,
    ) -> Result<usize, CommandError> {
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        if reader != Reader::GetEx {
            if is("NX") {
                return self.require(Condition::Missing);
            }
            if is("XX") {
                return self.require(Condition::Present);
            }
            if is("KEEPTTL") {
                return self.live(Lifetime::Keep);
            }
        }
        if reader == Reader::Set {
            if is("GET") {
                self.get = true;
                return Ok(1);
            }
            if let Some(comparison) = Comparison::read(word, value)? {
                self.require(Condition::Compares(comparison))?;
                return Ok(2);
            }
        }
        if reader == Reader::GetEx && is("PERSIST") {
            return self.live(Lifetime::Persist);
        }
        let unit = Unit::read(word).ok_or(CommandError::Syntax)?;
        let amount = value.ok_or(CommandError::Syntax)?;
        self.live(Lifetime::Until { amount, unit })?;
        Ok(2)
    }

    fn require(&mut self, condition: Condition<'a>) -> Result<usize, CommandError> {
        if self.condition != Condition::None && self.condition != condition {
            return Err(CommandError::Syntax);
        }
        self.condition = condition;
        Ok(1)
    }

    fn live(&mut self, lifetime: Lifetime<'a>) -> Result<usize, CommandError> {
        let agrees = match (self.lifetime, lifetime) {
            (Lifetime::Unsaid, _) => true,
            (Lifetime::Until { unit: old, .. }, Lifetime::Until { unit, .. }) => old == unit,
            (old, new) => old == new,
        };
        if !agrees {
            return Err(CommandError::Syntax);
        }
        self.lifetime = lifetime;
        Ok(1)
    }
}

impl Lifetime<'_> {
    /// The deadline this means when said at `now` to `command`. `Persist` is `Never` here.
    ///
    /// # Errors
    /// `NotAnInteger`, `InvalidExpire`.
    pub fn resolve(self, now: UnixMillis, command: &'static str) -> Result<Expiry, CommandError> {
        match self {
            Lifetime::Unsaid | Lifetime::Persist => Ok(Expiry::Never),
            Lifetime::Keep => Ok(Expiry::Keep),
            Lifetime::Until { amount, unit } => unit.deadline(amount, now, command).map(Expiry::At),
        }
    }
}

impl Unit {
    fn read(word: &[u8]) -> Option<Unit> {
        const WORDS: [(&str, Unit); 4] = [
            ("EX", Unit::Seconds),
            ("PX", Unit::Milliseconds),
            ("EXAT", Unit::UnixSeconds),
            ("PXAT", Unit::UnixMilliseconds),
        ];
        let found = WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
        found.map(|&(_, unit)| unit)
    }

    /// The moment `amount` names. Amounts must be positive and what they name must be a number
    /// of milliseconds an `i64` can hold.
    ///
    /// # Errors
    /// `NotAnInteger`, `InvalidExpire`.
    pub fn deadline(
        self,
        amount: &[u8],
        now: UnixMillis,
        command: &'static str,
    ) -> Result<UnixMillis, CommandError> {
        let amount = parse_i64(amount).ok_or(CommandError::NotAnInteger)?;
        let invalid = CommandError::InvalidExpire { command };
        if amount <= 0 {
            return Err(invalid);
        }
        let ms = match self {
            Unit::Seconds | Unit::UnixSeconds => amount.checked_mul(1000),
            Unit::Milliseconds | Unit::UnixMilliseconds => Some(amount),
        };
        let at = match self {
            Unit::Seconds | Unit::Milliseconds => ms.and_then(|ms| ms.checked_add(now.0)),
            Unit::UnixSeconds | Unit::UnixMilliseconds => ms,
        };
        at.map(UnixMillis).ok_or(invalid)
    }
}
