//! Configuration as an operator meets it: a file in redis.conf syntax, words on the command line
//! over it, refusals that name file, line and range, and CONFIG SET and REWRITE while it runs.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use freehold_tests::server::{Server, freehold, freehold_binary};

on_one_and_two_cores!(
    a_setting_changed_while_running_holds_on_every_core,
    rewrite_keeps_the_file_and_stores_what_changed,
);

struct ConfigFile(PathBuf);

impl ConfigFile {
    fn of(name: &str, text: &str) -> ConfigFile {
        let file = format!("freehold-{}-{name}.conf", std::process::id());
        let path = std::env::temp_dir().join(file);
        std::fs::write(&path, text).expect("the folder for temporary files can be written");
        ConfigFile(path)
    }

    fn path(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        // What is left in the temporary folder harms nobody.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The file stands first on the command line, as redis-server wants it.
fn with_file(cores: u16, file: &ConfigFile) -> freehold_tests::server::Options {
    freehold(cores).first(&file.path())
}

#[track_caller]
fn refused(mut server: Server) -> String {
    let status = server.wait_for_exit(Duration::from_secs(10));
    assert!(!status.success(), "it started:\n{}", server.log());
    server.log()
}

#[test]
fn a_bad_line_is_named_with_file_line_and_range() {
    for (line, hints) in [
        ("maxclients 0", &["maxclients", "1"][..]),
        ("maxmemory-policy sometimes", &["allkeys-lru", "noeviction"]),
        ("port 70000", &["65535"]),
        ("cores many", &["cores"]),
        ("no-such-setting 1", &["no-such-setting"]),
        ("requirepass \"open", &["quotes"]),
    ] {
        let text = format!("# a comment\ntimeout 0\n{line}\n");
        let file = ConfigFile::of("bad", &text);
        let said = refused(with_file(1, &file).launch());

        assert!(said.contains(&file.path()), "{line}: the file is not named: {said}");
        let names_line = said.contains("line 3") || said.contains(&format!("{}:3", file.path()));
        assert!(names_line, "{line}: the line is not named: {said}");
        for hint in hints {
            assert!(said.to_lowercase().contains(hint), "{line}: {hint} is not said: {said}");
        }
    }
}

#[test]
fn a_bad_word_on_the_command_line_is_named() {
    for words in [["--maxclients", "0"], ["--no-such-setting", "1"], ["--hz", "x"]] {
        let said = refused(freehold(1).with(&words).launch());
        assert!(said.contains(words[0].trim_start_matches('-')), "{said}");
    }
}

#[test]
fn the_command_line_wins_over_the_file() {
    let file = ConfigFile::of("wins", "maxclients 77\ntimeout 5\nmaxmemory 64mb\n");
    let server = with_file(1, &file).with(&["--timeout", "9"]).start();
    let mut client = server.client();

    assert_eq!(client.said("CONFIG GET maxclients"), "[\"maxclients\", \"77\"]");
    assert_eq!(client.said("CONFIG GET timeout"), "[\"timeout\", \"9\"]");
    assert_eq!(client.said("CONFIG GET maxmemory"), "[\"maxmemory\", \"67108864\"]");
}

fn a_setting_changed_while_running_holds_on_every_core(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    assert_eq!(client.said("CONFIG SET maxmemory-policy allkeys-lfu timeout 300"), "+OK");

    for _ in 0..8 {
        let mut other = server.client();
        let seen = other.said("CONFIG GET maxmemory-policy");
        assert_eq!(seen, "[\"maxmemory-policy\", \"allkeys-lfu\"]");
        assert_eq!(other.said("CONFIG GET timeout"), "[\"timeout\", \"300\"]");
    }
    let both = "CONFIG SET timeout 1 maxmemory-policy nonsense";
    assert!(
        client.said(both).starts_with("(error) ERR CONFIG SET failed"),
        "{}",
        client.said(both)
    );
    let kept = client.said("CONFIG GET timeout");
    assert_eq!(kept, "[\"timeout\", \"300\"]", "half a CONFIG SET was applied");
}

fn rewrite_keeps_the_file_and_stores_what_changed(cores: u16) {
    let file = ConfigFile::of(&format!("rewrite{cores}"), "# kept\ntimeout 5\n\n# also kept\n");
    let server = with_file(cores, &file).start();
    let mut client = server.client();

    assert_eq!(client.said("CONFIG SET timeout 50 maxmemory 100mb"), "+OK");
    assert_eq!(client.said("CONFIG REWRITE"), "+OK");

    let text = std::fs::read_to_string(&file.0).expect("the file is there");
    assert!(text.contains("# kept") && text.contains("# also kept"), "{text}");
    assert!(text.contains("timeout 50") && !text.contains("timeout 5\n"), "{text}");
    assert!(text.contains("maxmemory"), "{text}");
}

#[test]
fn rewrite_without_a_file_is_refused() {
    let server = freehold(1).start();
    let said = server.client().said("CONFIG REWRITE");
    assert_eq!(said, "(error) ERR The server is running without a config file");
}

#[test]
fn logs_are_lines_of_json_when_asked_for() {
    let server = freehold(1).with(&["--log-format", "json"]).start();
    server.client().said("PING");

    let log = server.log();
    let objects = log.lines().filter(|line| line.starts_with('{') && line.ends_with('}'));
    assert_eq!(objects.count(), log.lines().count(), "{log}");
    assert!(log.contains("\"Ready to accept connections\""), "{log}");
}

/// A node of 256 databases found no key in a command over several cores and lost all that
/// append-only files held, because 256 was made a byte, which is 0; one of 257 fell at its start.
#[test]
fn there_may_be_256_databases_and_no_more() {
    let folder = std::env::temp_dir().join(format!("freehold-databases-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let log = folder.join("log.aof");
    let words = "*2\r\n$6\r\nSELECT\r\n$3\r\n255\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
    std::fs::write(&log, words).expect("written");
    let path = log.to_str().expect("a path of text");
    let server = freehold(2).with(&["--databases", "256", "--import", path]).start();
    let mut client = server.client();
    assert_eq!(client.said("SELECT 255"), "+OK");
    assert_eq!(client.said("GET k"), "\"v\"");
    for n in 0..20 {
        client.call(&["SET", &format!("from:{n}"), &n.to_string()]);
        assert_eq!(client.said(&format!("RENAME from:{n} to:{n}")), "+OK");
        assert_eq!(client.said(&format!("GET to:{n}")), format!("\"{n}\""));
    }
    std::fs::remove_dir_all(&folder).expect("removed");

    let mut refused = freehold(1).with(&["--databases", "257"]).launch();
    assert!(!refused.wait_for_exit(Duration::from_secs(30)).success());
    assert!(refused.log().contains("--databases 257"), "{}", refused.log());
}

/// On a terminal a start that failed said so twice: the log goes there, and so did the last words.
#[test]
fn a_start_that_fails_says_why_once_on_a_terminal_and_to_both_streams_apart() {
    let program = freehold_binary().display().to_string();
    let words = ["--port", "1", "--bind", "192.0.2.1", "--protected-mode", "no"];
    let reason = "cannot listen on 192.0.2.1:1";
    let line = format!("{program} {}", words.join(" "));
    let terminal = Command::new("script").args(["-qec", &line, "/dev/null"]).output();
    let terminal = terminal.expect("script is a part of every Debian").stdout;
    let said = String::from_utf8_lossy(&terminal);
    assert_eq!(said.matches(reason).count(), 1, "{said}");

    let output = Command::new(&program).args(words).output().expect("it runs");
    for stream in [output.stdout, output.stderr] {
        let said = String::from_utf8_lossy(&stream);
        assert_eq!(said.matches(reason).count(), 1, "{said}");
    }
}
