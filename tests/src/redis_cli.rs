//! The redis-cli of the machine, for what a client of our own would not show.

use std::path::Path;
use std::process::{Command, Output};

/// `redis-cli -p PORT` with these words.
///
/// # Panics
/// When there is none.
pub fn run(port: u16, words: &[&str]) -> Output {
    let mut command = Command::new("redis-cli");
    command.args(["-p", &port.to_string()]).args(words);
    command.output().expect("redis-cli is installed")
}

/// `redis-cli --rdb`: a copy of all data of a server in a file.
///
/// # Panics
/// When it does not get one.
#[track_caller]
pub fn copy(port: u16, file: &Path) {
    let output = run(port, &["--rdb", file.to_str().expect("a path of text")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "redis-cli: {said}");
    assert!(said.contains("Transfer finished with success"), "redis-cli: {said}");
}
