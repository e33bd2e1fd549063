//! A file nobody imports is dead, and the compiler does not say so: every Rust file is a crate
//! root, or a `mod` line in its parent names it.

use crate::house::{File, Finding, House};

pub fn every_file_is_imported(house: &House) -> Vec<Finding> {
    let remedy = "write its `mod` line in the parent module, or bury it";
    let mut findings = Vec::new();
    for (file, _) in house.rust() {
        if !is_root(house, file) && !is_declared(house, file) {
            findings.push(file.finding(1, "no file imports this one".to_owned(), remedy));
        }
    }
    findings
}

/// Crate roots: those that Cargo finds by itself and those a manifest names.
fn is_root(house: &House, file: &File) -> bool {
    let path = &file.path;
    let by_place =
        ["/src/lib.rs", "/src/main.rs", "/build.rs"].iter().any(|end| path.ends_with(end))
            || ["/src/bin/", "/benches/", "/examples/", "/fuzz_targets/"].iter().any(|folder| {
                path.rsplit_once('/').is_some_and(|(p, _)| p.ends_with(&folder[..folder.len() - 1]))
            });
    by_place || is_integration_test(house, path) || is_named_by_a_manifest(house, path)
}

fn manifest_beside(house: &House, folder: &str) -> bool {
    let manifest =
        if folder.is_empty() { "Cargo.toml".into() } else { format!("{folder}/Cargo.toml") };
    house.files.iter().any(|file| file.path == manifest)
}

/// `crate/tests/name.rs` with `crate/Cargo.toml`.
fn is_integration_test(house: &House, path: &str) -> bool {
    let Some((folder, _)) = path.rsplit_once('/') else { return false };
    folder.strip_suffix("/tests").is_some_and(|owner| manifest_beside(house, owner))
}

fn is_named_by_a_manifest(house: &House, path: &str) -> bool {
    house.files.iter().filter(|file| file.path.ends_with("Cargo.toml")).any(|manifest| {
        let folder = manifest.path.trim_end_matches("Cargo.toml");
        let relative = path.strip_prefix(folder);
        relative.is_some_and(|name| manifest.text.contains(&format!("path = \"{name}\"")))
    })
}

/// A `mod` line stands in one of the files that can be this one's parent.
fn is_declared(house: &House, file: &File) -> bool {
    let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
    let (folder, module) = match name {
        "mod.rs" => folder.rsplit_once('/').unwrap_or(("", folder)),
        _ => (folder, name.trim_end_matches(".rs")),
    };
    let parents: Vec<String> =
        ["mod.rs", "lib.rs", "main.rs"].iter().map(|name| format!("{folder}/{name}")).collect();
    house.rust().any(|(parent, code)| {
        let is_parent = parents.contains(&parent.path)
            || parent.path == format!("{folder}.rs")
            || (is_root(house, parent)
                && parent.path.rsplit_once('/').is_some_and(|p| p.0 == folder));
        let by_path = || parent.text.contains(&format!("path = \"{name}\""));
        is_parent && (code.words(&format!("mod {module}")).next().is_some() || by_path())
    })
}

#[cfg(test)]
mod tests {
    use super::every_file_is_imported;
    use crate::house::House;

    #[test]
    fn a_file_without_a_mod_line_is_found() {
        let house = House::of(&[
            ("protocol/src/lib.rs", "pub mod slot;\npub mod resp;"),
            ("protocol/src/slot.rs", ""),
            ("protocol/src/resp/mod.rs", "mod parse;"),
            ("protocol/src/resp/parse.rs", ""),
            ("protocol/src/resp/forgotten.rs", ""),
            ("protocol/src/old/mod.rs", ""),
        ]);
        let found: Vec<String> =
            every_file_is_imported(&house).into_iter().map(|finding| finding.path).collect();

        assert_eq!(found, ["protocol/src/resp/forgotten.rs", "protocol/src/old/mod.rs"]);
    }

    #[test]
    fn roots_need_no_mod_line() {
        let house = House::of(&[
            ("tests/Cargo.toml", "[[test]]\npath = \"it/main.rs\""),
            ("tests/it/main.rs", "mod order;"),
            ("tests/it/order.rs", ""),
            ("protocol/fuzz/fuzz_targets/resp.rs", ""),
            ("bench/benches/parse.rs", ""),
        ]);
        assert!(every_file_is_imported(&house).is_empty());
    }
}
