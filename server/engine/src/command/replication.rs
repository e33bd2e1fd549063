//! Redis's protocol of replication as far as it copies the data: `REPLCONF` says what the client
//! wants, `SYNC` and `PSYNC` send all keys as an RDB file of one moment and close the connection.
//! That is what `redis-cli --rdb` asks for. A stream of changes behind the copy, as a replica
//! needs it, is not there: who has not said `rdb-only 1` is refused.

use freehold_protocol::{Args, Reply};

use super::context::Cx;
use super::error::CommandError;
use super::gather::Partial;
use super::session::Replica;
use super::spec::{
    ADMIN, ALLOW_BUSY, Arity, Done, LOADING, NO_ASYNC_LOADING, NO_MULTI, NOSCRIPT, Run, STALE, Spec,
};
use super::table::Command;
use crate::base::number::parse_i64;

pub const TABLE: &[Spec] = &[
    Spec {
        name: "SYNC",
        arity: Arity::Exactly(1),
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        run: CUT,
        since: "1.0.0",
        group: "server",
        summary: "Internal command used for replication",
        complexity: "",
        examples: &[("SYNC now", "-ERR wrong number of arguments for 'sync' command\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "PSYNC",
        arity: Arity::AtLeast(3),
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        run: CUT,
        since: "2.8.0",
        group: "server",
        summary: "Internal command used for replication",
        complexity: "",
        examples: &[
            ("PSYNC ?", "-ERR wrong number of arguments for 'psync' command\r\n"),
            ("PSYNC ? x", "-ERR value is not an integer or out of range\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "REPLCONF",
        arity: Arity::AtLeast(1),
        flags: ADMIN | NOSCRIPT | LOADING | STALE | ALLOW_BUSY,
        run: Run::Here(replconf),
        since: "3.0.0",
        group: "server",
        summary: "An internal command for configuring the replication stream",
        complexity: "O(1)",
        examples: &[
            ("REPLCONF capa eof capa psync2", "+OK\r\n"),
            ("REPLCONF capa", "-ERR syntax error\r\n"),
            ("REPLCONF rdb-only x", "-ERR value is not an integer or out of range\r\n"),
            ("REPLCONF rdb-filter-only keys", "-ERR Unsupported rdb-filter-only option: keys\r\n"),
            ("REPLCONF volume 11", "-ERR Unrecognized REPLCONF option: volume\r\n"),
        ],
        ..Spec::ROW
    },
];

/// Every core cuts at the same moment, while no transaction is under way on any.
const CUT: Run = Run::Everywhere { collect: cut, finish: begun, exclusive: true };

const NOT_A_REPLICA: CommandError = CommandError::Said(
    "ERR replication by Redis's protocol is not there yet; a copy of the data is, after REPLCONF \
     capa eof and REPLCONF rdb-only 1",
);

/// The length of a copy is known at its end.
const NEEDS_EOF: CommandError =
    CommandError::Said("ERR a copy of the data needs REPLCONF capa eof: its length is not known");

/// Said to a client of the binary protocol, and to one that wants no replies.
pub const UNHEARD: CommandError =
    CommandError::Said("ERR a copy of the data goes to a client that reads replies in RESP");

/// What SYNC is to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    AllKeys,
    /// Functions only, or nothing.
    NoKeys,
}

/// Whether a command copies the data.
pub fn copies(command: &Command) -> bool {
    matches!(command.spec.name, "SYNC" | "PSYNC")
}

/// What a client wants that sends one of these commands.
///
/// # Errors
/// It is malformed, or wants what is not there.
pub fn wish(replica: Replica, args: Args<'_>) -> Result<Wish, CommandError> {
    if args.len() > 1 {
        parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    }
    match replica {
        Replica { rdb_only: false, .. } => Err(NOT_A_REPLICA),
        Replica { eof: false, .. } => Err(NEEDS_EOF),
        Replica { no_keys: true, .. } => Ok(Wish::NoKeys),
        Replica { .. } => Ok(Wish::AllKeys),
    }
}

fn cut(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Partial, CommandError> {
    cx.core.cut_for_copy();
    Ok(Partial::Done)
}

/// The copy is the reply; the shard sends it.
fn begun(_cx: &mut Cx<'_>, _args: Args<'_>, _parts: Vec<Partial>, _reply: &mut Reply<'_>) -> Done {
    Ok(())
}

/// Pairs of option and value; those before a wrong one hold, as in Redis.
fn replconf(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    if args.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    for at in (1..args.len()).step_by(2) {
        let (option, value) = (args.get(at), args.get(at + 1));
        let replica = &mut cx.session().replica;
        match option.to_ascii_lowercase().as_slice() {
            b"capa" => replica.eof |= value.eq_ignore_ascii_case(b"eof"),
            b"rdb-only" => replica.rdb_only = is_yes(value)?,
            b"rdb-filter-only" => replica.no_keys = leaves_keys_out(value)?,
            b"listening-port" => drop(parse_i64(value).ok_or(CommandError::NotAnInteger)?),
            b"ip-address" => {}
            // Never answered: who is told of offsets or asked for them is no replica here.
            b"ack" | b"getack" => return Ok(()),
            _ => {
                let shown = String::from_utf8_lossy(option);
                let said = format!("ERR Unrecognized REPLCONF option: {shown}");
                return Err(CommandError::SaidOf(said));
            }
        }
    }
    reply.ok();
    Ok(())
}

fn is_yes(value: &[u8]) -> Result<bool, CommandError> {
    match parse_i64(value) {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        Some(_) => Err(CommandError::Said("ERR value is out of range, value must between 0 and 1")),
        None => Err(CommandError::NotAnInteger),
    }
}

/// A filter names what is wanted, and keys have no name in it.
fn leaves_keys_out(value: &[u8]) -> Result<bool, CommandError> {
    let mut words = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    match words.find(|word| !word.eq_ignore_ascii_case(b"functions")) {
        None => Ok(true),
        Some(word) => Err(CommandError::SaidOf(format!(
            "ERR Unsupported rdb-filter-only option: {}",
            String::from_utf8_lossy(word)
        ))),
    }
}
