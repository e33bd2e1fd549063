//! CONFIG. Every core has its own immutable copy of the configuration; SET makes the same new one
//! on all of them.

use std::sync::Arc;

use freehold_protocol::{Args, Reply};

use super::context::{Cx, Request};
use super::error::CommandError;
use super::gather::Partial;
use super::spec::{ADMIN, Arity, Done, LOADING, NOSCRIPT, Run, STALE, Spec};
use super::table::Command;
use crate::config::Caller as Asker;

pub const TABLE: &[Spec] = &[Spec {
    name: "CONFIG",
    arity: Arity::AtLeast(2),
    subcommands: &[
        Spec {
            name: "GET",
            arity: Arity::AtLeast(3),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            run: Run::Here(get),
            since: "2.0.0",
            group: "server",
            summary: "Get the values of configuration parameters",
            complexity: "O(N) when N is the number of configuration parameters provided",
            examples: &[
                ("CONFIG GET maxmemory", "*2\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n"),
                ("CONFIG GET nothing-of-the-kind", "*0\r\n"),
                ("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "SET",
            arity: Arity::AtLeast(4),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            run: Run::Everywhere { collect: set_part, finish: done, exclusive: false },
            since: "2.0.0",
            group: "server",
            summary: "Set configuration parameters to the given values",
            complexity: "O(N) when N is the number of configuration parameters provided",
            examples: &[
                (
                    "CONFIG SET maxmemory-samples 7\nCONFIG GET maxmemory-samples",
                    "*2\r\n$17\r\nmaxmemory-samples\r\n$1\r\n7\r\n",
                ),
                (
                    "CONFIG SET nothing-of-the-kind 1",
                    "-ERR Unknown option or number of arguments for CONFIG SET - \
                     'nothing-of-the-kind'\r\n",
                ),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "RESETSTAT",
            arity: Arity::Exactly(2),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            run: Run::Everywhere { collect: resetstat_part, finish: done, exclusive: false },
            since: "2.0.0",
            group: "server",
            summary: "Reset the stats returned by INFO",
            examples: &[("CONFIG RESETSTAT", "+OK\r\n")],
            ..Spec::ROW
        },
        Spec {
            name: "REWRITE",
            arity: Arity::Exactly(2),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            run: Run::Here(rewrite),
            since: "2.8.0",
            group: "server",
            summary: "Rewrite the configuration file with the in memory configuration",
            examples: &[("CONFIG REWRITE", "-ERR The server is running without a config file\r\n")],
            ..Spec::ROW
        },
        Spec {
            name: "HELP",
            arity: Arity::Exactly(2),
            flags: LOADING | STALE,
            run: Run::Here(help),
            since: "5.0.0",
            group: "server",
            summary: "Show helpful text about the different subcommands",
            examples: &[("CONFIG HELP", "*")],
            ..Spec::ROW
        },
    ],
    since: "2.0.0",
    group: "server",
    summary: "A container for server configuration commands",
    complexity: "Depends on subcommand.",
    ..Spec::ROW
}];

fn get(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let patterns: Vec<&[u8]> = args.iter().skip(2).collect();
    let found = cx.core.config.get(&patterns);
    reply.map(found.len());
    for (name, value) in found {
        reply.text(name);
        reply.text(&value);
    }
    Ok(())
}

fn set_part(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::Arity { command: "config|set".to_owned() });
    }
    let pairs: Vec<(&[u8], &[u8])> =
        (2..args.len()).step_by(2).map(|at| (args.get(at), args.get(at + 1))).collect();
    let caller = if cx.caller.local { Asker::ThisHost } else { Asker::Elsewhere };
    let config = cx
        .core
        .config
        .with(&pairs, caller)
        .map_err(|error| CommandError::SaidOf(format!("ERR {error}")))?;
    cx.core.set_config(Arc::new(config));
    cx.core.requests.push(Request::Configured);
    Ok(Partial::Done)
}

/// The value that CONFIG SET is to give to `appendonly`; `None` for any other command.
pub fn switched_log<'a>(command: &Command, args: Args<'a>) -> Option<&'a [u8]> {
    if command.spec.name != "SET" || &*command.full_name != "config|set" {
        return None;
    }
    let names = (2..args.len()).step_by(2);
    let at = names.into_iter().find(|at| args.get(*at).eq_ignore_ascii_case(b"appendonly"))?;
    (at + 1 < args.len()).then(|| args.get(at + 1))
}

fn resetstat_part(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Partial, CommandError> {
    cx.core.stats.reset();
    Ok(Partial::Done)
}

fn done(_cx: &mut Cx<'_>, _args: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    Partial::all_done(parts)?;
    reply.ok();
    Ok(())
}

fn rewrite(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    if cx.core.node.config_file.is_empty() {
        return Err(CommandError::Said("ERR The server is running without a config file"));
    }
    let config = cx.core.config.clone();
    cx.core
        .node
        .host
        .rewrite_config(&config)
        .map_err(|reason| CommandError::SaidOf(format!("ERR Rewriting config file: {reason}")))?;
    reply.ok();
    Ok(())
}

fn help(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    super::help::write(cx, reply);
    Ok(())
}
