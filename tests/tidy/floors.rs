//! The floors of the engine: a room imports only from below, command families never from each
//! other, and nothing in the engine or the protocol reaches for the system, a clock or a terminal.

use crate::code::{Code, is_name, matching};
use crate::house::{File, Finding, House};

const ENGINE: &str = "server/engine/src/";

/// Rooms of the engine and their floors; a room sees the floors below its own.
/// `effect` holds what commands return, so commands and shard see it; what consumes effects
/// (log, snapshot, replication, cluster) stands on top.
const FLOORS: &[(&str, u8)] = &[
    ("base", 0),
    ("memory", 1),
    ("mesh", 1),
    ("disk", 1),
    ("config", 1),
    ("value", 2),
    ("keyspace", 3),
    ("effect", 4),
    ("rdb", 4),
    ("command", 5),
    ("shard", 6),
    ("log", 7),
    ("snapshot", 7),
    ("store", 8),
    ("replication", 7),
    ("cluster", 7),
    ("exchange", 7),
    ("check", 8),
];

/// What the engine and the protocol may not name: they are handed time, chance and bytes.
const SYSTEM: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "Instant::now",
    "SystemTime::now",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
];

fn floor_of(room: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == room).map(|&(_, floor)| floor)
}

pub fn imports_point_downward(house: &House) -> Vec<Finding> {
    let remedy = "move what both need to a lower floor, or hand it in as an argument";
    let mut findings = Vec::new();
    for (file, code) in house.rust() {
        let Some(path) = file.path.strip_prefix(ENGINE) else { continue };
        let own = path.split(['/', '.']).next().unwrap_or_default();
        let Some(own_floor) = floor_of(own) else { continue };
        for (line, room) in imported(file, code, 0) {
            let above = floor_of(&room).is_some_and(|floor| floor >= own_floor && room != own);
            if above && !(file.is_test() || code.is_test_line(line)) {
                findings.push(file.finding(line, format!("{own} imports {room}"), remedy));
            }
        }
    }
    findings
}

pub fn families_stay_apart(house: &House) -> Vec<Finding> {
    let remedy = "a verb that two families need belongs to the value, the keyspace or the context";
    let is_family = |code: &Code| code.text.contains("&[Spec]") || code.text.contains("[Spec;");
    let family_of = |file: &File| {
        let path = file.path.strip_prefix(ENGINE)?.strip_prefix("command/")?;
        path.split(['/', '.']).next().map(str::to_owned)
    };
    let shared = ["mod", "spec", "table"];
    let families: Vec<String> = house
        .rust()
        .filter(|(_, code)| is_family(code))
        .filter_map(|(file, _)| family_of(file))
        .filter(|name| !shared.contains(&name.as_str()))
        .collect();
    let mut findings = Vec::new();
    for (file, code) in house.rust() {
        let Some(own) = family_of(file).filter(|own| families.contains(own)) else { continue };
        for (line, other) in imported(file, code, 1) {
            let apart = other != own && families.contains(&other);
            if apart && !(file.is_test() || code.is_test_line(line)) {
                findings.push(file.finding(line, format!("{own} imports {other}"), remedy));
            }
        }
    }
    findings
}

pub fn the_engine_touches_no_system(house: &House) -> Vec<Finding> {
    let remedy = "let the server do it, and hand the result in as a value";
    let mut findings = Vec::new();
    for (file, code) in house.rust() {
        let pure = file.path.starts_with(ENGINE) || file.path.starts_with("protocol/src/");
        if !pure || file.is_test() {
            continue;
        }
        let mut named: Vec<(usize, String)> = Vec::new();
        for &name in SYSTEM {
            named.extend(code.words(name).map(|at| (code.line_of(at), name.to_owned())));
        }
        for at in code.words("std::{").map(|at| at + "std::".len()) {
            let group = names_in_group(&code.text[at..matching(&code.text, at)]);
            let line = code.line_of(at);
            named.extend(group.into_iter().map(|name| (line, format!("std::{name}"))));
        }
        for (line, name) in named {
            if SYSTEM.contains(&name.as_str()) && !code.is_test_line(line) {
                findings.push(file.finding(line, format!("names {name}"), remedy));
            }
        }
    }
    findings
}

/// What a file of the engine names at `depth` below the crate root, with the line: depth 0 gives
/// rooms, depth 1 gives the families when the path begins with `command`.
fn imported(file: &File, code: &Code, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let own_path = module_path(&file.path);
    for (start, prefix) in path_starts(code, &own_path) {
        let line = code.line_of(start);
        for full in expand(&code.text, start, &prefix) {
            if depth == 1 && full.first().map(String::as_str) != Some("command") {
                continue;
            }
            found.extend(full.get(depth).map(|name| (line, name.clone())));
        }
    }
    found
}

/// `server/engine/src/value/packed/mod.rs` is the module `value::packed`.
fn module_path(path: &str) -> Vec<String> {
    let path = path.strip_prefix(ENGINE).unwrap_or(path).trim_end_matches(".rs");
    let mut names: Vec<String> = path.split('/').map(str::to_owned).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

/// Where paths from `crate` or `super` begin, and the module they begin in.
fn path_starts(code: &Code, own: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut starts: Vec<(usize, Vec<String>)> =
        code.words("crate::").map(|at| (at + "crate::".len(), Vec::new())).collect();
    for at in code.words("super::") {
        if code.text[..at].ends_with("super::") {
            continue; // the chain was taken from its first link
        }
        let mut end = at;
        let mut module = own.to_vec();
        while code.text[end..].starts_with("super::") {
            module.pop();
            end += "super::".len();
        }
        starts.push((end, module));
    }
    starts
}

/// The first two names behind `start`, one path for each member of a group.
fn expand(text: &str, start: usize, prefix: &[String]) -> Vec<Vec<String>> {
    let with = |name: &str| {
        let mut full = prefix.to_vec();
        full.push(name.to_owned());
        full
    };
    if text[start..].starts_with('{') {
        let group = &text[start..matching(text, start)];
        return names_in_group(group).iter().map(|name| with(name)).collect();
    }
    let name: String = text[start..].chars().take_while(|&c| is_name(c)).collect();
    let rest = start + name.len();
    if text[rest..].starts_with("::") && prefix.is_empty() {
        return expand(text, rest + 2, &with(&name));
    }
    vec![with(&name)]
}

/// `{a::b, c}` names `a` and `c`.
fn names_in_group(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut fresh = true;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' => {}
            _ if character.is_whitespace() => continue,
            _ if fresh && depth == 1 && is_name(character) => {
                names.push(group[at..].chars().take_while(|&c| is_name(c)).collect());
            }
            _ => {}
        }
        fresh = matches!(character, '{' | ',') && depth == 1;
    }
    names
}

#[cfg(test)]
mod tests {
    use super::{families_stay_apart, imports_point_downward, the_engine_touches_no_system};
    use crate::house::House;

    fn value_file(text: &str) -> House {
        House::of(&[("server/engine/src/value/packed/list.rs", text)])
    }

    #[test]
    fn an_import_from_above_is_found_in_every_spelling() {
        for text in [
            "use crate::keyspace::Keyspace;",
            "use crate::{base::time, keyspace::{Entry, table}};",
            "fn f() { crate::command::run() }",
            "use super::super::super::shard::Shard;",
        ] {
            let found = imports_point_downward(&value_file(text));
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!(found[0].line, 1);
        }
    }

    #[test]
    fn imports_from_below_and_from_tests_are_fine() {
        for text in [
            "use crate::base::time::Now; use crate::value::packed; use super::entry;",
            "#[cfg(test)]\nmod tests {\n    use crate::keyspace::Keyspace;\n}",
            "// crate::keyspace is what calls this",
        ] {
            assert!(imports_point_downward(&value_file(text)).is_empty(), "{text}");
        }
    }

    #[test]
    fn neighbours_on_one_floor_do_not_import_each_other() {
        let house = House::of(&[("server/engine/src/mesh/spsc.rs", "use crate::memory::slab;")]);
        assert_eq!(imports_point_downward(&house).len(), 1);
    }

    #[test]
    fn a_family_that_imports_a_family_is_found() {
        let keys = ("server/engine/src/command/keys.rs", "pub const TABLE: &[Spec] = &[];");
        for text in [
            "const TABLE: &[Spec] = &[]; use super::keys::rename;",
            "const TABLE: &[Spec] = &[]; use crate::command::{context::Cx, keys};",
        ] {
            let house = House::of(&[keys, ("server/engine/src/command/strings/mod.rs", text)]);
            let house_of_a_file =
                House::of(&[keys, ("server/engine/src/command/strings.rs", text)]);
            let spelled_from_root = text.contains("crate");
            assert_eq!(families_stay_apart(&house).len(), 1, "{text}");
            assert!(spelled_from_root || !families_stay_apart(&house_of_a_file).is_empty());
        }
    }

    #[test]
    fn the_engine_may_not_read_a_clock_or_a_file() {
        for text in ["use std::{fmt, fs};", "let t = Instant::now();", "println!(\"x\");"] {
            assert_eq!(the_engine_touches_no_system(&value_file(text)).len(), 1, "{text}");
        }
        let server = House::of(&[("server/src/main.rs", "use std::{env, fs};")]);
        assert!(the_engine_touches_no_system(&server).is_empty());
    }
}
