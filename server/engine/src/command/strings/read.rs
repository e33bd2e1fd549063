//! Commands that answer what a string holds, GETEX and GETDEL included.

use freehold_protocol::{args::Args, resp::reply::Reply};

use super::compare::digest_text;
use super::options::{Lifetime, Options, Reader};
use crate::base::number::parse_i64;
use crate::command::context::{Cx, Expiry};
use crate::command::error::CommandError;
use crate::command::spec::Done;

/// Answers the string at a key, or nil. Returns whether there is one.
///
/// # Errors
/// `WrongType`.
#[inline]
pub(super) fn answer_key(
    cx: &mut Cx<'_>,
    key: &[u8],
    reply: &mut Reply<'_>,
) -> Result<bool, CommandError> {
    match cx.read_string(key)? {
        Some(value) => {
            reply.bulk(value);
            Ok(true)
        }
        None => {
            reply.null();
            Ok(false)
        }
    }
}

pub(super) fn get(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    answer_key(cx, args.get(1), reply)?;
    Ok(())
}

pub(super) fn getdel(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    if answer_key(cx, key, reply)? {
        cx.delete_and_tell(key);
    }
    Ok(())
}

pub(super) fn getex(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    let lifetime = Options::read(args.tail(2), Reader::GetEx)?.lifetime;
    let expiry = lifetime.resolve(cx.now_ms(), "getex");
    let Some(value) = cx.read_string(key)? else {
        reply.null(); // even when the deadline makes no sense, as in Redis
        return Ok(());
    };
    let expiry = expiry?;
    reply.bulk(value);
    if let Expiry::At(at) = expiry {
        cx.set_expiry(key, Some(at)); // deletes the key when that has passed
    } else if lifetime == Lifetime::Persist && cx.peek(key).is_some_and(|e| e.expiry().is_some()) {
        cx.set_expiry(key, None);
    }
    Ok(())
}

/// Other types answer nil here, not an error.
pub(super) fn mget(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let keys = args.tail(1);
    reply.array(keys.len());
    cx.each_key(keys, 1, |cx, _, key| match cx.read_string(key) {
        Ok(Some(value)) => reply.bulk(value),
        Ok(None) | Err(_) => reply.null(),
    });
    Ok(())
}

pub(super) fn strlen(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let bytes = cx.read_string(args.get(1))?.map_or(0, <[u8]>::len);
    reply.integer(bytes as i64);
    Ok(())
}

pub(super) fn getrange(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let start = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    let end = parse_i64(args.get(3)).ok_or(CommandError::NotAnInteger)?;
    let value = cx.read_string(args.get(1))?.unwrap_or_default();
    reply.bulk(slice(value, start, end));
    Ok(())
}

/// The bytes from `start` to `end` inclusive, negative positions counting from the end; what
/// lies outside is left out.
fn slice(value: &[u8], start: i64, end: i64) -> &[u8] {
    let length = value.len() as i64;
    let place = |at: i64| if at < 0 { (length + at).max(0) } else { at };
    if length == 0 || (start < 0 && end < 0 && start > end) {
        return b"";
    }
    let (start, end) = (place(start), place(end).min(length - 1));
    if start > end { b"" } else { &value[start as usize..=end as usize] }
}

pub(super) fn digest(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    match cx.read_string(args.get(1))? {
        Some(value) => reply.text(&digest_text(value)),
        None => reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::slice;

    #[test]
    fn positions_beyond_either_end_are_drawn_in() {
        assert_eq!(slice(b"abc", 0, -1), b"abc");
        assert_eq!(slice(b"abc", -2, 100), b"bc");
        assert_eq!(slice(b"abc", -1, -5), b"", "a negative pair in the wrong order is empty");
        assert_eq!(slice(b"abc", -100, -100), b"a", "drawn in first, compared afterwards");
        assert_eq!(slice(b"abc", i64::MIN, i64::MAX), b"abc");
        assert_eq!(slice(b"abc", 3, 3), b"");
        assert_eq!(slice(b"", 0, 0), b"");
    }
}
