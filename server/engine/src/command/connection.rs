//! The handshake and the small talk: HELLO, AUTH, PING, SELECT and their kin.

use freehold_protocol::{Args, Reply};

use super::context::{Core, Cx, Request};
use super::error::CommandError;
use super::session::{Closing, ReplyMode, Session};
use super::spec::{
    ALLOW_BUSY, Arity, CONNECTION, Done, FAST, LOADING, NO_AUTH, NOSCRIPT, Run, STALE, Spec,
};
use crate::base::number::parse_i64;

pub const TABLE: &[Spec] = &[
    Spec {
        name: "HELLO",
        arity: Arity::AtLeast(1),
        flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        acl: CONNECTION,
        run: Run::Here(hello),
        since: "6.0.0",
        group: "connection",
        summary: "Handshake with Redis",
        examples: &[
            ("HELLO 9", "-NOPROTO unsupported protocol version\r\n"),
            ("HELLO x", "-ERR Protocol version is not an integer or out of range\r\n"),
            ("HELLO 2 FOO", "-ERR Syntax error in HELLO option 'FOO'\r\n"),
            ("HELLO 2 SETNAME me\nCLIENT GETNAME", "$2\r\nme\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "AUTH",
        arity: Arity::AtLeast(2),
        flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        acl: CONNECTION,
        run: Run::Here(auth),
        since: "1.0.0",
        group: "connection",
        summary: "Authenticate to the server",
        complexity: "O(N) where N is the number of passwords defined for the user",
        examples: &[
            (
                "AUTH secret",
                "-ERR AUTH <password> called without any password configured for the default \
                 user. Are you sure your configuration is correct?\r\n",
            ),
            (
                "AUTH nobody secret",
                "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
            ),
            ("AUTH default any", "+OK\r\n"),
            ("AUTH a b c", "-ERR syntax error\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "PING",
        arity: Arity::AtLeast(1),
        flags: FAST,
        acl: CONNECTION,
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        run: Run::Here(ping),
        since: "1.0.0",
        group: "connection",
        summary: "Ping the server",
        examples: &[
            ("PING", "+PONG\r\n"),
            ("PING hi", "$2\r\nhi\r\n"),
            ("PING a b", "-ERR wrong number of arguments for 'ping' command\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "ECHO",
        arity: Arity::Exactly(2),
        flags: LOADING | STALE | FAST,
        acl: CONNECTION,
        run: Run::Here(echo),
        since: "1.0.0",
        group: "connection",
        summary: "Echo the given string",
        examples: &[("ECHO hi", "$2\r\nhi\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "QUIT",
        arity: Arity::AtLeast(1),
        flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        acl: CONNECTION,
        run: Run::Here(quit),
        since: "1.0.0",
        group: "connection",
        summary: "Close the connection",
        examples: &[("QUIT", "+OK\r\n")],
        ..Spec::ROW
    },
    Spec {
        name: "RESET",
        arity: Arity::Exactly(1),
        flags: NOSCRIPT | LOADING | STALE | FAST | NO_AUTH | ALLOW_BUSY,
        acl: CONNECTION,
        run: Run::Here(reset),
        since: "6.2.0",
        group: "connection",
        summary: "Reset the connection",
        examples: &[
            ("RESET", "+RESET\r\n"),
            ("CLIENT SETNAME me\nRESET\nCLIENT GETNAME", "$-1\r\n"),
        ],
        ..Spec::ROW
    },
    Spec {
        name: "SELECT",
        arity: Arity::Exactly(2),
        flags: LOADING | STALE | FAST,
        acl: CONNECTION,
        run: Run::Here(select),
        since: "1.0.0",
        group: "connection",
        summary: "Change the selected database for the current connection",
        examples: &[
            ("SELECT 1", "+OK\r\n"),
            ("SELECT 16", "-ERR DB index is out of range\r\n"),
            ("SELECT x", "-ERR value is not an integer or out of range\r\n"),
        ],
        ..Spec::ROW
    },
];

const NO_PASSWORD: CommandError = CommandError::Said(
    "ERR AUTH <password> called without any password configured for the default user. Are you \
     sure your configuration is correct?",
);
const WRONG_PASSWORD: CommandError =
    CommandError::Said("WRONGPASS invalid username-password pair or user is disabled.");
const BEYOND_I32: CommandError =
    CommandError::Said("ERR value is out of range, value must between -2147483648 and 2147483647");
const HELLO_NEEDS_AUTH: CommandError = CommandError::Said(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO \
     <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP \
     protocol version at the same time",
);

fn hello(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let mut resp3 = None;
    let mut name = None;
    if args.len() > 1 {
        resp3 = match parse_i64(args.get(1)) {
            Some(2) => Some(false),
            Some(3) => Some(true),
            Some(_) => return Err(CommandError::Said("NOPROTO unsupported protocol version")),
            None => {
                let text = "ERR Protocol version is not an integer or out of range";
                return Err(CommandError::Said(text));
            }
        };
    }
    let mut at = 2;
    while at < args.len() {
        let option = args.get(at);
        if option.eq_ignore_ascii_case(b"AUTH") && at + 2 < args.len() {
            authenticate(cx, args.get(at + 1), args.get(at + 2))?;
            at += 3;
        } else if option.eq_ignore_ascii_case(b"SETNAME") && at + 1 < args.len() {
            super::session::check_name(args.get(at + 1))?;
            name = Some(args.get(at + 1));
            at += 2;
        } else {
            let shown = String::from_utf8_lossy(option);
            let text = format!("ERR Syntax error in HELLO option '{shown}'");
            return Err(CommandError::SaidOf(text));
        }
    }
    if !cx.session().authenticated {
        return Err(HELLO_NEEDS_AUTH);
    }
    let session = cx.session();
    if let Some(name) = name {
        session.name = name.into();
    }
    if let Some(resp3) = resp3 {
        session.resp3 = resp3;
        reply.resp3 = resp3 || session.binary;
    }
    greet(cx, reply);
    Ok(())
}

fn greet(cx: &mut Cx<'_>, reply: &mut Reply<'_>) {
    let (id, resp3) = (cx.session().client_id, cx.session().resp3);
    let config = &cx.core.config;
    reply.map(7);
    reply.text("server");
    reply.text("redis");
    reply.text("version");
    reply.text(&config.compat_version);
    reply.text("proto");
    reply.integer(if resp3 { 3 } else { 2 });
    reply.text("id");
    reply.integer(id as i64);
    reply.text("mode");
    reply.text(if config.cluster_enabled { "cluster" } else { "standalone" });
    reply.text("role");
    reply.text("master");
    reply.text("modules");
    reply.array(0);
}

fn auth(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    match args.len() {
        2 if cx.core.config.requirepass.is_empty() => return Err(NO_PASSWORD),
        2 => authenticate(cx, b"default", args.get(1))?,
        3 => authenticate(cx, args.get(1), args.get(2))?,
        _ => return Err(CommandError::Syntax),
    }
    reply.ok();
    Ok(())
}

/// There is one user, `default`; without a password set it accepts any.
fn authenticate(cx: &mut Cx<'_>, user: &[u8], password: &[u8]) -> Done {
    let expected = cx.core.config.requirepass.as_bytes();
    let right = user == b"default" && (expected.is_empty() || same_secret(expected, password));
    if !right {
        cx.core.stats.auth_denied += 1;
        return Err(WRONG_PASSWORD);
    }
    cx.session().authenticated = true;
    Ok(())
}

/// Compares without stopping at the first difference, so that time tells nothing of the secret.
fn same_secret(expected: &[u8], given: &[u8]) -> bool {
    let mut difference = expected.len() ^ given.len();
    for (at, &byte) in given.iter().enumerate() {
        difference |= usize::from(byte ^ expected[at % expected.len()]);
    }
    difference == 0
}

fn ping(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let id = cx.caller.session;
    let session = id.and_then(|id| cx.core.sessions.get(id));
    match args.len() {
        1 | 2 if session.is_some_and(Session::only_listens) => {
            reply.array(2);
            reply.text("pong");
            reply.bulk(args.try_get(1).unwrap_or_default());
        }
        1 => reply.simple("PONG"),
        2 => reply.bulk(args.get(1)),
        _ => return Err(CommandError::Arity { command: "ping".to_owned() }),
    }
    Ok(())
}

fn echo(_cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.bulk(args.get(1));
    Ok(())
}

fn quit(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    cx.session().closing = Closing::AfterReplies;
    reply.ok();
    Ok(())
}

fn reset(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let open = cx.core.config.requirepass.is_empty();
    let session = cx.session();
    session.db = 0;
    session.resp3 = false;
    session.name = Box::default();
    session.reply = ReplyMode::On;
    session.authenticated = open;
    session.queue = None;
    session.replica = Default::default();
    let watched = std::mem::take(&mut session.watched);
    let listening = session.listening.take();
    reply.resp3 = session.binary;
    cx.core.requests.push(Request::Unwatch(watched));
    reply.simple("RESET");
    if let (Some(id), Some(listening)) = (cx.caller.session, listening) {
        cx.core.channels.leave_all(id, listening);
    }
    Ok(())
}

fn select(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    cx.session().db = selected(cx.core, args)?;
    reply.ok();
    Ok(())
}

/// The database SELECT asks for: a transaction must know it before the command has run.
///
/// # Errors
/// What SELECT answers when there is no such database.
pub fn selected(core: &Core, args: Args<'_>) -> Result<u8, CommandError> {
    let db = parse_i64(args.get(1)).ok_or(CommandError::NotAnInteger)?;
    if i32::try_from(db).is_err() {
        return Err(BEYOND_I32);
    }
    let databases = i64::from(core.config.databases_in_use());
    if core.config.cluster_enabled && db != 0 && databases == 1 {
        return Err(CommandError::Said("ERR SELECT is not allowed in cluster mode"));
    }
    if !(0..databases).contains(&db) {
        return Err(CommandError::DbOutOfRange);
    }
    Ok(db as u8)
}
