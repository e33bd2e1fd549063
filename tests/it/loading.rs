//! A node that loads: clients are accepted, what needs keys is refused with LOADING, what does not
//! is answered, and it can be told to stop. `key-load-delay` makes a small data set last.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use freehold_tests::client::Client;
use freehold_tests::folder::Folder;
use freehold_tests::server::{Server, freehold, redis};
use freehold_tests::wait;

on_one_and_two_cores!(
    while_it_loads_a_node_says_so_and_then_serves,
    while_it_imports_a_node_says_so_and_then_serves,
    a_node_that_loads_can_be_shut_down,
    a_snapshot_that_is_not_what_it_was_ends_the_start,
);

const LIMIT: Duration = Duration::from_secs(30);
const KEYS: u64 = 300;
const REFUSED: &str = "(error) LOADING Redis is loading the dataset in memory";

/// The data of a server that has ended in peace, with a snapshot if that is `saved`.
fn left_behind(cores: u16, saved: bool) -> Folder {
    let folder = Folder::new("loading");
    let mut server = freehold(cores).with(&options(folder.path(), "0")).start();
    let mut client = server.client();
    for n in 0..KEYS {
        client.call(&["SET", &format!("key:{n}"), &n.to_string()]);
    }
    if saved {
        assert_eq!(client.said("SAVE"), "+OK");
    }
    // The connection is closed instead of an answer.
    let _ = client.try_call(&["SHUTDOWN"]);
    assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());
    folder
}

fn options<'o>(folder: &'o Path, delay_us: &'o str) -> [&'o str; 6] {
    let folder = folder.to_str().expect("a plain name");
    ["--dir", folder, "--appendonly", "yes", "--key-load-delay", delay_us]
}

/// A client of a server that has just been launched.
fn client_of(server: &Server) -> Client {
    let mut client = None;
    let connects = || {
        client = Client::try_connect(server.address()).ok();
        client.is_some()
    };
    assert!(wait::holds_within(LIMIT, connects), "nobody listens:\n{}", server.log());
    client.expect("it holds")
}

fn while_it_loads_a_node_says_so_and_then_serves(cores: u16) {
    let folder = left_behind(cores, false);
    let server = freehold(cores).with(&options(folder.path(), "10000")).launch();
    let mut client = client_of(&server);

    for command in ["GET key:1", "SET key:1 x", "PING", "DBSIZE", "BGSAVE"] {
        assert_eq!(client.said(command), REFUSED, "{command}");
    }
    assert_eq!(client.said("SELECT 0"), "+OK");
    assert_eq!(client.said("PUBLISH nobody hears"), "(integer) 0");
    let sized = || client.info_number("persistence", "loading_total_bytes") > 0;
    assert!(wait::holds_within(LIMIT, sized), "{}", server.log());
    for (field, least) in [("loading", 1), ("loading_start_time", 1_700_000_000)] {
        assert!(client.info_number("persistence", field) >= least, "{field}");
    }
    for field in ["loading_loaded_bytes", "loading_loaded_perc", "loading_eta_seconds"] {
        assert!(!client.info("persistence", field).is_empty(), "{field}");
    }
    assert_eq!(client.info("persistence", "async_loading"), "0");

    let loaded = || client.info("persistence", "loading") == "0";
    assert!(wait::holds_within(LIMIT, loaded), "{}", server.log());
    assert_eq!(client.said("DBSIZE"), format!("(integer) {KEYS}"));
    assert_eq!(client.said("INCR key:7"), "(integer) 8");
    let ready = || server.log().contains("Ready to accept connections");
    assert!(wait::holds_within(LIMIT, ready), "{}", server.log());
}

/// The first key of an RDB file, and of append-only files, is there long before the last.
fn while_it_imports_a_node_says_so_and_then_serves(cores: u16) {
    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    let theirs = redis().with(&always).with(&["--aof-use-rdb-preamble", "no"]).start();
    let mut client = theirs.client();
    for n in 0..KEYS {
        client.call(&["SET", &format!("key:{n}"), &n.to_string()]);
    }
    assert_eq!(client.said("SAVE"), "+OK");
    for source in [theirs.directory().join("dump.rdb"), theirs.directory().join("appendonlydir")] {
        let source = source.to_str().expect("a path of text");
        let words = ["--import", source, "--key-load-delay", "3000"];
        let server = freehold(cores).with(&words).launch();
        let mut client = client_of(&server);

        assert_eq!(client.said("GET key:1"), REFUSED, "{source}");
        assert_eq!(client.said("SELECT 0"), "+OK", "{source}");
        assert!(client.info_number("persistence", "loading_total_bytes") > 0, "{source}");
        let loaded = || client.info("persistence", "loading") == "0";
        assert!(wait::holds_within(LIMIT, loaded), "{}", server.log());
        assert_eq!(client.said("DBSIZE"), format!("(integer) {KEYS}"), "{source}");
        assert_eq!(client.said("INCR key:7"), "(integer) 8", "{source}");
    }
}

/// Also where it is to save first: half of the data must not take the place of all of it.
fn a_node_that_loads_can_be_shut_down(cores: u16) {
    let folder = left_behind(cores, false);
    let ends: [fn(&Server, &mut Client); 3] = [
        |_, client| drop(client.try_call(&["SHUTDOWN", "NOSAVE"])),
        |_, client| drop(client.try_call(&["SHUTDOWN", "SAVE"])),
        |server, _| server.signal("TERM"),
    ];
    for end in ends {
        // Five minutes, if nobody ended it.
        let launched = freehold(cores).with(&options(folder.path(), "1000000"));
        let mut server = launched.with(&["--save", "3600 1"]).launch();
        let mut client = client_of(&server);
        client.set_patience(LIMIT);
        end(&server, &mut client);
        assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());

        let server = freehold(cores).with(&options(folder.path(), "0")).start();
        let mut client = server.client();
        assert_eq!(client.said("DBSIZE"), format!("(integer) {KEYS}"), "lost by that");
    }
}

fn a_snapshot_that_is_not_what_it_was_ends_the_start(cores: u16) {
    let folder = left_behind(cores, true);
    let files = fs::read_dir(folder.path().join("appendonlydir")).expect("its data");
    let snapshots = files.filter_map(|file| Some(file.ok()?.path()));
    let is_snapshot = |path: &PathBuf| path.extension().is_some_and(|end| end == "fhs");
    let snapshot = snapshots.filter(is_snapshot).min().expect("a snapshot");
    let mut bytes = fs::read(&snapshot).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&snapshot, bytes).expect("writable");

    let mut server = freehold(cores).with(&options(folder.path(), "0")).launch();
    assert!(!server.wait_for_exit(LIMIT).success(), "{}", server.log());
    let name = snapshot.file_name().expect("it has one").to_string_lossy().into_owned();
    assert!(server.log().contains(&name), "{}", server.log());
}
