//! Deadlines of fields, as Redis 7.4 and Valkey 9 have them: set, asked for, taken away. What
//! goes to the log are absolute deadlines and removals.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::fields::Fields;
use super::live;
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::editor::Editor;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Hash, HashEdit};

const NEGATIVE: CommandError = CommandError::Said("ERR invalid expire time, must be >= 0");

/// The last deadline a field can have, in the year 4199: Redis's `HFE_MAX_ABS_TIME_MSEC`.
const DEADLINE_MAX: i64 = ((1 << 48) - 2) >> 2;

/// What HEXPIRE and its kin answer for a field.
const NO_FIELD: i64 = -2;
const NO_DEADLINE: i64 = -1;
const NOT_MET: i64 = 0;
const DONE: i64 = 1;
const DELETED: i64 = 2;

/// How an amount of time is meant.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    /// Milliseconds in one.
    pub ms: i64,
    pub from_now: bool,
}

impl Amount {
    pub const SECONDS: Amount = Amount { ms: 1000, from_now: true };
    pub const MILLISECONDS: Amount = Amount { ms: 1, from_now: true };
    pub const UNIX_SECONDS: Amount = Amount { ms: 1000, from_now: false };
    pub const UNIX_MILLISECONDS: Amount = Amount { ms: 1, from_now: false };

    /// The amount an option of HSETEX and HGETEX announces.
    pub fn of_option(word: &[u8]) -> Option<Amount> {
        const WORDS: [(&[u8], Amount); 4] = [
            (b"EX", Amount::SECONDS),
            (b"PX", Amount::MILLISECONDS),
            (b"EXAT", Amount::UNIX_SECONDS),
            (b"PXAT", Amount::UNIX_MILLISECONDS),
        ];
        WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|&(_, amount)| amount)
    }

    /// The moment `text` names, said at `now` to `command`.
    ///
    /// # Errors
    /// `NotAnInteger`, a negative amount, `InvalidExpire` beyond [`DEADLINE_MAX`].
    pub fn deadline(
        self,
        text: &[u8],
        now: i64,
        command: &'static str,
    ) -> Result<i64, CommandError> {
        let amount = parse_i64(text).ok_or(CommandError::NotAnInteger)?;
        if amount < 0 {
            return Err(NEGATIVE);
        }
        let base = if self.from_now { now } else { 0 };
        let at = amount.checked_mul(self.ms).and_then(|ms| ms.checked_add(base));
        at.filter(|&at| at <= DEADLINE_MAX).ok_or(CommandError::InvalidExpire { command })
    }
}

pub(super) fn hexpire(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    expire(cx, args, Amount::SECONDS, "hexpire", reply)
}

pub(super) fn hpexpire(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    expire(cx, args, Amount::MILLISECONDS, "hpexpire", reply)
}

pub(super) fn hexpireat(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    expire(cx, args, Amount::UNIX_SECONDS, "hexpireat", reply)
}

pub(super) fn hpexpireat(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    expire(cx, args, Amount::UNIX_MILLISECONDS, "hpexpireat", reply)
}

/// When a field may get the new deadline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Always,
    Without,
    With,
    Later,
    Sooner,
}

impl Condition {
    fn read(word: &[u8]) -> Option<Condition> {
        const WORDS: [(&[u8], Condition); 4] = [
            (b"NX", Condition::Without),
            (b"XX", Condition::With),
            (b"GT", Condition::Later),
            (b"LT", Condition::Sooner),
        ];
        WORDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|&(_, it)| it)
    }

    /// A field without a deadline lives for ever.
    fn admits(self, old: Option<i64>, new: i64) -> bool {
        match self {
            Condition::Always => true,
            Condition::Without => old.is_none(),
            Condition::With => old.is_some(),
            Condition::Later => old.is_some_and(|old| new > old),
            Condition::Sooner => old.is_none_or(|old| new < old),
        }
    }
}

fn expire(
    cx: &mut Cx<'_>,
    args: Args<'_>,
    amount: Amount,
    command: &'static str,
    reply: &mut Reply<'_>,
) -> Done {
    let now = cx.now_ms().0;
    let deadline = amount.deadline(args.get(2), now, command)?;
    let condition = Condition::read(args.get(3));
    let fields = Fields::after_options(args, if condition.is_some() { 4 } else { 3 })?;
    let condition = condition.unwrap_or(Condition::Always);
    let Some(mut hash) = cx.edit::<Hash>(args.get(1))? else {
        fields.answer_all(NO_FIELD, reply);
        return Ok(());
    };
    let (mut updated, mut deleted) = (false, false);
    reply.array(fields.len());
    for field in fields.iter() {
        live::settle(&mut hash, field);
        let answer = match hash.get(field).map(|entry| entry.deadline) {
            None => NO_FIELD,
            Some(old) if !condition.admits(old, deadline) => NOT_MET,
            Some(_) if deadline <= now => {
                deleted |= hash.edit(HashEdit::Remove(field));
                DELETED
            }
            Some(_) => {
                hash.edit(HashEdit::Deadline(field, Some(deadline)));
                updated = true;
                DONE
            }
        };
        reply.integer(answer);
    }
    if deleted || updated {
        hash.notify(NotifyClasses::HASH, if deleted { "hdel" } else { "hexpire" });
    }
    Ok(())
}

/// Gives living fields a deadline, or removes them when it is not in the future.
pub(super) fn give(hash: &mut Editor<'_, Hash>, fields: &Fields<'_>, deadline: i64) {
    let is_past = deadline <= hash.now_ms().0;
    let mut changed = false;
    for field in fields.iter() {
        changed |= match is_past {
            true => hash.edit(HashEdit::Remove(field)),
            false => hash.edit(HashEdit::Deadline(field, Some(deadline))),
        };
    }
    if changed {
        hash.notify(NotifyClasses::HASH, if is_past { "hdel" } else { "hexpire" });
    }
}

pub(super) fn hpersist(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let fields = Fields::after_key(args)?;
    let Some(mut hash) = cx.edit::<Hash>(args.get(1))? else {
        fields.answer_all(NO_FIELD, reply);
        return Ok(());
    };
    let mut persisted = false;
    reply.array(fields.len());
    for field in fields.iter() {
        live::settle(&mut hash, field);
        let is_there = hash.get(field).is_some();
        let changed = hash.edit(HashEdit::Deadline(field, None));
        persisted |= changed;
        reply.integer(match (is_there, changed) {
            (false, _) => NO_FIELD,
            (true, false) => NO_DEADLINE,
            (true, true) => DONE,
        });
    }
    if persisted {
        hash.notify(NotifyClasses::HASH, "hpersist");
    }
    Ok(())
}

pub(super) fn httl(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    // Rounded up, so that a field that is there never has 0 seconds.
    deadlines(cx, args, reply, |deadline, now| {
        deadline.saturating_sub(now).saturating_add(999) / 1000
    })
}

pub(super) fn hpttl(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    deadlines(cx, args, reply, |deadline, now| deadline.saturating_sub(now))
}

pub(super) fn hexpiretime(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    deadlines(cx, args, reply, |deadline, _| deadline.saturating_add(999) / 1000)
}

pub(super) fn hpexpiretime(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    deadlines(cx, args, reply, |deadline, _| deadline)
}

fn deadlines(
    cx: &mut Cx<'_>,
    args: Args<'_>,
    reply: &mut Reply<'_>,
    answer: fn(i64, i64) -> i64,
) -> Done {
    let fields = Fields::after_key(args)?;
    let now = cx.now_ms().0;
    let hash = cx.read_collection::<Hash>(args.get(1))?;
    reply.array(fields.len());
    for field in fields.iter() {
        reply.integer(match live::get(hash, field, now).map(|entry| entry.deadline) {
            None => NO_FIELD,
            Some(None) => NO_DEADLINE,
            Some(Some(deadline)) => answer(deadline, now),
        });
    }
    Ok(())
}
