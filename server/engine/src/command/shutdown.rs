//! SHUTDOWN: what is asked for, and how a node keeps still while it saves. When to end is decided
//! by the shard that was asked, ending is the business of the server.

use freehold_protocol::{Args, Reply};

use super::context::{Cx, Request};
use super::error::CommandError;
use super::gather::Partial;
use super::spec::{ADMIN, ALLOW_BUSY, Arity, Done, LOADING, NO_MULTI, NOSCRIPT, Run, STALE, Spec};

pub const TABLE: &[Spec] = &[Spec {
    name: "SHUTDOWN",
    arity: Arity::AtLeast(1),
    flags: ADMIN | NOSCRIPT | LOADING | STALE | NO_MULTI | ALLOW_BUSY,
    run: Run::Everywhere { collect: hold_writes, finish: held, exclusive: false },
    since: "1.0.0",
    group: "server",
    summary: "Synchronously save the dataset to disk and then shut down the server",
    complexity: "O(N) when saving, where N is the total number of keys in all databases when \
        saving data, otherwise O(1)",
    examples: &[
        ("SHUTDOWN WHAT", "-ERR syntax error\r\n"),
        ("SHUTDOWN SAVE NOSAVE", "-ERR syntax error\r\n"),
        ("SHUTDOWN NOW ABORT", "-ERR syntax error\r\n"),
        ("SHUTDOWN ABORT", "-ERR No shutdown in progress.\r\n"),
    ],
    ..Spec::ROW
}];

/// Whether a snapshot comes before the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Save {
    /// If there are `save` rules.
    ByRules,
    Always,
    Never,
}

/// An end of the node as it is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    pub save: Save,
    /// Without waiting for replies to leave.
    pub now: bool,
    /// Also when the snapshot fails.
    pub force: bool,
}

/// What SHUTDOWN asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    End(Ending),
    /// The end that is under way is not to come.
    Abort,
}

/// Reads the words behind SHUTDOWN.
///
/// # Errors
/// A word nobody knows, or two that exclude each other.
pub fn wish<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Wish, CommandError> {
    let (mut save, mut never, mut abort) = (false, false, false);
    let mut ending = Ending { save: Save::ByRules, now: false, force: false };
    let mut count = 0;
    for word in words {
        count += 1;
        match &word.to_ascii_uppercase()[..] {
            b"SAVE" => save = true,
            b"NOSAVE" => never = true,
            b"NOW" => ending.now = true,
            b"FORCE" => ending.force = true,
            b"ABORT" => abort = true,
            _ => return Err(CommandError::Syntax),
        }
    }
    if save && never || abort && count > 1 {
        return Err(CommandError::Syntax);
    }
    ending.save = match (save, never) {
        (true, _) => Save::Always,
        (_, true) => Save::Never,
        _ => Save::ByRules,
    };
    Ok(if abort { Wish::Abort } else { Wish::End(ending) })
}

/// On every core: what a snapshot would not hold any more is not written.
fn hold_writes(cx: &mut Cx<'_>, _args: Args<'_>) -> Result<Partial, CommandError> {
    cx.core.requests.push(Request::HoldWrites);
    Ok(Partial::Done)
}

/// As in Redis, the answer of an end is that the connection closes: see `Shard::go_on_to_end`.
fn held(_cx: &mut Cx<'_>, _args: Args<'_>, _parts: Vec<Partial>, _reply: &mut Reply<'_>) -> Done {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Result<Wish, CommandError> {
        wish(words.split_whitespace().map(str::as_bytes))
    }

    #[test]
    fn words_come_in_any_order_and_case_unless_they_exclude_each_other() {
        let end = |save, now, force| Ok(Wish::End(Ending { save, now, force }));
        assert_eq!(read(""), end(Save::ByRules, false, false));
        assert_eq!(read("force save"), end(Save::Always, false, true));
        assert_eq!(read("NOW nosave"), end(Save::Never, true, false));
        assert_eq!(read("Abort"), Ok(Wish::Abort));
        for wrong in ["SAVE NOSAVE", "ABORT FORCE", "ABORT ABORT", "LATER"] {
            assert_eq!(read(wrong), Err(CommandError::Syntax), "{wrong}");
        }
    }
}
