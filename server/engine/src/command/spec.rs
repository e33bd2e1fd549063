//! A command is a row. From the row come dispatch, arity errors, routing, COMMAND and its
//! subcommands, ACL categories, per-command statistics, refusals, README's support table and the
//! examples that are run here and against Redis. Adding a command is one row and one function.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::context::Cx;
use super::error::CommandError;
use super::gather::Partial;

/// What a handler returns: the reply has been written, or the reason why there is none.
pub type Done = Result<(), CommandError>;
/// The verb of a row.
pub type Handler = fn(&mut Cx<'_>, Args<'_>, &mut Reply<'_>) -> Done;

/// How many arguments, the name included, as in COMMAND INFO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arity {
    Exactly(i8),
    AtLeast(i8),
}

impl Arity {
    pub fn admits(self, count: usize) -> bool {
        match self {
            Arity::Exactly(n) => count == n as usize,
            Arity::AtLeast(n) => count >= n as usize,
        }
    }

    /// COMMAND INFO's form: negative means "at least".
    pub fn as_info(self) -> i64 {
        match self {
            Arity::Exactly(n) => i64::from(n),
            Arity::AtLeast(n) => -i64::from(n),
        }
    }
}

/// Command flags, one bit each, named as COMMAND INFO prints them (see [`FLAG_NAMES`]).
pub type Flags = u32;
pub const WRITE: Flags = 1 << 0;
pub const READONLY: Flags = 1 << 1;
pub const DENYOOM: Flags = 1 << 2;
pub const ADMIN: Flags = 1 << 3;
pub const PUBSUB: Flags = 1 << 4;
pub const NOSCRIPT: Flags = 1 << 5;
pub const BLOCKING: Flags = 1 << 6;
pub const LOADING: Flags = 1 << 7;
pub const STALE: Flags = 1 << 8;
pub const SKIP_MONITOR: Flags = 1 << 9;
pub const SKIP_SLOWLOG: Flags = 1 << 10;
pub const ASKING: Flags = 1 << 11;
pub const FAST: Flags = 1 << 12;
pub const NO_AUTH: Flags = 1 << 13;
pub const MAY_REPLICATE: Flags = 1 << 14;
pub const NO_MANDATORY_KEYS: Flags = 1 << 15;
pub const ALLOW_BUSY: Flags = 1 << 16;
pub const NO_MULTI: Flags = 1 << 17;
pub const MOVABLE_KEYS: Flags = 1 << 18;
pub const NO_ASYNC_LOADING: Flags = 1 << 19;

pub const FLAG_NAMES: &[(Flags, &str)] = &[
    (WRITE, "write"),
    (READONLY, "readonly"),
    (DENYOOM, "denyoom"),
    (ADMIN, "admin"),
    (PUBSUB, "pubsub"),
    (NOSCRIPT, "noscript"),
    (BLOCKING, "blocking"),
    (LOADING, "loading"),
    (STALE, "stale"),
    (SKIP_MONITOR, "skip_monitor"),
    (SKIP_SLOWLOG, "skip_slowlog"),
    (ASKING, "asking"),
    (FAST, "fast"),
    (NO_AUTH, "no_auth"),
    (MAY_REPLICATE, "may_replicate"),
    (NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (NO_ASYNC_LOADING, "no_async_loading"),
    (NO_MULTI, "no_multi"),
    (MOVABLE_KEYS, "movablekeys"),
    (ALLOW_BUSY, "allow_busy"),
];

/// ACL categories a row states; the rest (`@read`, `@write`, `@fast`, `@slow`, …) follow from its
/// flags as in Redis, see [`Spec::categories`].
pub type Categories = u32;
pub const KEYSPACE: Categories = 1 << 0;
pub const READ: Categories = 1 << 1;
pub const WRITING: Categories = 1 << 2;
pub const SET: Categories = 1 << 3;
pub const SORTEDSET: Categories = 1 << 4;
pub const LIST: Categories = 1 << 5;
pub const HASH: Categories = 1 << 6;
pub const STRING: Categories = 1 << 7;
pub const BITMAP: Categories = 1 << 8;
pub const HYPERLOGLOG: Categories = 1 << 9;
pub const GEO: Categories = 1 << 10;
pub const STREAM: Categories = 1 << 11;
pub const PUBSUB_CATEGORY: Categories = 1 << 12;
pub const ADMINISTRATION: Categories = 1 << 13;
pub const QUICK: Categories = 1 << 14;
pub const SLOW: Categories = 1 << 15;
pub const BLOCKS: Categories = 1 << 16;
pub const DANGEROUS: Categories = 1 << 17;
pub const CONNECTION: Categories = 1 << 18;
pub const TRANSACTION: Categories = 1 << 19;
pub const SCRIPTING: Categories = 1 << 20;

pub const CATEGORY_NAMES: &[(Categories, &str)] = &[
    (KEYSPACE, "keyspace"),
    (READ, "read"),
    (WRITING, "write"),
    (SET, "set"),
    (SORTEDSET, "sortedset"),
    (LIST, "list"),
    (HASH, "hash"),
    (STRING, "string"),
    (BITMAP, "bitmap"),
    (HYPERLOGLOG, "hyperloglog"),
    (GEO, "geo"),
    (STREAM, "stream"),
    (PUBSUB_CATEGORY, "pubsub"),
    (ADMINISTRATION, "admin"),
    (QUICK, "fast"),
    (SLOW, "slow"),
    (BLOCKS, "blocking"),
    (DANGEROUS, "dangerous"),
    (CONNECTION, "connection"),
    (TRANSACTION, "transaction"),
    (SCRIPTING, "scripting"),
];

/// Where the keys of a request stand, and what is done to them.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Names as COMMAND INFO prints them, in its order: `RW`, `ACCESS`, `UPDATE`, …
    pub flags: &'static [&'static str],
    /// Position of the first key, or of the key count.
    pub begin: u8,
    pub find: Find,
    /// COMMAND INFO's `notes`, empty when there are none.
    pub notes: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Find {
    /// Keys from `begin` to `last` (relative to `begin`; negative counts from the end) by `step`.
    Range { last: i8, step: u8 },
    /// `begin` holds the number of keys, the first follows `first` places behind it.
    Counted { first: u8, step: u8 },
    /// The word stands at `begin` or behind; of what follows it the first half are keys (XREAD).
    /// XREADGROUP says it only reads them, and yet they change.
    Halved { word: &'static str, change: bool },
    /// The argument behind each `word`, which may stand at `begin` or later (GEORADIUS's STORE).
    After { word: &'static str },
    /// The key follows the last option of this name, from `begin` on. Other options have words of
    /// their own, which are passed over. COMMAND INFO cannot say this: `unknown`.
    LastOption { word: &'static str, skips: &'static [(&'static str, usize)] },
    /// The names follow from what other keys hold: `unknown`, and see [`Spec::reaches`].
    Unknown,
}

const fn key(flags: &'static [&'static str], begin: u8, last: i8, step: u8) -> KeySpec {
    KeySpec { flags, begin, find: Find::Range { last, step }, notes: "" }
}

/// A request's key count is no number, or its keys do not fit its arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadKeys;

impl KeySpec {
    /// One key at `begin`.
    pub const fn at(begin: u8, flags: &'static [&'static str]) -> KeySpec {
        key(flags, begin, 0, 1)
    }

    /// Every `step`-th argument from `begin` to the last one.
    pub const fn from(begin: u8, step: u8, flags: &'static [&'static str]) -> KeySpec {
        key(flags, begin, -1, step)
    }

    /// The first half of what follows `word`, which is looked for from `begin` on.
    pub const fn halved(begin: u8, word: &'static str, change: bool) -> KeySpec {
        KeySpec { flags: &["RO", "access"], begin, find: Find::Halved { word, change }, notes: "" }
    }

    /// The argument behind `word`, if that is among those from `begin` on.
    pub const fn after(begin: u8, word: &'static str, flags: &'static [&'static str]) -> KeySpec {
        KeySpec { flags, begin, find: Find::After { word }, notes: "" }
    }

    /// As [`KeySpec::at`] with COMMAND INFO's remark.
    pub const fn noted(self, notes: &'static str) -> KeySpec {
        KeySpec { notes, ..self }
    }

    pub fn is_write(&self) -> bool {
        let changed = matches!(self.find, Find::Halved { change: true, .. });
        changed || self.flags[0] != "RO" && self.is_key()
    }

    /// Whether it names keys; otherwise shard channels, which have a slot and no owner.
    pub fn is_key(&self) -> bool {
        self.flags[0] != "not_key"
    }

    /// Calls `visit` with the position of every key of a request of `count` arguments. A range that
    /// does not fit is the arity check's business and yields what there is.
    ///
    /// # Errors
    /// `Err(BadKeys)` when a key count is not a number or points past the end.
    pub fn positions(&self, args: Args<'_>, mut visit: impl FnMut(usize)) -> Result<(), BadKeys> {
        let begin = usize::from(self.begin);
        let (first, last, step) = match self.find {
            Find::Range { last: 0, .. } => {
                if begin < args.len() {
                    visit(begin);
                }
                return Ok(());
            }
            Find::Range { last, step } if last < 0 => {
                let last =
                    args.len().checked_sub(usize::from(last.unsigned_abs())).ok_or(BadKeys)?;
                let step = usize::from(step);
                // MSET with a key that has no value must not be split: whoever got the whole pairs
                // would run them.
                if (last + 1).checked_sub(begin).is_none_or(|count| count % step != 0) {
                    return Err(BadKeys);
                }
                (begin, last, step)
            }
            Find::Range { last, step } => {
                (begin, begin + usize::from(last.unsigned_abs()), usize::from(step))
            }
            Find::Unknown => return Ok(()),
            Find::LastOption { word, skips } => {
                if let Some(at) = last_option(args, begin, word, skips) {
                    visit(at);
                }
                return Ok(());
            }
            Find::Halved { word, .. } => {
                let is_word = |arg: &[u8]| arg.eq_ignore_ascii_case(word.as_bytes());
                let word_at = args.iter().skip(begin).position(is_word).ok_or(BadKeys)?;
                let first = begin + word_at + 1;
                let rest = args.len() - first;
                if rest == 0 || !rest.is_multiple_of(2) {
                    return Err(BadKeys);
                }
                (first, first + rest / 2 - 1, 1)
            }
            Find::After { word } => {
                let words = begin..args.len().saturating_sub(1);
                let is_word = |at: &usize| args.get(*at).eq_ignore_ascii_case(word.as_bytes());
                words.filter(is_word).for_each(|at| visit(at + 1));
                return Ok(());
            }
            Find::Counted { first, step } => {
                let text = args.try_get(begin).ok_or(BadKeys)?;
                let keys = crate::base::number::parse_i64(text).ok_or(BadKeys)?;
                let keys = usize::try_from(keys).ok().filter(|&n| n > 0 && n <= args.len());
                let first = begin + usize::from(first);
                let last = first + (keys.ok_or(BadKeys)? - 1) * usize::from(step);
                if last >= args.len() {
                    return Err(BadKeys);
                }
                (first, last, usize::from(step))
            }
        };
        (first..=last.min(args.len().saturating_sub(1))).step_by(step).for_each(&mut visit);
        Ok(())
    }
}

/// The position of what follows the last option `word`.
fn last_option(args: Args<'_>, begin: usize, word: &str, skips: &[(&str, usize)]) -> Option<usize> {
    let mut found = None;
    let mut at = begin;
    while at + 1 < args.len() {
        let is = |name: &str| args.get(at).eq_ignore_ascii_case(name.as_bytes());
        if is(word) {
            found = Some(at + 1);
        }
        at += 1 + skips.iter().find(|(name, _)| is(name)).map_or(0, |&(_, words)| words);
    }
    found
}

/// How the answers of several cores become one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Combine {
    /// Integers are added.
    Sum,
    /// Arrays with one element a key are put back into the order of the request.
    Interleave,
    /// All say OK.
    Ok,
}

/// Where a command runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// On the core of the connection; it touches no key.
    Here(Handler),
    /// On the core that owns the keys. Keys of several cores are locked, copied to one core, run
    /// there, and the effects are sent back: the handler sees one keyspace.
    Owner(Handler),
    /// Every owner runs its own part of the keys, under locks when there are several.
    Split(Handler, Combine),
    /// As `Owner`, but a client that finds nothing waits for something to come.
    Blocking(Blocking),
    /// On the core whose slots the cursor in argument 1 names.
    Cursor(Handler),
    /// Every core contributes, the core of the connection answers. `exclusive`: all cores first
    /// agree on an instant at which nothing else runs.
    Everywhere { collect: Collect, finish: Finish, exclusive: bool },
    /// A container: the subcommand decides.
    Container,
    /// By the shard itself: the queue, the watched keys and the locks are its own.
    Transaction(Control),
}

/// What a command does to its connection's transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    Begin,
    Execute,
    Discard,
    Watch,
    Unwatch,
}

/// A command that waits for something to take.
#[derive(Clone, Copy)]
pub struct Blocking {
    /// Takes it and answers, or changes nothing and returns `CommandError::Nothing`. It may run
    /// again, on the core of any of the keys: see `Cx::is_here`.
    pub attempt: Handler,
    /// How long the request is to wait, in milliseconds: 0 for ever, `None` not at all.
    pub timeout: fn(Args<'_>) -> Result<Option<u64>, CommandError>,
    /// The answer when the time is over, and where nobody can wait (in a transaction).
    pub nothing: fn(&mut Reply<'_>),
}

/// One core's contribution to a command that runs everywhere.
pub type Collect = fn(&mut Cx<'_>, Args<'_>) -> Result<Partial, CommandError>;
/// Makes the one answer of the contributions, in core order.
pub type Finish = fn(&mut Cx<'_>, Args<'_>, Vec<Partial>, &mut Reply<'_>) -> Done;

/// One row of the command table. Write a row as `Spec { name: …, ..Spec::ROW }`.
#[derive(Clone, Copy)]
pub struct Spec {
    /// Upper case; a subcommand's own word (`GET` of `CONFIG GET`).
    pub name: &'static str,
    pub arity: Arity,
    pub flags: Flags,
    /// Stated categories; see [`Spec::categories`].
    pub acl: Categories,
    pub keys: &'static [KeySpec],
    /// Whether a request may read keys that it does not name: it then runs while all cores keep
    /// still, and asks for those keys (`Cx::reach`).
    pub reaches: Option<fn(Args<'_>) -> bool>,
    pub run: Run,
    pub subcommands: &'static [Spec],
    /// COMMAND INFO's tips.
    pub tips: &'static [&'static str],
    pub since: &'static str,
    pub group: &'static str,
    pub summary: &'static str,
    pub complexity: &'static str,
    /// `(requests, last answer)`: requests one a line, the answer as RESP2 bytes; `*` ends it
    /// early.
    pub examples: &'static [(&'static str, &'static str)],
}

impl Spec {
    /// What a row need not say.
    pub const ROW: Spec = Spec {
        name: "",
        arity: Arity::AtLeast(1),
        flags: 0,
        acl: 0,
        keys: &[],
        reaches: None,
        run: Run::Container,
        subcommands: &[],
        tips: &[],
        since: "1.0.0",
        group: "generic",
        summary: "",
        complexity: "O(1)",
        examples: &[],
    };

    pub fn is(&self, flags: Flags) -> bool {
        self.flags & flags != 0
    }

    /// All ACL categories, the implied ones included: the rule of Redis 7's
    /// `setImplicitACLCategories`.
    pub fn categories(&self) -> Categories {
        let mut all = self.acl;
        if self.is(WRITE) {
            all |= WRITING;
        }
        if self.is(READONLY) && all & SCRIPTING == 0 {
            all |= READ;
        }
        if self.is(ADMIN) {
            all |= ADMINISTRATION | DANGEROUS;
        }
        if self.is(PUBSUB) {
            all |= PUBSUB_CATEGORY;
        }
        if self.is(BLOCKING) {
            all |= BLOCKS;
        }
        all | if self.is(FAST) { QUICK } else { SLOW }
    }

    /// The position of the only key, when the row has exactly one at a fixed place: the fast case.
    pub fn single_key(&self) -> Option<usize> {
        match self.keys {
            [KeySpec { begin, find: Find::Range { last: 0, .. }, .. }] => Some(usize::from(*begin)),
            _ => None,
        }
    }

    /// Positions of all keys of a request, in the order of the specs.
    ///
    /// # Errors
    /// `Err(BadKeys)` when a key count in the request is invalid.
    pub fn key_positions(&self, args: Args<'_>) -> Result<Vec<usize>, BadKeys> {
        let mut found = Vec::new();
        for spec in self.keys {
            spec.positions(args, |at| found.push(at))?;
        }
        Ok(found)
    }

    /// COMMAND INFO's first key, last key and step.
    pub fn legacy_range(&self) -> (i64, i64, i64) {
        let mut range = (0, 0, 0);
        for spec in self.keys {
            let begin = i64::from(spec.begin);
            let Find::Range { last, step } = spec.find else { continue };
            let last = if last < 0 { i64::from(last) } else { begin + i64::from(last) };
            if range.0 == 0 {
                range = (begin, last, i64::from(step));
            } else {
                range.1 = last; // RENAME: one spec a key, printed as one range
            }
        }
        range
    }
}
