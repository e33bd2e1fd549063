//! Keys end at their deadline: at once for whoever looks, and within 100 ms also for memory and
//! DBSIZE when nobody looks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use freehold_tests::random::Random;
use freehold_tests::server::freehold;
use freehold_tests::wait;

on_one_and_two_cores!(
    keys_nobody_touches_are_gone_100_ms_after_their_deadline,
    a_key_past_its_deadline_is_invisible_to_every_command,
    memory_comes_back_when_keys_expire,
);

const KEYS: usize = 20_000;
const LATE_MS_MAX: u64 = 100;

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis() as u64
}

fn keys_nobody_touches_are_gone_100_ms_after_their_deadline(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    let mut random = Random::new(3);
    let first = unix_ms() + 1_500;
    let mut deadlines: Vec<u64> = (0..KEYS).map(|_| first + random.below(1_500) as u64).collect();
    for (number, deadline) in deadlines.iter().enumerate() {
        client.queue(&["SET", &format!("k{number}"), "v", "PXAT", &deadline.to_string()]);
    }
    for _ in 0..KEYS {
        client.read();
    }
    deadlines.sort_unstable();

    // Keys that are still counted although their deadline is longer ago than the promise.
    let mut late_worst = 0;
    loop {
        let asked_at = unix_ms();
        let due = deadlines.partition_point(|deadline| deadline + LATE_MS_MAX < asked_at);
        let counted: usize = size(&mut client);
        late_worst = late_worst.max((counted + due).saturating_sub(KEYS));
        if asked_at > deadlines[KEYS - 1] + LATE_MS_MAX {
            break;
        }
    }

    assert!(late_worst <= KEYS / 100, "{late_worst} of {KEYS} keys were more than 100 ms late");
    wait::until("the last keys to go", Duration::from_secs(1), || size(&mut client) == 0);
    assert_eq!(client.info_number("stats", "expired_keys"), KEYS as u64);
}

fn size(client: &mut freehold_tests::client::Client) -> usize {
    let said = client.said("DBSIZE");
    said.trim_start_matches("(integer) ").parse().expect("DBSIZE is a number")
}

fn a_key_past_its_deadline_is_invisible_to_every_command(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    assert_eq!(client.said("DEBUG SET-ACTIVE-EXPIRE 0"), "+OK");
    for number in 0..16 {
        assert_eq!(client.said(&format!("SET k{number} v PX 1")), "+OK");
    }
    wait::until("all deadlines to pass", Duration::from_secs(1), || {
        (0..16).all(|number| client.said(&format!("PTTL k{number}")) == "(integer) -2")
    });

    assert_eq!(client.said("GET k1"), "(nil)");
    assert_eq!(client.said("EXISTS k2"), "(integer) 0");
    assert_eq!(client.said("TYPE k3"), "+none");
    assert_eq!(client.said("DEL k4"), "(integer) 0");
    assert_eq!(client.said("APPEND k5 xy"), "(integer) 2");
    assert_eq!(client.said("INCR k6"), "(integer) 1");
    assert_eq!(client.said("RENAME k7 x"), "(error) ERR no such key");
    assert_eq!(client.said("SET k8 v XX"), "(nil)");
    assert_eq!(client.said("SETNX k9 v"), "(integer) 1");
    assert_eq!(client.said("MGET k10 k11"), "[(nil), (nil)]");
    assert_eq!(client.said("COPY k12 y"), "(integer) 0");
    assert_eq!(client.said("EXPIRE k13 100"), "(integer) 0");
    assert_eq!(client.said("PERSIST k14"), "(integer) 0");
    assert_eq!(client.said("GETRANGE k15 0 -1"), "\"\"");
    assert_eq!(client.said("TTL k5"), "(integer) -1");
}

fn memory_comes_back_when_keys_expire(cores: u16) {
    let server = freehold(cores).start();
    let mut client = server.client();
    let before = client.info_number("memory", "used_memory");
    let value = "v".repeat(2_000);
    for number in 0..5_000 {
        client.queue(&["SET", &format!("k{number}"), &value, "PX", "1000"]);
    }
    for _ in 0..5_000 {
        client.read();
    }
    let filled = client.info_number("memory", "used_memory");

    assert!(filled > before + 5_000 * 2_000, "{before} then {filled}");
    wait::until("the memory to come back", Duration::from_secs(10), || {
        client.info_number("memory", "used_memory") < before + (filled - before) / 4
    });
}
