//! Publish, subscribe and keyspace notifications between real sockets.

use std::time::Duration;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::process::resident_bytes;
use freehold_tests::server::{Server, freehold};
use freehold_tests::show::show;
use freehold_tests::wait;

on_one_and_two_cores!(
    messages_reach_channel_and_pattern_subscribers,
    a_resp3_client_gets_pushes_between_its_replies,
    many_publishers_keep_their_order,
    a_storm_ends_the_subscriber_that_does_not_read_and_nobody_else,
    a_storm_does_not_take_the_memory,
    a_subscriber_can_be_listed_and_killed_by_its_type,
    expired_and_evicted_keys_are_told,
);

const PATIENCE: Duration = Duration::from_secs(20);

/// Clients land on either core: this many are on both, near enough.
const CLIENTS: usize = 8;

fn subscriber(server: &Server, words: &str) -> Client {
    let mut client = server.client();
    let reply = client.said(words);
    assert!(reply.contains("subscribe"), "{words}: {reply}");
    client
}

fn next(client: &mut Client) -> String {
    show(&client.read())
}

fn messages_reach_channel_and_pattern_subscribers(cores: u16) {
    let server = freehold(cores).start();
    let mut plain: Vec<Client> =
        (0..CLIENTS).map(|_| subscriber(&server, "SUBSCRIBE news")).collect();
    let mut matching: Vec<Client> =
        (0..CLIENTS).map(|_| subscriber(&server, "PSUBSCRIBE n*")).collect();
    for round in 0..CLIENTS {
        let mut publisher = server.client();
        let reply = publisher.said(&format!("PUBLISH news {round}"));
        assert_eq!(reply, format!("(integer) {}", 2 * CLIENTS));
        for client in &mut plain {
            assert_eq!(next(client), format!(r#"["message", "news", "{round}"]"#));
        }
        for client in &mut matching {
            assert_eq!(next(client), format!(r#"["pmessage", "n*", "news", "{round}"]"#));
        }
    }
    let mut asking = server.client();
    let numbers = format!(r#"["news", (integer) {CLIENTS}]"#);
    assert_eq!(asking.said("PUBSUB NUMSUB news"), numbers);
    assert_eq!(plain[0].said("GET k").split(':').next(), Some("(error) ERR Can't execute 'get'"));
    assert_eq!(plain[0].said("UNSUBSCRIBE"), r#"["unsubscribe", "news", (integer) 0]"#);
    assert_eq!(plain[0].said("GET k"), "(nil)");
    let reply = format!("(integer) {}", 2 * CLIENTS - 1);
    assert_eq!(asking.said("PUBLISH news last"), reply);
    drop((plain, matching));
    wait::until("all subscriptions to end", PATIENCE, || {
        asking.said("PUBLISH news nobody") == "(integer) 0"
    });
}

fn a_resp3_client_gets_pushes_between_its_replies(cores: u16) {
    let server = freehold(cores).start();
    let mut both = server.client();
    both.call(&["HELLO", "3"]);
    assert_eq!(both.said("SUBSCRIBE a"), r#"push["subscribe", "a", (integer) 1]"#);
    let rounds = 500;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut publisher = server.client();
            for round in 0..rounds {
                publisher.call(&["PUBLISH", "a", &round.to_string()]);
            }
        });
        let (mut replies, mut pushes) = (0, 0);
        for round in 0..rounds {
            both.queue(&["SET", &format!("k{round}"), &"v".repeat(500)]);
            both.queue(&["GET", &format!("k{round}")]);
        }
        while replies < 2 * rounds || pushes < rounds {
            match both.read() {
                Value::Push(parts) => {
                    assert_eq!(parts[2], Value::Bulk(pushes.to_string().into_bytes()));
                    pushes += 1;
                }
                Value::Simple(_) => {
                    assert_eq!(replies % 2, 0);
                    replies += 1;
                }
                Value::Bulk(_) => {
                    assert_eq!(replies % 2, 1);
                    replies += 1;
                }
                other => panic!("neither a reply nor a push: {other:?}"),
            }
        }
    });
}

fn many_publishers_keep_their_order(cores: u16) {
    let server = freehold(cores).start();
    let mut listeners: Vec<Client> = (0..4).map(|_| subscriber(&server, "SUBSCRIBE all")).collect();
    let (publishers, count) = (6, 2_000);
    std::thread::scope(|scope| {
        for publisher in 0..publishers {
            let server = &server;
            scope.spawn(move || {
                let mut client = server.client();
                let request = |n: usize| {
                    let text = format!("{publisher}:{n}");
                    ["PUBLISH", "all", &text].map(|word| word.as_bytes().to_vec()).to_vec()
                };
                let requests: Vec<_> = (0..count).map(request).collect();
                for reply in client.pipeline(&requests) {
                    assert_eq!(reply, Value::Integer(4));
                }
            });
        }
        for listener in &mut listeners {
            scope.spawn(move || {
                let mut expected = vec![0; publishers];
                for _ in 0..publishers * count {
                    let text = next(listener);
                    let text = text.trim_end_matches("\"]").rsplit('"').next().unwrap_or_default();
                    let (publisher, number) = text.split_once(':').expect("publisher:number");
                    let publisher: usize = publisher.parse().expect("a number");
                    assert_eq!(number, expected[publisher].to_string(), "of {publisher}");
                    expected[publisher] += 1;
                }
            });
        }
    });
}

fn a_storm_ends_the_subscriber_that_does_not_read_and_nobody_else(cores: u16) {
    let limit = ["--client-output-buffer-limit", "pubsub 2mb 0 0"];
    let server = freehold(cores).with(&limit).start();
    let mut slow: Vec<Client> = (0..4).map(|_| subscriber(&server, "SUBSCRIBE storm")).collect();
    let mut reading = subscriber(&server, "SUBSCRIBE storm");
    let mut publisher = server.client();
    let payload = "x".repeat(50_000);
    let mut sent = 0;
    // Sockets buffer some MiB before the server sees that nobody reads.
    while publisher.call(&["PUBLISH", "storm", &payload]) != Value::Integer(1) {
        next(&mut reading);
        sent += 1;
        assert!(sent < 2_000, "the slow ones are never closed");
    }
    next(&mut reading);
    let closed = publisher.info_number("stats", "client_output_buffer_limit_disconnections");
    assert_eq!(closed, 4);
    let of_limit = |line: &&str| line.contains("client-output-buffer-limit");
    let told = || server.log().lines().filter(of_limit).count();
    wait::until("all four to be in the log", Duration::from_secs(10), || told() == 4);
    for client in &mut slow {
        while client.try_read().is_ok() {}
    }
    assert_eq!(publisher.said("PUBLISH storm done"), "(integer) 1");
    assert_eq!(next(&mut reading), r#"["message", "storm", "done"]"#);
}

fn a_storm_does_not_take_the_memory(cores: u16) {
    const MIB: u64 = 1024 * 1024;
    let limit = ["--client-output-buffer-limit", "pubsub 4mb 0 0"];
    let server = freehold(cores).with(&limit).start();
    let _slow: Vec<Client> = (0..4).map(|_| subscriber(&server, "SUBSCRIBE storm")).collect();
    let before = resident_bytes(server.pid());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut publisher = server.client();
                let payload = "x".repeat(20_000).into_bytes();
                let request = [b"PUBLISH".to_vec(), b"storm".to_vec(), payload].to_vec();
                for _ in 0..20 {
                    let _fallen = publisher.pipeline(&vec![request.clone(); 100]);
                }
            });
        }
        // 160 MB are published to four who do not read.
        let mut asking = server.client();
        wait::until("the slow ones to be closed", PATIENCE, || {
            let grown = resident_bytes(server.pid()).saturating_sub(before);
            assert!(grown < 100 * MIB, "{} MiB for slow subscribers", grown / MIB);
            asking.said("PUBSUB NUMSUB storm").ends_with("(integer) 0]")
        });
    });
}

fn a_subscriber_can_be_listed_and_killed_by_its_type(cores: u16) {
    let server = freehold(cores).start();
    let mut listener = subscriber(&server, "SUBSCRIBE a");
    assert!(listener.said("SUBSCRIBE b").contains("subscribe"));
    assert!(listener.said("PSUBSCRIBE p*").contains("psubscribe"));
    assert!(listener.said("SSUBSCRIBE s").contains("ssubscribe"));
    let mut asking = server.client();
    let listed = asking.said("CLIENT LIST TYPE pubsub");
    assert!(listed.contains(" flags=P ") && listed.contains(" sub=2 psub=1 ssub=1 "), "{listed}");
    assert!(!asking.said("CLIENT LIST TYPE normal").contains("flags=P"));
    assert_eq!(asking.info("clients", "pubsub_clients"), "1");
    assert_eq!(asking.info("stats", "pubsub_channels"), "2");
    assert_eq!(asking.said("CLIENT KILL TYPE pubsub"), "(integer) 1");
    assert!(listener.try_read().is_err());
    wait::until("the subscriptions to end", PATIENCE, || {
        asking.info("stats", "pubsub_channels") == "0"
    });
}

fn expired_and_evicted_keys_are_told(cores: u16) {
    let options = ["--notify-keyspace-events", "Exe", "--maxmemory-policy", "allkeys-lru"];
    let server = freehold(cores).with(&options).start();
    let mut listener = subscriber(&server, "PSUBSCRIBE __keyevent@*__:*");
    let mut client = server.client();
    for key in ["foo", "bar"] {
        client.call(&["SET", key, "v", "PX", "20"]);
    }
    let mut gone = [next(&mut listener), next(&mut listener)];
    gone.sort();
    let expired = |key: &str| {
        format!(r#"["pmessage", "__keyevent@*__:*", "__keyevent@0__:expired", "{key}"]"#)
    };
    assert_eq!(gone, [expired("bar"), expired("foo")], "nobody looked at them");
    let used = client.info_number("memory", "used_memory");
    client.call(&["CONFIG", "SET", "maxmemory", &(used + (4 << 20)).to_string()]);
    let value = "v".repeat(1000);
    for number in 0..10_000 {
        client.queue(&["SET", &format!("key:{number}"), &value]);
        client.read();
    }
    assert!(next(&mut listener).contains(r#""__keyevent@0__:evicted", "key:"#));
}
