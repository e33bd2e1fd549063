//! One dependency, one folder (style.md §2): a package is named only behind its door, and
//! `unsafe` is written only in the rooms that were built for it.

use crate::code::Code;
use crate::house::{Finding, House};

/// A package by the name it has in code, and the places that may name it.
const DOORS: &[(&str, &[&str])] = &[
    ("io_uring", &["server/src/runtime/"]),
    ("libc", &["server/src/runtime/"]),
    ("tokio", &["server/src/control/"]),
    ("chitchat", &["server/src/control/"]),
    ("openraft", &["server/src/control/"]),
    ("glommio", &["loadgen/"]),
    ("mlua", &["server/engine/src/script/"]),
    ("hashbrown", &["server/engine/src/keyspace/", "server/engine/src/value/"]),
    ("ahash", &["server/engine/src/keyspace/", "server/engine/src/value/"]),
    ("bytes", &["protocol/", "server/src/net/"]),
    ("rkyv", &["protocol/src/binary/replication.rs", "server/engine/src/snapshot/"]),
    ("crc", &["protocol/src/slot.rs"]),
    ("crc16", &["protocol/src/slot.rs"]),
    ("mimalloc", &["server/src/runtime/allocator.rs", "server/src/main.rs", "bench/src/main.rs"]),
    ("libmimalloc_sys", &["server/src/runtime/allocator.rs"]),
    ("hdrhistogram", &["loadgen/src/record.rs", "server/src/observe/latency.rs"]),
    (
        "clap",
        &[
            "server/src/config/cli",
            "server/src/check/cli.rs",
            "loadgen/src/cli.rs",
            "bench/",
            "tuning/",
        ],
    ),
    ("fuser", &["tests/src/lossy/"]),
    ("nix", &["tests/lossymount/"]),
    ("freehold_engine", &["server/", "bench/", "tests/conformance/", "tests/simulation/"]),
    ("freehold", &["server/"]),
];

/// The rooms of `unsafe`; everywhere else a safe type is used.
const UNSAFE_ROOMS: &[&str] = &[
    "server/engine/src/memory/slab.rs",
    "server/engine/src/mesh/spsc.rs",
    "server/engine/src/keyspace/entry.rs",
    "server/src/runtime/",
];

pub fn packages_stay_behind_their_doors(house: &House) -> Vec<Finding> {
    let remedy = "go through the room that wraps it, or move the code there";
    let mut findings = Vec::new();
    for (file, code) in house.rust() {
        for (package, doors) in DOORS {
            if doors.iter().any(|door| file.path.starts_with(door)) {
                continue;
            }
            if let Some(at) = first_mention(code, package) {
                let problem = format!("names {package} outside {}", doors.join(", "));
                findings.push(file.finding(code.line_of(at), problem, remedy));
            }
        }
    }
    findings
}

/// Where a path begins with this package, unless the file has a module of that name.
fn first_mention(code: &Code, package: &str) -> Option<usize> {
    let used = format!("use {package}");
    let used_here = code.words(&used).map(|at| at + "use ".len()).next();
    let in_path = || {
        let own_module = code.words(&format!("mod {package}")).next().is_some()
            || code.words(&format!("::{package}")).next().is_some()
            || code.words(&format!("as {package}")).next().is_some();
        let begins_path = |&at: &usize| {
            let before = code.text[..at].trim_end();
            !before.ends_with("::") && code.text[at + package.len()..].starts_with("::")
        };
        code.words(package).find(begins_path).filter(|_| !own_module)
    };
    used_here.or_else(in_path)
}

pub fn unsafe_stays_in_its_rooms(house: &House) -> Vec<Finding> {
    let remedy = "use the safe type of one of the rooms, or give that room the operation";
    let mut findings = Vec::new();
    for (file, code) in house.rust() {
        if UNSAFE_ROOMS.iter().any(|room| file.path.starts_with(room)) {
            continue;
        }
        for at in code.words("unsafe") {
            let problem = "unsafe outside its rooms".to_owned();
            findings.push(file.finding(code.line_of(at), problem, remedy));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{packages_stay_behind_their_doors, unsafe_stays_in_its_rooms};
    use crate::house::House;

    #[test]
    fn a_package_outside_its_door_is_found() {
        for text in ["use io_uring::IoUring;", "fn f() { libc::getpid(); }", "use ahash;"] {
            let outside = House::of(&[("server/src/net/listen.rs", text)]);
            assert_eq!(packages_stay_behind_their_doors(&outside).len(), 1, "{text}");
        }
    }

    #[test]
    fn the_engine_is_learned_by_wire() {
        let text = "use freehold_engine::command::TABLE;";
        let found = |path| packages_stay_behind_their_doors(&House::of(&[(path, text)])).len();

        assert_eq!(found("tests/it/reply_order.rs"), 1);
        assert_eq!(found("loadgen/src/main.rs"), 1);
        assert_eq!(found("tests/conformance/examples.rs"), 0);
    }

    #[test]
    fn a_module_of_the_same_name_is_no_package() {
        let text = "use super::bytes; fn f() { bytes::take(); }";
        let house = House::of(&[("server/engine/src/value/string.rs", text)]);
        assert!(packages_stay_behind_their_doors(&house).is_empty());
    }

    #[test]
    fn unsafe_outside_its_rooms_is_found_with_its_line() {
        let text = "// unsafe is not used\nfn f() {\n    unsafe { g() }\n}";
        let found = unsafe_stays_in_its_rooms(&House::of(&[("server/src/main.rs", text)]));
        let room = House::of(&[("server/engine/src/mesh/spsc.rs", text)]);

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 3);
        assert!(unsafe_stays_in_its_rooms(&room).is_empty());
    }
}
