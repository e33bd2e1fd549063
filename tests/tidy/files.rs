//! Rules about whole files: each opens with its reason, and each is named for what it holds.

use crate::house::{Finding, House};

/// Names that say nothing about what is inside.
const NAMELESS: &[&str] = &[
    "utils",
    "util",
    "common",
    "misc",
    "impls",
    "helpers",
    "helper",
    "stuff",
    "extras",
    "various",
    "shared",
    "tools",
    "general",
    "lib_rs",
    "utilities",
    "functions",
    "types",
];

/// A sibling `tests.rs` needs none: it is the rest of the file it belongs to.
pub fn files_open_with_their_reason(house: &House) -> Vec<Finding> {
    let remedy = "begin with three to ten lines of //! that say why this file exists";
    let mut findings = Vec::new();
    for (file, _) in house.rust().filter(|(file, _)| !file.path.ends_with("/tests.rs")) {
        let first = file.text.lines().find(|line| !line.starts_with("#![") && !line.is_empty());
        if !first.is_some_and(|line| line.starts_with("//!")) {
            findings.push(file.finding(1, "no opening comment".to_owned(), remedy));
        }
    }
    findings
}

pub fn rooms_are_named(house: &House) -> Vec<Finding> {
    let remedy = "name it for the noun that lives in it";
    let mut findings = Vec::new();
    for (file, _) in house.rust() {
        let folders = file.path.split('/').rev().skip(1);
        if let Some(name) = folders.chain([file.stem()]).find(|name| NAMELESS.contains(name)) {
            findings.push(file.finding(1, format!("a room named {name}"), remedy));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{files_open_with_their_reason, rooms_are_named};
    use crate::house::House;

    #[test]
    fn a_file_without_a_reason_is_found() {
        let house = House::of(&[
            ("server/src/a.rs", "use b;\n//! Late."),
            ("server/src/c.rs", "#![no_main]\n//! Says why.\n"),
        ]);
        let found = files_open_with_their_reason(&house);

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "server/src/a.rs");
    }

    #[test]
    fn a_room_named_for_nothing_is_found() {
        let house = House::of(&[
            ("server/src/utils.rs", ""),
            ("server/src/common/mod.rs", ""),
            ("server/src/utils_of_steam.rs", ""),
        ]);
        assert_eq!(rooms_are_named(&house).len(), 2);
    }
}
