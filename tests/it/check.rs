//! `freehold check` on what a server has left behind: sound, torn, damaged and repaired, with the
//! exit codes that scripts rely on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use freehold_tests::folder::Folder;
use freehold_tests::process;
use freehold_tests::server::{freehold, freehold_binary};

const COLUMNS: usize = 80;
const LIMIT: Duration = Duration::from_secs(30);

/// The data of a server of two cores that was killed after it had answered.
fn left_behind() -> Folder {
    let folder = Folder::new("check");
    let directory = folder.path().display().to_string();
    let options = ["--dir", &directory, "--appendonly", "yes", "--appendfsync", "always"];
    let mut server = freehold(2).with(&options).start();
    let mut client = server.client();
    for n in 0..50 {
        client.call(&["SET", &format!("key:{n}"), &"v".repeat(n)]);
        client.call(&["MSET", &format!("a{n}"), "1", &format!("b{n}"), "2", "c", "3"]);
        client.call(&["RPUSH", "list", &format!("element {n}")]);
    }
    process::signal(server.pid(), "KILL");
    server.wait_for_exit(LIMIT);
    folder
}

fn data(folder: &Folder) -> PathBuf {
    folder.path().join("appendonlydir")
}

/// Output and exit code; paths apart, all of it fits the terminal.
fn check(args: &[&str]) -> (String, i32) {
    let run = Command::new(freehold_binary()).arg("check").args(args).output().expect("it runs");
    let text = [run.stdout, run.stderr].map(|text| String::from_utf8(text).expect("text")).concat();
    for line in text.lines().filter(|line| line.starts_with("  ")) {
        assert!(line.chars().count() <= COLUMNS, "{line}");
    }
    (text, run.status.code().expect("it ends by itself"))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Writes over a byte of a log, `back` bytes before the end of its records.
fn damage(log: &Path, back: usize) {
    let mut bytes = fs::read(log).expect("a log");
    let end = bytes.iter().rposition(|byte| *byte != 0).expect("records") + 1;
    bytes[end - back] ^= 0x40;
    fs::write(log, bytes).expect("it can be written");
}

#[test]
fn what_a_killed_server_leaves_is_sound_and_what_it_holds_is_told() {
    let folder = left_behind();
    let (text, code) = check(&[&shown(&data(&folder))]);
    assert_eq!(code, 0, "{text}");
    for part in ["log of core 0 of 2, generation 1", "log of core 1 of 2", "all of it is sound"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let log = data(&folder).join("log-00000001-000.fhl");
    let copy = folder.path().join("copy");
    fs::copy(&log, &copy).expect("copied");
    let (text, code) = check(&[&shown(&copy), &shown(&log)]);
    assert_eq!((code, text.matches("\n  sound\n").count()), (0, 2), "{text}");
}

#[test]
fn damage_is_found_and_repaired_and_the_server_starts_again() {
    let folder = left_behind();
    let log = data(&folder).join("log-00000001-001.fhl");
    damage(&log, 2000);
    let before = fs::read(&log).expect("a log");
    let (text, code) = check(&[&shown(&log)]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("DAMAGED at byte "), "{text}");
    assert_eq!(fs::read(&log).expect("a log"), before, "nothing is changed unless asked");

    let (text, code) = check(&["--repair", &shown(&log)]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("repaired: it ends at byte "), "{text}");
    let copy = data(&folder).join("log-00000001-001.fhl.before-repair");
    assert_eq!(fs::read(&copy).expect("a copy"), before);

    damage(&log, 100);
    let (text, code) = check(&["--repair", &shown(&log)]);
    assert_eq!(code, 3, "an earlier copy is not written over: {text}");
    fs::remove_file(&copy).expect("it is there");
    let (text, code) = check(&["--repair", &shown(&log)]);
    assert_eq!(code, 0, "{text}");

    let directory = shown(folder.path());
    let options = ["--dir", &directory, "--appendonly", "yes"];
    let server = freehold(2).with(&options).start();
    let (text, code) = check(&["--repair", &shown(&data(&folder))]);
    assert!(code < 2, "nothing there needs a repair: {text}");
    drop(server);
}

/// The file was named alone, and the server may have been started anywhere.
#[test]
fn a_start_that_damage_refuses_says_where_the_file_lies() {
    let folder = left_behind();
    damage(&data(&folder).join("log-00000001-001.fhl"), 2000);
    let directory = shown(folder.path());
    let options = freehold(2).with(&["--dir", &directory, "--appendonly", "yes"]);
    let said = options.try_start().err().expect("it is damaged");
    let named = format!("{}: log-00000001-001.fhl is damaged at offset ", shown(&data(&folder)));
    assert!(said.contains(&named), "{said}");
    assert!(said.contains("look at the directory with `freehold check`"), "{said}");
}

/// A change that no version knows, behind a right checksum, was passed over, and the start served.
#[test]
fn a_log_whose_changes_are_not_known_here_is_refused() {
    let folder = Folder::new("check-foreign");
    let directory = shown(folder.path());
    let options = ["--dir", &directory, "--appendonly", "yes", "--appendfsync", "always"];
    let mut server = freehold(1).with(&options).start();
    server.client().call(&["RPUSH", "the list", "element"]);
    process::signal(server.pid(), "KILL");
    server.wait_for_exit(LIMIT);

    let log = data(&folder).join("log-00000001-000.fhl");
    let mut bytes = fs::read(&log).expect("a log");
    let key = bytes.windows(8).rposition(|bytes| bytes == b"the list").expect("its key");
    let (start, record) = record_around(&bytes, key);
    bytes[key + 8] = 0xee; // where the edit begins
    let (length, body) = (start..start + 4, start + 8..record);
    let sum = crc32c::crc32c_append(crc32c::crc32c(&bytes[length]), &bytes[body]);
    bytes[start + 4..start + 8].copy_from_slice(&sum.to_le_bytes());
    fs::write(&log, bytes).expect("it can be written");

    let said = freehold(1).with(&options).try_start().err().expect("it is not known");
    assert!(said.contains("a change that is not known here: number 1 of slot "), "{said}");
}

/// Where the record begins that holds the byte at `within`, and where it ends.
fn record_around(bytes: &[u8], within: usize) -> (usize, usize) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    let end_of = |start: usize| start + 8 + word(start) as usize;
    let is_record = |start: &usize| {
        let end = end_of(*start);
        let body = (within..bytes.len()).contains(&end).then(|| &bytes[start + 8..end]);
        let sum = crc32c::crc32c(&bytes[*start..start + 4]);
        body.is_some_and(|body| crc32c::crc32c_append(sum, body) == word(start + 4))
    };
    let start = (0..within - 8).rev().find(is_record).expect("it is in a record");
    (start, end_of(start))
}

/// A start did not look at the numbers of changes: without one of its logs it served what the
/// others held, and changes that rested on the missing ones came out otherwise.
#[test]
fn a_log_that_is_gone_is_missed_and_the_operator_may_go_on_without() {
    let folder = left_behind();
    let directory = shown(folder.path());
    let options = ["--dir", &directory, "--appendonly", "yes", "--appendfsync", "always"];
    let mut server = freehold(3).with(&options).start();
    for n in 0..50 {
        server.client().call(&["APPEND", &format!("key:{n}"), "+"]);
    }
    process::signal(server.pid(), "KILL");
    server.wait_for_exit(LIMIT);
    assert_eq!(check(&[&shown(&data(&folder))]).1, 0, "nothing is missing yet");

    fs::remove_file(data(&folder).join("log-00000001-000.fhl")).expect("a log");
    let (text, code) = check(&[&shown(&data(&folder))]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("records are missing"), "{text}");
    let mut refused = freehold(1).with(&options).launch();
    assert!(!refused.wait_for_exit(LIMIT).success());
    let log = refused.log();
    assert!(log.contains("records are missing") && log.contains("freehold check"), "{log}");

    let going_on = [&options[..], &["--log-load-gaps", "yes"]].concat();
    let server = freehold(1).with(&going_on).start();
    assert_eq!(server.client().said("SAVE"), "+OK");
    drop(server);
    let server = freehold(2).with(&options).start();
    let text = server.client().said("GET key:49");
    assert!(text.ends_with("+\""), "what the later log said is there: {text}");
}

#[test]
fn nothing_is_repaired_while_a_server_uses_the_directory() {
    let folder = left_behind();
    let directory = shown(folder.path());
    let _server = freehold(2).with(&["--dir", &directory, "--appendonly", "yes"]).start();
    let log = data(&folder).join("log-00000001-000.fhl");
    damage(&log, 100);
    let (text, code) = check(&["--repair", &shown(&log)]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("stop it before anything is repaired"), "{text}");
}

#[test]
fn a_torn_tail_is_1_and_what_is_not_ours_is_3() {
    let folder = left_behind();
    let log = data(&folder).join("log-00000001-000.fhl");
    damage(&log, 3);
    let (text, code) = check(&[&shown(&log)]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("torn tail at byte "), "{text}");
    let (text, code) = check(&[&shown(&data(&folder))]);
    assert_eq!(code, 1, "{text}");

    let other = folder.path().join("dump.rdb");
    fs::write(&other, b"REDIS0011").expect("written");
    for wrong in [shown(&other), shown(folder.path()), shown(&folder.path().join("missing"))] {
        let (text, code) = check(&[&wrong]);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains("freehold check: "), "{text}");
    }
    assert_eq!(check(&[]).1, 3, "what is to be checked?");
    assert_eq!(check(&["--help"]).1, 0);
}
