//! The subcommands that ask something of a running server: `freehold export` and
//! `freehold import`.

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::path::PathBuf;

use crate::config::{Remote, Target};

const PASSWORD_VARIABLE: &str = "REDISCLI_AUTH";

const ABOUT_EXPORT: &str = "\
Writes the keys of a running server into an RDB file.

The server may be Freehold, Redis or Valkey. Every database is walked by SCAN; values are copied \
as DUMP answers them, with their deadlines. The file is written beside FILE and takes its place \
when it is complete, so FILE is never half a dump.

The server goes on serving, so the file is not of one instant: a key that is changed meanwhile is \
there as it was before or after, and one that is made meanwhile may be missing. Functions and \
scripts are not exported. Values of modules cannot be.

redis-server 7.0 loads the file unless a value needs a newer one: small sets and streams of Redis \
7.2 need 7.2, hashes whose fields have deadlines need 7.4, or Valkey 9 if they come from there. \
`freehold import` and `freehold --import` read them all.";

const ABOUT_IMPORT: &str = "\
Puts the keys of a file into a running server.

FILE is an RDB file of Redis (up to 8) or Valkey (up to 9), an append-only file, its manifest, or \
the directory that holds one. Each key is given to the server by RESTORE, in the database it had \
and with its deadline; keys past their deadline are left out, and so are functions.

The import ends at the first key that the server refuses, with what it said; keys before it stay. \
A key that is there already is such a refusal, unless --replace is given: then it is overwritten, \
and an import that has ended early can be begun again.

To fill Freehold before it serves, `freehold --import FILE` is faster.";

/// The subcommands as clap knows them.
pub(super) fn commands() -> [Command; 2] {
    let export = subcommand("export", "Write the keys of a running server into an RDB file")
        .long_about(ABOUT_EXPORT)
        .after_help("Example: freehold export --port 6379 dump.rdb")
        .arg(path("FILE", "The RDB file to write; one that is there is replaced"));
    let import = subcommand("import", "Put the keys of a file into a running server")
        .long_about(ABOUT_IMPORT)
        .after_help("Example: freehold import --port 7000 --replace /var/lib/redis/dump.rdb")
        .arg(
            Arg::new("replace")
                .long("replace")
                .action(ArgAction::SetTrue)
                .help("Overwrite keys that are there already"),
        )
        .arg(path("FILE", "An RDB file, an append-only file, its manifest or its directory"));
    [export, import]
}

fn subcommand(name: &'static str, about: &'static str) -> Command {
    let switch = |name: &'static str| Arg::new(name).long(name);
    Command::new(name)
        .about(about)
        .arg(
            switch("host")
                .value_name("HOST")
                .default_value("127.0.0.1")
                .help("Name or address of the server"),
        )
        .arg(
            switch("port")
                .short('p')
                .value_name("PORT")
                .default_value("6379")
                .value_parser(value_parser!(u16))
                .help("Port of the server; of Freehold the plain one"),
        )
        .arg(switch("user").value_name("NAME").help("User to log in as [default: default]"))
        .arg(switch("password").value_name("TEXT").allow_hyphen_values(true).help(
            "Password of the user; where others see this host's processes, set REDISCLI_AUTH \
             in the environment instead",
        ))
}

fn path(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).required(true).value_parser(value_parser!(PathBuf)).help(help)
}

/// What a subcommand asks for.
pub(super) fn read(name: &str, mut said: ArgMatches) -> Option<Remote> {
    let server = target(&mut said)?;
    let path = said.remove_one("FILE")?;
    match name {
        "export" => Some(Remote::Export { server, file: path }),
        "import" => Some(Remote::Import { server, path, replace: said.get_flag("replace") }),
        _ => None,
    }
}

fn target(said: &mut ArgMatches) -> Option<Target> {
    Some(Target {
        host: said.remove_one("host")?,
        port: said.remove_one("port")?,
        user: said.remove_one("user"),
        password: said.remove_one("password").or_else(|| std::env::var(PASSWORD_VARIABLE).ok()),
    })
}
