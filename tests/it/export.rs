//! `freehold export` and `freehold import` between servers that run: Freehold, redis-server and,
//! where the benchmarks have installed it, Valkey 9.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::{Server, freehold, freehold_binary, redis, valkey};
use freehold_tests::show::show;

use crate::import::{compare, fill, import, saved};

on_one_and_two_cores!(
    what_redis_holds_is_exported_and_is_there_at_the_start,
    what_redis_holds_goes_into_a_server_that_runs,
    what_is_exported_here_redis_loads,
    append_only_files_go_into_a_server_that_runs,
    hashes_of_valkey_keep_the_deadlines_of_their_fields,
);

/// How a subcommand ended and what it said.
struct Ended {
    well: bool,
    said: String,
}

fn ask(command: &str, server: &Server, words: &[&str], auth: Option<&str>) -> Ended {
    let mut program = Command::new(freehold_binary());
    program.arg(command).arg("--port").arg(server.port().to_string()).args(words);
    match auth {
        Some(password) => program.env("REDISCLI_AUTH", password),
        None => program.env_remove("REDISCLI_AUTH"),
    };
    let output = program.output().expect("the program runs");
    let said = [output.stdout, output.stderr].concat();
    Ended { well: output.status.success(), said: String::from_utf8_lossy(&said).into_owned() }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

#[track_caller]
pub(crate) fn export(server: &Server) -> PathBuf {
    let file = server.directory().join("exported.rdb");
    let ended = ask("export", server, &[text(&file)], None);
    assert!(ended.well, "{}", ended.said);
    assert!(ended.said.starts_with("Exported "), "{}", ended.said);
    file
}

fn what_redis_holds_is_exported_and_is_there_at_the_start(cores: u16) {
    let theirs = redis().start();
    let mut client = theirs.client();
    fill(&mut client);
    let ours = import(cores, &export(&theirs));
    compare(&mut client, &mut ours.client());
}

fn what_redis_holds_goes_into_a_server_that_runs(cores: u16) {
    let (theirs, ours) = (redis().start(), freehold(cores).start());
    let mut client = theirs.client();
    fill(&mut client);
    let file = export(&theirs);

    let first = ask("import", &ours, &[text(&file)], None);
    assert!(first.well && first.said.starts_with("Imported "), "{}", first.said);
    compare(&mut client, &mut ours.client());

    ours.client().call(&["SET", "text", "another"]);
    let again = ask("import", &ours, &[text(&file)], None);
    assert!(!again.well && again.said.contains("BUSYKEY"), "{}", again.said);
    assert!(again.said.contains("give --replace"), "{}", again.said);
    let replacing = ask("import", &ours, &["--replace", text(&file)], None);
    assert!(replacing.well, "{}", replacing.said);
    compare(&mut client, &mut ours.client());
}

fn what_is_exported_here_redis_loads(cores: u16) {
    let theirs = redis().start();
    let ours = import(cores, &saved(&theirs));
    let file = export(&ours);
    assert!(fs::read(&file).expect("the file").starts_with(b"REDIS0010"));

    let second = redis().start();
    fs::copy(&file, second.directory().join("dump.rdb")).expect("copied");
    let mut again = second.client();
    assert_eq!(again.said("DEBUG RELOAD NOSAVE NOFLUSH"), "+OK");
    compare(&mut theirs.client(), &mut again);
    // A digest has what is past its deadline, until that is looked at.
    assert_eq!(theirs.client().said("GET short"), "(nil)");
    assert_eq!(again.said("DEBUG DIGEST"), theirs.client().said("DEBUG DIGEST"));
}

fn append_only_files_go_into_a_server_that_runs(cores: u16) {
    let theirs = redis().with(&["--appendonly", "yes"]).start();
    let mut client = theirs.client();
    fill(&mut client);
    let ours = freehold(cores).start();
    let ended = ask("import", &ours, &[text(theirs.directory())], None);
    assert!(ended.well && ended.said.starts_with("Imported "), "{}", ended.said);
    compare(&mut client, &mut ours.client());
}

/// The deadlines of all fields of the hashes that [`fill_hashes`] makes.
fn field_deadlines(client: &mut Client) -> Vec<String> {
    let mut found = Vec::new();
    for (key, fields) in [("h", 3), ("h:long", 1000), ("h:plain", 1)] {
        let mut words = vec!["HPEXPIRETIME".to_owned(), key.to_owned(), "FIELDS".to_owned()];
        words.push(fields.to_string());
        words.extend((0..fields).map(|n| format!("f{n}")));
        found.push(show(&client.call(&words)));
    }
    found
}

fn fill_hashes(client: &mut Client) {
    const DEADLINE: u64 = 4_102_444_800_000;
    for (key, fields) in [("h", 3_u64), ("h:long", 1000), ("h:plain", 1)] {
        for n in 0..fields {
            client.call(&["HSET", key, &format!("f{n}"), &n.to_string()]);
            if key != "h:plain" && n % 3 != 1 {
                let (at, field) = ((DEADLINE + n).to_string(), format!("f{n}"));
                let set = client.call(&["HPEXPIREAT", key, &at, "FIELDS", "1", &field]);
                assert_eq!(set, Value::Array(vec![Value::Integer(1)]));
            }
        }
    }
}

fn hashes_of_valkey_keep_the_deadlines_of_their_fields(cores: u16) {
    let Some(options) = valkey() else {
        eprintln!("left out: there is no Valkey (bench/compare/run.sh installs it)");
        return;
    };
    let theirs = options.start();
    let mut client = theirs.client();
    fill(&mut client);
    fill_hashes(&mut client);
    assert_eq!(client.said("SAVE"), "+OK");
    let expected = field_deadlines(&mut client);
    assert!(expected[0].contains("4102444800002"), "{}", expected[0]);
    for file in [theirs.directory().join("dump.rdb"), export(&theirs)] {
        assert!(fs::read(&file).expect("the file").starts_with(b"VALKEY080"));
        let ours = import(cores, &file);
        assert_eq!(field_deadlines(&mut ours.client()), expected, "{}", file.display());
        compare(&mut client, &mut ours.client());

        // And through RESTORE.
        let running = freehold(cores).start();
        let ended = ask("import", &running, &[text(&file)], None);
        assert!(ended.well, "{}", ended.said);
        assert_eq!(field_deadlines(&mut running.client()), expected, "{}", file.display());
    }
}

#[test]
fn an_export_that_is_refused_says_what_to_do_and_leaves_the_old_file() {
    let server = freehold(1).with(&["--requirepass", "secret"]).start();
    let folder = server.directory();
    let file = folder.join("kept.rdb");
    fs::write(&file, "old").expect("written");

    let locked = ask("export", &server, &[text(&file)], None);
    assert!(!locked.well && locked.said.contains("set REDISCLI_AUTH"), "{}", locked.said);
    let wrong = ask("export", &server, &["--password", "guess", text(&file)], None);
    assert!(!wrong.well && wrong.said.contains("WRONGPASS"), "{}", wrong.said);
    assert_eq!(fs::read(&file).expect("the file"), b"old");

    let open = ask("export", &server, &[text(&file)], Some("secret"));
    assert!(open.well, "{}", open.said);
    assert!(fs::read(&file).expect("the file").starts_with(b"REDIS0010"));
    let parts = fs::read_dir(folder).expect("a folder").filter_map(Result::ok);
    let parts = parts.filter(|entry| entry.file_name().to_string_lossy().contains(".part"));
    assert_eq!(parts.count(), 0, "nothing half written is left");
}
