//! How a server ends: SIGTERM lets clients have their replies, a second one does not wait.

use std::io::Write;
use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::freehold;

on_one_and_two_cores!(
    sigterm_ends_an_idle_server_with_success,
    sigterm_answers_what_was_asked_before_it_closes,
    a_second_sigterm_ends_at_once,
    shutdown_ends_the_server,
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
    freehold_tests::wait::until("the server to say it stops", LIMIT, || {
        server.log().contains("Stopping")
    });
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
