//! Snapshots: a point in time of the whole node, cut between all transactions and written while
//! everything goes on. All of these begin the same snapshot, for there is only one kind; SAVE waits
//! for its end, BGREWRITEAOF is for the sake of the logs it makes superfluous.

use freehold_protocol::{Args, Reply};

use super::context::Cx;
use super::error::CommandError;
use super::gather::Partial;
use super::spec::{
    ADMIN, ADMINISTRATION, Arity, DANGEROUS, Done, FAST, LOADING, NO_ASYNC_LOADING, NO_MULTI,
    NOSCRIPT, Run, STALE, Spec,
};
use crate::mesh::Cancelled;

pub const TABLE: &[Spec] = &[
    Spec {
        name: "SAVE",
        arity: Arity::Exactly(1),
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING | NO_MULTI,
        run: CUT,
        since: "1.0.0",
        group: "server",
        summary: "Synchronously save the dataset to disk",
        complexity: "O(N) where N is the total number of keys in all databases",
        examples: &[("SAVE now", "-ERR wrong number of arguments for 'save' command\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "BGSAVE",
        arity: Arity::AtLeast(1),
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
        run: CUT,
        since: "1.0.0",
        group: "server",
        summary: "Asynchronously save the dataset to disk",
        examples: &[
            ("BGSAVE LATER", "-ERR syntax error\r\n"),
            ("BGSAVE CANCEL now", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "BGREWRITEAOF",
        arity: Arity::Exactly(1),
        flags: ADMIN | NOSCRIPT | NO_ASYNC_LOADING,
        run: CUT,
        since: "1.0.0",
        group: "server",
        summary: "Asynchronously rewrite the append-only file",
        examples: &[(
            "BGREWRITEAOF now",
            "-ERR wrong number of arguments for 'bgrewriteaof' command\r\n",
        )],
        ..Spec::ROW
    },
    Spec {
        name: "LASTSAVE",
        arity: Arity::Exactly(1),
        flags: LOADING | STALE | FAST,
        acl: ADMINISTRATION | DANGEROUS,
        tips: &["nondeterministic_output"],
        run: Run::Here(lastsave),
        since: "1.0.0",
        group: "server",
        summary: "Get the UNIX time stamp of the last successful save to disk",
        examples: &[("LASTSAVE", ":*")],
        ..Spec::ROW
    },
];

/// Every core cuts at the same moment, while no transaction is under way on any.
const CUT: Run = Run::Everywhere { collect: cut, finish: begun, exclusive: true };

const UNDER_WAY: CommandError = CommandError::Said("ERR Background save already in progress");

const REWRITING: CommandError = CommandError::Said(
    "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in \
     order to schedule a BGSAVE whenever possible.",
);

const NOT_UNDER_WAY: CommandError =
    CommandError::Said("ERR Background saving is currently not in progress or scheduled");

/// What one of these commands asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// A snapshot whose end the client waits for.
    Save,
    /// A snapshot; `schedule`: after the one under way, if that is for the sake of the log.
    Background {
        schedule: bool,
    },
    Rewrite,
    /// The end of the one under way, or of the one that was scheduled.
    Cancel,
}

/// Reads one of these commands; `None` for any other.
pub fn wish(name: &str, args: Args<'_>) -> Option<Result<Wish, CommandError>> {
    let option = (args.len() > 1).then(|| args.get(1).to_ascii_uppercase());
    Some(Ok(match (name, option.as_deref(), args.len()) {
        ("SAVE", ..) => Wish::Save,
        ("BGREWRITEAOF", ..) => Wish::Rewrite,
        ("BGSAVE", None, _) => Wish::Background { schedule: false },
        ("BGSAVE", Some(b"SCHEDULE"), 2) => Wish::Background { schedule: true },
        ("BGSAVE", Some(b"CANCEL"), 2) => Wish::Cancel,
        ("BGSAVE", ..) => return Some(Err(CommandError::Syntax)),
        _ => return None,
    }))
}

/// Begins a snapshot that [`Cx::core`]'s shard has claimed for all cores.
fn cut(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Partial, CommandError> {
    cx.core.cut();
    Ok(Partial::Done)
}

fn begun(_cx: &mut Cx<'_>, args: Args<'_>, _parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    match args.get(0).to_ascii_uppercase().as_slice() {
        b"SAVE" => reply.ok(),
        b"BGREWRITEAOF" => reply.simple("Background append only file rewriting started"),
        _ => reply.simple("Background saving started"),
    }
    Ok(())
}

/// What a client hears whose BGSAVE CANCEL has ended this; as Valkey 9.1.2 says it.
pub fn cancelled(what: Option<Cancelled>) -> Result<&'static str, CommandError> {
    match what {
        Some(Cancelled::Running) => Ok("Background saving cancelled"),
        Some(Cancelled::Scheduled) => Ok("Scheduled background saving cancelled"),
        None => Err(NOT_UNDER_WAY),
    }
}

/// What a client hears when a snapshot is under way already; `rewrites`: for the sake of the log.
/// As in Redis, who wants to save while somebody else does is refused, SCHEDULE or not.
pub fn while_under_way(wish: Wish, rewrites: bool) -> Result<&'static str, CommandError> {
    match wish {
        Wish::Background { schedule: true } if rewrites => Ok("Background saving scheduled"),
        Wish::Background { schedule: false } if rewrites => Err(REWRITING),
        Wish::Rewrite => Ok("Background append only file rewriting scheduled"),
        _ => Err(UNDER_WAY),
    }
}

fn lastsave(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let saved_ms = cx.core.snapshots.figures().saved_unix_ms;
    let at_ms = if saved_ms > 0 { saved_ms } else { cx.core.node.started_unix_ms };
    reply.integer(at_ms.div_euclid(1000));
    Ok(())
}
