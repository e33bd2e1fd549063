//! `CONFIG SET appendonly` on a server that serves: when the log keeps what, and what a start makes
//! of it afterwards. Servers here end by SIGKILL.

use std::time::Duration;

use freehold_tests::client::Client;
use freehold_tests::folder::Folder;
use freehold_tests::server::{Server, freehold, redis};
use freehold_tests::wait;

on_one_and_two_cores!(
    a_log_that_is_switched_on_keeps_what_was_there_before_and_what_comes,
    a_log_that_is_switched_off_leaves_what_was_there_and_a_snapshot_replaces_it,
    redis_says_the_same_of_a_log_that_is_switched,
    the_log_is_not_switched_inside_a_transaction,
);

const LIMIT: Duration = Duration::from_secs(30);

fn start(folder: &Folder, cores: u16, appendonly: &str) -> Server {
    let place = folder.path().display().to_string();
    let words = ["--appendonly", appendonly, "--appendfsync", "always", "--dir", &place];
    freehold(cores).with(&words).start()
}

fn kill(mut server: Server) {
    server.signal("KILL");
    server.wait_for_exit(LIMIT);
}

fn write(client: &mut Client, round: u64) {
    for number in 0..200 {
        assert_eq!(
            client.said(&format!("RPUSH list:{number} {round}")),
            format!("(integer) {round}")
        );
    }
    let pairs: String = (0..20).map(|number| format!(" pair:{number} {round}")).collect();
    assert_eq!(client.said(&format!("MSET{pairs}")), "+OK");
}

/// Switches the log on and waits until it is whole, as INFO tells.
fn switch_on(client: &mut Client) {
    assert_eq!(client.said("CONFIG SET appendonly yes"), "+OK");
    assert_eq!(client.info("persistence", "aof_enabled"), "1");
    wait::until("the log to be whole", LIMIT, || {
        ["aof_rewrite_in_progress", "aof_rewrite_scheduled"]
            .iter()
            .all(|field| client.info("persistence", field) == "0")
    });
    assert_eq!(client.info("persistence", "aof_last_bgrewrite_status"), "ok");
}

fn a_log_that_is_switched_on_keeps_what_was_there_before_and_what_comes(cores: u16) {
    let folder = Folder::new("log-on");
    let server = start(&folder, cores, "no");
    let mut client = server.client();
    write(&mut client, 1);
    switch_on(&mut client);
    write(&mut client, 2);
    let before = client.said("DEBUG DIGEST");
    kill(server);

    for appendonly in ["no", "yes", "yes"] {
        let server = start(&folder, 3 - cores, appendonly);
        assert_eq!(server.client().said("DEBUG DIGEST"), before, "appendonly {appendonly}");
        kill(server);
    }
}

fn a_log_that_is_switched_off_leaves_what_was_there_and_a_snapshot_replaces_it(cores: u16) {
    let folder = Folder::new("log-off");
    let server = start(&folder, cores, "yes");
    let mut client = server.client();
    write(&mut client, 1);
    let logged = client.said("DEBUG DIGEST");
    assert_eq!(client.said("CONFIG SET appendonly no"), "+OK");
    assert_eq!(client.info("persistence", "aof_enabled"), "0");
    write(&mut client, 2);
    kill(server);

    // Redis would begin with dump.rdb here, or with nothing.
    let server = start(&folder, cores, "no");
    let mut client = server.client();
    assert_eq!(client.said("DEBUG DIGEST"), logged);
    write(&mut client, 2);
    let saved = client.said("DEBUG DIGEST");
    assert_eq!(client.said("SAVE"), "+OK");
    kill(server);

    // Redis would go back to the log here.
    let server = start(&folder, cores, "yes");
    let mut client = server.client();
    assert_eq!(client.said("DEBUG DIGEST"), saved);
    for round in 3..6 {
        assert_eq!(client.said("CONFIG SET appendonly no"), "+OK");
        switch_on(&mut client);
        write(&mut client, round);
    }
    let last = client.said("DEBUG DIGEST");
    kill(server);
    assert_eq!(start(&folder, 1, "yes").client().said("DEBUG DIGEST"), last);
}

fn redis_says_the_same_of_a_log_that_is_switched(cores: u16) {
    let folder = Folder::new("log-words");
    for server in [start(&folder, cores, "no"), redis().start()] {
        let mut client = server.client();
        write(&mut client, 1);
        switch_on(&mut client);
        assert!(client.said("CONFIG GET appendonly").contains("yes"));
        assert_eq!(client.said("CONFIG SET appendonly no"), "+OK");
        assert!(client.said("CONFIG GET appendonly").contains("no"));
        let said = client.said("INFO persistence");
        assert!(said.contains("aof_enabled:0") && !said.contains("aof_current_size"), "{said}");
        let error = client.said("CONFIG SET appendonly perhaps");
        assert!(error.contains("argument must be 'yes' or 'no'"), "{error}");
        assert_eq!(client.said("GET pair:3"), "\"1\"");
    }
}

fn the_log_is_not_switched_inside_a_transaction(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    assert_eq!(client.said("MULTI"), "+OK");
    let error = client.said("CONFIG SET appendonly yes");
    assert!(error.contains("not allowed inside a transaction"), "{error}");
    assert_eq!(client.said("DISCARD"), "+OK");
    assert_eq!(client.info("persistence", "aof_enabled"), "0");
}
