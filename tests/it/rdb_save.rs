//! `snapshot-format rdb`: SAVE and its kin leave a `dump.rdb` that redis-server has the same from,
//! and one that cannot be written fails the save and leaves the old one.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use freehold_tests::client::Client;
use freehold_tests::cuts::loaded_by_redis;
use freehold_tests::folder::Folder;
use freehold_tests::server::{Server, freehold, redis};
use freehold_tests::show::show;
use freehold_tests::wait;

use crate::disk_full::Small;
use crate::import::{compare, import, saved};

on_one_and_two_cores!(
    redis_loads_what_save_has_written,
    whoever_saves_writes_the_file_and_whoever_rewrites_the_log_does_not,
    a_file_that_cannot_have_its_place_fails_the_save,
    a_file_there_is_no_space_for_fails_the_save_and_the_old_one_stays,
    a_save_that_is_cancelled_leaves_nothing_and_disturbs_nothing,
    a_save_that_is_cancelled_while_it_writes_the_file_leaves_the_old_one,
    the_file_has_the_name_it_is_to_have_which_is_no_path,
);

const LIMIT: Duration = Duration::from_secs(30);

fn file(server: &Server) -> PathBuf {
    server.directory().join("dump.rdb")
}

fn wants_rdb(client: &mut Client) {
    assert_eq!(client.said("CONFIG SET snapshot-format rdb"), "+OK");
}

/// BGSAVE to its end; whether well.
fn saves(client: &mut Client) -> bool {
    assert_eq!(client.said("BGSAVE"), "+Background saving started");
    wait::until("the save to end", LIMIT, || {
        client.info("persistence", "rdb_bgsave_in_progress") == "0"
    });
    client.info("persistence", "rdb_last_bgsave_status") == "ok"
}

/// What of a file that was never completed is left in the server's directory.
fn left_over(server: &Server) -> Vec<String> {
    let entries = fs::read_dir(server.directory()).expect("the directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name.ends_with(".part")).collect()
}

fn redis_loads_what_save_has_written(cores: u16) {
    let theirs = redis().start();
    let ours = import(cores, &saved(&theirs));
    let mut client = ours.client();
    assert_eq!(client.said("SAVE"), "+OK");
    assert!(!file(&ours).exists(), "nobody has asked for it");
    wants_rdb(&mut client);
    assert_eq!(client.said("SAVE"), "+OK");
    assert!(fs::read(file(&ours)).expect("the file").starts_with(b"REDIS0010"));
    assert!(left_over(&ours).is_empty());

    let again = loaded_by_redis(&file(&ours));
    compare(&mut theirs.client(), &mut again.client());
    // A digest has what is past its deadline, until that is looked at.
    assert_eq!(theirs.client().said("GET short"), "(nil)");
    let digest = theirs.client().said("DEBUG DIGEST");
    assert_eq!(again.client().said("DEBUG DIGEST"), digest);
}

fn whoever_saves_writes_the_file_and_whoever_rewrites_the_log_does_not(cores: u16) {
    let words = ["--snapshot-format", "rdb", "--appendonly", "yes"];
    let mut server = freehold(cores).with(&words).start();
    let mut client = server.client();
    assert_eq!(client.said("SET a 1"), "+OK");
    let rewritten = "+Background append only file rewriting started";
    assert_eq!(client.said("BGREWRITEAOF"), rewritten);
    wait::until("the rewriting to end", LIMIT, || {
        client.info("persistence", "aof_rewrite_in_progress") == "0"
    });
    assert!(!file(&server).exists(), "nobody has saved");

    assert!(saves(&mut client));
    assert_eq!(loaded_by_redis(&file(&server)).client().said("GET a"), "\"1\"");

    assert_eq!(show(&client.call(&["CONFIG", "SET", "save", "1 1"])), "+OK");
    fs::remove_file(file(&server)).expect("it was written");
    assert_eq!(client.said("SET a 2"), "+OK");
    wait::until("the rule to be followed", LIMIT, || file(&server).exists());
    assert_eq!(loaded_by_redis(&file(&server)).client().said("GET a"), "\"2\"");

    assert_eq!(client.said("SET a 3"), "+OK");
    server.raw().send(b"SHUTDOWN SAVE\r\n").expect("open");
    assert!(server.wait_for_exit(LIMIT).success());
    assert_eq!(loaded_by_redis(&file(&server)).client().said("GET a"), "\"3\"");
}

fn a_file_that_cannot_have_its_place_fails_the_save(cores: u16) {
    let server = freehold(cores).with(&["--snapshot-format", "rdb"]).start();
    let mut client = server.client();
    assert_eq!(client.said("SET a 1"), "+OK");
    fs::create_dir(file(&server)).expect("in the way");
    let before = (client.said("LASTSAVE"), client.info("persistence", "rdb_saves"));
    wait::until("a second to pass", LIMIT, || client.said("TIME") > before.0);

    assert!(!saves(&mut client));

    let failed = "(error) ERR the snapshot has failed; the log of the server says why";
    assert_eq!(client.said("SAVE"), failed);
    let now = (client.said("LASTSAVE"), client.info("persistence", "rdb_saves"));
    assert_eq!(now, before);
    assert_eq!(client.info("persistence", "rdb_changes_since_last_save"), "1");
    assert!(left_over(&server).is_empty());
    assert!(server.log().contains("The RDB file cannot be written"), "{}", server.log());

    fs::remove_dir(file(&server)).expect("it is empty");
    assert!(saves(&mut client), "the next one is well");
    assert_eq!(loaded_by_redis(&file(&server)).client().said("GET a"), "\"1\"");
}

fn a_file_there_is_no_space_for_fails_the_save_and_the_old_one_stays(cores: u16) {
    let Some(small) = Small::mount(&format!("rdb-save-{cores}")) else {
        return eprintln!("left out: this process may not mount a file system");
    };
    let elsewhere = Folder::new(&format!("rdb-save-{cores}"));
    let directory = small.path().display().to_string();
    let data = elsewhere.path().join("data").display().to_string();
    let words = ["--snapshot-format", "rdb", "--dir", &directory, "--appenddirname", &data];
    let server = freehold(cores).with(&words).start();
    let mut client = server.client();
    assert_eq!(client.said("SET a old"), "+OK");
    assert!(saves(&mut client));
    let dump = small.path().join("dump.rdb");
    let before = fs::read(&dump).expect("written");

    let value = "x".repeat(1 << 20);
    for n in 0..8 {
        assert_eq!(client.said(&format!("SET key:{n} {value}")), "+OK");
    }
    small.fill();
    assert!(!saves(&mut client));
    assert_eq!(fs::read(&dump).expect("still there"), before);
    let names = fs::read_dir(small.path()).expect("the directory").count();
    assert_eq!(names, 2, "the old file and what fills the disk");

    small.empty();
    assert!(saves(&mut client));
    assert_eq!(loaded_by_redis(&dump).client().said("DBSIZE"), "(integer) 9");
}

fn the_file_has_the_name_it_is_to_have_which_is_no_path(cores: u16) {
    let words = ["--snapshot-format", "rdb", "--enable-protected-configs", "yes"];
    let server = freehold(cores).with(&words).start();
    let mut client = server.client();
    assert_eq!(client.said("CONFIG SET dbfilename other.rdb"), "+OK");
    assert_eq!(client.said("SAVE"), "+OK");
    assert!(server.directory().join("other.rdb").exists() && !file(&server).exists());
    let refused = "(error) ERR CONFIG SET failed (possibly related to argument 'dbfilename') - \
                   dbfilename can't be a path, just a filename";
    assert_eq!(client.said("CONFIG SET dbfilename ../x"), refused);
}

fn a_save_that_is_cancelled_leaves_nothing_and_disturbs_nothing(cores: u16) {
    let words = ["--snapshot-format", "rdb", "--appendonly", "yes"];
    let grows = ["--auto-aof-rewrite-percentage", "0"];
    let server = freehold(cores).with(&words).with(&grows).start();
    let mut client = server.client();
    let none = "(error) ERR Background saving is currently not in progress or scheduled";
    assert_eq!(client.said("BGSAVE CANCEL"), none);
    let value = "x".repeat(4096);
    for n in 0..20_000 {
        client.queue(&["SET", &format!("key:{n}"), &value]);
    }
    for _ in 0..20_000 {
        client.read();
    }
    let before = (client.said("LASTSAVE"), client.info("persistence", "rdb_saves"));

    let both = ["BGSAVE", "BGSAVE CANCEL"].map(words_of);
    let said: Vec<String> = client.pipeline(&both).iter().map(show).collect();
    assert_eq!(said, ["+Background saving started", "+Background saving cancelled"]);
    wait::until("the save to end", LIMIT, || {
        client.info("persistence", "rdb_bgsave_in_progress") == "0"
    });
    assert_eq!(client.said("BGSAVE CANCEL"), none);
    assert_eq!(client.info("persistence", "rdb_last_bgsave_status"), "ok");
    assert_eq!((client.said("LASTSAVE"), client.info("persistence", "rdb_saves")), before);
    assert!(!file(&server).exists() && left_over(&server).is_empty());
    wait::until("the parts to be removed", LIMIT, || {
        let entries = fs::read_dir(server.directory().join("appendonlydir")).expect("there");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        !names.into_iter().any(|name| name.to_string_lossy().starts_with("snapshot-"))
    });

    let three = ["BGREWRITEAOF", "BGSAVE SCHEDULE", "BGSAVE CANCEL"].map(words_of);
    let said: Vec<String> = client.pipeline(&three).iter().map(show).collect();
    assert_eq!(
        said[1..],
        ["+Background saving scheduled", "+Scheduled background saving cancelled"]
    );
    wait::until("the rewriting to end", LIMIT, || {
        client.info("persistence", "rdb_bgsave_in_progress") == "0"
    });
    assert!(!file(&server).exists(), "it was for the log");
    assert_eq!(client.said("SAVE"), "+OK");
    assert_eq!(loaded_by_redis(&file(&server)).client().said("DBSIZE"), "(integer) 20000");
}

fn a_save_that_is_cancelled_while_it_writes_the_file_leaves_the_old_one(cores: u16) {
    let server = freehold(cores).with(&["--snapshot-format", "rdb"]).start();
    let mut client = server.client();
    assert_eq!(client.said("SET a old"), "+OK");
    assert!(saves(&mut client));
    let before = fs::read(file(&server)).expect("written");
    let figures = (client.said("LASTSAVE"), client.info("persistence", "rdb_saves"));
    for thousand in 0..300 {
        let pairs: String = (0..1000).map(|n| format!(" key:{thousand}:{n} value")).collect();
        assert_eq!(client.said(&format!("MSET{pairs}")), "+OK");
    }

    assert_eq!(client.said("BGSAVE"), "+Background saving started");
    wait::until("the file to be begun", LIMIT, || !left_over(&server).is_empty());
    assert_eq!(client.said("BGSAVE CANCEL"), "+Background saving cancelled");
    wait::until("the save to end", LIMIT, || {
        client.info("persistence", "rdb_bgsave_in_progress") == "0"
    });

    assert!(left_over(&server).is_empty());
    assert_eq!(fs::read(file(&server)).expect("still there"), before);
    assert_eq!(client.info("persistence", "rdb_last_bgsave_status"), "ok");
    assert_eq!((client.said("LASTSAVE"), client.info("persistence", "rdb_saves")), figures);
    assert!(saves(&mut client), "the next one is well");
    assert_eq!(loaded_by_redis(&file(&server)).client().said("DBSIZE"), "(integer) 300001");
}

fn words_of(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}
