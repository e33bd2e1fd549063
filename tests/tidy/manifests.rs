//! The walls between crates as Cargo sees them, and the rule that every dependency is pinned to
//! one version and says in the workspace manifest why it is in the house.

use crate::house::{File, Finding, House};

/// Which crates of the house a manifest may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("protocol/Cargo.toml", &[]),
    ("server/engine/Cargo.toml", &["freehold-protocol"]),
    ("server/Cargo.toml", &["freehold-protocol", "freehold-engine"]),
    ("loadgen/Cargo.toml", &["freehold-protocol"]),
    ("bench/Cargo.toml", &["freehold-protocol", "freehold-engine"]),
    ("tests/Cargo.toml", &["freehold-protocol", "freehold-engine"]),
];

pub fn crates_depend_along_the_arrows(house: &House) -> Vec<Finding> {
    let remedy = "the arrows are in design.md, section 2: learn it by wire or from below";
    let mut findings = Vec::new();
    for file in &house.files {
        let Some((_, allowed)) = ARROWS.iter().find(|(path, _)| *path == file.path) else {
            continue;
        };
        for (line, name) in dependencies(file) {
            if name.starts_with("freehold") && !allowed.contains(&name.as_str()) {
                findings.push(file.finding(line, format!("depends on {name}"), remedy));
            }
        }
    }
    findings
}

pub fn dependencies_are_pinned_with_a_reason(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in house.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let lines: Vec<&str> = file.text.lines().collect();
        let root = file.path == "Cargo.toml";
        for (line, name) in dependencies(file) {
            let text = lines[line - 1];
            let own = text.contains("path =") || text.contains("workspace");
            if own || file.path.contains("/fuzz/") {
                continue;
            }
            if !root {
                let remedy = "name it with a reason in the workspace manifest, here `.workspace`";
                findings.push(file.finding(line, format!("{name} is declared here"), remedy));
            } else if !text.contains("\"=") {
                let remedy = "write the exact version, as \"=1.2.3\"";
                findings.push(file.finding(line, format!("{name} is not pinned"), remedy));
            } else if !has_reason(&lines, line - 1) {
                let remedy = "say above it in a comment what it does for the house";
                findings.push(file.finding(line, format!("{name} has no reason"), remedy));
            }
        }
    }
    findings
}

/// A comment stands above, perhaps with neighbours of the same purpose between.
fn has_reason(lines: &[&str], at: usize) -> bool {
    let above = lines[..at].iter().rev().take_while(|line| !line.trim().is_empty());
    above.take(3).any(|line| line.starts_with('#'))
}

/// Names in the dependency tables, with their lines.
fn dependencies(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (index, line) in file.text.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.trim_end_matches(']').ends_with("dependencies");
        } else if inside && line.contains('=') && !line.trim_start().starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            found.push((index + 1, name.trim_matches('"').to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{crates_depend_along_the_arrows, dependencies_are_pinned_with_a_reason};
    use crate::house::House;

    #[test]
    fn a_dependency_against_an_arrow_is_found() {
        let text = "[dependencies]\nfreehold-engine.workspace = true\n";
        let house = House::of(&[("protocol/Cargo.toml", text), ("server/Cargo.toml", text)]);
        let found = crates_depend_along_the_arrows(&house);

        assert_eq!(found.len(), 1);
        assert_eq!((found[0].path.as_str(), found[0].line), ("protocol/Cargo.toml", 2));
    }

    #[test]
    fn a_loose_an_unexplained_and_a_scattered_dependency_are_found() {
        let root = "[workspace.dependencies]\n# Fast.\na = \"1.0\"\n\nb = \"=1.0.0\"\n";
        let house = House::of(&[
            ("Cargo.toml", root),
            ("loadgen/Cargo.toml", "[dependencies]\nc = \"=1.0.0\"\n"),
        ]);
        let problems: Vec<String> = dependencies_are_pinned_with_a_reason(&house)
            .into_iter()
            .map(|finding| finding.problem)
            .collect();

        assert_eq!(problems, ["a is not pinned", "b has no reason", "c is declared here"]);
    }
}
