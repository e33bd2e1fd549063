//! HELP of a container, made from its rows.

use freehold_protocol::Reply;

use super::context::Cx;
use super::spec::{Arity, Spec};
use super::table::Table;

/// One status line a subcommand and its summary, in the form of Redis's HELP.
pub fn write(cx: &mut Cx<'_>, reply: &mut Reply<'_>) {
    let container = Table::get()
        .commands()
        .iter()
        .find(|command| std::ptr::eq(command.spec, cx.spec))
        .and_then(|command| command.parent);
    let Some(container) = container else { return reply.array(0) };
    let head =
        format!("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", container.name);
    let mut rows: Vec<&Spec> = container.subcommands.iter().collect();
    rows.sort_by_key(|row| row.name);
    reply.array(1 + 2 * rows.len());
    reply.simple(&head);
    for row in rows {
        let takes = match row.arity {
            Arity::Exactly(2) => "",
            Arity::AtLeast(2) => " [<arg> ...]",
            Arity::Exactly(_) | Arity::AtLeast(_) => " <arg> ...",
        };
        reply.simple(&format!("{}{takes}", row.name));
        reply.simple(&format!("    {}", row.summary));
    }
}
