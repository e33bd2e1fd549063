//! CLIENT: who is connected, under what name, and what is to become of them.

use freehold_protocol::{Args, Reply};

use super::channels::Topic;
use super::context::{Cx, Request};
use super::error::CommandError;
use super::gather::Partial;
use super::session::{Closing, PortKind, ReplyMode, Session, SessionId, check_name};
use super::spec::{ADMIN, Arity, CONNECTION, Done, LOADING, NOSCRIPT, Run, STALE, Spec};
use crate::base::number::parse_i64;
use crate::config::OutputClass;

pub const TABLE: &[Spec] = &[Spec {
    name: "CLIENT",
    arity: Arity::AtLeast(2),
    subcommands: &[
        Spec {
            name: "ID",
            arity: Arity::Exactly(2),
            flags: NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(id),
            since: "5.0.0",
            group: "connection",
            summary: "Returns the client ID for the current connection",
            examples: &[("CLIENT ID", ":*")],
            ..Spec::ROW
        },
        Spec {
            name: "GETNAME",
            arity: Arity::Exactly(2),
            flags: NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(getname),
            since: "2.6.9",
            group: "connection",
            summary: "Get the current connection name",
            examples: &[
                ("CLIENT GETNAME", "$-1\r\n"),
                ("CLIENT SETNAME me\nCLIENT GETNAME", "$2\r\nme\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "SETNAME",
            arity: Arity::Exactly(3),
            flags: NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(setname),
            since: "2.6.9",
            group: "connection",
            summary: "Set the current connection name",
            examples: &[
                ("CLIENT SETNAME me", "+OK\r\n"),
                (
                    "CLIENT SETNAME",
                    "-ERR wrong number of arguments for 'client|setname' command\r\n",
                ),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "SETINFO",
            arity: Arity::Exactly(4),
            flags: NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            run: Run::Here(setinfo),
            since: "7.2.0",
            group: "connection",
            summary: "Sets information specific to the client or connection.",
            examples: &[
                ("CLIENT SETINFO LIB-NAME it", "+OK\r\n"),
                ("CLIENT SETINFO LIB-WHAT it", "-ERR Unrecognized option 'LIB-WHAT'\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "INFO",
            arity: Arity::Exactly(2),
            flags: NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            tips: &["nondeterministic_output"],
            run: Run::Here(info),
            since: "6.2.0",
            group: "connection",
            summary: "Returns information about the current client connection.",
            examples: &[("CLIENT INFO", "$*")],
            ..Spec::ROW
        },
        Spec {
            name: "LIST",
            arity: Arity::AtLeast(2),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            tips: &["nondeterministic_output"],
            run: Run::Everywhere { collect: list_part, finish: list, exclusive: false },
            since: "2.4.0",
            group: "connection",
            summary: "Get the list of client connections",
            complexity: "O(N) where N is the number of client connections",
            examples: &[
                ("CLIENT LIST", "$*"),
                ("CLIENT LIST TYPE what", "-ERR Unknown client type 'what'\r\n"),
                ("CLIENT LIST ID x", "-ERR Invalid client ID\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "KILL",
            arity: Arity::AtLeast(3),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Everywhere { collect: kill_part, finish: kill, exclusive: false },
            since: "2.4.0",
            group: "connection",
            summary: "Kill the connection of a client",
            complexity: "O(N) where N is the number of client connections",
            examples: &[
                ("CLIENT KILL 1.2.3.4:5", "-ERR No such client\r\n"),
                ("CLIENT KILL ID 999999", ":0\r\n"),
                ("CLIENT KILL ID x", "-ERR client-id should be greater than 0\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "NO-EVICT",
            arity: Arity::Exactly(3),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(no_evict),
            since: "7.0.0",
            group: "connection",
            summary: "Set client eviction mode for the current connection",
            examples: &[
                ("CLIENT NO-EVICT ON", "+OK\r\n"),
                ("CLIENT NO-EVICT WHAT", "-ERR syntax error\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "NO-TOUCH",
            arity: Arity::Exactly(3),
            flags: NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(no_touch),
            since: "7.2.0",
            group: "connection",
            summary: "Controls whether commands sent by the client affect the LRU/LFU of accessed \
                keys.",
            examples: &[("CLIENT NO-TOUCH OFF", "+OK\r\n")],
            ..Spec::ROW
        },
        Spec {
            name: "REPLY",
            arity: Arity::Exactly(3),
            flags: NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(reply_mode),
            since: "3.2.0",
            group: "connection",
            summary: "Instruct the server whether to reply to commands",
            examples: &[
                ("CLIENT REPLY ON", "+OK\r\n"),
                ("CLIENT REPLY WHAT", "-ERR syntax error\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "PAUSE",
            arity: Arity::AtLeast(3),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Everywhere { collect: pause_part, finish: done, exclusive: false },
            since: "2.9.50",
            group: "connection",
            summary: "Stop processing commands from clients for some time",
            examples: &[
                ("CLIENT PAUSE 0", "+OK\r\n"),
                ("CLIENT PAUSE x", "-ERR timeout is not an integer or out of range\r\n"),
                ("CLIENT PAUSE 1 WHAT", "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "UNPAUSE",
            arity: Arity::Exactly(2),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Everywhere { collect: unpause_part, finish: done, exclusive: false },
            since: "6.2.0",
            group: "connection",
            summary: "Resume processing of clients that were paused",
            complexity: "O(N) Where N is the number of paused clients",
            examples: &[("CLIENT UNPAUSE", "+OK\r\n")],
            ..Spec::ROW
        },
        Spec {
            name: "UNBLOCK",
            arity: Arity::AtLeast(3),
            flags: ADMIN | NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Everywhere {
                collect: unblock_part,
                finish: finish_unblock,
                exclusive: false,
            },
            since: "5.0.0",
            group: "connection",
            summary: "Unblock a client blocked in a blocking command from a different connection",
            complexity: "O(log N) where N is the number of client connections",
            examples: &[
                ("CLIENT UNBLOCK 999999", ":0\r\n"),
                ("CLIENT UNBLOCK x", "-ERR value is not an integer or out of range\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "GETREDIR",
            arity: Arity::Exactly(2),
            flags: NOSCRIPT | LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(getredir),
            since: "6.0.0",
            group: "connection",
            summary: "Get tracking notifications redirection client ID if any",
            examples: &[("CLIENT GETREDIR", ":-1\r\n")],
            ..Spec::ROW
        },
        Spec {
            name: "HELP",
            arity: Arity::Exactly(2),
            flags: LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(help),
            since: "5.0.0",
            group: "connection",
            summary: "Show helpful text about the different subcommands",
            examples: &[("CLIENT HELP", "*")],
            ..Spec::ROW
        },
    ],
    since: "2.4.0",
    group: "connection",
    summary: "A container for client connection commands",
    complexity: "Depends on subcommand.",
    ..Spec::ROW
}];

fn id(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.integer(cx.session().client_id as i64);
    Ok(())
}

fn getname(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    match &*cx.session().name {
        [] => reply.null(),
        name => reply.bulk(name),
    }
    Ok(())
}

fn setname(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    check_name(args.get(2))?;
    cx.session().name = args.get(2).into();
    reply.ok();
    Ok(())
}

fn setinfo(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let (attribute, value) = (args.get(2), args.get(3));
    let name = attribute.eq_ignore_ascii_case(b"LIB-NAME");
    if !name && !attribute.eq_ignore_ascii_case(b"LIB-VER") {
        let shown = String::from_utf8_lossy(attribute);
        return Err(CommandError::SaidOf(format!("ERR Unrecognized option '{shown}'")));
    }
    if !value.iter().all(|byte| (b'!'..=b'~').contains(byte)) {
        let attribute = if name { "lib-name" } else { "lib-ver" };
        return Err(CommandError::SaidOf(format!(
            "ERR {attribute} cannot contain spaces, newlines or special characters."
        )));
    }
    let session = cx.session();
    let place = if name { &mut session.library_name } else { &mut session.library_version };
    *place = value.into();
    reply.ok();
    Ok(())
}

fn info(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let now_us = cx.core.now.mono_us;
    let mut line = describe(cx.session(), now_us);
    line.push('\n');
    reply.verbatim("txt", line.as_bytes());
    Ok(())
}

/// One line of CLIENT LIST, Redis 7.4's fields in its order.
fn describe(session: &Session, now_us: u64) -> String {
    let seconds = |since: u64| now_us.saturating_sub(since) / 1_000_000;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut flags = String::new();
    if session.listening.is_some() {
        flags.push('P');
    }
    if session.queue.is_some() {
        flags.push('x');
    }
    if session.blocked {
        flags.push('b');
    }
    if session.closing == Closing::AfterReplies {
        flags.push('c');
    }
    if session.port == PortKind::Unix {
        flags.push('U');
    }
    if session.no_evict {
        flags.push('e');
    }
    if session.no_touch {
        flags.push('T');
    }
    if flags.is_empty() {
        flags.push('N');
    }
    let command = match (session.last_container, session.last_command) {
        (Some(container), Some(sub)) => format!("{}|{}", container.name, sub.name),
        (None, Some(command)) => command.name.to_owned(),
        _ => "NULL".to_owned(),
    };
    let command = if command == "NULL" { command } else { command.to_ascii_lowercase() };
    let (input, output) = (session.input_bytes, session.output_bytes);
    let [channels, patterns, shards] = Topic::ALL.map(|topic| session.subscriptions(topic));
    let queue = session.queue.as_ref();
    let (multi, queued) = queue.map_or((-1, 0), |queue| (queue.count as i64, queue.bytes));
    format!(
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={flags} db={} \
         sub={channels} psub={patterns} ssub={shards} multi={multi} watch={} \
         qbuf={input} qbuf-free=0 argv-mem=0 multi-mem={queued} rbs=0 rbp=0 obl={output} \
         oll=0 omem={output} tot-mem={} events=r cmd={command} user=default redir=-1 resp={} \
         lib-name={} lib-ver={}",
        session.client_id,
        session.peer,
        session.local,
        session.descriptor,
        text(&session.name),
        seconds(session.connected_mono_us),
        seconds(session.active_mono_us),
        session.db,
        session.watched.len(),
        input + output + queued + size_of::<Session>(),
        if session.resp3 { 3 } else { 2 },
        text(&session.library_name),
        text(&session.library_version),
    )
}

/// `TYPE t`, as a class of output limits; masters, which have none, there are none of.
fn client_type(kind: &[u8]) -> Result<Option<OutputClass>, CommandError> {
    match &kind.to_ascii_lowercase()[..] {
        b"normal" => Ok(Some(OutputClass::Normal)),
        b"pubsub" => Ok(Some(OutputClass::PubSub)),
        b"replica" | b"slave" => Ok(Some(OutputClass::Replica)),
        b"master" => Ok(None),
        _ => {
            let shown = String::from_utf8_lossy(kind);
            Err(CommandError::SaidOf(format!("ERR Unknown client type '{shown}'")))
        }
    }
}

fn list_part(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    let mut wanted: Option<Vec<u64>> = None;
    let mut of_type: Option<Option<OutputClass>> = None;
    if args.len() == 4 && args.get(2).eq_ignore_ascii_case(b"TYPE") {
        of_type = Some(client_type(args.get(3))?);
    } else if args.len() >= 4 && args.get(2).eq_ignore_ascii_case(b"ID") {
        let invalid = CommandError::Said("ERR Invalid client ID");
        let ids = args.iter().skip(3).map(|id| parse_i64(id).and_then(|id| id.try_into().ok()));
        wanted = Some(ids.collect::<Option<Vec<u64>>>().ok_or(invalid)?);
    } else if args.len() != 2 {
        return Err(CommandError::Syntax);
    }
    let now_us = cx.core.now.mono_us;
    let mut text = String::new();
    for (_, session) in cx.core.sessions.iter() {
        let fits = of_type.is_none_or(|class| class == Some(session.output_class()));
        if fits && wanted.as_ref().is_none_or(|ids| ids.contains(&session.client_id)) {
            text.push_str(&describe(session, now_us));
            text.push('\n');
        }
    }
    Ok(Partial::Text(text))
}

fn list(_cx: &mut Cx<'_>, _args: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let mut all = String::new();
    for part in parts {
        match part {
            Partial::Text(text) => all.push_str(&text),
            Partial::Failed(error) => return Err(error),
            _ => {}
        }
    }
    reply.verbatim("txt", all.as_bytes());
    Ok(())
}

/// What CLIENT KILL asks for.
struct Victims<'a> {
    id: Option<u64>,
    address: Option<&'a [u8]>,
    local: Option<&'a [u8]>,
    user_matches: bool,
    of_type: Option<Option<OutputClass>>,
    older_than_s: Option<u64>,
    skip_me: bool,
    /// `CLIENT KILL addr:port`, which answers OK or an error.
    old_form: bool,
}

impl<'a> Victims<'a> {
    fn parse(args: Args<'a>) -> Result<Victims<'a>, CommandError> {
        let mut victims = Victims {
            id: None,
            address: None,
            local: None,
            user_matches: true,
            of_type: None,
            older_than_s: None,
            skip_me: true,
            old_form: false,
        };
        if args.len() == 3 {
            victims.address = Some(args.get(2));
            victims.skip_me = false;
            victims.old_form = true;
            return Ok(victims);
        }
        if args.len() < 4 || !args.len().is_multiple_of(2) {
            return Err(CommandError::Syntax);
        }
        for at in (2..args.len()).step_by(2) {
            victims.option(args.get(at), args.get(at + 1))?;
        }
        Ok(victims)
    }

    fn option(&mut self, option: &[u8], value: &'a [u8]) -> Result<(), CommandError> {
        let positive = || parse_i64(value).filter(|&n| n > 0).map(|n| n as u64);
        match &option.to_ascii_uppercase()[..] {
            b"ID" => {
                let text = "ERR client-id should be greater than 0";
                self.id = Some(positive().ok_or(CommandError::Said(text))?);
            }
            b"ADDR" => self.address = Some(value),
            b"LADDR" => self.local = Some(value),
            b"TYPE" => self.of_type = Some(client_type(value)?),
            b"USER" => {
                if value != b"default" {
                    let shown = String::from_utf8_lossy(value);
                    let text = format!("ERR No such user '{shown}'");
                    return Err(CommandError::SaidOf(text));
                }
            }
            b"MAXAGE" => {
                let text = "ERR maxage is not an integer or out of range";
                self.older_than_s = Some(positive().ok_or(CommandError::Said(text))?);
            }
            b"SKIPME" if value.eq_ignore_ascii_case(b"yes") => self.skip_me = true,
            b"SKIPME" if value.eq_ignore_ascii_case(b"no") => self.skip_me = false,
            _ => return Err(CommandError::Syntax),
        }
        Ok(())
    }

    fn include(&self, session: &Session, asking: u64, now_us: u64) -> bool {
        let age_s = now_us.saturating_sub(session.connected_mono_us) / 1_000_000;
        self.user_matches
            && self.of_type.is_none_or(|class| class == Some(session.output_class()))
            && self.id.is_none_or(|id| id == session.client_id)
            && self.address.is_none_or(|address| address == session.peer.as_bytes())
            && self.local.is_none_or(|local| local == session.local.as_bytes())
            && self.older_than_s.is_none_or(|age| age_s >= age)
            && !(self.skip_me && session.client_id == asking)
    }
}

fn kill_part(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    let victims = Victims::parse(args)?;
    let (asking, now_us) = (cx.caller.client_id, cx.core.now.mono_us);
    let mut killed: Vec<SessionId> = Vec::new();
    for (id, session) in cx.core.sessions.iter_mut() {
        if victims.include(session, asking, now_us) {
            // The caller's own reply is to reach it first.
            session.closing = match session.client_id == asking {
                true => Closing::AfterReplies,
                false => Closing::Now,
            };
            killed.push(id);
        }
    }
    let count = killed.len() as i64;
    cx.core.requests.extend(killed.into_iter().map(Request::Close));
    Ok(Partial::Count(count))
}

fn kill(_cx: &mut Cx<'_>, args: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    let killed = Partial::sum(parts)?;
    match Victims::parse(args)?.old_form {
        true if killed == 0 => return Err(CommandError::Said("ERR No such client")),
        true => reply.ok(),
        false => reply.integer(killed),
    }
    Ok(())
}

fn on_or_off(args: Args<'_>) -> Result<bool, CommandError> {
    match &args.get(2).to_ascii_lowercase()[..] {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(CommandError::Syntax),
    }
}

fn no_evict(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    cx.session().no_evict = on_or_off(args)?;
    reply.ok();
    Ok(())
}

fn no_touch(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    cx.session().no_touch = on_or_off(args)?;
    reply.ok();
    Ok(())
}

/// OFF and SKIP are not answered themselves: the shard sees the mode change and drops this reply.
fn reply_mode(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let mode = match &args.get(2).to_ascii_lowercase()[..] {
        b"on" => ReplyMode::On,
        b"off" => ReplyMode::Off,
        b"skip" => ReplyMode::SkipNext,
        _ => return Err(CommandError::Syntax),
    };
    let session = cx.session();
    match mode {
        ReplyMode::On => {
            session.reply = ReplyMode::On;
            reply.ok();
        }
        // While OFF, SKIP changes nothing.
        ReplyMode::SkipNext if session.reply == ReplyMode::Off => {}
        other => session.reply = other,
    }
    Ok(())
}

fn pause_part(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    let text = "ERR timeout is not an integer or out of range";
    let timeout_ms = parse_i64(args.get(2)).ok_or(CommandError::Said(text))?;
    if timeout_ms < 0 {
        return Err(CommandError::Said("ERR timeout is negative"));
    }
    let writes_only = match args.try_get(3) {
        None => false,
        Some(mode) if args.len() == 4 && mode.eq_ignore_ascii_case(b"WRITE") => true,
        Some(mode) if args.len() == 4 && mode.eq_ignore_ascii_case(b"ALL") => false,
        Some(_) => {
            let text = "ERR CLIENT PAUSE mode must be WRITE or ALL";
            return Err(CommandError::Said(text));
        }
    };
    let until_mono_us =
        cx.core.now.mono_us.saturating_add((timeout_ms as u64).saturating_mul(1000));
    cx.core.requests.push(Request::Pause { until_mono_us, writes_only });
    Ok(Partial::Done)
}

fn unpause_part(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Partial, CommandError> {
    cx.core.requests.push(Request::Unpause);
    Ok(Partial::Done)
}

fn done(_cx: &mut Cx<'_>, _args: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    Partial::all_done(parts)?;
    reply.ok();
    Ok(())
}

fn unblock_part(cx: &mut Cx<'_>, args: Args<'_>) -> Result<Partial, CommandError> {
    let mut with_error = false;
    if let Some(reason) = args.try_get(3) {
        with_error = reason.eq_ignore_ascii_case(b"ERROR");
        if !(with_error || reason.eq_ignore_ascii_case(b"TIMEOUT")) || args.len() > 4 {
            let text = "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR";
            return Err(CommandError::Said(text));
        }
    }
    let client_id = parse_i64(args.get(2)).ok_or(CommandError::NotAnInteger)?;
    let blocked =
        |session: &Session| session.blocked && i64::try_from(session.client_id) == Ok(client_id);
    let found = cx.core.sessions.iter().find(|(_, session)| blocked(session)).map(|(id, _)| id);
    cx.core.requests.extend(found.map(|session| Request::Unblock { session, with_error }));
    Ok(Partial::Count(i64::from(found.is_some())))
}

fn finish_unblock(_: &mut Cx<'_>, _: Args<'_>, parts: Vec<Partial>, reply: &mut Reply<'_>) -> Done {
    reply.integer(Partial::sum(parts)?);
    Ok(())
}

/// Tracking is never on, so there is no redirection.
fn getredir(_cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.integer(-1);
    Ok(())
}

fn help(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    super::help::write(cx, reply);
    Ok(())
}
