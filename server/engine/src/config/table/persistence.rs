//! What is kept on disk, and when it is durable.

use super::super::kinds::Appendfsync;
use super::super::value::Kind;
use super::{OptionRow, field};

pub(super) const ROWS: &[OptionRow] = &[
    OptionRow::new("appendonly", Kind::Bool, "no", field!(persistence.appendonly))
        .at_start()
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
    .says("The directory of logs and snapshots, below dir"),
];
