//! The log and its size: a snapshot releases it when it has grown by the percentage asked for, and
//! INFO tells how large it is and was.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::folder::Folder;
use freehold_tests::server::{Server, freehold};
use freehold_tests::wait;

on_one_and_two_cores!(
    a_log_that_grows_is_released_again_and_again_and_nothing_is_lost,
    figures_of_the_log_are_there_while_there_is_one_and_true,
    with_a_percentage_of_zero_a_log_grows,
);

const LIMIT: Duration = Duration::from_secs(30);

fn persistence(client: &mut Client, field: &str) -> u64 {
    client.info_number("persistence", field)
}

/// A thousand changes of about 100 bytes, of a hundred keys.
fn write(client: &mut Client, round: u64) {
    for number in 0..1_000 {
        let value = format!("{round:040}{number:060}");
        client.queue(&["SET", &format!("k{}", number % 100), &value]);
    }
    client.flush().expect("open");
    for _ in 0..1_000 {
        assert_eq!(client.read(), Value::Simple(b"OK".to_vec()));
    }
}

fn start(folder: &Folder, cores: u16, more: &[&str]) -> Server {
    let place = folder.path().display().to_string();
    let words = ["--appendonly", "yes", "--dir", &place];
    freehold(cores).with(&words).with(more).start()
}

/// Bytes of the files whose names begin so, and how many there are. One that is removed meanwhile,
/// as logs are behind a snapshot, does not count.
fn files(folder: &Folder, prefix: &str) -> (u64, usize) {
    let all = fs::read_dir(folder.path().join("appendonlydir")).expect("its data");
    let entries = all.map(|entry| entry.expect("readable"));
    let wanted = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
    let sizes = wanted.filter_map(|entry| match entry.metadata() {
        Ok(about) => Some(about.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", entry.path().display()),
    });
    sizes.fold((0, 0), |(bytes, count), size| (bytes + size, count + 1))
}

fn a_log_that_grows_is_released_again_and_again_and_nothing_is_lost(cores: u16) {
    let folder = Folder::new("log-growth");
    let mut server = start(&folder, cores, &["--auto-aof-rewrite-min-size", "64kb"]);
    let mut client = server.client();

    let mut rounds = 0;
    wait::until("three snapshots that growth has begun", LIMIT, || {
        write(&mut client, rounds);
        rounds += 1;
        persistence(&mut client, "aof_rewrites") >= 3
    });

    assert!(persistence(&mut client, "aof_base_size") < 10 << 20);
    assert!(server.log().contains("a snapshot is to release it"), "{}", server.log());
    wait::until("the logs before to be removed", LIMIT, || {
        let idle = persistence(&mut client, "aof_rewrite_in_progress") == 0;
        idle && files(&folder, "log-").1 == usize::from(cores)
    });
    let before = client.said("DEBUG DIGEST");
    server.signal("KILL");
    server.wait_for_exit(LIMIT);
    let server = start(&folder, cores, &[]);
    assert_eq!(server.client().said("DEBUG DIGEST"), before);
}

fn figures_of_the_log_are_there_while_there_is_one_and_true(cores: u16) {
    let folder = Folder::new("log-figures");
    let mut server = start(&folder, cores, &["--appendfsync", "always"]);
    let mut client = server.client();
    // Redis begins with 0 and 0 too; here every log file has a first page.
    let pages = 4096 * u64::from(cores);
    assert_eq!(persistence(&mut client, "aof_base_size"), 0);
    assert_eq!(persistence(&mut client, "aof_current_size"), pages);
    write(&mut client, 1);
    let written = persistence(&mut client, "aof_current_size");
    assert!((100_000..400_000).contains(&written), "{written} bytes for 1,000 changes");
    assert_eq!(client.said("SAVE"), "+OK");
    let (snapshot, count) = files(&folder, "snapshot-");
    assert_eq!(count, usize::from(cores));
    assert_eq!(persistence(&mut client, "aof_base_size"), snapshot + pages);
    assert_eq!(persistence(&mut client, "aof_current_size"), snapshot + pages);
    for field in ["aof_pending_rewrite", "aof_buffer_length", "aof_pending_bio_fsync"] {
        assert_eq!(persistence(&mut client, field), 0, "{field}: nothing is under way");
    }
    assert_eq!(client.info("persistence", "aof_last_bgrewrite_status"), "ok");
    write(&mut client, 2);
    let grown = persistence(&mut client, "aof_current_size");
    assert!(grown > snapshot + pages + 100_000, "{grown}");
    server.signal("KILL");
    server.wait_for_exit(LIMIT);

    let server = start(&folder, cores, &[]);
    let mut client = server.client();
    assert_eq!(persistence(&mut client, "aof_base_size"), snapshot);
    assert_eq!(persistence(&mut client, "aof_current_size"), grown + pages);

    let without = freehold(cores).start();
    let said = without.client().said("INFO persistence");
    assert!(!said.contains("aof_current_size"), "as in Redis: {said}");
}

fn with_a_percentage_of_zero_a_log_grows(cores: u16) {
    let server = freehold(cores).with(&["--appendonly", "yes"]).start();
    let mut client = server.client();
    let words = "auto-aof-rewrite-percentage 0 auto-aof-rewrite-min-size 64kb";
    assert_eq!(client.said(&format!("CONFIG SET {words}")), "+OK");
    let said = client.said("CONFIG GET auto-aof-rewrite-min-size");
    assert!(said.contains("65536"), "{said}");
    for round in 0..10 {
        write(&mut client, round);
    }
    // The rule is looked at ten times a second.
    wait::throughout(Duration::from_millis(500), || {
        assert_eq!(persistence(&mut client, "aof_rewrites"), 0);
        assert_eq!(persistence(&mut client, "aof_rewrite_in_progress"), 0);
    });
    assert_eq!(client.said("CONFIG SET auto-aof-rewrite-percentage 100"), "+OK");
    wait::until("a snapshot", LIMIT, || persistence(&mut client, "aof_rewrites") == 1);
}
