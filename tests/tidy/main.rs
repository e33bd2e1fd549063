//! The rules of the house (style.md §2 and §5) as ordinary tests. Each names file, line and
//! remedy. Each rule is a function from a [`house::House`] to findings, so that a self-test can
//! hand it a planted violation and see it fail.
#![forbid(unsafe_code)]

mod code;
mod doors;
mod files;
mod floors;
mod house;
mod lines;
mod manifests;
mod reachable;
mod shape;

use house::{Finding, House};

/// Looks through the house and names what is broken.
type Rule = fn(&House) -> Vec<Finding>;

/// Every rule with the promise it holds.
const RULES: &[(&str, Rule)] = &[
    ("imports point downward", floors::imports_point_downward),
    ("command families do not import each other", floors::families_stay_apart),
    ("the engine touches no system", floors::the_engine_touches_no_system),
    ("a package stays behind its door", doors::packages_stay_behind_their_doors),
    ("unsafe stays in its rooms", doors::unsafe_stays_in_its_rooms),
    ("crates depend along the arrows", manifests::crates_depend_along_the_arrows),
    ("dependencies are pinned with a reason", manifests::dependencies_are_pinned_with_a_reason),
    ("every file is imported", reachable::every_file_is_imported),
    ("lines fit 100 columns", lines::lines_fit),
    ("a postponed task names an issue", lines::postponed_tasks_name_an_issue),
    ("no path of somebody's machine", lines::no_machine_paths),
    ("functions fit 70 lines", shape::functions_fit),
    ("no glob imports outside tests", shape::no_glob_imports),
    ("a file opens with its reason", files::files_open_with_their_reason),
    ("rooms are named for something", files::rooms_are_named),
];

#[test]
fn the_house_is_tidy() {
    let house = House::of_this_repository();
    assert!(house.files.len() > 20, "the repository was not found: {} files", house.files.len());

    let mut complaints = Vec::new();
    for (promise, rule) in RULES {
        complaints.extend(rule(&house).iter().map(|finding| format!("{finding}  [{promise}]")));
    }

    complaints.sort();
    assert!(complaints.is_empty(), "{} broken rules:\n{}", complaints.len(), complaints.join("\n"));
}
