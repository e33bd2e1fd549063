//! How a server ends: SIGTERM lets clients have their replies, a second one does not wait; what
//! SHUTDOWN saves before is there at the next start.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::{Server, freehold};
use freehold_tests::wait;

on_one_and_two_cores!(
    sigterm_ends_an_idle_server_with_success,
    sigterm_answers_what_was_asked_before_it_closes,
    a_second_sigterm_ends_at_once,
    shutdown_ends_the_server,
    shutdown_save_keeps_what_is_in_no_log_and_nosave_does_not,
    with_save_rules_shutdown_and_sigterm_save_unless_told_otherwise,
    an_end_whose_snapshot_fails_does_not_come_unless_it_is_forced,
    nothing_acknowledged_is_lost_by_shutdown_save_amid_writes,
);

const LIMIT: Duration = Duration::from_secs(10);

fn sigterm_ends_an_idle_server_with_success(cores: u16) {
    let mut server = freehold(cores).start();
    let _idle = server.client();

    server.signal("TERM");

    assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());
    assert!(Client::try_connect(server.address()).is_err(), "somebody still listens");
}

fn sigterm_answers_what_was_asked_before_it_closes(cores: u16) {
    let mut server = freehold(cores).start();
    let mut client = server.client();
    for number in 0..2_000 {
        client.queue(&["SET", &format!("k{number}"), "v"]);
        client.queue(&["INCR", "count"]);
    }
    client.flush().expect("open");
    // The first answer says that the server has begun with this pipeline.
    assert_eq!(client.read(), Value::Simple(b"OK".to_vec()));

    server.signal("TERM");

    let mut last = 0;
    while let Ok(reply) = client.try_read() {
        match reply {
            Value::Integer(count) => {
                assert_eq!(count, last + 1, "a gap in the replies");
                last = count;
            }
            other => assert_eq!(other, Value::Simple(b"OK".to_vec())),
        }
    }
    assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());
}

fn a_second_sigterm_ends_at_once(cores: u16) {
    let mut server = freehold(cores).start();
    let mut honest = server.client();
    let value = "v".repeat(1_000_000);
    honest.said(&format!("SET big {value}"));
    // Holds up the drain: it has replies to take and takes none.
    let mut stubborn = server.raw();
    stubborn.stream.write_all("GET big\r\n".repeat(50).as_bytes()).expect("open");
    assert_eq!(stubborn.take(9).expect("the first reply"), b"$1000000\r");

    server.signal("TERM");
    wait::until("the server to say it stops", LIMIT, || server.log().contains("Stopping"));
    assert!(server.exited().is_none(), "it did not wait for the reader");
    server.signal("TERM");

    server.wait_for_exit(Duration::from_secs(2));
}

fn shutdown_ends_the_server(cores: u16) {
    for words in ["SHUTDOWN", "SHUTDOWN NOSAVE", "SHUTDOWN NOSAVE NOW"] {
        let mut server = freehold(cores).start();
        let mut client = server.client();
        client.queue(&words.split(' ').collect::<Vec<&str>>());

        assert!(client.try_read().is_err(), "{words} is answered by closing");
        assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());
    }
}

/// A data directory that outlives its servers, and not this value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("freehold-shutdown-{}-{number}", std::process::id());
        let folder = Folder(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).expect("a directory");
        folder
    }

    fn serve(&self, cores: u16, words: &[&str]) -> Server {
        let directory = self.0.display().to_string();
        freehold(cores).with(&["--dir", &directory]).with(words).start()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn end(server: &mut Server, words: &str) {
    let mut client = server.client();
    client.queue(&words.split(' ').collect::<Vec<&str>>());
    assert!(client.try_read().is_err(), "{words} is answered by closing");
    assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());
}

/// The same value for keys on all cores.
fn set_all(server: &Server, value: &str) {
    let mut client = server.client();
    for key in 0..10 {
        assert_eq!(client.said(&format!("SET k{key} {value}")), "+OK");
    }
}

fn assert_all(server: &Server, value: &str) {
    let mut client = server.client();
    for key in 0..10 {
        assert_eq!(client.said(&format!("GET k{key}")), format!("\"{value}\""), "k{key}");
    }
}

fn shutdown_save_keeps_what_is_in_no_log_and_nosave_does_not(cores: u16) {
    let folder = Folder::new();
    let mut server = folder.serve(cores, &[]);
    set_all(&server, "saved");
    end(&mut server, "SHUTDOWN SAVE");

    let mut server = folder.serve(cores, &["--save", "3600 1000"]);
    assert_all(&server, "saved");
    set_all(&server, "lost");
    end(&mut server, "SHUTDOWN NOSAVE");

    assert_all(&folder.serve(3 - cores, &[]), "saved");
}

fn with_save_rules_shutdown_and_sigterm_save_unless_told_otherwise(cores: u16) {
    let folder = Folder::new();
    let rules = ["--save", "3600 1000"];
    let mut server = folder.serve(cores, &rules);
    set_all(&server, "shutdown");
    end(&mut server, "SHUTDOWN");

    let mut server = folder.serve(cores, &rules);
    assert_all(&server, "shutdown");
    set_all(&server, "sigterm");
    server.signal("TERM");
    assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());

    let mut server = folder.serve(cores, &rules);
    assert_all(&server, "sigterm");
    set_all(&server, "lost");
    assert_eq!(server.client().said("CONFIG SET shutdown-on-sigint nosave"), "+OK");
    server.signal("INT");
    assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());

    let mut server = folder.serve(cores, &[]);
    assert_all(&server, "sigterm");
    set_all(&server, "unsaved");
    server.signal("TERM");
    assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());
    assert_all(&folder.serve(cores, &[]), "sigterm");
}

fn an_end_whose_snapshot_fails_does_not_come_unless_it_is_forced(cores: u16) {
    let folder = Folder::new();
    let mut server = folder.serve(cores, &[]);
    let mut client = server.client();
    assert_eq!(client.said("SAVE"), "+OK");
    let (place, away) = (folder.0.join("appendonlydir"), folder.0.join("away"));
    fs::rename(&place, &away).expect("the directory is there");

    let refused = "(error) ERR Errors trying to SHUTDOWN. Check logs.";
    assert_eq!(client.said("SHUTDOWN SAVE"), refused);
    assert_eq!(client.said("SHUTDOWN NOW SAVE"), refused, "and can be asked again");
    assert_eq!(client.said("SHUTDOWN ABORT"), "(error) ERR No shutdown in progress.");
    set_all(&server, "later");
    assert_eq!(client.said("CONFIG SET shutdown-on-sigterm save"), "+OK");
    let stays = |server: &Server| server.log().matches("The node does not stop").count();
    wait::until("the log to tell of both", LIMIT, || stays(&server) == 2);
    server.signal("TERM");
    wait::until("the server to say that it stays", LIMIT, || stays(&server) == 3);
    assert_all(&server, "later");

    fs::rename(&away, &place).expect("it can come back");
    end(&mut server, "SHUTDOWN SAVE");
    let mut server = folder.serve(cores, &[]);
    assert_all(&server, "later");
    fs::rename(&place, &away).expect("the directory is there");
    end(&mut server, "SHUTDOWN SAVE FORCE");
}

fn nothing_acknowledged_is_lost_by_shutdown_save_amid_writes(cores: u16) {
    const WRITERS: usize = 6;
    let folder = Folder::new();
    let mut server = folder.serve(cores, &[]);
    let busy = AtomicUsize::new(0);
    let write = &|writer: usize| {
        let mut client = server.client();
        let (one, all) = (format!("count:{writer}"), format!("copy:{writer}"));
        let mut last = [0, 0];
        for number in 1.. {
            if number == 100 {
                busy.fetch_add(1, Ordering::Relaxed);
            }
            let text = number.to_string();
            let Ok(Value::Integer(count)) = client.try_call(&["INCR", &one]) else { break };
            last[0] = count;
            let Ok(_) = client.try_call(&["MSET", &all, &text, &format!("{all}:2"), &text]) else {
                break;
            };
            last[1] = number;
        }
        last
    };
    let acknowledged: Vec<[i64; 2]> = thread::scope(|scope| {
        let spawn = |writer| scope.spawn(move || write(writer));
        let writers: Vec<_> = (0..WRITERS).map(spawn).collect();
        wait::until("all to write", LIMIT, || busy.load(Ordering::Relaxed) == WRITERS);
        let mut client = server.client();
        client.queue(&["SHUTDOWN", "SAVE"]);
        assert!(client.try_read().is_err(), "it is answered by closing");
        writers.into_iter().map(|writer| writer.join().expect("a writer")).collect()
    });
    assert!(server.wait_for_exit(LIMIT).success(), "{}", server.log());

    let server = folder.serve(3 - cores, &[]);
    let mut client = server.client();
    for (writer, last) in acknowledged.iter().enumerate() {
        let keys =
            [format!("count:{writer}"), format!("copy:{writer}"), format!("copy:{writer}:2")];
        let found = keys.map(|key| client.said(&format!("GET {key}")));
        let found = found.map(|text| text.trim_matches('"').parse::<i64>().expect("a number"));
        let [count, copy, twin] = found;
        assert!(count == last[0] || count == last[0] + 1, "{count} after {}", last[0]);
        assert!(copy == last[1] || copy == last[1] + 1, "{copy} after {}", last[1]);
        assert_eq!(copy, twin, "an MSET counts whole");
    }
}
