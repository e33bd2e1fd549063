//! XREAD and XREADGROUP: what came behind an id, from several streams at once.

use freehold_protocol::args::Args;
use freehold_protocol::resp::reply::Reply;

use super::groups::ensure_consumer;
use super::ids::{strict, write_entry, write_id};
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::editor::Editor;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::command::wait;
use crate::value::stream::{Stream, StreamEdit, StreamId};

const UNBALANCED: CommandError = CommandError::Said(
    "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
);
const GROUP_HERE: CommandError = CommandError::Said(
    "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.",
);
const NOACK_HERE: CommandError = CommandError::Said(
    "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.",
);
const NO_GROUP_GIVEN: CommandError = CommandError::Said("ERR Missing GROUP option for XREADGROUP");
const DOLLAR_IN_GROUP: CommandError = CommandError::Said(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of \
     this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would \
     just return an empty result set.",
);
const NEW_WITHOUT_GROUP: CommandError = CommandError::Said(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
     <consumer> option.",
);

/// A request, read.
struct Request<'a> {
    /// Entries of each stream, at most.
    count: usize,
    block_ms: Option<u64>,
    group: Option<(&'a [u8], &'a [u8])>,
    acknowledged: bool,
    /// Keys, and as many ids behind them.
    streams: Args<'a>,
}

impl<'a> Request<'a> {
    fn read(args: Args<'a>, in_group: bool) -> Result<Request<'a>, CommandError> {
        let mut request = Request {
            count: usize::MAX,
            block_ms: None,
            group: None,
            acknowledged: false,
            streams: args.tail(args.len()),
        };
        let mut at = 1;
        while let Some(word) = args.try_get(at) {
            let more = args.len() - 1 - at;
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if is("BLOCK") && more > 0 {
                at += 1;
                request.block_ms = Some(wait::milliseconds(args.get(at))?);
            } else if is("COUNT") && more > 0 {
                at += 1;
                let count = parse_i64(args.get(at)).ok_or(CommandError::NotAnInteger)?;
                let some = usize::try_from(count).ok().filter(|&count| count > 0);
                request.count = some.unwrap_or(usize::MAX);
            } else if is("STREAMS") && more > 0 {
                request.streams = args.tail(at + 1);
                if !request.streams.len().is_multiple_of(2) {
                    return Err(UNBALANCED);
                }
                break;
            } else if is("GROUP") && more > 1 {
                if !in_group {
                    return Err(GROUP_HERE);
                }
                request.group = Some((args.get(at + 1), args.get(at + 2)));
                at += 2;
            } else if is("NOACK") {
                if !in_group {
                    return Err(NOACK_HERE);
                }
                request.acknowledged = true;
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        if request.streams.is_empty() {
            return Err(CommandError::Syntax);
        }
        if in_group && request.group.is_none() {
            return Err(NO_GROUP_GIVEN);
        }
        Ok(request)
    }

    /// Each key with its id.
    fn pairs(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let half = self.streams.len() / 2;
        self.streams.iter().take(half).zip(self.streams.iter().skip(half))
    }

    /// The whole request with what `$` means now in place of it: what comes while the client
    /// waits is behind that.
    fn waiting_behind(&self, args: Args<'_>, tops: &[(usize, StreamId)]) -> Vec<Box<[u8]>> {
        let mut whole: Vec<Box<[u8]>> = args.iter().map(Box::from).collect();
        let first_id = whole.len() - self.streams.len() / 2;
        for &(index, top) in tops {
            whole[first_id + index] = format!("{}-{}", top.ms, top.seq).into_bytes().into();
        }
        whole
    }
}

pub(super) fn xread_timeout(args: Args<'_>) -> Result<Option<u64>, CommandError> {
    Ok(Request::read(args, false)?.block_ms)
}

pub(super) fn xreadgroup_timeout(args: Args<'_>) -> Result<Option<u64>, CommandError> {
    Ok(Request::read(args, true)?.block_ms)
}

pub(super) fn nothing(reply: &mut Reply<'_>) {
    reply.null_array();
}

/// Opens the answer: one stream a pair, a map where the protocol has maps.
fn open(reply: &mut Reply<'_>, streams: usize) {
    if reply.resp3 { reply.map(streams) } else { reply.array(streams) }
}

fn open_stream(reply: &mut Reply<'_>, key: &[u8]) {
    if !reply.resp3 {
        reply.array(2);
    }
    reply.bulk(key);
}

/// The id of the first entry behind `id`.
fn first_behind(stream: &Stream, id: StreamId) -> Option<StreamId> {
    if id >= stream.last_id() {
        return None;
    }
    let from = id.next()?;
    stream.range(from, StreamId::MAX).next().map(|entry| entry.id)
}

pub(super) fn xread(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let request = Request::read(args, false)?;
    let mut served: Vec<(&[u8], StreamId)> = Vec::new();
    let mut tops: Vec<(usize, StreamId)> = Vec::new();
    for (index, (key, id)) in request.pairs().enumerate() {
        if !cx.is_here(key) {
            continue;
        }
        let stream = cx.read_collection::<Stream>(key)?;
        let behind = match id {
            b"$" => {
                tops.push((index, stream.map_or(StreamId::MIN, Stream::last_id)));
                continue;
            }
            b">" => return Err(NEW_WITHOUT_GROUP),
            id => strict(id)?,
        };
        if let Some(from) = stream.and_then(|stream| first_behind(stream, behind)) {
            served.push((key, from));
        }
    }
    if served.is_empty() {
        if request.block_ms.is_some() && !tops.is_empty() {
            cx.wait_as = Some(request.waiting_behind(args, &tops));
        }
        return Err(CommandError::Nothing);
    }
    open(reply, served.len());
    for (key, from) in served {
        let entry = cx.peek(key);
        let Some(stream) = entry.and_then(|entry| entry.collection::<Stream>()) else { continue };
        open_stream(reply, key);
        let entries = || stream.range(from, StreamId::MAX).take(request.count);
        reply.array(entries().count());
        entries().for_each(|entry| write_entry(reply, &entry));
    }
    Ok(())
}

/// What a consumer asks of one stream.
#[derive(Clone, Copy)]
enum Wish {
    /// `>`: what the group has not seen.
    New,
    /// What it got itself behind this id and has not acknowledged.
    History(StreamId),
}

fn no_such(key: &[u8], group: &[u8]) -> CommandError {
    let (key, group) = (String::from_utf8_lossy(key), String::from_utf8_lossy(group));
    CommandError::SaidOf(format!(
        "NOGROUP No such key '{key}' or consumer group '{group}' in XREADGROUP with GROUP option"
    ))
}

pub(super) fn xreadgroup(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let request = Request::read(args, true)?;
    let Some((group, consumer)) = request.group else { return Err(NO_GROUP_GIVEN) };
    let mut served: Vec<(&[u8], Wish)> = Vec::new();
    for (key, id) in request.pairs() {
        if !cx.is_here(key) {
            continue;
        }
        let stream = cx.read_collection::<Stream>(key)?;
        let found = stream.and_then(|stream| Some((stream, stream.group(group)?)));
        let Some((stream, state)) = found else { return Err(no_such(key, group)) };
        let wish = match id {
            b"$" => return Err(DOLLAR_IN_GROUP),
            b">" => Wish::New,
            id => match strict(id)? {
                StreamId::MAX => Wish::New,
                id => Wish::History(id),
            },
        };
        let new = matches!(wish, Wish::New);
        if !new || first_behind(stream, state.last_id()).is_some() {
            served.push((key, wish));
        }
    }
    if served.is_empty() {
        return Err(CommandError::Nothing);
    }
    open(reply, served.len());
    for (key, wish) in served {
        let Some(mut stream) = cx.edit::<Stream>(key)? else { continue };
        open_stream(reply, key);
        ensure_consumer(&mut stream, group, consumer);
        let reader = Reader { group, consumer, count: request.count };
        match wish {
            Wish::New => reader.deliver(&mut stream, request.acknowledged, reply),
            Wish::History(behind) => reader.repeat(&mut stream, behind, reply),
        }
    }
    Ok(())
}

/// Who reads, and how much at most.
struct Reader<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
    count: usize,
}

impl Reader<'_> {
    /// Entries nobody in the group has seen; pending from now on unless acknowledged in advance.
    fn deliver(&self, stream: &mut Editor<'_, Stream>, acknowledged: bool, reply: &mut Reply<'_>) {
        let &Reader { group, consumer, count } = self;
        let Some(state) = stream.group(group) else { return reply.array(0) };
        let (mut to, mut read, mut found) = (state.last_id(), state.entries_read(), 0);
        let from = to.next().unwrap_or(StreamId::MAX);
        let entries = || stream.range(from, StreamId::MAX).take(count);
        for entry in entries() {
            read = stream.count_read(read, entry.id);
            to = entry.id;
            found += 1;
        }
        reply.array(found);
        entries().for_each(|entry| write_entry(reply, &entry));
        let at = stream.now_ms().0;
        if acknowledged {
            stream.edit(StreamEdit::SetGroup { group, last: to, read });
            stream.edit(StreamEdit::See { group, consumer, at, active: true });
        } else {
            stream.edit(StreamEdit::Deliver { group, consumer, to, at, read });
        }
    }

    /// Entries this consumer has had before, deleted ones as a null: one more delivery of each
    /// that is left.
    fn repeat(&self, stream: &mut Editor<'_, Stream>, behind: StreamId, reply: &mut Reply<'_>) {
        let &Reader { group, consumer, count } = self;
        let at = stream.now_ms().0;
        stream.edit(StreamEdit::See { group, consumer, at, active: false });
        let Some(state) = stream.group(group) else { return reply.array(0) };
        let Some(owner) = state.consumer(consumer) else { return reply.array(0) };
        let from = behind.next().unwrap_or(StreamId::MAX);
        let ids: Vec<StreamId> = owner.pending_from(from).take(count).collect();
        reply.array(ids.len());
        for id in ids {
            let Some(entry) = stream.get(id) else {
                reply.array(2);
                write_id(reply, id);
                reply.null_array();
                continue;
            };
            write_entry(reply, &entry);
            let pending = stream.group(group).and_then(|group| group.pending(id));
            let deliveries = pending.map_or(1, |pending| pending.deliveries.saturating_add(1));
            stream.edit(StreamEdit::Assign { group, consumer, id, at, deliveries });
        }
    }
}
