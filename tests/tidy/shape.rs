//! The shape of code: functions that fit on a screen, imports that name what they bring.

use crate::code::{Code, is_name, matching};
use crate::house::{Finding, House};

const FUNCTION_LINES_MAX: usize = 70;

pub fn functions_fit(house: &House) -> Vec<Finding> {
    let remedy = "give a part of it a name; a long match may become a table";
    let mut findings = Vec::new();
    for (file, code) in house.rust() {
        if file.is_test() && !file.path.starts_with("tests/") {
            continue;
        }
        for (line, name, lines) in functions(code) {
            if lines > FUNCTION_LINES_MAX && !code.is_test_line(line) {
                findings.push(file.finding(line, format!("fn {name} has {lines} lines"), remedy));
            }
        }
    }
    findings
}

/// First line, name and number of lines of every function with a body.
fn functions(code: &Code) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for at in code.words("fn") {
        let rest = &code.text[at + 2..];
        let name: String = rest.trim_start().chars().take_while(|&c| is_name(c)).collect();
        // A pointer type `fn(…)` has no name; a declaration in a trait has no body.
        let Some(open) = rest.find(['{', ';']).map(|length| at + 2 + length) else { continue };
        if name.is_empty() || code.text[open..].starts_with(';') {
            continue;
        }
        let first = code.line_of(at);
        let last = code.line_of(matching(&code.text, open) - 1);
        found.push((first, name, last - first + 1));
    }
    found
}

pub fn no_glob_imports(house: &House) -> Vec<Finding> {
    let remedy = "name what is imported";
    let mut findings = Vec::new();
    for (file, code) in house.rust().filter(|(file, _)| !file.is_test()) {
        for at in code.words("use") {
            let end = code.text[at..].find(';').map_or(code.text.len(), |length| at + length);
            let line = code.line_of(at);
            if code.text[at..end].contains('*') && !code.is_test_line(line) {
                findings.push(file.finding(line, "a glob import".to_owned(), remedy));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{functions_fit, no_glob_imports};
    use crate::house::House;

    #[test]
    fn a_long_function_is_found_and_a_long_table_is_not() {
        let body = "    x();\n".repeat(70);
        let table = format!("const ROWS: &[u8] = &[\n{}];\n", "    1,\n".repeat(90));
        let text = format!("{table}fn long() {{\n{body}}}\nfn short() {{\n}}\n");
        let found = functions_fit(&House::of(&[("server/src/main.rs", &text)]));

        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].problem.as_str()), (93, "fn long has 72 lines"));
    }

    #[test]
    fn a_glob_import_is_fine_in_tests_only() {
        let text = "use a::{b, c};\nuse d::*;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n";
        let found = no_glob_imports(&House::of(&[("server/src/main.rs", text)]));

        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
    }
}
