//! Entries come and go at the ends: XADD and XTRIM, and the trimming options they share.

use freehold_protocol::args::Args;
use freehold_protocol::resp::reply::Reply;

use super::ids::{NewId, strict, write_id};
use crate::base::number::parse_i64;
use crate::command::context::Cx;
use crate::command::error::CommandError;
use crate::command::spec::Done;
use crate::config::NotifyClasses;
use crate::value::Collection;
use crate::value::stream::{Fields, Stream, StreamEdit, StreamId, Trim};

const ZERO_ID: CommandError =
    CommandError::Said("ERR The ID specified in XADD must be greater than 0-0");
const SMALL_ID: CommandError = CommandError::Said(
    "ERR The ID specified in XADD is equal or smaller than the target stream top item",
);
const EXHAUSTED: CommandError = CommandError::Said(
    "ERR The stream has exhausted the last possible ID, unable to add more items",
);
const TOO_LARGE: CommandError = CommandError::Said("ERR Elements are too large to be stored");
const BAD_MAXLEN: CommandError = CommandError::Said("ERR The MAXLEN argument must be >= 0.");
const BAD_LIMIT: CommandError = CommandError::Said("ERR The LIMIT argument must be >= 0.");
const TWO_STRATEGIES: CommandError = CommandError::Said(
    "ERR syntax error, MAXLEN and MINID options at the same time are not compatible",
);
const LIMIT_ALONE: CommandError = CommandError::Said(
    "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy",
);
const LIMIT_EXACT: CommandError =
    CommandError::Said("ERR syntax error, LIMIT cannot be used without the special ~ option");
const NO_STRATEGY: CommandError =
    CommandError::Said("ERR syntax error, XTRIM must be called with a trimming strategy");

/// Bytes of the names and values of one entry, at most.
const ENTRY_BYTES_MAX: usize = 1 << 30;

/// The options in front of XADD's id, or behind XTRIM's key.
struct Options {
    trim: Option<Trim>,
    approximate: bool,
    limit: Option<u64>,
    make_stream: bool,
    /// XADD's id and where it stands.
    id: Option<(NewId, usize)>,
}

impl Options {
    fn read(args: Args<'_>, adding: bool) -> Result<Options, CommandError> {
        let mut options =
            Options { trim: None, approximate: false, limit: None, make_stream: true, id: None };
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            let more = args.len() - 1 - at;
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            if word != b"*" && more > 0 && (is("MAXLEN") || is("MINID")) {
                at = options.read_trim(args, at)?;
            } else if word != b"*" && more > 0 && is("LIMIT") {
                at += 1;
                let limit = parse_i64(args.get(at)).ok_or(CommandError::NotAnInteger)?;
                options.limit = Some(u64::try_from(limit).map_err(|_| BAD_LIMIT)?);
            } else if adding && is("NOMKSTREAM") {
                options.make_stream = false;
            } else if adding {
                options.id = Some((NewId::parse(word)?, at));
                break;
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        match (options.limit, options.trim) {
            (Some(1..), None) => Err(LIMIT_ALONE),
            (_, None) if !adding => Err(NO_STRATEGY),
            (Some(_), _) if !options.approximate => Err(LIMIT_EXACT),
            _ => Ok(options),
        }
    }

    /// MAXLEN or MINID at `at`; returns where its last word stands.
    fn read_trim(&mut self, args: Args<'_>, at: usize) -> Result<usize, CommandError> {
        if self.trim.is_some() {
            return Err(TWO_STRATEGIES);
        }
        let by_length = args.get(at).eq_ignore_ascii_case(b"MAXLEN");
        let sign = args.try_get(at + 2).and_then(|_| args.try_get(at + 1));
        self.approximate = sign == Some(b"~");
        let at = if matches!(sign, Some(b"~" | b"=")) { at + 2 } else { at + 1 };
        let threshold = args.get(at);
        self.trim = Some(if by_length {
            let length = parse_i64(threshold).ok_or(CommandError::NotAnInteger)?;
            Trim::MaxLen(u64::try_from(length).map_err(|_| BAD_MAXLEN)?)
        } else {
            Trim::MinId(strict(threshold)?)
        });
        Ok(at)
    }

    /// What `~` leaves to the server: whole blocks, and no more entries than this at once.
    fn whole_blocks(&self, cx: &Cx<'_>) -> Option<u64> {
        let usual = || match cx.core.config.stream_node_max_entries {
            0 => 10_000,
            entries => entries.saturating_mul(100).min(1_000_000),
        };
        self.approximate.then(|| self.limit.unwrap_or_else(usual))
    }
}

/// Budget: one look-up, no allocation but the block's growth.
pub(super) fn xadd(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let key = args.get(1);
    let options = Options::read(args, true)?;
    let arity = || CommandError::Arity { command: "xadd".to_owned() };
    let (id, id_at) = options.id.ok_or_else(arity)?;
    let fields = Fields::of(args.tail(id_at + 1)).ok_or_else(arity)?;
    if id == NewId::Given(StreamId::MIN) {
        return Err(ZERO_ID);
    }
    let longest = fields.iter().map(<[u8]>::len).max().unwrap_or(0);
    cx.check_sizes(key, longest)?;
    let whole_blocks = options.whole_blocks(cx);
    let now_ms = u64::try_from(cx.now_ms().0).unwrap_or(0);
    let stream = match options.make_stream {
        true => Some(cx.edit_or_new::<Stream>(key)?),
        false => cx.edit::<Stream>(key)?,
    };
    let Some(mut stream) = stream else {
        reply.null();
        return Ok(());
    };
    let id = next_id(id, stream.last_id(), now_ms)?;
    if fields.iter().map(<[u8]>::len).sum::<usize>() > ENTRY_BYTES_MAX {
        return Err(TOO_LARGE);
    }
    stream.edit(StreamEdit::Add { id, fields });
    stream.notify(NotifyClasses::STREAM, "xadd");
    if let Some(trim) = options.trim {
        let gone = stream.trim_count(trim, whole_blocks);
        if gone > 0 {
            let keep = (stream.len() - gone) as u64;
            stream.edit(StreamEdit::Trim { keep });
            stream.notify(NotifyClasses::STREAM, "xtrim");
        }
    }
    write_id(reply, id);
    Ok(())
}

/// The id of the next entry.
fn next_id(wanted: NewId, last: StreamId, now_ms: u64) -> Result<StreamId, CommandError> {
    let after_last = last.next().ok_or(EXHAUSTED)?;
    let id = match wanted {
        // The clock may have gone back; the ids do not.
        NewId::Auto if now_ms > last.ms => StreamId::new(now_ms, 0),
        NewId::Auto => after_last,
        NewId::AutoSequence(ms) if ms == last.ms && after_last.ms == ms => after_last,
        NewId::AutoSequence(ms) => StreamId::new(ms, 0),
        NewId::Given(id) => id,
    };
    if id > last { Ok(id) } else { Err(SMALL_ID) }
}

pub(super) fn xtrim(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let options = Options::read(args, false)?;
    let whole_blocks = options.whole_blocks(cx);
    let stream = cx.edit::<Stream>(args.get(1))?;
    let (Some(mut stream), Some(trim)) = (stream, options.trim) else {
        reply.integer(0);
        return Ok(());
    };
    let gone = stream.trim_count(trim, whole_blocks);
    if gone > 0 {
        let keep = (stream.len() - gone) as u64;
        stream.edit(StreamEdit::Trim { keep });
        stream.notify(NotifyClasses::STREAM, "xtrim");
    }
    reply.integer(gone as i64);
    Ok(())
}
