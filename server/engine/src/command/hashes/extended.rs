//! HGETDEL, HGETEX and HSETEX of Redis 8 and Valkey 9: values and deadlines of fields at once.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::deadline::{Amount, give};
use super::fields::Fields;
use super::live;
use super::read::value;
use super::write::set;
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::{Hash, HashEdit};

const ONE_CONDITION: CommandError =
    CommandError::Said("ERR Only one of FXX or FNX arguments can be specified");
const ONE_LIFETIME: CommandError =
    CommandError::Said("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
const NO_TIME: CommandError = CommandError::Said("ERR missing expire time");
const NO_FIELDS: CommandError = CommandError::Said("ERR invalid number of fields");

pub(super) fn hgetdel(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let fields = Fields::after_key(args)?;
    reply.array(fields.len());
    let Some(mut hash) = cx.edit::<Hash>(args.get(1))? else {
        fields.iter().for_each(|_| reply.null());
        return Ok(());
    };
    let mut removed = false;
    for field in fields.iter() {
        live::settle(&mut hash, field);
        value(hash.get(field), reply);
        removed |= hash.edit(HashEdit::Remove(field));
    }
    if removed {
        hash.notify(NotifyClasses::HASH, "hdel");
    }
    Ok(())
}

/// What HGETEX does to the deadlines.
enum Lifetime {
    Unsaid,
    Persist,
    Until(i64),
}

pub(super) fn hgetex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let word = args.get(2);
    let (lifetime, at) = match Amount::of_option(word) {
        Some(amount) => {
            let text = args.try_get(3).ok_or(CommandError::Syntax)?;
            (Lifetime::Until(amount.deadline(text, now, "hgetex")?), 4)
        }
        None if word.eq_ignore_ascii_case(b"PERSIST") => (Lifetime::Persist, 3),
        None => (Lifetime::Unsaid, 2),
    };
    let fields = Fields::at(args, at)?;
    reply.array(fields.len());
    let Some(mut hash) = cx.edit::<Hash>(args.get(1))? else {
        fields.iter().for_each(|_| reply.null());
        return Ok(());
    };
    for field in fields.iter() {
        live::settle(&mut hash, field);
        value(hash.get(field), reply);
    }
    match lifetime {
        Lifetime::Unsaid => {}
        Lifetime::Until(deadline) => give(&mut hash, &fields, deadline),
        Lifetime::Persist => {
            let mut persisted = false;
            for field in fields.iter() {
                persisted |= hash.edit(HashEdit::Deadline(field, None));
            }
            if persisted {
                hash.notify(NotifyClasses::HASH, "hpersist");
            }
        }
    }
    Ok(())
}

/// What HSETEX was asked.
#[derive(Default)]
struct Setting<'a> {
    /// FNX: only when none of the fields is there; FXX: only when all are.
    all_there: Option<bool>,
    keep_deadline: bool,
    deadline: Option<i64>,
    pairs: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Setting<'a> {
    fn read(args: Args<'a>, now: i64) -> Result<Setting<'a>, CommandError> {
        let mut setting = Setting::default();
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let has_lifetime = setting.keep_deadline || setting.deadline.is_some();
            if is(b"FIELDS") {
                setting.pairs = pairs(args, at)?;
                return Ok(setting);
            } else if is(b"FNX") || is(b"FXX") {
                if setting.all_there.is_some() {
                    return Err(ONE_CONDITION);
                }
                setting.all_there = Some(is(b"FXX"));
            } else if is(b"KEEPTTL") {
                if has_lifetime {
                    return Err(ONE_LIFETIME);
                }
                setting.keep_deadline = true;
            } else if let Some(amount) = Amount::of_option(word) {
                if has_lifetime {
                    return Err(ONE_LIFETIME);
                }
                at += 1;
                let text = args.try_get(at).ok_or(NO_TIME)?;
                setting.deadline = Some(amount.deadline(text, now, "hsetex")?);
            } else {
                let word = String::from_utf8_lossy(word);
                return Err(CommandError::SaidOf(format!("ERR unknown argument: {word}")));
            }
            at += 1;
        }
        Err(arity())
    }
}

fn arity() -> CommandError {
    CommandError::Arity { command: "hsetex".to_owned() }
}

/// A field and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

/// The pairs behind `FIELDS n`.
fn pairs<'a>(args: Args<'a>, at: usize) -> Result<Vec<Pair<'a>>, CommandError> {
    let count = parse_i64(args.try_get(at + 1).ok_or_else(arity)?);
    let count = count.filter(|count| (1..=i64::from(i32::MAX)).contains(count)).ok_or(NO_FIELDS)?;
    let texts = args.tail(at + 2);
    if texts.len() as i64 != 2 * count {
        return Err(arity());
    }
    Ok((0..count as usize).map(|pair| (texts.get(2 * pair), texts.get(2 * pair + 1))).collect())
}

pub(super) fn hsetex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now = cx.now_ms().0;
    let setting = Setting::read(args, now)?;
    let mut hash = cx.edit_or_new::<Hash>(args.get(1))?;
    for (field, _) in &setting.pairs {
        live::settle(&mut hash, field);
    }
    let mut there = setting.pairs.iter().map(|(field, _)| hash.get(field).is_some());
    let admitted = match setting.all_there {
        None => true,
        Some(true) => there.all(|is_there| is_there),
        Some(false) => !there.any(|is_there| is_there),
    };
    if !admitted {
        reply.integer(0);
        return Ok(());
    }
    let is_past = setting.deadline.is_some_and(|deadline| deadline <= now);
    let mut removed = false;
    for &(field, value) in &setting.pairs {
        if is_past {
            removed |= hash.edit(HashEdit::Remove(field));
            continue;
        }
        set(&mut hash, field, value, setting.keep_deadline);
        if setting.deadline.is_some() {
            hash.edit(HashEdit::Deadline(field, setting.deadline));
        }
    }
    if is_past {
        if removed {
            hash.notify(NotifyClasses::HASH, "hdel");
        }
    } else {
        hash.notify(NotifyClasses::HASH, "hset");
        if setting.deadline.is_some() {
            hash.notify(NotifyClasses::HASH, "hexpire");
        }
    }
    reply.integer(1);
    Ok(())
}
