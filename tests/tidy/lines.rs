//! Rules about single lines: their length, postponed tasks, and paths that exist on one machine.

use crate::house::{File, Finding, House};

const COLUMNS_MAX: usize = 100;
/// Kinds of file whose lines are written by hand, as code.
const CODE: &[&str] = &[".rs", ".sh", ".py", ".js", ".mjs"];
/// Words that postpone a task, split so that this file does not contain them.
const POSTPONED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];
/// Beginnings of paths that only exist where somebody works.
const MACHINE: &[&str] = &[
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/Us", "ers/"),
    concat!("/tmp/", "plan"),
];

pub fn lines_fit(house: &House) -> Vec<Finding> {
    let remedy = "break the line, or name a part of it";
    let mut findings = Vec::new();
    for file in house.files.iter().filter(|file| is_code(file)) {
        for (index, line) in file.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > COLUMNS_MAX {
                findings.push(file.finding(index + 1, format!("{columns} columns"), remedy));
            }
        }
    }
    findings
}

fn is_code(file: &File) -> bool {
    CODE.iter().any(|ending| file.path.ends_with(ending))
}

pub fn postponed_tasks_name_an_issue(house: &House) -> Vec<Finding> {
    let remedy = "do it now, or name the issue as #12";
    let mut findings = Vec::new();
    for file in house.files.iter().filter(|file| is_code(file)) {
        for (line, text) in comments(file) {
            let postponed = POSTPONED.iter().find(|word| text.contains(**word));
            let names_issue = text
                .split('#')
                .skip(1)
                .any(|rest| rest.starts_with(|character: char| character.is_ascii_digit()));
            if let Some(word) = postponed.filter(|_| !names_issue) {
                findings.push(file.finding(line, format!("{word} without an issue"), remedy));
            }
        }
    }
    findings
}

fn comments(file: &File) -> Vec<(usize, String)> {
    match &file.code {
        Some(code) => code.comments.clone(),
        None => {
            let lines = file.text.lines().enumerate();
            lines.map(|(index, line)| (index + 1, line.to_owned())).collect()
        }
    }
}

pub fn no_machine_paths(house: &House) -> Vec<Finding> {
    let remedy = "write the path from the repository's root, or take it from the environment";
    let mut findings = Vec::new();
    for file in &house.files {
        for (index, line) in file.text.lines().enumerate() {
            let own = |start: &&&str| {
                line.match_indices(**start).any(|(at, _)| {
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}$)".contains(c))
                })
            };
            if let Some(start) = MACHINE.iter().find(own) {
                findings.push(file.finding(index + 1, format!("a path under {start}"), remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{MACHINE, POSTPONED, lines_fit, no_machine_paths, postponed_tasks_name_an_issue};
    use crate::house::House;

    #[test]
    fn a_long_line_is_found_and_columns_are_not_bytes() {
        let long = format!("{}\n{}", "é".repeat(100), "x".repeat(101));
        let found = lines_fit(&House::of(&[("server/src/main.rs", &long), ("README.md", &long)]));

        assert_eq!(found.len(), 1);
        assert_eq!((found[0].path.as_str(), found[0].line), ("server/src/main.rs", 2));
    }

    #[test]
    fn a_postponed_task_needs_an_issue() {
        let word = POSTPONED[0];
        let text = format!("// {word}: later\n// {word}(#7): later\nlet s = \"{word}\";");
        let found = postponed_tasks_name_an_issue(&House::of(&[("server/src/main.rs", &text)]));

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 1);
    }

    #[test]
    fn a_path_of_a_machine_is_found_in_any_file() {
        let text = format!("see\ncd {}place\ncd target/wo{}k/x", MACHINE[1], "r");
        let found = no_machine_paths(&House::of(&[("README.md", &text)]));

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
    }
}
