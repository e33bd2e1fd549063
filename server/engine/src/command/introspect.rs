//! COMMAND: the table of commands tells about itself. Cluster clients route by what stands here.

use freehold_protocol::{Args, Reply};

use super::context::Cx;
use super::error::CommandError;
use super::spec::{
    Arity, CATEGORY_NAMES, CONNECTION, Done, FLAG_NAMES, Find, KeySpec, LOADING, Run, STALE, Spec,
};
use super::table::{Command, Table};
use crate::base::glob::{self, Case};

pub const TABLE: &[Spec] = &[Spec {
    name: "COMMAND",
    run: Run::Here(all),
    arity: Arity::AtLeast(1),
    flags: LOADING | STALE,
    acl: CONNECTION,
    tips: &["nondeterministic_output_order"],
    subcommands: &[
        Spec {
            name: "COUNT",
            arity: Arity::Exactly(2),
            flags: LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(count),
            since: "2.8.13",
            group: "server",
            summary: "Get total number of Redis commands",
            examples: &[("COMMAND COUNT", ":*")],
            ..Spec::ROW
        },
        Spec {
            name: "INFO",
            arity: Arity::AtLeast(2),
            flags: LOADING | STALE,
            acl: CONNECTION,
            tips: &["nondeterministic_output_order"],
            run: Run::Here(info),
            since: "2.8.13",
            group: "server",
            summary: "Get array of specific Redis command details, or all when no argument is \
                given.",
            complexity: "O(N) where N is the number of commands to look up",
            examples: &[
                ("COMMAND INFO nothing", "*1\r\n$-1\r\n"),
                ("COMMAND INFO get", "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "DOCS",
            arity: Arity::AtLeast(2),
            flags: LOADING | STALE,
            acl: CONNECTION,
            tips: &["nondeterministic_output_order"],
            run: Run::Here(docs),
            since: "7.0.0",
            group: "server",
            summary: "Get array of specific Redis command documentation",
            complexity: "O(N) where N is the number of commands to look up",
            examples: &[
                ("COMMAND DOCS nothing", "*0\r\n"),
                ("COMMAND DOCS get", "*2\r\n$3\r\nget\r\n*"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "LIST",
            arity: Arity::AtLeast(2),
            flags: LOADING | STALE,
            acl: CONNECTION,
            tips: &["nondeterministic_output_order"],
            run: Run::Here(list),
            since: "7.0.0",
            group: "server",
            summary: "Get an array of Redis command names",
            complexity: "O(N) where N is the total number of Redis commands",
            examples: &[
                ("COMMAND LIST FILTERBY PATTERN getde?", "*1\r\n$6\r\ngetdel\r\n"),
                ("COMMAND LIST FILTERBY WHAT x", "-ERR syntax error\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "GETKEYS",
            arity: Arity::AtLeast(4),
            flags: LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(getkeys),
            since: "2.8.13",
            group: "server",
            summary: "Extract keys given a full Redis command",
            complexity: "O(N) where N is the number of arguments to the command",
            examples: &[
                ("COMMAND GETKEYS MSET a 1 b 2", "*2\r\n$1\r\na\r\n$1\r\nb\r\n"),
                ("COMMAND GETKEYS PING x", "-ERR The command has no key arguments\r\n"),
                ("COMMAND GETKEYS NOTHING x", "-ERR Invalid command specified\r\n"),
            ],
            ..Spec::ROW
        },
        Spec {
            name: "GETKEYSANDFLAGS",
            arity: Arity::AtLeast(4),
            flags: LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(getkeysandflags),
            since: "7.0.0",
            group: "server",
            summary: "Extract keys and access flags given a full Redis command",
            complexity: "O(N) where N is the number of arguments to the command",
            examples: &[(
                "COMMAND GETKEYSANDFLAGS GET a",
                "*1\r\n*2\r\n$1\r\na\r\n*2\r\n+RO\r\n+access\r\n",
            )],
            ..Spec::ROW
        },
        Spec {
            name: "HELP",
            arity: Arity::Exactly(2),
            flags: LOADING | STALE,
            acl: CONNECTION,
            run: Run::Here(help),
            since: "5.0.0",
            group: "server",
            summary: "Show helpful text about the different subcommands",
            examples: &[("COMMAND HELP", "*")],
            ..Spec::ROW
        },
    ],
    since: "2.8.13",
    group: "server",
    summary: "Get array of Redis command details",
    complexity: "O(N) where N is the total number of Redis commands",
    examples: &[("COMMAND", "*")],
    ..Spec::ROW
}];

fn all(_cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let table = Table::get();
    reply.array(table.top().count());
    table.top().for_each(|command| write_info(command, reply));
    Ok(())
}

fn count(_cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    reply.integer(Table::get().top().count() as i64);
    Ok(())
}

fn info(cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    if args.len() == 2 {
        return all(cx, args, reply);
    }
    reply.array(args.len() - 2);
    for name in args.iter().skip(2) {
        match Table::get().find_full(name) {
            Some(command) => write_info(command, reply),
            None => reply.null(),
        }
    }
    Ok(())
}

/// The ten elements of one command in COMMAND INFO.
fn write_info(command: &Command, reply: &mut Reply<'_>) {
    let spec = command.spec;
    let (first, last, step) = spec.legacy_range();
    reply.array(10);
    reply.text(&command.full_name);
    reply.integer(spec.arity.as_info());
    let flags: Vec<&str> = names(FLAG_NAMES, spec.flags);
    reply.set(flags.len());
    flags.iter().for_each(|flag| reply.simple(flag));
    reply.integer(first);
    reply.integer(last);
    reply.integer(step);
    let categories = names(CATEGORY_NAMES, spec.categories());
    reply.set(categories.len());
    categories.iter().for_each(|category| reply.simple(&format!("@{category}")));
    reply.array(spec.tips.len());
    spec.tips.iter().for_each(|tip| reply.text(tip));
    reply.array(spec.keys.len());
    spec.keys.iter().for_each(|key| write_key_spec(key, reply));
    let table = Table::get();
    reply.array(command.subcommands.len());
    command.subcommands.iter().for_each(|&sub| write_info(&table.commands()[sub], reply));
}

fn names(all: &[(u32, &'static str)], bits: u32) -> Vec<&'static str> {
    all.iter().filter(|(bit, _)| bits & bit != 0).map(|&(_, name)| name).collect()
}

fn write_key_spec(spec: &KeySpec, reply: &mut Reply<'_>) {
    reply.map(if spec.notes.is_empty() { 3 } else { 4 });
    if !spec.notes.is_empty() {
        reply.text("notes");
        reply.text(spec.notes);
    }
    reply.text("flags");
    reply.set(spec.flags.len());
    spec.flags.iter().for_each(|flag| reply.simple(flag));
    if matches!(spec.find, Find::LastOption { .. } | Find::Unknown) {
        for part in ["begin_search", "find_keys"] {
            reply.text(part);
            reply.map(2);
            reply.text("type");
            reply.text("unknown");
            reply.text("spec");
            reply.map(0);
        }
        return;
    }
    reply.text("begin_search");
    reply.map(2);
    reply.text("type");
    if let Find::Halved { word, .. } | Find::After { word } = spec.find {
        reply.text("keyword");
        reply.text("spec");
        reply.map(2);
        reply.text("keyword");
        reply.text(word);
        reply.text("startfrom");
    } else {
        reply.text("index");
        reply.text("spec");
        reply.map(1);
        reply.text("index");
    }
    reply.integer(i64::from(spec.begin));
    reply.text("find_keys");
    reply.map(2);
    reply.text("type");
    let fields: [(&str, i64); 3] = match spec.find {
        Find::Range { last, step } => {
            reply.text("range");
            [("lastkey", i64::from(last)), ("keystep", i64::from(step)), ("limit", 0)]
        }
        Find::LastOption { .. } | Find::Unknown => return,
        Find::Halved { .. } => {
            reply.text("range");
            [("lastkey", -1), ("keystep", 1), ("limit", 2)]
        }
        Find::After { .. } => {
            reply.text("range");
            [("lastkey", 0), ("keystep", 1), ("limit", 0)]
        }
        Find::Counted { first, step } => {
            reply.text("keynum");
            [("keynumidx", 0), ("firstkey", i64::from(first)), ("keystep", i64::from(step))]
        }
    };
    reply.text("spec");
    reply.map(fields.len());
    for (name, value) in fields {
        reply.text(name);
        reply.integer(value);
    }
}

fn docs(_cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let table = Table::get();
    let wanted: Vec<&Command> = match args.len() {
        2 => table.top().collect(),
        _ => args.iter().skip(2).filter_map(|name| table.find_full(name)).collect(),
    };
    reply.map(wanted.len());
    wanted.iter().for_each(|command| write_docs(command, reply));
    Ok(())
}

fn write_docs(command: &Command, reply: &mut Reply<'_>) {
    let spec = command.spec;
    reply.text(&command.full_name);
    let fields = [("summary", spec.summary), ("since", spec.since), ("group", spec.group)];
    let complexity = !spec.complexity.is_empty();
    let subcommands = !command.subcommands.is_empty();
    reply.map(fields.len() + usize::from(complexity) + usize::from(subcommands));
    for (name, value) in fields {
        reply.text(name);
        reply.text(value);
    }
    if complexity {
        reply.text("complexity");
        reply.text(spec.complexity);
    }
    if subcommands {
        let table = Table::get();
        reply.text("subcommands");
        reply.map(command.subcommands.len());
        command.subcommands.iter().for_each(|&sub| write_docs(&table.commands()[sub], reply));
    }
}

fn list(_cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let keep: Box<dyn Fn(&Command) -> bool + '_> = match args.len() {
        2 => Box::new(|_| true),
        5 if args.get(2).eq_ignore_ascii_case(b"FILTERBY") => {
            let value = args.get(4);
            match &args.get(3).to_ascii_uppercase()[..] {
                // There are no modules, so none has commands.
                b"MODULE" => Box::new(|_| false),
                b"ACLCAT" => {
                    let bit = CATEGORY_NAMES
                        .iter()
                        .find(|(_, name)| name.as_bytes().eq_ignore_ascii_case(value))
                        .map_or(0, |&(bit, _)| bit);
                    Box::new(move |command| command.spec.categories() & bit != 0)
                }
                b"PATTERN" => Box::new(move |command| {
                    glob::matches(value, command.full_name.as_bytes(), Case::Insensitive)
                }),
                _ => return Err(CommandError::Syntax),
            }
        }
        _ => return Err(CommandError::Syntax),
    };
    let names: Vec<&str> = Table::get()
        .commands()
        .iter()
        .filter(|command| (args.len() == 5 || command.parent.is_none()) && keep(command))
        .map(|command| &*command.full_name)
        .collect();
    reply.array(names.len());
    names.iter().for_each(|name| reply.text(name));
    Ok(())
}

/// The positions of the keys of the request in `args[2..]`, with the spec each belongs to.
fn keys_of(args: Args<'_>) -> Result<Vec<(usize, &'static KeySpec)>, CommandError> {
    let request = args.tail(2);
    let table = Table::get();
    let mut command =
        table.find(request.name()).ok_or(CommandError::Said("ERR Invalid command specified"))?;
    if !command.subcommands.is_empty() && request.len() > 1 {
        command = table
            .find_sub(command, request.get(1))
            .ok_or(CommandError::Said("ERR Invalid command specified"))?;
    }
    if !command.spec.keys.iter().any(KeySpec::is_key) {
        return Err(CommandError::Said("ERR The command has no key arguments"));
    }
    if !command.spec.arity.admits(request.len()) {
        let text = "ERR Invalid number of arguments specified for command";
        return Err(CommandError::Said(text));
    }
    let mut found = Vec::new();
    for spec in command.spec.keys {
        let invalid = CommandError::Said("ERR Invalid arguments specified for command");
        spec.positions(request, |at| found.push((at, spec))).map_err(|_| invalid)?;
    }
    Ok(found)
}

fn getkeys(_cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let keys = keys_of(args)?;
    reply.array(keys.len());
    keys.iter().for_each(|&(at, _)| reply.bulk(args.get(2 + at)));
    Ok(())
}

fn getkeysandflags(_cx: &mut Cx<'_>, args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    let keys = keys_of(args)?;
    reply.array(keys.len());
    for (at, spec) in keys {
        reply.array(2);
        reply.bulk(args.get(2 + at));
        reply.set(spec.flags.len());
        spec.flags.iter().for_each(|flag| reply.simple(flag));
    }
    Ok(())
}

fn help(cx: &mut Cx<'_>, _args: Args<'_>, reply: &mut Reply<'_>) -> Done {
    super::help::write(cx, reply);
    Ok(())
}
