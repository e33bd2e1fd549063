//! Commands over keys of several cores are atomic and isolated: no reader ever sees half of one.
//! Writers and readers race; every observation must be a state that a serial order could produce.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use freehold_protocol::resp::value::Value;
use freehold_tests::client::Client;
use freehold_tests::server::{Server, freehold};

on_one_and_two_cores!(
    nobody_sees_half_an_mset,
    a_renamed_key_is_always_in_exactly_one_place,
    one_msetnx_wins_whole,
    nobody_sees_half_a_del,
    copies_never_lag_behind_an_mset,
);

const WRITES: usize = 2_000;

/// Keys without hash tags, which therefore lie on all cores.
fn keys(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{name}:{n}")).collect()
}

fn words(name: &str, rest: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(rest).collect()
}

fn mget(client: &mut Client, keys: &[String]) -> Vec<Value> {
    match client.call(&words("MGET", keys.iter().cloned())) {
        Value::Array(values) => values,
        other => panic!("MGET answered {other:?}"),
    }
}

/// Runs `write` in as many threads as there are names, and `look` in two until they are done.
fn race(
    server: &Server,
    writers: u64,
    write: impl Fn(&mut Client, u64) + Sync,
    look: impl Fn(&mut Client) + Sync,
) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writing: Vec<_> = (0..writers)
            .map(|id| {
                let write = &write;
                scope.spawn(move || write(&mut server.client(), id))
            })
            .collect();
        for _ in 0..2 {
            let (done, look) = (&done, &look);
            scope.spawn(move || {
                let mut client = server.client();
                while !done.load(Ordering::Relaxed) {
                    look(&mut client);
                }
            });
        }
        let outcomes: Vec<_> = writing.into_iter().map(|writer| writer.join()).collect();
        done.store(true, Ordering::Relaxed);
        assert!(outcomes.iter().all(Result::is_ok), "a writer failed");
    });
}

fn nobody_sees_half_an_mset(cores: u16) {
    let server = freehold(cores).start();
    let keys = keys("torn", 8);
    let write = |client: &mut Client, id: u64| {
        for round in 0..WRITES {
            let value = format!("{id}-{round}");
            let pairs = keys.iter().flat_map(|key| [key.clone(), value.clone()]);
            assert_eq!(client.call(&words("MSET", pairs)), Value::Simple(b"OK".to_vec()));
        }
    };
    let look = |client: &mut Client| {
        let seen = mget(client, &keys);
        assert!(seen.iter().all(|value| *value == seen[0]), "a torn MSET: {seen:?}");
    };
    race(&server, 3, write, look);
}

fn a_renamed_key_is_always_in_exactly_one_place(cores: u16) {
    let server = freehold(cores).start();
    let places = keys("place", 2);
    assert_eq!(server.client().said("SET place:0 treasure"), "+OK");
    let write = |client: &mut Client, _| {
        for round in 0..WRITES {
            let (from, to) = (round % 2, 1 - round % 2);
            assert_eq!(client.said(&format!("RENAME place:{from} place:{to}")), "+OK");
        }
    };
    let look = |client: &mut Client| {
        let seen = mget(client, &places);
        let there = seen.iter().filter(|value| **value != Value::Null).count();
        assert_eq!(there, 1, "seen in {there} places");
    };
    race(&server, 1, write, look);
}

fn one_msetnx_wins_whole(cores: u16) {
    let server = freehold(cores).start();
    for round in 0..200 {
        let shared = keys(&format!("nx{round}"), 6);
        let wins: usize = thread::scope(|scope| {
            let contest = |id: usize| {
                let (server, shared) = (&server, &shared);
                scope.spawn(move || {
                    // Each begins elsewhere, so that they meet in different orders.
                    let turned = (0..6).map(|n| shared[(n + id) % 6].clone());
                    let pairs = turned.flat_map(|key| [key, id.to_string()]);
                    server.client().call(&words("MSETNX", pairs)) == Value::Integer(1)
                })
            };
            let contests: Vec<_> = (0..3).map(contest).collect();
            contests.into_iter().map(|one| usize::from(one.join().expect("it ends"))).sum()
        });
        assert_eq!(wins, 1, "round {round}");
        let seen: HashSet<String> =
            mget(&mut server.client(), &shared).iter().map(|value| format!("{value:?}")).collect();
        assert_eq!(seen.len(), 1, "a mixture won round {round}: {seen:?}");
    }
}

fn nobody_sees_half_a_del(cores: u16) {
    let server = freehold(cores).start();
    let keys = keys("gone", 6);
    let write = |client: &mut Client, _| {
        for _ in 0..WRITES {
            let pairs = keys.iter().flat_map(|key| [key.clone(), "v".to_owned()]);
            client.call(&words("MSET", pairs));
            let deleted = client.call(&words("DEL", keys.iter().cloned()));
            assert_eq!(deleted, Value::Integer(6));
        }
    };
    let look = |client: &mut Client| {
        let seen = client.call(&words("EXISTS", keys.iter().cloned()));
        assert!(matches!(seen, Value::Integer(0 | 6)), "half a DEL: {seen:?}");
    };
    race(&server, 1, write, look);
}

fn copies_never_lag_behind_an_mset(cores: u16) {
    let server = freehold(cores).start();
    let write = |client: &mut Client, id: u64| {
        for round in 0..WRITES / 2 {
            let value = format!("{id}-{round}");
            client.said(&format!("MSET twin:{id}:a {value} twin:{id}:b {value}"));
            client.said(&format!("COPY twin:{id}:a twin:{id}:c REPLACE"));
            let seen = mget(client, &["a", "b", "c"].map(|name| format!("twin:{id}:{name}")));
            assert!(seen.iter().all(|one| *one == Value::Bulk(value.clone().into_bytes())));
        }
    };
    race(&server, 4, write, |client| drop(client.said("DBSIZE")));
}
