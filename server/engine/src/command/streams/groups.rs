//! XGROUP and XACK.

use freehold_protocol::args::Args;
use freehold_protocol::resp::reply::Reply;

use super::ids::{loose, strict};
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::editor::Editor;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::stream::{Stream, StreamEdit, StreamId};

const NO_KEY: CommandError = CommandError::Said(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to \
     use the MKSTREAM option to create an empty stream automatically.",
);
const NEGATIVE_READ: CommandError =
    CommandError::Said("ERR value for ENTRIESREAD must be positive or -1");
const BUSY_GROUP: CommandError = CommandError::Said("BUSYGROUP Consumer Group name already exists");

/// What XGROUP and XINFO say of a group that is not there.
pub(super) fn no_group(key: &[u8], group: &[u8]) -> CommandError {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    CommandError::SaidOf(format!("NOGROUP No such consumer group '{group}' for key name '{key}'"))
}

/// What a subcommand with options says of any that do not fit.
pub(super) fn bad_subcommand(given: &[u8], container: &str) -> CommandError {
    let given = String::from_utf8_lossy(given);
    CommandError::SaidOf(format!(
        "ERR unknown subcommand or wrong number of arguments for '{given}'. Try {container} HELP."
    ))
}

/// The options of CREATE and SETID.
struct Options {
    make_stream: bool,
    read: Option<u64>,
}

impl Options {
    fn read(args: Args<'_>, creating: bool) -> Result<Options, CommandError> {
        let mut options = Options { make_stream: false, read: None };
        let mut at = 5;
        while let Some(word) = args.try_get(at) {
            if creating && word.eq_ignore_ascii_case(b"MKSTREAM") {
                options.make_stream = true;
                at += 1;
            } else if let Some(value) =
                args.try_get(at + 1).filter(|_| word.eq_ignore_ascii_case(b"ENTRIESREAD"))
            {
                let read = parse_i64(value).ok_or(CommandError::NotAnInteger)?;
                if read < -1 {
                    return Err(NEGATIVE_READ);
                }
                options.read = u64::try_from(read).ok();
                at += 2;
            } else {
                return Err(bad_subcommand(args.get(1), "XGROUP"));
            }
        }
        Ok(options)
    }
}

pub(super) fn create(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (key, group) = (args.get(2), args.get(3));
    let Options { make_stream, read } = Options::read(args, true)?;
    let mut stream = cx.edit_or_new::<Stream>(key)?;
    if !make_stream && !stream.existed() {
        return Err(NO_KEY);
    }
    if args.len() > 8 {
        return Err(bad_subcommand(args.get(1), "XGROUP"));
    }
    let last = match args.get(4) {
        b"$" => stream.last_id(),
        id => strict(id)?,
    };
    if !stream.edit(StreamEdit::CreateGroup { group, last, read }) {
        return Err(BUSY_GROUP);
    }
    stream.notify(NotifyClasses::STREAM, "xgroup-create");
    reply.ok();
    Ok(())
}

/// The stream of a key that must be there, with this group in it.
fn with_group<'k>(
    cx: &'k mut Cx<'_>,
    key: &'k [u8],
    group: &[u8],
) -> Result<Editor<'k, Stream>, CommandError> {
    let stream = cx.edit::<Stream>(key)?.ok_or(NO_KEY)?;
    match stream.group(group) {
        Some(_) => Ok(stream),
        None => Err(no_group(key, group)),
    }
}

pub(super) fn setid(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let group = args.get(3);
    let Options { read, .. } = Options::read(args, false)?;
    let mut stream = with_group(cx, args.get(2), group)?;
    if args.len() > 7 {
        return Err(bad_subcommand(args.get(1), "XGROUP"));
    }
    let last = match args.get(4) {
        b"$" => stream.last_id(),
        id => loose(id)?,
    };
    stream.edit(StreamEdit::SetGroup { group, last, read });
    stream.notify(NotifyClasses::STREAM, "xgroup-setid");
    reply.ok();
    Ok(())
}

pub(super) fn destroy(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let mut stream = cx.edit::<Stream>(args.get(2))?.ok_or(NO_KEY)?;
    let gone = stream.edit(StreamEdit::DestroyGroup { group: args.get(3) });
    if gone {
        stream.notify(NotifyClasses::STREAM, "xgroup-destroy");
    }
    reply.integer(i64::from(gone));
    Ok(())
}

pub(super) fn create_consumer(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (group, consumer) = (args.get(3), args.get(4));
    let mut stream = with_group(cx, args.get(2), group)?;
    reply.integer(i64::from(ensure_consumer(&mut stream, group, consumer)));
    Ok(())
}

/// Makes the consumer if it is not there; whether it was not.
pub(super) fn ensure_consumer(
    stream: &mut Editor<'_, Stream>,
    group: &[u8],
    consumer: &[u8],
) -> bool {
    let at = stream.now_ms().0;
    let new = stream.edit(StreamEdit::CreateConsumer { group, consumer, at });
    if new {
        stream.notify(NotifyClasses::STREAM, "xgroup-createconsumer");
    }
    new
}

pub(super) fn delete_consumer(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (group, consumer) = (args.get(3), args.get(4));
    let mut stream = with_group(cx, args.get(2), group)?;
    let found = stream.group(group).and_then(|group| group.consumer(consumer));
    let pending = found.map_or(0, |consumer| consumer.pending_len());
    if stream.edit(StreamEdit::DeleteConsumer { group, consumer }) {
        stream.notify(NotifyClasses::STREAM, "xgroup-delconsumer");
    }
    reply.integer(pending as i64);
    Ok(())
}

pub(super) fn help(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    crate::command::help::write(cx, reply);
    Ok(())
}

pub(super) fn xack(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let group = args.get(2);
    let stream = cx.edit::<Stream>(args.get(1))?.filter(|stream| stream.group(group).is_some());
    let Some(mut stream) = stream else {
        reply.integer(0);
        return Ok(());
    };
    let ids = args.iter().skip(3).map(strict).collect::<Result<Vec<StreamId>, CommandError>>()?;
    let mut acknowledged = 0;
    for id in ids {
        acknowledged += i64::from(stream.edit(StreamEdit::Acknowledge { group, id }));
    }
    reply.integer(acknowledged);
    Ok(())
}
