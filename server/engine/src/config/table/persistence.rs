//! What is kept on disk, and when it is durable.

use crate::base::number::parse_i64;

use super::super::kinds::{Appendfsync, SnapshotFormat};
use super::super::value::Kind;
use super::{INT, MEMORY, OptionRow, field};

const SHUTDOWN: Kind = Kind::Words { check: shutdown_words };

pub(super) const ROWS: &[OptionRow] = &[
    OptionRow::new("appendonly", Kind::Bool, "no", field!(persistence.appendonly))
        .says("Keep a log of every change, one a core, and read it at start"),
    OptionRow::new(
        "appendfsync",
        Kind::Choice(Appendfsync::NAMES),
        "everysec",
        field!(persistence.appendfsync),
    )
    .says("When changes are durable: before the reply, a second later, or some time"),
    OptionRow::new(
        "appenddirname",
        super::ANY_TEXT,
        "appendonlydir",
        field!(persistence.appenddirname),
    )
    .at_start()
    .says("The directory of logs and snapshots, below dir or, as a path, elsewhere"),
    OptionRow::new(
        "auto-aof-rewrite-percentage",
        INT,
        "100",
        field!(persistence.rewrite_percentage),
    )
    .says("By how much snapshot and log grow until a snapshot releases the log; 0 for never"),
    OptionRow::new(
        "auto-aof-rewrite-min-size",
        MEMORY,
        "64mb",
        field!(persistence.rewrite_min_bytes),
    )
    .says("Up to this size they may grow by more than that"),
    OptionRow::new("save", Kind::Words { check: save_points }, "", field!(persistence.save))
        .says("Pairs of seconds and changes: when a snapshot is taken by itself; \"\" for never"),
    OptionRow::new(
        "snapshot-format",
        Kind::Choice(SnapshotFormat::NAMES),
        "freehold",
        field!(persistence.snapshot_format),
    )
    .says(
        "rdb: SAVE, BGSAVE, save and SHUTDOWN write dbfilename as well, as redis-server reads it",
    ),
    OptionRow::new(
        "dbfilename",
        Kind::Text { check: file_name },
        "dump.rdb",
        field!(persistence.dbfilename),
    )
    .protected()
    .says("The file in dir that snapshot-format rdb writes; a start does not read it"),
    OptionRow::new("log-load-gaps", Kind::Bool, "no", field!(persistence.log_load_gaps))
        .at_start()
        .says("Start though records of the log are missing: changes that rest on them go wrong"),
    OptionRow::new(
        "key-load-delay",
        Kind::Integer { min: 0, max: 1_000_000 },
        "0",
        field!(persistence.key_load_delay_us),
    )
    .says("Microseconds to wait after each key while loading: to try clients out on a start"),
    OptionRow::new(
        "repl-timeout",
        Kind::Integer { min: 1, max: i32::MAX as i64 },
        "60",
        field!(persistence.repl_timeout_s),
    )
    .says("Seconds after which a client is closed that reads nothing of a copy of the data"),
    OptionRow::new(
        "shutdown-on-sigint",
        SHUTDOWN,
        "default",
        field!(persistence.shutdown_on_sigint),
    )
    .says("How SIGINT ends the node, in the words of SHUTDOWN; default: as without any"),
    OptionRow::new(
        "shutdown-on-sigterm",
        SHUTDOWN,
        "default",
        field!(persistence.shutdown_on_sigterm),
    )
    .says("How SIGTERM does"),
];

fn file_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" | "." | ".." => Err("dbfilename has to name a file"),
        name if name.contains('/') => Err("dbfilename can't be a path, just a filename"),
        _ => Ok(()),
    }
}

fn save_points(words: &[String]) -> Result<(), &'static str> {
    let number = |word: &String| parse_i64(word.as_bytes());
    let valid = words.len().is_multiple_of(2)
        && words.chunks_exact(2).all(|pair| {
            number(&pair[0]).is_some_and(|seconds| seconds >= 1)
                && number(&pair[1]).is_some_and(|changes| changes >= 0)
        });
    if valid { Ok(()) } else { Err("Invalid save parameters") }
}

fn shutdown_words(words: &[String]) -> Result<(), &'static str> {
    let known = ["default", "save", "nosave", "now", "force"];
    if words.iter().all(|word| known.iter().any(|name| name.eq_ignore_ascii_case(word))) {
        Ok(())
    } else {
        Err("argument(s) must be one of the following: default, save, nosave, now, force")
    }
}
