//! Instructions a case takes, counted by callgrind: the same number on a busy machine and an idle
//! one, which makes it the judge of small changes. It says nothing about cache misses.
//!
//! `count` starts this program again under valgrind, a process a case, with counting switched on
//! only inside [`measured_operations`].

use std::process::Command;

use crate::Options;
use crate::cases::{self, OPERATIONS};
use crate::json::Object;
use crate::timing::measured_operations;

/// Runs one case once, after a warm-up that is not counted.
pub fn once(options: &Options) -> Result<String, String> {
    let wanted = options.case.as_deref().ok_or("once needs --case")?;
    let mut found = cases::all(options.keys, Some(wanted));
    let case = found.first_mut().ok_or_else(|| format!("no case {wanted}"))?;
    case.work.prepare();
    case.work.run();
    case.work.prepare();
    measured_operations(case);
    Ok(Object::new().word("name", case.name).count("operations", OPERATIONS).end())
}

/// Counts every case (or the one named).
pub fn count(options: &Options) -> Result<String, String> {
    let mut rows = Vec::new();
    for name in cases::countable(options.case.as_deref()) {
        let total = under_callgrind(name, options.keys)? as f64 / OPERATIONS as f64;
        rows.push(Object::new().word("name", name).number("instructions", total).end());
    }
    Ok(Object::new().count("keys", options.keys).list("cases", &rows).end())
}

fn under_callgrind(case: &str, keys: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|trouble| trouble.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(["--collect-atstart=no", "--toggle-collect=*measured_operations*"])
        .arg(program)
        .args(["once", "--keys", &keys.to_string(), "--case", case])
        .output()
        .map_err(|trouble| format!("valgrind: {trouble}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines()
        .find_map(|line| line.split("Collected :").nth(1))
        .and_then(|rest| rest.trim().parse().ok())
        .filter(|&total| total > 0 && output.status.success())
        .ok_or_else(|| format!("callgrind counted nothing for {case}:\n{said}"))
}
