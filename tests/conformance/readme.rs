//! The list of commands in the README is made from the rows of the command table, so that it can
//! neither promise what is not there nor forget what is. After a change of the table:
//! `FREEHOLD_BLESS=1 cargo test -p freehold-tests --test conformance readme`.

use std::collections::BTreeMap;

use freehold_engine::command::table::{Command, Table};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
const BEGIN: &str = "<!-- commands: made from the command table; tests/conformance compares -->\n";
const END: &str = "<!-- /commands -->";

const COLUMNS_MAX: usize = 100;
/// Where the names begin, behind the name of the group.
const INDENT: usize = 14;

/// A fenced block with a paragraph for each group of commands.
fn block(table: &Table) -> String {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for command in table.top() {
        groups.entry(command.spec.group).or_default().push(shown(table, command));
    }
    let mut text = "```text\n".to_owned();
    for (group, mut names) in groups {
        names.sort();
        text.push_str(&wrapped(group, &names.join(", ")));
    }
    text + "```\n"
}

/// `GET`, or `CONFIG GET|SET|…` with the subcommands in alphabetical order.
fn shown(table: &Table, command: &Command) -> String {
    let all = table.commands();
    let subcommands = command.subcommands.iter().map(|&index| all[index].spec.name);
    let mut subcommands: Vec<&str> = subcommands.collect();
    subcommands.sort_unstable();
    if subcommands.is_empty() {
        return command.spec.name.to_owned();
    }
    format!("{} {}", command.spec.name, subcommands.join("|"))
}

/// The group and its names in lines that fit; broken behind a comma or a bar.
fn wrapped(group: &str, names: &str) -> String {
    let mut text = String::new();
    let mut line = format!("{group:<INDENT$}");
    for piece in names.split_inclusive(", ").flat_map(|name| name.split_inclusive('|')) {
        if line.len() + piece.trim_end().len() > COLUMNS_MAX {
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(INDENT);
        }
        line.push_str(piece);
    }
    text + line.trim_end() + "\n"
}

#[test]
fn the_readme_lists_exactly_the_commands_there_are() {
    let readme = std::fs::read_to_string(README).expect("the README");
    let begin = readme.find(BEGIN).expect("the mark where the list begins") + BEGIN.len();
    let end = readme.find(END).expect("the mark where the list ends");
    let block = block(Table::get());

    if std::env::var_os("FREEHOLD_BLESS").is_some() {
        let text = format!("{}{block}{}", &readme[..begin], &readme[end..]);
        std::fs::write(README, text).expect("the README can be written");
        return;
    }

    let listed = &readme[begin..end];
    assert!(listed == block, "run again with FREEHOLD_BLESS=1; the list should be\n{block}");
}

#[test]
fn a_long_group_is_wrapped_behind_commas_and_bars() {
    let names = format!("GET, {}, CONFIG {}|SET", "S".repeat(70), "G".repeat(20));

    let lines = wrapped("string", &names);

    let expected = format!(
        "string        GET, {},\n              CONFIG {}|SET\n",
        "S".repeat(70),
        "G".repeat(20)
    );
    assert_eq!(lines, expected);
}
